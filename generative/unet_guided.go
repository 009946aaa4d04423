package generative

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// GuidedNetwork is the part of a recipe that says what the network of a [Diffusion] or a [FlowMatching] is and how it learns.
type GuidedNetwork struct {
	Channels []int          `json:"channels" default:"64,128" min:"1" max:"4096" help:"channels of the U-Net at each size, each half the one before; for pictures"`
	Patch    int            `json:"patch" default:"0" min:"0" max:"16" help:"side of the squares of pixels that the U-Net sees as one; 0 is 1 for pictures up to 16 pixels, 2 for larger ones"`
	Units    int            `json:"units" default:"256" min:"1" max:"65536" help:"units of each hidden layer; for tables"`
	Blocks   int            `json:"blocks" default:"3" min:"1" max:"64" help:"residual blocks of two hidden layers; for tables"`
	Dropout  float64        `json:"label_dropout" default:"0.1" min:"0" max:"1" help:"share of examples that are learned without their label, which guidance needs"`
	Epochs   int            `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 is 20, or as many as make 3,000 steps"`
	Batch    int            `json:"batch" default:"64" min:"2" max:"65536" help:"examples in a step; at most an eighth of the data"`
	Rate     float64        `json:"rate" default:"0.001" min:"1e-7" max:"1" help:"highest learning rate of Adam"`
	Schedule train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
	Average  float64        `json:"average" default:"0.999" min:"0" max:"0.99999" help:"decay of the moving average of the parameters that samples"`
}

// The condition: how much noise there is, as sines and cosines, and the class, in one vector.
const (
	conditionWidth  = 128 // for tables at most the units
	noiseWaves      = 16
	longestWave     = 0.5 // radians per unit of the number that tells the noise
	shortestWave    = 50  // likewise
	gradientLimit   = 1
	warmUpSteps     = 200
	usualPasses     = 20
	smallestPatched = 17 // pixels; from there a patch is 2x2
)

// conditionedNet is a network F(x; c, y) with values of the shape of x. The number c tells how much noise there is; y is the
// class, and the number after the last is no class.
type conditionedNet struct {
	Noise1, Noise2 nn.Dense
	Class          *nn.Embedding // nil without labels
	Picture        *unet         // one of the two
	Row            *rowNet

	classes int
}

// network is the network for examples of that shape.
func (r *GuidedNetwork) network(shape data.Shape, classes int) *conditionedNet {
	width := conditionWidth
	if !shape.IsImage() {
		width = min(width, r.Units)
	}
	m := &conditionedNet{
		Noise1:  nn.NewDense(2*noiseWaves, width, nn.LeCunNormal),
		Noise2:  nn.NewDense(width, width, nn.LeCunNormal),
		classes: classes,
	}
	if classes > 0 {
		table := nn.NewEmbedding(classes+1, width, nn.Normal(1))
		m.Class = &table
	}
	if !shape.IsImage() {
		m.Row = newRowNet(shape.Size(), r.Units, r.Blocks, width)
		return m
	}
	patch := r.Patch
	if patch == 0 {
		patch = 1
		if max(shape.Height, shape.Width) >= smallestPatched {
			patch = 2
		}
	}
	m.Picture = newUNet(shape, patch, r.Channels, width)
	return m
}

// check refuses what no network can be made of.
func (r *GuidedNetwork) check() error {
	if len(r.Channels) == 0 {
		return fmt.Errorf("channels is empty, expected a number of channels for each size, such as 64,128")
	}
	return nil
}

// apply is F(x; c, y): x [n, ...], c Float32 [n], y Int32 [n] or nil.
func (m *conditionedNet) apply(x, c, y *tensor.Node) *tensor.Node {
	told := m.Noise2.Apply(nn.SiLU(m.Noise1.Apply(nn.Sinusoids(c, noiseWaves, longestWave, shortestWave))))
	if m.classes > 0 {
		told = tensor.Add(told, m.Class.Apply(y))
	}
	told = nn.SiLU(told)
	if m.Picture != nil {
		return m.Picture.apply(x, told)
	}
	return m.Row.apply(x, told)
}

