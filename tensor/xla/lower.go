package xla

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/likely-ml/likely/tensor"
)

// lowered is a program as StableHLO.
type lowered struct {
	text      string
	arguments []*tensor.Node // what main takes: inputs, variables and large constants
	results   []*tensor.Node // what main returns: outputs, then updates
}

// largestLiteral is the number of elements up to which a constant is written into the text. Larger ones, such as the weights of
// a frozen program, are arguments, which are on the device before the first run.
const largestLiteral = 16

// lower writes a program as a module with one function, main. Arrays without elements are neither arguments nor results: the
// text makes them where something needs them.
func lower(p *tensor.Program) (*lowered, error) {
	w := &writer{}
	l := &lowered{}
	values := map[*tensor.Node]value{}
	var declared []string
	for _, n := range p.Nodes {
		a, constant := n.Attr().(*tensor.Array)
		argument := n.Op() == tensor.OpInput || n.Op() == tensor.OpVariable || constant && a.Shape.Size() > largestLiteral
		switch {
		case n.Shape().Size() == 0:
			values[n] = w.full(n.Shape(), 0)
		case argument:
			v := value{fmt.Sprint("%arg", len(l.arguments)), n.Shape()}
			values[n] = v
			declared = append(declared, v.name+": "+typeOf(v.shape))
			l.arguments = append(l.arguments, n)
		default:
			in := make([]value, len(n.In()))
			for i, x := range n.In() {
				in[i] = values[x]
			}
			v, err := w.node(n, in)
			if err != nil {
				return nil, err
			}
			if !v.shape.Equal(n.Shape()) {
				return nil, fmt.Errorf("xla: %v became %v", n, v.shape)
			}
			values[n] = v
		}
	}
	for _, o := range p.Outputs {
		l.results = append(l.results, o.Value)
	}
	for _, u := range p.Updates {
		l.results = append(l.results, u.Value)
	}
	l.results = slices.DeleteFunc(l.results, func(n *tensor.Node) bool { return n.Shape().Size() == 0 })
	var names []string
	var shapes []tensor.Shape
	for _, n := range l.results {
		names, shapes = append(names, values[n].name), append(shapes, n.Shape())
	}
	l.text = fmt.Sprintf("module @likely {\n  func.func @main(%s) -> (%s) {\n%s    \"func.return\"(%s) : (%s) -> ()\n  }\n}\n",
		strings.Join(declared, ", "), typesOf(shapes), w.body.String(), strings.Join(names, ", "), typesOf(shapes))
	return l, nil
}

// node writes what a node computes of its operands, where the result has elements. tensor/reference says in plain loops what each
// op is; where it takes more than one operation here, the function that writes them says why.
func (w *writer) node(n *tensor.Node, in []value) (value, error) {
	if hasEmpty(in) {
		switch n.Op() {
		case tensor.OpReduceSum, tensor.OpMatMul, tensor.OpConvY, tensor.OpConvX, tensor.OpConvW, tensor.OpSumPool, tensor.OpSumUnpool,
			tensor.OpGather, tensor.OpScatterAdd:
			return w.full(n.Shape(), 0), nil // sums of nothing, and rows that are not there
		}
	}
	if name, ok := direct[n.Op()]; ok {
		return w.op(name, n.Shape(), nil, in...), nil
	}
	switch n.Op() {
	case tensor.OpConstant:
		return w.constant(n.Attr().(*tensor.Array)), nil
	case tensor.OpIota:
		return w.iota(n.Shape(), n.Attr().(int)), nil

	case tensor.OpSigmoid:
		return sigmoid(w, in[0]), nil
	case tensor.OpSoftplus:
		return softplus(w, in[0]), nil
	case tensor.OpConvert:
		return w.convert(in[0], n.DType()), nil
	case tensor.OpStopGradient, tensor.OpComposite: // a composite is its definition, the first operand
		return in[0], nil
	case tensor.OpDiv:
		return divide(w, in[0], in[1]), nil
	case tensor.OpEqual:
		return w.compare("EQ", in[0], in[1]), nil
	case tensor.OpNotEqual:
		return w.compare("NE", in[0], in[1]), nil
	case tensor.OpLess:
		return w.compare("LT", in[0], in[1]), nil
	case tensor.OpLessEqual:
		return w.compare("LE", in[0], in[1]), nil

	case tensor.OpBroadcast:
		return w.broadcast(in[0], n.Dims()...), nil
	case tensor.OpReshape:
		return w.reshape(in[0], n.Dims()...), nil
	case tensor.OpTranspose:
		return w.transpose(in[0], n.Attr().([]int)...), nil
	case tensor.OpSlice:
		s := n.Attr().(tensor.SliceSpec)
		return w.slice(in[0], s.Start, s.Limit, s.Stride), nil
	case tensor.OpDynamicSlice:
		return dynamicSlice(w, n, in), nil
	case tensor.OpDynamicUpdate:
		return dynamicUpdate(w, n, in), nil
	case tensor.OpPad:
		return pad(w, n, in), nil
	case tensor.OpConcat:
		return concat(w, n, in), nil
	case tensor.OpReverse:
		return w.reverse(in[0], n.Attr().([]int)...), nil

	case tensor.OpReduceSum:
		return reduce(w, n, in[0], "stablehlo.add", 0), nil
	case tensor.OpReduceMax:
		return reduce(w, n, in[0], "stablehlo.maximum", lowest(n.DType())), nil
	case tensor.OpArgMax:
		return argMax(w, n, in[0]), nil
	case tensor.OpCumSum:
		return cumSum(w, n, in[0]), nil

	case tensor.OpMatMul:
		return matMul(w, n, in), nil
	case tensor.OpConvY:
		return convY(w, n, in), nil
	case tensor.OpConvX:
		return convX(w, n, in), nil
	case tensor.OpConvW:
		return convW(w, n, in), nil

	case tensor.OpMaxPoolIndex:
		return maxPoolIndex(w, n, in[0]), nil
	case tensor.OpSumPool:
		return sumPool(w, n, in[0]), nil
	case tensor.OpSumUnpool:
		return sumUnpool(w, n, in[0]), nil

	case tensor.OpGather:
		return gather(w, n, in), nil
	case tensor.OpScatterAdd:
		return scatterAdd(w, n, in), nil

	case tensor.OpRandomBits:
		return randomBits(w, n, in[0]), nil
	case tensor.OpRandomUniform:
		return randomUniform(w, n, in[0]), nil
	case tensor.OpRandomNormal:
		return randomNormal(w, n, in[0]), nil
	}
	return value{}, fmt.Errorf("xla: no way to write %v", n)
}

