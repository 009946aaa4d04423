package train

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
)

func TestSchedules(t *testing.T) {
	const steps, warmUp = 100, 10
	for _, c := range []struct {
		schedule Schedule
		step     int
		want     float64
	}{
		{Constant, 0, 0.05}, {Constant, 4, 0.25}, {Constant, 9, 0.5}, {Constant, 10, 0.5}, {Constant, 99, 0.5},
		{"", 50, 0.5},
		{Cosine, 10, 0.5}, {Cosine, 55, 0.25}, {Cosine, 40, 0.375}, {Cosine, 100, 0},
		{Linear, 9, 0.5}, {Linear, 10, 0.5}, {Linear, 55, 0.25}, {Linear, 99, 0.5 / 90},
	} {
		o := Options{Rate: 0.5, Schedule: c.schedule, WarmUp: warmUp}
		if got := o.rate(c.step, steps); !(math.Abs(got-c.want) < 1e-12) {
			t.Errorf("%s, step %d: rate %v, expected %v", c.schedule, c.step, got, c.want)
		}
	}
}

// An epoch's order is a permutation that depends on seed and epoch.
func TestOrder(t *testing.T) {
	first := order(1, 0, 50)
	sorted := slices.Sorted(slices.Values(first))
	for i, k := range sorted {
		if i != k {
			t.Fatalf("%v is no permutation", first)
		}
	}
	if !slices.Equal(first, order(1, 0, 50)) {
		t.Error("the same seed and epoch gave another order")
	}
	if slices.Equal(first, order(1, 1, 50)) || slices.Equal(first, order(2, 0, 50)) {
		t.Error("another seed or epoch gave the same order")
	}
}

func TestRealSurvivesJSON(t *testing.T) {
	for _, want := range []float64{0, -1.5, 0.1, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN()} {
		text, err := json.Marshal(real(want))
		if err != nil {
			t.Fatal(err)
		}
		var got real
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if math.Float64bits(float64(got)) != math.Float64bits(want) && !(want != want && got != got) {
			t.Errorf("%v became %s and then %v", want, text, got)
		}
	}
}
