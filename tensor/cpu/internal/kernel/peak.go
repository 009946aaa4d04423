package kernel

import "time"

// PeakFLOPS measures, for about d, how many float32 additions and multiplications a second one core can do at the
// active level: fused multiply-adds of registers, in chains that do not wait for each other. It is the best of many
// short slices, so that other work on the machine does not lower it. A matrix product comes near it and cannot exceed
// it. In plain Go it is the rate of products and sums of scalars.
func PeakFLOPS(d time.Duration) float64 {
	slice, flops := peakSlice()
	var best float64
	for start := time.Now(); ; {
		before := time.Now()
		slice()
		now := time.Now()
		best = max(best, flops/now.Sub(before).Seconds())
		if now.Sub(start) >= d {
			return best
		}
	}
}

// peakSteps are the steps of each chain in a slice, which takes 20 to 100 µs.
const peakSteps = 20_000

const peakScalarFlops = 2 * 8 * peakSteps

// peakScalar is a slice in plain Go: 8 chains of x = x·½ + ½.
func peakScalar() {
	half := peakHalf
	x0, x1, x2, x3, x4, x5, x6, x7 := half, half, half, half, half, half, half, half
	for range peakSteps {
		x0, x1, x2, x3 = x0*half+half, x1*half+half, x2*half+half, x3*half+half
		x4, x5, x6, x7 = x4*half+half, x5*half+half, x6*half+half, x7*half+half
	}
	if x0+x1+x2+x3+x4+x5+x6+x7 != 8 { // which also makes the compiler do the work
		panic("kernel: 1·½ + ½ is not 1")
	}
}

var peakHalf float32 = 0.5 // no constant, lest the compiler compute
