package dist

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// sumTolerance is how far from 1 probabilities and weights may sum, so that they can be written with ten digits.
const sumTolerance = 1e-9

// Categorical is the distribution over 0, 1, … K-1 with probabilities p_0, … p_{K-1},
//
//	log p(k) = log p_k.
type Categorical struct {
	discrete
	given      []float64 // as written
	p          []float64 // the same over their sum
	cumulative []float64 // p_0 + … + p_k, exactly 1 from the last category that has a probability on
	last       int       // that category
}

// NewCategorical takes the probabilities of 0, 1, …, which must sum to 1 within 1e-9; they are divided by their sum.
func NewCategorical(p ...float64) (*Categorical, error) {
	given := slices.Clone(p)
	sum, err := shares("categorical", "probability", given, false)
	if err != nil {
		return nil, err
	}
	d := &Categorical{given: given, p: make([]float64, len(p)), cumulative: make([]float64, len(p))}
	total := 0.0
	for k, v := range given {
		d.p[k] = v / sum
		total += d.p[k]
		d.cumulative[k] = min(total, 1)
		if v > 0 {
			d.last = k
		}
	}
	for k := d.last; k < len(p); k++ {
		d.cumulative[k] = 1
	}
	return d, nil
}

// shares checks that v are parts of 1, and returns their sum.
func shares(family, name string, v []float64, positive bool) (float64, error) {
	if len(v) == 0 {
		return 0, &ParameterError{Family: family, Name: "number of " + plural(name), Found: "0", Expected: "1 or more"}
	}
	expected := "a number from 0 to 1"
	if positive {
		expected = "a number above 0, up to 1"
	}
	sum := 0.0
	for i, e := range v {
		if !(e >= 0 && e <= 1+sumTolerance) || positive && e == 0 {
			return 0, &ParameterError{Family: family, Index: i, Name: name, Found: number(e), Expected: expected}
		}
		sum += e
	}
	if !(math.Abs(sum-1) <= sumTolerance) {
		return 0, &ParameterError{Family: family, Name: "sum of " + plural(name),
			Found: fmt.Sprintf("%.10g", sum), Expected: "1 (within 1e-9)"}
	}
	return sum, nil
}

func plural(name string) string {
	if name == "probability" {
		return "probabilities"
	}
	return name + "s"
}

// Probabilities are p_0, … p_{K-1}.
func (d *Categorical) Probabilities() []float64 { return slices.Clone(d.p) }

func (d *Categorical) LogProb(x []float64) float64 {
	k := x[0]
	switch {
	case math.IsNaN(k):
		return k
	case k != math.Floor(k) || k < 0 || k >= float64(len(d.p)):
		return math.Inf(-1)
	}
	return math.Log(d.p[int(k)])
}

func (d *Categorical) Sample(dst []float64, r *rand.Rand) error {
	return fill(dst, r, func(r *rand.Rand) float64 {
		u := r.Float64() // below 1, so there is a category above it
		return float64(sort.Search(len(d.cumulative), func(k int) bool { return d.cumulative[k] > u }))
	})
}

// Entropy is -Σ p_k log p_k.
func (d *Categorical) Entropy() float64 {
	sum := 0.0
	for _, p := range d.p {
		if p > 0 {
			sum -= p * math.Log(p)
		}
	}
	return sum
}

func (d *Categorical) CDF(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x < 0:
		return 0
	case x >= float64(len(d.p)):
		return 1
	}
	return d.cumulative[int(x)]
}

func (d *Categorical) Quantile(p float64) float64 {
	switch {
	case !(p >= 0 && p <= 1):
		return math.NaN()
	case p == 1: // the sum may round to 1 before
		return float64(d.last)
	}
	return float64(sort.Search(len(d.cumulative), func(k int) bool { return d.cumulative[k] > 0 && d.cumulative[k] >= p }))
}

func (d *Categorical) Mean() float64 {
	sum := 0.0
	for k, p := range d.p {
		sum += float64(k) * p
	}
	return sum
}

func (d *Categorical) Variance() float64 {
	mean, sum := d.Mean(), 0.0
	for k, p := range d.p {
		sum += (float64(k) - mean) * (float64(k) - mean) * p
	}
	return sum
}

func (d *Categorical) Marginal(int) Univariate { return d }
func (d *Categorical) String() string          { return written("categorical", d.given...) }