func hasEmpty(in []value) bool {
	return slices.ContainsFunc(in, func(x value) bool { return x.shape.Size() == 0 })
}

// direct are the ops that are one elementwise operation each.
var direct = map[tensor.Op]string{
	tensor.OpNeg:      "stablehlo.negate",
	tensor.OpAbs:      "stablehlo.abs",
	tensor.OpSign:     "stablehlo.sign",
	tensor.OpExp:      "stablehlo.exponential",
	tensor.OpExpm1:    "stablehlo.exponential_minus_one",
	tensor.OpLog:      "stablehlo.log",
	tensor.OpLog1p:    "stablehlo.log_plus_one",
	tensor.OpTanh:     "stablehlo.tanh",
	tensor.OpErf:      "chlo.erf",
	tensor.OpSqrt:     "stablehlo.sqrt",
	tensor.OpRsqrt:    "stablehlo.rsqrt",
	tensor.OpSin:      "stablehlo.sine",
	tensor.OpCos:      "stablehlo.cosine",
	tensor.OpFloor:    "stablehlo.floor",
	tensor.OpRound:    "stablehlo.round_nearest_even",
	tensor.OpIsFinite: "stablehlo.is_finite",
	tensor.OpNot:      "stablehlo.not",
	tensor.OpAdd:      "stablehlo.add",
	tensor.OpSub:      "stablehlo.subtract",
	tensor.OpMul:      "stablehlo.multiply",
	tensor.OpPow:      "stablehlo.power",
	tensor.OpMin:      "stablehlo.minimum",
	tensor.OpMax:      "stablehlo.maximum",
	tensor.OpAnd:      "stablehlo.and",
	tensor.OpOr:       "stablehlo.or",
	tensor.OpSelect:   "stablehlo.select",
}

// sigmoid is e/(1+e) for x < 0 and 1/(1+e) else, with e = exp(−|x|), which cannot overflow. XLA's logistic is 1/(1+exp(−x)), 0
// where it should still be 1e-39.
func sigmoid(w *writer, x value) value {
	e := w.map1("exponential", w.map1("negate", w.map1("abs", x)))
	one := w.like(x, 1)
	return w.map2("divide", w.choose(w.compare("LT", x, w.like(x, 0)), e, one), w.map2("add", one, e))
}

// softplus is max(x, 0) + log(1 + exp(−|x|)).
func softplus(w *writer, x value) value {
	e := w.map1("exponential", w.map1("negate", w.map1("abs", x)))
	return w.map2("add", w.map2("maximum", x, w.like(x, 0)), w.map1("log_plus_one", e))
}

// divide keeps integers from dividing by zero, of which StableHLO does not say what it gives: here it is 0.
func divide(w *writer, a, b value) value {
	if a.dtype().IsFloat() {
		return w.map2("divide", a, b)
	}
	zero := w.like(b, 0)
	none := w.compare("EQ", b, zero)
	return w.choose(none, zero, w.map2("divide", a, w.choose(none, w.like(b, 1), b)))
}

