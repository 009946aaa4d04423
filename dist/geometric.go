package dist

import (
	"math"
	"math/rand/v2"
)

// Geometric is the distribution of the number of trials up to the first success, that success included, where each succeeds
// with probability p,
//
//	log p(k) = log p + (k-1) log(1-p),    k = 1, 2, …
type Geometric struct {
	discrete
	p float64
}

// NewGeometric takes the probability of success, from 1e-9 to 1.
func NewGeometric(p float64) (*Geometric, error) {
	if err := parameters("geometric", must(p >= 1e-9 && p <= 1, "probability", p, "a number from 1e-9 to 1")); err != nil {
		return nil, err
	}
	return &Geometric{p: p}, nil
}

// Probability is p.
func (d *Geometric) Probability() float64 { return d.p }

func (d *Geometric) LogProb(x []float64) float64 {
	switch k := x[0]; {
	case math.IsNaN(k):
		return k
	case k != math.Floor(k) || k < 1 || math.IsInf(k, 1):
		return math.Inf(-1)
	case k == 1: // also where log(1-p) is infinite
		return math.Log(d.p)
	default:
		return math.Log(d.p) + (k-1)*math.Log1p(-d.p)
	}
}

func (d *Geometric) Sample(dst []float64, r *rand.Rand) error {
	rate := -math.Log1p(-d.p)
	return fill(dst, r, func(r *rand.Rand) float64 { return 1 + math.Floor(r.ExpFloat64()/rate) })
}

// Entropy is (-p log p - (1-p) log(1-p)) / p.
func (d *Geometric) Entropy() float64 {
	if d.p == 1 {
		return 0
	}
	return -math.Log(d.p) - (1-d.p)/d.p*math.Log1p(-d.p)
}

// CDF is 1 - (1-p)^k.
func (d *Geometric) CDF(x float64) float64 {
	switch k := math.Floor(x); {
	case k < 1:
		return 0
	case math.IsInf(k, 1):
		return 1
	default:
		return -math.Expm1(k * math.Log1p(-d.p))
	}
}

func (d *Geometric) Quantile(p float64) float64 {
	if d.p == 1 {
		return quantileDiscrete(d, p, 1, 1, 1)
	}
	return quantileDiscrete(d, p, 1, math.Inf(1), math.Log1p(-p)/math.Log1p(-d.p))
}

// Mean is 1/p.
func (d *Geometric) Mean() float64 { return 1 / d.p }

// Variance is (1-p)/p².
func (d *Geometric) Variance() float64       { return (1 - d.p) / d.p / d.p }
func (d *Geometric) Marginal(int) Univariate { return d }
func (d *Geometric) String() string          { return written("geometric", d.p) }
