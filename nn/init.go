package nn

import (
	"math"
	"math/rand/v2"
)

// Init fills a new parameter. The fans are how many terms each output sums and each input feeds.
type Init func(dst []float32, fanIn, fanOut int, r *rand.Rand)

// Constant is the same value everywhere.
func Constant(v float32) Init {
	return func(dst []float32, _, _ int, _ *rand.Rand) {
		for i := range dst {
			dst[i] = v
		}
	}
}

// Zeros is [Constant] 0.
func Zeros(dst []float32, _, _ int, _ *rand.Rand) { clear(dst) }

// Ones is [Constant] 1.
func Ones(dst []float32, fanIn, fanOut int, r *rand.Rand) { Constant(1)(dst, fanIn, fanOut, r) }

// Normal has mean 0 and a given standard deviation.
func Normal(sd float64) Init {
	return func(dst []float32, _, _ int, r *rand.Rand) {
		for i := range dst {
			dst[i] = float32(sd * r.NormFloat64())
		}
	}
}

// HeNormal has variance 2/fanIn, which keeps the scale of activations through layers with ReLU (He et al., Delving deep
// into rectifiers, 2015, eq. 10).
func HeNormal(dst []float32, fanIn, fanOut int, r *rand.Rand) {
	Normal(math.Sqrt(2/float64(max(fanIn, 1))))(dst, fanIn, fanOut, r)
}

// HeUniform is uniform on ±√(6/fanIn), which has the variance of [HeNormal].
func HeUniform(dst []float32, fanIn, _ int, r *rand.Rand) {
	uniform(dst, math.Sqrt(6/float64(max(fanIn, 1))), r)
}

// LeCunNormal has variance 1/fanIn.
func LeCunNormal(dst []float32, fanIn, fanOut int, r *rand.Rand) {
	Normal(math.Sqrt(1/float64(max(fanIn, 1))))(dst, fanIn, fanOut, r)
}

// GlorotUniform is uniform on ±√(6/(fanIn+fanOut)) (Glorot and Bengio, 2010, eq. 16).
func GlorotUniform(dst []float32, fanIn, fanOut int, r *rand.Rand) {
	uniform(dst, math.Sqrt(6/float64(max(fanIn+fanOut, 1))), r)
}

// uniform draws from ±limit.
func uniform(dst []float32, limit float64, r *rand.Rand) {
	for i := range dst {
		dst[i] = float32(limit * (2*r.Float64() - 1))
	}
}
