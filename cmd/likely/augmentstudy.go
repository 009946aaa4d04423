package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/augment"
	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

type studyFlags struct {
	dataFlags
	amounts            []int
	seeds              int
	perClass           int
	settings           []string
	epochs             int
	classifier         string
	classifierSettings []string
	steps              int
	shift              int
	mirror             bool
	metric             string
	least              float64
	out                string
	resume             bool
}

func (a *app) augmentStudy() *cobra.Command {
	var f studyFlags
	cmd := &cobra.Command{
		Use:   "study DATA MODEL",
		Short: "Measure whether examples drawn from a model help a classifier",
		Long: `study asks whether synthetic data helps. For several amounts of real examples of
each class, and several seeds, it fits the generative MODEL to these examples
alone, draws others from it, and fits a classifier to

  real             the real examples
  real+synthetic   and the drawn ones
  synthetic        the drawn ones alone
  real+classical   pictures: and moved, with --mirror also mirrored ones
  real+smote       rows: and ones interpolated between neighbours (SMOTE)

with the same number of optimiser steps for each. All are measured on the test
part of DATA, a held-out fifth where it has none. Each gain over "real" comes
with a 95% interval that counts both the seeds and the test examples, and with
a verdict: helps, harms, does not help (a gain of --least is ruled out), or
cannot tell.

--out DIR keeps study.json, fits.jsonl with a line for each fit, and the curves
as curves.png and curves.svg. An interrupted study goes on with --resume.`,
		Example: `  likely augment study fashion-mnist vae --real 20,100,1000 --mirror
  likely augment study rows.csv mixture --label kind --real 10,50 --seeds 5`,
		Args:              words(2, 2),
		ValidArgsFunction: completeWords(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runStudy(cmd.Context(), args[0], args[1], f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntSliceVar(&f.amounts, "real", []int{20, 100, 1000}, "real examples of each class, `N,N,…`")
	flags.IntVar(&f.seeds, "seeds", 4, "seeds, `N`: --seed and those after it")
	flags.IntVar(&f.perClass, "per-class", 0, "synthetic examples of each class, `N`; 0 for as many as real ones")
	flags.StringArrayVar(&f.settings, "set", nil, "a setting of MODEL, `name=value`")
	flags.IntVar(&f.epochs, "epochs", 0, "passes of MODEL over the real examples, `N`; 0 for its own number")
	flags.StringVar(&f.classifier, "classifier", "", "discriminative `model`; cnn for pictures, mlp for rows")
	flags.StringArrayVar(&f.classifierSettings, "classifier-set", nil, "a setting of the classifier, `name=value`")
	flags.IntVar(&f.steps, "steps", 600, "optimiser steps of each classifier, `N`")
	flags.IntVar(&f.shift, "shift", -1, "real+classical: pixels to move by, `N`; -1 for a fourteenth of the side")
	flags.BoolVar(&f.mirror, "mirror", false, "real+classical: mirror half, where left and right mean nothing")
	flags.StringVar(&f.metric, "metric", string(augment.Accuracy), "`what` is compared: "+studyMetrics())
	flags.Float64Var(&f.least, "least", 0.01, "least `gain` that would matter")
	flags.StringVar(&f.out, "out", "study", "`folder` for the results")
	flags.BoolVar(&f.resume, "resume", false, "go on with the study in --out")
	f.add(flags)
	return cmd
}

func studyMetrics() string { return joined(augment.Metrics()) }

// joined lists values as a flag takes them.
func joined[T any](values []T) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(values), "[]"), " ", ", ")
}

