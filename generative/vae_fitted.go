package generative

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// Autoencoder is a fitted [VAE] of p(x).
type Autoencoder struct {
	model.Card
	net    *autoencoder
	params nn.Params
	vars   tensor.Vars
	prior  []float64 // of the classes
	tuning Draw

	bounds, weights, encoder, decoder *train.Function
}

// CondAutoencoder is a fitted [VAE] of p(x|y).
type CondAutoencoder struct{ Autoencoder }

// Draw are the sampling options of a [VAE].
type Draw struct {
	Temperature float64 `json:"temperature" default:"1" min:"0" max:"10" help:"standard deviation of z"`
	Noise       bool    `json:"noise" default:"false" help:"draw x from p(x|z) where its mean would be a picture too"`
}

func newAutoencoder(card model.Card, net *autoencoder, vars tensor.Vars, prior []float64, run model.Run) model.Model {
	m := Autoencoder{Card: card, net: net, params: nn.Collect(net), vars: vars, prior: prior, tuning: *model.NewRecipe[Draw]()}
	size := card.Transform.OutShape().Size()
	inputs := func(g *tensor.Graph, n, width int) (x, y *tensor.Node) {
		x = g.Input("x", tensor.Float32, n, width)
		if net.classes > 0 {
			y = g.Input("y", tensor.Int32, n)
		}
		return x, y
	}
	m.bounds = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		x, y := inputs(g, n, size)
		log, kl := net.bound(x, y, g.Input("epsilon", tensor.Float32, n, net.latent))
		g.Output("result", tensor.Sub(log, tensor.Sum(kl, 1)))
	})
	m.weights = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		x, y := inputs(g, n, size)
		epsilon := g.Input("epsilon", tensor.Float32, n, net.latent)
		mean, logVariance := net.encode(x, y)
		z := reparameterise(mean, logVariance, epsilon)
		// log p(z) − log q(z|x): the normalising constants cancel.
		ratio := tensor.MulScalar(tensor.Sub(tensor.Add(tensor.Square(epsilon), logVariance), tensor.Square(z)), 0.5)
		g.Output("result", tensor.Add(net.logLikelihood(z, y, x), tensor.Sum(ratio, 1)))
	})
	m.encoder = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		mean, _ := net.encode(inputs(g, n, size))
		g.Output("result", mean)
	})
	m.decoder = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		out := net.decode(inputs(g, n, net.latent))
		if net.output == Bernoulli {
			out = tensor.Sigmoid(out)
		}
		g.Output("result", out)
	})
	if net.classes > 0 {
		return &CondAutoencoder{m}
	}
	return &m
}

// call runs a function of rows x (n, width) under classes y.
func (m *Autoencoder) call(f *train.Function, dst, x, epsilon []float32, y []int32, n int) error {
	if n == 0 {
		return nil
	}
	in, out, wide := len(x)/n, len(dst)/n, m.net.latent
	return f.Call(n, func(e tensor.Executable, from, to int) {
		copy(e.Input("x").F32, x[from*in:to*in])
		if m.net.classes > 0 {
			copy(e.Input("y").I32, y[from:to])
		}
		if epsilon != nil {
			copy(e.Input("epsilon").F32, epsilon[from*wide:to*wide])
		}
	}, func(e tensor.Executable, from, to int) { copy(dst[from*out:to*out], e.Output("result").F32) })
}

// observed is x as the likelihood sees it: transformed, and binarised for Bernoulli.
func (m *Autoencoder) observed(x data.Batch, r *rand.Rand) (data.Batch, error) {
	if err := model.CheckRand(r); err != nil {
		return data.Batch{}, err
	}
	t, err := m.Transformed(x)
	if err != nil || m.net.output != Bernoulli {
		return t, err
	}
	for i, p := range t.X {
		t.X[i] = 0
		if r.Float32() < p {
			t.X[i] = 1
		}
	}
	return t, nil
}

