package modeltest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/likely-ml/likely/model"
)

func recipeJSON(s model.Spec) ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("recipe %T is not JSON-encodable: %w", s, err)
	}
	return text, nil
}

// checkRegistered: the file's name is that of a registered model, whose recipe is of the type that was fitted.
func checkRegistered(t *trial) error {
	_, f, err := load(t.file)
	if err != nil {
		return err
	}
	entry, err := model.Lookup(f.Card.Name)
	if err != nil {
		return err
	}
	if got, want := reflect.TypeOf(entry.New()), reflect.TypeOf(t.Spec); got != want {
		return fmt.Errorf("model %q is registered with the recipe %v, expected %v", f.Card.Name, got, want)
	}
	return nil
}

// checkSummary: the fit tells what it did, and leaves the recipe as it was.
func checkSummary(t *trial) error {
	s := t.summary
	switch {
	case s == nil:
		return errors.New("the fit returned no summary")
	case s.Stopped == "":
		return errors.New("the summary does not say why the fit stopped")
	case s.Epochs < 0 || s.Steps < 0 || math.IsInf(s.TrainLoss, 0) || math.IsInf(s.ValidationLoss, 0):
		return fmt.Errorf("summary %+v, expected counts of at least 0 and losses that are finite or NaN", *s)
	}
	after, err := recipeJSON(t.Spec)
	if err != nil {
		return err
	}
	if !bytes.Equal(t.recipe, after) {
		return fmt.Errorf("the fit changed the recipe from %s to %s", t.recipe, after)
	}
	return nil
}

// checkSameFile: the same seed gives the same file, byte for byte, on another number of threads.
func checkSameFile(t *trial) error {
	m, _, err := t.Spec.Fit(t.ctx, t.Train, t.run(2))
	if err != nil {
		return err
	}
	again, err := save(m)
	if err != nil {
		return err
	}
	if !bytes.Equal(t.file, again) {
		return fmt.Errorf("two fits with one seed, on 1 and 2 threads, wrote files of %d and %d bytes that differ", len(t.file), len(again))
	}
	return nil
}

// checkCancelledBefore: a fit does not begin when its context has ended.
func checkCancelledBefore(t *trial) error {
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	m, _, err := t.Spec.Fit(ctx, t.Train, t.run(1))
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("fit under a cancelled context returned the error %v, expected one that wraps %v", err, context.Canceled)
	}
	if m != nil {
		return errors.New("fit under a cancelled context returned a model")
	}
	return nil
}

// promptly is how long a fit may go on after its context has ended: a step of any model that is fit for a test is shorter.
const promptly = 5 * time.Second

// checkCancelledDuring: a fit ends soon after its context does. A fit that reports no progress before it is done is too
// short to interrupt.
func checkCancelledDuring(t *trial) error {
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	var cancelled time.Time
	run := t.run(1)
	run.Progress = func(p model.Progress) {
		if !p.Done && cancelled.IsZero() {
			cancelled = time.Now()
			cancel()
		}
	}
	_, _, err := t.Spec.Fit(ctx, t.Train, run)
	if cancelled.IsZero() {
		return err
	}
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a fit that was cancelled returned the error %v, expected one that wraps %v", err, context.Canceled)
	}
	if took := time.Since(cancelled); took > promptly {
		return fmt.Errorf("a fit that was cancelled went on for %v, expected at most %v", took, promptly)
	}
	return nil
}

// checkSaveAndLoad: a model from a file gives the same answers, writes the same file, and knows where it comes from.
func checkSaveAndLoad(t *trial) error {
	m, f, err := load(t.file)
	if err != nil {
		return err
	}
	again, err := save(m)
	if err != nil {
		return err
	}
	if !bytes.Equal(t.file, again) {
		return errors.New("a loaded model saves another file than the one it came from")
	}
	if !reflect.DeepEqual(f.Card.Schema, t.Train.Schema()) {
		return fmt.Errorf("the file's schema is %+v, expected %+v", *f.Card.Schema, *t.Train.Schema())
	}
	if want := t.run(1).Provenance; f.Card.Provenance != want {
		return fmt.Errorf("the file's provenance is %+v, expected %+v", f.Card.Provenance, want)
	}
	recipe, err := recipeJSON(f.Card.Recipe)
	if err != nil {
		return err
	}
	if !bytes.Equal(recipe, t.recipe) {
		return fmt.Errorf("the file's recipe is %s, expected %s", recipe, t.recipe)
	}
	loaded := questions(m)
	for i, q := range questions(t.model) {
		if len(loaded) <= i || loaded[i].name != q.name {
			return fmt.Errorf("the loaded model cannot answer %s", q.name)
		}
		before, err := q.answer(t.x, t.y)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		after, err := loaded[i].answer(t.x, t.y)
		if err != nil {
			return fmt.Errorf("%s of the loaded model: %w", q.name, err)
		}
		if at := sameBits(before, after); at >= 0 {
			return fmt.Errorf("%s of the loaded model: number %d is %v, expected %v", q.name, at, after[at], before[at])
		}
	}
	return nil
}
