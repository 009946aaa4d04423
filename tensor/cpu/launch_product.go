package cpu

import (
	"unsafe"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// costFlop is the time in nanoseconds of a multiplication and addition in a matrix product.
const costFlop = 0.01

// costFetch is the time in nanoseconds to fetch an element from the last cache, which bounds the product of a single row: there a
// second core brings its own second-level cache.
const costFetch = 0.04

// leastRows is how many rows of a product with a packed operand are computed at a time, where there are as many: fewer
// would fetch that operand too often.
const leastRows = 64

// packedProduct makes the launch of a product by weights that no longer change, rows being the items. It reports false
// where that is no gain: for the few rows that read the weights where they are, and for a transposed A.
func packedProduct[T float32 | float64](v *value, l *plannedLaunch) bool {
	s := v.attr.(tensor.MatMulSpec)
	a, b := v.in[0], v.in[1]
	if len(v.shape.Dims) != 2 || b.op != tensor.OpConstant || s.TransA || v.size() == 0 || v.shape.Dims[0] < leastRows/2 {
		return false
	}
	m, n, k := v.shape.Dims[0], v.shape.Dims[1], a.dims[1]
	packed := kernel.PackB(&kernel.Workspace{}, s.TransB, n, k, slice[T](b.buf), b.dims[1])
	l.each = &perItem{items: m, whole: []*buffer{b.buf}, least: leastRows, bind: func(*pool) itemRun {
		x, y := slice[T](a.buf), slice[T](v.buf)
		return itemRun{cost: costFlop * float64(n*k), run: func(w *worker, from, to int) {
			packed.Rows(w.ws, from, to, x, k, y, n)
		}}
	}}
	return true
}

// planMatMul makes the launch of a matrix product.
func planMatMul(v *value, l *plannedLaunch) {
	if v.dtype() == tensor.Float32 && packedProduct[float32](v, l) || v.dtype() == tensor.Float64 && packedProduct[float64](v, l) {
		return
	}
	l.bind = bindMatMul(v)
}

func bindMatMul(v *value) func(*pool) func() {
	s := v.attr.(tensor.MatMulSpec)
	a, b := v.in[0], v.in[1]
	r := len(v.shape.Dims)
	m, n := v.shape.Dims[r-2], v.shape.Dims[r-1]
	lda, ldb := a.dims[r-1], b.dims[r-1]
	k := lda
	if s.TransA {
		k = a.dims[r-2]
	}
	batch := 1
	for _, e := range v.shape.Dims[:r-2] {
		batch *= e
	}
	one := func(w *worker, i, m0, m1, n0, n1 int) {
		if v.dtype() == tensor.Float32 {
			kernel.Gemm32(w.ws, s.TransA, s.TransB, m0, m1, n0, n1, k,
				nth[float32](a.buf, i, m*k), lda, nth[float32](b.buf, i, k*n), ldb, false, nth[float32](v.buf, i, m*n), n)
		} else {
			kernel.Gemm64(w.ws, s.TransA, s.TransB, m0, m1, n0, n1, k,
				nth[float64](a.buf, i, m*k), lda, nth[float64](b.buf, i, k*n), ldb, false, nth[float64](v.buf, i, m*n), n)
		}
	}
	return func(p *pool) func() {
		if batch != 1 {
			parts, size := p.chunks(batch, costFlop*float64(m*n*k))
			return p.eachPart(parts, func(w *worker, part int) {
				for i := part * size; i < min((part+1)*size, batch); i++ {
					one(w, i, 0, m, 0, n)
				}
			})
		}
		// Threads split the longer side, each part in whole panels: fewer parts than elsewhere, since each packs the
		// other operand again.
		parts, side, grain := 1, m, 14
		if n >= m {
			side, grain = n, 32
		}
		if m == 1 {
			grain = 128 // the kernel of a single row takes so many columns
		}
		if max(float64(m*n*k)*costFlop, float64((m+n)*k)*costFetch) > 2*worthwhile {
			parts = max(1, min(p.threads, side/grain))
		}
		return p.eachPart(parts, func(w *worker, part int) {
			from, to := cut(side, grain, part, parts)
			if n >= m {
				one(w, 0, 0, m, from, to)
			} else {
				one(w, 0, from, to, 0, n)
			}
		})
	}
}

// nth is array number i of a batch.
func nth[T any](b *buffer, i, size int) []T { return slice[T](b)[i*size : (i+1)*size] }

// cut gives part of n, in multiples of grain.
func cut(n, grain, part, parts int) (from, to int) {
	grains := (n + grain - 1) / grain
	return min(n, grains*part/parts*grain), min(n, grains*(part+1)/parts*grain)
}

// planConv makes the launch of a member of the convolution family.
func (c *compiler) planConv(v *value, l *plannedLaunch) {
	t := v.attr.(tensor.ConvGeometry)
	g := &kernel.ConvGeometry{N: t.N, Groups: t.Groups, CI: t.CI, CO: t.CO}
	for i, a := range t.Axes {
		g.Axes[i] = kernel.ConvAxis{In: a.In, Kernel: a.Kernel, Out: a.Out, Stride: a.Stride, Dilation: a.Dilation, Pad: a.Pad}
	}
	switch {
	case g.Axes[0].Kernel == 0 || g.Axes[1].Kernel == 0: // no terms
		l.bind = func(*pool) func() { return filler(v.dtype(), v.buf, 0) }
	case v.dtype() == tensor.Float32:
		planConvolution[float32](c, v, l, g)
	default:
		planConvolution[float64](c, v, l, g)
	}
}

func planConvolution[T float32 | float64](c *compiler, v *value, l *plannedLaunch, g *kernel.ConvGeometry) {
	outputs := g.Axes[0].Out * g.Axes[1].Out
	cost := costFlop * float64(g.CI*g.CO*g.Groups*outputs*g.Axes[0].Kernel*g.Axes[1].Kernel)
	if v.op == tensor.OpConvW {
		plan, partials := kernel.PlanConvW[T](g), c.scratch(l, kernel.ConvWParts*v.size()*v.dtype().Size())
		l.bind = func(p *pool) func() {
			return convolutionW(p, plan, slice[T](v.in[0].buf), slice[T](v.in[1].buf), slice[T](v.buf), slice[T](partials), cost*float64(g.N))
		}
		return
	}
	in, weights := v.in[0], v.in[1]
	plan := kernel.PlanConvY[T](g)
	if v.op == tensor.OpConvX {
		in, weights = v.in[1], v.in[0]
		plan = kernel.PlanConvX[T](g)
	}
	// Fewer than 196 outputs do not fill the largest tiles of the matrix product.
	l.each = &perItem{items: g.N, whole: []*buffer{weights.buf}, least: (196 + outputs - 1) / max(outputs, 1)}
	run := func(packed func(*worker) []T) itemRun {
		x, y := slice[T](in.buf), slice[T](v.buf)
		return itemRun{cost: cost, run: func(w *worker, from, to int) { plan.Images(w.ws, from, to, packed(w), x, y) }}
	}
	switch size := plan.Packed(); {
	case size == 0:
		l.each.bind = func(*pool) itemRun { return run(func(*worker) []T { return slice[T](weights.buf) }) }
	case weights.op == tensor.OpConstant:
		packed := unsafe.Slice((*T)(alignedBytes(size*v.dtype().Size())), size)
		plan.Pack(&kernel.Workspace{}, slice[T](weights.buf), packed)
		l.each.bind = func(*pool) itemRun { return run(func(*worker) []T { return packed }) }
	default:
		// Each thread packs the weights for itself, as they would be slow to come from another core's cache. This and the
		// levels of convolutionW took DCGAN's step on two threads from 55 to 52 ms.
		room := c.scratch(l, c.threads*size*v.dtype().Size())
		l.each.whole = append(l.each.whole, room)
		l.each.bind = func(p *pool) itemRun {
			all, w := slice[T](room), slice[T](weights.buf)
			fresh := make([]packing, p.threads)
			r := run(func(worker *worker) []T {
				own := all[worker.index*size:][:size]
				if f := &fresh[worker.index]; !f.done {
					plan.Pack(worker.ws, w, own)
					f.done = true
				}
				return own
			})
			r.begin = func() {
				for i := range fresh {
					fresh[i].done = false
				}
			}
			return r
		}
	}
}

// packing says whether a thread has packed the weights of a launch in this run. It fills a cache line.
type packing struct {
	done bool
	_    [63]byte
}

// convolutionW is the gradient by the kernel: a fixed number of partial sums, of which each launch part makes one or
// all.
func convolutionW[T float32 | float64](p *pool, plan *kernel.ConvWPlan[T], x, y, dst, partials []T, cost float64) func() {
	n := len(dst)
	parts := kernel.ConvWParts
	if p.threads == 1 || cost < 2*worthwhile {
		parts = 1
	}
	each := kernel.ConvWParts / parts
	compute := p.eachPart(parts, func(w *worker, part int) {
		for i := part * each; i < (part+1)*each; i++ {
			plan.Part(w.ws, i, x, y, partials[i*n:(i+1)*n])
		}
	})
	if parts == 1 {
		return func() {
			compute()
			kernel.ConvWSum(partials, dst, 0, n)
		}
	}
	// The tree of ConvWSum, level by level: each thread first adds up parts that it has made itself.
	add := func(to, from []T) { // to += from
		if single, ok := any(to).([]float32); ok {
			kernel.Float32().Add.VV(single, single, any(from).([]float32))
			return
		}
		for i, x := range from {
			to[i] += x
		}
	}
	level := func(distance int) func() {
		return p.eachPart(kernel.ConvWParts/(2*distance), func(_ *worker, i int) {
			i *= 2 * distance
			add(partials[i*n:(i+1)*n], partials[(i+distance)*n:(i+distance+1)*n])
		})
	}
	pairs, quads := level(1), level(2)
	strips, size := p.chunks(n, costReduce*kernel.ConvWParts)
	sum := p.eachPart(strips, func(_ *worker, part int) {
		from, to := part*size, min((part+1)*size, n)
		kernel.ConvWLast(partials[from:to], partials[kernel.ConvWParts/2*n+from:][:to-from], dst[from:to])
	})
	return func() {
		compute()
		pairs()
		quads()
		sum()
	}
}
