package generative

import (
	"context"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// FlowMatching is the recipe of a flow along straight lines from noise to data (Lipman et al., Flow matching for generative
// modeling, 2023; Liu, Gong and Liu, Flow straight and fast, 2023). With
//
//	x_t = (1 − t)·ε + t·x,   ε ~ N(0, I),   0 ≤ t ≤ 1,
//
// each x_t moves with the velocity x − ε. A network learns its mean, v(x_t, t) ≈ E[x − ε | x_t], by the mean square error
// (Lipman et al., eq. 23 with σ_min = 0), and ε that follows dx/dt = v(x, t) from t = 0 to 1 becomes a draw of x.
//
// With labels v sees the class, but for a tenth of the examples: see [FlowOptions] for guidance. Pictures are scaled to
// [−1, 1], columns of numbers to mean 0 and standard deviation 1; a categorical column is one-hot, and the greatest element of a
// draw is its level.
type FlowMatching struct {
	Times   FlowTimes `json:"times" default:"logit-normal" choices:"logit-normal,uniform" help:"distribution of t in training"`
	Pairing bool      `json:"pairing" default:"false" help:"give each example of a step the noise that is near, by optimal transport, for straighter paths"`
	GuidedNetwork
}

// FlowTimes is how t is distributed in training.
type FlowTimes string

// The distributions.
const (
	FlowLogitNormal FlowTimes = "logit-normal" // t = σ(z), z ~ N(0, 1): more in the middle (Esser et al., Scaling rectified flow transformers, 2024, eq. 19)
	FlowUniform     FlowTimes = "uniform"
)

// draw draws t of n examples.
func (t FlowTimes) draw(noise *nn.Noise, n int) *tensor.Node {
	if t == FlowUniform {
		return noise.Uniform(n)
	}
	return tensor.Sigmoid(noise.Normal(n))
}

// flowLoss is the mean square of v(x_t, t) − (x − ε).
func flowLoss(net *conditionedNet, x, epsilon, t, y *tensor.Node) *tensor.Node {
	velocity := tensor.Sub(x, epsilon)
	between := tensor.Add(epsilon, tensor.Mul(perExample(t, x), velocity))
	return tensor.Mean(tensor.Square(tensor.Sub(net.apply(between, t, y), velocity)))
}

// Fit minimises the loss by Adam on mini-batches.
func (r *FlowMatching) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	transform, err := denoisingTransform(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	shape := transform.OutShape()
	l := lesson{
		name: "flowmatching", recipe: r, transform: transform,
		loss: func(net *conditionedNet, b *train.Batch, y *tensor.Node) *tensor.Node {
			x, epsilon := r.pair(b, shape)
			return flowLoss(net, x, epsilon, r.Times.draw(b.Mode.Noise, x.Dims()[0]), y)
		},
		fitted: func(found *learnedNet) model.Model { return newMatchedFlow(found, run) },
	}
	if r.Pairing {
		l.adjust = func(p *train.Problem) {
			p.Shape, p.Out = []int{2, shape.Size()}, data.RowShape(2*shape.Size())
			p.Prepare = func(dst, raw data.Batch, rand train.Rand) error { return preparePairs(dst, raw, transform, rand) }
		}
	}
	return r.learn(ctx, l, set, run)
}

// pair is x and ε of a step. With Pairing the batch holds both, as [preparePairs] leaves them; but outside of training no
// pairs are made.
func (r *FlowMatching) pair(b *train.Batch, shape data.Shape) (x, epsilon *tensor.Node) {
	x = b.X
	dims := append([]int{x.Dims()[0]}, shape.Dims()...)
	if !r.Pairing {
		return x, b.Mode.Noise.Normal(dims...)
	}
	part := func(i int) *tensor.Node { return tensor.Reshape(tensor.SliceAxis(b.X, 1, i, i+1), dims...) }
	if !b.Mode.Training {
		return part(0), b.Mode.Noise.Normal(dims...)
	}
	return part(0), part(1)
}

// preparePairs writes t(x) and noise side by side, the noise chosen among as many draws as there are examples so that the sum
// of |x − ε|² over the pairs is least (Tong et al., Improving and generalizing flow-based generative models with minibatch
// optimal transport, 2024, section 3.2). It is shared out within each class: across them, what noise an example gets would tell its
// class, and p(x|y) would no longer begin at N(0, I).
func preparePairs(dst, raw data.Batch, transform *data.Transform, r *rand.Rand) error {
	x := data.NewBatch(transform.OutShape(), raw.Len(), false)
	if err := transform.Apply(x, raw); err != nil {
		return err
	}
	size := x.Shape.Size()
	for i := range x.Len() {
		copy(dst.Row(i)[:size], x.Row(i))
	}
	if r == nil { // outside of training
		return nil
	}
	noise := data.Batch{Shape: x.Shape, X: normals(len(x.X), 1, r)}
	for _, members := range byClass(raw) {
		cost := make([][]float64, len(members))
		for a, i := range members {
			cost[a] = make([]float64, len(members))
			for b, j := range members {
				cost[a][b] = pairDistance(x.Row(i), noise.Row(j))
			}
		}
		for a, b := range assign(cost) {
			copy(dst.Row(members[a])[size:], noise.Row(members[b]))
		}
	}
	return nil
}

// byClass lists the examples of each class, or all where there are no labels.
func byClass(b data.Batch) [][]int {
	var members [][]int
	for i := range b.Len() {
		class := 0
		if b.Y != nil {
			class = int(b.Y[i])
		}
		for len(members) <= class {
			members = append(members, nil)
		}
		members[class] = append(members[class], i)
	}
	return members
}

func pairDistance(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return sum
}

func init() {
	model.Register(model.Entry{
		Name: "flowmatching", Kind: model.Generative,
		Summary: "flow along straight lines from noise to data, with guidance; p(x|y) where there are labels",
		Paper:   "Lipman et al., Flow matching for generative modeling, ICLR 2023; Liu, Gong and Liu, Flow straight and fast, ICLR 2023",
		New:     func() model.Spec { return model.NewRecipe[FlowMatching]() },
		Load: func(f *model.File) (model.Model, error) {
			found, err := f.Card.Recipe.(*FlowMatching).load(f)
			if err != nil {
				return nil, err
			}
			return newMatchedFlow(found, f.Run), nil
		},
	})
}
