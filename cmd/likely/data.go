package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/data"
)

func (a *app) data() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "List, describe or download data sets",
		Example: `  likely data list
  likely data info digits`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	cmd.AddCommand(a.dataList(), a.dataInfo(), a.dataGet())
	return cmd
}

func (a *app) dataList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the data sets that are known by name",
		Example: `  likely data list
  likely data list --json`,
		Args: words(0, 0),
		RunE: func(*cobra.Command, []string) error {
			known := data.Known()
			if a.json {
				return a.printJSON(map[string]any{"sets": known})
			}
			rows := [][]string{{"name", "shape", "classes", "train", "test", "where"}}
			for _, k := range known {
				where := "to download, " + size(k.Bytes)
				if dir, ok := k.Find(); ok {
					where = dir
				}
				if k.Embedded() {
					where = "embedded"
				}
				rows = append(rows, []string{k.Name, k.Shape.String(), count(len(k.Classes)), count(k.Train), count(k.Test), where})
			}
			return a.table(rows)
		},
	}
}

func (a *app) dataInfo() *cobra.Command {
	var read dataFlags
	cmd := &cobra.Command{
		Use:   "info DATA",
		Short: "Describe a data set: shape, classes, counts, missing values",
		Example: `  likely data info fashion-mnist:test
  likely data info patients.csv --label outcome`,
		Args:              words(1, 1),
		ValidArgsFunction: completeWords(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := read.options()
			if err != nil {
				return err
			}
			source, set, err := a.openPart(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			info, err := data.Describe(cmd.Context(), source.Name, set)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(info)
			}
			return a.printInfo(info, set.Schema())
		},
	}
	read.add(cmd.Flags())
	return cmd
}

func (a *app) printInfo(info data.Info, schema *data.Schema) error {
	classes := "none"
	if schema.Labelled() {
		classes = count(len(info.Classes))
	}
	values := ""
	if schema.IsImage() {
		values = fmt.Sprintf("0 to %g", info.MaxValue)
	}
	if err := a.facts("name", info.Name, "examples", count(info.N), "shape", schema.Shape.String(), "values", values,
		"missing", count(info.Missing), "label", info.Label, "classes", classes); err != nil {
		return err
	}
	if schema.Labelled() {
		rows := [][]string{{"class", "examples"}}
		for k, name := range info.Classes {
			rows = append(rows, []string{name, count(info.ClassCounts[k])})
		}
		fmt.Fprintln(a.stdout)
		if err := a.table(rows); err != nil {
			return err
		}
	}
	if len(info.Columns) == 0 {
		return nil
	}
	// A table of numbers and one of categories: together they would be too wide.
	numbers := [][]string{{"column", "kind", "missing", "mean", "sd", "min", "max"}}
	categories := [][]string{{"column", "kind", "missing", "levels"}}
	for _, c := range info.Columns {
		row := []string{c.Name, string(c.Kind), count(c.Missing)}
		if c.Kind == data.Categorical {
			categories = append(categories, append(row, clip(strings.Join(c.Levels, ", "), 36)))
		} else {
			numbers = append(numbers, append(row, significant(c.Mean), significant(c.SD), significant(c.Min), significant(c.Max)))
		}
	}
	for _, rows := range [][][]string{numbers, categories} {
		if len(rows) == 1 {
			continue
		}
		narrow(rows)
		fmt.Fprintln(a.stdout)
		if err := a.table(rows); err != nil {
			return err
		}
	}
	return nil
}

// narrow shortens what is in the first column so that the table has 80 columns where it can.
func narrow(rows [][]string) {
	left := 80
	for j := 1; j < len(rows[0]); j++ {
		width := 0
		for _, row := range rows {
			width = max(width, utf8.RuneCountInString(row[j]))
		}
		left -= width + 2
	}
	for _, row := range rows {
		row[0] = clip(row[0], max(left, 8))
	}
}

// clip shortens a text to at most n letters.
func clip(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return text
}

func (a *app) dataGet() *cobra.Command {
	return &cobra.Command{
		Use:   "get NAME",
		Short: "Download a data set that is known by name",
		Long: `get makes sure that the files of a known data set are on this machine. They are
looked for in LIKELY_DATA/NAME, in the user's cache and in /usr/share/datasets;
else they are downloaded and checked. What was downloaded before is kept.`,
		Example: `  likely data get fashion-mnist
  LIKELY_DATA=/srv/data likely data get mnist`,
		Args:              words(1, 1),
		ValidArgsFunction: completeWords(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			m := a.meter()
			dir, err := data.Get(cmd.Context(), args[0], m.data)
			m.end()
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]any{"name": args[0], "dir": dir})
			}
			if dir == "" {
				dir = "embedded in the program"
			}
			return a.facts("name", args[0], "where", dir)
		},
	}
}
