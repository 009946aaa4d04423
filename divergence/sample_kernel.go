package divergence

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/measure"
	_ "github.com/likely-ml/likely/tensor/cpu/gonumblas" // blas32 and blas64 run on our kernels
)

// kernel sets each squared distance s[j] to k(s[j]), where k(|x-y|²) is a kernel: a similarity of x and y.
type kernel func(s []float64)

// distanceKernel is k = -|x-y|. With it the squared maximum mean discrepancy is the energy distance (Sejdinovic, Sriperumbudur,
// Gretton and Fukumizu, Equivalence of distance-based and RKHS-based statistics in hypothesis testing, 2013).
func distanceKernel(s []float64) {
	for j, v := range s {
		s[j] = -math.Sqrt(max(v, 0))
	}
}

// gaussianKernel is k = exp(-|x-y|²/(2h²)).
func gaussianKernel(h float64) kernel {
	c := -0.5 / (h * h)
	return func(s []float64) {
		for j, v := range s {
			s[j] = math.Exp(c * max(v, 0))
		}
	}
}

// SampleEnergy estimates the energy distance
//
//	E(p, q) = 2 E|x-y| - E|x-x'| - E|y-y'|,   x, x' ~ p,  y, y' ~ q,
//
// from a sample of each (Székely and Rizzo, Energy statistics, 2013). It is in units of x, at least 0, symmetric, and 0 where p
// = q alone. The estimate takes the means over pairs of different points, so it has no bias and is negative half of the time
// where p = q. scipy.stats.energy_distance is the square root of the same with the pairs (i, i), which has a bias upwards.
//
// All pairs are taken: O(n log n) in one dimension, where sorted points need no pairs, else O((n+m)² d). [SampleEnergyBlocks]
// is for large samples. The standard error is that of a U-statistic, see unbiasedMMD.
func SampleEnergy(ctx context.Context, x, y Points) (measure.Estimate, error) {
	if err := checkPoints(x, y, leastPairs); err != nil {
		return measure.Estimate{}, err
	}
	if x.D == 1 {
		return unbiasedMMD(lineSums(x, y)), ctx.Err()
	}
	sums, err := pairSums(ctx, x, y, distanceKernel)
	return unbiasedMMD(sums), err
}

// SampleMMD estimates the squared maximum mean discrepancy
//
//	MMD² = E k(x,x') + E k(y,y') - 2 E k(x,y),   k(x,y) = exp(-|x-y|²/(2h²)),
//
// between p and q from a sample of each, without bias (Gretton, Borgwardt, Rasch, Schölkopf and Smola, A kernel two-sample
// test, 2012, equation 3). It is in [0, 2], symmetric, and 0 where p = q alone; the estimate is negative half of the time
// there. It depends on the bandwidth h, in units of x: compare only where that is the same. [MedianBandwidth] is the usual one.
//
// All pairs are taken, O((n+m)² d); [SampleMMDBlocks] is for large samples. The standard error is that of a U-statistic, see
// unbiasedMMD.
func SampleMMD(ctx context.Context, x, y Points, h float64) (measure.Estimate, error) {
	if err := checkPoints(x, y, leastPairs); err != nil {
		return measure.Estimate{}, err
	}
	if err := checkBandwidth(h); err != nil {
		return measure.Estimate{}, err
	}
	sums, err := pairSums(ctx, x, y, gaussianKernel(h))
	return unbiasedMMD(sums), err
}

func checkBandwidth(h float64) error {
	if !(h > 0 && h <= math.MaxFloat64) {
		return fmt.Errorf("bandwidth %v, expected a number above 0", h)
	}
	return nil
}

// leastPairs is the least number of points whose pairs have a variance of their own beside that of the points.
const leastPairs = 4

// sums are those of a kernel over the pairs of two samples, which is all that an estimate and its error need.
type sums struct {
	xx, xy     []float64 // for each point of x, over the other points of x, and over y
	yy, yx     []float64 // for each point of y
	sqXX, sqYY float64   // of k² over ordered pairs of different points
	sqXY       float64
}

