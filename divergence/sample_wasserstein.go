package divergence

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/internal/assignment"
	"github.com/likely-ml/likely/measure"
)

// Transport are Wasserstein distances, in units of x, estimated by those of two samples. These are exact for the samples, but
// samples lie further from each other than their distributions: the values are biased upwards, most where p is near q and in
// many dimensions, so they are no Estimates. Where p = q in one dimension they are of order 1/√n. The standard errors cover the
// chance in the samples where p and q differ, and that of the directions.
type Transport struct {
	W1 measure.Approximation // inf E|x-y| over couplings of p and q
	W2 measure.Approximation // √(inf E|x-y|²)
}

// MaxTransport is the most points of a sample in more than one dimension that [SampleWasserstein] takes: its time grows with
// the third power, and the memory with the square.
const MaxTransport = 4000

// SampleWasserstein estimates the Wasserstein distances of p and q by those of the samples. In one dimension the samples may
// have any sizes, O(n log n). In more they must have the same size, up to [MaxTransport]: the coupling is then a permutation
// (Birkhoff), which is found as an assignment. Between samples of different sizes in more dimensions, see [SampleSliced].
func SampleWasserstein(ctx context.Context, x, y Points) (Transport, error) {
	if err := checkPoints(x, y, 2); err != nil {
		return Transport{}, err
	}
	n, m := x.Len(), y.Len()
	if x.D == 1 {
		var s sorter
		var a, b ordered
		s.sort(&a, slices.Clone(x.X), keptShift(n))
		s.sort(&b, slices.Clone(y.X), keptShift(m))
		p1, p2 := newPotentials(n, m), newPotentials(n, m)
		w1, w2 := lineCosts(&a, &b, p1, p2)
		return transport(w1, p1.variance(n, m), w2, p2.variance(n, m), n+m), ctx.Err()
	}
	if n != m || n > MaxTransport {
		return Transport{}, fmt.Errorf("%w: %d and %d points in %d dimensions, expected equal numbers of at most %d; "+
			"take as many of each, or the sliced distance", ErrPoints, n, m, x.D, MaxTransport)
	}
	cost := make([]float64, n*n)
	err := eachPart(ctx, n, func(_, i int) {
		for j := range n {
			cost[i*n+j] = squaredDistance(x.Row(i), y.Row(j))
		}
	})
	if err != nil {
		return Transport{}, err
	}
	w2, v2, err := assigned(ctx, n, cost)
	if err != nil {
		return Transport{}, err
	}
	for i, c := range cost {
		cost[i] = math.Sqrt(c)
	}
	w1, v1, err := assigned(ctx, n, cost)
	return transport(w1, v1, w2, v2, n+m), err
}

// assigned is the mean cost of the best assignment, and its variance by the prices, which are the potentials.
func assigned(ctx context.Context, n int, cost []float64) (mean, variance float64, err error) {
	a, err := assignment.Solve(ctx, n, cost)
	if err != nil {
		return 0, 0, err
	}
	for i, j := range a.Column {
		mean += cost[i*n+j]
	}
	return mean / float64(n), (varianceOf(a.RowPrice) + varianceOf(a.ColumnPrice)) / float64(n), nil
}

// transport makes the distances of W1 and W2² and their variances: that of a root r is V(r²)/(2r)².
func transport(w1, v1, squareW2, v2 float64, n int) Transport {
	w2 := math.Sqrt(squareW2)
	if v2 > 0 && w2 > 0 {
		v2 /= 4 * squareW2
	}
	return Transport{W1: approximate(w1, v1, n), W2: approximate(w2, v2, n)}
}

// SampleSliced estimates the sliced Wasserstein distances of p and q: the mean of W1, and the root mean square of W2, between
// the projections of p and of q on a line, over lines in all directions of the unit sphere (Bonneel, Rabin, Peyré and Pfister,
// Sliced and Radon Wasserstein barycenters of measures, 2015). Projections are exact in one dimension each; so many directions,
// drawn by r, stand for all. The samples may have any sizes. Time O(directions n (d + log n)), memory O(n) for each thread.
//
// The variance is that over directions, divided by their number, plus that of the samples by the potentials of each, averaged
// over the directions.
func SampleSliced(ctx context.Context, x, y Points, directions int, r *rand.Rand) (Transport, error) {
	if err := checkPoints(x, y, 2); err != nil {
		return Transport{}, err
	}
	if directions < 2 {
		return Transport{}, fmt.Errorf("%d directions, expected at least 2 for a standard error", directions)
	}
	if r == nil {
		return Transport{}, dist.ErrNoRand
	}
	theta := sphere(directions, x.D, r)
	s := slicing{
		centre: make([]float32, x.D), x: x, y: y,
		w1: make([]float64, directions), w2: make([]float64, directions),
		sum1: newPotentialSums(x.Len(), y.Len()), sum2: newPotentialSums(x.Len(), y.Len()),
	}
	for j, v := range centre(x, y) {
		s.centre[j] = float32(v)
	}
	group := min((workers(directions)+sliceGroup-1)/sliceGroup*sliceGroup, directions)
	s.px, s.py = make([]float32, group*x.Len()), make([]float32, group*y.Len())
	s.lines = make([]sliceMemory, workers(group))
	for first := 0; first < directions; first += group {
		if err := s.group(ctx, first, theta[first*x.D:min(first+group, directions)*x.D]); err != nil {
			return Transport{}, err
		}
	}
	mean1, var1 := moments(s.w1)
	mean2, var2 := moments(s.w2)
	l := float64(directions)
	n, m := x.Len(), y.Len()
	return transport(mean1, var1/l+s.sum1.variance(n, m)/(l*l), mean2, var2/l+s.sum2.variance(n, m)/(l*l), n+m), nil
}

