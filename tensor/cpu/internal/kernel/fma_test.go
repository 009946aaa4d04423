package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestFMA32 compares with exact arithmetic on operands that make ties, cancellation, overflow and subnormal results.
func TestFMA32(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	random := func() float32 { return math.Float32frombits(r.Uint32()) }
	short := func() float32 { // few bits, so that ties are common
		return float32(math.Ldexp(float64(r.IntN(64)-32), r.IntN(60)-30))
	}
	for range 200_000 {
		a, b, c := random(), random(), random()
		switch r.IntN(4) {
		case 0:
			a, b, c = short(), short(), short()
		case 1: // near cancellation
			a, b = 1+float32(r.IntN(1<<12))*0x1p-23, 1+float32(r.IntN(1<<12))*0x1p-23
			c = -a * b
		case 2: // a product near the subnormal numbers
			a, b, c = a*0x1p-60, short()*0x1p-80, short()*0x1p-140
		}
		got := fma32(a, b, c)
		if want := exactFMA(a, b, c); !same(got, want) {
			t.Fatalf("fma32(%g, %g, %g) = %g (%x), want %g (%x)", a, b, c, got, math.Float32bits(got), want, math.Float32bits(want))
		}
	}
}

func exactFMA(a, b, c float32) float32 {
	x, y, z := float64(a), float64(b), float64(c)
	if special := x*y + z; math.IsInf(special, 0) || math.IsNaN(special) || x*y == 0 || x*y == -z {
		return float32(special) // exact, or not finite
	}
	wide := func(v float64) *big.Float { return new(big.Float).SetPrec(1200).SetFloat64(v) }
	s := wide(x)
	s.Mul(s, wide(y))
	s.Add(s, wide(z))
	f, _ := s.Float32()
	return f
}
