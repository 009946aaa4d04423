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

// csvPlan says how the fields of a row become an example.
type csvPlan struct {
	file   *csvFile
	header bool
	width  int   // fields in a row
	source []int // source[j] is the field of column j
	label  int   // the field of the label, -1 without
	schema *Schema

	levels  []map[string]float32 // level -> code, of each categorical column
	classes map[string]int32
}

// index makes the look-up tables of levels and classes.
func (p *csvPlan) index() {
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
			code, ok := p.levels[j][field]
			if !ok {
				return 0, fmt.Errorf("column %q: unknown level %q, expected one of %s, or empty where it is missing", c.Name, field, quoted(c.Levels))
			}
			dst[j] = code
			continue
		}
		v, _, ok := number(field)
		if !ok {
			return 0, fmt.Errorf("column %q: %q, expected a number, or empty where it is missing", c.Name, field)
		}
		if math.IsInf(v, 0) {
			return 0, fmt.Errorf("column %q: %s is not finite in float32, expected a number up to 3.4e38, or empty where it is missing", c.Name, field)
		}
		dst[j] = float32(v)
	}
	if p.label < 0 {
		return -1, nil
	}
	field := fields[p.label]
	if isMissing(field) {
		return 0, fmt.Errorf("label column %q: no value, expected a class; fill it in or remove the row", p.schema.Label)
	}
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
	p := &csvPlan{file: f, width: len(first), label: -1}
	schema := *want
	var missing []string
	for _, c := range want.Columns {
		j := slices.Index(first, c.Name)
		if j < 0 {
			missing = append(missing, c.Name)
		}
		p.source = append(p.source, j)
	}
	switch k := len(want.Columns); {
	case len(missing) == 0:
		p.header = true
		if want.Labelled() && want.Label != "" {
			p.label = slices.Index(first, want.Label)
		}
		if extra := without(first, want); len(extra) > 0 {
			src.Notes = append(src.Notes, fmt.Sprintf("%s: the model does not know the columns %s; they are left out", name, quoted(extra)))
		}
	case len(missing) == k && (len(first) == k || len(first) == k+1 && want.Label != "") && hasNumber(first):
		label := k
		if at, ok := labelNumber(want); ok && len(first) > k {
			label = at
		}
		for j := range p.source {
			p.source[j] = j
			if j >= label {
				p.source[j]++
			}
		}
		if len(first) > k && want.Labelled() {
			p.label = label
		}
	default:
		return nil, fmt.Errorf("%s: line %d: the columns %s of the model are missing, expected them in the header by name", name, rows.line(), quoted(missing))
	}
	if p.label < 0 {
		schema.Classes = nil
	}
	p.schema = &schema
	return p, nil
}

// labelNumber is the place of the label, from 0, in a table that had no header when the model was fitted: there the label is
// called by its number and the columns by theirs, as in inferCSV.
func labelNumber(s *Schema) (at int, ok bool) {
	at, err := strconv.Atoi(s.Label)
	if at--; err != nil || at < 0 || at > len(s.Columns) {
		return 0, false
	}
	for j, c := range s.Columns {
		if j >= at {
			j++
		}
		if c.Name != columnName(j) {
			return 0, false
		}
	}
	return at, true
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
