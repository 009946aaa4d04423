package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

type evaluateFlags struct {
	dataFlags
	privacyFlags
	samples int
}

func (a *app) evaluate() *cobra.Command {
	var f evaluateFlags
	cmd := &cobra.Command{
		Use:   "evaluate FILE DATA",
		Short: "Measure a model on data that it has not seen",
		Long: `evaluate prints every measure that fits the kind of model, with standard errors.

A classifier, which a density p(x|y) is too by Bayes' rule: accuracy, log loss,
calibration, area under the ROC curve. A model with a density, or a bound or an
estimate of it: nats per example and bits per dimension. A model that can be
sampled: distances between samples and data, beside what real data reaches
against real data.

Measured is the test part of DATA, or the part that fit held out of it; other
data is taken whole.

--privacy asks instead what the model, or with --of what was made before, gives
away of DATA, which it was fitted on: copies, also moved by a pixel or mirrored,
distances to the nearest training example, and attacks that guess who was in the
training part. --gallery shows the closest pairs: generated, training and their
difference.`,
		Example: `  likely evaluate cnn.safetensors fashion-mnist
  likely evaluate outcome.safetensors patients.csv --json
  likely evaluate gan.safetensors photos --privacy --gallery closest.png`,
		Args:              words(2, 2),
		ValidArgsFunction: completeWords(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runEvaluate(cmd.Context(), args[0], args[1], f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&f.samples, "samples", 0, fmt.Sprintf("examples to compare, at most `N`; 0 for %d", evaluate.MaxSamples))
	f.privacyFlags.add(flags)
	f.addSkipBad(flags)
	return cmd
}

func (a *app) runEvaluate(ctx context.Context, path, arg string, f evaluateFlags) error {
	if f.samples < 0 {
		return usagef("--samples is %d, expected at least 1", f.samples)
	}
	if err := f.privacyFlags.check(f.samples); err != nil {
		return err
	}
	m, file, err := a.load(path)
	if err != nil {
		return err
	}
	source, split, err := a.open(ctx, arg, data.Options{Schema: file.Card.Schema, SkipBad: f.skipBad})
	if err != nil {
		return err
	}
	if f.privacy {
		return a.runPrivacy(ctx, m, file, path, source, split, f)
	}
	set, which, err := testPart(ctx, source, split, file.Card.Provenance)
	if err != nil {
		return err
	}
	_, classifier := m.(model.Classifier)
	if classifier && !set.Schema().Labelled() {
		return unlabelledError(source, file.Card.Schema)
	}
	if !classifier && set.Len() < leastToCompare {
		a.note("%s are too few to compare samples with, expected at least %d", plural(set.Len(), "example", "examples"), leastToCompare)
	}
	a.note("measuring %s on %s of %s", file.Card.Name, plural(set.Len(), "example", "examples"), which)
	results, err := measureModel(ctx, m, set, f.samples, a.seed)
	if err != nil {
		return err
	}
	if len(results) == 0 {
		return fmt.Errorf("nothing measures the model %s of %s", file.Card.Name, path)
	}
	if a.json {
		object, err := merge(results)
		if err != nil {
			return err
		}
		object["model"], object["data"], object["part"], object["seed"] = file.Card.Name, source.Name, which, a.seed
		return a.printJSON(object)
	}
	if err := a.facts("model", file.Card.Name, "data", which, "examples", count(set.Len()), "seed", fmt.Sprint(a.seed)); err != nil {
		return err
	}
	rows := [][]string{{"measure", "value", "std. error", "real data", "better"}}
	for _, r := range results {
		rows = append(rows, measureRows(r)...)
	}
	fmt.Fprintln(a.stdout)
	if err := a.table(rows); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	for _, line := range unitLines(results) {
		fmt.Fprintln(a.stdout, line)
	}
	return nil
}

// unlabelledError reports that a classifier cannot be measured on a source, which has no labels.
func unlabelledError(s *data.Source, fitted *data.Schema) error {
	expected := "one folder of pictures for each class, or IDX pictures with their label file"
	if !fitted.IsImage() {
		expected = fmt.Sprintf("the class of each row in the column %q", fitted.Label)
	}
	return fmt.Errorf("%s has no labels to compare with; expected %s", s.Name, expected)
}

// unitLines say what the measures are in, a unit a line: they are too long for a column.
func unitLines(results []result) []string {
	var units []string
	names := map[string][]string{}
	for _, r := range results {
		for _, m := range r.Measures() {
			if m.Unit == "" {
				continue
			}
			if names[m.Unit] == nil {
				units = append(units, m.Unit)
			}
			names[m.Unit] = append(names[m.Unit], m.Name)
		}
		if s, ok := r.(*evaluate.SampleQuality); ok {
			units = append(units, s.Features)
			names[s.Features] = []string{"compared in"}
		}
	}
	var lines []string
	for _, u := range units {
		lines = append(lines, wrap(strings.Join(names[u], ", ")+": "+u, 80)...)
	}
	return lines
}

// result is a group of measures.
type result interface {
	Measures() []measure.Measure
	json.Marshaler
}

// leastToCompare is how many real examples a comparison with samples needs: it cuts them in halves of at least 10.
const leastToCompare = 20

// measureModel takes every measure that fits the model and the data.
func measureModel(ctx context.Context, m model.Model, set data.Set, samples int, seed uint64) ([]result, error) {
	var results []result
	c, discriminative, err := classifierOf(m)
	if err != nil {
		return nil, err
	}
	if c != nil && set.Schema().Labelled() {
		r, err := evaluate.Classify(ctx, c, set)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	switch r, err := evaluate.Likelihood(ctx, m, set, seed); {
	case err == nil:
		results = append(results, r)
	case !errors.Is(err, evaluate.ErrNoLikelihood) && !errors.Is(err, data.ErrNoLabels): // samples need neither
		return nil, err
	}
	if discriminative || len(results) > 0 && set.Len() < leastToCompare {
		return results, nil // a likelihood needs no crowd
	}
	switch r, err := evaluate.Samples(ctx, m, set, samples, seed); {
	case err == nil:
		results = append(results, r)
	case !errors.Is(err, evaluate.ErrNoSamples):
		return nil, err
	}
	return results, nil
}

// classifierOf is the model itself, which then is discriminative, or what Bayes' rule makes of a class-conditional density; nil of
// others.
func classifierOf(m model.Model) (c model.Classifier, discriminative bool, err error) {
	if c, ok := m.(model.Classifier); ok {
		return c, true, nil
	}
	if d, ok := m.(model.CondDensity); ok && d.Classes() > 0 {
		c, err = model.Bayes(d, nil)
	}
	return c, false, err
}

// merge makes one JSON object of the objects of all results. Where two have the same key, objects are merged and the
// later of two other values is put under the key with "sample_" before it, since only samples come second.
func merge(results []result) (map[string]any, error) {
	all := map[string]any{}
	for _, r := range results {
		text, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		var object map[string]any
		if err := json.Unmarshal(text, &object); err != nil {
			return nil, err
		}
		for key, value := range object {
			before, again := all[key]
			if again && reflect.DeepEqual(before, value) {
				continue
			}
			into, nested := before.(map[string]any)
			switch more, also := value.(map[string]any); {
			case !again:
				all[key] = value
			case nested && also:
				for k, v := range more {
					into[k] = v
				}
			default:
				all["sample_"+key] = value
			}
		}
	}
	return all, nil
}

// measureRows are the rows of a table for a group of measures.
func measureRows(r result) [][]string {
	floor := floorOf(r)
	var rows [][]string
	for _, m := range r.Measures() {
		name, better, se, real := m.Name, "lower", "", ""
		if m.HigherIsBetter {
			better = "higher"
		}
		if m.Kind == measure.KindBound {
			name += " (bound)"
		}
		if m.Kind != measure.KindExact && !math.IsNaN(m.StandardError) {
			se = strconv.FormatFloat(m.StandardError, 'g', 2, 64)
		}
		if v, ok := floor[m.Name]; ok {
			real = significant(v)
		}
		rows = append(rows, []string{name, significant(m.Value), se, real, better})
	}
	return rows
}

// floorOf is what real data reaches against real data, by the name of the measure, where that is known.
func floorOf(r result) map[string]float64 {
	floor := map[string]float64{}
	if s, ok := r.(*evaluate.SampleQuality); ok {
		for _, m := range s.Floor() {
			floor[m.Name] = m.Value
		}
	}
	return floor
}
