package generative

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

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
	// Normal has a mean for each x and z and a variance for each column: a density in raw units.
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

	output  Output
	latent  int
	classes int // 0 without labels
	levels  int // of a pixel
}

func (r *VAE) network(card *model.Card, classes int) *autoencoder {
	size := card.Transform.OutShape().Size()
	net := &autoencoder{output: r.Output, latent: r.Latent, classes: classes, levels: int(card.Schema.MaxValue) + 1}
	if net.output == Auto {
		net.output = Normal
		if card.Schema.IsImage() {
			net.output = Bernoulli
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
		each = nn.NormalLogLikelihood(out, m.Spread.Node(x.Graph()), x)
	case Logistic:
		each = nn.DiscretisedLogisticLogLikelihood(out, m.Spread.Node(x.Graph()), x, m.levels)
	}
	return tensor.Sum(each, 1)
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
	if net.output == Bernoulli {
		found.Summary.Notes = append(found.Summary.Notes, "losses are nats of dynamically binarised pictures")
	}
	return newAutoencoder(card, net, found.Vars, prior, run), &found.Summary, nil
}

// Autoencoder is a fitted [VAE] of p(x).
type Autoencoder struct {
	model.Card
	net    *autoencoder
	params nn.Params
	vars   tensor.Vars
	prior  []float64 // of the classes
	tuning Draw

	bounds, weights, encoder, decoder *train.Function
}

// CondAutoencoder is a fitted [VAE] of p(x|y).
type CondAutoencoder struct{ Autoencoder }

// Draw are the sampling options of a [VAE].
type Draw struct {
	Temperature float64 `json:"temperature" default:"1" min:"0" max:"10" help:"standard deviation of z"`
	Noise       bool    `json:"noise" default:"false" help:"draw x from p(x|z) where its mean would be a picture too"`
}

func newAutoencoder(card model.Card, net *autoencoder, vars tensor.Vars, prior []float64, run model.Run) model.Model {
	m := Autoencoder{Card: card, net: net, params: nn.Collect(net), vars: vars, prior: prior, tuning: *model.NewRecipe[Draw]()}
	size := card.Transform.OutShape().Size()
	inputs := func(g *tensor.Graph, n, width int) (x, y *tensor.Node) {
		x = g.Input("x", tensor.Float32, n, width)
		if net.classes > 0 {
			y = g.Input("y", tensor.Int32, n)
		}
		return x, y
	}
	m.bounds = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		x, y := inputs(g, n, size)
		log, kl := net.bound(x, y, g.Input("epsilon", tensor.Float32, n, net.latent))
		g.Output("result", tensor.Sub(log, tensor.Sum(kl, 1)))
	})
	m.weights = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		x, y := inputs(g, n, size)
		epsilon := g.Input("epsilon", tensor.Float32, n, net.latent)
		mean, logVariance := net.encode(x, y)
		z := reparameterise(mean, logVariance, epsilon)
		// log p(z) − log q(z|x): the normalising constants cancel.
		ratio := tensor.MulScalar(tensor.Sub(tensor.Add(tensor.Square(epsilon), logVariance), tensor.Square(z)), 0.5)
		g.Output("result", tensor.Add(net.logLikelihood(z, y, x), tensor.Sum(ratio, 1)))
	})
	m.encoder = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		mean, _ := net.encode(inputs(g, n, size))
		g.Output("result", mean)
	})
	m.decoder = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		out := net.decode(inputs(g, n, net.latent))
		if net.output == Bernoulli {
			out = tensor.Sigmoid(out)
		}
		g.Output("result", out)
	})
	if net.classes > 0 {
		return &CondAutoencoder{m}
	}
	return &m
}

// call runs a function of rows x (n, width) under classes y.
func (m *Autoencoder) call(f *train.Function, dst, x, epsilon []float32, y []int32, n int) error {
	if n == 0 {
		return nil
	}
	in, out, wide := len(x)/n, len(dst)/n, m.net.latent
	return f.Call(n, func(e tensor.Executable, from, to int) {
		copy(e.Input("x").F32, x[from*in:to*in])
		if m.net.classes > 0 {
			copy(e.Input("y").I32, y[from:to])
		}
		if epsilon != nil {
			copy(e.Input("epsilon").F32, epsilon[from*wide:to*wide])
		}
	}, func(e tensor.Executable, from, to int) { copy(dst[from*out:to*out], e.Output("result").F32) })
}

