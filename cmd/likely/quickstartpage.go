package main

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

// page is the report of a tour.
func (t *tour) page() (*report.Page, error) {
	discriminative, err := t.classifierSection()
	if err != nil {
		return nil, err
	}
	generative, err := t.generatorSection()
	if err != nil {
		return nil, err
	}
	schema := t.source.All.Schema()
	return &report.Page{
		Title: "Two kinds of model",
		Lead: "A discriminative model learns p(y|x): the class of something unseen, with its probability. " +
			"A generative model learns p(x|y): it makes new data of a class.",
		Sections: []report.Section{
			{
				Title: "Data",
				Text:  []string{"Handwritten digits that are part of the program. The test part was not seen by any fit."},
				Facts: []report.Fact{
					{Name: "set", Value: t.source.Name}, {Name: "picture", Value: schema.Shape.String()},
					{Name: "classes", Value: count(len(schema.Classes))}, {Name: "fitted on", Value: count(t.cut.train.Len())},
					{Name: "validation", Value: count(t.cut.validation.Len())}, {Name: "test", Value: count(t.source.Test.Len())},
					{Name: "seed", Value: fmt.Sprint(t.seed)},
				},
				Command: fmt.Sprintf("likely quickstart --seed %d", t.seed),
			},
			discriminative, generative,
		},
		Footer: "likely " + model.Version,
	}, nil
}

func (t *tour) classifierSection() (report.Section, error) {
	name := t.classify.entry.Name
	s := report.Section{
		Title: "Discriminative: " + name,
		Text: []string{t.classify.about(), "Training chose the parameters that make the loss smallest, the mean of −log p(y|x) over " +
			"the examples; below is how the fitted model does on the test part."},
		Facts:    t.classify.facts(),
		Command:  fmt.Sprintf("likely evaluate %s digits", t.classify.path),
		Measures: measuresOf(t.classes),
		Confusion: &report.Confusion{Caption: "Which digit is taken for which", Rows: "true class", Columns: "predicted class",
			Classes: t.classes.Classes, Counts: t.classes.Confusion},
	}
	loss, err := t.classify.lossFigure()
	if err != nil {
		return s, err
	}
	var confidence, accuracy []float64
	for _, b := range t.classes.Reliability {
		if b.N > 0 {
			confidence, accuracy = append(confidence, b.Confidence), append(accuracy, b.Accuracy)
		}
	}
	reliability, err := report.Reliability("Is it as often right as it says?",
		"Share of right decisions against the confidence they were made with", report.Series{Name: name, X: confidence, Y: accuracy})
	if err != nil {
		return s, err
	}
	s.Figures = append(loss, reliability)
	return s, nil
}

func (t *tour) generatorSection() (report.Section, error) {
	schema := t.source.All.Schema()
	s := report.Section{
		Title: "Generative: " + t.generate.entry.Name,
		Text: []string{t.generate.about(), "Each row of pictures was drawn from p(x|y) of one digit. Measures of samples stand " +
			"beside what real digits reach against other real digits in the same feature space."},
		Facts:    t.generate.facts(),
		Command:  fmt.Sprintf("likely sample %s --class all --out samples.png", t.generate.path),
		Measures: append(measuresOf(t.quality...), reportMeasure(t.agreement.Measure(), nil)),
	}
	loss, err := t.generate.lossFigure()
	if err != nil {
		return s, err
	}
	pictures, err := report.Pictures("New digits, a row for each class", "Generated handwritten digits, ten of each class",
		t.samples, gridOptions(schema, t.samples))
	if err != nil {
		return s, err
	}
	s.Figures = append([]report.Figure{pictures}, loss...)
	return s, nil
}

// about says what the model is and where it comes from.
func (m *fittedModel) about() string {
	return fmt.Sprintf("%s is a %s (%s).", m.entry.Name, m.entry.Summary, m.entry.Paper)
}

func (m *fittedModel) facts() []report.Fact {
	facts := []report.Fact{{Name: "epochs", Value: count(m.summary.Epochs)}, {Name: "stopped", Value: m.summary.Stopped},
		{Name: "file", Value: filepath.Base(m.path)}}
	if set := m.settings(); len(set) > 0 {
		facts = append(facts, report.Fact{Name: "settings", Value: strings.Join(set, ", ")})
	}
	if m.summary.Seconds > 0 {
		facts = append(facts, report.Fact{Name: "time", Value: duration(time.Duration(m.summary.Seconds * float64(time.Second)))})
	}
	return facts
}

// lossFigure is the loss against the epoch, or nothing where the fit told of none.
func (m *fittedModel) lossFigure() ([]report.Figure, error) {
	training, validation := report.Series{Name: "training"}, report.Series{Name: "validation"}
	for _, p := range m.curve {
		add := func(s *report.Series, y float64) {
			if !math.IsNaN(y) && !math.IsInf(y, 0) {
				s.X, s.Y = append(s.X, float64(p.Epoch)), append(s.Y, y)
			}
		}
		add(&training, p.Loss)
		add(&validation, p.ValidationLoss)
	}
	var lines []report.Series
	for _, s := range []report.Series{training, validation} {
		if len(s.X) > 1 {
			lines = append(lines, s)
		}
	}
	if len(lines) == 0 {
		return nil, nil
	}
	f, err := report.Loss("What training made smaller", "Loss of "+m.entry.Name+" against the epoch", "", lines...)
	return []report.Figure{f}, err
}

// measuresOf are the rows of a report's table for groups of measures.
func measuresOf(groups ...result) []report.Measure {
	var rows []report.Measure
	for _, g := range groups {
		floor := floorOf(g)
		for _, m := range g.Measures() {
			var real *float64
			if v, ok := floor[m.Name]; ok {
				real = &v
			}
			rows = append(rows, reportMeasure(m, real))
		}
	}
	return rows
}

func reportMeasure(m measure.Measure, floor *float64) report.Measure {
	better := "lower"
	if m.HigherIsBetter {
		better = "higher"
	}
	return report.Measure{Name: m.Name, Value: m.Value, StandardError: m.StandardError, Unit: m.Unit, Kind: string(m.Kind), Better: better, Floor: floor}
}
