package kernel

import "math"

// float32Generic is the plain Go twin of every elementwise kernel: the definition that the assembly follows.
var float32Generic = Float32Table{
	Neg:   unary(func(x float32) float32 { return math.Float32frombits(math.Float32bits(x) ^ signBit) }),
	Abs:   unary(abs32),
	Sign:  unary(sign32),
	Sqrt:  unary(sqrt32),
	Rsqrt: unary(rsqrt32),
	Floor: unary(floor32),
	Round: unary(round32),

	Exp:      unary(exp32),
	Expm1:    unary(expm132),
	Log:      unary(log32),
	Log1p:    unary(log1p32),
	Tanh:     unary(tanh32),
	Sigmoid:  unary(sigmoid32),
	Softplus: unary(softplus32),
	Erf:      unary(erf32),
	Sin:      unary(sin32),
	Cos:      unary(cos32),

	Add: Binary{addVV, addVS, func(dst []float32, a float32, b []float32) { addVS(dst, b, a) }},
	Sub: binary(func(a, b float32) float32 { return a - b }),
	Mul: Binary{mulVV, mulVS, func(dst []float32, a float32, b []float32) { mulVS(dst, b, a) }},
	Div: binary(func(a, b float32) float32 { return a / b }),
	Pow: powers,
	Min: binary(min32),
	Max: binary(max32),

	Less:      compare(func(a, b float32) bool { return a < b }),
	LessEqual: compare(func(a, b float32) bool { return a <= b }),
	Equal:     compare(func(a, b float32) bool { return a == b }),
	NotEqual:  compare(func(a, b float32) bool { return a != b }),

	IsFinite: isFinite,
	Select:   Select{selectVV, selectVS, selectSV, selectSS},

	Fill:      fill,
	FromBool:  fromBool,
	FromInt32: fromInt32,
	ToInt32:   toInt32,
	RowSum:    rowSum,
	RowMax:    rowMax,
	ColSum:    colSum,
	ColMax:    colMax,
	Adam:      adam,

	ColSumOn:     colSumOn,
	ColMaxOn:     colMaxOn,
	MaxPoolIndex: maxPoolIndex[float32],
	MaxPool:      maxPool,
	MaxPoolValue: maxPoolValue,
	MaxUnpool:    maxUnpool,
}

// powers is Pow; squares, by far the commonest, are one product, which rounds to the same value.
var powers = Binary{
	VV: binary(pow32).VV,
	VS: func(dst, a []float32, b float32) {
		if b == 2 {
			mulVV(dst, a, a)
			return
		}
		binary(pow32).VS(dst, a, b)
	},
	SV: binary(pow32).SV,
}

// unary makes a kernel of a scalar function.
func unary(f func(float32) float32) Unary {
	return func(dst, x []float32) {
		sameLength(len(dst), len(x))
		for i, v := range x {
			dst[i] = f(v)
		}
	}
}

// binary makes the three forms of a kernel from a scalar function.
func binary(f func(a, b float32) float32) Binary {
	return Binary{
		VV: func(dst, a, b []float32) {
			sameLengths(len(dst), len(a), len(b))
			for i := range dst {
				dst[i] = f(a[i], b[i])
			}
		},
		VS: func(dst, a []float32, b float32) {
			sameLength(len(dst), len(a))
			for i := range dst {
				dst[i] = f(a[i], b)
			}
		},
		SV: func(dst []float32, a float32, b []float32) {
			sameLength(len(dst), len(b))
			for i := range dst {
				dst[i] = f(a, b[i])
			}
		},
	}
}

// compare makes the three forms of a predicate.
func compare(f func(a, b float32) bool) Compare {
	return Compare{
		VV: func(dst []bool, a, b []float32) {
			sameLengths(len(dst), len(a), len(b))
			for i := range dst {
				dst[i] = f(a[i], b[i])
			}
		},
		VS: func(dst []bool, a []float32, b float32) {
			sameLength(len(dst), len(a))
			for i := range dst {
				dst[i] = f(a[i], b)
			}
		},
		SV: func(dst []bool, a float32, b []float32) {
			sameLength(len(dst), len(b))
			for i := range dst {
				dst[i] = f(a, b[i])
			}
		},
	}
}

// The commonest operations have loops of their own, without a call for each element.

func addVV(dst, a, b []float32) {
	sameLengths(len(dst), len(a), len(b))
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func addVS(dst, a []float32, b float32) {
	sameLength(len(dst), len(a))
	for i := range dst {
		dst[i] = a[i] + b
	}
}

func mulVV(dst, a, b []float32) {
	sameLengths(len(dst), len(a), len(b))
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

func mulVS(dst, a []float32, b float32) {
	sameLength(len(dst), len(a))
	for i := range dst {
		dst[i] = a[i] * b
	}
}

func selectVV(dst []float32, cond []bool, a, b []float32) {
	sameLengths(len(dst), len(a), len(b))
	sameLength(len(dst), len(cond))
	for i, c := range cond {
		if c {
			dst[i] = a[i]
		} else {
			dst[i] = b[i]
		}
	}
}

func selectVS(dst []float32, cond []bool, a []float32, b float32) {
	sameLengths(len(dst), len(cond), len(a))
	for i, c := range cond {
		if c {
			dst[i] = a[i]
		} else {
			dst[i] = b
		}
	}
}

func selectSV(dst []float32, cond []bool, a float32, b []float32) {
	sameLengths(len(dst), len(cond), len(b))
	for i, c := range cond {
		if c {
			dst[i] = a
		} else {
			dst[i] = b[i]
		}
	}
}

func selectSS(dst []float32, cond []bool, a, b float32) {
	sameLength(len(dst), len(cond))
	for i, c := range cond {
		if c {
			dst[i] = a
		} else {
			dst[i] = b
		}
	}
}

func isFinite(dst []bool, x []float32) {
	sameLength(len(dst), len(x))
	for i, v := range x {
		dst[i] = abs32(v) < inf32
	}
}

func fill(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}

func fromBool(dst []float32, x []bool) {
	sameLength(len(dst), len(x))
	for i, v := range x {
		dst[i] = 0
		if v {
			dst[i] = 1
		}
	}
}

func fromInt32(dst []float32, x []int32) {
	sameLength(len(dst), len(x))
	for i, v := range x {
		dst[i] = float32(v)
	}
}

func toInt32(dst []int32, x []float32) {
	sameLength(len(dst), len(x))
	for i, v := range x {
		if v >= -0x1p31 && v < 0x1p31 {
			dst[i] = int32(v)
		} else {
			dst[i] = math.MinInt32
		}
	}
}
