package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

// comparable reports why the numbers of models do not stand side by side: they are measured on other examples, or know other
// classes.
func comparable(ctx context.Context, subjects []*subject) error {
	first := subjects[0]
	firstPrint, err := first.measuredPrint(ctx)
	if err != nil {
		return err
	}
	for _, s := range subjects[1:] {
		x, y := first.file.Card.Schema, s.file.Card.Schema
		switch {
		case (s.set == nil) != (first.set == nil):
			with, without := first, s
			if s.set != nil {
				with, without = s, first
			}
			return fmt.Errorf("%s is measured on %s, and for %s %s", with.name, with.part, without.name, without.without)
		case x.Shape != y.Shape:
			return fmt.Errorf("%s is of %v and %s of %v: their likelihoods and samples do not compare; fit them to data of one shape, or report them one by one",
				first.name, x.Shape, s.name, y.Shape)
		case x.Labelled() && y.Labelled() && !slices.Equal(x.Classes, y.Classes):
			return fmt.Errorf("%s and %s know different classes; report them one by one", first.name, s.name)
		}
		print, err := s.measuredPrint(ctx)
		if err != nil {
			return err
		}
		if print != firstPrint {
			return fmt.Errorf("%s would be measured on %s, and %s on other examples, %s; fit both with one --seed, or name data that neither has seen by --data",
				first.name, first.part, s.name, s.part)
		}
	}
	return nil
}

// measuredPrint names the examples that are measured on, whatever their labels; "" where there are none.
func (s *subject) measuredPrint(ctx context.Context) (string, error) {
	if s.set == nil {
		return "", nil
	}
	schema := *s.set.Schema()
	schema.Classes = nil
	return data.Fingerprint(ctx, &unlabelled{s.set, &schema})
}

// comparison is the page about several models: what each is worth in one table, then the evidence, line beside line.
func (a *app) comparison(ctx context.Context, subjects []*subject, command string) (*report.Page, error) {
	page := &report.Page{Title: namesOf(subjects), Lead: compared(subjects), Footer: "likely " + model.Version}
	if tables := measureTables(subjects); len(tables) > 0 {
		page.Sections = append(page.Sections, report.Section{Title: "Measures", Text: likelihoodNotes(subjects), Tables: tables})
	}
	for _, part := range []func(context.Context, []*subject) (*report.Section, error){
		comparedDecisions, a.comparedSamples, a.comparedDistances, a.comparedPrivacy, comparedTraining, comparedModels,
	} {
		section, err := part(ctx, subjects)
		if err != nil {
			return nil, err
		}
		if section != nil {
			page.Sections = append(page.Sections, *section)
		}
	}
	of := subjects[0]
	for _, s := range subjects { // labels, where any model knows them
		if s.file.Card.Schema.Labelled() {
			of = s
			break
		}
	}
	sections, err := dataOf(ctx, of)
	if err != nil {
		return nil, err
	}
	page.Sections = append(append(page.Sections, sections...), thisPage(command))
	return page, nil
}

// compared is what the models are worth beside one another.
func compared(subjects []*subject) string {
	if subjects[0].set == nil {
		return fmt.Sprintf("Nothing is measured: %s.", subjects[0].without)
	}
	var right []string
	naive := ""
	for _, s := range subjects {
		if c := s.classes; c != nil {
			right = append(right, fmt.Sprintf("%s %s", s.name, percent(c.Accuracy)))
			naive = percent(measure.Estimate{Value: commonest(c.Confusion)})
		}
	}
	said := []string{fmt.Sprintf("Measured on %s, %s.", plural(subjects[0].set.Len(), "example", "examples"), subjects[0].part)}
	if len(right) > 0 {
		said = append(said, fmt.Sprintf("Right decisions: %s; of always naming the commonest class: %s.",
			inWords(right), naive))
	}
	spaces, of := bySpace(subjects)
	for i, space := range spaces {
		var distances []string
		for _, s := range of[space] {
			distances = append(distances, fmt.Sprintf("%s %s", s.name, valued(s.quality.Frechet.Generated)))
		}
		begins := "Fréchet distance of samples from real examples"
		if i > 0 {
			begins = "In another feature space, which does not compare"
		}
		said = append(said, fmt.Sprintf("%s: %s; of other real examples: %s.", begins, inWords(distances),
			valued(of[space][0].quality.Frechet.Floor)))
	}
	return strings.Join(said, " ")
}

// likelihoodNotes say that likelihoods of different things are no better or worse than one another.
func likelihoodNotes(subjects []*subject) []string {
	of := map[string][]string{}
	var order []string
	for _, s := range subjects {
		if s.likelihood == nil {
			continue
		}
		unit := s.likelihood.NatsPerExample().Unit
		if of[unit] == nil {
			order = append(order, unit)
		}
		of[unit] = append(of[unit], s.name)
	}
	if len(order) < 2 {
		return nil
	}
	var parts []string
	for _, unit := range order {
		parts = append(parts, fmt.Sprintf("%s: %s", inWords(of[unit]), unit))
	}
	return []string{"The likelihoods are of different things and do not compare across rows. " + strings.Join(parts, "; ") + "."}
}

