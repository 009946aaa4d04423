package kernel

import "fmt"

// PoolRun is a run of pooling windows along a row of outputs, over an image x with the channels innermost. Window i
// begins at element First + i·Step of x and is Rows × Cols pixels of Channels elements; its rows are RowStep elements
// apart.
type PoolRun struct{ First, Rows, Cols, RowStep, Windows, Step, Channels int }

// MaxPoolIndex64 is Float32Table.MaxPoolIndex for float64.
func MaxPoolIndex64(index []int32, x []float64, r *PoolRun) { maxPoolIndex(index, x, r) }

// maxPoolIndex is the plain Go twin of MaxPoolIndex.
func maxPoolIndex[T float](index []int32, x []T, r *PoolRun) {
	r.check(len(index), len(x))
	for i := range r.Windows {
		for c := range r.Channels {
			first := r.First + i*r.Step + c
			at, best := first, x[first]
			for row := range r.Rows {
				for p := first + row*r.RowStep; p < first+row*r.RowStep+r.Cols*r.Channels; p += r.Channels {
					if v := x[p]; v > best || v != v && best == best {
						at, best = p, v
					}
				}
			}
			index[i*r.Channels+c] = int32(at)
		}
	}
}

// check panics unless all windows lie within x elements and each of their channels has one of index results.
func (r *PoolRun) check(index, x int) {
	if index == 0 && r.Windows*r.Channels == 0 {
		return
	}
	end := r.First + (r.Windows-1)*r.Step + (r.Rows-1)*r.RowStep + r.Cols*r.Channels
	if min(r.First, r.RowStep, r.Step) < 0 || min(r.Rows, r.Cols, r.Windows, r.Channels) < 1 || end > x || index != r.Windows*r.Channels {
		panic(fmt.Sprintf("kernel: pooling of %+v with %d elements and %d results", *r, x, index))
	}
}
