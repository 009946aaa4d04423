package nn

import "github.com/likely-ml/likely/tensor"

// Dense is x·W + b: (n, in) to (n, out).
type Dense struct {
	Weight *Param // [in, out]
	Bias   *Param // [out]; nil for none
}

// NewDense makes a dense layer.
func NewDense(in, out int, init Init) Dense {
	return Dense{
		Weight: &Param{Dims: []int{in, out}, Init: init, FanIn: in, FanOut: out},
		Bias:   &Param{Dims: []int{out}, Init: Zeros},
	}
}

// NoBias is the layer without its bias, which a normalisation that follows would cancel.
func (l Dense) NoBias() Dense { l.Bias = nil; return l }

// Apply computes the layer; axes after the first are flattened.
func (l Dense) Apply(x *tensor.Node) *tensor.Node { return l.ApplyWeight(x, l.Weight.Node(x.Graph())) }

// ApplyWeight computes the layer with w in place of its weight, such as that of a [SpectralNorm].
func (l Dense) ApplyWeight(x, w *tensor.Node) *tensor.Node {
	return addBias(tensor.MatMul(Flatten(x), w), l.Bias)
}

// Flatten joins all axes after the first.
func Flatten(x *tensor.Node) *tensor.Node {
	if x.Shape().Rank() == 2 {
		return x
	}
	n := x.Dims()[0]
	return tensor.Reshape(x, n, x.Shape().Size()/max(n, 1))
}

// Conv is a convolution with a square kernel: [N, H, W, in] to [N, H', W', out],
// H' = (H + 2·pad − dilation·(kernel−1) − 1)/stride + 1.
type Conv struct {
	Weight           *Param // [kernel, kernel, in/groups, out]
	Bias             *Param // [out]; nil for none
	stride, pad      int
	dilation, groups int
}

// NewConv makes a convolution.
func NewConv(in, out, kernel, stride, pad int, init Init) Conv {
	area := kernel * kernel
	return Conv{
		Weight: &Param{Dims: []int{kernel, kernel, in, out}, Init: init, FanIn: area * in, FanOut: area * out},
		Bias:   &Param{Dims: []int{out}, Init: Zeros},
		stride: stride, pad: pad, dilation: 1, groups: 1,
	}
}

// Dilated is the layer with that many inputs from one kernel position to the next.
func (l Conv) Dilated(dilation int) Conv { l.dilation = dilation; return l }

// Grouped is the layer with its channels divided into that many groups, each output seeing its own group's inputs alone.
// Both numbers of channels must be multiples of groups.
func (l Conv) Grouped(groups int) Conv {
	w := *l.Weight
	w.Dims = []int{w.Dims[0], w.Dims[1], w.Dims[2] / groups, w.Dims[3]}
	w.FanIn, w.FanOut = w.FanIn/groups, w.FanOut/groups
	l.Weight, l.groups = &w, groups
	return l
}

// NoBias is the layer without its bias.
func (l Conv) NoBias() Conv { l.Bias = nil; return l }

// Apply computes the layer.
func (l Conv) Apply(x *tensor.Node) *tensor.Node { return l.ApplyWeight(x, l.Weight.Node(x.Graph())) }

// ApplyWeight computes the layer with w in place of its weight, such as that of a [SpectralNorm].
func (l Conv) ApplyWeight(x, w *tensor.Node) *tensor.Node { return addBias(l.convolve(x, w), l.Bias) }

// ApplyMaxPool is MaxPool(l.Apply(x), size). As an addition and its rounding keep the order of numbers, the bias is added after
// the pool, to the elements that are left. Where rounding makes equal numbers of two in a window, the gradient goes to the
// greater one.
func (l Conv) ApplyMaxPool(x *tensor.Node, size int) *tensor.Node {
	return addBias(MaxPool(l.convolve(x, l.Weight.Node(x.Graph())), size), l.Bias)
}

