package divergence

import (
	"math"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/internal/stirling"
)

// betweenExponentials are the formulas for rates a and b, the means 1/a and 1/b:
//
//	KL        = log a/b + b/a - 1
//	affinity  = α log a + (1-α) log b - log v,  v = α a + (1-α) b, infinite for v ≤ 0
//	tv        = |exp(-a x) - exp(-b x)| where the densities cross, x = log(a/b)/(a-b)
//	W1        = |1/a - 1/b|,  W2² = 2 W1²  (both are multiples of one exponential)
//	energy    = (a-b)²/(a b (a+b))
func betweenExponentials(a, b float64) formulas {
	shift := math.Abs(1/a - 1/b)
	return formulas{
		kl:       func() float64 { return excess(b, a) },
		reverse:  func() float64 { return excess(a, b) },
		affinity: func(alpha float64) float64 { return affinityOfScales(alpha, a, b) },
		tv: func() float64 {
			// With r = b/a, at most 1, it is r^(r/(1-r)) - r^(1/(1-r)), whose second part is r times the first.
			a, b := max(a, b), min(a, b)
			gap := (a - b) / a
			return gap * math.Exp(b/a*logRatio(b, a)/gap)
		},
		wasserstein1: func() float64 { return shift },
		wasserstein2: func() float64 { return math.Sqrt2 * shift },
		energy:       func() float64 { return (a - b) / a * ((a - b) / b) / (a + b) },
	}
}

// excess is r - 1 - log r, r = x/y, to full precision near r = 1 and far from it.
func excess(x, y float64) float64 { return stirling.Deviance(y, x) / y }

// logRatio is log x/y, to full precision where x and y are near each other.
func logRatio(x, y float64) float64 {
	if d := (x - y) / y; math.Abs(d) < 0.5 {
		return math.Log1p(d)
	}
	return math.Log(x) - math.Log(y)
}

// affinityOfScales is α log a + (1-α) log b - log v, v = α a + (1-α) b, infinite where v is not positive. It takes the logarithms relative to
// v: the linear terms of α (a/v - 1) + (1-α) (b/v - 1) are 0 in sum.
func affinityOfScales(alpha, a, b float64) float64 {
	v := alpha*a + (1-alpha)*b
	if v <= 0 {
		return math.Inf(1)
	}
	return -alpha*excess(a, v) - (1-alpha)*excess(b, v)
}

// betweenPoissons are the formulas for means a and b:
//
//	KL        = a log a/b - a + b
//	affinity  = a^α b^(1-α) - α a - (1-α) b
//	tv        = |F(k) - G(k)| for the last k at which the one of the smaller mean is likelier, ⌊(a-b)/log(a/b)⌋
//	W1        = |a - b|  (the greater is the smaller plus a Poisson of mean |a-b|)
func betweenPoissons(p, q *dist.Poisson) formulas {
	a, b := p.Mean(), q.Mean()
	return formulas{
		kl:       func() float64 { return stirling.Deviance(a, b) },
		reverse:  func() float64 { return stirling.Deviance(b, a) },
		affinity: func(alpha float64) float64 { return -meanDeviance(alpha, b*math.Exp(alpha*logRatio(a, b)), a, b) },
		tv: func() float64 {
			k := math.Floor((a - b) / logRatio(a, b))
			return math.Abs(p.CDF(k) - q.CDF(k))
		},
		wasserstein1: func() float64 { return math.Abs(a - b) },
	}
}

// meanDeviance is α D(g, a) + (1-α) D(g, b) for g = a^α b^(1-α), which is α a + (1-α) b - g. D(x, m) is x log x/m + m - x.
func meanDeviance(alpha, g, a, b float64) float64 {
	if alpha > 1 && g > 4*max(a, b) { // where the two, of opposite signs, are larger than what they sum to
		return alpha*a + (1-alpha)*b - g
	}
	return alpha*stirling.Deviance(g, a) + (1-alpha)*stirling.Deviance(g, b)
}

