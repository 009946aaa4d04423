package tensor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// goldenArray and goldenConv are the format that testdata/make_conv.py describes.
type goldenArray struct {
	Shape  []int
	Values []float64
}

type goldenConv struct {
	N, Groups, CI, CO int
	Axes              [2]struct {
		In, Kernel, Out, Stride, Dilation, Pad, High int
	}
	X, W, R, Y, DX, DW goldenArray
	PenaltyDW          goldenArray `json:"penalty_dw"`
	PenaltyDR          goldenArray `json:"penalty_dr"`
	SquareDX           goldenArray `json:"square_dx"`
	SquareDR           goldenArray `json:"square_dr"`
}

// TestConvolutionsGolden demands equality with PyTorch: all of its figures are small whole numbers.
func TestConvolutionsGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/conv.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []goldenConv }
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) < 20 {
		t.Fatalf("testdata/conv.json has %d cases, expected at least 20", len(golden.Cases))
	}
	for i, c := range golden.Cases {
		geometry := tensor.ConvGeometry{N: c.N, Groups: c.Groups, CI: c.CI, CO: c.CO}
		for j, a := range c.Axes {
			geometry.Axes[j] = tensor.ConvAxis{In: a.In, Kernel: a.Kernel, Out: a.Out, Stride: a.Stride, Dilation: a.Dilation, Pad: a.Pad}
		}
		t.Run(fmt.Sprintf("%d %v", i, geometry), func(t *testing.T) {
			for j, a := range geometry.Axes {
				if a.HighPad() != c.Axes[j].High {
					t.Errorf("axis %d: high padding %d, want %d", j, a.HighPad(), c.Axes[j].High)
				}
			}
			checkGoldenConv(t, geometry, c)
		})
	}
}

func checkGoldenConv(t *testing.T, geometry tensor.ConvGeometry, c goldenConv) {
	want := map[string]goldenArray{
		"y": c.Y, "dx": c.DX, "dw": c.DW, "penalty_dw": c.PenaltyDW, "penalty_dr": c.PenaltyDR, "square_dx": c.SquareDX, "square_dr": c.SquareDR,
	}
	prog, err := tensor.Build(func(g *tensor.Graph) {
		x := g.Input("x", tensor.Float64, c.X.Shape...)
		w := g.Input("w", tensor.Float64, c.W.Shape...)
		r := g.Input("r", tensor.Float64, c.R.Shape...)
		y := tensor.ConvY(geometry, x, w)
		d := tensor.Gradient(tensor.Sum(tensor.Mul(y, r)), x, w)
		penalty := tensor.Gradient(tensor.Sum(tensor.Square(d[0])), w, r)
		square := tensor.Gradient(tensor.Sum(tensor.Square(d[1])), x, r)
		for name, n := range map[string]*tensor.Node{
			"y": y, "dx": d[0], "dw": d[1], "penalty_dw": penalty[0], "penalty_dr": penalty[1], "square_dx": square[0], "square_dr": square[1],
		} {
			g.Output(name, n)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	exe, err := reference.New().Compile(prog, nil)
	if err != nil {
		t.Fatal(err)
	}
	copy(exe.Input("x").F64, c.X.Values)
	copy(exe.Input("w").F64, c.W.Values)
	copy(exe.Input("r").F64, c.R.Values)
	if err := exe.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for name, w := range want {
		got := exe.Output(name)
		if !slices.Equal(got.Shape.Dims, w.Shape) || !slices.Equal(got.F64, w.Values) {
			t.Errorf("%s: got %v %v, want %v %v", name, got.Shape.Dims, got.F64, w.Shape, w.Values)
		}
	}
}
