package tensor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// wantBuildError builds and looks for each text in the error.
func wantBuildError(t *testing.T, build func(g *tensor.Graph), texts ...string) {
	t.Helper()
	prog, err := tensor.Build(build)
	if prog != nil || !errors.Is(err, tensor.ErrBuild) {
		t.Fatalf("got %v, %v, want an ErrBuild", prog, err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("got %q, want it to say %q", err, text)
		}
	}
}

// Every mistake is an error that names the op, what was given, and where.
func TestBuildErrors(t *testing.T) {
	type shape = tensor.Shape
	f32 := func(dims ...int) shape { return tensor.ShapeOf(tensor.Float32, dims...) }
	f64 := func(dims ...int) shape { return tensor.ShapeOf(tensor.Float64, dims...) }
	i32 := func(dims ...int) shape { return tensor.ShapeOf(tensor.Int32, dims...) }
	u32 := func(dims ...int) shape { return tensor.ShapeOf(tensor.Uint32, dims...) }
	bools := func(dims ...int) shape { return tensor.ShapeOf(tensor.Bool, dims...) }
	geometry := tensor.ConvGeometry{N: 1, Groups: 1, CI: 2, CO: 3, Axes: [2]tensor.ConvAxis{{In: 4, Kernel: 3, Out: 2, Stride: 1, Dilation: 1}, {In: 4, Kernel: 3, Out: 2, Stride: 1, Dilation: 1}}}
	stopped := geometry
	stopped.Axes[1].Stride = 0
	for _, c := range []struct {
		shapes []shape
		f      func(x []*tensor.Node)
		want   []string
	}{
		{[]shape{f32(2, 3), f32(4)}, func(x []*tensor.Node) { tensor.Add(x[0], x[1]) }, []string{"add", "float32[2 3]", "float32[4]"}},
		{[]shape{f32(2), f64(2)}, func(x []*tensor.Node) { tensor.Mul(x[0], x[1]) }, []string{"mul", "float32[2]", "float64[2]"}},
		{[]shape{bools(2), bools(2)}, func(x []*tensor.Node) { tensor.Sub(x[0], x[1]) }, []string{"sub", "bool[2]"}},
		{[]shape{i32(2), i32(2)}, func(x []*tensor.Node) { tensor.Pow(x[0], x[1]) }, []string{"pow", "int32[2]"}},
		{[]shape{i32(2), u32(2)}, func(x []*tensor.Node) { tensor.Less(x[0], x[1]) }, []string{"less", "int32[2]", "uint32[2]"}},
		{[]shape{f32(2), bools(2)}, func(x []*tensor.Node) { tensor.And(x[0], x[1]) }, []string{"and", "float32[2]"}},
		{[]shape{f32(2)}, func(x []*tensor.Node) { tensor.Not(x[0]) }, []string{"not", "float32[2]"}},
		{[]shape{i32(2)}, func(x []*tensor.Node) { tensor.Exp(x[0]) }, []string{"exp", "int32[2]"}},
		{[]shape{i32(2)}, func(x []*tensor.Node) { tensor.IsFinite(x[0]) }, []string{"is_finite", "int32[2]"}},
		{[]shape{u32(2)}, func(x []*tensor.Node) { tensor.Neg(x[0]) }, []string{"neg", "uint32[2]"}},
		{[]shape{f32(2), f32(2), f32(2)}, func(x []*tensor.Node) { tensor.Select(x[0], x[1], x[2]) }, []string{"select", "float32[2]"}},
		{[]shape{bools(3), f32(2), f32(2)}, func(x []*tensor.Node) { tensor.Select(x[0], x[1], x[2]) }, []string{"select", "bool[3]", "float32[2]"}},
		{[]shape{f32(2, 3)}, func(x []*tensor.Node) { tensor.BroadcastTo(x[0], 3) }, []string{"broadcast", "float32[2 3]", "[3]"}},
		{[]shape{f32(2)}, func(x []*tensor.Node) { tensor.BroadcastTo(x[0], 2, 3) }, []string{"broadcast", "float32[2]", "[2 3]"}},
		{[]shape{f32(2, 3)}, func(x []*tensor.Node) { tensor.Reshape(x[0], 4, -1) }, []string{"reshape", "float32[2 3]", "[4 1]"}},
		{[]shape{f32(2, 3)}, func(x []*tensor.Node) { tensor.Reshape(x[0], 5) }, []string{"reshape", "float32[2 3]", "6", "5"}},
		{[]shape{f32(2, 3)}, func(x []*tensor.Node) { tensor.Reshape(x[0], -1, -1) }, []string{"reshape", "negative"}},
		{[]shape{f32(2, 3)}, func(x []*tensor.Node) { tensor.Transpose(x[0], 0, 0) }, []string{"transpose", "[0 0]", "float32[2 3]"}},
		{[]shape{f32(2, 3)}, func(x []*tensor.Node) { tensor.Transpose(x[0], 0) }, []string{"transpose", "[0]", "float32[2 3]"}},
		{[]shape{f32(5)}, func(x []*tensor.Node) { tensor.SliceAxis(x[0], 0, 2, 6) }, []string{"slice", "[2:6:1]", "float32[5]"}},
		{[]shape{f32(5)}, func(x []*tensor.Node) { tensor.SliceAxis(x[0], 1, 0, 1) }, []string{"slice", "axis 1", "float32[5]"}},
		{[]shape{f32(5)}, func(x []*tensor.Node) { tensor.Slice(x[0], nil, nil, nil) }, []string{"slice", "float32[5]"}},
		{[]shape{f32(5), i32(2)}, func(x []*tensor.Node) { tensor.DynamicSlice(x[0], x[1], 2) }, []string{"dynamic_slice", "float32[5]", "int32[2]"}},
		{[]shape{f32(5), i32(1)}, func(x []*tensor.Node) { tensor.DynamicSlice(x[0], x[1], 6) }, []string{"dynamic_slice", "[6]", "float32[5]"}},
		{[]shape{f32(5), f64(2), i32(1)}, func(x []*tensor.Node) { tensor.DynamicUpdate(x[0], x[1], x[2]) }, []string{"dynamic_update", "float64[2]", "float32[5]"}},
		{[]shape{f32(5)}, func(x []*tensor.Node) { tensor.Pad(x[0], 0, []int{-3}, []int{-3}, []int{0}) }, []string{"pad", "float32[5]", "-3"}},
		{[]shape{f32(5)}, func(x []*tensor.Node) { tensor.Pad(x[0], 0, nil, nil, nil) }, []string{"pad", "float32[5]"}},
		{[]shape{f32(2, 3), f32(2, 4)}, func(x []*tensor.Node) { tensor.Concat(0, x[0], x[1]) }, []string{"concat", "float32[2 3]", "float32[2 4]"}},
		{[]shape{f32(2)}, func(x []*tensor.Node) { tensor.Concat(1, x[0]) }, []string{"concat", "axis 1", "float32[2]"}},
		{nil, func([]*tensor.Node) { tensor.Concat(0) }, []string{"concat", "nothing"}},
		{[]shape{f32(2, 3)}, func(x []*tensor.Node) { tensor.Reverse(x[0], 2) }, []string{"reverse", "[2]", "float32[2 3]"}},
		{[]shape{f32(2, 3)}, func(x []*tensor.Node) { tensor.Sum(x[0], 1, 1) }, []string{"reduce_sum", "[1 1]", "float32[2 3]"}},
		{[]shape{bools(2)}, func(x []*tensor.Node) { tensor.Sum(x[0]) }, []string{"reduce_sum", "bool[2]"}},
		{[]shape{f32(2, 0)}, func(x []*tensor.Node) { tensor.ReduceMax(x[0], 1) }, []string{"reduce_max", "float32[2 0]"}},
		{[]shape{f32(2, 0)}, func(x []*tensor.Node) { tensor.ArgMax(x[0], 1) }, []string{"arg_max", "float32[2 0]"}},
		{[]shape{f32(2)}, func(x []*tensor.Node) { tensor.CumSum(x[0], -1, false) }, []string{"cumsum", "[-1]", "float32[2]"}},
		{[]shape{bools(2)}, func(x []*tensor.Node) { tensor.CumSum(x[0], 0, false) }, []string{"cumsum", "bool[2]"}},
		{[]shape{f32(2, 3), f32(4, 5)}, func(x []*tensor.Node) { tensor.MatMul(x[0], x[1]) }, []string{"matmul", "float32[2 3]", "float32[4 5]", "3 and 4"}},
		{[]shape{f32(2, 2, 3), f32(1, 3, 2)}, func(x []*tensor.Node) { tensor.MatMul(x[0], x[1]) }, []string{"matmul", "float32[2 2 3]", "float32[1 3 2]"}},
		{[]shape{f32(3), f32(3, 2)}, func(x []*tensor.Node) { tensor.MatMul(x[0], x[1]) }, []string{"matmul", "float32[3]", "float32[3 2]"}},
		{[]shape{f32(1, 4, 4, 2), f32(3, 3, 2, 4)}, func(x []*tensor.Node) { tensor.ConvY(geometry, x[0], x[1]) }, []string{"conv_y", "[3 3 2 3]", "float32[3 3 2 4]"}},
		{[]shape{f32(3, 3, 2, 3), f64(1, 2, 2, 3)}, func(x []*tensor.Node) { tensor.ConvX(geometry, x[0], x[1]) }, []string{"conv_x", "float64[1 2 2 3]"}},
		{[]shape{f32(1, 4, 4, 2), f32(1, 2, 2, 3)}, func(x []*tensor.Node) { tensor.ConvW(stopped, x[0], x[1]) }, []string{"conv_w", "Stride:0"}},
		{[]shape{f32(1, 4, 4)}, func(x []*tensor.Node) { tensor.Pooling(x[0], 2, 2, 0) }, []string{"pooling", "float32[1 4 4]"}},
		{[]shape{f32(1, 4, 4, 1)}, func(x []*tensor.Node) { tensor.Pooling(x[0], 2, 2, 2) }, []string{"pooling", "padding 2", "float32[1 4 4 1]"}},
		{[]shape{f32(1, 4, 2, 1)}, func(x []*tensor.Node) { tensor.Pooling(x[0], 3, 1, 0) }, []string{"pooling", "3", "float32[1 4 2 1]"}},
		{[]shape{f32(1, 4, 4, 1), f32(1, 5, 5, 1)}, func(x []*tensor.Node) { tensor.SumPool(tensor.Pooling(x[0], 2, 2, 0), x[1]) }, []string{"sum_pool", "float32[1 5 5 1]"}},
		{[]shape{f32(1, 4, 4, 1)}, func(x []*tensor.Node) { tensor.SumUnpool(tensor.Pooling(x[0], 2, 2, 0), x[0]) }, []string{"sum_unpool", "float32[1 4 4 1]"}},
		{[]shape{f32(1, 4, 4, 1)}, func(x []*tensor.Node) {
			far := tensor.PoolAxis{In: 4, Kernel: 2, Out: 4, Stride: 2}
			tensor.MaxPool(tensor.PoolWindow{Axes: [2]tensor.PoolAxis{far, far}}, x[0])
		}, []string{"max_pool", "window 2"}},
		{[]shape{f32(2, 3, 4), i32(3, 2)}, func(x []*tensor.Node) { tensor.Gather(x[0], x[1]) }, []string{"gather", "float32[2 3 4]", "int32[3 2]"}},
		{[]shape{f32(2, 3, 4), i32(2, 2)}, func(x []*tensor.Node) { tensor.ScatterAdd(x[0], x[1], 5) }, []string{"scatter_add", "float32[2 3 4]", "int32[2 2]"}},
		{[]shape{f32(2), i32(2)}, func(x []*tensor.Node) { tensor.Take(x[0], x[1]) }, []string{"take", "float32[2]", "int32[2]"}},
		{[]shape{f32(2), i32(2)}, func(x []*tensor.Node) { tensor.TakeAlong(x[0], x[1]) }, []string{"take_along", "float32[2]", "int32[2]"}},
		{[]shape{i32(2)}, func(x []*tensor.Node) { tensor.RandomBits(x[0], 3) }, []string{"random_bits", "uint32[2]", "int32[2]"}},
		{[]shape{u32(2)}, func(x []*tensor.Node) { tensor.RandomNormal(x[0], tensor.Int32, 3) }, []string{"random_normal", "int32"}},
		{[]shape{u32(2)}, func(x []*tensor.Node) { tensor.RandomUniform(x[0], tensor.Float32, -1) }, []string{"random_uniform", "[-1]"}},
		{[]shape{f32(2)}, func(x []*tensor.Node) { x[0].Graph().Iota(f32(2), 1) }, []string{"iota", "axis 1", "float32[2]"}},
		{nil, nil, []string{"input", "negative extent", "[2 -1]"}},
	} {
		t.Run(fmt.Sprint(c.want), func(t *testing.T) {
			wantBuildError(t, func(g *tensor.Graph) {
				if c.f == nil {
					g.Input("x", tensor.Float32, 2, -1)
				}
				var xs []*tensor.Node
				for i, s := range c.shapes {
					xs = append(xs, g.Input(fmt.Sprint("x", i), s.DType, s.Dims...))
				}
				c.f(xs)
			}, append(c.want, "(build_test.go:")...)
		})
	}
}