// bySpace groups the models whose samples were measured by what the numbers are of: distances in different feature spaces, or of
// different numbers of examples, do not compare.
func bySpace(subjects []*subject) (spaces []string, of map[string][]*subject) {
	of = map[string][]*subject{}
	for _, s := range subjects {
		q := s.quality
		if q == nil {
			continue
		}
		space := fmt.Sprintf("Samples beside real data: %s of each; %s", plural(q.N, "example", "examples"), q.Features)
		if q.Given {
			space += "; drawn with the labels of the real ones"
		}
		if of[space] == nil {
			spaces = append(spaces, space)
		}
		of[space] = append(of[space], s)
	}
	return spaces, of
}

// measureTables are the measures of decisions and likelihoods, and those of samples, a table for each group of bySpace.
func measureTables(subjects []*subject) []report.Table {
	tables := measureTable("Value ± standard error", subjects, func(s *subject) []report.Measure {
		return measuresOf(slices.DeleteFunc(s.results(), func(r result) bool {
			_, of := r.(*evaluate.SampleQuality)
			return of
		})...)
	})
	spaces, of := bySpace(subjects)
	for _, space := range spaces {
		tables = append(tables, measureTable(space, of[space], func(s *subject) []report.Measure { return measuresOf(s.quality) })...)
	}
	return tables
}

// measureTable has a row for each measure and a column for each model, and one for real data where measures have a floor. Measures
// of one name and different units, such as likelihoods of different things, have rows of their own. Without measures there is no
// table.
func measureTable(caption string, subjects []*subject, of func(*subject) []report.Measure) []report.Table {
	type row struct {
		first report.Measure
		cells []string
	}
	rows := map[measure.About]*row{}
	var order []measure.About
	real := false
	for i, s := range subjects {
		for _, m := range of(s) {
			if rows[m.About] == nil {
				rows[m.About] = &row{m, slices.Repeat([]string{"–"}, len(subjects))}
				order = append(order, m.About)
			}
			cell := m.Shown()
			if m.Kind == measure.KindBound || m.Kind == measure.KindApproximation {
				cell += fmt.Sprintf(" (%s)", m.Kind)
			}
			rows[m.About].cells[i] = cell
			real = real || m.Floor != nil
		}
	}
	if len(order) == 0 {
		return nil
	}
	t := report.Table{Caption: caption, Columns: []report.Column{{Name: "measure"}}}
	for _, s := range subjects {
		t.Columns = append(t.Columns, report.Column{Name: s.name, Number: true})
	}
	if real {
		t.Columns = append(t.Columns, report.Column{Name: "real data", Number: true})
	}
	t.Columns = append(t.Columns, report.Column{Name: "unit"}, report.Column{Name: "better"})
	for _, about := range order {
		r := rows[about]
		cells := append([]string{about.Name}, r.cells...)
		if real {
			cells = append(cells, r.first.ShownFloor())
		}
		t.Rows = append(t.Rows, append(cells, about.Unit, r.first.Better()))
	}
	return []report.Table{t}
}

// comparedDecisions shows how sure the classifiers are, and which classes each of them finds.
func comparedDecisions(_ context.Context, subjects []*subject) (*report.Section, error) {
	var lines, roc, pr []report.Series
	var deciding []*subject
	for _, s := range subjects {
		c := s.classes
		if c == nil {
			continue
		}
		deciding = append(deciding, s)
		lines = append(lines, report.ReliabilityOf(s.name, c.Reliability))
		if len(c.Classes) == 2 && c.ROC[1] != nil {
			roc, pr = append(roc, report.ROCOf(s.name, c.ROC[1])), append(pr, report.PrecisionRecallOf(s.name, c.ROC[1]))
		}
	}
	if len(deciding) == 0 {
		return nil, nil
	}
	section := &report.Section{Title: "Decisions"}
	f, err := report.Reliability("Share of right decisions against confidence, with intervals of 95%; on the dashed line the two are equal",
		fmt.Sprintf("Share of right decisions against confidence, of %s", namesOf(deciding)), lines...)
	if err != nil {
		return nil, err
	}
	section.Figures = append(section.Figures, f)
	c := deciding[0].classes
	if len(roc) > 0 {
		if f, err = report.ROC(fmt.Sprintf("ROC curves of class %q", c.Classes[1]), "True against false positive rate, of "+namesOf(deciding), roc...); err != nil {
			return nil, err
		}
		section.Figures = append(section.Figures, f)
		if f, err = report.PrecisionRecall(fmt.Sprintf("Precision against recall of class %q", c.Classes[1]), "Precision against recall, of "+namesOf(deciding), pr...); err != nil {
			return nil, err
		}
		section.Figures = append(section.Figures, f)
	}
	if len(c.Classes) > mostConfusion {
		return section, nil
	}
	found := report.Table{Caption: "How many examples of each class are found", Columns: []report.Column{{Name: "class"}, {Name: "of", Number: true}}}
	for _, s := range deciding {
		found.Columns = append(found.Columns, report.Column{Name: s.name, Number: true})
	}
	for k, name := range c.Classes {
		of := 0
		for _, n := range c.Confusion[k] {
			of += n
		}
		row := []string{name, count(of)}
		for _, s := range deciding {
			row = append(row, count(s.classes.Confusion[k][k]))
		}
		found.Rows = append(found.Rows, row)
	}
	section.Tables = []report.Table{found}
	return section, nil
}

