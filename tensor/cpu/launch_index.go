package cpu

import (
	"math"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// costIndex is the time in nanoseconds to move one element by index.
const costIndex = 1.0

func bindGather(v *value) func(*pool) func() {
	return func(p *pool) func() {
		switch v.dtype().Size() {
		case 8:
			return gather[uint64](p, v)
		default:
			return gather[uint32](p, v)
		}
	}
}

// gather: element (b, q, d) is x[b, index[b,q], d], or 0 where there is no such row.
func gather[T uint32 | uint64](p *pool, v *value) func() {
	batch, picks, depth := v.shape.Dims[0], v.shape.Dims[1], v.shape.Dims[2]
	rows := v.in[0].dims[1]
	dst, x, index := slice[T](v.buf), slice[T](v.in[0].buf), slice[int32](v.in[1].buf)
	// A batch of one large table is split by picks, else by batch.
	parts, size := p.chunks(batch*picks, costIndex*float64(depth))
	return p.launch(parts, func(_ *worker, part int) {
		for i := part * size; i < min((part+1)*size, batch*picks); i++ {
			r := int(index[i])
			from := (i/picks*rows + r) * depth
			switch {
			case r < 0 || r >= rows:
				clear(dst[i*depth : (i+1)*depth])
			case depth == 1:
				dst[i] = x[from]
			default:
				copy(dst[i*depth:(i+1)*depth], x[from:from+depth])
			}
		}
	})
}

func bindScatterAdd(v *value) func(*pool) func() {
	return func(p *pool) func() {
		switch v.dtype() {
		case tensor.Float32:
			return scatterAdd[float32](p, v)
		case tensor.Float64:
			return scatterAdd[float64](p, v)
		case tensor.Int32:
			return scatterAdd[int32](p, v)
		default:
			return scatterAdd[uint32](p, v)
		}
	}
}

// scatterAdd adds the rows of each batch element in order; threads split the batch.
func scatterAdd[T float32 | float64 | int32 | uint32](p *pool, v *value) func() {
	batch, rows, depth := v.shape.Dims[0], v.shape.Dims[1], v.shape.Dims[2]
	picks := v.in[0].dims[1]
	dst, y, index := slice[T](v.buf), slice[T](v.in[0].buf), slice[int32](v.in[1].buf)
	parts, size := p.chunks(batch, costIndex*float64(picks*depth))
	return p.launch(parts, func(_ *worker, part int) {
		for b := part * size; b < min((part+1)*size, batch); b++ {
			out := dst[b*rows*depth : (b+1)*rows*depth]
			clear(out)
			for q := range picks {
				r := int(index[b*picks+q])
				if r < 0 || r >= rows {
					continue
				}
				row := y[(b*picks+q)*depth : (b*picks+q+1)*depth]
				for d, x := range row {
					out[r*depth+d] += x
				}
			}
		}
	})
}

func bindMaxPoolIndex(v *value) func(*pool) func() {
	return func(p *pool) func() {
		switch v.in[0].dtype() {
		case tensor.Float32:
			return maxPoolIndex[float32](p, v)
		default:
			return maxPoolIndex[float64](p, v)
		}
	}
}

func maxPoolIndex[T float32 | float64](p *pool, v *value) func() {
	win := v.attr.(tensor.PoolWindow)
	h, w := win.Axes[0], win.Axes[1]
	n, c := v.shape.Dims[0], v.shape.Dims[3]
	dst, src := slice[int32](v.buf), slice[T](v.in[0].buf)
	parts, size := p.chunks(n*h.Out, costIndex*float64(w.Out*c*h.Kernel*w.Kernel)/2)
	return p.launch(parts, func(_ *worker, part int) {
		best := make([]T, c)
		for row := part * size; row < min((part+1)*size, n*h.Out); row++ {
			image := src[row/h.Out*h.In*w.In*c:][:h.In*w.In*c]
			y0, y1 := window(h, row%h.Out)
			for ox := range w.Out {
				x0, x1 := window(w, ox)
				out := dst[(row*w.Out+ox)*c:][:c]
				first := (y0*w.In + x0) * c
				copy(best, image[first:first+c])
				for ch := range out {
					out[ch] = int32(first + ch)
				}
				for y := y0; y < y1; y++ {
					for x := x0; x < x1; x++ {
						if at := (y*w.In + x) * c; at != first {
							pickGreater(best, out, image[at:at+c], int32(at))
						}
					}
				}
			}
		}
	})
}

// pickGreater replaces the best of each channel, and its index, where x is greater. A NaN counts as greatest: one found
// before stays, one found now wins.
func pickGreater[T float32 | float64](best []T, index []int32, x []T, at int32) {
	best, index = best[:len(x)], index[:len(x)]
	for ch, z := range x {
		if b := best[ch]; z > b || z != z && b == b {
			best[ch], index[ch] = z, at+int32(ch)
		}
	}
}

// window is the range of inputs that output o sees.
func window(a tensor.PoolAxis, o int) (from, to int) {
	from = a.Stride*o - a.Pad
	return max(from, 0), min(from+a.Kernel, a.In)
}

func bindSumPool(v *value) func(*pool) func() {
	return func(p *pool) func() {
		switch {
		case v.op == tensor.OpSumPool && v.dtype() == tensor.Float32:
			return sumPool[float32](p, v)
		case v.op == tensor.OpSumPool:
			return sumPool[float64](p, v)
		case v.dtype() == tensor.Float32:
			return sumUnpool[float32](p, v)
		default:
			return sumUnpool[float64](p, v)
		}
	}
}

func sumPool[T float32 | float64](p *pool, v *value) func() {
	win := v.attr.(tensor.PoolWindow)
	h, w := win.Axes[0], win.Axes[1]
	n, c := v.shape.Dims[0], v.shape.Dims[3]
	dst, src := slice[T](v.buf), slice[T](v.in[0].buf)
	parts, size := p.chunks(n*h.Out, costIndex*float64(w.Out*c*h.Kernel*w.Kernel)/4)
	return p.launch(parts, func(_ *worker, part int) {
		for row := part * size; row < min((part+1)*size, n*h.Out); row++ {
			image := src[row/h.Out*h.In*w.In*c:][:h.In*w.In*c]
			y0, y1 := window(h, row%h.Out)
			for ox := range w.Out {
				x0, x1 := window(w, ox)
				out := dst[(row*w.Out+ox)*c:][:c]
				clear(out)
				for y := y0; y < y1; y++ {
					for x := x0; x < x1; x++ {
						for ch, z := range image[(y*w.In+x)*c:][:c] {
							out[ch] += z
						}
					}
				}
			}
		}
	})
}

// sumUnpool adds each output to the inputs of its window, in the order of the outputs; threads split the images.
func sumUnpool[T float32 | float64](p *pool, v *value) func() {
	win := v.attr.(tensor.PoolWindow)
	h, w := win.Axes[0], win.Axes[1]
	n, c := v.shape.Dims[0], v.shape.Dims[3]
	dst, src := slice[T](v.buf), slice[T](v.in[0].buf)
	parts, size := p.chunks(n, costIndex*float64(h.Out*w.Out*c*h.Kernel*w.Kernel)/4)
	return p.launch(parts, func(_ *worker, part int) {
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
							to := image[(y*w.In+x)*c:][:c]
							for ch, z := range from {
								to[ch] += z
							}
						}
					}
				}
			}
		}
	})
}

