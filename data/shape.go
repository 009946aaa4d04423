package data

import "fmt"

// Shape is the shape of one example. A picture is Height x Width x Channels, stored row by row with the channels of a
// pixel side by side (HWC): the element at row r, column c and channel k is x[(r*Width+c)*Channels+k]. A table row is
// 1 x 1 x columns.
type Shape struct {
	Height   int `json:"height"`
	Width    int `json:"width"`
	Channels int `json:"channels"`
}

// RowShape is the shape of a table row with the given number of columns.
func RowShape(columns int) Shape { return Shape{Height: 1, Width: 1, Channels: columns} }

// Size is p, the number of elements of one example.
func (s Shape) Size() int { return s.Height * s.Width * s.Channels }

// IsImage reports whether the shape is a picture's, with more than one pixel, rather than a table row's.
func (s Shape) IsImage() bool { return s.Height > 1 || s.Width > 1 }

// Dims lists the lengths of the axes: height, width, channels for a picture, the number of columns for a row.
func (s Shape) Dims() []int {
	if s.IsImage() {
		return []int{s.Height, s.Width, s.Channels}
	}
	return []int{s.Channels}
}

// String gives "28x28x1" for a picture and "13 columns" for a row.
func (s Shape) String() string {
	switch {
	case s.IsImage():
		return fmt.Sprintf("%dx%dx%d", s.Height, s.Width, s.Channels)
	case s.Channels == 1:
		return "1 column"
	default:
		return fmt.Sprintf("%d columns", s.Channels)
	}
}

// Batch is n examples side by side. X is row-major (n, p) with p = Shape.Size(): element j of example i is X[i*p+j].
// Y holds the class of each example, an index into Schema.Classes, or is nil where there are no labels.
type Batch struct {
	Shape Shape
	X     []float32
	Y     []int32
}

// NewBatch returns a batch of n zero examples, with labels (all class 0) if labelled is set.
func NewBatch(shape Shape, n int, labelled bool) Batch {
	b := Batch{Shape: shape, X: make([]float32, n*shape.Size())}
	if labelled {
		b.Y = make([]int32, n)
	}
	return b
}

// Len is n, the number of examples.
func (b Batch) Len() int {
	p := b.Shape.Size()
	if p == 0 {
		return 0
	}
	return len(b.X) / p
}

// Row is example i, as a slice into X.
func (b Batch) Row(i int) []float32 {
	p := b.Shape.Size()
	return b.X[i*p : (i+1)*p : (i+1)*p]
}

// Slice is the examples from lo up to, not including, hi, sharing memory with b.
func (b Batch) Slice(lo, hi int) Batch {
	p := b.Shape.Size()
	out := Batch{Shape: b.Shape, X: b.X[lo*p : hi*p : hi*p]}
	if b.Y != nil {
		out.Y = b.Y[lo:hi:hi]
	}
	return out
}

// check reports whether b is n examples of the given shape.
func (b Batch) check(shape Shape, n int) error {
	switch {
	case b.Shape != shape:
		return fmt.Errorf("batch has shape %v, expected %v", b.Shape, shape)
	case len(b.X) != n*shape.Size():
		return fmt.Errorf("batch holds %d values, expected %d (%d examples of %v)", len(b.X), n*shape.Size(), n, shape)
	case b.Y != nil && len(b.Y) != n:
		return fmt.Errorf("batch holds %d labels, expected %d", len(b.Y), n)
	}
	return nil
}
