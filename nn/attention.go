package nn

import (
	"fmt"
	"math"

	"github.com/likely-ml/likely/tensor"
)

// Attention lets each place of a sequence look at all others: [N, T, C] to [N, T, C]. With queries Q = x·Wq + bq, keys
// K = x·Wk + bk and values V = x·Wv + bv, each divided into heads of width D = C/heads along the channels,
//
//	head = softmax(Q·Kᵀ/√D)·V,    y = (head 1 … head h side by side)·Wo + bo
//
// (Vaswani et al., Attention is all you need, 2017, eq. 1 and section 3.2.2). No place is masked.
type Attention struct {
	Query, Key, Value, Out Dense
	heads                  int
}

// NewAttention makes a self-attention; channels must be a multiple of heads.
func NewAttention(channels, heads int, init Init) Attention {
	if heads < 1 || channels%heads != 0 {
		panic(fmt.Sprintf("nn: attention of %d channels in %d heads", channels, heads))
	}
	dense := func() Dense { return NewDense(channels, channels, init) }
	return Attention{dense(), dense(), dense(), dense(), heads}
}

// Apply computes the layer.
func (l Attention) Apply(x *tensor.Node) *tensor.Node {
	d := x.Dims()
	n, places, channels := d[0], d[1], d[2]
	rows := tensor.Reshape(x, n*places, channels)
	q, k, v := l.split(l.Query.Apply(rows), n, places), l.split(l.Key.Apply(rows), n, places), l.split(l.Value.Apply(rows), n, places)
	// √D divides the queries, of which there are fewer numbers than of scores where T > D.
	q = tensor.MulScalar(q, 1/math.Sqrt(float64(channels/l.heads)))
	weights := tensor.Exp(tensor.LogSoftmax(tensor.MatMulT(q, k, false, true)))
	y := l.join(tensor.MatMul(weights, v), n*places)
	return tensor.Reshape(l.Out.Apply(y), d...)
}

// split is [N·T, C] as [N, heads, T, D]. One head needs no transpose, only other extents.
func (l Attention) split(x *tensor.Node, n, places int) *tensor.Node {
	width := x.Dims()[1] / l.heads
	if l.heads == 1 {
		return tensor.Reshape(x, n, 1, places, width)
	}
	return tensor.Transpose(tensor.Reshape(x, n, places, l.heads, width), 0, 2, 1, 3)
}

// join undoes split.
func (l Attention) join(x *tensor.Node, rows int) *tensor.Node {
	if l.heads > 1 {
		x = tensor.Transpose(x, 0, 2, 1, 3)
	}
	return tensor.Reshape(x, rows, -1)
}
