package generative

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

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
// with one z = mean + sd·ε a step (their equations 8 and 10). With labels, encoder and decoder see the class too, and
// the model is p(x|y).
type VAE struct {
	Hidden   []int          `json:"hidden" default:"500,300" min:"1" max:"65536" help:"units of the encoder's hidden layers; the decoder has them in reverse"`
	Latent   int            `json:"latent" default:"32" min:"1" max:"65536" help:"dimensions of z"`
	Output   Output         `json:"output" default:"auto" choices:"auto,bernoulli,normal,logistic" help:"p(x|z); auto is bernoulli for pictures, normal for tables"`
	Beta     float64        `json:"beta" default:"1" min:"0" max:"1000" help:"weight of the KL term; 1 is the bound"`
	FreeBits float64        `json:"free_bits" default:"0" min:"0" max:"100" help:"nats of KL in each latent dimension that cost nothing"`
	Epochs   int            `json:"epochs" default:"50" min:"1" max:"100000" help:"passes over the data"`
	Batch    int            `json:"batch" default:"128" min:"1" max:"65536" help:"examples in a step"`
	Rate     float64        `json:"rate" default:"0.001" min:"1e-7" max:"10" help:"highest learning rate of Adam"`
	Schedule train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
	Patience int            `json:"patience" default:"0" min:"0" max:"100000" help:"stop after so many epochs without a better validation loss; 0 never"`
}

// Output is the distribution p(x|z) of a [VAE].
type Output string

// The outputs.
const (
	// Auto is Bernoulli for pictures and Normal for tables.
	Auto Output = "auto"
	// Bernoulli takes each pixel for a coin with probability x/MaxValue, tossed anew each time it is looked at (dynamic
	// binarisation): the likelihood is that of the binarised picture.
	Bernoulli Output = "bernoulli"
	// Normal has a mean for each x and z and a variance for each column, a density in raw units; the categorical columns of
	// a table have probabilities instead.
	Normal Output = "normal"
	// Logistic is the discretised logistic: the probability of the whole numbers 0..MaxValue, exactly.
	Logistic Output = "logistic"
)

// autoencoder is the network of a [VAE].
type autoencoder struct {
	Encoder           []nn.Dense
	Mean, LogVariance nn.Dense
	Decoder           []nn.Dense
	Out               nn.Dense
	Spread            *nn.Param // of x given z, for each element: log variance or log scale

	output     Output
	latent     int
	classes    int     // 0 without labels
	levels     int     // of a pixel; 1 for tables
	categories []block // in the rows of a table
}

// block is the elements [from, to) of t(x) that are a categorical column, one-hot.
type block struct{ from, to int }

// leastLogVariance bounds the variance of Normal outputs on the scale of the transform, log 10⁻⁴: the density of a column
// that never changes has no maximum.
var leastLogVariance = math.Log(1e-4)

func (r *VAE) network(card *model.Card, classes int) *autoencoder {
	size := card.Transform.OutShape().Size()
	net := &autoencoder{output: r.Output, latent: r.Latent, classes: classes, levels: int(card.Schema.MaxValue) + 1}
	if net.output == Auto {
		net.output = Normal
		if card.Schema.IsImage() {
			net.output = Bernoulli
		}
	}
	at := 0
	for _, step := range card.Transform.Steps {
		if step.OneHot {
			net.categories = append(net.categories, block{at, at + len(step.Levels)})
			at += len(step.Levels)
		} else {
			at++
		}
	}
	width := size + classes
	for _, units := range r.Hidden {
		net.Encoder = append(net.Encoder, nn.NewDense(width, units, nn.HeNormal))
		width = units
	}
	net.Mean = nn.NewDense(width, r.Latent, nn.GlorotUniform)
	net.LogVariance = nn.NewDense(width, r.Latent, nn.GlorotUniform)
	width = r.Latent + classes
	for i := range r.Hidden {
		units := r.Hidden[len(r.Hidden)-1-i]
		net.Decoder = append(net.Decoder, nn.NewDense(width, units, nn.HeNormal))
		width = units
	}
	net.Out = nn.NewDense(width, size, nn.GlorotUniform)
	switch net.output {
	case Normal:
		net.Spread = &nn.Param{Dims: []int{size}, Init: nn.Zeros}
		if card.Schema.IsImage() { // most pixels of [0, 1] vary by much less than 1
			net.Spread.Init = nn.Constant(-3)
		}
	case Logistic:
		net.Spread = &nn.Param{Dims: []int{size}, Init: nn.Constant(-2)}
	}
	return net
}

