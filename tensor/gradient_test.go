package tensor_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// Gradients are compared with finite differences along random directions: a gradient wrong in any element is wrong along
// almost every direction. The difference quotient
//
//	(8 (f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h
//
// is exact for polynomials up to degree 4, so for everything multilinear, and otherwise off by h⁴ f⁽⁵⁾/30. At h = 1e-3 that is
// 3e-14 f⁽⁵⁾ beside 3e-13 f for rounding; functions and fifth derivatives below some thousands leave 1e-9.
const (
	differenceStep    = 1e-3
	gradientTolerance = 2e-9
)

// An operand is a float64 input: its extents and how its n elements are drawn.
type operand struct {
	dims   []int
	values func(rng *rand.Rand, n int) []float64
}

// spread draws distinct values low, low + 0.1, … in random order. With a low that is no multiple of 0.1 or 0.05, they
// keep at least 0.01 away from 0, from each other and from the steps of floor and round, so that no difference quotient
// reaches over a kink.
func spread(low float64) func(rng *rand.Rand, n int) []float64 {
	return func(rng *rand.Rand, n int) []float64 {
		v := make([]float64, n)
		for i, p := range rng.Perm(n) {
			v[i] = low + 0.1*float64(p)
		}
		return v
	}
}

// around draws values on both sides of 0, none nearer than 0.03; other draws the like, none equal to those of around.
func around(dims ...int) operand { return operand{dims, spread(-0.57)} }
func other(dims ...int) operand  { return operand{dims, spread(-0.83)} }

// positive draws values from 0.33 upwards.
func positive(dims ...int) operand { return operand{dims, spread(0.33)} }

// unit draws uniformly from (−1, 1), for functions without kinks.
func unit(dims ...int) operand {
	return operand{dims, func(rng *rand.Rand, n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = 2*rng.Float64() - 1
		}
		return v
	}}
}

