package divergence

import (
	"fmt"
	"math"

	"github.com/likely-ml/likely/measure"
)

// An integrand makes a kind of divergence that is finish(∫ term(p(x), q(x)) dx). Terms are given the logarithms of p and q, are never
// negative, and are homogeneous, term(log cp, log cq) = c term(log p, log q), so that they can be taken relative to another density
// in whose units nothing overflows.
//
// Where the kind has a form ∫ f(p, q) with f of both signs, a multiple of p - q is added, which integrates to 0: it takes
// the cancellation out of sums and the variance out of means.
type integrand struct {
	term   func(lp, lq float64) float64
	finish func(v float64) float64
	// sway is how much term changes when log p and log q change by a part of themselves, relative to that part. It makes of the rounding
	// of log-probabilities an error of the term.
	sway func(lp, lq, term float64) float64
}

var integrands = map[Kind]integrand{
	KL:             {termKL, same, swayKL},
	ReverseKL:      {func(lp, lq float64) float64 { return termKL(lq, lp) }, same, func(lp, lq, term float64) float64 { return swayKL(lq, lp, term) }},
	Jeffreys:       {termJeffreys, same, func(lp, lq, term float64) float64 { return swayKL(lp, lq, term) + swayKL(lq, lp, term) }},
	JS:             {termJS, same, swayBounded},
	JSDistance:     {termJS, root, swayBounded},
	TotalVariation: {termTV, same, swayBounded},
	Hellinger:      {termHellinger, root, swayBounded},
	ChiSquare:      {termChiSquare, same, swayPower(2)},
	Bhattacharyya:  {termAffinity(0.5), func(v float64) float64 { return -math.Log(v) }, swayPower(0.5)},
}

// integrandOf is the integrand of a kind, and whether it has one.
func integrandOf(k Kind, o Params) (integrand, bool) {
	if k == Renyi {
		return integrand{termAffinity(o.Alpha), func(v float64) float64 { return math.Log(v) / (o.Alpha - 1) }, swayPower(o.Alpha)}, true
	}
	f, ok := integrands[k]
	return f, ok
}

func same(v float64) float64 { return v }
func root(v float64) float64 { return math.Sqrt(max(v, 0)) }

// termKL is p log(p/q) - p + q.
func termKL(lp, lq float64) float64 {
	p, q, d := math.Exp(lp), math.Exp(lq), lp-lq
	switch {
	case p == 0:
		return q
	case math.IsInf(d, 1): // q = 0
		return d
	case math.Abs(d) < 1:
		return p * (math.Expm1(-d) + d)
	}
	return p*d - p + q
}

// termJeffreys is (p - q) log(p/q).
func termJeffreys(lp, lq float64) float64 {
	p, q, d := math.Exp(lp), math.Exp(lq), lp-lq
	switch {
	case p == 0 && q == 0:
		return 0
	case math.Abs(d) < 1:
		return q * math.Expm1(d) * d
	}
	return (p - q) * d
}

// termJS is ½ p log(p/m) + ½ q log(q/m) with m = ½(p+q): with t = (p-q)/(p+q) it is ½ m ((1+t) log(1+t) + (1-t) log(1-t)).
func termJS(lp, lq float64) float64 {
	p, q, t := math.Exp(lp), math.Exp(lq), contrast(lp, lq)
	if p+q == 0 {
		return 0
	}
	return (p + q) / 4 * (xlog1p(t) + xlog1p(-t))
}

// xlog1p is (1+t) log(1+t), 0 at t = -1.
func xlog1p(t float64) float64 {
	if t <= -1 {
		return 0
	}
	return (1 + t) * math.Log1p(t)
}

// contrast is (p-q)/(p+q). 2p/(p+q) - 1 is the same; p/(p+q) is the best classifier's probability of P.
func contrast(lp, lq float64) float64 { return math.Tanh((lp - lq) / 2) }

