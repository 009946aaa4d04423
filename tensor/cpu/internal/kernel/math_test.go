package kernel

import (
	"math"
	"testing"
)

// edges are float32 where the elementary functions change behaviour, and their neighbours.
func edges() []float32 {
	var list []float32
	for _, x := range []float64{0, 0x1p-149, 0x1p-126, 0x1p-64, 0x1p-25, 0x1p-24, 0x1p-12, 0.1, 0.25, 0.3465736, 0.4142135, 0.5,
		math.Sqrt2 / 2, 1, math.Sqrt2, 1.5, 2, 2.5, 3, 4, 9.01, 16, 17.33, 17.67, 24, 26, 32, 64, 87.3365, 88.3762, 88.7228, 88.72284, 89,
		103.2789, 103.9721, 104, 110, 128, 1 << 23, 1 << 24, 1 << 30, 1 << 31, 1 << 32, 0x1p64, 0x1p126, 0x1p127, math.MaxFloat32} {
		v := float32(x)
		list = append(list, v, math.Nextafter32(v, 0), math.Nextafter32(v, 2*v+1))
	}
	list = append(list, float32(math.Inf(1)), float32(math.NaN()))
	for _, v := range list[:len(list):len(list)] {
		list = append(list, -v)
	}
	return list
}

// patterns calls f with tiles that hold the edges and every step-th of the 2^32 float32, so all signs and exponents.
func patterns(step uint64, f func(x []float32)) {
	tile := edges()
	for b := uint64(0); b < 1<<32; b += step {
		tile = append(tile, math.Float32frombits(uint32(b)))
		if len(tile) >= 1024 {
			f(tile)
			tile = tile[:0]
		}
	}
	f(tile)
}

// ulpError is the distance of got from want in units of the spacing of float32 around want. An infinite got counts as
// 2^128, the next number if the exponent went on.
func ulpError(got float32, want float64) float64 {
	g := float64(got)
	switch {
	case math.IsNaN(want) || math.IsNaN(g):
		if math.IsNaN(want) && math.IsNaN(g) {
			return 0
		}
		return math.Inf(1)
	case g == want:
		return 0
	case math.IsInf(want, 0):
		return math.Inf(1)
	case math.IsInf(g, 0):
		g = math.Copysign(0x1p128, g)
		if math.Abs(want) > 0x1p128 && math.Signbit(g) == math.Signbit(want) {
			return 0
		}
	}
	_, e := math.Frexp(want) // |want| in [2^(e-1), 2^e)
	e = min(max(e-1, -126), 127)
	return math.Ldexp(math.Abs(g-want), 23-e)
}

func TestUlpError(t *testing.T) {
	next := math.Nextafter32(1, 2)
	for _, c := range []struct {
		got        float32
		want, ulps float64
	}{
		{1, 1, 0}, {next, 1, 1}, {1, 1 + 0x1p-24, 0.5}, {0, 0x1p-150, 0.5}, {math.MaxFloat32, 0x1p128, 1},
		{inf32, 1e40, 0}, {inf32, math.MaxFloat32, 1}, {1, math.NaN(), math.Inf(1)}, {nan32, 1, math.Inf(1)},
		{nan32, math.NaN(), 0}, {1, math.Inf(1), math.Inf(1)}, {-inf32, 1e40, math.Inf(1)},
	} {
		if e := ulpError(c.got, c.want); !(e == c.ulps || c.ulps == math.Inf(1) && e > 1e6) {
			t.Errorf("ulpError(%g, %g) = %g, want %g", c.got, c.want, e, c.ulps)
		}
	}
}

var accuracies = []struct {
	name   string
	kernel func(*Float32Table) Unary
	exact  func(float64) float64
	ulps   float64
}{
	{"Exp", func(t *Float32Table) Unary { return t.Exp }, math.Exp, 0.9},
	{"Expm1", func(t *Float32Table) Unary { return t.Expm1 }, math.Expm1, 1.2},
	{"Log", func(t *Float32Table) Unary { return t.Log }, math.Log, 0.9},
	{"Log1p", func(t *Float32Table) Unary { return t.Log1p }, math.Log1p, 0.95},
	{"Tanh", func(t *Float32Table) Unary { return t.Tanh }, math.Tanh, 1.6},
	{"Sigmoid", func(t *Float32Table) Unary { return t.Sigmoid }, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 1.6},
	{"Softplus", func(t *Float32Table) Unary { return t.Softplus },
		func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }, 1.8},
	{"Erf", func(t *Float32Table) Unary { return t.Erf }, math.Erf, 1.3},
	{"Sin", func(t *Float32Table) Unary { return t.Sin }, math.Sin, 1.7},
	{"Cos", func(t *Float32Table) Unary { return t.Cos }, math.Cos, 1.7},
	{"Sqrt", func(t *Float32Table) Unary { return t.Sqrt }, math.Sqrt, 0.5},
	{"Rsqrt", func(t *Float32Table) Unary { return t.Rsqrt }, func(x float64) float64 { return 1 / math.Sqrt(x) }, 1.5},
	{"Floor", func(t *Float32Table) Unary { return t.Floor }, math.Floor, 0},
	{"Round", func(t *Float32Table) Unary { return t.Round }, math.RoundToEven, 0},
	{"Abs", func(t *Float32Table) Unary { return t.Abs }, math.Abs, 0},
	{"Neg", func(t *Float32Table) Unary { return t.Neg }, func(x float64) float64 { return -x }, 0},
}

// TestAccuracy proves the error bounds that Float32Table states, over all exponents, against float64.
func TestAccuracy(t *testing.T) {
	const step = 4001
	for _, f := range accuracies {
		t.Run(f.name, func(t *testing.T) {
			kernel, y := f.kernel(Float32()), make([]float32, 2048)
			worst, at := 0.0, float32(0)
			patterns(step, func(x []float32) {
				y := y[:len(x)]
				kernel(y, x)
				for i, v := range x {
					want := f.exact(float64(v))
					if e := ulpError(y[i], want); !(e <= worst) {
						worst, at = e, v
					}
					if want == 0 && math.Signbit(want) != math.Signbit(float64(y[i])) {
						t.Fatalf("%s(%g) = %g, want %g: wrong sign of zero", f.name, v, y[i], want)
					}
				}
			})
			t.Logf("%s: at most %.3f ulp, at %g (%x)", f.name, worst, at, math.Float32bits(at))
			if !(worst <= f.ulps) {
				t.Errorf("%s is off by %g ulp at %g (%x), want at most %g", f.name, worst, at, math.Float32bits(at), f.ulps)
			}
		})
	}
}
