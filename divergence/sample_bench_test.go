//go:build unix

package divergence

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkSearch finds the 10 nearest of a number of points to each of 5,000, by both ways: treeDimensions comes from it.
// Milliseconds of processor time on an AMD EPYC with AVX-512, k-d tree/products:
//
//	go test -run '^$' -bench Search -benchtime 1x -cpu 1 ./divergence
//
//	d     20,000 points    100,000 points
//	5     81/222           195/809
//	7     201/217          442/753
//	8     357/243          686/842
//	10    766/205          1616/859
//	12    1299/198         4385/904
func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{20_000, 100_000} {
		for _, d := range []int{5, 7, 8, 10, 12} {
			x, y := normal(5000, d, 1, 1, seeded(1)), normal(n, d, 0, 1, seeded(2))
			for _, way := range []struct {
				name   string
				search func(context.Context, Points, Points, int, bool) (nearest, error)
			}{{"tree", treeSearch}, {"products", productSearch}} {
				b.Run(fmt.Sprintf("n=%d/d=%d/%s", n, d, way.name), func(b *testing.B) {
					defer processor(b)()
					for b.Loop() {
						if _, err := way.search(context.Background(), x, y, 10, false); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// BenchmarkMillion measures distances of 1,000,000 points and 1,000,000 in 50 dimensions. testdata/time_samples.py does the
// same by numpy.
//
//	go test -c -o divergence.test ./divergence
//	/usr/bin/time -v ./divergence.test -test.run '^$' -test.bench Million -test.benchtime 1x -test.cpu 1
//	OMP_NUM_THREADS=1 /usr/bin/time -v python3 divergence/testdata/time_samples.py
func BenchmarkMillion(b *testing.B) {
	const n, d = 1_000_000, 50
	ctx := context.Background()
	x, y := normal(n, d, 0.1, 1, seeded(1)), normal(n, d, 0, 1, seeded(2))
	b.Run("sliced Wasserstein, 20 directions", func(b *testing.B) {
		defer processor(b)()
		for b.Loop() {
			w, err := SampleSliced(ctx, x, y, 20, seeded(3))
			if err != nil {
				b.Fatal(err)
			}
			b.Logf("W1 %v, W2 %v", w.W1, w.W2)
		}
	})
	for _, size := range []int{2, 64} {
		b.Run(fmt.Sprintf("MMD, blocks of %d", size), func(b *testing.B) {
			defer processor(b)()
			for b.Loop() {
				m, err := SampleMMDBlocks(ctx, x, y, 10, size, seeded(3))
				if err != nil {
					b.Fatal(err)
				}
				b.Log(m)
			}
		})
	}
}

// BenchmarkTransport is the exact distance of 2,000 points and 2,000 in 10 dimensions, W1 and W2.
func BenchmarkTransport(b *testing.B) {
	x, y := normal(2000, 10, 1, 1, seeded(1)), normal(2000, 10, 0, 1, seeded(2))
	defer processor(b)()
	for b.Loop() {
		if _, err := SampleWasserstein(context.Background(), x, y); err != nil {
			b.Fatal(err)
		}
	}
}

// processor reports the processor time of all threads beside that of the clock: other work on the machine changes it less.
func processor(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start := used()
	return func() { b.ReportMetric((used()-start).Seconds()/float64(b.N), "cpu-s/op") }
}
