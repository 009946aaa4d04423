package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// everyExponent calls f with tiles that hold, for each of the 256 exponents and both signs, so subnormal numbers,
// infinities and NaN too, several mantissas: the least, the greatest, and their neighbours, each single bit, and random
// ones.
func everyExponent(f func(x []float32)) {
	r := rand.New(rand.NewPCG(7, 7))
	tile := edges()
	for exponent := range uint32(256) {
		for _, sign := range []uint32{0, 1 << 31} {
			mantissas := []uint32{0, 1, 1<<23 - 1, 1<<23 - 2}
			for bit := range 23 {
				mantissas = append(mantissas, 1<<bit)
			}
			for range 40 {
				mantissas = append(mantissas, r.Uint32N(1<<23))
			}
			for _, m := range mantissas {
				tile = append(tile, math.Float32frombits(sign|exponent<<23|m))
			}
		}
		f(tile)
		tile = tile[:0]
	}
}

// TestUlpAtEveryLevel holds every function to the bound that Float32Table states, for every exponent of float32, with each
// set of kernels by itself. The oracle is math's function in float64, whose own error of at most a few units of 2^-53 is
// some 1e-8 ulp of float32; TestOracles shows that.
func TestUlpAtEveryLevel(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for _, f := range accuracies {
			y := make([]float32, 2048)
			kernel := f.kernel(Float32())
			everyExponent(func(x []float32) {
				y := y[:len(x)]
				kernel(y, x)
				for i, v := range x {
					if e := ulpError(y[i], f.exact(float64(v))); !(e <= f.ulps) {
						t.Fatalf("%s(%g (%x)) = %g, want %g within %g ulp, is off by %g", f.name, v, math.Float32bits(v), y[i], f.exact(float64(v)), f.ulps, e)
					}
				}
			})
		}
	})
}

// TestPowUlp holds Pow to 1 ulp: every exponent against exponents y that are whole, broken, tiny and huge, in all its forms.
func TestPowUlp(t *testing.T) {
	powers := []float32{0, 1, -1, 2, -2, 3, 0.5, -0.5, 0.1, 1.0 / 3, 7.25, -31.7, 127, 1 << 23, 1<<24 + 2, 1e-8, -1e-30, 1e30, inf32, -inf32, nan32}
	atEveryLevel(t, func(t *testing.T) {
		everyExponent(func(x []float32) {
			ys, vv, vs, sv := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
			for _, power := range powers {
				for i := range ys {
					ys[i] = power
				}
				Float32().Pow.VV(vv, x, ys)
				Float32().Pow.VS(vs, x, power)
				Float32().Pow.SV(sv, power, x)
				for i, v := range x {
					if e := ulpError(vv[i], math.Pow(float64(v), float64(power))); !(e <= 1) || !same(vv[i], vs[i]) {
						t.Fatalf("Pow(%g, %g) = %g, by a scalar %g, want %g", v, power, vv[i], vs[i], math.Pow(float64(v), float64(power)))
					}
					if e := ulpError(sv[i], math.Pow(float64(power), float64(v))); !(e <= 1) {
						t.Fatalf("Pow(%g, %g) = %g, want %g", power, v, sv[i], math.Pow(float64(power), float64(v)))
					}
				}
			}
		})
	})
}

// TestUlpTestNoticesNaN: a NaN where there is a number, and a number where there is NaN, exceed every bound.
func TestUlpTestNoticesNaN(t *testing.T) {
	for _, want := range []float64{0, 1, -1e-40, 1e38, math.Inf(1), math.Inf(-1)} {
		if e := ulpError(nan32, want); e <= 1e300 {
			t.Errorf("NaN is off by %g ulp from %g", e, want)
		}
	}
	for _, got := range []float32{0, 1, inf32} {
		if e := ulpError(got, math.NaN()); e <= 1e300 {
			t.Errorf("%g is off by %g ulp from NaN", got, e)
		}
	}
}

