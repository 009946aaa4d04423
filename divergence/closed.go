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
	if u, v, ok := lines(Of(p), Of(q)); ok && p.Discrete() {
		if m, ok := finiteMasses(u, v); ok {
			if sum, finish, ok := m.sum(k, o); ok {
				return measure.Exact(finish(sum)), nil
			}
		}
	}
	if f, ok := formulasOf(p, q); ok {
		if v, ok := f.value(k, o); ok {
			return measure.Exact(v), nil
		}
	}
	if k == Energy || k == MMD {
		if v, ok := betweenMixtures(k, p, q, o); ok {
			return measure.Exact(v), nil
		}
	}
	return 0, fmt.Errorf("%w of %s between %s and %s", ErrNoClosedForm, k, p, q)
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
	densities    func(f integrand) float64 // all kinds of densities at once
}

// value is the closed form of a kind, and whether there is one.
func (f formulas) value(k Kind, o Params) (float64, bool) {
	call := func(g func() float64) (float64, bool) {
		if g == nil {
			return 0, false
		}
		return g(), true
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
	if f.affinity == nil {
		return 0, false
	}
	// The affinity is at most 0 for α up to 1 and at least 0 above, but for rounding.
	switch k {
	case Renyi:
		return max(f.affinity(o.Alpha)/(o.Alpha-1), 0), true
	case Bhattacharyya:
		return max(-f.affinity(0.5), 0), true
	case Hellinger:
		return root(-math.Expm1(f.affinity(0.5))), true
	case ChiSquare:
		return max(math.Expm1(f.affinity(2)), 0), true
	}
	return 0, false
}

// formulasOf are the closed forms for two distributions of one family, and whether there are any.
func formulasOf(p, q dist.Distribution) (formulas, bool) {
	if a, ok := gaussianOf(p); ok {
		if b, ok := gaussianOf(q); ok {
			if len(a.mean) == 1 {
				return betweenNormals(a.mean[0], math.Sqrt(a.covariance[0]), b.mean[0], math.Sqrt(b.covariance[0])), true
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
