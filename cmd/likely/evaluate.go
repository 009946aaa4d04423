package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
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
	measuring
}

// measuring is what evaluate can be told of how to measure.
type measuring struct {
	classifyFlags
	samples   int
	features  string
	inception string // file of weights
	score     bool
	anneal    int             // steps; 0 for none
	space     *evaluate.Space // that of the file of features or inception, nil where neither names one
}

// checkModel reports what was asked for and does not fit the model, before data is read.
func (how *measuring) checkModel(m model.Model, schema *data.Schema) error {
	_, discriminative := m.(model.Classifier)
	_, isLatent := m.(model.LatentLikelihood)
	switch {
	case discriminative && how.features != "":
		return errors.New("--features is where samples are compared, and a classifier is not measured by samples; leave it out")
	case discriminative && how.inception != "":
		return errors.New("--inception is where samples are compared, and a classifier is not measured by samples; leave it out")
	case how.inception != "" && !schema.IsImage():
		return errors.New("--inception is for pictures; leave it out for tables")
	case how.features == spaceClassifier && !schema.IsImage():
		return errNoClassifierSpace
	case how.anneal > 0 && !isLatent:
		return fmt.Errorf("--ais: %w", evaluate.ErrNoAnnealing)
	case how.score && !isConditional(m):
		return errors.New("--cas fits a classifier to generated examples of each class; expected a generative model of p(x|y)")
	}
	return nil
}

// checkData reports what was asked for and cannot be had of the data, before what takes long.
func (how *measuring) checkData(m model.Model, set data.Set) error {
	asked := ""
	switch {
	case how.score:
		asked = "--cas"
	case how.inception != "":
		asked = "--inception"
	case how.features != "":
		asked = "--features"
	}
	labelled := set.Schema().Labelled()
	switch {
	case how.anneal > 0 && isConditional(m) && !labelled:
		return fmt.Errorf("--ais: %w", data.ErrNoLabels)
	case how.score && !labelled:
		return fmt.Errorf("--cas: %w", data.ErrNoLabels)
	case how.features == spaceClassifier && !labelled:
		return errNoClassifierSpace
	case asked != "" && set.Len() < leastToCompare:
		return fmt.Errorf("%s: %s to compare samples with, expected at least %d; use more data", asked, plural(set.Len(), "example", "examples"), leastToCompare)
	}
	return nil
}

