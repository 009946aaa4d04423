package evaluate

import (
	"math"

	"github.com/likely-ml/likely/measure"
)

// The fewest examples from which a measure says something; tables and JSON warn below.
const (
	// The standard error of a mean, or of KID, is itself known to about 1/sqrt(2(n-1)) of its size: to 10% from here.
	leastForError = 51
	// The binomial error of a share is at most 0.05 from here. Areas under curves, which are
	// probabilities, and F1 are taken for shares.
	leastForShare = 100
	// A perfectly calibrated model has at most sqrt(bins/n)/2 of ECE on average: 0.05 from here.
	leastForECE = 100 * CalibrationBins
)

// mean estimates an expectation by the average of n independent values, with standard error s/sqrt(n), where s^2 is the
// sample variance with divisor n-1. One value has an undefined (NaN) error. Infinite values give an infinite
// average with an undefined error.
func mean(v []float64) measure.Estimate {
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
	return measure.Estimate{Value: m, StandardError: math.Sqrt(ss / (n - 1) / n), N: len(v)}
}

// share estimates a probability by hits out of n, with the binomial standard error sqrt(p (1-p) / n), which is 0 where
// all or none hit.
func share(hits, n int) measure.Estimate {
	p := float64(hits) / float64(n)
	return measure.Estimate{Value: p, StandardError: math.Sqrt(p * (1 - p) / float64(n)), N: n}
}
