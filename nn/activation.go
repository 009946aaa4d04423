package nn

import (
	"math"

	"github.com/likely-ml/likely/tensor"
)

// ReLU is max(x, 0), with slope 0 at 0.
func ReLU(x *tensor.Node) *tensor.Node {
	return tensor.Max(x, x.Graph().Scalar(x.DType(), 0))
}

// LeakyReLU is x for x > 0 and slope·x elsewhere.
func LeakyReLU(x *tensor.Node, slope float64) *tensor.Node {
	return tensor.Select(tensor.Greater(x, tensor.ZerosLike(x)), x, tensor.MulScalar(x, slope))
}

// ELU is x for x > 0 and e^x − 1 elsewhere (Clevert et al., 2016, eq. 15 with α = 1).
func ELU(x *tensor.Node) *tensor.Node {
	zero := tensor.ZerosLike(x)
	// Expm1 sees no positive x: its overflow there would make the gradient 0·∞.
	return tensor.Select(tensor.Greater(x, zero), x, tensor.Expm1(tensor.Min(x, zero)))
}

// SiLU is x·sigmoid(x).
func SiLU(x *tensor.Node) *tensor.Node { return tensor.Mul(x, tensor.Sigmoid(x)) }

// GELU is x·Φ(x) = ½x(1 + erf(x/√2)).
func GELU(x *tensor.Node) *tensor.Node {
	return tensor.Mul(tensor.MulScalar(x, 0.5), tensor.AddScalar(tensor.Erf(tensor.MulScalar(x, math.Sqrt2/2)), 1))
}

// Noise makes the random numbers of a graph from a key, Uint32[2], that the caller sets anew for each run.
type Noise struct{ Key *tensor.Node }

// Normal is standard normal.
func (n *Noise) Normal(dims ...int) *tensor.Node {
	return tensor.RandomNormal(n.Key, tensor.Float32, dims...)
}

// Uniform is uniform on [0, 1).
func (n *Noise) Uniform(dims ...int) *tensor.Node {
	return tensor.RandomUniform(n.Key, tensor.Float32, dims...)
}

// Dropout sets elements to 0 with probability rate in training and divides the others by 1 − rate, so that the expected
// value stays (Srivastava et al., 2014).
func Dropout(x *tensor.Node, rate float64, mode *Mode) *tensor.Node {
	if !mode.Training || rate == 0 {
		return x
	}
	kept := tensor.GreaterEqual(mode.Noise.Uniform(x.Dims()...), x.Graph().Scalar(tensor.Float32, rate))
	return tensor.Select(kept, tensor.MulScalar(x, 1/(1-rate)), tensor.ZerosLike(x))
}
