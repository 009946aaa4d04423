package tensor

import (
	"math"
	"slices"
)

// Gradient is the derivative of a scalar y by each of xs, as new nodes of the same graph. Where y does not depend on an
// x, it is zeros.
func Gradient(y *Node, xs ...*Node) []*Node {
	if y.shape.Rank() != 0 {
		fail("gradient: needs a scalar, got %v", y.shape)
	}
	return Pullback(y, OnesLike(y), xs...)
}

// Pullback is the product of a cotangent (in the shape of y) with the Jacobian of y by each of xs: reverse-mode
// differentiation of one step. Where y does not depend on an x, it is zeros.
func Pullback(y, cotangent *Node, xs ...*Node) []*Node {
	if !y.shape.Equal(cotangent.shape) || !y.DType().IsFloat() {
		fail("gradient: y is %v, its cotangent %v", y.shape, cotangent.shape)
	}
	g := y.graph
	g.checkOwn("gradient", cotangent)
	g.checkOwn("gradient", xs...)
	// A node matters if it depends on some x by a differentiable path.
	matters := make([]bool, y.id+1)
	for _, x := range xs {
		if !x.DType().IsFloat() {
			fail("gradient: %v is not a float", x)
		}
		if x.id <= y.id {
			matters[x.id] = true
		}
	}
	for i, n := range g.nodes[:y.id+1] {
		if n.op == OpStopGradient || !n.DType().IsFloat() {
			continue
		}
		for _, in := range n.in {
			matters[i] = matters[i] || matters[in.id]
		}
	}
	cotangents := make([]*Node, y.id+1)
	cotangents[y.id] = cotangent
	for i := y.id; i >= 0; i-- {
		n, c := g.nodes[i], cotangents[i]
		if c == nil || !matters[i] || n.op == OpStopGradient {
			continue
		}
		for j, in := range n.in {
			if !matters[in.id] || !in.DType().IsFloat() {
				continue
			}
			d := derivative(n, j, c)
			if d == nil {
				continue
			}
			if old := cotangents[in.id]; old != nil {
				d = Add(old, d)
			}
			cotangents[in.id] = d
		}
	}
	out := make([]*Node, len(xs))
	for i, x := range xs {
		if x.id <= y.id && cotangents[x.id] != nil {
			out[i] = cotangents[x.id]
		} else {
			out[i] = ZerosLike(x)
		}
	}
	return out
}

