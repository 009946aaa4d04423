package tensortest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/tensor"
)

var (
	inf = math.Inf(1)
	nan = math.NaN()
	// specials are numbers at which functions change their form.
	specials = []float64{0, math.Copysign(0, -1), 1, -1, inf, -inf, nan, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-30, -1e-30, 1e30, -1e30, 80, -80}
)

func uniform(low, high float64) func(rng *rand.Rand) float64 {
	return func(rng *rand.Rand) float64 { return low + (high-low)*rng.Float64() }
}

// integers draws whole numbers from [low, high].
func integers(low, high int) func(rng *rand.Rand) float64 {
	return func(rng *rand.Rand) float64 { return float64(low + rng.IntN(high-low+1)) }
}

// fillOf draws numbers of moderate size in any type; equal pairs occur.
func fillOf(d tensor.DType) func(rng *rand.Rand) float64 {
	switch d {
	case tensor.Int32:
		return integers(-50, 50)
	case tensor.Uint32:
		return integers(0, 50)
	case tensor.Bool:
		return integers(0, 1)
	}
	return func(rng *rand.Rand) float64 {
		if rng.IntN(4) == 0 {
			return float64(rng.IntN(5) - 2)
		}
		return 6*rng.Float64() - 3
	}
}

func of(d tensor.DType, dims ...int) input {
	return input{shape: tensor.ShapeOf(d, dims...), fill: fillOf(d)}
}

func (in input) filled(f func(rng *rand.Rand) float64) input { in.fill = f; return in }

func (in input) with(special []float64) input { in.special = special; return in }

type (
	f1 = func(a *tensor.Node) *tensor.Node
	f2 = func(a, b *tensor.Node) *tensor.Node
	fn = func(g *tensor.Graph, x []*tensor.Node) *tensor.Node
)

func call1(f f1) fn { return func(_ *tensor.Graph, x []*tensor.Node) *tensor.Node { return f(x[0]) } }
func call2(f f2) fn {
	return func(_ *tensor.Graph, x []*tensor.Node) *tensor.Node { return f(x[0], x[1]) }
}

var (
	allTypes    = []tensor.DType{tensor.Float32, tensor.Float64, tensor.Int32, tensor.Uint32, tensor.Bool}
	numberTypes = allTypes[:4]
	floatTypes  = allTypes[:2]

	// lengths lie on both sides of a tile of 1,024 and of what vector loops unroll.
	lengths = [][]int{{}, {1}, {0}, {7}, {1023}, {1024}, {1025}, {3, 0, 2}, {5, 67}, {70001}}

	// pairs are shapes that broadcast together.
	pairs = [][2][]int{
		{{}, {}}, {{9}, {9}}, {{300, 7}, {7}}, {{300, 1}, {1, 7}}, {{}, {2050}}, {{2050}, {}}, {{3, 1, 500}, {4, 1}}, {{1}, {0}},
		{{33, 1}, {33, 64}}, {{2, 3, 4}, {2, 1, 4}}, {{70001}, {70001}}, {{1100, 33}, {33}}, {{2, 1300}, {2, 1}},
	}
)

// Tolerances of unary functions in units in the last place: 0 for what IEEE 754 rounds correctly or no rounding touches, 2
// for kernels within 1.5 of the exact value, which is rounded itself here.
var unaryUlps = map[tensor.Op]struct {
	f         f1
	low, high float64
	ulps      float64
}{
	tensor.OpNeg: {tensor.Neg, -9, 9, 0}, tensor.OpAbs: {tensor.Abs, -9, 9, 0}, tensor.OpSign: {tensor.Sign, -9, 9, 0},
	tensor.OpFloor: {tensor.Floor, -9, 9, 0}, tensor.OpRound: {tensor.Round, -9, 9, 0}, tensor.OpSqrt: {tensor.Sqrt, 0, 50, 0},
	tensor.OpExp: {tensor.Exp, -80, 80, 1}, tensor.OpExpm1: {tensor.Expm1, -20, 20, 1}, tensor.OpLog: {tensor.Log, 0, 20, 1},
	tensor.OpLog1p: {tensor.Log1p, -1, 9, 1}, tensor.OpTanh: {tensor.Tanh, -10, 10, 2}, tensor.OpSigmoid: {tensor.Sigmoid, -90, 30, 2},
	tensor.OpSoftplus: {tensor.Softplus, -80, 30, 2}, tensor.OpErf: {tensor.Erf, -5, 5, 1}, tensor.OpRsqrt: {tensor.Rsqrt, 0, 50, 2},
	tensor.OpSin: {tensor.Sin, -30, 30, 2}, tensor.OpCos: {tensor.Cos, -30, 30, 2}, tensor.OpIsFinite: {tensor.IsFinite, -9, 9, 0},
	tensor.OpStopGradient: {tensor.StopGradient, -9, 9, 0},
}

