package cpu

import (
	"math"
	"unsafe"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// arg is an operand of an instruction.
type arg struct {
	slot   int
	dtype  tensor.DType
	single bool // one element for the whole iteration
}

// Costs in nanoseconds an element, to decide what is worth a second thread.
const (
	costArithmetic     = 0.05
	costTranscendental = 0.6
	costPlain          = 1.0
)

// compileElementwise gives the instruction for one op and its cost. float32 goes to the kernels; the other types, which
// no inner loop of a model uses, to plain loops.
func compileElementwise(op tensor.Op, result tensor.DType, dst int, args []arg) (instruction, float64) {
	a := args[0]
	switch op {
	case tensor.OpConvert:
		return compileConvert(result, dst, a), costPlain
	case tensor.OpSelect:
		return compileSelect(result, dst, args)
	case tensor.OpNot, tensor.OpAnd, tensor.OpOr:
		return compileLogical(op, dst, args), costPlain
	}
	switch a.dtype {
	case tensor.Float32:
		return compileFloat32(op, dst, args)
	case tensor.Float64:
		return compileFloat64(op, dst, args), 10 * costPlain
	case tensor.Int32:
		return compileInteger[int32](op, dst, args), costPlain
	case tensor.Uint32:
		return compileInteger[uint32](op, dst, args), costPlain
	default: // bools are only compared
		return compileBool(op, dst, args), costPlain
	}
}

func compileFloat32(op tensor.Op, dst int, args []arg) (instruction, float64) {
	k := kernel.Float32()
	a := args[0]
	unary := func(f kernel.Unary) instruction {
		if a.single {
			return func(t *tileMemory) {
				d := tile[float32](t, dst)
				k.Fill(d, element[float32](t, a.slot))
				f(d, d)
			}
		}
		return func(t *tileMemory) { f(tile[float32](t, dst), tile[float32](t, a.slot)) }
	}
	switch op {
	case tensor.OpNeg:
		return unary(k.Neg), costArithmetic
	case tensor.OpAbs:
		return unary(k.Abs), costArithmetic
	case tensor.OpSign:
		return unary(k.Sign), costArithmetic
	case tensor.OpSqrt:
		return unary(k.Sqrt), costTranscendental
	case tensor.OpRsqrt:
		return unary(k.Rsqrt), costTranscendental
	case tensor.OpFloor:
		return unary(k.Floor), costArithmetic
	case tensor.OpRound:
		return unary(k.Round), costArithmetic
	case tensor.OpExp:
		return unary(k.Exp), costTranscendental
	case tensor.OpExpm1:
		return unary(k.Expm1), costTranscendental
	case tensor.OpLog:
		return unary(k.Log), costTranscendental
	case tensor.OpLog1p:
		return unary(k.Log1p), costTranscendental
	case tensor.OpTanh:
		return unary(k.Tanh), costTranscendental
	case tensor.OpSigmoid:
		return unary(k.Sigmoid), costTranscendental
	case tensor.OpSoftplus:
		return unary(k.Softplus), costTranscendental
	case tensor.OpErf:
		return unary(k.Erf), 10 * costTranscendental
	case tensor.OpSin:
		return unary(k.Sin), 10 * costTranscendental
	case tensor.OpCos:
		return unary(k.Cos), 10 * costTranscendental
	case tensor.OpIsFinite:
		if a.single {
			return func(t *tileMemory) {
				x := element[float32](t, a.slot)
				fill(tile[bool](t, dst), x-x == 0)
			}, costPlain
		}
		return func(t *tileMemory) { k.IsFinite(tile[bool](t, dst), tile[float32](t, a.slot)) }, costArithmetic
	case tensor.OpAdd:
		return binary32(k, k.Add, dst, args), costArithmetic
	case tensor.OpSub:
		return binary32(k, k.Sub, dst, args), costArithmetic
	case tensor.OpMul:
		return binary32(k, k.Mul, dst, args), costArithmetic
	case tensor.OpDiv:
		return binary32(k, k.Div, dst, args), 2 * costArithmetic
	case tensor.OpMin:
		return binary32(k, k.Min, dst, args), costArithmetic
	case tensor.OpMax:
		return binary32(k, k.Max, dst, args), costArithmetic
	case tensor.OpPow:
		return binary32(k, k.Pow, dst, args), 20 * costTranscendental
	case tensor.OpLess:
		return compare32(k.Less, dst, args), costArithmetic
	case tensor.OpLessEqual:
		return compare32(k.LessEqual, dst, args), costArithmetic
	case tensor.OpEqual:
		return compare32(k.Equal, dst, args), costArithmetic
	case tensor.OpNotEqual:
		return compare32(k.NotEqual, dst, args), costArithmetic
	}
	panic("cpu: no float32 kernel for " + op.String())
}

func binary32(k *kernel.Float32Table, f kernel.Binary, dst int, args []arg) instruction {
	a, b := args[0], args[1]
	switch {
	case a.single && b.single:
		return func(t *tileMemory) {
			d := tile[float32](t, dst)
			k.Fill(d, element[float32](t, a.slot))
			f.VS(d, d, element[float32](t, b.slot))
		}
	case a.single:
		return func(t *tileMemory) {
			f.SV(tile[float32](t, dst), element[float32](t, a.slot), tile[float32](t, b.slot))
		}
	case b.single:
		return func(t *tileMemory) {
			f.VS(tile[float32](t, dst), tile[float32](t, a.slot), element[float32](t, b.slot))
		}
	}
	return func(t *tileMemory) {
		f.VV(tile[float32](t, dst), tile[float32](t, a.slot), tile[float32](t, b.slot))
	}
}

func compare32(f kernel.Compare, dst int, args []arg) instruction {
	a, b := args[0], args[1]
	switch {
	case a.single && b.single:
		return func(t *tileMemory) {
			d := tile[bool](t, dst)
			f.VS(d[:1], unsafe.Slice((*float32)(t.slots[a.slot]), 1), element[float32](t, b.slot))
			fill(d[1:], d[0])
		}
	case a.single:
		return func(t *tileMemory) {
			f.SV(tile[bool](t, dst), element[float32](t, a.slot), tile[float32](t, b.slot))
		}
	case b.single:
		return func(t *tileMemory) {
			f.VS(tile[bool](t, dst), tile[float32](t, a.slot), element[float32](t, b.slot))
		}
	}
	return func(t *tileMemory) {
		f.VV(tile[bool](t, dst), tile[float32](t, a.slot), tile[float32](t, b.slot))
	}
}

func compileSelect(result tensor.DType, dst int, args []arg) (instruction, float64) {
	cond, a, b := args[0], args[1], args[2]
	if result == tensor.Float32 && !cond.single {
		f := kernel.Float32().Select
		c := cond.slot
		switch {
		case a.single && b.single:
			return func(t *tileMemory) {
				f.SS(tile[float32](t, dst), tile[bool](t, c), element[float32](t, a.slot), element[float32](t, b.slot))
			}, costArithmetic
		case a.single:
			return func(t *tileMemory) {
				f.SV(tile[float32](t, dst), tile[bool](t, c), element[float32](t, a.slot), tile[float32](t, b.slot))
			}, costArithmetic
		case b.single:
			return func(t *tileMemory) {
				f.VS(tile[float32](t, dst), tile[bool](t, c), tile[float32](t, a.slot), element[float32](t, b.slot))
			}, costArithmetic
		}
		return func(t *tileMemory) {
			f.VV(tile[float32](t, dst), tile[bool](t, c), tile[float32](t, a.slot), tile[float32](t, b.slot))
		}, costArithmetic
	}
	switch result {
	case tensor.Float32:
		return selectPlain[float32](dst, cond, a, b), costPlain
	case tensor.Float64:
		return selectPlain[float64](dst, cond, a, b), costPlain
	case tensor.Int32:
		return selectPlain[int32](dst, cond, a, b), costPlain
	case tensor.Uint32:
		return selectPlain[uint32](dst, cond, a, b), costPlain
	default:
		return selectPlain[bool](dst, cond, a, b), costPlain
	}
}

// reader gives access to an operand's elements, whichever way it is held.
type reader[T any] struct {
	x    []T
	mask int // 0 for a single element, −1 otherwise
}

func read[T any](t *tileMemory, a arg) reader[T] {
	if a.single {
		return reader[T]{unsafe.Slice((*T)(t.slots[a.slot]), 1), 0}
	}
	return reader[T]{tile[T](t, a.slot), -1}
}

func (r reader[T]) at(i int) T { return r.x[i&r.mask] }

func selectPlain[T any](dst int, cond, a, b arg) instruction {
	return func(t *tileMemory) {
		d, c, x, y := tile[T](t, dst), read[bool](t, cond), read[T](t, a), read[T](t, b)
		for i := range d {
			if c.at(i) {
				d[i] = x.at(i)
			} else {
				d[i] = y.at(i)
			}
		}
	}
}

func unaryPlain[T, R any](dst int, a arg, f func(T) R) instruction {
	return func(t *tileMemory) {
		d, x := tile[R](t, dst), read[T](t, a)
		for i := range d {
			d[i] = f(x.at(i))
		}
	}
}

func binaryPlain[T, R any](dst int, args []arg, f func(a, b T) R) instruction {
	return func(t *tileMemory) {
		d, x, y := tile[R](t, dst), read[T](t, args[0]), read[T](t, args[1])
		for i := range d {
			d[i] = f(x.at(i), y.at(i))
		}
	}
}

func compileLogical(op tensor.Op, dst int, args []arg) instruction {
	switch op {
	case tensor.OpNot:
		return unaryPlain(dst, args[0], func(a bool) bool { return !a })
	case tensor.OpAnd:
		return binaryPlain(dst, args, func(a, b bool) bool { return a && b })
	default:
		return binaryPlain(dst, args, func(a, b bool) bool { return a || b })
	}
}

func compileBool(op tensor.Op, dst int, args []arg) instruction {
	order := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	switch op {
	case tensor.OpEqual:
		return binaryPlain(dst, args, func(a, b bool) bool { return a == b })
	case tensor.OpNotEqual:
		return binaryPlain(dst, args, func(a, b bool) bool { return a != b })
	case tensor.OpLess:
		return binaryPlain(dst, args, func(a, b bool) bool { return order(a) < order(b) })
	case tensor.OpLessEqual:
		return binaryPlain(dst, args, func(a, b bool) bool { return order(a) <= order(b) })
	}
	panic("cpu: no bool kernel for " + op.String())
}

func compileFloat64(op tensor.Op, dst int, args []arg) instruction {
	if f := unary64[op]; f != nil {
		return unaryPlain(dst, args[0], f)
	}
	if f := binary64[op]; f != nil {
		return binaryPlain(dst, args, f)
	}
	switch op {
	case tensor.OpIsFinite:
		return unaryPlain(dst, args[0], func(x float64) bool { return x-x == 0 })
	case tensor.OpEqual:
		return binaryPlain(dst, args, func(a, b float64) bool { return a == b })
	case tensor.OpNotEqual:
		return binaryPlain(dst, args, func(a, b float64) bool { return a != b })
	case tensor.OpLess:
		return binaryPlain(dst, args, func(a, b float64) bool { return a < b })
	case tensor.OpLessEqual:
		return binaryPlain(dst, args, func(a, b float64) bool { return a <= b })
	}
	panic("cpu: no float64 kernel for " + op.String())
}

var unary64 = map[tensor.Op]func(float64) float64{
	tensor.OpNeg:   func(x float64) float64 { return -x },
	tensor.OpAbs:   math.Abs,
	tensor.OpExp:   math.Exp,
	tensor.OpExpm1: math.Expm1,
	tensor.OpLog:   math.Log,
	tensor.OpLog1p: math.Log1p,
	tensor.OpTanh:  math.Tanh,
	tensor.OpErf:   math.Erf,
	tensor.OpSqrt:  math.Sqrt,
	tensor.OpRsqrt: func(x float64) float64 { return 1 / math.Sqrt(x) },
	tensor.OpSin:   math.Sin,
	tensor.OpCos:   math.Cos,
	tensor.OpFloor: math.Floor,
	tensor.OpRound: math.RoundToEven,
	tensor.OpSign: func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	},
	tensor.OpSigmoid: func(x float64) float64 {
		if x < 0 {
			e := math.Exp(x)
			return e / (1 + e)
		}
		return 1 / (1 + math.Exp(-x))
	},
	tensor.OpSoftplus: func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) },
}

