package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/likely-ml/likely/augment"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

// studyResult is the result within study.json, as augment.Result writes it.
type studyResult struct {
	Metric  measure.About `json:"metric"`
	Least   float64       `json:"least_gain"`
	Amounts []struct {
		Real int        `json:"real_per_class"`
		Arms []studyArm `json:"arms"`
	} `json:"amounts"`
	Overall   []studyArm `json:"overall"`
	Sentences []string   `json:"sentences"`
}

// studyArm is how one arm of a study did.
type studyArm struct {
	Arm     string         `json:"arm"`
	Mean    studyInterval  `json:"mean"`
	Gain    *studyInterval `json:"gain"` // nil of real examples alone
	Verdict string         `json:"verdict"`
}

// studyInterval is an estimate with its interval of 95%.
type studyInterval struct {
	Value float64 `json:"value"`
	SE    float64 `json:"standard_error"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// isStudy reports whether a path is the folder of a study.
func isStudy(path string) bool {
	_, err := os.Stat(filepath.Join(path, "study.json"))
	return err == nil
}

// readStudy reads study.json of a study that is done.
func readStudy(dir string) (studyRecord, studyResult, error) {
	var record studyRecord
	var result studyResult
	path := filepath.Join(dir, "study.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return record, result, err
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return record, result, fmt.Errorf("%s: %w; expected the JSON that a study wrote", path, err)
	}
	if record.Result == nil {
		return record, result, fmt.Errorf("%s: the study is not done; go on with it by augment study --resume, and report then", dir)
	}
	if err := json.Unmarshal(record.Result, &result); err != nil {
		return record, result, fmt.Errorf("%s: result: %w; expected the JSON that a study wrote", path, err)
	}
	switch {
	case len(result.Amounts) == 0 || len(result.Sentences) == 0 || len(record.Seeds) == 0:
		err = errors.New("it tells of no amount of real data, or of no seed")
	default:
		for _, a := range result.Amounts {
			if len(a.Arms) != len(result.Amounts[0].Arms) || len(a.Arms) == 0 {
				err = errors.New("not every amount has all arms")
			}
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: result: %w; expected the JSON that a study wrote", path, err)
	}
	return record, result, err
}

// studyPage is the page about a study of whether synthetic data helps.
func studyPage(dir, command string) (*report.Page, error) {
	record, result, err := readStudy(dir)
	if err != nil {
		return nil, err
	}
	last := len(result.Sentences) - 1
	page := &report.Page{Title: fmt.Sprintf("Does synthetic data help? %s with %s", record.Data, record.Model), Lead: result.Sentences[last],
		Footer: "likely " + model.Version}
	gains := report.Section{Title: "Gains", Text: result.Sentences[:last]}
	counted := "count seeds and test examples"
	if len(record.Seeds) == 1 {
		counted = "count test examples alone"
	}
	gains.Text = append(gains.Text, fmt.Sprintf("All are measured on the same %s, over %s. A gain is over real examples alone, in the "+
		"direction that is better; the intervals are of 95%% and %s, but not what another train part would give.",
		plural(record.Test, "test example", "test examples"), plural(len(record.Seeds), "seed", "seeds"), counted))

	y := strings.ReplaceAll(result.Metric.Name, "_", " ")
	if result.Metric.Unit != "" {
		y += " (" + result.Metric.Unit + ")"
	}
	table := report.Table{Caption: "What each classifier learned from, and how it did", Columns: []report.Column{{Name: "real examples of each class"},
		{Name: "fitted to"}, {Name: y, Number: true}, {Name: "gain", Number: true}, {Name: "95% interval", Number: true}, {Name: "verdict"}}}
	row := func(amount string, arm studyArm) {
		cells := []string{amount, arm.Arm, valued(measure.Estimate{Value: arm.Mean.Value, StandardError: arm.Mean.SE}), "", "", ""}
		if g := arm.Gain; g != nil {
			cells[3], cells[4], cells[5] = augment.Signed(g.Value), augment.Signed(g.Low)+" to "+augment.Signed(g.High), arm.Verdict
		}
		table.Rows = append(table.Rows, cells)
	}
	lines := make([]report.Series, len(result.Amounts[0].Arms))
	for _, a := range result.Amounts {
		for j, arm := range a.Arms {
			row(count(a.Real), arm)
			l := &lines[j]
			l.Name = arm.Arm
			l.X, l.Y = append(l.X, float64(a.Real)), append(l.Y, arm.Mean.Value)
			l.Low, l.High = append(l.Low, arm.Mean.Low), append(l.High, arm.Mean.High)
		}
	}
	if len(result.Amounts) > 1 {
		for _, arm := range result.Overall {
			row("all", arm)
		}
	}
	f, err := report.Plot("Mean and 95% interval against the amount of real data", fmt.Sprintf("%s against the number of real examples of each class, a line for each kind of training data", y),
		report.Axes{X: "real examples of each class", Y: y, Dots: true, Log: true}, lines...)
	if err != nil {
		return nil, err
	}
	gains.Figures, gains.Tables = []report.Figure{f}, []report.Table{table}

	study := report.Section{Title: "Study", Facts: []report.Fact{
		{Name: "data", Value: record.Data}, {Name: "generative model", Value: record.Model}, {Name: "classifier", Value: record.Classifier},
		{Name: "optimiser steps", Value: count(record.Steps)}, {Name: "seeds", Value: seedsInWords(record.Seeds)},
		{Name: "least gain that would matter", Value: strconv.FormatFloat(result.Least, 'g', -1, 64)}, {Name: "made by", Value: "likely " + record.Likely},
	}}
	if record.Steps == 0 {
		study.Facts[3].Value = "to the minimum of the loss"
	}
	for _, of := range []struct {
		name   string
		recipe json.RawMessage
	}{{record.Model, record.Recipe}, {record.Classifier, record.ClassifierRecipe}} {
		entry, err := model.Lookup(of.name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		spec := entry.New()
		if err := json.Unmarshal(of.recipe, spec); err != nil {
			return nil, fmt.Errorf("%s: recipe of %s: %w; expected the JSON that a study wrote", dir, of.name, err)
		}
		t := settingsTable(entry, spec)
		t.Caption = "Settings of " + of.name
		study.Tables = append(study.Tables, t)
	}
	page.Sections = []report.Section{gains, study, thisPage(command)}
	return page, nil
}

// checkStudies reports a study among other things to report.
func checkStudies(paths []string) error {
	for _, path := range paths {
		if len(paths) > 1 && isStudy(path) {
			return usagef("%s is a study, which has a page to itself: likely report %s", path, path)
		}
	}
	return nil
}
