package divergence

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/likely-ml/likely/dist"
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
		kl:       func() float64 { return excess(b / a) },
		reverse:  func() float64 { return excess(a / b) },
		affinity: func(alpha float64) float64 { return affinityOfScales(alpha, a, b) },
		tv: func() float64 {
			// With r = b/a it is r^(r/(1-r)) - r^(1/(1-r)), whose second part is r times the first.
			r := b / a
			return math.Abs((1 - r) * math.Exp(r*math.Log(r)/(1-r)))
		},
		wasserstein1: func() float64 { return shift },
		wasserstein2: func() float64 { return math.Sqrt2 * shift },
		energy:       func() float64 { return (a - b) / a * ((a - b) / b) / (a + b) },
	}
}

// excess is r - 1 - log r.
func excess(r float64) float64 { return r - 1 - math.Log1p(r-1) }

// affinityOfScales is α log a + (1-α) log b - log(α a + (1-α) b), infinite where the last is of no positive number.
func affinityOfScales(alpha, a, b float64) float64 {
	r := b/a - 1
	if 1+(1-alpha)*r <= 0 {
		return math.Inf(1)
	}
	return (1-alpha)*math.Log1p(r) - math.Log1p((1-alpha)*r)
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
		kl:      func() float64 { return a * excess(b/a) },
		reverse: func() float64 { return b * excess(a/b) },
		affinity: func(alpha float64) float64 {
			return math.Exp(alpha*math.Log(a)+(1-alpha)*math.Log(b)) - alpha*a - (1-alpha)*b
		},
		tv: func() float64 {
			k := math.Floor((a - b) / math.Log(a/b))
			return math.Abs(p.CDF(k) - q.CDF(k))
		},
		wasserstein1: func() float64 { return math.Abs(a - b) },
	}
}

// betweenGeometrics are the formulas for the number of trials up to the first success, of probabilities a and b:
//
//	KL        = log a/b + (1/a - 1) log (1-a)/(1-b)
//	affinity  = α log a + (1-α) log b - log(1 - (1-a)^α (1-b)^(1-α)), infinite where the last is of no positive number
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
		return math.Log(a/b) + (1-a)/a*(math.Log1p(-a)-math.Log1p(-b))
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
			return alpha*math.Log(a) + (1-alpha)*math.Log(b) - math.Log(-math.Expm1(common))
		},
		tv: func() float64 {
			if a == 1 || b == 1 {
				return 1 - min(a, b)
			}
			k := math.Floor(1 + math.Log(a/b)/(math.Log1p(-b)-math.Log1p(-a)))
			return math.Abs(p.CDF(k) - q.CDF(k))
		},
		wasserstein1: func() float64 { return math.Abs(1/a - 1/b) },
	}
}

// lgamma is log Γ(a) for a > 0.
func lgamma(a float64) float64 {
	v, _ := math.Lgamma(a)
	return v
}

// digamma is ψ(a) = d/da log Γ(a) for a > 0, by ψ(a) = ψ(a+1) - 1/a up to 12 and the asymptotic series from there (Abramowitz and Stegun,
// 6.3.5 and 6.3.18). That of gonum has a relative error of 1e-10.
func digamma(a float64) float64 {
	sum := 0.0
	for ; a < 12; a++ {
		sum -= 1 / a
	}
	r := 1 / (a * a)
	series := r * (1.0/12 - r*(1.0/120-r*(1.0/252-r*(1.0/240-r*(1.0/132-r*(691.0/32760-r/12))))))
	return sum + math.Log(a) - 1/(2*a) - series
}

// betweenGammas are the formulas for shapes k, l and rates a, b:
//
//	KL        = (k-l) ψ(k) - log Γ(k) + log Γ(l) + l log a/b + k (b/a - 1)
//	affinity  = log Γ(s) - α log Γ(k) - (1-α) log Γ(l) + α k log a + (1-α) l log b - s log v,
//	            s = α k + (1-α) l, v = α a + (1-α) b, infinite where one of them is not positive
//	W1        = k |1/a - 1/b|,  W2² = k (k+1) (1/a - 1/b)²  where k = l: both are multiples of one gamma
func betweenGammas(p, q *dist.Gamma) formulas {
	k, a, l, b := p.Shape(), p.Rate(), q.Shape(), q.Rate()
	kl := func(k, a, l, b float64) float64 {
		// l log a/b + k (b/a - 1) = k (r - 1 - log r) + (k-l) log r, r = b/a.
		r := b / a
		return max((k-l)*(digamma(k)+math.Log(r))-lgamma(k)+lgamma(l)+k*excess(r), 0)
	}
	f := formulas{
		kl:      func() float64 { return kl(k, a, l, b) },
		reverse: func() float64 { return kl(l, b, k, a) },
		affinity: func(alpha float64) float64 {
			s, v := alpha*k+(1-alpha)*l, alpha*a+(1-alpha)*b
			if s <= 0 || v <= 0 {
				return math.Inf(1)
			}
			if k == l {
				return k * affinityOfScales(alpha, a, b)
			}
			return lgamma(s) - alpha*lgamma(k) - (1-alpha)*lgamma(l) + alpha*k*math.Log(a) + (1-alpha)*l*math.Log(b) - s*math.Log(v)
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
func betweenBetas(p, q *dist.Beta) formulas {
	a, b := p.Shapes()
	c, d := q.Shapes()
	kl := func(a, b, c, d float64) float64 {
		return max(mathext.Lbeta(c, d)-mathext.Lbeta(a, b)+(a-c)*digamma(a)+(b-d)*digamma(b)+
			(c-a+d-b)*digamma(a+b), 0)
	}
	return formulas{
		kl:      func() float64 { return kl(a, b, c, d) },
		reverse: func() float64 { return kl(c, d, a, b) },
		affinity: func(alpha float64) float64 {
			s, t := alpha*a+(1-alpha)*c, alpha*b+(1-alpha)*d
			if s <= 0 || t <= 0 {
				return math.Inf(1)
			}
			return mathext.Lbeta(s, t) - alpha*mathext.Lbeta(a, b) - (1-alpha)*mathext.Lbeta(c, d)
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
		r, z := s/t, delta/s
		return excess(r) + r*(math.Expm1(-z)+z)
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
	f := betweenNormals(p.Log().Mean(), p.Log().StdDev(), q.Log().Mean(), q.Log().StdDev())
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
	kl := func() float64 { return math.Log1p((math.Pow(s-t, 2) + delta*delta) / (4 * s * t)) }
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
