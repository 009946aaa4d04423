package divergence_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"

	"github.com/likely-ml/likely/divergence"
)

// TestSciPy: closed forms and integrals agree with quadrature over scipy's densities (testdata/make_divergences.py) to 1e-8.
func TestSciPy(t *testing.T) {
	var golden struct {
		Alpha, Bandwidth float64
		Results          []struct {
			P, Q   string
			Values map[divergence.Kind]*float64
		}
	}
	text, err := os.ReadFile("testdata/divergences.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	o := divergence.Params{Alpha: golden.Alpha, Bandwidth: golden.Bandwidth}
	exacts, integrals := 0, 0
	for _, r := range golden.Results {
		p, q := parse(t, r.P), parse(t, r.Q)
		for _, kind := range divergence.Kinds() {
			number, ok := r.Values[kind]
			if !ok {
				continue
			}
			want := math.Inf(1)
			if number != nil {
				want = *number
			}
			differ := func(got float64) bool { return got != want && !(math.Abs(got-want) <= 1e-8) }
			exact, err := divergence.ClosedForm(kind, p, q, o)
			switch {
			case err == nil:
				exacts++
				if differ(float64(exact)) {
					t.Errorf("%s || %s: closed form of %s is %v, scipy has %v", p, q, kind, exact, want)
				}
			case !errors.Is(err, divergence.ErrNoClosedForm):
				t.Fatal(err)
			}
			if p.Dim() == 3 && kind != divergence.KL {
				continue // half a second each, and TestClosedFormIsIntegral has them in two dimensions
			}
			integral, err := divergence.Integrate(context.Background(), kind, divergence.Of(p), divergence.Of(q), o)
			switch {
			case err == nil:
				integrals++
				if differ(integral.Value) || !(integral.ErrorBound <= 1e-6) {
					t.Errorf("%s || %s: integral of %s is %v ± %g, scipy has %v", p, q, kind, integral.Value, integral.ErrorBound, want)
				}
			case !errors.Is(err, divergence.ErrNoIntegral):
				t.Errorf("%s || %s: %s: %v", p, q, kind, err)
			}
		}
	}
	if exacts < 55 || integrals < 130 {
		t.Errorf("compared %d closed forms and %d integrals", exacts, integrals)
	}
}

// TestExtremes: of parameters far apart, near each other or large, closed forms keep their digits: 1e-11 of the value, or 1e-15
// (testdata/make_extremes.py). Hellinger's distance is compared by its square.
func TestExtremes(t *testing.T) {
	var golden struct{ Results [][5]any }
	text, err := os.ReadFile("testdata/extremes.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	for _, r := range golden.Results {
		kind, p, q, want := divergence.Kind(r[0].(string)), parse(t, r[2].(string)), parse(t, r[3].(string)), r[4].(float64)
		order, _ := r[1].(float64)
		v, err := divergence.ClosedForm(kind, p, q, divergence.Params{Alpha: order})
		got := float64(v)
		if kind == divergence.Hellinger {
			got, want = got*got, want*want
		}
		if err != nil || !(got >= 0) || !(math.Abs(got-want) <= 1e-11*want+1e-15) {
			t.Errorf("%s %v of %s and %s is %v, %v, expected %v", kind, r[1], p, q, got, err, want)
		}
	}
	if len(golden.Results) < 150 {
		t.Errorf("only %d results", len(golden.Results))
	}
}
