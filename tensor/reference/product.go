package reference

import "github.com/likely-ml/likely/tensor"

func matMul(n *tensor.Node, in [][]float64) []float64 {
	spec := n.Attr().(tensor.MatMulSpec)
	a, b := n.In()[0].Dims(), n.In()[1].Dims()
	r := len(a)
	inner := a[r-1]
	if spec.TransA {
		inner = a[r-2]
	}
	element := func(x []float64, dims []int, batch, i, j int, transposed bool) float64 {
		if transposed {
			i, j = j, i
		}
		return x[(batch*dims[r-2]+i)*dims[r-1]+j]
	}
	var out []float64
	forEach(n.Dims(), func(index []int) {
		batch, i, j := offset(a[:r-2], index[:r-2]), index[r-2], index[r-1]
		total := 0.0
		for k := range inner {
			total += element(in[0], a, batch, i, k, spec.TransA) * element(in[1], b, batch, k, j, spec.TransB)
		}
		out = append(out, total)
	})
	return out
}

// The three convolutions are the partial derivatives of one sum of products x·w·y, so each runs over its terms and adds
// the product of the other two factors to the third.

func convY(n *tensor.Node, in [][]float64) []float64 {
	x, w, y := in[0], in[1], make([]float64, n.Shape().Size())
	trilinear(n.Attr().(tensor.ConvGeometry), func(xi, wi, yi int) { y[yi] += x[xi] * w[wi] })
	return y
}

func convX(n *tensor.Node, in [][]float64) []float64 {
	w, y, x := in[0], in[1], make([]float64, n.Shape().Size())
	trilinear(n.Attr().(tensor.ConvGeometry), func(xi, wi, yi int) { x[xi] += w[wi] * y[yi] })
	return x
}

func convW(n *tensor.Node, in [][]float64) []float64 {
	x, y, w := in[0], in[1], make([]float64, n.Shape().Size())
	trilinear(n.Attr().(tensor.ConvGeometry), func(xi, wi, yi int) { w[wi] += x[xi] * y[yi] })
	return w
}

// trilinear calls f with the positions in x, w and y of every term of T(x,w,y), the form at [tensor.ConvGeometry].
func trilinear(g tensor.ConvGeometry, f func(xi, wi, yi int)) {
	h, v := g.Axes[0], g.Axes[1]
	forEach([]int{g.N, h.Out, v.Out, h.Kernel, v.Kernel, g.Groups, g.CI, g.CO}, func(index []int) {
		n, o0, o1, k0, k1, group, a, b := index[0], index[1], index[2], index[3], index[4], index[5], index[6], index[7]
		i0, i1 := h.Stride*o0+h.Dilation*k0-h.Pad, v.Stride*o1+v.Dilation*k1-v.Pad
		if i0 < 0 || i0 >= h.In || i1 < 0 || i1 >= v.In {
			return
		}
		f(offset(g.XDims(), []int{n, i0, i1, group*g.CI + a}),
			offset(g.WDims(), []int{k0, k1, a, group*g.CO + b}),
			offset(g.YDims(), []int{n, o0, o1, group*g.CO + b}))
	})
}
