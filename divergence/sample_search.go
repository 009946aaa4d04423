package divergence

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// nearest are the k nearest points of a sample to each of n queries, nearest first; of equally near ones the lower index comes
// first.
type nearest struct {
	k      int
	square []float64 // (n, k) squared distances
	index  []int32   // (n, k)
}

func newNearest(n, k int) nearest {
	return nearest{k, make([]float64, n*k), make([]int32, n*k)}
}

// of is the list of query i.
func (s nearest) of(i int) (square []float64, index []int32) {
	return s.square[i*s.k : (i+1)*s.k : (i+1)*s.k], s.index[i*s.k : (i+1)*s.k : (i+1)*s.k]
}

// candidates is the list of a query while it is searched for.
type candidates struct {
	square []float64
	index  []int32
}

func (s nearest) begin(i int) candidates {
	square, index := s.of(i)
	for k := range square {
		square[k], index[k] = math.Inf(1), math.MaxInt32
	}
	return candidates{square, index}
}

// worst is the squared distance below which a point comes into the list, or at which it does with a lower index.
func (c candidates) worst() float64 { return c.square[len(c.square)-1] }

func (c candidates) offer(square float64, index int32) {
	before := func(k int) bool {
		return square < c.square[k] || square == c.square[k] && index < c.index[k]
	}
	k := len(c.square) - 1
	if !before(k) {
		return
	}
	for ; k > 0 && before(k-1); k-- {
		c.square[k], c.index[k] = c.square[k-1], c.index[k-1]
	}
	c.square[k], c.index[k] = square, index
}

// treeDimensions is the most dimensions in which a k-d tree is faster than products with all points: see BenchmarkSearch.
const treeDimensions = 7

// search finds the k nearest points of base to each of query, exactly: rounding is that of a float64 sum of squared
// differences. With same set, query and base are one sample and a point is no neighbour of its own; k is below the number of
// points of base then, else at most that number.
func search(ctx context.Context, query, base Points, k int, same bool) (nearest, error) {
	if query.D <= treeDimensions {
		return treeSearch(ctx, query, base, k, same)
	}
	return productSearch(ctx, query, base, k, same)
}

// productSearch compares all points. A product of matrices in float32 gives |a|² + |b|² - 2 a·b, whose error is bounded; the
// distances that may be small enough are computed again in float64.
func productSearch(ctx context.Context, query, base Points, k int, same bool) (nearest, error) {
	out := newNearest(query.Len(), k)
	c := centre(query, base)
	from, to := centred(query, c), centred(base, c)
	fromLength, toLength := lengths(from), lengths(to)
	const columns = 1024
	parts := (query.Len() + blockRows - 1) / blockRows
	memory := make([][]float32, workers(parts))
	err := eachPart(ctx, parts, func(worker, part int) {
		if memory[worker] == nil {
			memory[worker] = make([]float32, blockRows*columns)
		}
		lo := part * blockRows
		rows := min(blockRows, query.Len()-lo)
		lists := make([]candidates, rows)
		for i := range rows {
			lists[i] = out.begin(lo + i)
		}
		for first := 0; first < base.Len() && ctx.Err() == nil; first += columns {
			n := min(columns, base.Len()-first)
			longest := float64(slices.Max(toLength[first : first+n]))
			product := memory[worker][:rows*n]
			blas32.Gemm(blas.NoTrans, blas.Trans, 1,
				blas32.General{Rows: rows, Cols: query.D, Stride: query.D, Data: from.X[lo*query.D:]},
				blas32.General{Rows: n, Cols: query.D, Stride: query.D, Data: to.X[first*query.D:]},
				0, blas32.General{Rows: rows, Cols: n, Stride: n, Data: product})
			for i := range rows {
				own := float64(fromLength[lo+i])
				slack := distanceError(query.D, own, longest)
				row, square := product[i*n:(i+1)*n], toLength[first:first+n]
				var limit float32
				tighten := func() { // |b|² - 2 a·b is at most limit for every point that may come in
					limit = math.Nextafter32(float32(lists[i].worst()-own*own+slack), float32(math.Inf(1)))
				}
				tighten()
				for j, p := range row {
					if square[j]*square[j]-2*p > limit || same && lo+i == first+j {
						continue
					}
					lists[i].offer(squaredDistance(query.Row(lo+i), base.Row(first+j)), int32(first+j))
					tighten()
				}
			}
		}
	})
	return out, err
}

// distanceError bounds the rounding errors of |a|² + |b|² - 2 a·b in float32, of d products each, where a and b are rounded too.
func distanceError(d int, a, b float64) float64 {
	const unit = 1.0 / (1 << 24)
	return 2 * float64(d+8) * unit * (a + b) * (a + b)
}

// centred is p with the centre taken off.
func centred(p Points, c []float64) Points {
	out := Points{p.D, make([]float32, len(p.X))}
	for i := range p.Len() {
		to := out.Row(i)
		for j, v := range p.Row(i) {
			to[j] = float32(float64(v) - c[j])
		}
	}
	return out
}

// lengths are |x_i|.
func lengths(p Points) []float32 {
	out := make([]float32, p.Len())
	for i := range out {
		sum := 0.0
		for _, v := range p.Row(i) {
			sum += float64(v) * float64(v)
		}
		out[i] = float32(math.Sqrt(sum))
	}
	return out
}