// betweenGeometrics are the formulas for the number of trials up to the first success, of probabilities a and b:
//
//	KL        = log a/b + (1/a - 1) log (1-a)/(1-b)
//	affinity  = α log a + (1-α) log b - log v,  v = 1 - (1-a)^α (1-b)^(1-α), infinite for v ≤ 0
//	tv        = |F(k) - G(k)|,  k = ⌊1 + log(a/b)/log((1-b)/(1-a))⌋
//	W1        = |1/a - 1/b|  (F - G is of one sign)
func betweenGeometrics(p, q *dist.Geometric) formulas {
	a, b := p.Probability(), q.Probability()
	kl := func(a, b float64) float64 {
		switch {
		case a == 1:
			return -math.Log(b)
		case b == 1:
			return math.Inf(1)
		}
		return (stirling.Deviance(a, b) + stirling.Deviance(1-a, 1-b)) / a
	}
	return formulas{
		kl:      func() float64 { return kl(a, b) },
		reverse: func() float64 { return kl(b, a) },
		affinity: func(alpha float64) float64 {
			common := 0.0 // log of (1-a)^α (1-b)^(1-α)
			switch {
			case b == 1 && alpha > 1 && a < 1:
				return math.Inf(1)
			case a == 1 || b == 1:
				common = math.Inf(-1)
			default:
				common = alpha*math.Log1p(-a) + (1-alpha)*math.Log1p(-b)
			}
			if common >= 0 {
				return math.Inf(1)
			}
			v := -math.Expm1(common)
			return -alpha*excess(a, v) - (1-alpha)*excess(b, v) - meanDeviance(alpha, 1-v, 1-a, 1-b)/v
		},
		tv: func() float64 {
			if a == 1 || b == 1 {
				return 1 - min(a, b)
			}
			k := math.Floor(1 + logRatio(a, b)/(math.Log1p(-b)-math.Log1p(-a)))
			return math.Abs(p.CDF(k) - q.CDF(k))
		},
		wasserstein1: func() float64 { return math.Abs(1/a - 1/b) },
	}
}

// divergenceOfLogGamma is log Γ(l) - log Γ(k) - (l-k) ψ(k), without the large terms that cancel.
func divergenceOfLogGamma(l, k float64) float64 {
	return stirling.Deviance(l, k) + excess(l, k)/2 + (l-k)*stirling.DigammaError(k) + stirling.Binet(l) - stirling.Binet(k)
}

// gapOfLogGamma is log Γ(s) - α log Γ(k) - (1-α) log Γ(l), s = α k + (1-α) l, without the large terms that cancel.
func gapOfLogGamma(alpha, k, l float64) float64 {
	s := alpha*k + (1-alpha)*l
	part := func(k float64) float64 {
		return stirling.Deviance(k, s) + excess(k, s)/2 + stirling.Binet(k) - stirling.Binet(s)
	}
	return -alpha*part(k) - (1-alpha)*part(l)
}

// betweenGammas are the formulas for shapes k, l and rates a, b:
//
//	KL        = log Γ(l) - log Γ(k) - (l-k) ψ(k) + k (b/a - 1 - log b/a) + (k-l) log b/a
//	affinity  = log Γ(s) - α log Γ(k) - (1-α) log Γ(l) + α k log a + (1-α) l log b - s log v,
//	            s = α k + (1-α) l, v = α a + (1-α) b, infinite where one of them is not positive
//	W1        = k |1/a - 1/b|,  W2² = k (k+1) (1/a - 1/b)²  where k = l: both are multiples of one gamma
func betweenGammas(p, q *dist.Gamma) formulas {
	k, a, l, b := p.Shape(), p.Rate(), q.Shape(), q.Rate()
	kl := func(k, a, l, b float64) float64 {
		return divergenceOfLogGamma(l, k) + k*excess(b, a) + (k-l)*logRatio(b, a)
	}
	f := formulas{
		kl:      func() float64 { return kl(k, a, l, b) },
		reverse: func() float64 { return kl(l, b, k, a) },
		affinity: func(alpha float64) float64 {
			s, v := alpha*k+(1-alpha)*l, alpha*a+(1-alpha)*b
			if s <= 0 || v <= 0 {
				return math.Inf(1)
			}
			// The logarithms of rates relative to v, their linear terms in one.
			return gapOfLogGamma(alpha, k, l) - alpha*k*excess(a, v) - (1-alpha)*l*excess(b, v) + alpha*(1-alpha)*(k-l)*((a-b)/v)
		},
	}
	if k == l {
		shift := math.Abs(1/a - 1/b)
		f.wasserstein1 = func() float64 { return k * shift }
		f.wasserstein2 = func() float64 { return math.Sqrt(k) * math.Sqrt(k+1) * shift }
	}
	return f
}

