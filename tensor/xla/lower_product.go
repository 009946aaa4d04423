package xla

import (
	"fmt"
	"strings"

	"github.com/likely-ml/likely/tensor"
)

// precise asks for products of float32 as they are. By default XLA may round the operands to TF32, which has 10 bits of fraction.
const precise = "precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]"

func matMul(w *writer, n *tensor.Node, in []value) value {
	spec, r := n.Attr().(tensor.MatMulSpec), n.Shape().Rank()
	left, right := r-1, r-2
	if spec.TransA {
		left = r - 2
	}
	if spec.TransB {
		right = r - 1
	}
	batch := make([]int, r-2)
	for i := range batch {
		batch[i] = i
	}
	numbers := fmt.Sprintf("lhs_contracting_dimensions = [%d], rhs_contracting_dimensions = [%d]", left, right)
	if r > 2 {
		numbers = fmt.Sprintf("lhs_batching_dimensions = [%s], rhs_batching_dimensions = [%s], %s", list(batch), list(batch), numbers)
	}
	return w.op("stablehlo.dot_general", n.Shape(), []string{"dot_dimension_numbers = #stablehlo.dot<" + numbers + ">", precise}, in...)
}

// convolution is StableHLO's, whose axes are named in layout: b and f are batch and features, i and o the kernel's inputs and
// outputs, 0 and 1 the spatial axes.
type convolution struct {
	layout             string
	stride             [2]int
	low, high          [2]int
	dilation, kernel   [2]int // of the left operand and of the kernel
	groups, batchGroup int
}

func (w *writer) convolve(out tensor.Shape, c convolution, x, kernel value) value {
	return w.op("stablehlo.convolution", out, []string{
		integers("window_strides", c.stride[:]...), edges(c.low[:], c.high[:]),
		integers("lhs_dilation", c.dilation[:]...), integers("rhs_dilation", c.kernel[:]...),
		"dimension_numbers = #stablehlo.conv<" + c.layout + ">",
		integer("feature_group_count", c.groups), integer("batch_group_count", c.batchGroup), precise,
	}, x, kernel)
}

// The three convolutions are those of [tensor.ConvGeometry], with strides s, dilations d, paddings p and h.

// convY is the forward convolution.
func convY(w *writer, n *tensor.Node, in []value) value {
	g := n.Attr().(tensor.ConvGeometry)
	c := convolution{layout: "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]", groups: g.Groups, batchGroup: 1}
	for i, a := range g.Axes {
		c.stride[i], c.low[i], c.high[i], c.dilation[i], c.kernel[i] = a.Stride, a.Pad, a.HighPad(), 1, a.Dilation
	}
	return w.convolve(n.Shape(), c, in[0], in[1])
}

// convX is the convolution of y, dilated by s, with the reversed kernel, whose inputs and outputs change places within each group;
// paddings are d(K−1)−p and I−1−s(O−1)+p.
func convX(w *writer, n *tensor.Node, in []value) value {
	g := n.Attr().(tensor.ConvGeometry)
	kernel := w.reverse(in[0], 0, 1)
	c := convolution{layout: "[b, 0, 1, f]x[0, 1, o, i]->[b, 0, 1, f]", groups: g.Groups, batchGroup: 1}
	if k := kernel.dims(); g.Groups > 1 {
		kernel = w.reshape(kernel, k[0], k[1], g.CI, g.Groups, g.CO)
		kernel = w.reshape(w.transpose(kernel, 0, 1, 4, 3, 2), k[0], k[1], g.CO, g.Groups*g.CI)
		c.layout = strings.Replace(c.layout, "o, i", "i, o", 1)
	}
	for i, a := range g.Axes {
		c.stride[i], c.dilation[i], c.kernel[i] = 1, a.Stride, a.Dilation
		c.low[i], c.high[i] = a.Dilation*(a.Kernel-1)-a.Pad, a.In-1-a.Stride*(a.Out-1)+a.Pad
	}
	return w.convolve(n.Shape(), c, in[1], kernel)
}

// convW is the convolution of x, whose channels are the batch and whose pictures are the features, with y, dilated by s, as the
// kernel; strides are d.
func convW(w *writer, n *tensor.Node, in []value) value {
	g := n.Attr().(tensor.ConvGeometry)
	c := convolution{layout: "[f, 0, 1, b]x[i, 0, 1, o]->[0, 1, b, f]", groups: 1, batchGroup: g.Groups}
	for i, a := range g.Axes {
		c.stride[i], c.low[i], c.high[i], c.dilation[i], c.kernel[i] = a.Dilation, a.Pad, a.HighPad(), 1, a.Stride
	}
	return w.convolve(n.Shape(), c, in[0], in[1])
}

// spatial widens a pair of spatial numbers to the four axes of pictures.
func spatial(edge int, of func(a tensor.PoolAxis) int, w tensor.PoolWindow) []int {
	return []int{edge, of(w.Axes[0]), of(w.Axes[1]), edge}
}

func highPad(a tensor.PoolAxis) int { return a.Stride*(a.Out-1) + a.Kernel - a.In - a.Pad }

func kernelOf(a tensor.PoolAxis) int { return a.Kernel }

func strideOf(a tensor.PoolAxis) int { return a.Stride }