// unbiasedMMD is the estimate mean(xx) + mean(yy) - 2 mean(xy) over pairs of different points, and its standard error as a
// two-sample U-statistic of order 2. With the row means a_i over x and b_i over y of the kernel at x_i, c_j over y and e_j over
// x at y_j, their variances V, and ξ the variances of k that are left when what rests on one of its points is taken off,
//
//	4 V(a-b)/n + 4 V(c-e)/m - (2 ξ_xx/(n(n-1)) + 2 ξ_yy/(m(m-1)) + 4 ξ_xy/(nm)).
//
// The bracket is the variance where p = q. The first two terms have twice as much of it, since row means are over few points,
// so it is taken off once, and nothing below it is believed. Where p = q the first two are known only up to the size of the
// bracket, and the error comes out too large, by some 1.4 (Hoeffding, A class of statistics with asymptotically normal
// distribution, 1948; Serfling, Approximation theorems of mathematical statistics, 1980, section 5.2).
func unbiasedMMD(s sums) measure.Estimate {
	n, m := float64(len(s.xx)), float64(len(s.yy))
	if n == 0 { // cancelled
		return measure.Estimate{}
	}
	rows := func(own, other []float64, nOwn, nOther float64) (meanOwn, vOwn, vOther, vBoth float64) {
		a, b, c := make([]float64, len(own)), make([]float64, len(own)), make([]float64, len(own))
		for i := range own {
			a[i], b[i] = own[i]/(nOwn-1), other[i]/nOther
			c[i] = a[i] - b[i]
		}
		meanOwn, vOwn = moments(a)
		_, vOther = moments(b)
		_, vBoth = moments(c)
		return
	}
	meanXX, vA, vB, vX := rows(s.xx, s.xy, n, m)
	meanYY, vC, vE, vY := rows(s.yy, s.yx, m, n)
	meanXY := 0.0
	for _, v := range s.xy {
		meanXY += v
	}
	meanXY /= n * m

	within := func(square, mean, v, n float64) float64 {
		return max(0, (square/(n*(n-1))-mean*mean-2*v)/(1-2/(n-1)))
	}
	second := 2*within(s.sqXX, meanXX, vA, n)/(n*(n-1)) + 2*within(s.sqYY, meanYY, vC, m)/(m*(m-1)) +
		4*max(0, (s.sqXY/(n*m)-meanXY*meanXY-vB-vE)/(1-1/m-1/n))/(n*m)
	variance := max(second, 4*vX/n+4*vY/m-second)
	return measure.Estimate{Value: meanXX + meanYY - 2*meanXY, StandardError: math.Sqrt(variance), N: int(n + m)}
}

// A block of pairs is so many rows by so many columns: its distances stay in the second-level cache.
const (
	blockRows    = 64
	blockColumns = 512
)

// block are points in float64 with the centre taken off, and their squared lengths.
type block struct {
	n, d   int
	x      []float64
	square []float64
}

// load fills the block with rows lo to hi of p.
func (b *block) load(p Points, lo, hi int, centre []float64) {
	b.n, b.d = hi-lo, p.D
	b.x = slices.Grow(b.x[:0], b.n*b.d)[:b.n*b.d]
	b.square = slices.Grow(b.square[:0], b.n)[:b.n]
	for i := range b.n {
		to, sum := b.x[i*b.d:(i+1)*b.d], 0.0
		for j, v := range p.Row(lo + i) {
			c := float64(v) - centre[j]
			to[j] = c
			sum += c * c
		}
		b.square[i] = sum
	}
}

// squaredDistances sets dst, (a.n, b.n), to |a_i - b_j|² = |a_i|² + |b_j|² - 2 a_i·b_j. Rounding leaves an error of some
// 1e-16 (|a_i|² + |b_j|²), by which a small distance may come out below 0.
func squaredDistances(dst []float64, a, b *block) {
	blas64.Gemm(blas.NoTrans, blas.Trans, -2,
		blas64.General{Rows: a.n, Cols: a.d, Stride: a.d, Data: a.x},
		blas64.General{Rows: b.n, Cols: b.d, Stride: b.d, Data: b.x},
		0, blas64.General{Rows: a.n, Cols: b.n, Stride: b.n, Data: dst})
	for i := range a.n {
		row, own := dst[i*b.n:(i+1)*b.n], a.square[i]
		for j, s := range b.square[:b.n] {
			row[j] += own + s
		}
	}
}

