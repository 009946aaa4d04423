package augment

import (
	"encoding/json"
	"fmt"

	"github.com/likely-ml/likely/measure"
)

// Result is what a study found.
type Result struct {
	Metric  measure.About
	Least   float64 // the least gain that would matter
	Amounts []Amount
	// Overall is the gain of each arm but the first, averaged over the amounts, each of which weighs the same.
	Overall []Outcome
}

// Amount is what was found with one amount of real data.
type Amount struct {
	Real     int       `json:"real_per_class"`
	Outcomes []Outcome `json:"arms"` // of which the first is of real examples alone
}

// Outcome is how an arm did.
type Outcome struct {
	Arm     Arm
	Mean    Interval // of the metric
	Gain    Interval // over real examples alone, in the direction that is better
	Verdict Verdict  // "" of real examples alone
}

// Compare sums up the fits of a study, which must be all of them. Each gain is judged by itself: of many comparisons without
// any effect one in twenty misses 0 by chance.
func (s *Study) Compare(fits []Fit, least float64) (*Result, error) {
	scores := map[cell][]float64{}
	for _, f := range fits {
		scores[f.cell()] = f.Scores
	}
	bySeed := func(amount int, arm Arm) ([][]float64, error) {
		var v [][]float64
		for _, seed := range s.Seeds {
			row, ok := scores[cell{amount, seed, arm}]
			if !ok {
				return nil, fmt.Errorf("no fit of %s to %d real examples a class with seed %d", arm, amount, seed)
			}
			if len(row) != s.Test.Len() {
				return nil, fmt.Errorf("the fit of %s to %d real examples a class with seed %d has %d scores, expected one for each of %d test examples",
					arm, amount, seed, len(row), s.Test.Len())
			}
			v = append(v, row)
		}
		return v, nil
	}
	r := &Result{Metric: s.Metric.About(), Least: least}
	arms := s.Arms()
	means, gains := make([][][]float64, len(arms)), make([][][]float64, len(arms)) // over the amounts
	for _, amount := range s.Amounts {
		a := Amount{Real: amount}
		var base [][]float64
		for j, arm := range arms {
			v, err := bySeed(amount, arm)
			if err != nil {
				return nil, err
			}
			if j == 0 {
				base = v
			}
			gain := difference(v, base)
			if !r.Metric.HigherIsBetter {
				gain = difference(base, v)
			}
			o, err := outcome(arm, v, gain, least)
			if err != nil {
				return nil, err
			}
			a.Outcomes = append(a.Outcomes, o)
			means[j], gains[j] = addShare(means[j], v, len(s.Amounts)), addShare(gains[j], gain, len(s.Amounts))
		}
		r.Amounts = append(r.Amounts, a)
	}
	for j, arm := range arms[1:] {
		o, err := outcome(arm, means[j+1], gains[j+1], least)
		if err != nil {
			return nil, err
		}
		r.Overall = append(r.Overall, o)
	}
	return r, nil
}

func outcome(arm Arm, v, gain [][]float64, least float64) (o Outcome, err error) {
	o.Arm = arm
	if o.Mean, err = Mean(v); err != nil {
		return o, err
	}
	if o.Gain, err = Mean(gain); err == nil && arm != Real {
		o.Verdict = o.Gain.Verdict(least)
	}
	return o, err
}

// difference is a - b, seed by seed and example by example.
func difference(a, b [][]float64) [][]float64 {
	d := make([][]float64, len(a))
	for r := range a {
		d[r] = make([]float64, len(a[r]))
		for i := range a[r] {
			d[r][i] = a[r][i] - b[r][i]
		}
	}
	return d
}

// addShare adds v/n to sum, which may be nil.
func addShare(sum, v [][]float64, n int) [][]float64 {
	if sum == nil {
		sum = make([][]float64, len(v))
		for r := range v {
			sum[r] = make([]float64, len(v[r]))
		}
	}
	for r := range v {
		for i, x := range v[r] {
			sum[r][i] += x / float64(n)
		}
	}
	return sum
}

// Sentences say in plain words whether synthetic examples beside the real ones help: one for each amount and, where there are
// several, one for all.
func (r *Result) Sentences() []string {
	var list []string
	for _, a := range r.Amounts {
		for _, o := range a.Outcomes {
			if o.Arm == Mixed {
				list = append(list, r.sentence(fmt.Sprintf("With %d real examples of each class", a.Real), o))
			}
		}
	}
	if len(r.Amounts) < 2 {
		return list
	}
	for _, o := range r.Overall {
		if o.Arm == Mixed {
			list = append(list, r.sentence("Over all amounts", o))
		}
	}
	return list
}

// Signed writes a gain with its sign and four decimals, and what rounds to 0 without a minus.
func Signed(gain float64) string {
	text := fmt.Sprintf("%+.4f", gain)
	if text == "-0.0000" {
		return "+0.0000"
	}
	return text
}

func (r *Result) sentence(where string, o Outcome) string {
	g := o.Gain
	what := fmt.Sprintf("synthetic data %s", o.Verdict)
	if o.Verdict == Unknown {
		what = "the data cannot tell whether synthetic data helps"
	}
	metric := r.Metric.Name
	if !r.Metric.HigherIsBetter {
		metric += ", where lower is better,"
	}
	text := fmt.Sprintf("%s %s: the gain in %s is %s (95%% interval %s to %s)", where, what, metric, Signed(g.Value), Signed(g.Low), Signed(g.High))
	switch {
	case g.Seeds < 2:
		text += "; one seed cannot show how seeds differ, so the interval is too short"
	case o.Verdict == No:
		text += fmt.Sprintf(", and %g or more is ruled out", r.Least)
	}
	return text + "."
}

// MarshalJSON writes value, standard_error, of which standard_error_seeds (null of one seed) and standard_error_examples, low, high,
// n and seeds.
func (i Interval) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Value    float64  `json:"value"`
		SE       float64  `json:"standard_error"`
		Seed     *float64 `json:"standard_error_seeds"`
		Examples float64  `json:"standard_error_examples"`
		Low      float64  `json:"low"`
		High     float64  `json:"high"`
		N        int      `json:"n"`
		Seeds    int      `json:"seeds"`
	}{i.Value, i.StandardError, measure.Number(i.SeedError), i.ExampleError, i.Low, i.High, i.N, i.Seeds})
}

// MarshalJSON writes arm, mean and, where the arm is not of real examples alone, gain and verdict.
func (o Outcome) MarshalJSON() ([]byte, error) {
	object := map[string]any{"arm": o.Arm, "mean": o.Mean}
	if o.Arm != Real {
		object["gain"], object["verdict"] = o.Gain, o.Verdict
	}
	return json.Marshal(object)
}

// MarshalJSON writes metric, least_gain, amounts, overall and sentences.
func (r *Result) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"metric": r.Metric, "least_gain": r.Least, "amounts": r.Amounts, "overall": r.Overall, "sentences": r.Sentences(),
	})
}
