package nn

import "github.com/likely-ml/likely/tensor"

// SpectralNorm divides a weight by its greatest singular value σ, so that the layer's Lipschitz constant is 1 (Miyato et
// al., Spectral normalization for generative adversarial networks, 2018, eq. 8). W is the weight as a matrix, a row for
// each output. Each training step is one of the power iteration (their algorithm 1):
//
//	v ← Wᵀu/‖Wᵀu‖,  u ← Wv/‖Wv‖,  σ = uᵀWv,
//
// with u and v constants to the gradient, and u kept from step to step. Outside training u stays. A convolution's W is its
// kernel [kernel·kernel·in, out] transposed, as in the paper, whose σ bounds the layer's up to a constant. A weight must
// not begin as zeros, which have no direction to find.
type SpectralNorm struct {
	Left   *Param // u, [out]
	weight *Param
}

// NewSpectralNorm makes the normalisation of a weight whose last axis is the output.
func NewSpectralNorm(weight *Param) *SpectralNorm {
	return &SpectralNorm{Left: &Param{Dims: weight.Dims[len(weight.Dims)-1:], Init: Normal(1), Fixed: true}, weight: weight}
}

// spectralEpsilon keeps norms and σ from 0.
const spectralEpsilon = 1e-12

// Weight is W/σ, in the weight's shape. In training, mode records the new u.
func (s *SpectralNorm) Weight(g *tensor.Graph, mode *Mode) *tensor.Node {
	w := s.weight.Node(g)
	out := s.Left.Dims[0]
	transposed := tensor.Reshape(w, -1, out)
	constant := tensor.StopGradient(transposed)
	u := mode.value(s.Left, g)
	v := unit(tensor.MatMul(constant, tensor.Reshape(u, out, 1)))
	if mode.Training {
		u = tensor.Reshape(unit(tensor.MatMulT(constant, v, true, false)), out)
		mode.follow(s.Left, u)
	} else {
		u = unit(u)
	}
	sigma := tensor.Sum(tensor.Mul(tensor.MatMulT(v, transposed, true, false), tensor.Reshape(u, 1, out)))
	return tensor.Div(w, tensor.AddScalar(sigma, spectralEpsilon))
}

// unit is x/‖x‖.
func unit(x *tensor.Node) *tensor.Node {
	return tensor.Div(x, tensor.AddScalar(tensor.Sqrt(tensor.Sum(tensor.Square(x))), spectralEpsilon))
}
