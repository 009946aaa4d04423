package gonumblas

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/blas"
)

// The benchmarks compare BLAS with gonum's code on squares:
//
//	go test -run '^$' -bench '^Benchmark[SD]' -cpu 1 ./tensor/cpu/gonumblas
//
// Microseconds on one thread of an AMD EPYC with AVX-512, gonum's/ours, least of seven runs on a busy machine. Below a
// threshold both are gonum's code.
//
//	n    Sgemm          Dgemm          SgemvTrans     DsyrkTrans     DtrsmRight
//	4    0.17/0.12      0.18/0.22      0.039/0.071    0.16/0.14      0.22/0.31
//	8    0.6/0.6        0.66/0.64      0.084/0.08     0.54/0.33      0.92/1
//	16   2.1/0.38       2.5/0.63       0.16/0.16      2.5/2.3        4.1/4
//	32   9.7/0.87       13/2.4         0.33/0.35      11/4.9         16/8.5
//	64   53/4.2         85/11          0.84/0.37      57/14          72/30
//	128  413/27         690/72         2.9/1.1        371/64         605/120
//	256  3638/220       5691/607       8.3/3.3        2249/387       2618/750
//	512  32497/2644     48864/5859     31/13          18028/2927     21540/5399
//	1024 228725/34211   380742/61139   117/77         147197/37739   163664/29559

var squares = []int{4, 8, 16, 32, 64, 128, 256, 512, 1024}

// implementation is what the benchmarks call.
type implementation interface {
	blas.Float32
	blas.Float64
}

func benchmark(b *testing.B, flops func(n int) float64, call func(f implementation, n int) func()) {
	for _, n := range squares {
		for _, f := range []struct {
			name string
			implementation
		}{{"ours", BLAS{}}, {"gonum", plain}} {
			b.Run(fmt.Sprintf("%d/%s", n, f.name), func(b *testing.B) {
				do := call(f.implementation, n)
				for b.Loop() {
					do()
				}
				b.ReportMetric(flops(n)*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GFLOP/s")
			})
		}
	}
}

func cube(n int) float64   { return 2 * float64(n) * float64(n) * float64(n) }
func square(n int) float64 { return 2 * float64(n) * float64(n) }

func BenchmarkSgemm(b *testing.B) {
	benchmark(b, cube, func(f implementation, n int) func() {
		x, y, c := noise[float32](n*n), noise[float32](n*n), make([]float32, n*n)
		return func() { f.Sgemm(blas.NoTrans, blas.NoTrans, n, n, n, 1, x, n, y, n, 0, c, n) }
	})
}

func BenchmarkDgemm(b *testing.B) {
	benchmark(b, cube, func(f implementation, n int) func() {
		x, y, c := noise[float64](n*n), noise[float64](n*n), make([]float64, n*n)
		return func() { f.Dgemm(blas.NoTrans, blas.NoTrans, n, n, n, 1, x, n, y, n, 0, c, n) }
	})
}

func BenchmarkSgemvTrans(b *testing.B) {
	benchmark(b, square, func(f implementation, n int) func() {
		x, y, a := noise[float32](n), make([]float32, n), noise[float32](n*n)
		return func() { f.Sgemv(blas.Trans, n, n, 1, a, n, x, 1, 0, y, 1) }
	})
}

func BenchmarkDsyrkTrans(b *testing.B) {
	benchmark(b, func(n int) float64 { return cube(n) / 2 }, func(f implementation, n int) func() {
		a, c := noise[float64](n*n), make([]float64, n*n)
		return func() { f.Dsyrk(blas.Upper, blas.Trans, n, n, 1, a, n, 0, c, n) }
	})
}

func BenchmarkDtrsmRight(b *testing.B) {
	benchmark(b, func(n int) float64 { return cube(n) / 2 }, func(f implementation, n int) func() {
		a, x := noise[float64](n*n), noise[float64](n*n)
		for i := range a {
			if a[i] /= float64(n); i%(n+1) == 0 {
				a[i] = 1
			}
		}
		return func() { f.Dtrsm(blas.Right, blas.Upper, blas.NoTrans, blas.NonUnit, n, n, 1, a, n, x, n) }
	})
}
