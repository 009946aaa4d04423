package data

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// rowPlan says how the fields of a row become an example.
type rowPlan struct {
	source []int // source[j] is the field of column j
	label  int   // the field of the label, -1 without
	schema *Schema
	none   string // what stands where a value is missing, for messages

	levels  []map[string]float32 // level -> code, of each categorical column
	classes map[string]int32
}

// csvPlan says how the rows of a CSV file become examples.
type csvPlan struct {
	rowPlan
	file   *csvFile
	header bool
	width  int // fields in a row
}

// index makes the look-up tables of levels and classes.
func (p *rowPlan) index() {
	p.levels = make([]map[string]float32, len(p.schema.Columns))
	for j, c := range p.schema.Columns {
		if c.Kind == Categorical {
			p.levels[j] = make(map[string]float32, len(c.Levels))
			for code, level := range c.Levels {
				p.levels[j][level] = float32(code)
			}
		}
	}
	p.classes = make(map[string]int32, len(p.schema.Classes))
	for k, class := range p.schema.Classes {
		p.classes[class] = int32(k)
	}
}

// parse writes the columns of one row to dst and returns its class, -1 without label. The error says which column; the
// caller adds the line.
func (p *csvPlan) parse(dst []float32, fields []string) (class int32, err error) {
	for j, c := range p.schema.Columns {
		field := fields[p.source[j]]
		if isMissing(field) {
			dst[j] = float32(math.NaN())
			continue
		}
		if c.Kind == Categorical {
			if dst[j], err = p.level(j, field); err != nil {
				return 0, err
			}
			continue
		}
		v, _, ok := number(field)
		if !ok {
			return 0, fmt.Errorf("column %q: %q, expected a number, or %s where it is missing", c.Name, field, p.none)
		}
		if math.IsInf(v, 0) {
			return 0, p.notFinite(j, field)
		}
		dst[j] = float32(v)
	}
	if p.label < 0 {
		return -1, nil
	}
	field := fields[p.label]
	if isMissing(field) {
		return 0, p.noClass()
	}
	return p.class(field)
}

// noClass is the error of a row without a value in its label column.
func (p *rowPlan) noClass() error {
	return fmt.Errorf("label column %q: no value, expected a class; fill it in or remove the row", p.schema.Label)
}

// notFinite is the error of a number in column j that is infinite or beyond float32.
func (p *rowPlan) notFinite(j int, number any) error {
	return fmt.Errorf("column %q: %v is not finite in float32, expected a number up to 3.4e38, or %s where it is missing", p.schema.Columns[j].Name, number, p.none)
}

// level is the code of a level of the categorical column j.
func (p *rowPlan) level(j int, field string) (float32, error) {
	code, ok := p.levels[j][field]
	if !ok {
		c := p.schema.Columns[j]
		return 0, fmt.Errorf("column %q: unknown level %q, expected one of %s, or %s where it is missing", c.Name, field, quoted(c.Levels), p.none)
	}
	return code, nil
}

// checkClass refuses whole numbers as classes that float64 cannot tell from their neighbours.
func (p *rowPlan) checkClass(v float64) error {
	if math.Abs(v) < 1<<53 {
		return nil
	}
	return fmt.Errorf("label column %q: %.0f, expected numbers of classes below 2^53, beyond which float64 has not all; number the classes from 0",
		p.schema.Label, v)
}

// class is the index of a class.
func (p *rowPlan) class(field string) (int32, error) {
	class, ok := p.classes[field]
	if !ok {
		return 0, fmt.Errorf("label column %q: unknown class %q, expected one of %s", p.schema.Label, field, quoted(p.schema.Classes))
	}
	return class, nil
}

