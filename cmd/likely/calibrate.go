package main

import (
	"context"
	"fmt"

	"github.com/likely-ml/likely/calibrate"
	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

// leastToCalibrate is how many examples a calibration needs at least: as many as it has folds.
const leastToCalibrate = calibrate.Folds

// calibration is what a calibration changed on the validation part. What comes after is of examples that the map was not fitted to:
// it is fitted to four fifths of the part and measured on the last, for each fifth in turn. The map that is kept learns from all.
type calibration struct {
	Method        calibrate.Method `json:"method"`
	Map           string           `json:"map"`
	N             int              `json:"n"`
	LogLossBefore *float64         `json:"log_loss_before"` // nats per example; null where infinite
	LogLossAfter  *float64         `json:"log_loss_after"`
	ECEBefore     float64          `json:"ece_before"`
	ECEAfter      float64          `json:"ece_after"`

	before, after *evaluate.Classification
}

// calibrated puts a map behind a classifier that is fitted to the validation part.
func calibrated(ctx context.Context, m model.Model, validation data.Set, method calibrate.Method) (model.Model, *calibration, error) {
	c, ok := m.(model.Classifier)
	if !ok {
		return nil, nil, fmt.Errorf("the fitted model is no classifier and cannot be calibrated")
	}
	p, err := evaluate.Posterior(ctx, c, validation)
	if err != nil {
		return nil, nil, err
	}
	fitted, err := calibrate.Fit(ctx, method, p.LogP, p.Truth, len(p.Classes))
	if err != nil {
		return nil, nil, fmt.Errorf("--calibrate %s: %w", method, err)
	}
	crossed := *p
	if crossed.LogP, err = calibrate.CrossFit(ctx, method, p.LogP, p.Truth, len(p.Classes)); err != nil {
		return nil, nil, fmt.Errorf("--calibrate %s: %w", method, err)
	}
	r := &calibration{Method: method, Map: fitted.String(), N: len(p.Truth)}
	if r.before, err = p.Classify(ctx, 0, 0); err != nil {
		return nil, nil, err
	}
	if r.after, err = crossed.Classify(ctx, 0, 0); err != nil {
		return nil, nil, err
	}
	r.LogLossBefore, r.LogLossAfter = measure.Number(r.before.LogLoss.Value), measure.Number(r.after.LogLoss.Value)
	r.ECEBefore, r.ECEAfter = r.before.ECE.Value, r.after.ECE.Value
	both, err := model.Calibrate(c, fitted)
	return both, r, err
}

// fitted says which map was fitted, and to how much; "" of none.
func (r *calibration) fitted() string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%s, from %s", r.Map, plural(r.N, "example", "examples"))
}

// change says what the calibration changed; "" of none.
func (r *calibration) change() string {
	if r == nil {
		return ""
	}
	of := func(e measure.Estimate) string { return fmt.Sprintf("%.3g±%.1g", e.Value, e.StandardError) }
	return fmt.Sprintf("log loss %s to %s, ECE %s to %s", of(r.before.LogLoss), of(r.after.LogLoss), of(r.before.ECE), of(r.after.ECE))
}

// doubts says where the calibration does not help.
func (r *calibration) doubts() []string {
	if r.after.LogLoss.Value < r.before.LogLoss.Value {
		return nil
	}
	return []string{fmt.Sprintf("The calibration did not lower the log loss of examples that it was not fitted to: leave it out, or set more aside than %d by --validation.", r.N)}
}
