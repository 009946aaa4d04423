package dist

import (
	"math"
	"math/rand/v2"
)

// Exponential is the distribution over x >= 0 with rate λ, one over its mean,
//
//	log p(x) = log λ - λx.
type Exponential struct {
	continuous
	rate float64
}

// NewExponential takes the rate, not the scale.
func NewExponential(rate float64) (*Exponential, error) {
	if err := parameters("exponential", positive("rate", rate)); err != nil {
		return nil, err
	}
	return &Exponential{rate: rate}, nil
}

// Rate is λ.
func (d *Exponential) Rate() float64 { return d.rate }

func (d *Exponential) LogProb(x []float64) float64 {
	if x[0] < 0 {
		return math.Inf(-1)
	}
	return math.Log(d.rate) - d.rate*x[0]
}

func (d *Exponential) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 { return r.ExpFloat64() / d.rate })
}

// Entropy is 1 - log λ.
func (d *Exponential) Entropy() float64 { return 1 - math.Log(d.rate) }

func (d *Exponential) CDF(x float64) float64      { return -math.Expm1(-d.rate * max(x, 0)) }
func (d *Exponential) survival(x float64) float64 { return math.Exp(-d.rate * max(x, 0)) }

func (d *Exponential) Quantile(p float64) float64 {
	if !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	return -math.Log1p(-p) / d.rate
}

func (d *Exponential) Mean() float64           { return 1 / d.rate }
func (d *Exponential) Variance() float64       { return 1 / d.rate / d.rate }
func (d *Exponential) Marginal(int) Univariate { return d }
func (d *Exponential) String() string          { return written("exponential", d.rate) }
