package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/likely-ml/likely/data"
)

// Arrays of numpy are written as numpy.save does, in version 1.0 of the format, which package data reads.

// writeArray writes x: the rows of a table as float32 (n, d), where a missing value is NaN, and pictures, whose raw pixels are
// whole numbers from 0 to at most 255, as uint8 (n, height, width, channels).
func writeArray(w io.Writer, schema *data.Schema, b data.Batch) error {
	descr, element := "<f4", func(row []byte, v float32) []byte { return binary.LittleEndian.AppendUint32(row, math.Float32bits(v)) }
	if schema.IsImage() {
		descr, element = "|u1", func(row []byte, v float32) []byte { return append(row, uint8(v)) }
	}
	if err := writeArrayHeader(w, descr, slices.Insert(schema.Dims(), 0, b.Len())...); err != nil {
		return err
	}
	var row []byte
	for i := range b.Len() {
		row = row[:0]
		for j, v := range b.Row(i) {
			if schema.IsImage() && v != float32(uint8(v)) {
				return fmt.Errorf("picture %d, element %d: %v, expected a whole number from 0 to 255; choose a name that ends in .csv", i, j, v)
			}
			row = element(row, v)
		}
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// writeClassArray writes the names of the classes y as an array of n texts, each of as many UTF-32 letters as the longest has,
// zeros after its own.
func writeClassArray(w io.Writer, classes []string, y []int32) error {
	longest := 1
	for _, k := range y {
		longest = max(longest, utf8.RuneCountInString(classes[k]))
	}
	if err := writeArrayHeader(w, fmt.Sprintf("<U%d", longest), len(y)); err != nil {
		return err
	}
	text := make([]byte, 4*longest)
	for _, k := range y {
		clear(text)
		for i, letter := range []rune(classes[k]) {
			binary.LittleEndian.PutUint32(text[4*i:], uint32(letter))
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// writeArrayHeader writes all that is before the elements. They begin at a multiple of 64 bytes.
func writeArrayHeader(w io.Writer, descr string, dims ...int) error {
	lengths := make([]string, len(dims))
	for i, n := range dims {
		lengths[i] = strconv.Itoa(n)
	}
	shape := strings.Join(lengths, ", ")
	if len(dims) == 1 {
		shape += "," // else it were no tuple
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	const before = 10 // magic, version, length
	header += strings.Repeat(" ", 63-(before+len(header))%64) + "\n"
	_, err := w.Write(append(binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header))), header...))
	return err
}

// classArray is the name of the array of classes beside the array of x.
func classArray(out string) string { return strings.TrimSuffix(out, ".npy") + ".labels.npy" }
