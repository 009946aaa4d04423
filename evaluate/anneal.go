package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

const (
	// AnnealExamples is how many examples Anneal measures at most.
	AnnealExamples = 200
	// AnnealChains is the number of chains for each example.
	AnnealChains = 4
	// AnnealSteps is the usual number of intermediate distributions.
	AnnealSteps = 500

	leapfrogSteps = 5
	pilotChains   = 32
	// The acceptance that step sizes aim for is the best for Hamiltonian steps in many dimensions (A. Beskos et al., Bernoulli 19 (2013) 1501).
	aimedAcceptance = 0.651
)

// ErrNoAnnealing is returned by Anneal for a model without a latent z ~ N(0, I) whose likelihood can be differentiated.
var ErrNoAnnealing = errors.New("the model has no log p(x|z) with z ~ N(0, I) to anneal; expected one with a decoder, such as vae")

// Annealed bounds the code length of a model with latent variables by annealed importance sampling. Where the encoder of the model is
// poor, this is far tighter than its ELBO and its importance-weighted bound, which say as much of the encoder as of p(x).
type Annealed struct {
	Shape data.Shape
	// Given says that the bound is of p(x|y) with the true label y.
	Given bool
	// Of is what the likelihood is of where that is not x itself (model.Reducer).
	Of    string
	Bound measure.Bound // of -log p(x), nats per example
	// Gain is how much lower the bound is than that of ImportanceDraws importance-weighted draws on the same examples; nil where the
	// model has no such draws.
	Gain *measure.Estimate

	Steps      int     // intermediate distributions
	Acceptance float64 // share of Hamiltonian steps that were accepted
}

const annealPrefix = "ais_"

// Measures are the bound in nats and, for pictures, in bits per dimension.
func (a *Annealed) Measures() []measure.Measure {
	l := &CodeLength{Shape: a.Shape, Given: a.Given, Of: a.Of}
	about := l.nats(annealPrefix)
	list := l.withBits(nil, a.Bound.As(about), annealPrefix)
	for i := range list {
		list[i].Unit += fmt.Sprintf(", of %d examples", a.Bound.N)
	}
	if a.Gain != nil {
		list = append(list, a.Gain.As(measure.Higher("ais_gain", "nats per example below the importance-weighted bound of the same examples").
			From(leastForError)))
	}
	return list
}

// MarshalJSON writes ais_nats_per_example, for pictures ais_bits_per_dim, ais_gain where there is one, the standard errors by name under standard_errors, and
// ais_examples, ais_chains, ais_steps, ais_acceptance.
func (a *Annealed) MarshalJSON() ([]byte, error) {
	object := flat(a.Measures())
	object["ais_examples"] = a.Bound.N
	object["ais_chains"] = AnnealChains
	object["ais_steps"] = a.Steps
	object["ais_acceptance"] = a.Acceptance
	return json.Marshal(object)
}

