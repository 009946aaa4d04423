package data

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"time"
)

// Apache Parquet (https://parquet.apache.org/docs/file-format/) keeps a table by columns: row groups, in each a chunk of each
// column, in each pages of values, and at the end of the file a footer that says where they are.
//
// Columns of numbers are as wide as they were written; texts, bools, dates and times are Categorical, written as pandas
// writes them to CSV. Decimals are numbers. A null, and a NaN, is a missing value. Columns of lists, records or bytes
// that are no text cannot be read, but left out.

// parquetFile reads the rows of a file whose footer has been read.
type parquetFile struct {
	blob    *blob
	columns []parquetColumn
	leaves  int
	rows    int64
	groups  []parquetGroup
}

// parquetColumn is a column of the table.
type parquetColumn struct {
	name     string
	leaf     int // its place among the columns of a row group
	kind     parquetType
	width    int    // bytes of a fixed number of bytes
	optional bool   // values may be missing
	unread   string // why it cannot be read
	cell     func(parquetValue) (cell, error)
}

// parquetGroup is a row group.
type parquetGroup struct {
	rows   int64
	chunks []thriftStruct
}

const parquetMostFooter = 1 << 28 // bytes

// openParquet reads a Parquet file as a table.
func openParquet(ctx context.Context, path string, o Options) (*Source, error) {
	b, err := openBlob(ctx, path, o.Memory)
	if err != nil {
		return nil, err
	}
	f := &parquetFile{blob: b}
	if err := f.readFooter(); err != nil {
		return nil, fmt.Errorf("%s: %w", b.name, err)
	}
	t := &typedTable{blob: b, place: "row %d", none: "null", rows: f}
	for _, c := range f.columns {
		t.columns = append(t.columns, typedColumn{name: c.name})
	}
	return t.open(ctx, o)
}

// readFooter reads what the file says of itself.
func (f *parquetFile) readFooter() error {
	r, done, err := f.blob.open()
	if err != nil {
		return err
	}
	defer done()
	const ends = 12 // PAR1 at the beginning; the length of the footer and PAR1 at the end
	if f.blob.size < ends {
		return fmt.Errorf("%d bytes, expected at least %d of a Parquet file", f.blob.size, ends)
	}
	var head [4]byte
	var tail [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return err
	}
	if _, err := r.ReadAt(tail[:], f.blob.size-8); err != nil {
		return err
	}
	switch {
	case string(tail[4:]) == "PARE":
		return errors.New("an encrypted Parquet file, expected a plain one")
	case string(head[:]) != "PAR1":
		return fmt.Errorf("begins with %q, expected PAR1 of a Parquet file", head)
	case string(tail[4:]) != "PAR1":
		return fmt.Errorf("ends with %q, expected PAR1 of a Parquet file; fetch it again", tail[4:])
	}
	size := int64(binary.LittleEndian.Uint32(tail[:]))
	if size > f.blob.size-ends || size > parquetMostFooter {
		return fmt.Errorf("damaged: a footer of %d bytes in a file of %d; fetch it again", size, f.blob.size)
	}
	footer := make([]byte, size)
	if _, err := r.ReadAt(footer, f.blob.size-8-size); err != nil {
		return err
	}
	meta, _, err := decodeThrift(footer)
	if err == nil {
		err = f.readMeta(meta, f.blob.size-8-size)
	}
	if err != nil {
		return fmt.Errorf("damaged footer: %w; fetch the file again", err)
	}
	if len(f.columns) == 0 {
		return errors.New("no columns, expected at least one")
	}
	if len(f.columns) > npyMostWidth {
		return fmt.Errorf("%d columns, expected at most %d; transpose the table if its examples are its columns", len(f.columns), npyMostWidth)
	}
	return nil
}

