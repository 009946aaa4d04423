package dist

import (
	"math"
	"math/rand/v2"
)

// Cauchy is the Cauchy distribution with location μ, its median, and scale γ, half its interquartile range,
//
//	log p(x) = -log(πγ) - log(1 + ((x-μ)/γ)²).
//
// It has neither mean nor variance.
type Cauchy struct {
	continuous
	location, scale float64
}

// NewCauchy takes the location and the scale.
func NewCauchy(location, scale float64) (*Cauchy, error) {
	if err := parameters("cauchy", finite("location", location), positive("scale", scale)); err != nil {
		return nil, err
	}
	return &Cauchy{location: location, scale: scale}, nil
}

// Location is μ.
func (d *Cauchy) Location() float64 { return d.location }

// Scale is γ.
func (d *Cauchy) Scale() float64 { return d.scale }

func (d *Cauchy) LogProb(x []float64) float64 {
	return -math.Log(math.Pi) - math.Log(d.scale) - log1pSquare((x[0]-d.location)/d.scale)
}

// log1pSquare is log(1 + z²), also where z² overflows.
func log1pSquare(z float64) float64 {
	if math.Abs(z) > 1e100 {
		return 2 * math.Log(math.Abs(z))
	}
	return math.Log1p(z * z)
}

func (d *Cauchy) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 {
		return d.location + d.scale*math.Tan(math.Pi*(openUniform(r)-0.5))
	})
}

// Entropy is log 4πγ.
func (d *Cauchy) Entropy() float64 { return math.Log(4*math.Pi) + math.Log(d.scale) }

// CDF is ½ + atan((x-μ)/γ)/π, as the angle that has no cancellation in the tail.
func (d *Cauchy) CDF(x float64) float64 { return math.Atan2(1, (d.location-x)/d.scale) / math.Pi }

func (d *Cauchy) survival(x float64) float64 { return math.Atan2(1, (x-d.location)/d.scale) / math.Pi }

func (d *Cauchy) Quantile(p float64) float64 {
	if q, ok := quantileOutside(p, math.Inf(-1), math.Inf(1)); ok {
		return q
	}
	switch {
	case p < 0.25:
		return d.location - d.scale/math.Tan(math.Pi*p)
	case p > 0.75:
		return d.location + d.scale/math.Tan(math.Pi*(1-p))
	}
	return d.location + d.scale*math.Tan(math.Pi*(p-0.5))
}

func (d *Cauchy) Mean() float64           { return math.NaN() }
func (d *Cauchy) Variance() float64       { return math.NaN() }
func (d *Cauchy) Marginal(int) Univariate { return d }
func (d *Cauchy) String() string          { return written("cauchy", d.location, d.scale) }