// given appends the class, one-hot, to each row.
func (m *autoencoder) given(x, y *tensor.Node) *tensor.Node {
	if m.classes == 0 {
		return x
	}
	return tensor.Concat(1, x, tensor.OneHot(y, tensor.Float32, m.classes))
}

// encode is q(z|x): mean and log variance, (n, latent).
func (m *autoencoder) encode(x, y *tensor.Node) (mean, logVariance *tensor.Node) {
	h := m.given(nn.Flatten(x), y)
	for _, layer := range m.Encoder {
		h = nn.ReLU(layer.Apply(h))
	}
	return m.Mean.Apply(h), m.LogVariance.Apply(h)
}

// decode is the parameter of p(x|z), (n, size): a logit for Bernoulli, else the mean.
func (m *autoencoder) decode(z, y *tensor.Node) *tensor.Node {
	h := m.given(z, y)
	for _, layer := range m.Decoder {
		h = nn.ReLU(layer.Apply(h))
	}
	return m.Out.Apply(h)
}

// logLikelihood is log p(x|z) of each example, (n), in nats, on the scale of the transform.
func (m *autoencoder) logLikelihood(z, y, x *tensor.Node) *tensor.Node {
	out := m.decode(z, y)
	var each *tensor.Node
	switch m.output {
	case Bernoulli:
		each = nn.BernoulliLogLikelihood(out, x)
	case Normal:
		spread := m.Spread.Node(x.Graph())
		least := x.Graph().Scalar(tensor.Float32, leastLogVariance)
		return m.rowLogLikelihood(out, tensor.Max(spread, least), x)
	case Logistic:
		each = nn.DiscretisedLogisticLogLikelihood(out, m.Spread.Node(x.Graph()), x, m.levels)
	}
	return tensor.Sum(each, 1)
}

// rowLogLikelihood adds up log N(x; mean, variance) of real elements and log softmax(out) at x of each categorical column,
// which is 0 where it is missing.
func (m *autoencoder) rowLogLikelihood(out, logVariance, x *tensor.Node) *tensor.Node {
	total := tensor.ZerosLike(tensor.Sum(x, 1))
	at, size := 0, x.Dims()[1]
	numbers := func(to int) { // elements [at, to)
		part := func(x *tensor.Node, axis int) *tensor.Node {
			if to-at == size {
				return x
			}
			return tensor.SliceAxis(x, axis, at, to)
		}
		if at < to {
			total = tensor.Add(total, tensor.Sum(nn.NormalLogLikelihood(part(out, 1), part(logVariance, 0), part(x, 1)), 1))
		}
	}
	for _, c := range m.categories {
		numbers(c.from)
		log := tensor.LogSoftmax(tensor.SliceAxis(out, 1, c.from, c.to))
		total = tensor.Add(total, tensor.Sum(tensor.Mul(tensor.SliceAxis(x, 1, c.from, c.to), log), 1))
		at = c.to
	}
	numbers(size)
	return total
}

// isCategory reports whether element j of t(x) belongs to a categorical column.
func (m *autoencoder) isCategory(j int) bool {
	return slices.ContainsFunc(m.categories, func(c block) bool { return c.from <= j && j < c.to })
}

// reparameterise is z = mean + sd·ε.
func reparameterise(mean, logVariance, epsilon *tensor.Node) *tensor.Node {
	return tensor.Add(mean, tensor.Mul(tensor.Exp(tensor.MulScalar(logVariance, 0.5)), epsilon))
}

