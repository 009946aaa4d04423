package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// NPY is the format of numpy.save: the bytes \x93NUMPY, the version (1.0, 2.0 or 3.0), the length of the header in two
// bytes (1.0) or four, the header, which is a Python dictionary of the type of an element, the order of the axes and their
// lengths, then the elements. (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)
//
// An array of n rows and d columns is a table of the columns x0 … x(d-1); one of n elements is a table of one column. The
// names begin at 0 as the indices of arrays do.

const (
	npyMagic      = "\x93NUMPY"
	npyMostHeader = 1 << 16 // bytes; a header of numbers has 118, unless it is damaged
	npyMostWidth  = 1 << 17 // columns, each of which takes more memory than a file of few rows warrants
	npyBlock      = 1 << 22 // bytes read at a time, about
)

// npyType is a type of elements. value decodes one that is little-endian.
type npyType struct {
	size  int
	whole bool
	value func(b []byte) float64
}

var npyTypes = map[string]npyType{
	"b1": {1, true, func(b []byte) float64 {
		if b[0] != 0 {
			return 1
		}
		return 0
	}},
	"i1": {1, true, func(b []byte) float64 { return float64(int8(b[0])) }},
	"u1": {1, true, func(b []byte) float64 { return float64(b[0]) }},
	"i2": {2, true, func(b []byte) float64 { return float64(int16(binary.LittleEndian.Uint16(b))) }},
	"u2": {2, true, func(b []byte) float64 { return float64(binary.LittleEndian.Uint16(b)) }},
	"i4": {4, true, func(b []byte) float64 { return float64(int32(binary.LittleEndian.Uint32(b))) }},
	"u4": {4, true, func(b []byte) float64 { return float64(binary.LittleEndian.Uint32(b)) }},
	"i8": {8, true, func(b []byte) float64 { return float64(int64(binary.LittleEndian.Uint64(b))) }},
	"u8": {8, true, func(b []byte) float64 { return float64(binary.LittleEndian.Uint64(b)) }},
	"f4": {4, false, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }},
	"f8": {8, false, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }},
}

// npyFile is an array of n rows and d columns on disk, or decoded into memory.
type npyFile struct {
	blob *blob
	n, d int
	npyType
	bigEndian bool
	fortran   bool  // the first axis is the fastest
	data      int64 // offset of the first element
}

// openNPY reads an array as a table. One pass decides what the columns are, unless a model's schema says so; another reads
// and checks every row. A table that fits is kept in memory as float32; of a larger one only the labels are kept, and rows
// are read from disk.
func openNPY(ctx context.Context, path string, o Options) (*Source, error) {
	b, err := openBlob(ctx, path, o.Memory)
	if err != nil {
		return nil, err
	}
	f, err := readNPYHeader(b)
	if err != nil {
		return nil, err
	}
	src := &Source{Name: path}
	var plan rowPlan
	if o.Schema != nil {
		plan, err = f.planForSchema(o.Schema)
	} else {
		plan, err = f.infer(ctx, src, o)
	}
	if err != nil {
		return nil, err
	}
	plan.none = "NaN"
	plan.index()
	s, err := f.load(ctx, plan, o)
	if err != nil {
		return nil, err
	}
	return src, src.setParts(s, nil)
}

