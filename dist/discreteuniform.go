package dist

import (
	"math"
	"math/rand/v2"
)

// DiscreteUniform gives the same probability to each of the whole numbers from low to high, both included,
//
//	log p(k) = -log(high - low + 1).
type DiscreteUniform struct {
	discrete
	low, high float64
}

// NewDiscreteUniform takes the ends, whole numbers within ±1e9.
func NewDiscreteUniform(low, high float64) (*DiscreteUniform, error) {
	whole := func(name string, v float64) *ParameterError {
		return must(v == math.Floor(v) && math.Abs(v) <= 1e9, name, v, "a whole number from -1e9 to 1e9")
	}
	end := whole("high", high)
	if end == nil {
		end = must(low <= high, "high", high, "low or more")
	}
	if err := parameters("discrete_uniform", whole("low", low), end); err != nil {
		return nil, err
	}
	return &DiscreteUniform{low: low, high: high}, nil
}

// count is the number of values.
func (d *DiscreteUniform) count() float64 { return d.high - d.low + 1 }

func (d *DiscreteUniform) LogProb(x []float64) float64 {
	switch k := x[0]; {
	case math.IsNaN(k):
		return k
	case k != math.Floor(k) || k < d.low || k > d.high:
		return math.Inf(-1)
	}
	return -math.Log(d.count())
}

func (d *DiscreteUniform) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 { return d.low + float64(r.Int64N(int64(d.count()))) })
}

// Entropy is log(high - low + 1).
func (d *DiscreteUniform) Entropy() float64 { return math.Log(d.count()) }

func (d *DiscreteUniform) CDF(x float64) float64 {
	return min(max(math.Floor(x)-d.low+1, 0), d.count()) / d.count()
}

func (d *DiscreteUniform) Quantile(p float64) float64 {
	return quantileDiscrete(d, p, d.low, d.high, d.low+p*d.count()-1)
}

func (d *DiscreteUniform) Mean() float64 { return (d.low + d.high) / 2 }

// Variance is (n² - 1)/12 of n values.
func (d *DiscreteUniform) Variance() float64       { n := d.count(); return (n - 1) * (n + 1) / 12 }
func (d *DiscreteUniform) Marginal(int) Univariate { return d }
func (d *DiscreteUniform) String() string          { return written("discrete_uniform", d.low, d.high) }
