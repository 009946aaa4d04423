package generative

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

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

	bounds, posterior, weights, decoder *train.Function
	colour                              *train.Function // z = f⁻¹(e) of a flow prior
	likelihood                          *train.Function // log p(x|e) and its gradient by e
}

// CondAutoencoder is a fitted [VAE] of p(x|y).
type CondAutoencoder struct{ Autoencoder }

// Draw are the sampling options of a [VAE] and a [Ladder].
type Draw struct {
	Temperature float64 `json:"temperature" default:"1" min:"0" max:"10" help:"standard deviation of z"`
	Noise       bool    `json:"noise" default:"false" help:"draw x from p(x|z) where its mean would be a picture too"`
}

func newAutoencoder(card model.Card, net *autoencoder, vars tensor.Vars, prior []float64, run model.Run) model.Model {
	m := Autoencoder{Card: card, net: net, params: nn.Collect(net), vars: vars, prior: prior, tuning: *model.NewRecipe[Draw]()}
	size := card.Transform.OutShape().Size()
	class := func(g *tensor.Graph, n int) *tensor.Node {
		if net.classes == 0 {
			return nil
		}
		return g.Input("y", tensor.Int32, n)
	}
	m.bounds = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		x, epsilon := g.Input("x", tensor.Float32, n, size), g.Input("epsilon", tensor.Float32, n, net.latent)
		log, kl := net.bound(x, class(g, n), epsilon)
		g.Output("bound", tensor.Sub(log, tensor.Sum(kl, 1)))
	})
	m.posterior = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		mean, logVariance := net.encode(g.Input("x", tensor.Float32, n, size), class(g, n))
		g.Output("mean", mean)
		g.Output("log_variance", logVariance)
	})
	m.weights = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		latent := func(name string) *tensor.Node { return g.Input(name, tensor.Float32, n, net.latent) }
		x, y := g.Input("x", tensor.Float32, n, size), class(g, n)
		g.Output("weight", net.logWeight(x, y, latent("mean"), latent("log_variance"), latent("epsilon")))
	})
	m.decoder = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		g.Output("x", net.mean(net.decode(g.Input("z", tensor.Float32, n, net.latent), class(g, n))))
	})
	m.colour = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		g.Output("z", net.colour(g.Input("e", tensor.Float32, n, net.latent), class(g, n)))
	})
	m.likelihood = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		x, e, y := g.Input("x", tensor.Float32, n, size), g.Input("e", tensor.Float32, n, net.latent), class(g, n)
		log := net.logLikelihood(net.decode(net.colour(e, y), y), x)
		g.Output("log", log)
		g.Output("gradient", tensor.Gradient(tensor.Sum(log), e)[0])
	})
	if net.classes > 0 {
		return &CondAutoencoder{m}
	}
	return &m
}

// rows is an array with a row for each example, and its name in the graph of a function.
type rows struct {
	name   string
	values []float32
}

// part is rows [from, to) of n.
func (r rows) part(from, to, n int) []float32 {
	wide := len(r.values) / n
	return r.values[from*wide : to*wide]
}

// call runs a function of n examples under classes y.
func (m *Autoencoder) call(f *train.Function, n int, y []int32, in []rows, out ...rows) error {
	return callRows(f, n, y, m.net.classes > 0, in, out...)
}

// callRows runs a function of n examples. Where it is conditional, its input y takes their classes.
func callRows(f *train.Function, n int, y []int32, conditional bool, in []rows, out ...rows) error {
	return f.Call(n, func(e tensor.Executable, from, to int) {
		for _, r := range in {
			copy(e.Input(r.name).F32, r.part(from, to, n))
		}
		if conditional {
			copy(e.Input("y").I32, y[from:to])
		}
	}, func(e tensor.Executable, from, to int) {
		for _, r := range out {
			copy(r.part(from, to, n), e.Output(r.name).F32)
		}
	})
}

// observed is x as the likelihood sees it: transformed, and binarised for Bernoulli.
func (m *Autoencoder) observed(x data.Batch, r *rand.Rand) (data.Batch, error) {
	if err := model.CheckRand(r); err != nil {
		return data.Batch{}, err
	}
	t, err := m.Transformed(x)
	if err == nil {
		m.net.toss(t, r)
	}
	return t, err
}

