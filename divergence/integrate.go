package divergence

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/likely-ml/likely/measure"
)

// Integrate computes a divergence numerically, with a bound on the error: of continuous distributions in 1 to 3 dimensions by
// adaptive quadrature over all of space, of whole numbers by a sum whose tail is bounded. Wasserstein and energy distances are had over
// the line alone, by distribution functions and quantiles, MMD over whole numbers alone, and chi-square and Rényi's of order above 1
// not in several dimensions.
//
// Integrated with the divergence are p and q themselves. What they are short of 1 shows what integration has overlooked; it counts
// a hundredfold in the error bound, as the integrand may be that much larger than p and q, and above 1e-4 there is no result. The
// bound also has what the rounding of log p and log q may do.
//
// It is ErrNoIntegral where the kind or the distributions cannot be integrated, ErrNotConverged where the integral is not found to
// be finite, and ErrIncomparable. An infinite value is one that is known to be: where p has mass that q has not.
func Integrate(ctx context.Context, k Kind, p, q Density, o Params) (measure.Integral, error) {
	if err := o.check(k); err != nil {
		return measure.Integral{}, err
	}
	if err := compare(p, q); err != nil {
		return measure.Integral{}, err
	}
	if p.Discrete() {
		return sum(ctx, k, p, q, o)
	}
	f, ok := integrandOf(k, o)
	if !ok {
		return onLine(ctx, k, p, q)
	}
	d := p.Dim()
	if d > mostDims {
		return measure.Integral{}, fmt.Errorf("%w: %s over %d dimensions; expected at most %d", ErrNoIntegral, k, d, mostDims)
	}
	axes := make([][]piece, d)
	for j := range axes {
		points, ok := breaks(p, q, j)
		if !ok {
			return measure.Integral{}, fmt.Errorf("%w of %s: it is not known where the densities lie", ErrNoIntegral, k)
		}
		axes[j] = piecesOf(points)
	}
	if d > 1 && (k == ChiSquare || k == Renyi && o.Alpha > 1) {
		return measure.Integral{}, fmt.Errorf("%w of %s over %d dimensions: it may be infinite for what lies in a narrow cone, where no point is taken", ErrNoIntegral, k, d)
	}
	a := precision(p, q)
	a.m, a.lead = 4, 1
	overlap := false // whether both have mass at any point
	a.f = func(dst, x, logWeight []float64) error {
		n := len(dst) / 4
		lp, lq := make([]float64, n), make([]float64, n)
		if err := p.LogProb(lp, x); err != nil {
			return err
		}
		if err := q.LogProb(lq, x); err != nil {
			return err
		}
		for i := range n {
			// The term is homogeneous: so far out as p itself underflows it takes the weight into the logarithms.
			a, b := lp[i]+logWeight[i], lq[i]+logWeight[i]
			term := f.term(a, b)
			overlap = overlap || !math.IsInf(lp[i], -1) && !math.IsInf(lq[i], -1)
			dst[4*i], dst[4*i+1], dst[4*i+2] = term, math.Exp(a), math.Exp(b)
			switch {
			case !math.IsInf(term, 1):
				dst[4*i+3] = f.sway(a, b, term)
			case !math.IsInf(lp[i], -1) && !math.IsInf(lq[i], -1) || farOut(x[i*d:(i+1)*d]):
				return ErrNotConverged // it is too large for a float64, or log p or log q is
			}
		}
		return nil
	}
	value, bound, err := a.integrate(ctx, axes)
	switch {
	case err != nil:
		return measure.Integral{}, fmt.Errorf("%s: %w", k, err)
	case math.IsInf(value[0], 1):
		return f.integral(value[0], 0), nil
	}
	lost := max(math.Abs(value[1]-1)-bound[1], 0) + max(math.Abs(value[2]-1)-bound[2], 0)
	if !(lost <= mostLost) {
		return measure.Integral{}, fmt.Errorf("%w: P integrates to %.6g and Q to %.6g, expected 1", ErrNotConverged, value[1], value[2])
	}
	wrong := bound[0] + 100*lost + rounding + logRounding*value[3]
	if !(wrong <= leastConverged*max(value[0], leastConverged)) {
		return measure.Integral{}, fmt.Errorf("%s: %w", k, ErrNotConverged)
	}
	return f.settled(k, value[0], wrong, overlap)
}

// farOut reports whether squares of x are no numbers.
func farOut(x []float64) bool {
	return slices.ContainsFunc(x, func(v float64) bool { return math.Abs(v) > 1e150 })
}

const (
	mostLost       = 1e-4 // of the masses of p and q
	leastConverged = 1e-2 // the error, relative to the value, above which an integral has not converged
)

// precision is how far to integrate: as far as float64 goes on the line, and as far as some seconds go in more dimensions. Densities
// that are not of package dist may be models, which are slow and have float32 inside.
func precision(p, q Density) *adaptive {
	_, first := p.(Known)
	_, second := q.(Known)
	switch {
	case !first || !second:
		return &adaptive{tolerance: 1e-6, floor: 1e-8, most: 200_000}
	case p.Dim() == 1:
		return &adaptive{tolerance: 1e-12, floor: 1e-14, most: 500_000}
	case p.Dim() == 2:
		return &adaptive{tolerance: 1e-9, floor: 1e-11, most: 1_000_000}
	}
	return &adaptive{tolerance: 1e-7, floor: 1e-9, most: 2_000_000}
}
