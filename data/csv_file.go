package data

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// csvFile is a table on disk, or decoded into memory, before its columns are understood.
type csvFile struct {
	blob  *blob
	start int64 // offset of the first row, after a byte order mark
	comma rune
}

// openCSVFile opens path and finds the separator: of comma, semicolon and tab the one that is commonest in the first line
// outside quotes, and the comma where there is none.
func openCSVFile(ctx context.Context, path string, limit int64) (*csvFile, error) {
	b, err := openBlob(ctx, path, limit)
	if err != nil {
		return nil, err
	}
	r, done, err := b.open()
	if err != nil {
		return nil, err
	}
	defer done()
	f := &csvFile{blob: b, comma: ','}
	in := bufio.NewReader(io.NewSectionReader(r, 0, b.size))
	if bom, _ := in.Peek(3); string(bom) == "\xEF\xBB\xBF" {
		f.start = 3
		in.Discard(3)
	}
	count := map[byte]int{}
	inQuotes, any := false, false
	for {
		c, err := in.ReadByte()
		if err == io.EOF || c == '\n' && any && !inQuotes {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if c == 0 {
			return nil, fmt.Errorf("%s: line 1: a zero byte, expected text in UTF-8; save the table as CSV in UTF-8", path)
		}
		any = any || c != '\n' && c != '\r'
		if c == '"' {
			inQuotes = !inQuotes
		}
		if !inQuotes {
			count[c]++
		}
	}
	for _, c := range []byte{';', '\t'} {
		if count[c] > count[byte(f.comma)] {
			f.comma = rune(c)
		}
	}
	return f, nil
}

// rows reads the file from the first row on.
func (f *csvFile) rows(ctx context.Context) (*csvRows, error) {
	r, done, err := f.blob.open()
	if err != nil {
		return nil, err
	}
	section := io.NewSectionReader(r, f.start, f.blob.size-f.start)
	return &csvRows{f: f, r: f.reader(contextReader{ctx, section}), close: done}, nil
}

func (f *csvFile) reader(in io.Reader) *csv.Reader {
	r := csv.NewReader(in)
	r.Comma = f.comma
	r.FieldsPerRecord = -1 // compared here, for a message with the line
	r.ReuseRecord = true
	r.TrimLeadingSpace = f.comma != '\t'
	return r
}

// csvRows walks through the rows of a csvFile.
type csvRows struct {
	f      *csvFile
	r      *csv.Reader
	close  func()
	at     int64 // offset of the current row, or of the empty lines before it
	width  int   // fields in the first row
	first  int   // its line
	number int   // rows read so far
}

// next returns the fields of the next row, trimmed, or io.EOF. The slice is valid until the next call.
func (c *csvRows) next() ([]string, error) {
	c.at = c.f.start + c.r.InputOffset()
	fields, err := c.r.Read()
	if err != nil {
		return nil, csvError(c.f.blob.name, err)
	}
	c.number++
	if c.number == 1 {
		c.width, c.first = len(fields), c.line()
	}
	if len(fields) != c.width {
		return nil, fmt.Errorf("%s: line %d: %d fields, expected %d as in line %d; check the separators and quotes in that line",
			c.f.blob.name, c.line(), len(fields), c.width, c.first)
	}
	for j := range fields {
		fields[j] = strings.TrimSpace(fields[j])
	}
	return fields, nil
}

// line is the line on which the current row begins.
func (c *csvRows) line() int {
	line, _ := c.r.FieldPos(0)
	return line
}

// end is the offset after the current row.
func (c *csvRows) end() int64 { return c.f.start + c.r.InputOffset() }

// csvError puts a parse error into the words of this package.
func csvError(name string, err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		begun := ""
		if p.StartLine != p.Line { // an open quote swallows lines, so the fault is as likely where the row began
			begun = fmt.Sprintf(" of the row that begins in line %d", p.StartLine)
		}
		return fmt.Errorf("%s: line %d, byte %d%s: %w, expected fields of plain text or in double quotes", name, p.Line, p.Column, begun, p.Err)
	}
	if err == io.EOF || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}
