package data

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// openCSV reads a table of comma-, semicolon- or tab-separated values. One pass decides what the columns are, unless a
// model's schema says so; another reads and checks every row. An empty line is no row. A table that fits is kept in memory as float32; of a larger
// one only the labels and the offset of each row are kept, and rows are read from disk.
func openCSV(ctx context.Context, path string, o Options) (*Source, error) {
	f, err := openCSVFile(ctx, path, o.Memory)
	if err != nil {
		return nil, err
	}
	src := &Source{Name: path}
	var plan *csvPlan
	if o.Schema != nil {
		plan, err = planForSchema(ctx, f, src, o.Schema)
	} else {
		plan, err = inferCSV(ctx, f, src, o)
	}
	if err != nil {
		return nil, err
	}
	plan.none = "empty"
	plan.index()
	s, err := plan.read(ctx, o)
	if err != nil {
		return nil, err
	}
	return src, src.setParts(s, nil)
}

// read makes the Set.
func (p *csvPlan) read(ctx context.Context, o Options) (Set, error) {
	rows, err := p.file.rows(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.close()
	name := p.file.blob.name
	if p.header {
		if _, err := rows.next(); err != nil {
			return nil, err
		}
	}
	var (
		values  []float32
		labels  []int32
		offsets []int64
		row     = make([]float32, len(p.source))
		fits    = true
	)
	for {
		fields, err := rows.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		class, err := p.parse(row, fields)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d, %w", name, rows.line(), err)
		}
		if p.label >= 0 {
			labels = append(labels, class)
		}
		offsets = append(offsets, rows.at)
		if fits = fits && 4*int64(len(values)+len(row)) <= o.Memory; fits {
			values = append(values, row...)
		} else {
			values = nil
		}
		if rows.number%1000 == 0 {
			o.Progress(Progress{"reading " + name, rows.end(), p.file.blob.size, "bytes"})
		}
	}
	if len(offsets) == 0 {
		return nil, fmt.Errorf("%s: a header and no rows, expected at least one row", name)
	}
	if fits {
		return NewTable(p.schema, values, labels)
	}
	return &csvSet{memory{p.schema, len(offsets), labels}, p, append(offsets, rows.end())}, nil
}

// csvSet reads rows from disk by their offsets.
type csvSet struct {
	memory
	plan    *csvPlan
	offsets []int64 // row i lies from offsets[i] up to offsets[i+1]
}

func (s *csvSet) Read(ctx context.Context, dst Batch, index []int) error {
	if err := checkRead(s, dst, index); err != nil {
		return err
	}
	name := s.plan.file.blob.name
	r, done, err := s.plan.file.blob.open()
	if err != nil {
		return err
	}
	defer done()
	var buf []byte
	for k, i := range index {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := s.offsets[i]
		buf = append(buf[:0], make([]byte, s.offsets[i+1]-at)...)
		if n, err := r.ReadAt(buf, at); n < len(buf) {
			return fmt.Errorf("%s: row %d: %w", name, i+1, err)
		}
		row := csvRows{f: s.plan.file, r: s.plan.file.reader(bytes.NewReader(buf))}
		fields, err := row.next()
		if err == nil && len(fields) != s.plan.width {
			err = fmt.Errorf("%d fields, expected %d", len(fields), s.plan.width)
		}
		if err == nil {
			_, err = s.plan.parse(dst.Row(k), fields)
		}
		if err != nil {
			return fmt.Errorf("%s: row %d, byte %d: %w; the file has changed since it was opened", name, i+1, at, err)
		}
	}
	s.readLabels(dst, index)
	return nil
}
