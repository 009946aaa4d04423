package tensortest

import (
	"fmt"

	"github.com/likely-ml/likely/tensor"
)

func opCases() []opCase {
	cases := append(elementwiseCases(), layoutCases()...)
	cases = append(cases, reduceCases()...)
	cases = append(cases, productCases()...)
	cases = append(cases, poolCases()...)
	cases = append(cases, indexCases()...)
	return append(cases, randomCases()...)
}

func reduceCases() []opCase {
	var cases []opCase
	for _, d := range numberTypes {
		for _, s := range [][2][]int{
			{{1}, {0}}, {{7}, {0}}, {{1025}, {0}}, {{70001}, {0}}, {{5, 7}, {0}}, {{5, 7}, {1}}, {{5, 7}, {0, 1}}, {{1100, 33}, {0}}, {{1100, 33}, {1}}, {{3, 2100}, {1}},
			{{4, 5, 6}, {0, 2}}, {{4, 5, 6}, {1}}, {{2, 3, 4, 5}, {0, 1, 2}}, {{2, 3, 4, 5}, {1, 3}}, {{0, 4}, {1}}, {{3, 1}, {1}}, {{64, 9, 9, 8}, {0, 1, 2}}, {{2, 70001}, {0}},
		} {
			cases = append(cases,
				opCase{op: tensor.OpReduceSum, name: fmt.Sprint(s[1]), inputs: []input{of(d, s[0]...)}, sum: true,
					build: call1(func(x *tensor.Node) *tensor.Node { return tensor.Sum(x, s[1]...) })},
				opCase{op: tensor.OpReduceMax, name: fmt.Sprint(s[1]), inputs: []input{of(d, s[0]...)},
					build: call1(func(x *tensor.Node) *tensor.Node { return tensor.ReduceMax(x, s[1]...) })})
			if len(s[1]) == 1 {
				cases = append(cases, opCase{op: tensor.OpArgMax, name: fmt.Sprint(s[1]), inputs: []input{of(d, s[0]...)},
					build: call1(func(x *tensor.Node) *tensor.Node { return tensor.ArgMax(x, s[1][0]) })})
				for _, reverse := range []bool{false, true} {
					cases = append(cases, opCase{op: tensor.OpCumSum, name: fmt.Sprint(s[1], reverse), inputs: []input{of(d, s[0]...)}, sum: true,
						build: call1(func(x *tensor.Node) *tensor.Node { return tensor.CumSum(x, s[1][0], reverse) })})
				}
			}
		}
		empty := call1(func(x *tensor.Node) *tensor.Node { return tensor.Sum(x, 0) })
		cases = append(cases, opCase{op: tensor.OpReduceSum, name: "of nothing", inputs: []input{of(d, 0, 5)}, build: empty, sum: true})
		if !d.IsFloat() {
			continue
		}
		for _, special := range [][]float64{{nan, inf}, {1, nan, 2, nan}, {-inf, -inf}, {inf, inf, 3}} {
			in := []input{of(d, 70, 20).with(special)}
			for axis := range 2 {
				name := fmt.Sprint(special, axis)
				cases = append(cases,
					opCase{op: tensor.OpReduceMax, name: name, inputs: in, build: call1(func(x *tensor.Node) *tensor.Node { return tensor.ReduceMax(x, axis) })},
					opCase{op: tensor.OpArgMax, name: name, inputs: in, build: call1(func(x *tensor.Node) *tensor.Node { return tensor.ArgMax(x, axis) })})
			}
		}
	}
	return cases
}

