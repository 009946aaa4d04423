package kernel

import (
	"testing"
	"time"
)

// TestPeakFLOPS: the rates are those of a processor, and assembly beats plain Go.
func TestPeakFLOPS(t *testing.T) {
	var rates []float64
	for _, l := range levels() {
		restore := Use(l)
		start := time.Now()
		rate := PeakFLOPS(10 * time.Millisecond)
		if took := time.Since(start); took < 10*time.Millisecond {
			t.Errorf("%v: measured for %v", l, took)
		}
		restore()
		t.Logf("%v: %.1f GFLOP/s", l, rate*1e-9)
		if !(rate > 1e7 && rate < 1e12) { // from an emulator to 5 GHz with four FMA units
			t.Errorf("%v: %g a second", l, rate)
		}
		rates = append(rates, rate)
	}
	if n := len(rates); n > 1 && !(rates[n-1] > rates[0]) {
		t.Errorf("plain Go does %g a second, assembly %g", rates[0], rates[n-1])
	}
}
