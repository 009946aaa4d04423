package xla

import (
	"math"

	"github.com/likely-ml/likely/tensor"
)

// threefry writes Threefry 2x32-20 (see [tensor.RandomBits]) of the counters (0, stream), (1, stream), … as many as there are
// blocks: the two words of each.
func (w *writer) threefry(key value, stream uint32, blocks int) (x0, x1 value) {
	shape := tensor.ShapeOf(tensor.Uint32, blocks)
	number := func(v uint32) value { return w.full(shape, float64(v)) }
	word := func(i int) value { return w.broadcast(w.slice(key, []int{i}, []int{i + 1}, []int{1}), blocks) }
	rotate := func(x value, by int) value {
		return w.map2("or", w.map2("shift_left", x, number(uint32(by))), w.map2("shift_right_logical", x, number(uint32(32-by))))
	}
	k0, k1 := word(0), word(1)
	schedule := [3]value{k0, k1, w.map2("xor", number(0x1BD11BDA), w.map2("xor", k0, k1))}
	rotations := [8]int{13, 15, 26, 6, 17, 29, 16, 24}
	x0 = w.map2("add", w.iota(shape, 0), k0)
	x1 = w.map2("add", number(stream), k1)
	for round := range 20 {
		x0 = w.map2("add", x0, x1)
		x1 = w.map2("xor", rotate(x1, rotations[round%8]), x0)
		if round%4 == 3 {
			injection := round/4 + 1
			x0 = w.map2("add", x0, schedule[injection%3])
			x1 = w.map2("add", w.map2("add", x1, schedule[(injection+1)%3]), number(uint32(injection)))
		}
	}
	return x0, x1
}

// blocks is the number of blocks that hold the elements of n.
func blocks(n *tensor.Node) int { return (n.Shape().Size() + 1) / 2 }

func streamOf(n *tensor.Node) uint32 { return n.Attr().(uint32) }

// interleave puts even and odd elements together in the shape of n.
func (w *writer) interleave(n *tensor.Node, even, odd value) value {
	pairs := even.dims()[0]
	both := w.reshape(w.concat(1, w.reshape(even, pairs, 1), w.reshape(odd, pairs, 1)), 2*pairs)
	if size := n.Shape().Size(); size < 2*pairs {
		both = w.slice(both, []int{0}, []int{size}, []int{1})
	}
	return w.reshape(both, n.Dims()...)
}

func randomBits(w *writer, n *tensor.Node, key value) value {
	even, odd := w.threefry(key, streamOf(n), blocks(n))
	return w.interleave(n, even, odd)
}

func randomUniform(w *writer, n *tensor.Node, key value) value {
	bits := randomBits(w, n, key)
	top := w.map2("shift_right_logical", bits, w.like(bits, 8))
	return w.map2("multiply", w.convert(top, n.DType()), w.full(n.Shape(), 0x1p-24))
}

func randomNormal(w *writer, n *tensor.Node, key value) value {
	first, second := w.threefry(key, streamOf(n), blocks(n))
	d := n.DType()
	top := w.map2("add", w.map2("shift_right_logical", first, w.like(first, 8)), w.like(first, 1))
	u := w.convert(top, d)
	u = w.map2("multiply", u, w.like(u, 0x1p-24))
	radius := w.map1("log", u)
	radius = w.map1("sqrt", w.map2("multiply", radius, w.like(radius, -2)))
	cos, sin := w.turn(second, d)
	return w.interleave(n, w.map2("multiply", radius, cos), w.map2("multiply", radius, sin))
}

// turn is the cosine and sine of 2π·v·2⁻³². A float64 holds the whole word v. For float32 it is taken apart into quarter turns, which
// are exact, and what is left, at most an eighth of a turn either way, so that the results keep their digits near 0.
func (w *writer) turn(v value, d tensor.DType) (cos, sin value) {
	radians := func(x value) value {
		x = w.convert(x, d)
		return w.map2("multiply", x, w.like(x, 2*math.Pi*0x1p-32))
	}
	if d == tensor.Float64 {
		angle := radians(v)
		return w.map1("cosine", angle), w.map1("sine", angle)
	}
	number := func(x float64) value { return w.like(v, x) }
	quarter := w.map2("shift_right_logical", w.map2("add", v, number(1<<29)), number(30))
	rest := w.map2("subtract", v, w.map2("shift_left", quarter, number(30)))
	angle := radians(w.op("stablehlo.bitcast_convert", tensor.ShapeOf(tensor.Int32, v.dims()...), nil, rest))
	c, s := w.map1("cosine", angle), w.map1("sine", angle)

	bit := func(x value, mask float64) value { return w.compare("NE", w.map2("and", x, number(mask)), number(0)) }
	odd := bit(quarter, 1)
	cos, sin = w.choose(odd, s, c), w.choose(odd, c, s)
	cos = w.choose(bit(w.map2("add", quarter, number(1)), 2), w.map1("negate", cos), cos)
	sin = w.choose(bit(quarter, 2), w.map1("negate", sin), sin)
	return cos, sin
}
