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
	DF               float64 // degrees of freedom of the interval's t distribution
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
// the variance of the mean v.. is estimated by
//
//	(MS_s + max(MS_t - MS_e, 0)) / (R N)
//
// and the interval is v.. ± t sqrt(variance), where t has (MS_s + max(MS_t - MS_e, 0))² / (MS_s² / (R-1)) degrees of freedom, here
// at most N-1. This is the analysis of Dorfman, Berbaum and Metz (Investigative Radiology 27, 1992, 723) with the degrees of
// freedom of Hillis (Statistics in Medicine 26, 2007, 596, equation 20), made for several readers who judge the same cases.
//
// One seed cannot show how seeds differ: the interval of R = 1 counts the test examples alone, with N-1 degrees of freedom.
func Mean(v [][]float64) (Interval, error) {
	seeds := len(v)
	if seeds == 0 || len(v[0]) < 2 {
		return Interval{}, errors.New("too few values for an interval, expected at least one seed and two test examples")
	}
	n := len(v[0])
	R, N := float64(seeds), float64(n)
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
			bySeed[r] += x / N
			byExample[i] += x / R
		}
		total += bySeed[r] / R
	}
	var ssSeed, ssExample, ssRest float64
	for r, row := range v {
		ssSeed += N * square(bySeed[r]-total)
		for i, x := range row {
			ssRest += square(x - bySeed[r] - byExample[i] + total)
		}
	}
	for _, m := range byExample {
		ssExample += R * square(m-total)
	}
	var variance, df float64
	if seeds == 1 {
		variance, df = ssExample/(N-1)/N, N-1
	} else {
		msSeed, msExample, msRest := ssSeed/(R-1), ssExample/(N-1), ssRest/((R-1)*(N-1))
		both := msSeed + max(msExample-msRest, 0)
		variance = both / (R * N)
		df = N - 1
		if msSeed > 0 {
			df = min(df, square(both)/(square(msSeed)/(R-1)))
		}
	}
	se := math.Sqrt(variance)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(1 - (1-level)/2)
	return Interval{
		Estimate: measure.Estimate{Value: total, StandardError: se, N: n},
		DF:       df, Low: total - t*se, High: total + t*se, Seeds: seeds,
	}, nil
}

func square(x float64) float64 { return x * x }

// Verdict is what a study can say of a difference.
type Verdict string

const (
	Helps   Verdict = "helps"         // the whole interval is on the better side of 0
	Harms   Verdict = "harms"         // the whole interval is on the worse side of 0
	No      Verdict = "does not help" // the whole interval is below the least gain that would matter, on both sides of 0
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
