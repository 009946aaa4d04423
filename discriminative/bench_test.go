package discriminative

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// BenchmarkLogPosterior asks models of the default size about one picture of 8x8 at a time, as a server does, and about
// 1,000 at once.
func BenchmarkLogPosterior(b *testing.B) {
	source, err := data.Open(b.Context(), "digits", data.Options{})
	if err != nil {
		b.Fatal(err)
	}
	all, err := data.ReadAll(b.Context(), source.Train)
	if err != nil {
		b.Fatal(err)
	}
	for _, entry := range model.List(model.Discriminative) {
		fitted, _, err := entry.New().Fit(b.Context(), source.Train, model.Run{Seed: 1, Epochs: 1})
		if err != nil {
			b.Fatal(err)
		}
		m := fitted.(model.Classifier)
		for name, n := range map[string]int{"one": 1, "1000": 1000} {
			b.Run(entry.Name+"/"+name, func(b *testing.B) {
				x, dst := all.Slice(0, n), make([]float64, n*m.Classes())
				for b.Loop() {
					if err := m.LogPosterior(dst, x); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkLogisticLoss is what an iteration of L-BFGS mostly is: value and gradient of the loss for ten classes of 20,000 pictures of
// 28x28.
func BenchmarkLogisticLoss(b *testing.B) {
	const n, classes = 20_000, 10
	r := rand.New(rand.NewPCG(1, 2))
	x := data.NewBatch(data.Shape{Height: 28, Width: 28, Channels: 1}, n, true)
	for i := range x.X {
		x.X[i] = r.Float32()
	}
	for i := range x.Y {
		x.Y[i] = int32(r.IntN(classes))
	}
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			l := newLogisticLoss(x, classes, 1, threads)
			theta := make([]float64, l.dim())
			for b.Loop() {
				theta[0]++ // the loss of one point is computed once
				l.at(b.Context(), theta)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/example")
		})
	}
}
