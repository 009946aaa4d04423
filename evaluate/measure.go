package evaluate

import (
	"math"

	"github.com/likely-ml/likely/measure"
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
