package kernel

import "math"

// Elementary functions of one float32, in plain Go. The assembly performs the same operations in the same order, lane
// by lane. Products that feed a sum are written float32(a*b)+c, since Go may otherwise fuse them on some processors.
// The polynomial coefficients are weighted minimax fits on the stated interval, rounded to float32.

const (
	log2e = 0x1.715476p+0 // 1/ln 2
	// ln2Hi has 16 significant bits, so its product with an exponent is exact; ln2Hi + ln2Lo = ln 2 to 2^-45.
	ln2Hi = 0x1.62e4p-1
	ln2Lo = 0x1.7f7d1cp-20
	// Beyond these limits e^x is +Inf, and rounds to 0.
	expMax, expMin = 89, -104
	// Below this limit e^x - 1 rounds to -1.
	expm1Min = -26

	sqrtHalfBits = 0x3f3504f3 // the bits of float32(√½)
	mantissaMask = 0x007fffff
	oneBits      = 0x3f800000
	signBit      = 0x80000000
	minNormal    = 0x1p-126
)

var (
	nan32 = float32(math.NaN())
	inf32 = float32(math.Inf(1))
)

// expQ approximates (e^r - 1 - r)/r² on |r| ≤ ½ ln 2, highest power first; e^r - 1 is then right to 2^-28.7.
var expQ = [6]float32{0x1.a032c2p-13, 0x1.6d723ep-10, 0x1.11118ap-7, 0x1.5554bp-5, 0x1.555554p-3, 0.5}

// logP approximates (ln(1+f) - f + f²/2)/f³ on [√½-1, √2-1], highest power first; ln(1+f) is then right to 2^-28.2.
var logP = [9]float32{0x1.14574p-4, -0x1.de3bf8p-4, 0x1.e6f08cp-4, -0x1.fc220ep-4, 0x1.233766p-3, -0x1.555c4ep-3,
	0x1.99a4b6p-3, -0x1.000006p-2, 0x1.555548p-2}

// tanhT approximates (tanh x - x)/x³ on |x| ≤ tanhSmall as a polynomial in x², highest power first; tanh x is then
// right to 2^-27.7.
var tanhT = [5]float32{-0x1.9b302ap-8, 0x1.593d02p-6, -0x1.b9287ap-5, 0x1.110d26p-3, -0x1.55554ap-2}

const tanhSmall = 0.55

// erfP approximates erf(x)/x - 1 on |x| ≤ erfSmall as a polynomial in x², and erfL approximates ln(1 - erf x) on
// [erfSmall, erfMax], both highest power first. Beyond erfMax, erf x rounds to 1.
var (
	erfP = [7]float32{0x1.6bdf4ap-14, -0x1.ae7f9p-11, 0x1.553abap-8, -0x1.b819a6p-6, 0x1.ce2e84p-4, -0x1.812744p-2, 0x1.06eba8p-3}
	erfL = [9]float32{-0x1.1633a2p-20, -0x1.e2d912p-18, 0x1.73d902p-12, -0x1.0089fap-8, 0x1.934942p-6, -0x1.b8f6dep-4,
		-0x1.4483cp-1, -0x1.211ad2p+0, 0x1.223606p-13}
)

const erfSmall, erfMax = 0.875, 4.1

// horner evaluates the polynomial c, highest power first, at x with one FMA a coefficient.
func horner(c []float32, x float32) float32 {
	y := c[0]
	for _, k := range c[1:] {
		y = fma32(y, x, k)
	}
	return y
}

// clamp32 limits x to [lo, hi] and lets NaN pass.
func clamp32(x, lo, hi float32) float32 {
	if lo > x {
		x = lo
	}
	if hi < x {
		x = hi
	}
	return x
}

// reduceExp splits x = n·ln 2 + r + c with an integer n, |r| ≤ ½ ln 2 nearly, and c the rounding error of r.
func reduceExp(x float32) (n, r, c float32) {
	n = float32(math.RoundToEven(float64(x * log2e)))
	h := fma32(n, -ln2Hi, x) // exact
	r = fma32(n, -ln2Lo, h)
	return n, r, fma32(n, -ln2Lo, h-r)
}

// expTail returns e^(r+c) - 1 - r = r²·Q(r) + c, nearly.
func expTail(r, c float32) float32 { return fma32(float32(r*r), horner(expQ[:], r), c) }

// pow2 returns 2^n for an integer -126 ≤ n ≤ 127.
func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

// exp32 returns e^x = 2^n·(1 + (r + t)), where t is expTail. The scaling by 2^n is done in two steps, of which only the last
// rounds, so that subnormal results are rounded once.
func exp32(x float32) float32 {
	n, r, c := reduceExp(clamp32(x, expMin, expMax))
	if n != n {
		return x
	}
	y := 1 + (r + expTail(r, c))
	k := int32(n)
	half := k >> 1
	return float32(float32(y*pow2(half)) * pow2(k-half))
}

