// Package tensor is a small language of programs over arrays with static shapes.
//
// A Go function builds a graph of nodes; [Gradient] adds the reverse-mode derivative as more nodes of the same language,
// so derivatives of derivatives need nothing new; a [Backend] turns the finished [Program] into an [Executable] that
// runs many times. Package tensor itself computes nothing: tensor/reference is the plain interpreter that tests trust,
// tensor/cpu the fast one, tensor/xla the way to GPUs.
//
//	prog, err := tensor.Build(func(g *tensor.Graph) {
//		x := g.Input("x", tensor.Float32, 128, 784)
//		w := g.Variable("w", tensor.Float32, 784, 10)
//		logits := tensor.MatMul(x, w)
//		loss := tensor.Mean(tensor.Square(logits))
//		g.Output("loss", loss)
//		g.Update(w, tensor.Sub(w, tensor.MulScalar(tensor.Gradient(loss, w)[0], 0.1)))
//	})
package tensor

import (
	"fmt"
	"slices"
	"strings"
)

// DType is the type of an array's elements.
type DType uint8

// The element types. Bool is one byte, 0 or 1.
const (
	Float32 DType = iota
	Float64
	Int32
	Uint32
	Bool
)

func (d DType) String() string {
	switch d {
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	case Int32:
		return "int32"
	case Uint32:
		return "uint32"
	case Bool:
		return "bool"
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// IsFloat reports whether d is a floating-point type, the only kind that has gradients.
func (d DType) IsFloat() bool { return d == Float32 || d == Float64 }

// Size is the number of bytes of one element.
func (d DType) Size() int {
	switch d {
	case Float64:
		return 8
	case Bool:
		return 1
	}
	return 4
}

// Shape is an element type and the extent of each axis, outermost first. No axes means a scalar.
type Shape struct {
	DType DType
	Dims  []int
}

// ShapeOf makes a shape.
func ShapeOf(d DType, dims ...int) Shape { return Shape{d, dims} }

// Rank is the number of axes.
func (s Shape) Rank() int { return len(s.Dims) }

// Size is the number of elements: the product of the extents.
func (s Shape) Size() int {
	n := 1
	for _, d := range s.Dims {
		n *= d
	}
	return n
}

// Equal reports whether both the element type and all extents agree.
func (s Shape) Equal(t Shape) bool { return s.DType == t.DType && slices.Equal(s.Dims, t.Dims) }

// String writes a shape as float32[128 784].
func (s Shape) String() string {
	return s.DType.String() + strings.ReplaceAll(fmt.Sprint(s.Dims), "<nil>", "[]")
}

// Array is a shape with its elements in row-major order, in the one slice that belongs to Shape.DType.
type Array struct {
	Shape Shape
	F32   []float32
	F64   []float64
	I32   []int32
	U32   []uint32
	Bool  []bool
}

// NewArray makes an array of zeros.
func NewArray(s Shape) *Array {
	a := &Array{Shape: s}
	n := s.Size()
	switch s.DType {
	case Float32:
		a.F32 = make([]float32, n)
	case Float64:
		a.F64 = make([]float64, n)
	case Int32:
		a.I32 = make([]int32, n)
	case Uint32:
		a.U32 = make([]uint32, n)
	case Bool:
		a.Bool = make([]bool, n)
	}
	return a
}

// CopyFrom copies the elements of b, whose shape must be equal.
func (a *Array) CopyFrom(b *Array) {
	if !a.Shape.Equal(b.Shape) {
		panic(fmt.Sprintf("tensor: copy of %v into %v", b.Shape, a.Shape))
	}
	copy(a.F32, b.F32)
	copy(a.F64, b.F64)
	copy(a.I32, b.I32)
	copy(a.U32, b.U32)
	copy(a.Bool, b.Bool)
}

// Clone is a copy that shares nothing.
func (a *Array) Clone() *Array {
	b := NewArray(Shape{a.Shape.DType, slices.Clone(a.Shape.Dims)})
	b.CopyFrom(a)
	return b
}
