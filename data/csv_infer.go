package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

const (
	maxLevels = 1000    // different texts in one categorical column, or classes
	fewLevels = 50      // so few texts are categories even if most of them are numbers
	maxExact  = 1 << 24 // float32 holds every whole number up to here
)

// columnScan is what one pass over a column has seen.
type columnScan struct {
	wholes, reals, texts int
	missing              int
	levels               map[string]bool // every different field, up to one more than maxLevels
	text                 string          // the first field that is not a number
	textAt               string          // where that is
	declared             []string        // the levels in the order in which the file declares them, nil where it does not
	large                bool            // a whole number beyond maxExact
	repeats              bool            // the field of the first row comes again
}

func (c *columnScan) add(field string, line int) {
	if isMissing(field) {
		c.missing++
		return
	}
	v, whole, ok := number(field)
	switch {
	case !ok:
		if c.texts++; c.texts == 1 {
			c.text, c.textAt = field, fmt.Sprintf("line %d", line)
		}
	case whole:
		c.wholes++
		c.large = c.large || v > maxExact || v < -maxExact
	default:
		c.reals++
	}
	if len(c.levels) <= maxLevels {
		c.levels[field] = true
	}
}

// orderedLevels is what the file declares as the levels of the column, else the different fields in their order.
func (c *columnScan) orderedLevels() []string {
	if c.declared != nil {
		return c.declared
	}
	levels := make([]string, 0, len(c.levels))
	for level := range c.levels {
		levels = append(levels, level)
	}
	sortNames(levels)
	return levels
}

