package cpu

import (
	"math"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// reduction is one step of a reduction: of an array [outer, extent, inner], the middle axis.
type reduction struct{ outer, extent, inner int }

// reductions cuts a reduction of dims along axes (ascending) into steps, each over axes that lie side by side, the
// outermost first: what is left within is then long enough for vectors.
func reductions(dims, axes []int) []reduction {
	reduced := make([]bool, len(dims))
	for _, a := range axes {
		reduced[a] = true
	}
	var steps []reduction
	outer := 1
	for i := 0; i < len(dims); {
		if !reduced[i] {
			outer *= dims[i]
			i++
			continue
		}
		r := reduction{outer, 1, 1}
		for ; i < len(dims) && reduced[i]; i++ {
			r.extent *= dims[i]
		}
		for _, e := range dims[i:] {
			r.inner *= e
		}
		steps = append(steps, r)
	}
	return steps
}

func (c *compiler) bindReduce(v *value, l *plannedLaunch) func(*pool) func() {
	x := v.in[0]
	steps := reductions(x.dims, v.attr.([]int))
	places := []*buffer{x.buf}
	for _, r := range steps[:len(steps)-1] {
		places = append(places, c.scratch(l, r.outer*r.inner*v.dtype().Size()))
	}
	places = append(places, v.buf)
	partials := make([]*buffer, len(steps))
	for i, r := range steps {
		if v.dtype() == tensor.Float32 && r.splitsRows() {
			partials[i] = c.scratch(l, kernel.ColParts*r.inner*v.dtype().Size())
		}
	}
	return func(p *pool) func() {
		var runs []func()
		for i, r := range steps {
			runs = append(runs, r.bind(p, v.op, v.dtype(), places[i+1], places[i], partials[i]))
		}
		return func() {
			for _, f := range runs {
				f()
			}
		}
	}
}

// bind makes the step runnable; partials is scratch memory for a step that splits its rows.
func (r reduction) bind(p *pool, op tensor.Op, d tensor.DType, dst, src, partials *buffer) func() {
	switch d {
	case tensor.Float32:
		if r.outer == 1 && r.inner > 1 {
			return r.bindColumns(p, op, slice[float32](dst), slice[float32](src), partials)
		}
		return r.bindFloat32(p, op, slice[float32](dst), slice[float32](src))
	case tensor.Float64:
		return reducePlain(r, op, slice[float64](dst), slice[float64](src))
	case tensor.Int32:
		return reducePlain(r, op, slice[int32](dst), slice[int32](src))
	default:
		return reducePlain(r, op, slice[uint32](dst), slice[uint32](src))
	}
}

// costReduce is the time in nanoseconds to read and add an element.
const costReduce = 0.04

func (r reduction) bindFloat32(p *pool, op tensor.Op, dst, src []float32) func() {
	k := kernel.Float32()
	rows, columns := k.RowSum, k.ColSum
	if op == tensor.OpReduceMax {
		rows, columns = k.RowMax, k.ColMax
	}
	parts, size := p.chunks(r.outer, costReduce*float64(r.extent*r.inner))
	return p.eachPart(parts, func(_ *worker, part int) {
		from, to := part*size, min((part+1)*size, r.outer)
		if r.inner == 1 {
			rows(dst[from:to], src[from*r.extent:to*r.extent], to-from, r.extent)
			return
		}
		for o := from; o < to; o++ {
			columns(dst[o*r.inner:(o+1)*r.inner], src[o*r.extent*r.inner:(o+1)*r.extent*r.inner], r.extent, r.inner)
		}
	})
}

// splitsRows reports whether threads take parts of the rows of a matrix whose columns are reduced. With many columns
// they take strips of columns instead, which are then long enough to be read at full speed.
func (r reduction) splitsRows() bool {
	return r.outer == 1 && r.inner > 1 && r.inner < 1024 && r.extent >= 8*kernel.ColParts
}

// bindColumns reduces the columns of one matrix.
func (r reduction) bindColumns(p *pool, op tensor.Op, dst, src []float32, partials *buffer) func() {
	k := kernel.Float32()
	columns, on, neutral := k.ColSum, k.ColSumOn, float32(0)
	if op == tensor.OpReduceMax {
		columns, on, neutral = k.ColMax, k.ColMaxOn, float32(math.Inf(-1))
	}
	alone := p.threads == 1 || costReduce*float64(r.extent*r.inner) < 2*worthwhile
	switch {
	case alone:
		return func() { columns(dst, src, r.extent, r.inner) }
	case r.splitsRows():
		sums := slice[float32](partials)
		compute := p.eachPart(kernel.ColParts, func(_ *worker, i int) {
			from, to := kernel.ColPart(r.extent, i)
			part := sums[i*r.inner : (i+1)*r.inner]
			k.Fill(part, neutral)
			on(part, src[from*r.inner:to*r.inner], to-from, r.inner)
		})
		return func() {
			compute()
			columns(dst, sums, kernel.ColParts, r.inner)
		}
	}
	strips := 2 * p.threads
	return p.eachPart(strips, func(_ *worker, i int) {
		from, to := cut(r.inner, 64, i, strips)
		columns(dst[from:to], src[min(from, len(src)):], r.extent, r.inner)
	})
}

// reducePlain is one chain for each element, in order. A maximum starts from the first element; a NaN stays.
func reducePlain[T float64 | int32 | uint32](r reduction, op tensor.Op, dst, src []T) func() {
	return func() {
		for o := range r.outer {
			for i := range r.inner {
				var acc T
				for e := range r.extent {
					x := src[(o*r.extent+e)*r.inner+i]
					switch {
					case op == tensor.OpReduceSum:
						acc += x
					case e == 0 || x > acc || x != x:
						acc = x
					}
				}
				dst[o*r.inner+i] = acc
			}
		}
	}
}

// around splits the axes of an operand about one of them.
func around(dims []int, axis int) reduction {
	r := reduction{1, dims[axis], 1}
	for i, e := range dims {
		if i < axis {
			r.outer *= e
		} else if i > axis {
			r.inner *= e
		}
	}
	return r
}

func bindArgMax(v *value) func(*pool) func() {
	x := v.in[0]
	r := around(x.dims, v.attr.(int))
	return func(p *pool) func() {
		dst := slice[int32](v.buf)
		switch x.dtype() {
		case tensor.Float32:
			if r.inner == 1 {
				f := kernel.Float32().ArgMax
				src := slice[float32](x.buf)
				return func() { f(dst, src, r.outer, r.extent) }
			}
			return argMax(r, dst, slice[float32](x.buf))
		case tensor.Float64:
			return argMax(r, dst, slice[float64](x.buf))
		case tensor.Int32:
			return argMax(r, dst, slice[int32](x.buf))
		case tensor.Uint32:
			return argMax(r, dst, slice[uint32](x.buf))
		default:
			return argMax(r, dst, slice[uint8](x.buf))
		}
	}
}

func argMax[T float32 | float64 | int32 | uint32 | uint8](r reduction, dst []int32, src []T) func() {
	return func() {
		for o := range r.outer {
			for i := range r.inner {
				best := 0
				top := src[o*r.extent*r.inner+i]
				for e := 1; e < r.extent && top == top; e++ {
					if x := src[(o*r.extent+e)*r.inner+i]; x > top || x != x {
						best, top = e, x
					}
				}
				dst[o*r.inner+i] = int32(best)
			}
		}
	}
}

func bindCumSum(v *value) func(*pool) func() {
	s := v.attr.(tensor.CumSumSpec)
	r := around(v.shape.Dims, s.Axis)
	src := v.in[0]
	return func(p *pool) func() {
		switch v.dtype() {
		case tensor.Float32:
			return cumSum[float32](r, s.Reverse, v.buf, src.buf)
		case tensor.Float64:
			return cumSum[float64](r, s.Reverse, v.buf, src.buf)
		case tensor.Int32:
			return cumSum[int32](r, s.Reverse, v.buf, src.buf)
		default:
			return cumSum[uint32](r, s.Reverse, v.buf, src.buf)
		}
	}
}

func cumSum[T float32 | float64 | int32 | uint32](r reduction, reverse bool, d, s *buffer) func() {
	dst, src := slice[T](d), slice[T](s)
	return func() {
		for o := range r.outer {
			for i := range r.inner {
				var acc T
				for e := range r.extent {
					if reverse {
						e = r.extent - 1 - e
					}
					at := (o*r.extent+e)*r.inner + i
					acc += src[at]
					dst[at] = acc
				}
			}
		}
	}
}
