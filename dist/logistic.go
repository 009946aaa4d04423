package dist

import (
	"math"
	"math/rand/v2"
)

// Logistic is the distribution over the line with location μ, its median and mean, and scale s, whose CDF is the logistic
// function of z = (x-μ)/s,
//
//	log p(x) = -z - 2 log(1 + e^-z) - log s.
type Logistic struct {
	continuous
	location, scale float64
}

// NewLogistic takes the location and the scale.
func NewLogistic(location, scale float64) (*Logistic, error) {
	if err := parameters("logistic", finite("location", location), positive("scale", scale)); err != nil {
		return nil, err
	}
	return &Logistic{location: location, scale: scale}, nil
}

// Scale is s.
func (d *Logistic) Scale() float64 { return d.scale }

func (d *Logistic) LogProb(x []float64) float64 {
	z := math.Abs(x[0]-d.location) / d.scale // symmetric
	return -z - 2*math.Log1p(math.Exp(-z)) - math.Log(d.scale)
}

func (d *Logistic) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 { return d.Quantile(openUniform(r)) })
}

// Entropy is 2 + log s.
func (d *Logistic) Entropy() float64 { return 2 + math.Log(d.scale) }

func (d *Logistic) CDF(x float64) float64      { return 1 / (1 + math.Exp((d.location-x)/d.scale)) }
func (d *Logistic) survival(x float64) float64 { return 1 / (1 + math.Exp((x-d.location)/d.scale)) }

// Quantile is μ + s log(p/(1-p)).
func (d *Logistic) Quantile(p float64) float64 {
	if q, ok := quantileOutside(p, math.Inf(-1), math.Inf(1)); ok {
		return q
	}
	if p > 0.25 && p < 0.75 {
		return d.location + d.scale*math.Log1p((2*p-1)/(1-p))
	}
	return d.location + d.scale*math.Log(p/(1-p))
}

func (d *Logistic) Mean() float64           { return d.location }
func (d *Logistic) Variance() float64       { return math.Pi * math.Pi / 3 * d.scale * d.scale }
func (d *Logistic) Marginal(int) Univariate { return d }
func (d *Logistic) String() string          { return written("logistic", d.location, d.scale) }
