package main

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

// portrait is the page about one model: what it is worth, then the evidence.
func (a *app) portrait(ctx context.Context, s *subject, command string) (*report.Page, error) {
	page := &report.Page{Title: s.name, Lead: s.verdict(), Footer: "likely " + model.Version}
	if made := s.file.Card.Provenance.Data; made != "" {
		page.Title += " on " + made
	}
	for _, part := range []func(context.Context, *subject) ([]report.Section, error){
		decisions, thresholds, a.samples, a.distances, likelihood, a.latents, a.privacy, dataOf, modelOf,
	} {
		sections, err := part(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.path, err)
		}
		page.Sections = append(page.Sections, sections...)
	}
	page.Sections = append(page.Sections, thisPage(command))
	return page, nil
}

// thisPage says how the page was made.
func thisPage(command string) report.Section {
	return report.Section{Title: "This page", Text: []string{"The same command writes the same bytes again."}, Command: command}
}

// verdict is what the model is worth, in sentences that its measures make.
func (s *subject) verdict() string {
	if s.set == nil {
		return fmt.Sprintf("Nothing is measured: %s.", s.without)
	}
	var said []string
	on := fmt.Sprintf("On %s, %s,", plural(s.set.Len(), "example", "examples"), s.part)
	if c := s.classes; c != nil {
		by := ""
		if s.entry.Kind == model.Generative {
			by = " by Bayes' rule"
		}
		said = append(said, fmt.Sprintf("%s %s%s names the right class in %s of cases; always naming the commonest one is right in %s.",
			on, s.name, by, percent(c.Accuracy), percent(measure.Estimate{Value: commonest(c.Confusion)})))
		if s.entry.Kind == model.Discriminative {
			said = append(said, fmt.Sprintf("Its log loss is %s nats, where equal probabilities for all %d classes have %s; its confidence "+
				"differs from its share of right decisions by %s (expected calibration error).",
				valued(c.LogLoss), len(c.Classes), significant(math.Log(float64(len(c.Classes)))), percent(c.ECE)))
		}
	}
	if s.likelihood != nil {
		said = append(said, s.likelihoodSentence(on))
	}
	if q := s.quality; q != nil {
		said = append(said, fmt.Sprintf("Its samples are at a Fréchet distance of %s from real examples, and real examples at %s from "+
			"other real ones, in one feature space; %s of the samples lie where real examples are, and %s of real ones do.",
			valued(q.Frechet.Generated), valued(q.Frechet.Floor), percent(q.Precision.Generated), percent(q.Precision.Floor)))
	}
	if len(said) == 0 {
		return fmt.Sprintf("Nothing measures %s on %s.", s.name, s.part)
	}
	return strings.Join(said, " ")
}

// likelihoodSentence says what the likelihood is and what kind of number says so.
func (s *subject) likelihoodSentence(on string) string {
	all := s.likelihood.Measures()
	m := all[len(all)-1] // the tighter bound, of pictures in bits per dimension
	is := map[measure.Kind]string{measure.KindBound: "is at most", measure.KindApproximation: "is, up to the error of its method,"}[m.Kind]
	begins := on + " the"
	if s.classes != nil {
		begins = "The"
	}
	return fmt.Sprintf("%s mean of its −log p %s %s %s.", begins, cmp.Or(is, "is"), report.Shown(m), m.Unit)
}

// valued writes an estimate with its error.
func valued(e measure.Estimate) string { return report.Shown(e.As(measure.About{})) }

// percent writes a share with its error.
func percent(e measure.Estimate) string {
	e.Value, e.StandardError = 100*e.Value, 100*e.StandardError
	return valued(e) + "%"
}

// commonest is the share of the examples that are of the commonest class.
func commonest(c evaluate.Confusion) float64 {
	most, all := 0, 0
	for _, row := range c {
		n := 0
		for _, k := range row {
			n += k
		}
		most, all = max(most, n), all+n
	}
	return float64(most) / float64(all)
}

// formula writes x_i with i below the line. The text is a constant of the program.
func formula(text string) template.HTML {
	return template.HTML(strings.ReplaceAll(text, "_i", "<sub>i</sub>"))
}

