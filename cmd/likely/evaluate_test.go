package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/measure"
)

// The ECE of a calibrated classifier is bias alone; where its interval lies below it, a warning says why.
func TestValueBesideItsInterval(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	p := &evaluate.Posteriors{Classes: []string{"a", "b", "c", "d", "e"}}
	for range 200 {
		confidence, decided := 0.2+0.8*r.Float64(), r.IntN(5)
		truth := decided
		if r.Float64() >= confidence {
			truth = (decided + 1 + r.IntN(4)) % 5
		}
		row := slices.Repeat([]float64{math.Log((1 - confidence) / 4)}, 5)
		row[decided] = math.Log(confidence)
		p.Truth, p.LogP = append(p.Truth, int32(truth)), append(p.LogP, row...)
	}
	c, err := p.Classify(t.Context(), 300, 1)
	if err != nil {
		t.Fatal(err)
	}
	all := c.Measures()
	ece := all[slices.IndexFunc(all, func(m measure.Measure) bool { return m.Name == "ece" })]
	if !(ece.Value > ece.Interval.High) {
		t.Fatalf("the ECE is %v with the interval %v, expected it above", ece.Value, *ece.Interval)
	}
	want := "ece is above its 95% interval: chance moves it less than its bias does, so that the truth is likely lower and the interval too narrow"
	if got := warnings([]result{c}); len(got) != 2 || got[1] != want {
		t.Errorf("warnings %q, expected the second to be %q", got, want)
	}
}
