package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

// privacySamples is how many generated examples a page looks for copies among, at most.
const privacySamples = 1000

// privateSamples is how many generated examples the page of a model looks at.
func (s *subject) privateSamples() int {
	if s.samples > 0 {
		return min(privacySamples, max(s.samples, evaluate.LeastPrivate))
	}
	return privacySamples
}

// givenAway looks for what a model gives away of the examples that it was fitted on. Without a report it says why there is none;
// "" where there is nothing to ask, or the data is other data.
func (a *app) givenAway(ctx context.Context, s *subject) (p *evaluate.PrivacyReport, why string, err error) {
	_, isClassifier := s.model.(model.Classifier)
	if !s.same || !s.makes() && !isClassifier {
		return nil, "", nil
	}
	made := s.file.Card.Provenance
	if made.Part == "all" {
		return nil, fmt.Sprintf("Not looked at: the model was fitted on all of %s, which leaves no examples to compare with.", made.Data), nil
	}
	train, held, err := fittedParts(ctx, s.path, s.source, made)
	if err != nil {
		return nil, "", err
	}
	a.note("looking for what %s gives away of %s", s.name, plural(train.Len(), "example", "examples"))
	meter := a.meter()
	p, err = evaluate.Privacy(ctx, s.model, train, held, evaluate.PrivacyOptions{N: s.privateSamples(), Seed: a.seed, Progress: meter.data})
	meter.end()
	if errors.Is(err, evaluate.ErrNotComparable) {
		return nil, fmt.Sprintf("Not looked at: %v.", err), nil
	}
	return p, "", err
}

// privacy shows what a model gives away of the examples that it was fitted on.
func (a *app) privacy(ctx context.Context, s *subject) ([]report.Section, error) {
	p, why, err := a.givenAway(ctx, s)
	switch {
	case err != nil || p == nil && why == "":
		return nil, err
	case p == nil:
		return []report.Section{{Title: "Privacy", Text: []string{why}}}, nil
	}
	section := report.Section{Title: "Privacy"}
	section.Text = []string{p.Verdict(), fmt.Sprintf("The attacks guess which of %s that the model was fitted on and of %s held out are which. An AUC "+
		"of 0.5 is no better than chance; the true-positive rate (TPR) at a low false-positive rate (FPR) tells how many are given away for certain.",
		plural(p.Members, "example", "examples"), count(p.HeldOut))}
	words := []string{"likely", "evaluate", s.path, s.source.Name, "--privacy"}
	if p.Copies != nil {
		words = append(words, "--samples", fmt.Sprint(s.privateSamples()))
		section.Text[1] = "Generated examples are compared with every example of the training part, and so are real ones, which says what is usual. " + section.Text[1]
		section.Tables = append(section.Tables, tableOf("Copies of training examples", copyRows(p.Copies)))
	}
	section.Command = shellWords(append(words, "--seed", fmt.Sprint(a.seed)))
	if len(p.Spaces) > 0 {
		section.Tables = append(section.Tables, tableOf("Nearness to training examples", spaceRows(p.Spaces)))
	}
	section.Tables = append(section.Tables, tableOf("Membership attacks", attackRows(p.Attacks)))
	var terms []string
	for _, sp := range p.Spaces {
		terms = append(terms, sp.Name+": "+sp.Space)
	}
	var curves []report.Series
	for _, attack := range p.Attacks {
		terms = append(terms, attack.Name+": by "+attack.Score)
		curves = append(curves, report.ROCOf(attack.Name, attack.ROC))
	}
	section.Text = append(section.Text, "What the names mean: "+strings.Join(terms, "; ")+".")
	f, err := report.ROC("ROC curves of the attacks; on the dashed line nothing is given away",
		"Share of training examples that each attack takes for such against the share of held-out examples that it takes for such", curves...)
	if err != nil {
		return nil, err
	}
	section.Figures = []report.Figure{f}
	if schema := s.file.Card.Schema; schema.IsImage() && p.Copies != nil {
		b, grid := pairPictures(schema, p.Copies.Closest)
		grid.Scale = smallGrid(schema, b).Scale
		f, err := report.Pictures("The closest pairs, the nearest first: each generated picture, the training example nearest to it, and their difference",
			fmt.Sprintf("%s of a generated and a training picture, and their difference", plural(len(p.Copies.Closest), "pair", "pairs")), b, grid)
		if err != nil {
			return nil, err
		}
		section.Figures = append(section.Figures, f)
	}
	return []report.Section{section}, nil
}

// tableOf is a table as the terminal shows it: the first row names the columns, and the first column the rows.
func tableOf(caption string, rows [][]string) report.Table {
	t := report.Table{Caption: caption, Rows: rows[1:]}
	for j, name := range rows[0] {
		t.Columns = append(t.Columns, report.Column{Name: name, Number: j > 0})
	}
	return t
}
