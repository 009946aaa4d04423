package generative

import (
	"errors"
	"fmt"
	"math"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// A normalising flow is a differentiable bijection f from x to z, where z ~ N(0, I):
//
//	log p(x) = log N(f(x); 0, I) + log |det ∂f/∂x|
//
// Its layers are couplings (Dinh, Sohl-Dickstein and Bengio, Density estimation using Real NVP, 2017, section 3): a part a
// of x stays and decides, by any network, how each element of the other part b is moved:
//
//	a ← a,  b_j ← g(b_j; network(a)_j)
//
// The Jacobian is triangular, so that its log-determinant is Σ_j log g′(b_j; ·), and undoing g undoes the coupling.

// elementwise is the map g of a coupling, increasing in each element.
type elementwise interface {
	// width is how many parameters an element takes.
	width() int
	// forward is y = g(x) and log g′(x) of each element of x [..., m], under parameters [..., m·width].
	forward(x, params *tensor.Node) (y, logSlope *tensor.Node)
	// inverse is x = g⁻¹(y).
	inverse(y, params *tensor.Node) *tensor.Node
}

// affine is g(x) = x·e^s + t (their equation 4). The parameters are m raw s and m t.
type affine struct{}

// mostLogScale bounds |s|: a slope that may run away in a step makes a training diverge, and an inverse inaccurate.
const mostLogScale = 2

func (affine) width() int { return 2 }

func (g affine) forward(x, params *tensor.Node) (y, logSlope *tensor.Node) {
	s, t := g.split(params)
	return tensor.Add(tensor.Mul(x, tensor.Exp(s)), t), s
}

func (g affine) inverse(y, params *tensor.Node) *tensor.Node {
	s, t := g.split(params)
	return tensor.Mul(tensor.Sub(y, t), tensor.Exp(tensor.Neg(s)))
}

func (affine) split(params *tensor.Node) (s, t *tensor.Node) {
	axis := params.Shape().Rank() - 1
	m := params.Dims()[axis] / 2
	raw := tensor.SliceAxis(params, axis, 0, m)
	s = tensor.MulScalar(tensor.Tanh(tensor.MulScalar(raw, 1.0/mostLogScale)), mostLogScale)
	return s, tensor.SliceAxis(params, axis, m, 2*m)
}

// flowLogProb sets dst[i] to log N(z_i; 0, I) + logDet_i + constant in nats, where z is (n, len(z)/n). The sum is one of
// float64: the square of a far outlier is too large for a float32.
func flowLogProb[T float32 | float64](dst []float64, z []float32, logDet []T, constant float64) error {
	p := len(z) / max(1, len(dst))
	constant -= float64(p) / 2 * math.Log(2*math.Pi)
	for i := range dst {
		squares := 0.0
		for _, v := range z[i*p : (i+1)*p] {
			squares += float64(v) * float64(v)
		}
		if dst[i] = float64(logDet[i]) + constant - squares/2; math.IsNaN(dst[i]) {
			return &data.ExampleError{Index: i, Err: errors.New("log p(x) is not a number, expected one; the model or x has values beyond all bounds")}
		}
	}
	return nil
}

// negativeLogLikelihood is the mean over the batch of −log N(z; 0, I) − logDet − constant, in nats: z (n, p), logDet (n).
func negativeLogLikelihood(z, logDet *tensor.Node, constant float64) *tensor.Node {
	logDet = tensor.AddScalar(logDet, constant-float64(z.Dims()[1])/2*math.Log(2*math.Pi))
	return tensor.Mean(tensor.Sub(tensor.MulScalar(tensor.Sum(tensor.Square(z), 1), 0.5), logDet))
}

// finiteVars reads the arrays of parameters from a model file, and reports a number that is not one as damage.
func finiteVars(params nn.Params, f *model.File) (tensor.Vars, error) {
	vars, err := train.Vars(params, f)
	if err != nil {
		return nil, err
	}
	for _, p := range params {
		for i, v := range vars[p.Name].F32 {
			if v-v != 0 {
				return nil, fmt.Errorf("%w: element %d of %q is %v, expected a finite number", model.ErrDamaged, i, p.Name, v)
			}
		}
	}
	return vars, nil
}
