package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
)

type quickstartFlags struct {
	out                   string
	classifier, generator string
	epochs                int
}

func (a *app) quickstart() *cobra.Command {
	var f quickstartFlags
	cmd := &cobra.Command{
		Use:   "quickstart",
		Short: "Fit a classifier and a generator to embedded digits, and report",
		Long: `quickstart shows both kinds of model on 1,797 handwritten digits that are part
of the program. It fits a classifier, p(y|x), and a conditional generator,
p(x|y), draws new digits, measures both on the test part, and writes to DIR:

  report.html             what was done and how good it is
  samples.png             new digits, a row for each class
  CLASSIFIER.safetensors  the model files, for predict, sample and evaluate
  GENERATOR.safetensors`,
		Example: `  likely quickstart
  likely quickstart --out tour --seed 7`,
		Args: words(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runQuickstart(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.out, "out", "likely-quickstart", "`folder` to write")
	flags.StringVar(&f.classifier, "classifier", "cnn", "`model` of p(y|x)")
	flags.StringVar(&f.generator, "generator", "vae", "`model` of p(x|y)")
	flags.IntVar(&f.epochs, "epochs", 0, "passes over the data, `N`; 0 for each model's own number")
	return cmd
}

// tour is what quickstart finds on its way.
type tour struct {
	dir      string
	seed     uint64
	source   *data.Source
	cut      parts
	seconds  float64
	classify fittedModel
	generate fittedModel

	classes   *evaluate.Classification
	quality   []result // of the generator
	agreement *evaluate.Agreement
	samples   data.Batch
}

// fittedModel is a model and how its fit went.
type fittedModel struct {
	entry   model.Entry
	model   model.Model
	summary *model.Summary
	path    string
	epochs  int              // asked for; 0 for the model's own number
	curve   []model.Progress // the last of each epoch
}

func (a *app) runQuickstart(ctx context.Context, f quickstartFlags) error {
	began := time.Now()
	t := &tour{dir: f.out, seed: a.seed}
	var err error
	if t.classify.entry, err = lookupKind(f.classifier, model.Discriminative); err != nil {
		return err
	}
	if t.generate.entry, err = lookupKind(f.generator, model.Generative); err != nil {
		return err
	}
	switch {
	case f.epochs < 0:
		return usagef("--epochs is %d, expected at least 1, or 0 for each model's own number", f.epochs)
	case f.epochs > mostEpochs:
		return usagef("--epochs is %d, expected at most %d", f.epochs, mostEpochs)
	}
	if err := checkOutFolder("--out", f.out); err != nil {
		return err
	}
	if t.source, _, err = a.open(ctx, "digits", data.Options{}); err != nil {
		return err
	}
	if t.cut, err = fitParts(ctx, t.source, "", 0.1, a.seed); err != nil {
		return err
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return err
	}
	if err := checkFile("--out", t.file("report.html")); err != nil {
		return err
	}
	for _, m := range []*fittedModel{&t.classify, &t.generate} {
		if err := a.fitFor(ctx, t, m, f.epochs); err != nil {
			return fmt.Errorf("%s: %w", m.entry.Name, err)
		}
	}
	if err := a.measureTour(ctx, t); err != nil {
		return err
	}
	t.seconds = time.Since(began).Seconds()
	schema := t.source.All.Schema()
	if err := atomicfile.Write(t.file("samples.png"), func(w io.Writer) error { return writePage(w, schema, t.samples) }); err != nil {
		return err
	}
	page, err := a.tourPage(ctx, t)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(t.file("report.html"), page.WriteHTML); err != nil {
		return err
	}
	return a.printTour(t)
}

// settings are those with which the model does well on so few and so small pictures.
func (m *fittedModel) settings() []string {
	switch m.entry.Name {
	case "cnn":
		return []string{"shift=1", "epochs=40"}
	case "vae":
		return []string{"output=logistic", "epochs=300", "patience=30"} // whole grey levels, rather than coins; the best epoch for unseen digits
	}
	return nil
}

func lookupKind(name string, kind model.Kind) (model.Entry, error) {
	e, err := model.Lookup(name)
	if err != nil {
		return e, &usageError{err}
	}
	if e.Kind != kind {
		return e, usagef("%s is a %s model, expected a %s one", name, e.Kind, kind)
	}
	return e, nil
}

func (t *tour) file(name string) string { return filepath.Join(t.dir, name) }

// fitFor fits one of the two models and writes its file.
func (a *app) fitFor(ctx context.Context, t *tour, m *fittedModel, epochs int) error {
	run := a.compute()
	m.epochs = epochs
	run.Validation, run.Epochs, run.Provenance = t.cut.validation, epochs, t.cut.provenance
	a.announce(m.entry, t.source, t.cut)
	show := a.meter()
	run.Progress = func(p model.Progress) {
		if n := len(m.curve); n > 0 && m.curve[n-1].Epoch == p.Epoch {
			m.curve[n-1] = p
		} else {
			m.curve = append(m.curve, p)
		}
		show.fit(p)
	}
	spec := m.entry.New()
	for _, s := range m.settings() {
		if err := model.Set(spec, s); err != nil {
			return err
		}
	}
	var err error
	m.model, m.summary, err = spec.Fit(ctx, t.cut.train, run)
	show.end()
	if err != nil {
		return err
	}
	m.path = t.file(m.entry.Name + ".safetensors")
	return model.SaveFile(m.path, m.model)
}

// measureTour draws samples and measures both models on the test part.
func (a *app) measureTour(ctx context.Context, t *tour) error {
	classifier, ok := t.classify.model.(model.Classifier)
	if !ok {
		return fmt.Errorf("the fitted %s is no classifier", t.classify.entry.Name)
	}
	generator, ok := t.generate.model.(model.CondSampler)
	if !ok || generator.Classes() == 0 {
		return usagef("--generator %s: it cannot draw from p(x|y); expected a conditional generator", t.generate.entry.Name)
	}
	a.note("measuring both on %s", plural(t.source.Test.Len(), "test example", "test examples"))
	var err error
	if t.classes, err = evaluate.Classify(ctx, classifier, t.source.Test); err != nil {
		return err
	}
	if t.quality, err = a.measureModel(ctx, t.generate.model, t.source.Test, t.source.Train, measuring{}); err != nil {
		return err
	}
	if t.agreement, err = evaluate.ClassifierAgreement(ctx, classifier, generator, 100, a.seed); err != nil {
		return err
	}
	schema := t.source.All.Schema()
	y := wish{n: 10 * len(schema.Classes)}
	for i := range y.n {
		y.classes = append(y.classes, int32(i/10))
	}
	t.samples, err = draw(ctx, generator, schema, y, rand.New(rand.NewPCG(a.seed, 0)))
	return err
}

func (a *app) printTour(t *tour) error {
	if a.json {
		quality, err := merge(t.quality)
		if err != nil {
			return err
		}
		classes, err := merge([]result{t.classes})
		if err != nil {
			return err
		}
		return a.printJSON(map[string]any{
			"out": t.dir, "report": t.file("report.html"), "samples": t.file("samples.png"), "seconds": t.seconds, "seed": t.seed,
			"classifier": map[string]any{"model": t.classify.entry.Name, "file": t.classify.path, "measures": classes},
			"generator":  map[string]any{"model": t.generate.entry.Name, "file": t.generate.path, "measures": quality, "agreement": t.agreement},
		})
	}
	seconds := time.Duration(math.Round(t.seconds)) * time.Second
	return a.facts(
		"classifier", fmt.Sprintf("%s: %.1f%% of %d test digits right", t.classify.entry.Name, 100*t.classes.Accuracy.Value, t.classes.N),
		"generator", fmt.Sprintf("%s: %.1f%% of its digits are recognised by the classifier", t.generate.entry.Name, 100*t.agreement.All.Value),
		"time", duration(seconds),
		"seed", fmt.Sprint(t.seed),
		"report", t.file("report.html"),
		"samples", t.file("samples.png"),
		"models", t.classify.path+", "+t.generate.path,
		"next", "likely sample "+t.generate.path+" -n 50 --class 7 --out sevens.png",
	)
}