// dropLabels takes the class away from a share of the examples, in training, so that one network learns F(x; c, y) and
// F(x; c) (Ho and Salimans, Classifier-free diffusion guidance, 2022, algorithm 1).
func (m *conditionedNet) dropLabels(y *tensor.Node, share float64, mode *nn.Mode) *tensor.Node {
	if m.classes == 0 || !mode.Training || share == 0 {
		return y
	}
	g := y.Graph()
	dropped := tensor.Less(mode.Noise.Uniform(y.Dims()...), g.Scalar(tensor.Float32, share))
	return tensor.Select(dropped, g.Full(y.Shape(), float64(m.classes)), y)
}

// inputs are x, c and y of a batch of n in a program; y is nil without labels.
func (m *conditionedNet) inputs(g *tensor.Graph, n int, dims []int) (x, c, y *tensor.Node) {
	x, c = g.Input("x", tensor.Float32, append([]int{n}, dims...)...), g.Input("c", tensor.Float32, n)
	if m.classes > 0 {
		y = g.Input("y", tensor.Int32, n)
	}
	return x, c, y
}

// perExample gives numbers, [n], the shape in which they combine with x, [n, ...].
func perExample(numbers, x *tensor.Node) *tensor.Node {
	dims := slices.Repeat([]int{1}, x.Shape().Rank())
	dims[0] = x.Dims()[0]
	return tensor.Reshape(numbers, dims...)
}

// learnedNet is what a fit found.
type learnedNet struct {
	card  model.Card
	net   *conditionedNet
	vars  tensor.Vars
	prior []float64 // of the classes, nil without labels
}

// lesson is what a network is to learn.
type lesson struct {
	name      string     // of the model
	recipe    model.Spec // which a GuidedNetwork is part of
	transform *data.Transform
	// loss is that of a mini-batch under the classes y that the network is told.
	loss   func(net *conditionedNet, b *train.Batch, y *tensor.Node) *tensor.Node
	adjust func(*train.Problem) // changes the problem; nil for no change
	fitted func(*learnedNet) model.Model
}

// learn trains a network on set.
func (r *GuidedNetwork) learn(ctx context.Context, l lesson, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	if err := r.check(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", l.name, err)
	}
	prior, err := classPrior(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	net := r.network(l.transform.OutShape(), len(prior))
	card := model.NewCard(l.name, l.recipe, set, l.transform, run)
	fitted := func(vars tensor.Vars) model.Model { return l.fitted(&learnedNet{card, net, vars, prior}) }
	params := nn.Collect(net)
	problem, err := train.NewProblem(&card, params)
	if err != nil {
		return nil, nil, err
	}
	problem.Phases = []train.Phase{{Name: l.name, Params: params, Optimiser: nn.NewAdam(), Loss: func(b *train.Batch) train.Loss {
		return train.Loss{Value: l.loss(net, b, net.dropLabels(b.Y, r.Dropout, b.Mode))}
	}}}
	problem.Model = func(vars tensor.Vars) (model.Model, error) { return fitted(vars), nil }
	if l.adjust != nil {
		l.adjust(&problem)
	}
	batch, epochs := pace(set.Len(), r.Batch, cmp.Or(run.Epochs, r.Epochs), usualPasses)
	found, err := train.Minimise(ctx, problem, set, train.Options{
		Batch: batch, Epochs: epochs, Rate: r.Rate, Schedule: r.Schedule, Average: r.Average,
		WarmUp: min(warmUpSteps, epochs*max(1, set.Len()/batch)/10), Clip: gradientLimit}, run)
	if err != nil {
		return nil, nil, err
	}
	found.Summary.LossUnit = "mean square error"
	found.Summary.Notes = append(found.Summary.Notes,
		"the loss is a mean square error, not nats; most of it is noise that no network can foretell, and it compares only between runs of one recipe")
	return fitted(found.Vars), &found.Summary, nil
}

// load reads back what learn found.
func (r *GuidedNetwork) load(f *model.File) (*learnedNet, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
	}
	prior, err := loadPrior(f)
	if err != nil {
		return nil, err
	}
	net := r.network(f.Card.Transform.OutShape(), len(prior))
	vars, err := train.Vars(nn.Collect(net), f)
	if err != nil {
		return nil, err
	}
	return &learnedNet{f.Card, net, vars, prior}, nil
}