// readMeta reads the schema and the row groups, whose pages lie before end.
func (f *parquetFile) readMeta(meta thriftStruct, end int64) error {
	schema, err := structs(meta.list(2))
	if err != nil || len(schema) == 0 {
		return errors.New("no schema")
	}
	next := 1
	for range schema[0].integer(5, 0) {
		if next >= len(schema) {
			return errors.New("fewer columns than announced")
		}
		c := newParquetColumn(schema[next], f.leaves)
		leaves, after, err := countLeaves(schema, next, 0)
		if err != nil {
			return err
		}
		f.leaves += leaves
		next = after
		f.columns = append(f.columns, c)
	}
	groups, err := structs(meta.list(4))
	if err != nil {
		return err
	}
	for i, g := range groups {
		chunks, err := structs(g.list(1))
		if err != nil {
			return err
		}
		if len(chunks) != f.leaves {
			return fmt.Errorf("row group %d has %d columns, expected %d", i, len(chunks), f.leaves)
		}
		rows := g.integer(3, -1)
		if rows < 0 || rows > math.MaxInt64-f.rows {
			return fmt.Errorf("row group %d has %d rows", i, rows)
		}
		f.rows += rows
		for j, c := range chunks {
			at, size := chunkPlace(c.sub(3))
			if at < 4 || size < 0 || at > end || size > end-at {
				return fmt.Errorf("row group %d has its column %d at bytes %d to %d, expected them from 4 to %d", i, j, at, at+size, end)
			}
		}
		f.groups = append(f.groups, parquetGroup{rows, chunks})
	}
	return nil
}

// structs are the elements of a list, which all must be structures.
func structs(list []any) ([]thriftStruct, error) {
	s := make([]thriftStruct, len(list))
	for i, v := range list {
		var ok bool
		if s[i], ok = v.(thriftStruct); !ok {
			return nil, errors.New("a list of what are no structures")
		}
	}
	return s, nil
}

// chunkPlace is where the pages of a chunk are, from its metadata: a dictionary comes first.
func chunkPlace(meta thriftStruct) (at, size int64) {
	at = meta.integer(9, -1)
	if dictionary := meta.integer(11, 0); dictionary > 0 && dictionary < at {
		at = dictionary
	}
	return at, meta.integer(7, -1)
}

// countLeaves says how many columns of the file an element of the schema has, and which element comes after it.
func countLeaves(schema []thriftStruct, at, depth int) (leaves, next int, err error) {
	if at >= len(schema) || depth > thriftMostDepth {
		return 0, 0, errors.New("a schema that does not end")
	}
	children := schema[at].integer(5, 0)
	if children <= 0 {
		return 1, at + 1, nil
	}
	next = at + 1
	for range children {
		var n int
		if n, next, err = countLeaves(schema, next, depth+1); err != nil {
			return 0, 0, err
		}
		leaves += n
	}
	return leaves, next, nil
}

// Repetitions of a column.
const (
	parquetOptional = 1
	parquetRepeated = 2
)

// newParquetColumn is the column of an element of the schema.
func newParquetColumn(e thriftStruct, leaf int) parquetColumn {
	c := parquetColumn{
		name: e.text(4), leaf: leaf, kind: parquetType(e.integer(1, -1)), width: int(e.integer(2, 0)), optional: e.integer(3, 0) == parquetOptional,
	}
	switch {
	case e.integer(5, 0) > 0 || e.integer(3, 0) == parquetRepeated:
		c.unread = "lists or records"
	case c.kind < parquetBool || c.kind > parquetFixed:
		c.unread = fmt.Sprintf("an unknown type, %d", c.kind)
	case c.kind == parquetFixed && c.width <= 0:
		c.unread = "bytes without number"
	default:
		if c.cell = c.meaning(e); c.cell == nil {
			c.unread = "bytes that are no text"
		}
	}
	return c
}

// Converted types, which are older than logical ones and written beside them.
const (
	convertedUTF8            = 0
	convertedEnum            = 4
	convertedDecimal         = 5
	convertedDate            = 6
	convertedTimeMillis      = 7
	convertedTimeMicros      = 8
	convertedTimestampMillis = 9
	convertedTimestampMicros = 10
	convertedUint8           = 11
	convertedUint64          = 14
	convertedJSON            = 19
)

// Fields of the union of logical types.
const (
	logicalString    = 1
	logicalEnum      = 4
	logicalDecimal   = 5
	logicalDate      = 6
	logicalTime      = 7
	logicalTimestamp = 8
	logicalInteger   = 10
	logicalNull      = 11
	logicalJSON      = 12
	logicalUUID      = 14
	logicalFloat16   = 15
)

