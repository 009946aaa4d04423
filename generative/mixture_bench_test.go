package generative

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
)

// BenchmarkMixtureFit is the job of testdata/time_mixture.py: 20 iterations of EM with 10 full covariances on 60,000 examples
// of 50 elements, from 10 of them as means and the variances of all. Without that script's file the examples are random.
func BenchmarkMixtureFit(b *testing.B) {
	const p, k, iterations = 50, 10, 20
	x := mixtureFeatures(b, p)
	n := x.Len()
	whole, err := newScaledRows(x, seq(n), rowMean(x, seq(n)), slices.Repeat([]float64{1}, p), 0).oneComponent(b.Context(), DiagonalCovariance, 0)
	if err != nil {
		b.Fatal(err)
	}
	start := &mixture{kind: FullCovariance, p: p, weight: slices.Repeat([]float64{1. / k}, k), covariance: make([]float64, k*p*p)}
	for c := range k {
		for j, v := range x.Row(c * n / k) {
			start.mean = append(start.mean, float64(v))
			start.covariance[(c*p+j)*p+j] = whole.covariance[j]
		}
	}
	if err := start.prepare(1); err != nil {
		b.Fatal(err)
	}
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			mean := 0.0
			for b.Loop() {
				d := newScaledRows(x, seq(n), make([]float64, p), slices.Repeat([]float64{1}, p), threads)
				found, err := d.improve(b.Context(), start, emRules{iterations: iterations, tell: func(int, float64) {}})
				if err != nil {
					b.Fatal(err)
				}
				mean = found.logLikelihood / float64(n)
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/iterations, "s/iteration")
			b.Logf("%.8f nats/example", mean)
		})
	}
}

// mixtureFeatures reads the script's file, from the folder that MIXTURE_FEATURES names.
func mixtureFeatures(b *testing.B, p int) data.Batch {
	folder := os.Getenv("MIXTURE_FEATURES")
	if folder == "" {
		x := data.NewBatch(data.RowShape(p), 60_000, false)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range x.X {
			x.X[i] = float32(r.NormFloat64()) + float32(i/p%10)
		}
		return x
	}
	bytes, err := os.ReadFile(filepath.Join(folder, "features"))
	if err != nil {
		b.Fatal(err)
	}
	x := data.NewBatch(data.RowShape(p), len(bytes)/8/p, false)
	for i := range x.X {
		x.X[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(bytes[8*i:])))
	}
	return x
}