// inferCSV reads the whole table once and decides whether the first row is a header and what each column is.
func inferCSV(ctx context.Context, f *csvFile, src *Source, o Options) (*csvPlan, error) {
	rows, err := f.rows(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.close()
	name := f.blob.name
	fields, err := rows.next()
	if err == io.EOF {
		return nil, fmt.Errorf("%s: empty, expected a header and at least one row", name)
	}
	if err != nil {
		return nil, err
	}
	first, firstLine := slices.Clone(fields), rows.line()
	scans := make([]columnScan, len(first))
	for j := range scans {
		scans[j].levels = map[string]bool{}
	}
	for {
		fields, err := rows.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		for j, field := range fields {
			scans[j].add(field, rows.line())
			scans[j].repeats = scans[j].repeats || field == first[j]
		}
		if rows.number%1000 == 0 {
			o.Progress(Progress{"looking at " + name, rows.end(), f.blob.size, "bytes"})
		}
	}
	plan := &csvPlan{file: f, header: hasLabel(first, o.Label) || isHeader(first, scans), width: len(first)}
	names := first
	if !plan.header {
		names = make([]string, len(first))
		for j, field := range first {
			names[j] = columnName(1, j)
			scans[j].add(field, firstLine)
		}
	} else if rows.number == 1 {
		return nil, fmt.Errorf("%s: a header and no rows, expected at least one row", name)
	}
	if err := plan.columns(names, scans, plan.header, src, o); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return plan, nil
}

// columnName is what the column at place j, from 0, of a table without a header is called, where the first has the number
// first.
func columnName(first, j int) string { return "x" + strconv.Itoa(first+j) }

// hasLabel reports whether the first row is a header by the name of the label in it. What may be the number of a column is a
// name only where the whole row counts its columns, from 0 or 1: in a row of values it may stand anywhere.
func hasLabel(first []string, label string) bool {
	if label == "" || !slices.Contains(first, label) {
		return false
	}
	if k, err := strconv.Atoi(label); err != nil || k < 0 || k > len(first) {
		return true
	}
	start := 0
	if first[0] == "1" {
		start = 1
	}
	for j, field := range first {
		if field != strconv.Itoa(start+j) {
			return false
		}
	}
	return true
}

// isHeader decides whether the first row names the columns. It does if none of its fields is a number or missing, and
// either some column has only numbers below, or no field comes again, in its own column or in the first row. Where two
// columns have one name above numbers, it is still a header, if a wrong one.
func isHeader(first []string, scans []columnScan) bool {
	seen := map[string]bool{}
	numbersBelow, repeats := false, false
	for j, field := range first {
		if _, _, isNumber := number(field); field == "" || isMissing(field) || isNumber {
			return false
		}
		repeats = repeats || seen[field] || scans[j].repeats
		seen[field] = true
		numbersBelow = numbersBelow || scans[j].texts == 0 && scans[j].wholes+scans[j].reals > 0
	}
	return numbersBelow || !repeats
}

// columns makes the schema from what the scan has seen. header says that the label can be called by its name alone.
func (p *rowPlan) columns(names []string, scans []columnScan, header bool, src *Source, o Options) error {
	p.label = -1
	schema := &Schema{}
	if o.Label != "" {
		j, err := labelColumn(names, o.Label, header)
		if err != nil {
			return err
		}
		p.label, schema.Label = j, o.Label
		if schema.Classes, err = classColumn(names[j], &scans[j]); err != nil {
			return err
		}
	}
	for _, name := range o.Ignore {
		switch j := slices.Index(names, name); {
		case j < 0:
			return fmt.Errorf("no column %q to ignore, expected one of %s", name, quoted(names))
		case j == p.label:
			return fmt.Errorf("column %q is the label and cannot be ignored; choose another label", name)
		}
	}
	place := make(map[string]int, len(names))
	for j, name := range names {
		if name == "" {
			return fmt.Errorf("column %d has no name, expected one in the header", j+1)
		}
		if first, again := place[name]; again {
			return fmt.Errorf("columns %d and %d are both named %q, expected different names", first+1, j+1, name)
		}
		place[name] = j
		if j == p.label || slices.Contains(o.Ignore, name) {
			continue
		}
		c, err := scans[j].column(name)
		if err != nil {
			return err
		}
		if c.Kind == Integer && scans[j].large {
			src.Notes = append(src.Notes, fmt.Sprintf("%s: column %q has whole numbers beyond %d, which are rounded to 24 bits; leave it out if it is an identifier",
				src.Name, name, maxExact))
		}
		p.source = append(p.source, j)
		schema.Columns = append(schema.Columns, c)
	}
	if len(schema.Columns) == 0 {
		return errors.New("no column besides the label and those that are ignored, expected at least one")
	}
	schema.Shape = RowShape(len(schema.Columns))
	p.schema = schema
	return nil
}

// column decides what a column is: numbers where every value is one, else categories.
func (c *columnScan) column(name string) (Column, error) {
	numbers := c.wholes + c.reals
	switch {
	case numbers+c.texts == 0:
		return Column{}, fmt.Errorf("column %q has no value at all, expected some; remove the column", name)
	case c.texts == 0 && c.reals == 0:
		return Column{Name: name, Kind: Integer}, nil
	case c.texts == 0:
		return Column{Name: name, Kind: Numeric}, nil
	case numbers >= 9*c.texts && len(c.levels) > fewLevels:
		return Column{}, fmt.Errorf("%s, column %q: %q, expected a number as in %d of %d rows; correct it, or leave it empty if the value is missing",
			c.textAt, name, c.text, numbers, numbers+c.texts)
	case len(c.levels) > maxLevels:
		return Column{}, fmt.Errorf("column %q has more than %d different texts (such as %s in %s), expected numbers or a few categories; remove the column",
			name, maxLevels, abridged(c.text), c.textAt)
	}
	return Column{Name: name, Kind: Categorical, Levels: c.orderedLevels()}, nil
}

// labelColumn finds the label by the name of its column, or in a table without a header also by its number from 1.
func labelColumn(names []string, label string, header bool) (int, error) {
	if j := slices.Index(names, label); j >= 0 {
		return j, nil
	}
	if k, err := strconv.Atoi(label); err == nil && !header && k >= 1 && k <= len(names) {
		return k - 1, nil
	}
	if !header {
		return 0, fmt.Errorf("no label column %q and no header, expected one of %s or a column number from 1 to %d", label, quoted(names), len(names))
	}
	return 0, fmt.Errorf("no label column %q, expected one of %s", label, quoted(names))
}

// classColumn lists the classes of a label column.
func classColumn(name string, c *columnScan) ([]string, error) {
	if len(c.levels) > maxLevels || c.texts == 0 && c.reals > 0 && len(c.levels) > fewLevels {
		return nil, fmt.Errorf("label column %q has more than %d different values, expected classes; choose another label, or group the values",
			name, min(len(c.levels)-1, maxLevels))
	}
	if len(c.levels) == 0 {
		return nil, fmt.Errorf("label column %q has no value, expected a class in each row", name)
	}
	return c.orderedLevels(), nil
}