// termTV is ½|p - q|.
func termTV(lp, lq float64) float64 {
	high, low := max(lp, lq), min(lp, lq)
	if h := math.Exp(high); h != 0 {
		return -h / 2 * math.Expm1(low-high)
	}
	return 0
}

// termHellinger is ½(√p - √q)², whose integral is 1 - ∫√(pq).
func termHellinger(lp, lq float64) float64 {
	high, low := max(lp, lq), min(lp, lq)
	if h := math.Exp(high); h != 0 {
		e := math.Expm1((low - high) / 2)
		return h / 2 * e * e
	}
	return 0
}

// termChiSquare is (p - q)²/q.
func termChiSquare(lp, lq float64) float64 {
	p, q, d := math.Exp(lp), math.Exp(lq), lp-lq
	switch {
	case math.IsInf(lp, -1):
		return q
	case math.IsInf(lq, -1):
		return math.Inf(1)
	case d < 1:
		e := math.Expm1(d)
		return q * e * e
	}
	return math.Exp(2*lp-lq) - 2*p + q // p² where p has underflowed may be much of it
}

// termAffinity is p^α q^(1-α).
func termAffinity(alpha float64) func(lp, lq float64) float64 {
	return func(lp, lq float64) float64 {
		switch {
		case math.IsInf(lp, -1):
			return 0
		case math.IsInf(lq, -1):
			if alpha > 1 {
				return math.Inf(1)
			}
			return 0
		}
		return math.Exp(alpha*lp + (1-alpha)*lq)
	}
}

// weighed is |l| exp(l), 0 at l = -Inf.
func weighed(l float64) float64 {
	if p := math.Exp(l); p > 0 {
		return p * math.Abs(l)
	}
	return 0
}

func swayBounded(lp, lq, _ float64) float64 { return weighed(lp) + weighed(lq) }

func swayKL(lp, lq, term float64) float64 {
	if p := math.Exp(lp); p > 0 {
		return (p+term)*math.Abs(lp) + p*math.Abs(lq) + weighed(lq)
	}
	return weighed(lq)
}

// swayPower is that of p^α q^(1-α).
func swayPower(alpha float64) func(lp, lq, term float64) float64 {
	return func(lp, lq, term float64) float64 {
		if term == 0 {
			return 0
		}
		if math.IsInf(lp, -1) {
			return weighed(lq)
		}
		return term * (alpha*math.Abs(lp) + math.Abs((1-alpha)*lq))
	}
}

// integral is finish of a numerical integral and its error bound.
func (f integrand) integral(v, bound float64) measure.Integral {
	value := f.finish(v)
	if bound == 0 || math.IsInf(value, 1) {
		return measure.Integral{Value: value}
	}
	// finish is monotone: the value lies between its values at both ends.
	low, high := f.finish(max(v-bound, 0)), f.finish(v+bound)
	return measure.Integral{Value: value, ErrorBound: max(math.Abs(low-value), math.Abs(high-value))}
}

// settled is integral, or ErrNotConverged where v is 0, and the value so infinite, though p and q are known to overlap: it has underflowed.
func (f integrand) settled(k Kind, v, bound float64, overlap bool) (measure.Integral, error) {
	i := f.integral(v, bound)
	if v == 0 && math.IsInf(i.Value, 1) && overlap {
		return measure.Integral{}, fmt.Errorf("%s: P and Q overlap in less than a float64 can hold: %w", k, ErrNotConverged)
	}
	return i, nil
}

// estimate is finish of a mean and its standard error s. The error follows from the slope of finish over v ± s, which is the delta
// method where finish is nearly straight there, and finite at the end of a root.
func (f integrand) estimate(v, s float64, n int) measure.Estimate {
	value, high, low := f.finish(v), f.finish(v+s), f.finish(v-s)
	if !isFinite(low) { // the logarithm of what is not positive
		low = value - (high - value)
	}
	return measure.Estimate{Value: value, StandardError: math.Abs(high-low) / 2, N: n}
}
