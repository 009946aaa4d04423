package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
)

type predictFlags struct {
	dataFlags
	threshold float64
	decide    bool // --threshold was given
	proba     bool
	score     bool
	encode    bool
	familiar  string
	draws     int
	drawsSet  bool // --draws was given
	out       string
}

func (a *app) predict() *cobra.Command {
	var f predictFlags
	cmd := &cobra.Command{
		Use:   "predict FILE DATA",
		Short: "Say the class of each example, or how likely it is",
		Long: `predict puts each example of DATA through the model of FILE and writes one CSV
row for each, in the order of DATA: the predicted class, and with --proba the
probability of every class. DATA is read as the model's own data was. Pictures
that are files have their path in the first column, file.

The class predicted is the most probable one. With two classes --threshold T
decides for class A, the second class, where its probability is T or more, and
else for class B, the first.

With --score the row says how likely the example is: log_prob, log p(x) in nats,
or where the model has only a lower bound of it log_bound, by --draws draws of
the latent, or only an estimate log_estimate; for pictures of p elements also
bits_per_dim, -log p(x) / (p log 2), which by a lower bound is an upper one.

To reject what is unlike the data, add --familiar with data that is like it and
that the model was not fitted on, or the data of the fit, of which the part that
was held out is taken. The column p_value says how unusual the score is among
those of that data, too low or, as that of a blank picture may be, too high: who
rejects below 0.01 rejects one in a hundred of what is familiar, at most and on
average. What is not rejected may be strange in ways that the model cannot see.

With --encode the row is the place of the example in the latent space of a model
such as vae, z1 and on, and its label where it has one: a table to which other
models can be fitted. --out NAME.csv, NAME.parquet or NAME.npy writes it,
NAME.png a plot of each pair of the first dimensions. A model of p(x|y) encodes
an example under its own class, and so needs labels.`,
		Example: `  likely predict cnn.safetensors photos --out predictions.csv
  likely predict outcome.safetensors new.csv --proba --threshold 0.3
  likely predict vae.safetensors photos --score --familiar fashion-mnist
  likely predict vae.safetensors photos --encode --out codes.png`,
		Args:              words(2, 2),
		ValidArgsFunction: completeWords(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.decide, f.drawsSet = cmd.Flags().Changed("threshold"), cmd.Flags().Changed("draws")
			return a.runPredict(cmd.Context(), args[0], args[1], f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Float64Var(&f.threshold, "threshold", 0.5, "least `probability` of class A to decide for it (two classes)")
	flags.BoolVar(&f.proba, "proba", false, "write the probability of each class too")
	flags.BoolVar(&f.score, "score", false, "write log p(x), or a bound or an estimate of it, instead of the class")
	flags.BoolVar(&f.encode, "encode", false, "write the place in the latent space instead of the class")
	flags.StringVar(&f.familiar, "familiar", "", "with --score, `DATA` to compare with: how unusual is that?")
	flags.IntVar(&f.draws, "draws", evaluate.ImportanceDraws, "with --score, draws behind an importance-weighted bound, `N`")
	flags.StringVar(&f.out, "out", "", "CSV `file`, with --encode other tables too; standard output if there is none")
	f.addSkipBad(flags)
	return cmd
}

// check looks at the words that need no data.
func (f *predictFlags) check() error {
	switch {
	case f.decide && !(f.threshold >= 0 && f.threshold <= 1):
		return usagef("--threshold is %v, expected a probability from 0 to 1", f.threshold)
	case f.score && (f.decide || f.proba):
		return usagef("--score is about x and --threshold and --proba are about its class; choose one or the other")
	case f.encode && (f.score || f.decide || f.proba):
		return usagef("--encode is about the latent space, and --score, --threshold and --proba are not; choose one")
	case !f.score && f.familiar != "":
		return usagef("--familiar compares scores: add --score")
	case !f.score && f.drawsSet:
		return usagef("--draws are those behind a score: add --score")
	case f.draws < 1:
		return usagef("--draws is %d, expected at least 1", f.draws)
	}
	if f.encode {
		if f.out != "" && !isTable(f.out) && !isArray(f.out) && !strings.HasSuffix(f.out, ".png") {
			return usagef("--out %s: expected a name that ends in .csv, .parquet, .npy or .png", f.out)
		}
		return checkOut(f.out)
	}
	if e := strings.ToLower(filepath.Ext(f.out)); e == ".parquet" || e == ".npy" || e == ".arff" || e == ".json" {
		return usagef("--out %s: predictions are written as CSV, expected a name that ends in .csv", f.out)
	}
	return checkOut(f.out)
}

// prediction is one example's row.
type prediction struct {
	File          string    `json:"file,omitempty"`
	Class         string    `json:"predicted"`
	Probabilities []float64 `json:"probabilities,omitempty"` // in the order of classes, with --proba
}

func (a *app) runPredict(ctx context.Context, path, arg string, f predictFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	m, file, err := a.load(path)
	if err != nil {
		return err
	}
	if f.score {
		return a.runScore(ctx, m, file, path, arg, f)
	}
	if f.encode {
		return a.runEncode(ctx, m, file, path, arg, f)
	}
	c, err := a.classifier(m, path, file)
	if err != nil {
		return err
	}
	classes := file.Card.Schema.Classes
	if f.decide && len(classes) != 2 {
		return usagef("--threshold is for two classes; %s has %d", path, len(classes))
	}
	// Labels, where DATA has some, are not looked at, and may be of classes that the model does not know. The name of their
	// column is: without it a note would say that the model does not know the column.
	schema := *file.Card.Schema
	schema.Classes = nil
	_, set, err := a.openPart(ctx, arg, data.Options{Schema: &schema, SkipBad: f.skipBad})
	if err != nil {
		return err
	}

	// each calls row with every prediction in turn.
	each := func(row func(prediction) error) error {
		return data.Each(ctx, set, func(first int, b data.Batch) error {
			p, err := posterior(c, b)
			if err != nil {
				return err
			}
			for i := range b.Len() {
				q := p[i*len(classes) : (i+1)*len(classes)]
				pred := prediction{File: data.File(set, first+i), Class: classes[f.decideFor(q)]}
				if f.proba {
					pred.Probabilities = q
				}
				if err := row(pred); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	header := []string{"predicted"}
	if data.File(set, 0) != "" {
		header = []string{"file", "predicted"}
	}
	if f.proba {
		header = append(header, classes...)
	}
	write := func(w io.Writer) error { return writePredictions(w, header, each) }
	if f.out != "" {
		if err := atomicfile.Write(f.out, write); err != nil {
			return err
		}
		a.note("wrote %s to %s, seed %d", plural(set.Len(), "prediction", "predictions"), f.out, a.seed)
	}
	if !a.json {
		if f.out != "" {
			return nil
		}
		return write(a.stdout)
	}
	object := map[string]any{"model": file.Card.Name, "n": set.Len(), "classes": classes, "seed": a.seed}
	if f.out != "" {
		object["out"] = f.out
		return a.printJSON(object)
	}
	list := []prediction{}
	if err := each(func(p prediction) error { list = append(list, p); return nil }); err != nil {
		return err
	}
	object["predictions"] = list
	return a.printJSON(object)
}

// classifier is the model itself, or what Bayes' rule makes of a class-conditional density.
func (a *app) classifier(m model.Model, path string, f *model.File) (model.Classifier, error) {
	if c, ok := m.(model.Classifier); ok {
		return c, nil
	}
	if d, ok := m.(model.CondDensity); ok && d.Classes() > 0 {
		prior := "all classes equally probable beforehand"
		if p, ok := m.(model.Prior); ok && p.LogPrior() != nil {
			prior = "the classes' shares of the training data beforehand"
		}
		a.note("%s is generative: p(y|x) by Bayes' rule, with %s", path, prior)
		return model.Bayes(d, nil)
	}
	return nil, usagef("%s holds the model %s, which cannot tell p(y|x); expected a classifier, or a density p(x|y)", path, f.Card.Name)
}

// decideFor is the class that is predicted from the probabilities of all.
func (f *predictFlags) decideFor(p []float64) int {
	if f.decide {
		if p[1] >= f.threshold {
			return 1
		}
		return 0
	}
	best := 0
	for k, v := range p {
		if v > p[best] {
			best = k
		}
	}
	return best
}

// writePredictions writes a CSV table: the file where examples have one, the class, then the probabilities that there are.
func writePredictions(w io.Writer, header []string, each func(func(prediction) error) error) error {
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	row := make([]string, 0, len(header))
	err := each(func(p prediction) error {
		row = row[:0]
		if header[0] == "file" {
			row = append(row, p.File)
		}
		row = append(row, p.Class)
		for _, v := range p.Probabilities {
			row = append(row, strconv.FormatFloat(v, 'g', -1, 64))
		}
		return out.Write(row)
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

// posterior is p(y=k|x_i) for every example of b, row-major (n, classes).
func posterior(c model.Classifier, b data.Batch) ([]float64, error) {
	p := make([]float64, b.Len()*c.Classes())
	if err := c.LogPosterior(p, b); err != nil {
		return nil, fmt.Errorf("predict: %w", err)
	}
	for i, l := range p {
		if math.IsNaN(l) {
			return nil, &data.ExampleError{Index: i / c.Classes(), Err: errors.New("the model gives it a probability that is not a number")}
		}
		p[i] = math.Exp(l)
	}
	return p, nil
}
