package generative

import (
	"cmp"
	"context"
	"fmt"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// GAN is the recipe of a generative adversarial network (Goodfellow et al., Generative adversarial nets, 2014). A generator
// makes x = G(z) of z ~ N(0, I); a discriminator D gives a logit, high where it believes that x is real. They take turns on
// each mini-batch, each minimising its part of the loss:
//
//	nonsaturating   Goodfellow et al., 2014                    at D's optimum: Jensen-Shannon divergence
//	hinge           Lim and Ye, 2017; Miyato et al., 2018      total variation
//	leastsquares    Mao et al., 2017                           a Pearson χ² divergence
//	wasserstein     Gulrajani et al., 2017                     earth mover's distance
//	relativistic    Huang et al., 2024                         a relativistic Jensen-Shannon divergence
//
// gan_loss.go has their formulas. The networks are those of DCGAN (Radford, Metz and Chintala, 2016) or small residual ones
// after R3GAN (Huang et al., 2024). DCGAN's discriminator has its batch norm unless the loss penalises gradients of single
// examples or its weights are under spectral norm. With labels, both see the class, and G(z, y) draws from p(x|y). The model
// gives samples only: no p(x). They come from a moving average of the generator's weights. The paper's DCGAN is
// loss=nonsaturating classes=maps channels=64 rate=0.0002.
type GAN struct {
	Loss     GANLoss    `json:"loss" default:"relativistic" choices:"nonsaturating,hinge,leastsquares,wasserstein,relativistic" help:"what the two minimise"`
	Network  GANNetwork `json:"network" default:"dcgan" choices:"dcgan,resnet" help:"shape of both networks; resnet has no normalisation"`
	Classes  GANClasses `json:"classes" default:"projection" choices:"projection,maps" help:"how the discriminator sees the class: projection, or a map for each beside the picture's channels"`
	Spectral bool       `json:"spectral" default:"false" help:"divide the discriminator's weights by their spectral norms; made for hinge"`
	Augment  bool       `json:"augment" default:"false" help:"brighten, move and cut what the discriminator sees (DiffAugment), so that it learns a small set less by heart"`
	Penalty  float64    `json:"penalty" default:"0" min:"0" max:"10000" help:"weight of the gradient penalty of wasserstein and relativistic; 0 is 10 and 1"`
	Critic   int        `json:"critic" default:"0" min:"0" max:"100" help:"steps of the discriminator for each of the generator, each on its own batch; 0 is 5 for wasserstein, else 1"`
	Latent   int        `json:"latent" default:"64" min:"1" max:"65536" help:"dimensions of z"`
	Channels int        `json:"channels" default:"32" min:"1" max:"4096" help:"channels of the wider feature maps; the deeper ones have twice as many"`
	Epochs   int        `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 is 20, or as many as make 3,000 steps"`
	Batch    int        `json:"batch" default:"64" min:"2" max:"65536" help:"examples in a step of either; at most an eighth of the data"`
	Rate     float64    `json:"rate" default:"0.0005" min:"1e-7" max:"1" help:"learning rate of Adam for both"`
	Average  float64    `json:"average" default:"0.999" min:"0" max:"0.99999" help:"decay of the moving average of the generator that samples"`
}

// GANLoss is what the two minimise; gan_loss.go has the formulas.
type GANLoss string

// The losses of a [GAN].
const (
	NonSaturating GANLoss = "nonsaturating"
	Hinge         GANLoss = "hinge"
	LeastSquares  GANLoss = "leastsquares"
	Wasserstein   GANLoss = "wasserstein"
	Relativistic  GANLoss = "relativistic"
)

// GANNetwork is the shape of both networks.
type GANNetwork string

// The networks of a [GAN].
const (
	DCGAN     GANNetwork = "dcgan"
	ResNetGAN GANNetwork = "resnet"
)

// GANClasses is how the discriminator sees the class.
type GANClasses string

// What a discriminator's logit has of the class.
const (
	ClassProjection GANClasses = "projection" // a product of its features with a vector for each class
	ClassMaps       GANClasses = "maps"       // maps of ones and zeros beside the picture's channels
)

// network is the pair for examples of that shape.
func (r *GAN) network(out data.Shape, classes int) *adversaries {
	t := traits{classes: classes, project: r.Classes == ClassProjection, spectral: r.Spectral}
	if r.Network == ResNetGAN {
		return newResNet(r.Latent, r.Channels, 2*r.Channels, out, t)
	}
	t.batchNorm = newGame(r.Loss).penalty == nil && !r.Spectral
	return newDCGAN(r.Latent, r.Channels, 2*r.Channels, out, t)
}

// Fit lets the two play until the epochs are done.
func (r *GAN) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	if err := model.Validate(r); err != nil {
		return nil, nil, fmt.Errorf("gan: %w", err)
	}
	schema := set.Schema()
	if !schema.IsImage() || min(schema.Height, schema.Width) < 4 {
		return nil, nil, fmt.Errorf("gan makes pictures of at least 4x4 pixels, and the data has %v; use gaussian or vae", schema.Shape)
	}
	game := newGame(r.Loss)
	if r.Penalty > 0 && game.penalty == nil {
		return nil, nil, fmt.Errorf("gan: penalty is %v, and the loss %s has none; use the loss wasserstein or relativistic, or spectral=true", r.Penalty, r.Loss)
	}
	transform, err := data.FitTransform(ctx, set, data.Symmetric)
	if err != nil {
		return nil, nil, err
	}
	prior, err := classPrior(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	critic, weight := cmp.Or(r.Critic, game.critic), cmp.Or(r.Penalty, game.weight)
	batch, epochs := pace(set.Len(), critic*r.Batch, cmp.Or(run.Epochs, r.Epochs), 20)
	batch = max(2, batch/critic)
	if set.Len() < critic*batch {
		return nil, nil, fmt.Errorf("gan: %d examples are too few for %d steps of the discriminator at a time, each on 2 or more; lower critic", set.Len(), critic)
	}
	view := func(x *tensor.Node, mode *nn.Mode) *tensor.Node { // what the discriminator sees of pictures
		if r.Augment {
			return diffAugment(x, mode.Noise)
		}
		return x
	}

	card := model.NewCard("gan", r, set, transform, run)
	net := r.network(transform.OutShape(), len(prior))
	all := nn.Collect(net)
	var real, fake, y *tensor.Node // of the discriminator's last turn: the generator plays on the same
	problem, err := train.NewProblem(&card, all)
	if err != nil {
		return nil, nil, err
	}
	problem.Phases = []train.Phase{
		{Name: "discriminator", Params: all.Under("discriminator"), Optimiser: game.adam, Repeats: critic, Loss: func(b *train.Batch) train.Loss {
			real, y = turnOf(b.X, b.Turn, batch), turnOf(b.Y, b.Turn, batch)
			fake = net.Generator.generate(b.Mode.Noise.Normal(batch, r.Latent), y, b.Mode)
			share := b.Mode.Noise.Uniform(batch, 1, 1, 1)
			loss := net.discriminatorLoss(game, weight, view(real, b.Mode), view(fake, b.Mode), y, share, b.Mode)
			loss.Metrics = append(loss.Metrics, spreads(real, fake, y, len(prior))...)
			return loss
		}},
		{Name: "generator", Params: all.Under("generator"), Optimiser: game.adam, Loss: func(b *train.Batch) train.Loss {
			return net.generatorLoss(game, view(real, b.Mode), view(fake, b.Mode), y, b.Mode)
		}},
	}
	problem.Health = collapseWatch(set.Len() / (critic * batch))
	problem.Model = func(vars tensor.Vars) (model.Model, error) {
		return newGenerator(card, net, r.Latent, vars, prior, run), nil
	}
	run.Validation = nil // neither loss tells how good the pictures are
	found, err := train.Minimise(ctx, problem, set, train.Options{Batch: critic * batch, Epochs: epochs, Rate: r.Rate, Average: r.Average}, run)
	if err != nil {
		return nil, nil, err
	}
	found.Summary.LossUnit = "the discriminator's"
	found.Summary.Notes = append(found.Summary.Notes, "the loss is the discriminator's; it does not tell how good the pictures are")
	return newGenerator(card, net, r.Latent, found.Vars, prior, run), &found.Summary, nil
}

// turnOf is the part of a batch that belongs to a turn of the discriminator, n examples; nil of nil.
func turnOf(x *tensor.Node, turn, n int) *tensor.Node {
	if x == nil {
		return nil
	}
	return tensor.SliceAxis(x, 0, turn*n, (turn+1)*n)
}

func init() {
	model.Register(model.Entry{
		Name: "gan", Kind: model.Generative,
		Summary: "generative adversarial network, five losses; p(x|y) where there are labels; samples only",
		Paper:   "Goodfellow et al., Generative adversarial nets, NeurIPS 2014; Huang et al., The GAN is dead; long live the GAN! A modern GAN baseline, NeurIPS 2024",
		New:     func() model.Spec { return model.NewRecipe[GAN]() },
		Load: func(f *model.File) (model.Model, error) {
			prior, err := loadPrior(f)
			if err != nil {
				return nil, err
			}
			recipe := f.Card.Recipe.(*GAN)
			net := recipe.network(f.Card.Transform.OutShape(), len(prior))
			vars, err := train.Vars(nn.Collect(net).Under("generator"), f)
			if err != nil {
				return nil, err
			}
			return newGenerator(f.Card, net, recipe.Latent, vars, prior, f.Run), nil
		},
	})
}
