package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

// privacyFlags ask evaluate what a model gives away of the data that it was fitted on.
type privacyFlags struct {
	privacy bool
	of      string
	gallery string
}

func (f *privacyFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.privacy, "privacy", false, "look for copies and signs of memorising instead")
	flags.StringVar(&f.of, "of", "", "with --privacy, look at the examples of `DATA` instead of fresh ones")
	flags.StringVar(&f.gallery, "gallery", "", "with --privacy, write the closest pairs to this `file`, PNG or, of a table, CSV")
}

// check looks at the words that need no model.
func (f *privacyFlags) check(how measuring) error {
	if f.privacy {
		for _, other := range []struct {
			name string
			on   bool
		}{
			{"--threshold-by", how.by != ""}, {"--features", how.features != ""}, {"--inception", how.inception != ""},
			{"--cas", how.score}, {"--ais", how.anneal != 0},
		} {
			if other.on {
				return usagef("--privacy and %s measure two things; choose one of them", other.name)
			}
		}
	}
	switch {
	case !f.privacy && f.of != "":
		return usagef("--of %s goes with --privacy", f.of)
	case !f.privacy && f.gallery != "":
		return usagef("--gallery %s goes with --privacy", f.gallery)
	case f.gallery != "" && !strings.HasSuffix(f.gallery, ".png") && !strings.HasSuffix(f.gallery, ".csv"):
		return usagef("--gallery %s: expected a name that ends in .png, or of a table in .csv", f.gallery)
	case f.privacy && how.samples != 0 && how.samples < evaluate.LeastPrivate:
		return usagef("--samples is %d, expected at least %d with --privacy", how.samples, evaluate.LeastPrivate)
	}
	return checkFile("--gallery", f.gallery)
}

// runPrivacy measures what the model of path gives away. split is what DATA named, which must be nothing.
func (a *app) runPrivacy(ctx context.Context, m model.Model, file *model.File, path string, source *data.Source, split string, f evaluateFlags) error {
	schema := file.Card.Schema
	_, isClassifier := m.(model.Classifier)
	switch ends := map[bool]string{true: ".png", false: ".csv"}[schema.IsImage()]; {
	case split != "":
		return usagef("--privacy compares the part that was fitted on with the held-out part; expected %s, not %s:%s", source.Name, source.Name, split)
	case f.gallery != "" && !strings.HasSuffix(f.gallery, ends):
		return usagef("--gallery %s: %s was fitted to examples of %v, expected a name that ends in %s", f.gallery, path, schema.Shape, ends)
	case f.gallery != "" && f.of == "" && isClassifier:
		return usagef("--gallery %s: %s holds a classifier, which makes nothing to show", f.gallery, path)
	case int64(f.samples) > mostSamples(schema):
		return usagef("--samples is %d: so many do not fit in memory; expected at most %d", f.samples, mostSamples(schema))
	}
	o := evaluate.PrivacyOptions{N: f.samples, Seed: a.seed}
	which := "fresh"
	if f.of != "" {
		wanted := *schema
		wanted.Classes = nil
		from, set, err := a.openPart(ctx, f.of, data.Options{Schema: &wanted, SkipBad: f.skipBad})
		if err != nil {
			return fmt.Errorf("--of: %w", err)
		}
		o.Generated, which = set, "of "+from.Name
	}
	if !schema.Labelled() { // a known set keeps labels that the fit ignored
		dropLabels(source)
	}
	train, held, err := fittedParts(ctx, path, source, file.Card.Provenance)
	if err != nil {
		return err
	}
	a.note("looking for what %s gives away of %s of %s, beside %s held out", file.Card.Name,
		plural(train.Len(), "example", "examples"), source.Name, count(held.Len()))
	meter := a.meter()
	o.Progress = meter.data
	p, err := evaluate.Privacy(ctx, m, train, held, o)
	meter.end()
	if err != nil {
		return err
	}
	if f.gallery != "" {
		if err := writeGallery(f.gallery, schema, p.Copies.Closest); err != nil {
			return err
		}
		a.note("wrote the %d closest pairs to %s", len(p.Copies.Closest), f.gallery)
	}
	if a.json {
		object := map[string]any{"model": file.Card.Name, "data": source.Name, "seed": a.seed, "privacy": p}
		if f.gallery != "" {
			object["gallery"] = f.gallery
		}
		return a.printJSON(object)
	}
	generated := ""
	if p.Copies != nil {
		generated = fmt.Sprintf("%s, %s", count(p.Copies.Generated.N), which)
	}
	err = a.facts("model", file.Card.Name, "data", source.Name, "fitted on", count(p.Train), "held out", count(held.Len()),
		"generated", generated, "seed", fmt.Sprint(a.seed))
	if err != nil {
		return err
	}
	return a.printPrivacy(p)
}