// sphere draws n points from the uniform distribution on the unit sphere of d dimensions.
func sphere(n, d int, r *rand.Rand) []float32 {
	out := make([]float32, n*d)
	v := make([]float64, d)
	for i := range n {
		square := 0.0
		for square == 0 {
			for j := range v {
				v[j] = r.NormFloat64()
				square += v[j] * v[j]
			}
		}
		for j := range v {
			out[i*d+j] = float32(v[j] / math.Sqrt(square))
		}
	}
	return out
}

// sliceGroup is how many directions a matrix product projects on, and how many are held at once for every eight threads. More would read the points
// less often, but need more memory for projections, whose first use can cost more than that: of 64 MB, 0.3 s on a virtual machine.
const sliceGroup = 8

// slicing is the state of [SampleSliced].
type slicing struct {
	centre     []float32
	x, y       Points
	px, py     []float32 // projections, (directions at once, n) and (directions at once, m)
	lines      []sliceMemory
	w1, w2     []float64 // of each direction; w2 is squared
	sum1, sum2 potentialSums
}

// sliceMemory is what a thread works with.
type sliceMemory struct {
	sorter
	a, b   ordered
	p1, p2 potentials
}

// potentialSums are sums of potentials over directions.
type potentialSums struct{ f, g []float64 }

func newPotentialSums(n, m int) potentialSums {
	p := newPotentials(n, m)
	return potentialSums{make([]float64, len(p.f)), make([]float64, len(p.g))}
}

func (s potentialSums) add(p potentials) {
	for i, v := range p.f {
		s.f[i] += float64(v)
	}
	for j, v := range p.g {
		s.g[j] += float64(v)
	}
}

func (s potentialSums) variance(n, m int) float64 {
	return varianceOf(s.f)/float64(n) + varianceOf(s.g)/float64(m)
}

// group takes the directions from first on. The threads add their potentials up in the order of the directions, so that the
// sums have the same bits at any number of threads.
func (s *slicing) group(ctx context.Context, first int, theta []float32) error {
	n, m, l := s.x.Len(), s.y.Len(), len(theta)/s.x.D
	if err := project(ctx, s.px, s.x, theta, s.centre); err != nil {
		return err
	}
	if err := project(ctx, s.py, s.y, theta, s.centre); err != nil {
		return err
	}
	added := make([]chan struct{}, l)
	for i := range added {
		added[i] = make(chan struct{})
	}
	return eachPart(ctx, l, func(worker, i int) {
		defer close(added[i])
		mem := &s.lines[worker]
		if mem.p1.f == nil {
			mem.p1, mem.p2 = newPotentials(n, m), newPotentials(n, m)
		}
		mem.sort(&mem.a, s.px[i*n:(i+1)*n], keptShift(n))
		mem.sort(&mem.b, s.py[i*m:(i+1)*m], keptShift(m))
		s.w1[first+i], s.w2[first+i] = lineCosts(&mem.a, &mem.b, mem.p1, mem.p2)
		if i > 0 {
			<-added[i-1] // parts begin in order, so this one ends
		}
		s.sum1.add(mem.p1)
		s.sum2.add(mem.p2)
	})
}

// project sets dst, (directions, n), to the projections of the points, the centre taken off, so that the rounding errors of
// float32 are those of the spread of the points, not of their place. The rounding of the centre shifts both samples alike.
func project(ctx context.Context, dst []float32, p Points, theta, centre []float32) error {
	const rows = 512
	n, d, l := p.Len(), p.D, len(theta)/p.D
	parts := (n + rows - 1) / rows
	spare := make([][]float32, workers(parts))
	return eachPart(ctx, parts, func(worker, part int) {
		lo := part * rows
		c := min(rows, n-lo)
		if spare[worker] == nil {
			spare[worker] = make([]float32, rows*d)
		}
		x := spare[worker]
		for i := range c {
			to, from := x[i*d:][:len(centre)], p.X[(lo+i)*d:][:len(centre)]
			for j, mean := range centre {
				to[j] = from[j] - mean
			}
		}
		// What a product rounds to may depend on its size, which must not depend on the number of threads.
		for first := 0; first < l; first += sliceGroup {
			rows := min(sliceGroup, l-first)
			blas32.Gemm(blas.NoTrans, blas.Trans, 1,
				blas32.General{Rows: rows, Cols: d, Stride: d, Data: theta[first*d:]},
				blas32.General{Rows: c, Cols: d, Stride: d, Data: x},
				0, blas32.General{Rows: rows, Cols: c, Stride: n, Data: dst[first*n+lo:]})
		}
	})
}