// The line in an error is that of the call outside of this package, however deep inside the mistake is noticed.
func TestBuildErrorsNameTheLine(t *testing.T) {
	line := 0
	build := func(g *tensor.Graph) {
		x := g.Input("x", tensor.Float32, 2, 3)
		_, _, line, _ = runtime.Caller(0)
		tensor.SumKeep(x, 7) // the line after that of Caller
	}
	_, err := tensor.Build(build)
	if err == nil || !strings.HasSuffix(err.Error(), fmt.Sprintf("(build_test.go:%d)", line+1)) {
		t.Errorf("got %v, want it to end in line %d", err, line+1)
	}
}

func TestNames(t *testing.T) {
	wantBuildError(t, func(g *tensor.Graph) {
		g.Input("x", tensor.Float32, 2)
		g.Input("x", tensor.Float32, 2)
	}, `input "x"`, "twice", "(build_test.go:")
	wantBuildError(t, func(g *tensor.Graph) {
		g.Variable("x", tensor.Float32, 2)
		g.Input("x", tensor.Float32, 2)
	}, `input "x"`, "twice")
	wantBuildError(t, func(g *tensor.Graph) {
		g.Input("x", tensor.Float32, 2)
		g.Variable("x", tensor.Float32, 2)
	}, `variable "x"`, "taken", `input "x" float32[2]`)
	wantBuildError(t, func(g *tensor.Graph) {
		g.Variable("w", tensor.Float32, 2)
		g.Variable("w", tensor.Float32, 3)
	}, `variable "w"`, "float32[3]", "float32[2]")
	wantBuildError(t, func(g *tensor.Graph) {
		x := g.Input("x", tensor.Float32)
		g.Output("y", x)
		g.Output("y", x)
	}, `output "y"`, "twice")
	prog, err := tensor.Build(func(g *tensor.Graph) {
		first, second := g.Variable("w", tensor.Float32, 2), g.Variable("w", tensor.Float32, 2)
		if first != second {
			t.Error("asking twice for a variable gives two nodes")
		}
	})
	if err != nil || len(prog.Variables) != 1 {
		t.Errorf("got %v, %v, want one variable", prog, err)
	}
}