var binary64 = map[tensor.Op]func(a, b float64) float64{
	tensor.OpAdd: func(a, b float64) float64 { return a + b },
	tensor.OpSub: func(a, b float64) float64 { return a - b },
	tensor.OpMul: func(a, b float64) float64 { return a * b },
	tensor.OpDiv: func(a, b float64) float64 { return a / b },
	tensor.OpPow: math.Pow,
	tensor.OpMin: func(a, b float64) float64 {
		if a < b || a != a {
			return a
		}
		return b
	},
	tensor.OpMax: func(a, b float64) float64 {
		if a > b || a != a {
			return a
		}
		return b
	},
}

func compileInteger[T int32 | uint32](op tensor.Op, dst int, args []arg) instruction {
	switch op {
	case tensor.OpNeg:
		return unaryPlain(dst, args[0], func(x T) T { return -x })
	case tensor.OpAdd:
		return binaryPlain(dst, args, func(a, b T) T { return a + b })
	case tensor.OpSub:
		return binaryPlain(dst, args, func(a, b T) T { return a - b })
	case tensor.OpMul:
		return binaryPlain(dst, args, func(a, b T) T { return a * b })
	case tensor.OpDiv:
		return binaryPlain(dst, args, func(a, b T) T {
			if b == 0 {
				return 0
			}
			return a / b
		})
	case tensor.OpMin:
		return binaryPlain(dst, args, func(a, b T) T { return min(a, b) })
	case tensor.OpMax:
		return binaryPlain(dst, args, func(a, b T) T { return max(a, b) })
	case tensor.OpEqual:
		return binaryPlain(dst, args, func(a, b T) bool { return a == b })
	case tensor.OpNotEqual:
		return binaryPlain(dst, args, func(a, b T) bool { return a != b })
	case tensor.OpLess:
		return binaryPlain(dst, args, func(a, b T) bool { return a < b })
	case tensor.OpLessEqual:
		return binaryPlain(dst, args, func(a, b T) bool { return a <= b })
	}
	panic("cpu: no integer kernel for " + op.String())
}

