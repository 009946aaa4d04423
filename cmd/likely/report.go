package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/report"
)

type reportFlags struct {
	dataFlags
	data    string
	samples int
	out     string
}

func (a *app) report() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report WHAT...",
		Short: "Write what a model is and is worth on one page",
		Long: `report writes one HTML file, which holds its pictures and loads nothing. WHAT is
the folder of a run (likely fit --run) or a model file; several are compared.
The folder of a study (likely augment study) is reported too, by itself.

The page begins with what the model is worth, in numbers with their errors. What
follows is the evidence: data, training, decisions and their calibration,
likelihood, samples beside real data and their distances from it, the latent
space, and what the model gives away of the examples that it was fitted on.

Measured is the part of the data that fit held out. The data is that which the
model was fitted on, where it is here under its name, or else that of --data.
Without data the page shows what there is to show without.

Models are compared on the same examples. Likelihoods of different things, such
as grey levels and binarised pixels, stand in different rows.`,
		Example: `  likely report runs/cnn
  likely report vae.safetensors gan.safetensors --data fashion-mnist`,
		Args: words(1, mostCompared),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runReport(cmd.Context(), args, f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.data, "data", "", "`DATA` to measure on; what the model was fitted on if left out")
	flags.IntVar(&f.samples, "samples", 0, fmt.Sprintf("examples to compare, at most `N`; 0 for %d", evaluate.MaxSamples))
	flags.StringVar(&f.out, "out", "report.html", "`file` to write")
	f.addSkipBad(flags)
	return cmd
}

// mostCompared is how many models stand on one page: a table has a column for each.
const mostCompared = 12

func (a *app) runReport(ctx context.Context, paths []string, f reportFlags) error {
	if f.samples < 0 {
		return usagef("--samples is %d, expected at least 1", f.samples)
	}
	if f.out == "" {
		return usagef("--out is empty, expected the name of a file")
	}
	if err := checkOut(f.out); err != nil {
		return err
	}
	if err := checkStudies(paths); err != nil {
		return err
	}
	if isStudy(paths[0]) {
		return a.runStudyReport(paths[0], f)
	}
	var subjects []*subject
	seen := map[string]bool{}
	for _, path := range paths {
		if seen[filepath.Clean(path)] {
			return usagef("%s is named twice; expected different models to compare", path)
		}
		seen[filepath.Clean(path)] = true
		s, err := a.openSubject(path)
		if err != nil {
			return err
		}
		subjects = append(subjects, s)
	}
	nameSubjects(subjects, paths)
	for _, s := range subjects {
		if err := a.openData(ctx, s, f.data, f.skipBad); err != nil {
			return err
		}
	}
	if err := comparable(ctx, subjects); err != nil {
		return err
	}
	for _, s := range subjects {
		if err := a.measureSubject(ctx, s, f.samples); err != nil {
			return err
		}
	}
	page, err := a.reportPage(ctx, subjects, f.command(a, paths))
	if err != nil {
		return err
	}
	if err := atomicfile.Write(f.out, page.WriteHTML); err != nil {
		return err
	}
	return a.printReport(subjects, page, f.out)
}

// runStudyReport writes the page of a study, which needs neither model nor data.
func (a *app) runStudyReport(dir string, f reportFlags) error {
	if f.data != "" {
		return usagef("--data %s: the study in %s was measured on its own data", f.data, dir)
	}
	page, err := studyPage(dir, shellWords([]string{"likely", "report", dir}))
	if err != nil {
		return err
	}
	if err := atomicfile.Write(f.out, page.WriteHTML); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"out": f.out, "study": dir})
	}
	return a.printLead(page, f.out)
}

// command is what was typed, but for the flags that change nothing on the page.
func (f *reportFlags) command(a *app, paths []string) string {
	words := append([]string{"likely", "report"}, paths...)
	if f.data != "" {
		words = append(words, "--data", f.data)
	}
	if f.samples > 0 {
		words = append(words, "--samples", fmt.Sprint(f.samples))
	}
	return shellWords(append(words, "--seed", fmt.Sprint(a.seed)))
}

// shellWords joins the words of a command as a shell reads them.
func shellWords(words []string) string {
	var quoted []string
	for _, w := range words {
		if w == "" || strings.ContainsAny(w, " \t\n'\"\\$`*?[]{}()<>|&;!#~") {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted = append(quoted, w)
	}
	return strings.Join(quoted, " ")
}

// reportPage is the page about one model, or the comparison of several.
func (a *app) reportPage(ctx context.Context, subjects []*subject, command string) (*report.Page, error) {
	if len(subjects) > 1 {
		return a.comparison(ctx, subjects, command)
	}
	return a.portrait(ctx, subjects[0], command)
}

func (a *app) printReport(subjects []*subject, page *report.Page, out string) error {
	if a.json {
		models := make([]map[string]any, len(subjects))
		for i, s := range subjects {
			measures, err := merge(s.results())
			if err != nil {
				return err
			}
			models[i] = map[string]any{"name": s.name, "model": s.file.Card.Name, "file": s.path, "data": nil, "part": nil, "measures": measures}
			if s.source != nil {
				models[i]["data"], models[i]["part"] = s.source.Name, s.part
			}
		}
		return a.printJSON(map[string]any{"out": out, "seed": a.seed, "models": models})
	}
	return a.printLead(page, out)
}

// printLead prints what a page comes to, and where it is.
func (a *app) printLead(page *report.Page, out string) error {
	for _, line := range wrap(page.Lead, 80) {
		fmt.Fprintln(a.stdout, line)
	}
	fmt.Fprintln(a.stdout)
	return a.facts("seed", fmt.Sprint(a.seed), "written", out)
}
