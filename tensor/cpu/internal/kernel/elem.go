package kernel

//go:generate go run -C _gen ./elem -out ../elem_amd64.s -stubs ../elem_amd64.go -tables ../elem_tables_amd64.go -pkg kernel

// This file says what every elementwise kernel computes. A kernel reads its operands and writes dst, all of the same
// length (it panics otherwise), of any length and alignment. dst may be the very same slice as an operand; any other
// overlap is a fault of the caller. No kernel allocates. Assembly cannot be preempted, so callers split operands of more
// than some 100,000 elements.
//
// Every level computes the same sequence of exactly rounded operations, so results are equal bit for bit, with one
// exception: a result that is NaN is NaN at every level, but its sign and payload are not defined.

// Unary is a kernel dst[i] = f(x[i]).
type Unary func(dst, x []float32)

// Binary is a kernel dst[i] = f(a[i], b[i]) in its three forms: V stands for a vector operand, S for a scalar.
type Binary struct {
	VV func(dst, a, b []float32)
	VS func(dst, a []float32, b float32)
	SV func(dst []float32, a float32, b []float32)
}

// Compare is a predicate dst[i] = f(a[i], b[i]) in the same three forms.
type Compare struct {
	VV func(dst []bool, a, b []float32)
	VS func(dst []bool, a []float32, b float32)
	SV func(dst []bool, a float32, b []float32)
}

// Select is dst[i] = a[i] if cond[i], else b[i], in its four forms.
type Select struct {
	VV func(dst []float32, cond []bool, a, b []float32)
	VS func(dst []float32, cond []bool, a []float32, b float32)
	SV func(dst []float32, cond []bool, a float32, b []float32)
	SS func(dst []float32, cond []bool, a, b float32)
}

// Float32Table is the set of float32 kernels of one level. Error bounds are in units in the last place of the result
// (one ulp is the distance between the two neighbours that enclose the true value); they hold for
// subnormal results too, and were checked on every 11th float32.
type Float32Table struct {
	Neg   Unary // -x, also for zeros and NaN
	Abs   Unary // |x|
	Sign  Unary // 1 if x > 0, -1 if x < 0, otherwise x itself: a zero keeps its sign, NaN stays NaN
	Sqrt  Unary // √x, correctly rounded
	Rsqrt Unary // 1/√x within 1.5 ulp, both operations correctly rounded; Rsqrt(±0) = ±Inf
	Floor Unary // the largest integer not above x
	Round Unary // the nearest integer, halves to even

	Exp      Unary // e^x within 0.9 ulp
	Expm1    Unary // e^x - 1 within 1.2 ulp; keeps the sign of zero
	Log      Unary // ln x within 0.9 ulp; Log(±0) = -Inf, NaN below 0
	Log1p    Unary // ln(1+x) within 0.95 ulp; Log1p(-1) = -Inf, NaN below -1; keeps the sign of zero
	Tanh     Unary // within 1.6 ulp; keeps the sign of zero
	Sigmoid  Unary // 1/(1+e^-x) within 1.6 ulp, subnormal results for x < -87.3 included
	Softplus Unary // ln(1+e^x) = max(x,0) + ln(1+e^-|x|) within 1.8 ulp
	Erf      Unary // within 1.3 ulp; keeps the sign of zero
	Sin, Cos Unary // within 1.7 ulp; NaN for an infinite x; slower where some |x| > 2^15

	Add, Sub, Mul, Div Binary // IEEE 754, correctly rounded

	// Pow is C99's pow: Pow(x, ±0) = Pow(1, y) = 1 even for NaN; a negative x gives NaN unless y is an integer. Within
	// 1 ulp, through float64 at every level.
	Pow Binary

	// Max is a if a > b or a is NaN, else b; Min is a if a < b or a is NaN, else b. So a NaN in either operand gives
	// NaN, and of two zeros the second is returned, whatever the signs.
	Min, Max Binary

	// The comparisons are IEEE 754's: with a NaN all but NotEqual are false, and -0 equals +0.
	Less, LessEqual, Equal, NotEqual Compare

	IsFinite func(dst []bool, x []float32) // neither infinite nor NaN
	Select   Select

	Fill      func(dst []float32, v float32)
	FromBool  func(dst []float32, x []bool)  // 1 if x[i], else 0
	FromInt32 func(dst []float32, x []int32) // rounded to nearest, halves to even
	ToInt32   func(dst []int32, x []float32) // rounded towards zero; math.MinInt32 if that does not fit, or x is NaN

	// RowSum and RowMax reduce each row of x, which is (rows, cols) and contiguous, to one element of dst. The sum of no
	// columns is 0 and their maximum -Inf. See reduce.go for the order, and for ArgMax, which is a method.
	RowSum, RowMax func(dst, x []float32, rows, cols int)

	// ColSum computes dst[j] = Σ_i x[i·ldx+j] for i < rows, j < len(dst), and ColMax their maximum. The sum of no rows is
	// 0 and their maximum -Inf.
	ColSum, ColMax func(dst, x []float32, rows, ldx int)

	// ColSumOn and ColMaxOn join the rows to what dst holds, in one chain. If dst is filled with 0 or -Inf and then given
	// the rows of a part in the order of ColSum, see ColPart, in one call or several, then ColSum of the results of all
	// ColParts parts is ColSum of all rows.
	ColSumOn, ColMaxOn func(dst, x []float32, rows, ldx int)

	// Adam is a step of the optimiser, see adam. Each of p1, m1 and v1 may be the very same slice as p, m and v.
	Adam func(p1, m1, v1, p, m, v, g []float32, h *AdamHyper)

	// MaxPoolIndex sets index[i·Channels+c] to the position in x of the greatest element of channel c in window i: the
	// first of equals. A NaN counts as greatest, so the first NaN wins.
	MaxPoolIndex func(index []int32, x []float32, r *PoolRun)

	// MaxPool is MaxPoolIndex that also sets value[i·Channels+c] to that element.
	MaxPool func(value []float32, index []int32, x []float32, r *PoolRun)

	// MaxPoolValue is MaxPool without the index.
	MaxPoolValue func(value, x []float32, r *PoolRun)

	// MaxUnpool is the gradient of MaxPool for windows that do not overlap (it panics if they do). It writes every
	// pixel of every window and nothing else, reading no element of dst: where index[i·Channels+c] is the position in
	// dst of the element of channel c in window i, that element becomes 0 + y[i·Channels+c], and any other +0. So runs
	// that tile an image write the whole of it, with the bits of clearing it and adding each y[i] where index[i] points; elements between or beyond
	// the windows are for the caller to clear. Nothing is written for an index outside its own window.
	MaxUnpool func(dst, y []float32, index []int32, r *PoolRun)
}

// Float32 returns the kernels of the active level. Fetch it once for a plan, not once for a call.
func Float32() *Float32Table { return float32Tables[Active()] }

// sameLength panics unless two operands are equally long.
func sameLength(a, b int) {
	if a != b {
		panicLength()
	}
}

// sameLengths panics unless three operands are equally long.
func sameLengths(a, b, c int) {
	if a != b || a != c {
		panicLength()
	}
}

func panicLength() { panic("kernel: operands of different lengths") }