// Larger numbers of classes are shown in part.
const (
	mostCurves    = 12 // curves of one plot
	fewCurves     = 6  // and how many are shown where there are more
	mostConfusion = 30 // classes in a table of all decisions
	mostMistakes  = 10 // rows in the table of mistakes
)

// decisions shows how right the decisions of a classifier are, and how sure.
func decisions(_ context.Context, s *subject) ([]report.Section, error) {
	c := s.classes
	if c == nil {
		return nil, nil
	}
	section := report.Section{
		Title:    "Decisions",
		Text:     []string{"The class that has the greatest probability is decided for."},
		Formula:  formula("log loss = −(1/n) Σ_i log p(y_i | x_i)"),
		Measures: measuresOf(c),
		Tables:   mistakes(c),
	}
	if s.entry.Kind == model.Generative {
		section.Text[0] += " The probabilities follow from the density of each class by Bayes' rule: p(y|x) = p(x|y) p(y) / Σ p(x|k) p(k)."
	}
	if len(c.Classes) <= mostConfusion {
		section.Confusion = &report.Confusion{Caption: "How often each class is taken for which", Rows: "true class",
			Columns: "predicted class", Classes: c.Classes, Counts: c.Confusion}
	}
	reliability, err := report.Reliability("Is it as often right as it says? Share of right decisions against confidence, with intervals of 95%; "+
		"on the dashed line the two are equal",
		fmt.Sprintf("Share of right decisions against confidence; expected calibration error %s", percent(c.ECE)),
		report.ReliabilityOf(s.name, c.Reliability))
	if err != nil {
		return nil, err
	}
	section.Figures = append(section.Figures, reliability)
	shown := shownClasses(c)
	if len(shown) == 0 { // of one class alone there are no curves
		return []report.Section{section}, nil
	}
	var roc, pr []report.Series
	for _, k := range shown {
		roc = append(roc, report.ROCOf(c.Classes[k], c.ROC[k]))
		pr = append(pr, report.PrecisionRecallOf(c.Classes[k], c.ROC[k]))
	}
	which := "each class against the rest"
	switch {
	case len(c.Classes) == 2:
		which = fmt.Sprintf("class %q", c.Classes[1])
	case len(shown) < len(c.Classes):
		which = fmt.Sprintf("the %d classes that are found least often", len(shown))
	}
	area := fmt.Sprintf("area under the ROC curve %s", report.Shown(c.ROCAUC.As(measure.About{})))
	f, err := report.ROC("ROC curve of "+which, fmt.Sprintf("True against false positive rate of %s; %s", which, area), roc...)
	if err != nil {
		return nil, err
	}
	section.Figures = append(section.Figures, f)
	if f, err = report.PrecisionRecall("Precision against recall of "+which, "Precision against recall of "+which, pr...); err != nil {
		return nil, err
	}
	section.Figures = append(section.Figures, f)
	return []report.Section{section}, nil
}

// shownClasses are those whose curves are drawn: the second of two, all of some, of many those that are found least often.
func shownClasses(c *evaluate.Classification) []int {
	var classes []int
	for k, curve := range c.ROC {
		if curve != nil && !(len(c.ROC) == 2 && k == 0) {
			classes = append(classes, k)
		}
	}
	if len(classes) <= mostCurves {
		return classes
	}
	found := func(k int) float64 {
		o := c.ROC[k][0]
		return float64(c.Confusion[k][k]) / float64(o.TP+o.FN)
	}
	slices.SortStableFunc(classes, func(a, b int) int { return cmp.Compare(found(a), found(b)) })
	return classes[:fewCurves]
}

// mistakes is the table of the commonest wrong decisions, if there are any.
func mistakes(c *evaluate.Classification) []report.Table {
	type mistake struct{ truth, decided, times, of int }
	var list []mistake
	wrong := 0
	for k, row := range c.Confusion {
		of := 0
		for _, n := range row {
			of += n
		}
		for l, n := range row {
			if k != l && n > 0 {
				list, wrong = append(list, mistake{k, l, n, of}), wrong+n
			}
		}
	}
	if len(list) == 0 || len(c.Classes) == 2 { // of two classes the table of all decisions says it
		return nil
	}
	slices.SortStableFunc(list, func(a, b mistake) int { return b.times - a.times })
	list = list[:min(len(list), mostMistakes)]
	t := report.Table{Caption: fmt.Sprintf("The commonest of %s", plural(wrong, "wrong decision", "wrong decisions")),
		Columns: []report.Column{{Name: "true class"}, {Name: "taken for"}, {Name: "times", Number: true}, {Name: "of", Number: true}}}
	for _, m := range list {
		t.Rows = append(t.Rows, []string{c.Classes[m.truth], c.Classes[m.decided], count(m.times), count(m.of)})
	}
	return []report.Table{t}
}

