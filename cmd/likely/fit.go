package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/calibrate"
	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/internal/suggest"
	"github.com/likely-ml/likely/model"
)

// fitFlags are the flags of fit.
type fitFlags struct {
	dataFlags
	settings      []string
	epochs        int
	validation    float64
	unconditional bool
	metric        string
	calibrate     string
	out, run      string
	resume        bool
	checkpoint    time.Duration
	profile       bool
}

func (a *app) fit() *cobra.Command {
	var f fitFlags
	cmd := &cobra.Command{
		Use:   "fit MODEL DATA",
		Short: "Train a model and write its file",
		Long: `fit learns a model from the train part of DATA and writes it to one file.

Where DATA has no test part, a stratified fifth is held out for "likely
evaluate"; where it has, that part is not looked at. A tenth of the rest is set
aside to watch the loss. With labels a generative model learns p(x|y).

With two classes a classifier also gets the threshold on the probability of
class A, the second class, that does best on the part set aside.

--calibrate corrects the probabilities of a classifier on the part set aside,
after training, and is kept in the file: temperature, one number that changes no
decision; platt, a sigmoid for each class; isotonic, a curve for each class that
never falls, for a thousand examples or more.

With --run DIR the run is kept in a folder, with checkpoints: when it was
interrupted, the same command with --resume goes on as if it had not been. A
network that makes pictures shows in DIR/samples, now and then, what it makes
of the same random numbers, and in DIR/progress.gif how that changed.`,
		Example: `  likely fit logistic patients.csv --label outcome --out outcome.safetensors
  likely fit vae fashion-mnist --set latent=16 --epochs 20 --run runs/vae`,
		Args:              words(2, 2),
		ValidArgsFunction: completeWords(true),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.runFit(cmd.Context(), args[0], args[1], f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.settings, "set", nil, "a setting of the model, `name=value` (see likely models NAME)")
	flags.IntVar(&f.epochs, "epochs", 0, "passes over the data, `N`; 0 for the model's own number")
	flags.Float64Var(&f.validation, "validation", 0.1, "`share` of the train part set aside to watch the loss")
	flags.BoolVar(&f.unconditional, "unconditional", false, "ignore the labels: a generative model learns p(x)")
	flags.StringVar(&f.metric, "threshold-metric", "accuracy", "`what` the threshold of two classes maximises: "+strings.Join(metricNames(), ", "))
	flags.StringVar(&f.calibrate, "calibrate", "", "`how` to correct the probabilities of a classifier: "+listed(methodNames()))
	flags.StringVar(&f.out, "out", "", "model `file`; MODEL.safetensors if there is no --run either")
	flags.StringVar(&f.run, "run", "", "`folder` for the run: run.json, metrics.jsonl, checkpoints/, model.safetensors")
	flags.BoolVar(&f.resume, "resume", false, "go on with the run in --run")
	flags.DurationVar(&f.checkpoint, "checkpoint", 10*time.Second, "least `time` between checkpoints in --run")
	flags.BoolVar(&f.profile, "profile", false, "at the end, tell where the time went: each kernel's time, share, GFLOP/s")
	f.add(flags)
	return cmd
}

// metricNames are the metrics of --threshold-metric.
func metricNames() []string {
	var names []string
	for _, m := range evaluate.Metrics() {
		names = append(names, string(m))
	}
	return names
}

// methodNames are the words of --calibrate.
func methodNames() []string {
	var names []string
	for _, m := range calibrate.Methods() {
		names = append(names, string(m))
	}
	return names
}

// mostEpochs is as far as the setting epochs of a model goes.
const mostEpochs = 100_000

// check looks at the words that need no data.
func (f *fitFlags) check(spec model.Spec) error {
	for _, s := range f.settings {
		if err := model.Set(spec, s); err != nil {
			return usagef("--set: %w", err)
		}
	}
	switch {
	case f.epochs < 0:
		return usagef("--epochs is %d, expected at least 1, or 0 for the model's own number", f.epochs)
	case f.epochs > mostEpochs:
		return usagef("--epochs is %d, expected at most %d", f.epochs, mostEpochs)
	case !(f.validation >= 0 && f.validation < 1):
		return usagef("--validation is %v, expected a share from 0 up to 1", f.validation)
	case !slices.Contains(metricNames(), f.metric):
		return usagef("--threshold-metric is %q, expected one of %s", f.metric, strings.Join(metricNames(), ", "))
	case f.calibrate != "" && !slices.Contains(methodNames(), f.calibrate):
		return usagef("--calibrate is %q, expected one of %s%s", f.calibrate, listed(methodNames()), suggest.Hint(f.calibrate, methodNames()))
	case f.calibrate != "" && f.validation == 0:
		return usagef("--calibrate learns from the part set aside, and --validation 0 sets none aside; expected a share above 0")
	case f.checkpoint <= 0:
		return usagef("--checkpoint is %v, expected a time such as 10s", f.checkpoint)
	case f.resume && f.run == "":
		return usagef("--resume needs the folder of the run: --run DIR")
	}
	if f.run != "" {
		return checkOutFolder("--run", f.run)
	}
	return nil
}

// fitResult is what fit tells.
type fitResult struct {
	Model             string       `json:"model"`
	Out               string       `json:"out"`
	Run               string       `json:"run,omitempty"`
	Examples          int          `json:"examples"`
	HeldOut           int          `json:"held_out"`
	Epochs            int          `json:"epochs"`
	Steps             int          `json:"steps"`
	Seconds           float64      `json:"seconds"`
	ExamplesPerSecond float64      `json:"examples_per_second"`
	TrainLoss         *float64     `json:"train_loss"`
	ValidationLoss    *float64     `json:"validation_loss"`
	LossUnit          string       `json:"loss_unit"`
	Stopped           string       `json:"stopped"`
	Seed              uint64       `json:"seed"`
	Notes             []string     `json:"notes"`
	Threshold         *threshold   `json:"threshold,omitempty"`
	Calibration       *calibration `json:"calibration,omitempty"`
}

// threshold is the decision that does best on the validation part.
type threshold struct {
	Class  string  `json:"class"` // class A
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`  // at or above it class A is decided for
	Score  float64 `json:"score"`  // of the metric on the validation part
	AtHalf float64 `json:"at_0.5"` // the metric with the threshold 0.5
	short  float64 // decides like Value on the validation part
}

func (a *app) runFit(ctx context.Context, name, arg string, f fitFlags) error {
	entry, err := model.Lookup(name)
	if err != nil {
		return &usageError{err}
	}
	spec := entry.New()
	if err := f.check(spec); err != nil {
		return err
	}
	if f.out == "" && f.run == "" {
		f.out = name + ".safetensors"
	}
	if err := checkOut(f.out); err != nil {
		return err
	}
	switch {
	case f.calibrate != "" && entry.Kind != model.Discriminative:
		return usagef("--calibrate is for classifiers, models of p(y|x); %s is generative", name)
	case f.unconditional && entry.Kind == model.Discriminative:
		return usagef("--unconditional is for generative models; %s is discriminative and needs the labels", name)
	}
	o, err := f.options()
	if err != nil {
		return err
	}
	source, split, err := a.open(ctx, arg, o)
	if err != nil {
		return err
	}
	if err := checkLabels(entry, source); err != nil {
		return err
	}
	if f.unconditional {
		dropLabels(source)
	}
	cut, err := fitParts(ctx, source, split, f.validation, a.seed)
	if err != nil {
		return err
	}

	if f.calibrate != "" && (cut.validation == nil || cut.validation.Len() < leastToCalibrate) {
		return fmt.Errorf("%s has too few examples to set aside %d for --calibrate; expected a greater --validation, or more data", source.Name, leastToCalibrate)
	}

	run := a.compute()
	run.Validation, run.Epochs, run.Provenance = cut.validation, f.epochs, cut.provenance
	run.Dir, run.Resume, run.Checkpoint = f.run, f.resume, f.checkpoint
	folder, err := openRun(run, entry, spec, f.calibrate)
	if err != nil {
		return err
	}
	shown := cut.train.Schema()
	if f.run != "" && shown.IsImage() {
		run.Preview = func(epoch int, m model.Model) error { return a.preview(ctx, folder, shown, epoch, m) }
	}
	a.announce(entry, source, cut)
	m := a.meter()
	run.Progress = m.fit
	var profile bytes.Buffer
	if f.profile {
		run.Profile = &profile
	}
	began := time.Now()
	fitted, summary, err := spec.Fit(ctx, cut.train, run)
	m.end()
	if err != nil {
		return errors.Join(err, folder.finish(stateOf(ctx), nil))
	}
	if f.profile && profile.Len() == 0 {
		a.note("no profile: %s is not trained by the engine's programs, or the run was done already", name)
	}
	fmt.Fprint(a.stderr, profile.String())
	if summary.Seconds == 0 {
		summary.Seconds = time.Since(began).Seconds()
	}
	if summary.ExamplesPerSecond == 0 {
		summary.ExamplesPerSecond = float64(cut.train.Len()*max(1, summary.Epochs)) / summary.Seconds
	}

	r := fitResult{Model: name, Out: f.out, Run: f.run, Examples: cut.train.Len(), HeldOut: cut.heldOut, Epochs: summary.Epochs,
		Steps: summary.Steps, Seconds: summary.Seconds, ExamplesPerSecond: summary.ExamplesPerSecond,
		TrainLoss: finite(summary.TrainLoss), ValidationLoss: finite(summary.ValidationLoss), LossUnit: cmp.Or(summary.LossUnit, "nats per example"), Stopped: summary.Stopped, Seed: a.seed,
		Notes: append([]string{}, summary.Notes...)}
	if f.calibrate != "" {
		if fitted, r.Calibration, err = calibrated(ctx, fitted, cut.validation, calibrate.Method(f.calibrate)); err != nil {
			return errors.Join(err, folder.finish(stateOf(ctx), nil))
		}
		r.Notes = append(r.Notes, r.Calibration.doubts()...)
	}
	if r.Threshold, err = bestThreshold(ctx, fitted, cut.validation, evaluate.Metric(f.metric)); err != nil {
		return errors.Join(err, folder.finish(stateOf(ctx), nil))
	}
	if f.run != "" {
		path := filepath.Join(f.run, "model.safetensors")
		if err := model.SaveFile(path, fitted); err != nil {
			return errors.Join(err, folder.finish("failed", nil))
		}
		if r.Out == "" {
			r.Out = path
		}
	}
	if f.out != "" {
		if err := model.SaveFile(r.Out, fitted); err != nil {
			return errors.Join(err, folder.finish("failed", nil))
		}
	}
	if err := folder.finish("done", &r); err != nil {
		return err
	}
	if err := folder.animate(); err != nil {
		return err
	}
	return a.printFit(r, f)
}

// checkLabels reports a discriminative model without labels.
func checkLabels(e model.Entry, s *data.Source) error {
	schema := s.All.Schema()
	switch {
	case e.Kind != model.Discriminative || schema.Labelled():
		return nil
	case !schema.IsImage():
		return usagef("%s learns p(y|x) and needs labels; name the column of %s that holds the class: --label COLUMN", e.Name, s.Name)
	}
	return fmt.Errorf("%s learns p(y|x) and needs labels, but %s has none; expected one folder of pictures for each class", e.Name, s.Name)
}

// announce says what is going to be done, before it takes long. The time follows as soon as the first steps are measured.
func (a *app) announce(e model.Entry, s *data.Source, p parts) {
	schema := p.train.Schema()
	labels := "without labels"
	if schema.Labelled() {
		labels = plural(len(schema.Classes), "class", "classes")
	}
	each := 4 * schema.Size()
	if schema.IsImage() {
		each = schema.Size()
	}
	a.note("fitting %s to %s of %s (%v, %s, %s in memory), seed %d", e.Name, plural(p.train.Len(), "example", "examples"),
		s.Name, schema.Shape, labels, size(int64(each)*int64(s.All.Len())), a.seed)
	set := "none for validation"
	if p.validation != nil {
		set = count(p.validation.Len()) + " for validation"
	}
	a.note("set aside: %s, %s for the test", set, count(p.heldOut))
}

// bestThreshold chooses the threshold of a classifier of two classes on the validation part. It is nil for other models.
func bestThreshold(ctx context.Context, m model.Model, validation data.Set, metric evaluate.Metric) (*threshold, error) {
	c, ok := m.(model.Classifier)
	if !ok || c.Classes() != 2 || validation == nil {
		return nil, nil
	}
	p, err := evaluate.Posterior(ctx, c, validation)
	if err != nil {
		return nil, err
	}
	choice, err := p.Choose(ctx, 1, evaluate.Criterion{Metric: metric}, 0, 0)
	if err != nil {
		return nil, err
	}
	best := choice.Best
	return &threshold{choice.Class, string(metric), min(best.Threshold, 1), best.Value(metric), choice.Half.Value(metric), choice.Curve.Short(best.Threshold)}, nil
}

func (a *app) printFit(r fitResult, f fitFlags) error {
	if a.json {
		return a.printJSON(r)
	}
	loss := func(v *float64) string {
		if v == nil {
			return ""
		}
		return significant(*v) + " (" + r.LossUnit + ")"
	}
	decision := ""
	if t := r.Threshold; t != nil {
		decision = fmt.Sprintf("%q at or above %v: %s %.4g on the validation part (%.4g at 0.5)", t.Class, min(t.short, 1), t.Metric, t.Score, t.AtHalf)
	}
	if err := a.facts("model", r.Model, "seed", fmt.Sprint(r.Seed), "epochs", count(r.Epochs),
		"time", fmt.Sprintf("%s, %s examples/s", duration(time.Duration(r.Seconds*float64(time.Second))), count(int(r.ExamplesPerSecond))),
		"train loss", loss(r.TrainLoss), "validation loss", loss(r.ValidationLoss), "calibration", r.Calibration.fitted(), "", r.Calibration.change(), "threshold", decision, "stopped", r.Stopped,
		"written", r.Out); err != nil {
		return err
	}
	for _, n := range r.Notes {
		a.note("%s", n)
	}
	return nil
}