// starts are the elements of a vector of indices, as scalars.
func (w *writer) starts(x value) []value {
	out := make([]value, x.dims()[0])
	for i := range out {
		out[i] = w.reshape(w.slice(x, []int{i}, []int{i + 1}, []int{1}))
	}
	return out
}

func dynamicSlice(w *writer, n *tensor.Node, in []value) value {
	return w.op("stablehlo.dynamic_slice", n.Shape(), []string{integers("slice_sizes", n.Dims()...)}, append([]value{in[0]}, w.starts(in[1])...)...)
}

func dynamicUpdate(w *writer, n *tensor.Node, in []value) value {
	if in[1].shape.Size() == 0 {
		return in[0]
	}
	return w.op("stablehlo.dynamic_update_slice", n.Shape(), nil, append([]value{in[0], in[1]}, w.starts(in[2])...)...)
}

func pad(w *writer, n *tensor.Node, in []value) value {
	s := n.Attr().(tensor.PadSpec)
	if hasEmpty(in) {
		return w.full(n.Shape(), s.Value)
	}
	return w.pad(in[0], s.Value, s.Low, s.High, s.Interior)
}

func concat(w *writer, n *tensor.Node, in []value) value {
	in = slices.DeleteFunc(slices.Clone(in), func(x value) bool { return x.shape.Size() == 0 })
	return w.concat(n.Attr().(int), in...)
}

// lowest is the least number of a type.
func lowest(d tensor.DType) float64 {
	switch d {
	case tensor.Int32:
		return math.MinInt32
	case tensor.Uint32:
		return 0
	}
	return math.Inf(-1)
}

func reduce(w *writer, n *tensor.Node, x value, name string, initial float64) value {
	return w.region("stablehlo.reduce", []tensor.Shape{n.Shape()}, []string{integers("dimensions", n.Attr().([]int)...)},
		w.combine(name, n.DType()), x, w.full(x.shaped(), initial))[0]
}

// argMax reduces pairs of a number and its index. StableHLO leaves the order open, so the comparison is one of all pairs: the
// greater number, NaN above all, and of equals the smaller index. An initial index above all lets every element win.
func argMax(w *writer, n *tensor.Node, x value) value {
	axis := n.Attr().(int)
	if x.dtype() == tensor.Bool {
		x = w.convert(x, tensor.Int32)
	}
	index := w.iota(tensor.ShapeOf(tensor.Int32, x.dims()...), axis)
	region := func() string {
		d := x.dtype()
		return w.scalars([]tensor.DType{d, tensor.Int32, d, tensor.Int32}, func(p []value) []value {
			better, equal := w.beats(p[0], p[2])
			first := w.map2("or", better, w.map2("and", equal, w.compare("LT", p[1], p[3])))
			return []value{w.choose(first, p[0], p[2]), w.choose(first, p[1], p[3])}
		})
	}
	return w.region("stablehlo.reduce", []tensor.Shape{x.shaped(n.Dims()...), n.Shape()}, []string{integers("dimensions", axis)}, region,
		x, index, w.full(x.shaped(), lowest(x.dtype())), w.full(index.shaped(), math.MaxInt32))[1]
}

// beats tells where a is greater than b and where they are equal, in the order in which NaN is greatest and equals itself.
func (w *writer) beats(a, b value) (greater, equal value) {
	greater, equal = w.compare("GT", a, b), w.compare("EQ", a, b)
	if a.dtype().IsFloat() {
		aNaN, bNaN := w.compare("NE", a, a), w.compare("NE", b, b)
		greater = w.map2("or", greater, w.map2("and", aNaN, w.map1("not", bNaN)))
		equal = w.map2("or", equal, w.map2("and", aNaN, bNaN))
	}
	return greater, equal
}

// windowSum adds the elements in each window of given extents and strides, of x with zeros around it.
func (w *writer) windowSum(x value, out tensor.Shape, window, stride, low, high []int) value {
	ones := slices.Repeat([]int{1}, len(window))
	return w.region("stablehlo.reduce_window", []tensor.Shape{out},
		[]string{integers("window_dimensions", window...), integers("window_strides", stride...), integers("base_dilations", ones...),
			integers("window_dilations", ones...), edges(low, high)},
		w.combine("stablehlo.add", x.dtype()), x, w.full(x.shaped(), 0))[0]
}

// cumSum is a sum over windows that end, or begin, at each element. XLA knows this form and makes it a scan.
func cumSum(w *writer, n *tensor.Node, x value) value {
	s := n.Attr().(tensor.CumSumSpec)
	window, zeros, before := slices.Repeat([]int{1}, n.Shape().Rank()), make([]int, n.Shape().Rank()), make([]int, n.Shape().Rank())
	window[s.Axis], before[s.Axis] = n.Dims()[s.Axis], n.Dims()[s.Axis]-1
	low, high := before, zeros
	if s.Reverse {
		low, high = zeros, before
	}
	return w.windowSum(x, n.Shape(), window, slices.Repeat([]int{1}, len(window)), low, high)
}