// thresholds shows how each metric depends on the threshold, where there are two classes.
func thresholds(_ context.Context, s *subject) ([]report.Section, error) {
	c := s.classes
	if c == nil || len(c.Classes) != 2 || c.ROC[1] == nil {
		return nil, nil
	}
	curve, a := c.ROC[1], c.Classes[1]
	section := report.Section{Title: "Threshold", Text: []string{fmt.Sprintf("Class %q is decided for where its probability is at or above the "+
		"threshold. The best thresholds below are chosen and measured on the same examples, which flatters them.", a)}}
	if s.fit != nil && s.fit.Threshold != nil {
		t := s.fit.Threshold
		section.Text = append(section.Text, fmt.Sprintf("On the validation part fit chose %.4g, for its %s.", t.Value, t.Metric))
	}
	table := report.Table{Caption: "Metrics of decisions, on " + s.part, Columns: []report.Column{{Name: "metric"},
		{Name: "at 0.5", Number: true}, {Name: "best", Number: true}, {Name: "at threshold", Number: true}}}
	var lines []report.Series
	half := curve.At(0.5)
	for _, m := range evaluate.Metrics() {
		lines = append(lines, report.MetricOf(m, curve))
		best := curve.Best(m)
		table.Rows = append(table.Rows, []string{string(m), significant(half.Value(m)), significant(best.Value(m)), significant(min(best.Threshold, 1))})
	}
	f, err := report.Plot("Metrics against the threshold", fmt.Sprintf("Metrics of the decision for class %q against the threshold from 0 to 1", a),
		report.Axes{X: "threshold", Y: "metric"}, lines...)
	section.Figures, section.Tables = []report.Figure{f}, []report.Table{table}
	return []report.Section{section}, err
}

// likelihood shows how well a model foretells unseen examples.
func likelihood(_ context.Context, s *subject) ([]report.Section, error) {
	l := s.likelihood
	if l == nil {
		return nil, nil
	}
	p := "log p(x_i)"
	if l.Given {
		p = "log p(x_i | y_i)"
	}
	section := report.Section{Title: "Likelihood", Measures: measuresOf(l),
		Text: []string{"Less is better: what is above the entropy of the data, which no model can change, is the divergence KL(data ‖ model)."}}
	switch l.NatsPerExample().Kind {
	case measure.KindBound:
		section.Formula = formula("−(1/n) Σ_i " + p + " ≤ −(1/n) Σ_i L(x_i), where L is the model's lower bound")
		section.Text = append(section.Text, "The model has a bound only: the likelihood itself is no worse than this, and may be better by an "+
			"unknown amount that the standard error does not tell.")
	case measure.KindApproximation:
		section.Formula = formula("−(1/n) Σ_i " + p + ", estimated")
		section.Text = append(section.Text, "The model's likelihood is computed by a method that has an error of its own, of unknown sign; the "+
			"standard error tells of chance alone.")
	default:
		section.Formula = formula("−(1/n) Σ_i " + p)
	}
	return []report.Section{section}, nil
}

