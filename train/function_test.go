package train_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// cube makes y = x³ + p.
func cube(run model.Run) (f *train.Function, call func(x []float32) ([]float32, error)) {
	p := nn.Params{{Name: "p", Init: nn.Constant(0.5)}}
	f = train.NewFunction(run, p.Init(1), func(g *tensor.Graph, n int) {
		x := g.Input("x", tensor.Float32, n)
		g.Output("y", tensor.Add(tensor.Mul(x, tensor.Square(x)), p[0].Node(g)))
	})
	return f, func(x []float32) ([]float32, error) {
		y := make([]float32, len(x))
		err := f.Call(len(x),
			func(e tensor.Executable, from, to int) { copy(e.Input("x").F32, x[from:to]) },
			func(e tensor.Executable, from, to int) { copy(y[from:to], e.Output("y").F32) })
		return y, err
	}
}

func numbers(n, first int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(first + i)
	}
	return x
}

func checkCubes(x, y []float32) error {
	for i, v := range x {
		if want := v*v*v + 0.5; y[i] != want {
			return fmt.Errorf("row %d of %d: f(%v) = %v, expected %v", i, len(x), v, y[i], want)
		}
	}
	return nil
}

func TestFunctionOfAnyNumberOfRows(t *testing.T) {
	for _, backend := range []string{"cpu", "reference"} {
		_, call := cube(model.Run{Backend: backend})
		for _, n := range []int{0, 1, 2, 15, 16, 17, 127, 128, 129, 144, 145, 300} {
			x := numbers(n, -70)
			y, err := call(x)
			if err == nil {
				err = checkCubes(x, y)
			}
			if err != nil {
				t.Error(backend, err)
			}
		}
	}
}

func TestFunctionFromManyGoroutines(t *testing.T) {
	_, call := cube(model.Run{Threads: 2})
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			for k := range 20 {
				x := numbers(1+(37*i+11*k)%150, i-k)
				y, err := call(x)
				errs[i] = errors.Join(errs[i], err, checkCubes(x, y))
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

// A program is compiled when its size is first needed, and then kept.
func TestFunctionIsCompiledOnce(t *testing.T) {
	builds := map[int]int{}
	f := train.NewFunction(model.Run{}, nil, func(g *tensor.Graph, n int) {
		builds[n]++
		g.Output("y", tensor.Neg(g.Input("x", tensor.Float32, n)))
	})
	nothing := func(tensor.Executable, int, int) {}
	for _, n := range []int{1, 1, 10, 16, 200, 300, 1} {
		if err := f.Call(n, nothing, nothing); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(builds) != "map[1:1 16:1 128:1]" {
		t.Errorf("programs built by size: %v, expected one each of 1, 16 and 128", builds)
	}
}

func TestFunctionThatCannotBeBuilt(t *testing.T) {
	f := train.NewFunction(model.Run{}, nil, func(g *tensor.Graph, n int) {
		g.Output("y", tensor.Add(g.Input("a", tensor.Float32, n, 2), g.Input("b", tensor.Float32, n, 3)))
	})
	nothing := func(tensor.Executable, int, int) {}
	if err := f.Call(1, nothing, nothing); !errors.Is(err, tensor.ErrBuild) {
		t.Errorf("error %v, expected %v", err, tensor.ErrBuild)
	}
	_, call := cube(model.Run{Backend: "abacus"})
	if _, err := call(numbers(1, 1)); err == nil {
		t.Error("an unknown backend: no error")
	}
}

// BenchmarkOneRow is the time from one row to its answer.
func BenchmarkOneRow(b *testing.B) {
	_, call := cube(model.Run{})
	x := numbers(1, 3)
	for b.Loop() {
		if _, err := call(x); err != nil {
			b.Fatal(err)
		}
	}
}
