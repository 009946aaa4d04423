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

// VAE is the recipe of a variational autoencoder (Kingma and Welling, Auto-Encoding Variational Bayes, 2014). Latent
// z ~ N(0, I) gives x by a decoder p(x|z); an encoder q(z|x) = N(mean(x), diag variance(x)) stands for the posterior. What is
// maximised is the evidence lower bound
//
//	ELBO(x) = E_q[log p(x|z)] − KL(q(z|x) || p(z)) ≤ log p(x),
//
// with one z = mean + sd·ε a step (their equations 8 and 10). With labels the model is p(x|y): encoder and decoder see the
// class too, and the decoder takes not z but centre_y + scale_y z. That is to say that each class has a prior
// N(centre_y, diag scale_y²) of its own, learned with the rest (Sohn, Lee and Yan, Learning structured output representation
// using deep conditional generative models, 2015, with y for their x), and that z is counted from there.
//
// With draws k > 1 the importance-weighted bound is maximised, which is tighter (Burda, Grosse and Salakhutdinov, Importance
// weighted autoencoders, 2016, eq. 8):
//
//	E_q[log (1/k) Σ_j p(x, z_j)/q(z_j|x)] ≤ log p(x),    z_1 … z_k ~ q(z|x)
//
// Prior gives z another distribution than N(0, I), learned with the rest: see [LatentPrior].
type VAE struct {
	Hidden   []int          `json:"hidden" default:"500,300" min:"1" max:"65536" help:"units of the encoder's hidden layers; the decoder has them in reverse"`
	Channels []int          `json:"channels" default:"" min:"1" max:"65536" help:"channels of 4x4 convolutions of stride 2 before the encoder's hidden layers, and of transposed ones after the decoder's, for pictures; none by default"`
	Latent   int            `json:"latent" default:"32" min:"1" max:"65536" help:"dimensions of z"`
	Prior    LatentPrior    `json:"prior" default:"normal" choices:"normal,vamp,flow" help:"p(z): standard normal, a mixture of the posteriors of learned inputs, or a flow"`
	Pseudo   int            `json:"pseudo" default:"100" min:"1" max:"65536" help:"learned inputs of a vamp prior, shared out among the classes"`
	Coupling int            `json:"coupling" default:"4" min:"1" max:"64" help:"affine couplings of a flow prior"`
	Output   Output         `json:"output" default:"auto" choices:"auto,bernoulli,normal,logistic" help:"p(x|z); auto is bernoulli for pictures, normal for tables"`
	Draws    int            `json:"draws" default:"1" min:"1" max:"1024" help:"draws of z in the importance-weighted bound that is maximised; 1 is the evidence lower bound"`
	Beta     float64        `json:"beta" default:"1" min:"0" max:"1000" help:"weight of the KL term; 1 is the bound"`
	FreeBits float64        `json:"free_bits" default:"0" min:"0" max:"100" help:"nats of KL in each latent dimension that cost nothing"`
	Epochs   int            `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 is 50, or as many as make 3,000 steps"`
	Batch    int            `json:"batch" default:"128" min:"2" max:"65536" help:"examples in a step; at most an eighth of the data"`
	Rate     float64        `json:"rate" default:"0.002" min:"1e-7" max:"10" help:"highest learning rate of Adam"`
	Schedule train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
	Patience int            `json:"patience" default:"0" min:"0" max:"100000" help:"stop after so many epochs without a better validation loss; 0 never"`
}

// loss is −ELBO with the recipe's weights, or the importance-weighted bound with a minus, averaged over the mini-batch.
func (m *autoencoder) loss(r *VAE, b *train.Batch) train.Loss {
	x := nn.Flatten(b.X)
	n := x.Dims()[0]
	x = m.seen(x, b.Mode.Noise)
	return m.lossGiven(r, x, b.Y, b.Mode.Noise.Normal(r.Draws*n, m.latent), b.Mode.Training)
}

// lossGiven is the loss for given x, (n, size), and noise, (draws·n, latent), draw by draw. Outside training it is the bound
// itself, with a minus.
func (m *autoencoder) lossGiven(r *VAE, x, y, epsilon *tensor.Node, training bool) train.Loss {
	if r.Draws > 1 {
		return m.importanceLoss(r.Draws, x, y, epsilon)
	}
	log, kl := m.bound(x, y, epsilon)
	reconstruction := tensor.Neg(tensor.Mean(log))
	divergence := tensor.Sum(tensor.Mean(kl, 0))
	cost := divergence
	if training {
		if r.FreeBits > 0 { // Kingma et al., Improving variational inference with inverse autoregressive flow, 2016, eq. 16
			free := x.Graph().Scalar(tensor.Float32, r.FreeBits)
			cost = tensor.Sum(tensor.Max(tensor.Mean(kl, 0), free))
		}
		cost = tensor.MulScalar(cost, r.Beta)
	}
	return train.Loss{
		Value:   tensor.Add(reconstruction, cost),
		Metrics: []train.Metric{{Name: "reconstruction", Value: reconstruction}, {Name: "kl", Value: divergence}},
	}
}

