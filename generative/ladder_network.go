package generative

import (
	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// ladder is the network of a [Ladder].
type ladder struct {
	Up     []ladderUp   // from the picture to the smallest feature map
	Top    nn.Embedding // h at the top, one for each class
	Down   []ladderDown // from there to the largest
	Deconv nn.ConvTransposed
	Out    nn.Conv
	Spread *nn.Param // of x given z, see emission

	emission
	classes int // 0 without labels
	latent  int
	shape   data.Shape
	scales  []data.Shape // of the feature maps, the largest first
}

// ladderUp halves the feature map on the way up, and looks at it.
type ladderUp struct {
	Halve nn.Conv
	Block residual
}

// ladderDown is the latent layers of a scale. Layers below the top scale follow a doubling.
type ladderDown struct {
	Narrow *nn.Conv // to the channels of this scale, before the doubling; nil at the top
	Layers []latentLayer
}

// latentLayer is one z_l. From h and, for the posterior, e:
//
//	(log σ², μ, more) = Prior(h),  (δ, log ρ²) = Posterior(h, e),  h ← h + more + In(z),  h ← h + Block(h)
type latentLayer struct {
	Prior, PriorOut         nn.Conv
	Posterior, PosteriorOut nn.Conv
	In                      nn.Conv
	Block                   residual
}

// residual is x + B(f(A(f(x)))) with 3×3 convolutions and f = SiLU. It begins as the identity, as B begins as 0.
type residual struct{ A, B nn.Conv }

func newResidual(channels int) residual {
	return residual{nn.NewConv(channels, channels, 3, 1, 1, nn.HeNormal), nn.NewConv(channels, channels, 3, 1, 1, nn.Zeros)}
}

func (b residual) apply(x *tensor.Node) *tensor.Node {
	return tensor.Add(x, b.B.Apply(nn.SiLU(b.A.Apply(nn.SiLU(x)))))
}

// headChannels is the width of the feature map of the picture's own size, which p(x|z) is read off.
const headChannels = 16

// network is the network for the data of a card. It fails where the recipe does not fit the data.
func (r *Ladder) network(card *model.Card) (*ladder, error) {
	shape := card.Transform.OutShape()
	output, err := newEmission(r.Output, card)
	if err != nil {
		return nil, err
	}
	m := &ladder{emission: output, Spread: output.spread, classes: card.Classes(), latent: r.Latent, shape: shape}
	below := shape
	for _, c := range r.Channels {
		if len(m.scales) > 0 && max(below.Height, below.Width) == 1 {
			break
		}
		m.Up = append(m.Up, ladderUp{nn.NewConv(below.Channels, c, 3, 2, 1, nn.HeNormal), newResidual(c)})
		below = data.Shape{Height: (below.Height + 1) / 2, Width: (below.Width + 1) / 2, Channels: c}
		m.scales = append(m.scales, below)
	}
	m.Top = nn.NewEmbedding(max(1, m.classes), below.Size(), nn.Normal(0.1))
	for i := len(m.scales) - 1; i >= 0; i-- {
		c := m.scales[i].Channels
		down := ladderDown{}
		if above := i + 1; above < len(m.scales) {
			narrow := nn.NewConv(m.scales[above].Channels, c, 1, 1, 0, nn.LeCunNormal)
			down.Narrow = &narrow
		}
		for range r.Layers {
			down.Layers = append(down.Layers, newLatentLayer(c, r.Latent))
		}
		m.Down = append(m.Down, down)
	}
	m.Deconv = nn.NewConvTransposed(m.scales[0].Channels, headChannels, 4, 2, 1, nn.HeNormal)
	m.Out = nn.NewConv(headChannels, shape.Channels, 3, 1, 1, nn.GlorotUniform)
	return m, nil
}

func newLatentLayer(channels, latent int) latentLayer {
	conv := func(in int) nn.Conv { return nn.NewConv(in, channels, 3, 1, 1, nn.HeNormal) }
	return latentLayer{
		Prior:        conv(channels),
		PriorOut:     nn.NewConv(channels, 2*latent+channels, 1, 1, 0, nn.Zeros), // N(0, I) at first
		Posterior:    conv(2 * channels),
		PosteriorOut: nn.NewConv(channels, 2*latent, 1, 1, 0, nn.Normal(0.1)), // nearly the prior at first
		In:           nn.NewConv(latent, channels, 1, 1, 0, nn.LeCunNormal),
		Block:        newResidual(channels),
	}
}

// layers is the number of latent layers of a scale.
func (m *ladder) layers() int { return len(m.Down[0].Layers) }

// topSize is the size of z_1.
func (m *ladder) topSize() int { return m.layerSize(len(m.scales) - 1) }

func (m *ladder) layerSize(scale int) int {
	return m.scales[scale].Height * m.scales[scale].Width * m.latent
}

// latentSize is the size of all z together.
func (m *ladder) latentSize() (n int) {
	for i := range m.scales {
		n += m.layers() * m.layerSize(i)
	}
	return n
}

// up is e of each scale, from x (n, size).
func (m *ladder) up(x *tensor.Node) []*tensor.Node {
	h := tensor.Reshape(x, x.Dims()[0], m.shape.Height, m.shape.Width, m.shape.Channels)
	e := make([]*tensor.Node, len(m.Up))
	for i := range m.Up {
		h = m.Up[i].Block.apply(m.Up[i].Halve.Apply(h))
		e[i] = h
	}
	return e
}

// choose gives a layer's u, (n, H, W, latent), given h. It is called for the layers in their order.
type choose func(layer *latentLayer, scale int, h *tensor.Node) *tensor.Node

// down walks down the ladder and gives the parameter of p(x|z), (n, size), for n examples of classes y.
func (m *ladder) down(g *tensor.Graph, n int, y *tensor.Node, u choose) *tensor.Node {
	if m.classes == 0 {
		y = g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Int32, n), I32: make([]int32, n)})
	}
	top := m.scales[len(m.scales)-1]
	h := tensor.Reshape(m.Top.Apply(y), n, top.Height, top.Width, top.Channels)
	for i := range m.Down {
		scale := len(m.scales) - 1 - i
		if m.Down[i].Narrow != nil {
			h = cut(nn.UpSample(m.Down[i].Narrow.Apply(h), 2), m.scales[scale])
		}
		for j := range m.Down[i].Layers {
			layer := &m.Down[i].Layers[j]
			mean, logVariance, more := layer.prior(h, m.latent)
			z := reparameterise(mean, logVariance, u(layer, scale, h))
			h = layer.Block.apply(tensor.Add(tensor.Add(h, more), layer.In.Apply(z)))
		}
	}
	h = nn.SiLU(m.Deconv.Apply(nn.SiLU(h)))
	return nn.Flatten(m.Out.Apply(cut(h, m.shape)))
}