// checkGradients builds y = f(xs), the scalar L = Σ y·r with an input r, its gradients by xs and r, the scalar
// M = Σ of these gradients times constants, and its gradients in turn; both sets must agree with finite differences.
// It returns the program.
func checkGradients(t *testing.T, operands []operand, f func(xs []*tensor.Node) *tensor.Node) *tensor.Program {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var variables []*tensor.Node
	prog, err := tensor.Build(func(g *tensor.Graph) {
		for i, o := range operands {
			variables = append(variables, g.Input(fmt.Sprintf("x%d", i), tensor.Float64, o.dims...))
		}
		y := f(variables)
		r := g.Input("r", tensor.Float64, y.Dims()...)
		variables = append(variables, r)
		first := tensor.Sum(tensor.Mul(y, r))
		g.Output("loss1", first)
		second := g.Scalar(tensor.Float64, 0)
		for i, d := range tensor.Gradient(first, variables...) {
			if !d.Shape().Equal(variables[i].Shape()) {
				t.Errorf("the gradient by %v is %v", variables[i], d.Shape())
			}
			g.Output(fmt.Sprintf("first%d", i), d)
			second = tensor.Add(second, tensor.Sum(tensor.Mul(d, g.Constant(random64(rng, d.Dims())))))
		}
		g.Output("loss2", second)
		for i, d := range tensor.Gradient(second, variables...) {
			g.Output(fmt.Sprintf("second%d", i), d)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	exe, err := reference.New().Compile(prog, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := make([][]float64, len(variables))
	for i, v := range variables {
		if i < len(operands) {
			at[i] = operands[i].values(rng, v.Shape().Size())
		} else {
			at[i] = random64(rng, v.Dims()).F64
		}
	}
	// run moves the inputs by step along direction.
	run := func(direction [][]float64, step float64) {
		for i, v := range variables {
			for j := range at[i] {
				exe.Input(v.Name()).F64[j] = at[i][j] + step*direction[i][j]
			}
		}
		if err := exe.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		var direction [][]float64
		for _, v := range variables {
			direction = append(direction, random64(rng, v.Dims()).F64)
		}
		loss := func(step float64) (float64, float64) {
			run(direction, step)
			return exe.Output("loss1").F64[0], exe.Output("loss2").F64[0]
		}
		const h = differenceStep
		up1, up2 := loss(h)
		down1, down2 := loss(-h)
		upup1, upup2 := loss(2 * h)
		downdown1, downdown2 := loss(-2 * h)
		run(direction, 0)
		for order, want := range map[string]float64{
			"first":  (8*(up1-down1) - (upup1 - downdown1)) / (12 * h),
			"second": (8*(up2-down2) - (upup2 - downdown2)) / (12 * h),
		} {
			got := 0.0
			for i := range variables {
				for j, v := range exe.Output(fmt.Sprintf("%s%d", order, i)).F64 {
					got += v * direction[i][j]
				}
			}
			if !(math.Abs(got-want) <= gradientTolerance*max(1, math.Abs(want))) {
				t.Errorf("%s gradient: %.12g along a direction, finite difference %.12g", order, got, want)
			}
		}
	}
	return prog
}

func random64(rng *rand.Rand, dims []int) *tensor.Array {
	a := tensor.NewArray(tensor.ShapeOf(tensor.Float64, dims...))
	for i := range a.F64 {
		a.F64[i] = 2*rng.Float64() - 1
	}
	return a
}

func int32s(g *tensor.Graph, dims []int, values ...int32) *tensor.Node {
	return g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Int32, dims...), I32: values})
}

// withoutGradient are the ops that no derivative passes: leaves, integers and truth values, stop_gradient.
var withoutGradient = []tensor.Op{
	tensor.OpInput, tensor.OpVariable, tensor.OpConstant, tensor.OpIota, tensor.OpIsFinite, tensor.OpNot, tensor.OpStopGradient,
	tensor.OpEqual, tensor.OpNotEqual, tensor.OpLess, tensor.OpLessEqual, tensor.OpAnd, tensor.OpOr,
	tensor.OpArgMax, tensor.OpMaxPoolIndex, tensor.OpRandomBits, tensor.OpRandomUniform, tensor.OpRandomNormal,
}

// A gradientCase applies op to operands.
type gradientCase struct {
	op       tensor.Op
	operands []operand
	f        func(xs []*tensor.Node) *tensor.Node
}

func of1(f func(x *tensor.Node) *tensor.Node) func(xs []*tensor.Node) *tensor.Node {
	return func(xs []*tensor.Node) *tensor.Node { return f(xs[0]) }
}

func of2(f func(a, b *tensor.Node) *tensor.Node) func(xs []*tensor.Node) *tensor.Node {
	return func(xs []*tensor.Node) *tensor.Node { return f(xs[0], xs[1]) }
}

// gradientCases covers every op but withoutGradient, most at several shapes.
func gradientCases() []gradientCase {
	var cases []gradientCase
	add := func(op tensor.Op, f func(xs []*tensor.Node) *tensor.Node, operands ...operand) {
		cases = append(cases, gradientCase{op, operands, f})
	}
	shapes := [][]int{{}, {1}, {0}, {7}, {2, 3}, {2, 0, 3}, {2, 1, 3}}
	for op, f := range map[tensor.Op]func(x *tensor.Node) *tensor.Node{
		tensor.OpNeg: tensor.Neg, tensor.OpAbs: tensor.Abs, tensor.OpSign: tensor.Sign, tensor.OpExp: tensor.Exp,
		tensor.OpExpm1: tensor.Expm1, tensor.OpTanh: tensor.Tanh, tensor.OpSigmoid: tensor.Sigmoid,
		tensor.OpSoftplus: tensor.Softplus, tensor.OpErf: tensor.Erf, tensor.OpSin: tensor.Sin, tensor.OpCos: tensor.Cos,
		tensor.OpFloor: tensor.Floor, tensor.OpRound: tensor.Round,
		tensor.OpConvert: func(x *tensor.Node) *tensor.Node {
			return tensor.Convert(tensor.Convert(x, tensor.Float32), tensor.Float64)
		},
	} {
		for _, dims := range shapes {
			add(op, of1(f), around(dims...))
		}
	}
	for op, f := range map[tensor.Op]func(x *tensor.Node) *tensor.Node{
		tensor.OpLog: tensor.Log, tensor.OpLog1p: tensor.Log1p, tensor.OpSqrt: tensor.Sqrt, tensor.OpRsqrt: tensor.Rsqrt,
	} {
		for _, dims := range shapes {
			add(op, of1(f), positive(dims...))
		}
	}
	broadcasts := [][2][]int{{{}, {}}, {{5}, {5}}, {{2, 3}, {3}}, {{2, 1}, {1, 3}}, {{}, {2, 2}}, {{1}, {0}}, {{2, 0}, {2, 1}}, {{3, 1, 2}, {2, 1}}}
	for op, f := range map[tensor.Op]func(a, b *tensor.Node) *tensor.Node{
		tensor.OpAdd: tensor.Add, tensor.OpSub: tensor.Sub, tensor.OpMul: tensor.Mul, tensor.OpMin: tensor.Min, tensor.OpMax: tensor.Max,
	} {
		for _, s := range broadcasts {
			add(op, of2(f), around(s[0]...), other(s[1]...))
		}
	}
	for _, s := range broadcasts {
		add(tensor.OpDiv, of2(tensor.Div), around(s[0]...), positive(s[1]...))
		add(tensor.OpPow, of2(tensor.Pow), positive(s[0]...), around(s[1]...))
	}
	add(tensor.OpMul, of1(tensor.Square), around(4))
	add(tensor.OpPow, of1(func(x *tensor.Node) *tensor.Node { return tensor.Pow(x, x.Graph().Scalar(tensor.Float64, 3)) }), around(4))
	add(tensor.OpSelect, of2(func(a, b *tensor.Node) *tensor.Node {
		cond := tensor.Less(a.Graph().Iota(tensor.ShapeOf(tensor.Int32, 4, 1), 0), a.Graph().Scalar(tensor.Int32, 2))
		return tensor.Select(cond, a, b)
	}), around(1, 3), other())

	for _, s := range [][2][]int{{{}, {3}}, {{1, 3}, {2, 3}}, {{2, 1, 1}, {2, 3, 2}}, {{1, 2}, {0, 2}}, {{0, 1}, {0, 3}}} {
		add(tensor.OpBroadcast, of1(func(x *tensor.Node) *tensor.Node { return tensor.BroadcastTo(x, s[1]...) }), around(s[0]...))
	}
	for _, s := range [][2][]int{{{6}, {2, 3}}, {{1}, {}}, {{2, 0}, {0, 5}}, {{2, 3, 2}, {4, 3}}} {
		add(tensor.OpReshape, of1(func(x *tensor.Node) *tensor.Node { return tensor.Reshape(x, s[1]...) }), around(s[0]...))
	}
	for _, s := range [][2][]int{{{2, 3}, {1, 0}}, {{2, 3, 4}, {2, 0, 1}}, {{2, 3, 4}, {1, 2, 0}}, {{0, 3, 2}, {2, 1, 0}}, {{1, 2, 1, 3}, {3, 0, 2, 1}}} {
		add(tensor.OpTranspose, of1(func(x *tensor.Node) *tensor.Node { return tensor.Transpose(x, s[1]...) }), around(s[0]...))
	}
	for _, s := range [][4][]int{
		{{7}, {0}, {7}, {1}}, {{7}, {2}, {6}, {1}}, {{7}, {1}, {7}, {2}}, {{8}, {1}, {7}, {3}}, {{7}, {3}, {3}, {2}},
		{{4, 5}, {1, 0}, {4, 5}, {2, 3}}, {{3, 0}, {0, 0}, {3, 0}, {2, 1}}, {{6}, {5}, {6}, {4}},
	} {
		add(tensor.OpSlice, of1(func(x *tensor.Node) *tensor.Node { return tensor.Slice(x, s[1], s[2], s[3]) }), around(s[0]...))
	}
	for _, start := range [][2]int32{{0, 0}, {1, 2}, {-3, 9}} {
		at := func(g *tensor.Graph) *tensor.Node { return int32s(g, []int{2}, start[0], start[1]) }
		for _, size := range [][]int{{2, 3}, {3, 4}, {1, 1}, {0, 2}} {
			add(tensor.OpDynamicSlice, of1(func(x *tensor.Node) *tensor.Node { return tensor.DynamicSlice(x, at(x.Graph()), size...) }), around(3, 4))
			add(tensor.OpDynamicUpdate, of2(func(x, u *tensor.Node) *tensor.Node { return tensor.DynamicUpdate(x, u, at(x.Graph())) }), around(3, 4), other(size...))
		}
	}
	for _, s := range [][4][]int{
		{{3}, {1}, {2}, {0}}, {{3}, {0}, {0}, {2}}, {{5}, {-1}, {-2}, {0}}, {{5}, {-1}, {2}, {1}}, {{4}, {-3}, {-4}, {2}},
		{{0}, {1}, {2}, {3}}, {{2, 3}, {1, -1}, {-1, 1}, {1, 0}}, {{1}, {-1}, {0}, {2}},
	} {
		add(tensor.OpPad, of1(func(x *tensor.Node) *tensor.Node { return tensor.Pad(x, 1.5, s[1], s[2], s[3]) }), around(s[0]...))
	}
	add(tensor.OpConcat, of2(func(a, b *tensor.Node) *tensor.Node { return tensor.Concat(0, a, b, a) }), around(2, 3), other(1, 3))
	add(tensor.OpConcat, of2(func(a, b *tensor.Node) *tensor.Node { return tensor.Concat(1, a, b) }), around(2, 0), other(2, 3))
	add(tensor.OpReverse, of1(func(x *tensor.Node) *tensor.Node { return tensor.Reverse(x, 0, 2) }), around(2, 3, 2))
	add(tensor.OpReverse, of1(func(x *tensor.Node) *tensor.Node { return tensor.Reverse(x, 1) }), around(2, 0))

	for _, s := range [][2][]int{{{5}, {0}}, {{2, 3}, {0}}, {{2, 3}, {1}}, {{2, 3, 2}, {0, 2}}, {{2, 3, 2}, {1, 0}}, {{1, 1}, {0, 1}}, {{0, 3}, {1}}} {
		add(tensor.OpReduceSum, of1(func(x *tensor.Node) *tensor.Node { return tensor.Sum(x, s[1]...) }), around(s[0]...))
		add(tensor.OpReduceMax, of1(func(x *tensor.Node) *tensor.Node { return tensor.ReduceMax(x, s[1]...) }), around(s[0]...))
	}
	add(tensor.OpReduceSum, of1(func(x *tensor.Node) *tensor.Node { return tensor.Sum(x, 0) }), around(0, 3))
	for _, reverse := range []bool{false, true} {
		for axis := range 3 {
			add(tensor.OpCumSum, of1(func(x *tensor.Node) *tensor.Node { return tensor.CumSum(x, axis, reverse) }), around(2, 3, 2))
			add(tensor.OpCumSum, of1(func(x *tensor.Node) *tensor.Node { return tensor.CumSum(x, axis, reverse) }), around(1, 0, 2))
		}
	}

	for _, s := range [][4]int{{1, 2, 3, 4}, {2, 3, 1, 2}, {3, 1, 2, 1}, {1, 0, 2, 3}, {2, 2, 0, 3}, {0, 2, 2, 2}} {
		for transposes := range 4 {
			ta, tb := transposes&1 != 0, transposes&2 != 0
			a, b := []int{s[0], s[1], s[2]}, []int{s[0], s[2], s[3]}
			if ta {
				a[1], a[2] = a[2], a[1]
			}
			if tb {
				b[1], b[2] = b[2], b[1]
			}
			add(tensor.OpMatMul, of2(func(x, y *tensor.Node) *tensor.Node { return tensor.MatMulT(x, y, ta, tb) }), unit(a...), unit(b...))
		}
	}
	add(tensor.OpMatMul, of2(tensor.MatMul), unit(2, 3), unit(3, 2))
	for _, g := range convolutions() {
		add(tensor.OpConvY, of2(func(x, w *tensor.Node) *tensor.Node { return tensor.ConvY(g, x, w) }), unit(g.XDims()...), unit(g.WDims()...))
		add(tensor.OpConvX, of2(func(w, y *tensor.Node) *tensor.Node { return tensor.ConvX(g, w, y) }), unit(g.WDims()...), unit(g.YDims()...))
		add(tensor.OpConvW, of2(func(x, y *tensor.Node) *tensor.Node { return tensor.ConvW(g, x, y) }), unit(g.XDims()...), unit(g.YDims()...))
	}

	for _, s := range [][4]int{{2, 2, 2, 0}, {5, 3, 2, 1}, {4, 3, 1, 0}, {5, 2, 3, 1}, {3, 1, 1, 0}, {4, 4, 2, 2}} {
		extent, kernel, stride, pad := s[0], s[1], s[2], s[3]
		dims := []int{2, extent, extent + 1, 2}
		add(tensor.OpComposite, of1(func(x *tensor.Node) *tensor.Node {
			return tensor.MaxPool(tensor.Pooling(x, kernel, stride, pad), x)
		}), around(dims...))
		add(tensor.OpSumPool, of1(func(x *tensor.Node) *tensor.Node {
			return tensor.SumPool(tensor.Pooling(x, kernel, stride, pad), x)
		}), unit(dims...))
		out := func(i int) int { return (i+2*pad-kernel)/stride + 1 }
		add(tensor.OpSumUnpool, of1(func(y *tensor.Node) *tensor.Node {
			var w tensor.PoolWindow
			for i := range w.Axes {
				w.Axes[i] = tensor.PoolAxis{In: dims[1+i], Kernel: kernel, Out: y.Dims()[1+i], Stride: stride, Pad: pad}
			}
			return tensor.SumUnpool(w, y)
		}), unit(2, out(extent), out(extent+1), 2))
	}
	add(tensor.OpComposite, of1(func(x *tensor.Node) *tensor.Node {
		return tensor.CrossEntropy(x, int32s(x.Graph(), []int{5}, 2, 0, 1, 3, -1))
	}), unit(5, 3))
	add(tensor.OpComposite, func(xs []*tensor.Node) *tensor.Node {
		p, m, v := tensor.Adam(tensor.AdamSpec{Beta1: 0.9, Beta2: 0.99, Epsilon: 0.1, Shrink: true}, xs[0], xs[1], xs[2], xs[3], xs[4], xs[5], xs[6])
		return tensor.Add(p, tensor.Mul(m, v))
	}, unit(6), unit(6), positive(6), unit(6), unit(), positive(), unit())
	indices := func(g *tensor.Graph) *tensor.Node { return int32s(g, []int{2, 4}, 2, 0, 2, 1, -1, 1, 3, 0) }
	for _, depth := range []int{0, 1, 3} {
		add(tensor.OpGather, of1(func(x *tensor.Node) *tensor.Node { return tensor.Gather(x, indices(x.Graph())) }), unit(2, 3, depth))
		add(tensor.OpScatterAdd, of1(func(y *tensor.Node) *tensor.Node { return tensor.ScatterAdd(y, indices(y.Graph()), 3) }), unit(2, 4, depth))
	}
	add(tensor.OpGather, of1(func(x *tensor.Node) *tensor.Node { return tensor.Take(x, int32s(x.Graph(), []int{3}, 4, 4, 0)) }), unit(5, 2))
	return cases
}

// TestGradients also fails for an op that the table lacks, or whose case does not use it.
func TestGradients(t *testing.T) {
	covered := map[tensor.Op]bool{}
	for _, c := range gradientCases() {
		name := c.op.String()
		for _, o := range c.operands {
			name += fmt.Sprint("/", o.dims)
		}
		t.Run(name, func(t *testing.T) {
			prog := checkGradients(t, c.operands, c.f)
			if !slices.ContainsFunc(prog.Nodes, func(n *tensor.Node) bool { return n.Op() == c.op }) {
				t.Errorf("the program has no %v:\n%v", c.op, prog)
			}
			covered[c.op] = true
		})
	}
	for _, op := range tensor.Ops() {
		if covered[op] == slices.Contains(withoutGradient, op) {
			t.Errorf("%v: in the table %t, listed as without gradient %t", op, covered[op], !covered[op])
		}
	}
}

// convolutions has every combination of stride 1 to 3, dilation 1 and 2, padding −1 to 3 and kernel 1 to 4 along each axis,
// paired at random across the two; groups, channels and extents vary too, and with them the high padding, also negative.
func convolutions() []tensor.ConvGeometry {
	rng := rand.New(rand.NewPCG(3, 4))
	var axes []tensor.ConvAxis
	for stride := 1; stride <= 3; stride++ {
		for dilation := 1; dilation <= 2; dilation++ {
			for pad := -1; pad <= 3; pad++ {
				for kernel := 1; kernel <= 4; kernel++ {
					axes = append(axes, tensor.ConvAxis{In: 3 + rng.IntN(4), Kernel: kernel, Out: 1 + rng.IntN(4), Stride: stride, Dilation: dilation, Pad: pad})
				}
			}
		}
	}
	var out []tensor.ConvGeometry
	for i, j := range rng.Perm(len(axes)) {
		out = append(out, tensor.ConvGeometry{N: 1 + i%2, Groups: 1 + i/2%2, CI: 1 + i/4%2, CO: 1 + i/8%2, Axes: [2]tensor.ConvAxis{axes[i], axes[j]}})
	}
	empty := tensor.ConvAxis{In: 0, Kernel: 2, Out: 2, Stride: 1, Dilation: 1, Pad: 1}
	one := tensor.ConvAxis{In: 1, Kernel: 1, Out: 1, Stride: 1, Dilation: 1}
	return append(out,
		tensor.ConvGeometry{N: 0, Groups: 1, CI: 1, CO: 1, Axes: [2]tensor.ConvAxis{one, one}},
		tensor.ConvGeometry{N: 1, Groups: 1, CI: 0, CO: 2, Axes: [2]tensor.ConvAxis{one, one}},
		tensor.ConvGeometry{N: 1, Groups: 2, CI: 1, CO: 1, Axes: [2]tensor.ConvAxis{empty, axes[0]}})
}
