package divergence_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/divergence"
)

func parse(t testing.TB, text string) dist.Distribution {
	t.Helper()
	d, err := dist.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// params are those of the kinds that need some.
var params = divergence.Params{Alpha: 0.7, Bandwidth: 1.3}

// pairs are distributions that are near, far, of one kind and of different ones.
var pairs = [][2]string{
	{"normal(0,1)", "normal(1,2)"},
	{"normal(0,1)", "normal(1,1)"},
	{"normal(1,2)", "normal(0,0.7)"},
	{"normal(0,1)", "normal(0,1.001)"},
	{"normal(0,1)", "normal(9,0.5)"},
	{"normal(1e4,1)", "normal(10001,1.5)"},
	{"uniform(0,1)", "uniform(0,3)"},
	{"uniform(0,2)", "uniform(1,4)"},
	{"uniform(0,1)", "uniform(2,3)"},
	{"mvnormal([0,1],[[1,.5],[.5,2]])", "mvnormal([1,0],[[2,-.3],[-.3,1]])"},
	{"mvnormal([0,1],[[1,.5],[.5,2]])", "mvnormal([1,0],[[1,.5],[.5,2]])"},
	{"mvnormal([0,1,2],[[1,.5,0],[.5,2,.3],[0,.3,1]])", "mvnormal([1,0,2],[[2,0,.4],[0,1,0],[.4,0,1.5]])"},
	{"mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))", "mixture(0.5:normal(-1,1), 0.5:normal(2,2))"},
	{"mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))", "normal(1,2)"},
	{"exponential(1)", "exponential(3)"},
	{"exponential(2)", "exponential(1.5)"},
	{"gamma(2,1)", "gamma(3.5,2)"},
	{"gamma(0.5,1)", "gamma(0.5,2)"},
	{"gamma(0.3,1)", "gamma(0.6,2)"},
	{"beta(2,3)", "beta(4,1.5)"},
	{"beta(0.5,2)", "beta(0.7,3)"},
	{"laplace(0,1)", "laplace(1,2)"},
	{"laplace(2,1.5)", "laplace(0,1)"},
	{"laplace(2,1)", "laplace(0,1)"},
	{"lognormal(0,1)", "lognormal(0.5,0.8)"},
	{"cauchy(0,1)", "cauchy(2,3)"},
	{"logistic(0,1)", "logistic(1,2)"},
	{"student(9,0,1)", "student(9,1,2)"},
	{"poisson(4)", "poisson(7)"},
	{"poisson(0.01)", "poisson(300)"},
	{"geometric(0.3)", "geometric(0.6)"},
	{"geometric(0.01)", "geometric(0.011)"},
	{"product(normal(0,1),normal(1,2))", "product(normal(1,1),normal(0,1))"},
	{"product(normal(0,1),exponential(2))", "product(normal(1,2),exponential(3))"},
}

// TestClosedFormIsIntegral: wherever there is both a closed form and an integral, they agree to 1e-8, and within the bound.
func TestClosedFormIsIntegral(t *testing.T) {
	both := 0
	for _, pair := range pairs {
		p, q := parse(t, pair[0]), parse(t, pair[1])
		for _, kind := range divergence.Kinds() {
			if p.Dim() == 3 && kind != divergence.ReverseKL && kind != divergence.Hellinger {
				continue // they take a second each
			}
			exact, err := divergence.ClosedForm(kind, p, q, params)
			if errors.Is(err, divergence.ErrNoClosedForm) {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			integral, err := divergence.Integrate(context.Background(), kind, divergence.Of(p), divergence.Of(q), params)
			if errors.Is(err, divergence.ErrNoIntegral) {
				continue
			} else if errors.Is(err, divergence.ErrNotConverged) && math.IsInf(float64(exact), 1) {
				continue
			} else if err != nil {
				t.Errorf("%s || %s: %s is %v: %v", p, q, kind, exact, err)
				continue
			}
			both++
			off := math.Abs(integral.Value - float64(exact))
			if math.IsInf(float64(exact), 1) && math.IsInf(integral.Value, 1) {
				off = 0
			}
			if !(off <= integral.ErrorBound+1e-15*float64(exact)) || !(off <= 1e-8*max(1, float64(exact))) {
				t.Errorf("%s || %s: %s is %v, integral %v ± %g: off by %g", p, q, kind, exact, integral.Value, integral.ErrorBound, off)
			}
			t.Logf("%s || %s: %s is %v ± %.2g, off by %.2g", p, q, kind, exact, integral.ErrorBound, off)
		}
	}
	if both < 100 {
		t.Errorf("only %d comparisons", both)
	}
}
