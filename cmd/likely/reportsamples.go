package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

// How much is drawn for a page.
const (
	comparedRows   = 1000 // samples of a table behind the distribution of each column
	comparedColumn = 12   // columns whose distributions are drawn
	shownRows      = 8    // samples of a table that are shown
)

// samples shows what a generative model makes, beside real data.
func (a *app) samples(ctx context.Context, s *subject) ([]report.Section, error) {
	if !s.makes() || s.entry.Kind != model.Generative {
		return nil, nil
	}
	section := report.Section{Title: "Samples"}
	if q := s.quality; q != nil {
		section.Measures = measuresOf(append([]result{q}, s.others...)...)
		section.Text = append(section.Text, fmt.Sprintf("%s are compared with as many real examples in this feature space: %s. The column of real "+
			"data is what the same measure gives for real examples against as many other real ones, and so about what a perfect model would have. "+
			"Features and numbers are not those of FID and KID in the literature.", plural(q.N, "sample", "samples"), q.Features))
	}
	var err error
	if schema := s.file.Card.Schema; schema.IsImage() {
		f, b, failed := a.samplePage(ctx, s)
		err = failed
		section.Figures = []report.Figure{f}
		section.Command = fmt.Sprintf("likely sample %s -n %d --seed %d", shellWords([]string{s.path}), b.Len(), a.seed)
	} else {
		section.Figures, section.Tables, err = a.sampledColumns(ctx, []*subject{s})
	}
	return []report.Section{section}, err
}

// samplePage is a page of pictures, a row for each class where the model knows classes.
func (a *app) samplePage(ctx context.Context, s *subject) (report.Figure, data.Batch, error) {
	schema := s.file.Card.Schema
	w, err := order(s.model, s.path, schema, 0, "")
	if err != nil {
		return report.Figure{}, data.Batch{}, err
	}
	b, err := draw(ctx, s.model, schema, w, rand.New(rand.NewPCG(a.seed, 0)))
	if err != nil {
		return report.Figure{}, b, err
	}
	what := "Samples of " + s.name
	if b.Y != nil {
		what += ", a row for each class"
	}
	f, err := report.Pictures(what, fmt.Sprintf("%s drawn from %s", plural(b.Len(), "picture", "pictures"), s.name), b, smallGrid(schema, b))
	return f, b, err
}

// sampledColumns shows rows that models of one table make, and the distribution of each column of them beside that of the data.
func (a *app) sampledColumns(ctx context.Context, subjects []*subject) ([]report.Figure, []report.Table, error) {
	schema := subjects[0].file.Card.Schema
	var names []string
	var drawn []data.Batch
	if set := subjects[0].set; set != nil {
		x := data.NewBatch(schema.Shape, min(set.Len(), comparedRows), false)
		if err := set.Read(ctx, x, spread(set.Len(), comparedRows)); err != nil {
			return nil, nil, err
		}
		names, drawn = append(names, "data"), append(drawn, x)
	}
	var tables []report.Table
	for _, s := range subjects {
		b, err := s.drawLike(ctx, comparedRows, rand.New(rand.NewPCG(a.seed, 0)))
		if err != nil {
			return nil, nil, err
		}
		names, drawn = append(names, s.name), append(drawn, b)
		tables = append(tables, rowTable(fmt.Sprintf("%d of %s of %s", shownRows, plural(b.Len(), "sample", "samples"), s.name), schema, b))
	}
	var figures []report.Figure
	for j, column := range schema.Columns {
		if column.Kind == data.Categorical {
			tables = append(tables, levelTable(column, j, names, drawn))
			continue
		}
		if len(figures) == comparedColumn {
			continue
		}
		var lines []report.Series
		for i, b := range drawn {
			lines = append(lines, report.Cumulative(names[i], columnValues(b, j)))
		}
		f, err := report.Plot(fmt.Sprintf("Distribution of %q", column.Name), fmt.Sprintf("Distribution functions of the column %q, of %s",
			column.Name, inWords(names)), report.Axes{X: column.Name, Y: "share at most this"}, lines...)
		if err != nil {
			return nil, nil, err
		}
		figures = append(figures, f)
	}
	return figures, tables, nil
}

func columnValues(b data.Batch, j int) []float64 {
	v := make([]float64, b.Len())
	for i := range v {
		v[i] = float64(b.Row(i)[j])
	}
	return v
}