// meaning makes cells of a column's values, by what the schema says of them.
func (c *parquetColumn) meaning(e thriftStruct) func(parquetValue) (cell, error) {
	logical, converted := e.sub(10), e.integer(6, -1)
	is := func(field int16, older ...int64) bool {
		if _, ok := logical[field]; ok || len(logical) > 0 {
			return ok
		}
		for _, o := range older {
			if o == converted {
				return true
			}
		}
		return false
	}
	switch {
	case is(logicalNull):
		return func(parquetValue) (cell, error) { return cell{}, nil }
	case is(logicalDecimal, convertedDecimal):
		scale := e.integer(7, 0)
		if d := logical.sub(logicalDecimal); d != nil {
			scale = d.integer(1, 0)
		}
		return c.decimal(scale)
	case c.kind == parquetBool:
		return func(v parquetValue) (cell, error) {
			return textOf([]string{"False", "True"}[v.word&1]), nil
		}
	case c.kind == parquetFloat:
		return func(v parquetValue) (cell, error) {
			return numberCell(float64(math.Float32frombits(uint32(v.word))), false), nil
		}
	case c.kind == parquetDouble:
		return func(v parquetValue) (cell, error) { return numberCell(math.Float64frombits(v.word), false), nil }
	case c.kind == parquetInt96:
		return timeOfInt96
	case is(logicalDate, convertedDate) && c.kind == parquetInt32:
		return func(v parquetValue) (cell, error) {
			return textOf(time.Unix(int64(int32(v.word))*86400, 0).UTC().Format(time.DateOnly)), nil
		}
	case is(logicalTime, convertedTimeMillis, convertedTimeMicros):
		return c.timeOfDay(unit(logical.sub(logicalTime), converted == convertedTimeMillis))
	case is(logicalTimestamp, convertedTimestampMillis, convertedTimestampMicros):
		t := logical.sub(logicalTimestamp)
		return c.timestamp(unit(t, converted == convertedTimestampMillis), t == nil || t.bool(1, false))
	case c.kind == parquetInt32 || c.kind == parquetInt64:
		unsigned := converted >= convertedUint8 && converted <= convertedUint64
		if i := logical.sub(logicalInteger); i != nil {
			unsigned = !i.bool(2, true)
		}
		return func(v parquetValue) (cell, error) {
			if unsigned {
				return numberCell(float64(c.unsigned(v)), true), nil
			}
			return numberCell(float64(c.signed(v)), true), nil
		}
	case is(logicalUUID) && c.kind == parquetFixed && c.width == 16:
		return func(v parquetValue) (cell, error) {
			b := v.bytes
			return textOf(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])), nil
		}
	case is(logicalFloat16) && c.kind == parquetFixed && c.width == 2:
		return func(v parquetValue) (cell, error) {
			return numberCell(float16(uint16(v.bytes[0])|uint16(v.bytes[1])<<8), false), nil
		}
	case c.kind == parquetBytes && (is(logicalString, convertedUTF8) || is(logicalEnum, convertedEnum) || is(logicalJSON, convertedJSON) ||
		len(logical) == 0 && converted < 0): // older writers say nothing of texts
		return func(v parquetValue) (cell, error) { return textOf(v.bytes), nil }
	}
	return nil
}

func textOf(s string) cell { return cell{kind: textCell, text: s} }

func (c *parquetColumn) signed(v parquetValue) int64 {
	if c.kind == parquetInt32 {
		return int64(int32(v.word))
	}
	return int64(v.word)
}

func (c *parquetColumn) unsigned(v parquetValue) uint64 {
	if c.kind == parquetInt32 {
		return uint64(uint32(v.word))
	}
	return v.word
}

// decimal makes numbers of integers, or of bytes with the highest first, times 10 to the power -scale.
func (c *parquetColumn) decimal(scale int64) func(parquetValue) (cell, error) {
	const most = 1000 // digits; no type of a data base has as many
	if scale < 0 || scale > most {
		return nil
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(scale), nil)
	return func(v parquetValue) (cell, error) {
		i := new(big.Int)
		switch c.kind {
		case parquetInt32, parquetInt64:
			i.SetInt64(c.signed(v))
		case parquetBytes, parquetFixed:
			if len(v.bytes) > most {
				return cell{}, fmt.Errorf("a decimal of %d bytes, expected at most %d", len(v.bytes), most)
			}
			i.SetBytes([]byte(v.bytes))
			if len(v.bytes) > 0 && v.bytes[0]&0x80 != 0 {
				i.Sub(i, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v.bytes))))
			}
		default:
			return cell{}, errors.New("a decimal that is no integer and no bytes")
		}
		x, _ := new(big.Rat).SetFrac(i, power).Float64()
		return numberCell(x, scale == 0), nil
	}
}