// pairSums adds up the kernel over all pairs, in blocks.
func pairSums(ctx context.Context, x, y Points, k kernel) (sums, error) {
	c := centre(x, y)
	s := sums{xx: make([]float64, x.Len()), xy: make([]float64, x.Len()), yy: make([]float64, y.Len()), yx: make([]float64, y.Len())}
	var err error
	if s.sqXX, err = addPairs(ctx, s.xx, x, x, c, k, true); err != nil {
		return sums{}, err
	}
	if s.sqYY, err = addPairs(ctx, s.yy, y, y, c, k, true); err != nil {
		return sums{}, err
	}
	if s.sqXY, err = addPairs(ctx, s.xy, x, y, c, k, false); err != nil {
		return sums{}, err
	}
	if _, err = addPairs(ctx, s.yx, y, x, c, k, false); err != nil {
		return sums{}, err
	}
	return s, nil
}

// addPairs sets row[i] to the sum of k over the pairs of a_i with all b_j, without j = i if a and b are the same, and returns
// the sum of squares over all.
func addPairs(ctx context.Context, row []float64, a, b Points, centre []float64, k kernel, same bool) (squares float64, err error) {
	parts := (a.Len() + blockRows - 1) / blockRows
	partSquares := make([]float64, parts)
	err = eachPart(ctx, parts, func(_, part int) {
		var from, to block
		lo := part * blockRows
		from.load(a, lo, min(lo+blockRows, a.Len()), centre)
		distance := make([]float64, blockRows*blockColumns)
		for first := 0; first < b.Len() && ctx.Err() == nil; first += blockColumns {
			to.load(b, first, min(first+blockColumns, b.Len()), centre)
			squaredDistances(distance, &from, &to)
			for i := range from.n {
				s := distance[i*to.n : (i+1)*to.n]
				k(s)
				if j := lo + i - first; same && 0 <= j && j < to.n {
					s[j] = 0
				}
				sum, sq := 0.0, 0.0
				for _, v := range s {
					sum += v
					sq += v * v
				}
				row[lo+i] += sum
				partSquares[part] += sq
			}
		}
	})
	for _, v := range partSquares {
		squares += v
	}
	return squares, err
}

// lineSums are the sums of -|x-y| on the line. With the points of a sample in order, the sum of |x_i - b_j| over j is that over the
// points on each side, which running sums give; that of the squares is m x_i² - 2 x_i Σ b + Σ b².
func lineSums(x, y Points) sums {
	a, b := sorted(x), sorted(y)
	c := centre(x, y)[0]
	for _, v := range [][]float64{a, b} {
		for i := range v {
			v[i] -= c
		}
	}
	s := sums{xx: lineRows(a, a), xy: lineRows(a, b), yy: lineRows(b, b), yx: lineRows(b, a)}
	s.sqXX, s.sqYY, s.sqXY = lineSquares(a, a), lineSquares(b, b), lineSquares(a, b)
	return s
}

func sorted(p Points) []float64 {
	v := make([]float64, p.Len())
	for i := range v {
		v[i] = float64(p.X[i])
	}
	slices.Sort(v)
	return v
}

// lineRows gives -Σ_j |a_i - b_j| for each i. Both are in ascending order.
func lineRows(a, b []float64) []float64 {
	total := 0.0
	for _, v := range b {
		total += v
	}
	out := make([]float64, len(a))
	below, sum := 0, 0.0 // of the points of b up to a_i
	for i, v := range a {
		for below < len(b) && b[below] <= v {
			sum += b[below]
			below++
		}
		n := float64(below)
		out[i] = -((v*n - sum) + (total - sum) - v*float64(len(b)-below))
	}
	return out
}

func lineSquares(a, b []float64) float64 {
	var sumA, sumB, sqA, sqB float64
	for _, v := range a {
		sumA += v
		sqA += v * v
	}
	for _, v := range b {
		sumB += v
		sqB += v * v
	}
	return float64(len(b))*sqA - 2*sumA*sumB + float64(len(a))*sqB
}

// medianPoints is how many points of each sample MedianBandwidth looks at, at most.
const medianPoints = 500

