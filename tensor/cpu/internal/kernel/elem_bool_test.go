package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func bools(n, offset int) fenced[bool] {
	return newFenced(n, offset, true, func(x bool) bool { return x })
}

func fillBools(r *rand.Rand, x []bool) {
	for i := range x {
		x[i] = r.IntN(2) == 0
	}
}

func TestCompare(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for _, f := range []struct {
			name   string
			kernel Compare
			want   func(a, b float64) bool
		}{
			{"Less", Float32().Less, func(a, b float64) bool { return a < b }},
			{"LessEqual", Float32().LessEqual, func(a, b float64) bool { return a <= b }},
			{"Equal", Float32().Equal, func(a, b float64) bool { return a == b }},
			{"NotEqual", Float32().NotEqual, func(a, b float64) bool { return a != b }},
		} {
			r := rand.New(rand.NewPCG(5, 6))
			for _, n := range lengths() {
				a, b, y, s := floats(n, n%17), floats(n, n%7), bools(n, n%5), make([]float32, 1)
				fillMixed(r, a.s)
				fillMixed(r, b.s)
				fillMixed(r, s)
				for i := range n {
					if r.IntN(3) == 0 {
						b.s[i] = a.s[i]
					}
					if r.IntN(5) == 0 {
						a.s[i], b.s[i] = s[0], s[0]
					}
				}
				check := func(form string, want func(i int) bool) {
					t.Helper()
					for i, got := range y.s {
						if got != want(i) {
							t.Fatalf("%s.%s(%g, %g) = %t with scalar %g (element %d of %d)", f.name, form, a.s[i], b.s[i], got, s[0], i, n)
						}
					}
					if !y.intact() {
						t.Fatalf("%s.%s of %d elements wrote outside its result", f.name, form, n)
					}
				}
				f.kernel.VV(y.s, a.s, b.s)
				check("VV", func(i int) bool { return f.want(float64(a.s[i]), float64(b.s[i])) })
				f.kernel.VS(y.s, a.s, s[0])
				check("VS", func(i int) bool { return f.want(float64(a.s[i]), float64(s[0])) })
				f.kernel.SV(y.s, s[0], b.s)
				check("SV", func(i int) bool { return f.want(float64(s[0]), float64(b.s[i])) })
			}
		}
	})
}

func TestSelect(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		k := Float32().Select
		for _, n := range lengths() {
			a, b, y, cond := floats(n, n%17), floats(n, n%7), floats(n, n%5), bools(n, n%3)
			fillMixed(r, a.s)
			fillMixed(r, b.s)
			fillBools(r, cond.s)
			inA, inB := append([]float32(nil), a.s...), append([]float32(nil), b.s...)
			const sa, sb = 1.5, -2.5
			check := func(form string, got []float32, left, right func(i int) float32) {
				t.Helper()
				for i, c := range cond.s {
					want := right(i)
					if c {
						want = left(i)
					}
					if !same(got[i], want) {
						t.Fatalf("%s(%t, %g, %g) = %g (element %d of %d)", form, c, left(i), right(i), got[i], i, n)
					}
				}
				if !a.intact() || !b.intact() || !y.intact() || !cond.intact() {
					t.Fatalf("%s of %d elements wrote outside its result", form, n)
				}
				copy(a.s, inA)
				copy(b.s, inB)
			}
			ofA, ofB := func(i int) float32 { return inA[i] }, func(i int) float32 { return inB[i] }
			ofSA, ofSB := func(int) float32 { return sa }, func(int) float32 { return sb }
			k.VV(y.s, cond.s, a.s, b.s)
			check("VV", y.s, ofA, ofB)
			k.VV(a.s, cond.s, a.s, b.s)
			check("VV into a", a.s, ofA, ofB)
			k.VV(b.s, cond.s, a.s, b.s)
			check("VV into b", b.s, ofA, ofB)
			k.VS(y.s, cond.s, a.s, sb)
			check("VS", y.s, ofA, ofSB)
			k.VS(a.s, cond.s, a.s, sb)
			check("VS into a", a.s, ofA, ofSB)
			k.SV(y.s, cond.s, sa, b.s)
			check("SV", y.s, ofSA, ofB)
			k.SV(b.s, cond.s, sa, b.s)
			check("SV into b", b.s, ofSA, ofB)
			k.SS(y.s, cond.s, sa, sb)
			check("SS", y.s, ofSA, ofSB)
		}
	})
}

