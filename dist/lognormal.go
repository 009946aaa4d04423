package dist

import (
	"math"
	"math/rand/v2"
)

// LogNormal is the distribution over x > 0 whose logarithm is normal with mean μ and standard deviation σ,
//
//	log p(x) = -½ ((log x - μ)/σ)² - log σ - ½ log 2π - log x.
type LogNormal struct {
	continuous
	log *Normal
}

// NewLogNormal takes the mean and the standard deviation of log x.
func NewLogNormal(logMean, logSD float64) (*LogNormal, error) {
	if err := parameters("lognormal", finite("mean of log x", logMean), positive("standard deviation of log x", logSD)); err != nil {
		return nil, err
	}
	return &LogNormal{log: &Normal{mean: logMean, sd: logSD}}, nil
}

// Log is the distribution of log x.
func (d *LogNormal) Log() *Normal { return d.log }

func (d *LogNormal) LogProb(x []float64) float64 {
	if x[0] <= 0 || math.IsInf(x[0], 1) {
		return math.Inf(-1)
	}
	l := math.Log(x[0])
	return d.log.LogProb([]float64{l}) - l
}

// Sample keeps draws that are too near to 0, or too great, for a float64 at the last one inside of the support.
func (d *LogNormal) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 { return positiveExp(d.log.mean + d.log.sd*r.NormFloat64()) })
}

// positiveExp is e^v as a positive finite number.
func positiveExp(v float64) float64 {
	return min(max(math.Exp(v), math.SmallestNonzeroFloat64), math.MaxFloat64)
}

// Entropy is μ + ½ log(2πe) + log σ.
func (d *LogNormal) Entropy() float64 { return d.log.mean + d.log.Entropy() }

// CDF takes log 0 = -Inf where there is no probability.
func (d *LogNormal) CDF(x float64) float64      { return d.log.CDF(math.Log(max(x, 0))) }
func (d *LogNormal) survival(x float64) float64 { return d.log.survival(math.Log(max(x, 0))) }

func (d *LogNormal) Quantile(p float64) float64 { return math.Exp(d.log.Quantile(p)) }

// Mean is e^(μ+σ²/2).
func (d *LogNormal) Mean() float64 { return math.Exp(d.log.mean + d.log.Variance()/2) }

// Variance is (e^(σ²) - 1) e^(2μ+σ²).
func (d *LogNormal) Variance() float64 {
	v := d.log.Variance()
	return math.Expm1(v) * math.Exp(2*d.log.mean+v)
}

func (d *LogNormal) Marginal(int) Univariate { return d }
func (d *LogNormal) String() string          { return written("lognormal", d.log.mean, d.log.sd) }
