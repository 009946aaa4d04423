package gonumblas

import "github.com/likely-ml/likely/tensor/cpu/internal/kernel"

// Linear functions of centred data that is kept in float32, computed in float64. They are no part of BLAS, whose matrices are of one
// type: to convert the data first would take more time than to multiply it.

// LinearFunctions adds Σ_j (x[i,j] − mean[j])·b[f,j] to h[i,f]. x is [rows, p], b [functions, p] and h [rows, functions], row-major,
// with p = len(mean). It panics if lengths do not fit.
func LinearFunctions(h []float64, x []float32, mean, b []float64) {
	kernel.LinearFunctions(h, x, mean, b)
}

// LinearGradient adds Σ_i r[i,f]·(x[i,j] − mean[j]) to g[f,j]. r is [rows, functions] and g [functions, p]; the rest is as for
// [LinearFunctions].
func LinearGradient(g []float64, x []float32, mean, r []float64) {
	kernel.LinearGradient(g, x, mean, r)
}
