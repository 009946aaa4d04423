package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/internal/suggest"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

// classifyFlags say what to find out about a classifier beside its measures.
type classifyFlags struct {
	bootstrap int
	by        string
	costs     evaluate.Costs
	costsSet  bool // one of --cost-fp and --cost-fn was given
	positive  string
}

func (f *classifyFlags) add(flags *pflag.FlagSet) {
	flags.IntVar(&f.bootstrap, "bootstrap", 1000, "resamples behind the 95% intervals of a classifier, `N`; 0 for none")
	flags.StringVar(&f.by, "threshold-by", "", "choose a threshold by `what`: "+strings.Join(criteria(), ", "))
	flags.Float64Var(&f.costs.FP, "cost-fp", 1, "with --threshold-by cost, what deciding for A costs where B is true, `C`")
	flags.Float64Var(&f.costs.FN, "cost-fn", 1, "with --threshold-by cost, what deciding for B costs where A is true, `C`")
	flags.StringVar(&f.positive, "positive", "", "with --threshold-by, the `class` A; the second of two classes if left out")
}

// criteria are the words of --threshold-by.
func criteria() []string { return append(metricNames(), string(evaluate.Cost)) }

// check looks at the words that need no data.
func (f *classifyFlags) check() error {
	switch {
	case f.bootstrap < 0 || f.bootstrap > mostResamples:
		return usagef("--bootstrap is %d, expected 0 to %d", f.bootstrap, mostResamples)
	case f.by != "" && !slices.Contains(criteria(), f.by):
		return usagef("--threshold-by is %q, expected one of %s%s", f.by, strings.Join(criteria(), ", "), suggest.Hint(f.by, criteria()))
	case f.costsSet && f.by != string(evaluate.Cost):
		return usagef("--cost-fp and --cost-fn choose a threshold: add --threshold-by cost")
	case f.positive != "" && f.by == "":
		return usagef("--positive is the class that a threshold decides for: add --threshold-by WHAT")
	case f.by != "":
		if err := f.criterion().Check(); err != nil {
			return usagef("--cost-fp and --cost-fn: %w", err)
		}
	}
	return nil
}

// mostResamples is more than anybody has use for; a typing error shall not take a day.
const mostResamples = 1_000_000

func (f *classifyFlags) criterion() evaluate.Criterion {
	return evaluate.Criterion{Metric: evaluate.Metric(f.by), Costs: f.costs}
}

// class finds class A among the model's classes.
func (f *classifyFlags) class(classes []string) (int, error) {
	switch k := slices.Index(classes, f.positive); {
	case f.positive == "" && len(classes) == 2:
		return 1, nil
	case f.positive == "":
		return 0, usagef("a threshold decides for one class against the rest: name one of the %d by --positive CLASS: %s", len(classes), listed(classes))
	case k < 0:
		return 0, usagef("--positive is %q, expected a class of the model: %s%s", f.positive, listed(classes), suggest.Hint(f.positive, classes))
	default:
		return k, nil
	}
}

// listed are the first names of a list.
func listed(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// classified is the measures of a classifier and, where it was asked for, a threshold.
type classified struct {
	*evaluate.Classification
	choice *evaluate.Choice
}

// classify measures a classifier as the flags say.
func (f *classifyFlags) classify(ctx context.Context, c model.Classifier, set data.Set, seed uint64) (*classified, error) {
	p, err := evaluate.Posterior(ctx, c, set)
	if err != nil {
		return nil, err
	}
	r := &classified{}
	if r.Classification, err = p.Classify(ctx, f.bootstrap, seed); err != nil || f.by == "" {
		return r, err
	}
	class, err := f.class(p.Classes)
	if err != nil {
		return nil, err
	}
	r.choice, err = p.Choose(ctx, class, f.criterion(), f.bootstrap, seed)
	return r, err
}

// MarshalJSON adds the threshold to the object of the measures.
func (r *classified) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(r.Classification)
	if err != nil || r.choice == nil {
		return text, err
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	object["threshold"] = r.choice
	return json.Marshal(object)
}

// interval writes a 95% interval, and nothing where there is none.
func interval(i *measure.Interval) string {
	if i == nil {
		return ""
	}
	return fmt.Sprintf("%.3g to %.3g", i.Low, i.High)
}

// printChoice says which threshold was chosen and what it does.
func (a *app) printChoice(c *evaluate.Choice, path string, classes []string) error {
	within := func(i *measure.Interval) string {
		if i == nil {
			return ""
		}
		return " (95% interval " + interval(i) + ")"
	}
	t := c.Curve.Short(c.Best.Threshold)
	best := fmt.Sprintf("%q at or above %v", c.Class, t)
	if c.Best.TP+c.Best.FP == 0 {
		best = fmt.Sprintf("never decide for %q", c.Class)
	}
	if i := c.Threshold; i != nil {
		best += fmt.Sprintf(" (95%% interval %v to %v)", c.Curve.Short(i.Low), c.Curve.Short(i.High))
	}
	of := string(c.By.Metric)
	facts := []string{
		"threshold", best,
		of, fmt.Sprintf("%s%s; %s at 0.5", significant(c.By.Value(c.Best)), within(c.Value), significant(c.By.Value(c.Half))),
		"decides", fmt.Sprintf("TP %s  FP %s  TN %s  FN %s", count(c.Best.TP), count(c.Best.FP), count(c.Best.TN), count(c.Best.FN)),
	}
	if c.By.Metric == evaluate.Cost {
		facts = append(facts, "if calibrated", fmt.Sprintf("%.4g would cost least, FP/(FP+FN) of the costs", c.By.Costs.Threshold()))
	}
	if err := a.facts(facts...); err != nil {
		return err
	}
	a.note("the threshold was chosen on the same examples, which flatters its %s", of)
	if len(classes) == 2 && c.Class == classes[1] && c.Best.TP+c.Best.FP > 0 { // as predict decides
		a.note("next: likely predict %s DATA --threshold %v", path, t)
	}
	return nil
}