// planForSchema finds the columns of a fitted model in a table by name. The label column may be missing, and then the set
// has no labels; columns that the model does not know are left out, with a note. A table without a header must have
// exactly the model's columns, in their order, and the label after them, or where it stood when the model was fitted to a
// table without a header, or not at all.
func planForSchema(ctx context.Context, f *csvFile, src *Source, want *Schema) (*csvPlan, error) {
	name := f.blob.name
	if want.IsImage() {
		return nil, fmt.Errorf("%s: a table, but the model expects pictures of %v", name, want.Shape)
	}
	rows, err := f.rows(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.close()
	first, err := rows.next()
	if err == io.EOF {
		return nil, fmt.Errorf("%s: empty, expected a header and at least one row", name)
	}
	if err != nil {
		return nil, err
	}
	p := &csvPlan{file: f, width: len(first)}
	missing, err := p.byName(first, want, src)
	if err != nil {
		return nil, fmt.Errorf("%s: line %d: %w", name, rows.line(), err)
	}
	source, label, inOrder := want.places(len(first))
	switch k := len(want.Columns); {
	case len(missing) == 0:
		p.header = true
	case len(missing) == k && inOrder && hasNumber(first):
		p.source, p.label = source, label
	default:
		return nil, fmt.Errorf("%s: line %d: the columns %s of the model are missing, expected them in the header by name", name, rows.line(), quoted(missing))
	}
	p.schema = want.labelled(p.label >= 0)
	return p, nil
}

// byName finds the columns of a fitted model, and its label where that is there, among columns with names. It lists those that
// are missing; where none is, columns that the model does not know get a note.
func (p *rowPlan) byName(names []string, want *Schema, src *Source) (missing []string, err error) {
	p.label = -1
	for _, c := range want.Columns {
		j := slices.Index(names, c.Name)
		if j < 0 {
			missing = append(missing, c.Name)
		}
		p.source = append(p.source, j)
	}
	if len(missing) > 0 {
		return missing, nil
	}
	if want.Labelled() && want.Label != "" {
		p.label = slices.Index(names, want.Label)
	}
	extra := without(names, want)
	for j, name := range names {
		if i := slices.Index(names, name); i < j && !slices.Contains(extra, name) {
			return nil, fmt.Errorf("columns %d and %d are both named %q, expected different names", i+1, j+1, name)
		}
	}
	if len(extra) > 0 {
		src.Notes = append(src.Notes, fmt.Sprintf("%s: the model does not know the columns %s; they are left out", src.Name, quoted(extra)))
	}
	return nil, nil
}

// labelled is s for a table that has its label column, or that does not.
func (s *Schema) labelled(has bool) *Schema {
	out := *s
	if !has {
		out.Classes = nil
	}
	return &out
}

// places says which fields of a table without a header, of the given width, are the columns of a fitted model: these in
// their order, and the label after them, or where it stood when the model was fitted to such a table, or not at all, when
// label is -1. ok reports whether the width is one of these.
func (s *Schema) places(width int) (source []int, label int, ok bool) {
	k := len(s.Columns)
	at := k
	switch {
	case width == k+1 && s.Label != "":
		at = s.labelPlace()
	case width != k:
		return nil, -1, false
	}
	for j := range k {
		source = append(source, placeBeside(at, j))
	}
	if width == k || !s.Labelled() {
		at = -1
	}
	return source, at, true
}

// placeBeside is the field of column j where the label is field at.
func placeBeside(at, j int) int {
	if j >= at {
		return j + 1
	}
	return j
}

// labelPlace is the field of the label in a table without a header. Where the model was fitted to such a table, columns and
// label are called by their places, from x1 in a CSV table and from x0 in an array, or the label by its number from 1; else
// the label is after the columns.
func (s *Schema) labelPlace() int {
	name, named := strings.CutPrefix(s.Label, "x")
	number, err := strconv.Atoi(name)
	if err != nil {
		return len(s.Columns)
	}
	for _, first := range []int{0, 1} {
		if !named && first == 0 {
			continue
		}
		at, fits := number-first, true
		for j, c := range s.Columns {
			fits = fits && c.Name == columnName(first, placeBeside(at, j))
		}
		if fits && at >= 0 && at <= len(s.Columns) {
			return at
		}
	}
	return len(s.Columns)
}

// hasNumber reports whether some field of the row is a number, which makes it a row of values and not a header.
func hasNumber(fields []string) bool {
	return slices.ContainsFunc(fields, func(field string) bool {
		_, _, ok := number(field)
		return field != "" && ok
	})
}

// without lists the names that are neither a column nor the label of s.
func without(names []string, s *Schema) []string {
	var extra []string
	for _, name := range names {
		if name != s.Label && !slices.ContainsFunc(s.Columns, func(c Column) bool { return c.Name == name }) {
			extra = append(extra, strings.Clone(name))
		}
	}
	return extra
}
