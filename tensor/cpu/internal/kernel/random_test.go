package kernel

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestThreefry checks the known answers of threefry2x32 with 20 rounds that are published with the Random123 library of
// the paper's authors.
func TestThreefry(t *testing.T) {
	const ones = 0xffffffff
	for _, c := range []struct{ counter, key, want [2]uint32 }{
		{[2]uint32{0, 0}, [2]uint32{0, 0}, [2]uint32{0x6b200159, 0x99ba4efe}},
		{[2]uint32{ones, ones}, [2]uint32{ones, ones}, [2]uint32{0x1cb996fc, 0xbb002be7}},
		{[2]uint32{0x243f6a88, 0x85a308d3}, [2]uint32{0x13198a2e, 0x03707344}, [2]uint32{0xc4923a9c, 0x483df7a0}},
	} {
		atEveryLevel(t, func(t *testing.T) {
			var got [2]uint32
			if c.counter[0] >= 1<<31 { // beyond the blocks that positions reach
				got[0], got[1] = threefry(c.key, c.counter)
			} else {
				Random().Bits(got[:], c.key, c.counter[1], 2*c.counter[0])
			}
			if got != c.want {
				t.Errorf("threefry(%x, %x) = %x, want %x", c.key, c.counter, got, c.want)
			}
		})
	}
}

// TestRandomPositions demands that a value depends on key, stream and position only, whichever level and call make it.
func TestRandomPositions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := [2]uint32{rapid.Uint32().Draw(t, "key"), rapid.Uint32().Draw(t, "key")}
		stream := rapid.Uint32().Draw(t, "stream")
		position := rapid.Uint32().Draw(t, "position")
		if rapid.Bool().Draw(t, "near the end") {
			position = math.MaxUint32 - position%100
		}
		n := rapid.IntRange(0, 200).Draw(t, "length")
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		for l := Generic; l <= Detected(); l++ {
			table := randomTables[l]
			bits := newFenced(n, 3, uint32(7), func(x uint32) bool { return x == 7 })
			table.Bits(bits.s[:cut], key, stream, position)
			table.Bits(bits.s[cut:], key, stream, position+uint32(cut))
			uniform, normal := floats(n, 1), floats(n, 2)
			table.Uniform(uniform.s[:cut], key, stream, position)
			table.Uniform(uniform.s[cut:], key, stream, position+uint32(cut))
			table.Normal(normal.s[:cut], key, stream, position)
			table.Normal(normal.s[cut:], key, stream, position+uint32(cut))
			for i := range n {
				p := position + uint32(i)
				var block [2]uint32
				block[0], block[1] = threefry(key, [2]uint32{p / 2, stream})
				if bits.s[i] != block[p%2] {
					t.Fatalf("bits at position %d are %x at level %s, want %x", p, bits.s[i], l, block[p%2])
				}
				if want := float32(float64(block[p%2]>>8) / (1 << 24)); uniform.s[i] != want {
					t.Fatalf("uniform at position %d is %g at level %s, want %g", p, uniform.s[i], l, want)
				}
				var z [2]float32
				z[0], z[1] = boxMuller(block[0], block[1])
				if !same(normal.s[i], z[p%2]) {
					t.Fatalf("normal at position %d is %g at level %s, want %g", p, normal.s[i], l, z[p%2])
				}
			}
			if !bits.intact() || !uniform.intact() || !normal.intact() {
				t.Fatalf("a generator of %d values wrote outside its result at level %s", n, l)
			}
		}
	})
}

