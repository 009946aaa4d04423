//go:build !amd64

package kernel

func filters32() *[len(filters)]filterKernels[float32] { return &genericFilters32 }
func filters64() *[len(filters)]filterKernels[float64] { return &genericFilters64 }
