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

// Agreement is how often a classifier recognises generated examples as the class that was ordered. It asks two things
// at once: a low value is the generator's fault or the classifier's, whose accuracy on real data is the yardstick. It
// says nothing of variety: a generator that makes one good example of each class agrees perfectly.
type Agreement struct {
	PerClass  []measure.Estimate // the share that is recognised, by ordered class
	All       measure.Estimate
	Confusion Confusion // ordered class by recognised class
}

// Measure is the share of all generated examples that are recognised.
func (a *Agreement) Measure() measure.Measure {
	return a.All.As(measure.Higher("classifier_agreement", "share").From(leastForShare))
}

// MarshalJSON writes classifier_agreement, its standard_error, per_class, confusion and n.
func (a *Agreement) MarshalJSON() ([]byte, error) {
	perClass := make([]float64, len(a.PerClass))
	for k, e := range a.PerClass {
		perClass[k] = e.Value
	}
	return json.Marshal(map[string]any{
		"classifier_agreement": a.All.Value,
		"standard_error":       a.All.StandardError,
		"per_class":            perClass,
		"confusion":            a.Confusion,
		"n":                    a.All.N,
	})
}

// ClassifierAgreement draws perClass examples of every class from the generator and lets the classifier name them. Both
// must be of the same shape and classes.
func ClassifierAgreement(
	ctx context.Context, c model.Classifier, g model.CondSampler, perClass int, seed uint64,
) (*Agreement, error) {
	classes := c.Classes()
	switch {
	case c.Shape() != g.Shape():
		return nil, fmt.Errorf("the classifier takes examples of %v and the generator makes %v", c.Shape(), g.Shape())
	case classes != g.Classes():
		return nil, fmt.Errorf("the classifier has %d classes and the generator %d", classes, g.Classes())
	case perClass < 1:
		return nil, fmt.Errorf("%d examples per class asked for, expected at least 1", perClass)
	}
	ordered := make([]int32, classes*perClass)
	for i := range ordered {
		ordered[i] = int32(i / perClass)
	}
	r := streamAgreement.rand(seed)
	named := make([]int32, len(ordered))
	_, err := drawAll(ctx, g.Shape(), len(ordered), func(dst data.Batch, first int) error {
		if err := g.SampleGiven(dst, ordered[first:first+dst.Len()], r); err != nil {
			return err
		}
		logPosterior := make([]float64, dst.Len()*classes)
		if err := c.LogPosterior(logPosterior, dst); err != nil {
			return err
		}
		if i := slices.IndexFunc(logPosterior, math.IsNaN); i >= 0 {
			return fmt.Errorf("the classifier gives generated example %d a probability that is not a number", first+i/classes)
		}
		for i := range dst.Len() {
			named[first+i] = mostProbable(logPosterior[i*classes : (i+1)*classes])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a := &Agreement{Confusion: NewConfusion(classes, ordered, named)}
	hits := 0
	for k, row := range a.Confusion {
		a.PerClass = append(a.PerClass, share(row[k], perClass))
		hits += row[k]
	}
	a.All = share(hits, len(ordered))
	return a, nil
}

// mostProbable is the class with the highest log-probability, the first of equal ones.
func mostProbable(logPosterior []float64) int32 {
	best := 0
	for k, lp := range logPosterior {
		if lp > logPosterior[best] {
			best = k
		}
	}
	return int32(best)
}