// LikelihoodOf tells that a Bernoulli output speaks of binarised pixels.
func (m *Autoencoder) LikelihoodOf() string {
	if m.net.output == Bernoulli {
		return "dynamically binarised pixels"
	}
	return ""
}

// rawUnits is what a log-likelihood on the scale of the transform lacks of one in raw units.
func (m *Autoencoder) rawUnits() float64 {
	if m.net.output == Normal {
		return m.Transform.LogDet()
	}
	return 0 // probabilities of whole numbers have no unit
}

// evaluate runs bounds or weights with one new draw of z for each x, and gives nats in raw units.
func (m *Autoencoder) evaluate(f *train.Function, x []float32, y []int32, n int, r *rand.Rand) ([]float64, error) {
	short := make([]float32, n)
	err := m.call(f, short, x, normals(n*m.net.latent, 1, r), y, n)
	log := make([]float64, n)
	for i, l := range short {
		log[i] = float64(l) + m.rawUnits()
	}
	return log, err
}

// LogBound sets dst[i] to the evidence lower bound of x_i with one draw of z, in nats.
func (m *Autoencoder) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return m.logBound(dst, x, nil, r)
}

func (m *Autoencoder) logBound(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	t, err := m.observed(x, r)
	if err != nil {
		return err
	}
	log, err := m.evaluate(m.bounds, t.X, y, x.Len(), r)
	copy(dst, log)
	return err
}

// LogImportanceBound sets dst[i] to log (1/k) Σ_j p(x_i, z_j)/q(z_j|x_i), in nats (Burda, Grosse and Salakhutdinov, Importance
// weighted autoencoders, 2016, eq. 8).
func (m *Autoencoder) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	return m.logImportanceBound(dst, x, nil, k, r)
}

func (m *Autoencoder) logImportanceBound(dst []float64, x data.Batch, y []int32, k int, r *rand.Rand) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	t, err := m.observed(x, r) // one binarisation for all draws of z
	if err != nil {
		return err
	}
	total := newLogMeans(dst)
	for range k {
		log, err := m.evaluate(m.weights, t.X, y, x.Len(), r)
		if err != nil {
			return err
		}
		total.add(log, 0)
	}
	total.finish(float64(k))
	return nil
}

// LogBound sets dst[i] to log Σ_y p(y) p(x_i, z_y|y)/q(z_y|x_i, y) with one draw of z for each class: its mean is at most
// log p(x_i), in nats.
func (m *CondAutoencoder) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return m.LogImportanceBound(dst, x, 1, r)
}

// LogImportanceBound is LogBound with k draws of z for each class.
func (m *CondAutoencoder) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	t, err := m.observed(x, r)
	if err != nil {
		return err
	}
	total := newLogMeans(dst)
	y := make([]int32, x.Len())
	for class, p := range m.prior {
		if p == 0 {
			continue
		}
		for i := range y {
			y[i] = int32(class)
		}
		for range k {
			log, err := m.evaluate(m.weights, t.X, y, x.Len(), r)
			if err != nil {
				return err
			}
			total.add(log, math.Log(p))
		}
	}
	total.finish(float64(k))
	return nil
}

// LogBoundGiven sets dst[i] to the evidence lower bound of log p(x_i|y_i) with one draw of z, in nats.
func (m *CondAutoencoder) LogBoundGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logBound(dst, x, y, r)
}

// LogImportanceBoundGiven sets dst[i] to the importance-weighted bound of log p(x_i|y_i) with k draws, in nats.
func (m *CondAutoencoder) LogImportanceBoundGiven(dst []float64, x data.Batch, y []int32, k int, r *rand.Rand) error {
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logImportanceBound(dst, x, y, k, r)
}

// Sample draws z ~ N(0, I) and gives the mean of p(x|z), or a draw from it where x is not a picture.
func (m *Autoencoder) Sample(dst data.Batch, r *rand.Rand) error { return m.sample(dst, nil, r) }