func zero(tensor.PoolAxis) int { return 0 }

func one(tensor.PoolAxis) int { return 1 }

// sumPool pads, or crops what no window sees, then adds.
func sumPool(w *writer, n *tensor.Node, x value) value {
	p := n.Attr().(tensor.PoolWindow)
	none := spatial(0, zero, p)
	x = w.pad(x, 0, spatial(0, func(a tensor.PoolAxis) int { return a.Pad }, p), spatial(0, highPad, p), none)
	return w.windowSum(x, n.Shape(), spatial(1, kernelOf, p), spatial(1, strideOf, p), none, none)
}

// sumUnpool adds over windows of y with s−1 zeros between its elements: input i gets the outputs o with
// s·o−p ≤ i < s·o−p+k, which are k neighbours there.
func sumUnpool(w *writer, n *tensor.Node, y value) value {
	p := n.Attr().(tensor.PoolWindow)
	none := spatial(0, zero, p)
	y = w.pad(y, 0,
		spatial(0, func(a tensor.PoolAxis) int { return a.Kernel - 1 - a.Pad }, p),
		spatial(0, func(a tensor.PoolAxis) int { return a.In - 1 - a.Stride*(a.Out-1) + a.Pad }, p),
		spatial(0, func(a tensor.PoolAxis) int { return a.Stride - 1 }, p))
	return w.windowSum(y, n.Shape(), spatial(1, kernelOf, p), spatial(1, one, p), none, none)
}

// maxPoolIndex goes through the positions of the window in row-major order, each a strided slice of the padded picture, and keeps
// the best so far; in the padding the index is −1, which never wins. XLA makes one kernel of it.
func maxPoolIndex(w *writer, n *tensor.Node, x value) value {
	p := n.Attr().(tensor.PoolWindow)
	height, width, channels := x.dims()[1], x.dims()[2], x.dims()[3]
	index := w.reshape(w.iota(tensor.ShapeOf(tensor.Int32, height*width*channels), 0), 1, height, width, channels)
	low, high, none := spatial(0, func(a tensor.PoolAxis) int { return a.Pad }, p), spatial(0, highPad, p), spatial(0, zero, p)
	x, index = w.pad(x, 0, low, high, none), w.pad(index, -1, low, high, none)
	at := func(v value, k0, k1 int) value {
		limit := spatial(0, func(a tensor.PoolAxis) int { return a.Stride*(a.Out-1) + 1 }, p)
		limit[0], limit[1], limit[2], limit[3] = v.dims()[0], limit[1]+k0, limit[2]+k1, channels
		v = w.slice(v, []int{0, k0, k1, 0}, limit, spatial(1, strideOf, p))
		if v.dims()[0] < n.Dims()[0] {
			v = w.broadcast(v, n.Dims()...)
		}
		return v
	}
	best, bestIndex := at(x, 0, 0), at(index, 0, 0)
	zeros := w.like(bestIndex, 0)
	for k := 1; k < p.Axes[0].Kernel*p.Axes[1].Kernel; k++ {
		k0, k1 := k/p.Axes[1].Kernel, k%p.Axes[1].Kernel
		candidate, candidateIndex := at(x, k0, k1), at(index, k0, k1)
		better, _ := w.beats(candidate, best)
		better = w.map2("and", w.compare("GE", candidateIndex, zeros), w.map2("or", better, w.compare("LT", bestIndex, zeros)))
		best, bestIndex = w.choose(better, candidate, best), w.choose(better, candidateIndex, bestIndex)
	}
	return bestIndex
}

// rows pairs each index (b, q) with its batch b: the address of a row.
func (w *writer) rows(index value) value {
	b, q := index.dims()[0], index.dims()[1]
	return w.concat(2, w.iota(index.shaped(b, q, 1), 0), w.reshape(index, b, q, 1))
}

// gather fetches rows, then clears those whose index is outside: StableHLO would move it to the nearest row.
func gather(w *writer, n *tensor.Node, in []value) value {
	x, index := in[0], in[1]
	fetched := w.op("stablehlo.gather", n.Shape(), []string{
		"dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0, 1], start_index_map = [0, 1], index_vector_dim = 2>",
		integers("slice_sizes", 1, 1, x.dims()[2]), "indices_are_sorted = false",
	}, x, w.rows(index))
	inside := w.map2("and", w.compare("GE", index, w.like(index, 0)), w.compare("LT", index, w.like(index, float64(x.dims()[1]))))
	inside = w.broadcast(w.reshape(inside, index.dims()[0], index.dims()[1], 1), n.Dims()...)
	return w.choose(inside, fetched, w.like(fetched, 0))
}

// scatterAdd adds rows to zeros. An index outside drops its row in StableHLO too.
func scatterAdd(w *writer, n *tensor.Node, in []value) value {
	return w.region("stablehlo.scatter", []tensor.Shape{n.Shape()}, []string{
		"scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [2], inserted_window_dims = [0, 1], scatter_dims_to_operand_dims = [0, 1], index_vector_dim = 2>",
		"indices_are_sorted = false", "unique_indices = false",
	}, w.combine("stablehlo.add", n.DType()), w.full(n.Shape(), 0), w.rows(in[1]), in[0])[0]
}
