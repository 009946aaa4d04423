package generative

import (
	"context"
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

// What the autoregressive models have in common. They take the elements of x in an order and, by the chain rule,
//
//	log p(x) = Σ_d log p(x_d | x_1 … x_(d−1)),
//
// which is exact whatever network gives the conditionals, as long as what it says of x_d sees nothing of x_d and of what
// comes after it.

// conditionals is such a network.
type conditionals interface {
	// logLikelihood is log p(x|y) of each example, (n), in nats, from t(x), (n, size). y is nil without labels.
	logLikelihood(x, y *tensor.Node, mode *nn.Mode) *tensor.Node
	// sampler is for a fitted network.
	sampler(run model.Run, vars tensor.Vars) chainSampler
}

// chainSampler draws t(x) element by element.
type chainSampler interface {
	// sample fills dst; row i takes its random numbers from r[i] alone.
	sample(dst data.Batch, y []int32, o Chain, r []*rand.Rand) error
}

// Autoregressive is a fitted [MADE] or [PixelCNN] of p(x).
type Autoregressive struct{ chain }

// CondAutoregressive is a fitted [MADE] or [PixelCNN] of p(x|y).
type CondAutoregressive struct{ chain }

// DrawnAutoregressive is a fitted [MADE] or [PixelCNN] of dynamically binarised pictures, p(x).
type DrawnAutoregressive struct{ chain }

// CondDrawnAutoregressive is a fitted [MADE] or [PixelCNN] of dynamically binarised pictures, p(x|y).
type CondDrawnAutoregressive struct{ chain }

// chain is what these have in common.
type chain struct {
	model.Card
	params nn.Params
	vars   tensor.Vars
	prior  []float64 // of the classes, nil without labels
	binary bool      // the likelihood is of binarised pixels
	logDet float64   // what a log-likelihood on the scale of the transform lacks of one in raw units
	tuning Chain

	logs  *train.Function
	draws chainSampler
}

// Chain are the sampling options of the autoregressive models.
type Chain struct {
	Temperature float64 `json:"temperature" default:"1" min:"0.01" max:"10" help:"below 1 each element keeps to its likelier values: logits are divided by it, scales multiplied"`
	Shades      bool    `json:"shades" default:"false" help:"show the probability of each binarised pixel, given those drawn before it, for its coin"`
}

// newChain is the model of a fitted network.
func newChain(card model.Card, net conditionals, output Output, vars tensor.Vars, prior []float64, run model.Run) model.Model {
	m := chain{Card: card, params: nn.Collect(net), vars: vars, prior: prior, binary: output == Bernoulli,
		tuning: *model.NewRecipe[Chain](), draws: net.sampler(run, vars)}
	if output == Normal {
		m.logDet = card.Transform.LogDet()
	}
	m.logs = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		x := g.Input("x", tensor.Float32, n, card.Transform.OutShape().Size())
		var y *tensor.Node
		if m.prior != nil {
			y = g.Input("y", tensor.Int32, n)
		}
		g.Output("log", net.logLikelihood(x, y, &nn.Mode{}))
	})
	return m.typed()
}

// typed is the model with the methods that it can have.
func (m chain) typed() model.Model {
	switch {
	case m.binary && m.prior != nil:
		return &CondDrawnAutoregressive{m}
	case m.binary:
		return &DrawnAutoregressive{m}
	case m.prior != nil:
		return &CondAutoregressive{m}
	}
	return &Autoregressive{m}
}

