package data

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// typedTable is a table in a format that names its columns and says of what type they are, as ARFF does. It is read
// from its beginning to its end only.
type typedTable struct {
	blob    *blob
	columns []typedColumn
	place   string // a format that tells of a row where it is, such as "line %d"
	none    string // how a missing value is written
	rows    rowReader
}

// typedColumn is what a typed table says of a column. Whether it is one of numbers or of texts, its cells tell.
type typedColumn struct {
	name   string
	levels []string // of a column with declared levels
}

// rowReader calls visit with each row and its place. A cell of a column that is not used may hold anything. Errors of visit
// come back as they are, its own say where in the file they arose.
type rowReader interface {
	each(ctx context.Context, used []bool, stage string, o Options, visit func(at int, row []cell) error) error
}

type cellKind uint8

const (
	missingCell cellKind = iota
	wholeCell            // a number of an integer type, or written as an integer
	realCell             // any other number
	textCell
)

// cell is one value of a typed table: a number, or a text.
type cell struct {
	kind   cellKind
	number float64
	text   string
}

// numberCell is a cell with a number, or without where that is NaN.
func numberCell(v float64, whole bool) cell {
	switch {
	case v != v:
		return cell{}
	case whole:
		return cell{kind: wholeCell, number: v}
	}
	return cell{kind: realCell, number: v}
}

// open makes a source of the table. One pass decides what the columns are, unless a model's schema says so; another reads and
// checks every row. A table that fits is kept in memory as float32; of a larger one only the labels are kept, and its rows go
// to a file in the user's cache, since they cannot be found in t one by one.
func (t *typedTable) open(ctx context.Context, o Options) (*Source, error) {
	src := &Source{Name: t.blob.name}
	plan := &rowPlan{none: t.none}
	var err error
	if o.Schema != nil {
		err = t.planForSchema(plan, src, o.Schema)
	} else {
		err = t.infer(ctx, plan, src, o)
	}
	if err != nil {
		return nil, err
	}
	plan.index()
	s, err := t.load(ctx, plan, o)
	if err != nil {
		return nil, err
	}
	return src, src.setParts(s, nil)
}

func (t *typedTable) names() []string {
	names := make([]string, len(t.columns))
	for j, c := range t.columns {
		names[j] = c.name
	}
	return names
}