// Sample draws a class from their frequencies for each x, and then as SampleGiven.
func (m *CondAutoencoder) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws z ~ N(0, I) and gives the mean of p(x|z, y), or a draw from it where x is not a picture.
func (m *CondAutoencoder) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *Autoencoder) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	out, err := m.decode(normals(dst.Len()*m.net.latent, m.tuning.Temperature, r), y, dst.Len())
	if err != nil {
		return err
	}
	if m.tuning.Noise || !m.Schema.IsImage() {
		m.addNoise(out, r)
	}
	return m.Transform.Invert(dst, out)
}

// addNoise turns what the decoder gives into draws from p(x|z).
func (m *Autoencoder) addNoise(x data.Batch, r *rand.Rand) {
	var spread []float32
	if m.net.Spread != nil {
		spread = m.vars[m.net.Spread.Name].F32
	}
	for i, out := range x.X {
		j := i % x.Shape.Size()
		switch {
		case m.net.output == Bernoulli:
			x.X[i] = 0
			if r.Float32() < out {
				x.X[i] = 1
			}
		case m.net.output == Logistic:
			u := uniform(r)
			x.X[i] = out + float32(math.Exp(float64(spread[j]))*math.Log(u/(1-u)))
		case m.net.isCategory(j):
			// The greatest of logits with Gumbel noise is a draw from their softmax.
			x.X[i] = out - float32(math.Log(-math.Log(uniform(r))))
		default:
			sd := math.Exp(max(float64(spread[j]), leastLogVariance) / 2)
			x.X[i] = out + float32(sd*r.NormFloat64())
		}
	}
}

// uniform is a draw from the open interval (0, 1).
func uniform(r *rand.Rand) float64 { return (float64(r.Uint64()>>12) + 0.5) * 0x1p-52 }

func (m *Autoencoder) decode(z []float32, y []int32, n int) (data.Batch, error) {
	out := data.NewBatch(m.Transform.OutShape(), n, false)
	return out, m.call(m.decoder, out.X, z, nil, y, n)
}

// LatentSize is the number of dimensions of z.
func (m *Autoencoder) LatentSize() int { return m.net.latent }

// Encode gives the mean of q(z|x).
func (m *Autoencoder) Encode(dst []float32, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), m.net.latent); err != nil {
		return err
	}
	if m.net.classes > 0 {
		if err := m.CheckClasses(y, x.Len()); err != nil {
			return err
		}
	}
	t, err := m.Transformed(x)
	if err != nil {
		return err
	}
	return m.call(m.encoder, dst, t.X, nil, y, x.Len())
}

// Decode gives the mean of p(x|z).
func (m *Autoencoder) Decode(dst data.Batch, z []float32, y []int32) error {
	if err := m.CheckResults(dst, len(z)/m.net.latent, 1); err != nil {
		return err
	}
	if m.net.classes > 0 {
		if err := m.CheckClasses(y, dst.Len()); err != nil {
			return err
		}
	}
	out, err := m.decode(z, y, dst.Len())
	if err != nil {
		return err
	}
	return m.Transform.Invert(dst, out)
}

// Options are the sampling options, a *[Draw].
func (m *Autoencoder) Options() any { o := m.tuning; return &o }

// Tune is the model with other sampling options.
func (m *Autoencoder) Tune(options any) (model.Model, error) {
	o, ok := options.(*Draw)
	if !ok {
		return nil, fmt.Errorf("vae: sampling options are %T, expected %T", options, o)
	}
	if err := model.Validate(o); err != nil {
		return nil, fmt.Errorf("vae: %w", err)
	}
	tuned := *m
	tuned.tuning = *o
	return &tuned, nil
}

// Tune is the model with other sampling options.
func (m *CondAutoencoder) Tune(options any) (model.Model, error) {
	tuned, err := m.Autoencoder.Tune(options)
	if err != nil {
		return nil, err
	}
	return &CondAutoencoder{*tuned.(*Autoencoder)}, nil
}

// Save writes the model file.
func (m *Autoencoder) Save(w io.Writer) error {
	return m.Card.Save(w, append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...))
}