func TestForeignOperands(t *testing.T) {
	var foreign *tensor.Node
	if _, err := tensor.Build(func(g *tensor.Graph) { foreign = g.Variable("foreign", tensor.Float32, 2) }); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(g *tensor.Graph, x *tensor.Node){
		"add":        func(_ *tensor.Graph, x *tensor.Node) { tensor.Add(x, foreign) },
		"added to":   func(_ *tensor.Graph, x *tensor.Node) { tensor.Add(foreign, x) },
		"output":     func(g *tensor.Graph, _ *tensor.Node) { g.Output("y", foreign) },
		"update by":  func(g *tensor.Graph, x *tensor.Node) { g.Update(x, foreign) },
		"update of":  func(g *tensor.Graph, x *tensor.Node) { g.Update(foreign, x) },
		"gradient":   func(_ *tensor.Graph, x *tensor.Node) { tensor.Gradient(tensor.Sum(x), foreign) },
		"concat":     func(_ *tensor.Graph, x *tensor.Node) { tensor.Concat(0, x, foreign) },
		"cotangents": func(_ *tensor.Graph, x *tensor.Node) { tensor.Pullback(x, foreign, x) },
	} {
		t.Run(name, func(t *testing.T) {
			wantBuildError(t, func(g *tensor.Graph) {
				g.Input("a", tensor.Float32, 2) // so that numbers of nodes differ
				f(g, g.Variable("x", tensor.Float32, 2))
			}, "another graph", "(build_test.go:")
		})
	}
}