// dataOf shows what the model was fitted on, or measured on.
func dataOf(ctx context.Context, s *subject) ([]report.Section, error) {
	made, schema := s.file.Card.Provenance, s.file.Card.Schema
	section := report.Section{Title: "Data"}
	fact := func(name, value string) {
		if value != "" {
			section.Facts = append(section.Facts, report.Fact{Name: name, Value: value})
		}
	}
	example := "row"
	if schema.IsImage() {
		example = "picture"
	}
	if s.source != nil {
		fact("set", filepath.Base(s.source.Name))
		fact("examples", count(s.info.N))
		fact("missing values", count(s.info.Missing))
	} else {
		fact("set", made.Data)
		section.Text = []string{"Not looked at: " + s.without + "."}
	}
	fact(example, schema.Shape.String())
	if schema.Labelled() {
		fact("classes", count(len(schema.Classes)))
	}
	fact("label", schema.Label)
	fact("fitted on", plural(made.Examples, "example", "examples"))
	if made.ValidationFraction > 0 {
		fact("for validation", fmt.Sprintf("%g%% of the rest", 100*made.ValidationFraction))
	}
	if made.TestFraction > 0 {
		fact("held out", fmt.Sprintf("%g%%, by seed %d", 100*made.TestFraction, made.Seed))
	}
	if s.set == nil {
		return []report.Section{section}, nil
	}
	fact("measured on", fmt.Sprintf("%s, %s", plural(s.set.Len(), "example", "examples"), s.part))
	if !s.same {
		section.Text = append(section.Text, fmt.Sprintf("The model was fitted on other data, %s.", made.Data))
	}
	if table, err := s.classTable(ctx); err != nil {
		return nil, err
	} else if table != nil {
		section.Tables = append(section.Tables, *table)
	}
	if !schema.IsImage() {
		section.Tables = append(section.Tables, columnTable(s.info))
		return []report.Section{section}, nil
	}
	x, err := examples(ctx, s.set)
	if err != nil {
		return nil, err
	}
	what := "Examples of " + s.part
	if x.Y != nil {
		what += ", a row for each class"
	}
	f, err := report.Pictures(what, fmt.Sprintf("%s of %s", plural(x.Len(), "picture", "pictures"), s.part), x, smallGrid(schema, x))
	section.Figures = append(section.Figures, f)
	return []report.Section{section}, err
}

// classTable counts the examples of each class, of all the data and of what is measured on; nil without labels.
func (s *subject) classTable(ctx context.Context) (*report.Table, error) {
	if !s.set.Schema().Labelled() {
		return nil, nil
	}
	y, err := data.Labels(ctx, s.set)
	if err != nil {
		return nil, err
	}
	measured := make([]int, len(s.info.Classes))
	for _, k := range y {
		measured[k]++
	}
	t := &report.Table{Caption: "Examples of each class", Columns: []report.Column{{Name: "class"}, {Name: "all", Number: true},
		{Name: "measured on", Number: true}}}
	for k, name := range s.info.Classes {
		t.Rows = append(t.Rows, []string{name, count(s.info.ClassCounts[k]), count(measured[k])})
	}
	return t, nil
}

