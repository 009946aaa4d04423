package kernel

import "math"

// fma32 returns a·b + c rounded once, as the hardware's float32 FMA does, on every processor.
//
// The product of two float32 is exact in float64. The sum s of the product and c is rounded to odd: when s is inexact
// and its last bit is even, it moves one step towards the true value. A value rounded to odd at 53 bits rounds to
// 24 bits as the true value does (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms
// using rounding to odd", IEEE Transactions on Computers 57(4), 2008).
func fma32(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	z := float64(c)
	s := p + z
	// TwoSum (Knuth): p + z = s + e exactly, as long as s is finite.
	v := s - p
	e := (p - (s - v)) + (z - v)
	if e == 0 || e != e { // exact, or s is infinite or NaN
		return float32(s)
	}
	bits := math.Float64bits(s)
	if bits&1 == 0 {
		if (e > 0) == (s > 0) {
			bits++
		} else {
			bits--
		}
	}
	return float32(math.Float64frombits(bits))
}
