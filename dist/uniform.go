package dist

import (
	"math"
	"math/rand/v2"
)

// Uniform is the uniform distribution over the interval [low, high],
//
//	log p(x) = -log(high - low).
type Uniform struct {
	continuous
	low, high float64
}

// NewUniform takes the ends of the interval, low < high.
func NewUniform(low, high float64) (*Uniform, error) {
	apart := must(high > low && isFinite(high-low), "high", high, "a number above low, at a finite distance")
	if err := parameters("uniform", finite("low", low), apart); err != nil {
		return nil, err
	}
	return &Uniform{low: low, high: high}, nil
}

func (d *Uniform) LogProb(x []float64) float64 {
	if x[0] < d.low || x[0] > d.high {
		return math.Inf(-1)
	}
	if math.IsNaN(x[0]) {
		return x[0]
	}
	return -math.Log(d.high - d.low)
}

func (d *Uniform) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 { return min(d.low+(d.high-d.low)*r.Float64(), d.high) })
}

// Entropy is log(high - low).
func (d *Uniform) Entropy() float64 { return math.Log(d.high - d.low) }

func (d *Uniform) CDF(x float64) float64 {
	return (min(max(x, d.low), d.high) - d.low) / (d.high - d.low)
}

func (d *Uniform) survival(x float64) float64 {
	return (d.high - min(max(x, d.low), d.high)) / (d.high - d.low)
}

func (d *Uniform) Quantile(p float64) float64 {
	if q, ok := quantileOutside(p, d.low, d.high); ok {
		return q
	}
	if p < 0.5 {
		return d.low + p*(d.high-d.low)
	}
	return d.high - (1-p)*(d.high-d.low)
}

func (d *Uniform) Mean() float64           { return d.low/2 + d.high/2 }
func (d *Uniform) Variance() float64       { w := d.high - d.low; return w * w / 12 }
func (d *Uniform) Marginal(int) Univariate { return d }
func (d *Uniform) String() string          { return written("uniform", d.low, d.high) }
