package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// thriftStruct is what Parquet writes of itself, decoded from Thrift's compact protocol: the fields by number, each a bool, an
// int64, a float64, a string, a []any or a thriftStruct. What a field means, parquet.thrift of github.com/apache/parquet-format says.
type thriftStruct map[int16]any

// Wire types of the compact protocol.
const (
	thriftTrue = iota + 1
	thriftFalse
	thriftI8
	thriftI16
	thriftI32
	thriftI64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftSub
	thriftUUID
)

const thriftMostDepth = 32 // of structures in each other; Parquet's have at most 6

// errThriftEnd says that a structure goes on where the bytes end.
var errThriftEnd = errors.New("a header that ends early")

// decodeThrift reads a structure from the beginning of b and says how many bytes it took. It makes nothing larger than a fixed
// multiple of b.
func decodeThrift(b []byte) (thriftStruct, int, error) {
	d := thriftDecoder{rest: b}
	s, err := d.structure(0)
	return s, len(b) - len(d.rest), err
}

type thriftDecoder struct{ rest []byte }

func (d *thriftDecoder) structure(depth int) (thriftStruct, error) {
	if depth > thriftMostDepth {
		return nil, errors.New("a header of too many structures in each other")
	}
	s := thriftStruct{}
	for id := int16(0); ; {
		head, err := d.byte()
		if err != nil || head == 0 {
			return s, err
		}
		if step := head >> 4; step != 0 {
			id += int16(step)
		} else {
			v, err := d.integer()
			if err != nil {
				return nil, err
			}
			id = int16(v)
		}
		switch kind := head & 15; kind {
		case thriftTrue, thriftFalse:
			s[id] = kind == thriftTrue
		default:
			if s[id], err = d.value(kind, depth); err != nil {
				return nil, err
			}
		}
	}
}

// value reads what is not a field that is a bool, whose value is in its type.
func (d *thriftDecoder) value(kind byte, depth int) (any, error) {
	switch kind {
	case thriftTrue, thriftFalse:
		v, err := d.byte()
		return v == thriftTrue, err
	case thriftI8:
		v, err := d.byte()
		return int64(int8(v)), err
	case thriftI16, thriftI32, thriftI64:
		return d.integer()
	case thriftDouble:
		b, err := d.take(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case thriftBinary:
		n, err := d.varint()
		if err != nil {
			return nil, err
		}
		b, err := d.take(n)
		return string(b), err
	case thriftList, thriftSet:
		return d.list(depth)
	case thriftMap:
		return nil, d.skipMap(depth)
	case thriftSub:
		return d.structure(depth + 1)
	case thriftUUID:
		_, err := d.take(16)
		return nil, err
	}
	return nil, fmt.Errorf("a header with the unknown type %d", kind)
}

func (d *thriftDecoder) list(depth int) ([]any, error) {
	head, err := d.byte()
	if err != nil {
		return nil, err
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, err = d.varint(); err != nil {
			return nil, err
		}
	}
	if n > uint64(len(d.rest)) { // an element takes at least a byte
		return nil, errThriftEnd
	}
	if depth++; depth > thriftMostDepth {
		return nil, errors.New("a header of too many lists in each other")
	}
	list := make([]any, n)
	for i := range list {
		if list[i], err = d.value(head&15, depth); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// skipMap reads a map, of which Parquet has none.
func (d *thriftDecoder) skipMap(depth int) error {
	n, err := d.varint()
	if err != nil || n == 0 {
		return err
	}
	kinds, err := d.byte()
	if err != nil {
		return err
	}
	if depth++; depth > thriftMostDepth {
		return errors.New("a header of too many maps in each other")
	}
	for ; n > 0; n-- {
		for _, kind := range []byte{kinds >> 4, kinds & 15} {
			if _, err := d.value(kind, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *thriftDecoder) byte() (byte, error) {
	b, err := d.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (d *thriftDecoder) take(n uint64) ([]byte, error) {
	if n > uint64(len(d.rest)) {
		return nil, errThriftEnd
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b, nil
}

func (d *thriftDecoder) varint() (uint64, error) {
	v, rest, err := varint(d.rest)
	d.rest = rest
	return v, err
}

// integer is of any width, in zigzag.
func (d *thriftDecoder) integer() (int64, error) {
	v, err := d.varint()
	return zigzag(v), err
}

// varint reads an unsigned integer of seven bits a byte from the beginning of b, and gives what follows.
func varint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	switch {
	case n == 0:
		return 0, nil, errThriftEnd
	case n < 0:
		return 0, nil, errors.New("an integer of more than 64 bits")
	}
	return v, b[n:], nil
}

// zigzag decodes 0, 1, 2, 3, 4 … to 0, -1, 1, -2, 2 ….
func zigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// integer is the field of that number, or otherwise where there is none.
func (s thriftStruct) integer(id int16, otherwise int64) int64 {
	if v, ok := s[id].(int64); ok {
		return v
	}
	return otherwise
}

func (s thriftStruct) text(id int16) string      { v, _ := s[id].(string); return v }
func (s thriftStruct) list(id int16) []any       { v, _ := s[id].([]any); return v }
func (s thriftStruct) sub(id int16) thriftStruct { v, _ := s[id].(thriftStruct); return v }
func (s thriftStruct) bool(id int16, otherwise bool) bool {
	if v, ok := s[id].(bool); ok {
		return v
	}
	return otherwise
}