func elementwiseCases() []opCase {
	var cases []opCase
	add := func(op tensor.Op, name string, ulps float64, build fn, inputs ...input) {
		cases = append(cases, opCase{op: op, name: name, inputs: inputs, build: build, ulps: ulps})
	}
	for op, u := range unaryUlps {
		for _, d := range floatTypes {
			fill := uniform(u.low, u.high)
			for _, dims := range lengths {
				add(op, "", u.ulps, call1(u.f), of(d, dims...).filled(fill).with(specials))
			}
			add(op, "transposed", u.ulps, call1(func(x *tensor.Node) *tensor.Node { return u.f(tensor.Transpose(x, 1, 0)) }), of(d, 33, 65).filled(fill))
			add(op, "broadcast", u.ulps, call1(func(x *tensor.Node) *tensor.Node { return u.f(tensor.BroadcastTo(x, 40, 33)) }), of(d, 33).filled(fill))
		}
	}
	for _, dims := range lengths {
		add(tensor.OpNeg, "", 0, call1(tensor.Neg), of(tensor.Int32, dims...).with([]float64{math.MinInt32, math.MaxInt32}))
		add(tensor.OpNot, "", 0, call1(tensor.Not), of(tensor.Bool, dims...))
		for _, from := range allTypes {
			for _, to := range allTypes {
				if from == to {
					continue
				}
				in := of(from, dims...)
				if to == tensor.Uint32 && from.IsFloat() {
					in = in.filled(uniform(0, 1000))
				}
				add(tensor.OpConvert, "to "+to.String(), 0, call1(func(x *tensor.Node) *tensor.Node { return tensor.Convert(x, to) }), in)
			}
		}
	}
	return append(cases, binaryCases()...)
}

func binaryCases() []opCase {
	var cases []opCase
	add := func(op tensor.Op, f f2, ulps float64, types []tensor.DType) {
		for _, d := range types {
			for _, p := range pairs {
				cases = append(cases, opCase{op: op, inputs: []input{of(d, p[0]...), of(d, p[1]...)}, build: call2(f), ulps: ulps})
			}
			strided := func(a, b *tensor.Node) *tensor.Node {
				return f(tensor.Transpose(a, 1, 0), tensor.Slice(b, []int{0, 1}, []int{65, 67}, []int{1, 2}))
			}
			cases = append(cases, opCase{op: op, name: "strided", inputs: []input{of(d, 33, 65), of(d, 65, 68)}, build: call2(strided), ulps: ulps})
			same := func(a *tensor.Node) *tensor.Node { return f(a, a) }
			cases = append(cases, opCase{op: op, name: "with itself", inputs: []input{of(d, 1030)}, build: call1(same), ulps: ulps})
			if d.IsFloat() { // every special number with every other
				var a, b []float64
				for _, x := range specials {
					for _, y := range specials {
						a, b = append(a, x), append(b, y)
					}
				}
				n := len(a) + 1
				cases = append(cases, opCase{op: op, name: "special", inputs: []input{of(d, n).with(a), of(d, n).with(b)}, build: call2(f), ulps: ulps})
			}
			if d == tensor.Int32 || d == tensor.Uint32 { // results wrap
				low := math.MinInt32
				if d == tensor.Uint32 {
					low = 0
				}
				big := of(d, 1030).filled(integers(low, math.MaxInt32))
				cases = append(cases, opCase{op: op, name: "wrapping", inputs: []input{big, big.with([]float64{0, 1})}, build: call2(f)})
			}
		}
	}
	add(tensor.OpAdd, tensor.Add, 0, numberTypes)
	add(tensor.OpSub, tensor.Sub, 0, numberTypes)
	add(tensor.OpMul, tensor.Mul, 0, numberTypes)
	add(tensor.OpDiv, tensor.Div, 0, numberTypes)
	add(tensor.OpPow, tensor.Pow, 1, floatTypes)
	add(tensor.OpMin, tensor.Min, 0, numberTypes)
	add(tensor.OpMax, tensor.Max, 0, numberTypes)
	add(tensor.OpEqual, tensor.Equal, 0, allTypes)
	add(tensor.OpNotEqual, tensor.NotEqual, 0, allTypes)
	add(tensor.OpLess, tensor.Less, 0, allTypes)
	add(tensor.OpLessEqual, tensor.LessEqual, 0, allTypes)
	add(tensor.OpAnd, tensor.And, 0, []tensor.DType{tensor.Bool})
	add(tensor.OpOr, tensor.Or, 0, []tensor.DType{tensor.Bool})

	selects := func(_ *tensor.Graph, x []*tensor.Node) *tensor.Node { return tensor.Select(x[0], x[1], x[2]) }
	for _, d := range allTypes {
		for i, s := range [][3][]int{{{}, {}, {}}, {{1025}, {1025}, {1025}}, {{1025}, {}, {1025}}, {{1025}, {1025}, {}}, {{1025}, {}, {}}, {{}, {9}, {9}}, {{5, 1}, {7}, {5, 7}}, {{0}, {1}, {0}}, {{70001}, {70001}, {1}}} {
			cases = append(cases, opCase{op: tensor.OpSelect, name: fmt.Sprint(i), inputs: []input{of(tensor.Bool, s[0]...), of(d, s[1]...), of(d, s[2]...)}, build: selects})
		}
	}
	return cases
}
