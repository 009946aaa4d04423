package kernel

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// linearCase is data for LinearFunctions and LinearGradient. h is also the weights r of the gradient, and b what it is added to.
type linearCase struct {
	rows, p, functions int
	x                  []float32
	mean, b, h         []float64
}

func newLinearCase(r *rand.Rand, rows, p, functions int) linearCase {
	c := linearCase{rows, p, functions, make([]float32, rows*p), make([]float64, p), make([]float64, functions*p), make([]float64, rows*functions)}
	for i := range c.x {
		c.x[i] = float32(r.NormFloat64())
	}
	for _, values := range [][]float64{c.mean, c.b, c.h} {
		for i := range values {
			values[i] = r.NormFloat64()
		}
	}
	return c
}

// run returns h and the gradient at a level, and fails where anything around them was written.
func (c linearCase) run(t *testing.T, l Level) (h, g []float64) {
	t.Helper()
	defer Use(l)()
	const margin = 9
	guarded := func(values []float64) []float64 {
		guard := slices.Repeat([]float64{7}, margin)
		return slices.Concat(guard, values, guard)
	}
	allH, allG := guarded(c.h), guarded(c.b)
	h, g = allH[margin:len(allH)-margin], allG[margin:len(allG)-margin]
	LinearFunctions(h, c.x, c.mean, c.b)
	LinearGradient(g, c.x, c.mean, c.h)
	for i := range margin {
		if allH[i] != 7 || allG[i] != 7 || allH[len(allH)-1-i] != 7 || allG[len(allG)-1-i] != 7 {
			t.Fatalf("%v: %d x %d by %d functions: wrote outside", l, c.rows, c.p, c.functions)
		}
	}
	return h, g
}

// checkLevels compares the bits of each level with those of plain Go, which it returns.
func (c linearCase) checkLevels(t *testing.T) (h, g []float64) {
	t.Helper()
	h, g = c.run(t, Generic)
	for _, l := range levels() {
		gotH, gotG := c.run(t, l)
		if err := errors.Join(sameBits(gotH, h), sameBits(gotG, g)); err != nil {
			t.Fatalf("%v, %d x %d by %d functions, then plain Go: %v", l, c.rows, c.p, c.functions, err)
		}
	}
	return h, g
}

// checkExact compares with sums of exact products.
func (c linearCase) checkExact(t *testing.T, h, g []float64) {
	t.Helper()
	centred := func(i, j int) float64 { return float64(c.x[i*c.p+j]) - c.mean[j] }
	for f := range c.functions {
		for i := range c.rows {
			s := newExactSum(c.h[i*c.functions+f])
			for j := range c.p {
				s.add(centred(i, j), c.b[f*c.p+j])
			}
			s.check(t, "h", h[i*c.functions+f])
		}
		for j := range c.p {
			s := newExactSum(c.b[f*c.p+j])
			for i := range c.rows {
				s.add(c.h[i*c.functions+f], centred(i, j))
			}
			s.check(t, "gradient", g[f*c.p+j])
		}
	}
}

// exactSum is a sum of products without rounding.
type exactSum struct {
	value *big.Float
	size  float64 // the sum of sizes
	terms int
}

func newExactSum(x float64) *exactSum {
	return &exactSum{new(big.Float).SetPrec(2000).SetFloat64(x), math.Abs(x), 0}
}

func (s *exactSum) add(x, y float64) {
	s.value.Add(s.value, new(big.Float).SetPrec(106).Mul(big.NewFloat(x), big.NewFloat(y)))
	s.size += math.Abs(x * y)
	s.terms++
}

// check allows a rounding of the sum of sizes for each term, and a few more.
func (s *exactSum) check(t *testing.T, what string, got float64) {
	t.Helper()
	if want, _ := s.value.Float64(); !(math.Abs(got-want) <= s.size*float64(s.terms+9)*0x1p-53) {
		t.Fatalf("%s of %d terms is %g, expected %g", what, s.terms, got, want)
	}
}

// TestLinear: LinearFunctions and LinearGradient for every remainder of rows, columns and functions, and around their blocks.
func TestLinear(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for rows := range 4 {
		for p := 1; p <= 34; p++ {
			for functions := range 22 {
				c := newLinearCase(r, rows, p, functions)
				h, g := c.checkLevels(t)
				c.checkExact(t, h, g)
			}
		}
	}
	for _, rows := range []int{linearRows, linearRows + 1, linearGradientRows, linearGradientRows + 5} {
		for _, p := range []int{7, linearColumns - 1, linearColumns, linearColumns + 9} {
			c := newLinearCase(r, rows, p, 1+r.IntN(12))
			h, g := c.checkLevels(t)
			c.checkExact(t, h, g)
		}
	}
}

// TestLinearSpecial: infinities, NaN and zeros give the same at every level.
func TestLinearSpecial(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.NaN()), math.MaxFloat32, math.SmallestNonzeroFloat32}
	for range 200 {
		c := newLinearCase(r, 1+r.IntN(4), 1+r.IntN(40), 1+r.IntN(12))
		for i := range c.x {
			if r.IntN(20) == 0 {
				c.x[i] = special[r.IntN(len(special))]
			}
		}
		c.checkLevels(t)
	}
}

// TestLinearLengths: slices that do not fit are refused.
func TestLinearLengths(t *testing.T) {
	for name, call := range map[string]func(){
		"h": func() {
			LinearFunctions(make([]float64, 3), make([]float32, 4), make([]float64, 2), make([]float64, 2))
		},
		"b": func() {
			LinearFunctions(make([]float64, 2), make([]float32, 4), make([]float64, 2), make([]float64, 3))
		},
		"x": func() {
			LinearFunctions(make([]float64, 2), make([]float32, 5), make([]float64, 2), make([]float64, 2))
		},
		"r":         func() { LinearGradient(make([]float64, 2), make([]float32, 4), make([]float64, 2), make([]float64, 3)) },
		"no column": func() { LinearGradient(nil, nil, nil, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: taken", name)
				}
			}()
			call()
		}()
	}
}
