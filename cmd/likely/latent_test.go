package main

import (
	"math"
	"testing"
)

// A spherical path of two codes on a circle goes round at an even pace; elsewhere it ends at the codes themselves.
func TestSlerp(t *testing.T) {
	near := func(what string, got []float32, want ...float64) {
		t.Helper()
		for i, v := range got {
			if diff := math.Abs(float64(v) - want[i]); !(diff <= 1e-6) {
				t.Errorf("%s is %v, expected %v", what, got, want)
				return
			}
		}
	}
	a, b := []float32{2, 0, 0}, []float32{0, 2, 0}
	for _, s := range []float64{0, 0.25, 0.5, 1} {
		near("a quarter turn", slerp(a, b, s), 2*math.Cos(s*math.Pi/2), 2*math.Sin(s*math.Pi/2), 0)
	}
	c := []float32{-1, 0.5, 3}
	near("the beginning", slerp(c, b, 0), -1, 0.5, 3)
	near("the end", slerp(c, b, 1), 0, 2, 0)
	// No circle leads through the same, opposite or no directions: a straight line does.
	near("the same direction", slerp(a, []float32{4, 0, 0}, 0.5), 3, 0, 0)
	near("opposite directions", slerp(a, []float32{-2, 0, 0}, 0.25), 1, 0, 0)
	near("no direction", slerp(a, []float32{0, 0, 0}, 0.5), 1, 0, 0)
	near("linear", lerp(a, b, 0.5), 1, 1, 0)
}
