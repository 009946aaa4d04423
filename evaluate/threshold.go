package evaluate

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Metric is what a threshold is chosen by. All are better when higher.
type Metric string

const (
	Accuracy         Metric = "accuracy"          // (TP+TN)/n
	BalancedAccuracy Metric = "balanced_accuracy" // (TPR+TNR)/2
	F1               Metric = "f1"                // 2TP/(2TP+FP+FN)
	MCC              Metric = "mcc"               // (TP TN - FP FN)/sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN))
	Youden           Metric = "youden"            // TPR - FPR
)

// Metrics lists what a threshold can be chosen by.
func Metrics() []Metric { return []Metric{Accuracy, BalancedAccuracy, F1, MCC, Youden} }

// Operating is a threshold and the decisions that it makes: class A where the score is at or above it, else class B. T
// and F are true and false, P and N the decisions for A and for B.
type Operating struct {
	Threshold      float64
	TP, FP, TN, FN int
}

// TPR is the share of the examples of class A that are decided for A; NaN where there are none.
func (o Operating) TPR() float64 { return float64(o.TP) / float64(o.TP+o.FN) }

// Precision is the share of the decisions for A that are right; NaN where there are none.
func (o Operating) Precision() float64 { return float64(o.TP) / float64(o.TP+o.FP) }

// FPR is the share of the examples of class B that are decided for A; NaN where there are none.
func (o Operating) FPR() float64 { return float64(o.FP) / float64(o.FP+o.TN) }

// Value computes a metric. Where the formula is 0/0 it is 0.
func (o Operating) Value(m Metric) float64 {
	tp, fp, tn, fn := float64(o.TP), float64(o.FP), float64(o.TN), float64(o.FN)
	switch m {
	case Accuracy:
		return ratio(tp+tn, tp+fp+tn+fn)
	case BalancedAccuracy:
		return (ratio(tp, tp+fn) + ratio(tn, tn+fp)) / 2
	case F1:
		return ratio(2*tp, 2*tp+fp+fn)
	case MCC:
		return ratio(tp*tn-fp*fn, math.Sqrt(tp+fp)*math.Sqrt(tp+fn)*math.Sqrt(tn+fp)*math.Sqrt(tn+fn))
	case Youden:
		return ratio(tp, tp+fn) - ratio(fp, fp+tn)
	}
	panic(fmt.Sprintf("evaluate: unknown metric %q", m))
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Curve is every decision that a score can make, in order of falling thresholds: first one just above the highest
// score, by which nothing is of class A, then every distinct score down to the lowest, by which everything is. Drawn as
// TPR against FPR it is the ROC curve.
type Curve []Operating

// NewCurve computes the curve of n examples in O(n log n). isA says which are of class A.
func NewCurve(score []float64, isA []bool) (Curve, error) {
	if len(score) != len(isA) {
		return nil, fmt.Errorf("%d scores for %d labels, expected one each", len(score), len(isA))
	}
	if len(score) == 0 {
		return nil, fmt.Errorf("no scores, expected at least one")
	}
	as := 0
	for i, s := range score {
		if math.IsNaN(s) {
			return nil, fmt.Errorf("the score of example %d is not a number", i)
		}
		as += indicator(isA[i])
	}
	bs := len(score) - as
	r := newRanking(score, isA)
	curve := Curve{{Threshold: math.Nextafter(score[r.order[0]], math.Inf(1)), TN: bs, FN: as}}
	r.walk(nil, func(k, tp, fp int) {
		curve = append(curve, Operating{score[r.order[k]], tp, fp, bs - fp, as - tp})
	})
	return curve, nil
}

// Best is the point of the curve where the metric is highest. Of equal ones it takes the highest threshold.
func (c Curve) Best(m Metric) Operating {
	return c.highest(func(o Operating) float64 { return o.Value(m) })
}

// highest is the point of the curve where gain is highest, of equal ones that with the highest threshold.
func (c Curve) highest(gain func(Operating) float64) Operating {
	best, value := c[0], gain(c[0])
	for _, o := range c[1:] {
		if v := gain(o); v > value {
			best, value = o, v
		}
	}
	return best
}

// At is what a threshold decides.
func (c Curve) At(threshold float64) Operating {
	k := sort.Search(len(c), func(k int) bool { return c[k].Threshold < threshold }) // thresholds fall
	o := c[max(k-1, 0)]
	o.Threshold = threshold
	return o
}

// Short is a threshold rounded down to three decimals, or as many more as it takes to decide alike.
func (c Curve) Short(threshold float64) float64 {
	k := sort.Search(len(c), func(k int) bool { return c[k].Threshold < threshold })
	below := math.Inf(-1)
	if k < len(c) {
		below = c[k].Threshold
	}
	for power := 1e3; power <= 1e15; power *= 10 {
		if v := math.Floor(threshold*power) / power; v > below && v <= threshold {
			return v
		}
	}
	return threshold
}

// Best chooses the threshold that maximises the metric over n examples, of which isA says which are of class A, in O(n
// log n). It considers every distinct decision that the scores allow; of equally good ones it takes the highest
// threshold.
func Best(m Metric, score []float64, isA []bool) (Operating, error) {
	if !slices.Contains(Metrics(), m) {
		return Operating{}, fmt.Errorf("unknown metric %q, expected one of %v", m, Metrics())
	}
	c, err := NewCurve(score, isA)
	if err != nil {
		return Operating{}, err
	}
	return c.Best(m), nil
}
