package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/model"
)

func (a *app) models() *cobra.Command {
	return &cobra.Command{
		Use:   "models [NAME]",
		Short: "List the models, or the settings of one",
		Long: `models lists what can be fitted, by kind. With the name of a model it lists its
settings, which "likely fit NAME DATA --set setting=value" changes.`,
		Example: `  likely models
  likely models cnn`,
		Args:              words(0, 1),
		ValidArgsFunction: completeWords(true),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.oneModel(args[0])
			}
			return a.allModels()
		},
	}
}

// nameWidth is the width of the column of names in the list of models.
const nameWidth = 14

func (a *app) allModels() error {
	if a.json {
		type row struct {
			Name    string     `json:"name"`
			Kind    model.Kind `json:"kind"`
			Summary string     `json:"summary"`
			Paper   string     `json:"paper"`
		}
		rows := []row{}
		for _, e := range model.List("") {
			rows = append(rows, row{e.Name, e.Kind, e.Summary, e.Paper})
		}
		return a.printJSON(map[string]any{"models": rows})
	}
	for i, kind := range []model.Kind{model.Discriminative, model.Generative} {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		what := "p(y|x): the class of something unseen"
		if kind == model.Generative {
			what = "p(x), or p(x|y) where there are labels: new data"
		}
		fmt.Fprintf(a.stdout, "%s models learn %s\n", kind, what)
		for _, e := range model.List(kind) {
			for j, line := range wrap(e.Summary, 80-nameWidth-4) {
				name := ""
				if j == 0 {
					name = e.Name
				}
				fmt.Fprintf(a.stdout, "  %-*s  %s\n", nameWidth, name, line)
			}
		}
	}
	return nil
}

func (a *app) oneModel(name string) error {
	e, err := model.Lookup(name)
	if err != nil {
		return &usageError{err}
	}
	fields := model.Fields(e.New())
	if a.json {
		return a.printJSON(map[string]any{"name": e.Name, "kind": e.Kind, "summary": e.Summary, "paper": e.Paper, "settings": fields})
	}
	fmt.Fprintf(a.stdout, "%s, a %s model: %s\n%s\n\nSettings (likely fit %s DATA --set name=value):\n", e.Name, e.Kind, e.Summary, e.Paper, e.Name)
	for _, f := range fields {
		value := f.Value
		if value == "" {
			value = `""`
		}
		fmt.Fprintf(a.stdout, "  %s=%s\n", f.Name, value)
		for _, line := range wrap(f.Help+"; "+f.Range(), 80-6) {
			fmt.Fprintf(a.stdout, "      %s\n", line)
		}
	}
	return nil
}

// wrap breaks a text into lines of at most the given width, between words.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
