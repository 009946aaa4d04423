package generative

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// GAN is the recipe of a generative adversarial network (Goodfellow et al., Generative adversarial nets, 2014) in the shape
// of DCGAN (Radford, Metz and Chintala, 2016). A generator makes x = G(z) of z ~ N(0, I); a discriminator D gives the logit
// of its belief that x is real. They take turns on each mini-batch:
//
//	D minimises  −log σ(D(x)) − log(1 − σ(D(G(z))))
//	G minimises  −log σ(D(G(z)))                       (non-saturating: the end of their section 3)
//
// At D's optimum the first is 2 log 2 − 2 JS(p_d || p_G). With labels, both see the class, and G(z, y) draws from p(x|y).
// The model gives samples only: no p(x).
type GAN struct {
	Latent   int     `json:"latent" default:"64" min:"1" max:"65536" help:"dimensions of z"`
	Channels int     `json:"channels" default:"64" min:"1" max:"4096" help:"channels of the wider feature maps; the deeper ones have twice as many"`
	Epochs   int     `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 is 20, or as many as make 3,000 steps"`
	Batch    int     `json:"batch" default:"64" min:"2" max:"65536" help:"examples in a step; at most an eighth of the data"`
	Rate     float64 `json:"rate" default:"0.0002" min:"1e-7" max:"1" help:"learning rate of Adam for both"`
	Average  float64 `json:"average" default:"0.999" min:"0" max:"0.99999" help:"decay of the moving average of the generator that samples"`
}

// The slope of leaky ReLU and the coefficients of Adam are DCGAN's.
const leak = 0.2

func ganAdam() nn.Adam { return nn.Adam{Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8} }

// generator makes pictures: dense to a fourth of the size, then two transposed convolutions that double it.
type generator struct {
	Dense         nn.Dense
	Norm1         nn.BatchNorm
	Up1           nn.ConvTransposed
	Norm2         nn.BatchNorm
	Up2           nn.ConvTransposed
	latent        int
	classes       int
	height, width int // a fourth of the picture's, rounded up
	deep          int
	out           data.Shape
}

// discriminator judges pictures: two convolutions that halve the size, then dense.
type discriminator struct {
	Down1   nn.Conv
	Down2   nn.Conv
	Norm2   nn.BatchNorm
	Dense   nn.Dense
	classes int
}

// adversaries are the two networks of a [GAN].
type adversaries struct {
	Generator     *generator
	Discriminator *discriminator
}

func newAdversaries(latent, wide, deep int, out data.Shape, classes int) *adversaries {
	init := nn.Normal(0.02)
	g := &generator{latent: latent, classes: classes, height: (out.Height + 3) / 4, width: (out.Width + 3) / 4, deep: deep, out: out}
	g.Dense = nn.NewDense(latent+classes, g.height*g.width*deep, init).NoBias()
	g.Norm1 = nn.NewBatchNorm(deep)
	g.Up1 = nn.NewConvTransposed(deep, wide, 4, 2, 1, init).NoBias()
	g.Norm2 = nn.NewBatchNorm(wide)
	g.Up2 = nn.NewConvTransposed(wide, out.Channels, 4, 2, 1, init)

	d := &discriminator{classes: classes}
	d.Down1 = nn.NewConv(out.Channels+classes, wide, 4, 2, 1, init)
	d.Down2 = nn.NewConv(wide, deep, 4, 2, 1, init).NoBias()
	d.Norm2 = nn.NewBatchNorm(deep)
	d.Dense = nn.NewDense(out.Height/4*(out.Width/4)*deep, 1, init)
	return &adversaries{g, d}
}

// network is the pair for examples of that shape; deep feature maps have twice the channels of wide ones.
func (r *GAN) network(out data.Shape, classes int) *adversaries {
	return newAdversaries(r.Latent, r.Channels, 2*r.Channels, out, classes)
}

// Generate is G(z, y), [n, H, W, C] in [−1, 1].
func (g *generator) generate(z, y *tensor.Node, mode *nn.Mode) *tensor.Node {
	n := z.Dims()[0]
	if g.classes > 0 {
		z = tensor.Concat(1, z, tensor.OneHot(y, tensor.Float32, g.classes))
	}
	h := tensor.Reshape(g.Dense.Apply(z), n, g.height, g.width, g.deep)
	h = g.Up1.Apply(nn.ReLU(g.Norm1.Apply(h, mode)))
	x := tensor.Tanh(g.Up2.Apply(nn.ReLU(g.Norm2.Apply(h, mode))))
	return tensor.SliceAxis(tensor.SliceAxis(x, 1, 0, g.out.Height), 2, 0, g.out.Width)
}

