package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
)

type predictFlags struct {
	dataFlags
	threshold float64
	decide    bool // --threshold was given
	proba     bool
	out       string
}

func (a *app) predict() *cobra.Command {
	var f predictFlags
	cmd := &cobra.Command{
		Use:   "predict FILE DATA",
		Short: "Say the class of each example, by p(y|x)",
		Long: `predict puts each example of DATA through the model of FILE and writes one CSV
row for each, in the order of DATA: the predicted class, and with --proba the
probability of every class. DATA is read as the model's own data was.

The class predicted is the most probable one. With two classes --threshold T
decides for class A, the second class, where its probability is T or more, and
else for class B, the first.`,
		Example: `  likely predict cnn.safetensors photos --out predictions.csv
  likely predict outcome.safetensors new.csv --proba --threshold 0.3`,
		Args:              words(2, 2),
		ValidArgsFunction: completeWords(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.decide = cmd.Flags().Changed("threshold")
			return a.runPredict(cmd.Context(), args[0], args[1], f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Float64Var(&f.threshold, "threshold", 0.5, "least `probability` of class A to decide for it (two classes)")
	flags.BoolVar(&f.proba, "proba", false, "write the probability of each class too")
	flags.StringVar(&f.out, "out", "", "CSV `file`; standard output if there is none")
	f.addSkipBad(flags)
	return cmd
}

// prediction is one example's row.
type prediction struct {
	Class         string    `json:"predicted"`
	Probabilities []float64 `json:"probabilities,omitempty"` // in the order of classes, with --proba
}

func (a *app) runPredict(ctx context.Context, path, arg string, f predictFlags) error {
	if f.decide && !(f.threshold >= 0 && f.threshold <= 1) {
		return usagef("--threshold is %v, expected a probability from 0 to 1", f.threshold)
	}
	if err := checkOut(f.out); err != nil {
		return err
	}
	m, file, err := a.load(path)
	if err != nil {
		return err
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
		return data.Each(ctx, set, func(_ int, b data.Batch) error {
			p, err := posterior(c, b)
			if err != nil {
				return err
			}
			for i := range b.Len() {
				q := p[i*len(classes) : (i+1)*len(classes)]
				pred := prediction{Class: classes[f.decideFor(q)]}
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
	write := func(w io.Writer) error { return writePredictions(w, classes, f.proba, each) }
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
		a.note("%s is generative: p(y|x) by Bayes' rule, with all classes equally probable beforehand", path)
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

// writePredictions writes a CSV table: predicted, then with proba a column for each class.
func writePredictions(w io.Writer, classes []string, proba bool, each func(func(prediction) error) error) error {
	out := csv.NewWriter(w)
	header := []string{"predicted"}
	if proba {
		header = append(header, classes...)
	}
	if err := out.Write(header); err != nil {
		return err
	}
	row := make([]string, 0, len(header))
	err := each(func(p prediction) error {
		row = append(row[:0], p.Class)
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
		p[i] = math.Exp(l)
	}
	return p, nil
}
