package generative

import (
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

// LadderAutoencoder is a fitted [Ladder] of p(x). Its code of x is u_1, the top layer's z in units of its prior; what lies
// below is left at the mean of its prior, so that a decoded code shows what the top layer alone knows.
type LadderAutoencoder struct {
	model.Card
	net    *ladder
	params nn.Params
	vars   tensor.Vars
	prior  []float64 // of the classes
	tuning Draw

	bounds, weights, encoder, decoder *train.Function
}

// CondLadderAutoencoder is a fitted [Ladder] of p(x|y).
type CondLadderAutoencoder struct{ LadderAutoencoder }

func newLadder(card model.Card, net *ladder, vars tensor.Vars, prior []float64, run model.Run) model.Model {
	m := LadderAutoencoder{Card: card, net: net, params: nn.Collect(net), vars: vars, prior: prior, tuning: *model.NewRecipe[Draw]()}
	function := func(build func(x, u, y *tensor.Node) (string, *tensor.Node)) *train.Function {
		return train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
			var y *tensor.Node
			if net.classes > 0 {
				y = g.Input("y", tensor.Int32, n)
			}
			name, out := build(g.Input("x", tensor.Float32, n, net.shape.Size()), g.Input("u", tensor.Float32, n, net.latentSize()), y)
			g.Output(name, out)
		})
	}
	m.bounds = function(func(x, u, y *tensor.Node) (string, *tensor.Node) {
		log, kl := net.bound(x, y, u)
		return "log", tensor.Sub(log, kl)
	})
	m.weights = function(func(x, u, y *tensor.Node) (string, *tensor.Node) { return "log", net.logWeight(x, y, u) })
	m.encoder = function(func(x, _, y *tensor.Node) (string, *tensor.Node) { return "u", net.encode(x, y) })
	m.decoder = function(func(_, u, y *tensor.Node) (string, *tensor.Node) { return "x", net.mean(net.decode(u, y)) })
	if net.classes > 0 {
		return &CondLadderAutoencoder{m}
	}
	return &m
}

func (m *LadderAutoencoder) call(f *train.Function, n int, y []int32, in []rows, out rows) error {
	return callRows(f, n, y, m.net.classes > 0, in, out)
}

// LikelihoodOf tells that a Bernoulli output speaks of binarised pixels.
func (m *LadderAutoencoder) LikelihoodOf() string { return m.net.likelihoodOf() }

// observed checks what a bound of k draws is asked for, and gives x as the likelihood sees it: transformed, and binarised
// for Bernoulli. All draws of z see one binarisation.
func (m *LadderAutoencoder) observed(dst []float64, x data.Batch, k int, r *rand.Rand) (data.Batch, error) {
	if k < 1 {
		return data.Batch{}, fmt.Errorf("ladder: an importance-weighted bound with %d draws, expected at least 1", k)
	}
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return data.Batch{}, err
	}
	if err := model.CheckRand(r); err != nil {
		return data.Batch{}, err
	}
	t, err := m.Transformed(x)
	if err == nil {
		m.net.toss(t, r)
	}
	return t, err
}

// addLogs adds what f gives for each of k draws, + logPrior, in nats and raw units.
func (m *LadderAutoencoder) addLogs(total logMeans, f *train.Function, t data.Batch, y []int32, k int, logPrior float64, r *rand.Rand) error {
	n := t.Len()
	log := make([]float32, n)
	for range k {
		epsilon := normals(n*m.net.latentSize(), 1, r)
		if err := m.call(f, n, y, []rows{{"x", t.X}, {"u", epsilon}}, rows{"log", log}); err != nil {
			return err
		}
		addLogs(total, log, logPrior+m.net.rawUnits(m.Transform))
	}
	return nil
}

// LogBound sets dst[i] to the evidence lower bound of x_i with one draw of z, in nats.
func (m *LadderAutoencoder) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return m.logBound(dst, m.bounds, x, nil, 1, r)
}

// LogImportanceBound sets dst[i] to log (1/k) Σ_j p(x_i, z_j)/q(z_j|x_i), in nats (Burda, Grosse and Salakhutdinov, Importance
// weighted autoencoders, 2016, eq. 8).
func (m *LadderAutoencoder) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	return m.logBound(dst, m.weights, x, nil, k, r)
}

// logBound is the logarithm of the mean of exp f over k draws.
func (m *LadderAutoencoder) logBound(dst []float64, f *train.Function, x data.Batch, y []int32, k int, r *rand.Rand) error {
	t, err := m.observed(dst, x, k, r)
	if err != nil {
		return err
	}
	total := newLogMeans(dst)
	if err := m.addLogs(total, f, t, y, k, 0, r); err != nil {
		return err
	}
	total.finish(float64(k))
	return nil
}

