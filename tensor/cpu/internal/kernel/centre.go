package kernel

// Centre sets dst[i] = x[i] - mean[i], where float32 x becomes float64 exactly: what a sum over data in float32 is made of in
// float64. The lengths must be equal.
func Centre(dst []float64, x []float32, mean []float64) {
	if len(x) != len(dst) || len(mean) != len(dst) {
		panic("kernel: Centre of slices of different length")
	}
	whole := centreVectors(dst, x, mean)
	dst, x, mean = dst[whole:], x[whole:], mean[whole:]
	for i := range dst {
		dst[i] = float64(x[i]) - mean[i]
	}
}
