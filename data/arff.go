package data

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ARFF is the format of Weka (https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/):
//
//	% a comment, up to the end of the line
//	@relation weather
//	@attribute outlook {sunny, 'rather cloudy'}
//	@attribute temperature numeric
//	@data
//	sunny, 21.5
//	'rather cloudy', ?
//	{1 18}
//
// Keywords are in any case. A nominal attribute, {…}, is Categorical with these levels in their order; so is one of texts or
// dates, with those that come. An integer attribute is Integer, a real one Numeric; one that is numeric may be either, as its
// values are written. Values are separated by commas or blanks, those with such characters in them are in single or double
// quotes, where \n, \r and \t are what they are in C and a backslash before another character stands for that. A question mark
// without quotes is a missing value. A row in braces is sparse: it has the places, from 0, of what is neither 0 nor the first
// level, and the values.

const arffMostLine = 1 << 26 // bytes, so that a file without line breaks is not read whole

// arffFile reads the rows of a file whose attributes are known.
type arffFile struct {
	blob       *blob
	attributes []arffAttribute
	start      int // the line of @data
}

type arffType uint8

const (
	arffNumeric arffType = iota // numeric: whole where it is written so
	arffReal
	arffInteger
	arffNominal
	arffText // string or date
)

type arffAttribute struct {
	typedColumn
	kind arffType
}

// openARFF reads an ARFF file as a table.
func openARFF(ctx context.Context, path string, o Options) (*Source, error) {
	b, err := openBlob(ctx, path, o.Memory)
	if err != nil {
		return nil, err
	}
	f := &arffFile{blob: b}
	if err := f.readHeader(ctx); err != nil {
		return nil, err
	}
	t := &typedTable{blob: b, place: "line %d", none: "?", rows: f}
	for _, a := range f.attributes {
		t.columns = append(t.columns, a.typedColumn)
	}
	return t.open(ctx, o)
}

// readHeader reads the lines up to @data.
func (f *arffFile) readHeader(ctx context.Context) error {
	lines, err := f.lines(ctx)
	if err != nil {
		return err
	}
	defer lines.close()
	for {
		line, err := lines.next()
		if err == io.EOF && lines.relation {
			return fmt.Errorf("%s: ends in line %d without @data, expected it after the attributes; fetch the file again", f.blob.name, lines.number)
		}
		if err != nil && err != io.EOF {
			return err
		}
		s := arffScanner{line}
		keyword, _ := s.next() // what is wrong with it shows below
		switch word := strings.ToLower(keyword.text); {
		case !lines.relation && word != "@relation":
			err = fmt.Errorf("%s, expected @relation, with which ARFF begins", abridged(line))
		case word == "@relation":
			lines.relation = true
		case word == "@attribute":
			err = f.attribute(&s)
		case word == "@data" && len(f.attributes) == 0:
			err = errors.New("@data, expected an @attribute before it")
		case word == "@data":
			f.start = lines.number
			return nil
		default:
			err = fmt.Errorf("%s, expected @attribute or @data", abridged(line))
		}
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", f.blob.name, max(lines.number, 1), err)
		}
	}
}

// attribute reads what follows @attribute: a name and a type.
func (f *arffFile) attribute(s *arffScanner) error {
	name, err := s.next()
	if err != nil {
		return err
	}
	if name.kind != arffWord && name.kind != arffQuoted {
		return fmt.Errorf("%s, expected the name of the attribute", name)
	}
	if len(f.attributes) == npyMostWidth {
		return fmt.Errorf("attribute %q is one of more than %d, expected no more; transpose the table if its examples are its columns", name.text, npyMostWidth)
	}
	a := arffAttribute{typedColumn: typedColumn{name: strings.Clone(name.text)}}
	kind, err := s.next()
	if err != nil {
		return fmt.Errorf("attribute %q: %w", a.name, err)
	}
	switch word := strings.ToLower(kind.text); {
	case kind.kind == '{':
		a.kind = arffNominal
		a.levels, err = s.levels()
	case word == "numeric":
		a.kind = arffNumeric
	case word == "real":
		a.kind = arffReal
	case word == "integer":
		a.kind = arffInteger
	case word == "string":
		a.kind = arffText
	case word == "date":
		a.kind = arffText
		_ = s.skip(arffQuoted) || s.skip(arffWord) // its format
	default:
		err = fmt.Errorf("%s, expected numeric, real, integer, {…} with the levels, string or date", kind)
	}
	if err == nil {
		var rest arffToken
		if rest, err = s.next(); err == nil && rest.kind != arffEnd {
			err = fmt.Errorf("%s after its type, expected the end of the line; weights and levels with blanks out of quotes are not read", rest)
		}
	}
	if err != nil {
		return fmt.Errorf("attribute %q: %w", a.name, err)
	}
	f.attributes = append(f.attributes, a)
	return nil
}

