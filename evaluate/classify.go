package evaluate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

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
	// ECE is the expected calibration error over Reliability.
	ECE measure.Estimate
	// ROCAUC is the area under the ROC curve: with two classes of class 1, with more the average of each class against
	// the rest over the classes that occur. Its standard error is DeLong's. It is NaN where only one class occurs.
	ROCAUC measure.Estimate
	// F1 is the F1 score of each class against the rest, averaged over the classes that occur.
	F1 measure.Estimate
	// MCC is Matthews' correlation coefficient, in [-1, 1], in its form for any number of classes.
	MCC measure.Estimate

	Confusion   Confusion
	Reliability []Bin
	// ROC is the decision curve of each class against the rest by its probability, nil for a class that does not
	// occur or occurs alone.
	ROC []Curve
}

// Measures lists the measures in the order in which tables show them. Those without a value are left out.
func (c *Classification) Measures() []measure.Measure {
	all := []measure.Measure{
		c.Accuracy.As(measure.Higher("accuracy", "share")),
		c.BalancedAccuracy.As(measure.Higher("balanced_accuracy", "share")),
		c.LogLoss.As(measure.Lower("log_loss", "nats")),
		c.Brier.As(measure.Lower("brier", "")),
		c.ECE.As(measure.Lower("ece", "share")),
		c.ROCAUC.As(measure.Higher("roc_auc", "share")),
		c.F1.As(measure.Higher("f1", "share")),
		c.MCC.As(measure.Higher("mcc", "")),
	}
	kept := all[:0]
	for _, m := range all {
		if !math.IsNaN(m.Value) {
			kept = append(kept, m)
		}
	}
	return kept
}

// MarshalJSON writes each measure under its name, the standard errors by name under standard_errors, and n, classes,
// confusion and reliability.
func (c *Classification) MarshalJSON() ([]byte, error) {
	object := flat(c.Measures())
	object["n"] = c.N
	object["classes"] = c.Classes
	object["confusion"] = c.Confusion
	object["reliability"] = c.Reliability
	return json.Marshal(object)
}

// flat is the JSON object of measures by name, beside their standard errors, and the least numbers of examples that they make sense
// from, by name.
func flat(measures []measure.Measure) map[string]any {
	object := make(map[string]any, len(measures)+2)
	errors := make(map[string]*float64, len(measures))
	least := make(map[string]int, len(measures))
	for _, m := range measures {
		object[m.Name] = measure.Number(m.Value)
		errors[m.Name] = measure.Number(m.StandardError)
		least[m.Name] = m.Least
	}
	object["standard_errors"] = errors
	object["least_n"] = least
	return object
}

// Classify measures a classifier on labelled examples, which it reads in batches. The set must have the model's classes
// in the model's order, as a set has that is opened with the model's schema. Classify keeps the posterior of every
// example, 8 bytes for each class.
func Classify(ctx context.Context, m model.Classifier, set data.Set) (*Classification, error) {
	schema := set.Schema()
	switch {
	case !schema.Labelled():
		return nil, data.ErrNoLabels
	case len(schema.Classes) != m.Classes():
		return nil, fmt.Errorf("the data has %d classes, expected %d as the model has", len(schema.Classes), m.Classes())
	case set.Len() == 0:
		return nil, errEmpty
	}
	classes := m.Classes()
	logPosterior := make([]float64, set.Len()*classes)
	truth := make([]int32, set.Len())
	err := data.Each(ctx, set, func(first int, b data.Batch) error {
		copy(truth[first:], b.Y)
		return m.LogPosterior(logPosterior[first*classes:(first+b.Len())*classes], data.Batch{Shape: b.Shape, X: b.X})
	})
	if err != nil {
		return nil, err
	}
	return classification(schema.Classes, truth, logPosterior)
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
		for j, lp := range row {
			if math.IsNaN(lp) {
				return nil, fmt.Errorf("the model gives example %d a probability that is not a number", i)
			}
			d := math.Exp(lp)
			if j == int(y) {
				d--
			}
			brier[i] += d * d
		}
		decided[i] = mostProbable(row)
		confidence[i] = math.Exp(row[decided[i]])
		right[i] = decided[i] == y
		hits += indicator(right[i])
		loss[i] = 0 - row[y] // 0 - 0 is 0, where -0 would print as -0
	}

	// The score of a class is log p, whose order is that of p, without the ties that rounding to 0 would make.
	against := func(c int) (score []float64, positive []bool) {
		score, positive = make([]float64, n), make([]bool, n)
		for i, y := range truth {
			score[i], positive[i] = logPosterior[i*k+c], int(y) == c
		}
		return score, positive
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
	if k == 2 {
		c.ROCAUC = macroAUC(n, 1, func(int) ([]float64, []bool) { return against(1) })
	} else {
		c.ROCAUC = macroAUC(n, k, against)
	}
	for j := range k {
		score, positive := against(j)
		curve, err := NewCurve(score, positive)
		if err != nil {
			return nil, err
		}
		if last := curve[len(curve)-1]; last.TP == 0 || last.FP == 0 {
			continue
		}
		for i := range curve {
			curve[i].Threshold = math.Exp(curve[i].Threshold)
		}
		c.ROC[j] = curve
	}
	return c, nil
}