// check looks at the words that need no data.
func (f *studyFlags) check() error {
	for i, n := range f.amounts {
		if n < 2 || i > 0 && n <= f.amounts[i-1] {
			return usagef("--real is %s, expected ascending numbers from 2", joined(f.amounts))
		}
	}
	switch {
	case len(f.amounts) == 0:
		return usagef("--real is empty, expected ascending numbers from 2, such as 20,100,1000")
	case f.seeds < 1 || f.seeds > 1000:
		return usagef("--seeds is %d, expected 1 to 1000", f.seeds)
	case f.perClass < 0:
		return usagef("--per-class is %d, expected at least 1", f.perClass)
	case f.epochs < 0 || f.epochs > mostEpochs:
		return usagef("--epochs is %d, expected 1 to %d, or 0 for the model's own number", f.epochs, mostEpochs)
	case f.steps < 1 || f.steps > 1_000_000:
		return usagef("--steps is %d, expected 1 to 1000000", f.steps)
	case f.shift < -1:
		return usagef("--shift is %d, expected at least 0, or -1", f.shift)
	case !(f.least >= 0 && f.least < 1e9):
		return usagef("--least is %v, expected a gain from 0", f.least)
	case !slices.Contains(augment.Metrics(), augment.Metric(f.metric)):
		return usagef("--metric is %q, expected one of %s", f.metric, studyMetrics())
	}
	return checkOutFolder("--out", f.out)
}

// recipe is a recipe with settings, of a model of the right kind.
func recipe(name string, kind model.Kind, flag string, settings []string) (model.Spec, error) {
	entry, err := model.Lookup(name)
	if err != nil {
		return nil, &usageError{err}
	}
	if entry.Kind != kind {
		return nil, usagef("%s is %s, expected a %s model (see likely models)", name, entry.Kind, kind)
	}
	spec := entry.New()
	for _, s := range settings {
		if err := model.Set(spec, s); err != nil {
			return nil, usagef("%s: %w", flag, err)
		}
	}
	return spec, nil
}

func (a *app) runStudy(ctx context.Context, arg, name string, f studyFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	generator, err := recipe(name, model.Generative, "--set", f.settings)
	if err != nil {
		return err
	}
	if f.classifier != "" { // before the data is read
		if _, err := recipe(f.classifier, model.Discriminative, "--classifier-set", f.classifierSettings); err != nil {
			return err
		}
	}
	o, err := f.options()
	if err != nil {
		return err
	}
	source, split, err := a.open(ctx, arg, o)
	if err != nil {
		return err
	}
	schema := source.All.Schema()
	switch {
	case split != "" && split != "train":
		return usagef("a study fits to the train part and measures on the test part; expected %s without :%s", source.Name, split)
	case !schema.Labelled() && schema.IsImage():
		return fmt.Errorf("a study needs labels, but %s has none; expected one folder of pictures for each class", source.Name)
	case !schema.Labelled():
		return usagef("a study needs labels; name the column of %s that holds the class: --label COLUMN", source.Name)
	}
	if f.classifier == "" {
		f.classifier = "mlp"
		if schema.IsImage() {
			f.classifier = "cnn"
		}
	}
	classifier, err := recipe(f.classifier, model.Discriminative, "--classifier-set", f.classifierSettings)
	if err != nil {
		return err
	}
	s := &augment.Study{
		Train: source.Train, Test: source.Test, Generator: generator, Classifier: classifier,
		Amounts: f.amounts, PerClass: f.perClass, Epochs: f.epochs, Steps: f.steps,
		Metric: augment.Metric(f.metric), Compute: a.compute(),
	}
	part := "the test part"
	if !source.HasTest() {
		part = fmt.Sprintf("%g%% held out with seed %d", 100*testFraction, a.seed)
		if s.Train, s.Test, err = data.Split(ctx, source.All, testFraction, a.seed); err != nil {
			return err
		}
	}
	for i := range f.seeds {
		s.Seeds = append(s.Seeds, a.seed+uint64(i))
	}
	if schema.IsImage() {
		s.Variation = augment.Variation{Shift: f.shift, Mirror: f.mirror}
		if f.shift < 0 {
			s.Variation.Shift = augment.DefaultShift(schema.Shape)
		}
	}
	if augment.BatchSize(classifier) == 0 {
		s.Steps = 0 // the flag plays no part
	}
	if err := s.Check(ctx); err != nil {
		return err
	}
	r, err := newStudyRecord(ctx, s, source, name, f)
	if err != nil {
		return err
	}
	folder, have, err := openStudy(f.out, r, f.resume)
	if err != nil {
		return err
	}
	a.announceStudy(s, source, name, f, part)
	m := a.meter()
	fits, err := s.Run(ctx, have, m.study(), folder.keep)
	m.end()
	if err != nil {
		if ctx.Err() != nil {
			a.note("finished fits are kept in %s; the same words with --resume go on", f.out)
		}
		return err
	}
	result, err := s.Compare(fits, f.least)
	if err != nil {
		return err
	}
	if err := folder.finish(result); err != nil {
		return err
	}
	if err := writeCurves(f.out, source.Name, result); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(folder.record)
	}
	if err := a.facts("data", fmt.Sprintf("%s, %s examples of %s", filepath.Base(source.Name), count(s.Test.Len()), part),
		"generator", name, "classifier", f.classifier+training(s), "seeds", seedsInWords(s.Seeds),
		"written", f.out); err != nil {
		return err
	}
	return a.printStudy(result)
}

