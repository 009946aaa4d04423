package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// atEveryLevel runs the same test body with each set of kernels that this machine has.
func atEveryLevel(t *testing.T, body func(t *testing.T)) {
	for l := Generic; l <= Detected(); l++ {
		t.Run(l.String(), func(t *testing.T) {
			defer Use(l)()
			body(t)
		})
	}
}

// lengths are all up to 70, so every combination of unrolled loop, loop and tail, and some around a tile.
func lengths() []int {
	var list []int
	for n := range 71 {
		list = append(list, n)
	}
	return append(list, 127, 128, 129, 1000, 1007, 1008, 1009, 1023, 1024, 1025, 1041)
}

// same reports whether two float32 have equal bits or are both NaN.
func same(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// fenced is a slice between guard elements, at any alignment. The guards before and after it are made by newFenced,
// and still are what it made them as long as intact reports true.
type fenced[T any] struct {
	all, s []T
	guard  func(T) bool
}

const guards = 32

func newFenced[T any](n, offset int, guard T, isGuard func(T) bool) fenced[T] {
	all := make([]T, guards+offset+n+guards)
	for i := range all {
		all[i] = guard
	}
	return fenced[T]{all, all[guards+offset:][:n:n], isGuard}
}

func (g fenced[T]) intact() bool {
	from := len(g.all) - guards - len(g.s)
	for i, x := range g.all {
		if (i < from || i >= len(g.all)-guards) && !g.guard(x) {
			return false
		}
	}
	return true
}

func floats(n, offset int) fenced[float32] {
	const bits = 0x7fc0beef // a NaN, so that a guard that is read shows in the result
	return newFenced(n, offset, math.Float32frombits(bits), func(x float32) bool { return math.Float32bits(x) == bits })
}

// fillMixed fills x with ordinary values and, here and there, edges.
func fillMixed(r *rand.Rand, x []float32) {
	ends := edges()
	for i := range x {
		if x[i] = float32(r.NormFloat64() * 3); r.IntN(4) == 0 {
			x[i] = ends[r.IntN(len(ends))]
		}
	}
}

// unaryOracles are the exact operations; the functions with an error bound are in accuracies.
var unaryOracles = []struct {
	name   string
	kernel func(*Float32Table) Unary
	exact  func(x float64) float64
}{
	{"Neg", func(t *Float32Table) Unary { return t.Neg }, func(x float64) float64 { return -x }},
	{"Abs", func(t *Float32Table) Unary { return t.Abs }, math.Abs},
	{"Sign", func(t *Float32Table) Unary { return t.Sign }, func(x float64) float64 {
		if x == 0 || math.IsNaN(x) {
			return x
		}
		return math.Copysign(1, x)
	}},
	{"Sqrt", func(t *Float32Table) Unary { return t.Sqrt }, math.Sqrt},
	{"Floor", func(t *Float32Table) Unary { return t.Floor }, math.Floor},
	{"Round", func(t *Float32Table) Unary { return t.Round }, math.RoundToEven},
}

// TestUnary checks every length, alignment and aliasing of the unary kernels, that they write nothing else, and the
// values of those that are exact.
func TestUnary(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for _, f := range unaryOracles {
			checkUnary(t, f.name, f.kernel(Float32()), func(x float32) float32 { return float32(f.exact(float64(x))) })
		}
		for _, f := range accuracies {
			generic, one, y := f.kernel(&float32Generic), make([]float32, 1), make([]float32, 1)
			checkUnary(t, f.name, f.kernel(Float32()), func(x float32) float32 {
				one[0] = x
				generic(y, one)
				return y[0]
			})
		}
	})
}

func checkUnary(t *testing.T, name string, kernel Unary, want func(float32) float32) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range lengths() {
		x, y := floats(n, n%17), floats(n, n%5)
		fillMixed(r, x.s)
		in := append([]float32(nil), x.s...)
		kernel(y.s, x.s)
		kernel(x.s, x.s)
		for i, v := range in {
			if w := want(v); !same(y.s[i], w) || !same(x.s[i], w) {
				t.Fatalf("%s(%g) = %g, in place %g, want %g (element %d of %d)", name, v, y.s[i], x.s[i], w, i, n)
			}
		}
		if !x.intact() || !y.intact() {
			t.Fatalf("%s of %d elements wrote outside its result", name, n)
		}
	}
}

// TestLevelsAgree demands equal bits of every level from the functions whose results are rounded more than once.
func TestLevelsAgree(t *testing.T) {
	const step = 30011
	for l := AVX2; l <= Detected(); l++ {
		for _, f := range accuracies {
			want, got := make([]float32, 2048), make([]float32, 2048)
			patterns(step, func(x []float32) {
				f.kernel(&float32Generic)(want[:len(x)], x)
				f.kernel(float32Tables[l])(got[:len(x)], x)
				for i, v := range x {
					if !same(got[i], want[i]) {
						t.Fatalf("%s(%g (%x)) is %x at level %s and %x in plain Go", f.name, v, math.Float32bits(v),
							math.Float32bits(got[i]), l, math.Float32bits(want[i]))
					}
				}
			})
		}
	}
}

