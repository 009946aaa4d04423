package divergence

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/internal/stirling"
	"github.com/likely-ml/likely/measure"
)

// NeighbourDivergences are divergences estimated from distances to nearest neighbours. At finite n they have a bias of unknown size
// and sign, which falls slowly with n in many dimensions; the standard errors are of the chance in the samples alone.
type NeighbourDivergences struct {
	KL        measure.Approximation // KL(p||q), nats
	ReverseKL measure.Approximation // KL(q||p), nats
	JS        measure.Approximation // nats; chance may carry it below 0
	// Dimension is the intrinsic dimension of the sample of p: that of the surface near which its points lie.
	Dimension measure.Estimate
	K         int
	Warnings  []string // what makes the values doubtful, one sentence each
}

// DefaultNeighbours is the usual k of [SampleNeighbours]. A larger k makes values steadier and their bias larger: from 500
// points each of N(0, I) and N((1, 0), I), whose KL is 0.5, it came out as 0.477 with a deviation of 0.106 for k = 1, 0.428 and
// 0.065 for 5, 0.404 and 0.059 for 10.
const DefaultNeighbours = 5

// SampleNeighbours estimates divergences from n points x of p and m points y of q, both with a density over R^d. With ρ(i) the
// distance of x_i to its k-th nearest other point of x, and ν(i) to its k-th nearest point of y,
//
//	KL(p||q) ≈ (d/n) Σ_i log(ν(i)/ρ(i)) + log(m/(n-1)).
//
// This is the difference of two means of log-densities, whose biases -ψ(k) cancel, since both have the same k (Wang, Kulkarni
// and Verdú, Divergence estimation for multidimensional densities via k-nearest-neighbor distances, 2009; Kozachenko and
// Leonenko, Sample estimate of the entropy of a random vector, 1987). JS takes the points of both samples together, equally
// many of each, as a sample of the mixture: with μ(i) the distance of x_i to the 2k-th nearest other point of them,
//
//	KL(p||½(p+q)) ≈ (d/n) Σ_i log(μ(i)/ρ(i)) + log((2n-1)/(n-1)) + ψ(k) - ψ(2k).
//
// 2k, because the balls are then of one size where p = q, and what is lost by taking the density in them as constant cancels:
// with k, JS of a normal of 12 dimensions and itself came out as -0.12. Of samples of different sizes, a part of the larger
// that r draws is used for JS.
//
// The neighbours are exact: by a k-d tree in up to 7 dimensions, O(n log n), by products of matrices in more, O((n+m)² d). The
// standard error is that of the mean of up to 40 groups that r cuts both samples into, each with an estimate of its own:
// neighbours make the terms of the sum depend on each other, and the jackknife was found too large by up to 1.7 (Politis and
// Romano, Large sample confidence regions based on subsamples under minimal assumptions, 1994).
//
// It warns where the intrinsic dimension is much lower than d: the exponent d of the volumes is wrong then. It warns where
// sizes differ much, and where points coincide: p or q has no density there, and these points are left out. If no point is left
// it is an error.
func SampleNeighbours(ctx context.Context, x, y Points, k int, r *rand.Rand) (*NeighbourDivergences, error) {
	if k < 1 {
		return nil, fmt.Errorf("%d nearest neighbours, expected at least 1", k)
	}
	if r == nil {
		return nil, dist.ErrNoRand
	}
	n, m := x.Len(), y.Len()
	if err := checkPoints(x, y, leastGroups*groupPoints(k)); err != nil {
		return nil, err
	}
	all, err := neighbourValues(ctx, x, y, k, r)
	if err != nil {
		return nil, err
	}
	out := &NeighbourDivergences{Dimension: all.dimension, K: k}
	const coincide = "%d of %d points of %s coincide with %d or more others, as points of a density do not: they are left out"
	out.warnf(all.lostP > 0, coincide, all.lostP, n, "p", k)
	out.warnf(all.lostQ > 0, coincide, all.lostQ, m, "q", k)
	out.warnf(all.dimension.Value < lowDimension*float64(x.D),
		"the points of p lie near a surface of %.1f dimensions, not %d: divergences of densities over %d dimensions may be far from these values",
		all.dimension.Value, x.D, x.D)
	out.warnf(max(n, m) > unequalSizes*min(n, m), "%d points of p and %d of q: the bias grows with the difference; take equal numbers", n, m)

	groups := min(mostGroups, min(n, m)/groupPoints(k))
	kl, reverse, js := make([]float64, groups), make([]float64, groups), make([]float64, groups)
	ix, iy := r.Perm(n), r.Perm(m)
	for g := range groups {
		part, err := neighbourValues(ctx, x.at(ix[n*g/groups:n*(g+1)/groups]), y.at(iy[m*g/groups:m*(g+1)/groups]), k, r)
		if err != nil {
			return nil, err
		}
		kl[g], reverse[g], js[g] = part.kl, part.reverse, part.js
	}
	out.KL = approximate(all.kl, varianceOf(kl)/float64(groups), n+m)
	out.ReverseKL = approximate(all.reverse, varianceOf(reverse)/float64(groups), n+m)
	out.JS = approximate(all.js, varianceOf(js)/float64(groups), 2*min(n, m))
	return out, nil
}

// The standard error is that of so many groups. Each has at least so many points of a sample.
const (
	leastGroups = 5
	mostGroups  = 40
)

func groupPoints(k int) int { return 10 * k }

// neighbourResult are the values from two samples, without errors.
type neighbourResult struct {
	kl, reverse, js float64
	dimension       measure.Estimate
	lostP, lostQ    int // points left out because a distance is 0
}