func TestConversions(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		k := Float32()
		for _, n := range lengths() {
			x, y, b := floats(n, n%17), floats(n, n%7), bools(n, n%3)
			ints := newFenced(n, n%5, int32(-77), func(i int32) bool { return i == -77 })
			fillMixed(r, x.s)
			k.ToInt32(ints.s, x.s)
			for i, v := range x.s {
				want := int32(math.MinInt32)
				if d := math.Trunc(float64(v)); math.Abs(d) < 1<<31 {
					want = int32(d)
				}
				if ints.s[i] != want {
					t.Fatalf("ToInt32(%g) = %d, want %d", v, ints.s[i], want)
				}
			}
			for i := range ints.s {
				ints.s[i] = int32(r.Uint32()) >> r.IntN(31)
			}
			k.FromInt32(y.s, ints.s)
			for i, v := range ints.s {
				if y.s[i] != float32(float64(v)) {
					t.Fatalf("FromInt32(%d) = %g", v, y.s[i])
				}
			}
			k.IsFinite(b.s, x.s)
			for i, v := range x.s {
				if d := float64(v); b.s[i] != !(math.IsInf(d, 0) || math.IsNaN(d)) {
					t.Fatalf("IsFinite(%g) = %t", v, b.s[i])
				}
			}
			k.FromBool(y.s, b.s)
			for i, v := range b.s {
				if y.s[i] != map[bool]float32{false: 0, true: 1}[v] {
					t.Fatalf("FromBool(%t) = %g", v, y.s[i])
				}
			}
			if !x.intact() || !y.intact() || !b.intact() || !ints.intact() {
				t.Fatalf("a conversion of %d elements wrote outside its result", n)
			}
			k.Fill(y.s, 2.5)
			for i, v := range y.s {
				if v != 2.5 {
					t.Fatalf("Fill: element %d of %d is %g", i, n, v)
				}
			}
			if !y.intact() {
				t.Fatalf("Fill of %d elements wrote outside its result", n)
			}
		}
	})
}

// TestLengthsMustAgree checks that a kernel refuses operands of different lengths instead of reading beyond one.
func TestLengthsMustAgree(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		k, a, b := Float32(), make([]float32, 20), make([]float32, 19)
		for name, call := range map[string]func(){
			"Exp":       func() { k.Exp(a, b) },
			"Add.VV":    func() { k.Add.VV(a, a, b) },
			"Sub.SV":    func() { k.Sub.SV(b, 1, a) },
			"Less.VS":   func() { k.Less.VS(make([]bool, 20), b, 1) },
			"Select.SS": func() { k.Select.SS(a, make([]bool, 19), 1, 2) },
			"RowSum":    func() { k.RowSum(a, b, 20, 1) },
			"ColSum":    func() { k.ColSum(a, b, 1, 20) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s took operands of different lengths", name)
					}
				}()
				call()
			}()
		}
	})
}

// TestNoAllocation checks that kernels allocate nothing.
func TestNoAllocation(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		k, x, y, c, index := Float32(), make([]float32, 1000), make([]float32, 1000), make([]bool, 1000), make([]int32, 100)
		words, h := make([]uint32, 1000), adamHyper(1e-3, 0.9, 0.999, 1e-8, 0, 1)
		for name, call := range map[string]func(){
			"Exp":     func() { k.Exp(y, x) },
			"Sin":     func() { k.Sin(y, x) },
			"Add":     func() { k.Add.VV(y, x, x) },
			"Pow":     func() { k.Pow.VS(y, x, 2) },
			"Less":    func() { k.Less.VS(c, x, 1) },
			"Select":  func() { k.Select.VS(y, c, x, 1) },
			"RowSum":  func() { k.RowSum(y[:100], x, 100, 10) },
			"ArgMax":  func() { k.ArgMax(index, x, 100, 10) },
			"ColSum":  func() { k.ColSum(y[:10], x, 100, 10) },
			"ColMax":  func() { k.ColMax(y[:10], x, 100, 10) },
			"Adam":    func() { k.Adam(x, y, x, x, y, x, y, &h) },
			"Bits":    func() { Random().Bits(words, [2]uint32{}, 1, 1) },
			"Uniform": func() { Random().Uniform(x, [2]uint32{}, 1, 1) },
			"Normal":  func() { Random().Normal(x, [2]uint32{}, 1, 1) },
		} {
			if n := testing.AllocsPerRun(10, call); n != 0 {
				t.Errorf("%s allocates %g times", name, n)
			}
		}
	})
}