// training says how long each classifier is trained.
func training(s *augment.Study) string {
	if s.Steps == 0 {
		return ", to the minimum of its loss"
	}
	return fmt.Sprintf(", %s steps of %d examples", count(s.Steps), augment.BatchSize(s.Classifier))
}

func seedsInWords(seeds []uint64) string {
	if len(seeds) == 1 {
		return fmt.Sprint(seeds[0])
	}
	return fmt.Sprintf("%d to %d", seeds[0], seeds[len(seeds)-1])
}

// announceStudy says what is going to be done. The time follows as soon as a fit of each kind is measured.
func (a *app) announceStudy(s *augment.Study, source *data.Source, generator string, f studyFlags, part string) {
	cells := len(s.Amounts) * len(s.Seeds)
	a.note("study of %s: %s of %s%s, %d of %s, seeds %s", source.Name, plural(cells*len(s.Arms()), "fit", "fits"), f.classifier, training(s),
		cells, generator, seedsInWords(s.Seeds))
	a.note("measured on %s of %s", plural(s.Test.Len(), "example", "examples"), part)
	if len(s.Seeds) == 1 {
		a.note("one seed cannot show how seeds differ, so there will be no verdict; expected --seeds 2 or more")
	}
}

// study shows the progress of a study: a line for each fit, and the time that is left.
func (m *meter) study() func(augment.Progress) {
	what := ""
	return func(p augment.Progress) {
		if m.quiet {
			return
		}
		if p.Remaining > 0 && !m.estimated {
			m.estimated = true
			m.end()
			fmt.Fprintf(m.out, "estimate: %s in all\n", duration(time.Since(m.started)+p.Remaining))
		}
		line := fmt.Sprintf("classifier %d of %d: %s", min(p.Done+1, p.Total), p.Total, p.What)
		if p.Fit.Steps > 0 {
			line += fmt.Sprintf("  step %s of %s", count(p.Fit.Step), count(p.Fit.Steps))
		}
		switch {
		case p.Remaining > 0:
			line += fmt.Sprintf("  %s left", duration(p.Remaining))
		case p.Fit.Remaining > 0:
			line += fmt.Sprintf("  %s left of this fit", duration(p.Fit.Remaining))
		}
		if m.terminal {
			if m.bar == nil {
				m.bar = newBar(m.out, int64(p.Total))
			}
			m.bar.Describe(line)
			m.bar.Set(p.Done) // drawing fails only where standard error does
			return
		}
		if since := time.Since(m.last); p.What != what && since >= epochLineEvery || since >= lineEvery {
			fmt.Fprintln(m.out, line)
			what, m.last = p.What, time.Now()
		}
	}
}

