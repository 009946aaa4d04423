package kernel

import "math"

// Coefficients for |r| ≤ π/4, highest power of r² first: sin r = r + r³·S(r²) to 2^-27.4 and
// cos r = 1 - r²/2 + r⁴·C(r²) to 2^-30.8, relative.
var (
	sinS = [3]float32{-0x1.994dd6p-13, 0x1.11075ep-7, -0x1.555546p-3}
	cosC = [3]float32{0x1.9a0192p-16, -0x1.6c0c8ap-10, 0x1.55554ap-5}
)

const (
	twoOverPi = 0x1.45f306p-1
	// halfPi1 + halfPi2 + halfPi3 = π/2 to 2^-76.
	halfPi1 = 0x1.921fb6p+0
	halfPi2 = -0x1.777a5cp-25
	halfPi3 = -0x1.ee59dap-50
	// Up to trigMax the quarter turn nearest to x is found in float32; beyond, sine and cosine go through float64.
	trigMax = 0x1p15
)

// sin32 returns sin x.
func sin32(x float32) float32 {
	switch a := abs32(x); {
	case x == 0:
		return x
	case a > trigMax || a != a:
		return float32(math.Sin(float64(x)))
	}
	s, _ := quarterSinCos(reduceQuarter(x))
	return s
}

// cos32 returns cos x.
func cos32(x float32) float32 {
	if a := abs32(x); a > trigMax || a != a {
		return float32(math.Cos(float64(x)))
	}
	_, c := quarterSinCos(reduceQuarter(x))
	return c
}

// reduceQuarter splits x = q·π/2 + r with an integer q, of which the lower two bits count, and |r| ≤ π/4 nearly (Cody
// and Waite; the first FMA is exact).
func reduceQuarter(x float32) (q uint32, r float32) {
	n := float32(math.RoundToEven(float64(x * twoOverPi)))
	r = fma32(n, -halfPi1, x)
	r = fma32(n, -halfPi2, r)
	return uint32(int32(n)), fma32(n, -halfPi3, r)
}

// quarterSinCos returns sine and cosine of q·π/2 + r.
func quarterSinCos(q uint32, r float32) (s, c float32) {
	z := float32(r * r)
	s = fma32(float32(r*z), horner(sinS[:], z), r)
	c = fma32(float32(z*z), horner(cosC[:], z), fma32(z, -0.5, 1))
	if q&1 == 1 {
		s, c = c, s
	}
	// The sine is negative in quarters 2 and 3, the cosine in 1 and 2.
	return flipSign(s, q&2), flipSign(c, (q+1)&2)
}

// flipSign negates x if bit is 2, and not if it is 0.
func flipSign(x float32, bit uint32) float32 {
	return math.Float32frombits(math.Float32bits(x) ^ bit<<30)
}
