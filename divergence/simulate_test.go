package divergence_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/divergence"
)

// truth is a divergence by its closed form, or by integration.
func truth(t testing.TB, k divergence.Kind, p, q dist.Distribution, o divergence.Params) float64 {
	t.Helper()
	v, err := divergence.ClosedForm(k, p, q, o)
	if err == nil {
		return float64(v)
	}
	i, err := divergence.Integrate(context.Background(), k, divergence.Of(p), divergence.Of(q), o)
	if err != nil {
		t.Fatal(err)
	}
	if !(i.ErrorBound <= 1e-7) {
		t.Fatalf("%s of %s and %s is %v ± %g", k, p, q, i.Value, i.ErrorBound)
	}
	return i.Value
}

// TestCoverage: over 400 seeds, intervals of 1.96 standard errors cover the true value in 92% to 98% of them.
func TestCoverage(t *testing.T) {
	const seeds, n = 400, 1000
	cases := []struct {
		p, q  string
		kinds []divergence.Kind
	}{
		{"normal(0,1)", "normal(1,2)", []divergence.Kind{divergence.KL, divergence.ReverseKL, divergence.Jeffreys, divergence.JS,
			divergence.JSDistance, divergence.TotalVariation, divergence.Hellinger, divergence.ChiSquare, divergence.Renyi,
			divergence.Bhattacharyya, divergence.Energy, divergence.MMD}},
		{"mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))", "normal(1,2)", []divergence.Kind{divergence.KL, divergence.ReverseKL, divergence.JS}},
		{"normal(0,1)", "student(3,0,1)", []divergence.Kind{divergence.KL, divergence.JS}},
		{"poisson(4)", "poisson(7)", []divergence.Kind{divergence.KL, divergence.TotalVariation}},
		{"mvnormal([0,1],[[1,.5],[.5,2]])", "mvnormal([1,0],[[2,-.3],[-.3,1]])", []divergence.Kind{divergence.KL, divergence.Hellinger}},
	}
	for _, c := range cases {
		p, q := parse(t, c.p), parse(t, c.q)
		for _, kind := range c.kinds {
			want := truth(t, kind, p, q, params)
			covered := 0
			for seed := range uint64(seeds) {
				e, err := divergence.Simulate(context.Background(), kind, divergence.Of(p), divergence.Of(q), n, seed, params)
				if err != nil {
					t.Fatal(err)
				}
				if math.Abs(e.Value-want) <= 1.96*e.StandardError {
					covered++
				}
			}
			share := float64(covered) / seeds
			if !(share >= 0.92 && share <= 0.98) {
				t.Errorf("%s || %s: %s is covered in %.4g of %d", p, q, kind, share, seeds)
			}
			t.Logf("%s || %s: %s is covered in %.4g", p, q, kind, share)
		}
	}
}

// TestVariance: KL over the mixture has in no case much more variance than the plain mean of log p/q over as many draws, and far less
// where p is near q; Schulman's k3 under p alone is better or far worse. The deviations are of one term; divide by √(2n).
func TestVariance(t *testing.T) {
	const n = 200_000
	for _, c := range []struct {
		p, q string
		most float64 // of the mixture's deviation, relative to the mean's of log p/q
	}{
		{"normal(0,1)", "normal(0.1,1)", 0.1},
		{"normal(0,1)", "normal(1,1)", 0.7},
		{"normal(0,1)", "normal(0,2)", 1},
		{"normal(0,1)", "normal(4,1)", 1.5},
		{"normal(0,1)", "student(3,0,1)", 1.5},
	} {
		p, q := parse(t, c.p), parse(t, c.q)
		e, err := divergence.Simulate(context.Background(), divergence.KL, divergence.Of(p), divergence.Of(q), n, 1, params)
		if err != nil {
			t.Fatal(err)
		}
		mixture := e.StandardError * math.Sqrt(2*n)
		x := make([]float64, n)
		if err := p.Sample(x, rand.New(rand.NewPCG(1, 2))); err != nil {
			t.Fatal(err)
		}
		deviation := func(f func(logRatio float64) float64) float64 {
			sum, squares := 0.0, 0.0
			for i := range x {
				v := f(p.LogProb(x[i:i+1]) - q.LogProb(x[i:i+1]))
				sum, squares = sum+v, squares+v*v
			}
			return math.Sqrt(squares/n - sum/n*sum/n)
		}
		plain := deviation(func(l float64) float64 { return l })
		k3 := deviation(func(l float64) float64 { return math.Expm1(-l) + l })
		if !(mixture <= c.most*plain) {
			t.Errorf("%s || %s: deviation %.3g over the mixture, %.3g of log p/q", p, q, mixture, plain)
		}
		t.Logf("%s || %s: deviation of log p/q %.3g, of k3 %.3g, over the mixture %.3g", p, q, plain, k3, mixture)
	}
}

