package gonumblas

import "github.com/likely-ml/likely/tensor/cpu/internal/kernel"

// Centre sets dst[i] = x[i] - mean[i], where float32 x becomes float64 exactly. It is no part of BLAS, but what comes before it
// where float64 sums go over data kept in float32. The lengths must be equal.
func Centre(dst []float64, x []float32, mean []float64) { kernel.Centre(dst, x, mean) }
