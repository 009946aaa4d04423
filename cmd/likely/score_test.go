package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// pValue counts what a loop counts, ties and infinite scores too.
func TestPValue(t *testing.T) {
	familiar := []float64{math.Inf(-1), -7, -3, -3, -3, 2}
	for _, log := range []float64{math.Inf(-1), -8, -7, -5, -3, 0, 2, 9, math.Inf(1)} {
		low, high := 1, 1
		for _, f := range familiar {
			if f <= log {
				low++
			}
			if f >= log {
				high++
			}
		}
		if got, want := pValue(familiar, log), min(1, float64(2*min(low, high))/7); got != want {
			t.Errorf("p-value of %v is %v, expected %v", log, got, want)
		}
	}
	if p := pValue(nil, 0); p == p {
		t.Errorf("p-value without familiar scores is %v, expected none", p)
	}
}

// Of scores of one distribution a share of at most α has a p-value of at most α, and hardly less where n allows.
func TestPValueIsValid(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	const rounds, n, alpha = 20000, 99, 0.06
	rejected := 0
	for range rounds {
		familiar := make([]float64, n)
		for i := range familiar {
			familiar[i] = r.NormFloat64()
		}
		slices.Sort(familiar)
		if pValue(familiar, r.NormFloat64()) <= alpha {
			rejected++
		}
	}
	// (n+1)α/2 is whole: the share is α exactly, up to 4 standard errors of its estimate.
	if diff := math.Abs(float64(rejected)/rounds - alpha); !(diff <= 4*math.Sqrt(alpha*(1-alpha)/rounds)) {
		t.Errorf("%d of %d rejected at %v", rejected, rounds, alpha)
	}
}
