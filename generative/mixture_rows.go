package generative

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/blas/blas64"

	"github.com/likely-ml/likely/data"
)

// readRaw reads a set into memory as it is. A missing value, and one that is not finite, is an error.
func readRaw(ctx context.Context, set data.Set, raw *data.Transform) (data.Batch, error) {
	if set.Len() == 0 {
		return data.Batch{}, errors.New("no example to learn from")
	}
	x := data.NewBatch(raw.OutShape(), set.Len(), set.Schema().Labelled())
	err := data.Each(ctx, set, func(first int, b data.Batch) error {
		if err := raw.Apply(x.Slice(first, first+b.Len()), b); err != nil {
			return fmt.Errorf("from row %d on: %w", first+1, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return checkFinite(x.Slice(first, first+b.Len()), first)
	})
	return x, err
}

// checkFinite refuses what has no density. The examples are counted from first.
func checkFinite(x data.Batch, first int) error {
	p := x.Shape.Size()
	for i, v := range x.X {
		if v-v != 0 {
			return fmt.Errorf("example %d has the value %v in element %d, expected a finite number", first+i/p, v, i%p)
		}
	}
	return nil
}

// usualScale is what z = (x − shift)/scale is counted in: the mean of each element and its standard deviation over all classes
// (1 where it is 0), or with common the root of the mean variance of all elements.
func usualScale(x data.Batch, common bool) (shift, scale []float64) {
	p, n := x.Shape.Size(), float64(x.Len())
	shift, scale = make([]float64, p), make([]float64, p)
	for i := range x.Len() {
		for j, v := range x.Row(i) {
			shift[j] += float64(v) / n
		}
	}
	total := 0.0
	for i := range x.Len() {
		for j, v := range x.Row(i) {
			d := float64(v) - shift[j]
			scale[j] += d * d / n
			total += d * d / n
		}
	}
	for j, v := range scale {
		if common {
			v = total / float64(p)
		}
		if scale[j] = math.Sqrt(v); scale[j] == 0 {
			scale[j] = 1
		}
	}
	return shift, scale
}

// scaledRows is some examples on the scale z = (x − shift)/scale, in float64, a block at a time.
type scaledRows struct {
	x            data.Batch
	index        []int // the rows of x
	shift, scale []float64
	threads      int
	blocks       []*rowBlock // one for each thread
}

func newScaledRows(x data.Batch, index []int, shift, scale []float64, threads int) *scaledRows {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &scaledRows{x: x, index: index, shift: shift, scale: scale, threads: threads, blocks: make([]*rowBlock, threads)}
}

// rowBlock is the memory for a block of examples.
type rowBlock struct {
	p, rows   int
	z, y, log []float64 // (rows, p), (rows, p), (rows, K)
}

// blockRows is how many examples of p elements are worked on at a time: few enough for the second-level cache.
func blockRows(p int) int { return min(max(1<<15/p, 32), 1024) }

// block returns the memory of a thread, with room for k components.
func (d *scaledRows) block(thread, k int) *rowBlock {
	b := d.blocks[thread]
	if b == nil {
		p := len(d.shift)
		rows := min(blockRows(p), len(d.index))
		b = &rowBlock{p: p, rows: rows, z: make([]float64, rows*p), y: make([]float64, rows*p)}
		d.blocks[thread] = b
	}
	if len(b.log) < b.rows*k {
		b.log = make([]float64, b.rows*k)
	}
	return b
}

// squares are those of z, in y.
func (b *rowBlock) squares(n int) blas64.General {
	for i, v := range b.z[:n*b.p] {
		b.y[i] = v * v
	}
	return blas64.General{Rows: n, Cols: b.p, Stride: b.p, Data: b.y}
}

// example writes z of one example to dst.
func (d *scaledRows) example(dst []float64, i int) {
	for j, v := range d.x.Row(d.index[i]) {
		dst[j] = (float64(v) - d.shift[j]) / d.scale[j]
	}
}

// mostParts is the most parts that the examples are divided into, each of which has sums of its own. They are added up in
// order, so that the number of threads changes no bit.
const mostParts = 16

// parts is how many parts there are where the sums of each take room for that many numbers; 256 MB in all, or two parts.
func (d *scaledRows) parts(room int) int {
	rows := blockRows(len(d.shift))
	return min(mostParts, (len(d.index)+rows-1)/rows, max(2, 1<<25/max(1, room)))
}

// each visits all blocks, with n examples from one on in b.z. The blocks of one part come in order, on one thread.
func (d *scaledRows) each(ctx context.Context, parts, k int, visit func(b *rowBlock, part, from, n int)) error {
	shareOut(d.threads, parts, func(thread, part int) {
		b := d.block(thread, k)
		blocks := (len(d.index) + b.rows - 1) / b.rows
		for i := part * blocks / parts; i < (part+1)*blocks/parts && ctx.Err() == nil; i++ {
			from := i * b.rows
			n := min(b.rows, len(d.index)-from)
			for i := range n {
				d.example(b.z[i*b.p:(i+1)*b.p], from+i)
			}
			visit(b, part, from, n)
		}
	})
	return ctx.Err()
}

// shareOut calls do once for every i in [0, n), on that many threads at most, and tells it which of them runs it.
func shareOut(threads, n int, do func(thread, i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for thread := range min(max(1, threads), n) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(thread, i)
			}
		})
	}
	all.Wait()
}
