package divergence

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/measure"
)

// onLine computes the kinds that look at distances, of continuous distributions over the line.
func onLine(ctx context.Context, k Kind, p, q Density) (measure.Integral, error) {
	u, v, ok := lines(p, q)
	if !ok || (k != Wasserstein1 && k != Wasserstein2 && k != Energy) {
		return measure.Integral{}, fmt.Errorf("%w of %s of these distributions; expected a kind of densities, or wasserstein1, wasserstein2 or energy of written distributions over the line", ErrNoIntegral, k)
	}
	if value, err, settled := byMoments(k, u, v); settled {
		return measure.Integral{Value: value}, err
	}
	if k == Wasserstein2 {
		return byQuantiles(ctx, u, v)
	}
	return byCDF(ctx, k, u, v)
}

// byMoments settles a kind that does not exist, or is infinite, for want of moments: Wasserstein1 and Energy ask for a mean,
// Wasserstein2 for a variance. Where one of two has it and the other not, Wasserstein distances are infinite.
func byMoments(k Kind, p, q dist.Univariate) (value float64, err error, settled bool) {
	moment, name := dist.Univariate.Mean, "mean"
	if k == Wasserstein2 {
		moment, name = dist.Univariate.Variance, "variance"
	}
	first, second := isFinite(moment(p)), isFinite(moment(q))
	switch {
	case first && second:
		return 0, nil, false
	case first != second && k != Energy:
		return math.Inf(1), nil, true
	}
	return 0, fmt.Errorf("%w of %s of distributions without a finite %s", ErrNoIntegral, k, name), true
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// hasMeans is false where an element of x is known to have no finite mean.
func hasMeans(d Density) bool {
	k, _ := d.(Known)
	m, ok := k.Distribution.(dist.Marginals)
	for i := 0; ok && i < d.Dim(); i++ {
		if !isFinite(m.Marginal(i).Mean()) {
			return false
		}
	}
	return true
}

// topLevel is how far up a distribution function is followed: further the difference of two of them is a difference of rounding
// errors, times an endless interval.
const topLevel = 1 - 1e-13

// byCDF integrates |F-G|, or 2 (F-G)². Beyond t, where both are above topLevel, ∫(1-F) = E(X-t)⁺ = E X - t + ∫F, the last up to t,
// which is integrated with it.
func byCDF(ctx context.Context, k Kind, p, q dist.Univariate) (measure.Integral, error) {
	points, ok := breaks(Of(p), Of(q), 0)
	if !ok {
		return measure.Integral{}, fmt.Errorf("%w of %s: the quantiles are not known", ErrNoIntegral, k)
	}
	if last := len(points) - 1; math.IsInf(points[last], 1) {
		top := max(p.Quantile(topLevel), q.Quantile(topLevel))
		points = append(slices.DeleteFunc(points, func(x float64) bool { return x >= top }), top)
	}
	t := points[len(points)-1]
	scale := p.Quantile(0.9) - p.Quantile(0.1) + q.Quantile(0.9) - q.Quantile(0.1)
	a := &adaptive{m: 3, lead: 3, tolerance: 1e-12, floor: 1e-15 * scale, most: 1_000_000}
	a.f = func(dst, x, logWeight []float64) error {
		for i, at := range x {
			f, g := p.CDF(at), q.CDF(at)
			gap := math.Abs(f - g)
			if k == Energy {
				gap = 2 * gap * gap
			}
			weight := math.Exp(logWeight[i])
			dst[3*i], dst[3*i+1], dst[3*i+2] = weight*gap, weight*f, weight*g
		}
		return nil
	}
	value, bound, err := a.integrate(ctx, [][]piece{piecesOf(points)})
	if err != nil {
		return measure.Integral{}, err
	}
	tail := func(d dist.Univariate, integral, bound float64) (excess, wrong float64) {
		return max(d.Mean()-t+integral, 0), bound + rounding*(math.Abs(d.Mean())+math.Abs(t)+integral)
	}
	first, wrong1 := tail(p, value[1], bound[1])
	second, wrong2 := tail(q, value[2], bound[2])
	result := measure.Integral{Value: value[0], ErrorBound: bound[0] + rounding*scale}
	if k == Wasserstein1 { // |first - second| where F and G do not cross beyond t, and else at most their sum
		result.Value += math.Abs(first - second)
		result.ErrorBound += 2*min(first, second) + wrong1 + wrong2
	} else { // |F-G| is at most 1 - topLevel there
		result.ErrorBound += 2 * (1 - topLevel) * (first + second + wrong1 + wrong2)
	}
	return converged(k, result)
}

// byQuantiles is the root of ∫(F⁻¹(u) - G⁻¹(u))² du. What lies above the last u, where numbers are too far apart, is at most twice the
// second moments there, which are what those integrated with it are short of E(X-c)².
func byQuantiles(ctx context.Context, p, q dist.Univariate) (measure.Integral, error) {
	points := []float64{0}
	for e := -15; e <= -1; e++ {
		points = append(points, math.Pow(10, float64(e)))
	}
	points = append(points, 0.3, 0.5, 0.7)
	for e := -1; e >= -15; e-- {
		points = append(points, 1-math.Pow(10, float64(e)))
	}
	c := p.Mean()
	moment := func(d dist.Univariate) float64 { return d.Variance() + (d.Mean()-c)*(d.Mean()-c) }
	size := moment(p) + moment(q)
	a := &adaptive{m: 3, lead: 3, tolerance: 1e-12, floor: 1e-15 * size, most: 40_000}
	a.f = func(dst, x, logWeight []float64) error {
		for i, u := range x {
			f, g := p.Quantile(u), q.Quantile(u)
			weight := math.Exp(logWeight[i])
			dst[3*i], dst[3*i+1], dst[3*i+2] = weight*(f-g)*(f-g), weight*(f-c)*(f-c), weight*(g-c)*(g-c)
		}
		return nil
	}
	value, bound, err := a.integrate(ctx, [][]piece{piecesOf(points)})
	if err != nil {
		return measure.Integral{}, err
	}
	short := math.Abs(moment(p)-value[1]) + math.Abs(moment(q)-value[2])
	f := integrand{finish: root}
	return converged(Wasserstein2, f.integral(value[0], bound[0]+2*(short+bound[1]+bound[2])+rounding*size))
}

// converged is ErrNotConverged where the error is as large as the value.
func converged(k Kind, i measure.Integral) (measure.Integral, error) {
	if !(i.ErrorBound <= max(i.Value, 1e-6)) {
		return measure.Integral{}, fmt.Errorf("%s: %w", k, ErrNotConverged)
	}
	return i, nil
}