// fittedParts are the examples that a model was fitted on, and those that were held out from it. Examples set aside for validation are
// neither: the fit looked at them to know when to stop.
func fittedParts(ctx context.Context, path string, s *data.Source, p model.Provenance) (train, held data.Set, err error) {
	if p.Part == "all" {
		return nil, nil, fmt.Errorf("%s was fitted on all of %s, which leaves nothing to compare with; fit it on %s", path, s.Name, s.Name)
	}
	parts, err := fitParts(ctx, s, "", p.ValidationFraction, p.Seed)
	if err != nil {
		return nil, nil, err
	}
	if parts.provenance.Fingerprint != p.Fingerprint || parts.provenance.Examples != p.Examples {
		return nil, nil, fmt.Errorf("%s is not the data that %s was fitted on (%s); --privacy needs that", s.Name, path, p.Data)
	}
	held, _, err = testPart(ctx, s, "test", p)
	return parts.train, held, err
}

// printPrivacy prints tables of what was found, and the verdict.
func (a *app) printPrivacy(p *evaluate.PrivacyReport) error {
	var tables [][][]string
	if p.Copies != nil {
		tables = append(tables, copyRows(p.Copies))
	}
	if len(p.Spaces) > 0 {
		tables = append(tables, spaceRows(p.Spaces))
	}
	for _, rows := range append(tables, attackRows(p.Attacks)) {
		fmt.Fprintln(a.stdout)
		if err := a.table(rows); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.stdout)
	for _, t := range p.Attacks {
		for _, line := range wrap(fmt.Sprintf("%s: by %s", t.Name, t.Score), 80) {
			fmt.Fprintln(a.stdout, line)
		}
	}
	for _, s := range p.Spaces {
		for _, line := range wrap(fmt.Sprintf("%s: %s", s.Name, s.Space), 80) {
			fmt.Fprintln(a.stdout, line)
		}
	}
	fmt.Fprintln(a.stdout)
	for _, line := range wrap(p.Verdict(), 80) {
		fmt.Fprintln(a.stdout, line)
	}
	return nil
}

// copyRows is a table of how many copies there are.
func copyRows(c *evaluate.Copies) [][]string {
	rows := [][]string{{fmt.Sprintf("copies (within %s)", significant(c.Threshold)), "exact", "near", "of"}}
	for _, r := range []struct {
		name string
		n    evaluate.CopyCount
	}{{"generated", c.Generated}, {"held-out", c.HeldOut}, {"training, of the others", c.Members}} {
		rows = append(rows, []string{r.name, count(r.n.Exact), count(r.n.Near), count(r.n.N)})
	}
	return rows
}

// attackRows is a table with a row for each attack.
func attackRows(attacks []evaluate.Attack) [][]string {
	rows := [][]string{{"membership attack", "AUC", "95% interval", "TPR at 1% FPR", "at 0.1%", "advantage"}}
	for _, t := range attacks {
		row := []string{t.Name, decimals(t.AUC.Value), interval(&measure.Interval{Low: t.Interval[0], High: t.Interval[1]})}
		for _, c := range t.Caught {
			if c.TPR == nil {
				row = append(row, "too few")
			} else {
				row = append(row, decimals(c.TPR.Value))
			}
		}
		rows = append(rows, append(row, withError(t.Advantage)))
	}
	return rows
}