// betweenBetas are the formulas for shapes (a, b) and (c, d), B the beta function:
//
//	KL        = log B(c,d)/B(a,b) + (a-c) ψ(a) + (b-d) ψ(b) + (c-a+d-b) ψ(a+b)
//	affinity  = log B(s,t) - α log B(a,b) - (1-α) log B(c,d),  s = α a + (1-α) c, t = α b + (1-α) d, infinite where one of them is
//	            not positive
//
// Both are those of log Γ at a and c and at b and d, less that at a+b and c+d. Where b and d are nine orders of magnitude apart these are large, and
// leave an error of some 1e-8.
func betweenBetas(p, q *dist.Beta) formulas {
	a, b := p.Shapes()
	c, d := q.Shapes()
	kl := func(a, b, c, d float64) float64 {
		return divergenceOfLogGamma(c, a) + divergenceOfLogGamma(d, b) - divergenceOfLogGamma(c+d, a+b)
	}
	return formulas{
		kl:      func() float64 { return kl(a, b, c, d) },
		reverse: func() float64 { return kl(c, d, a, b) },
		affinity: func(alpha float64) float64 {
			if alpha*a+(1-alpha)*c <= 0 || alpha*b+(1-alpha)*d <= 0 {
				return math.Inf(1)
			}
			return gapOfLogGamma(alpha, a, c) + gapOfLogGamma(alpha, b, d) - gapOfLogGamma(alpha, a+b, c+d)
		},
	}
}

// betweenLaplaces are the formulas for scales s and t whose locations are Δ ≥ 0 apart:
//
//	KL        = log t/s + Δ/t + (s/t) exp(-Δ/s) - 1
//	affinity  = log ∫ exp(-u|x| - v|x-Δ|) dx - α log 2s - (1-α) log 2t,  u = α/s, v = (1-α)/t, infinite for u + v ≤ 0;
//	            the integral is (e^(-uΔ) + e^(-vΔ))/(u+v) + (e^(-vΔ) - e^(-uΔ))/(u-v), the last part
//	            Δ e^(-uΔ) for u = v
//	W1        = E|Δ + (s-t) Z| = Δ + |s-t| exp(-Δ/|s-t|),  W2² = Δ² + 2 (s-t)²  (both are linear in one Z, the best coupling)
func betweenLaplaces(p, q *dist.Laplace) formulas {
	s, t, delta := p.Scale(), q.Scale(), math.Abs(p.Mean()-q.Mean())
	kl := func(s, t float64) float64 {
		z := delta / s
		return excess(s, t) + s/t*(math.Expm1(-z)+z)
	}
	w := math.Abs(s - t)
	return formulas{
		kl:      func() float64 { return kl(s, t) },
		reverse: func() float64 { return kl(t, s) },
		affinity: func(alpha float64) float64 {
			u, v := alpha/s, (1-alpha)/t
			if u+v <= 0 {
				return math.Inf(1)
			}
			// All relative to the largest, exp(-min(u, v) Δ).
			least, gap := min(u, v)*delta, math.Abs(u-v)
			middle := delta
			if gap*delta > 0 {
				middle = -math.Expm1(-gap*delta) / gap
			}
			return math.Log((1+math.Exp(-gap*delta))/(u+v)+middle) - least - alpha*math.Log(2*s) - (1-alpha)*math.Log(2*t)
		},
		wasserstein1: func() float64 {
			if w == 0 {
				return delta
			}
			return delta + w*math.Exp(-delta/w)
		},
		wasserstein2: func() float64 { return math.Hypot(delta, math.Sqrt2*w) },
	}
}

