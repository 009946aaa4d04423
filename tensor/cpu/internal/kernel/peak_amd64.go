package kernel

// peakSlice returns a slice of the measurement at the active level, and its additions and multiplications.
func peakSlice() (slice func(), flops float64) {
	const chains = 12 // of the assembly
	switch Active() {
	case AVX512:
		return func() { peak512(&peakHalf, peakSteps) }, 2 * 16 * chains * peakSteps
	case AVX2:
		return func() { peak256(&peakHalf, peakSteps) }, 2 * 8 * chains * peakSteps
	}
	return peakScalar, peakScalarFlops
}