// spaceRows is a table with a column for each space.
func spaceRows(spaces []evaluate.Closeness) [][]string {
	rows := [][]string{{"distance to the nearest training example"}}
	for _, s := range spaces {
		rows[0] = append(rows[0], s.Name)
	}
	add := func(name string, cell func(s *evaluate.Closeness) string) {
		row := []string{name}
		for k := range spaces {
			row = append(row, cell(&spaces[k]))
		}
		rows = append(rows, row)
	}
	add("median, generated", func(s *evaluate.Closeness) string { return significant(s.Generated.DCR50) })
	add("median, held-out", func(s *evaluate.Closeness) string { return significant(s.HeldOut.DCR50) })
	add("median ratio to the 2nd, generated", func(s *evaluate.Closeness) string { return decimals(s.Generated.NNDR50) })
	add("median ratio to the 2nd, held-out", func(s *evaluate.Closeness) string { return decimals(s.HeldOut.NNDR50) })
	for k := range spaces[0].Nearer {
		add(fmt.Sprintf("nearer than %g%% of the held-out", 100*spaces[0].Nearer[k].Quantile),
			func(s *evaluate.Closeness) string { return withError(s.Nearer[k].Share) })
	}
	add("p-value that generated are not nearer", func(s *evaluate.Closeness) string { return strconv.FormatFloat(s.P, 'g', 2, 64) })
	add("nearer to train than to held-out", func(s *evaluate.Closeness) string { return withError(s.ToTrain) })
	return rows
}

func decimals(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

func withError(e measure.Estimate) string {
	return decimals(e.Value) + " ± " + decimals(e.StandardError)
}

// writeGallery shows pairs, nearest first: pictures as pairPictures lays them out, of rows both, one below the other.
func writeGallery(out string, schema *data.Schema, pairs []evaluate.Pair) error {
	if !schema.IsImage() {
		return atomicfile.Write(out, func(w io.Writer) error { return writePairs(w, schema, pairs) })
	}
	b, grid := pairPictures(schema, pairs)
	return atomicfile.Write(out, func(w io.Writer) error { return report.Grid(w, b, grid) })
}

// pairPictures are three pictures for each pair: the generated one, the training one, and their difference, the former moved as the
// pair says.
func pairPictures(schema *data.Schema, pairs []evaluate.Pair) (data.Batch, report.GridOptions) {
	const each = 3
	b := data.NewBatch(schema.Shape, each*len(pairs), false)
	for i, p := range pairs {
		x := b.Row(each * i)
		p.Move.Apply(x, p.X, schema.Shape)
		difference := b.Row(each*i + 2)
		for j, v := range x {
			difference[j] = float32(math.Abs(float64(v - p.Original[j])))
		}
		copy(x, p.X)
		copy(b.Row(each*i+1), p.Original)
	}
	return b, report.GridOptions{MaxValue: schema.MaxValue, Columns: 3 * each, Group: each}
}

// writePairs writes two rows for each pair.
func writePairs(w io.Writer, schema *data.Schema, pairs []evaluate.Pair) error {
	b := data.NewBatch(schema.Shape, 2*len(pairs), false)
	for i, p := range pairs {
		copy(b.Row(2*i), p.X)
		copy(b.Row(2*i+1), p.Original)
	}
	return writeTable(w, schema, b,
		column{"pair", data.Integer, func(i int) string { return strconv.Itoa(i/2 + 1) }},
		column{"is", data.Categorical, func(i int) string { return []string{"generated", "training"}[i%2] }},
		column{"distance", data.Numeric, func(i int) string { return strconv.FormatFloat(pairs[i/2].Distance, 'g', 6, 64) }},
		column{"copy", data.Categorical, func(i int) string { return strconv.FormatBool(pairs[i/2].Copy) }})
}
