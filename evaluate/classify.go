package evaluate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

// Classification is how well a classifier does on labelled examples. Shares lie in [0, 1].
type Classification struct {
	N       int
	Classes []string

	// Accuracy is the share of examples whose most probable class is the true one; of equally probable classes the first
	// counts. Its standard error is binomial.
	Accuracy measure.Estimate
	// BalancedAccuracy is the accuracy within each class, averaged over the classes that occur.
	BalancedAccuracy measure.Estimate
	// LogLoss is the mean of -log p(y|x) of the true class, in nats. It is infinite where a true class had probability
	// 0.
	LogLoss measure.Estimate
	// Brier is the mean of sum_k (p(k|x) - [k = y])^2 over all classes: 0 is perfect, 2 the worst. With two classes it
	// is twice the score that looks at one class only.
	Brier measure.Estimate
	// ECE is the expected calibration error over Reliability. It is biased upwards, the more the fewer the examples (Roelofs et al.,
	// Mitigating bias in calibration error estimation, AISTATS 2022), and that of a resample is so twice over. Its interval is moved
	// down by that second bias. Where this is greater than the spread of resamples, as it may be of a calibrated classifier, the
	// interval lies below the value and is too narrow.
	ECE measure.Estimate
	// ROCAUC is the area under the ROC curve: with two classes of class 1, with more the average of each class against
	// the rest over the classes that occur. Its standard error is DeLong's. It is NaN where only one class occurs.
	ROCAUC measure.Estimate
	// PRAUC is the average precision, the area under the curve of precision against recall as a step function, of the same
	// classes as ROCAUC. That of a random score is the share of positives. Its standard error is the infinitesimal jackknife's.
	PRAUC measure.Estimate
	// F1 is the F1 score of each class against the rest, averaged over the classes that occur.
	F1 measure.Estimate
	// MCC is Matthews' correlation coefficient, in [-1, 1], in its form for any number of classes.
	MCC measure.Estimate

	Confusion   Confusion
	Reliability []Bin
	// intervals are those of the measures, in the order of values; nil where none were asked for or where all resamples agree.
	intervals [measures]*measure.Interval
	// ROC is the decision curve of each class against the rest by its probability, nil for a class that does not
	// occur or occurs alone.
	ROC []Curve
}

// Measures lists the measures in the order in which tables show them. Those without a value are left out.
func (c *Classification) Measures() []measure.Measure {
	all := [measures]measure.Measure{
		c.Accuracy.As(measure.Higher("accuracy", "share").From(leastForShare)),
		c.BalancedAccuracy.As(measure.Higher("balanced_accuracy", "share").From(leastForShare)),
		c.LogLoss.As(measure.Lower("log_loss", "nats").From(leastForError)),
		c.Brier.As(measure.Lower("brier", "").From(leastForError)),
		c.ECE.As(measure.Lower("ece", "share").From(leastForECE)),
		c.ROCAUC.As(measure.Higher("roc_auc", "share").From(leastForShare)),
		c.PRAUC.As(measure.Higher("pr_auc", "share").From(leastForShare)),
		c.F1.As(measure.Higher("f1", "share").From(leastForShare)),
		c.MCC.As(measure.Higher("mcc", "").From(leastForError)),
	}
	kept := all[:0]
	for i, m := range all {
		if !math.IsNaN(m.Value) {
			m.Interval = c.intervals[i]
			kept = append(kept, m)
		}
	}
	return kept
}

// MarshalJSON writes each measure under its name, the standard errors by name under standard_errors, the intervals by name under
// intervals, and n, classes, confusion and reliability.
func (c *Classification) MarshalJSON() ([]byte, error) {
	object := flat(c.Measures())
	object["n"] = c.N
	object["classes"] = c.Classes
	object["confusion"] = c.Confusion
	object["reliability"] = c.Reliability
	return json.Marshal(object)
}

// flat is the JSON object of measures by name, beside their standard errors, the least numbers of examples that they make sense from
// and, where there are any, their intervals, all by name.
func flat(measures []measure.Measure) map[string]any {
	object := make(map[string]any, len(measures)+2)
	errors := make(map[string]*float64, len(measures))
	intervals := map[string]measure.Interval{}
	least := make(map[string]int, len(measures))
	for _, m := range measures {
		object[m.Name] = measure.Number(m.Value)
		errors[m.Name] = measure.Number(m.StandardError)
		least[m.Name] = m.Least
		if m.Interval != nil {
			intervals[m.Name] = *m.Interval
		}
	}
	object["standard_errors"] = errors
	object["least_n"] = least
	if len(intervals) > 0 {
		object["intervals"] = intervals
	}
	return object
}

// Posteriors are log p(y=k|x_i) of labelled examples, from which all measures of a classifier follow.
type Posteriors struct {
	Classes []string
	Truth   []int32   // the true class of each example
	LogP    []float64 // row-major (n, K), in nats
}

// Posterior asks a classifier about labelled examples, which it reads in batches. The set must have the model's classes in the
// model's order, as a set has that is opened with the model's schema. It takes 8 bytes for each example and class.
func Posterior(ctx context.Context, m model.Classifier, set data.Set) (*Posteriors, error) {
	schema := set.Schema()
	switch {
	case !schema.Labelled():
		return nil, data.ErrNoLabels
	case len(schema.Classes) != m.Classes():
		return nil, fmt.Errorf("the data has %d classes, expected %d as the model has", len(schema.Classes), m.Classes())
	case set.Len() == 0:
		return nil, errEmpty
	}
	k := m.Classes()
	p := &Posteriors{schema.Classes, make([]int32, set.Len()), make([]float64, set.Len()*k)}
	err := data.Each(ctx, set, func(first int, b data.Batch) error {
		copy(p.Truth[first:], b.Y)
		return m.LogPosterior(p.LogP[first*k:(first+b.Len())*k], data.Batch{Shape: b.Shape, X: b.X})
	})
	if err != nil {
		return nil, err
	}
	return p, p.check()
}