// costRandom is the time in nanoseconds to make one random number.
const costRandom = 0.6

func bindRandom(v *value) func(*pool) func() {
	stream := v.attr.(uint32)
	n := v.size()
	return func(p *pool) func() {
		k := kernel.Random()
		key := slice[uint32](v.in[0].buf)
		_, size := p.chunks(n, costRandom)
		size = (size + 1023) &^ 1023
		job := func(draw func(key [2]uint32, from, to int)) func() {
			return p.launch((n+size-1)/size, func(_ *worker, part int) {
				draw([2]uint32(key), part*size, min((part+1)*size, n))
			})
		}
		switch {
		case v.op == tensor.OpRandomBits:
			dst := slice[uint32](v.buf)
			return job(func(key [2]uint32, from, to int) { k.Bits(dst[from:to], key, stream, uint32(from)) })
		case v.dtype() == tensor.Float64:
			return job(randomFloat64(v, stream))
		case v.op == tensor.OpRandomUniform:
			dst := slice[float32](v.buf)
			return job(func(key [2]uint32, from, to int) { k.Uniform(dst[from:to], key, stream, uint32(from)) })
		default:
			dst := slice[float32](v.buf)
			return job(func(key [2]uint32, from, to int) { k.Normal(dst[from:to], key, stream, uint32(from)) })
		}
	}
}

// randomFloat64 makes the float64 values from the words themselves, as package tensor defines them.
func randomFloat64(v *value, stream uint32) func(key [2]uint32, from, to int) {
	k := kernel.Random()
	dst := slice[float64](v.buf)
	return func(key [2]uint32, from, to int) {
		var words [tileSize]uint32
		for ; from < to; from += len(words) { // from is even
			n := min(len(words), to-from)
			k.Bits(words[:(n+1)&^1], key, stream, uint32(from))
			part := dst[from : from+n]
			if v.op == tensor.OpRandomUniform {
				for i := range part {
					part[i] = float64(words[i]>>8) / (1 << 24)
				}
				continue
			}
			for i := range part {
				radius := math.Sqrt(-2 * math.Log(float64(words[i&^1]>>8+1)/(1<<24)))
				sin, cos := math.Sincos(2 * math.Pi * float64(words[i|1]) / (1 << 32))
				if i%2 == 0 {
					part[i] = radius * cos
				} else {
					part[i] = radius * sin
				}
			}
		}
	}
}
