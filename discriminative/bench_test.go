package discriminative

import (
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
