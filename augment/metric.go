package augment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

// Metric is what a study measures a classifier by: a mean over test examples.
type Metric string

const (
	Accuracy Metric = "accuracy" // share whose most probable class, the first of equals, is the true one
	LogLoss  Metric = "log_loss" // -log p(y|x) of the true class, in nats
	Brier    Metric = "brier"    // sum_k (p(k|x) - [k = y])^2, from 0 to 2
)

// Metrics lists the metrics.
func Metrics() []Metric { return []Metric{Accuracy, LogLoss, Brier} }

// About is the metric's name, unit and direction.
func (m Metric) About() measure.About {
	switch m {
	case LogLoss:
		return measure.Lower(string(m), "nats")
	case Brier:
		return measure.Lower(string(m), "")
	}
	return measure.Higher(string(m), "share")
}

// scores is the metric of each example of a labelled set.
func (m Metric) scores(ctx context.Context, c model.Classifier, set data.Set) ([]float64, error) {
	k := c.Classes()
	scores := make([]float64, 0, set.Len())
	err := data.Each(ctx, set, func(first int, b data.Batch) error {
		logPosterior := make([]float64, b.Len()*k)
		if err := c.LogPosterior(logPosterior, data.Batch{Shape: b.Shape, X: b.X}); err != nil {
			return err
		}
		for i, y := range b.Y {
			v := m.score(logPosterior[i*k:(i+1)*k], int(y))
			if math.IsNaN(v - v) {
				return fmt.Errorf("test example %d has a %s of %v, expected a finite one; take another --metric", first+i+1, m, v)
			}
			scores = append(scores, v)
		}
		return nil
	})
	return scores, err
}

// score is the metric of an example of class y. It is not a number where a probability is none.
func (m Metric) score(logPosterior []float64, y int) float64 {
	switch m {
	case LogLoss:
		return 0 - logPosterior[y] // 0 - 0 is 0, where -0 would print as -0
	case Brier:
		sum := 0.0
		for j, lp := range logPosterior {
			d := math.Exp(lp)
			if j == y {
				d--
			}
			sum += d * d
		}
		return sum
	}
	best := slices.Max(logPosterior) // NaN where there is one
	switch {
	case math.IsNaN(best):
		return best
	case slices.Index(logPosterior, best) == y:
		return 1
	}
	return 0
}
