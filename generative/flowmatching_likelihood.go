package generative

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// The log-likelihood of a flow. Along a path dx/dt = v(x, t) the density changes by d log p(x_t)/dt = −tr ∂v/∂x (Chen et al., Neural
// ordinary differential equations, 2018, theorem 1). So the path that ends in x, followed back to its start z, gives
//
//	log p(x) = log N(z; 0, I) − ∫₀¹ tr ∂v/∂x(x_t, t) dt
//
// The trace of a small Jacobian is summed exactly. That of a large one is estimated without bias by εᵀ(∂v/∂x)ε, one product with the
// Jacobian, since E εεᵀ = I for elements ε of ±1 at random; one ε serves for the whole path, which keeps the equation an ordinary one
// (Hutchinson, 1990; Grathwohl et al., FFJORD, 2019, section 3.1).
//
// It is the likelihood of what the sampler draws before that is rounded. A whole number x is drawn wherever the flow ends in
// [x − ½, x + ½), and a level wherever its element is the greatest. There, noise u of density q is added, and
//
//	E_q[log p(x + u) − log q(u)] ≤ log P(x),   P(x) = ∫ p(x + u) du over that region
//
// as for dequantised pixels (Theis, van den Oord and Bethge, A note on the evaluation of generative models, 2016) and levels
// (Hoogeboom et al., Argmax flows and multinomial diffusion, 2021).
//
// What is left is the error of the solver, whose sign is not known: the result is an estimate, no bound.
const (
	likelihoodSolver = FlowRK4
	likelihoodSteps  = 16
	// exactTrace is how many elements x has at most for its trace to be summed: one product with the Jacobian for each.
	exactTrace = 8
	// levelNoise is the standard deviation of u of one-hot elements, normal: their region ends 7 of them away.
	levelNoise = 0.1
)

// newTraced makes the function of v and an estimate of its trace for each row, with ε as a further input; of few elements the
// trace is exact, and there is no such input.
func newTraced(l *learnedNet, run model.Run) *train.Function {
	shape := l.card.Transform.OutShape()
	return train.NewFunction(run, l.vars, func(g *tensor.Graph, n int) {
		x, t, y := l.net.inputs(g, n, shape.Dims())
		v := l.net.apply(x, t, y)
		g.Output("velocity", v)
		if shape.Size() <= exactTrace {
			g.Output("trace", trace(v, x, units(x)...))
			return
		}
		g.Output("trace", trace(v, x, g.Input("epsilon", tensor.Float32, x.Dims()...)))
	})
}

// trace is Σ εᵀ(∂v/∂x)ε of each row over the probes ε: x, v and ε [n, ...], the result [n].
func trace(v, x *tensor.Node, probes ...*tensor.Node) *tensor.Node {
	n := x.Dims()[0]
	sum := x.Graph().Full(tensor.ShapeOf(tensor.Float32, n), 0)
	for _, epsilon := range probes {
		product := tensor.Mul(tensor.Pullback(v, epsilon, x)[0], epsilon)
		sum = tensor.Add(sum, tensor.Sum(tensor.Reshape(product, n, x.Shape().Size()/n), 1))
	}
	return sum
}

// units are the unit vectors, each for all rows of x: probes whose sum is the trace itself.
func units(x *tensor.Node) []*tensor.Node {
	n := x.Dims()[0]
	probes := make([]*tensor.Node, x.Shape().Size()/n)
	for j := range probes {
		index := x.Graph().Full(tensor.ShapeOf(tensor.Int32, n), float64(j))
		probes[j] = tensor.Reshape(tensor.OneHot(index, tensor.Float32, len(probes)), x.Dims()...)
	}
	return probes
}

// tracedVelocity sets dst to v(x, t) of rows x, and trace[i] to tr ∂v/∂x of row i or an estimate of it.
type tracedVelocity func(dst, trace, x []float32, t float64) error

// logProb sets dst[i] to log p of row i of x, in nats on the scale of x, and takes x to z.
func (m butcher) logProb(ctx context.Context, dst []float64, x []float32, steps int, v tracedVelocity) error {
	clear(dst)
	traces := make([]float32, len(dst))
	err := m.follow(ctx, x, steps, func(slope, x []float32, back, weight float64) error {
		if err := v(slope, traces, x, 1-back); err != nil {
			return err
		}
		for i, s := range slope {
			slope[i] = -s
		}
		for i, t := range traces {
			dst[i] -= weight * float64(t)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flowLogProb(dst, x, dst, 0)
}

// logEstimate sets dst[i] to an estimate of log p(x_i|y_i), or log p(x_i) where y is nil.
func (m *flowing) logEstimate(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	within, err := m.Transformed(x)
	if err != nil {
		return err
	}
	noise := make([]float64, len(dst)) // −log q(u)
	for i := range noise {
		noise[i] = dequantise(within.Row(i), m.Transform, r)
	}
	var epsilon []float32
	if within.Shape.Size() > exactTrace {
		epsilon = signs(len(within.X), r)
	}
	err = butchers[likelihoodSolver].logProb(context.Background(), dst, within.X, likelihoodSteps,
		func(dst, trace, x []float32, t float64) error { return m.trace(dst, trace, x, t, y, epsilon) })
	for i := range dst {
		dst[i] += noise[i] + m.Transform.LogDet()
	}
	return err
}

// trace sets dst to v(x, t) under classes y, and trace to the estimates of its traces by ε; nil where they are exact.
func (m *flowing) trace(dst, trace, x []float32, t float64, y []int32, epsilon []float32) error {
	n, size := len(trace), m.Transform.OutShape().Size()
	times := slices.Repeat([]float32{float32(t)}, n)
	return m.traced.Call(n, func(e tensor.Executable, from, to int) {
		m.load(e, x, times, y, from, to)
		if epsilon != nil {
			copy(e.Input("epsilon").F32, epsilon[from*size:to*size])
		}
	}, func(e tensor.Executable, from, to int) {
		copy(dst[from*size:to*size], e.Output("velocity").F32)
		copy(trace[from:to], e.Output("trace").F32)
	})
}

// signs are n draws of ±1.
func signs(n int, r *rand.Rand) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(2*r.IntN(2) - 1)
	}
	return s
}

// dequantise adds u to the elements of t(x) that stand for whole numbers and levels, and returns −log q(u) in nats; of whole
// numbers that is 0 in raw units.
func dequantise(row []float32, t *data.Transform, r *rand.Rand) float64 {
	whole := func(v *float32, step *data.Step) { *v += float32((r.Float64() - 0.5) / step.Scale) }
	if t.InShape().IsImage() {
		for j := range row {
			whole(&row[j], &t.Steps[0])
		}
		return 0
	}
	noise, at := 0.0, 0
	for j := range t.Steps {
		step := &t.Steps[j]
		switch {
		case step.OneHot:
			for range step.Levels {
				u := r.NormFloat64()
				row[at] += float32(levelNoise * u)
				noise += u*u/2 + math.Log(levelNoise) + math.Log(2*math.Pi)/2
				at++
			}
			continue
		case step.Round:
			whole(&row[at], step)
		}
		at++
	}
	return noise
}