// MedianBandwidth is the median heuristic: the median of |z-z'| over pairs of different points of both samples together, of up
// to 500 points of each, which r chooses (Gretton and others, 2012, section 8). It is an error where that is 0.
func MedianBandwidth(ctx context.Context, x, y Points, r *rand.Rand) (float64, error) {
	if err := checkPoints(x, y, 1); err != nil {
		return 0, err
	}
	if r == nil {
		return 0, dist.ErrNoRand
	}
	x, y = some(x, medianPoints, r), some(y, medianPoints, r)
	z := Points{x.D, slices.Concat(x.X, y.X)}
	pairs := make([]float64, 0, z.Len()*(z.Len()-1)/2)
	for i := range z.Len() {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		for j := range i {
			pairs = append(pairs, squaredDistance(z.Row(i), z.Row(j)))
		}
	}
	slices.Sort(pairs)
	h := (math.Sqrt(pairs[(len(pairs)-1)/2]) + math.Sqrt(pairs[len(pairs)/2])) / 2
	if h == 0 {
		return 0, fmt.Errorf("%w: the median distance of two points is 0, so it gives no bandwidth; "+
			"give one, or leave points out that repeat", ErrPoints)
	}
	return h, nil
}

// some is a random part of p of n points at most.
func some(p Points, n int, r *rand.Rand) Points {
	if p.Len() <= n {
		return p
	}
	return p.at(r.Perm(p.Len())[:n])
}

// SampleMMDBlocks is [SampleMMD] in time O(n b d): both samples, shuffled by r, are cut into blocks of b points, and the
// estimate is the mean of the unbiased estimates of the blocks (Zaremba, Gretton and Blaschko, B-tests, 2013). The larger
// sample is used as far as the smaller one goes. b = 2 is the linear-time statistic (Gretton and others, 2012, section 6), with
// all four cross pairs of its two pairs of points; a larger b has less variance where p is near q. Blocks are independent, so
// the standard error is that of a mean.
func SampleMMDBlocks(ctx context.Context, x, y Points, h float64, b int, r *rand.Rand) (measure.Estimate, error) {
	if err := checkBandwidth(h); err != nil {
		return measure.Estimate{}, err
	}
	return blocks(ctx, x, y, gaussianKernel(h), b, r)
}

// SampleEnergyBlocks is [SampleEnergy] in time O(n b d), by blocks as in [SampleMMDBlocks].
func SampleEnergyBlocks(ctx context.Context, x, y Points, b int, r *rand.Rand) (measure.Estimate, error) {
	return blocks(ctx, x, y, distanceKernel, b, r)
}

// leastBlocks is how many blocks a standard error comes from at least.
const leastBlocks = 30

func blocks(ctx context.Context, x, y Points, k kernel, b int, r *rand.Rand) (measure.Estimate, error) {
	if b < 2 {
		return measure.Estimate{}, fmt.Errorf("blocks of %d points, expected at least 2", b)
	}
	if err := checkPoints(x, y, leastBlocks*b); err != nil {
		return measure.Estimate{}, err
	}
	if r == nil {
		return measure.Estimate{}, dist.ErrNoRand
	}
	c := centre(x, y)
	ix, iy := r.Perm(x.Len()), r.Perm(y.Len())
	n := min(x.Len(), y.Len()) / b
	value := make([]float64, n)
	const batch = 64 // blocks for which memory is got at once
	err := eachPart(ctx, (n+batch-1)/batch, func(_, part int) {
		z := Points{x.D, make([]float32, 2*b*x.D)}
		var points block
		s := make([]float64, 4*b*b)
		for v := part * batch; v < min((part+1)*batch, n) && ctx.Err() == nil; v++ {
			for i := range b {
				copy(z.Row(i), x.Row(ix[v*b+i]))
				copy(z.Row(b+i), y.Row(iy[v*b+i]))
			}
			points.load(z, 0, 2*b, c)
			squaredDistances(s, &points, &points)
			var within, across float64
			for i := range b { // the upper triangle within each sample, and all of x against y
				k(s[i*2*b+i+1 : (i+1)*2*b])
				for _, v := range s[i*2*b+i+1 : i*2*b+b] {
					within += v
				}
				for _, v := range s[i*2*b+b : (i+1)*2*b] {
					across += v
				}
				own := s[(b+i)*2*b+b+i+1 : (b+i+1)*2*b]
				k(own)
				for _, v := range own {
					within += v
				}
			}
			value[v] = within/float64(b*(b-1)/2) - 2*across/float64(b*b)
		}
	})
	if err != nil {
		return measure.Estimate{}, err
	}
	mean, variance := moments(value)
	return measure.Estimate{Value: mean, StandardError: math.Sqrt(variance / float64(n)), N: 2 * n * b}, nil
}
