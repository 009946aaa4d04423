package reference_test

import (
	"context"
	"math"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// What package tensor promises where Go's own arithmetic differs or leaves it open, with answers worked out by hand.
func TestSemantics(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	f64 := func(g *tensor.Graph, v ...float64) *tensor.Node {
		return g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Float64, len(v)), F64: v})
	}
	i32 := func(g *tensor.Graph, v ...int32) *tensor.Node {
		return g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Int32, len(v)), I32: v})
	}
	for name, c := range map[string]struct {
		build func(g *tensor.Graph) *tensor.Node
		want  []float64
	}{
		"integer division": {func(g *tensor.Graph) *tensor.Node {
			return tensor.Div(i32(g, 7, -7, 5, math.MinInt32), i32(g, 2, 2, 0, -1))
		}, []float64{3, -3, 0, math.MinInt32}},
		"integer product wraps": {func(g *tensor.Graph) *tensor.Node {
			return tensor.Mul(i32(g, math.MaxInt32, 1<<16), i32(g, math.MaxInt32, 1<<16))
		}, []float64{1, 0}},
		"min":           {func(g *tensor.Graph) *tensor.Node { return tensor.Min(f64(g, nan, -inf, 1), f64(g, -inf, nan, 2)) }, []float64{nan, nan, 1}},
		"round":         {func(g *tensor.Graph) *tensor.Node { return tensor.Round(f64(g, 0.5, 1.5, 2.5, -2.5)) }, []float64{0, 2, 2, -2}},
		"truncate":      {func(g *tensor.Graph) *tensor.Node { return tensor.Convert(f64(g, 1.9, -1.9), tensor.Int32) }, []float64{1, -1}},
		"pow":           {func(g *tensor.Graph) *tensor.Node { return tensor.Pow(f64(g, 0, nan, 1, -8), f64(g, 0, 0, nan, 1./3)) }, []float64{1, 1, 1, nan}},
		"arg max":       {func(g *tensor.Graph) *tensor.Node { return tensor.Reshape(tensor.ArgMax(f64(g, 3, nan, 4, nan), 0), 1) }, []float64{1}},
		"cumsum":        {func(g *tensor.Graph) *tensor.Node { return tensor.CumSum(f64(g, 1, 2, 4), 0, true) }, []float64{7, 6, 4}},
		"clamped start": {func(g *tensor.Graph) *tensor.Node { return tensor.DynamicSlice(f64(g, 1, 2, 4), i32(g, 9), 2) }, []float64{2, 4}},
		"pad and cut": {func(g *tensor.Graph) *tensor.Node {
			return tensor.Pad(f64(g, 1, 2, 4), 9, []int{-1}, []int{1}, []int{1})
		}, []float64{9, 2, 9, 4, 9}},
		"one-hot outside": {func(g *tensor.Graph) *tensor.Node { return tensor.OneHot(i32(g, 1, -1, 2), tensor.Float64, 2) }, []float64{0, 1, 0, 0, 0, 0}},
		"stable sigmoid":  {func(g *tensor.Graph) *tensor.Node { return tensor.Sigmoid(f64(g, -inf, -1000, 0, inf)) }, []float64{0, 0, 0.5, 1}},
		"stable softplus": {func(g *tensor.Graph) *tensor.Node { return tensor.Softplus(f64(g, -inf, 1000, nan)) }, []float64{0, 1000, nan}},
	} {
		t.Run(name, func(t *testing.T) {
			prog, err := tensor.Build(func(g *tensor.Graph) { g.Output("y", tensor.Convert(c.build(g), tensor.Float64)) })
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
			got := exe.Output("y").F64
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			for i, w := range c.want {
				if got[i] != w && !(math.IsNaN(got[i]) && math.IsNaN(w)) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}