// derivative is the cotangent c of n carried to its operand j; nil where the derivative is 0 everywhere.
func derivative(n *Node, j int, c *Node) *Node {
	x := n.in[0]
	switch n.op {
	case OpSign, OpFloor, OpRound:
		return nil
	case OpNeg:
		return Neg(c)
	case OpAbs:
		return Mul(c, Sign(x))
	case OpExp:
		return Mul(c, n)
	case OpExpm1:
		return Mul(c, AddScalar(n, 1))
	case OpLog:
		return Div(c, x)
	case OpLog1p:
		return Div(c, AddScalar(x, 1))
	case OpTanh:
		return Mul(c, Sub(OnesLike(n), Square(n)))
	case OpSigmoid:
		return Mul(c, Mul(n, Sub(OnesLike(n), n)))
	case OpSoftplus:
		return Mul(c, Sigmoid(x))
	case OpErf:
		return Mul(c, MulScalar(Exp(Neg(Square(x))), 2/math.Sqrt(math.Pi)))
	case OpSqrt:
		return Div(MulScalar(c, 0.5), n)
	case OpRsqrt: // d x^(−1/2) = −½ x^(−3/2)
		return Mul(c, MulScalar(Div(n, x), -0.5))
	case OpSin:
		return Mul(c, Cos(x))
	case OpCos:
		return Neg(Mul(c, Sin(x)))
	case OpConvert:
		return Convert(c, x.DType())

	case OpAdd:
		return c
	case OpSub:
		if j == 1 {
			return Neg(c)
		}
		return c
	case OpMul:
		return Mul(c, n.in[1-j])
	case OpDiv:
		if j == 1 {
			return Neg(Div(Mul(c, n), n.in[1]))
		}
		return Div(c, n.in[1])
	case OpPow:
		return derivativeOfPow(n, j, c)
	case OpMin: // min(a,b) < b exactly where a < b, and the result, unlike a, is at hand anyway
		return toChosen(Less(n, n.in[1]), j, c)
	case OpMax:
		return toChosen(Greater(n, n.in[1]), j, c)
	case OpSelect:
		return toChosen(n.in[0], j-1, c)

	case OpBroadcast:
		var axes []int
		for i, e := range x.shape.Dims {
			if e != n.shape.Dims[i] {
				axes = append(axes, i)
			}
		}
		return SumKeep(c, axes...)
	case OpReshape:
		return Reshape(c, x.shape.Dims...)
	case OpTranspose:
		perm := n.attr.([]int)
		inverse := make([]int, len(perm))
		for i, p := range perm {
			inverse[p] = i
		}
		return Transpose(c, inverse...)
	case OpSlice:
		return derivativeOfSlice(n, c)
	case OpDynamicSlice:
		return DynamicUpdate(ZerosLike(x), c, n.in[1])
	case OpDynamicUpdate:
		if j == 1 {
			return DynamicSlice(c, n.in[2], n.in[1].shape.Dims...)
		}
		return DynamicUpdate(c, ZerosLike(n.in[1]), n.in[2])
	case OpPad: // undo low and high, then skip the interior
		s := n.attr.(PadSpec)
		r := len(s.Low)
		low, high, stride := make([]int, r), make([]int, r), make([]int, r)
		for i := range r {
			low[i], high[i], stride[i] = -s.Low[i], -s.High[i], s.Interior[i]+1
		}
		c = Pad(c, 0, low, high, make([]int, r))
		return Slice(c, make([]int, r), c.shape.Dims, stride)
	case OpConcat:
		axis := n.attr.(int)
		start := 0
		for _, in := range n.in[:j] {
			start += in.shape.Dims[axis]
		}
		return SliceAxis(c, axis, start, start+n.in[j].shape.Dims[axis])
	case OpReverse:
		return Reverse(c, n.attr.([]int)...)

	case OpReduceSum:
		return BroadcastTo(keepDims(c, x, n.attr.([]int)), x.shape.Dims...)
	case OpReduceMax: // equal maxima share the gradient
		axes := n.attr.([]int)
		top := Convert(Equal(x, BroadcastTo(keepDims(n, x, axes), x.shape.Dims...)), x.DType())
		return Mul(top, Div(keepDims(c, x, axes), SumKeep(top, axes...)))
	case OpCumSum:
		s := n.attr.(CumSumSpec)
		return CumSum(c, s.Axis, !s.Reverse)

	case OpMatMul:
		return derivativeOfMatMul(n, j, c)
	case OpConvY:
		g := n.attr.(ConvGeometry)
		if j == 0 {
			return ConvX(g, n.in[1], c)
		}
		return ConvW(g, n.in[0], c)
	case OpConvX:
		g := n.attr.(ConvGeometry)
		if j == 0 {
			return ConvW(g, c, n.in[1])
		}
		return ConvY(g, c, n.in[0])
	case OpConvW:
		g := n.attr.(ConvGeometry)
		if j == 0 {
			return ConvX(g, c, n.in[1])
		}
		return ConvY(g, n.in[0], c)
	case OpSumPool:
		return SumUnpool(n.attr.(PoolWindow), c)
	case OpSumUnpool:
		return SumPool(n.attr.(PoolWindow), c)
	case OpGather:
		return ScatterAdd(c, n.in[1], x.shape.Dims[1])
	case OpScatterAdd:
		return Gather(c, n.in[1])
	case OpComposite:
		return derivativeOfComposite(n, j, c)
	}
	panic("tensor: no derivative for " + n.op.String())
}

// toChosen sends c to operand 0 where first holds, to operand 1 elsewhere.
func toChosen(first *Node, j int, c *Node) *Node {
	if j == 0 {
		return Select(first, c, ZerosLike(c))
	}
	return Select(first, ZerosLike(c), c)
}

// derivativeOfPow: ∂a^b/∂a = b a^(b−1), which is taken as 0 at a = b = 0; ∂a^b/∂b = a^b log a, which is taken as 0 at
// a = 0. The operands that would give ±Inf there are replaced before they are used, not only their result, so that the
// derivatives of these derivatives are finite too.
func derivativeOfPow(n *Node, j int, c *Node) *Node {
	a, b := n.in[0], n.in[1]
	zero := Equal(a, ZerosLike(a))
	if j == 0 {
		zero = And(zero, Equal(b, ZerosLike(b)))
		b = Select(zero, OnesLike(b), b)
		return Select(zero, ZerosLike(c), Mul(c, Mul(b, Pow(a, AddScalar(b, -1)))))
	}
	return Select(zero, ZerosLike(c), Mul(c, Mul(n, Log(Select(zero, OnesLike(a), a)))))
}

func derivativeOfSlice(n, c *Node) *Node {
	x, s := n.in[0], n.attr.(SliceSpec)
	r := len(s.Start)
	high, interior := make([]int, r), make([]int, r)
	for i := range r {
		interior[i] = s.Stride[i] - 1
		e := n.shape.Dims[i]
		high[i] = x.shape.Dims[i] - s.Start[i] - e - max(e-1, 0)*interior[i]
	}
	return Pad(c, 0, slices.Clone(s.Start), high, interior)
}

// derivativeOfMatMul: for C = A·B, dA = dC·Bᵀ and dB = Aᵀ·dC; a transposed operand gets the transposed product.
func derivativeOfMatMul(n *Node, j int, c *Node) *Node {
	a, b, s := n.in[0], n.in[1], n.attr.(MatMulSpec)
	switch {
	case j == 0 && !s.TransA:
		return MatMulT(c, b, false, !s.TransB)
	case j == 0:
		return MatMulT(b, c, s.TransB, true)
	case !s.TransB:
		return MatMulT(a, c, !s.TransA, false)
	default:
		return MatMulT(c, a, true, s.TransA)
	}
}
