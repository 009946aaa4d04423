package cpu_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// Launches large enough to be split must give the same bits at any number of threads and with any kernels. Small ones,
// which no second thread takes part in, are in TestOps.
func TestThreadsAndKernelsChangeNoBit(t *testing.T) {
	programs := map[string]func(g *tensor.Graph){
		"columns": func(g *tensor.Graph) {
			for _, c := range []int{2, 10, 64, 130, 1500} {
				x := g.Input(fmt.Sprint("x", c), tensor.Float32, 5, 500000/5/c, c)
				g.Output(fmt.Sprint("sum ", c), tensor.Sum(x, 0, 1))
				g.Output(fmt.Sprint("max ", c), tensor.ReduceMax(x, 0, 1))
			}
		},
		"rows": func(g *tensor.Graph) {
			x := g.Input("x", tensor.Float32, 800, 500)
			g.Output("sum", tensor.Sum(x, 1))
			g.Output("all", tensor.Sum(x))
		},
		"pooling": func(g *tensor.Graph) {
			x := g.Input("x", tensor.Float32, 6, 31, 30, 20)
			for _, w := range []tensor.PoolWindow{tensor.Pooling(x, 2, 2, 0), tensor.Pooling(x, 3, 2, 1), tensor.Pooling(x, 3, 1, 1)} {
				name := fmt.Sprint(w.Axes[0])
				top, mean := tensor.MaxPool(w, x), tensor.SumPool(w, x)
				g.Output("max "+name, top)
				g.Output("sum "+name, mean)
				// Overlapping windows send several terms of this gradient to one element.
				g.Output("gradient "+name, tensor.Gradient(tensor.Sum(tensor.Mul(top, mean)), x)[0])
			}
		},
		"kernel gradient": func(g *tensor.Graph) {
			a := tensor.ConvAxis{In: 12, Kernel: 3, Out: 12, Stride: 1, Dilation: 1, Pad: 1}
			c := tensor.ConvGeometry{N: 10, Groups: 1, CI: 24, CO: 40, Axes: [2]tensor.ConvAxis{a, a}}
			g.Output("w", tensor.ConvW(c, g.Input("x", tensor.Float32, c.XDims()...), g.Input("y", tensor.Float32, c.YDims()...)))
		},
	}
	for name, build := range programs {
		t.Run(name, func(t *testing.T) {
			prog, err := tensor.Build(build)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string][]float32{}
			for level := kernel.Detected(); level >= kernel.Generic; level-- {
				for _, threads := range []int{1, 2, 7} {
					if level != kernel.Detected() && threads > 2 {
						continue
					}
					for out, y := range runAt(t, prog, level, threads) {
						if want[out] == nil {
							want[out] = y
						}
						for i, v := range want[out] {
							if math.Float32bits(y[i]) != math.Float32bits(v) {
								t.Fatalf("%s: element %d is %v at level %v with %d threads, was %v", out, i, y[i], level, threads, v)
							}
						}
					}
				}
			}
		})
	}
}

func runAt(t *testing.T, prog *tensor.Program, level kernel.Level, threads int) map[string][]float32 {
	t.Helper()
	defer kernel.Use(level)()
	return runOn(t, prog, cpu.New(threads))
}
