// Package measure has the kinds of number that a measurement can give: exact, an integral with a bound on its error, an estimate
// with its standard error, a bound on a known side, an approximation. They are different types, so that none is taken for
// another; Measure is what tables and JSON show of each.
package measure

import (
	"encoding/json"
	"math"
)

// Kind says how a number relates to the quantity that it is reported for.
type Kind string

const (
	KindExact    Kind = "exact"    // computed by a formula; the only error is rounding
	KindBound    Kind = "bound"    // on a known side of the quantity, up to its standard error
	KindIntegral Kind = "integral" // numerical integration, whose error has a bound
	KindEstimate Kind = "estimate" // the quantity plus a random error of known size
	// KindApproximation is the quantity plus a random error of known size and an error of the method of unknown size and sign.
	KindApproximation Kind = "approximation"
)

// Exact is a value computed by a formula, such as the Kullback-Leibler divergence of two Gaussians.
type Exact float64

// Integral is a value found by numerical integration or summation.
type Integral struct {
	Value      float64
	ErrorBound float64 // |Value - the integral| is at most this, as far as the method's own estimate of its error can tell
}

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

// Interval holds the quantity with a confidence of 95%, as far as chance goes: of a hundred data sets, 95 on average give an interval
// that does.
type Interval struct{ Low, High float64 }

// MarshalJSON writes [low, high]. An end that is infinite or undefined, which JSON cannot hold, is null.
func (i Interval) MarshalJSON() ([]byte, error) {
	return json.Marshal([]*float64{Number(i.Low), Number(i.High)})
}

// About is what a measure is called and how to read it.
type About struct {
	Name           string `json:"name"` // lower_snake
	Unit           string `json:"unit"` // "share", "nats", "bits per dimension"; "" for a number without unit
	HigherIsBetter bool   `json:"higher_is_better"`
	Least          int    `json:"least_n"` // from fewer examples the value or its error says little; 0 where any number does
}

// Higher describes a measure that is better the higher it is.
func Higher(name, unit string) About { return About{Name: name, Unit: unit, HigherIsBetter: true} }

// Lower describes a measure that is better the lower it is.
func Lower(name, unit string) About { return About{Name: name, Unit: unit} }

// From is a with the least number of examples that the measure makes sense from.
func (a About) From(least int) About {
	a.Least = least
	return a
}

// Measure is a value of any kind under its name, as tables show it. The kinds stay apart in the types that
// results are made of; their method As makes a Measure of each.
type Measure struct {
	About
	Kind          Kind
	Value         float64
	StandardError float64   // 0 where there is no chance in the value
	ErrorBound    float64   // of an integral; 0 for the other kinds
	N             int       // number of examples that it comes from; 0 where it comes from none
	Interval      *Interval // nil where none was computed
}

// TooFew reports that the value comes from fewer examples than the measure makes sense from.
func (m Measure) TooFew() bool { return m.N < m.Least }

// As puts the value under a name.
func (e Exact) As(a About) Measure {
	return Measure{About: a, Kind: KindExact, Value: float64(e)}
}

// As puts the value under a name.
func (i Integral) As(a About) Measure {
	return Measure{About: a, Kind: KindIntegral, Value: i.Value, ErrorBound: i.ErrorBound}
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

// MarshalJSON writes an object with the keys name, unit, higher_is_better, least_n, kind, value, standard_error, error_bound, n, and interval
// where there is one. A value that is infinite or undefined, which JSON cannot hold, is null.
func (m Measure) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		About
		Kind          Kind      `json:"kind"`
		Value         *float64  `json:"value"`
		StandardError *float64  `json:"standard_error"`
		ErrorBound    *float64  `json:"error_bound"`
		N             int       `json:"n"`
		Interval      *Interval `json:"interval,omitempty"`
	}{m.About, m.Kind, Number(m.Value), Number(m.StandardError), Number(m.ErrorBound), m.N, m.Interval})
}

// Number is v as JSON can hold it: nil, which becomes null, where v is infinite or not a number.
func Number(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}
