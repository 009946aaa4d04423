// Package calibrate corrects the probabilities of a classifier after it was trained, so that of the decisions made with a
// confidence of 0.9 nine in ten are right.
//
// A Map takes the log-posterior of an example, (K) numbers in nats whose exponentials sum to 1, and gives another one. Fit learns
// it from labelled examples that the classifier was not trained on:
//
//	temperature  p(k) ∝ p_k^(1/T): one number. It changes no decision          (Guo et al. 2017)
//	platt        p(k) ∝ σ(a_k f_k + b_k): two numbers for each class           (Platt 1999)
//	isotonic     p(k) ∝ g_k(f_k): a step function that never falls, per class  (Zadrozny and Elkan 2002)
//
// where f_k = log p_k/(1-p_k) are the log-odds of class k against the rest. The more a method can change, the more examples it
// needs: temperature does with a hundred, isotonic overfits below about a thousand (Niculescu-Mizil and Caruana, Predicting good
// probabilities with supervised learning, 2005, section 5).
package calibrate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Method names a kind of Map.
type Method string

const (
	TemperatureScaling Method = "temperature"
	PlattScaling       Method = "platt"
	IsotonicRegression Method = "isotonic"
)

// Methods lists what Fit can fit, the simplest first.
func Methods() []Method { return []Method{TemperatureScaling, PlattScaling, IsotonicRegression} }

// Map corrects posteriors. It is immutable and safe for concurrent use.
type Map interface {
	// Method is the kind of map.
	Method() Method
	// Apply replaces each row of logPosterior, row-major (n, classes), by the calibrated one. A NaN and another number of
	// classes than the map was fitted to are errors.
	Apply(logPosterior []float64, classes int) error
	// String says in a few words what was fitted.
	String() string
}

// Fit learns a map of the given method from log p(y=k|x_i) = logPosterior[i*classes+k] and the true classes y. The result depends
// on the order of the examples by rounding only.
func Fit(ctx context.Context, method Method, logPosterior []float64, y []int32, classes int) (Map, error) {
	if err := checkLabelled(logPosterior, y, classes); err != nil {
		return nil, err
	}
	switch method {
	case TemperatureScaling:
		return fitTemperature(ctx, logPosterior, y, classes)
	case PlattScaling:
		return fitPlatt(ctx, logPosterior, y, classes)
	case IsotonicRegression:
		return fitIsotonic(ctx, logPosterior, y, classes)
	}
	return nil, fmt.Errorf("unknown calibration %q, expected one of %v", method, Methods())
}

// checkLabelled reports what is wrong with examples to calibrate on.
func checkLabelled(logPosterior []float64, y []int32, classes int) error {
	if err := check(logPosterior, classes); err != nil {
		return err
	}
	if len(y) == 0 || len(y)*classes != len(logPosterior) {
		return fmt.Errorf("%d labels for %d examples to calibrate on, expected at least one and one each", len(y), len(logPosterior)/classes)
	}
	for i, k := range y {
		if k < 0 || int(k) >= classes {
			return fmt.Errorf("example %d has class %d, expected 0 to %d", i, k, classes-1)
		}
	}
	return nil
}

// Folds is the number of parts of CrossFit.
const Folds = 5

// CrossFit returns the log-posterior of each example as calibrated by a map that was fitted to the other folds: example i is in
// fold i mod Folds. What is measured on it is not flattered by the examples that the map was fitted to. It takes at least two
// examples.
func CrossFit(ctx context.Context, method Method, logPosterior []float64, y []int32, classes int) ([]float64, error) {
	if err := checkLabelled(logPosterior, y, classes); err != nil {
		return nil, err
	}
	if len(y) < 2 {
		return nil, fmt.Errorf("1 example to calibrate on and to measure, expected at least 2")
	}
	out := make([]float64, 0, len(logPosterior))
	rows := make([][]float64, len(y))
	for fold := range min(Folds, len(y)) {
		var inside, others []float64
		var known []int32
		for i, k := range y {
			if row := logPosterior[i*classes : (i+1)*classes]; i%Folds == fold {
				inside = append(inside, row...)
			} else {
				others, known = append(others, row...), append(known, k)
			}
		}
		m, err := Fit(ctx, method, others, known, classes)
		if err != nil {
			return nil, err
		}
		if err := m.Apply(inside, classes); err != nil {
			return nil, err
		}
		for i := fold; i < len(y); i += Folds {
			rows[i], inside = inside[:classes], inside[classes:]
		}
	}
	for _, row := range rows {
		out = append(out, row...)
	}
	return out, nil
}

// check reports what is wrong with rows of log-posteriors.
func check(logPosterior []float64, classes int) error {
	if classes < 2 || len(logPosterior)%classes != 0 {
		return fmt.Errorf("%d log-probabilities of %d classes, expected at least 2 classes and as many numbers for each example", len(logPosterior), classes)
	}
	if i := slices.IndexFunc(logPosterior, math.IsNaN); i >= 0 {
		return fmt.Errorf("example %d has a probability that is not a number", i/classes)
	}
	return nil
}

// functions is how many functions of one variable a one-against-the-rest method has: for two classes that of class 1, since the
// other follows from it, else one for each class.
func functions(classes int) int {
	if classes == 2 {
		return 1
	}
	return classes
}

// mostOdds is the greatest log-odds in absolute value: beyond it a probability is no positive float64. Greater ones, and those of
// probabilities 0 and 1, count as it.
const mostOdds = 745

// logOdds sets dst[k] to log p_k/(1-p_k) of the class of each function, given a row of a log-posterior.
//
// Where p_k is at most a half, log(1-p_k) is exact enough by log1p. For the most probable class 1-p_k is the sum of the others,
// which keeps its digits when p_k rounds to 1.
func logOdds(dst, row []float64) {
	top := floats.MaxIdx(row)
	first := len(row) - len(dst) // class 1 where there are two
	for j := range dst {
		k := first + j
		rest := math.Log1p(-math.Exp(row[k]))
		if k == top {
			others := math.Inf(-1)
			for l, lp := range row {
				if l != k {
					others = logAddExp(others, lp)
				}
			}
			rest = others
		}
		dst[j] = max(-mostOdds, min(row[k]-rest, mostOdds))
	}
}

// logAddExp is log(e^a + e^b).
func logAddExp(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// columns are the log-odds of each function at all examples, and whether an example is of its class.
func columns(logPosterior []float64, y []int32, classes int) (odds [][]float64, positive [][]bool) {
	k := functions(classes)
	odds, positive = make([][]float64, k), make([][]bool, k)
	for j := range k {
		odds[j], positive[j] = make([]float64, len(y)), make([]bool, len(y))
	}
	row := make([]float64, k)
	for i, class := range y {
		logOdds(row, logPosterior[i*classes:(i+1)*classes])
		for j, f := range row {
			odds[j][i] = f
			positive[j][i] = int(class) == classes-k+j
		}
	}
	return odds, positive
}
