package tensortest

import (
	"fmt"

	"github.com/likely-ml/likely/tensor"
)

// layoutCases move elements of every type without changing them.
func layoutCases() []opCase {
	var cases []opCase
	for _, d := range allTypes {
		add := func(op tensor.Op, what any, build fn, inputs ...input) {
			cases = append(cases, opCase{op: op, name: fmt.Sprint(what), inputs: inputs, build: build})
		}
		for _, s := range [][2][]int{
			{{}, {7}}, {{}, {0}}, {{1}, {1500}}, {{33}, {40, 33}}, {{40, 1}, {40, 33}}, {{3, 1, 5}, {3, 4, 5}}, {{1, 4, 1}, {3, 4, 5}}, {{2, 1, 3, 1}, {2, 5, 3, 7}}, {{1, 0}, {4, 0}}, {{300}, {250, 300}},
		} {
			add(tensor.OpBroadcast, s[1], call1(func(x *tensor.Node) *tensor.Node { return tensor.BroadcastTo(x, s[1]...) }), of(d, s[0]...))
		}
		for _, s := range [][2][]int{{{6}, {2, 3}}, {{1, 1}, {}}, {{2, 0}, {0, 7}}, {{30, 41}, {41, 30}}} {
			add(tensor.OpReshape, s[1], call1(func(x *tensor.Node) *tensor.Node { return tensor.Reshape(x, s[1]...) }), of(d, s[0]...))
		}
		for _, s := range [][2][]int{
			{{3, 5}, {1, 0}}, {{33, 65}, {1, 0}}, {{1, 9}, {1, 0}}, {{0, 5}, {1, 0}}, {{300, 257}, {1, 0}}, {{4, 5, 6}, {2, 0, 1}}, {{4, 5, 6}, {1, 0, 2}}, {{4, 5, 6}, {0, 2, 1}}, {{2, 3, 4, 5}, {3, 1, 0, 2}}, {{2, 3, 1, 5}, {0, 3, 1, 2}}, {{2, 1, 3, 2, 2}, {4, 3, 2, 1, 0}},
		} {
			add(tensor.OpTranspose, s[1], call1(func(x *tensor.Node) *tensor.Node { return tensor.Transpose(x, s[1]...) }), of(d, s[0]...))
		}
		for _, s := range [][4][]int{
			{{7}, {0}, {7}, {1}}, {{7}, {2}, {6}, {3}}, {{7}, {4}, {4}, {1}}, {{3000}, {1}, {2999}, {2}}, {{9, 11}, {1, 2}, {8, 11}, {2, 3}}, {{40, 50}, {3, 0}, {30, 50}, {1, 1}}, {{40, 50}, {0, 7}, {40, 9}, {1, 1}}, {{4, 5, 6}, {1, 0, 5}, {3, 5, 6}, {1, 2, 1}}, {{0, 3}, {0, 1}, {0, 2}, {1, 1}}, {{300, 300}, {10, 20}, {290, 280}, {1, 1}},
		} {
			add(tensor.OpSlice, s[1:], call1(func(x *tensor.Node) *tensor.Node { return tensor.Slice(x, s[1], s[2], s[3]) }), of(d, s[0]...))
		}
		for _, s := range [][3][]int{ // extents, window, start
			{{7}, {3}, {2}}, {{7}, {3}, {-5}}, {{7}, {3}, {99}}, {{7}, {0}, {3}}, {{7}, {7}, {1}}, {{9, 11}, {4, 5}, {2, 3}}, {{9, 11}, {4, 11}, {8, -1}}, {{500, 60}, {128, 60}, {200, 0}}, {{4, 5, 6}, {2, 1, 3}, {1, 4, 2}}, {{}, {}, {}},
		} {
			var at []float64
			for _, v := range s[2] {
				at = append(at, float64(v))
			}
			start := of(tensor.Int32, len(s[0])).with(at)
			add(tensor.OpDynamicSlice, s[1:], call2(func(x, at *tensor.Node) *tensor.Node { return tensor.DynamicSlice(x, at, s[1]...) }), of(d, s[0]...), start)
			update := func(_ *tensor.Graph, x []*tensor.Node) *tensor.Node { return tensor.DynamicUpdate(x[0], x[1], x[2]) }
			add(tensor.OpDynamicUpdate, s[1:], update, of(d, s[0]...), of(d, s[1]...), start)
		}
		for _, s := range [][4][]int{
			{{5}, {2}, {3}, {0}}, {{5}, {0}, {0}, {2}}, {{5}, {-1}, {-2}, {0}}, {{5}, {-1}, {2}, {1}}, {{0}, {2}, {1}, {1}}, {{1}, {-1}, {0}, {3}}, {{6, 7}, {1, 0}, {0, 2}, {0, 1}}, {{6, 7}, {-1, 2}, {2, -3}, {1, 0}}, {{2, 9, 9, 3}, {0, 1, 1, 0}, {0, 1, 1, 0}, {0, 0, 0, 0}}, {{120, 130}, {3, 2}, {1, 5}, {1, 2}}, {{}, {}, {}, {}},
		} {
			add(tensor.OpPad, s[1:], call1(func(x *tensor.Node) *tensor.Node { return tensor.Pad(x, 1, s[1], s[2], s[3]) }), of(d, s[0]...))
		}
		for axis, s := range [][3][]int{{{4, 5, 2}, {1, 5, 2}, {0, 5, 2}}, {{2, 3, 4}, {2, 0, 4}, {2, 70, 4}}, {{6, 7, 1}, {6, 7, 3}, {6, 7, 33}}} {
			add(tensor.OpConcat, axis, func(_ *tensor.Graph, x []*tensor.Node) *tensor.Node {
				return tensor.Concat(axis, x[0], x[1], x[2], x[0])
			},
				of(d, s[0]...), of(d, s[1]...), of(d, s[2]...))
		}
		for _, s := range [][2][]int{{{7}, {0}}, {{4, 5, 6}, {1}}, {{4, 5, 6}, {2, 0}}, {{4, 0}, {0, 1}}, {{3000}, {0}}, {{300, 300}, {0}}, {{5}, {}}} {
			add(tensor.OpReverse, s[1], call1(func(x *tensor.Node) *tensor.Node { return tensor.Reverse(x, s[1]...) }), of(d, s[0]...))
		}
		add(tensor.OpConstant, "", func(g *tensor.Graph, _ []*tensor.Node) *tensor.Node {
			a := tensor.NewArray(tensor.ShapeOf(d, 3, 400))
			for i := range a.Shape.Size() {
				setNumber(a, i, float64(i%7))
			}
			return g.Constant(a)
		})
		if d != tensor.Bool {
			for axis, dims := range [][]int{{70001}, {5, 300}, {3, 0, 2}, {2, 3, 4, 5}} {
				add(tensor.OpIota, axis, func(g *tensor.Graph, _ []*tensor.Node) *tensor.Node { return g.Iota(tensor.ShapeOf(d, dims...), axis) })
			}
		}
	}
	return cases
}
