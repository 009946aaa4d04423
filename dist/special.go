package dist

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/likely-ml/likely/internal/stirling"
)

// The densities and distribution functions of the gamma and beta families share these functions. Differences of the logarithms
// of gamma functions lose all digits where the parameters are large, so the densities are by Loader, Fast and accurate
// computation of binomial probabilities (2000), in which the large terms have cancelled on paper.

// lgamma is log Γ(a), a > 0.
func lgamma(a float64) float64 {
	v, _ := math.Lgamma(a)
	return v
}

// logPoisson is log(m^x e^-m / Γ(x+1)) for real x >= 0, m > 0.
func logPoisson(x, m float64) float64 {
	switch {
	case x == 0:
		return -m
	case math.IsInf(x, 1) || math.IsInf(m, 1):
		return math.Inf(-1)
	}
	return -stirling.FactorialRest(x) - stirling.Deviance(x, m)
}

// logBinomial is log(Γ(n+1) / (Γ(x+1) Γ(n-x+1)) p^x q^(n-x)) for real 0 <= x <= n and q = 1-p.
func logBinomial(x, n, p, q float64) float64 {
	y := n - x
	switch {
	case p == 0 && x > 0 || q == 0 && y > 0:
		return math.Inf(-1)
	case p == 0 || q == 0:
		return 0
	case x == 0:
		return n * log1m(p, q)
	case y == 0:
		return n * log1m(q, p)
	}
	return stirling.FactorialRest(n) - stirling.FactorialRest(x) - stirling.FactorialRest(y) - stirling.Deviance(x, n*p) - stirling.Deviance(y, n*q)
}

// log1m is log q where q = 1-p, from whichever of the two is exact.
func log1m(p, q float64) float64 {
	if p < 0.5 {
		return math.Log1p(-p)
	}
	return math.Log(q)
}

// gammaTails are P(a, x) = ∫_0^x t^(a-1) e^-t dt / Γ(a) and Q = 1-P, the smaller of the two without cancellation.
func gammaTails(a, x float64) (lower, upper float64) {
	switch {
	case math.IsNaN(x):
		return x, x
	case x <= 0:
		return 0, 1
	case math.IsInf(x, 1):
		return 1, 0
	}
	// Near the mean gonum has Temme's uniform expansion, where the series below are slow. Elsewhere it stops them after 2,000
	// terms, too early for large a.
	if distance := math.Abs(x-a) / a; a > 20 && a <= 200 && distance < 0.3 || a > 200 && distance*math.Sqrt(a) < 4.5 {
		return mathext.GammaIncReg(a, x), mathext.GammaIncRegComp(a, x)
	}
	if x < a+1 {
		// P = x^a e^-x / Γ(a+1) (1 + x/(a+1) + x²/((a+1)(a+2)) + …)
		sum, term := 1.0, 1.0
		for k := a + 1; term > sum*0x1p-54; k++ {
			term *= x / k
			sum += term
		}
		lower = math.Exp(logPoisson(a, x)) * sum
		return lower, 1 - lower
	}
	// Q by the continued fraction x^a e^-x / Γ(a) 1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- …))).
	fraction := continued(x+1-a, func(k float64) (float64, float64) { return k * (a - k), x + 1 - a + 2*k })
	upper = math.Exp(logPoisson(a, x)+math.Log(a)) / fraction
	return 1 - upper, upper
}

// continued is b0 + a1/(b1 + a2/(b2 + …)) by the method of Lentz, modified by Thompson and Barnett (1986).
func continued(b0 float64, term func(k float64) (a, b float64)) float64 {
	const tiny = 1e-300
	f := b0
	if f == 0 {
		f = tiny
	}
	c, d := f, 0.0
	for k := 1.0; ; k++ {
		a, b := term(k)
		if d = b + a*d; d == 0 {
			d = tiny
		}
		if c = b + a/c; c == 0 {
			c = tiny
		}
		d = 1 / d
		f *= c * d
		if !(math.Abs(c*d-1) > 0x1p-51) {
			return f
		}
	}
}

// betaTails are I_x(a, b) = ∫_0^x t^(a-1) (1-t)^(b-1) dt / B(a, b) and 1-I, the smaller of the two without cancellation;
// y = 1-x is passed, too, since either may be too near to 1 to tell the other.
func betaTails(a, b, x, y float64) (lower, upper float64) {
	switch {
	case math.IsNaN(x):
		return x, x
	case x <= 0:
		return 0, 1
	case y <= 0:
		return 1, 0
	case x > a/(a+b): // the continued fraction is for x up to the mean
		upper, lower = betaTails(b, a, y, x)
		return lower, upper
	}
	// I by the continued fraction of Didonato and Morris, Algorithm 708 (1992), equation 9:
	// x^a y^b / B(a, b) 1/(b0 + a1/(b1 + …)).
	c := a - (a+b)*x // λ of that paper, at least 0 up to the mean
	if a > b {
		c = (a+b)*y - b
	}
	fraction := continued(a/(a+1)*(c+1), func(k float64) (float64, float64) {
		s := a + 2*k - 1
		return (a + k - 1) / s * (a + b + k - 1) / s * k * x * (b - k) * x,
			k + k*(b-k)*x/s + (a+k)/(a+2*k+1)*(c+1+k*(1+y))
	})
	lower = math.Exp(logBeta(a, b, x, y)) / fraction
	return lower, 1 - lower
}

// logBeta is log(x^a y^b / B(a, b)), y = 1-x.
func logBeta(a, b, x, y float64) float64 {
	// Γ(a+b) / (Γ(a) Γ(b)) = Γ(a+b+1) / (Γ(a+1) Γ(b+1)) ab/(a+b)
	return logBinomial(a, a+b, x, y) + math.Log(a) + math.Log(b) - math.Log(a+b)
}
