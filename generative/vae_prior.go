package generative

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// LatentPrior is the distribution p(z) of a [VAE].
type LatentPrior string

// The priors. All have an exact log p(z), so that the bound stays one.
const (
	// NormalPrior is N(0, I).
	NormalPrior LatentPrior = "normal"
	// VampPrior is the mixture of the posteriors of learned pseudo-inputs u_1 … u_K (Tomczak and Welling, VAE with a VampPrior,
	// 2018, eq. 9):
	//
	//	p(z) = (1/K) Σ_k q(z|u_k)
	//
	// With labels the pseudo-inputs are shared out, and p(z|y) is the mixture of those of class y.
	VampPrior LatentPrior = "vamp"
	// FlowPrior is the distribution of z = f⁻¹(e) with e ~ N(0, I), where f is a chain of affine couplings (Dinh, Sohl-Dickstein and
	// Bengio, Density estimation using Real NVP, 2017, eq. 4 and 5; as a prior: Chen et al., Variational lossy autoencoder, 2017):
	//
	//	log p(z) = log N(f(z); 0, I) + log |det df/dz|
	FlowPrior LatentPrior = "flow"
)

// priorCoupling is one affine coupling: with (a, b) the halves of z, a stays and b becomes b·exp(s(a, y)) + t(a, y).
type priorCoupling struct {
	Hidden, Out nn.Dense
	second      bool // the second half stays
}

// couplingUnits is the width of the networks that give s and t.
const couplingUnits = 128

func newPriorCoupling(latent, classes int, second bool) priorCoupling {
	stays := latent / 2
	if second {
		stays = latent - stays
	}
	return priorCoupling{
		Hidden: nn.NewDense(stays+classes, couplingUnits, nn.HeNormal),
		Out:    nn.NewDense(couplingUnits, 2*(latent-stays), nn.Zeros), // the chain begins as the identity
		second: second,
	}
}

// split is the half that stays and the other, join undoes it.
func (c *priorCoupling) split(z *tensor.Node) (stays, changes *tensor.Node) {
	latent := z.Dims()[1]
	first, second := tensor.SliceAxis(z, 1, 0, latent/2), tensor.SliceAxis(z, 1, latent/2, latent)
	if c.second {
		return second, first
	}
	return first, second
}

func (c *priorCoupling) join(stays, changes *tensor.Node) *tensor.Node {
	if c.second {
		return tensor.Concat(1, changes, stays)
	}
	return tensor.Concat(1, stays, changes)
}

// affine is s and t. A bounded s, |s| < 2, keeps one step of training from spoiling the chain.
func (m *autoencoder) affine(c *priorCoupling, stays, y *tensor.Node) (s, t *tensor.Node) {
	out := c.Out.Apply(nn.SiLU(c.Hidden.Apply(m.given(stays, y))))
	half := out.Dims()[1] / 2
	s = tensor.MulScalar(tensor.Tanh(tensor.MulScalar(tensor.SliceAxis(out, 1, 0, half), 0.5)), 2)
	return s, tensor.SliceAxis(out, 1, half, 2*half)
}

// whiten is e = f(z), (n, latent), and log |det df/dz|, (n).
func (m *autoencoder) whiten(z, y *tensor.Node) (e, logDet *tensor.Node) {
	logDet = tensor.ZerosLike(tensor.Sum(z, 1))
	for i := range m.Flow {
		c := &m.Flow[i]
		stays, changes := c.split(z)
		s, t := m.affine(c, stays, y)
		z = c.join(stays, tensor.Add(tensor.Mul(changes, tensor.Exp(s)), t))
		logDet = tensor.Add(logDet, tensor.Sum(s, 1))
	}
	return z, logDet
}

// colour is z = f⁻¹(e).
func (m *autoencoder) colour(e, y *tensor.Node) *tensor.Node {
	for i := len(m.Flow) - 1; i >= 0; i-- {
		c := &m.Flow[i]
		stays, changes := c.split(e)
		s, t := m.affine(c, stays, y)
		e = c.join(stays, tensor.Mul(tensor.Sub(changes, t), tensor.Exp(tensor.Neg(s))))
	}
	return e
}

// logPrior is log p(z|y) of each row of z, (n), in nats.
func (m *autoencoder) logPrior(z, y *tensor.Node) *tensor.Node {
	switch m.latentPrior {
	case VampPrior:
		return m.logVamp(z, y)
	case FlowPrior:
		e, logDet := m.whiten(z, y)
		return tensor.Add(logStandardNormal(e), logDet)
	}
	return logStandardNormal(z)
}

