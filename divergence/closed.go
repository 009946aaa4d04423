package divergence

import (
	"fmt"
	"math"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/measure"
)

// ClosedForm computes a divergence by a formula, to rounding errors; the package's documentation lists which there are. It is
// ErrNoClosedForm where there is none, and ErrIncomparable. Two equal distributions are at 0 in every kind.
func ClosedForm(k Kind, p, q dist.Distribution, o Params) (measure.Exact, error) {
	if err := o.check(k); err != nil {
		return 0, err
	}
	if err := compare(p, q); err != nil {
		return 0, err
	}
	if p.String() == q.String() {
		return 0, nil
	}
	v, ok := closedForm(k, p, q, o)
	switch {
	case !ok:
		return 0, fmt.Errorf("%w of %s between %s and %s", ErrNoClosedForm, k, p, q)
	case math.IsNaN(v):
		return 0, fmt.Errorf("%w of %s between %s and %s that float64 can hold; expected parameters nearer to 1", ErrNoClosedForm, k, p, q)
	}
	return measure.Exact(max(v, 0)), nil // below 0 by rounding alone
}

// closedForm is the value of a closed form, and whether there is one.
func closedForm(k Kind, p, q dist.Distribution, o Params) (float64, bool) {
	if u, v, ok := lines(Of(p), Of(q)); ok && p.Discrete() {
		if m, ok := finiteMasses(u, v); ok {
			if k == Renyi || k == Bhattacharyya { // whose sums may overflow or underflow
				return formulas{affinity: m.affinity}.value(k, o)
			}
			if sum, finish, ok := m.sum(k, o); ok {
				return finish(sum), true
			}
		}
	}
	if f, ok := formulasOf(p, q); ok {
		if v, ok := f.value(k, o); ok {
			return v, true
		}
	}
	if k == Energy || k == MMD {
		return betweenMixtures(k, p, q, o)
	}
	return 0, false
}

// formulas are the closed forms for a pair of distributions; those that there are not are nil.
type formulas struct {
	kl, reverse func() float64
	// affinity is log ∫ p^α q^(1-α), infinite where the integral is. From it follow Rényi's divergence, Bhattacharyya's, Hellinger's and
	// chi-square.
	affinity     func(alpha float64) float64
	tv           func() float64
	wasserstein1 func() float64
	wasserstein2 func() float64
	energy       func() float64
	densities    func(f integrand) float64 // all kinds of densities that the affinity does not give
}

// value is the closed form of a kind, and whether there is one.
func (f formulas) value(k Kind, o Params) (float64, bool) {
	call := func(g func() float64) (float64, bool) {
		if g == nil {
			return 0, false
		}
		return g(), true
	}
	if f.affinity != nil {
		switch k {
		case Renyi:
			return f.affinity(o.Alpha) / (o.Alpha - 1), true
		case Bhattacharyya:
			return -f.affinity(0.5), true
		case Hellinger:
			return root(-math.Expm1(f.affinity(0.5))), true
		case ChiSquare:
			return math.Expm1(f.affinity(2)), true
		}
	}
	if i, ok := integrandOf(k, o); ok && f.densities != nil {
		return f.densities(i), true
	}
	switch k {
	case KL:
		return call(f.kl)
	case ReverseKL:
		return call(f.reverse)
	case Jeffreys:
		if f.kl == nil || f.reverse == nil {
			return 0, false
		}
		return f.kl() + f.reverse(), true
	case TotalVariation:
		return call(f.tv)
	case Wasserstein1:
		return call(f.wasserstein1)
	case Wasserstein2:
		return call(f.wasserstein2)
	case Energy:
		return call(f.energy)
	}
	return 0, false
}

// formulasOf are the closed forms for two distributions of one family, and whether there are any.
func formulasOf(p, q dist.Distribution) (formulas, bool) {
	if a, ok := gaussianOf(p); ok {
		if b, ok := gaussianOf(q); ok {
			if len(a.mean) == 1 {
				return betweenNormals(p.(dist.Marginals).Marginal(0).(*dist.Normal), q.(dist.Marginals).Marginal(0).(*dist.Normal)), true
			}
			return betweenMVNormals(a, b)
		}
	}
	switch p := p.(type) {
	case *dist.Uniform:
		if q, ok := q.(*dist.Uniform); ok {
			return betweenUniforms(p, q), true
		}
	case *dist.Exponential:
		if q, ok := q.(*dist.Exponential); ok {
			return betweenExponentials(p.Rate(), q.Rate()), true
		}
	case *dist.Poisson:
		if q, ok := q.(*dist.Poisson); ok {
			return betweenPoissons(p, q), true
		}
	case *dist.Geometric:
		if q, ok := q.(*dist.Geometric); ok {
			return betweenGeometrics(p, q), true
		}
	case *dist.Gamma:
		if q, ok := q.(*dist.Gamma); ok {
			return betweenGammas(p, q), true
		}
	case *dist.Beta:
		if q, ok := q.(*dist.Beta); ok {
			return betweenBetas(p, q), true
		}
	case *dist.Laplace:
		if q, ok := q.(*dist.Laplace); ok {
			return betweenLaplaces(p, q), true
		}
	case *dist.LogNormal:
		if q, ok := q.(*dist.LogNormal); ok {
			return betweenLogNormals(p, q), true
		}
	case *dist.Cauchy:
		if q, ok := q.(*dist.Cauchy); ok {
			return betweenCauchys(p, q), true
		}
	case *dist.Logistic:
		if q, ok := q.(*dist.Logistic); ok {
			return betweenLogistics(p, q), true
		}
	case *dist.Student:
		if q, ok := q.(*dist.Student); ok {
			return betweenStudents(p, q)
		}
	case factored:
		if q, ok := q.(factored); ok {
			return betweenProducts(p, q)
		}
	}
	return formulas{}, false
}
