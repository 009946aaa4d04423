package dist

import (
	"math"
	"math/rand/v2"
)

// Laplace is the double exponential distribution with location μ, its median and mean, and scale b,
//
//	log p(x) = -|x-μ|/b - log 2b.
type Laplace struct {
	continuous
	location, scale float64
}

// NewLaplace takes the location and the scale.
func NewLaplace(location, scale float64) (*Laplace, error) {
	if err := parameters("laplace", finite("location", location), positive("scale", scale)); err != nil {
		return nil, err
	}
	return &Laplace{location: location, scale: scale}, nil
}

// Scale is b.
func (d *Laplace) Scale() float64 { return d.scale }

func (d *Laplace) LogProb(x []float64) float64 {
	return -math.Abs(x[0]-d.location)/d.scale - math.Ln2 - math.Log(d.scale)
}

func (d *Laplace) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 {
		e := d.scale * r.ExpFloat64()
		if r.Uint64()&1 == 0 {
			e = -e
		}
		return d.location + e
	})
}

// Entropy is 1 + log 2b.
func (d *Laplace) Entropy() float64 { return 1 + math.Ln2 + math.Log(d.scale) }

func (d *Laplace) CDF(x float64) float64      { return laplaceBelow((x - d.location) / d.scale) }
func (d *Laplace) survival(x float64) float64 { return laplaceBelow((d.location - x) / d.scale) }

// laplaceBelow is P(Z <= z) at location 0 and scale 1.
func laplaceBelow(z float64) float64 {
	if z < 0 {
		return math.Exp(z) / 2
	}
	return 1 - math.Exp(-z)/2
}

func (d *Laplace) Quantile(p float64) float64 {
	switch {
	case !(p >= 0 && p <= 1):
		return math.NaN()
	case p < 0.5:
		return d.location + d.scale*math.Log(2*p)
	}
	return d.location - d.scale*math.Log(2*(1-p))
}

func (d *Laplace) Mean() float64           { return d.location }
func (d *Laplace) Variance() float64       { return 2 * d.scale * d.scale }
func (d *Laplace) Marginal(int) Univariate { return d }
func (d *Laplace) String() string          { return written("laplace", d.location, d.scale) }
