package generative

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// Glow is the recipe of a normalising flow for pictures (Kingma and Dhariwal, Glow: generative flow with invertible 1x1
// convolutions, 2018). A bijection f turns a picture v into z ~ N(0, I), so that log p(v) = log N(f(v); 0, I) + log |det ∂f/∂v|,
// and sampling is v = f⁻¹(z). It has levels: each puts the pixels of 2×2 squares into channels, takes some steps of
//
//	actnorm            a scale and a shift for each channel
//	1×1 convolution    W = P L (U + diag e^s), whose log-determinant is Σ s at each pixel
//	affine coupling    half of the channels move by what a small convolutional network says of the other half
//
// and, but for the last, sends half of the channels out as part of z, by a normal distribution given the other half. With
// labels the model is p(x|y): the networks see the class.
//
// Pixels are whole numbers x, and the density is one of real numbers: v = x + u with u uniform on [0, 1). By Jensen's
// inequality
//
//	log P(x) = log E_u[p(x + u)] ≥ E_u[log p(x + u)]
//
// (Theis, van den Oord and Bethge, A note on the evaluation of generative models, 2016, section 3.1), so what is maximised, and
// reported, is a bound on the log-probability of the whole-number picture; several draws of u make it tighter.
type Glow struct {
	Levels   int            `json:"levels" default:"3" min:"1" max:"8" help:"how often the picture is halved, at most as often as its sides are even; an odd picture gets an even size first"`
	Steps    int            `json:"steps" default:"4" min:"1" max:"64" help:"steps of each level"`
	Width    int            `json:"width" default:"64" min:"1" max:"4096" help:"channels of a coupling's network"`
	Epochs   int            `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 is 10, or as many as make 3,000 steps"`
	Batch    int            `json:"batch" default:"64" min:"2" max:"65536" help:"examples in a step; at most an eighth of the data"`
	Rate     float64        `json:"rate" default:"0.002" min:"1e-7" max:"10" help:"highest learning rate of Adam"`
	Schedule train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
	Average  float64        `json:"average" default:"0.999" min:"0" max:"0.99999" help:"decay of the moving average of the parameters that is the result; 0 for none"`
	Dropout  float64        `json:"dropout" default:"0.1" min:"0" max:"0.9" help:"share of hidden channels of a coupling's network that a training step leaves out"`
	Patience int            `json:"patience" default:"20" min:"0" max:"100000" help:"stop after so many epochs without a better validation loss; 0 never"`
}

// Fit maximises the bound by Adam on mini-batches, with a new u for each picture and step.
func (r *Glow) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	schema := set.Schema()
	if !schema.IsImage() {
		return nil, nil, errors.New("glow is for pictures, and the data is a table; use realnvp")
	}
	transform, err := data.FitTransform(ctx, set, data.Raw)
	if err != nil {
		return nil, nil, err
	}
	prior, err := classPrior(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	card := model.NewCard("glow", r, set, transform, run)
	net := r.network(schema, len(prior))
	params := nn.Collect(net)
	problem, err := train.NewProblem(&card, params)
	if err != nil {
		return nil, nil, err
	}
	problem.Phases = []train.Phase{{Name: "glow", Params: params, Optimiser: nn.NewAdam(), Loss: func(b *train.Batch) train.Loss {
		u := b.Mode.Noise.Uniform(append([]int{b.X.Dims()[0]}, net.padded.Dims()...)...)
		z, logDet := net.encode(b.X, u, b.Y, b.Mode)
		return train.Loss{Value: negativeLogLikelihood(z, logDet, 0)}
	}}}
	problem.Model = func(vars tensor.Vars) (model.Model, error) { return newGlow(card, net, vars, prior, run) }
	batch, epochs := pace(set.Len(), r.Batch, cmp.Or(run.Epochs, r.Epochs), 10)
	patience := r.Patience
	if run.Validation == nil || run.Validation.Len() == 0 {
		patience = 0 // nothing to be patient about
	}
	found, err := train.Minimise(ctx, problem, set, train.Options{
		Batch: batch, Epochs: epochs, Rate: r.Rate, Schedule: r.Schedule, Patience: patience, Average: r.Average,
		WarmUp: min(200, epochs*(set.Len()/batch)/10), Clip: 100}, run)
	if err != nil {
		return nil, nil, err
	}
	found.Summary.Notes = append(found.Summary.Notes,
		"losses are bounds: the mean of −log p(x + u) with u uniform on [0, 1), at least −log P(x) of the whole-number picture x")
	if net.padded != net.shape {
		found.Summary.Notes = append(found.Summary.Notes, fmt.Sprintf(
			"%v has an odd side: the flow is one of %v, whose further pixels are uniform noise and widen the bound", net.shape, net.padded))
	}
	m, err := newGlow(card, net, found.Vars, prior, run)
	if err != nil {
		return nil, nil, fmt.Errorf("glow: %w; lower the rate", err)
	}
	return m, &found.Summary, nil
}

func init() {
	model.Register(model.Entry{
		Name: "glow", Kind: model.Generative,
		Summary: "normalising flow for pictures; p(x|y) where there are labels; a bound on log P(x) of whole-number pixels",
		Paper:   "Kingma and Dhariwal, Glow: generative flow with invertible 1x1 convolutions, NeurIPS 2018",
		New:     func() model.Spec { return model.NewRecipe[Glow]() },
		Load: func(f *model.File) (model.Model, error) {
			if !f.Card.Schema.IsImage() {
				return nil, fmt.Errorf("%w: a glow of a table, expected pictures", model.ErrDamaged)
			}
			prior, err := loadPrior(f)
			if err != nil {
				return nil, err
			}
			net := f.Card.Recipe.(*Glow).network(f.Card.Schema, len(prior))
			vars, err := finiteVars(nn.Collect(net), f)
			if err != nil {
				return nil, err
			}
			m, err := newGlow(f.Card, net, vars, prior, f.Run)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
			}
			return m, nil
		},
	})
}