// comparedSamples shows what each generative model makes.
func (a *app) comparedSamples(ctx context.Context, subjects []*subject) (*report.Section, error) {
	var making []*subject
	for _, s := range subjects {
		if s.makes() && s.entry.Kind == model.Generative {
			making = append(making, s)
		}
	}
	if len(making) == 0 {
		return nil, nil
	}
	section := &report.Section{Title: "Samples"}
	if making[0].file.Card.Schema.IsImage() {
		for _, s := range making {
			f, _, err := a.samplePage(ctx, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.path, err)
			}
			section.Figures = append(section.Figures, f)
		}
		return section, nil
	}
	var err error
	section.Figures, section.Tables, err = a.sampledColumns(ctx, making)
	return section, err
}

// comparedDistances is the section of one model's page with a column for each model. All are measured beside the same examples.
func (a *app) comparedDistances(ctx context.Context, subjects []*subject) (*report.Section, error) {
	section := report.Section{Title: "Distances"}
	measured := map[*subject][]report.Measure{}
	var making []*subject
	for _, s := range subjects {
		of, err := a.distances(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.path, err)
		}
		if len(of) > 0 {
			section.Text, measured[s] = of[0].Text, of[0].Measures
			making = append(making, s)
		}
	}
	if len(making) == 0 {
		return nil, nil
	}
	section.Tables = measureTable("Value ± standard error", making, func(s *subject) []report.Measure { return measured[s] })
	return &section, nil
}

// comparedPrivacy says what each model gives away of the examples that it was fitted on.
func (a *app) comparedPrivacy(ctx context.Context, subjects []*subject) (*report.Section, error) {
	section := report.Section{Title: "Privacy", Text: []string{"What the tests find together, and the measures behind it. No sign is no proof. " +
		"The page of one model alone says what the names mean, and shows the closest pairs."}}
	found := map[evaluate.Outcome]string{evaluate.CopiesFound: "copies were found", evaluate.SignsOfMemorising: "signs of memorising",
		evaluate.NoSign: "no sign found"}
	measured := map[*subject][]report.Measure{}
	var asked []*subject
	for _, s := range subjects {
		p, why, err := a.givenAway(ctx, s)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", s.path, err)
		case p != nil:
			why, measured[s] = found[p.Outcome()], measuresOf(p)
			asked = append(asked, s)
		}
		if why != "" {
			section.Facts = append(section.Facts, report.Fact{Name: s.name, Value: why})
		}
	}
	if len(section.Facts) == 0 {
		return nil, nil
	}
	section.Tables = measureTable("Value ± standard error", asked, func(s *subject) []report.Measure { return measured[s] })
	return &section, nil
}

// comparedTraining overlays the validation losses of classifiers, which are all in one unit. Those of generative models are of
// different things.
func comparedTraining(_ context.Context, subjects []*subject) (*report.Section, error) {
	var lines []report.Series
	for _, s := range subjects {
		if s.entry.Kind != model.Discriminative || s.lossUnit() != natsPerExample {
			continue
		}
		for _, l := range s.curves("loss") {
			if l.Name == "validation" {
				l.Name = s.name
				lines = append(lines, l)
			}
		}
	}
	if len(lines) == 0 {
		return nil, nil
	}
	f, err := report.Plot("Loss of the validation part", "Loss of the validation part against the epoch, a line for each classifier that was trained in epochs",
		report.Axes{X: "epoch", Y: "validation loss (nats per example)"}, lines...)
	return &report.Section{Title: "Training", Figures: []report.Figure{f}}, err
}

// comparedModels says what each model is and what fits it again.
func comparedModels(_ context.Context, subjects []*subject) (*report.Section, error) {
	t := report.Table{Caption: "What was compared", Columns: []report.Column{{Name: "model"}, {Name: "what it is"}, {Name: "gives"},
		{Name: "file"}, {Name: "size", Number: true}, {Name: "fitted on", Number: true}, {Name: "by"}}}
	for _, s := range subjects {
		t.Rows = append(t.Rows, []string{s.name, s.entry.Summary, strings.Join(answers(s.model), "; "), s.path, size(s.size),
			count(s.file.Card.Provenance.Examples), s.fitCommand()})
	}
	return &report.Section{Title: "Models", Tables: []report.Table{t}}, nil
}

func namesOf(subjects []*subject) string {
	names := make([]string, len(subjects))
	for i, s := range subjects {
		names[i] = s.name
	}
	return inWords(names)
}
