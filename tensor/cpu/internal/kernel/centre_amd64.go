package kernel

// centreVectors centres the first elements by the routine of the active level and returns how many.
func centreVectors(dst []float64, x []float32, mean []float64) int {
	routine, block := centre512, 16
	switch Active() {
	case AVX2:
		routine, block = centre256, 8
	case Generic:
		return 0
	}
	n := len(dst) / block * block
	if n > 0 {
		routine(&dst[0], &x[0], &mean[0], n)
	}
	return n
}
