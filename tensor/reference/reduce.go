package reference

import (
	"math"
	"slices"

	"github.com/likely-ml/likely/tensor"
)

// fold combines, for each element of the result, the elements of the operand that differ from it only along the axes.
func fold(n *tensor.Node, in [][]float64, initial float64, combine func(a, b float64) float64) []float64 {
	x, axes := n.In()[0], n.Attr().([]int)
	out := slices.Repeat([]float64{initial}, n.Shape().Size())
	forEach(x.Dims(), func(index []int) {
		var kept []int
		for i, v := range index {
			if !slices.Contains(axes, i) {
				kept = append(kept, v)
			}
		}
		o := offset(n.Dims(), kept)
		out[o] = combine(out[o], in[0][offset(x.Dims(), index)])
	})
	return out
}

func reduceSum(n *tensor.Node, in [][]float64) []float64 { return fold(n, in, 0, adder(n.DType())) }

// adder is addition in an element type.
func adder(d tensor.DType) func(a, b float64) float64 {
	if d.IsFloat() {
		return addFloats
	}
	return func(a, b float64) float64 { return wrap(d, addIntegers(int64(a), int64(b))) }
}

// reduceMax relies on max giving NaN if either operand is NaN.
func reduceMax(n *tensor.Node, in [][]float64) []float64 {
	return fold(n, in, math.Inf(-1), func(a, b float64) float64 { return max(a, b) })
}

func argMax(n *tensor.Node, in [][]float64) []float64 {
	x, axis := n.In()[0], n.Attr().(int)
	var out []float64
	forEach(n.Dims(), func(index []int) {
		best := 0
		for i := range x.Dims()[axis] {
			at := func(i int) float64 { return in[0][offset(x.Dims(), slices.Insert(slices.Clone(index), axis, i))] }
			if beats(at(i), at(best)) {
				best = i
			}
		}
		out = append(out, float64(best))
	})
	return out
}

// beats reports whether a later candidate takes the place of the best so far: the first of equals stays, and NaN counts
// as greatest.
func beats(candidate, best float64) bool {
	return candidate > best || math.IsNaN(candidate) && !math.IsNaN(best)
}

func cumSum(n *tensor.Node, in [][]float64) []float64 {
	s, add := n.Attr().(tensor.CumSumSpec), adder(n.DType())
	out := make([]float64, len(in[0]))
	lines := slices.Clone(n.Dims())
	lines[s.Axis] = min(lines[s.Axis], 1)
	forEach(lines, func(first []int) {
		at, total := slices.Clone(first), 0.0
		for i := range n.Dims()[s.Axis] {
			at[s.Axis] = i
			if s.Reverse {
				at[s.Axis] = n.Dims()[s.Axis] - 1 - i
			}
			o := offset(n.Dims(), at)
			total = add(total, in[0][o])
			out[o] = total
		}
	})
	return out
}
