package reference

import "github.com/likely-ml/likely/tensor"

// load reads the elements of an array.
func load(a *tensor.Array) []float64 {
	out := make([]float64, a.Shape.Size())
	for i := range out {
		switch a.Shape.DType {
		case tensor.Float32:
			out[i] = float64(a.F32[i])
		case tensor.Float64:
			out[i] = a.F64[i]
		case tensor.Int32:
			out[i] = float64(a.I32[i])
		case tensor.Uint32:
			out[i] = float64(a.U32[i])
		case tensor.Bool:
			out[i] = truth(a.Bool[i])
		}
	}
	return out
}

// store writes the elements of an array, rounding to Float32 where that is its type.
func store(a *tensor.Array, values []float64) {
	for i, v := range values {
		switch a.Shape.DType {
		case tensor.Float32:
			a.F32[i] = float32(v)
		case tensor.Float64:
			a.F64[i] = v
		case tensor.Int32:
			a.I32[i] = int32(v)
		case tensor.Uint32:
			a.U32[i] = uint32(v)
		case tensor.Bool:
			a.Bool[i] = v != 0
		}
	}
}

// forEach calls f with each index into an array of these extents, in row-major order. f must not keep the slice.
func forEach(dims []int, f func(index []int)) {
	index := make([]int, len(dims))
	var walk func(axis int)
	walk = func(axis int) {
		if axis == len(dims) {
			f(index)
			return
		}
		for i := range dims[axis] {
			index[axis] = i
			walk(axis + 1)
		}
	}
	walk(0)
}

// offset is the row-major position of an index.
func offset(dims, index []int) int {
	at := 0
	for i, e := range dims {
		at = at*e + index[i]
	}
	return at
}
