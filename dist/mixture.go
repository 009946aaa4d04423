package dist

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Mixture is the distribution that draws one of its members, member k with probability w_k, and then x from it,
//
//	log p(x) = log Σ_k w_k p_k(x).
//
// Its entropy has no closed form. A mixture over the line is a UnivariateMixture.
type Mixture struct {
	given      []float64 // weights as written
	weights    []float64 // the same over their sum
	cumulative []float64
	members    []Distribution
}

// UnivariateMixture is a Mixture over the line, or over whole numbers.
type UnivariateMixture struct{ Mixture }

// NewMixture takes the weights, which are positive and sum to 1 within 1e-9, and as many members, all of the same number of
// elements, all continuous or all discrete, and all with known marginals. It is a *UnivariateMixture where the members have one
// element, else a *Mixture.
func NewMixture(weights []float64, members []Distribution) (Marginals, error) {
	if len(weights) != len(members) {
		return nil, &ParameterError{Family: "mixture", Name: "number of weights",
			Found: strconv.Itoa(len(weights)), Expected: fmt.Sprintf("%d, one for each member", len(members))}
	}
	sum, err := shares("mixture", "weight", weights, true)
	if err != nil {
		return nil, err
	}
	m := Mixture{given: slices.Clone(weights), members: slices.Clone(members)}
	total := 0.0
	for _, w := range weights {
		m.weights = append(m.weights, w/sum)
		total += w / sum
		m.cumulative = append(m.cumulative, total)
	}
	m.cumulative[len(weights)-1] = 1
	for i, member := range members {
		if first := members[0]; member.Dim() != first.Dim() || member.Discrete() != first.Discrete() {
			return nil, &ParameterError{Family: "mixture", Index: i, Name: fmt.Sprintf("member %d", i+1),
				Found: kind(member), Expected: kind(first) + ", as the first member is"}
		}
		if err := checkMarginals("mixture", i, member); err != nil {
			return nil, err
		}
	}
	if members[0].Dim() == 1 {
		return &UnivariateMixture{m}, nil
	}
	return &m, nil
}

// kind says over what a distribution is.
func kind(d Distribution) string {
	return fmt.Sprintf("%s of dimension %d", continuity(d), d.Dim())
}

// Weights are w_1, … w_K.
func (m *Mixture) Weights() []float64 { return slices.Clone(m.weights) }

// Members are p_1, … p_K.
func (m *Mixture) Members() []Distribution { return slices.Clone(m.members) }

func (m *Mixture) Dim() int       { return m.members[0].Dim() }
func (m *Mixture) Discrete() bool { return m.members[0].Discrete() }

func (m *Mixture) LogProb(x []float64) float64 {
	var few [16]float64 // keeps small ones off the heap
	terms := few[:0]
	for k, member := range m.members {
		terms = append(terms, math.Log(m.weights[k])+member.LogProb(x))
	}
	return logSumExp(terms)
}

// logSumExp is log Σ exp(v), -Inf where all are.
func logSumExp(v []float64) float64 {
	greatest := slices.Max(v)
	if math.IsInf(greatest, 0) {
		return greatest
	}
	sum := 0.0
	for _, e := range v {
		sum += math.Exp(e - greatest)
	}
	return greatest + math.Log(sum)
}

func (m *Mixture) Sample(dst []float64, r *rand.Rand) error {
	d := m.Dim()
	if err := checkRows(dst, d, r); err != nil {
		return err
	}
	for row := range slices.Chunk(dst, d) {
		u := r.Float64()
		k := sort.Search(len(m.cumulative), func(k int) bool { return m.cumulative[k] > u })
		if err := m.members[k].Sample(row, r); err != nil {
			return err
		}
	}
	return nil
}

// Marginal is the mixture of the members' marginals.
func (m *Mixture) Marginal(i int) Univariate {
	one := *m
	one.members = make([]Distribution, len(m.members))
	for k, member := range m.members {
		one.members[k] = marginalOf(member, i)
	}
	return &UnivariateMixture{one}
}

func (m *Mixture) String() string {
	parts := make([]string, len(m.members))
	for k, member := range m.members {
		parts[k] = number(m.given[k]) + ":" + member.String()
	}
	return "mixture(" + strings.Join(parts, ", ") + ")"
}

// member is the k-th member, which NewMixture found to be over the line.
func (m *UnivariateMixture) member(k int) Univariate { return m.members[k].(Univariate) }

// mean is Σ w_k f(p_k).
func (m *UnivariateMixture) mean(f func(Univariate) float64) float64 {
	sum := 0.0
	for k, w := range m.weights {
		sum += w * f(m.member(k))
	}
	return sum
}

// CDF is Σ w_k CDF_k(x).
func (m *UnivariateMixture) CDF(x float64) float64 {
	return min(m.mean(func(d Univariate) float64 { return d.CDF(x) }), 1)
}

func (m *UnivariateMixture) survival(x float64) float64 {
	return min(m.mean(func(d Univariate) float64 { return survival(d, x) }), 1)
}

// Quantile lies between the least and the greatest of the members' quantiles, where it is searched.
func (m *UnivariateMixture) Quantile(p float64) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for k := range m.members {
		q := m.member(k).Quantile(p)
		lo, hi = min(lo, q), max(hi, q)
	}
	switch q, ok := quantileOutside(p, lo, hi); {
	case ok:
		return q
	case m.Discrete():
		// One further, in case the members' CDFs at hi, each at least p, are less in sum by a rounding error.
		return quantileAmong(m, p, lo, hi+1)
	}
	return quantileBetween(m, p, lo, hi, middle(lo, hi))
}

// Mean is Σ w_k μ_k.
func (m *UnivariateMixture) Mean() float64 { return m.mean(Univariate.Mean) }

// Variance is Σ w_k (σ_k² + (μ_k - μ)²).
func (m *UnivariateMixture) Variance() float64 {
	mean := m.Mean()
	return m.mean(func(d Univariate) float64 { return d.Variance() + (d.Mean()-mean)*(d.Mean()-mean) })
}

func (m *UnivariateMixture) Marginal(int) Univariate { return m }
