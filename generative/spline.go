package generative

import (
	"math"

	"github.com/likely-ml/likely/tensor"
)

// spline is a monotone rational-quadratic spline on [−tail, tail] and the identity outside (Durkan, Bekasov, Murray and
// Papamakarios, Neural spline flows, 2019, section 3.1). In the bin that has x, from the knot (x_k, y_k) with slope d_k to the
// knot (x_k + w, y_k + h) with slope d_{k+1}, where ξ = (x − x_k)/w and δ = h/w,
//
//	g(x)  = y_k + h (δξ² + d_k ξ(1−ξ)) / (δ + (d_k + d_{k+1} − 2δ) ξ(1−ξ))                                  (equation 4)
//	g′(x) = δ² (d_{k+1}ξ² + 2δξ(1−ξ) + d_k(1−ξ)²) / (δ + (d_k + d_{k+1} − 2δ) ξ(1−ξ))²                       (equation 5)
//
// The 3·bins − 1 parameters of an element are the logits of the widths, those of the heights, and what softplus makes the
// slopes at the inner knots of; the slopes at both ends are 1, that of the tails. Zeros give the identity.
type spline struct {
	bins int
	tail float64
}

// What a width or height, as a share of the whole, and a slope are at least (the authors' program has these too): a
// flatter bin could not be inverted.
const (
	leastBin   = 1e-3
	leastSlope = 1e-3
)

func (g spline) width() int { return 3*g.bins - 1 }

// knots are those of each element: arrays [..., m, bins].
type knots struct {
	x, w, y, h  *tensor.Node // left lower corner, width and height of each bin
	left, right *tensor.Node // slopes at its ends
}

// knots turns parameters [..., m·width] into those of m splines.
func (g spline) knots(params *tensor.Node) knots {
	dims := params.Dims()
	last := len(dims)
	params = tensor.Reshape(params, append(append([]int{}, dims[:last-1]...), dims[last-1]/g.width(), g.width())...)
	part := func(from, to int) *tensor.Node { return tensor.SliceAxis(params, last, from, to) }
	sizes := func(logits *tensor.Node) (corner, size *tensor.Node) {
		share := tensor.Exp(tensor.LogSoftmax(logits))
		size = tensor.AddScalar(tensor.MulScalar(share, 2*g.tail*(1-float64(g.bins)*leastBin)), 2*g.tail*leastBin)
		corner = tensor.AddScalar(tensor.Sub(tensor.CumSum(size, last, false), size), -g.tail)
		return corner, size
	}
	var k knots
	k.x, k.w = sizes(part(0, g.bins))
	k.y, k.h = sizes(part(g.bins, 2*g.bins))
	one := math.Log(math.Expm1(1 - leastSlope)) // where softplus makes the slope 1
	inner := tensor.AddScalar(tensor.Softplus(tensor.AddScalar(part(2*g.bins, g.width()), one)), leastSlope)
	end := tensor.OnesLike(tensor.SliceAxis(params, last, 0, 1))
	k.left, k.right = tensor.Concat(last, end, inner), tensor.Concat(last, inner, end)
	return k
}

// bin picks of arrays [..., m, bins] what belongs to the bin of v [..., m], given the lower ends of the bins. A v on the edge
// of two belongs to the upper one; rounding cannot leave a v without a bin, or give it two.
func (g spline) bin(v, lower *tensor.Node) func(of *tensor.Node) *tensor.Node {
	last := v.Shape().Rank()
	v = tensor.Reshape(v, append(append([]int{}, v.Dims()...), 1)...)
	inner := tensor.SliceAxis(lower, last, 1, g.bins)
	above := tensor.Convert(tensor.GreaterEqual(tensor.BroadcastTo(v, inner.Dims()...), inner), v.DType()) // 1 … 1 0 … 0
	own := tensor.Sub(tensor.Concat(last, tensor.OnesLike(v), above), tensor.Concat(last, above, tensor.ZerosLike(v)))
	return func(of *tensor.Node) *tensor.Node { return tensor.Sum(tensor.Mul(own, of), last) }
}

// inside is v limited to the spline's interval, and whether v lies there.
func (g spline) inside(v *tensor.Node) (limited, is *tensor.Node) {
	edge := v.Graph().Scalar(v.DType(), g.tail)
	return tensor.Clamp(v, -g.tail, g.tail), tensor.Less(tensor.Abs(v), edge)
}

func (g spline) forward(x, params *tensor.Node) (y, logSlope *tensor.Node) {
	k := g.knots(params)
	v, inside := g.inside(x)
	own := g.bin(v, k.x)
	w, h, left, right := own(k.w), own(k.h), own(k.left), own(k.right)
	xi := tensor.Div(tensor.Sub(v, own(k.x)), w)
	rest := tensor.AddScalar(tensor.Neg(xi), 1)
	mixed, square := tensor.Mul(xi, rest), tensor.Square(xi)
	delta := tensor.Div(h, w)
	bend := tensor.Sub(tensor.Add(left, right), tensor.MulScalar(delta, 2))
	denominator := tensor.Add(delta, tensor.Mul(bend, mixed))
	numerator := tensor.Add(tensor.Mul(delta, square), tensor.Mul(left, mixed))
	y = tensor.Add(own(k.y), tensor.Div(tensor.Mul(h, numerator), denominator))
	slope := tensor.Add(tensor.Add(tensor.Mul(right, square), tensor.MulScalar(tensor.Mul(delta, mixed), 2)), tensor.Mul(left, tensor.Square(rest)))
	logSlope = tensor.Sub(tensor.Log(tensor.Mul(tensor.Square(delta), slope)), tensor.MulScalar(tensor.Log(denominator), 2))
	return tensor.Select(inside, y, x), tensor.Select(inside, logSlope, tensor.ZerosLike(x))
}

// inverse solves the quadratic equation aξ² + bξ + c = 0 that equation 4 is, by the root that lies in [0, 1] (equations 6 to 8).
// Of the two ways to write it, the paper's loses its digits where b < 0; there a > −b, and the other one serves.
func (g spline) inverse(y, params *tensor.Node) *tensor.Node {
	k := g.knots(params)
	v, inside := g.inside(y)
	own := g.bin(v, k.y)
	w, h, left, right := own(k.w), own(k.h), own(k.left), own(k.right)
	up := tensor.Sub(v, own(k.y))
	delta := tensor.Div(h, w)
	bend := tensor.Sub(tensor.Add(left, right), tensor.MulScalar(delta, 2))
	a := tensor.Add(tensor.Mul(h, tensor.Sub(delta, left)), tensor.Mul(up, bend))
	b := tensor.Sub(tensor.Mul(h, left), tensor.Mul(up, bend))
	c := tensor.Neg(tensor.Mul(delta, up))
	discriminant := tensor.Sub(tensor.Square(b), tensor.MulScalar(tensor.Mul(a, c), 4))
	root := tensor.Sqrt(tensor.Max(discriminant, tensor.ZerosLike(y)))
	negative := tensor.Less(b, tensor.ZerosLike(b))
	xi := tensor.Div(
		tensor.Select(negative, tensor.Sub(root, b), tensor.MulScalar(c, -2)),
		tensor.Select(negative, tensor.MulScalar(a, 2), tensor.Add(b, root)))
	x := tensor.Add(own(k.x), tensor.Mul(xi, w))
	return tensor.Select(inside, x, y)
}
