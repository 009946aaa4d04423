package generative

import (
	"fmt"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// pixelNetwork is the network of a [PixelCNN]. Feature maps are [n, height, width, channels].
type pixelNetwork struct {
	Down, Right           window    // the first convolutions, of x
	DownPlace, RightPlace *nn.Param // [height, width, channels], added to them
	Layers                []gatedLayer
	Deep, Out             nn.Dense  // 1x1: ReLU, Deep, ReLU, Out
	OutPlace              *nn.Param // [height, width, width of pixel]

	pixel    pixel
	shape    data.Shape
	channels int
	begin    []float32 // OutPlace where training begins
}

// window is a convolution of stride 1, whose place in the picture is said where it is applied.
type window struct {
	Weight *nn.Param // [rows, columns, in, out]
	Bias   *nn.Param // [out]; nil for none
}

func newWindow(rows, columns, in, out int) window {
	area := rows * columns
	return window{
		Weight: &nn.Param{Dims: []int{rows, columns, in, out}, Init: nn.LeCunNormal, FanIn: area * in, FanOut: area * out},
		Bias:   &nn.Param{Dims: []int{out}, Init: nn.Zeros},
	}
}

// apply gives out[0] x out[1] pixels, the first of whose windows begins before[0] rows above and before[1] columns left of x.
func (w window) apply(x *tensor.Node, before, out [2]int) *tensor.Node {
	d, k := x.Dims(), w.Weight.Dims
	geometry := tensor.ConvGeometry{N: d[0], Groups: 1, CI: k[2], CO: k[3]}
	for i := range geometry.Axes {
		geometry.Axes[i] = tensor.ConvAxis{In: d[1+i], Kernel: k[i], Out: out[i], Stride: 1, Dilation: 1, Pad: before[i]}
	}
	y := tensor.ConvY(geometry, x, w.Weight.Node(x.Graph()))
	if w.Bias == nil {
		return y
	}
	return tensor.Add(y, w.Bias.Node(x.Graph()))
}

// gatedLayer is one layer of both stacks.
type gatedLayer struct {
	Down   window        // V
	Given  *nn.Embedding // b_y; nil without labels
	Across nn.Dense      // N
	Right  window        // H
	Out    nn.Dense      // O
}

// The windows: three rows that end at the current one, and as many columns to the left. The first ones, which see few channels,
// are wider.
const (
	windowRows    = 3
	windowColumns = 3
	firstColumns  = 7 // of the rows above, as many on both sides; of the current row, all to the left
)

// network is the network for the data of a card. It fails where the recipe does not fit the data.
func (r *PixelCNN) network(card *model.Card) (*pixelNetwork, error) {
	schema := card.Schema
	output, err := r.Output.of(schema, card.Name)
	if err != nil {
		return nil, err
	}
	if output != Logistic && schema.Channels > 1 {
		return nil, fmt.Errorf("pixelcnn: output %s is for grey pictures, and the data has %v; use logistic", output, schema.Shape)
	}
	c := r.Channels
	net := &pixelNetwork{shape: schema.Shape, channels: c,
		pixel: pixel{factor{output: output, levels: int(schema.MaxValue) + 1, components: r.Components}, schema.Channels}}
	place := func(channels int) *nn.Param {
		return &nn.Param{Dims: []int{schema.Height, schema.Width, channels}, Init: nn.Zeros}
	}
	net.Down, net.DownPlace = newWindow(windowRows, firstColumns, schema.Channels, c), place(c)
	net.Right, net.RightPlace = newWindow(1, firstColumns, schema.Channels, c), place(c)
	net.Down.Bias, net.Right.Bias = nil, nil // the places have biases
	for range r.Layers {
		l := gatedLayer{
			Down: newWindow(windowRows, windowColumns, c, 2*c), Across: nn.NewDense(2*c, 2*c, nn.LeCunNormal),
			Right: newWindow(1, windowColumns, c, 2*c), Out: nn.NewDense(c, c, nn.LeCunNormal),
		}
		l.Right.Bias = nil // Across has one
		if k := card.Classes(); k > 0 {
			given := nn.NewEmbedding(k, 2*c, nn.Normal(0.05))
			l.Given = &given
		}
		net.Layers = append(net.Layers, l)
	}
	net.Deep = nn.NewDense(c, 2*c, nn.HeNormal)
	net.Out = nn.NewDense(2*c, net.pixel.width(), nn.GlorotUniform).NoBias()
	net.OutPlace = place(net.pixel.width())
	net.begin = make([]float32, schema.Height*schema.Width*net.pixel.width())
	for rest := net.begin; len(rest) > 0; rest = rest[net.pixel.width():] {
		net.pixel.begin(rest)
	}
	net.OutPlace.Init = func(dst []float32, _, _ int, _ *rand.Rand) { copy(dst, net.begin) }
	return net, nil
}

// gate is tanh(x₁)·σ(x₂) of the halves of the channels.
func gate(x *tensor.Node) *tensor.Node {
	axis := x.Shape().Rank() - 1
	half := x.Dims()[axis] / 2
	return tensor.Mul(tensor.Tanh(tensor.SliceAxis(x, axis, 0, half)), tensor.Sigmoid(tensor.SliceAxis(x, axis, half, 2*half)))
}

// pointwise applies a dense layer to the channels of each pixel.
func pointwise(l nn.Dense, x *tensor.Node) *tensor.Node {
	d := x.Dims()
	return tensor.Reshape(l.Apply(tensor.Reshape(x, d[0]*d[1]*d[2], d[3])), d[0], d[1], d[2], -1)
}

// down is a step of the vertical stack: what it gives to the horizontal one, N a, and the change of v. v has before[0] rows
// less than its windows need above, and out says how many pixels there are to be.
func (l *gatedLayer) down(v, y *tensor.Node, before, out [2]int) (across, change *tensor.Node) {
	a := l.Down.apply(v, before, out)
	if l.Given != nil {
		a = tensor.Add(a, tensor.Reshape(l.Given.Apply(y), a.Dims()[0], 1, 1, -1))
	}
	return pointwise(l.Across, a), gate(a)
}

// right is a step of the horizontal stack: the change of h.
func (l *gatedLayer) right(h, across *tensor.Node, before, out [2]int) *tensor.Node {
	return pointwise(l.Out, gate(tensor.Add(l.Right.apply(h, before, out), across)))
}

// end is the parameters of pixels, without those of their places, from the horizontal stack.
func (m *pixelNetwork) end(h *tensor.Node) *tensor.Node {
	return pointwise(m.Out, nn.ReLU(pointwise(m.Deep, nn.ReLU(h))))
}

// parameters are those of each pixel, [n, height, width, width of pixel], from x [n, height, width, channels].
func (m *pixelNetwork) parameters(x, y *tensor.Node) *tensor.Node {
	g, out := x.Graph(), [2]int{m.shape.Height, m.shape.Width}
	v := tensor.Add(m.Down.apply(x, [2]int{windowRows, firstColumns / 2}, out), m.DownPlace.Node(g))
	h := tensor.Add(m.Right.apply(x, [2]int{0, firstColumns}, out), m.RightPlace.Node(g))
	for i := range m.Layers {
		l := &m.Layers[i]
		across, change := l.down(v, y, [2]int{windowRows - 1, windowColumns / 2}, out)
		h = tensor.Add(h, l.right(h, across, [2]int{0, windowColumns - 1}, out))
		v = tensor.Add(v, change)
	}
	return tensor.Add(m.end(h), m.OutPlace.Node(g))
}

// logLikelihood is log p(x|y) of each example, (n), in nats, from t(x), (n, size).
func (m *pixelNetwork) logLikelihood(x, y *tensor.Node, _ *nn.Mode) *tensor.Node {
	n := x.Dims()[0]
	p := m.parameters(tensor.Reshape(x, n, m.shape.Height, m.shape.Width, m.shape.Channels), y)
	pixels := m.shape.Height * m.shape.Width
	log := m.pixel.logLikelihood(tensor.Reshape(p, n, pixels, m.pixel.width()), tensor.Reshape(x, n, pixels, m.shape.Channels))
	return tensor.Sum(log, 1)
}

// pixel is the distribution of a pixel given those before it. A mixture of discretised logistic distributions is one of whole
// pixels: component k has a weight, and for each channel c a mean and a log scale; the mean moves with the channels before,
//
//	mean_kc + Σ_(b<c) tanh(slope_kcb) (x_b − ½)
//
// (Salimans et al., PixelCNN++, 2017, eq. 3). Parameters are, one after the other, the logits of all k, the means of all k for
// each channel, the log scales likewise, and the slopes of all k for each pair b < c.
type pixel struct {
	factor
	channels int
}

func (f pixel) width() int {
	if f.channels == 1 {
		return f.factor.width()
	}
	return f.components * (1 + 2*f.channels + f.channels*(f.channels-1)/2)
}

// begin sets the parameters of a pixel, the first of bias, to where training begins.
func (f pixel) begin(bias []float32) {
	if f.channels == 1 {
		f.factor.begin(bias)
		return
	}
	m := f.components
	one := make([]float32, 3*m)
	f.factor.begin(one)
	for c := range f.channels {
		copy(bias[(1+c)*m:], one[m:2*m])
		copy(bias[(1+f.channels+c)*m:], one[2*m:])
	}
}

// slope is the index of the slopes of channel c by channel b < c.
func (f pixel) slope(c, b int) int { return 1 + 2*f.channels + c*(c-1)/2 + b }

// logLikelihood is log p of each pixel, (n, pixels), from parameters (n, pixels, width) and x (n, pixels, channels).
func (f pixel) logLikelihood(p, x *tensor.Node) *tensor.Node {
	d := x.Dims()
	if f.channels == 1 {
		return f.factor.logLikelihood(p, tensor.Reshape(x, d[0], d[1]))
	}
	part := func(i int) *tensor.Node { return tensor.SliceAxis(p, 2, i*f.components, (i+1)*f.components) }
	value := func(c int) *tensor.Node {
		return tensor.BroadcastTo(tensor.SliceAxis(x, 2, c, c+1), d[0], d[1], f.components)
	}
	log := tensor.LogSoftmax(part(0))
	for c := range f.channels {
		mean := part(1 + c)
		for b := range c {
			mean = tensor.Add(mean, tensor.Mul(tensor.Tanh(part(f.slope(c, b))), tensor.AddScalar(value(b), -0.5)))
		}
		log = tensor.Add(log, nn.DiscretisedLogisticLogLikelihood(mean, f.bounded(part(1+f.channels+c)), value(c), f.levels))
	}
	return tensor.Reshape(tensor.LogSumExp(log), d[0], d[1])
}
