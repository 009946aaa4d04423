package nn

import "github.com/likely-ml/likely/tensor"

// BatchNorm normalises each channel (the last axis) over all others: (x − mean)/√(variance + ε)·scale + shift (Ioffe and
// Szegedy, 2015, algorithm 1). In training the statistics are the mini-batch's, with the variance divided by n, and
// running ones follow by a momentum of 0.1, their variance divided by n−1; afterwards the running ones serve.
type BatchNorm struct {
	Scale, Shift   *Param
	Mean, Variance *Param // running statistics
}

const (
	normEpsilon       = 1e-5
	batchNormMomentum = 0.1
)

// NewBatchNorm makes a batch normalisation of that many channels.
func NewBatchNorm(channels int) BatchNorm {
	param := func(init Init, fixed bool) *Param {
		return &Param{Dims: []int{channels}, Init: init, Fixed: fixed}
	}
	return BatchNorm{param(Ones, false), param(Zeros, false), param(Zeros, true), param(Ones, true)}
}

// Apply normalises x. In training, running collects the new running statistics.
func (l BatchNorm) Apply(x *tensor.Node, mode *Mode) *tensor.Node {
	g := x.Graph()
	mean, variance := mode.value(l.Mean, g), mode.value(l.Variance, g)
	if mode.Training {
		axes := make([]int, x.Shape().Rank()-1)
		for i := range axes {
			axes[i] = i
		}
		n := float64(x.Shape().Size() / x.Dims()[len(axes)])
		batchMean := tensor.Mean(x, axes...)
		batchVariance := tensor.Mean(tensor.Square(tensor.Sub(x, batchMean)), axes...)
		unbiased := tensor.MulScalar(batchVariance, n/max(n-1, 1))
		mode.follow(l.Mean, towards(mean, batchMean))
		mode.follow(l.Variance, towards(variance, unbiased))
		mean, variance = batchMean, batchVariance
	}
	factor := tensor.Mul(tensor.Rsqrt(tensor.AddScalar(variance, normEpsilon)), l.Scale.Node(g))
	return tensor.Add(tensor.Mul(tensor.Sub(x, mean), factor), l.Shift.Node(g))
}

// towards is a running statistic after a batch.
func towards(old, batch *tensor.Node) *tensor.Node {
	return tensor.Add(tensor.MulScalar(old, 1-batchNormMomentum), tensor.MulScalar(batch, batchNormMomentum))
}

// Mode is whether a graph is built for training, and what training changes on the way beside the gradient: the running
// statistics of layers, each possibly several times when a layer is applied more than once.
type Mode struct {
	Training bool
	Noise    *Noise // for dropout; needed in training

	order   []*Param
	latest  map[*Param]*tensor.Node
	unheard bool // running statistics stay as they are
}

// WithoutRecord is the mode for a network that is used but not trained: it computes as in training, and its running
// statistics stay as they are.
func (m *Mode) WithoutRecord() *Mode {
	return &Mode{Training: m.Training, Noise: m.Noise, unheard: true}
}

// value is the running statistic as it stands after the layers applied so far.
func (m *Mode) value(p *Param, g *tensor.Graph) *tensor.Node {
	if v := m.latest[p]; v != nil {
		return v
	}
	return p.Node(g)
}

// follow records the next value of a running statistic.
func (m *Mode) follow(p *Param, next *tensor.Node) {
	if m.unheard {
		return
	}
	if m.latest == nil {
		m.latest = map[*Param]*tensor.Node{}
	}
	if m.latest[p] == nil {
		m.order = append(m.order, p)
	}
	m.latest[p] = tensor.StopGradient(next)
}

// Finish makes the graph update what training has changed. Call it once, when the loss is built.
func (m *Mode) Finish() {
	for _, p := range m.order {
		next := m.latest[p]
		next.Graph().Update(p.variable(next.Graph()), next)
	}
}

// GroupNorm normalises each picture by itself, [N, H, W, C]: the channels are divided into groups, side by side, and each
// group has its own mean and variance over its channels and all pixels (Wu and He, 2018, eq. 2 and 7).
type GroupNorm struct {
	Scale, Shift *Param
	groups       int
}

// NewGroupNorm makes a group normalisation; channels must be a multiple of groups.
func NewGroupNorm(groups, channels int) GroupNorm {
	return GroupNorm{&Param{Dims: []int{channels}, Init: Ones}, &Param{Dims: []int{channels}, Init: Zeros}, groups}
}

// Apply normalises x.
func (l GroupNorm) Apply(x *tensor.Node) *tensor.Node {
	g, d := x.Graph(), x.Dims()
	pixels, width := d[1]*d[2], d[3]/l.groups
	// average is the mean over each group, for each of its channels: over the pixels first, which leaves little to do.
	average := func(y *tensor.Node) *tensor.Node {
		sums := tensor.Reshape(tensor.Sum(y, 1), d[0], l.groups, width)
		means := tensor.MulScalar(tensor.SumKeep(sums, 2), 1/float64(pixels*width))
		return tensor.Reshape(tensor.BroadcastTo(means, d[0], l.groups, width), d[0], 1, d[3])
	}
	x = tensor.Reshape(x, d[0], pixels, d[3])
	centred := tensor.Sub(x, average(x))
	factor := tensor.Mul(tensor.Rsqrt(tensor.AddScalar(average(tensor.Square(centred)), normEpsilon)), l.Scale.Node(g))
	return tensor.Reshape(tensor.Add(tensor.Mul(centred, factor), l.Shift.Node(g)), d...)
}

// LayerNorm normalises each example over its last axis (Ba et al., 2016).
type LayerNorm struct{ Scale, Shift *Param }

// NewLayerNorm makes a layer normalisation of that width.
func NewLayerNorm(width int) LayerNorm {
	return LayerNorm{&Param{Dims: []int{width}, Init: Ones}, &Param{Dims: []int{width}, Init: Zeros}}
}

// Apply normalises x.
func (l LayerNorm) Apply(x *tensor.Node) *tensor.Node {
	g := x.Graph()
	axis := x.Shape().Rank() - 1
	width := float64(x.Dims()[axis])
	centred := tensor.Sub(x, tensor.MulScalar(tensor.SumKeep(x, axis), 1/width))
	variance := tensor.MulScalar(tensor.SumKeep(tensor.Square(centred), axis), 1/width)
	return tensor.Add(tensor.Mul(tensor.Mul(centred, tensor.Rsqrt(tensor.AddScalar(variance, normEpsilon))), l.Scale.Node(g)), l.Shift.Node(g))
}