// observed is x as the likelihood sees it: transformed, and binarised for Bernoulli.
func (m *Autoencoder) observed(x data.Batch, r *rand.Rand) (data.Batch, error) {
	if err := model.CheckRand(r); err != nil {
		return data.Batch{}, err
	}
	t, err := m.Transformed(x)
	if err != nil || m.net.output != Bernoulli {
		return t, err
	}
	for i, p := range t.X {
		t.X[i] = 0
		if r.Float32() < p {
			t.X[i] = 1
		}
	}
	return t, nil
}

// LikelihoodOf tells that a Bernoulli output speaks of binarised pixels.
func (m *Autoencoder) LikelihoodOf() string {
	if m.net.output == Bernoulli {
		return "dynamically binarised pixels"
	}
	return ""
}

// rawUnits is what a log-likelihood on the scale of the transform lacks of one in raw units.
func (m *Autoencoder) rawUnits() float64 {
	if m.net.output == Normal {
		return m.Transform.LogDet()
	}
	return 0 // probabilities of whole numbers have no unit
}

func (m *Autoencoder) evaluate(f *train.Function, x []float32, y []int32, n int, r *rand.Rand) ([]float32, error) {
	log := make([]float32, n)
	return log, m.call(f, log, x, normals(n*m.net.latent, 1, r), y, n)
}

// LogBound sets dst[i] to the evidence lower bound of x_i with one draw of z, in nats.
func (m *Autoencoder) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return m.logBound(dst, x, nil, r)
}

func (m *Autoencoder) logBound(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	t, err := m.observed(x, r)
	if err != nil {
		return err
	}
	log, err := m.evaluate(m.bounds, t.X, y, x.Len(), r)
	for i, l := range log {
		dst[i] = float64(l) + m.rawUnits()
	}
	return err
}

// LogImportanceBound sets dst[i] to log (1/k) Σ_j p(x_i, z_j)/q(z_j|x_i), in nats (Burda, Grosse and Salakhutdinov, Importance
// weighted autoencoders, 2016, eq. 8).
func (m *Autoencoder) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	return m.logImportanceBound(dst, x, nil, k, r)
}

func (m *Autoencoder) logImportanceBound(dst []float64, x data.Batch, y []int32, k int, r *rand.Rand) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	t, err := m.observed(x, r) // one binarisation for all draws of z
	if err != nil {
		return err
	}
	total := newLogMeans(dst)
	for range k {
		log, err := m.evaluate(m.weights, t.X, y, x.Len(), r)
		if err != nil {
			return err
		}
		total.add(log, m.rawUnits())
	}
	total.finish(float64(k))
	return nil
}

// LogBound sets dst[i] to log Σ_y p(y) p(x_i, z_y|y)/q(z_y|x_i, y) with one draw of z for each class: its mean is at most
// log p(x_i), in nats.
func (m *CondAutoencoder) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return m.LogImportanceBound(dst, x, 1, r)
}

// LogImportanceBound is LogBound with k draws of z for each class.
func (m *CondAutoencoder) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	t, err := m.observed(x, r)
	if err != nil {
		return err
	}
	total := newLogMeans(dst)
	y := make([]int32, x.Len())
	for class, p := range m.prior {
		if p == 0 {
			continue
		}
		for i := range y {
			y[i] = int32(class)
		}
		for range k {
			log, err := m.evaluate(m.weights, t.X, y, x.Len(), r)
			if err != nil {
				return err
			}
			total.add(log, m.rawUnits()+math.Log(p))
		}
	}
	total.finish(float64(k))
	return nil
}

// LogBoundGiven sets dst[i] to the evidence lower bound of log p(x_i|y_i) with one draw of z, in nats.
func (m *CondAutoencoder) LogBoundGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logBound(dst, x, y, r)
}

