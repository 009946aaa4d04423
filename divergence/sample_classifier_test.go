package divergence

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// With the true ratio of N(1, 1) and N(0, 1), t = x - ½, the bounds are the divergences: KL = ½ both ways, JS = 0.1114 nats by
// quadrature, TV = 2 Φ(½) - 1.
func TestTrueLogOdds(t *testing.T) {
	const js = 0.1114
	tv := math.Erf(0.5 / math.Sqrt2)
	inside := map[string]int{}
	const seeds, n, m = 400, 500, 800
	for seed := range uint64(seeds) {
		r := seeded(seed)
		p, q := make([]float64, n), make([]float64, m)
		for i := range p {
			p[i] = r.NormFloat64() + 0.5
		}
		for i := range q {
			q[i] = r.NormFloat64() - 0.5
		}
		c, err := FromLogOdds(p, q)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string][3]float64{
			"kl": {c.KL.Value, c.KL.StandardError, 0.5}, "reverse": {c.ReverseKL.Value, c.ReverseKL.StandardError, 0.5},
			"dv": {c.KLDonskerVaradhan.Value, c.KLDonskerVaradhan.StandardError, 0.5}, "nwj": {c.KLNWJ.Value, c.KLNWJ.StandardError, 0.5},
			"reverse dv":  {c.ReverseKLDonskerVaradhan.Value, c.ReverseKLDonskerVaradhan.StandardError, 0.5},
			"reverse nwj": {c.ReverseKLNWJ.Value, c.ReverseKLNWJ.StandardError, 0.5},
			"js":          {c.JS.Value, c.JS.StandardError, js}, "tv": {c.TotalVariation.Value, c.TotalVariation.StandardError, tv},
			"accuracy": {c.Accuracy.Value, c.Accuracy.StandardError, (1 + tv) / 2},
		} {
			if math.Abs(v[0]-v[2]) <= 1.96*v[1] {
				inside[name]++
			}
		}
		if c.KLNWJ.Upper || c.JS.Upper || c.TotalVariation.Upper {
			t.Fatal("a lower bound says that it is an upper one")
		}
	}
	for name, count := range inside {
		if share := float64(count) / seeds; !(share >= 0.92 && share <= 0.98) {
			t.Errorf("%s: %.1f%% of the intervals hold the truth, expected 92%% to 98%%", name, 100*share)
		}
	}
	if len(inside) != 9 {
		t.Errorf("covered: %v, expected 9 measures", inside)
	}
}

// A classifier that says too much or too little, or is off by a constant, gives less in the mean.
func TestWrongLogOddsBound(t *testing.T) {
	r := seeded(1)
	const n = 20000
	for _, wrong := range []func(t float64) float64{
		func(t float64) float64 { return 1.5 * t },
		func(t float64) float64 { return 0.3 * t },
		func(t float64) float64 { return t + 0.7 },
		func(float64) float64 { return 0 },
	} {
		p, q := make([]float64, n), make([]float64, n)
		for i := range n {
			p[i], q[i] = wrong(r.NormFloat64()+0.5), wrong(r.NormFloat64()-0.5)
		}
		c, err := FromLogOdds(p, q)
		if err != nil {
			t.Fatal(err)
		}
		if v := c.KLDonskerVaradhan; !(v.Value <= 0.5+3*v.StandardError) {
			t.Errorf("Donsker-Varadhan %v, above ½", v)
		}
		if v := c.KLNWJ; !(v.Value <= 0.5+3*v.StandardError && v.Value <= c.KLDonskerVaradhan.Value+3*v.StandardError) {
			t.Errorf("NWJ %v, above ½ or the bound before", v)
		}
		if v := c.JS; !(v.Value <= 0.1114+3*v.StandardError) {
			t.Errorf("JS %v, above 0.1114", v)
		}
	}
}

// Exchanged samples exchange the directions; by hand, in four points.
func TestFromLogOddsByHand(t *testing.T) {
	p, q := []float64{math.Log(2), math.Log(4)}, []float64{math.Log(0.5), 0}
	c, err := FromLogOdds(p, q)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "kl", c.KL.Value, 1.5*math.Ln2, 1e-15)
	near(t, "nwj", c.KLNWJ.Value, 1+1.5*math.Ln2-0.75, 1e-15)
	// Var(e^t) = 1/8, of the mean 1/16, over 0.75².
	near(t, "dv", c.KLDonskerVaradhan.Value, 1.5*math.Ln2-math.Log(0.75)-0.5/16/(0.75*0.75), 1e-15)
	near(t, "js", c.JS.Value, math.Ln2+(math.Log(2./3)+math.Log(4./5)+math.Log(2./3)+math.Log(0.5))/4, 1e-15)
	near(t, "tv", c.TotalVariation.Value, 0.75, 1e-15)
	near(t, "accuracy", c.Accuracy.Value, 0.875, 1e-15)
	minus := func(v []float64) []float64 { return []float64{-v[0], -v[1]} }
	back, err := FromLogOdds(minus(q), minus(p))
	if err != nil {
		t.Fatal(err)
	}
	if back.KL != c.ReverseKL || back.ReverseKLNWJ != c.KLNWJ || back.ReverseKLDonskerVaradhan != c.KLDonskerVaradhan || back.JS != c.JS {
		t.Errorf("exchanged: %+v, expected the mirror image of %+v", back, c)
	}
}

func TestFromLogOddsRefuses(t *testing.T) {
	good := []float64{0, 1}
	for _, bad := range [][]float64{nil, {1}, {0, math.NaN()}, {math.Inf(-1), 0}} {
		if _, err := FromLogOdds(good, bad); !errors.Is(err, ErrPoints) {
			t.Errorf("log-odds %v: %v, expected ErrPoints", bad, err)
		}
		if _, err := FromLogOdds(bad, good); !errors.Is(err, ErrPoints) {
			t.Errorf("log-odds %v: %v, expected ErrPoints", bad, err)
		}
	}
	c, err := FromLogOdds([]float64{900, 800}, []float64{900, -900}) // certain, and wrong once
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(c.KLNWJ.Value, -1) || !math.IsInf(c.KLNWJ.StandardError, 1) || len(c.Warnings) == 0 || !strings.Contains(c.Warnings[0], "one point of q") {
		t.Errorf("%+v, expected a bound that says nothing, and a warning", c)
	}
	for _, b := range []float64{c.KLDonskerVaradhan.Value, c.KLDonskerVaradhan.StandardError, c.JS.Value, c.ReverseKLNWJ.Value} {
		if b != b {
			t.Errorf("%+v holds NaN", c)
		}
	}
}