// Anneal bounds -log p(x) from above, or -log p(x|y) of a conditional model on labelled data, by the mean over examples of
//
//	-log (1/K) sum_k w_k,   w = product_t (f_t(z_{t-1}) / f_{t-1}(z_{t-1})),   f_t(z) = N(z; 0, I) p(x|z)^beta_t
//
// with K = AnnealChains chains that start at z_0 ~ N(0, I) and go by a step that leaves f_t as it is from z_{t-1} to z_t (R. M. Neal,
// Statistics and Computing 11 (2001) 125, eq. 4 to 11; for decoders Y. Wu et al., On the quantitative analysis of decoder-based
// generative models, ICLR 2017, section 3.1). The mean of w is p(x), so that by Jensen's inequality the mean of log (1/K) sum w is at
// most log p(x); it comes nearer with more steps. beta_t, t = 1..steps, rises from 0 to 1 as a sigmoid between -4 and 4.
//
// A step is leapfrogSteps of Hamiltonian dynamics with a Metropolis decision. Its size at each beta comes from pilot chains with
// random numbers of their own: were it adapted to the chain itself, the mean of w would no longer be p(x).
//
// Of a set with more than AnnealExamples examples a random part is measured. A model that is no model.LatentLikelihood is
// ErrNoAnnealing.
func Anneal(ctx context.Context, m model.Model, set data.Set, steps int, seed uint64) (*Annealed, error) {
	latent, ok := m.(model.LatentLikelihood)
	if !ok {
		return nil, ErrNoAnnealing
	}
	if steps < 1 {
		return nil, fmt.Errorf("%d annealing steps, expected at least 1", steps)
	}
	if set.Len() == 0 {
		return nil, errEmpty
	}
	r := streamAnneal.rand(seed)
	if set.Len() > AnnealExamples {
		set = data.Subset(set, r.Perm(set.Len())[:AnnealExamples])
	}
	a := &Annealed{Shape: set.Schema().Shape, Steps: steps}
	if reducer, ok := m.(model.Reducer); ok {
		a.Of = reducer.LikelihoodOf()
	}
	batch, err := data.ReadAll(ctx, set)
	if err != nil {
		return nil, err
	}
	if c, ok := m.(interface{ Classes() int }); ok && c.Classes() > 0 {
		if batch.Y == nil {
			return nil, fmt.Errorf("the model anneals p(x given y): %w", data.ErrNoLabels)
		}
		a.Given = true
	}
	seen, err := latent.Observe(data.Batch{Shape: batch.Shape, X: batch.X}, r)
	if err != nil {
		return nil, err
	}
	var labels []int32
	if a.Given {
		labels = batch.Y
	}

	beta := annealSchedule(steps)
	pilot := newChains(latent, seen, labels, pilotChains, streamAnnealPilot.rand(seed))
	sizes, err := pilot.tune(ctx, beta)
	if err != nil {
		return nil, err
	}
	chains := newChains(latent, seen, labels, AnnealChains*set.Len(), r)
	logWeights, err := chains.run(ctx, beta, func(t int, _ float64) float64 { return sizes[t] })
	if err != nil {
		return nil, err
	}
	nats := make([]float64, set.Len())
	for i := range nats {
		nats[i] = -logMeanExp(logWeights, i, set.Len())
		if math.IsNaN(nats[i]) {
			return nil, fmt.Errorf("the annealed bound of example %d is not a number", i)
		}
	}
	e := mean(nats)
	a.Bound = measure.Bound{Value: e.Value, StandardError: e.StandardError, N: e.N, Upper: true}
	a.Acceptance = chains.accepted / float64(chains.n*steps)
	a.Gain, err = gain(m, batch, a.Given, nats, seed)
	return a, err
}

// gain is the mean of what the importance-weighted bound lies above the annealed one.
func gain(m model.Model, batch data.Batch, given bool, nats []float64, seed uint64) (*measure.Estimate, error) {
	r, log := streamImportance.rand(seed), make([]float64, batch.Len())
	cond, isCond := m.(model.CondImportanceBound)
	plain, isPlain := m.(model.ImportanceBound)
	var err error
	switch {
	case given && isCond:
		err = cond.LogImportanceBoundGiven(log, batch, batch.Y, ImportanceDraws, r)
	case !given && isPlain:
		err = plain.LogImportanceBound(log, batch, ImportanceDraws, r)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range log {
		log[i] = -log[i] - nats[i]
	}
	e := mean(log)
	return &e, nil
}

// annealSchedule is beta_0 = 0 .. beta_steps = 1.
func annealSchedule(steps int) []float64 {
	const steep = 4
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	beta := make([]float64, steps+1)
	for t := range beta {
		beta[t] = (sigmoid(steep*(2*float64(t)/float64(steps)-1)) - sigmoid(-steep)) / (sigmoid(steep) - sigmoid(-steep))
	}
	beta[steps] = 1
	return beta
}

// logMeanExp is log of the mean of exp(v) over elements first, first+stride, ...
func logMeanExp(v []float64, first, stride int) float64 {
	most, n := math.Inf(-1), 0
	for i := first; i < len(v); i += stride {
		most = max(most, v[i])
		n++
	}
	if math.IsInf(most, -1) {
		return most
	}
	sum := 0.0
	for i := first; i < len(v); i += stride {
		sum += math.Exp(v[i] - most)
	}
	return most + math.Log(sum/float64(n))
}

// chains are n chains that move at once. Chain i is of example i mod the number of examples.
type chains struct {
	m        model.LatentLikelihood
	n, d     int
	x        data.Batch // as observed, one for each chain
	y        []int32
	r        *rand.Rand
	z        []float32 // (n, d)
	log      []float64 // log p(x|z)
	gradient []float32 // (n, d)
	accepted float64   // steps, of all chains
}

func newChains(m model.LatentLikelihood, x data.Batch, y []int32, n int, r *rand.Rand) *chains {
	d, p := m.LatentSize(), x.Shape.Size()
	c := &chains{
		m: m, n: n, d: d, r: r, x: data.Batch{Shape: x.Shape, X: make([]float32, n*p)},
		z: make([]float32, n*d), log: make([]float64, n), gradient: make([]float32, n*d),
	}
	for i := range n {
		from := i % x.Len()
		copy(c.x.X[i*p:(i+1)*p], x.Row(from))
		if y != nil {
			c.y = append(c.y, y[from])
		}
	}
	return c
}

// run takes the chains from the prior to the posterior and returns log w of each. size is the step size at beta_t, given the
// share of the chains that accepted the step before, 0 before the first.
func (c *chains) run(ctx context.Context, beta []float64, size func(t int, rate float64) float64) ([]float64, error) {
	for i := range c.z {
		c.z[i] = float32(c.r.NormFloat64())
	}
	if err := c.m.LogLikelihood(c.log, c.gradient, c.x, c.z, c.y); err != nil {
		return nil, err
	}
	logWeights := make([]float64, c.n)
	rate := 0.0
	for t := 1; t < len(beta); t++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, l := range c.log {
			if math.IsNaN(l) {
				return nil, fmt.Errorf("log p(x|z) of example %d is not a number", i)
			}
			logWeights[i] += (beta[t] - beta[t-1]) * l
		}
		accepted, err := c.step(beta[t], size(t, rate))
		if err != nil {
			return nil, err
		}
		rate = float64(accepted) / float64(c.n)
		c.accepted += float64(accepted)
	}
	return logWeights, nil
}