// LogImportanceBoundGiven sets dst[i] to the importance-weighted bound of log p(x_i|y_i) with k draws, in nats.
func (m *CondAutoencoder) LogImportanceBoundGiven(dst []float64, x data.Batch, y []int32, k int, r *rand.Rand) error {
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logImportanceBound(dst, x, y, k, r)
}

// Sample draws z ~ N(0, I) and gives the mean of p(x|z), or a draw from it where x is not a picture.
func (m *Autoencoder) Sample(dst data.Batch, r *rand.Rand) error { return m.sample(dst, nil, r) }

// Sample draws a class from their frequencies for each x, and then as SampleGiven.
func (m *CondAutoencoder) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws z ~ N(0, I) and gives the mean of p(x|z, y), or a draw from it where x is not a picture.
func (m *CondAutoencoder) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *Autoencoder) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	out, err := m.decode(normals(dst.Len()*m.net.latent, m.tuning.Temperature, r), y, dst.Len())
	if err != nil {
		return err
	}
	if m.tuning.Noise || m.net.output == Normal {
		m.addNoise(out, r)
	}
	return m.Transform.Invert(dst, out)
}

// addNoise turns means into draws from p(x|z).
func (m *Autoencoder) addNoise(x data.Batch, r *rand.Rand) {
	size := x.Shape.Size()
	for i, mean := range x.X {
		switch m.net.output {
		case Bernoulli:
			x.X[i] = 0
			if r.Float32() < mean {
				x.X[i] = 1
			}
		case Normal:
			sd := math.Exp(float64(m.vars[m.net.Spread.Name].F32[i%size]) / 2)
			x.X[i] = mean + float32(sd*r.NormFloat64())
		case Logistic:
			scale := math.Exp(float64(m.vars[m.net.Spread.Name].F32[i%size]))
			u := (r.Float64() + 0x1p-54) / (1 + 0x1p-53) // inside (0, 1)
			x.X[i] = mean + float32(scale*math.Log(u/(1-u)))
		}
	}
}

func (m *Autoencoder) decode(z []float32, y []int32, n int) (data.Batch, error) {
	out := data.NewBatch(m.Transform.OutShape(), n, false)
	return out, m.call(m.decoder, out.X, z, nil, y, n)
}

// LatentSize is the number of dimensions of z.
func (m *Autoencoder) LatentSize() int { return m.net.latent }

// Encode gives the mean of q(z|x).
func (m *Autoencoder) Encode(dst []float32, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), m.net.latent); err != nil {
		return err
	}
	if m.net.classes > 0 {
		if err := m.CheckClasses(y, x.Len()); err != nil {
			return err
		}
	}
	t, err := m.Transformed(x)
	if err != nil {
		return err
	}
	return m.call(m.encoder, dst, t.X, nil, y, x.Len())
}

// Decode gives the mean of p(x|z).
func (m *Autoencoder) Decode(dst data.Batch, z []float32, y []int32) error {
	if err := m.CheckResults(dst, len(z)/m.net.latent, 1); err != nil {
		return err
	}
	if m.net.classes > 0 {
		if err := m.CheckClasses(y, dst.Len()); err != nil {
			return err
		}
	}
	out, err := m.decode(z, y, dst.Len())
	if err != nil {
		return err
	}
	return m.Transform.Invert(dst, out)
}

// Options are the sampling options, a *[Draw].
func (m *Autoencoder) Options() any { o := m.tuning; return &o }

// Tune is the model with other sampling options.
func (m *Autoencoder) Tune(options any) (model.Model, error) {
	o, ok := options.(*Draw)
	if !ok {
		return nil, fmt.Errorf("vae: sampling options are %T, expected %T", options, o)
	}
	tuned := *m
	tuned.tuning = *o
	return &tuned, nil
}

// Tune is the model with other sampling options.
func (m *CondAutoencoder) Tune(options any) (model.Model, error) {
	tuned, err := m.Autoencoder.Tune(options)
	if err != nil {
		return nil, err
	}
	return &CondAutoencoder{*tuned.(*Autoencoder)}, nil
}

// Save writes the model file.
func (m *Autoencoder) Save(w io.Writer) error {
	return m.Card.Save(w, append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...))
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