func neighbourValues(ctx context.Context, x, y Points, k int, r *rand.Rand) (out neighbourResult, err error) {
	xx, xy, err := searchBoth(ctx, x, y, k)
	if err != nil {
		return out, err
	}
	yy, yx, err := searchBoth(ctx, y, x, k)
	if err != nil {
		return out, err
	}
	if out.kl, out.lostP, err = neighbourKL(x.D, y.Len(), k, xx, xy); err != nil {
		return out, err
	}
	if out.reverse, out.lostQ, err = neighbourKL(x.D, x.Len(), k, yy, yx); err != nil {
		return out, err
	}
	if out.dimension, err = intrinsicDimension(xx); err != nil {
		return out, err
	}
	if n := min(x.Len(), y.Len()); x.Len() != y.Len() {
		x, y = some(x, n, r), some(y, n, r)
		if xx, xy, err = searchBoth(ctx, x, y, k); err != nil {
			return out, err
		}
		if yy, yx, err = searchBoth(ctx, y, x, k); err != nil {
			return out, err
		}
	}
	towardsP, err := mixtureKL(x.D, k, xx, xy)
	if err != nil {
		return out, err
	}
	towardsQ, err := mixtureKL(x.D, k, yy, yx)
	out.js = (towardsP + towardsQ) / 2
	return out, err
}

const (
	lowDimension = 0.6 // of d: 1,000 points of a normal of 20 dimensions seem to have 16
	unequalSizes = 10
)

func (d *NeighbourDivergences) warnf(when bool, format string, args ...any) {
	if when {
		d.Warnings = append(d.Warnings, fmt.Sprintf(format, args...))
	}
}

// searchBoth finds the 2k nearest points of its own and of the other sample: the mixture takes 2k of both together.
func searchBoth(ctx context.Context, x, y Points, k int) (own, other nearest, err error) {
	if own, err = search(ctx, x, x, 2*k, true); err == nil {
		other, err = search(ctx, x, y, 2*k, false)
	}
	return own, other, err
}

// neighbourKL is the estimate of KL(p||q) from the neighbours of the points of p in their own sample and in the m points of q.
func neighbourKL(d, m, k int, own, other nearest) (value float64, lost int, err error) {
	n := len(other.index) / other.k
	sum := 0.0
	for i := range n {
		rho, _ := own.of(i)
		nu, _ := other.of(i)
		if rho[k-1] == 0 || nu[k-1] == 0 {
			lost++
			continue
		}
		sum += math.Log(nu[k-1] / rho[k-1]) // of squares
	}
	if lost == n {
		return 0, lost, errCoincide
	}
	return float64(d)/2*sum/float64(n-lost) + math.Log(float64(m)/float64(n-1)), lost, nil
}

// errCoincide: there is no point with a distance to its neighbours.
var errCoincide = fmt.Errorf("%w: all points of a sample coincide with others, as points of a density do not", ErrPoints)

// mixtureKL is the estimate of KL(p||½(p+q)) from the neighbours of the points of p in their own sample and in as many points of q.
func mixtureKL(d, k int, own, other nearest) (float64, error) {
	n := len(other.index) / other.k
	sum, kept := 0.0, 0
	for i := range n {
		rho, _ := own.of(i)
		nu, _ := other.of(i)
		mu := 0.0 // the 2k-th of both lists together
		for a, b := 0, 0; a+b < 2*k; {
			if rho[a] <= nu[b] {
				mu = rho[a]
				a++
			} else {
				mu = nu[b]
				b++
			}
		}
		if rho[k-1] > 0 && mu > 0 {
			sum += math.Log(mu / rho[k-1])
			kept++
		}
	}
	if kept == 0 {
		return 0, errCoincide
	}
	return float64(d)/2*sum/float64(kept) + math.Log(float64(2*n-1)/float64(n-1)) + digamma(float64(k)) - digamma(float64(2*k)), nil
}

// digamma is ψ(a) = d/da log Γ(a) for a > 0. That of gonum has a relative error of 1e-10.
func digamma(a float64) float64 { return math.Log(a) - 1/(2*a) - stirling.DigammaError(a) }

// intrinsicDimension estimates the dimension of what a sample fills, from the ratios of the distances T_1 <= .. <= T_k to the
// nearest neighbours: log(T_k/T_j) has mean 1/d·Σ 1/l over l from j to k-1, so that the mean over j is 1/d (Levina and Bickel,
// Maximum likelihood estimation of intrinsic dimension, 2004, equation 8, averaged as by MacKay and Ghahramani, 2005).
func intrinsicDimension(own nearest) (measure.Estimate, error) {
	n, k := len(own.index)/own.k, own.k
	inverse := make([]float64, 0, n)
	for i := range n {
		square, _ := own.of(i)
		if square[0] == 0 {
			continue
		}
		sum := 0.0
		for _, v := range square[:k-1] {
			sum += math.Log(square[k-1]/v) / 2
		}
		inverse = append(inverse, sum/float64(k-1))
	}
	if len(inverse) < 2 {
		return measure.Estimate{}, errCoincide
	}
	mean, variance := moments(inverse)
	if mean == 0 {
		return measure.Estimate{}, fmt.Errorf("%w: all points are at one distance of each other, expected points of a density", ErrPoints)
	}
	return measure.Estimate{Value: 1 / mean, StandardError: math.Sqrt(variance/float64(len(inverse))) / (mean * mean), N: len(inverse)}, nil
}