// levels reads the levels of a nominal attribute and the brace after them.
func (s *arffScanner) levels() ([]string, error) {
	var levels []string
	seen := map[string]bool{}
	for {
		t, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case t.kind == '}' && len(levels) == 0:
			return nil, errors.New("no levels, expected at least 1")
		case t.kind != arffWord && t.kind != arffQuoted:
			return nil, fmt.Errorf("%s, expected a level", t)
		case seen[t.text]:
			return nil, fmt.Errorf("level %q comes twice, expected different ones", t.text)
		case !utf8.ValidString(t.text):
			return nil, fmt.Errorf("level %q, expected text in UTF-8; convert the file", t.text)
		}
		seen[t.text] = true
		levels = append(levels, strings.Clone(t.text))
		if s.skip('}') {
			return levels, nil
		}
		s.skip(',')
	}
}

// each reads the rows after @data.
func (f *arffFile) each(ctx context.Context, used []bool, stage string, o Options, visit func(at int, row []cell) error) error {
	lines, err := f.lines(ctx)
	if err != nil {
		return err
	}
	defer lines.close()
	row := make([]cell, len(f.attributes))
	for n := 1; ; {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if lines.number <= f.start {
			continue
		}
		s := arffScanner{line}
		if s.skip('{') {
			err = f.sparse(&s, row, used)
		} else {
			err = f.dense(&s, row)
		}
		if err != nil {
			return fmt.Errorf("%s: line %d, %w", f.blob.name, lines.number, err)
		}
		if err := visit(lines.number, row); err != nil {
			return err
		}
		if n++; n%1000 == 0 {
			o.Progress(Progress{stage + f.blob.name, min(lines.bytes, f.blob.size), f.blob.size, "bytes"})
		}
	}
}

// dense reads a row with every value.
func (f *arffFile) dense(s *arffScanner, row []cell) error {
	for j := range f.attributes {
		t, err := s.next()
		if err == nil {
			if t.kind == arffEnd && j > 0 {
				return fmt.Errorf("%d values, expected %d as there are attributes; check the separators and quotes in that line", j, len(row))
			}
			row[j], err = f.value(j, t)
		}
		if err != nil {
			return fmt.Errorf("column %q: %w", f.attributes[j].name, err)
		}
		if j < len(row)-1 {
			s.skip(',')
		}
	}
	return s.end(fmt.Sprintf("the %d values", len(row)))
}

// sparse reads a row after its opening brace: the places and values of what is not 0 or the first level.
func (f *arffFile) sparse(s *arffScanner, row []cell, used []bool) error {
	next := 0 // the first column that has no value yet
	fill := func(end int) error {
		for ; next < end; next++ {
			switch a := &f.attributes[next]; a.kind {
			case arffNominal:
				row[next] = cell{kind: textCell, text: a.levels[0]}
			case arffText:
				if used[next] {
					return fmt.Errorf("column %q: no value in a sparse row, expected a text, or ? where it is missing", a.name)
				}
			default:
				row[next] = numberCell(0, a.kind != arffReal)
			}
		}
		return nil
	}
	for empty := s.skip('}'); !empty; {
		place, err := s.next()
		if err != nil {
			return err
		}
		j, err := strconv.Atoi(place.text)
		if err != nil || j < next || j >= len(row) {
			return fmt.Errorf("%s in a sparse row, expected the place of an attribute from %d to %d, in ascending order", place, next, len(row)-1)
		}
		if err := fill(j); err != nil {
			return err
		}
		t, err := s.next()
		if err == nil {
			row[j], err = f.value(j, t)
		}
		if err != nil {
			return fmt.Errorf("column %q: %w", f.attributes[j].name, err)
		}
		next++
		if s.skip('}') {
			break
		}
		s.skip(',')
	}
	if err := fill(len(row)); err != nil {
		return err
	}
	return s.end("the sparse row")
}

// value is what the token says in column j.
func (f *arffFile) value(j int, t arffToken) (cell, error) {
	kind := f.attributes[j].kind
	switch {
	case t.kind != arffWord && t.kind != arffQuoted:
		return cell{}, fmt.Errorf("%s, expected a value, or ? where it is missing", t)
	case t.kind == arffWord && t.text == "?":
		return cell{}, nil
	case kind == arffNominal || kind == arffText:
		return cell{kind: textCell, text: t.text}, nil
	}
	v, whole, ok := number(t.text)
	switch {
	case !ok:
		return cell{}, fmt.Errorf("%s, expected a number, or ? where it is missing", t)
	case kind == arffInteger && v != math.Trunc(v):
		return cell{}, fmt.Errorf("%s, expected a whole number; declare the attribute real if it is not of integers", t)
	}
	return numberCell(v, kind == arffInteger || kind == arffNumeric && whole), nil
}

