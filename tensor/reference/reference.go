// Package reference runs programs of package tensor by the most obvious means: one plain loop for each op, every element
// held as a float64.
//
// It is what tests compare other backends with, so it shares no code with them and is written to be checked by eye, not
// to be fast. Float32 values are not rounded between ops; what a backend computes in float32 is therefore compared with
// the exact value up to float64 rounding. Integers and bools are exact: all of them are float64 numbers.
package reference

import (
	"context"
	"fmt"
	"math"

	"github.com/likely-ml/likely/tensor"
)

// New returns the backend.
func New() tensor.Backend { return backend{} }

type backend struct{}

func (backend) Name() string { return "reference" }

func (backend) Compile(p *tensor.Program, vars tensor.Vars) (tensor.Executable, error) {
	bound, err := p.Bind(vars)
	if err != nil {
		return nil, err
	}
	e := &executable{program: p, sources: map[*tensor.Node]*tensor.Array{}, inputs: map[string]*tensor.Array{}, outputs: map[string]*tensor.Array{}}
	for i, v := range p.Variables {
		e.sources[v] = bound[i]
	}
	for _, n := range p.Inputs {
		a := tensor.NewArray(n.Shape())
		e.sources[n], e.inputs[n.Name()] = a, a
	}
	for _, n := range p.Nodes {
		if n.Op() == tensor.OpConstant {
			e.sources[n] = n.Attr().(*tensor.Array)
		} else if rules[n.Op()] == nil && e.sources[n] == nil {
			return nil, fmt.Errorf("reference: no rule for %v", n)
		}
	}
	for _, o := range p.Outputs {
		e.outputs[o.Name] = tensor.NewArray(o.Value.Shape())
	}
	return e, nil
}

type executable struct {
	program         *tensor.Program
	sources         map[*tensor.Node]*tensor.Array // inputs, variables and constants: values that are not computed
	inputs, outputs map[string]*tensor.Array
}

func (e *executable) Input(name string) *tensor.Array { return named("input", e.inputs, name) }

func (e *executable) Output(name string) *tensor.Array { return named("output", e.outputs, name) }

func named(what string, arrays map[string]*tensor.Array, name string) *tensor.Array {
	if a := arrays[name]; a != nil {
		return a
	}
	panic(fmt.Sprintf("reference: the program has no %s %q", what, name))
}

func (e *executable) Run(ctx context.Context) error {
	values := map[*tensor.Node][]float64{}
	for _, n := range e.program.Nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if a := e.sources[n]; a != nil {
			values[n] = load(a)
			continue
		}
		in := make([][]float64, len(n.In()))
		for i, x := range n.In() {
			in[i] = values[x]
		}
		values[n] = rules[n.Op()](n, in)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, o := range e.program.Outputs {
		store(e.outputs[o.Name], values[o.Value])
	}
	for _, u := range e.program.Updates {
		store(e.sources[u.Variable], values[u.Value])
	}
	return nil
}

// A rule computes the elements of node n from those of its operands, all in row-major order.
type rule func(n *tensor.Node, in [][]float64) []float64

// rules has an entry for every op but input, variable and constant, whose values are given.
var rules = map[tensor.Op]rule{
	tensor.OpIota: iotaRule,

	tensor.OpNeg:          neg,
	tensor.OpAbs:          unary(math.Abs),
	tensor.OpSign:         unary(sign),
	tensor.OpExp:          unary(math.Exp),
	tensor.OpExpm1:        unary(math.Expm1),
	tensor.OpLog:          unary(math.Log),
	tensor.OpLog1p:        unary(math.Log1p),
	tensor.OpTanh:         unary(math.Tanh),
	tensor.OpSigmoid:      unary(sigmoid),
	tensor.OpSoftplus:     unary(softplus),
	tensor.OpErf:          unary(math.Erf),
	tensor.OpSqrt:         unary(math.Sqrt),
	tensor.OpRsqrt:        unary(func(x float64) float64 { return 1 / math.Sqrt(x) }),
	tensor.OpSin:          unary(math.Sin),
	tensor.OpCos:          unary(math.Cos),
	tensor.OpFloor:        unary(math.Floor),
	tensor.OpRound:        unary(math.RoundToEven),
	tensor.OpIsFinite:     unary(func(x float64) float64 { return truth(!math.IsInf(x, 0) && !math.IsNaN(x)) }),
	tensor.OpNot:          unary(func(x float64) float64 { return truth(x == 0) }),
	tensor.OpConvert:      convert,
	tensor.OpStopGradient: unary(func(x float64) float64 { return x }),

	tensor.OpAdd:       arithmetic(addFloats, addIntegers),
	tensor.OpSub:       arithmetic(func(a, b float64) float64 { return a - b }, func(a, b int64) int64 { return a - b }),
	tensor.OpMul:       arithmetic(func(a, b float64) float64 { return a * b }, func(a, b int64) int64 { return a * b }),
	tensor.OpDiv:       arithmetic(func(a, b float64) float64 { return a / b }, divideIntegers),
	tensor.OpPow:       binary(math.Pow),
	tensor.OpMin:       binary(func(a, b float64) float64 { return min(a, b) }), // unlike math.Min, NaN wins over −Inf
	tensor.OpMax:       binary(func(a, b float64) float64 { return max(a, b) }),
	tensor.OpEqual:     binary(func(a, b float64) float64 { return truth(a == b) }),
	tensor.OpNotEqual:  binary(func(a, b float64) float64 { return truth(a != b) }),
	tensor.OpLess:      binary(func(a, b float64) float64 { return truth(a < b) }),
	tensor.OpLessEqual: binary(func(a, b float64) float64 { return truth(a <= b) }),
	tensor.OpAnd:       binary(func(a, b float64) float64 { return truth(a != 0 && b != 0) }),
	tensor.OpOr:        binary(func(a, b float64) float64 { return truth(a != 0 || b != 0) }),

	tensor.OpSelect: selectRule,

	tensor.OpBroadcast:     broadcast,
	tensor.OpReshape:       unary(func(x float64) float64 { return x }),
	tensor.OpTranspose:     transpose,
	tensor.OpSlice:         slice,
	tensor.OpDynamicSlice:  dynamicSlice,
	tensor.OpDynamicUpdate: dynamicUpdate,
	tensor.OpPad:           pad,
	tensor.OpConcat:        concat,
	tensor.OpReverse:       reverse,

	tensor.OpReduceSum: reduceSum,
	tensor.OpReduceMax: reduceMax,
	tensor.OpArgMax:    argMax,
	tensor.OpCumSum:    cumSum,

	tensor.OpMatMul: matMul,
	tensor.OpConvY:  convY,
	tensor.OpConvX:  convX,
	tensor.OpConvW:  convW,

	tensor.OpMaxPoolIndex: maxPoolIndex,
	tensor.OpSumPool:      sumPool,
	tensor.OpSumUnpool:    sumUnpool,

	tensor.OpGather:     gather,
	tensor.OpScatterAdd: scatterAdd,

	tensor.OpRandomBits:    randomBits,
	tensor.OpRandomUniform: randomUniform,
	tensor.OpRandomNormal:  randomNormal,

	tensor.OpComposite: unary(func(x float64) float64 { return x }), // of its definition
}
