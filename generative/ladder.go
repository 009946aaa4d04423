package generative

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// Ladder is the recipe of a variational autoencoder with a hierarchy of latent variables, for pictures. Layer 1 is the top one;
// each later one depends on all above it:
//
//	p(x, z) = p(z_1) p(z_2|z_1) … p(z_L|z_1 … z_(L−1)) p(x|z_1 … z_L)
//
// The posterior goes through the layers in the same order, q(z_1|x) q(z_2|x, z_1) …, over the generator's own feature maps h: a
// path up from x to small feature maps e, and one down that p and q share (Sønderby et al., Ladder variational autoencoders,
// 2016, fig. 1d). Both paths are residual convolutions, as in Child, Very deep VAEs, 2021, fig. 3. With μ and σ of p(z_l|h)
// the posterior says how far it differs from the prior, in units of σ (Vahdat and Kautz, NVAE, 2020, eq. 2 and 3):
//
//	p(z_l|h) = N(μ, σ²),    q(z_l|x, h) = N(μ + σδ, σ²ρ²),    δ and ρ from (h, e)
//
// So with z_l = μ + σu every layer has the prior N(0, I) of u and the posterior N(δ, ρ²), and
//
//	ELBO(x) = E_q[log p(x|z)] − Σ_l ½ Σ (δ² + ρ² − 1 − log ρ²) ≤ log p(x).
//
// In the first steps the KL terms count less (their section 3.2): otherwise the layers that are not yet of use are given up
// before they learn to be. With labels the model is p(x|y): each class has its own feature map at the top, from which p(z_1|y)
// and all below it come.
type Ladder struct {
	Channels []int          `json:"channels" default:"32,48,64" min:"1" max:"4096" help:"channels of the feature maps of each scale, from half the picture's size on, each half the one before; small pictures use the first of them"`
	Layers   int            `json:"layers" default:"2" min:"1" max:"64" help:"latent layers at each scale"`
	Latent   int            `json:"latent" default:"8" min:"1" max:"1024" help:"channels of z in each layer"`
	Output   Output         `json:"output" default:"auto" choices:"auto,bernoulli,normal,logistic" help:"p(x|z); auto is bernoulli"`
	WarmUp   float64        `json:"warm_up" default:"0.3" min:"0" max:"1" help:"share of the steps in which the weight of the KL terms rises from 0 to 1"`
	Epochs   int            `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 is 20, or as many as make 3,000 steps"`
	Batch    int            `json:"batch" default:"64" min:"2" max:"65536" help:"examples in a step; at most an eighth of the data"`
	Rate     float64        `json:"rate" default:"0.001" min:"1e-7" max:"10" help:"highest learning rate of Adam"`
	Schedule train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
	Patience int            `json:"patience" default:"0" min:"0" max:"100000" help:"stop after so many epochs without a better validation loss; 0 never"`
}

// loss is −ELBO, averaged over the mini-batch; in training with the KL terms at their present weight.
func (m *ladder) loss(b *train.Batch, warmUp *warmUp) train.Loss {
	x := m.seen(nn.Flatten(b.X), b.Mode.Noise)
	log, kl := m.bound(x, b.Y, b.Mode.Noise.Normal(x.Dims()[0], m.latentSize()))
	reconstruction, divergence := tensor.Neg(tensor.Mean(log)), tensor.Mean(kl)
	cost := divergence
	if b.Mode.Training {
		cost = tensor.Mul(cost, warmUp.next(x.Graph()))
	}
	return train.Loss{
		Value:   tensor.Add(reconstruction, cost),
		Metrics: []train.Metric{{Name: "reconstruction", Value: reconstruction}, {Name: "kl", Value: divergence}},
	}
}

// warmUp is a weight that rises from 1/steps to 1 in that many training steps, and counts them.
type warmUp struct {
	Steps *nn.Param // taken so far

	steps int
}

func newWarmUp(steps int) *warmUp {
	return &warmUp{&nn.Param{Init: nn.Zeros, Fixed: true}, steps}
}

// next is the weight of the step that the graph takes.
func (w *warmUp) next(g *tensor.Graph) *tensor.Node {
	before := w.Steps.Node(g)
	now := tensor.AddScalar(before, 1)
	g.Update(before, now)
	return tensor.Min(tensor.MulScalar(now, 1/float64(max(w.steps, 1))), g.Scalar(tensor.Float32, 1))
}

// Fit maximises the evidence lower bound by Adam on mini-batches.
func (r *Ladder) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	if s := set.Schema(); !s.IsImage() {
		return nil, nil, fmt.Errorf("ladder is made of convolutions of pictures, and the data is a table of %d columns; use vae", s.Size())
	}
	transform, err := data.FitTransform(ctx, set, data.Unit)
	if err != nil {
		return nil, nil, err
	}
	card := model.NewCard("ladder", r, set, transform, run)
	net, err := r.network(&card)
	if err != nil {
		return nil, nil, err
	}
	prior, err := classPrior(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	batch, epochs := pace(set.Len(), r.Batch, cmp.Or(run.Epochs, r.Epochs), 20)
	steps := epochs * (set.Len() / batch)
	warmUp := newWarmUp(int(math.Round(r.WarmUp * float64(steps))))
	params := nn.Collect(net)
	problem, err := train.NewProblem(&card, append(nn.Collect(&struct{ WarmUp any }{warmUp}), params...))
	if err != nil {
		return nil, nil, err
	}
	problem.Phases = []train.Phase{{Name: "ladder", Params: params, Optimiser: nn.NewAdam(), Loss: func(b *train.Batch) train.Loss {
		return net.loss(b, warmUp)
	}}}
	problem.Model = func(vars tensor.Vars) (model.Model, error) { return newLadder(card, net, vars, prior, run), nil }
	found, err := train.Minimise(ctx, problem, set, train.Options{
		Batch: batch, Epochs: epochs, Rate: r.Rate, Schedule: r.Schedule, Patience: r.Patience,
		WarmUp: min(200, steps/10), Clip: 200}, run)
	if err != nil {
		return nil, nil, err
	}
	found.Summary.Notes = append(found.Summary.Notes, net.notes(transform)...)
	return newLadder(card, net, found.Vars, prior, run), &found.Summary, nil
}

func init() {
	model.Register(model.Entry{
		Name: "ladder", Kind: model.Generative,
		Summary: "variational autoencoder with a hierarchy of latent layers, for pictures; p(x|y) where there are labels",
		Paper:   "Sønderby et al., Ladder variational autoencoders, NeurIPS 2016; Child, Very deep VAEs, ICLR 2021",
		New:     func() model.Spec { return model.NewRecipe[Ladder]() },
		Load: func(f *model.File) (model.Model, error) {
			prior, err := loadPrior(f)
			if err != nil {
				return nil, err
			}
			net, err := f.Card.Recipe.(*Ladder).network(&f.Card)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
			}
			vars, err := train.Vars(nn.Collect(net), f)
			if err != nil {
				return nil, err
			}
			return newLadder(f.Card, net, vars, prior, f.Run), nil
		},
	})
}