// unit is that of a time or timestamp.
func unit(logical thriftStruct, millis bool) time.Duration {
	u := logical.sub(2)
	_, logicalMillis := u[1]
	_, nanos := u[3]
	switch {
	case logicalMillis, logical == nil && millis:
		return time.Millisecond
	case nanos:
		return time.Nanosecond
	}
	return time.Microsecond
}

func (c *parquetColumn) timeOfDay(unit time.Duration) func(parquetValue) (cell, error) {
	return func(v parquetValue) (cell, error) {
		n := c.signed(v)
		if n < 0 || n >= int64(24*time.Hour/unit) {
			return cell{}, fmt.Errorf("%d, expected a time of the day", n)
		}
		return textOf(time.Time{}.Add(time.Duration(n) * unit).Format("15:04:05.999999999")), nil
	}
}

func (c *parquetColumn) timestamp(unit time.Duration, utc bool) func(parquetValue) (cell, error) {
	perSecond := int64(time.Second / unit)
	return func(v parquetValue) (cell, error) {
		n := c.signed(v)
		second := n / perSecond
		return timestampCell(time.Unix(second, (n-second*perSecond)*int64(unit)), utc), nil
	}
}

// timestampCell writes a moment, in UTC if it is known to be one.
func timestampCell(t time.Time, utc bool) cell {
	const layout = "2006-01-02 15:04:05.999999999"
	if utc {
		return textOf(t.UTC().Format(layout + "-07:00"))
	}
	return textOf(t.UTC().Format(layout))
}

// timeOfInt96 is a timestamp of older writers: nanoseconds of the day, and the Julian day.
func timeOfInt96(v parquetValue) (cell, error) {
	const julianEpoch = 2440588 // of 1 January 1970
	b := []byte(v.bytes)
	nanos, day := int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint32(b[8:]))
	return timestampCell(time.Unix((day-julianEpoch)*86400, nanos), false), nil
}

// float16 is the value of a half-precision number.
func float16(h uint16) float64 {
	sign, exponent, fraction := 1-2*float64(h>>15), int(h>>10)&31, float64(h&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// each reads the row groups one after another, and in each all columns side by side.
func (f *parquetFile) each(ctx context.Context, used []bool, stage string, o Options, visit func(at int, row []cell) error) error {
	for j, c := range f.columns {
		if used[j] && c.unread != "" {
			return fmt.Errorf("%s: column %q is of %s, expected one of numbers or texts; leave it out", f.blob.name, c.name, c.unread)
		}
	}
	r, done, err := f.blob.open()
	if err != nil {
		return err
	}
	defer done()
	row := make([]cell, len(f.columns))
	readers := make([]*chunkReader, len(f.columns))
	at := 0
	for i, g := range f.groups {
		for j := range f.columns {
			if used[j] {
				if readers[j], err = g.reader(&f.columns[j], r); err != nil {
					return f.damaged(i, j, err)
				}
			}
		}
		for range g.rows {
			if at%1000 == 0 {
				if err := ctx.Err(); err != nil {
					return err
				}
				o.Progress(Progress{stage + f.blob.name, int64(at), f.rows, "rows"})
			}
			for j, c := range readers {
				if c == nil {
					continue
				}
				if row[j], err = c.next(); err != nil {
					return f.damaged(i, j, err)
				}
			}
			at++
			if err := visit(at, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// reader begins the chunk of a column.
func (g *parquetGroup) reader(c *parquetColumn, r io.ReaderAt) (*chunkReader, error) {
	chunk := g.chunks[c.leaf]
	meta := chunk.sub(3)
	if file := chunk.text(1); file != "" {
		return nil, fmt.Errorf("its values are in another file, %q", file)
	}
	if kind := parquetType(meta.integer(1, -1)); kind != c.kind {
		return nil, fmt.Errorf("type %d, expected %d as in the schema", kind, c.kind)
	}
	if n := meta.integer(5, -1); n != g.rows {
		return nil, fmt.Errorf("%d values, expected %d", n, g.rows)
	}
	at, size := chunkPlace(meta)
	return &chunkReader{column: c, in: r, at: at, end: at + size, codec: meta.integer(4, -1), rows: g.rows}, nil
}

func (f *parquetFile) damaged(group, column int, err error) error {
	return fmt.Errorf("%s: row group %d, column %q: %w; if other programs read it, write it again, else fetch it again", f.blob.name, group, f.columns[column].name, err)
}