// LogBound sets dst[i] to log Σ_y p(y) p(x_i, z_y|y)/q(z_y|x_i, y) with one draw of z for each class: its mean is at most
// log p(x_i), in nats.
func (m *CondLadderAutoencoder) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return m.LogImportanceBound(dst, x, 1, r)
}

// LogImportanceBound is LogBound with k draws of z for each class.
func (m *CondLadderAutoencoder) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	t, err := m.observed(dst, x, k, r)
	if err != nil {
		return err
	}
	total := newLogMeans(dst)
	for class, p := range m.prior {
		if p == 0 {
			continue
		}
		y := slices.Repeat([]int32{int32(class)}, x.Len())
		if err := m.addLogs(total, m.weights, t, y, k, math.Log(p), r); err != nil {
			return err
		}
	}
	total.finish(float64(k))
	return nil
}

// LogBoundGiven sets dst[i] to the evidence lower bound of log p(x_i|y_i) with one draw of z, in nats.
func (m *CondLadderAutoencoder) LogBoundGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logBound(dst, m.bounds, x, y, 1, r)
}

// LogImportanceBoundGiven sets dst[i] to the importance-weighted bound of log p(x_i|y_i) with k draws, in nats.
func (m *CondLadderAutoencoder) LogImportanceBoundGiven(dst []float64, x data.Batch, y []int32, k int, r *rand.Rand) error {
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logBound(dst, m.weights, x, y, k, r)
}

// Sample draws z from the top down and gives the mean of p(x|z), or a draw from it where the options say so.
func (m *LadderAutoencoder) Sample(dst data.Batch, r *rand.Rand) error { return m.sample(dst, nil, r) }

// Sample draws a class from their frequencies for each x, and then as SampleGiven.
func (m *CondLadderAutoencoder) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws z from the top down given the class and gives the mean of p(x|z), or a draw from it where the options
// say so.
func (m *CondLadderAutoencoder) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *LadderAutoencoder) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	out, err := m.decode(normals(dst.Len()*m.net.latentSize(), m.tuning.Temperature, r), y, dst.Len())
	if err != nil {
		return err
	}
	if m.tuning.Noise {
		m.net.draw(out, m.vars, r)
	}
	return m.Transform.Invert(dst, out)
}

// decode is the mean of p(x|z) for u of all layers.
func (m *LadderAutoencoder) decode(u []float32, y []int32, n int) (data.Batch, error) {
	out := data.NewBatch(m.Transform.OutShape(), n, false)
	return out, m.call(m.decoder, n, y, []rows{{"u", u}}, rows{"x", out.X})
}

// LatentSize is the size of u_1.
func (m *LadderAutoencoder) LatentSize() int { return m.net.topSize() }

// Encode gives the mean of q(u_1|x).
func (m *LadderAutoencoder) Encode(dst []float32, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), m.net.topSize()); err != nil {
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
	return m.call(m.encoder, x.Len(), y, []rows{{"x", t.X}}, rows{"u", dst})
}

// Decode gives the mean of p(x|z) at z_1 = μ + σu_1 and, in the other layers, z_l = μ.
func (m *LadderAutoencoder) Decode(dst data.Batch, z []float32, y []int32) error {
	top, all := m.net.topSize(), m.net.latentSize()
	if err := m.CheckResults(dst, len(z), top); err != nil {
		return err
	}
	if m.net.classes > 0 {
		if err := m.CheckClasses(y, dst.Len()); err != nil {
			return err
		}
	}
	u := make([]float32, dst.Len()*all)
	for i := range dst.Len() {
		copy(u[i*all:], z[i*top:(i+1)*top])
	}
	out, err := m.decode(u, y, dst.Len())
	if err != nil {
		return err
	}
	return m.Transform.Invert(dst, out)
}

// Options are the sampling options, a *[Draw].
func (m *LadderAutoencoder) Options() any { o := m.tuning; return &o }

// Tune is the model with other sampling options.
func (m *LadderAutoencoder) Tune(options any) (model.Model, error) {
	o, err := drawOptions("ladder", options)
	if err != nil {
		return nil, err
	}
	tuned := *m
	tuned.tuning = o
	return &tuned, nil
}

// Tune is the model with other sampling options.
func (m *CondLadderAutoencoder) Tune(options any) (model.Model, error) {
	o, err := drawOptions("ladder", options)
	if err != nil {
		return nil, err
	}
	tuned := *m
	tuned.tuning = o
	return &tuned, nil
}

// Save writes the model file.
func (m *LadderAutoencoder) Save(w io.Writer) error {
	return m.Card.Save(w, append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...))
}