// importanceLoss is −log (1/k) Σ_j w_j with w_j = p(x, z_j)/q(z_j|x), averaged over the mini-batch.
func (m *autoencoder) importanceLoss(k int, x, y, epsilon *tensor.Node) train.Loss {
	n := x.Dims()[0]
	mean, logVariance := m.encode(x, y)
	if y != nil {
		y = repeat(y, k)
	}
	mean, logVariance = repeat(mean, k), repeat(logVariance, k)
	z := reparameterise(mean, logVariance, epsilon)
	log, ratio := m.logLikelihood(m.decode(z, y), repeat(x, k)), m.logRatio(z, y, logVariance, epsilon)
	weights := tensor.Transpose(tensor.Reshape(tensor.Sub(log, ratio), k, n), 1, 0) // log w, (n, k)
	return train.Loss{
		Value: tensor.AddScalar(tensor.Neg(tensor.Mean(tensor.LogSumExp(weights))), math.Log(float64(k))),
		Metrics: []train.Metric{
			{Name: "reconstruction", Value: tensor.Neg(tensor.Mean(log))},
			{Name: "kl", Value: tensor.Mean(ratio)}, // an estimate
		},
	}
}

// repeat is k copies of x, one after the other along its first axis.
func repeat(x *tensor.Node, k int) *tensor.Node {
	dims := x.Dims()
	x = tensor.BroadcastTo(tensor.Reshape(x, append([]int{1}, dims...)...), append([]int{k}, dims...)...)
	return tensor.Reshape(x, append([]int{-1}, dims[1:]...)...)
}

// Fit maximises the bound by Adam on mini-batches.
func (r *VAE) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	schema := set.Schema()
	transform, err := data.FitTransform(ctx, set, data.DefaultTransform(schema))
	if err != nil {
		return nil, nil, err
	}
	card := model.NewCard("vae", r, set, transform, run)
	net, err := r.network(&card)
	if err != nil {
		return nil, nil, err
	}
	if net.Pseudo != nil {
		if err := net.beginPseudo(ctx, set, &card); err != nil {
			return nil, nil, err
		}
	}
	prior, err := classPrior(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	params := nn.Collect(net)
	problem, err := train.NewProblem(&card, params)
	if err != nil {
		return nil, nil, err
	}
	problem.Phases = []train.Phase{{Name: "vae", Params: params, Optimiser: nn.NewAdam(), Loss: func(b *train.Batch) train.Loss {
		return net.loss(r, b)
	}}}
	problem.Model = func(vars tensor.Vars) (model.Model, error) { return newAutoencoder(card, net, vars, prior, run), nil }
	batch, epochs := pace(set.Len(), r.Batch, cmp.Or(run.Epochs, r.Epochs), 50)
	found, err := train.Minimise(ctx, problem, set, train.Options{
		Batch: batch, Epochs: epochs, Rate: r.Rate, Schedule: r.Schedule, Patience: r.Patience,
		WarmUp: min(200, epochs*(set.Len()/batch)/10), Clip: 100}, run)
	if err != nil {
		return nil, nil, err
	}
	found.Summary.Notes = append(found.Summary.Notes, net.notes(transform)...)
	if kl := found.Metrics["kl"]; kl < 0.01*float64(r.Latent) {
		found.Summary.Notes = append(found.Summary.Notes, fmt.Sprintf("z tells almost nothing of x: KL(q(z|x) || p(z)) is %.2g nats; lower beta, set free_bits, or train longer", kl))
	}
	return newAutoencoder(card, net, found.Vars, prior, run), &found.Summary, nil
}

func init() {
	model.Register(model.Entry{
		Name: "vae", Kind: model.Generative,
		Summary: "variational autoencoder; p(x|y) where there are labels",
		Paper:   "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
		New:     func() model.Spec { return model.NewRecipe[VAE]() },
		Load: func(f *model.File) (model.Model, error) {
			prior, err := loadPrior(f)
			if err != nil {
				return nil, err
			}
			net, err := f.Card.Recipe.(*VAE).network(&f.Card)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
			}
			vars, err := train.Vars(nn.Collect(net), f)
			if err != nil {
				return nil, err
			}
			return newAutoencoder(f.Card, net, vars, prior, f.Run), nil
		},
	})
}