func (a *app) evaluate() *cobra.Command {
	var f evaluateFlags
	cmd := &cobra.Command{
		Use:   "evaluate FILE DATA",
		Short: "Measure a model on data that it has not seen",
		Long: `evaluate prints every measure that fits the kind of model, with standard errors.

A classifier, which a density p(x|y) is too by Bayes' rule: accuracy, log loss,
calibration, areas under the curves of ROC and of precision against recall (as
average precision), with 95% intervals by the bootstrap (BCa). A model with a
density, or a bound or an estimate of it: nats per example and bits per
dimension. A model that can be sampled: distances between samples and data,
beside what real data reaches against real data.

--threshold-by chooses the threshold on the probability of one class, A: at or
above it the decision is for A, below it for the other or others, B. By cost it
is that of the least mean cost, where wrong decisions cost --cost-fp and
--cost-fn. All metrics against all thresholds are in --json, as at most 200
points.

Samples are compared in a feature space. For pictures with labels it is a
layer of a small classifier that is fitted to other real pictures; for others
their principal components; for tables the standardised columns. Numbers of
different spaces do not compare. With --inception it is the layer pool3 of the
network whose weights are in the file, Inception-v3 as pytorch-fid has it, and
the Fréchet distance is fid. It is the FID of the literature only with the
published weights, which the program can neither bring along nor recognise: the
SHA-256 of the file stands beside the numbers.

Measured is the test part of DATA, or the part that fit held out of it; other
data is taken whole.

--privacy asks instead what the model, or with --of what was made before, gives
away of DATA, which it was fitted on: copies, also moved by a pixel or mirrored,
distances to the nearest training example, and attacks that guess who was in the
training part. --gallery shows the closest pairs: generated, training and their
difference.`,
		Example: `  likely evaluate cnn.safetensors fashion-mnist
  likely evaluate outcome.safetensors patients.csv --json
  likely evaluate outcome.safetensors new.csv --threshold-by cost --cost-fn 5
  likely evaluate gan.safetensors faces --features pca --cas
  likely evaluate gan.safetensors faces --inception pt_inception.safetensors
  likely evaluate gan.safetensors photos --privacy --gallery closest.png`,
		Args: func(cmd *cobra.Command, args []string) error {
			isNumber := func(word string) bool { _, err := strconv.Atoi(word); return err == nil }
			if i := slices.IndexFunc(args, isNumber); len(args) == 3 && i >= 0 && cmd.Flags().Changed("ais") {
				return usagef("--ais takes its number after an equals sign: --ais=%s", args[i])
			}
			return words(2, 2)(cmd, args)
		},
		ValidArgsFunction: completeWords(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.costsSet = cmd.Flags().Changed("cost-fp") || cmd.Flags().Changed("cost-fn")
			return a.runEvaluate(cmd.Context(), args[0], args[1], f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&f.samples, "samples", 0, fmt.Sprintf("examples to compare, at most `N`; 0 for %d", evaluate.MaxSamples))
	f.classifyFlags.add(flags)
	flags.StringVar(&f.features, "features", "", "compare samples in `SPACE`: pca, classifier, or a classifier's model file")
	flags.StringVar(&f.inception, "inception", "", "compare samples, for fid, by the weights of Inception-v3 in `WEIGHTS`")
	flags.BoolVar(&f.score, "cas", false, "fit a classifier to generated examples, test it on real ones")
	flags.IntVar(&f.anneal, "ais", 0, fmt.Sprintf("bound log p(x) by annealed importance sampling in `N` steps; %d where --ais stands alone", evaluate.AnnealSteps))
	flags.Lookup("ais").NoOptDefVal = fmt.Sprint(evaluate.AnnealSteps)
	f.privacyFlags.add(flags)
	f.addSkipBad(flags)
	return cmd
}

func (a *app) runEvaluate(ctx context.Context, path, arg string, f evaluateFlags) error {
	if least := leastToCompare / 2; !f.privacy && f.samples != 0 && f.samples < least {
		return usagef("--samples is %d, expected at least %d", f.samples, least)
	}
	if f.anneal < 0 {
		return usagef("--ais is %d steps, expected at least 1, such as --ais=%d", f.anneal, evaluate.AnnealSteps)
	}
	if f.inception != "" && f.features != "" {
		return usagef("--inception and --features both say where samples are compared; expected one of them")
	}
	if err := cmp.Or(f.classifyFlags.check(), f.privacyFlags.check(f.measuring)); err != nil {
		return err
	}
	m, file, err := a.load(path)
	if err != nil {
		return err
	}
	if f.by != "" {
		if c, _, err := classifierOf(m); err != nil {
			return err
		} else if c == nil {
			return usagef("--threshold-by is for classifiers; %s holds the model %s, which cannot tell p(y|x)", path, file.Card.Name)
		}
		if _, err := f.class(file.Card.Schema.Classes); err != nil {
			return err
		}
	}
	if err := a.openSpace(ctx, m, file.Card.Schema, &f.measuring); err != nil {
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
	if (classifier || f.by != "") && !set.Schema().Labelled() {
		return unlabelledError(source, file.Card.Schema)
	}
	if err := f.checkData(m, set); err != nil {
		return err
	}
	if !classifier && set.Len() < leastToCompare {
		a.note("%s: too few to compare samples with, expected at least %d", plural(set.Len(), "example", "examples"), leastToCompare)
	}
	a.note("measuring %s on %s of %s", file.Card.Name, plural(set.Len(), "example", "examples"), which)
	rest, err := restOf(ctx, source, split, file.Card.Provenance)
	if err != nil {
		return err
	}
	results, err := a.measureModel(ctx, m, set, rest, f.measuring)
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
		object["warnings"] = warnings(results)
		object["model"], object["data"], object["part"], object["seed"] = file.Card.Name, source.Name, which, a.seed
		if c, ok := m.(*model.Calibrated); ok {
			object["calibration"] = c.Map.Method()
		}
		return a.printJSON(object)
	}
	calibration := ""
	if c, ok := m.(*model.Calibrated); ok {
		calibration = c.Map.String()
	}
	if err := a.facts("model", file.Card.Name, "calibration", calibration, "data", which, "examples", count(set.Len()), "seed", fmt.Sprint(a.seed)); err != nil {
		return err
	}
	// What has intervals has no column of real data, and the other way round: one table for both would be too wide.
	for _, header := range [][]string{
		{"measure", "value", "std. error", "95% interval", "better"}, {"measure", "value", "std. error", "real data", "better"},
	} {
		rows := [][]string{header}
		for _, r := range results {
			if _, classes := r.(*classified); classes == (header[3] == "95% interval") {
				rows = append(rows, measureRows(r)...)
			}
		}
		if len(rows) == 1 {
			continue
		}
		fmt.Fprintln(a.stdout)
		if !slices.ContainsFunc(rows[1:], func(row []string) bool { return row[3] != "" }) {
			for i, row := range rows {
				rows[i] = slices.Delete(row, 3, 4)
			}
		}
		if err := a.table(rows); err != nil {
			return err
		}
	}
	if r, ok := results[0].(*classified); ok && r.choice != nil {
		fmt.Fprintln(a.stdout)
		if err := a.printChoice(r.choice, path, r.Classes); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.stdout)
	for _, line := range unitLines(results) {
		fmt.Fprintln(a.stdout, line)
	}
	for _, w := range warnings(results) {
		for _, line := range wrap("warning: "+w, 80) {
			fmt.Fprintln(a.stdout, line)
		}
	}
	return nil
}

// warnings say which measures come from too few examples, those of one reason on a line, and which have an interval that leaves
// their own value out.
func warnings(results []result) []string {
	type reason struct{ n, least int }
	var reasons []reason
	names := map[reason][]string{}
	for _, r := range results {
		for _, m := range r.Measures() {
			if !m.TooFew() {
				continue
			}
			why := reason{m.N, m.Least}
			if names[why] == nil {
				reasons = append(reasons, why)
			}
			names[why] = append(names[why], m.Name)
		}
	}
	lines := make([]string, len(reasons))
	for i, why := range reasons {
		lines[i] = fmt.Sprintf("%s of %s: at least %s make sense", strings.Join(names[why], ", "), plural(why.n, "example", "examples"), count(why.least))
	}
	for _, r := range results {
		for _, m := range r.Measures() {
			where, truth := "above", "lower"
			switch {
			case m.Interval == nil || m.Interval.Low <= m.Value && m.Value <= m.Interval.High:
				continue
			case m.Value < m.Interval.Low:
				where, truth = "below", "higher"
			}
			lines = append(lines, fmt.Sprintf("%s is %s its 95%% interval: chance moves it less than its bias does, so that the truth is likely %s and the interval too narrow",
				m.Name, where, truth))
		}
	}
	return lines
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

// measureModel takes every measure that fits the model and the data. rest is labelled data beside set from which a classifier may
// learn, nil where there is none.
func (a *app) measureModel(ctx context.Context, m model.Model, set, rest data.Set, how measuring) ([]result, error) {
	var results []result
	c, discriminative, err := classifierOf(m)
	if err != nil {
		return nil, err
	}
	if c != nil && set.Schema().Labelled() {
		r, err := how.classify(ctx, c, set, a.seed)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	switch r, err := evaluate.Likelihood(ctx, m, set, a.seed); {
	case err == nil:
		results = append(results, r)
	case !errors.Is(err, evaluate.ErrNoLikelihood) && !errors.Is(err, data.ErrNoLabels): // samples need neither
		return nil, err
	}
	if how.anneal > 0 {
		a.note("annealing %d examples in %s", min(set.Len(), evaluate.AnnealExamples), plural(how.anneal, "step", "steps"))
		r, err := evaluate.Anneal(ctx, m, set, how.anneal, a.seed)
		if err != nil {
			return nil, fmt.Errorf("--ais: %w", err)
		}
		results = append(results, r)
	}
	if discriminative || len(results) > 0 && set.Len() < leastToCompare {
		return results, nil // a likelihood needs no crowd
	}
	quality, err := a.measureSamples(ctx, m, set, rest, how)
	return append(results, quality...), err
}

// measureSamples compares what the model makes with real examples. It is empty for a model that cannot be sampled.
func (a *app) measureSamples(ctx context.Context, m model.Model, set, rest data.Set, how measuring) ([]result, error) {
	if _, free := m.(model.Sampler); !free && !isConditional(m) {
		return nil, nil
	}
	space := how.space
	var err error
	if space == nil {
		if space, err = a.samplesSpace(ctx, how.features, set, rest, how.samples); err != nil {
			return nil, err
		}
	}
	if how.inception != "" {
		n := min(cmp.Or(how.samples, evaluate.MaxSamples), set.Len()/2)
		a.note("3 times %s go through Inception-v3, 11 billion operations each", plural(n, "picture", "pictures"))
	}
	quality, err := evaluate.SamplesIn(ctx, space, m, set, how.samples, a.seed)
	if err != nil {
		return nil, err
	}
	results := []result{quality}
	if c := quality.ByClass; c != nil && c.Counted == 0 {
		a.note("no class has more than %s, one for each feature: no distance within classes", plural(quality.Size, "example", "examples"))
	}
	if !how.score {
		return results, nil
	}
	train, test := rest, set
	if rest == nil {
		if train, test, err = evaluate.Halves(set, 0, a.seed); err != nil {
			return nil, err
		}
	}
	name, recipe := smallClassifier(set.Schema())
	a.note("fitting %s to generated examples, and to as many real ones", name)
	score, err := evaluate.ClassificationScore(ctx, m.(model.CondSampler), train, test, name, recipe, a.compute(), 0, a.seed)
	if err != nil {
		return nil, fmt.Errorf("--cas: %w", err)
	}
	return append(results, score), nil
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

// measureRows are the rows of a table for a group of measures. Their fourth column is the interval of a classifier's, what real data
// reaches of the others.
func measureRows(r result) [][]string {
	floor := floorOf(r)
	var rows [][]string
	for _, m := range r.Measures() {
		name, better, se, fourth := m.Name, "lower", "", ""
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
			fourth = significant(v)
		}
		if _, ok := r.(*classified); ok {
			fourth = interval(m.Interval)
		}
		rows = append(rows, []string{name, significant(m.Value), se, fourth, better})
	}
	return rows
}

// floorOf is what real data reaches against real data, by the name of the measure, where that is known.
func floorOf(r result) map[string]float64 {
	floor := map[string]float64{}
	if s, ok := r.(interface{ Floor() []measure.Measure }); ok {
		for _, m := range s.Floor() {
			floor[m.Name] = m.Value
		}
	}
	return floor
}