// cut is the upper left of feature maps that are too large by a row or column.
func cut(h *tensor.Node, to data.Shape) *tensor.Node {
	return tensor.SliceAxis(tensor.SliceAxis(h, 1, 0, to.Height), 2, 0, to.Width)
}

// prior is μ, log σ² and what else the layer adds to h.
func (l *latentLayer) prior(h *tensor.Node, latent int) (mean, logVariance, more *tensor.Node) {
	out := l.PriorOut.Apply(nn.SiLU(l.Prior.Apply(nn.SiLU(h))))
	part := func(from, to int) *tensor.Node { return tensor.SliceAxis(out, 3, from, to) }
	return part(0, latent), bounded(part(latent, 2*latent)), part(2*latent, out.Dims()[3])
}

// posterior is δ and log ρ².
func (l *latentLayer) posterior(h, e *tensor.Node, latent int) (mean, logVariance *tensor.Node) {
	out := l.PosteriorOut.Apply(nn.SiLU(l.Posterior.Apply(nn.SiLU(tensor.Concat(3, h, e)))))
	return tensor.SliceAxis(out, 3, 0, latent), bounded(tensor.SliceAxis(out, 3, latent, 2*latent))
}

// bounded keeps a log variance within ±10, so that one step of training cannot spoil a chain of layers.
func bounded(x *tensor.Node) *tensor.Node {
	return tensor.MulScalar(tensor.Tanh(tensor.MulScalar(x, 0.1)), 10)
}

// given is a choice of u from an array (n, latentSize), layer by layer.
func (m *ladder) given(u *tensor.Node) choose {
	at := 0
	return func(_ *latentLayer, scale int, _ *tensor.Node) *tensor.Node {
		s := m.scales[scale]
		from := at
		at += m.layerSize(scale)
		return tensor.Reshape(tensor.SliceAxis(u, 1, from, at), u.Dims()[0], s.Height, s.Width, m.latent)
	}
}

// decode is the parameter of p(x|z), (n, size), from u (n, latentSize).
func (m *ladder) decode(u, y *tensor.Node) *tensor.Node {
	return m.down(u.Graph(), u.Dims()[0], y, m.given(u))
}

// sampled walks down with u = δ + ρε of the posterior of x, (n, size), with ε (n, latentSize), and tells each layer's terms.
func (m *ladder) sampled(x, y, epsilon *tensor.Node, tell func(mean, logVariance, epsilon, u *tensor.Node)) *tensor.Node {
	e, noise := m.up(x), m.given(epsilon)
	return m.down(x.Graph(), x.Dims()[0], y, func(layer *latentLayer, scale int, h *tensor.Node) *tensor.Node {
		mean, logVariance := layer.posterior(h, e[scale], m.latent)
		own := noise(layer, scale, h)
		u := reparameterise(mean, logVariance, own)
		tell(mean, logVariance, own, u)
		return u
	})
}

// bound is the two terms of the evidence lower bound of each example, (n): log p(x|z) and the KL divergence of all layers.
func (m *ladder) bound(x, y, epsilon *tensor.Node) (reconstruction, kl *tensor.Node) {
	kl = tensor.ZerosLike(tensor.Sum(x, 1))
	out := m.sampled(x, y, epsilon, func(mean, logVariance, _, _ *tensor.Node) {
		kl = tensor.Add(kl, tensor.Sum(nn.KLStandardNormal(mean, logVariance), 1, 2, 3))
	})
	return m.logLikelihood(out, x), kl
}

// logWeight is log p(x, z)/q(z|x) of each example, (n): log p(x|z) + ½ Σ (ε² + log ρ² − u²).
func (m *ladder) logWeight(x, y, epsilon *tensor.Node) *tensor.Node {
	ratio := tensor.ZerosLike(tensor.Sum(x, 1))
	out := m.sampled(x, y, epsilon, func(_, logVariance, epsilon, u *tensor.Node) {
		each := tensor.Sub(tensor.Add(tensor.Square(epsilon), logVariance), tensor.Square(u))
		ratio = tensor.Add(ratio, tensor.Sum(each, 1, 2, 3))
	})
	return tensor.Add(m.logLikelihood(out, x), tensor.MulScalar(ratio, 0.5))
}

// encode is the mean δ of q(u_1|x), (n, topSize).
func (m *ladder) encode(x, y *tensor.Node) *tensor.Node {
	var code *tensor.Node
	e := m.up(x)
	m.down(x.Graph(), x.Dims()[0], y, func(layer *latentLayer, scale int, h *tensor.Node) *tensor.Node {
		mean, _ := layer.posterior(h, e[scale], m.latent)
		if code == nil {
			code = nn.Flatten(mean)
		}
		return mean
	})
	return code
}
