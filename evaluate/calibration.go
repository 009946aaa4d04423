package evaluate

import (
	"math"

	"github.com/likely-ml/likely/measure"
)

// CalibrationBins is the number of equal-width bins of the expected calibration error.
const CalibrationBins = 15

// Bin is one bin of a reliability diagram: the examples whose confidence, the probability of the class that was decided
// for, lies in (Low, High]. In a calibrated model the share of right decisions equals the mean confidence.
type Bin struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	N          int     `json:"n"`
	Confidence float64 `json:"confidence"` // mean over the examples in the bin; 0 where it is empty
	Accuracy   float64 `json:"accuracy"`   // share of right decisions; 0 where it is empty
}

// calibration returns the reliability diagram and the expected calibration error
//
//	ECE = sum_b n_b/n |accuracy_b - confidence_b|
//
// (C. Guo et al., ICML 2017) with the jackknife standard error, which treats the bins as fixed. The ECE is biased
// upwards: a perfectly calibrated model has up to sqrt(bins/n)/2 of it on average, since the sum over the n_b examples of a bin
// has the variance sum p(1-p), at most n_b/4.
func calibration(confidence []float64, right []bool) ([]Bin, measure.Estimate) {
	bins := make([]Bin, CalibrationBins)
	excess := make([]float64, CalibrationBins) // sum of [right] - confidence
	at := make([]int, len(confidence))
	for i, p := range confidence {
		b := binOf(p)
		at[i] = b
		bins[b].N++
		bins[b].Confidence += p
		bins[b].Accuracy += float64(indicator(right[i]))
		excess[b] += float64(indicator(right[i])) - p
	}
	gap := 0.0
	for b := range bins {
		bins[b].Low, bins[b].High = float64(b)/CalibrationBins, float64(b+1)/CalibrationBins
		if bins[b].N > 0 {
			bins[b].Confidence /= float64(bins[b].N)
			bins[b].Accuracy /= float64(bins[b].N)
		}
		gap += math.Abs(excess[b])
	}

	without := make([]float64, len(confidence)) // the ECE without example i
	n := float64(len(confidence))
	for i, p := range confidence {
		rest := math.Abs(excess[at[i]] - (float64(indicator(right[i])) - p))
		without[i] = (gap - math.Abs(excess[at[i]]) + rest) / (n - 1)
	}
	// The jackknife's (n-1)/n sum (v - mean)^2 is (n-1)^2 times the squared standard error of a mean of the v.
	return bins, measure.Estimate{Value: gap / n, StandardError: (n - 1) * mean(without).StandardError, N: len(confidence)}
}

// binOf is the bin of a confidence p.
func binOf(p float64) int { return min(max(int(math.Ceil(p*CalibrationBins))-1, 0), CalibrationBins-1) }
