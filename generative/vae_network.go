package generative

import (
	"fmt"
	"math"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// autoencoder is the network of a [VAE].
type autoencoder struct {
	Down              []nn.Conv
	Encoder           []nn.Dense
	Mean, LogVariance nn.Dense
	Centre, LogScale  *nn.Param // [classes, latent], of the prior of each class; nil without labels
	Decoder           []nn.Dense
	Out               nn.Dense
	Up                []nn.ConvTransposed
	Spread            *nn.Param // of x given z, for each element: log variance or log scale

	output     Output
	latent     int
	classes    int     // 0 without labels
	levels     int     // of a pixel; 1 for tables
	categories []block // in the rows of a table
	shape      data.Shape
	deep       data.Shape // of the decoder's first feature map; the picture's without convolutions
}

// block is the elements [from, to) of t(x) that are a categorical column, one-hot.
type block struct{ from, to int }

// leastLogVariance bounds the variance of Normal outputs on the scale of the transform, log 10⁻⁴: the density of a column
// that never changes has no maximum.
var leastLogVariance = math.Log(1e-4)

// network is the network for the data of a card. It fails where the recipe does not fit the data.
func (r *VAE) network(card *model.Card) (*autoencoder, error) {
	schema, shape := card.Schema, card.Transform.OutShape()
	net := &autoencoder{output: r.Output, latent: r.Latent, classes: card.Classes(), levels: int(schema.MaxValue) + 1, shape: shape}
	if net.output == Auto {
		net.output = Normal
		if schema.IsImage() {
			net.output = Bernoulli
		}
	}
	switch {
	case net.output != Normal && !schema.IsImage():
		return nil, fmt.Errorf("vae: output %s is for pictures, and the data is a table; use normal", net.output)
	case len(r.Channels) > 0 && min(shape.Height, shape.Width)>>len(r.Channels) == 0:
		return nil, fmt.Errorf("vae: %d convolutions, each of which halves the size, and the data has %v; set fewer channels", len(r.Channels), shape)
	}
	at := 0
	for _, step := range card.Transform.Steps {
		if step.OneHot {
			net.categories = append(net.categories, block{at, at + len(step.Levels)})
			at += len(step.Levels)
		} else {
			at++
		}
	}
	net.makeLayers(r.Channels, r.Hidden)
	size := shape.Size()
	switch net.output {
	case Normal:
		net.Spread = &nn.Param{Dims: []int{size}, Init: nn.Zeros}
		if schema.IsImage() { // most pixels of [0, 1] vary by much less than 1
			net.Spread.Init = nn.Constant(-3)
		}
	case Logistic:
		net.Spread = &nn.Param{Dims: []int{size}, Init: nn.Constant(-2)}
	}
	return net, nil
}

// makeLayers makes the layers of encoder and decoder, one the mirror of the other.
func (m *autoencoder) makeLayers(channels, hidden []int) {
	deep := m.shape // of the last feature map
	for _, c := range channels {
		m.Down = append(m.Down, nn.NewConv(deep.Channels, c, 4, 2, 1, nn.HeNormal))
		deep = data.Shape{Height: deep.Height / 2, Width: deep.Width / 2, Channels: c}
	}
	width := deep.Size() + m.classes
	for _, units := range hidden {
		m.Encoder = append(m.Encoder, nn.NewDense(width, units, nn.HeNormal))
		width = units
	}
	m.Mean = nn.NewDense(width, m.latent, nn.GlorotUniform)
	m.LogVariance = nn.NewDense(width, m.latent, nn.GlorotUniform)
	if m.classes > 0 {
		m.Centre = &nn.Param{Dims: []int{m.classes, m.latent}, Init: nn.Zeros}
		m.LogScale = &nn.Param{Dims: []int{m.classes, m.latent}, Init: nn.Zeros}
	}

	width = m.latent + m.classes
	for _, units := range slices.Backward(hidden) {
		m.Decoder = append(m.Decoder, nn.NewDense(width, units, nn.HeNormal))
		width = units
	}
	// Odd sizes are halved downwards and doubled from above, and the picture is cut from what is too large.
	halves := 1 << len(channels)
	m.deep = data.Shape{Height: (m.shape.Height + halves - 1) / halves, Width: (m.shape.Width + halves - 1) / halves, Channels: deep.Channels}
	m.Out = nn.NewDense(width, m.deep.Size(), nn.GlorotUniform)
	for i, c := range slices.Backward(channels) {
		next := m.shape.Channels
		if i > 0 {
			next = channels[i-1]
		}
		m.Up = append(m.Up, nn.NewConvTransposed(c, next, 4, 2, 1, nn.HeNormal))
	}
}

// given appends the class, one-hot, to each row.
func (m *autoencoder) given(x, y *tensor.Node) *tensor.Node {
	if m.classes == 0 {
		return x
	}
	return tensor.Concat(1, x, tensor.OneHot(y, tensor.Float32, m.classes))
}

// prior is centre and log scale of each example's class, (n, latent).
func (m *autoencoder) prior(y *tensor.Node) (centre, logScale *tensor.Node) {
	g, own := y.Graph(), tensor.OneHot(y, tensor.Float32, m.classes)
	return tensor.MatMul(own, m.Centre.Node(g)), tensor.MatMul(own, m.LogScale.Node(g))
}

// encode is q(z|x): mean and log variance, (n, latent), from x (n, size).
func (m *autoencoder) encode(x, y *tensor.Node) (mean, logVariance *tensor.Node) {
	h := x
	if len(m.Down) > 0 {
		h = tensor.Reshape(x, x.Dims()[0], m.shape.Height, m.shape.Width, m.shape.Channels)
	}
	for _, layer := range m.Down {
		h = nn.ReLU(layer.Apply(h))
	}
	h = m.given(nn.Flatten(h), y)
	for _, layer := range m.Encoder {
		h = nn.ReLU(layer.Apply(h))
	}
	mean, logVariance = m.Mean.Apply(h), m.LogVariance.Apply(h)
	if m.classes > 0 {
		centre, logScale := m.prior(y)
		mean = tensor.Mul(tensor.Sub(mean, centre), tensor.Exp(tensor.Neg(logScale)))
		logVariance = tensor.Sub(logVariance, tensor.MulScalar(logScale, 2))
	}
	return mean, logVariance
}

// decode is the parameter of p(x|z), (n, size): a logit for Bernoulli, else the mean.
func (m *autoencoder) decode(z, y *tensor.Node) *tensor.Node {
	if m.classes > 0 {
		centre, logScale := m.prior(y)
		z = tensor.Add(centre, tensor.Mul(z, tensor.Exp(logScale)))
	}
	h := m.given(z, y)
	for _, layer := range m.Decoder {
		h = nn.ReLU(layer.Apply(h))
	}
	h = m.Out.Apply(h)
	if len(m.Up) == 0 {
		return h
	}
	h = tensor.Reshape(h, h.Dims()[0], m.deep.Height, m.deep.Width, m.deep.Channels)
	for _, layer := range m.Up {
		h = layer.Apply(nn.ReLU(h))
	}
	return nn.Flatten(tensor.SliceAxis(tensor.SliceAxis(h, 1, 0, m.shape.Height), 2, 0, m.shape.Width))
}

// logLikelihood is log p(x|z) of each example, (n), in nats, on the scale of the transform.
func (m *autoencoder) logLikelihood(z, y, x *tensor.Node) *tensor.Node {
	out := m.decode(z, y)
	var each *tensor.Node
	switch m.output {
	case Bernoulli:
		each = nn.BernoulliLogLikelihood(out, x)
	case Normal:
		spread := m.Spread.Node(x.Graph())
		least := x.Graph().Scalar(tensor.Float32, leastLogVariance)
		return m.rowLogLikelihood(out, tensor.Max(spread, least), x)
	case Logistic:
		each = nn.DiscretisedLogisticLogLikelihood(out, m.Spread.Node(x.Graph()), x, m.levels)
	}
	return tensor.Sum(each, 1)
}

// rowLogLikelihood adds up log N(x; mean, variance) of real elements and log softmax(out) at x of each categorical column,
// which is 0 where it is missing.
func (m *autoencoder) rowLogLikelihood(out, logVariance, x *tensor.Node) *tensor.Node {
	total := tensor.ZerosLike(tensor.Sum(x, 1))
	at, size := 0, x.Dims()[1]
	numbers := func(to int) { // elements [at, to)
		part := func(x *tensor.Node, axis int) *tensor.Node {
			if to-at == size {
				return x
			}
			return tensor.SliceAxis(x, axis, at, to)
		}
		if at < to {
			total = tensor.Add(total, tensor.Sum(nn.NormalLogLikelihood(part(out, 1), part(logVariance, 0), part(x, 1)), 1))
		}
	}
	for _, c := range m.categories {
		numbers(c.from)
		log := tensor.LogSoftmax(tensor.SliceAxis(out, 1, c.from, c.to))
		total = tensor.Add(total, tensor.Sum(tensor.Mul(tensor.SliceAxis(x, 1, c.from, c.to), log), 1))
		at = c.to
	}
	numbers(size)
	return total
}

// isCategory reports whether element j of t(x) belongs to a categorical column.
func (m *autoencoder) isCategory(j int) bool {
	return slices.ContainsFunc(m.categories, func(c block) bool { return c.from <= j && j < c.to })
}

// reparameterise is z = mean + sd·ε.
func reparameterise(mean, logVariance, epsilon *tensor.Node) *tensor.Node {
	return tensor.Add(mean, tensor.Mul(tensor.Exp(tensor.MulScalar(logVariance, 0.5)), epsilon))
}

// bound is the two terms of the evidence lower bound with one z for each example: log p(x|z), (n), and the KL divergence
// of each latent dimension, (n, latent).
func (m *autoencoder) bound(x, y, epsilon *tensor.Node) (reconstruction, kl *tensor.Node) {
	mean, logVariance := m.encode(x, y)
	z := reparameterise(mean, logVariance, epsilon)
	return m.logLikelihood(z, y, x), nn.KLStandardNormal(mean, logVariance)
}

// logWeight is log p(x, z)/q(z|x) of each example, (n), at z = mean + sd·ε, where mean and log variance are q's:
//
//	log p(x|z) + log N(z; 0, I) − log N(z; mean, sd²) = log p(x|z) + ½ Σ (ε² + log sd² − z²)
func (m *autoencoder) logWeight(x, y, mean, logVariance, epsilon *tensor.Node) *tensor.Node {
	z := reparameterise(mean, logVariance, epsilon)
	ratio := tensor.Sub(tensor.Add(tensor.Square(epsilon), logVariance), tensor.Square(z))
	return tensor.Add(m.logLikelihood(z, y, x), tensor.MulScalar(tensor.Sum(ratio, 1), 0.5))
}
