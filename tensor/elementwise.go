package tensor

func unary(op Op, x *Node) *Node {
	if !x.shape.DType.IsFloat() {
		fail("%s: needs a float operand, got %v", op, x.shape)
	}
	return x.graph.add(op, x.shape, nil, x)
}

// Neg is −x.
func Neg(x *Node) *Node {
	if x.DType() == Bool || x.DType() == Uint32 {
		fail("neg: %v has no sign", x.shape)
	}
	return x.graph.add(OpNeg, x.shape, nil, x)
}

// Abs is |x|. Its derivative at 0 is taken as 0.
func Abs(x *Node) *Node { return unary(OpAbs, x) }

// Sign is −1, 0 or 1; NaN for NaN.
func Sign(x *Node) *Node { return unary(OpSign, x) }

// Exp is e^x.
func Exp(x *Node) *Node { return unary(OpExp, x) }

// Expm1 is e^x − 1, accurate near 0.
func Expm1(x *Node) *Node { return unary(OpExpm1, x) }

// Log is the natural logarithm.
func Log(x *Node) *Node { return unary(OpLog, x) }

// Log1p is log(1+x), accurate near 0.
func Log1p(x *Node) *Node { return unary(OpLog1p, x) }

// Tanh is the hyperbolic tangent.
func Tanh(x *Node) *Node { return unary(OpTanh, x) }

// Sigmoid is 1/(1+e^−x).
func Sigmoid(x *Node) *Node { return unary(OpSigmoid, x) }

// Softplus is log(1+e^x), without overflow.
func Softplus(x *Node) *Node { return unary(OpSoftplus, x) }

// Erf is the error function, 2/√π ∫₀ˣ exp(−t²) dt.
func Erf(x *Node) *Node { return unary(OpErf, x) }

// Sqrt is the square root.
func Sqrt(x *Node) *Node { return unary(OpSqrt, x) }

// Rsqrt is 1/√x.
func Rsqrt(x *Node) *Node { return unary(OpRsqrt, x) }

// Sin is the sine of x radians.
func Sin(x *Node) *Node { return unary(OpSin, x) }

// Cos is the cosine of x radians.
func Cos(x *Node) *Node { return unary(OpCos, x) }

// Floor is the greatest integer not above x. Its derivative is 0.
func Floor(x *Node) *Node { return unary(OpFloor, x) }

// Round is the nearest integer, halves to even. Its derivative is 0.
func Round(x *Node) *Node { return unary(OpRound, x) }

// StopGradient is x, but a constant to [Gradient].
func StopGradient(x *Node) *Node { return x.graph.add(OpStopGradient, x.shape, nil, x) }

// IsFinite tells, as Bool, what is neither infinite nor NaN.
func IsFinite(x *Node) *Node {
	if !x.DType().IsFloat() {
		fail("is_finite: needs a float operand, got %v", x.shape)
	}
	return x.graph.add(OpIsFinite, Shape{Bool, x.shape.Dims}, nil, x)
}

// Not is logical negation.
func Not(x *Node) *Node {
	if x.DType() != Bool {
		fail("not: needs bool, got %v", x.shape)
	}
	return x.graph.add(OpNot, x.shape, nil, x)
}

// Convert changes the element type. Floats become integers by truncation towards 0 (out of range is undefined), bools 0
// or 1; anything but 0 becomes true.
func Convert(x *Node, d DType) *Node {
	if x.DType() == d {
		return x
	}
	return x.graph.add(OpConvert, Shape{d, x.shape.Dims}, nil, x)
}

func binary(op Op, a, b *Node) *Node {
	if a.DType() != b.DType() {
		fail("%s: the operands are %v and %v, their types must agree", op, a.shape, b.shape)
	}
	a, b = broadcastTogether(op, a, b)
	return a.graph.add(op, a.shape, nil, a, b)
}

func arithmetic(op Op, a, b *Node) *Node {
	if a.DType() == Bool {
		fail("%s: needs numbers, got %v", op, a.shape)
	}
	return binary(op, a, b)
}

func comparison(op Op, a, b *Node) *Node {
	if a.DType() != b.DType() {
		fail("%s: the operands are %v and %v, their types must agree", op, a.shape, b.shape)
	}
	a, b = broadcastTogether(op, a, b)
	return a.graph.add(op, Shape{Bool, a.shape.Dims}, nil, a, b)
}