// readNPYHeader reads and checks the head of b against its size.
func readNPYHeader(b *blob) (*npyFile, error) {
	r, done, err := b.open()
	if err != nil {
		return nil, err
	}
	defer done()
	head := make([]byte, min(b.size, npyMostHeader))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", b.name, err)
	}
	if !bytes.HasPrefix(head, []byte(npyMagic)) {
		return nil, fmt.Errorf("%s: byte 0: 0x%x, expected 0x%x for an array; write it with numpy.save", b.name, head[:min(len(head), len(npyMagic))], npyMagic)
	}
	const start = len(npyMagic) + 2
	if len(head) < start+4 {
		return nil, fmt.Errorf("%s: truncated at byte %d, expected an NPY header of at least %d bytes; fetch the file again", b.name, len(head), start+4)
	}
	major, minor := head[start-2], head[start-1]
	if minor != 0 || major < 1 || major > 3 {
		return nil, fmt.Errorf("%s: byte 6: NPY version %d.%d, expected 1.0, 2.0 or 3.0; write the array again with numpy.save", b.name, major, minor)
	}
	text, length := start+4, int64(binary.LittleEndian.Uint32(head[start:]))
	if major == 1 {
		text, length = start+2, int64(binary.LittleEndian.Uint16(head[start:]))
	}
	end := int64(text) + length
	switch {
	case end > b.size:
		return nil, fmt.Errorf("%s: truncated at byte %d, expected a header up to byte %d; fetch the file again", b.name, b.size, end)
	case end > int64(len(head)):
		return nil, fmt.Errorf("%s: byte %d: a header up to byte %d, expected one within %d bytes, as an array of numbers has; save the array alone", b.name, start, end, npyMostHeader)
	}
	f := &npyFile{blob: b, data: end}
	if err := f.parse(string(head[text:end])); err != nil {
		return nil, fmt.Errorf("%s: byte %d: %w", b.name, text, err)
	}
	return f, f.checkSize()
}

// npyField is one "key: value" of a header, and what is before the next.
var npyField = regexp.MustCompile(`^\s*['"](\w+)['"]\s*:\s*('[^']*'|"[^"]*"|True|False|\([^()]*\)|\[.*\])\s*(?:,\s*|$)`)

// parse reads the text of a header, {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }, in any order of the keys.
func (f *npyFile) parse(text string) error {
	values := map[string]string{}
	inner, ok := strings.CutPrefix(strings.TrimSpace(text), "{")
	rest, closed := strings.CutSuffix(inner, "}")
	for rest = strings.TrimSpace(rest); ok && closed && rest != ""; {
		m := npyField.FindStringSubmatch(rest)
		if m == nil {
			break
		}
		values[m[1]] = m[2]
		rest = rest[len(m[0]):]
	}
	descr, order, shape := values["descr"], values["fortran_order"], values["shape"]
	if !ok || !closed || rest != "" || descr == "" || order != "True" && order != "False" || !strings.HasPrefix(shape, "(") {
		return fmt.Errorf("header %s, expected {'descr': …, 'fortran_order': …, 'shape': (…)}; write the array again with numpy.save", abridged(text))
	}
	f.fortran = order == "True"
	if err := f.parseType(descr); err != nil {
		return err
	}
	var dims []int
	for _, axis := range strings.Split(strings.TrimSuffix(strings.Trim(shape, "() \t"), ","), ",") {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(axis), "L")) // Python 2 wrote long integers so
		if err != nil || n < 1 {
			return fmt.Errorf("shape %s, expected (n, d) or (n,), with at least one row and one column", abridged(shape))
		}
		dims = append(dims, n)
	}
	switch len(dims) {
	case 1:
		dims = append(dims, 1)
	case 2:
	default:
		return fmt.Errorf("shape %s, expected (n, d), n rows of d columns, or (n,); save array.reshape(len(array), -1)", abridged(shape))
	}
	if f.n, f.d = dims[0], dims[1]; f.d > npyMostWidth {
		return fmt.Errorf("shape %s, expected at most %d columns; transpose the array if its examples are its columns", abridged(shape), npyMostWidth)
	}
	return nil
}

// parseType reads the type of the elements, such as '<f8'.
func (f *npyFile) parseType(descr string) error {
	name := strings.Trim(descr, `'"`)
	if len(name) == 3 && strings.IndexByte("<>|", name[0]) >= 0 {
		var ok bool
		if f.npyType, ok = npyTypes[name[1:]]; ok && (name[0] != '|' || f.size == 1) {
			f.bigEndian = name[0] == '>'
			return nil
		}
	}
	return fmt.Errorf("elements of type %s, expected bool, integers of 8 to 64 bits, float32 or float64; save array.astype(numpy.float32) where they are numbers",
		abridged(name))
}

