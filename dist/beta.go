package dist

import (
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/internal/stirling"
)

// Beta is the distribution over 0 < x < 1 with shapes a and b,
//
//	log p(x) = (a-1) log x + (b-1) log(1-x) - log B(a, b).
//
// With a < 1 the density is infinite at 0, with b < 1 at 1.
type Beta struct {
	continuous
	a, b float64
}

// NewBeta takes the two shapes, from 1e-6 to 1e9.
func NewBeta(a, b float64) (*Beta, error) {
	if err := parameters("beta", shaped("a", a), shaped("b", b)); err != nil {
		return nil, err
	}
	return &Beta{a: a, b: b}, nil
}

// Shapes are a and b.
func (d *Beta) Shapes() (a, b float64) { return d.a, d.b }

func (d *Beta) LogProb(x []float64) float64 {
	switch v := x[0]; {
	case v < 0 || v > 1:
		return math.Inf(-1)
	case v == 0:
		return atEnd(d.a, math.Log(d.b))
	case v == 1:
		return atEnd(d.b, math.Log(d.a))
	default:
		return logBeta(d.a, d.b, v, 1-v) - math.Log(v) - math.Log1p(-v)
	}
}

// Sample draws G_a / (G_a + G_b) of two gamma variables. Draws that a float64 cannot tell from 0 or 1 become the last number
// inside of the support.
func (d *Beta) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 {
		ratio := drawLogGamma(d.b, r) - drawLogGamma(d.a, r)
		return min(max(1/(1+math.Exp(ratio)), math.SmallestNonzeroFloat64), 1-0x1p-53)
	})
}

// Entropy is log B(a, b) - (a-1) ψ(a) - (b-1) ψ(b) + (a+b-2) ψ(a+b), without the large terms that cancel.
func (d *Beta) Entropy() float64 {
	part := func(a float64) float64 { return stirling.FactorialRest(a) - 1/(2*a) + (a-1)*stirling.DigammaError(a) }
	s := d.a + d.b
	return part(d.a) + part(d.b) + 0.5 - math.Log(s) - (stirling.FactorialRest(s) - 1/s + (s-2)*stirling.DigammaError(s))
}

func (d *Beta) CDF(x float64) float64 {
	lower, _ := betaTails(d.a, d.b, x, 1-x)
	return lower
}

func (d *Beta) survival(x float64) float64 {
	_, upper := betaTails(d.a, d.b, x, 1-x)
	return upper
}

func (d *Beta) Quantile(p float64) float64 {
	if q, ok := quantileOutside(p, 0, 1); ok {
		return q
	}
	return quantileBetween(d, p, 0, 1, d.Mean())
}

// Mean is a/(a+b).
func (d *Beta) Mean() float64 { return d.a / (d.a + d.b) }

// Variance is ab / ((a+b)² (a+b+1)).
func (d *Beta) Variance() float64 {
	s := d.a + d.b
	return d.a / s * d.b / s / (s + 1)
}

func (d *Beta) Marginal(int) Univariate { return d }
func (d *Beta) String() string          { return written("beta", d.a, d.b) }
