package dist

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mathext"
)

// logRoot2Pi is ½ log 2π.
const logRoot2Pi = 0.91893853320467274178032973640561763986139747363778

// Normal is the normal distribution with mean μ and standard deviation σ,
//
//	log p(x) = -½ ((x-μ)/σ)² - log σ - ½ log 2π.
type Normal struct {
	continuous
	mean, sd float64
}

// NewNormal takes the mean and the standard deviation, not the variance.
func NewNormal(mean, sd float64) (*Normal, error) {
	if err := parameters("normal", finite("mean", mean), positive("standard deviation", sd)); err != nil {
		return nil, err
	}
	return &Normal{mean: mean, sd: sd}, nil
}

// StdDev is σ.
func (d *Normal) StdDev() float64 { return d.sd }

func (d *Normal) LogProb(x []float64) float64 {
	z := (x[0] - d.mean) / d.sd
	return -z*z/2 - math.Log(d.sd) - logRoot2Pi
}

func (d *Normal) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 { return d.mean + d.sd*r.NormFloat64() })
}

// Entropy is ½ log(2πe) + log σ.
func (d *Normal) Entropy() float64 { return 0.5 + logRoot2Pi + math.Log(d.sd) }

func (d *Normal) CDF(x float64) float64      { return math.Erfc((d.mean-x)/d.sd/math.Sqrt2) / 2 }
func (d *Normal) survival(x float64) float64 { return math.Erfc((x-d.mean)/d.sd/math.Sqrt2) / 2 }

// Quantile is by Wichura's algorithm AS 241 (1988), whose relative error is 1e-16.
func (d *Normal) Quantile(p float64) float64 {
	if !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	return d.mean + d.sd*mathext.NormalQuantile(p)
}

func (d *Normal) Mean() float64           { return d.mean }
func (d *Normal) Variance() float64       { return d.sd * d.sd }
func (d *Normal) Marginal(int) Univariate { return d }
func (d *Normal) String() string          { return written("normal", d.mean, d.sd) }
