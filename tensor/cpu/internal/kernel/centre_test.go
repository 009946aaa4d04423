package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCentre: every length, with guards around, at every level, and special values.
func TestCentre(t *testing.T) {
	const margin = 3
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.NaN()), math.MaxFloat32, math.SmallestNonzeroFloat32}
	for _, l := range levels() {
		restore := Use(l)
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 70 {
			x, mean, got := make([]float32, n), make([]float64, n), make([]float64, n+2*margin)
			for i := range x {
				x[i], mean[i] = float32(r.NormFloat64()), r.NormFloat64()
				if r.IntN(4) == 0 {
					x[i] = special[r.IntN(len(special))]
				}
			}
			for i := range got {
				got[i] = 7
			}
			Centre(got[margin:margin+n], x, mean)
			for i, v := range got {
				want := 7.0
				if j := i - margin; j >= 0 && j < n {
					want = float64(x[j]) - mean[j]
				}
				if math.Float64bits(v) != math.Float64bits(want) && !(math.IsNaN(v) && math.IsNaN(want)) {
					t.Fatalf("%v: element %d of %d is %g, expected %g", l, i-margin, n, v, want)
				}
			}
		}
		restore()
	}
}
