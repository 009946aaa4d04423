package evaluate

import (
	"encoding/json"
	"math"
)

// Kind says how a number relates to the quantity that it is reported for.
type Kind string

const (
	KindExact    Kind = "exact"    // computed by a formula; the only error is rounding
	KindBound    Kind = "bound"    // on a known side of the quantity, up to its standard error
	KindEstimate Kind = "estimate" // the quantity plus a random error of known size
	// KindApproximation is the quantity plus a random error of known size and an error of the method of unknown size and sign.
	KindApproximation Kind = "approximation"
)

// Exact is a value computed by a formula, such as the Kullback-Leibler divergence of two Gaussians.
type Exact float64

// Estimate is a value computed from n examples that stands for the value over the whole data distribution.
type Estimate struct {
	Value         float64
	StandardError float64
	N             int
}

// Bound is an estimate, from n examples, of a quantity that lies on a known side of the one that is wanted: the
// negative ELBO is never below the negative log-likelihood in expectation. It is not an estimate of the wanted quantity
// itself: its distance from it is unknown, and the standard error says nothing about it.
type Bound struct {
	Value         float64
	StandardError float64
	N             int
	Upper         bool // the wanted quantity is at most Value; else at least
}

// Approximation is an estimate, from n examples, by a method with an error of its own, such as that of a solver of differential
// equations: it lies on no known side of the wanted quantity, and the standard error covers chance alone.
type Approximation struct {
	Value         float64
	StandardError float64
	N             int
}

// About is what a measure is called and how to read it.
type About struct {
	Name           string `json:"name"` // lower_snake
	Unit           string `json:"unit"` // "share", "nats", "bits per dimension"; "" for a number without unit
	HigherIsBetter bool   `json:"higher_is_better"`
}

// Measure is a value of any kind under its name, as tables show it. The kinds stay apart in the types that
// results are made of; their method As makes a Measure of each.
type Measure struct {
	About
	Kind          Kind
	Value         float64
	StandardError float64 // 0 for an exact value
	N             int     // number of examples that it comes from; 0 for an exact value
}

// As puts the value under a name.
func (e Exact) As(a About) Measure {
	return Measure{About: a, Kind: KindExact, Value: float64(e)}
}

// As puts the value under a name.
func (e Estimate) As(a About) Measure {
	return Measure{About: a, Kind: KindEstimate, Value: e.Value, StandardError: e.StandardError, N: e.N}
}

// As puts the value under a name.
func (b Bound) As(a About) Measure {
	return Measure{About: a, Kind: KindBound, Value: b.Value, StandardError: b.StandardError, N: b.N}
}

// As puts the value under a name.
func (p Approximation) As(a About) Measure {
	return Measure{About: a, Kind: KindApproximation, Value: p.Value, StandardError: p.StandardError, N: p.N}
}

// MarshalJSON writes an object with the keys name, unit, higher_is_better, kind, value, standard_error, n. A value that
// is infinite or undefined, which JSON cannot hold, is null.
func (m Measure) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		About
		Kind          Kind     `json:"kind"`
		Value         *float64 `json:"value"`
		StandardError *float64 `json:"standard_error"`
		N             int      `json:"n"`
	}{m.About, m.Kind, Number(m.Value), Number(m.StandardError), m.N})
}

// Number is v as JSON can hold it: nil, which becomes null, where v is infinite or not a number.
func Number(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}

// mean estimates an expectation by the average of n independent values, with standard error s/sqrt(n), where s^2 is the
// sample variance with divisor n-1. One value has an undefined (NaN) error. Infinite values give an infinite
// average with an undefined error.
func mean(v []float64) Estimate {
	n := float64(len(v))
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	m := sum / n
	ss := 0.0
	for _, x := range v {
		ss += (x - m) * (x - m)
	}
	return Estimate{Value: m, StandardError: math.Sqrt(ss / (n - 1) / n), N: len(v)}
}

// share estimates a probability by hits out of n, with the binomial standard error sqrt(p (1-p) / n), which is 0 where
// all or none hit.
func share(hits, n int) Estimate {
	p := float64(hits) / float64(n)
	return Estimate{Value: p, StandardError: math.Sqrt(p * (1 - p) / float64(n)), N: n}
}