// expm132 returns e^x - 1 = (2^n·r + (2^n - 1)) + 2^n·t, where t is expTail. Where 2^n - 1 rounds to 2^n, the last
// term takes the 1.
func expm132(x float32) float32 {
	n, r, c := reduceExp(clamp32(x, expm1Min, expMax))
	if n != n {
		return x
	}
	s := pow2(int32(min(n, 127)))
	u := s - 1
	lost := (s - u) - 1
	y := fma32(s, r, u) + fma32(s, expTail(r, c), lost)
	if n > 127 { // 2^128 is out of range as a factor
		y += y
	}
	return copysign32(y, x)
}

// copysign32 returns |y| with the sign of x.
func copysign32(y, x float32) float32 {
	return math.Float32frombits(math.Float32bits(y)&^signBit | math.Float32bits(x)&signBit)
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ signBit) }

// splitLog writes a positive normal u as 2^e·(1+f) with √½ ≤ 1+f < √2; f is exact.
func splitLog(u float32) (e, f float32) {
	b := math.Float32bits(u) - sqrtHalfBits
	return float32(int32(b) >> 23), math.Float32frombits(b&mantissaMask+sqrtHalfBits) - 1
}

// joinLog returns e·ln 2 + ln(1+f) + d for a correction d below an ulp of the whole. The sum of the two largest terms,
// e·ln2Hi + f, is carried with its rounding error.
func joinLog(e, f, d float32) float32 {
	z := f * f
	y := float32(z * float32(f*horner(logP[:], f)))
	y = fma32(z, -0.5, y)
	y = fma32(e, ln2Lo, y) + d
	t := float32(e * ln2Hi)
	h := t + f
	return h + ((f - (h - t)) + y)
}

// log32 returns ln x. Subnormal numbers are first scaled by 2^23.
func log32(x float32) float32 {
	switch {
	case !(x < inf32):
		return x
	case x < 0:
		return nan32
	case x == 0:
		return -inf32
	case x < minNormal:
		e, f := splitLog(x * 0x1p23)
		return joinLog(e-23, f, 0)
	}
	e, f := splitLog(x)
	return joinLog(e, f, 0)
}

// log1p32 returns ln(1+x) = ln u + δ/u for the rounded sum u = 1+x and its exact rounding error δ (Knuth's TwoSum).
func log1p32(x float32) float32 {
	switch {
	case !(x < inf32):
		return x
	case x < -1:
		return nan32
	case x == -1:
		return -inf32
	}
	u := 1 + x
	b := u - 1
	d := (1 - (u - b)) + (x - b)
	e, f := splitLog(u)
	return copysign32(joinLog(e, f, d/u), x)
}

// tanh32 returns x + x³·T(x²) for |x| < 0.55, and otherwise ±(1 - 2t/(1+t)) with t = e^(-2|x|).
func tanh32(x float32) float32 {
	var y float32
	if a := abs32(x); a < tanhSmall {
		z := float32(x * x)
		y = fma32(float32(x*z), horner(tanhT[:], z), x)
	} else {
		t := exp32(-2 * a)
		y = 1 - float32(t+t)/(t+1)
	}
	return copysign32(y, x)
}

// erf32 returns x + x·P(x²) for |x| < 0.875, and otherwise ±(1 - e^L(|x|)).
func erf32(x float32) float32 {
	var y float32
	if a := abs32(x); a < erfSmall {
		y = fma32(x, horner(erfP[:], float32(x*x)), x)
	} else {
		y = 1 - exp32(horner(erfL[:], clamp32(a, 0, erfMax)))
	}
	return copysign32(y, x)
}

// sigmoid32 returns 1/(1+e^-x) as 1/(1+t), or t/(1+t) for negative x, with t = e^-|x|. The quotient is corrected for
// its own rounding error and for that of 1+t.
func sigmoid32(x float32) float32 {
	t := exp32(-abs32(x))
	numerator := float32(1)
	if x < 0 {
		numerator = t
	}
	u := 1 + t
	d := t - (u - 1) // 1 + t = u + d exactly
	inverse := 1 / u
	q := float32(numerator * inverse)
	remainder := fma32(-q, d, fma32(-q, u, numerator))
	return fma32(remainder, inverse, q)
}

// softplus32 returns ln(1+e^x) = max(x, 0) + ln(1+t) with t = e^-|x|.
func softplus32(x float32) float32 {
	if x != x {
		return x
	}
	t := exp32(-abs32(x))
	u := 1 + t
	e, f := splitLog(u)
	return max(x, 0) + joinLog(e, f, (t-(u-1))/u)
}

func sign32(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func sqrt32(x float32) float32  { return float32(math.Sqrt(float64(x))) }
func rsqrt32(x float32) float32 { return 1 / sqrt32(x) }
func floor32(x float32) float32 { return float32(math.Floor(float64(x))) }
func round32(x float32) float32 { return float32(math.RoundToEven(float64(x))) }

func pow32(a, b float32) float32 { return float32(math.Pow(float64(a), float64(b))) }

func max32(a, b float32) float32 {
	if a > b || a != a {
		return a
	}
	return b
}

func min32(a, b float32) float32 {
	if a < b || a != a {
		return a
	}
	return b
}
