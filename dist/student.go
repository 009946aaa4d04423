package dist

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mathext"

	"github.com/likely-ml/likely/internal/stirling"
)

// Student is Student's t distribution with ν degrees of freedom, location μ and scale σ; with t = (x-μ)/σ,
//
//	log p(x) = log Γ((ν+1)/2) - log Γ(ν/2) - ½ log πν - log σ - (ν+1)/2 log(1 + t²/ν).
//
// Its mean exists for ν > 1, its variance, which is not σ², is finite for ν > 2.
type Student struct {
	continuous
	nu, location, scale float64
}

// NewStudent takes the degrees of freedom, from 1e-6 to 1e9, the location and the scale.
func NewStudent(nu, location, scale float64) (*Student, error) {
	if err := parameters("student", shaped("degrees of freedom", nu), finite("location", location), positive("scale", scale)); err != nil {
		return nil, err
	}
	return &Student{nu: nu, location: location, scale: scale}, nil
}

// DegreesOfFreedom is ν.
func (d *Student) DegreesOfFreedom() float64 { return d.nu }

// Location is μ.
func (d *Student) Location() float64 { return d.location }

// Scale is σ.
func (d *Student) Scale() float64 { return d.scale }

func (d *Student) LogProb(x []float64) float64 {
	// log Γ(m+½) - log Γ(m) = ½ log m + (m-½) log(1 + 1/2m) - ½ + FactorialRest(m+½) - FactorialRest(m)
	m := d.nu / 2
	return (m-0.5)*math.Log1p(0.5/m) - 0.5 + stirling.FactorialRest(m+0.5) - stirling.FactorialRest(m) -
		logRoot2Pi - math.Log(d.scale) - (m+0.5)*log1pSquare((x[0]-d.location)/d.scale/math.Sqrt(d.nu))
}

// Sample draws μ + σ z/√(G/m) with z standard normal and G a gamma variable of shape m = ν/2.
func (d *Student) Sample(dst []float64, r *rand.Rand) error {
	m := d.nu / 2
	return fill(dst, r, func(r *rand.Rand) float64 {
		t := r.NormFloat64() * positiveExp((math.Log(m)-drawLogGamma(m, r))/2)
		return min(max(d.location+d.scale*t, -math.MaxFloat64), math.MaxFloat64)
	})
}

// Entropy is (ν+1)/2 (ψ((ν+1)/2) - ψ(ν/2)) + ½ log ν + log B(ν/2, ½) + log σ, without the large terms that cancel.
func (d *Student) Entropy() float64 {
	m := d.nu / 2
	return 0.5 + logRoot2Pi + math.Log1p(0.5/m) + 0.25/m + (m+0.5)*(stirling.DigammaError(m)-stirling.DigammaError(m+0.5)) +
		stirling.FactorialRest(m) - stirling.FactorialRest(m+0.5) + math.Log(d.scale)
}

func (d *Student) CDF(x float64) float64      { return d.below((x - d.location) / d.scale) }
func (d *Student) survival(x float64) float64 { return d.below((d.location - x) / d.scale) }

// below is P(T <= t) = ½ I_w(ν/2, ½) with w = ν/(ν+t²), for t <= 0.
func (d *Student) below(t float64) float64 {
	u, m := t/math.Sqrt(d.nu), d.nu/2
	if math.Abs(u) > 1e100 {
		// I_w(m, ½) is w^m / (m B(m, ½)), and w is 1/u² here.
		tail := math.Exp(lgamma(m+0.5)-lgamma(m+1)-lgamma(0.5)-2*m*math.Log(math.Abs(u))) / 2
		if u > 0 {
			return 1 - tail
		}
		return tail
	}
	near, far := betaTails(0.5, m, u*u/(1+u*u), 1/(1+u*u)) // P(|T| <= |t|) and P(|T| > |t|)
	if t > 0 {
		return 0.5 + near/2
	}
	return far / 2
}

func (d *Student) Quantile(p float64) float64 {
	if q, ok := quantileOutside(p, math.Inf(-1), math.Inf(1)); ok {
		return q
	}
	// The distribution at location 0 and scale 1 is solved for, where no digit of a small quantile is lost to the location.
	standard := &Student{nu: d.nu, scale: 1}
	start, t := mathext.NormalQuantile(p), 0.0
	switch {
	case p < 0.5:
		t = quantileBetween(standard, p, -math.MaxFloat64, 0, start)
	case p > 0.5:
		t = quantileBetween(standard, p, 0, math.MaxFloat64, start)
	}
	return d.location + d.scale*t
}

func (d *Student) Mean() float64 {
	if d.nu <= 1 {
		return math.NaN()
	}
	return d.location
}

// Variance is σ² ν/(ν-2) for ν > 2.
func (d *Student) Variance() float64 {
	switch {
	case d.nu <= 1:
		return math.NaN()
	case d.nu <= 2:
		return math.Inf(1)
	}
	return d.scale * d.scale * d.nu / (d.nu - 2)
}

func (d *Student) Marginal(int) Univariate { return d }
func (d *Student) String() string          { return written("student", d.nu, d.location, d.scale) }