func logical(op Op, a, b *Node) *Node {
	if a.DType() != Bool {
		fail("%s: needs bool, got %v", op, a.shape)
	}
	return binary(op, a, b)
}

// Add is a + b. Here and below, operands of different shapes are broadcast: shapes are aligned at their last axis, and
// an axis of extent 1 (or none) repeats.
func Add(a, b *Node) *Node { return arithmetic(OpAdd, a, b) }

// Sub is a − b.
func Sub(a, b *Node) *Node { return arithmetic(OpSub, a, b) }

// Mul is a · b, element by element.
func Mul(a, b *Node) *Node { return arithmetic(OpMul, a, b) }

// Div is a / b. Integer division truncates; by zero it gives 0.
func Div(a, b *Node) *Node { return arithmetic(OpDiv, a, b) }

// Pow is a^b for floats, with the special cases of C99.
func Pow(a, b *Node) *Node {
	if !a.DType().IsFloat() {
		fail("pow: needs floats, got %v", a.shape)
	}
	return binary(OpPow, a, b)
}

// Min is the smaller; NaN if either is. The gradient of equal operands goes to b.
func Min(a, b *Node) *Node { return arithmetic(OpMin, a, b) }

// Max is the greater; NaN if either is. The gradient of equal operands goes to b, so that Max(x, 0) has slope 0 at 0.
func Max(a, b *Node) *Node { return arithmetic(OpMax, a, b) }

// Equal compares element by element. NaN equals nothing.
func Equal(a, b *Node) *Node { return comparison(OpEqual, a, b) }

// NotEqual is the negation of [Equal].
func NotEqual(a, b *Node) *Node { return comparison(OpNotEqual, a, b) }

// Less is a < b.
func Less(a, b *Node) *Node { return comparison(OpLess, a, b) }

// LessEqual is a ≤ b.
func LessEqual(a, b *Node) *Node { return comparison(OpLessEqual, a, b) }

// Greater is a > b.
func Greater(a, b *Node) *Node { return Less(b, a) }

// GreaterEqual is a ≥ b.
func GreaterEqual(a, b *Node) *Node { return LessEqual(b, a) }

// And is logical conjunction.
func And(a, b *Node) *Node { return logical(OpAnd, a, b) }

// Or is logical disjunction.
func Or(a, b *Node) *Node { return logical(OpOr, a, b) }

// Select is a where cond holds and b elsewhere.
func Select(cond, a, b *Node) *Node {
	if cond.DType() != Bool || a.DType() != b.DType() {
		fail("select: needs a bool and two operands of one type, got %v, %v, %v", cond.shape, a.shape, b.shape)
	}
	dims := broadcastDims(OpSelect, cond.shape, a.shape)
	dims = broadcastDims(OpSelect, Shape{a.DType(), dims}, b.shape)
	cond, a, b = BroadcastTo(cond, dims...), BroadcastTo(a, dims...), BroadcastTo(b, dims...)
	return a.graph.add(OpSelect, a.shape, nil, cond, a, b)
}

// Clamp limits x to [low, high].
func Clamp(x *Node, low, high float64) *Node {
	g := x.graph
	return Min(Max(x, g.Scalar(x.DType(), low)), g.Scalar(x.DType(), high))
}

// AddScalar is x + c.
func AddScalar(x *Node, c float64) *Node { return Add(x, x.graph.Scalar(x.DType(), c)) }

// MulScalar is c·x.
func MulScalar(x *Node, c float64) *Node { return Mul(x, x.graph.Scalar(x.DType(), c)) }

// Square is x².
func Square(x *Node) *Node { return Mul(x, x) }

func broadcastTogether(op Op, a, b *Node) (*Node, *Node) {
	dims := broadcastDims(op, a.shape, b.shape)
	return BroadcastTo(a, dims...), BroadcastTo(b, dims...)
}

func broadcastDims(op Op, a, b Shape) []int {
	dims := make([]int, max(a.Rank(), b.Rank()))
	for i := range dims {
		ea, eb := extentFromEnd(a, len(dims)-i), extentFromEnd(b, len(dims)-i)
		switch {
		case ea == eb || eb == 1:
			dims[i] = ea
		case ea == 1:
			dims[i] = eb
		default:
			fail("%s: the shapes %v and %v do not broadcast", op, a, b)
		}
	}
	return dims
}

func extentFromEnd(s Shape, i int) int {
	if i > s.Rank() {
		return 1
	}
	return s.Dims[s.Rank()-i]
}
