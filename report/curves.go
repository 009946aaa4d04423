package report

import (
	"math"
	"slices"
	"sort"

	"github.com/likely-ml/likely/evaluate"
)

// ReliabilityOf is the line of a reliability diagram: the share of right decisions of each bin that is not empty, with its
// interval of 95%.
func ReliabilityOf(name string, bins []evaluate.Bin) Series {
	s := Series{Name: name}
	for _, b := range bins {
		if b.N > 0 {
			low, high := wilson(b.Accuracy, float64(b.N))
			s.X, s.Y = append(s.X, b.Confidence), append(s.Y, b.Accuracy)
			s.Low, s.High = append(s.Low, low), append(s.High, high)
		}
	}
	return s
}

// wilson is the interval of 95% of a probability of which the share p was seen in n trials,
//
//	(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n),   z = 1.96
//
// which unlike p ± z standard errors stays in [0, 1] and has a length where p is 0 or 1 (E. B. Wilson, J. Am. Stat. Assoc. 22
// (1927) 209).
func wilson(p, n float64) (low, high float64) {
	const z = 1.959964
	middle := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	// Rounding must not move an end beyond what was seen.
	return min(p, max(0, (middle-half)/scale)), max(p, min(1, (middle+half)/scale))
}

// ROCOf is the ROC curve of a decision.
func ROCOf(name string, c evaluate.Curve) Series {
	s := Series{Name: name}
	for _, o := range c {
		s.X, s.Y = append(s.X, o.FPR()), append(s.Y, o.TPR())
	}
	return s
}

// PrecisionRecallOf is the curve of precision against recall. It has steps: a line between two of its points would promise
// decisions that no threshold makes (J. Davis, M. Goadrich, ICML 2006).
func PrecisionRecallOf(name string, c evaluate.Curve) Series {
	s := Series{Name: name}
	recall := 0.0
	for _, o := range c {
		if o.TP+o.FP == 0 {
			continue // no decision for the class has no precision
		}
		s.X, s.Y = append(s.X, recall, o.TPR()), append(s.Y, o.Precision(), o.Precision())
		recall = o.TPR()
	}
	return s
}

// MetricOf is a metric against the threshold, which runs from 0 to 1. It has steps, since only an example's own
// probability changes a decision.
func MetricOf(m evaluate.Metric, c evaluate.Curve) Series {
	s := Series{Name: string(m)}
	from := 1.0 // a decision holds from its threshold up to the one before
	for _, o := range c {
		v := o.Value(m)
		s.X, s.Y = append(s.X, from, min(o.Threshold, 1)), append(s.Y, v, v)
		from = min(o.Threshold, 1)
	}
	s.X, s.Y = append(s.X, 0), append(s.Y, s.Y[len(s.Y)-1])
	return s
}

// Cumulative is the empirical distribution function of values, of which those that are not finite are left out:
//
//	F(x) = share of the values that are at most x
func Cumulative(name string, values []float64) Series {
	kept := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return !isFinite(v) })
	sort.Float64s(kept)
	s := Series{Name: name}
	for i, v := range kept {
		n := float64(len(kept))
		s.X, s.Y = append(s.X, v, v), append(s.Y, float64(i)/n, float64(i+1)/n)
	}
	return s
}