func (l Conv) convolve(x, weight *tensor.Node) *tensor.Node {
	w := l.Weight.Dims
	geometry := tensor.ConvGeometry{N: x.Dims()[0], Groups: l.groups, CI: w[2], CO: w[3] / l.groups}
	for i := range geometry.Axes {
		in := x.Dims()[1+i]
		out := -1 // which tensor reports: the picture is smaller than the kernel
		if room := in + 2*l.pad - l.dilation*(w[i]-1) - 1; room >= 0 {
			out = room/l.stride + 1
		}
		geometry.Axes[i] = tensor.ConvAxis{In: in, Kernel: w[i], Out: out, Stride: l.stride, Dilation: l.dilation, Pad: l.pad}
	}
	return tensor.ConvY(geometry, x, weight)
}

// ConvTransposed is the transpose of a convolution: [N, H, W, in] to [N, H', W', out], H' = (H − 1)·stride + kernel − 2·pad.
type ConvTransposed struct {
	Weight      *Param // [kernel, kernel, out, in]: the kernel of the convolution that it transposes
	Bias        *Param // [out]; nil for none
	stride, pad int
}

// NewConvTransposed makes a transposed convolution.
func NewConvTransposed(in, out, kernel, stride, pad int, init Init) ConvTransposed {
	area := kernel * kernel
	return ConvTransposed{
		// Each output sums over one in stride² of the kernel's taps.
		Weight: &Param{Dims: []int{kernel, kernel, out, in}, Init: init, FanIn: max(area/(stride*stride), 1) * in, FanOut: area * out},
		Bias:   &Param{Dims: []int{out}, Init: Zeros},
		stride: stride, pad: pad,
	}
}

// NoBias is the layer without its bias.
func (l ConvTransposed) NoBias() ConvTransposed { l.Bias = nil; return l }

// Apply computes the layer.
func (l ConvTransposed) Apply(y *tensor.Node) *tensor.Node {
	w := l.Weight.Dims
	geometry := tensor.ConvGeometry{N: y.Dims()[0], Groups: 1, CI: w[2], CO: w[3]}
	for i := range geometry.Axes {
		out := y.Dims()[1+i]
		in := (out-1)*l.stride + w[i] - 2*l.pad
		geometry.Axes[i] = tensor.ConvAxis{In: in, Kernel: w[i], Out: out, Stride: l.stride, Dilation: 1, Pad: l.pad}
	}
	return addBias(tensor.ConvX(geometry, l.Weight.Node(y.Graph()), y), l.Bias)
}

func addBias(y *tensor.Node, bias *Param) *tensor.Node {
	if bias == nil {
		return y
	}
	return tensor.Add(y, bias.Node(y.Graph()))
}

// MaxPool is the greatest of each size×size window, windows side by side.
func MaxPool(x *tensor.Node, size int) *tensor.Node {
	return tensor.MaxPool(tensor.Pooling(x, size, size, 0), x)
}

// AveragePool is the mean of each size×size window, windows side by side.
func AveragePool(x *tensor.Node, size int) *tensor.Node {
	return tensor.MulScalar(tensor.SumPool(tensor.Pooling(x, size, size, 0), x), 1/float64(size*size))
}

// GlobalAverage is the mean over the picture: [N, H, W, C] to [N, C].
func GlobalAverage(x *tensor.Node) *tensor.Node { return tensor.Mean(x, 1, 2) }

// UpSample repeats each pixel factor times along both axes.
func UpSample(x *tensor.Node, factor int) *tensor.Node {
	d := x.Dims()
	x = tensor.BroadcastTo(tensor.Reshape(x, d[0], d[1], 1, d[2], 1, d[3]), d[0], d[1], factor, d[2], factor, d[3])
	return tensor.Reshape(x, d[0], d[1]*factor, d[2]*factor, d[3])
}

// Embedding is a table of vectors, one for each class: Int32 [n] to [n, width].
type Embedding struct {
	Table *Param // [classes, width]
}

// NewEmbedding makes an embedding.
func NewEmbedding(classes, width int, init Init) Embedding {
	return Embedding{&Param{Dims: []int{classes, width}, Init: init, FanIn: 1, FanOut: width}}
}

// Apply looks the vectors up.
func (l Embedding) Apply(y *tensor.Node) *tensor.Node {
	return tensor.Take(l.Table.Node(y.Graph()), y)
}
