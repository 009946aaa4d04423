package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The encodings of values in a page of a Parquet file (https://parquet.apache.org/docs/file-format/data-pages/encodings/).
// Each is a reader that goes through the bytes of the page as it is asked for values, so that a page takes no more memory than
// its bytes.

// parquetType is a physical type.
type parquetType int64

const (
	parquetBool parquetType = iota
	parquetInt32
	parquetInt64
	parquetInt96
	parquetFloat
	parquetDouble
	parquetBytes
	parquetFixed // bytes of a number that the column has
)

// parquetValue is a value before it is known what it means: the bits of a bool, an integer or a floating-point number, or
// bytes.
type parquetValue struct {
	word  uint64
	bytes string
}

// parquetValues gives the values of a page that are not missing, one after another. It is asked for no more than there are.
type parquetValues interface {
	next() (parquetValue, error)
}

var errPageEnd = errors.New("a page that ends before its last value")

// plainValues are written one after another: bools as bits, numbers in little-endian order, bytes after their number.
type plainValues struct {
	kind  parquetType
	width int // in bytes, of fixed bytes
	rest  []byte
	bit   int // of the first byte, for bools
}

func (p *plainValues) take(n int) ([]byte, error) {
	if n > len(p.rest) {
		return nil, errPageEnd
	}
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b, nil
}

func (p *plainValues) next() (v parquetValue, err error) {
	switch p.kind {
	case parquetBool:
		if len(p.rest) == 0 {
			return v, errPageEnd
		}
		v.word = uint64(p.rest[0]>>p.bit) & 1
		if p.bit++; p.bit == 8 {
			p.bit, p.rest = 0, p.rest[1:]
		}
		return v, nil
	case parquetBytes:
		b, err := p.take(4)
		if err != nil {
			return v, err
		}
		n := binary.LittleEndian.Uint32(b)
		if uint64(n) > uint64(len(p.rest)) {
			return v, errPageEnd
		}
		b, err = p.take(int(n))
		return parquetValue{bytes: string(b)}, err
	}
	b, err := p.take(p.kind.size(p.width))
	if err != nil {
		return v, err
	}
	return p.kind.fixed(b), nil
}

// size is how many bytes a value takes, where all take as many.
func (k parquetType) size(width int) int {
	switch k {
	case parquetInt32, parquetFloat:
		return 4
	case parquetInt64, parquetDouble:
		return 8
	case parquetInt96:
		return 12
	}
	return width
}

// fixed is the value of that many bytes.
func (k parquetType) fixed(b []byte) parquetValue {
	switch k {
	case parquetInt32, parquetFloat:
		return parquetValue{word: uint64(binary.LittleEndian.Uint32(b))}
	case parquetInt64, parquetDouble:
		return parquetValue{word: binary.LittleEndian.Uint64(b)}
	}
	return parquetValue{bytes: string(b)}
}

// splitValues are byte streams: the first byte of every value, then the second of every value, and so on.
type splitValues struct {
	kind    parquetType
	streams []byte
	n, at   int // values
	value   []byte
}

func newSplitValues(kind parquetType, width int, data []byte) (*splitValues, error) {
	size := kind.size(width)
	if kind == parquetBool || kind == parquetBytes || size == 0 || len(data)%size != 0 {
		return nil, errors.New("byte streams that are not of whole numbers")
	}
	return &splitValues{kind: kind, streams: data, n: len(data) / size, value: make([]byte, size)}, nil
}

func (s *splitValues) next() (parquetValue, error) {
	if s.at >= s.n {
		return parquetValue{}, errPageEnd
	}
	for i := range s.value {
		s.value[i] = s.streams[i*s.n+s.at]
	}
	s.at++
	return s.kind.fixed(s.value), nil
}

// runs are integers of a given number of bits: repeated, or packed in eights. Levels and places in a dictionary are written so.
type runs struct {
	width  int // bits, up to 32
	rest   []byte
	left   uint64 // values of the current run
	packed []byte // those, unless the run is of one value
	at     int
	value  uint32
}

func newRuns(width int, data []byte) (*runs, error) {
	if width > 32 {
		return nil, fmt.Errorf("runs of %d bits, expected at most 32", width)
	}
	return &runs{width: width, rest: data}, nil
}

func (r *runs) next() (uint32, error) {
	for r.left == 0 {
		head, rest, err := varint(r.rest)
		if err != nil {
			return 0, errPageEnd
		}
		bytes := uint64(r.width+7) / 8
		r.packed, r.at, r.left = nil, 0, head>>1
		if head&1 == 1 {
			// The last run may be cut off after the last value that is used.
			if r.left > math.MaxUint64/64 {
				return 0, errPageEnd
			}
			bytes = min(r.left*uint64(r.width), uint64(len(rest)))
			r.left *= 8
			r.packed = rest[:bytes]
		} else {
			if bytes > uint64(len(rest)) {
				return 0, errPageEnd
			}
			r.value = 0
			for i, b := range rest[:bytes] {
				r.value |= uint32(b) << (8 * i)
			}
		}
		r.rest = rest[bytes:]
	}
	r.left--
	if r.packed == nil {
		return r.value, nil
	}
	v, err := unpack(r.packed, r.at, r.width)
	r.at++
	return uint32(v), err
}

// unpack is number i of the integers of that many bits, which are packed with the lowest bit first.
func unpack(packed []byte, i, width int) (uint64, error) {
	from := i * width
	if (from+width+7)/8 > len(packed) {
		return 0, errPageEnd
	}
	var v uint64
	at, shift := from/8, from%8
	for got := -shift; got < width; got += 8 {
		if b := uint64(packed[at]); got < 0 {
			v = b >> -got
		} else {
			v |= b << got
		}
		at++
	}
	if width < 64 {
		v &= 1<<width - 1
	}
	return v, nil
}

// boolRuns are bools as runs of one bit, after their number of bytes.
type boolRuns struct{ runs *runs }

func (b boolRuns) next() (parquetValue, error) {
	v, err := b.runs.next()
	return parquetValue{word: uint64(v)}, err
}

// afterLength divides data into as many bytes as its first four say, and the rest.
func afterLength(data []byte) (part, rest []byte, err error) {
	if len(data) < 4 {
		return nil, nil, errPageEnd
	}
	n := binary.LittleEndian.Uint32(data)
	if data = data[4:]; uint64(n) > uint64(len(data)) {
		return nil, nil, errPageEnd
	}
	return data[:n], data[n:], nil
}

// deltas are integers as differences: blocks have their smallest difference, and parts of a block the others less that, packed.
type deltas struct {
	rest    []byte // after the current part
	perPart int    // values
	parts   int    // of a block
	left    uint64 // values

	value  int64
	least  int64
	widths []byte // of the parts to come
	packed []byte // the current part
	at     int    // in the part
	first  bool
}

func newDeltas(data []byte) (*deltas, error) {
	var head [4]uint64 // values of a block, parts of a block, values, the first value
	var err error
	for i := range head {
		if head[i], data, err = varint(data); err != nil {
			return nil, errPageEnd
		}
	}
	block, parts := head[0], head[1]
	if parts == 0 || block > 1<<24 || block%parts != 0 || block/parts == 0 || block/parts%8 != 0 {
		return nil, fmt.Errorf("blocks of %d differences in %d parts, expected parts of a multiple of 8", block, parts)
	}
	return &deltas{rest: data, perPart: int(block / parts), parts: int(parts), left: head[2], value: zigzag(head[3]), first: true, at: int(block / parts)}, nil
}

func (d *deltas) next() (int64, error) {
	if d.left == 0 {
		return 0, errPageEnd
	}
	d.left--
	if d.first {
		d.first = false
		return d.value, nil
	}
	if d.at == d.perPart {
		if err := d.nextPart(); err != nil {
			return 0, err
		}
	}
	// A part may be cut off after the last value.
	v, err := unpack(d.packed, d.at, d.width())
	d.at++
	d.value += d.least + int64(v)
	return d.value, err
}

// width of the current part, whose bytes say nothing of the values that are cut off.
func (d *deltas) width() int { return int(d.widths[0]) }

func (d *deltas) nextPart() error {
	if len(d.widths) > 1 {
		d.widths = d.widths[1:]
	} else {
		least, rest, err := varint(d.rest)
		if err != nil || d.parts > len(rest) {
			return errPageEnd
		}
		d.least, d.widths, d.rest = zigzag(least), rest[:d.parts], rest[d.parts:]
	}
	width := d.width()
	if width > 64 {
		return fmt.Errorf("differences of %d bits, expected at most 64", width)
	}
	n := min(d.perPart/8*width, len(d.rest))
	d.packed, d.rest, d.at = d.rest[:n], d.rest[n:], 0
	return nil
}

// deltasThen are deltas and what follows them, where only going through them all finds their end.
func deltasThen(data []byte) (d *deltas, rest []byte, err error) {
	ahead, err := newDeltas(data)
	if err != nil {
		return nil, nil, err
	}
	values := *ahead
	for ahead.left > 0 {
		if _, err := ahead.next(); err != nil {
			return nil, nil, err
		}
	}
	return &values, ahead.rest, nil
}

// deltaValues are integers.
type deltaValues struct{ deltas *deltas }

func (d deltaValues) next() (parquetValue, error) {
	v, err := d.deltas.next()
	return parquetValue{word: uint64(v)}, err
}

// lengthValues are bytes: all their lengths, as deltas, and then all bytes.
type lengthValues struct {
	lengths *deltas
	rest    []byte
}

func newLengthValues(data []byte) (*lengthValues, error) {
	lengths, rest, err := deltasThen(data)
	return &lengthValues{lengths, rest}, err
}

func (l *lengthValues) next() (parquetValue, error) {
	n, err := l.lengths.next()
	if err != nil {
		return parquetValue{}, err
	}
	if n < 0 || n > int64(len(l.rest)) {
		return parquetValue{}, errPageEnd
	}
	b := l.rest[:n]
	l.rest = l.rest[n:]
	return parquetValue{bytes: string(b)}, nil
}

// prefixValues are bytes that begin like the ones before: the lengths of what is the same, as deltas, then the rests.
type prefixValues struct {
	same  *deltas
	rests *lengthValues
	last  string
}

func newPrefixValues(data []byte) (*prefixValues, error) {
	same, rest, err := deltasThen(data)
	if err != nil {
		return nil, err
	}
	rests, err := newLengthValues(rest)
	return &prefixValues{same: same, rests: rests}, err
}

func (p *prefixValues) next() (parquetValue, error) {
	n, err := p.same.next()
	if err != nil {
		return parquetValue{}, err
	}
	v, err := p.rests.next()
	if err != nil {
		return parquetValue{}, err
	}
	if n < 0 || n > int64(len(p.last)) {
		return parquetValue{}, fmt.Errorf("a value that begins like %d bytes of one with %d", n, len(p.last))
	}
	if n+int64(len(v.bytes)) > parquetMostText {
		return parquetValue{}, fmt.Errorf("a value of more than %d bytes", parquetMostText)
	}
	p.last = p.last[:n] + v.bytes
	return parquetValue{bytes: p.last}, nil
}

// parquetMostText bounds a value that is put together from the ones before, which a few bytes each could make as long as a page.
const parquetMostText = 1 << 20

// dictionary has the values of which a page has the places.
type dictionary struct {
	words []uint64
	texts []string // of a column of bytes
}

// newDictionary reads n values that are written plainly.
func newDictionary(kind parquetType, width, n int, page []byte) (*dictionary, error) {
	values := &plainValues{kind: kind, width: width, rest: page}
	d := &dictionary{}
	for range n {
		v, err := values.next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case parquetBytes, parquetFixed, parquetInt96:
			d.texts = append(d.texts, v.bytes)
		default:
			d.words = append(d.words, v.word)
		}
	}
	return d, nil
}

// dictionaryValues are places in a dictionary.
type dictionaryValues struct {
	*dictionary
	places *runs
}

func newDictionaryValues(d *dictionary, data []byte) (*dictionaryValues, error) {
	if d == nil {
		return nil, errors.New("places in a dictionary that is missing")
	}
	if len(data) == 0 { // all values are missing
		return &dictionaryValues{d, &runs{}}, nil
	}
	places, err := newRuns(int(data[0]), data[1:])
	return &dictionaryValues{d, places}, err
}

func (d *dictionaryValues) next() (parquetValue, error) {
	i, err := d.places.next()
	switch {
	case err != nil:
		return parquetValue{}, err
	case uint64(i) < uint64(len(d.words)):
		return parquetValue{word: d.words[i]}, nil
	case uint64(i) < uint64(len(d.texts)):
		return parquetValue{bytes: d.texts[i]}, nil
	}
	return parquetValue{}, fmt.Errorf("place %d of a dictionary of %d values", i, len(d.words)+len(d.texts))
}
