package dist

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mathext"

	"github.com/likely-ml/likely/internal/stirling"
)

// Gamma is the distribution over x > 0 with shape a and rate λ (not the scale 1/λ),
//
//	log p(x) = a log λ - log Γ(a) + (a-1) log x - λx.
//
// With a < 1 the density is infinite at 0.
type Gamma struct {
	continuous
	shape, rate float64
}

// NewGamma takes the shape, from 1e-6 to 1e9, and the rate.
func NewGamma(shape, rate float64) (*Gamma, error) {
	if err := parameters("gamma", shaped("shape", shape), positive("rate", rate)); err != nil {
		return nil, err
	}
	return &Gamma{shape: shape, rate: rate}, nil
}

// shaped is the check of shape parameters: in these limits all that is computed from them stays finite.
func shaped(name string, v float64) *ParameterError {
	return must(v >= 1e-6 && v <= 1e9, name, v, "a number from 1e-6 to 1e9")
}

// Shape is a.
func (d *Gamma) Shape() float64 { return d.shape }

// Rate is λ.
func (d *Gamma) Rate() float64 { return d.rate }

func (d *Gamma) LogProb(x []float64) float64 {
	v, a := x[0], d.shape
	m := d.rate * v
	switch {
	case v < 0 || math.IsInf(v, 1):
		return math.Inf(-1)
	case v == 0:
		return atEnd(a, math.Log(d.rate))
	case m < 1e-290: // e^-m is 1, and m has no digits to lose
		return a*math.Log(d.rate) + (a-1)*math.Log(v) - lgamma(a)
	}
	return logPoisson(a, m) + math.Log(a) - math.Log(v)
}

// atEnd is the log-density at the end of a support where it goes as x^(a-1).
func atEnd(a, flat float64) float64 {
	switch {
	case a < 1:
		return math.Inf(1)
	case a > 1:
		return math.Inf(-1)
	}
	return flat
}

// Sample keeps draws that are too near to 0, or too great, for a float64 at the last one inside of the support.
func (d *Gamma) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 { return positiveExp(drawLogGamma(d.shape, r) - math.Log(d.rate)) })
}

// drawLogGamma draws the logarithm of a gamma variable with shape a and rate 1: Marsaglia and Tsang, A simple method for
// generating gamma variables (2000). The logarithm keeps what would underflow with small shapes.
func drawLogGamma(a float64, r *rand.Rand) float64 {
	shift := 0.0
	if a < 1 { // G(a) = G(a+1) U^(1/a)
		shift = -r.ExpFloat64() / a
		a++
	}
	d := a - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		z := r.NormFloat64()
		v := 1 + c*z
		if v <= 0 {
			continue
		}
		l := 3 * math.Log(v)
		if math.Log(r.Float64()) < z*z/2+d-d*v*v*v+d*l {
			return shift + math.Log(d) + l
		}
	}
}

// Entropy is a - log λ + log Γ(a) + (1-a) ψ(a), without the large terms that cancel.
func (d *Gamma) Entropy() float64 {
	a := d.shape
	return stirling.FactorialRest(a) + (a-1)*(1/(2*a)+stirling.DigammaError(a)) - math.Log(d.rate)
}

func (d *Gamma) CDF(x float64) float64 {
	lower, _ := gammaTails(d.shape, d.rate*x)
	return lower
}

func (d *Gamma) survival(x float64) float64 {
	_, upper := gammaTails(d.shape, d.rate*x)
	return upper
}

func (d *Gamma) Quantile(p float64) float64 {
	if q, ok := quantileOutside(p, 0, math.Inf(1)); ok {
		return q
	}
	// The start is by Wilson and Hilferty (1931): the cube root is nearly normal.
	a := d.shape
	root := 1 - 1/(9*a) + mathext.NormalQuantile(p)/(3*math.Sqrt(a))
	return quantileBetween(d, p, 0, math.MaxFloat64, a*root*root*root/d.rate)
}

// Mean is a/λ.
func (d *Gamma) Mean() float64 { return d.shape / d.rate }

// Variance is a/λ².
func (d *Gamma) Variance() float64       { return d.shape / d.rate / d.rate }
func (d *Gamma) Marginal(int) Univariate { return d }
func (d *Gamma) String() string          { return written("gamma", d.shape, d.rate) }
