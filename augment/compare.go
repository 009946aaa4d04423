package augment

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/likely-ml/likely/measure"
)

// Interval is a mean over seeds and test examples with its 95% confidence interval. Where all of the values are equal the
// interval is a point.
type Interval struct {
	measure.Estimate         // N is the number of test examples
	SeedError        float64 // the part of the standard error that more seeds would make smaller; NaN of one seed
	ExampleError     float64 // and the part that more test examples would make smaller
	Low, High        float64
	Seeds            int
}

// level is the confidence of all intervals.
const level = 0.95

// Mean estimates the expectation of v[r][i], the value for seed r and test example i, over both seeds and test examples.
//
// Every seed is measured on the same test examples, so the values are crossed: v_ri = μ + s_r + t_i + e_ri with random effects of
// seed, of example, and of both together. More test examples make s_r no smaller, and more seeds do not make t_i smaller; an
// interval that counts one of them alone is too short. With R seeds, N examples and the mean squares of the two-way analysis of
// variance
//
//	MS_s = N/(R-1) Σ_r (v_r. - v..)²     MS_t = R/(N-1) Σ_i (v_.i - v..)²
//	MS_e = 1/((R-1)(N-1)) Σ_ri (v_ri - v_r. - v_.i + v..)²
//
// the variance of the mean v.. is estimated, as in studies of several readers who judge the same cases (Dorfman, Berbaum and Metz,
// Investigative Radiology 27, 1992, 723), by
//
//	V_s + V_t,   V_s = MS_s / (R N),   V_t = max(MS_t - MS_e, 0) / (R N)
//
// Seeds are few and examples are many, so each part has a t of its own, and the interval is v.. ± the root of both margins'
// squares (Howe, Journal of the American Statistical Association 69, 1974, 789):
//
//	v.. ± sqrt(t²(R-1) V_s + t²(N-1) V_t)
//
// It holds μ with a probability of at least 0.95, up to 0.98 with three seeds and 0.99 with two. One t for the sum, with the degrees
// of freedom that Satterthwaite's formula gives, would hold it with 0.92 at worst with three seeds and 0.87 with two.
//
// μ is of the train part that all seeds draw from. How another train part would do is in no part of the variance, and seeds that
// each take most of the train part hardly differ.
//
// One seed cannot show how seeds differ: the interval of R = 1 counts the test examples alone, by V_t = MS_t / N.
func Mean(v [][]float64) (Interval, error) {
	seeds := len(v)
	if seeds == 0 || len(v[0]) < 2 {
		return Interval{}, errors.New("too few values for an interval, expected at least one seed and two test examples")
	}
	n := len(v[0])
	R, N := float64(seeds), float64(n)
	origin := v[0][0] // sums are of what differs from it, so that equal values leave no rounding error
	bySeed, byExample := make([]float64, seeds), make([]float64, n)
	total := 0.0
	for r, row := range v {
		if len(row) != n {
			return Interval{}, fmt.Errorf("seed %d has %d values, expected %d as the first has", r+1, len(row), n)
		}
		for i, x := range row {
			if math.IsNaN(x - x) {
				return Interval{}, fmt.Errorf("seed %d, test example %d: the value %v, expected a finite one", r+1, i+1, x)
			}
			bySeed[r] += (x - origin) / N
			byExample[i] += (x - origin) / R
		}
		total += bySeed[r] / R
	}
	var ssSeed, ssExample, ssRest float64
	for r, row := range v {
		ssSeed += N * square(bySeed[r]-total)
		for i, x := range row {
			ssRest += square(x - origin - bySeed[r] - byExample[i] + total)
		}
	}
	for _, m := range byExample {
		ssExample += R * square(m-total)
	}
	m := Interval{Estimate: measure.Estimate{Value: origin + total, N: n}, Seeds: seeds}
	var bySeeds, byExamples float64 // V_s and V_t
	if seeds == 1 {
		m.SeedError, byExamples = math.NaN(), ssExample/(N-1)/N
	} else {
		bySeeds = ssSeed / (R - 1) / (R * N)
		byExamples = max(ssExample/(N-1)-ssRest/((R-1)*(N-1)), 0) / (R * N)
		m.SeedError = math.Sqrt(bySeeds)
	}
	m.ExampleError, m.StandardError = math.Sqrt(byExamples), math.Sqrt(bySeeds+byExamples)
	margin := math.Sqrt(square(quantile(R-1))*bySeeds + square(quantile(N-1))*byExamples)
	m.Low, m.High = m.Value-margin, m.Value+margin
	return m, nil
}

// quantile is that of Student's t distribution which the interval of a mean needs, 0 without degrees of freedom.
func quantile(df float64) float64 {
	if df == 0 {
		return 0
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(1 - (1-level)/2)
}

func square(x float64) float64 { return x * x }

// Verdict is what a study can say of a difference.
type Verdict string

const (
	Helps   Verdict = "helps"         // the whole interval is on the better side of 0
	Harms   Verdict = "harms"         // the whole interval is on the worse side of 0
	No      Verdict = "does not help" // the interval holds 0, and no gain that would matter
	Unknown Verdict = "cannot tell"   // the interval holds no gain as well as one that would matter
)

// Verdict judges a gain, the difference in the direction that is better: least is the least gain that would matter. That the data
// excludes such a gain, and not that a test finds none, is what "does not help" says (D. J. Schuirmann, Journal of
// Pharmacokinetics and Biopharmaceutics 15, 1987, 657). One seed says nothing of other seeds: it cannot tell.
func (gain Interval) Verdict(least float64) Verdict {
	switch {
	case gain.Seeds < 2:
		return Unknown
	case gain.Low > 0:
		return Helps
	case gain.High < 0:
		return Harms
	case gain.High < least:
		return No
	}
	return Unknown
}
