package kernel

import (
	"fmt"
	"testing"
)

// gemmShapes are those of a dense network's steps, of a convolution as a matrix product, and squares.
var gemmShapes = []struct {
	ta, tb  bool
	m, n, k int
}{
	{false, false, 256, 256, 256},
	{false, false, 1024, 1024, 1024},
	{false, false, 128, 512, 784},
	{false, true, 128, 784, 512},
	{true, false, 784, 512, 128},
	{false, false, 128, 10, 256},
	{false, true, 128, 256, 10},
	{true, false, 256, 10, 128},
	{false, false, 25088, 64, 288},
	{false, false, 1, 512, 784},
	{false, false, 1, 10, 256},
	{false, false, 4, 512, 784},
}

func BenchmarkGemm32(b *testing.B) { benchmarkGemm[float32](b) }
func BenchmarkGemm64(b *testing.B) { benchmarkGemm[float64](b) }

func benchmarkGemm[T float](b *testing.B) {
	for _, l := range levels() {
		for _, s := range gemmShapes {
			name := fmt.Sprintf("%v/%dx%dx%d", l, s.m, s.n, s.k)
			if s.ta {
				name += "/ta"
			}
			if s.tb {
				name += "/tb"
			}
			b.Run(name, func(b *testing.B) {
				defer Use(l)()
				var ws Workspace
				g := newGemmCase[T](1, s.ta, s.tb, false, s.m, s.n, s.k, 0, 0, 0, 0)
				for _, v := range []*[]T{&g.a, &g.b, &g.c} { // on cache lines, as an arena has them
					*v = append(reserve([]T(nil), len(*v))[:0], *v...)
				}
				for b.Loop() {
					g.call(&ws, 0, g.m, 0, g.n, g.c)
				}
				reportFlops(b, 2*float64(s.m)*float64(s.n)*float64(s.k))
			})
		}
	}
}

// reportFlops prints GFLOP/s for an operation of that many additions and multiplications.
func reportFlops(b *testing.B, flops float64) {
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GFLOP/s")
}
