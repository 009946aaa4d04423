package generative

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
)

// BenchmarkMixtureFit is the job of testdata/time_mixture.py, which writes the file that it reads and prints the command that
// runs it: EM with full covariances on 60,000 examples of 50 elements from a given start, for a fixed number of iterations.
func BenchmarkMixtureFit(b *testing.B) {
	folder := os.Getenv("MIXTURE_FEATURES")
	if folder == "" {
		b.Skip("testdata/time_mixture.py makes the data")
	}
	numbers := func(name string) []float64 {
		bytes, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			b.Fatal(err)
		}
		v := make([]float64, len(bytes)/8)
		for i := range v {
			v[i] = math.Float64frombits(binary.LittleEndian.Uint64(bytes[8*i:]))
		}
		return v
	}
	size := numbers("size") // n, p, k, iterations
	n, p, k, iterations := int(size[0]), int(size[1]), int(size[2]), int(size[3])
	x := data.NewBatch(data.RowShape(p), n, false)
	for i, v := range numbers("features") {
		x.X[i] = float32(v)
	}
	ones := slices.Repeat([]float64{1}, p)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			mean := 0.0
			for b.Loop() {
				start := &mixture{kind: FullCovariance, p: p, weight: slices.Repeat([]float64{1 / float64(k)}, k),
					mean: numbers("means"), covariance: numbers("covariances")}
				if err := start.prepare(threads); err != nil {
					b.Fatal(err)
				}
				d := newScaledRows(x, seq(n), make([]float64, p), ones, threads)
				found, err := d.improve(b.Context(), start, emRules{floor: 1e-12, iterations: iterations, tell: func(int, float64) {}})
				if err != nil {
					b.Fatal(err)
				}
				mean = found.logLikelihood / float64(n)
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(iterations), "s/iteration")
			b.Logf("%.8f nats/example", mean)
		})
	}
}
