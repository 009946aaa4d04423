package generative

import (
	"fmt"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// quantiser is the network of a [VQVAE]. Vectors and codes are rows: (n·places, dimensions), picture by picture, row by row.
type quantiser struct {
	Encoder vqEncoder
	Codes   *nn.Param // e, [codes, dimensions]; moved by codeUsage, not by gradient
	Decoder vqDecoder
	Prior   *codePrior

	classes    int // 0 without labels
	dimensions int
	shape      data.Shape
	grid       data.Shape // of codes; Channels is that of the feature map
}

// vqEncoder sees the picture, halves it, and looks at what is left.
type vqEncoder struct {
	In     nn.Conv
	Halve  []nn.Conv
	Blocks []residual
	Out    nn.Conv
}

// vqDecoder is the way back.
type vqDecoder struct {
	In     nn.Conv
	Blocks []residual
	Double []nn.ConvTransposed
	Out    nn.Conv
}

// vqBlocks is the number of residual blocks in encoder and in decoder.
const vqBlocks = 2

// network is the network for the data of a card. It fails where the recipe does not fit the data.
func (r *VQVAE) network(card *model.Card) (*quantiser, error) {
	shape, c := card.Transform.OutShape(), r.Channels
	halvings := r.Halvings
	switch side := min(shape.Height, shape.Width); {
	case halvings == 0:
		for halvings < 2 && side>>(halvings+1) >= 4 {
			halvings++
		}
	case side>>halvings == 0:
		return nil, fmt.Errorf("vqvae: %d halvings of pictures of %v leave nothing; set fewer", halvings, shape)
	}
	m := &quantiser{classes: card.Classes(), dimensions: r.Dimensions, shape: shape}
	m.grid = data.Shape{Height: shape.Height, Width: shape.Width, Channels: c}
	m.Encoder.In = nn.NewConv(shape.Channels, c, 3, 1, 1, nn.HeNormal)
	for range halvings {
		m.Encoder.Halve = append(m.Encoder.Halve, nn.NewConv(c, c, 3, 2, 1, nn.HeNormal))
		m.Decoder.Double = append(m.Decoder.Double, nn.NewConvTransposed(c, c, 4, 2, 1, nn.HeNormal))
		m.grid.Height, m.grid.Width = (m.grid.Height+1)/2, (m.grid.Width+1)/2
	}
	for range vqBlocks {
		m.Encoder.Blocks = append(m.Encoder.Blocks, newResidual(c))
		m.Decoder.Blocks = append(m.Decoder.Blocks, newResidual(c))
	}
	m.Encoder.Out = nn.NewConv(c, r.Dimensions, 1, 1, 0, nn.LeCunNormal)
	m.Codes = &nn.Param{Dims: []int{r.Codes, r.Dimensions}, Init: nn.Normal(1), Fixed: true}
	m.Decoder.In = nn.NewConv(r.Dimensions, c, 3, 1, 1, nn.HeNormal)
	m.Decoder.Out = nn.NewConv(c, shape.Channels, 3, 1, 1, nn.GlorotUniform)
	m.Prior = newCodePrior(r.Codes, r.Prior, r.Layers, m.grid, m.classes)
	return m, nil
}

// places is how many codes a picture has.
func (m *quantiser) places() int { return m.grid.Height * m.grid.Width }

// codeSize is how many numbers they are.
func (m *quantiser) codeSize() int { return m.places() * m.dimensions }

// encode is z, (n·places, dimensions), of pictures (n, H, W, C).
func (m *quantiser) encode(x *tensor.Node) *tensor.Node {
	h := m.Encoder.In.Apply(x)
	for _, layer := range m.Encoder.Halve {
		h = layer.Apply(nn.SiLU(h))
	}
	for _, block := range m.Encoder.Blocks {
		h = block.apply(h)
	}
	return tensor.Reshape(m.Encoder.Out.Apply(nn.SiLU(h)), -1, m.dimensions)
}

// nearest is the number of the code that is nearest to each vector, the first of equals, Int32 (n·places). Of
// |z − e|² = |z|² − 2 z·e + |e|² the first term is the same for all codes.
func (m *quantiser) nearest(z *tensor.Node) *tensor.Node {
	e := m.Codes.Node(z.Graph())
	nearness := tensor.Sub(tensor.MulScalar(tensor.MatMulT(z, e, false, true), 2), tensor.Sum(tensor.Square(e), 1))
	return tensor.ArgMax(nearness, 1)
}

// look is the codes of those numbers.
func (m *quantiser) look(codes *tensor.Node) *tensor.Node {
	return tensor.Take(m.Codes.Node(codes.Graph()), codes)
}

// straightThrough is the codes, with the derivative 1 by z.
func (m *quantiser) straightThrough(z, codes *tensor.Node) *tensor.Node {
	return tensor.Add(z, tensor.StopGradient(tensor.Sub(m.look(codes), z)))
}

// decode is x, (n, H, W, C), from vectors.
func (m *quantiser) decode(z *tensor.Node) *tensor.Node {
	h := m.Decoder.In.Apply(tensor.Reshape(z, -1, m.grid.Height, m.grid.Width, m.dimensions))
	for _, block := range m.Decoder.Blocks {
		h = block.apply(h)
	}
	for i, layer := range m.Decoder.Double {
		h = cut(layer.Apply(nn.SiLU(h)), m.half(len(m.Decoder.Double)-1-i))
	}
	return m.Decoder.Out.Apply(nn.SiLU(h))
}

// half is the picture's shape after that many halvings.
func (m *quantiser) half(times int) data.Shape {
	s := m.shape
	for range times {
		s.Height, s.Width = (s.Height+1)/2, (s.Width+1)/2
	}
	return s
}

// codeUsage is how much each code stands for, lately.
type codeUsage struct {
	Count *nn.Param // N, [codes]
	Sum   *nn.Param // m, [codes, dimensions]
}

func newCodeUsage(codes, dimensions int) *codeUsage {
	return &codeUsage{
		&nn.Param{Dims: []int{codes}, Init: nn.Zeros, Fixed: true},
		&nn.Param{Dims: []int{codes, dimensions}, Init: nn.Zeros, Fixed: true},
	}
}

// leastUse is the share of the average use below which a code begins again.
const leastUse = 0.05

// follow makes the codes follow the vectors z that they stand for. At first hardly any is in use, so the codes begin as
// outputs of the encoder.
func (u *codeUsage) follow(codes *nn.Param, z, index *tensor.Node, decay float64, noise *nn.Noise) {
	g, rows, k := z.Graph(), z.Dims()[0], codes.Dims[0]
	own := tensor.OneHot(index, tensor.Float32, k)
	follow := func(old, now *tensor.Node) *tensor.Node {
		return tensor.Add(tensor.MulScalar(old, decay), tensor.MulScalar(now, 1-decay))
	}
	count, sum := u.Count.Node(g), u.Sum.Node(g)
	newCount := follow(count, tensor.Sum(own, 0))
	newSum := follow(sum, tensor.MatMulT(own, z, true, false))

	average := float64(rows) / float64(k)
	dead := tensor.Less(newCount, g.Scalar(tensor.Float32, leastUse*average))
	some := tensor.Take(z, tensor.Convert(tensor.MulScalar(noise.Uniform(k), float64(rows)), tensor.Int32))
	newCount = tensor.Select(dead, g.Scalar(tensor.Float32, average), newCount)
	newSum = tensor.Select(tensor.Reshape(dead, k, 1), tensor.MulScalar(some, average), newSum)

	e := codes.Node(g)
	g.Update(count, newCount)
	g.Update(sum, newSum)
	g.Update(e, tensor.Div(newSum, tensor.Reshape(newCount, k, 1)))
}

// codePrior is p(k|y) of grids of codes, in the order of rows and, in a row, of columns. Two stacks of convolutions walk side by
// side (van den Oord et al., Conditional image generation with PixelCNN decoders, 2016, fig. 2, in the form of Salimans et
// al., PixelCNN++, 2017): one sees all of the rows above a place, the other what is left of it and above, and the first's
// features too. Each sees its input moved on by one, so that no place sees its own code.
type codePrior struct {
	Embedding nn.Embedding  // of codes
	Place     *nn.Param     // [height, width, channels]
	Class     *nn.Embedding // nil without labels
	Layers    []codePriorLayer
	Out       nn.Conv

	grid data.Shape
}

type codePriorLayer struct {
	Above, AboveOut nn.Conv
	Left, LeftOut   nn.Conv
	Join            nn.Conv
}

func newCodePrior(codes, channels, layers int, grid data.Shape, classes int) *codePrior {
	p := &codePrior{
		Embedding: nn.NewEmbedding(codes, channels, nn.Normal(1)),
		Place:     &nn.Param{Dims: []int{grid.Height, grid.Width, channels}, Init: nn.Normal(0.1)},
		Out:       nn.NewConv(channels, codes, 1, 1, 0, nn.LeCunNormal),
		grid:      grid,
	}
	if classes > 0 {
		e := nn.NewEmbedding(classes, channels, nn.Normal(1))
		p.Class = &e
	}
	for range layers {
		p.Layers = append(p.Layers, codePriorLayer{
			Above: nn.NewConv(channels, channels, 3, 1, 0, nn.HeNormal), AboveOut: nn.NewConv(channels, channels, 1, 1, 0, nn.Zeros),
			Left: nn.NewConv(channels, channels, 3, 1, 0, nn.HeNormal), LeftOut: nn.NewConv(channels, channels, 1, 1, 0, nn.Zeros),
			Join: nn.NewConv(channels, channels, 1, 1, 0, nn.LeCunNormal),
		})
	}
	return p
}

// logits is those of p(k_i|k_1 … k_(i−1), y), (n·places, codes), for n grids of codes.
func (p *codePrior) logits(codes, y *tensor.Node, n int) *tensor.Node {
	g := codes.Graph()
	x := tensor.Reshape(p.Embedding.Apply(codes), n, p.grid.Height, p.grid.Width, -1)
	place := p.Place.Node(g)
	above, left := tensor.Add(framed(x, 1, 0, 0, -1), place), tensor.Add(framed(x, 0, 1, -1, 0), place)
	if p.Class != nil {
		class := tensor.Reshape(p.Class.Apply(y), n, 1, 1, -1)
		above, left = tensor.Add(above, class), tensor.Add(left, class)
	}
	for _, l := range p.Layers {
		h := l.Above.Apply(framed(nn.SiLU(above), 2, 1, 1, 0)) // three columns of this row and the two above
		above = tensor.Add(above, l.AboveOut.Apply(nn.SiLU(h)))
		h = l.Left.Apply(framed(nn.SiLU(left), 2, 2, 0, 0)) // this column and the two to its left
		h = tensor.Add(h, l.Join.Apply(nn.SiLU(above)))
		left = tensor.Add(left, l.LeftOut.Apply(nn.SiLU(h)))
	}
	return tensor.Reshape(p.Out.Apply(nn.SiLU(left)), n*p.grid.Height*p.grid.Width, -1)
}

// framed is a feature map with so many rows of zeros above, and columns on the left and right, and rows below; fewer than
// none cuts.
func framed(x *tensor.Node, above, left, right, below int) *tensor.Node {
	return tensor.Pad(x, 0, []int{0, above, left, 0}, []int{0, below, right, 0}, []int{0, 0, 0, 0})
}
