package tensor_test

import (
	"context"
	"math"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// evaluate runs a program without inputs and returns its outputs.
func evaluate(t *testing.T, build func(g *tensor.Graph)) tensor.Executable {
	t.Helper()
	prog, err := tensor.Build(build)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := reference.New().Compile(prog, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := exe.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return exe
}

func float64s(g *tensor.Graph, values ...float64) *tensor.Node {
	return g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Float64, len(values)), F64: values})
}

func wantFloat64s(t *testing.T, what string, got *tensor.Array, want ...float64) {
	t.Helper()
	if len(got.F64) != len(want) {
		t.Fatalf("%s: got %v, want %v", what, got.F64, want)
	}
	for i, w := range want {
		if g := got.F64[i]; !(g == w || math.Abs(g-w) <= 1e-15*math.Abs(w)) {
			t.Errorf("%s: element %d is %v, want %v", what, i, g, w)
		}
	}
}

// Where a derivative has two sides, or formally a product of 0 and infinity, the language says what it is.
func TestGradientsAtSpecialPoints(t *testing.T) {
	for name, c := range map[string]struct {
		at            []float64
		f             func(x *tensor.Node) *tensor.Node
		first, second []float64
	}{
		"abs":   {[]float64{0, -2}, tensor.Abs, []float64{0, -1}, []float64{0, 0}},
		"relu":  {[]float64{0, -2, 3}, func(x *tensor.Node) *tensor.Node { return tensor.Max(x, tensor.ZerosLike(x)) }, []float64{0, 0, 1}, []float64{0, 0, 0}},
		"min":   {[]float64{0, -2, 3}, func(x *tensor.Node) *tensor.Node { return tensor.Min(x, tensor.ZerosLike(x)) }, []float64{0, 1, 0}, []float64{0, 0, 0}},
		"clamp": {[]float64{-1, 0, 1, 2}, func(x *tensor.Node) *tensor.Node { return tensor.Clamp(x, -1, 1) }, []float64{0, 1, 0, 0}, []float64{0, 0, 0, 0}},
		// Three elements equal to the maximum take a third each.
		"reduce_max": {[]float64{5, 1, 5, 5}, func(x *tensor.Node) *tensor.Node { return tensor.ReduceMax(x, 0) }, []float64{1. / 3, 0, 1. / 3, 1. / 3}, []float64{0, 0, 0, 0}},
		// Far out, softplus and tanh are straight lines; nothing overflows on the way.
		"softplus": {[]float64{-1000, 1000}, tensor.Softplus, []float64{0, 1}, []float64{0, 0}},
		"sigmoid":  {[]float64{-1000, 1000}, tensor.Sigmoid, []float64{0, 0}, []float64{0, 0}},
		"tanh":     {[]float64{-1000, 1000}, tensor.Tanh, []float64{0, 0}, []float64{0, 0}},
		"x^0":      {[]float64{0, -2, 3}, powBy(0), []float64{0, 0, 0}, []float64{0, 0, 0}},
		"x^1":      {[]float64{0, -2, 3}, powBy(1), []float64{1, 1, 1}, []float64{0, 0, 0}},
		"x^2":      {[]float64{0, -2, 3}, powBy(2), []float64{0, -4, 6}, []float64{2, 2, 2}},
		"x^3":      {[]float64{0, -2, 3}, powBy(3), []float64{0, 12, 27}, []float64{0, -12, 18}},
		"0^x":      {[]float64{0, 1, 2}, func(x *tensor.Node) *tensor.Node { return tensor.Pow(tensor.ZerosLike(x), x) }, []float64{0, 0, 0}, []float64{0, 0, 0}},
		"1^x":      {[]float64{-1, 0, 2}, func(x *tensor.Node) *tensor.Node { return tensor.Pow(tensor.OnesLike(x), x) }, []float64{0, 0, 0}, []float64{0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			exe := evaluate(t, func(g *tensor.Graph) {
				x := float64s(g, c.at...)
				first := tensor.Gradient(tensor.Sum(c.f(x)), x)[0]
				g.Output("first", first)
				g.Output("second", tensor.Gradient(tensor.Sum(first), x)[0])
			})
			wantFloat64s(t, "first", exe.Output("first"), c.first...)
			wantFloat64s(t, "second", exe.Output("second"), c.second...)
		})
	}
}