// LikelihoodOf tells that a Bernoulli output speaks of binarised pixels.
func (m *Autoencoder) LikelihoodOf() string { return m.net.likelihoodOf() }

// rawUnits is what a log-likelihood on the scale of the transform lacks of one in raw units.
func (m *Autoencoder) rawUnits() float64 { return m.net.rawUnits(m.Transform) }

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
	bound := make([]float32, len(dst))
	epsilon := normals(len(dst)*m.net.latent, 1, r)
	if err := m.call(m.bounds, len(dst), y, []rows{{"x", t.X}, {"epsilon", epsilon}}, rows{"bound", bound}); err != nil {
		return err
	}
	for i, l := range bound {
		dst[i] = float64(l) + m.rawUnits()
	}
	return nil
}

// LogImportanceBound sets dst[i] to log (1/k) Σ_j p(x_i, z_j)/q(z_j|x_i), in nats (Burda, Grosse and Salakhutdinov, Importance
// weighted autoencoders, 2016, eq. 8).
func (m *Autoencoder) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	return m.logImportanceBound(dst, x, nil, k, r)
}

func (m *Autoencoder) logImportanceBound(dst []float64, x data.Batch, y []int32, k int, r *rand.Rand) error {
	t, err := m.observedFor(dst, x, k, r)
	if err != nil {
		return err
	}
	total := newLogMeans(dst)
	if err := m.addWeights(total, t, y, k, 0, r); err != nil {
		return err
	}
	total.finish(float64(k))
	return nil
}

// observedFor checks what an importance-weighted bound of k draws is asked for. All draws of z see one binarisation.
func (m *Autoencoder) observedFor(dst []float64, x data.Batch, k int, r *rand.Rand) (data.Batch, error) {
	if k < 1 {
		return data.Batch{}, fmt.Errorf("vae: an importance-weighted bound with %d draws, expected at least 1", k)
	}
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return data.Batch{}, err
	}
	return m.observed(x, r)
}

// addWeights adds log p(x_i, z)/q(z|x_i) + logPrior, in nats and raw units, of k draws of z each.
func (m *Autoencoder) addWeights(total logMeans, t data.Batch, y []int32, k int, logPrior float64, r *rand.Rand) error {
	n, wide := t.Len(), m.net.latent
	mean, logVariance := rows{"mean", make([]float32, n*wide)}, rows{"log_variance", make([]float32, n*wide)}
	x := rows{"x", t.X}
	if err := m.call(m.posterior, n, y, []rows{x}, mean, logVariance); err != nil {
		return err
	}
	weight := make([]float32, n)
	for range k {
		epsilon := rows{"epsilon", normals(n*wide, 1, r)}
		if err := m.call(m.weights, n, y, []rows{x, mean, logVariance, epsilon}, rows{"weight", weight}); err != nil {
			return err
		}
		addLogs(total, weight, logPrior+m.rawUnits())
	}
	return nil
}

// LogBound sets dst[i] to log Σ_y p(y) p(x_i, z_y|y)/q(z_y|x_i, y) with one draw of z for each class: its mean is at most
// log p(x_i), in nats.
func (m *CondAutoencoder) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return m.LogImportanceBound(dst, x, 1, r)
}

