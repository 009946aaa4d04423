package augment

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// near fails the test unless got is within tol of want.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s is %.15g, expected %.15g within %g", what, got, want, tol)
	}
}

// crossed draws values with a mean and normal effects of seed, example, and both, of the given deviations.
func crossed(r *rand.Rand, seeds, examples int, mean, bySeed, byExample, rest float64) [][]float64 {
	t := make([]float64, examples)
	for i := range t {
		t[i] = byExample * r.NormFloat64()
	}
	v := make([][]float64, seeds)
	for j := range v {
		s := bySeed * r.NormFloat64()
		for i := range t {
			v[j] = append(v[j], mean+s+t[i]+rest*r.NormFloat64())
		}
	}
	return v
}

// E[v_ri v_ql] is μ² where both seed and example differ, so that v..² less the mean of all such products is an unbiased estimate of
// the variance of v.. (Gallas, Academic Radiology 13, 2006, 353). It is the same polynomial as that of the mean squares, where
// no part of it is negative.
func TestVarianceEqualsThatOfPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	compared := 0
	for range 40 {
		v := crossed(r, 2+r.IntN(4), 2+r.IntN(12), 0.5, 0.3, 3, 0.3)
		got, err := Mean(v)
		if err != nil {
			t.Fatal(err)
		}
		mean, products, pairs := 0.0, 0.0, 0.0
		for a, rowA := range v {
			for i, x := range rowA {
				mean += x / float64(len(v)*len(rowA))
				for b, rowB := range v {
					for j, y := range rowB {
						if a != b && i != j {
							products += x * y
							pairs++
						}
					}
				}
			}
		}
		near(t, "mean", got.Value, mean, 1e-12)
		near(t, "middle of the interval", (got.Low+got.High)/2, mean, 1e-12)
		if got.ExampleError > 0 {
			compared++
			near(t, "variance", got.StandardError*got.StandardError, mean*mean-products/pairs, 1e-12)
		}
	}
	if compared < 20 {
		t.Errorf("%d of 40 tables have a part of the examples, expected at least 20", compared)
	}
}

