package data

import (
	"context"
	"fmt"
)

// NewPixels is a set of pictures in memory. The pixels stay 8-bit at rest, (n, p) row-major, and become float32 as they are
// read. labels is nil or has one class index per picture, as the schema says. The slices are kept, not copied.
func NewPixels(schema *Schema, pixels []uint8, labels []int32) (Set, error) {
	n, err := checkMemory(schema, len(pixels), labels)
	if err != nil {
		return nil, err
	}
	if schema.MaxValue < 255 {
		p := schema.Size()
		for i, v := range pixels {
			if float32(v) > schema.MaxValue {
				return nil, fmt.Errorf("example %d has pixel value %d at element %d, expected 0 to %v", i/p, v, i%p, schema.MaxValue)
			}
		}
	}
	return &pixelSet{memory{schema, n, labels}, pixels8(pixels)}, nil
}

// NewTable is a set of table rows in memory: values is (n, columns) row-major, with NaN where a value is missing and level
// codes in categorical columns. labels is nil or has one class index per row. The slices are kept, not copied.
func NewTable(schema *Schema, values []float32, labels []int32) (Set, error) {
	n, err := checkMemory(schema, len(values), labels)
	if err != nil {
		return nil, err
	}
	return &tableSet{memory{schema, n, labels}, values}, nil
}

// checkMemory counts the examples in a slice of size values and checks the labels against the schema.
func checkMemory(schema *Schema, size int, labels []int32) (n int, err error) {
	if err := schema.Validate(); err != nil {
		return 0, err
	}
	p := schema.Size()
	if size%p != 0 {
		return 0, fmt.Errorf("%d values, expected a multiple of %d (%v)", size, p, schema.Shape)
	}
	n = size / p
	if schema.Labelled() != (labels != nil) {
		return 0, fmt.Errorf("schema has %d classes and there are %d labels, expected both or neither", len(schema.Classes), len(labels))
	}
	if labels != nil && len(labels) != n {
		return 0, fmt.Errorf("%d labels for %d examples, expected one each", len(labels), n)
	}
	for i, y := range labels {
		if y < 0 || int(y) >= len(schema.Classes) {
			return 0, fmt.Errorf("example %d has class %d, expected 0 to %d", i, y, len(schema.Classes)-1)
		}
	}
	return n, nil
}

// memory is what a set in memory of either kind has.
type memory struct {
	schema *Schema
	n      int
	labels []int32
}

func (m *memory) Len() int        { return m.n }
func (m *memory) Schema() *Schema { return m.schema }

func (m *memory) Labels(context.Context) ([]int32, error) {
	if m.labels == nil {
		return nil, ErrNoLabels
	}
	return m.labels, nil
}

// readLabels fills in dst.Y, where it is wanted.
func (m *memory) readLabels(dst Batch, index []int) {
	if dst.Y != nil {
		for k, i := range index {
			dst.Y[k] = m.labels[i]
		}
	}
}

type pixels8 []uint8

// float writes the picture at index i of a set with p elements each into row.
func (x pixels8) float(row []float32, i int) {
	p := len(row)
	for j, v := range x[i*p : (i+1)*p] {
		row[j] = float32(v)
	}
}

type pixelSet struct {
	memory
	x pixels8
}

func (s *pixelSet) Read(ctx context.Context, dst Batch, index []int) error {
	if err := checkRead(s, dst, index); err != nil {
		return err
	}
	for k, i := range index {
		s.x.float(dst.Row(k), i)
	}
	s.readLabels(dst, index)
	return ctx.Err()
}

type tableSet struct {
	memory
	x []float32
}

func (s *tableSet) Read(ctx context.Context, dst Batch, index []int) error {
	if err := checkRead(s, dst, index); err != nil {
		return err
	}
	p := s.schema.Size()
	for k, i := range index {
		copy(dst.Row(k), s.x[i*p:(i+1)*p])
	}
	s.readLabels(dst, index)
	return ctx.Err()
}