// LogImportanceBound is LogBound with k draws of z for each class.
func (m *CondAutoencoder) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	t, err := m.observedFor(dst, x, k, r)
	if err != nil {
		return err
	}
	total := newLogMeans(dst)
	for class, p := range m.prior {
		if p == 0 {
			continue
		}
		y := slices.Repeat([]int32{int32(class)}, x.Len())
		if err := m.addWeights(total, t, y, k, math.Log(p), r); err != nil {
			return err
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

// Sample draws z ~ p(z) and gives the mean of p(x|z), or a draw from it where x is not a picture.
func (m *Autoencoder) Sample(dst data.Batch, r *rand.Rand) error { return m.sample(dst, nil, r) }

// Sample draws a class from their frequencies for each x, and then as SampleGiven.
func (m *CondAutoencoder) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws z ~ p(z|y) and gives the mean of p(x|z, y), or a draw from it where x is not a picture.
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
	z, err := m.latents(dst.Len(), y, m.tuning.Temperature, r)
	if err != nil {
		return err
	}
	out, err := m.decode(z, y, dst.Len())
	if err != nil {
		return err
	}
	if m.tuning.Noise || !m.Schema.IsImage() {
		m.net.draw(out, m.vars, r)
	}
	return m.Transform.Invert(dst, out)
}

func (m *Autoencoder) decode(z []float32, y []int32, n int) (data.Batch, error) {
	out := data.NewBatch(m.Transform.OutShape(), n, false)
	return out, m.call(m.decoder, n, y, []rows{{"z", z}}, rows{"x", out.X})
}

// LatentSize is the number of dimensions of z.
func (m *Autoencoder) LatentSize() int { return m.net.latent }

// StandardLatent reports whether the prior is [NormalPrior].
func (m *Autoencoder) StandardLatent() bool { return m.net.latentPrior == NormalPrior }

// SampleLatent draws from p(z|y).
func (m *Autoencoder) SampleLatent(z []float32, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	n := len(z) / m.net.latent
	if n*m.net.latent != len(z) {
		return fmt.Errorf("vae: %w: %d latent numbers, expected a multiple of %d", model.ErrShape, len(z), m.net.latent)
	}
	if m.net.classes > 0 {
		if err := m.CheckClasses(y, n); err != nil {
			return err
		}
	}
	drawn, err := m.latents(n, y, 1, r)
	copy(z, drawn)
	return err
}

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
	return m.call(m.posterior, x.Len(), y, []rows{{"x", t.X}}, rows{"mean", dst})
}

// Decode gives the mean of p(x|z).
func (m *Autoencoder) Decode(dst data.Batch, z []float32, y []int32) error {
	if err := m.CheckResults(dst, len(z), m.net.latent); err != nil {
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

// Observe is x on the scale of the transform, binarised for Bernoulli.
func (m *Autoencoder) Observe(x data.Batch, r *rand.Rand) (data.Batch, error) {
	if m.net.latentPrior == VampPrior {
		return data.Batch{}, errors.New("vae: a vamp prior cannot be written as a map of N(0, I); expected prior=normal or prior=flow")
	}
	if err := m.CheckBatch(x); err != nil {
		return data.Batch{}, err
	}
	return m.observed(x, r)
}

// LogLikelihood sets dst[i] to log p(x_i|z_i) in nats and raw units, and row i of gradient to its gradient by z_i. With a flow prior z_i is
// the e of z = f⁻¹(e).
func (m *Autoencoder) LogLikelihood(dst []float64, gradient []float32, x data.Batch, z []float32, y []int32) error {
	n := x.Len()
	if len(dst) != n || len(z) != n*m.net.latent || len(gradient) != len(z) {
		return fmt.Errorf("vae: %w: %d results, %d latent numbers and %d of a gradient for %d examples of %d dimensions",
			model.ErrShape, len(dst), len(z), len(gradient), n, m.net.latent)
	}
	if m.net.classes > 0 {
		if err := m.CheckClasses(y, n); err != nil {
			return err
		}
	}
	log := make([]float32, n)
	err := m.call(m.likelihood, n, y, []rows{{"x", x.X}, {"e", z}}, rows{"log", log}, rows{"gradient", gradient})
	for i, l := range log {
		dst[i] = float64(l) + m.rawUnits()
	}
	return err
}

// Options are the sampling options, a *[Draw].
func (m *Autoencoder) Options() any { o := m.tuning; return &o }

// Tune is the model with other sampling options.
func (m *Autoencoder) Tune(options any) (model.Model, error) {
	o, err := drawOptions("vae", options)
	if err != nil {
		return nil, err
	}
	tuned := *m
	tuned.tuning = o
	return &tuned, nil
}

// Tune is the model with other sampling options.
func (m *CondAutoencoder) Tune(options any) (model.Model, error) {
	o, err := drawOptions("vae", options)
	if err != nil {
		return nil, err
	}
	tuned := *m
	tuned.tuning = o
	return &tuned, nil
}

// drawOptions checks the sampling options of a model.
func drawOptions(name string, options any) (Draw, error) {
	o, ok := options.(*Draw)
	if !ok {
		return Draw{}, fmt.Errorf("%s: sampling options are %T, expected %T", name, options, o)
	}
	if err := model.Validate(o); err != nil {
		return Draw{}, fmt.Errorf("%s: %w", name, err)
	}
	return *o, nil
}

// Save writes the model file.
func (m *Autoencoder) Save(w io.Writer) error {
	return m.Card.Save(w, append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...))
}