// checkSize compares the size of the file with what the header says. Every row and column has a byte in it or more, so that
// nothing overflows and no memory is asked for that the file does not warrant.
func (f *npyFile) checkSize() error {
	have := (f.blob.size - f.data) / int64(f.size) // elements
	n, d := int64(f.n), int64(f.d)
	switch {
	case n > have/d:
		return fmt.Errorf("%s: truncated at byte %d, expected %d x %d elements of %d bytes; fetch the file again", f.blob.name, f.blob.size, n, d, f.size)
	case f.data+n*d*int64(f.size) != f.blob.size:
		end := f.data + n*d*int64(f.size)
		return fmt.Errorf("%s: %d bytes after the end at byte %d, expected none after %d x %d elements; save one array to a file",
			f.blob.name, f.blob.size-end, end, n, d)
	}
	return nil
}

// block is how many rows are read at a time.
func (f *npyFile) block() int { return min(f.n, max(1, npyBlock/(f.size*f.d))) }

// npyRows reads rows of an npyFile.
type npyRows struct {
	f      *npyFile
	r      io.ReaderAt
	close  func()
	raw    []byte
	values []float64
}

func (f *npyFile) rows() (*npyRows, error) {
	r, done, err := f.blob.open()
	return &npyRows{f: f, r: r, close: done}, err
}

// read returns the values of count rows, (count, d) row-major, valid until the next call.
func (r *npyRows) read(first, count int) ([]float64, error) {
	f := r.f
	r.values = slices.Grow(r.values[:0], count*f.d)[:count*f.d]
	if !f.fortran {
		return r.values, r.run(r.values, 1, int64(first)*int64(f.d), count*f.d)
	}
	for j := range f.d {
		if err := r.run(r.values[j:], f.d, int64(j)*int64(f.n)+int64(first), count); err != nil {
			return nil, err
		}
	}
	return r.values, nil
}

// run decodes count elements that lie side by side in the file, and writes them to dst at the given stride.
func (r *npyRows) run(dst []float64, stride int, first int64, count int) error {
	size := r.f.size
	at := r.f.data + first*int64(size)
	r.raw = slices.Grow(r.raw[:0], count*size)[:count*size]
	if n, err := r.r.ReadAt(r.raw, at); n < len(r.raw) {
		return fmt.Errorf("%s: byte %d: %w", r.f.blob.name, at, err)
	}
	for i := range count {
		element := r.raw[i*size : (i+1)*size]
		if r.f.bigEndian {
			slices.Reverse(element)
		}
		dst[i*stride] = r.f.value(element)
	}
	return nil
}

// each calls visit with the values of each row.
func (f *npyFile) each(ctx context.Context, stage string, o Options, visit func(i int, row []float64) error) error {
	rows, err := f.rows()
	if err != nil {
		return err
	}
	defer rows.close()
	for first := 0; first < f.n; first += f.block() {
		if err := ctx.Err(); err != nil {
			return err
		}
		count := min(f.block(), f.n-first)
		values, err := rows.read(first, count)
		if err != nil {
			return err
		}
		for i := range count {
			if err := visit(first+i, values[i*f.d:(i+1)*f.d]); err != nil {
				return err
			}
		}
		done := f.data + int64(first+count)*int64(f.d)*int64(f.size)
		o.Progress(Progress{stage + f.blob.name, done, f.blob.size, "bytes"})
	}
	return nil
}

// infer reads the whole array once and decides what each column is: the type says whether its numbers are whole, and the
// label's values are the classes.
func (f *npyFile) infer(ctx context.Context, src *Source, o Options) (plan rowPlan, err error) {
	names, scans := make([]string, f.d), make([]columnScan, f.d)
	for j := range names {
		names[j] = columnName(0, j)
	}
	label := slices.Index(names, o.Label) // columns reports a label that is not there
	if label >= 0 {
		scans[label].levels = map[string]bool{}
	}
	err = f.each(ctx, "looking at ", o, func(i int, row []float64) error {
		for j, v := range row {
			switch c := &scans[j]; {
			case v != v:
				c.missing++
			case j == label:
				c.add(f.text(v), i)
			case f.whole:
				c.wholes++
				c.large = c.large || v > maxExact || v < -maxExact
			default:
				c.reals++
			}
		}
		return nil
	})
	if err != nil {
		return plan, err
	}
	if err := plan.columns(names, scans, true, src, o); err != nil {
		return plan, fmt.Errorf("%s: %w", f.blob.name, err)
	}
	return plan, nil
}

