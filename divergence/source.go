package divergence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/dist"
)

// Density is a distribution whose density, or probability of each x, can be computed. It is safe for concurrent use. Of makes one
// of a dist.Distribution; a fitted model with a density is easily made one too.
type Density interface {
	// Dim is d, the number of elements of x.
	Dim() int
	// Discrete reports whether LogProb is of a probability; else it is of a density.
	Discrete() bool
	// LogProb sets dst[i] to log p(x_i) in nats, -Inf where p is 0. x is row-major (len(dst), d).
	LogProb(dst, x []float64) error
}

// Sampler is a distribution that can be drawn from. It is safe for concurrent use.
type Sampler interface {
	Dim() int
	// Sample fills dst, row-major (n, d), with n independent draws.
	Sample(dst []float64, r *rand.Rand) error
}

// Breaker is a Density over R^d that knows where it lies.
type Breaker interface {
	Density
	// Breaks are ascending points on an axis: first and last the ends of the support, which may be infinite; between them some where
	// integration is cut to begin with, so that it overlooks no peak: quantiles, and places where the density is not smooth.
	Breaks(axis int) []float64
}

// Known is a dist.Distribution as Density, Sampler and, where its marginals are known, Breaker.
type Known struct{ dist.Distribution }

// Of is d as Density and Sampler.
func Of(d dist.Distribution) Known { return Known{d} }

// LogProb sets dst[i] to log p(x_i).
func (k Known) LogProb(dst, x []float64) error {
	d := k.Dim()
	if len(x) != len(dst)*d {
		return fmt.Errorf("log p of %d numbers asked for, expected %d: %d for each of %d points", len(x), len(dst)*d, d, len(dst))
	}
	for i := range dst {
		dst[i] = k.Distribution.LogProb(x[i*d : (i+1)*d])
	}
	return nil
}

// levels are the quantiles at which integration is cut to begin with, by the number of dimensions.
var levels = [mostDims][]float64{
	{1e-12, 1e-6, 1e-3, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, 1 - 1e-3, 1 - 1e-6, 1 - 1e-12},
	{1e-3, 0.1, 0.5, 0.9, 1 - 1e-3},
	{0.01, 0.5, 0.99},
}

// Breaks are quantiles of the axis's marginal distribution. It is nil where that is not known, or where there are more than 3 axes.
func (k Known) Breaks(axis int) []float64 {
	m, ok := k.Distribution.(dist.Marginals)
	if !ok || k.Dim() > mostDims {
		return nil
	}
	marginal := m.Marginal(axis)
	points := []float64{marginal.Quantile(0)}
	for _, level := range levels[k.Dim()-1] {
		points = append(points, marginal.Quantile(level))
	}
	return append(points, marginal.Quantile(1))
}

// breaks are those of both, ascending, or false where one does not know them.
func breaks(p, q Density, axis int) ([]float64, bool) {
	var points []float64
	for _, d := range []Density{p, q} {
		b, ok := d.(Breaker)
		if !ok {
			return nil, false
		}
		own := b.Breaks(axis)
		if len(own) < 2 || slices.ContainsFunc(own, math.IsNaN) {
			return nil, false
		}
		points = append(points, own...)
	}
	slices.Sort(points)
	return slices.Compact(points), true
}

// line is the distribution over the line, or over whole numbers, behind a Density, if there is one.
func line(d Density) (dist.Univariate, bool) {
	k, ok := d.(Known)
	if !ok {
		return nil, false
	}
	u, ok := k.Distribution.(dist.Univariate)
	return u, ok
}

// lines are the distributions over the line behind both.
func lines(p, q Density) (u, v dist.Univariate, ok bool) {
	u, first := line(p)
	v, second := line(q)
	return u, v, first && second
}

// space is what tells over what a distribution is.
type space interface {
	Dim() int
	Discrete() bool
}

// compare reports ErrIncomparable where p and q are over different spaces.
func compare(p, q space) error {
	switch {
	case p.Dim() != q.Dim():
		return fmt.Errorf("%w: P has %d dimensions and Q %d, expected as many", ErrIncomparable, p.Dim(), q.Dim())
	case p.Discrete() && !q.Discrete():
		return fmt.Errorf("%w: P has probabilities of whole numbers and Q a density; expected the same of both", ErrIncomparable)
	case q.Discrete() && !p.Discrete():
		return fmt.Errorf("%w: P has a density and Q probabilities of whole numbers; expected the same of both", ErrIncomparable)
	}
	return nil
}
