package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// orderedProduct is the element that Gemm32 defines, by arbitrary-precision arithmetic: every fused multiply-add is
// computed exactly and rounded once to float32.
func orderedProduct(a, b []float32, old float32, accumulate bool) float32 {
	exact := func(x float32) *big.Float { return new(big.Float).SetPrec(600).SetFloat64(float64(x)) }
	k := len(a)
	blocks := int(math.Ceil(float64(k) / 384))
	block := 4 * int(math.Ceil(math.Ceil(float64(k)/float64(blocks))/4))
	total := old
	for p := 0; p < k; {
		var chain float32
		for end := min(k, p+block); p < end; p++ {
			sum := exact(a[p])
			sum.Mul(sum, exact(b[p])).Add(sum, exact(chain))
			chain, _ = sum.Float32()
		}
		if total += chain; !accumulate {
			total, accumulate = chain, true
		}
	}
	return total
}

func TestGemmOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	var ws Workspace
	for _, k := range []int{1, 2, 3, 7, 100, 383, 384, 385, 388, 769, 1200} {
		for _, accumulate := range []bool{false, true} {
			// Sizes that differ widely, so that every rounding shows.
			draw := func(n int) []float32 {
				v := make([]float32, n)
				for i := range v {
					v[i] = float32(math.Ldexp(rng.Float64()*2-1, rng.IntN(12)-6))
				}
				return v
			}
			const m, n = 3, 5
			a, b, old := draw(m*k), draw(n*k), draw(m*n)
			for _, l := range levels() {
				c := append([]float32(nil), old...)
				restore := Use(l)
				Gemm32(&ws, false, true, 0, m, 0, n, k, a, k, b, k, accumulate, c, n)
				restore()
				for i := range m {
					for j := range n {
						want := orderedProduct(a[i*k:][:k], b[j*k:][:k], old[i*n+j], accumulate)
						if got := c[i*n+j]; got != want {
							t.Fatalf("%v, k=%d, accumulate %v: C[%d,%d] = %v, want %v", l, k, accumulate, i, j, got, want)
						}
					}
				}
			}
		}
	}
}

// TestGemmSpecial: infinities, NaN, signed zeros and results below the normal range go through as IEEE 754 says.
func TestGemmSpecial(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	const tiny = 0x1p-149
	for _, c := range []struct {
		name string
		a, b []float32
		want float32
	}{
		{"inf", []float32{inf, 1}, []float32{1, -5}, inf},
		{"inf - inf", []float32{inf, -inf}, []float32{1, 1}, nan},
		{"0 * inf", []float32{0, 1}, []float32{inf, 1}, nan},
		{"nan", []float32{1, nan, 1}, []float32{1, 0, 1}, nan},
		{"overflow", []float32{0x1p127, 0x1p127}, []float32{1, 1}, inf},
		{"overflow avoided by the single rounding", []float32{-0x1p127, 0x1p100}, []float32{1, 0x1p28}, 0x1p127},
		{"subnormal", []float32{0x1p-100, 0x1p-100}, []float32{0x1p-49, 0x1p-49}, 2 * tiny},
		{"subnormal tie to even", []float32{tiny, 0x1p-100}, []float32{1, 0x1p-50}, 2 * tiny},
		{"subnormal above the tie", []float32{2 * tiny, 0x1p-100}, []float32{1, 0x1.000002p-50}, 3 * tiny},
		// Rounded to float64, the next three sums lie just half way between two float32.
		{"below a tie", []float32{1 + 0x1p-23, 0x1p-12 + 0x1p-35}, []float32{1, 0x1p-12 - 0x1p-35}, 1 + 0x1p-23},
		{"above a tie", []float32{1, 0x1p-12 + 0x1p-24}, []float32{1, 0x1p-12 - 0x1p-24 + 0x1p-36}, 1 + 0x1p-23},
		{"below a subnormal tie", []float32{0x1p-127 + tiny, 0x1p-75 + 0x1p-98}, []float32{1, 0x1p-75 - 0x1p-98}, 0x1p-127 + tiny},
		{"a zero from cancelling is positive", []float32{1, -1}, []float32{1, 1}, 0},
	} {
		for _, l := range levels() {
			var ws Workspace
			got := []float32{42}
			restore := Use(l)
			Gemm32(&ws, false, true, 0, 1, 0, 1, len(c.a), c.a, len(c.a), c.b, len(c.b), false, got, 1)
			restore()
			if math.Float32bits(got[0]) != math.Float32bits(c.want) && (got[0] == got[0] || c.want == c.want) {
				t.Errorf("%s, %v: %v, want %v", c.name, l, got[0], c.want)
			}
		}
	}
}
