package reference

import (
	"math"

	"github.com/likely-ml/likely/tensor"
)

// unary applies f to each element.
func unary(f func(x float64) float64) rule {
	return func(_ *tensor.Node, in [][]float64) []float64 {
		out := make([]float64, len(in[0]))
		for i, x := range in[0] {
			out[i] = f(x)
		}
		return out
	}
}

// binary applies f to each pair of elements.
func binary(f func(a, b float64) float64) rule {
	return func(_ *tensor.Node, in [][]float64) []float64 {
		out := make([]float64, len(in[0]))
		for i := range out {
			out[i] = f(in[0][i], in[1][i])
		}
		return out
	}
}

// arithmetic applies one function to floats and another to integers, whose result wraps around. A product of two 32-bit
// integers need not be a float64, which is why there are two.
func arithmetic(floats func(a, b float64) float64, integers func(a, b int64) int64) rule {
	return func(n *tensor.Node, in [][]float64) []float64 {
		d := n.DType()
		if d.IsFloat() {
			return binary(floats)(n, in)
		}
		return binary(func(a, b float64) float64 { return wrap(d, integers(int64(a), int64(b))) })(n, in)
	}
}

// wrap reduces v to the range of an integer type by dropping its high bits.
func wrap(d tensor.DType, v int64) float64 {
	if d == tensor.Int32 {
		return float64(int32(v))
	}
	return float64(uint32(v))
}

func addFloats(a, b float64) float64 { return a + b }

func addIntegers(a, b int64) int64 { return a + b }

func divideIntegers(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func neg(n *tensor.Node, in [][]float64) []float64 {
	if n.DType() == tensor.Int32 {
		return unary(func(x float64) float64 { return wrap(tensor.Int32, -int64(x)) })(n, in)
	}
	return unary(func(x float64) float64 { return -x })(n, in)
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	case x == 0:
		return 0
	}
	return math.NaN()
}

// sigmoid is 1/(1+e^−x), in the form whose exponential cannot overflow.
func sigmoid(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// softplus is log(1+e^x) = max(x, 0) + log(1+e^−|x|).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// truth is 1 for true.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// convert truncates floats to integers, wraps integers into each other and makes everything but 0 true. Float64 to
// Float32 does not round: see the package comment.
func convert(n *tensor.Node, in [][]float64) []float64 {
	switch d := n.DType(); d {
	case tensor.Int32, tensor.Uint32:
		return unary(func(x float64) float64 { return wrap(d, int64(x)) })(n, in)
	case tensor.Bool:
		return unary(func(x float64) float64 { return truth(x != 0) })(n, in)
	}
	return unary(func(x float64) float64 { return x })(n, in)
}

func selectRule(_ *tensor.Node, in [][]float64) []float64 {
	out := make([]float64, len(in[0]))
	for i, cond := range in[0] {
		if cond != 0 {
			out[i] = in[1][i]
		} else {
			out[i] = in[2][i]
		}
	}
	return out
}
