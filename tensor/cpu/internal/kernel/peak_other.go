//go:build !amd64

package kernel

// peakSlice returns a slice of the measurement, and its additions and multiplications.
func peakSlice() (slice func(), flops float64) { return peakScalar, peakScalarFlops }