func TestUpdateErrors(t *testing.T) {
	wantBuildError(t, func(g *tensor.Graph) {
		x := g.Input("x", tensor.Float32, 2)
		g.Update(x, x)
	}, "update", "not a variable", "(build_test.go:")
	wantBuildError(t, func(g *tensor.Graph) {
		g.Update(g.Variable("w", tensor.Float32, 2), g.Input("x", tensor.Float32, 3))
	}, `"w"`, "float32[2]", "float32[3]")
	wantBuildError(t, func(g *tensor.Graph) {
		w := g.Variable("w", tensor.Float32, 2)
		g.Update(w, w)
		g.Update(w, tensor.Neg(w))
	}, `"w"`, "twice")
	wantBuildError(t, func(g *tensor.Graph) {
		w := g.Variable("w", tensor.Float32, 2)
		g.Update(w, tensor.Neg(w))
		g.Update(tensor.Neg(w), w)
	}, "update", "latest value")
}

// A second update of the latest value takes the place of the first.
func TestUpdateOfTheLatest(t *testing.T) {
	prog, err := tensor.Build(func(g *tensor.Graph) {
		w := g.Variable("w", tensor.Float32)
		for range 3 {
			g.Update(g.Latest(w), tensor.MulScalar(g.Latest(w), 2))
		}
		g.Output("w", g.Latest(w))
	})
	if err != nil {
		t.Fatal(err)
	}
	w := tensor.NewArray(tensor.ShapeOf(tensor.Float32))
	w.F32[0] = 5
	e, err := reference.New().Compile(prog, tensor.Vars{"w": w})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.F32[0] != 40 || e.Output("w").F32[0] != 40 {
		t.Errorf("w is %v and its latest value was %v, expected 40", w.F32[0], e.Output("w").F32[0])
	}
}

