package kernel

import "fmt"

// PoolRun is a run of pooling windows along a row of outputs, over an image x with the channels innermost. Window i
// begins at element First + i·Step of x and is Rows × Cols pixels of Channels elements; its rows are RowStep elements
// apart.
type PoolRun struct{ First, Rows, Cols, RowStep, Windows, Step, Channels int }

// MaxPoolIndex64 is Float32Table.MaxPoolIndex for float64.
func MaxPoolIndex64(index []int32, x []float64, r *PoolRun) { maxPoolIndex(index, x, r) }

// eachGreatest calls f for each channel of each window, numbered together, with the position of its greatest element.
func eachGreatest[T float](x []T, r *PoolRun, f func(i, at int)) {
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
			f(i*r.Channels+c, at)
		}
	}
}

// maxPoolIndex is the plain Go twin of MaxPoolIndex.
func maxPoolIndex[T float](index []int32, x []T, r *PoolRun) {
	r.check(len(index), len(x))
	eachGreatest(x, r, func(i, at int) { index[i] = int32(at) })
}

// maxPool is the plain Go twin of MaxPool.
func maxPool(value []float32, index []int32, x []float32, r *PoolRun) {
	sameLength(len(value), len(index))
	r.check(len(index), len(x))
	eachGreatest(x, r, func(i, at int) { value[i], index[i] = x[at], int32(at) })
}

// maxPoolValue is the plain Go twin of MaxPoolValue.
func maxPoolValue(value, x []float32, r *PoolRun) {
	r.check(len(value), len(x))
	eachGreatest(x, r, func(i, at int) { value[i] = x[at] })
}

// maxUnpool is the plain Go twin of MaxUnpool.
func maxUnpool(dst, y []float32, index []int32, r *PoolRun) {
	r.checkApart(len(y), len(index), len(dst))
	for i := range r.Windows {
		for row := range r.Rows {
			from := r.First + i*r.Step + row*r.RowStep
			for p := from; p < from+r.Cols*r.Channels; p += r.Channels {
				for c := range r.Channels {
					dst[p+c] = 0
					if int(index[i*r.Channels+c]) == p+c {
						dst[p+c] = 0 + y[i*r.Channels+c] // +0 for -0, as a sum has it
					}
				}
			}
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

// checkApart is check for MaxUnpool: no two windows may share an element.
func (r *PoolRun) checkApart(y, index, dst int) {
	sameLength(y, index)
	r.check(index, dst)
	pixels := r.Cols * r.Channels
	if r.Windows > 1 && r.Step < pixels || r.Rows > 1 && r.RowStep < (r.Windows-1)*r.Step+pixels {
		panic(fmt.Sprintf("kernel: the windows of %+v overlap", *r))
	}
}

// is2x2 reports whether the windows are 2x2 pixels, which the assembly treats apart.
func (r *PoolRun) is2x2() bool { return r.Rows == 2 && r.Cols == 2 }
