package nn

import (
	"math"

	"github.com/likely-ml/likely/tensor"
)

// Optimiser turns gradients into updates.
type Optimiser interface {
	// State are the optimiser's own arrays for parameters.
	State(ps Params) Params
	// Update makes the graph update parameters and state, as the updates built so far leave them. hyper is what Hyper
	// computes, as Float32[HyperLen()].
	Update(ps Params, grads []*tensor.Node, hyper *tensor.Node)
	// Hyper computes the scalars of a step (counted from 1) at a learning rate, in float64.
	Hyper(dst []float32, step int, rate float64)
	// HyperLen is how many they are.
	HyperLen() int
}

func stateOf(ps Params, prefix string) Params {
	out := make(Params, len(ps))
	for i, p := range ps {
		out[i] = &Param{Name: prefix + p.Name, Dims: p.Dims, Init: Zeros, Fixed: true}
	}
	return out
}

func element(hyper *tensor.Node, i int) *tensor.Node {
	return tensor.Reshape(tensor.SliceAxis(hyper, 0, i, i+1))
}

// SGD is stochastic gradient descent with momentum: v ← momentum·v + g, p ← p − rate·v. With Nesterov, the step looks ahead:
// p ← p − rate·(g + momentum·v) with the new v (Sutskever et al., On the importance of initialization and momentum in deep
// learning, 2013, eq. 3, with the parameters written at the point where the gradient is taken).
type SGD struct {
	Momentum float64
	Nesterov bool
}

// State is the velocity of each parameter.
func (o SGD) State(ps Params) Params { return stateOf(ps, "sgd.velocity.") }

// HyperLen is 1.
func (SGD) HyperLen() int { return 1 }

// Hyper is the learning rate.
func (SGD) Hyper(dst []float32, _ int, rate float64) { dst[0] = float32(rate) }

// Update adds a step to the graph.
func (o SGD) Update(ps Params, grads []*tensor.Node, hyper *tensor.Node) {
	g := hyper.Graph()
	rate := element(hyper, 0)
	for i, s := range o.State(ps) {
		p, v := ps[i].Node(g), s.Node(g)
		next := tensor.Add(tensor.MulScalar(v, o.Momentum), grads[i])
		g.Update(v, next)
		if o.Nesterov {
			next = tensor.Add(grads[i], tensor.MulScalar(next, o.Momentum))
		}
		g.Update(p, tensor.Sub(p, tensor.Mul(rate, next)))
	}
}

// Adam keeps running means of gradients and their squares (Kingma and Ba, 2015, algorithm 1):
//
//	m ← β1·m + (1−β1)·g,  v ← β2·v + (1−β2)·g²,  p ← p − rate/(1−β1ᵗ) · m / (√v/√(1−β2ᵗ) + ε)
//
// With Decay, p also shrinks by rate·Decay·p, apart from the running means (AdamW; Loshchilov and Hutter, 2019,
// algorithm 2). Biases and other vectors are not decayed.
type Adam struct{ Beta1, Beta2, Epsilon, Decay float64 }

// NewAdam is Adam with the paper's β1 = 0.9, β2 = 0.999 and ε = 1e−8.
func NewAdam() Adam { return Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8} }

// State is m and v of each parameter.
func (o Adam) State(ps Params) Params {
	return append(stateOf(ps, "adam.m."), stateOf(ps, "adam.v.")...)
}

// HyperLen is 3.
func (Adam) HyperLen() int { return 3 }

// Hyper is rate/(1−β1ᵗ), 1/√(1−β2ᵗ) and 1 − rate·Decay.
func (o Adam) Hyper(dst []float32, step int, rate float64) {
	dst[0] = float32(rate / (1 - math.Pow(o.Beta1, float64(step))))
	dst[1] = float32(1 / math.Sqrt(1-math.Pow(o.Beta2, float64(step))))
	dst[2] = float32(1 - rate*o.Decay)
}

// Update adds a step to the graph.
func (o Adam) Update(ps Params, grads []*tensor.Node, hyper *tensor.Node) {
	g := hyper.Graph()
	rate, correction, shrink := element(hyper, 0), element(hyper, 1), element(hyper, 2)
	state := o.State(ps)
	for i := range ps {
		p, m, v, grad := ps[i].Node(g), state[i].Node(g), state[len(ps)+i].Node(g), grads[i]
		spec := tensor.AdamSpec{Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon, Shrink: o.Decay > 0 && len(ps[i].Dims) > 1}
		p1, m1, v1 := tensor.Adam(spec, p, m, v, grad, rate, correction, shrink)
		g.Update(m, m1)
		g.Update(v, v1)
		g.Update(p, p1)
	}
}

// ClipGlobalNorm scales all gradients by most/‖g‖ where the norm of all of them together exceeds most.
func ClipGlobalNorm(grads []*tensor.Node, most float64) []*tensor.Node {
	g := grads[0].Graph()
	total := g.Scalar(tensor.Float32, 0)
	for _, x := range grads {
		total = tensor.Add(total, tensor.Sum(tensor.Square(x)))
	}
	limit := g.Scalar(tensor.Float32, most)
	scale := tensor.Div(limit, tensor.Max(tensor.Sqrt(total), limit))
	out := make([]*tensor.Node, len(grads))
	for i, x := range grads {
		out[i] = tensor.Mul(x, scale)
	}
	return out
}

// Averages are the arrays of exponential moving averages of parameters, which [UpdateAverages] moves. They begin as zeros;
// copy the parameters into them first.
func Averages(ps Params) Params { return stateOf(ps, "ema.") }

// UpdateAverages adds a ← decay·a + (1−decay)·p to the graph for the average a of each parameter p. The decay is a scalar.
func UpdateAverages(ps Params, decay *tensor.Node) {
	g := decay.Graph()
	rest := tensor.Sub(g.Scalar(tensor.Float32, 1), decay)
	for i, a := range Averages(ps) {
		old := a.variable(g)
		g.Update(old, tensor.Add(tensor.Mul(old, decay), tensor.Mul(ps[i].Node(g), rest)))
	}
}
