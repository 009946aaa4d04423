package model

import (
	"fmt"
	"math"
	"slices"
)

// Tensor is a named array of numbers of a model file. Values is a []float32, []float64, []int32, []int64, []uint32 or
// []uint8, row-major, as long as the product of Dims; no Dims is a single number.
type Tensor struct {
	Name   string
	Dims   []int
	Values any
}

// dtype is a type of number, under its name in the safetensors format.
type dtype string

const (
	f32 dtype = "F32"
	f64 dtype = "F64"
	i32 dtype = "I32"
	i64 dtype = "I64"
	u32 dtype = "U32"
	u8  dtype = "U8"
)

// size is how many bytes one number takes, 0 for a type that is not read.
func (t dtype) size() int {
	switch t {
	case u8:
		return 1
	case f32, i32, u32:
		return 4
	case f64, i64:
		return 8
	}
	return 0
}

// describe returns the type and the number of the values of t, and an error where they do not agree with Dims.
func (t *Tensor) describe() (kind dtype, n int, err error) {
	switch v := t.Values.(type) {
	case []float32:
		kind, n = f32, len(v)
	case []float64:
		kind, n = f64, len(v)
	case []int32:
		kind, n = i32, len(v)
	case []int64:
		kind, n = i64, len(v)
	case []uint32:
		kind, n = u32, len(v)
	case []uint8:
		kind, n = u8, len(v)
	default:
		return "", 0, fmt.Errorf("tensor %q holds %T, expected a slice of float32, float64, int32, int64, uint32 or uint8", t.Name, t.Values)
	}
	if want, ok := product(t.Dims); !ok || want != n {
		return "", 0, fmt.Errorf("tensor %q of dims %v holds %d values", t.Name, t.Dims, n)
	}
	return kind, n, nil
}

// product multiplies dims. It is not ok where one is negative or the product is beyond what a file could hold.
func product(dims []int) (n int, ok bool) {
	n = 1
	for _, d := range dims {
		if d < 0 {
			return 0, false
		}
		if d > 0 && n > math.MaxInt/16/d { // 16: the bytes must not overflow either
			return 0, false
		}
		n *= d
	}
	return n, true
}

// Number is a type of number that a tensor can hold.
type Number interface {
	float32 | float64 | int32 | int64 | uint32 | uint8
}

// Values returns the numbers of the tensor with the given name, after checking that they are of type T and have the given
// dims, where -1 stands for any length. The caller must not change the slice.
func Values[T Number](f *File, name string, dims ...int) ([]T, error) {
	i, ok := slices.BinarySearchFunc(f.Tensors, name, func(t Tensor, name string) int { return compareNames(t.Name, name) })
	if !ok {
		return nil, fmt.Errorf("%w: tensor %q is missing", ErrDamaged, name)
	}
	t := f.Tensors[i]
	v, ok := t.Values.([]T)
	if !ok {
		return nil, fmt.Errorf("%w: tensor %q holds %T, expected %T", ErrDamaged, name, t.Values, v)
	}
	if !slices.EqualFunc(t.Dims, dims, func(have, want int) bool { return have == want || want == -1 }) {
		return nil, fmt.Errorf("%w: tensor %q has dims %v, expected %v", ErrDamaged, name, t.Dims, dims)
	}
	return v, nil
}
