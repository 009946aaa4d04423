package generative

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/train"
)

// flowing is a fitted [FlowMatching], of p(x) or p(x|y).
type flowing struct {
	guided
	tuning FlowOptions
	traced *train.Function // velocity and trace of its Jacobian
}

// MatchedFlow is a fitted [FlowMatching] of p(x).
type MatchedFlow struct{ flowing }

// CondMatchedFlow is a fitted [FlowMatching] of p(x|y).
type CondMatchedFlow struct{ flowing }

func newMatchedFlow(found *learnedNet, run model.Run) model.Model {
	m := flowing{newGuided(found, run, found.net.apply), *model.NewRecipe[FlowOptions](), newTraced(found, run)}
	if found.net.classes > 0 {
		return &CondMatchedFlow{m}
	}
	return &MatchedFlow{m}
}

// Sample draws noise and follows the flow.
func (m *MatchedFlow) Sample(dst data.Batch, r *rand.Rand) error { return m.sample(dst, nil, r) }

// Sample draws a class from their frequencies for each x, and then as SampleGiven.
func (m *CondMatchedFlow) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws noise and follows the flow of the classes y.
func (m *CondMatchedFlow) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *flowing) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	return m.draw(dst, 1, r, func(x []float32) error {
		return butchers[m.tuning.Sampler].solve(context.Background(), x, m.tuning.Steps, func(dst, x []float32, t float64) error {
			return m.guide(dst, x, t, y, m.tuning.Guidance)
		})
	})
}

// LogEstimate sets dst[i] to an estimate of log p(x_i), in nats per raw unit: see flowmatching_likelihood.go for its errors. What is
// whole in x takes noise, so that for pictures and for whole-number columns it compares with the log-probability of the whole
// numbers, and lies below it on average but for the error of the solver. Missing numbers count as the mean of their column,
// missing levels as a level of their own. The sampling options do not change it.
func (m *MatchedFlow) LogEstimate(dst []float64, x data.Batch, r *rand.Rand) error {
	return m.logEstimate(dst, x, nil, r)
}

// LogEstimateGiven is such an estimate of log p(x_i|y_i), without guidance.
func (m *CondMatchedFlow) LogEstimateGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logEstimate(dst, x, y, r)
}

// Options are the sampling options, a *[FlowOptions].
func (m *flowing) Options() any { o := m.tuning; return &o }

// tune is the model with other sampling options.
func (m *flowing) tune(options any) (flowing, error) {
	o, ok := options.(*FlowOptions)
	if !ok {
		return flowing{}, fmt.Errorf("flowmatching: sampling options are %T, expected %T", options, o)
	}
	if err := cmp.Or(model.Validate(o), m.checkGuidance(o.Guidance)); err != nil {
		return flowing{}, fmt.Errorf("flowmatching: %w", err)
	}
	tuned := *m
	tuned.tuning = *o
	return tuned, nil
}

// Tune is the model with other sampling options.
func (m *MatchedFlow) Tune(options any) (model.Model, error) {
	tuned, err := m.tune(options)
	if err != nil {
		return nil, err
	}
	return &MatchedFlow{tuned}, nil
}

// Tune is the model with other sampling options.
func (m *CondMatchedFlow) Tune(options any) (model.Model, error) {
	tuned, err := m.tune(options)
	if err != nil {
		return nil, err
	}
	return &CondMatchedFlow{tuned}, nil
}

// Save writes the model file.
func (m *flowing) Save(w io.Writer) error { return m.save(w) }