// betweenLogNormals has the formulas of the normals of log x for whatever depends on the densities alone.
func betweenLogNormals(p, q *dist.LogNormal) formulas {
	f := betweenNormals(p.Log(), q.Log())
	f.wasserstein1, f.wasserstein2, f.energy = nil, nil, nil
	return f
}

// betweenCauchys are the formulas for scales s and t whose locations are Δ apart:
//
//	KL  = log(((s+t)² + Δ²)/(4st)), which is symmetric (Chyzak and Nielsen, A closed-form formula for the Kullback-Leibler
//	      divergence between Cauchy distributions, 2019)
//	W1 and W2 are Δ for equal scales, else infinite: both are linear in one Z, the best coupling, which has no mean
func betweenCauchys(p, q *dist.Cauchy) formulas {
	s, t, delta := p.Scale(), q.Scale(), math.Abs(p.Location()-q.Location())
	kl := func() float64 { return math.Log1p(((s-t)/s*((s-t)/t) + delta/s*(delta/t)) / 4) }
	shift := func() float64 {
		if s == t {
			return delta
		}
		return math.Inf(1)
	}
	return formulas{kl: kl, reverse: kl, wasserstein1: shift, wasserstein2: shift}
}

// betweenLogistics are W1 = E|Δ + wZ| = Δ + 2w log(1 + exp(-Δ/w)) and W2² = Δ² + w² π²/3 for locations Δ and scales w apart: both
// are linear in one Z, the best coupling.
func betweenLogistics(p, q *dist.Logistic) formulas {
	delta, w := math.Abs(p.Mean()-q.Mean()), math.Abs(p.Scale()-q.Scale())
	return formulas{
		wasserstein1: func() float64 {
			if w == 0 {
				return delta
			}
			return delta + 2*w*math.Log1p(math.Exp(-delta/w))
		},
		wasserstein2: func() float64 { return math.Hypot(delta, w*math.Pi/math.Sqrt(3)) },
	}
}

// betweenStudents is W2² = Δ² + w² ν/(ν-2) for locations Δ and scales w apart and equal ν: both are linear in one Z, the best
// coupling, whose variance is that, infinite for ν ≤ 2.
func betweenStudents(p, q *dist.Student) (formulas, bool) {
	nu := p.DegreesOfFreedom()
	if nu != q.DegreesOfFreedom() {
		return formulas{}, false
	}
	delta, w := math.Abs(p.Location()-q.Location()), math.Abs(p.Scale()-q.Scale())
	return formulas{wasserstein2: func() float64 {
		switch {
		case w == 0:
			return delta
		case nu <= 2:
			return math.Inf(1)
		}
		return math.Hypot(delta, w*math.Sqrt(nu/(nu-2)))
	}}, true
}

// factored is a product of independent distributions.
type factored interface {
	dist.Distribution
	Factors() []dist.Distribution
}

// betweenProducts sums over the factors: KL, its reverse, the affinity and the square of W2 add. A formula that a pair of factors
// lacks the products lack too.
func betweenProducts(p, q factored) (formulas, bool) {
	first, second := p.Factors(), q.Factors()
	if len(first) != len(second) {
		return formulas{}, false
	}
	for i := range first {
		if first[i].Dim() != second[i].Dim() {
			return formulas{}, false
		}
	}
	// add is the sum of a kind over the factors, nil where one of them has no closed form of it.
	add := func(k Kind, o Params, f func(float64) float64) func() float64 {
		sum := 0.0
		for i := range first {
			v, err := ClosedForm(k, first[i], second[i], o)
			if err != nil {
				return nil
			}
			sum += f(float64(v))
		}
		return func() float64 { return sum }
	}
	var f formulas
	f.kl, f.reverse = add(KL, Params{}, same), add(ReverseKL, Params{}, same)
	if add(Bhattacharyya, Params{}, same) != nil {
		f.affinity = func(alpha float64) float64 {
			return (alpha - 1) * add(Renyi, Params{Alpha: alpha}, same)()
		}
	}
	if squares := add(Wasserstein2, Params{}, func(v float64) float64 { return v * v }); squares != nil {
		f.wasserstein2 = func() float64 { return math.Sqrt(squares()) }
	}
	return f, true
}