// logStandardNormal is log N(z; 0, I) of each row, (n), in nats.
func logStandardNormal(z *tensor.Node) *tensor.Node {
	return tensor.MulScalar(tensor.Sum(tensor.AddScalar(tensor.Square(z), math.Log(2*math.Pi)), 1), -0.5)
}

// logVamp is the logarithm of the mixture of the pseudo-inputs' posteriors.
func (m *autoencoder) logVamp(z, y *tensor.Node) *tensor.Node {
	g, n, components := z.Graph(), z.Dims()[0], m.Pseudo.Dims[0]
	var classes *tensor.Node
	own := components // components of a class
	if m.classes > 0 {
		own = components / m.classes
		classes = g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Int32, components), I32: m.pseudoClasses()})
	}
	mean, logVariance := m.encode(m.Pseudo.Node(g), classes)
	each := nn.NormalLogLikelihood(mean, logVariance, tensor.Reshape(z, n, 1, m.latent))
	log := tensor.Sum(each, 2) // (n, components)
	if m.classes > 0 {
		mine := tensor.Equal(tensor.Reshape(y, n, 1), tensor.Reshape(classes, 1, components))
		log = tensor.Select(mine, log, g.Scalar(tensor.Float32, -1e30))
	}
	return tensor.AddScalar(tensor.Reshape(tensor.LogSumExp(log), n), -math.Log(float64(own)))
}

// pseudoClasses is the class of each pseudo-input.
func (m *autoencoder) pseudoClasses() []int32 {
	y := make([]int32, m.Pseudo.Dims[0])
	for k := range y {
		y[k] = int32(k % m.classes)
	}
	return y
}

// beginPseudo makes the pseudo-inputs begin as examples of their class, chosen at random.
func (m *autoencoder) beginPseudo(ctx context.Context, set data.Set, card *model.Card) error {
	r := rand.New(rand.NewPCG(card.Seed, 0x76616d70)) // "vamp"
	order := r.Perm(set.Len())
	members := [][]int{order}
	if m.classes > 0 {
		labels, err := data.Labels(ctx, set)
		if err != nil {
			return err
		}
		members = make([][]int, m.classes)
		for _, i := range order {
			members[labels[i]] = append(members[labels[i]], i)
		}
	}
	index := make([]int, m.Pseudo.Dims[0])
	for k := range index {
		from := members[k%len(members)]
		if len(from) == 0 { // nothing is of this class: it will not be asked for
			from = order
		}
		index[k] = from[k/len(members)%len(from)]
	}
	raw := data.NewBatch(set.Schema().Shape, len(index), set.Schema().Labelled())
	if err := set.Read(ctx, raw, index); err != nil {
		return err
	}
	x, err := card.Transformed(raw)
	if err != nil {
		return err
	}
	m.Pseudo.Init = func(dst []float32, _, _ int, _ *rand.Rand) { copy(dst, x.X) }
	return nil
}

// latents are n draws of z ~ p(z|y), row-major (n, latent). The temperature multiplies the standard deviations.
func (m *Autoencoder) latents(n int, y []int32, temperature float64, r *rand.Rand) ([]float32, error) {
	z := normals(n*m.net.latent, temperature, r)
	switch m.net.latentPrior {
	case FlowPrior:
		return z, m.call(m.colour, n, y, []rows{{"e", z}}, rows{"z", z})
	case VampPrior:
		pseudo, size := m.vars[m.net.Pseudo.Name].F32, m.net.Pseudo.Dims[1]
		x := make([]float32, 0, n*size)
		for i := range n {
			k := 0
			if m.net.classes == 0 {
				k = r.IntN(m.net.Pseudo.Dims[0])
			} else {
				k = m.net.classes*r.IntN(m.net.Pseudo.Dims[0]/m.net.classes) + int(y[i])
			}
			x = append(x, pseudo[k*size:(k+1)*size]...)
		}
		mean, logVariance := make([]float32, len(z)), make([]float32, len(z))
		if err := m.call(m.posterior, n, y, []rows{{"x", x}}, rows{"mean", mean}, rows{"log_variance", logVariance}); err != nil {
			return nil, err
		}
		for i := range z {
			z[i] = mean[i] + float32(math.Exp(float64(logVariance[i])/2))*z[i]
		}
	}
	return z, nil
}
