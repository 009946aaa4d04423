package calibrate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// The range of T. Outside of it a posterior is certain or uniform to all digits that anybody reads.
const (
	leastTemperature = 0.01
	mostTemperature  = 100
)

// Temperature is the map of temperature scaling (C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On calibration of modern neural networks,
// ICML 2017, equation 9),
//
//	p(k) = p_k^(1/T) / Σ_j p_j^(1/T)
//
// which divides the logits of a network by T. T > 1 makes a classifier less certain. Probabilities 0 stay 0.
type Temperature struct{ t float64 }

// NewTemperature returns the map with the given T, from 0.01 to 100.
func NewTemperature(t float64) (*Temperature, error) {
	if !(t >= leastTemperature && t <= mostTemperature) {
		return nil, fmt.Errorf("temperature %v, expected a number from %v to %v", t, leastTemperature, mostTemperature)
	}
	return &Temperature{t}, nil
}

// T is the temperature.
func (m *Temperature) T() float64 { return m.t }

func (*Temperature) Method() Method { return TemperatureScaling }

func (m *Temperature) String() string {
	switch m.t {
	case 1: // what fitTemperature chooses then; no minimum lies there to the last bit
		return "temperature, T = 1: no mistake to learn from"
	case leastTemperature, mostTemperature:
		return fmt.Sprintf("temperature, T = %v, the end of its range", m.t)
	}
	return fmt.Sprintf("temperature, T = %.4g", m.t)
}

func (m *Temperature) Apply(logPosterior []float64, classes int) error {
	if err := check(logPosterior, classes); err != nil {
		return err
	}
	for r := range slices.Chunk(logPosterior, classes) {
		for k := range r {
			r[k] /= m.t
		}
		floats.AddConst(-floats.LogSumExp(r), r)
	}
	return nil
}

// fitTemperature minimises the mean of -log p(y_i) over β = 1/T,
//
//	f(β) = 1/n Σ_i (log Σ_j e^(β l_ij) - β l_iy),   df/dβ = 1/n Σ_i (E_i[l] - l_iy),   d²f/dβ² = 1/n Σ_i Var_i[l]
//
// with l = log p and moments under the tempered posterior. f is convex. Newton's method on df/dβ = 0 is kept inside a bracket, which
// its sign narrows. Where the true class is the most probable one of every example, f falls for ever and the data says nothing
// about T, which stays 1.
func fitTemperature(ctx context.Context, logPosterior []float64, y []int32, classes int) (Map, error) {
	mistakes := false
	for i, k := range y {
		row := logPosterior[i*classes : (i+1)*classes]
		if math.IsInf(row[k], -1) {
			return nil, fmt.Errorf("the model gives the true class of example %d the probability 0, which no temperature changes; use %s", i, IsotonicRegression)
		}
		mistakes = mistakes || row[k] < floats.Max(row)
	}
	if !mistakes {
		return NewTemperature(1)
	}
	n := float64(len(y))
	slope := func(beta float64) (first, second float64) {
		for i, k := range y {
			row := logPosterior[i*classes : (i+1)*classes]
			top := floats.Max(row)
			var sum, mean, square float64 // of l - l_iy
			for _, l := range row {
				if w := math.Exp(beta * (l - top)); w > 0 { // -Inf has no weight
					d := l - row[k]
					sum += w
					mean += w * d
					square += w * d * d
				}
			}
			mean /= sum
			first += mean
			second += max(0, square/sum-mean*mean)
		}
		return first / n, second / n
	}
	low, high := 1.0/mostTemperature, 1.0/leastTemperature
	if first, _ := slope(low); first >= 0 {
		return NewTemperature(mostTemperature)
	}
	if first, _ := slope(high); first <= 0 {
		return NewTemperature(leastTemperature)
	}
	beta := 1.0
	for range 200 { // bisection alone would need 60
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		first, second := slope(beta)
		if first < 0 {
			low = beta
		} else {
			high = beta
		}
		next := beta - first/second
		if !(next > low && next < high) {
			next = math.Sqrt(low * high)
		}
		if math.Abs(next-beta) <= 1e-15*beta {
			break
		}
		beta = next
	}
	return NewTemperature(1 / beta)
}