// planForSchema finds the columns of a fitted model in an array, as in a CSV table without a header.
func (f *npyFile) planForSchema(want *Schema) (plan rowPlan, err error) {
	if want.IsImage() {
		return plan, fmt.Errorf("%s: a table, but the model expects pictures of %v", f.blob.name, want.Shape)
	}
	var ok bool
	if plan.source, plan.label, ok = want.places(f.d); !ok {
		label := ""
		if want.Label != "" {
			label = fmt.Sprintf(", with its label %q or without", want.Label)
		}
		return plan, fmt.Errorf("%s: %v, expected the %v of the model in their order%s", f.blob.name, RowShape(f.d), want.Shape, label)
	}
	plan.schema = want.labelled(plan.label >= 0)
	return plan, nil
}

// text is a number as a class or level is written.
func (f *npyFile) text(v float64) string { return numberText(v, min(64, 8*f.size)) }

// example writes the columns of one row to dst and returns its class, -1 without label.
func (f *npyFile) example(plan *rowPlan, dst []float32, row []float64) (class int32, err error) {
	for j, at := range plan.source {
		switch v := row[at]; {
		case v != v:
			dst[j] = float32(math.NaN())
		case plan.levels[j] != nil:
			if dst[j], err = plan.level(j, f.text(v)); err != nil {
				return 0, err
			}
		case math.Abs(v) > math.MaxFloat32:
			return 0, plan.notFinite(j, v)
		default:
			dst[j] = float32(v)
		}
	}
	if plan.label < 0 {
		return -1, nil
	}
	switch v := row[plan.label]; {
	case v != v:
		return 0, plan.noClass()
	default:
		if f.whole {
			if err := plan.checkClass(v); err != nil {
				return 0, err
			}
		}
		return plan.class(f.text(v))
	}
}

// load makes the Set.
func (f *npyFile) load(ctx context.Context, plan rowPlan, o Options) (Set, error) {
	p := len(plan.source)
	var values []float32
	if int64(f.n)*int64(p) <= o.Memory/4 {
		values = make([]float32, f.n*p)
	}
	var labels []int32
	if plan.label >= 0 {
		labels = make([]int32, f.n)
	}
	dst := make([]float32, p)
	err := f.each(ctx, "reading ", o, func(i int, row []float64) error {
		if values != nil {
			dst = values[i*p : (i+1)*p]
		}
		class, err := f.example(&plan, dst, row)
		if err != nil {
			return fmt.Errorf("%s: row %d from 0, %w", f.blob.name, i, err)
		}
		if labels != nil {
			labels[i] = class
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if values != nil {
		return NewTable(plan.schema, values, labels)
	}
	return &npySet{memory{plan.schema, f.n, labels}, f, plan}, nil
}

// npySet reads rows from disk.
type npySet struct {
	memory
	file *npyFile
	plan rowPlan
}

func (s *npySet) Read(ctx context.Context, dst Batch, index []int) error {
	if err := checkRead(s, dst, index); err != nil {
		return err
	}
	rows, err := s.file.rows()
	if err != nil {
		return err
	}
	defer rows.close()
	for k := 0; k < len(index); {
		if err := ctx.Err(); err != nil {
			return err
		}
		count := 1 // neighbours are read together
		for k+count < len(index) && index[k+count] == index[k]+count && count < s.file.block() {
			count++
		}
		values, err := rows.read(index[k], count)
		if err != nil {
			return err
		}
		for i := range count {
			d := s.file.d
			if _, err := s.file.example(&s.plan, dst.Row(k+i), values[i*d:(i+1)*d]); err != nil {
				return fmt.Errorf("%s: row %d from 0, %w; the file has changed since it was opened", s.file.blob.name, index[k]+i, err)
			}
		}
		k += count
	}
	s.readLabels(dst, index)
	return nil
}