// marginalLogits are, for each element of t(x), those of its values without regard to other elements: of 1 where it is a coin or
// a level of a category, of all levels for a softmax, nil for numbers. Half an example more keeps them finite. A network that
// begins there need not learn slowly that borders are black.
func marginalLogits(ctx context.Context, card *model.Card, set data.Set, f factor) ([][]float32, error) {
	var counts [][]float64
	for range card.Schema.Size() {
		step := card.Transform.Steps[min(len(counts), len(card.Transform.Steps)-1)] // a picture has one for all pixels
		switch {
		case f.output == Softmax:
			counts = append(counts, slices.Repeat([]float64{0.5 / float64(f.levels)}, f.levels))
		case f.output == Bernoulli:
			counts = append(counts, []float64{0.5})
		case step.OneHot:
			for range step.Levels {
				counts = append(counts, []float64{0.5 / float64(len(step.Levels))})
			}
		default:
			counts = append(counts, nil)
		}
	}
	err := data.Each(ctx, set, func(_ int, b data.Batch) error {
		t, err := card.Transformed(b)
		for i, x := range t.X {
			switch count := counts[i%len(counts)]; len(count) {
			case 0:
			case 1:
				count[0] += float64(x)
			default:
				count[int(math.Round(float64(x)*float64(f.levels-1)))]++
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	logits := make([][]float32, len(counts))
	for j, count := range counts {
		for _, c := range count {
			rest := float64(set.Len()) + 0.5
			if f.output == Bernoulli {
				rest += 0.5 - c
			}
			logits[j] = append(logits[j], float32(math.Log(c/rest)))
		}
	}
	return logits, nil
}

// fitChain maximises the log-likelihood by Adam on mini-batches.
func fitChain(ctx context.Context, card model.Card, net conditionals, output Output, set data.Set, o train.Options, run model.Run) (model.Model, *model.Summary, error) {
	prior, err := classPrior(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	params := nn.Collect(net)
	problem, err := train.NewProblem(&card, params)
	if err != nil {
		return nil, nil, err
	}
	problem.Phases = []train.Phase{{Name: card.Name, Params: params, Optimiser: nn.NewAdam(), Loss: func(b *train.Batch) train.Loss {
		x := nn.Flatten(b.X)
		if output == Bernoulli {
			x = tensor.Convert(tensor.Less(b.Mode.Noise.Uniform(x.Dims()...), x), tensor.Float32)
		}
		return train.Loss{Value: tensor.Neg(tensor.Mean(net.logLikelihood(x, b.Y, b.Mode)))}
	}}}
	problem.Model = func(vars tensor.Vars) (model.Model, error) { return newChain(card, net, output, vars, prior, run), nil }
	found, err := train.Minimise(ctx, problem, set, o, run)
	if err != nil {
		return nil, nil, err
	}
	switch output {
	case Bernoulli:
		found.Summary.Notes = append(found.Summary.Notes,
			"losses and log-probabilities are nats of dynamically binarised pictures: each pixel is a coin with probability x/max, tossed anew each time")
	case Normal:
		found.Summary.Notes = append(found.Summary.Notes, "losses are nats on the scale of the transform, log-probabilities are nats in raw units")
	}
	missing := 0
	for _, step := range card.Transform.Steps {
		missing += step.Missing
	}
	if missing > 0 {
		found.Summary.Notes = append(found.Summary.Notes,
			fmt.Sprintf("%d missing values: a missing number was taken for the mean of its column, a missing category for none, of probability 1", missing))
	}
	return newChain(card, net, output, found.Vars, prior, run), &found.Summary, nil
}

// loadChain reads a model back that fitChain made, once its recipe has given the network again.
func loadChain(f *model.File, net conditionals, output Output) (model.Model, error) {
	prior, err := loadPrior(f)
	if err != nil {
		return nil, err
	}
	params := nn.Collect(net)
	vars, err := train.Vars(params, f)
	if err != nil {
		return nil, err
	}
	for _, p := range params {
		for _, v := range vars[p.Name].F32 {
			if v-v != 0 {
				return nil, fmt.Errorf("%w: %s holds %v, expected finite numbers", model.ErrDamaged, p.Name, v)
			}
		}
	}
	return newChain(f.Card, net, output, vars, prior, f.Run), nil
}

// LikelihoodOf tells that a Bernoulli output speaks of binarised pixels.
func (m *chain) LikelihoodOf() string {
	if m.binary {
		return "dynamically binarised pixels"
	}
	return ""
}

// binarised is t(x), each element a coin with that probability.
func (m *chain) binarised(x data.Batch, r *rand.Rand) (data.Batch, error) {
	if err := model.CheckRand(r); err != nil {
		return data.Batch{}, err
	}
	t, err := m.Transformed(x)
	for i, p := range t.X {
		t.X[i] = 0
		if r.Float32() < p {
			t.X[i] = 1
		}
	}
	return t, err
}

// logGiven sets dst[i] to log p(x_i|y_i) in nats and raw units. x is on the scale of the transform; y is nil without labels.
func (m *chain) logGiven(dst []float64, x data.Batch, y []int32) error {
	size := x.Shape.Size()
	return m.logs.Call(x.Len(), func(e tensor.Executable, from, to int) {
		copy(e.Input("x").F32, x.X[from*size:to*size])
		if m.prior != nil {
			copy(e.Input("y").I32, y[from:to])
		}
	}, func(e tensor.Executable, from, to int) {
		for i, l := range e.Output("log").F32[:to-from] {
			dst[from+i] = float64(l) + m.logDet
		}
	})
}

// logProb sets dst[i] to log p(x_i), which with labels is log Σ_y p(y) p(x_i|y).
func (m *chain) logProb(dst []float64, x data.Batch) error {
	if m.prior == nil {
		return m.logGiven(dst, x, nil)
	}
	total, log := newLogMeans(dst), make([]float64, x.Len())
	for k, p := range m.prior {
		if p == 0 {
			continue
		}
		if err := m.logGiven(log, x, slices.Repeat([]int32{int32(k)}, x.Len())); err != nil {
			return err
		}
		addLogs(total, log, math.Log(p))
	}
	total.finish(1)
	return nil
}

// checked is t(x), once everything about a question has been checked. r is not nil for binarised pictures, given says that y
// matters.
func (m *chain) checked(dst []float64, x data.Batch, y []int32, given bool, r *rand.Rand) (data.Batch, error) {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return data.Batch{}, err
	}
	if given {
		if err := m.CheckClasses(y, x.Len()); err != nil {
			return data.Batch{}, err
		}
	}
	if m.binary {
		return m.binarised(x, r)
	}
	return m.Transformed(x)
}

// LogProb sets dst[i] to log p(x_i) in nats, per raw unit of each real element.
func (m *Autoregressive) LogProb(dst []float64, x data.Batch) error {
	t, err := m.checked(dst, x, nil, false, nil)
	if err != nil {
		return err
	}
	return m.logProb(dst, t)
}

// LogProb sets dst[i] to log Σ_y p(y) p(x_i|y) in nats, per raw unit of each real element.
func (m *CondAutoregressive) LogProb(dst []float64, x data.Batch) error {
	t, err := m.checked(dst, x, nil, false, nil)
	if err != nil {
		return err
	}
	return m.logProb(dst, t)
}

// LogProbGiven sets dst[i] to log p(x_i|y_i) in nats, per raw unit of each real element.
func (m *CondAutoregressive) LogProbGiven(dst []float64, x data.Batch, y []int32) error {
	t, err := m.checked(dst, x, y, true, nil)
	if err != nil {
		return err
	}
	return m.logGiven(dst, t, y)
}

// LogProbDrawn sets dst[i] to log p(b_i) in nats for a binarisation b_i of x_i.
func (m *DrawnAutoregressive) LogProbDrawn(dst []float64, x data.Batch, r *rand.Rand) error {
	t, err := m.checked(dst, x, nil, false, r)
	if err != nil {
		return err
	}
	return m.logProb(dst, t)
}

// LogProbDrawn sets dst[i] to log Σ_y p(y) p(b_i|y) in nats for a binarisation b_i of x_i.
func (m *CondDrawnAutoregressive) LogProbDrawn(dst []float64, x data.Batch, r *rand.Rand) error {
	t, err := m.checked(dst, x, nil, false, r)
	if err != nil {
		return err
	}
	return m.logProb(dst, t)
}

// LogProbDrawnGiven sets dst[i] to log p(b_i|y_i) in nats for a binarisation b_i of x_i.
func (m *CondDrawnAutoregressive) LogProbDrawnGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	t, err := m.checked(dst, x, y, true, r)
	if err != nil {
		return err
	}
	return m.logGiven(dst, t, y)
}

// Sample draws a class where there are any, by their frequencies, and then x ~ p(x|y), element by element.
func (m *chain) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if m.prior == nil {
		return m.sample(dst, nil, r)
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws x_i ~ p(x|y_i), element by element.
func (m *CondAutoregressive) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	return m.sampleGiven(dst, y, r)
}

// SampleGiven draws x_i ~ p(x|y_i), element by element.
func (m *CondDrawnAutoregressive) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	return m.sampleGiven(dst, y, r)
}

func (m *chain) sampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *chain) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	// Each example has random numbers of its own, so that it does not matter in which order the work is done.
	own := make([]*rand.Rand, dst.Len())
	for i := range own {
		own[i] = rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
	}
	t := data.NewBatch(m.Transform.OutShape(), dst.Len(), false)
	if err := m.draws.sample(t, y, m.tuning, own); err != nil {
		return err
	}
	return m.Transform.Invert(dst, t)
}

// Options are the sampling options, a *[Chain].
func (m *chain) Options() any { o := m.tuning; return &o }

// Tune is the model with other sampling options.
func (m *chain) Tune(options any) (model.Model, error) {
	o, ok := options.(*Chain)
	if !ok {
		return nil, fmt.Errorf("%s: sampling options are %T, expected %T", m.Name, options, o)
	}
	if err := model.Validate(o); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	tuned := *m
	tuned.tuning = *o
	return tuned.typed(), nil
}

// Save writes the model file.
func (m *chain) Save(w io.Writer) error {
	return m.Card.Save(w, append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...))
}