// arffLines walks through the lines of a file that hold more than comments.
type arffLines struct {
	name     string
	in       *bufio.Scanner
	close    func()
	number   int   // of the current line, from 1
	bytes    int64 // read so far
	relation bool  // @relation has been seen
}

func (f *arffFile) lines(ctx context.Context) (*arffLines, error) {
	r, done, err := f.blob.open()
	if err != nil {
		return nil, err
	}
	in := bufio.NewScanner(contextReader{ctx, io.NewSectionReader(r, 0, f.blob.size)})
	in.Buffer(nil, arffMostLine)
	return &arffLines{name: f.blob.name, in: in, close: done}, nil
}

// next returns the next line, or io.EOF.
func (l *arffLines) next() (string, error) {
	for l.in.Scan() {
		line := l.in.Text()
		l.number++
		l.bytes += int64(len(line)) + 1
		if l.number == 1 {
			line = strings.TrimPrefix(line, "\xEF\xBB\xBF")
		}
		if text := strings.TrimLeft(line, arffBlanks); text != "" && text[0] != '%' {
			return text, nil
		}
	}
	switch err := l.in.Err(); {
	case err == nil:
		return "", io.EOF
	case err == bufio.ErrTooLong:
		return "", fmt.Errorf("%s: line %d: longer than %d bytes, expected a row; check the line breaks", l.name, l.number+1, arffMostLine)
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return "", err
	default:
		return "", fmt.Errorf("%s: line %d: %w", l.name, l.number+1, err)
	}
}

// arffScanner divides a line into tokens.
type arffScanner struct{ rest string }

// arffToken is a word, a quoted text without its quotes, the end of the line, or one of the characters { } and comma, which
// then is its kind.
type arffToken struct {
	kind byte
	text string
}

const (
	arffEnd    byte = 0
	arffWord   byte = 'w'
	arffQuoted byte = 'q'
)

// arffBlanks divide words.
const arffBlanks = " \t\r\v\f"

func (t arffToken) String() string {
	switch t.kind {
	case arffEnd:
		return "the end of the line"
	case ',':
		return "a comma"
	}
	return abridged(t.text)
}

func (s *arffScanner) next() (arffToken, error) {
	s.rest = strings.TrimLeft(s.rest, arffBlanks)
	if s.rest == "" || s.rest[0] == '%' {
		return arffToken{}, nil
	}
	switch c := s.rest[0]; c {
	case ',', '{', '}':
		t := arffToken{c, s.rest[:1]}
		s.rest = s.rest[1:]
		return t, nil
	case '"', '\'':
		text, rest, err := unquoteARFF(s.rest[1:], c)
		s.rest = rest
		return arffToken{arffQuoted, text}, err
	}
	end := strings.IndexAny(s.rest, arffBlanks+",{}%\"'")
	if end < 0 {
		end = len(s.rest)
	}
	t := arffToken{arffWord, s.rest[:end]}
	s.rest = s.rest[end:]
	if s.rest != "" && strings.IndexByte("%\"'", s.rest[0]) >= 0 {
		return arffToken{}, fmt.Errorf("%s has %q in it, expected such a value in quotes", abridged(t.text+s.rest), s.rest[:1])
	}
	return t, nil
}

// unquoteARFF reads up to the closing quote.
func unquoteARFF(s string, quote byte) (text, rest string, err error) {
	end := strings.IndexByte(s, quote)
	if back := strings.IndexByte(s, '\\'); end >= 0 && (back < 0 || back > end) {
		return s[:end], s[end+1:], nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			return b.String(), s[i+1:], nil
		case c == '\\' && i+1 < len(s):
			i++
			switch c = s[i]; c {
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			}
		}
		b.WriteByte(c)
	}
	return "", "", fmt.Errorf("%s begins with a quote that is not closed in its line, expected another %c, or quotes around a value that has one in it", abridged(string(quote)+s), quote)
}

// skip reads the next token if it is of the given kind. Between values it skips a comma; without one, blanks divide them.
func (s *arffScanner) skip(kind byte) bool {
	before := *s
	if t, err := s.next(); err == nil && t.kind == kind {
		return true
	}
	*s = before
	return false
}

// end expects nothing more in the line.
func (s *arffScanner) end(after string) error {
	t, err := s.next()
	if err == nil && t.kind != arffEnd {
		err = fmt.Errorf("%s after %s, expected the end of the line; check the separators and quotes in that line, and weights of rows are not read", t, after)
	}
	return err
}
