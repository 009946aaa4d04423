package main

import (
	"context"
	"fmt"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

// tourPage is the report of a tour.
func (a *app) tourPage(ctx context.Context, t *tour) (*report.Page, error) {
	page := &report.Page{
		Title: "Two kinds of model",
		Lead: fmt.Sprintf("A discriminative model learns p(y|x): the class of something unseen, with its probability. Of %d test digits %s names %s "+
			"rightly. A generative model learns p(x|y): it makes new data of a class. Of the digits that %s makes, %s are recognised by %s as "+
			"the class that was ordered.", t.classes.N, t.classify.entry.Name, percent(t.classes.Accuracy), t.generate.entry.Name,
			percent(t.agreement.All), t.classify.entry.Name),
		Footer: "likely " + model.Version,
	}
	classify, err := a.tourSubject(ctx, t, &t.classify, []result{t.classes})
	if err != nil {
		return nil, err
	}
	generate, err := a.tourSubject(ctx, t, &t.generate, t.quality)
	if err != nil {
		return nil, err
	}
	generate.classes = nil // what Bayes' rule makes of a generator is beside the point here
	for _, part := range []struct {
		of    *subject
		title string // before the title of the section
		build func(context.Context, *subject) ([]report.Section, error)
	}{
		{classify, "", dataOf},
		{classify, "Discriminative: ", decisions},
		{classify, classify.name + ": ", modelOf},
		{generate, "Generative: ", a.samples},
		{generate, generate.name + ": ", likelihood},
		{generate, generate.name + ": ", modelOf},
	} {
		sections, err := part.build(ctx, part.of)
		if err != nil {
			return nil, err
		}
		for _, s := range sections {
			s.Title = part.title + s.Title
			page.Sections = append(page.Sections, s)
		}
	}
	for i, s := range page.Sections {
		if s.HasFloor() {
			page.Sections[i].Measures = append(s.Measures, report.Measure{Measure: t.agreement.Measure()})
		}
	}
	page.Sections = append(page.Sections, report.Section{Title: "This page", Command: fmt.Sprintf("likely quickstart --seed %d", t.seed)})
	return page, nil
}

// tourSubject is one of the two models as reports have it.
func (a *app) tourSubject(ctx context.Context, t *tour, m *fittedModel, measured []result) (*subject, error) {
	s, err := a.openSubject(m.path)
	if err != nil {
		return nil, err
	}
	s.fit = &fitResult{Epochs: m.summary.Epochs, Seconds: m.summary.Seconds, LossUnit: m.summary.LossUnit, Stopped: m.summary.Stopped}
	s.epochs = m.epochs
	for _, p := range m.curve {
		s.log = append(s.log, logEntry{float64(p.Epoch), map[string]float64{"loss": p.Loss, validationPrefix + "loss": p.ValidationLoss}})
	}
	s.keep(measured)
	return s, s.take(ctx, t.source, "")
}