// check reports what is wrong with posteriors, which anybody may have made.
func (p *Posteriors) check() error {
	n, k := len(p.Truth), len(p.Classes)
	if n == 0 {
		return errEmpty
	}
	if len(p.LogP) != n*k {
		return fmt.Errorf("%d log-probabilities of %d examples, expected %d for each", len(p.LogP), n, k)
	}
	for i, y := range p.Truth {
		if y < 0 || int(y) >= k {
			return fmt.Errorf("example %d has class %d, expected 0 to %d", i, y, k-1)
		}
	}
	if i := slices.IndexFunc(p.LogP, math.IsNaN); i >= 0 {
		return fmt.Errorf("the model gives example %d a probability that is not a number", i/k)
	}
	return nil
}

// Classify measures a classifier on labelled examples, without intervals. See [Posterior] for what it reads and keeps.
func Classify(ctx context.Context, m model.Classifier, set data.Set) (*Classification, error) {
	p, err := Posterior(ctx, m, set)
	if err != nil {
		return nil, err
	}
	return p.Classify(ctx, 0, 0)
}

// Classify computes the measures and, from so many bootstrap resamples of the examples, their 95% intervals; 0 computes none.
func (p *Posteriors) Classify(ctx context.Context, resamples int, seed uint64) (*Classification, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if resamples < 0 {
		return nil, fmt.Errorf("%d bootstrap resamples, expected 0 for no intervals or more", resamples)
	}
	c, err := classification(p.Classes, p.Truth, p.LogP)
	if err != nil || resamples == 0 {
		return c, err
	}
	c.intervals, err = p.intervals(ctx, resamples, seed)
	return c, err
}

// classification computes the measures from log p(y=k|x_i) = logPosterior[i*K+k] and the true classes.
func classification(classes []string, truth []int32, logPosterior []float64) (*Classification, error) {
	n, k := len(truth), len(classes)
	decided := make([]int32, n)
	confidence := make([]float64, n)
	right := make([]bool, n)
	loss := make([]float64, n)
	brier := make([]float64, n)
	hits := 0
	for i, y := range truth {
		row := logPosterior[i*k : (i+1)*k]
		loss[i], brier[i] = losses(row, y)
		decided[i] = mostProbable(row)
		confidence[i] = math.Exp(row[decided[i]])
		right[i] = decided[i] == y
		hits += indicator(right[i])
	}

	confusion := NewConfusion(k, truth, decided)
	c := &Classification{
		N:                n,
		Classes:          classes,
		Accuracy:         share(hits, n),
		BalancedAccuracy: confusion.jackknife((*margins).balancedAccuracy),
		LogLoss:          mean(loss),
		Brier:            mean(brier),
		F1:               confusion.jackknife((*margins).macroF1),
		MCC:              confusion.jackknife((*margins).mcc),
		Confusion:        confusion,
		ROC:              make([]Curve, k),
	}
	c.Reliability, c.ECE = calibration(confidence, right)
	first := firstArea(k)
	c.ROCAUC = macroArea(n, k-first, func(j int) (float64, []float64, bool) { return auc(against(truth, logPosterior, k, first+j)) })
	c.PRAUC = macroArea(n, k-first, func(j int) (float64, []float64, bool) {
		return averagePrecision(against(truth, logPosterior, k, first+j))
	})
	for j := range k {
		curve, err := NewCurve(byProbability(truth, logPosterior, k, j))
		if err != nil {
			return nil, err
		}
		if last := curve[len(curve)-1]; last.TP > 0 && last.FP > 0 {
			c.ROC[j] = curve
		}
	}
	return c, nil
}

// losses are -log p(y|x) and the Brier score of one example, given its log-posterior and its class.
func losses(row []float64, y int32) (loss, brier float64) {
	for j, lp := range row {
		d := math.Exp(lp)
		if j == int(y) {
			d--
		}
		brier += d * d
	}
	return 0 - row[y], brier // 0 - 0 is 0, where -0 would print as -0
}

// firstArea is the first of the classes whose areas are averaged: of two only class 1.
func firstArea(classes int) int { return indicator(classes == 2) }

// against is the problem of class c against the rest: the scores of the examples, and whether they are of class c. The score is
// log p, whose order is that of p, without the ties that rounding to 0 would make.
func against(truth []int32, logPosterior []float64, classes, c int) (score []float64, positive []bool) {
	score, positive = make([]float64, len(truth)), make([]bool, len(truth))
	for i, y := range truth {
		score[i], positive[i] = logPosterior[i*classes+c], int(y) == c
	}
	return score, positive
}

// byProbability is the same problem with p for the score: a threshold compares probabilities, with the ties that they have.
func byProbability(truth []int32, logPosterior []float64, classes, c int) (score []float64, positive []bool) {
	score, positive = against(truth, logPosterior, classes, c)
	for i, l := range score {
		score[i] = math.Exp(l)
	}
	return score, positive
}