func productCases() []opCase {
	var cases []opCase
	for _, d := range floatTypes {
		for _, s := range [][]int{ // batch axes, then m, k, n
			{1, 1, 1}, {3, 5, 7}, {1, 300, 1}, {17, 33, 65}, {0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {70, 400, 20}, {1, 64, 300}, {260, 3, 1}, {4, 5, 6, 7}, {2, 3, 9, 8, 17}, {0, 2, 3, 4}, {1, 33, 20, 40},
		} {
			for transposes := range 4 {
				ta, tb := transposes&1 != 0, transposes&2 != 0
				batch, m, k, n := s[:len(s)-3], s[len(s)-3], s[len(s)-2], s[len(s)-1]
				a, b := append(append([]int{}, batch...), m, k), append(append([]int{}, batch...), k, n)
				if ta {
					a = append(append([]int{}, batch...), k, m)
				}
				if tb {
					b = append(append([]int{}, batch...), n, k)
				}
				cases = append(cases, opCase{op: tensor.OpMatMul, name: fmt.Sprint(s, ta, tb), inputs: []input{of(d, a...), of(d, b...)}, sum: true,
					build: call2(func(x, y *tensor.Node) *tensor.Node { return tensor.MatMulT(x, y, ta, tb) })})
			}
		}
		for i, g := range convGeometries {
			x, w, y := of(d, g.XDims()...), of(d, g.WDims()...), of(d, g.YDims()...)
			add := func(op tensor.Op, f f2, a, b input) {
				cases = append(cases, opCase{op: op, name: fmt.Sprint(i), inputs: []input{a, b}, build: call2(f), sum: true, tiled: isTiled(g)})
			}
			add(tensor.OpConvY, func(x, w *tensor.Node) *tensor.Node { return tensor.ConvY(g, x, w) }, x, w)
			add(tensor.OpConvX, func(w, y *tensor.Node) *tensor.Node { return tensor.ConvX(g, w, y) }, w, y)
			add(tensor.OpConvW, func(x, y *tensor.Node) *tensor.Node { return tensor.ConvW(g, x, y) }, x, y)
		}
	}
	return cases
}

// isTiled reports whether a convolution is of a kind for which there are algorithms that compute tiles: two or three taps for
// each step of the stride, many channels.
func isTiled(g tensor.ConvGeometry) bool {
	for _, a := range g.Axes {
		if r := a.Kernel / a.Stride; a.Kernel%a.Stride != 0 || r < 2 || r > 3 || a.Dilation != 1 {
			return false
		}
	}
	return g.Groups == 1 && min(g.CI, g.CO) >= 16
}

func axis(in, kernel, out, stride, dilation, pad int) tensor.ConvAxis {
	return tensor.ConvAxis{In: in, Kernel: kernel, Out: out, Stride: stride, Dilation: dilation, Pad: pad}
}

func conv(n, groups, ci, co int, h, w tensor.ConvAxis) tensor.ConvGeometry {
	return tensor.ConvGeometry{N: n, Groups: groups, CI: ci, CO: co, Axes: [2]tensor.ConvAxis{h, w}}
}

var convGeometries = []tensor.ConvGeometry{
	conv(1, 1, 1, 1, axis(1, 1, 1, 1, 1, 0), axis(1, 1, 1, 1, 1, 0)),
	conv(2, 1, 5, 7, axis(6, 1, 6, 1, 1, 0), axis(5, 1, 5, 1, 1, 0)),
	conv(3, 1, 1, 33, axis(13, 3, 13, 1, 1, 1), axis(14, 3, 14, 1, 1, 1)),
	conv(2, 1, 3, 16, axis(12, 3, 12, 1, 1, 1), axis(12, 3, 12, 1, 1, 1)),
	conv(2, 1, 17, 35, axis(7, 3, 7, 1, 1, 1), axis(9, 3, 9, 1, 1, 1)),
	conv(9, 1, 32, 16, axis(5, 3, 3, 1, 1, 0), axis(5, 3, 3, 1, 1, 0)),
	conv(2, 1, 8, 16, axis(14, 4, 7, 2, 1, 1), axis(14, 4, 7, 2, 1, 1)),
	conv(2, 1, 1, 16, axis(14, 4, 7, 2, 1, 1), axis(14, 4, 7, 2, 1, 1)),
	conv(2, 1, 16, 1, axis(14, 4, 7, 2, 1, 1), axis(14, 4, 7, 2, 1, 1)),
	conv(2, 1, 3, 5, axis(11, 3, 4, 3, 1, 1), axis(10, 2, 3, 3, 2, 0)),
	conv(2, 1, 4, 4, axis(9, 3, 9, 1, 2, 2), axis(9, 2, 5, 2, 2, 1)),
	conv(1, 1, 3, 4, axis(8, 2, 5, 1, 1, -1), axis(8, 3, 4, 1, 1, -2)),
	conv(1, 1, 2, 3, axis(4, 3, 8, 1, 1, 3), axis(4, 3, 9, 1, 1, 1)),
	conv(2, 3, 2, 4, axis(6, 3, 6, 1, 1, 1), axis(7, 3, 4, 2, 1, 1)),
	conv(2, 6, 1, 1, axis(6, 3, 6, 1, 1, 1), axis(7, 3, 7, 1, 1, 1)),
	conv(0, 1, 3, 4, axis(6, 3, 6, 1, 1, 1), axis(6, 3, 6, 1, 1, 1)),
	conv(2, 1, 0, 4, axis(6, 3, 6, 1, 1, 1), axis(6, 3, 6, 1, 1, 1)),
	conv(2, 1, 3, 4, axis(0, 2, 2, 1, 1, 1), axis(6, 3, 6, 1, 1, 1)),
	conv(2, 1, 3, 4, axis(6, 3, 0, 1, 1, 1), axis(6, 3, 6, 1, 1, 1)),
}

func poolCases() []opCase {
	var cases []opCase
	for _, d := range floatTypes {
		for _, s := range [][7]int{ // N, H, W, C, kernel, stride, padding
			{1, 1, 1, 1, 1, 1, 0}, {2, 6, 6, 3, 2, 2, 0}, {2, 7, 5, 17, 2, 2, 0}, {3, 9, 8, 4, 3, 2, 1}, {2, 5, 6, 5, 3, 1, 1}, {1, 8, 8, 2, 2, 3, 1}, {0, 4, 4, 2, 2, 2, 0}, {2, 4, 4, 0, 2, 2, 0}, {16, 14, 14, 32, 2, 2, 0},
		} {
			x := of(d, s[0], s[1], s[2], s[3])
			window := func(x *tensor.Node) tensor.PoolWindow { return tensor.Pooling(x, s[4], s[5], s[6]) }
			out := func(extent int) int { return (extent+2*s[6]-s[4])/s[5] + 1 }
			unpool := func(y *tensor.Node) *tensor.Node {
				h := tensor.PoolAxis{In: s[1], Kernel: s[4], Out: y.Dims()[1], Stride: s[5], Pad: s[6]}
				w := tensor.PoolAxis{In: s[2], Kernel: s[4], Out: y.Dims()[2], Stride: s[5], Pad: s[6]}
				return tensor.SumUnpool(tensor.PoolWindow{Axes: [2]tensor.PoolAxis{h, w}}, y)
			}
			index := call1(func(x *tensor.Node) *tensor.Node { return tensor.MaxPoolIndex(window(x), x) })
			name := fmt.Sprint(s[4:])
			cases = append(cases,
				opCase{op: tensor.OpMaxPoolIndex, name: name, inputs: []input{x}, build: index},
				opCase{op: tensor.OpMaxPoolIndex, name: name + " special", inputs: []input{x.with([]float64{nan, -inf, inf, nan, nan, -inf, -inf})}, build: index},
				opCase{op: tensor.OpComposite, name: "max pool " + name, inputs: []input{x}, build: call1(func(x *tensor.Node) *tensor.Node { return tensor.MaxPool(window(x), x) })},
				opCase{op: tensor.OpComposite, name: "max pool, gradient " + name, inputs: []input{x}, build: call1(func(x *tensor.Node) *tensor.Node {
					return tensor.Gradient(tensor.Sum(tensor.MaxPool(window(x), x)), x)[0]
				})},
				opCase{op: tensor.OpSumPool, name: name, inputs: []input{x}, sum: true, build: call1(func(x *tensor.Node) *tensor.Node { return tensor.SumPool(window(x), x) })},
				opCase{op: tensor.OpSumUnpool, name: name, inputs: []input{of(d, s[0], out(s[1]), out(s[2]), s[3])}, sum: true, build: call1(unpool)})
		}
	}
	return cases
}

func indexCases() []opCase {
	var cases []opCase
	for _, d := range numberTypes {
		for _, s := range [][4]int{ // B, R, Q, D; indices reach one beyond either end
			{1, 5, 3, 2}, {2, 7, 9, 1}, {3, 4, 5, 33}, {1, 1000, 70, 64}, {40, 300, 300, 1}, {0, 3, 2, 2}, {2, 0, 3, 2}, {2, 3, 0, 2}, {2, 3, 4, 0}, {1, 2, 3000, 3},
		} {
			index := of(tensor.Int32, s[0], s[2]).filled(integers(-1, s[1]))
			name := fmt.Sprint(s)
			cases = append(cases,
				opCase{op: tensor.OpGather, name: name, inputs: []input{of(d, s[0], s[1], s[3]), index}, build: call2(tensor.Gather)},
				opCase{op: tensor.OpScatterAdd, name: name, inputs: []input{of(d, s[0], s[2], s[3]), index}, sum: true,
					build: call2(func(y, i *tensor.Node) *tensor.Node { return tensor.ScatterAdd(y, i, s[1]) })})
		}
	}
	return cases
}

// randomCases demand the same bits from all but normal, whose float32 cosine and logarithm may each be 2 units in the
// last place off.
func randomCases() []opCase {
	var cases []opCase
	for i, dims := range lengths {
		key := of(tensor.Uint32, 2).with([]float64{0xDEADBEEF, float64(i)})
		add := func(op tensor.Op, ulps float64, draw func(key *tensor.Node) *tensor.Node) {
			secondStream := func(_ *tensor.Graph, x []*tensor.Node) *tensor.Node {
				draw(x[0])
				return draw(x[0])
			}
			cases = append(cases,
				opCase{op: op, name: fmt.Sprint(dims), inputs: []input{key}, build: call1(draw), ulps: ulps},
				opCase{op: op, name: fmt.Sprint(dims, " second stream"), inputs: []input{key}, build: secondStream, ulps: ulps})
		}
		add(tensor.OpRandomBits, 0, func(key *tensor.Node) *tensor.Node { return tensor.RandomBits(key, dims...) })
		for _, d := range floatTypes {
			add(tensor.OpRandomUniform, 0, func(key *tensor.Node) *tensor.Node { return tensor.RandomUniform(key, d, dims...) })
			add(tensor.OpRandomNormal, 4, func(key *tensor.Node) *tensor.Node { return tensor.RandomNormal(key, d, dims...) })
		}
	}
	return cases
}
