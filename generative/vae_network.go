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

	Pseudo *nn.Param       // [components, size], of a vamp prior
	Flow   []priorCoupling // of a flow prior

	emission
	latent      int
	classes     int // 0 without labels
	latentPrior LatentPrior
	shape       data.Shape
	deep        data.Shape // of the decoder's first feature map; the picture's without convolutions
}

// network is the network for the data of a card. It fails where the recipe does not fit the data.
func (r *VAE) network(card *model.Card) (*autoencoder, error) {
	shape := card.Transform.OutShape()
	output, err := newEmission(r.Output, card)
	if err != nil {
		return nil, err
	}
	switch {
	case len(r.Channels) > 0 && min(shape.Height, shape.Width)>>len(r.Channels) == 0:
		return nil, fmt.Errorf("vae: %d convolutions, each of which halves the size, and the data has %v; set fewer channels", len(r.Channels), shape)
	case r.Draws > 1 && (r.Beta != 1 || r.FreeBits > 0):
		return nil, fmt.Errorf("vae: beta and free_bits change the KL term, which the bound of %d draws has not; leave them, or set draws=1", r.Draws)
	case r.FreeBits > 0 && r.Prior != NormalPrior:
		return nil, fmt.Errorf("vae: free_bits are of each latent dimension, which a %s prior ties together; set free_bits=0, or prior=normal", r.Prior)
	case r.Prior == FlowPrior && r.Latent < 2:
		return nil, fmt.Errorf("vae: a flow prior changes one half of z by the other, and latent is %d; expected at least 2", r.Latent)
	}
	net := &autoencoder{emission: output, Spread: output.spread, latent: r.Latent, classes: card.Classes(), latentPrior: r.Prior, shape: shape}
	net.makeLayers(r.Channels, r.Hidden)
	switch r.Prior {
	case VampPrior:
		classes := max(1, net.classes)
		net.Pseudo = &nn.Param{Dims: []int{(r.Pseudo + classes - 1) / classes * classes, shape.Size()}, Init: nn.Zeros}
	case FlowPrior:
		for i := range r.Coupling {
			net.Flow = append(net.Flow, newPriorCoupling(r.Latent, net.classes, i%2 == 1))
		}
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

// reparameterise is z = mean + sd·ε.
func reparameterise(mean, logVariance, epsilon *tensor.Node) *tensor.Node {
	return tensor.Add(mean, tensor.Mul(tensor.Exp(tensor.MulScalar(logVariance, 0.5)), epsilon))
}

// bound is the two terms of the evidence lower bound with one z for each example: log p(x|z), (n), and the KL divergence
// KL(q(z|x) || p(z)), whose sum over the second axis counts: of each latent dimension, (n, latent), for the normal prior, and
// for others, where it has no closed form, its estimate log q(z|x) − log p(z), (n, 1).
func (m *autoencoder) bound(x, y, epsilon *tensor.Node) (reconstruction, kl *tensor.Node) {
	mean, logVariance := m.encode(x, y)
	z := reparameterise(mean, logVariance, epsilon)
	if m.latentPrior == NormalPrior {
		kl = nn.KLStandardNormal(mean, logVariance)
	} else {
		kl = tensor.Reshape(m.logRatio(z, y, logVariance, epsilon), z.Dims()[0], 1)
	}
	return m.logLikelihood(m.decode(z, y), x), kl
}

// logRatio is log q(z|x)/p(z) of each example, (n), at z = mean + sd·ε:
//
//	log N(z; mean, sd²) − log p(z) = −½ Σ (ε² + log sd² + log 2π) − log p(z)
//
// In the normal prior's −½ Σ (z² + log 2π) the constant cancels.
func (m *autoencoder) logRatio(z, y, logVariance, epsilon *tensor.Node) *tensor.Node {
	q := tensor.Add(tensor.Square(epsilon), logVariance)
	if m.latentPrior == NormalPrior {
		return tensor.MulScalar(tensor.Sum(tensor.Sub(q, tensor.Square(z)), 1), -0.5)
	}
	q = tensor.MulScalar(tensor.Sum(tensor.AddScalar(q, math.Log(2*math.Pi)), 1), -0.5)
	return tensor.Sub(q, m.logPrior(z, y))
}

// logWeight is log p(x, z)/q(z|x) of each example, (n), at z = mean + sd·ε, where mean and log variance are q's.
func (m *autoencoder) logWeight(x, y, mean, logVariance, epsilon *tensor.Node) *tensor.Node {
	z := reparameterise(mean, logVariance, epsilon)
	return tensor.Sub(m.logLikelihood(m.decode(z, y), x), m.logRatio(z, y, logVariance, epsilon))
}
