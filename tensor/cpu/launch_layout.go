package cpu

import (
	"unsafe"

	"github.com/likely-ml/likely/tensor"
)

func unsafeAdd(p unsafe.Pointer, n int) unsafe.Pointer { return unsafe.Add(p, n) }

// strided is an n-dimensional walk over a source and a destination at once. Strides are in elements.
type strided struct {
	dims               []int
	dst, src           []int
	dstStart, srcStart int
}

// rowMajor are the strides of a contiguous array.
func rowMajor(dims []int) []int {
	s := make([]int, len(dims))
	step := 1
	for i := len(dims) - 1; i >= 0; i-- {
		s[i] = step
		step *= dims[i]
	}
	return s
}

// simplify drops axes of extent 1 and joins neighbours that both sides walk as one.
func (w strided) simplify() strided {
	out := strided{dstStart: w.dstStart, srcStart: w.srcStart}
	for i, e := range w.dims {
		if e == 1 {
			continue
		}
		if n := len(out.dims); n > 0 && out.dst[n-1] == e*w.dst[i] && out.src[n-1] == e*w.src[i] {
			out.dims[n-1] *= e
			out.dst[n-1], out.src[n-1] = w.dst[i], w.src[i]
			continue
		}
		out.dims, out.dst, out.src = append(out.dims, e), append(out.dst, w.dst[i]), append(out.src, w.src[i])
	}
	return out
}

// move copies the elements of the walk.
func move[T any](w strided, dst, src []T) { moveAxis(w, 0, dst, src, w.dstStart, w.srcStart) }

func moveAxis[T any](w strided, axis int, dst, src []T, d, s int) {
	if axis == len(w.dims) {
		dst[d] = src[s]
		return
	}
	n, ds, ss := w.dims[axis], w.dst[axis], w.src[axis]
	if axis < len(w.dims)-1 {
		for range n {
			moveAxis(w, axis+1, dst, src, d, s)
			d, s = d+ds, s+ss
		}
		return
	}
	switch {
	case ds == 1 && ss == 1:
		copy(dst[d:d+n], src[s:s+n])
	case ds == 1 && ss == 0:
		x := src[s]
		for i := range dst[d : d+n] {
			dst[d+i] = x
		}
	default:
		for range n {
			dst[d] = src[s]
			d, s = d+ds, s+ss
		}
	}
}

// moveBytes copies elements of any type of that size.
func moveBytes(w strided, elem int, dst, src *buffer) {
	for _, e := range w.dims {
		if e == 0 {
			return
		}
	}
	switch elem {
	case 1:
		move(w, slice[uint8](dst), slice[uint8](src))
	case 4:
		move(w, slice[uint32](dst), slice[uint32](src))
	default:
		move(w, slice[uint64](dst), slice[uint64](src))
	}
}

// mover copies in parts along the outermost axis.
func mover(p *pool, w strided, elem int, dst, src *buffer) func() {
	w = w.simplify()
	if len(w.dims) < 2 {
		return func() { moveBytes(w, elem, dst, src) }
	}
	inner := 1
	for _, e := range w.dims[1:] {
		inner *= e
	}
	n := w.dims[0]
	parts, size := p.chunks(n, 0.5*float64(inner))
	walks := make([]strided, parts)
	for i := range walks {
		from := i * size
		walks[i] = w
		walks[i].dims = append([]int{min(size, n-from)}, w.dims[1:]...)
		walks[i].dstStart += from * w.dst[0]
		walks[i].srcStart += from * w.src[0]
	}
	return p.eachPart(parts, func(_ *worker, part int) { moveBytes(walks[part], elem, dst, src) })
}

// bindStrided: results whose every element is one element of the operand at an affine index.
func bindStrided(v *value, l *plannedLaunch) func(*pool) func() {
	x := v.in[0]
	w := strided{dims: v.shape.Dims, dst: rowMajor(v.shape.Dims), src: make([]int, len(v.shape.Dims))}
	from := rowMajor(x.dims)
	switch v.op {
	case tensor.OpBroadcast:
		for i := range w.src {
			if x.dims[i] != 1 {
				w.src[i] = from[i]
			}
		}
	case tensor.OpTranspose:
		for i, a := range v.attr.([]int) {
			w.src[i] = from[a]
		}
	case tensor.OpSlice:
		s := v.attr.(tensor.SliceSpec)
		for i := range w.src {
			w.src[i] = from[i] * s.Stride[i]
			w.srcStart += from[i] * s.Start[i]
		}
	case tensor.OpReverse:
		copy(w.src, from)
		for _, a := range v.attr.([]int) {
			w.src[a] = -from[a]
			w.srcStart += from[a] * (x.dims[a] - 1)
		}
	}
	l.stridedPerItem(w, v.dtype().Size(), v.buf, x.buf)
	return func(p *pool) func() { return mover(p, w, v.dtype().Size(), v.buf, x.buf) }
}

