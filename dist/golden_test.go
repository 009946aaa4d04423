package dist_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/likely-ml/likely/dist"
)

// real is a number that JSON may hold as "inf" or "-inf", and null where there is none.
type real float64

func (r *real) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"inf"`:
		*r = real(math.Inf(1))
	case `"-inf"`:
		*r = real(math.Inf(-1))
	case "null":
		*r = real(math.NaN())
	default:
		return json.Unmarshal(b, (*float64)(r))
	}
	return nil
}

// golden is what testdata/make_golden.py writes.
type golden struct {
	Cases []struct {
		Distribution            string
		Entropy, Mean, Variance real
		Points                  [][3]real // x, log p, CDF
		Quantiles               [][2]real // p, x
	}
	MVNormal []struct {
		Mean, Covariance []float64
		X                [][]float64
		LogProb          []float64 `json:"log_prob"`
		Entropy          float64
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func parse(t testing.TB, text string) dist.Distribution {
	t.Helper()
	d, err := dist.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// near reports whether got is want, relative to the size of want or to the floor, the greater of them.
func near(got, want, tolerance, floor float64) bool {
	if math.IsInf(want, 0) || math.IsNaN(want) {
		return got == want || math.IsNaN(got) && math.IsNaN(want)
	}
	return math.Abs(got-want) <= tolerance*max(math.Abs(want), floor)
}

// TestGolden compares with mpmath to 1e-12 of each value: of the CDF in its far tail, too. Logarithms near 0 are compared to 1e-12
// itself, which is that much of the density. A quantile is compared to 1e-12 of itself or of the distribution's scale.
func TestGolden(t *testing.T) {
	const tolerance = 1e-12
	for _, c := range readGolden(t).Cases {
		t.Run(c.Distribution, func(t *testing.T) {
			d := parse(t, c.Distribution).(dist.Univariate)
			for _, row := range c.Points {
				x, logProb, cdf := float64(row[0]), float64(row[1]), float64(row[2])
				if got := d.LogProb([]float64{x}); !near(got, logProb, tolerance, 1) {
					t.Errorf("log p(%v) = %v, expected %v", x, got, logProb)
				}
				if got := d.CDF(x); !near(got, cdf, tolerance, 1e-300) {
					t.Errorf("CDF(%v) = %v, expected %v", x, got, cdf)
				}
			}
			for _, row := range c.Quantiles {
				p, x := float64(row[0]), float64(row[1])
				floor := 0.0
				if m := d.Quantile(0.5); m != 0 {
					floor = math.Abs(d.Quantile(0.75) - d.Quantile(0.25))
				}
				if d.Quantile(0) == 0 {
					floor = 0 // positive ones keep their digits towards 0
				}
				if got := d.Quantile(p); !near(got, x, tolerance, max(floor, 1e-300)) {
					t.Errorf("Quantile(%v) = %v, expected %v", p, got, x)
				}
			}
			if got := d.Mean(); !near(got, float64(c.Mean), tolerance, 1e-300) {
				t.Errorf("Mean = %v, expected %v", got, c.Mean)
			}
			if got := d.Variance(); !near(got, float64(c.Variance), tolerance, 1e-300) {
				t.Errorf("Variance = %v, expected %v", got, c.Variance)
			}
			e, ok := d.(dist.Entropic)
			if ok == math.IsNaN(float64(c.Entropy)) {
				t.Errorf("has an entropy: %v, expected %v", ok, !ok)
			}
			if ok && !near(e.Entropy(), float64(c.Entropy), tolerance, 1) {
				t.Errorf("Entropy = %v, expected %v", e.Entropy(), c.Entropy)
			}
		})
	}
}

func TestGoldenMVNormal(t *testing.T) {
	for _, c := range readGolden(t).MVNormal {
		d, err := dist.NewMVNormal(c.Mean, c.Covariance)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range c.X {
			if got := d.LogProb(x); !near(got, c.LogProb[i], 1e-12, 1) {
				t.Errorf("%d elements: log p = %v, expected %v", len(x), got, c.LogProb[i])
			}
		}
		if got := d.Entropy(); !near(got, c.Entropy, 1e-12, 1) {
			t.Errorf("%d elements: Entropy = %v, expected %v", len(c.Mean), got, c.Entropy)
		}
	}
}
