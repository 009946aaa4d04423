//go:build !amd64

package kernel

func kernels32() *kernels[float32] { return &generic32 }
func kernels64() *kernels[float64] { return &generic64 }