func bindPad(v *value) func(*pool) func() {
	x, s := v.in[0], v.attr.(tensor.PadSpec)
	to, from := rowMajor(v.shape.Dims), rowMajor(x.dims)
	w := strided{dims: make([]int, len(x.dims)), dst: make([]int, len(x.dims)), src: from}
	for i, e := range x.dims {
		step := s.Interior[i] + 1
		// Elements lo..hi−1 of the operand land inside.
		lo, hi := 0, e
		for lo < e && s.Low[i]+lo*step < 0 {
			lo++
		}
		for hi > lo && s.Low[i]+(hi-1)*step >= v.shape.Dims[i] {
			hi--
		}
		w.dims[i] = hi - lo
		w.dst[i] = to[i] * step
		w.dstStart += to[i] * (s.Low[i] + lo*step)
		w.srcStart += from[i] * lo
	}
	return func(p *pool) func() {
		put := mover(p, w, v.dtype().Size(), v.buf, x.buf)
		background := filler(v.dtype(), v.buf, s.Value)
		return func() { background(); put() }
	}
}

// filler sets every element of a buffer.
func filler(d tensor.DType, b *buffer, x float64) func() {
	switch d {
	case tensor.Float32:
		return func() { fill(slice[float32](b), float32(x)) }
	case tensor.Float64:
		return func() { fill(slice[float64](b), x) }
	case tensor.Int32:
		return func() { fill(slice[int32](b), int32(x)) }
	case tensor.Uint32:
		return func() { fill(slice[uint32](b), uint32(int64(x))) }
	default:
		return func() { fill(slice[bool](b), x != 0) }
	}
}

func bindConcat(v *value) func(*pool) func() {
	axis := v.attr.(int)
	to := rowMajor(v.shape.Dims)
	return func(p *pool) func() {
		var parts []func()
		at := 0
		for _, x := range v.in {
			w := strided{dims: x.dims, dst: to, src: rowMajor(x.dims), dstStart: at * to[axis]}
			parts = append(parts, mover(p, w, v.dtype().Size(), v.buf, x.buf))
			at += x.dims[axis]
		}
		return func() {
			for _, f := range parts {
				f()
			}
		}
	}
}

// bindDynamic: a window of x whose corner is known only when it runs.
func bindDynamic(v *value) func(*pool) func() {
	x, start := v.in[0], v.in[len(v.in)-1]
	window := v.shape.Dims
	if v.op == tensor.OpDynamicUpdate {
		window = v.in[1].dims
	}
	strides := rowMajor(x.dims)
	elem := v.dtype().Size()
	corner := func() (at int) {
		for i, s := range slice[int32](start.buf) {
			at += strides[i] * max(0, min(int(s), x.dims[i]-window[i]))
		}
		return at
	}
	contiguous := rowMajor(window)
	return func(p *pool) func() {
		if v.op == tensor.OpDynamicSlice {
			return func() {
				moveBytes(strided{dims: window, dst: contiguous, src: strides, srcStart: corner()}, elem, v.buf, x.buf)
			}
		}
		u := v.in[1]
		return func() {
			copy(slice[byte](v.buf), slice[byte](x.buf))
			moveBytes(strided{dims: window, dst: strides, src: contiguous, dstStart: corner()}, elem, v.buf, u.buf)
		}
	}
}

func bindIota(v *value) func(*pool) func() {
	axis := v.attr.(int)
	inner := rowMajor(v.shape.Dims)[axis]
	extent := v.shape.Dims[axis]
	return func(p *pool) func() {
		switch v.dtype() {
		case tensor.Float32:
			return countAlong[float32](v.buf, inner, extent)
		case tensor.Float64:
			return countAlong[float64](v.buf, inner, extent)
		case tensor.Int32:
			return countAlong[int32](v.buf, inner, extent)
		default:
			return countAlong[uint32](v.buf, inner, extent)
		}
	}
}

// countAlong writes the index along an axis of that extent, whose steps are inner elements apart.
func countAlong[T float32 | float64 | int32 | uint32](b *buffer, inner, extent int) func() {
	return func() {
		d := slice[T](b)
		for i := range d {
			d[i] = T(i / inner % extent)
		}
	}
}
