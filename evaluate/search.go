package evaluate

import (
	"context"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/likely-ml/likely/data"
)

// search finds the nearest and the second nearest of all points that it is shown to each of n queries, by Euclidean distance.
//
// Distances are filtered by matrix products, |x - c|^2 = |x|^2 + |c|^2 - 2 x.c, in float32. A sum of p products, in any order,
// is off by at most p u/(1 - p u) |x||c| with u = 2^-24 (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2002,
// eq. 3.7), and so the distance by at most p u (|x|+|c|)^2/2 and a little. What could be among the two nearest by this
// bound is computed again, from differences in float64: the result is exact up to the rounding of that sum. Where |x|+|c| is so
// large or so small that products leave the range of float32, the bound does not hold, and all is computed again.
type search struct {
	p      int
	x      []float32 // (n, p)
	self   []int     // the point that query i is itself, which does not count; nil where none is
	square []float64 // |x_i|^2
	found  []nearestTwo
	spare  sync.Pool // of *[]float32, for products
}

// nearestTwo is the nearest and the second nearest point to a query. Distances are squared, and infinite where there is none.
type nearestTwo struct {
	index         int // of the nearest, the first of equally near ones; -1 where there is none
	first, second float64
}

// ratio is the nearest-neighbour distance ratio, in [0, 1]: near 0 for a copy, whose original stands out among its neighbours,
// and 1 where the two nearest are equally near.
func (n nearestTwo) ratio() float64 {
	if n.first == n.second {
		return 1
	}
	return math.Sqrt(n.first / n.second)
}

// Between these |x|+|c| no product, and no sum of them, overflows float32, since |x||c| <= (|x|+|c|)^2/4; and what underflow takes
// from the products, 2^-150 each, is far below the error bound.
const (
	leastReach = 1e-15
	mostReach  = 1e19
)

// tile is how many queries a matrix product takes.
const tile = 128

// newSearch prepares a search for the points near to those of x, which it keeps.
func newSearch(x data.Batch, self []int) *search {
	s := &search{p: x.Shape.Size(), x: x.X, self: self, square: squares(x), found: make([]nearestTwo, x.Len())}
	for i := range s.found {
		s.found[i] = nearestTwo{-1, math.Inf(1), math.Inf(1)}
	}
	return s
}

func squares(x data.Batch) []float64 {
	out := make([]float64, x.Len())
	for i := range out {
		for _, v := range x.Row(i) {
			out[i] += float64(v) * float64(v)
		}
	}
	return out
}

func (s *search) row(i int) []float32 { return s.x[i*s.p : (i+1)*s.p] }

// show offers the points of c to all queries. The index of the first is given, and is higher than those shown before.
func (s *search) show(ctx context.Context, first int, c data.Batch) error {
	m := c.Len()
	square := squares(c)
	longest := 0.0
	for _, v := range square {
		longest = max(longest, v)
	}
	longest = math.Sqrt(longest)
	epsilon := 0x1p-24 * (float64(s.p)/2 + 1) * 1.01
	return eachRow(ctx, (len(s.found)+tile-1)/tile, func(t int) {
		lo, hi := t*tile, min((t+1)*tile, len(s.found))
		buffer, _ := s.spare.Get().(*[]float32)
		if buffer == nil || len(*buffer) < tile*m {
			fresh := make([]float32, tile*m)
			buffer = &fresh
		}
		product := *buffer
		blas32.Gemm(blas.NoTrans, blas.Trans, 1, blas32.General{Rows: hi - lo, Cols: s.p, Stride: s.p, Data: s.x[lo*s.p : hi*s.p]},
			blas32.General{Rows: m, Cols: s.p, Stride: s.p, Data: c.X}, 0, blas32.General{Rows: hi - lo, Cols: m, Stride: m, Data: product})
		for i := lo; i < hi; i++ {
			reach := math.Sqrt(s.square[i]) + longest
			bound := s.square[i] - epsilon*reach*reach
			if !(reach > leastReach && reach < mostReach) {
				bound = math.Inf(-1)
			}
			far := (bound - s.found[i].second) / 2 // a point is too far where x.c - |c|^2/2 < far
			for j, dot := range product[(i-lo)*m : (i-lo+1)*m] {
				if float64(dot)-square[j]/2 < far { // false of NaN, of what float32 cannot hold
					continue
				}
				if s.self != nil && s.self[i] == first+j {
					continue
				}
				s.offer(i, first+j, c.Row(j))
				far = (bound - s.found[i].second) / 2
			}
		}
		s.spare.Put(buffer)
	})
}

// offer compares query i with one point.
func (s *search) offer(i, index int, point []float32) {
	f := &s.found[i]
	switch d := distanceBelow(s.row(i), point, f.second); {
	case d < f.first:
		f.index, f.first, f.second = index, d, f.first
	case d < f.second:
		f.second = d
	}
}

// lost is the first query that is at no distance of any point, since it holds infinite values; -1 where none is.
func (s *search) lost() int {
	return slices.IndexFunc(s.found, func(f nearestTwo) bool { return f.index < 0 })
}

// distances are those to the nearest points.
func (s *search) distances() []float64 {
	d := make([]float64, len(s.found))
	for i, f := range s.found {
		d[i] = math.Sqrt(f.first)
	}
	return d
}

// ratios are the nearest-neighbour distance ratios.
func (s *search) ratios() []float64 {
	r := make([]float64, len(s.found))
	for i, f := range s.found {
		r[i] = f.ratio()
	}
	return r
}
