// Package discriminative holds models of p(y|x): one model, one file.
//
//	logistic   a + bᵀx, the log-odds of the classes
//	mlp        dense layers
//	cnn        convolution and pooling, then dense layers
package discriminative

import (
	"context"
	"fmt"
	"io"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// architecture is a network that gives logits: p(y=k|x) = softmax(logits)_k.
type architecture interface {
	// Features is (n, width of the last layer's input) from x [n, ...] on the scale of the transform.
	Features(x *tensor.Node, mode *nn.Mode) *tensor.Node
	// Last makes logits, (n, classes), of features.
	Last() nn.Dense
}

// logitsOf computes a network.
func logitsOf(net architecture, x *tensor.Node, mode *nn.Mode) *tensor.Node {
	return net.Last().Apply(net.Features(x, mode))
}

// Network is a fitted neural classifier. It is a [model.Classifier] and a [model.Featurer].
type Network struct {
	model.Card
	params   nn.Params
	vars     tensor.Vars
	width    int // of the features
	logits   *train.Function
	features *train.Function
}

// newNetwork binds an architecture to its fitted parameters.
func newNetwork(card model.Card, net architecture, vars tensor.Vars, run model.Run) *Network {
	m := &Network{Card: card, params: nn.Collect(net), vars: vars, width: net.Last().Weight.Dims[0]}
	input := func(g *tensor.Graph, n int) *tensor.Node {
		return g.Input("x", tensor.Float32, append([]int{n}, card.Transform.OutShape().Dims()...)...)
	}
	m.logits = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		g.Output("log_posterior", tensor.LogSoftmax(logitsOf(net, input(g, n), &nn.Mode{})))
	})
	m.features = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		g.Output("features", net.Features(input(g, n), &nn.Mode{}))
	})
	return m
}

// LogPosterior sets dst[i*K+k] to log p(y=k|x_i).
func (m *Network) LogPosterior(dst []float64, x data.Batch) error {
	k := m.Classes()
	if err := m.CheckResults(x, len(dst), k); err != nil {
		return err
	}
	t, err := m.Transformed(x)
	if err != nil {
		return err
	}
	p := t.Shape.Size()
	return m.logits.Call(x.Len(),
		func(e tensor.Executable, from, to int) { copy(e.Input("x").F32, t.X[from*p:to*p]) },
		func(e tensor.Executable, from, to int) {
			out := e.Output("log_posterior").F32
			for i := range dst[from*k : to*k] {
				dst[from*k+i] = float64(out[i])
			}
		})
}

// FeatureSize is the width of the layer before the logits.
func (m *Network) FeatureSize() int { return m.width }

// Features sets row i of dst, row-major (n, FeatureSize), to what the layer before the logits makes of x_i.
func (m *Network) Features(dst []float32, x data.Batch) error {
	if err := m.CheckResults(x, len(dst), m.width); err != nil {
		return err
	}
	t, err := m.Transformed(x)
	if err != nil {
		return err
	}
	p := t.Shape.Size()
	return m.features.Call(x.Len(),
		func(e tensor.Executable, from, to int) { copy(e.Input("x").F32, t.X[from*p:to*p]) },
		func(e tensor.Executable, from, to int) { copy(dst[from*m.width:to*m.width], e.Output("features").F32) })
}

// Save writes the model file.
func (m *Network) Save(w io.Writer) error { return m.Card.Save(w, train.Tensors(m.params, m.vars)) }

// fitting is what fitting a network needs to know besides the data.
type fitting struct {
	name    string
	recipe  model.Spec
	decay   float64 // weight decay
	usual   int     // epochs where options.Epochs is 0
	options train.Options
	build   func(in data.Shape, classes int) (architecture, error)
	vary    func(x data.Batch, r train.Rand) // augmentation, in place on transformed examples; nil for none
}

// fit minimises the mean cross-entropy −log p(y_i|x_i) in nats.
func (f fitting) fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	if err := checkLabels(ctx, f.name, set); err != nil {
		return nil, nil, err
	}
	transform, err := data.FitTransform(ctx, set, data.DefaultTransform(set.Schema()))
	if err != nil {
		return nil, nil, err
	}
	net, err := f.build(transform.OutShape(), len(set.Schema().Classes))
	if err != nil {
		return nil, nil, err
	}
	card := model.NewCard(f.name, f.recipe, set, transform, run)
	phase := f.phase(net)
	problem, err := train.NewProblem(&card, phase.Params)
	if err != nil {
		return nil, nil, err
	}
	problem.Phases = []train.Phase{phase}
	problem.Prepare = func(dst, raw data.Batch, r train.Rand) error {
		if err := transform.Apply(dst, raw); err != nil {
			return err
		}
		if f.vary != nil && r != nil {
			f.vary(dst, r)
		}
		return nil
	}
	f.options.Epochs = passes(f.options, f.usual, set.Len())
	found, err := train.Minimise(ctx, problem, set, f.options, run)
	if err != nil {
		return nil, nil, err
	}
	found.Summary.Notes = append(found.Summary.Notes, fmt.Sprintf("%d parameters", phase.Params.Count()))
	return newNetwork(card, net, found.Vars, run), &found.Summary, nil
}

// leastSteps is how many steps a fit takes at least: small data is passed over more often than the usual number of times.
const leastSteps = 400

// passes is how many epochs o asks for. Where that is 0, they are the usual number, or as many as make leastSteps.
func passes(o train.Options, usual, examples int) int {
	if o.Epochs > 0 {
		return o.Epochs
	}
	steps := max(examples/o.Batch, 1)
	return max(usual, (leastSteps+steps-1)/steps)
}

// phase is how a network is trained.
func (f fitting) phase(net architecture) train.Phase {
	adam := nn.NewAdam()
	adam.Decay = f.decay
	return train.Phase{
		Name: "classifier", Params: nn.Collect(net), Optimiser: adam,
		Loss: func(b *train.Batch) train.Loss { return crossEntropy(net, b) },
	}
}

// crossEntropy is the mean of −log p(y_i|x_i), and the share of the examples whose most probable class is their own.
func crossEntropy(net architecture, b *train.Batch) train.Loss {
	logits := logitsOf(net, b.X, b.Mode)
	right := tensor.Equal(tensor.ArgMax(logits, 1), b.Y)
	return train.Loss{
		Value:   tensor.Mean(nn.CrossEntropy(logits, b.Y)),
		Metrics: []train.Metric{{Name: "accuracy", Value: tensor.Mean(tensor.Convert(right, tensor.Float32))}},
	}
}

// checkLabels says what is missing for learning p(y|x).
func checkLabels(ctx context.Context, name string, set data.Set) error {
	labels, err := data.Labels(ctx, set)
	if err != nil {
		return fmt.Errorf("%s learns p(y|x): %w", name, err)
	}
	if len(labels) == 0 {
		return fmt.Errorf("%s: the data has no examples; expected at least one of each of two classes", name)
	}
	for _, y := range labels {
		if y != labels[0] {
			return nil
		}
	}
	return fmt.Errorf("%s: all examples are of the class %q; expected at least two classes to tell apart", name, set.Schema().Classes[labels[0]])
}

// loadNetwork is the loader of a model file.
func loadNetwork(f *model.File, net architecture) (model.Model, error) {
	vars, err := train.Vars(nn.Collect(net), f)
	if err != nil {
		return nil, err
	}
	return newNetwork(f.Card, net, vars, f.Run), nil
}
