package evaluate_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/discriminative"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/model"
)

// BenchmarkDensityRatio tells 1,000,000 rows of 50 columns from 1,000,000 others by an mlp, KL = ½; its memory is that of
//
//	go test -c -o evaluate.test ./evaluate
//	/usr/bin/time -v ./evaluate.test -test.run '^$' -test.bench DensityRatio -test.benchtime 1x -test.cpu 1
func BenchmarkDensityRatio(b *testing.B) {
	const n, d = 1_000_000, 50
	r := rand.New(rand.NewPCG(1, 1))
	schema := &data.Schema{Shape: data.RowShape(d), Columns: make([]data.Column, d)}
	for j := range schema.Columns {
		schema.Columns[j] = data.Column{Name: string(rune('A' + j)), Kind: data.Numeric}
	}
	draw := func(shift float32) data.Set {
		x := make([]float32, n*d)
		for i := range x {
			x[i] = float32(r.NormFloat64())
			if i%d == 0 {
				x[i] += shift
			}
		}
		set, err := data.NewTable(schema, x, nil)
		if err != nil {
			b.Fatal(err)
		}
		return set
	}
	p, q := draw(1), draw(0)
	spec := model.NewRecipe[discriminative.MLP]()
	spec.Hidden, spec.Dropout, spec.Epochs, spec.Batch, spec.Rate = []int{32}, 0, 2, 1024, 0.01
	for b.Loop() {
		c, err := evaluate.DensityRatio(context.Background(), spec, p, q, 2, model.Run{Seed: 1, Threads: 1})
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("KL %v, at least %v (Donsker-Varadhan), %v (NWJ); JS at least %v", c.KL, c.KLDonskerVaradhan, c.KLNWJ, c.JS)
	}
}