// columnTable sums up the columns of a table.
func columnTable(info data.Info) report.Table {
	t := report.Table{Caption: "Columns", Columns: []report.Column{{Name: "column"}, {Name: "kind"}, {Name: "mean", Number: true},
		{Name: "sd", Number: true}, {Name: "least", Number: true}, {Name: "greatest", Number: true}, {Name: "missing", Number: true}}}
	for _, c := range info.Columns {
		row := []string{c.Name, string(c.Kind), significant(c.Mean), significant(c.SD), significant(c.Min), significant(c.Max), count(c.Missing)}
		if c.Kind == data.Categorical {
			row[1] = plural(len(c.Levels), "level", "levels")
			row[2], row[3], row[4], row[5] = "", "", "", ""
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// examples reads what a page shows of a set: the first ten of each of few classes, or a hundred that are spread over it.
func examples(ctx context.Context, set data.Set) (data.Batch, error) {
	const each = 10
	classes := len(set.Schema().Classes)
	var index []int
	if classes > 0 && classes <= 2*each {
		y, err := data.Labels(ctx, set)
		if err != nil {
			return data.Batch{}, err
		}
		of := make([][]int, classes)
		for i, k := range y {
			if len(of[k]) < each {
				of[k] = append(of[k], i)
			}
		}
		index = slices.Concat(of...)
	} else {
		index = spread(set.Len(), each*each)
		classes = 0
	}
	x := data.NewBatch(set.Schema().Shape, len(index), classes > 0)
	return x, set.Read(ctx, x, index)
}

// smallGrid lays out pictures so that a hundred fit on a screen.
func smallGrid(schema *data.Schema, b data.Batch) report.GridOptions {
	o := gridOptions(schema, b)
	o.Scale = max(1, pictureSide/max(schema.Height, schema.Width))
	return o
}

// pictureSide is the longer side, about, of a picture on a page, in pixels.
const pictureSide = 56

// spread is at most k of the numbers from 0 up to n, evenly spaced.
func spread(n, k int) []int {
	index := make([]int, min(n, k))
	for i := range index {
		index[i] = i * n / len(index)
	}
	return index
}

// modelOf shows what the model is, how it was made and how its training went.
func modelOf(_ context.Context, s *subject) ([]report.Section, error) {
	card := &s.file.Card
	section := report.Section{
		Title:   "Model",
		Text:    []string{fmt.Sprintf("%s is a %s model: %s (%s).", card.Name, s.entry.Kind, s.entry.Summary, s.entry.Paper)},
		Command: s.fitCommand(),
		Tables:  []report.Table{settingsTable(s.entry, card.Recipe)},
	}
	fact := func(name, value string) {
		if value != "" {
			section.Facts = append(section.Facts, report.Fact{Name: name, Value: value})
		}
	}
	fact("gives", strings.Join(answers(s.model), "; "))
	numbers := 0
	for _, t := range s.file.Tensors {
		n := 1
		for _, d := range t.Dims {
			n *= d
		}
		numbers += n
	}
	if c, ok := s.model.(*model.Calibrated); ok {
		fact("calibration", c.Map.String())
	}
	fact("numbers in the file", count(numbers))
	fact("file", fmt.Sprintf("%s, %s", filepath.Base(s.path), size(s.size)))
	fact("seed", strconv.FormatUint(card.Seed, 10))
	fact("fitted by", "likely "+card.Versions.Likely)
	if f := s.fit; f != nil {
		fact("epochs", count(f.Epochs))
		fact("stopped", f.Stopped)
		fact("time", duration(time.Duration(f.Seconds*float64(time.Second))))
		section.Text = append(section.Text, f.Notes...)
	}
	if s.fit == nil && slices.ContainsFunc(model.Fields(card.Recipe), func(f model.Field) bool { return f.Name == "epochs" }) {
		section.Text = append(section.Text, "A model file does not tell whether --epochs gave another number of epochs, nor how the training went: "+
			"the folder of a run (--run) does.")
	}
	var err error
	if section.Figures, err = s.trainingFigures(); err != nil || s.progress == nil {
		return []report.Section{section}, err
	}
	f, err := report.Animated("What the model made of the same random numbers, from epoch to epoch",
		"Samples of "+s.name+" as they changed in training, an animation", s.progress)
	if err != nil {
		return nil, fmt.Errorf("progress.gif: %w; expected the animation that fit wrote", err)
	}
	section.Figures = append(section.Figures, f)
	return []report.Section{section}, nil
}

// answers are what a model can be asked.
func answers(m model.Model) []string {
	var list []string
	given := "" // what x is conditioned on
	if c, ok := m.(interface{ Classes() int }); ok && c.Classes() > 0 {
		given = "|y"
	}
	add := func(does bool, what string) {
		if does {
			list = append(list, what)
		}
	}
	_, classifier := m.(model.Classifier)
	_, density := m.(model.Density)
	_, condDensity := m.(model.CondDensity)
	_, drawn := m.(model.DrawnDensity)
	_, bound := m.(model.Bound)
	_, condBound := m.(model.CondBound)
	_, estimator := m.(model.Estimator)
	_, encoder := m.(model.Encoder)
	_, decoder := m.(model.Decoder)
	_, sampler := m.(model.Sampler)
	add(classifier, "p(y|x)")
	add(density || condDensity, "log p(x"+given+"), exact")
	add(drawn, "log p(x"+given+") of what is drawn from x")
	add(!density && !condDensity && (bound || condBound), "a bound on log p(x"+given+")")
	add(estimator, "an estimate of log p(x"+given+")")
	add(isConditional(m), "samples of p(x|y)")
	add(!isConditional(m) && sampler, "samples of p(x)")
	add(encoder, "the code of an x")
	add(decoder, "the x of a code")
	return list
}

// settingsTable lists the settings of a recipe. Defaults are written as the values are, not as they were declared.
func settingsTable(entry model.Entry, recipe model.Spec) report.Table {
	t := report.Table{Caption: "Settings", Columns: []report.Column{{Name: "setting"}, {Name: "value", Number: true},
		{Name: "default", Number: true}, {Name: "what it is"}}}
	defaults := model.Fields(entry.New())
	for i, f := range model.Fields(recipe) {
		t.Rows = append(t.Rows, []string{f.Name, f.Value, defaults[i].Value, f.Help})
	}
	return t
}

// fitCommand is what fits the model again.
func (s *subject) fitCommand() string {
	card := &s.file.Card
	made := card.Provenance
	what := cmp.Or(made.Data, "DATA")
	if made.Part == "all" {
		what += ":all"
	}
	words := []string{"likely", "fit", card.Name, what}
	if made.Label != "" {
		words = append(words, "--label", made.Label)
	}
	defaults := model.Fields(s.entry.New())
	for i, f := range model.Fields(card.Recipe) {
		if f.Value != defaults[i].Value {
			words = append(words, "--set", f.Name+"="+f.Value)
		}
	}
	if s.epochs > 0 {
		words = append(words, "--epochs", strconv.Itoa(s.epochs))
	}
	if c, ok := s.model.(*model.Calibrated); ok {
		words = append(words, "--calibrate", string(c.Map.Method()))
	}
	if made.ValidationFraction != 0.1 {
		words = append(words, "--validation", strconv.FormatFloat(made.ValidationFraction, 'g', -1, 64))
	}
	if s.entry.Kind == model.Generative && card.Schema.IsImage() && !card.Schema.Labelled() {
		words = append(words, "--unconditional") // changes nothing where there are no labels
	}
	return shellWords(append(words, "--seed", strconv.FormatUint(card.Seed, 10)))
}

// natsPerExample is the unit of a loss that has no other.
const natsPerExample = "nats per example"

// lossUnit is what the loss of the fit is in.
func (s *subject) lossUnit() string {
	if s.fit == nil {
		return natsPerExample
	}
	return cmp.Or(s.fit.LossUnit, natsPerExample)
}

// trainingFigures are the loss and the other metrics of training against the epoch, of the training and the validation part.
func (s *subject) trainingFigures() ([]report.Figure, error) {
	names := map[string]bool{}
	for _, e := range s.log {
		for name := range e.values {
			names[strings.TrimPrefix(name, validationPrefix)] = true
		}
	}
	for _, known := range []string{"loss", "epoch", "step", "rate", "examples_per_second"} {
		delete(names, known)
	}
	var figures []report.Figure
	for _, name := range append([]string{"loss"}, slices.Sorted(maps.Keys(names))...) {
		lines := s.curves(name)
		if len(lines) == 0 {
			continue
		}
		title := "What training made smaller"
		axes := report.Axes{X: "epoch", Y: strings.ReplaceAll(name, "_", " ")}
		if name == "loss" {
			axes.Y += " (" + s.lossUnit() + ")"
		} else {
			title = "Beside the loss: " + axes.Y
		}
		last := lines[len(lines)-1]
		alt := fmt.Sprintf("%s of %s against the epoch: %s at the end, from %s", axes.Y, s.name, significant(last.Y[len(last.Y)-1]), significant(last.Y[0]))
		f, err := report.Plot(title, alt, axes, lines...)
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}

const validationPrefix = "validation_"

// curves are a metric of the training part and of the validation part against the epoch, each if it was kept.
func (s *subject) curves(name string) []report.Series {
	lines := []report.Series{{Name: "training"}, {Name: "validation"}}
	for i, key := range []string{name, validationPrefix + name} {
		for _, e := range s.log {
			if v, ok := e.values[key]; ok && v-v == 0 { // a quickstart's are NaN where they are not known
				lines[i].X, lines[i].Y = append(lines[i].X, e.epoch), append(lines[i].Y, v)
			}
		}
	}
	return slices.DeleteFunc(lines, func(l report.Series) bool { return len(l.X) < 2 })
}

// measuresOf are the rows of a report's table for groups of measures.
func measuresOf(groups ...result) []report.Measure {
	var rows []report.Measure
	for _, g := range groups {
		floor := map[string]measure.Measure{}
		if q, ok := g.(*evaluate.SampleQuality); ok {
			for _, m := range q.Floor() {
				floor[m.Name] = m
			}
		}
		for _, m := range g.Measures() {
			row := report.Measure{Measure: m}
			if f, ok := floor[m.Name]; ok {
				row.Floor = &f
			}
			rows = append(rows, row)
		}
	}
	return rows
}