// TestOracles: the float64 functions that the kernels are judged by are within 2^-20 ulp of float32 of sums of the Taylor
// series of e^x, sin, cos and erf in 640 bits; the others follow by their definitions, and ln by Newton's method.
func TestOracles(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	compare := func(name string, x, got float64, want *big.Float) {
		t.Helper()
		w, _ := want.Float64()
		off := new(big.Float).Sub(want, number(got))
		d, _ := off.Float64()
		if math.Abs(w) < 0x1p-126 { // subnormal float32 have the spacing of the least normal ones
			w = 0x1p-126
		}
		if !(math.Abs(d) <= 0x1p-44*math.Abs(w)) {
			t.Errorf("%s(%v) = %v, want %v", name, x, got, want.Text('g', 25))
		}
	}
	one := number(1)
	// erf x = 2/√π Σ (−1)^n x^(2n+1) / (n! (2n+1)); √π/2 is the same series at 12, as erf 12 is 1 to 210 bits.
	root := errorSeries(12)
	of := func(f func(z *big.Float)) *big.Float { z := number(0); f(z); return z }
	for range 300 {
		x := float64(float32(math.Ldexp(r.Float64()*2-1, r.IntN(36)-29))) // up to 64, as little as 2^-29
		e, inverse := exponential(x), exponential(-x)
		double := exponential(2 * x)
		minus := of(func(z *big.Float) { z.Sub(e, one) })
		tanh := of(func(z *big.Float) {
			z.Quo(of(func(a *big.Float) { a.Sub(double, one) }), of(func(a *big.Float) { a.Add(double, one) }))
		})
		compare("Exp", x, math.Exp(x), e)
		compare("Expm1", x, math.Expm1(x), minus)
		compare("Tanh", x, math.Tanh(x), tanh)
		compare("sigmoid", x, 1/(1+math.Exp(-x)), of(func(z *big.Float) { z.Quo(one, of(func(a *big.Float) { a.Add(inverse, one) })) }))
		compare("softplus", x, math.Max(x, 0)+math.Log1p(math.Exp(-math.Abs(x))), logarithm(of(func(z *big.Float) { z.Add(e, one) })))
		if y := math.Abs(x); y > 0 {
			compare("Log", y, math.Log(y), logarithm(number(y)))
			compare("Log1p", y, math.Log1p(y), logarithm(of(func(z *big.Float) { z.Add(number(y), one) })))
		}
		if y := -math.Abs(x) / 65; y != 0 {
			compare("Log1p", y, math.Log1p(y), logarithm(of(func(z *big.Float) { z.Add(number(y), one) })))
		}
		compare("Sin", x, math.Sin(x), series(x, 1, 2))
		compare("Cos", x, math.Cos(x), series(x, 0, 2))
		if math.Abs(x) < 10 {
			compare("Erf", x, math.Erf(x), of(func(z *big.Float) { z.Quo(errorSeries(x), root) }))
		}
	}
}

const oracleBits = 640 // in erf 12 and e^−128 the terms exceed the sum by 2^208 and 2^370

func number(x float64) *big.Float { return new(big.Float).SetPrec(oracleBits).SetFloat64(x) }

// exponential is e^x.
func exponential(x float64) *big.Float { return series(x, 0, 1) }

// series is Σ s^j x^(first+step·j) / (first+step·j)!, with s = −1 for step 2: sine, cosine; and s = 1 for step 1: e^x.
func series(x float64, first, step int) *big.Float {
	sum, term, at := number(0), number(1), number(x)
	for n := 0; n < 40 || term.MantExp(nil) > -500; n++ {
		if n > 0 {
			term.Mul(term, at).Quo(term, number(float64(n)))
		}
		if term.Sign() == 0 && n > 0 {
			break
		}
		if n < first || (n-first)%step != 0 {
			continue
		}
		if step == 2 && (n-first)/2%2 == 1 {
			sum.Sub(sum, term)
		} else {
			sum.Add(sum, term)
		}
	}
	return sum
}

// errorSeries is √π/2 · erf x.
func errorSeries(x float64) *big.Float {
	sum, term, square := number(0), number(x), number(x)
	square.Mul(square, square)
	for n := 0; n < 40 || term.MantExp(nil) > -500; n++ {
		if n > 0 {
			term.Mul(term, square).Quo(term, number(float64(-n)))
		}
		if term.Sign() == 0 {
			break
		}
		sum.Add(sum, new(big.Float).SetPrec(oracleBits).Quo(term, number(float64(2*n+1))))
	}
	return sum
}

// logarithm is ln y for y > 0: l ← l + y·e^−l − 1 (Newton) from the float64 one.
func logarithm(y *big.Float) *big.Float {
	m := new(big.Float)
	e := y.MantExp(m)
	v, _ := m.Float64()
	l := number(math.Log(v)) // of the mantissa; the exponent follows with ln 2
	for range 3 {
		l = newton(l, new(big.Float).SetPrec(oracleBits).Set(m))
	}
	if e != 0 {
		half := number(math.Log(2))
		for range 3 {
			half = newton(half, number(2))
		}
		l.Add(l, half.Mul(half, number(float64(e))))
	}
	return l
}

// newton is a step towards ln y.
func newton(l, y *big.Float) *big.Float {
	sum, term := number(1), number(1)
	minus := new(big.Float).SetPrec(oracleBits).Neg(l)
	for n := 1; n < 40 || term.MantExp(nil) > -500; n++ {
		term.Mul(term, minus).Quo(term, number(float64(n)))
		if term.Sign() == 0 {
			break
		}
		sum.Add(sum, term)
	}
	sum.Mul(sum, y)
	sum.Add(sum, l)
	return sum.Sub(sum, number(1))
}