// By hand: v = (1 2 3; 3 4 8) has MS_s = 13.5, MS_t = 6.5, MS_e = 1.5, so that V_s = 13.5/6 and V_t = 5/6. Quantiles of t are from
// tables.
func TestMeanByHand(t *testing.T) {
	const t1, t2 = 12.706204736432095, 4.302652729696142
	got, err := Mean([][]float64{{1, 2, 3}, {3, 4, 8}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", got.Value, 3.5, 1e-14)
	near(t, "error of seeds", got.SeedError, math.Sqrt(13.5/6), 1e-14)
	near(t, "error of examples", got.ExampleError, math.Sqrt(5./6), 1e-14)
	near(t, "standard error", got.StandardError, math.Sqrt(18.5/6), 1e-14)
	near(t, "margin", got.High-got.Value, math.Sqrt(t1*t1*13.5/6+t2*t2*5/6), 1e-8)
	one, err := Mean([][]float64{{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "standard error of one seed", one.StandardError, math.Sqrt(1./3), 1e-14)
	near(t, "its margin", one.High-one.Value, t2*math.Sqrt(1./3), 1e-8)
	if !math.IsNaN(one.SeedError) || one.Verdict(0.01) != Unknown {
		t.Error("one seed has an error of seeds or a verdict")
	}
}

func TestEqualValues(t *testing.T) {
	got, err := Mean([][]float64{{0, 0, 0}, {0, 0, 0}})
	if err != nil || got.Low != 0 || got.High != 0 || got.Verdict(0.01) != No {
		t.Errorf("interval %+v (%v), expected the point 0, which does not help", got, err)
	}
	for _, x := range []float64{1, 0.1, -1. / 3} {
		v := slices.Repeat([][]float64{slices.Repeat([]float64{x}, 10)}, 3)
		if got, err := Mean(v); err != nil || got.Value != x || got.Low != x || got.High != x || got.StandardError != 0 {
			t.Errorf("interval %+v (%v) of values that are all %v, expected this point", got, err, x)
		}
	}
}

func TestMeanRefuses(t *testing.T) {
	for what, v := range map[string][][]float64{
		"no seed": {}, "one example": {{1}, {2}}, "a ragged table": {{1, 2}, {1}}, "NaN": {{1, math.NaN()}}, "an infinity": {{1, math.Inf(1)}},
	} {
		if got, err := Mean(v); err == nil {
			t.Errorf("%s gives %+v, expected an error", what, got)
		}
	}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      Verdict
	}{
		{0.001, 0.002, Helps}, {0.02, 0.2, Helps}, {-0.2, -0.02, Harms}, {-0.5, 0.009, No}, {-0.001, 0.001, No}, {-0.001, 0.02, Unknown}, {0, 0.02, Unknown},
	} {
		if got := (Interval{Low: c.low, High: c.high, Seeds: 3}).Verdict(0.01); got != c.want {
			t.Errorf("an interval from %v to %v %s, expected %s", c.low, c.high, got, c.want)
		}
	}
}

// The intervals hold the truth at least as often as they say, and not much more often, whichever of the effects is the largest. With
// 2,000 studies the standard error of a share of 0.95 is 0.0049.
func TestCoverage(t *testing.T) {
	const studies, least = 2000, 0.95 - 3*0.0049
	for _, c := range []struct {
		what              string
		seeds             int
		bySeed, byExample float64
		most              float64
	}{
		{"seeds alone", 3, 1, 0, 0.97},
		{"seeds mostly", 3, 1, 1, 0.97},
		{"both alike", 3, 0.15, 1, 0.985},
		{"examples alone", 3, 0, 1, 0.985},
		{"no effect", 3, 0, 0, 0.985},
		{"two seeds", 2, 0.15, 1, 0.99},
		{"ten seeds", 10, 0.15, 1, 0.97},
	} {
		r := rand.New(rand.NewPCG(2, 0))
		held := 0
		for range studies {
			got, err := Mean(crossed(r, c.seeds, 60, 0.25, c.bySeed, c.byExample, 1))
			if err != nil {
				t.Fatal(err)
			}
			if got.Low <= 0.25 && 0.25 <= got.High {
				held++
			}
		}
		if share := float64(held) / studies; !(share >= least && share <= c.most) {
			t.Errorf("%s: %.4f of the intervals hold the truth, expected %.4f to %v", c.what, share, least, c.most)
		}
	}
}

// hits draws what two classifiers get right, for each seed, on the same test examples: an example's difficulty is shared by all
// fits, and the skill of both varies with the seed, each on its own.
func hits(r *rand.Rand, seeds, examples int, gain float64) (base, more [][]float64) {
	difficulty := make([]float64, examples)
	for i := range difficulty {
		difficulty[i] = 2 * r.NormFloat64()
	}
	draw := func(skill float64) []float64 {
		v := make([]float64, examples)
		for i, d := range difficulty {
			if r.Float64() < 1/(1+math.Exp(d-skill)) {
				v[i] = 1
			}
		}
		return v
	}
	for range seeds {
		base = append(base, draw(2+0.05*r.NormFloat64()))
		more = append(more, draw(2+gain+0.05*r.NormFloat64()))
	}
	return base, more
}

// A planted effect is found, and where there is none a verdict of an effect is as rare as the intervals promise.
func TestPlantedEffect(t *testing.T) {
	const studies = 400
	count := func(gain float64) map[Verdict]int {
		r := rand.New(rand.NewPCG(3, 0))
		of := map[Verdict]int{}
		for range studies {
			base, more := hits(r, 3, 1000, gain)
			got, err := Mean(difference(more, base))
			if err != nil {
				t.Fatal(err)
			}
			of[got.Verdict(0.02)]++
		}
		return of
	}
	none, some, bad := count(0), count(0.8), count(-0.8) // 0.8 of skill is about 0.1 of accuracy
	t.Logf("none: %v, a gain: %v, a loss: %v", none, some, bad)
	if wrong := none[Helps] + none[Harms]; wrong > 33 { // at most 20 expected, with a standard error of 4.4
		t.Errorf("%d of %d studies without effect find one, expected at most about 20", wrong, studies)
	}
	if some[Helps] < studies*9/10 || some[Harms]+some[No] > 0 {
		t.Errorf("of studies with a gain, %v", some)
	}
	if bad[Harms] < studies*9/10 || bad[Helps] > 0 {
		t.Errorf("of studies with a loss, %v", bad)
	}
}
