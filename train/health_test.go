package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// What goes wrong for good ends the run with its cause and a remedy in one line.
func TestHealth(t *testing.T) {
	sqrt := func(p, _ *tensor.Node) *tensor.Node { return tensor.Sqrt(p) }
	collapsed := scalar(1, nn.SGD{}, squared)
	collapsed.Health = func(metrics map[string]float64) error {
		if metrics["loss"] < 1e-3 {
			return fmt.Errorf("%w: the loss is %.2g; restart with another seed", train.ErrCollapsed, metrics["loss"])
		}
		return nil
	}
	for _, c := range []struct {
		name    string
		problem train.Problem
		epochs  int
		rate    float64
		want    error
		says    string
	}{
		// p ← p − rate/p falls below 0, where log is NaN.
		{"NaN", scalar(1, nn.SGD{}, func(p, _ *tensor.Node) *tensor.Node { return tensor.Log(p) }), 20, 0.3, train.ErrNotFinite, "learning rate"},
		// Each step takes p − 2 times −1.6, the loss times 2.56.
		{"exploding", scalar(0, nn.SGD{}, squared), 200, 1.3, train.ErrExploding, "learning rate"},
		{"collapsed", collapsed, 200, 0.1, train.ErrCollapsed, "seed"},
		// √p is 0 at 0, its slope infinite: the only step spoils p after the loss was looked at.
		{"spoiled by the last step", scalar(0, nn.SGD{}, sqrt), 1, 0.1, train.ErrNotFinite, "learning rate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := train.Minimise(context.Background(), c.problem, constant(4, 2), train.Options{Batch: 4, Epochs: c.epochs, Rate: c.rate}, model.Run{})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, expected one line that wraps %q and says %q", err, c.want, c.says)
			}
		})
	}
}

// A loss that is only large, or rises for a while, is no reason to stop.
func TestHealthyRunsGoOn(t *testing.T) {
	// The momentum carries p far beyond x and back.
	found := minimise(t, scalar(3, nn.SGD{Momentum: 0.9}, squared), constant(4, 2), train.Options{Batch: 4, Epochs: 300, Rate: 0.1}, model.Run{})
	near(t, "p", float64(found.Vars["p"].F32[0]), 2, 1e-4)
	// A loss below 0 that falls without end is a likelihood's right.
	found = minimise(t, scalar(-1, nn.SGD{}, linear), constant(4, 2), train.Options{Batch: 4, Epochs: 300, Rate: 10}, model.Run{})
	near(t, "loss", found.Summary.TrainLoss, -2-299*10*4, 1e-2)
}

// A metric that is no number is no reason to stop, and does not spoil files.
func TestMetricWithoutValue(t *testing.T) {
	p := scalar(1, nn.SGD{}, squared)
	loss := p.Phases[0].Loss
	p.Phases[0].Loss = func(b *train.Batch) train.Loss {
		l := loss(b)
		zero := tensor.Sub(l.Value, l.Value)
		l.Metrics = []train.Metric{{Name: "nothing", Value: tensor.Div(zero, zero)}, {Name: "everything", Value: tensor.Div(tensor.AddScalar(zero, 1), zero)}}
		return l
	}
	dir := t.TempDir()
	run := model.Run{Dir: dir, Validation: constant(3, 1)}
	found := minimise(t, p, constant(4, 2), train.Options{Batch: 4, Epochs: 2, Rate: 0.1}, run)
	if x := found.Metrics["nothing"]; !math.IsNaN(x) || !math.IsInf(found.Metrics["everything"], 1) {
		t.Errorf("metrics %v", found.Metrics)
	}
	run.Resume = true
	same(t, minimise(t, p, constant(4, 2), train.Options{Batch: 4, Epochs: 2, Rate: 0.1}, run), found)
}
