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

// MaxScoreExamples is how many examples ClassificationScore trains on at most, where the caller sets no lower number.
const MaxScoreExamples = 10000

// ClassifierScore is the classification accuracy score: the accuracy on real test examples of a classifier that learned from
// generated ones alone (S. Ravuri, O. Vinyals, Classification accuracy score for conditional generative models, NeurIPS 2019). It
// asks for realism, variety and right labels at once: what a generator leaves out, the classifier cannot learn. The floor is the
// accuracy after learning from as many real examples with the same labels. It depends on the recipe, on N and on the test examples:
// compare it only where these are the same. Its standard error is that of the test examples; another training would differ too.
type ClassifierScore struct {
	N        int    // examples that the classifier learned from
	Recipe   string // what learned
	Accuracy Compared
}

// about describes the score: a share of test examples.
func (c *ClassifierScore) about() measure.About {
	return measure.Higher("classification_accuracy_score", fmt.Sprintf("share of real examples, by %s from %d generated ones", c.Recipe, c.N)).
		From(leastForShare)
}

// Measures is the score.
func (c *ClassifierScore) Measures() []measure.Measure {
	return []measure.Measure{c.Accuracy.Generated.As(c.about())}
}

// Floor is the score of real examples.
func (c *ClassifierScore) Floor() []measure.Measure {
	return []measure.Measure{c.Accuracy.Floor.As(c.about())}
}

// MarshalJSON writes classification_accuracy_score, the same of real examples under floor, the standard errors by name under
// standard_errors, and score_recipe, score_trained_on.
func (c *ClassifierScore) MarshalJSON() ([]byte, error) {
	object := flat(c.Measures())
	object["floor"] = flat(c.Floor())
	object["score_recipe"] = c.Recipe
	object["score_trained_on"] = c.N
	return json.Marshal(object)
}

// ClassificationScore draws n examples with the labels of n real examples of train, fits the recipe to them and, for the floor, to those
// real ones, and measures both fits on test. 0 for n is MaxScoreExamples; the examples of train are the other limit. name is
// that of the recipe in the result.
func ClassificationScore(
	ctx context.Context, g model.CondSampler, train, test data.Set, name string, recipe model.Spec, run model.Run, n int, seed uint64,
) (*ClassifierScore, error) {
	schema := train.Schema()
	switch {
	case g.Classes() == 0:
		return nil, fmt.Errorf("a classifier that learns from generated examples needs their classes, and the model has none; expected one of p(x given y)")
	case !schema.Labelled():
		return nil, data.ErrNoLabels
	case g.Shape() != schema.Shape:
		return nil, fmt.Errorf("the model makes examples of %v and the data has %v", g.Shape(), schema.Shape)
	case n < 0:
		return nil, fmt.Errorf("%d examples to train on asked for, expected 0 or more", n)
	case n == 0:
		n = MaxScoreExamples
	}
	r := streamClassifierScore.rand(seed)
	n = min(n, train.Len())
	real := data.Subset(train, r.Perm(train.Len())[:n])
	labels, err := data.Labels(ctx, real)
	if err != nil {
		return nil, err
	}
	if err := checkClasses(labels, g.Classes()); err != nil {
		return nil, err
	}
	batch, err := drawAll(ctx, g.Shape(), n, func(dst data.Batch, first int) error {
		return g.SampleGiven(dst, labels[first:first+dst.Len()], r)
	})
	if err != nil {
		return nil, err
	}
	generated, err := setOf(schema, batch.X, labels)
	if err != nil {
		return nil, err
	}
	score := &ClassifierScore{N: n, Recipe: name}
	for _, side := range []struct {
		what string
		set  data.Set
		to   *measure.Estimate
	}{{"generated", generated, &score.Accuracy.Generated}, {"real", real, &score.Accuracy.Floor}} {
		m, _, err := recipe.Fit(ctx, side.set, run)
		if err != nil {
			return nil, fmt.Errorf("learning from %s examples: %w", side.what, err)
		}
		c, ok := m.(model.Classifier)
		if !ok {
			return nil, fmt.Errorf("%s is no classifier, expected a model of p(y given x)", name)
		}
		result, err := Classify(ctx, c, test)
		if err != nil {
			return nil, err
		}
		*side.to = result.Accuracy
	}
	return score, nil
}

// setOf is generated examples as a set like the real ones: pixels are whole numbers 0..MaxValue.
func setOf(schema *data.Schema, x []float32, labels []int32) (data.Set, error) {
	if !schema.IsImage() {
		return data.NewTable(schema, x, labels)
	}
	pixels := make([]uint8, len(x))
	for i, v := range x {
		pixels[i] = uint8(math.RoundToEven(float64(min(max(v, 0), schema.MaxValue))))
	}
	return data.NewPixels(schema, pixels, labels)
}
