package calibrate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/floats"
)

// Isotonic is the map of isotonic regression, one class against the rest (B. Zadrozny, C. Elkan, Transforming classifier scores into
// accurate multiclass probability estimates, KDD 2002, sections 3 and 4):
//
//	r_k = g_k(f_k) / Σ_j g_j(f_j),   and 1/K where all g_j are 0
//	p(k) = (n r_k + 1/K) / (n + 1)
//
// g_k never falls; between the knots it is linear, beyond the first and the last constant. With two classes r_1 = g_1 and
// r_0 = 1 - r_1. r is what scikit-learn's CalibratedClassifierCV computes of the same scores.
//
// r has zeros and ones, which n examples cannot show and which would make a log loss infinite. p is the mean of the posterior
// under a Dirichlet prior of weight 1, spread evenly, as if one more example of unknown class had been seen: no class has less than
// 1/(K(n+1)), the log loss of an example is at most log(K(n+1)), and the order of the classes is that of r.
type Isotonic struct {
	examples    int       // n
	start       []int     // the knots of function j are start[j] to start[j+1]
	score       []float64 // of each knot, rising within a function
	probability []float64 // g at each knot, never falling within a function
}

// NewIsotonic returns the map that n examples gave, with the knots (score, probability) from start[j] to start[j+1] for function j:
// that of class 1 where there are two classes, else one for each class.
func NewIsotonic(n int, start []int, score, probability []float64) (*Isotonic, error) {
	k := len(start) - 1
	switch {
	case n < 1:
		return nil, fmt.Errorf("isotonic regression from %d examples, expected at least 1", n)
	case k < 1 || k == 2:
		return nil, fmt.Errorf("%d functions, expected 1 for two classes, else one for each", k)
	case start[0] != 0 || start[k] != len(score) || len(score) != len(probability):
		return nil, fmt.Errorf("knots %v of %d scores and %d probabilities, expected them all from 0 on", start, len(score), len(probability))
	}
	for j := range k {
		if !(start[j] < start[j+1] && start[j+1] <= len(score)) {
			return nil, fmt.Errorf("function %d has its knots from %d to %d, expected at least one of %d", j, start[j], start[j+1], len(score))
		}
		for i := start[j]; i < start[j+1]; i++ {
			first := i == start[j]
			if !(math.Abs(score[i]) <= mostOdds && probability[i] >= 0 && probability[i] <= 1) ||
				!first && !(score[i] > score[i-1] && probability[i] >= probability[i-1]) {
				return nil, fmt.Errorf("knot %d is (%v, %v), expected rising scores from %d to %d and probabilities that do not fall",
					i, score[i], probability[i], -mostOdds, mostOdds)
			}
		}
	}
	return &Isotonic{n, slices.Clone(start), slices.Clone(score), slices.Clone(probability)}, nil
}

// Examples is n, the number of examples that the map was fitted to.
func (m *Isotonic) Examples() int { return m.examples }

// Knots returns what NewIsotonic takes.
func (m *Isotonic) Knots() (start []int, score, probability []float64) {
	return slices.Clone(m.start), slices.Clone(m.score), slices.Clone(m.probability)
}

func (*Isotonic) Method() Method { return IsotonicRegression }

func (m *Isotonic) String() string {
	return fmt.Sprintf("isotonic, %d knots", len(m.score))
}

func (m *Isotonic) Apply(logPosterior []float64, classes int) error {
	if err := check(logPosterior, classes); err != nil {
		return err
	}
	if len(m.start)-1 != functions(classes) {
		return fmt.Errorf("%d functions for %d classes, expected %d", len(m.start)-1, classes, functions(classes))
	}
	odds := make([]float64, functions(classes))
	n, k := float64(m.examples), float64(classes)
	for r := range slices.Chunk(logPosterior, classes) {
		logOdds(odds, r)
		m.ratios(r, odds)
		for j := range r {
			r[j] = math.Log((n*r[j] + 1/k) / (n + 1))
		}
	}
	return nil
}

// ratios sets r to the r_k of the doc comment, given the log-odds of each function.
func (m *Isotonic) ratios(r, odds []float64) {
	if len(r) == 2 {
		r[1] = m.value(0, odds[0])
		r[0] = 1 - r[1]
		return
	}
	for j, f := range odds {
		r[j] = m.value(j, f)
	}
	sum := floats.Sum(r)
	for j := range r {
		if sum > 0 {
			r[j] /= sum
		} else {
			r[j] = 1 / float64(len(r))
		}
	}
}

// value is g_j(f).
func (m *Isotonic) value(j int, f float64) float64 {
	x, p := m.score[m.start[j]:m.start[j+1]], m.probability[m.start[j]:m.start[j+1]]
	i := sort.SearchFloat64s(x, f) // x[i-1] < f <= x[i]
	switch {
	case i == 0:
		return p[0]
	case i == len(x):
		return p[i-1]
	}
	return p[i-1] + (p[i]-p[i-1])*((f-x[i-1])/(x[i]-x[i-1]))
}

func fitIsotonic(ctx context.Context, logPosterior []float64, y []int32, classes int) (Map, error) {
	odds, positive := columns(logPosterior, y, classes)
	start := []int{0}
	var score, probability []float64
	for j := range odds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x, p := poolAdjacentViolators(odds[j], positive[j])
		score, probability = append(score, x...), append(probability, p...)
		start = append(start, len(score))
	}
	return NewIsotonic(len(y), start, score, probability)
}

// rounding is how far the same log-odds may lie apart where they were computed from the classes in another order.
const rounding = 1e-12

// poolAdjacentViolators finds the function that never falls and is nearest to [positive] in squares: at each distinct score the share
// of positives, then neighbours that fall are pooled to their mean until none do (M. Ayer et al., An empirical distribution
// function for sampling with incomplete information, Ann. Math. Statist. 26, 1955). Scores that differ by rounding only count as
// one. It returns the first and the last score of each level, since between them it is constant.
func poolAdjacentViolators(score []float64, positive []bool) (x, p []float64) {
	order := make([]int, len(score))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case score[a] < score[b]:
			return -1
		case score[a] > score[b]:
			return 1
		}
		return a - b
	})
	type level struct {
		first, last float64 // scores
		hits, n     int
	}
	var levels []level
	for k := 0; k < len(order); {
		group := level{first: score[order[k]], last: score[order[k]]}
		for ; k < len(order) && score[order[k]] <= group.first+rounding; k++ {
			group.n++
			if positive[order[k]] {
				group.hits++
			}
		}
		levels = append(levels, group)
		// Pool what does not rise: equal levels become one too. Counts compare exactly.
		for len(levels) > 1 {
			a, b := &levels[len(levels)-2], levels[len(levels)-1]
			if a.hits*b.n < b.hits*a.n {
				break
			}
			a.last, a.hits, a.n = b.last, a.hits+b.hits, a.n+b.n
			levels = levels[:len(levels)-1]
		}
	}
	for _, l := range levels {
		v := float64(l.hits) / float64(l.n)
		x, p = append(x, l.first), append(p, v)
		if l.last != l.first {
			x, p = append(x, l.last), append(p, v)
		}
	}
	return x, p
}
