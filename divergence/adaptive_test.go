package divergence

import (
	"context"
	"math"
	"testing"
)

// TestRules: the rules are exact for polynomials of their degrees, and no further.
func TestRules(t *testing.T) {
	degrees := [][2]int{{31, 19}, {7, 5}, {7, 5}}
	for i, r := range rules {
		dims := i + 1
		// All monomials x^a y^b z^c up to the degree.
		exact := func(weights []float64, degree int) float64 {
			worst := 0.0
			for a := 0; a <= degree; a++ {
				for b := 0; a+b <= degree && (b == 0 || dims > 1); b++ {
					for c := 0; a+b+c <= degree && (c == 0 || dims > 2); c++ {
						got, want := 0.0, 1.0
						for k, point := range r.points {
							got += weights[k] * math.Pow(point[0], float64(a)) * math.Pow(point[1], float64(b)) * math.Pow(point[2], float64(c))
						}
						for _, e := range []int{a, b, c} {
							if e%2 == 1 {
								want = 0
							}
							want /= float64(e + 1)
						}
						worst = max(worst, math.Abs(got-want))
					}
				}
			}
			return worst
		}
		for j, weights := range [][]float64{r.better, r.lesser} {
			degree := degrees[i][j]
			if worst := exact(weights, degree); !(worst <= 2e-15) {
				t.Errorf("rule of %d dimensions: degree %d is off by %g", dims, degree, worst)
			}
			if worst := exact(weights, degree+1); !(worst > 1e-12) {
				t.Errorf("rule of %d dimensions: degree %d is exact too", dims, degree+1)
			}
		}
	}
}

// TestAdaptive: known integrals, with singular ends, cusps, and infinite axes, lie within the bound of the error.
func TestAdaptive(t *testing.T) {
	inf := math.Inf(1)
	gauss := func(x []float64) float64 {
		s := 0.0
		for _, v := range x {
			s += v * v
		}
		return math.Exp(-s / 2)
	}
	cases := []struct {
		name      string
		axes      [][]float64
		f         func(x []float64) float64
		want      float64
		tolerance float64
	}{
		{"x^-0.9", [][]float64{{0, 1}}, func(x []float64) float64 { return math.Pow(x[0], -0.9) }, 10, 1e-12},
		{"log x", [][]float64{{0, 1}}, func(x []float64) float64 { return -math.Log(x[0]) }, 1, 1e-12},
		{"|x-1/3|", [][]float64{{0, 1}}, func(x []float64) float64 { return math.Abs(x[0] - 1.0/3) }, 5.0 / 18, 1e-12},
		{"step", [][]float64{{0, 1}}, func(x []float64) float64 {
			if x[0] < 1.0/3 {
				return 1
			}
			return 0
		}, 1.0 / 3, 1e-12},
		{"normal", [][]float64{{-inf, inf}}, gauss, math.Sqrt(2 * math.Pi), 1e-12},
		{"cauchy", [][]float64{{-inf, 5, inf}}, func(x []float64) float64 { return 1 / (1 + x[0]*x[0]) }, math.Pi, 1e-12},
		{"x^-1.1", [][]float64{{1, inf}}, func(x []float64) float64 { return math.Pow(x[0], -1.1) }, 10, 1e-12},
		{"normal 2", [][]float64{{-inf, -1, 1, inf}, {-inf, -1, 1, inf}}, gauss, 2 * math.Pi, 1e-8},
		{"normal 3", [][]float64{{-inf, -1, 1, inf}, {-inf, -1, 1, inf}, {-inf, -1, 1, inf}}, gauss, math.Pow(2*math.Pi, 1.5), 1e-6},
	}
	for _, c := range cases {
		dims := len(c.axes)
		evaluations := 0
		a := &adaptive{m: 1, lead: 1, tolerance: c.tolerance, most: 3_000_000, f: func(dst, x, logWeight []float64) error {
			for i := range dst {
				dst[i] = c.f(x[i*dims:(i+1)*dims]) * math.Exp(logWeight[i])
			}
			evaluations += len(dst)
			return nil
		}}
		axes := make([][]piece, dims)
		for j, points := range c.axes {
			axes[j] = piecesOf(points)
		}
		value, bound, err := a.integrate(context.Background(), axes)
		if err != nil {
			t.Fatal(err)
		}
		if off := math.Abs(value[0] - c.want); !(off <= bound[0]) || !(bound[0] <= c.tolerance*c.want) {
			t.Errorf("%s: %v ± %g with %d evaluations, expected %v: off by %g", c.name, value[0], bound[0], evaluations, c.want, off)
		}
		t.Logf("%s: %d evaluations, error %g, bound %g", c.name, evaluations, value[0]-c.want, bound[0])
	}
}
