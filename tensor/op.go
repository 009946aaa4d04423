package tensor

// Op names what a node computes. Each is defined once, beside the function that builds it, and means the same in every
// backend.
type Op uint8

// The ops. Elementwise ops take operands of one shape; the builders broadcast first.
const (
	OpInput Op = iota
	OpVariable
	OpConstant
	OpIota

	// Elementwise, one operand.
	OpNeg
	OpAbs
	OpSign
	OpExp
	OpExpm1
	OpLog
	OpLog1p
	OpTanh
	OpSigmoid
	OpSoftplus
	OpErf
	OpSqrt
	OpRsqrt
	OpSin
	OpCos
	OpFloor
	OpRound
	OpIsFinite
	OpNot
	OpConvert
	OpStopGradient

	// Elementwise, two operands.
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpPow
	OpMin
	OpMax
	OpEqual
	OpNotEqual
	OpLess
	OpLessEqual
	OpAnd
	OpOr

	// Elementwise, three operands.
	OpSelect

	// Layout.
	OpBroadcast
	OpReshape
	OpTranspose
	OpSlice
	OpDynamicSlice
	OpDynamicUpdate
	OpPad
	OpConcat
	OpReverse

	// Reductions and scans.
	OpReduceSum
	OpReduceMax
	OpArgMax
	OpCumSum

	// Products.
	OpMatMul
	OpConvY
	OpConvX
	OpConvW

	// Pooling.
	OpMaxPoolIndex
	OpSumPool
	OpSumUnpool

	// Indexing.
	OpGather
	OpScatterAdd

	// Random numbers.
	OpRandomBits
	OpRandomUniform
	OpRandomNormal

	// A result of a composite.
	OpComposite

	opCount
)

var opNames = [opCount]string{
	"input", "variable", "constant", "iota",
	"neg", "abs", "sign", "exp", "expm1", "log", "log1p", "tanh", "sigmoid", "softplus", "erf", "sqrt", "rsqrt", "sin", "cos",
	"floor", "round", "is_finite", "not", "convert", "stop_gradient",
	"add", "sub", "mul", "div", "pow", "min", "max", "equal", "not_equal", "less", "less_equal", "and", "or",
	"select",
	"broadcast", "reshape", "transpose", "slice", "dynamic_slice", "dynamic_update", "pad", "concat", "reverse",
	"reduce_sum", "reduce_max", "arg_max", "cumsum",
	"matmul", "conv_y", "conv_x", "conv_w",
	"max_pool_index", "sum_pool", "sum_unpool",
	"gather", "scatter_add",
	"random_bits", "random_uniform", "random_normal",
	"composite",
}

func (o Op) String() string { return opNames[o] }

// Ops lists every op, so that a test can hold a backend to all of them.
func Ops() []Op {
	ops := make([]Op, opCount)
	for i := range ops {
		ops[i] = Op(i)
	}
	return ops
}

// IsElementwise reports whether element i of the result depends on element i of each operand alone.
func (o Op) IsElementwise() bool { return o >= OpNeg && o <= OpSelect }