// bound is the two terms of the evidence lower bound with one z for each example: log p(x|z), (n), and the KL divergence
// of each latent dimension, (n, latent).
func (m *autoencoder) bound(x, y, epsilon *tensor.Node) (reconstruction, kl *tensor.Node) {
	mean, logVariance := m.encode(x, y)
	z := reparameterise(mean, logVariance, epsilon)
	return m.logLikelihood(z, y, x), nn.KLStandardNormal(mean, logVariance)
}

// loss is −ELBO with the recipe's weights, averaged over the mini-batch.
func (m *autoencoder) loss(r *VAE, b *train.Batch) train.Loss {
	x := nn.Flatten(b.X)
	n := x.Dims()[0]
	if m.output == Bernoulli {
		x = tensor.Convert(tensor.Less(b.Mode.Noise.Uniform(x.Dims()...), x), tensor.Float32)
	}
	return m.lossGiven(r, x, b.Y, b.Mode.Noise.Normal(n, m.latent), b.Mode.Training)
}

// lossGiven is the loss for given x and noise. Outside training it is −ELBO itself.
func (m *autoencoder) lossGiven(r *VAE, x, y, epsilon *tensor.Node, training bool) train.Loss {
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

// Fit maximises the evidence lower bound by Adam on mini-batches.
func (r *VAE) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	schema := set.Schema()
	transform, err := data.FitTransform(ctx, set, data.DefaultTransform(schema))
	if err != nil {
		return nil, nil, err
	}
	card := model.NewCard("vae", r, set, transform, run)
	net := r.network(&card, len(schema.Classes))
	if net.output != Normal && !schema.IsImage() {
		return nil, nil, fmt.Errorf("vae: output %s is for pictures, and the data is a table; use normal", net.output)
	}
	prior, err := classPrior(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	identity, err := json.Marshal(r)
	if err != nil {
		return nil, nil, err
	}
	params := nn.Collect(net)
	problem := train.Problem{
		Params: params,
		Phases: []train.Phase{{Name: "vae", Params: params, Optimiser: nn.NewAdam(), Loss: func(b *train.Batch) train.Loss {
			return net.loss(r, b)
		}}},
		Shape: transform.OutShape().Dims(), Out: transform.OutShape(), Labelled: net.classes > 0,
		Prepare:  func(dst, raw data.Batch, _ train.Rand) error { return transform.Apply(dst, raw) },
		Identity: "vae" + string(identity),
	}
	found, err := train.Minimise(ctx, problem, set, train.Options{
		Batch: r.Batch, Epochs: r.Epochs, Rate: r.Rate, Schedule: r.Schedule, Patience: r.Patience, WarmUp: 200, Clip: 100}, run)
	if err != nil {
		return nil, nil, err
	}
	found.Summary.Notes = append(found.Summary.Notes, net.notes(transform)...)
	return newAutoencoder(card, net, found.Vars, prior, run), &found.Summary, nil
}

// notes are what a person should know about the losses and samples.
func (m *autoencoder) notes(t *data.Transform) (notes []string) {
	missing := 0
	for _, step := range t.Steps {
		if !step.OneHot {
			missing += step.Missing
		}
	}
	if missing > 0 {
		notes = append(notes, fmt.Sprintf("%d missing numbers were taken for the mean of their column", missing))
	}
	switch m.output {
	case Bernoulli:
		notes = append(notes, "losses and bounds are nats of dynamically binarised pictures: each pixel is a coin with probability x/max, tossed anew each time")
	case Normal:
		notes = append(notes, "losses are nats on the scale of the transform, bounds are nats in raw units")
	}
	if m.levels > 1 {
		notes = append(notes, "samples are the means of p(x|z); set noise to draw from it")
	}
	return notes
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
			net := f.Card.Recipe.(*VAE).network(&f.Card, len(prior))
			vars, err := train.Vars(nn.Collect(net), f)
			if err != nil {
				return nil, err
			}
			return newAutoencoder(f.Card, net, vars, prior, f.Run), nil
		},
	})
}
