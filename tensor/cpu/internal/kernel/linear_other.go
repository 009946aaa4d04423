//go:build !amd64

package kernel

// There are no routines here.

func linearBlock(h []float64, x []float32, mean, b []float64, from, to int) {
	linearBlockGeneric(h, x, mean, b, from, to)
}

func linearTail(h []float64, x []float32, mean, b []float64, from int) {
	linearBlockGeneric(h, x, mean, b, from, len(mean))
}

func linearGradientBlock(g []float64, x []float32, mean, r []float64) {
	linearGradientGeneric(g, x, mean, r)
}