// Nodes that nothing needs are left out; inputs and variables stay, so that a caller can always fill them.
func TestDeadCode(t *testing.T) {
	prog, err := tensor.Build(func(g *tensor.Graph) {
		x := g.Input("x", tensor.Float32, 2)
		g.Variable("w", tensor.Float32, 2)
		tensor.Exp(x)
		g.Output("y", tensor.Neg(x))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "%0 = input x : float32[2]\n%1 = variable w : float32[2]\n%3 = neg %0 : float32[2]\noutput y = %3\n"
	if got := prog.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A panic of the caller's own is not taken for a mistake in shapes.
func TestBuildLetsOtherPanicsThrough(t *testing.T) {
	defer func() {
		if r := recover(); r != "mine" {
			t.Errorf("recovered %v, want the caller's panic", r)
		}
	}()
	_, err := tensor.Build(func(*tensor.Graph) { panic("mine") })
	t.Errorf("Build returned %v", err)
}

func TestBind(t *testing.T) {
	prog, err := tensor.Build(func(g *tensor.Graph) { g.Output("y", g.Variable("w", tensor.Float32, 2)) })
	if err != nil {
		t.Fatal(err)
	}
	for want, vars := range map[string]tensor.Vars{
		`variable "w" float32[2] has no array`:                            nil,
		`variable "w" is float32[2] in the program, its array float32[3]`: {"w": tensor.NewArray(tensor.ShapeOf(tensor.Float32, 3))},
	} {
		if _, err := reference.New().Compile(prog, vars); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// All updates see the values from before the run, and a run whose context has ended changes nothing.
func TestUpdates(t *testing.T) {
	prog, err := tensor.Build(func(g *tensor.Graph) {
		a, b := g.Variable("a", tensor.Float64), g.Variable("b", tensor.Float64)
		g.Update(a, b)
		g.Update(b, tensor.Add(a, b))
		g.Output("old a", a)
	})
	if err != nil {
		t.Fatal(err)
	}
	vars := tensor.Vars{"a": tensor.NewArray(tensor.ShapeOf(tensor.Float64)), "b": tensor.NewArray(tensor.ShapeOf(tensor.Float64))}
	vars["a"].F64[0], vars["b"].F64[0] = 0, 1
	exe, err := reference.New().Compile(prog, vars)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := exe.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := exe.Run(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	a, b, old := vars["a"].F64[0], vars["b"].F64[0], exe.Output("old a").F64[0]
	if a != 55 || b != 89 || old != 34 {
		t.Errorf("a = %v, b = %v, before that a = %v; want the Fibonacci numbers 55, 89, 34", a, b, old)
	}
}

func TestFreeze(t *testing.T) {
	build := func(update bool) *tensor.Program {
		p, err := tensor.Build(func(g *tensor.Graph) {
			w := g.Variable("w", tensor.Float32, 2)
			g.Output("y", tensor.Mul(w, g.Input("x", tensor.Float32, 2)))
			if update {
				g.Update(w, tensor.Neg(w))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	w := &tensor.Array{Shape: tensor.ShapeOf(tensor.Float32, 2), F32: []float32{3, 5}}
	frozen, err := build(false).Freeze(tensor.Vars{"w": w})
	if err != nil {
		t.Fatal(err)
	}
	if len(frozen.Variables) > 0 || len(frozen.Inputs) != 1 {
		t.Errorf("%d variables and %d inputs, expected none and 1", len(frozen.Variables), len(frozen.Inputs))
	}
	e, err := reference.New().Compile(frozen, nil)
	if err != nil {
		t.Fatal(err)
	}
	copy(e.Input("x").F32, []float32{2, 7})
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if y := e.Output("y").F32; y[0] != 6 || y[1] != 35 {
		t.Errorf("y = %v, expected [6 35]", y)
	}
	if _, err := build(false).Freeze(nil); err == nil {
		t.Error("frozen without the variable's array")
	}
	if _, err := build(true).Freeze(tensor.Vars{"w": w}); err == nil {
		t.Error("froze a program that updates")
	}
}