// writeCurves draws the metric against the amount of real data.
func writeCurves(dir, name string, r *augment.Result) error {
	y := r.Metric.Name
	if r.Metric.Unit != "" {
		y += " (" + r.Metric.Unit + ")"
	}
	plot := report.PlotFile{Title: filepath.Base(name) + ": mean and 95% interval",
		Axes: report.Axes{X: "real examples of each class", Y: y, Dots: true, Log: true}}
	for j, first := range r.Amounts[0].Outcomes {
		line := report.Series{Name: string(first.Arm)}
		for _, amount := range r.Amounts {
			mean := amount.Outcomes[j].Mean
			line.X, line.Y = append(line.X, float64(amount.Real)), append(line.Y, mean.Value)
			line.Low, line.High = append(line.Low, mean.Low), append(line.High, mean.High)
		}
		plot.Lines = append(plot.Lines, line)
	}
	return errors.Join(
		atomicfile.Write(filepath.Join(dir, "curves.png"), plot.PNG),
		atomicfile.Write(filepath.Join(dir, "curves.svg"), plot.SVG),
	)
}

// printStudy prints the table of gains and the sentences.
func (a *app) printStudy(r *augment.Result) error {
	rows := [][]string{{"real", "fitted to", r.Metric.Name, "gain", "95% interval", "verdict"}}
	add := func(amount string, o augment.Outcome) {
		row := []string{amount, string(o.Arm), fmt.Sprintf("%.4f", o.Mean.Value)}
		if o.Arm != augment.Real {
			row = append(row, augment.Signed(o.Gain.Value), augment.Signed(o.Gain.Low)+" to "+augment.Signed(o.Gain.High), string(o.Verdict))
		}
		rows = append(rows, row)
	}
	for _, amount := range r.Amounts {
		for _, o := range amount.Outcomes {
			add(count(amount.Real), o)
		}
	}
	if len(r.Amounts) > 1 {
		for _, o := range r.Overall {
			add("all", o)
		}
	}
	fmt.Fprintln(a.stdout)
	if err := a.table(rows); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	for _, s := range r.Sentences() {
		for _, line := range wrap(s, 80) {
			if _, err := fmt.Fprintln(a.stdout, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// studyRecord is the content of study.json: the words of a study, then its result.
type studyRecord struct {
	Data             string          `json:"data"`
	Fingerprint      string          `json:"data_fingerprint"`
	Test             int             `json:"test_examples"`
	Model            string          `json:"model"`
	Recipe           json.RawMessage `json:"recipe"`
	Epochs           int             `json:"epochs"` // asked for; 0 is the recipe's
	Classifier       string          `json:"classifier"`
	ClassifierRecipe json.RawMessage `json:"classifier_recipe"`
	Steps            int             `json:"steps"` // 0 for a classifier fitted to its minimum
	Amounts          []int           `json:"real_per_class"`
	PerClass         int             `json:"synthetic_per_class"` // 0 for as many as real ones
	Seeds            []uint64        `json:"seeds"`
	Shift            int             `json:"shift"`
	Mirror           bool            `json:"mirror"`
	Metric           string          `json:"metric"`
	Backend          string          `json:"backend"`
	Likely           string          `json:"likely_version"`
	Result           json.RawMessage `json:"result,omitempty"` // of a study that is done
}

func newStudyRecord(ctx context.Context, s *augment.Study, source *data.Source, generator string, f studyFlags) (studyRecord, error) {
	r := studyRecord{
		Data: filepath.Base(source.Name), Test: s.Test.Len(), Model: generator, Epochs: s.Epochs, Classifier: f.classifier, Steps: s.Steps,
		Amounts: s.Amounts, PerClass: s.PerClass, Seeds: s.Seeds, Shift: s.Variation.Shift, Mirror: s.Variation.Mirror, Metric: f.metric,
		Backend: s.Compute.Backend, Likely: model.Version,
	}
	var err, errGenerator, errClassifier error
	r.Fingerprint, err = data.Fingerprint(ctx, source.All)
	r.Recipe, errGenerator = json.Marshal(s.Generator)
	r.ClassifierRecipe, errClassifier = json.Marshal(s.Classifier)
	return r, errors.Join(err, errGenerator, errClassifier)
}

// write writes study.json.
func (r studyRecord) write(path string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(r)
	})
}