// planForSchema finds the columns of a fitted model by name.
func (t *typedTable) planForSchema(p *rowPlan, src *Source, want *Schema) error {
	if want.IsImage() {
		return fmt.Errorf("%s: a table, but the model expects pictures of %v", t.blob.name, want.Shape)
	}
	missing, err := p.byName(t.names(), want, src)
	if err != nil {
		return fmt.Errorf("%s: %w", t.blob.name, err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s: the columns %s of the model are missing, expected them by name among %s", t.blob.name, quoted(missing), quoted(t.names()))
	}
	p.schema = want.labelled(p.label >= 0)
	return nil
}

// used says which of n fields the plan reads.
func (p *rowPlan) used(n int) []bool {
	used := make([]bool, n)
	for _, j := range p.source {
		used[j] = true
	}
	if p.label >= 0 {
		used[p.label] = true
	}
	return used
}

// infer reads the table once and decides what each column is: one with declared levels has these, one of texts those that come,
// and one of numbers is Integer where all are whole.
func (t *typedTable) infer(ctx context.Context, p *rowPlan, src *Source, o Options) error {
	scans, used := make([]columnScan, len(t.columns)), make([]bool, len(t.columns))
	for j, c := range t.columns {
		scans[j] = columnScan{levels: map[string]bool{}, declared: c.levels}
		for _, level := range c.levels {
			scans[j].levels[level] = true
		}
		used[j] = !slices.Contains(o.Ignore, c.name)
	}
	rows := 0
	err := t.rows.each(ctx, used, "looking at ", o, func(at int, row []cell) error {
		rows++
		for j, v := range row {
			if !used[j] {
				continue
			}
			if err := scans[j].addCell(v, t, at); err != nil {
				return fmt.Errorf("%s: %s, column %q: %w", t.blob.name, t.at(at), t.columns[j].name, err)
			}
			if v.kind != missingCell && v.kind != textCell && t.columns[j].name == o.Label && len(scans[j].levels) <= maxLevels {
				scans[j].levels[v.asLevel()] = true
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if rows == 0 {
		return fmt.Errorf("%s: columns and no rows, expected at least one row", t.blob.name)
	}
	if err := p.columns(t.names(), scans, true, src, o); err != nil {
		return fmt.Errorf("%s: %w", t.blob.name, err)
	}
	return nil
}

// addCell counts a cell of t at the given place.
func (c *columnScan) addCell(v cell, t *typedTable, at int) error {
	switch v.kind {
	case missingCell:
		c.missing++
	case wholeCell:
		c.wholes++
		c.large = c.large || math.Abs(v.number) > maxExact
	case realCell:
		c.reals++
	case textCell:
		if c.texts++; c.texts == 1 {
			c.text, c.textAt = v.text, t.at(at)
		}
		if c.declared == nil && len(c.levels) <= maxLevels && !c.levels[v.text] {
			if !utf8.ValidString(v.text) {
				return fmt.Errorf("%q, expected text in UTF-8; convert it, or leave the column out", v.text)
			}
			c.levels[strings.Clone(v.text)] = true // and not the whole line of which it is a part
		}
	}
	return nil
}

func (t *typedTable) at(row int) string { return fmt.Sprintf(t.place, row) }

// asLevel is the cell as a class or level is written.
func (v cell) asLevel() string {
	if v.kind == textCell {
		return v.text
	}
	return numberText(v.number, 64)
}

// example writes the columns of one row to dst and returns its class, -1 without label.
func (t *typedTable) example(p *rowPlan, dst []float32, row []cell) (class int32, err error) {
	for j, at := range p.source {
		v := row[at]
		if v.kind == missingCell {
			dst[j] = float32(math.NaN())
			continue
		}
		if p.levels[j] != nil {
			if dst[j], err = p.level(j, v.asLevel()); err != nil {
				return 0, err
			}
			continue
		}
		x := v.number
		if v.kind == textCell { // a model learned numbers where this table has texts
			var ok bool
			if x, _, ok = number(v.text); !ok {
				return 0, fmt.Errorf("column %q: %q, expected a number, or %s where it is missing", p.schema.Columns[j].Name, v.text, p.none)
			}
		}
		if math.Abs(x) > math.MaxFloat32 {
			return 0, p.notFinite(j, x)
		}
		dst[j] = float32(x)
	}
	if p.label < 0 {
		return -1, nil
	}
	v := row[p.label]
	switch v.kind {
	case missingCell:
		return 0, p.noClass()
	case wholeCell:
		if err := p.checkClass(v.number); err != nil {
			return 0, err
		}
	}
	return p.class(v.asLevel())
}

// examples calls visit with the columns and the class of each row.
func (t *typedTable) examples(ctx context.Context, p *rowPlan, o Options, visit func(x []float32, class int32) error) error {
	x := make([]float32, len(p.source))
	return t.rows.each(ctx, p.used(len(t.columns)), "reading ", o, func(at int, row []cell) error {
		class, err := t.example(p, x, row)
		if err != nil {
			return fmt.Errorf("%s: %s, %w", t.blob.name, t.at(at), err)
		}
		return visit(x, class)
	})
}

// errTooLarge ends the reading of a table into memory.
var errTooLarge = errors.New("the table is larger than memory allows")

// load makes the Set.
func (t *typedTable) load(ctx context.Context, p *rowPlan, o Options) (Set, error) {
	var (
		values []float32
		labels []int32
		n      int
	)
	add := func(class int32) {
		n++
		if p.label >= 0 {
			labels = append(labels, class)
		}
	}
	err := t.examples(ctx, p, o, func(x []float32, class int32) error {
		if 4*int64(len(values)+len(x)) > o.Memory {
			return errTooLarge
		}
		values = append(values, x...)
		add(class)
		return nil
	})
	switch {
	case err == nil && n == 0:
		return nil, fmt.Errorf("%s: columns and no rows, expected at least one row", t.blob.name)
	case err == nil:
		return NewTable(p.schema, values, labels)
	case err != errTooLarge:
		return nil, err
	}
	values, labels, n = nil, nil, 0
	spill, err := t.spillPath(p)
	if err != nil {
		return nil, err
	}
	err = writeAtomic(spill, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<16)
		buf := make([]byte, 0, 4*len(p.source))
		err := t.examples(ctx, p, o, func(x []float32, class int32) error {
			add(class)
			buf = buf[:0]
			for _, v := range x {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
			_, err := out.Write(buf)
			return err
		})
		if err != nil {
			return err
		}
		return out.Flush()
	})
	if err != nil {
		return nil, err
	}
	d := len(p.source)
	decoded := &npyFile{blob: &blob{name: t.blob.name, path: spill, size: 4 * int64(n) * int64(d)}, n: n, d: d, npyType: npyTypes["f4"]}
	plain := rowPlan{label: -1, schema: p.schema, none: p.none, levels: make([]map[string]float32, d)}
	for j := range d {
		plain.source = append(plain.source, j)
	}
	return &npySet{memory{p.schema, n, labels}, decoded, plain}, nil
}

// spillPath is where the rows of t go that memory does not hold, as the plan reads them.
func (t *typedTable) spillPath(p *rowPlan) (string, error) {
	path := t.blob.path
	if path == "" { // decompressed into memory
		path = t.blob.name
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	schema, err := json.Marshal(p.schema)
	if err != nil {
		return "", err
	}
	return spillPath(path, info, string(schema))
}