// tune runs the chains for the step sizes: one grows while more than the aimed share of steps is accepted, and shrinks while
// less is.
func (c *chains) tune(ctx context.Context, beta []float64) ([]float64, error) {
	const first, pace = 0.5, 0.2
	sizes := make([]float64, len(beta))
	_, err := c.run(ctx, beta, func(t int, rate float64) float64 {
		if t == 1 {
			sizes[t] = first
		} else {
			sizes[t] = sizes[t-1] * math.Exp(pace*(rate-aimedAcceptance))
		}
		return sizes[t]
	})
	return sizes, err
}

// step moves all chains by Hamiltonian dynamics under log N(z; 0, I) + beta log p(x|z) with unit masses, and returns how many accept
// where they come (S. Duane et al., Phys. Lett. B 195 (1987) 216; R. M. Neal, Handbook of Markov Chain Monte Carlo, 2011, ch. 5, fig. 2).
func (c *chains) step(beta, size float64) (accepted int, err error) {
	momentum := make([]float64, len(c.z))
	energy := make([]float64, c.n) // before
	z, log, gradient := append([]float32(nil), c.z...), make([]float64, c.n), append([]float32(nil), c.gradient...)
	for i := range momentum {
		momentum[i] = c.r.NormFloat64()
	}
	for i := range energy {
		energy[i] = c.energy(i, c.z, momentum, beta, c.log[i])
	}
	push := func(by float64) {
		for j := range momentum {
			momentum[j] += by * (beta*float64(gradient[j]) - float64(z[j]))
		}
	}
	push(size / 2)
	for k := range leapfrogSteps {
		for j := range z {
			z[j] += float32(size * momentum[j])
		}
		if err := c.m.LogLikelihood(log, gradient, c.x, z, c.y); err != nil {
			return 0, err
		}
		if k < leapfrogSteps-1 {
			push(size)
		}
	}
	push(size / 2)
	for i := range c.n {
		u := c.r.Float64()
		after := c.energy(i, z, momentum, beta, log[i])
		// A path that runs away ends in an energy that is infinite or not a number: the comparison is false, and the chain stays.
		if u < math.Exp(energy[i]-after) {
			accepted++
			copy(c.z[i*c.d:(i+1)*c.d], z[i*c.d:])
			copy(c.gradient[i*c.d:(i+1)*c.d], gradient[i*c.d:])
			c.log[i] = log[i]
		}
	}
	return accepted, nil
}

// energy is -log N(z; 0, I) - beta log p(x|z) + |momentum|^2/2 of chain i, but for a constant.
func (c *chains) energy(i int, z []float32, momentum []float64, beta, log float64) float64 {
	e := -beta * log
	for j := i * c.d; j < (i+1)*c.d; j++ {
		e += (float64(z[j])*float64(z[j]) + momentum[j]*momentum[j]) / 2
	}
	return e
}
