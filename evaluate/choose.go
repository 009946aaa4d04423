package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/likely-ml/likely/measure"
)

// Cost names the mean cost of a decision, which is better when lower. It takes Costs, and so is no Metric of an Operating alone.
const Cost Metric = "cost"

// Costs say what a wrong decision costs, in any unit; a right one is free.
type Costs struct {
	FP float64 `json:"fp"` // deciding for A where B is true
	FN float64 `json:"fn"` // deciding for B where A is true
}

// Of is the mean cost of an example.
func (c Costs) Of(o Operating) float64 {
	return (c.FP*float64(o.FP) + c.FN*float64(o.FN)) / float64(o.TP+o.FP+o.TN+o.FN)
}

// Threshold is the one with the least expected cost where the probabilities are calibrated: deciding for A costs (1-p) FP and for B
// p FN, so A is cheaper from
//
//	p = FP/(FP+FN)
//
// on (C. Elkan, The foundations of cost-sensitive learning, IJCAI 2001, equation 2).
func (c Costs) Threshold() float64 { return c.FP / (c.FP + c.FN) }

// Criterion is what a threshold is chosen by: a metric, or Cost with its Costs.
type Criterion struct {
	Metric Metric
	Costs  Costs // of Cost only
}

// Check reports an unknown metric, and costs that choose nothing.
func (c Criterion) Check() error {
	if c.Metric == Cost {
		if finite := c.Costs.FP + c.Costs.FN; !(c.Costs.FP >= 0 && c.Costs.FN >= 0 && finite > 0 && !math.IsInf(finite, 1)) {
			return fmt.Errorf("costs of %v for a false positive and %v for a false negative, expected numbers from 0, at least one above", c.Costs.FP, c.Costs.FN)
		}
		return nil
	}
	if !slices.Contains(Metrics(), c.Metric) {
		return fmt.Errorf("unknown metric %q, expected one of %v", c.Metric, append(Metrics(), Cost))
	}
	return nil
}

// Value is the criterion's own number at an operating point.
func (c Criterion) Value(o Operating) float64 {
	if c.Metric == Cost {
		return c.Costs.Of(o)
	}
	return o.Value(c.Metric)
}

// gain is the value, or the negative cost: better when higher.
func (c Criterion) gain(o Operating) float64 {
	if c.Metric == Cost {
		return -c.Costs.Of(o)
	}
	return o.Value(c.Metric)
}

// Choice is the threshold on p(class|x) that does best by a criterion on the examples that it was chosen on. It is a little too
// good on these: others must tell what it is worth.
type Choice struct {
	Class string // A; all other classes together are B
	By    Criterion
	Best  Operating
	Half  Operating // the threshold 0.5
	Curve Curve     // every decision that p(class|x) allows

	// Threshold and Value are percentile intervals of 95%: of the best threshold over resamples, and of the value of the threshold
	// Best over resamples. The best threshold of a few hundred examples moves much; a bootstrap of it is rough, since it jumps from
	// score to score. Both are nil where no resamples were asked for.
	Threshold, Value *measure.Interval
}

// Choose finds the best threshold on the probability of a class against all others and, from so many bootstrap resamples of the
// examples, its interval; 0 computes none.
func (p *Posteriors) Choose(ctx context.Context, class int, by Criterion, resamples int, seed uint64) (*Choice, error) {
	if err := errors.Join(p.check(), by.Check()); err != nil {
		return nil, err
	}
	if resamples < 0 {
		return nil, fmt.Errorf("%d bootstrap resamples, expected 0 for no intervals or more", resamples)
	}
	if class < 0 || class >= len(p.Classes) {
		return nil, fmt.Errorf("class %d, expected 0 to %d", class, len(p.Classes)-1)
	}
	score, isA := byProbability(p.Truth, p.LogP, len(p.Classes), class)
	curve, err := NewCurve(score, isA)
	if err != nil {
		return nil, err
	}
	c := &Choice{Class: p.Classes[class], By: by, Best: curve.highest(by.gain), Half: curve.At(0.5), Curve: curve}
	if resamples == 0 {
		return c, nil
	}
	type drawn struct{ threshold, value float64 }
	r := newRanking(score, isA)
	list, err := resample(ctx, len(score), resamples, seed, func(weight []int32) drawn {
		all := Operating{}
		for i, w := range weight {
			if isA[i] {
				all.FN += int(w)
			} else {
				all.TN += int(w)
			}
		}
		all.Threshold = curve[0].Threshold
		best, most := all, by.gain(all)
		chosen := all
		r.walk(weight, func(k, tp, fp int) {
			o := Operating{score[r.order[k]], tp, fp, all.TN - fp, all.FN - tp}
			if g := by.gain(o); g > most {
				best, most = o, g
			}
			if o.Threshold >= c.Best.Threshold {
				chosen = o
			}
		})
		return drawn{best.Threshold, by.Value(chosen)}
	})
	if err != nil {
		return nil, err
	}
	percentiles := func(of func(drawn) float64) *measure.Interval {
		v := make([]float64, len(list))
		for i, d := range list {
			v[i] = of(d)
		}
		slices.Sort(v)
		return &measure.Interval{Low: quantile(v, 0.025), High: quantile(v, 0.975)}
	}
	c.Threshold = percentiles(func(d drawn) float64 { return d.threshold })
	c.Value = percentiles(func(d drawn) float64 { return d.value })
	return c, nil
}

// curvePoints is how many points of a curve JSON shows at most.
const curvePoints = 200

// Thin is at most so many points of the curve, at least 2, evenly spread over it with both ends.
func (c Curve) Thin(points int) Curve {
	if len(c) <= points {
		return c
	}
	thin := make(Curve, points)
	for i := range thin {
		thin[i] = c[i*(len(c)-1)/(points-1)]
	}
	return thin
}

// MarshalJSON writes class, metric, value (the threshold), score (of the metric), at_0.5, interval, score_interval, tp, fp, tn, fn and
// under curve arrays of the same length, at most 200: threshold, tpr, fpr, precision, every metric, and the cost where there are
// costs. By cost there are also costs and calibrated, the threshold of Costs.
func (c *Choice) MarshalJSON() ([]byte, error) {
	thin := c.Curve.Thin(curvePoints)
	column := func(f func(Operating) float64) []*float64 {
		v := make([]*float64, len(thin))
		for i, o := range thin {
			v[i] = measure.Number(f(o))
		}
		return v
	}
	curve := map[string]any{
		"threshold": column(func(o Operating) float64 { return o.Threshold }),
		"tpr":       column(Operating.TPR), "fpr": column(Operating.FPR), "precision": column(Operating.Precision),
	}
	for _, m := range Metrics() {
		curve[string(m)] = column(func(o Operating) float64 { return o.Value(m) })
	}
	object := map[string]any{
		"class": c.Class, "metric": c.By.Metric, "value": c.Best.Threshold, "score": c.By.Value(c.Best), "at_0.5": c.By.Value(c.Half),
		"tp": c.Best.TP, "fp": c.Best.FP, "tn": c.Best.TN, "fn": c.Best.FN, "curve": curve,
	}
	if c.Threshold != nil {
		object["interval"], object["score_interval"] = c.Threshold, c.Value
	}
	if c.By.Metric == Cost {
		curve["cost"] = column(c.By.Costs.Of)
		object["costs"], object["calibrated"] = c.By.Costs, c.By.Costs.Threshold()
	}
	return json.Marshal(object)
}