// denoisingTransform is the transform behind which both models learn.
func denoisingTransform(ctx context.Context, set data.Set) (*data.Transform, error) {
	kind := data.Standardise
	if set.Schema().IsImage() {
		kind = data.Symmetric
	}
	return data.FitTransform(ctx, set, kind)
}

// guided is a fitted network and what both models do with it.
type guided struct {
	model.Card
	net    *conditionedNet
	params nn.Params
	vars   tensor.Vars
	prior  []float64 // of the classes, nil without labels
	field  *train.Function
}

// newGuided makes the function that samplers call of the field that build makes of F: it takes x, c and y and gives rows of
// the shape of x.
func newGuided(l *learnedNet, run model.Run, build func(x, c, y *tensor.Node) *tensor.Node) guided {
	dims := l.card.Transform.OutShape().Dims()
	return guided{Card: l.card, net: l.net, params: nn.Collect(l.net), vars: l.vars, prior: l.prior,
		field: train.NewFunction(run, l.vars, func(g *tensor.Graph, n int) {
			g.Output("field", build(l.net.inputs(g, n, dims)))
		})}
}

// evaluate sets dst to the field at rows x, each with its own c, under classes y; nil is no class.
func (m *guided) evaluate(dst, x, c []float32, y []int32) error {
	size := m.Transform.OutShape().Size()
	return m.field.Call(len(c), func(e tensor.Executable, from, to int) { m.load(e, x, c, y, from, to) },
		func(e tensor.Executable, from, to int) { copy(dst[from*size:to*size], e.Output("field").F32) })
}

// load fills the inputs for rows [from, to).
func (m *guided) load(e tensor.Executable, x, c []float32, y []int32, from, to int) {
	size := m.Transform.OutShape().Size()
	copy(e.Input("x").F32, x[from*size:to*size])
	// The rows beyond what is asked for are computed too. They take a c that the field knows.
	rest := e.Input("c").F32
	for i := copy(rest, c[from:to]); i < len(rest); i++ {
		rest[i] = c[from]
	}
	if m.net.classes == 0 {
		return
	}
	classes := e.Input("y").I32
	for i := range classes {
		classes[i] = int32(m.net.classes)
	}
	if y != nil {
		copy(classes, y[from:to])
	}
}

// guide sets dst to (1 − w)·f(x) + w·f(x|y) of the field f at rows x, all with the same c (Ho and Salimans, 2022, eq. 6, whose
// w is one less). Without classes, or at w = 1, it is the field itself.
func (m *guided) guide(dst, x []float32, c float64, y []int32, w float64) error {
	n := len(x) / m.Transform.OutShape().Size()
	if y == nil || w == 1 {
		return m.evaluate(dst, x, slices.Repeat([]float32{float32(c)}, n), y)
	}
	both := make([]float32, 2*len(x)) // with the class, then without
	classes := append(slices.Clone(y), slices.Repeat([]int32{int32(m.net.classes)}, n)...)
	if err := m.evaluate(both, slices.Concat(x, x), slices.Repeat([]float32{float32(c)}, 2*n), classes); err != nil {
		return err
	}
	given, free := both[:len(x)], both[len(x):]
	for i, f := range free {
		dst[i] = f + float32(w)*(given[i]-f)
	}
	return nil
}

// draw fills dst with samples: noise, N(0, sd²), that integrate turns into t(x).
func (m *guided) draw(dst data.Batch, sd float64, r *rand.Rand, integrate func(x []float32) error) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	out := data.NewBatch(m.Transform.OutShape(), dst.Len(), false)
	copy(out.X, normals(len(out.X), sd, r))
	if err := integrate(out.X); err != nil {
		return err
	}
	return m.Transform.Invert(dst, out)
}

// save writes the model file, with what a model has beside its network.
func (m *guided) save(w io.Writer, more ...model.Tensor) error {
	tensors := append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...)
	return m.Card.Save(w, append(tensors, more...))
}

// checkGuidance refuses a guidance that has no classes to guide to.
func (m *guided) checkGuidance(w float64) error {
	if w != 1 && m.net.classes == 0 {
		return fmt.Errorf("guidance is %v, and the model was fitted without labels; expected 1", w)
	}
	return nil
}