// TestBoxMuller compares with the formula in float64, also where the radius is greatest and zero and the angle is a
// multiple of a quarter turn.
func TestBoxMuller(t *testing.T) {
	words := []uint32{0, 1, 255, 256, 1 << 29, 1<<29 - 1, 1 << 30, 1<<30 + 1, 1 << 31, 3 << 30, 1<<32 - 1, 1<<32 - 256, 0x12345678}
	for range 20_000 {
		words = append(words, words[len(words)-1]*2654435761+12345)
	}
	for i, a := range words {
		for _, b := range []uint32{words[(i*7+3)%len(words)], words[i%13]} {
			x, y := boxMuller(a, b)
			radius := math.Sqrt(-2 * math.Log((float64(a>>8)+1)/(1<<24)))
			sin, cos := math.Sincos(2 * math.Pi * float64(b) / (1 << 32))
			// Four roundings of the radius and four of the angle's functions.
			if tol := 8 * 0x1p-24 * radius; !(math.Abs(float64(x)-radius*cos) <= tol) || !(math.Abs(float64(y)-radius*sin) <= tol) {
				t.Fatalf("boxMuller(%x, %x) = %g, %g, want %g, %g", a, b, x, y, radius*cos, radius*sin)
			}
		}
	}
}

// TestRandomDistributions checks the first four moments and the Kolmogorov-Smirnov distance of a million values, each
// within five standard errors; the seed is fixed, so the test always gives the same answer.
func TestRandomDistributions(t *testing.T) {
	const n = 1 << 20
	x := make([]float32, n)
	for _, c := range []struct {
		name     string
		generate func(dst []float32, key [2]uint32, stream, position uint32)
		// the mean of x, x², x³, x⁴, and their variances
		moments, variances [4]float64
		cdf                func(float64) float64
	}{
		{"Uniform", Random().Uniform, [4]float64{1. / 2, 1. / 3, 1. / 4, 1. / 5},
			[4]float64{1./3 - 1./4, 1./5 - 1./9, 1./7 - 1./16, 1./9 - 1./25}, func(x float64) float64 { return x }},
		{"Normal", Random().Normal, [4]float64{0, 1, 0, 3}, [4]float64{1, 2, 15, 96},
			func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }},
	} {
		c.generate(x, [2]uint32{1, 2}, 3, 0)
		var sum [4]float64
		for _, v := range x {
			p := 1.0
			for k := range sum {
				p *= float64(v)
				sum[k] += p
			}
		}
		for k, s := range sum {
			if z := (s/n - c.moments[k]) / math.Sqrt(c.variances[k]/n); !(math.Abs(z) <= 5) {
				t.Errorf("%s: moment %d is %g, want %g (%.1f standard errors)", c.name, k+1, s/n, c.moments[k], z)
			}
		}
		slices.Sort(x)
		distance := 0.0
		for i, v := range x {
			f := c.cdf(float64(v))
			distance = max(distance, f-float64(i)/n, float64(i+1)/n-f)
		}
		// P(√n·D > 2) = 2·exp(-8) for a correct generator; the grid of 2^-24 adds less than 0.001.
		if d := distance * math.Sqrt(n); !(d <= 2) {
			t.Errorf("%s: Kolmogorov-Smirnov √n·D = %g", c.name, d)
		}
	}
}

// TestRandomStreams checks that keys, streams and positions are not correlated: sums of products of values that differ
// in one of them stay within five standard errors.
func TestRandomStreams(t *testing.T) {
	const n = 1 << 16
	draw := func(key [2]uint32, stream, position uint32) []float32 {
		x := make([]float32, n)
		Random().Normal(x, key, stream, position)
		return x
	}
	base := draw([2]uint32{0, 0}, 0, 0)
	for name, other := range map[string][]float32{
		"key[0]": draw([2]uint32{1, 0}, 0, 0), "key[1]": draw([2]uint32{0, 1}, 0, 0),
		"stream": draw([2]uint32{0, 0}, 1, 0), "position": draw([2]uint32{0, 0}, 0, 1),
	} {
		s := 0.0
		for i, v := range base {
			s += float64(v) * float64(other[i])
		}
		if z := s / math.Sqrt(n); !(math.Abs(z) <= 5) {
			t.Errorf("values that differ in %s correlate: %.1f standard errors", name, z)
		}
	}
}