var binaryOracles = []struct {
	name   string
	kernel func(*Float32Table) Binary
	exact  func(a, b float64) float64
}{
	// float64 has more than twice the bits of float32, so rounding twice is rounding once.
	{"Add", func(t *Float32Table) Binary { return t.Add }, func(a, b float64) float64 { return a + b }},
	{"Sub", func(t *Float32Table) Binary { return t.Sub }, func(a, b float64) float64 { return a - b }},
	{"Mul", func(t *Float32Table) Binary { return t.Mul }, func(a, b float64) float64 { return a * b }},
	{"Div", func(t *Float32Table) Binary { return t.Div }, func(a, b float64) float64 { return a / b }},
	{"Pow", func(t *Float32Table) Binary { return t.Pow }, math.Pow},
	{"Max", func(t *Float32Table) Binary { return t.Max }, func(a, b float64) float64 {
		if a == 0 && b == 0 {
			return b
		}
		return math.Max(a, b)
	}},
	{"Min", func(t *Float32Table) Binary { return t.Min }, func(a, b float64) float64 {
		if a == 0 && b == 0 {
			return b
		}
		return math.Min(a, b)
	}},
}

func TestBinary(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for _, f := range binaryOracles {
			checkBinary(t, f.name, f.kernel(Float32()), func(a, b float32) float32 {
				if f.name == "Max" || f.name == "Min" { // math.Max(NaN, Inf) is Inf, ours is NaN
					if a != a || b != b {
						return nan32
					}
				}
				return float32(f.exact(float64(a), float64(b)))
			})
		}
	})
}

func checkBinary(t *testing.T, name string, kernel Binary, want func(a, b float32) float32) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	scalar := make([]float32, 1)
	for _, n := range lengths() {
		a, b, y := floats(n, n%17), floats(n, n%7), floats(n, n%5)
		fillMixed(r, a.s)
		fillMixed(r, b.s)
		fillMixed(r, scalar)
		for i := range min(n, 40) {
			if r.IntN(3) == 0 {
				b.s[i] = a.s[i]
			}
		}
		s := scalar[0]
		inA, inB := append([]float32(nil), a.s...), append([]float32(nil), b.s...)
		check := func(form string, got []float32, left, right func(i int) float32) {
			t.Helper()
			for i := range n {
				if w := want(left(i), right(i)); !same(got[i], w) {
					t.Fatalf("%s.%s(%g, %g) = %g, want %g (element %d of %d)", name, form, left(i), right(i), got[i], w, i, n)
				}
			}
			if !a.intact() || !b.intact() || !y.intact() {
				t.Fatalf("%s.%s of %d elements wrote outside its result", name, form, n)
			}
			copy(a.s, inA)
			copy(b.s, inB)
		}
		ofA, ofB := func(i int) float32 { return inA[i] }, func(i int) float32 { return inB[i] }
		ofS := func(int) float32 { return s }
		kernel.VV(y.s, a.s, b.s)
		check("VV", y.s, ofA, ofB)
		kernel.VV(a.s, a.s, b.s)
		check("VV into a", a.s, ofA, ofB)
		copy(a.s, inA)
		kernel.VV(b.s, a.s, b.s)
		check("VV into b", b.s, ofA, ofB)
		kernel.VV(a.s, a.s, a.s)
		check("VV of a, a into a", a.s, ofA, ofA)
		kernel.VS(y.s, a.s, s)
		check("VS", y.s, ofA, ofS)
		kernel.VS(a.s, a.s, s)
		check("VS into a", a.s, ofA, ofS)
		kernel.SV(y.s, s, b.s)
		check("SV", y.s, ofS, ofB)
		kernel.SV(b.s, s, b.s)
		check("SV into b", b.s, ofS, ofB)
	}
}

// TestSquares checks that the short way to a square is the long one.
func TestSquares(t *testing.T) {
	patterns(100_003, func(x []float32) {
		y := make([]float32, len(x))
		Float32().Pow.VS(y, x, 2)
		for i, v := range x {
			if want := float32(math.Pow(float64(v), 2)); !same(y[i], want) {
				t.Fatalf("Pow(%g, 2) = %g, want %g", v, y[i], want)
			}
		}
	})
}

func TestPowSpecialCases(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range [][3]float64{{2, 10, 1024}, {-2, 3, -8}, {-2, 2, 4}, {-8, 0.5, math.NaN()}, {0, 0, 1}, {math.NaN(), 0, 1},
		{1, math.NaN(), 1}, {0, -1, inf}, {math.Copysign(0, -1), -1, -inf}, {math.Copysign(0, -1), 3, math.Copysign(0, -1)},
		{-1, inf, 1}, {0.5, inf, 0}, {0.5, -inf, inf}, {-inf, 3, -inf}, {-inf, -3, math.Copysign(0, -1)}, {3, -200, 0}, {3, 200, inf}} {
		y := []float32{0}
		Float32().Pow.VV(y, []float32{float32(c[0])}, []float32{float32(c[1])})
		if !same(y[0], float32(c[2])) {
			t.Errorf("Pow(%g, %g) = %g, want %g", c[0], c[1], y[0], c[2])
		}
	}
}
