package model

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxHeader bounds the header of a file in bytes. A model of 1,000 tensors has one of about 100 KB.
const maxHeader = 16 << 20

// What can be wrong with a file. Errors returned wrap these.
var (
	// ErrNotModel: the file is not a model file.
	ErrNotModel = errors.New("not a model file")
	// ErrDamaged: the file is a model file, but parts are missing or disagree.
	ErrDamaged = errors.New("damaged model file")
)

// ReadTensors reads a .safetensors file of the given size in bytes. The tensors are sorted by name. It is strict: every
// byte belongs to one tensor, no two share one, and type, dims and length agree. It allocates no more than the size
// justifies, whatever the header says.
func ReadTensors(r io.ReaderAt, size int64) (tensors []Tensor, metadata map[string]string, err error) {
	header, err := readHeader(r, size)
	if err != nil {
		return nil, nil, err
	}
	entries, metadata, err := parseHeader(header)
	if err != nil {
		return nil, nil, err
	}
	start := int64(8 + len(header))
	if err := checkLayout(entries, size-start); err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		raw := make([]byte, e.Offsets[1]-e.Offsets[0])
		if _, err := r.ReadAt(raw, start+int64(e.Offsets[0])); err != nil && !(err == io.EOF && len(raw) == 0) {
			return nil, nil, fmt.Errorf("tensor %q: %w", e.name, err)
		}
		tensors = append(tensors, Tensor{e.name, e.Shape, decode(e.DType, raw)})
	}
	slices.SortFunc(tensors, func(a, b Tensor) int { return compareNames(a.Name, b.Name) })
	return tensors, metadata, nil
}

// readHeader returns the JSON text of the header.
func readHeader(r io.ReaderAt, size int64) ([]byte, error) {
	var length [8]byte
	if size < 8 {
		return nil, fmt.Errorf("%w: %d bytes, expected at least 8", ErrNotModel, size)
	}
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n < 2 || n > maxHeader {
		return nil, fmt.Errorf("%w: it does not start like a .safetensors file", ErrNotModel)
	}
	if int64(n) > size-8 {
		// A file that is cut within its header still begins with one; anything else never was a model.
		if size > 8 {
			var first [1]byte
			if _, err := r.ReadAt(first[:], 8); err != nil {
				return nil, err
			}
			if first[0] != '{' {
				return nil, fmt.Errorf("%w: it does not start like a .safetensors file", ErrNotModel)
			}
		}
		return nil, fmt.Errorf("%w: it is cut off at byte %d, within its header of %d bytes", ErrDamaged, size, n)
	}
	header := make([]byte, n)
	if _, err := r.ReadAt(header, 8); err != nil && err != io.EOF {
		return nil, err
	}
	if header[0] != '{' {
		return nil, fmt.Errorf("%w: it does not start like a .safetensors file", ErrNotModel)
	}
	return header, nil
}

// namedEntry is an entry with its key.
type namedEntry struct {
	name string
	headerEntry
}

// parseHeader reads the header's JSON key by key, because a decoder into a map would let a name come twice.
func parseHeader(header []byte) (entries []namedEntry, metadata map[string]string, err error) {
	fail := func(err error) ([]namedEntry, map[string]string, error) {
		return nil, nil, fmt.Errorf("%w: header: %w", ErrDamaged, err)
	}
	d := json.NewDecoder(bytes.NewReader(header))
	d.DisallowUnknownFields()
	if _, err := d.Token(); err != nil { // the opening brace
		return fail(err)
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fail(err)
		}
		name := key.(string) // an object's keys are strings, or Token has failed
		if seen[name] {
			return fail(fmt.Errorf("name %q occurs twice", name))
		}
		seen[name] = true
		if name == metadataName {
			if err := d.Decode(&metadata); err != nil {
				return fail(fmt.Errorf("%s: %w", metadataName, err))
			}
			continue
		}
		e := namedEntry{name: name}
		if err := d.Decode(&e.headerEntry); err != nil {
			return fail(fmt.Errorf("tensor %q: %w", name, err))
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return fail(err)
	}
	if rest := bytes.TrimRight(header[d.InputOffset():], " "); len(rest) > 0 {
		return fail(fmt.Errorf("%d bytes follow its end", len(rest)))
	}
	return entries, metadata, nil
}

// checkLayout sorts the entries by place and reports where they do not cover the bytes 0 to size exactly once.
func checkLayout(entries []namedEntry, size int64) error {
	slices.SortStableFunc(entries, func(a, b namedEntry) int {
		if a.Offsets[0] != b.Offsets[0] {
			return a.Offsets[0] - b.Offsets[0]
		}
		return a.Offsets[1] - b.Offsets[1] // an empty tensor stands before what starts at the same place
	})
	at := 0
	for _, e := range entries {
		width := e.DType.size()
		n, ok := product(e.Shape)
		lo, hi := e.Offsets[0], e.Offsets[1]
		switch {
		case width == 0:
			return fmt.Errorf("%w: tensor %q has numbers of type %q, expected F32, F64, I32, I64, U32 or U8", ErrDamaged, e.name, e.DType)
		case !ok || lo < 0 || hi < lo || int64(hi-lo) != int64(n)*int64(width):
			return fmt.Errorf("%w: tensor %q of %s, dims %v, lies in bytes %d to %d, which do not agree", ErrDamaged, e.name, e.DType, e.Shape, lo, hi)
		case lo != at:
			return fmt.Errorf("%w: tensor %q starts at byte %d, expected %d", ErrDamaged, e.name, lo, at)
		case int64(hi) > size:
			return fmt.Errorf("%w: tensor %q ends at byte %d of the data, which are %d: the file is cut off", ErrDamaged, e.name, hi, size)
		}
		at = hi
	}
	if int64(at) != size {
		return fmt.Errorf("%w: %d bytes follow the last tensor, expected none", ErrDamaged, size-int64(at))
	}
	return nil
}

// decode turns little-endian bytes, a whole number of them, into numbers.
func decode(kind dtype, raw []byte) any {
	n := len(raw) / kind.size()
	var values any
	switch kind {
	case f32:
		values = make([]float32, n)
	case f64:
		values = make([]float64, n)
	case i32:
		values = make([]int32, n)
	case i64:
		values = make([]int64, n)
	case u32:
		values = make([]uint32, n)
	case u8:
		return raw
	}
	if _, err := binary.Decode(raw, binary.LittleEndian, values); err != nil {
		panic("model: decode of checked bytes: " + err.Error())
	}
	return values
}