// judge is D(x, y), a logit for each example, (n, 1).
func (d *discriminator) judge(x, y *tensor.Node, mode *nn.Mode) *tensor.Node {
	if d.classes > 0 { // a map for each class, 1 everywhere for x's own
		s := x.Dims()
		own := tensor.Reshape(tensor.OneHot(y, tensor.Float32, d.classes), s[0], 1, 1, d.classes)
		x = tensor.Concat(3, x, tensor.BroadcastTo(own, s[0], s[1], s[2], d.classes))
	}
	h := nn.LeakyReLU(d.Down1.Apply(x), leak)
	h = nn.LeakyReLU(d.Norm2.Apply(d.Down2.Apply(h), mode), leak)
	return d.Dense.Apply(h)
}

// discriminatorLoss is the mean of softplus(−D(x)) and that of softplus(D(fake)), which are the two logarithms.
func (a *adversaries) discriminatorLoss(x, fake, y *tensor.Node, mode *nn.Mode) train.Loss {
	fake = tensor.StopGradient(fake)
	onReal, onFake := a.Discriminator.judge(x, y, mode), a.Discriminator.judge(fake, y, mode)
	loss := tensor.Add(tensor.Mean(tensor.Softplus(tensor.Neg(onReal))), tensor.Mean(tensor.Softplus(onFake)))
	return train.Loss{Value: loss, Metrics: []train.Metric{
		{Name: "real_spread", Value: spread(x, y, a.Discriminator.classes)}, {Name: "fake_spread", Value: spread(fake, y, a.Discriminator.classes)},
	}}
}

// generatorLoss is the mean of softplus(−D(fake)).
func (a *adversaries) generatorLoss(fake, y *tensor.Node, mode *nn.Mode) train.Loss {
	return train.Loss{Value: tensor.Mean(tensor.Softplus(tensor.Neg(a.Discriminator.judge(fake, y, mode.WithoutRecord()))))}
}

// spread is the mean absolute distance of pictures from the mean of their class: 0 for a generator that makes one picture,
// or one of each class.
func spread(x, y *tensor.Node, classes int) *tensor.Node {
	x = nn.Flatten(x)
	if classes == 0 {
		return tensor.Mean(tensor.Abs(tensor.Sub(x, tensor.Mean(x, 0))))
	}
	own := tensor.OneHot(y, tensor.Float32, classes)
	count := tensor.Max(tensor.Sum(own, 0), x.Graph().Scalar(tensor.Float32, 1))
	means := tensor.Div(tensor.MatMulT(own, x, true, false), tensor.Reshape(count, classes, 1))
	return tensor.Mean(tensor.Abs(tensor.Sub(x, tensor.MatMul(own, means))))
}

// An untrained generator makes one picture, grey. It has collapsed if it still does after graceSteps, or does again:
// where its pictures spread by less than leastSpread of what the real ones do.
const (
	graceSteps  = 500
	leastSpread = 0.1
)

// collapseWatch ends a run whose generator has given up variety.
func collapseWatch(stepsPerEpoch int) func(metrics map[string]float64) error {
	steps := 0
	return func(metrics map[string]float64) error {
		steps += stepsPerEpoch
		if real, fake := metrics["real_spread"], metrics["fake_spread"]; steps > graceSteps && fake < leastSpread*real {
			return fmt.Errorf("gan: %w: its pictures differ by %.3g on average, the real ones by %.3g; lower the rate, raise the batch, or try another seed",
				train.ErrCollapsed, fake, real)
		}
		return nil
	}
}

// Fit lets the two play until the epochs are done.
func (r *GAN) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	schema := set.Schema()
	if !schema.IsImage() || min(schema.Height, schema.Width) < 4 {
		return nil, nil, fmt.Errorf("gan makes pictures of at least 4x4 pixels, and the data has %v; use gaussian or vae", schema.Shape)
	}
	transform, err := data.FitTransform(ctx, set, data.Symmetric)
	if err != nil {
		return nil, nil, err
	}
	prior, err := classPrior(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	identity, err := json.Marshal(r)
	if err != nil {
		return nil, nil, err
	}
	batch, epochs := pace(set.Len(), r.Batch, cmp.Or(run.Epochs, r.Epochs), 20)
	card := model.NewCard("gan", r, set, transform, run)
	net := r.network(transform.OutShape(), len(prior))
	all := nn.Collect(net)
	var fake *tensor.Node // G(z) of a step: both phases judge the same
	problem := train.Problem{
		Params: all,
		Phases: []train.Phase{
			{Name: "discriminator", Params: all.Under("discriminator"), Optimiser: ganAdam(), Loss: func(b *train.Batch) train.Loss {
				fake = net.Generator.generate(b.Mode.Noise.Normal(b.X.Dims()[0], r.Latent), b.Y, b.Mode)
				return net.discriminatorLoss(b.X, fake, b.Y, b.Mode)
			}},
			{Name: "generator", Params: all.Under("generator"), Optimiser: ganAdam(), Loss: func(b *train.Batch) train.Loss {
				return net.generatorLoss(fake, b.Y, b.Mode)
			}},
		},
		Shape: transform.OutShape().Dims(), Out: transform.OutShape(), Labelled: len(prior) > 0,
		Prepare:  func(dst, raw data.Batch, _ train.Rand) error { return transform.Apply(dst, raw) },
		Health:   collapseWatch(set.Len() / batch),
		Model:    func(vars tensor.Vars) model.Model { return newGenerator(card, net, vars, prior, run) },
		Identity: "gan" + string(identity),
	}
	run.Validation = nil // neither loss tells how good the pictures are
	found, err := train.Minimise(ctx, problem, set, train.Options{Batch: batch, Epochs: epochs, Rate: r.Rate, Average: r.Average}, run)
	if err != nil {
		return nil, nil, err
	}
	found.Summary.Notes = append(found.Summary.Notes, "the loss is the discriminator's; it does not tell how good the pictures are")
	return newGenerator(card, net, found.Vars, prior, run), &found.Summary, nil
}

