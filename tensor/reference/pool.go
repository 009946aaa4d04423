package reference

import "github.com/likely-ml/likely/tensor"

// window calls f with each input position (i0, i1) that output (o0, o1) sees, in row-major order.
func window(w tensor.PoolWindow, o0, o1 int, f func(i0, i1 int)) {
	h, v := w.Axes[0], w.Axes[1]
	for k0 := range h.Kernel {
		for k1 := range v.Kernel {
			i0, i1 := h.Stride*o0-h.Pad+k0, v.Stride*o1-v.Pad+k1
			if i0 >= 0 && i0 < h.In && i1 >= 0 && i1 < v.In {
				f(i0, i1)
			}
		}
	}
}

func maxPoolIndex(n *tensor.Node, in [][]float64) []float64 {
	x := n.In()[0].Dims()
	var out []float64
	forEach(n.Dims(), func(o []int) {
		image := in[0][o[0]*x[1]*x[2]*x[3]:]
		best := -1
		window(n.Attr().(tensor.PoolWindow), o[1], o[2], func(i0, i1 int) {
			at := offset(x[1:], []int{i0, i1, o[3]})
			if best < 0 || beats(image[at], image[best]) {
				best = at
			}
		})
		out = append(out, float64(best))
	})
	return out
}

func sumPool(n *tensor.Node, in [][]float64) []float64 {
	x := n.In()[0].Dims()
	var out []float64
	forEach(n.Dims(), func(o []int) {
		total := 0.0
		window(n.Attr().(tensor.PoolWindow), o[1], o[2], func(i0, i1 int) {
			total += in[0][offset(x, []int{o[0], i0, i1, o[3]})]
		})
		out = append(out, total)
	})
	return out
}

func sumUnpool(n *tensor.Node, in [][]float64) []float64 {
	y := n.In()[0].Dims()
	out := make([]float64, n.Shape().Size())
	forEach(y, func(o []int) {
		window(n.Attr().(tensor.PoolWindow), o[1], o[2], func(i0, i1 int) {
			out[offset(n.Dims(), []int{o[0], i0, i1, o[3]})] += in[0][offset(y, o)]
		})
	})
	return out
}
