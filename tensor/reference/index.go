package reference

import "github.com/likely-ml/likely/tensor"

func gather(n *tensor.Node, in [][]float64) []float64 {
	x, index := n.In()[0].Dims(), n.In()[1].Dims()
	var out []float64
	forEach(n.Dims(), func(at []int) {
		row := int(in[1][offset(index, at[:2])])
		if row < 0 || row >= x[1] {
			out = append(out, 0)
			return
		}
		out = append(out, in[0][offset(x, []int{at[0], row, at[2]})])
	})
	return out
}

func scatterAdd(n *tensor.Node, in [][]float64) []float64 {
	y, index, add := n.In()[0].Dims(), n.In()[1].Dims(), adder(n.DType())
	out := make([]float64, n.Shape().Size())
	forEach(y, func(at []int) {
		row := int(in[1][offset(index, at[:2])])
		if row < 0 || row >= n.Dims()[1] {
			return
		}
		o := offset(n.Dims(), []int{at[0], row, at[2]})
		out[o] = add(out[o], in[0][offset(y, at)])
	})
	return out
}