// undrawn is a density that cannot be drawn from.
type undrawn struct{ divergence.Density }

// TestSimulateLimits: what draws cannot tell is an error, or infinite without a standard error.
func TestSimulateLimits(t *testing.T) {
	ctx := context.Background()
	of := func(text string) divergence.Known { return divergence.Of(parse(t, text)) }
	p, q := of("normal(0,1)"), of("normal(1,2)")
	e, err := divergence.Simulate(ctx, divergence.KL, of("uniform(0,2)"), of("uniform(0,1)"), 1000, 1, params)
	if err != nil || !math.IsInf(e.Value, 1) || !math.IsNaN(e.StandardError) {
		t.Errorf("KL onto a smaller support is %v, %v, expected infinite", e, err)
	}
	e, err = divergence.Simulate(ctx, divergence.KL, p, undrawn{q}, 20_000, 1, params)
	if want := truth(t, divergence.KL, p.Distribution, q.Distribution, params); err != nil || !(math.Abs(e.Value-want) <= 4*e.StandardError) || e.N != 40_000 {
		t.Errorf("KL by draws from P alone is %v, %v, expected %v", e, err, want)
	}
	e, err = divergence.Simulate(ctx, divergence.ReverseKL, undrawn{p}, q, 20_000, 1, params)
	if want := truth(t, divergence.ReverseKL, p.Distribution, q.Distribution, params); err != nil || !(math.Abs(e.Value-want) <= 4*e.StandardError) {
		t.Errorf("reverse KL by draws from Q alone is %v, %v, expected %v", e, err, want)
	}
	for _, c := range []struct {
		kind divergence.Kind
		p, q divergence.Density
		n    int
		want error
	}{
		{divergence.Wasserstein1, p, q, 100, divergence.ErrNoEstimate},
		{divergence.JS, p, undrawn{q}, 100, divergence.ErrNoEstimate},
		{divergence.Energy, p, undrawn{q}, 100, divergence.ErrNoEstimate},
		{divergence.KL, p, of("poisson(3)"), 100, divergence.ErrIncomparable},
		{divergence.ChiSquare, of("normal(1,2)"), of("normal(0,0.5)"), 10_000, divergence.ErrNoEstimate}, // infinite
		{divergence.ChiSquare, p, of("normal(60,1)"), 100, divergence.ErrNoEstimate},                     // e^3600, which is not infinite
	} {
		if e, err := divergence.Simulate(ctx, c.kind, c.p, c.q, c.n, 1, params); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v, expected the error %v", c.kind, e, err, c.want)
		}
	}
	if _, err := divergence.Simulate(ctx, divergence.KL, p, q, 1, 1, params); err == nil {
		t.Error("one draw: expected an error")
	}
	cancelled, stop := context.WithCancel(ctx)
	stop()
	if _, err := divergence.Simulate(cancelled, divergence.KL, p, q, 1000, 1, params); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestTail: a mean that a few heavy draws make is refused; others are let pass.
func TestTail(t *testing.T) {
	for _, c := range []struct {
		kind divergence.Kind
		p, q string
		ok   bool
	}{
		{divergence.ChiSquare, "normal(0,2)", "normal(0,1)", false}, // infinite
		{divergence.ChiSquare, "normal(0,1)", "normal(6,1)", false}, // e^36
		{divergence.ReverseKL, "normal(0,1)", "student(5,0,1)", true},
		{divergence.ReverseKL, "normal(0,1)", "normal(1,2)", true},
		{divergence.ChiSquare, "normal(0,1)", "normal(1,1)", true},
		{divergence.KL, "poisson(4)", "poisson(7)", true},
	} {
		for seed := range uint64(10) {
			e, err := divergence.Simulate(context.Background(), c.kind, divergence.Of(parse(t, c.p)), divergence.Of(parse(t, c.q)), 20_000, seed, params)
			if c.ok != (err == nil) || err != nil && !errors.Is(err, divergence.ErrNoEstimate) {
				t.Errorf("%s of %s and %s, seed %d: %v, %v", c.kind, c.p, c.q, seed, e, err)
			}
		}
	}
}

// TestSimulateThreads: the same seed gives the same bits at any number of threads.
func TestSimulateThreads(t *testing.T) {
	p, q := divergence.Of(parse(t, "normal(0,1)")), divergence.Of(parse(t, "normal(1,2)"))
	at := func(threads int) (value, deviation float64) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		e, err := divergence.Simulate(context.Background(), divergence.KL, p, q, 10_000, 3, params)
		if err != nil {
			t.Fatal(err)
		}
		return e.Value, e.StandardError
	}
	v, s := at(1)
	if w, u := at(7); v != w || s != u {
		t.Errorf("%v ± %v with one thread, %v ± %v with 7", v, s, w, u)
	}
}
