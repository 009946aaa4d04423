// Package modeltest is the conformance suite: what every model must do, whatever it models. A model's own test calls Check
// beside the tests of its formula.
//
// Which checks run depends on the interfaces of the fitted model. A density is compared with its own samples only where
// x has at most 8 elements, all of them real numbers, because in more dimensions the comparison has no power: such a
// model is checked on a small table too.
package modeltest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// Subject is a recipe and the data to try it on. Fitting should take a second or two: it is done three times.
type Subject struct {
	Spec       model.Spec // of a registered model
	Train      data.Set   // at least 16 examples
	Validation data.Set   // nil for none
	Epochs     int        // 0: the recipe's
	Backend    string     // "": the default
}

// Check fits the subject and runs every check that fits the model, as subtests of t.
func Check(t *testing.T, s Subject) {
	t.Helper()
	trial, err := newTrial(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks {
		if c.applies != nil && !c.applies(trial) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(trial); err != nil {
				t.Error(err)
			}
		})
	}
}

// check is one demand. It returns the first defect that it finds.
type check struct {
	name    string
	applies func(*trial) bool // nil: always
	run     func(*trial) error
}

var checks = []check{
	{"registered", nil, checkRegistered},
	{"summary", nil, checkSummary},
	{"same_seed_same_file", nil, checkSameFile},
	{"cancelled_before", nil, checkCancelledBefore},
	{"cancelled_during", nil, checkCancelledDuring},
	{"save_and_load", nil, checkSaveAndLoad},
	{"repeatable", nil, checkRepeatable},
	{"concurrent", nil, checkConcurrent},
	{"one_at_a_time", nil, checkOneAtATime},
	{"empty_batch", nil, checkEmptyBatch},
	{"wrong_shape", nil, checkWrongShape},
	{"wrong_class", isConditional, checkWrongClass},
	{"nil_rand", nil, checkNilRand},
	{"posterior", isClassifier, checkPosterior},
	{"log_probability", hasLogProbability, checkLogProbability},
	{"importance_bound", hasImportanceBound, checkImportanceBound},
	{"sample_range", isSampler, checkSampleRange},
	{"sample_density", hasSmallDensity, checkSampleDensity},
	{"decoder", isDecoder, checkDecoder},
	{"latent_sampler", isLatentSampler, checkLatentSampler},
	{"tunable", isTunable, checkTunable},
}

// examples is how many examples of the training data the checks ask about.
const examples = 16

const seed = 1

// trial is a fitted subject.
type trial struct {
	Subject
	ctx     context.Context
	recipe  []byte // as it was before the fit
	model   model.Model
	summary *model.Summary
	file    []byte     // the saved model
	x       data.Batch // the first examples
	y       []int32    // a class for each; nil without labels
}

// newTrial fits the subject with one thread and saves the model.
func newTrial(ctx context.Context, s Subject) (*trial, error) {
	t := &trial{Subject: s, ctx: ctx}
	if s.Spec == nil || s.Train == nil || s.Train.Len() < examples {
		return nil, fmt.Errorf("a subject needs a Spec and Train of at least %d examples", examples)
	}
	var err error
	if t.recipe, err = recipeJSON(s.Spec); err != nil {
		return nil, err
	}
	if t.model, t.summary, err = s.Spec.Fit(ctx, s.Train, t.run(1)); err != nil {
		return nil, fmt.Errorf("fit: %w", err)
	}
	if t.file, err = save(t.model); err != nil {
		return nil, fmt.Errorf("save: %w", err)
	}
	schema := s.Train.Schema()
	t.x = data.NewBatch(schema.Shape, examples, schema.Labelled())
	index := make([]int, examples)
	for i := range index { // spread over the set, which may be sorted by class
		index[i] = i * s.Train.Len() / examples
	}
	if err := s.Train.Read(ctx, t.x, index); err != nil {
		return nil, err
	}
	t.y, t.x.Y = t.x.Y, nil
	if got := t.model.Shape(); got != schema.Shape {
		return nil, fmt.Errorf("model has shape %v, expected that of the data, %v", got, schema.Shape)
	}
	return t, nil
}

func (t *trial) run(threads int) model.Run {
	return model.Run{Validation: t.Validation, Seed: seed, Epochs: t.Epochs, Threads: threads, Backend: t.Backend,
		Provenance: model.Provenance{Data: "conformance", Seed: seed, Examples: t.Train.Len()}}
}

// random returns the same random numbers whenever it is called with the same stream.
func random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

func save(m model.Model) ([]byte, error) {
	var b bytes.Buffer
	err := m.Save(&b)
	return b.Bytes(), err
}

func load(file []byte) (model.Model, *model.File, error) {
	return model.Run{}.Read(bytes.NewReader(file), int64(len(file)))
}