func compileConvert(to tensor.DType, dst int, a arg) instruction {
	k := kernel.Float32()
	if !a.single {
		switch {
		case to == tensor.Float32 && a.dtype == tensor.Bool:
			return func(t *tileMemory) { k.FromBool(tile[float32](t, dst), tile[bool](t, a.slot)) }
		case to == tensor.Float32 && a.dtype == tensor.Int32:
			return func(t *tileMemory) { k.FromInt32(tile[float32](t, dst), tile[int32](t, a.slot)) }
		case to == tensor.Int32 && a.dtype == tensor.Float32:
			return func(t *tileMemory) { k.ToInt32(tile[int32](t, dst), tile[float32](t, a.slot)) }
		}
	}
	// Through float64, which holds every element of every type.
	switch a.dtype {
	case tensor.Float32:
		return convertFrom[float32](to, dst, a)
	case tensor.Float64:
		return convertFrom[float64](to, dst, a)
	case tensor.Int32:
		return convertFrom[int32](to, dst, a)
	case tensor.Uint32:
		return convertFrom[uint32](to, dst, a)
	}
	toNumber := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	switch to {
	case tensor.Float32:
		return unaryPlain(dst, a, func(b bool) float32 { return float32(toNumber(b)) })
	case tensor.Float64:
		return unaryPlain(dst, a, toNumber)
	case tensor.Int32:
		return unaryPlain(dst, a, func(b bool) int32 { return int32(toNumber(b)) })
	default:
		return unaryPlain(dst, a, func(b bool) uint32 { return uint32(toNumber(b)) })
	}
}

func convertFrom[T float32 | float64 | int32 | uint32](to tensor.DType, dst int, a arg) instruction {
	switch to {
	case tensor.Float32:
		return unaryPlain(dst, a, func(x T) float32 { return float32(x) })
	case tensor.Float64:
		return unaryPlain(dst, a, func(x T) float64 { return float64(x) })
	case tensor.Int32:
		return unaryPlain(dst, a, func(x T) int32 { return int32(x) })
	case tensor.Uint32:
		return unaryPlain(dst, a, func(x T) uint32 { return uint32(int64(x)) })
	default:
		return unaryPlain(dst, a, func(x T) bool { return x != 0 })
	}
}

func fill[T any](d []T, v T) {
	for i := range d {
		d[i] = v
	}
}