// Generator is a fitted [GAN] of p(x).
type Generator struct {
	model.Card
	net    *generator
	params nn.Params
	vars   tensor.Vars
	prior  []float64
	make   *train.Function
}

// CondGenerator is a fitted [GAN] of p(x|y).
type CondGenerator struct{ Generator }

func newGenerator(card model.Card, net *adversaries, vars tensor.Vars, prior []float64, run model.Run) model.Model {
	g := net.Generator
	m := Generator{Card: card, net: g, params: nn.Collect(net).Under("generator"), vars: vars, prior: prior}
	m.make = train.NewFunction(run, vars, func(gr *tensor.Graph, n int) {
		z := gr.Input("z", tensor.Float32, n, g.latent)
		var y *tensor.Node
		if g.classes > 0 {
			y = gr.Input("y", tensor.Int32, n)
		}
		gr.Output("x", g.generate(z, y, &nn.Mode{}))
	})
	if g.classes > 0 {
		return &CondGenerator{m}
	}
	return &m
}

// Sample draws x = G(z).
func (m *Generator) Sample(dst data.Batch, r *rand.Rand) error { return m.sample(dst, nil, r) }

// Sample draws a class from their frequencies for each x, and then as SampleGiven.
func (m *CondGenerator) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws x = G(z, y).
func (m *CondGenerator) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *Generator) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.generate(dst, normals(dst.Len()*m.net.latent, 1, r), y)
}

// LatentSize is the number of dimensions of z.
func (m *Generator) LatentSize() int { return m.net.latent }

// Decode gives x = G(z), or G(z, y) of a conditional generator.
func (m *Generator) Decode(dst data.Batch, z []float32, y []int32) error {
	if err := m.CheckResults(dst, len(z), m.net.latent); err != nil {
		return err
	}
	if m.net.classes > 0 {
		if err := m.CheckClasses(y, dst.Len()); err != nil {
			return err
		}
	}
	return m.generate(dst, z, y)
}

func (m *Generator) generate(dst data.Batch, z []float32, y []int32) error {
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	n, wide := dst.Len(), m.net.latent
	out := data.NewBatch(m.Transform.OutShape(), n, false)
	size := out.Shape.Size()
	err := m.make.Call(n, func(e tensor.Executable, from, to int) {
		copy(e.Input("z").F32, z[from*wide:to*wide])
		if m.net.classes > 0 {
			copy(e.Input("y").I32, y[from:to])
		}
	}, func(e tensor.Executable, from, to int) { copy(out.X[from*size:to*size], e.Output("x").F32) })
	if err != nil {
		return err
	}
	return m.Transform.Invert(dst, out)
}

// Save writes the model file: the generator alone.
func (m *Generator) Save(w io.Writer) error {
	return m.Card.Save(w, append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...))
}

func init() {
	model.Register(model.Entry{
		Name: "gan", Kind: model.Generative,
		Summary: "generative adversarial network (DCGAN); p(x|y) where there are labels; samples only",
		Paper:   "Goodfellow et al., Generative adversarial nets, NeurIPS 2014; Radford, Metz and Chintala, DCGAN, ICLR 2016",
		New:     func() model.Spec { return model.NewRecipe[GAN]() },
		Load: func(f *model.File) (model.Model, error) {
			prior, err := loadPrior(f)
			if err != nil {
				return nil, err
			}
			net := f.Card.Recipe.(*GAN).network(f.Card.Transform.OutShape(), len(prior))
			vars, err := train.Vars(nn.Collect(net).Under("generator"), f)
			if err != nil {
				return nil, err
			}
			return newGenerator(f.Card, net, vars, prior, f.Run), nil
		},
	})
}
