package train_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// seen is a model that keeps the parameters that it is made of.
type seen struct {
	model.Model
	vars tensor.Vars
}

// A preview sees the averaged parameters of the first and the last epoch at least, in order, and cannot touch the run.
func TestPreviewLeavesTheRunAlone(t *testing.T) {
	set := clouds(96, 1)
	o := train.Options{Batch: 16, Epochs: 5, Rate: 0.01, Average: 0.9}
	want := minimise(t, classifier(nil), set, o, model.Run{Seed: 3, Threads: 1})

	p := classifier(nil)
	p.Model = func(vars tensor.Vars) (model.Model, error) { return seen{vars: vars}, nil }
	var epochs []int
	var last map[string][]float32
	got := minimise(t, p, set, o, model.Run{Seed: 3, Threads: 1, Preview: func(epoch int, m model.Model) error {
		epochs, last = append(epochs, epoch), map[string][]float32{}
		for name, a := range m.(seen).vars {
			last[name] = slices.Clone(a.F32)
			clear(a.F32)
		}
		return nil
	}})
	same(t, got, want)
	if len(epochs) < 2 || epochs[0] != 1 || epochs[len(epochs)-1] != 5 || !slices.IsSorted(epochs) {
		t.Errorf("previews of epochs %v, expected the first, the last, and some between", epochs)
	}
	for name, a := range want.Vars {
		if !slices.Equal(last[name], a.F32) {
			t.Errorf("the last preview had other values of %s than the result", name)
		}
	}
}

func TestPreviewErrorEndsTheRun(t *testing.T) {
	full := errors.New("disk full")
	p := scalar(0, nn.NewAdam(), squared)
	p.Model = func(vars tensor.Vars) (model.Model, error) { return seen{vars: vars}, nil }
	_, err := train.Minimise(context.Background(), p, constant(8, 1), train.Options{Batch: 4, Epochs: 3, Rate: 0.1},
		model.Run{Preview: func(int, model.Model) error { return full }})
	if !errors.Is(err, full) {
		t.Errorf("error %v, expected %v", err, full)
	}
}
