package reference

import (
	"slices"

	"github.com/likely-ml/likely/tensor"
)

// iotaRule gives each element its index along the axis.
func iotaRule(n *tensor.Node, _ [][]float64) []float64 {
	var out []float64
	forEach(n.Dims(), func(index []int) { out = append(out, float64(index[n.Attr().(int)])) })
	return out
}

// from makes the result of which element `index` is the element source(index) of the first operand.
func from(n *tensor.Node, in [][]float64, source func(index []int) []int) []float64 {
	dims := n.In()[0].Dims()
	var out []float64
	forEach(n.Dims(), func(index []int) { out = append(out, in[0][offset(dims, source(index))]) })
	return out
}

func broadcast(n *tensor.Node, in [][]float64) []float64 {
	dims := n.In()[0].Dims()
	return from(n, in, func(index []int) []int {
		at := slices.Clone(index)
		for i, e := range dims {
			if e == 1 {
				at[i] = 0
			}
		}
		return at
	})
}

func transpose(n *tensor.Node, in [][]float64) []float64 {
	return from(n, in, func(index []int) []int {
		at := make([]int, len(index))
		for i, p := range n.Attr().([]int) {
			at[p] = index[i]
		}
		return at
	})
}

func slice(n *tensor.Node, in [][]float64) []float64 {
	s := n.Attr().(tensor.SliceSpec)
	return from(n, in, func(index []int) []int {
		at := make([]int, len(index))
		for i := range at {
			at[i] = s.Start[i] + index[i]*s.Stride[i]
		}
		return at
	})
}

func reverse(n *tensor.Node, in [][]float64) []float64 {
	return from(n, in, func(index []int) []int {
		at := slices.Clone(index)
		for _, a := range n.Attr().([]int) {
			at[a] = n.Dims()[a] - 1 - index[a]
		}
		return at
	})
}

func dynamicSlice(n *tensor.Node, in [][]float64) []float64 {
	start := clampedStart(n.In()[0].Dims(), n.Dims(), in[1])
	return from(n, in, func(index []int) []int { return sum(start, index) })
}

func dynamicUpdate(n *tensor.Node, in [][]float64) []float64 {
	window := n.In()[1].Dims()
	start := clampedStart(n.Dims(), window, in[2])
	out := slices.Clone(in[0])
	forEach(window, func(index []int) { out[offset(n.Dims(), sum(start, index))] = in[1][offset(window, index)] })
	return out
}

// clampedStart moves start so that the window lies inside dims.
func clampedStart(dims, window []int, start []float64) []int {
	out := make([]int, len(dims))
	for i := range out {
		out[i] = min(max(int(start[i]), 0), dims[i]-window[i])
	}
	return out
}

func sum(a, b []int) []int {
	out := make([]int, len(a))
	for i := range out {
		out[i] = a[i] + b[i]
	}
	return out
}

func pad(n *tensor.Node, in [][]float64) []float64 {
	s, dims := n.Attr().(tensor.PadSpec), n.In()[0].Dims()
	out := slices.Repeat([]float64{s.Value}, n.Shape().Size())
	forEach(dims, func(index []int) {
		at := make([]int, len(index))
		for i := range at {
			at[i] = s.Low[i] + index[i]*(s.Interior[i]+1)
			if at[i] < 0 || at[i] >= n.Dims()[i] {
				return // cut off by a negative width
			}
		}
		out[offset(n.Dims(), at)] = in[0][offset(dims, index)]
	})
	return out
}

func concat(n *tensor.Node, in [][]float64) []float64 {
	axis := n.Attr().(int)
	out := make([]float64, n.Shape().Size())
	start := 0
	for i, x := range n.In() {
		forEach(x.Dims(), func(index []int) {
			at := slices.Clone(index)
			at[axis] += start
			out[offset(n.Dims(), at)] = in[i][offset(x.Dims(), index)]
		})
		start += x.Dims()[axis]
	}
	return out
}
