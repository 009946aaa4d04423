package cpu

import (
	"math"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// costIndex and costCopy are the time in nanoseconds to go to an index and to move an element there.
const (
	costIndex = 0.7
	costCopy  = 0.1
)

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
	table := v.in[0].dims[1] * depth
	dst, x, index := slice[T](v.buf), slice[T](v.in[0].buf), slice[int32](v.in[1].buf)
	// A batch of one large table is split by picks, else by batch.
	parts, size := p.chunks(batch*picks, costIndex+costCopy*float64(depth))
	return p.eachPart(parts, func(_ *worker, part int) {
		to := min((part+1)*size, batch*picks)
		for i := part * size; i < to; {
			b := i / picks
			end := min(to, (b+1)*picks)
			takeRows(dst[i*depth:end*depth], x[b*table:(b+1)*table], index[i:end], depth)
			i = end
		}
	})
}

// takeRows sets row q of dst to row index[q] of x, or to zeros. The gather instructions of the processors tried are no
// faster than the loop for single elements.
func takeRows[T uint32 | uint64](dst, x []T, index []int32, depth int) {
	if depth == 1 {
		for q, r := range index[:len(dst)] {
			if uint(r) < uint(len(x)) {
				dst[q] = x[r]
			} else {
				dst[q] = 0
			}
		}
		return
	}
	for q, r := range index {
		row := dst[q*depth : (q+1)*depth]
		if from := int(r) * depth; r >= 0 && from < len(x) {
			copy(row, x[from:])
		} else {
			clear(row)
		}
	}
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
	parts, size := p.chunks(batch, costIndex*float64(picks*depth)+costCopy*float64(rows*depth))
	return p.eachPart(parts, func(_ *worker, part int) {
		for b := part * size; b < min((part+1)*size, batch); b++ {
			out := dst[b*rows*depth : (b+1)*rows*depth]
			clear(out)
			addRows(out, y[b*picks*depth:(b+1)*picks*depth], index[b*picks:(b+1)*picks], depth)
		}
	})
}

// addRows adds row q of y to row index[q] of dst, where there is one, in the order of q.
func addRows[T float32 | float64 | int32 | uint32](dst, y []T, index []int32, depth int) {
	if depth == 1 {
		for q, r := range index[:len(y)] {
			if uint(r) < uint(len(dst)) {
				dst[r] += y[q]
			}
		}
		return
	}
	for q, r := range index {
		from := int(r) * depth
		if r < 0 || from >= len(dst) {
			continue
		}
		to := dst[from : from+depth]
		for d, x := range y[q*depth : (q+1)*depth] {
			to[d] += x
		}
	}
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
			return p.eachPart((n+size-1)/size, func(_ *worker, part int) {
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