func powBy(b float64) func(x *tensor.Node) *tensor.Node {
	return func(x *tensor.Node) *tensor.Node { return tensor.Pow(x, x.Graph().Scalar(tensor.Float64, b)) }
}

// ∂²(a^b)/∂a∂b = a^(b−1) (1 + b log a): at b = 0 it is 1/a, although both first derivatives by a vanish there.
func TestMixedGradientOfPow(t *testing.T) {
	exe := evaluate(t, func(g *tensor.Graph) {
		a, b := float64s(g, 2, 4, 2), float64s(g, 0, 0, 3)
		d := tensor.Gradient(tensor.Sum(tensor.Pow(a, b)), a, b)
		g.Output("ab", tensor.Gradient(tensor.Sum(d[0]), b)[0])
		g.Output("ba", tensor.Gradient(tensor.Sum(d[1]), a)[0])
	})
	for _, name := range []string{"ab", "ba"} {
		wantFloat64s(t, name, exe.Output(name), 0.5, 0.25, 4*(1+3*math.Ln2))
	}
}

func TestGradientRules(t *testing.T) {
	exe := evaluate(t, func(g *tensor.Graph) {
		x, y := float64s(g, 2, 3), float64s(g, 5, 7)
		loss := tensor.Sum(tensor.Add(tensor.Square(x), tensor.Mul(x, tensor.StopGradient(x))))
		d := tensor.Gradient(loss, x, y, loss)
		g.Output("several uses add up, stopped ones do not count", d[0])
		g.Output("independent", d[1])
		g.Output("itself", tensor.Reshape(d[2], 1))

		integer := tensor.Convert(tensor.Convert(x, tensor.Int32), tensor.Float64)
		g.Output("no way through integers", tensor.Gradient(tensor.Sum(tensor.Mul(x, integer)), x)[0])
		g.Output("later than y", tensor.Gradient(loss, tensor.Add(x, x))[0])

		middle := tensor.Exp(x)
		g.Output("by an intermediate", tensor.Gradient(tensor.Sum(tensor.Square(middle)), middle)[0])
		g.Output("pullback", tensor.Pullback(tensor.Mul(x, y), float64s(g, 1, 10), y)[0])
	})
	for name, want := range map[string][]float64{
		"several uses add up, stopped ones do not count": {6, 9},
		"independent":             {0, 0},
		"itself":                  {1},
		"no way through integers": {2, 3},
		"later than y":            {0, 0},
		"by an intermediate":      {2 * math.Exp(2), 2 * math.Exp(3)},
		"pullback":                {2, 30},
	} {
		wantFloat64s(t, name, exe.Output(name), want...)
	}
}

func TestGradientErrors(t *testing.T) {
	for name, c := range map[string]struct {
		build func(g *tensor.Graph)
		want  string
	}{
		"vector": {func(g *tensor.Graph) { x := g.Input("x", tensor.Float32, 3); tensor.Gradient(x, x) }, "gradient: needs a scalar, got float32[3]"},
		"integer": {func(g *tensor.Graph) {
			i := g.Input("i", tensor.Int32)
			tensor.Gradient(tensor.Convert(i, tensor.Float32), i)
		}, "is not a float"},
		"cotangent": {func(g *tensor.Graph) {
			x := g.Input("x", tensor.Float32, 3)
			tensor.Pullback(x, g.Scalar(tensor.Float32, 1), x)
		}, "gradient: y is float32[3], its cotangent float32[]"},
	} {
		t.Run(name, func(t *testing.T) { wantBuildError(t, c.build, c.want, "gradient_rules_test.go:") })
	}
}
