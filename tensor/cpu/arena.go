package cpu

import (
	"slices"
	"unsafe"

	"github.com/likely-ml/likely/tensor"
)

// buffer is the memory of one array: that of a given array, or a place in the arena while it is needed.
type buffer struct {
	bytes int
	mem   unsafe.Pointer

	over        *buffer // it lies where this one did, from its first launch on
	first, last int     // launches that write and last read what lies there
	offset      int
	placed      bool // mem is given from outside
}

// place is the buffer whose memory b has.
func (b *buffer) place() *buffer {
	for b.over != nil {
		b = b.over
	}
	return b
}

const alignment = 64 // a cache line and a vector

// arrayBuffer is the memory of an array.
func arrayBuffer(a *tensor.Array) *buffer {
	b := &buffer{bytes: a.Shape.Size() * a.Shape.DType.Size(), placed: true}
	switch a.Shape.DType {
	case tensor.Float32:
		b.mem = unsafe.Pointer(unsafe.SliceData(a.F32))
	case tensor.Float64:
		b.mem = unsafe.Pointer(unsafe.SliceData(a.F64))
	case tensor.Int32:
		b.mem = unsafe.Pointer(unsafe.SliceData(a.I32))
	case tensor.Uint32:
		b.mem = unsafe.Pointer(unsafe.SliceData(a.U32))
	case tensor.Bool:
		b.mem = unsafe.Pointer(unsafe.SliceData(a.Bool))
	}
	return b
}

// array is the buffer's memory as an array.
func (b *buffer) array(s tensor.Shape) *tensor.Array {
	a := &tensor.Array{Shape: s}
	n := s.Size()
	switch s.DType {
	case tensor.Float32:
		a.F32 = unsafe.Slice((*float32)(b.mem), n)
	case tensor.Float64:
		a.F64 = unsafe.Slice((*float64)(b.mem), n)
	case tensor.Int32:
		a.I32 = unsafe.Slice((*int32)(b.mem), n)
	case tensor.Uint32:
		a.U32 = unsafe.Slice((*uint32)(b.mem), n)
	case tensor.Bool:
		a.Bool = unsafe.Slice((*bool)(b.mem), n)
	}
	return a
}

// slice is the buffer's memory as elements of type T.
func slice[T any](b *buffer) []T {
	var zero T
	return unsafe.Slice((*T)(b.mem), b.bytes/int(unsafe.Sizeof(zero)))
}

// alignedBytes is zeroed memory that begins at a multiple of alignment.
func alignedBytes(n int) unsafe.Pointer {
	raw := make([]byte, n+alignment)
	p := unsafe.Pointer(unsafe.SliceData(raw))
	return unsafe.Add(p, (alignment-int(uintptr(p)%alignment))%alignment)
}

// layOut gives each buffer that is not placed an offset, so that two whose lives overlap share no byte: largest first,
// each at the lowest gap among those already laid that it meets in time (greedy by size; Pisarchyk and Lee, Efficient
// memory management for deep neural net inference, 2020). It returns the arena's size.
func layOut(buffers []*buffer) int {
	var unplaced, laid []*buffer
	for _, b := range buffers {
		if !b.placed && b.over == nil {
			unplaced = append(unplaced, b)
		}
	}
	slices.SortStableFunc(unplaced, func(a, b *buffer) int { return b.bytes - a.bytes })
	total := 0
	for _, b := range unplaced {
		at := 0
		for _, o := range laid { // in order of offset
			if o.last < b.first || b.last < o.first {
				continue
			}
			if at+b.bytes <= o.offset {
				break
			}
			at = max(at, o.offset+o.bytes+alignment-1) &^ (alignment - 1)
		}
		b.offset = at
		total = max(total, at+b.bytes)
		i, _ := slices.BinarySearchFunc(laid, at, func(o *buffer, at int) int { return o.offset - at })
		laid = slices.Insert(laid, i, b)
	}
	return total
}
