package dist

import (
	"math"
	"math/rand/v2"
)

// Bernoulli is the distribution over 0 and 1 with P(1) = p.
type Bernoulli struct {
	discrete
	p float64
}

// NewBernoulli takes the probability of 1.
func NewBernoulli(p float64) (*Bernoulli, error) {
	if err := parameters("bernoulli", probability("probability of 1", p)); err != nil {
		return nil, err
	}
	return &Bernoulli{p: p}, nil
}

func probability(name string, p float64) *ParameterError {
	return must(p >= 0 && p <= 1, name, p, "a number from 0 to 1")
}

// Probability is p.
func (d *Bernoulli) Probability() float64 { return d.p }

func (d *Bernoulli) LogProb(x []float64) float64 {
	switch {
	case x[0] == 1:
		return math.Log(d.p)
	case x[0] == 0:
		return math.Log1p(-d.p)
	case math.IsNaN(x[0]):
		return x[0]
	}
	return math.Inf(-1)
}

func (d *Bernoulli) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 {
		if r.Float64() < d.p {
			return 1
		}
		return 0
	})
}

// Entropy is -p log p - (1-p) log(1-p).
func (d *Bernoulli) Entropy() float64 {
	if d.p == 0 || d.p == 1 {
		return 0
	}
	return -d.p*math.Log(d.p) - (1-d.p)*math.Log1p(-d.p)
}

func (d *Bernoulli) CDF(x float64) float64 {
	switch {
	case x < 0:
		return 0
	case x < 1:
		return 1 - d.p
	case math.IsNaN(x):
		return x
	}
	return 1
}

func (d *Bernoulli) Quantile(p float64) float64 {
	switch {
	case !(p >= 0 && p <= 1):
		return math.NaN()
	case p > 1-d.p || p == 1 && d.p > 0 || d.p == 1:
		return 1
	}
	return 0
}

func (d *Bernoulli) Mean() float64           { return d.p }
func (d *Bernoulli) Variance() float64       { return d.p * (1 - d.p) }
func (d *Bernoulli) Marginal(int) Univariate { return d }
func (d *Bernoulli) String() string          { return written("bernoulli", d.p) }
