package cpu_test

import (
	"context"
	"errors"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
)

// An update may be written over the old value while the run goes on; these programs would notice if that came too early.
func TestUpdatesSeeOldValues(t *testing.T) {
	const n = 5000 // several tiles
	build := map[string]func(g *tensor.Graph, a, b *tensor.Node){
		"swap": func(g *tensor.Graph, a, b *tensor.Node) {
			g.Update(a, b)
			g.Update(b, a)
		},
		"later use in the same cluster": func(g *tensor.Graph, a, b *tensor.Node) {
			g.Update(a, tensor.AddScalar(a, 1))
			g.Update(b, tensor.Mul(a, tensor.MulScalar(a, 2)))
		},
		"later use elsewhere": func(g *tensor.Graph, a, b *tensor.Node) {
			g.Update(a, tensor.AddScalar(a, 1))
			g.Update(b, tensor.Reverse(a, 0))
		},
		"use at another index of the same cluster": func(g *tensor.Graph, a, b *tensor.Node) {
			last := tensor.SliceAxis(a, 0, n-1, n)
			g.Update(a, tensor.Add(a, last))
			g.Update(b, tensor.Sub(b, last))
		},
		"output of the old value": func(g *tensor.Graph, a, b *tensor.Node) {
			g.Update(a, tensor.MulScalar(a, 3))
			g.Output("old", a)
		},
		"one value for two variables": func(g *tensor.Graph, a, b *tensor.Node) {
			s := tensor.Add(a, b)
			g.Update(a, s)
			g.Update(b, s)
		},
		"chain": func(g *tensor.Graph, a, b *tensor.Node) {
			a1 := tensor.Add(tensor.MulScalar(a, 0.5), b)
			g.Update(a, a1)
			g.Update(b, tensor.Sub(b, tensor.Div(a1, tensor.AddScalar(a, 10))))
			g.Output("new", a1)
		},
	}
	initial := func() tensor.Vars {
		vars := tensor.Vars{"a": tensor.NewArray(tensor.ShapeOf(tensor.Float64, n)), "b": tensor.NewArray(tensor.ShapeOf(tensor.Float64, n))}
		for i := range n {
			vars["a"].F64[i], vars["b"].F64[i] = float64(i), float64(2*n-3*i)
		}
		return vars
	}
	want := map[string]func(a, b []float64, i int) (float64, float64){
		"swap":                          func(a, b []float64, i int) (float64, float64) { return b[i], a[i] },
		"later use in the same cluster": func(a, b []float64, i int) (float64, float64) { return a[i] + 1, a[i] * (a[i] * 2) },
		"later use elsewhere":           func(a, b []float64, i int) (float64, float64) { return a[i] + 1, a[n-1-i] },
		"use at another index of the same cluster": func(a, b []float64, i int) (float64, float64) {
			return a[i] + a[n-1], b[i] - a[n-1]
		},
		"output of the old value":     func(a, b []float64, i int) (float64, float64) { return a[i] * 3, b[i] },
		"one value for two variables": func(a, b []float64, i int) (float64, float64) { return a[i] + b[i], a[i] + b[i] },
		"chain": func(a, b []float64, i int) (float64, float64) {
			a1 := a[i]*0.5 + b[i]
			return a1, b[i] - a1/(a[i]+10)
		},
	}
	for name, f := range build {
		t.Run(name, func(t *testing.T) {
			prog, err := tensor.Build(func(g *tensor.Graph) {
				f(g, g.Variable("a", tensor.Float64, n), g.Variable("b", tensor.Float64, n))
			})
			if err != nil {
				t.Fatal(err)
			}
			vars, old := initial(), initial()
			e, err := cpu.New(2).Compile(prog, vars)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				a, b := want[name](old["a"].F64, old["b"].F64, i)
				if vars["a"].F64[i] != a || vars["b"].F64[i] != b {
					t.Fatalf("element %d: a %v b %v, want %v %v", i, vars["a"].F64[i], vars["b"].F64[i], a, b)
				}
			}
			if name == "output of the old value" && e.Output("old").F64[7] != old["a"].F64[7] {
				t.Errorf("the output is %v, want the value before the update, %v", e.Output("old").F64[7], old["a"].F64[7])
			}
		})
	}
}

func TestCancelledRunChangesNothing(t *testing.T) {
	prog, err := tensor.Build(func(g *tensor.Graph) {
		a := g.Variable("a", tensor.Float32, 3)
		g.Update(a, tensor.AddScalar(a, 1))
	})
	if err != nil {
		t.Fatal(err)
	}
	vars := tensor.Vars{"a": tensor.NewArray(tensor.ShapeOf(tensor.Float32, 3))}
	e, err := cpu.New(1).Compile(prog, vars)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if vars["a"].F32[0] != 0 {
		t.Error("a cancelled run changed a variable")
	}
}
