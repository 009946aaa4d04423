package cpu

import (
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// reduction is one step of a reduction: of an array [outer, extent, inner], the middle axis.
type reduction struct{ outer, extent, inner int }

// reductions cuts a reduction of dims along axes (ascending) into steps, each over axes that lie side by side, the
// innermost first.
func reductions(dims, axes []int) []reduction {
	reduced := make([]bool, len(dims))
	for _, a := range axes {
		reduced[a] = true
	}
	var steps []reduction
	for i := len(dims) - 1; i >= 0; {
		if !reduced[i] {
			i--
			continue
		}
		r := reduction{1, 1, 1}
		for j := i + 1; j < len(dims); j++ { // what is inside and not yet reduced
			if !reduced[j] {
				r.inner *= dims[j]
			}
		}
		for ; i >= 0 && reduced[i]; i-- {
			r.extent *= dims[i]
		}
		for j := 0; j <= i; j++ {
			r.outer *= dims[j]
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
	return func(p *pool) func() {
		var runs []func()
		for i, r := range steps {
			runs = append(runs, r.bind(p, v.op, v.dtype(), places[i+1], places[i]))
		}
		return func() {
			for _, f := range runs {
				f()
			}
		}
	}
}

func (r reduction) bind(p *pool, op tensor.Op, d tensor.DType, dst, src *buffer) func() {
	switch d {
	case tensor.Float32:
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
const costReduce = 0.08

func (r reduction) bindFloat32(p *pool, op tensor.Op, dst, src []float32) func() {
	k := kernel.Float32()
	rows, columns := k.RowSum, k.ColSum
	if op == tensor.OpReduceMax {
		rows, columns = k.RowMax, k.ColMax
	}
	switch {
	case r.inner == 1:
		parts, size := p.chunks(r.outer, costReduce*float64(r.extent))
		return p.launch(parts, func(_ *worker, part int) {
			from, to := part*size, min((part+1)*size, r.outer)
			rows(dst[from:to], src[from*r.extent:to*r.extent], to-from, r.extent)
		})
	case r.outer == 1:
		_, size := p.chunks(r.inner, costReduce*float64(r.extent))
		size = (size + 15) &^ 15
		return p.launch((r.inner+size-1)/size, func(_ *worker, part int) {
			from, to := part*size, min((part+1)*size, r.inner)
			columns(dst[from:to], src[min(from, len(src)):], r.extent, r.inner)
		})
	}
	parts, size := p.chunks(r.outer, costReduce*float64(r.extent*r.inner))
	return p.launch(parts, func(_ *worker, part int) {
		for o := part * size; o < min((part+1)*size, r.outer); o++ {
			columns(dst[o*r.inner:(o+1)*r.inner], src[o*r.extent*r.inner:(o+1)*r.extent*r.inner], r.extent, r.inner)
		}
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
