package kernel

import (
	"fmt"
	"testing"
)

// gemmShapes are squares, and those of the steps of dense networks, of a variational autoencoder, of convolutions as
// matrix products and of attention; few columns, single rows and single columns; and tall ones of statistics.
var gemmShapes = []struct {
	ta, tb  bool
	m, n, k int
}{
	{false, false, 256, 256, 256},
	{false, false, 512, 512, 512},
	{false, false, 1024, 1024, 1024},
	{false, false, 128, 512, 784},
	{false, false, 128, 256, 512},
	{false, true, 128, 784, 512},
	{false, true, 128, 512, 256},
	{true, false, 784, 512, 128},
	{true, false, 512, 256, 128},
	{false, false, 128, 400, 784},
	{false, false, 128, 784, 400},
	{false, true, 128, 400, 784},
	{true, false, 784, 400, 128},
	{true, false, 400, 784, 128},
	{false, false, 128, 10, 784},
	{true, false, 784, 10, 128},
	{false, false, 128, 10, 256},
	{false, true, 128, 256, 10},
	{true, false, 256, 10, 128},
	{false, false, 128, 20, 400},
	{false, false, 128, 6272, 100},
	{false, false, 128, 128, 3136},
	{true, false, 3136, 128, 128},
	{false, false, 25088, 64, 288},
	{false, false, 49, 49, 64},
	{false, true, 49, 49, 64},
	{false, false, 1, 512, 784},
	{false, true, 1, 512, 784},
	{false, false, 1, 10, 256},
	{false, false, 4, 512, 784},
	{false, false, 128, 1, 3136},
	{true, false, 3136, 1, 128},
	{true, false, 1024, 64, 1024},
	{false, false, 1000, 20, 20},
}

// The benchmarks print GFLOP/s; BenchmarkPeak prints what they are to be compared with, half of it for float64.

func BenchmarkPeak(b *testing.B) {
	for _, l := range levels() {
		b.Run(l.String(), func(b *testing.B) {
			defer Use(l)()
			var best float64
			for b.Loop() {
				best = max(best, PeakFLOPS(0))
			}
			b.ReportMetric(best*1e-9, "GFLOP/s")
		})
	}
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
