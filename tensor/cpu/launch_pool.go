package cpu

import (
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// costTap is the time in nanoseconds to look at one input element of a pooling window.
const costTap = 0.15

// window is the range of inputs that output o sees.
func window(a tensor.PoolAxis, o int) (from, to int) {
	from = a.Stride*o - a.Pad
	return max(from, 0), min(from+a.Kernel, a.In)
}

func bindMaxPoolIndex(v *value) func(*pool) func() {
	return func(p *pool) func() {
		switch v.in[0].dtype() {
		case tensor.Float32:
			return maxPoolIndex(p, v, kernel.Float32().MaxPoolIndex)
		default:
			return maxPoolIndex(p, v, kernel.MaxPoolIndex64)
		}
	}
}

// maxPoolIndex finds the greatest of each window, a row of outputs at a time; threads split the rows of all images.
func maxPoolIndex[T float32 | float64](p *pool, v *value, find func(index []int32, x []T, r *kernel.PoolRun)) func() {
	win := v.attr.(tensor.PoolWindow)
	h, w := win.Axes[0], win.Axes[1]
	n, c := v.shape.Dims[0], v.shape.Dims[3]
	image, row := h.In*w.In*c, w.Out*c
	dst, src := slice[int32](v.buf), slice[T](v.in[0].buf)
	runs := make([][]kernel.PoolRun, h.Out)
	for oy := range runs {
		runs[oy] = poolRuns(win, c, oy)
	}
	parts, size := p.chunks(n*h.Out, costTap*float64(row*h.Kernel*w.Kernel))
	return p.eachPart(parts, func(_ *worker, part int) {
		for i := part * size; i < min((part+1)*size, n*h.Out); i++ {
			x, out := src[i/h.Out*image:][:image], dst[i*row:(i+1)*row]
			list := runs[i%h.Out]
			for r := range list {
				m := list[r].Windows * c
				find(out[:m], x, &list[r])
				out = out[m:]
			}
		}
	})
}

// poolRuns cuts row oy of the outputs into runs of windows that differ only in where they begin: those that the border
// cuts stand alone.
func poolRuns(win tensor.PoolWindow, channels, oy int) []kernel.PoolRun {
	h, w := win.Axes[0], win.Axes[1]
	y0, y1 := window(h, oy)
	var runs []kernel.PoolRun
	for ox := range w.Out {
		x0, x1 := window(w, ox)
		r := kernel.PoolRun{First: (y0*w.In + x0) * channels, Rows: y1 - y0, Cols: x1 - x0, RowStep: w.In * channels,
			Windows: 1, Step: w.Stride * channels, Channels: channels}
		if n := len(runs); n > 0 && r.Cols == runs[n-1].Cols && r.First == runs[n-1].First+runs[n-1].Windows*r.Step {
			runs[n-1].Windows++
		} else {
			runs = append(runs, r)
		}
	}
	return runs
}

func bindSumPool(v *value) func(*pool) func() {
	return func(p *pool) func() {
		switch {
		case v.op == tensor.OpSumPool && v.dtype() == tensor.Float32:
			return sumPool(p, v, rowAdder(v.shape.Dims[3]))
		case v.op == tensor.OpSumPool:
			return sumPool(p, v, addRow[float64])
		case v.dtype() == tensor.Float32:
			return sumUnpool(p, v, rowAdder(v.shape.Dims[3]))
		default:
			return sumUnpool(p, v, addRow[float64])
		}
	}
}

// addRow adds the channels of one pixel to those of another.
func addRow[T float32 | float64](dst, x []T) {
	for c, z := range x {
		dst[c] += z
	}
}

// rowAdder is addRow, by a kernel if the channels are worth a call.
func rowAdder(channels int) func(dst, x []float32) {
	if channels < 8 {
		return addRow[float32]
	}
	add := kernel.Float32().Add.VV
	return func(dst, x []float32) { add(dst, dst, x) }
}

func sumPool[T float32 | float64](p *pool, v *value, add func(dst, x []T)) func() {
	win := v.attr.(tensor.PoolWindow)
	h, w := win.Axes[0], win.Axes[1]
	n, c := v.shape.Dims[0], v.shape.Dims[3]
	dst, src := slice[T](v.buf), slice[T](v.in[0].buf)
	parts, size := p.chunks(n*h.Out, 2*costTap*float64(w.Out*c*h.Kernel*w.Kernel))
	return p.eachPart(parts, func(_ *worker, part int) {
		for row := part * size; row < min((part+1)*size, n*h.Out); row++ {
			image := src[row/h.Out*h.In*w.In*c:][:h.In*w.In*c]
			y0, y1 := window(h, row%h.Out)
			for ox := range w.Out {
				x0, x1 := window(w, ox)
				out := dst[(row*w.Out+ox)*c:][:c]
				clear(out)
				for y := y0; y < y1; y++ {
					for x := x0; x < x1; x++ {
						add(out, image[(y*w.In+x)*c:][:c])
					}
				}
			}
		}
	})
}

// sumUnpool adds each output to the inputs of its window, in the order of the outputs; threads split the images.
func sumUnpool[T float32 | float64](p *pool, v *value, add func(dst, x []T)) func() {
	win := v.attr.(tensor.PoolWindow)
	h, w := win.Axes[0], win.Axes[1]
	n, c := v.shape.Dims[0], v.shape.Dims[3]
	dst, src := slice[T](v.buf), slice[T](v.in[0].buf)
	parts, size := p.chunks(n, 2*costTap*float64(h.Out*w.Out*c*h.Kernel*w.Kernel))
	return p.eachPart(parts, func(_ *worker, part int) {
		for i := part * size; i < min((part+1)*size, n); i++ {
			image := dst[i*h.In*w.In*c:][:h.In*w.In*c]
			clear(image)
			for oy := range h.Out {
				y0, y1 := window(h, oy)
				for ox := range w.Out {
					x0, x1 := window(w, ox)
					from := src[((i*h.Out+oy)*w.Out+ox)*c:][:c]
					for y := y0; y < y1; y++ {
						for x := x0; x < x1; x++ {
							add(image[(y*w.In+x)*c:][:c], from)
						}
					}
				}
			}
		}
	})
}

// maxPool makes the launch of a pooling with values and indices, or without the indices if the program needs none.
func (k *composite) maxPool(l *plannedLaunch, out []*buffer) {
	win, dims := k.attr().(tensor.PoolWindow), k.shapes[0].Dims
	h, w := win.Axes[0], win.Axes[1]
	n, c := dims[0], dims[3]
	image, row := h.In*w.In*c, w.Out*c
	runs := make([][]kernel.PoolRun, h.Out)
	for oy := range runs {
		runs[oy] = poolRuns(win, c, oy)
	}
	l.each = &perItem{items: n, bind: func(*pool) itemRun {
		find, findValue := kernel.Float32().MaxPool, kernel.Float32().MaxPoolValue
		value, x := slice[float32](out[0]), slice[float32](k.in[0].buf)
		var index []int32
		if out[1] != nil {
			index = slice[int32](out[1])
		}
		return itemRun{cost: costTap * float64(h.Out*row*h.Kernel*w.Kernel), run: func(_ *worker, from, to int) {
			for i := from * h.Out; i < to*h.Out; i++ {
				x, value, list := x[i/h.Out*image:][:image], value[i*row:(i+1)*row], runs[i%h.Out]
				if index == nil {
					for r := range list {
						m := list[r].Windows * c
						findValue(value[:m], x, &list[r])
						value = value[m:]
					}
					continue
				}
				index := index[i*row : (i+1)*row]
				for r := range list {
					m := list[r].Windows * c
					find(value[:m], index[:m], x, &list[r])
					value, index = value[m:], index[m:]
				}
			}
		}}
	}}
}

// apart reports whether no two windows share an input, and tiles whether together they hold all of them.
func apart(w tensor.PoolWindow) bool {
	return w.Axes[0].Stride >= w.Axes[0].Kernel && w.Axes[1].Stride >= w.Axes[1].Kernel
}

func tiles(w tensor.PoolWindow) bool {
	for _, a := range w.Axes {
		if a.Stride != a.Kernel || a.Pad > 0 && a.Pad >= a.Kernel || a.Out*a.Kernel-a.Pad < a.In {
			return false
		}
	}
	return true
}

// maxUnpool makes the launch of the gradient of a pooling whose windows are apart.
func (k *composite) maxUnpool(l *plannedLaunch, out *buffer) {
	win, dims := k.attr().(tensor.PoolWindow), k.in[0].dims
	n, c := dims[0], dims[3]
	image, picked := win.Axes[0].In*win.Axes[1].In*c, dims[1]*dims[2]*c
	var runs []kernel.PoolRun
	for oy := range win.Axes[0].Out {
		runs = append(runs, poolRuns(win, c, oy)...)
	}
	clears := !tiles(win)
	l.each = &perItem{items: n, bind: func(*pool) itemRun {
		unpool := kernel.Float32().MaxUnpool
		x, y, index := slice[float32](out), slice[float32](k.in[0].buf), slice[int32](k.in[1].buf)
		return itemRun{cost: costTap * float64(image), run: func(_ *worker, from, to int) {
			for i := from; i < to; i++ {
				x, y, index := x[i*image:(i+1)*image], y[i*picked:(i+1)*picked], index[i*picked:(i+1)*picked]
				if clears {
					clear(x)
				}
				for r := range runs {
					m := runs[r].Windows * c
					unpool(x, y[:m], index[:m], &runs[r])
					y, index = y[m:], index[m:]
				}
			}
		}}
	}}
}