// rowTable shows rows as the data's own file has them, spread over a batch.
func rowTable(caption string, schema *data.Schema, b data.Batch) report.Table {
	t := report.Table{Caption: caption, Columns: []report.Column{{Name: "sample"}}}
	for _, c := range schema.Columns {
		t.Columns = append(t.Columns, report.Column{Name: c.Name, Number: c.Kind != data.Categorical})
	}
	if b.Y != nil {
		t.Columns = append(t.Columns, report.Column{Name: cmp.Or(schema.Label, "class")})
	}
	for _, i := range spread(b.Len(), shownRows) {
		row := []string{count(i + 1)}
		for j, v := range b.Row(i) {
			if schema.Columns[j].Kind == data.Numeric {
				row = append(row, significant(float64(v)))
			} else {
				row = append(row, cell(schema, j, v))
			}
		}
		if b.Y != nil {
			row = append(row, schema.Classes[b.Y[i]])
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// levelTable is how often each level of a category occurs.
func levelTable(c data.Column, j int, names []string, drawn []data.Batch) report.Table {
	t := report.Table{Caption: fmt.Sprintf("Shares of the levels of %q", c.Name), Columns: []report.Column{{Name: "level"}}}
	for _, name := range names {
		t.Columns = append(t.Columns, report.Column{Name: name, Number: true})
	}
	for k, level := range c.Levels {
		row := []string{level}
		for _, b := range drawn {
			n := 0
			for i := range b.Len() {
				if b.Row(i)[j] == float32(k) { // not so of a missing one
					n++
				}
			}
			row = append(row, fmt.Sprintf("%.1f%%", 100*float64(n)/float64(b.Len())))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// pairGrid lays out pictures in pairs.
func pairGrid(schema *data.Schema) report.GridOptions {
	return report.GridOptions{MaxValue: schema.MaxValue, Group: 2, Columns: 10, Scale: max(1, pictureSide/max(schema.Height, schema.Width))}
}

// What a page shows of a latent space.
const (
	mostWalks = 10 // interpolations
	walkSteps = 10 // pictures of each
)

// latents shows the latent space of a model of pictures: what it makes between the codes of two examples, and what it makes of
// the code of one.
func (a *app) latents(ctx context.Context, s *subject) ([]report.Section, error) {
	schema := s.file.Card.Schema
	if _, ok := s.model.(model.Decoder); !ok || !schema.IsImage() {
		return nil, nil
	}
	l, err := a.openLatent(s.model, s.path, s.file, sampleFlags{})
	if err != nil {
		return nil, err
	}
	ends, labels, err := l.ends(ctx, s.set, rand.New(rand.NewPCG(a.seed, 0)))
	if err != nil {
		return nil, err
	}
	section := report.Section{Title: "Latent space", Facts: []report.Fact{{Name: "dimensions of a code", Value: count(l.size)}}}
	if len(ends) > 0 { // of no class may there be two examples
		f, err := l.walks(ends, labels, s.set)
		if err != nil {
			return nil, err
		}
		section.Figures = []report.Figure{f}
	}
	if l.encoder == nil || s.set == nil {
		return []report.Section{section}, nil
	}
	real, codes, err := l.encode(ctx, s.set, spread(s.set.Len(), reconstructed))
	if err != nil {
		return nil, err
	}
	again, err := l.decode(codes)
	if err != nil {
		return nil, err
	}
	f, err := report.Pictures("Examples, each with what the model makes of its code to its right",
		fmt.Sprintf("%s, each beside its reconstruction", plural(real.Len(), "example", "examples")), sideBySide(real, again), pairGrid(schema))
	if err != nil {
		return nil, err
	}
	section.Figures = append(section.Figures, f)
	return []report.Section{section}, nil
}

// walks is a picture of the walks between the ends that l.ends finds, a row for each.
func (l *latent) walks(ends []place, labels []string, set data.Set) (report.Figure, error) {
	var places []place
	for i := 0; i < len(ends); i += 2 {
		between, _ := walk(ends[i:i+2], walkSteps, slerp)
		places = append(places, between...)
	}
	x, err := l.decode(places)
	if err != nil {
		return report.Figure{}, err
	}
	from := "random places"
	if l.encoder != nil && set != nil {
		from = "the codes of two examples"
	}
	return report.Pictures("A row is a way from one place of the latent space to another, between "+from,
		fmt.Sprintf("%s of %d pictures between %s", plural(len(ends)/2, "interpolation", "interpolations"), walkSteps, from), x,
		report.GridOptions{MaxValue: l.schema.MaxValue, Columns: walkSteps, Labels: labels, Scale: smallGrid(l.schema, x).Scale})
}

// ends are the two ends of each walk, and the classes of the walks where they are known: codes of examples of the set, or
// random places where the model has no encoder or there is no set.
func (l *latent) ends(ctx context.Context, set data.Set, r *rand.Rand) (ends []place, labels []string, err error) {
	walks := mostWalks
	if l.conditional {
		walks = min(walks, len(l.schema.Classes))
	}
	if l.encoder == nil || set == nil {
		if l.conditional {
			labels = l.schema.Classes[:walks]
		}
		for i := range 2 * walks {
			y := int32(0)
			if l.conditional {
				y = int32(i / 2)
			}
			drawn, err := l.random(1, y, r)
			if err != nil {
				return nil, nil, err
			}
			ends = append(ends, drawn...)
		}
		return ends, labels, nil
	}
	index := spread(set.Len(), 2*walks)
	if l.conditional && set.Schema().Labelled() {
		y, err := data.Labels(ctx, set)
		if err != nil {
			return nil, nil, err
		}
		index = index[:0]
		for k := range walks {
			var of []int
			for i, class := range y {
				if int(class) == k {
					of = append(of, i)
				}
			}
			if len(of) > 1 {
				index, labels = append(index, of[0], of[len(of)-1]), append(labels, l.schema.Classes[k])
			}
		}
	}
	index = index[:len(index)/2*2]
	_, ends, err = l.encode(ctx, set, index)
	return ends, labels, err
}

// inWords is "a", "a and b", "a, b and c".
func inWords(names []string) string {
	n := len(names)
	if n < 2 {
		return fmt.Sprint(names[0])
	}
	text := names[0]
	for _, name := range names[1 : n-1] {
		text += ", " + name
	}
	return text + " and " + names[n-1]
}
