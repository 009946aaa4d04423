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

// VQVAE is the recipe of a vector-quantised autoencoder of pictures (van den Oord, Vinyals and Kavukcuoglu, Neural discrete
// representation learning, 2017). An encoder makes a grid of vectors z(x), each of which is replaced by the nearest of K codes,
//
//	z_q = e_k,    k = argmin_j |z − e_j|²                                                      (their eq. 1 and 2)
//
// and a decoder makes x of the grid of codes. Encoder and decoder minimise
//
//	|x − decode(z_q)|²/variance of x + commitment · |z − sg(e)|²                               (their eq. 3)
//
// as means over elements, where sg is a constant to the gradient and the gradient by z_q is taken for the one by z. A code is
// the moving average of the vectors that it stands for (their appendix A.1):
//
//	N_k ← γ N_k + (1−γ) n_k,    m_k ← γ m_k + (1−γ) Σ z,    e_k = m_k/N_k
//
// One that stands for next to nothing begins again at an output of the encoder, chosen at random (Dhariwal et al., Jukebox,
// 2020, section 3.2). A second network, the prior, learns the distribution of the grids of codes, one code after the other,
// p(k) = Π_i p(k_i|k_1 … k_(i−1)), or p(k|y) with labels; it learns beside the first, whose codes settle as the learning rate
// falls. A new picture is a grid drawn from the prior, decoded. The model gives samples and codes only: no p(x).
type VQVAE struct {
	Channels   int            `json:"channels" default:"32" min:"1" max:"4096" help:"channels of the feature maps of encoder and decoder"`
	Halvings   int            `json:"halvings" default:"0" min:"0" max:"8" help:"how often the picture is halved to the grid of codes; 0 is 2, or as often as leaves 4 of them a side"`
	Codes      int            `json:"codes" default:"128" min:"2" max:"65536" help:"K, how many codes there are"`
	Dimensions int            `json:"dimensions" default:"16" min:"1" max:"4096" help:"dimensions of a code"`
	Commitment float64        `json:"commitment" default:"0.25" min:"0" max:"100" help:"weight of the distance of the encoder's vectors from their codes"`
	Decay      float64        `json:"decay" default:"0.99" min:"0" max:"0.99999" help:"decay of the moving averages that are the codes"`
	Prior      int            `json:"prior" default:"64" min:"1" max:"4096" help:"channels of the prior's feature maps"`
	Layers     int            `json:"layers" default:"3" min:"1" max:"64" help:"layers of the prior"`
	Epochs     int            `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 is 20, or as many as make 3,000 steps"`
	Batch      int            `json:"batch" default:"64" min:"2" max:"65536" help:"examples in a step; at most an eighth of the data"`
	Rate       float64        `json:"rate" default:"0.001" min:"1e-7" max:"1" help:"highest learning rate of Adam"`
	Schedule   train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
}

// loss is that of encoder and decoder, and the grid of codes of each x, Int32 (n·places). In training the codes move on.
func (m *quantiser) loss(r *VQVAE, b *train.Batch, usage *codeUsage, variance float64) (loss train.Loss, codes *tensor.Node) {
	z := m.encode(b.X)
	codes = m.nearest(z)
	squared := tensor.Mean(tensor.Square(tensor.Sub(m.decode(m.straightThrough(z, codes)), b.X)))
	commitment := tensor.Mean(tensor.Square(tensor.Sub(z, tensor.StopGradient(m.look(codes)))))
	if b.Mode.Training {
		usage.follow(m.Codes, tensor.StopGradient(z), codes, r.Decay, b.Mode.Noise)
	}
	return train.Loss{
		Value:   tensor.Add(tensor.MulScalar(squared, 1/variance), tensor.MulScalar(commitment, r.Commitment)),
		Metrics: []train.Metric{{Name: "squared_error", Value: squared}, {Name: "commitment", Value: commitment}},
	}, codes
}

// priorLoss is −log p(k|y) of the grids of codes, in nats, averaged over the mini-batch.
func (m *quantiser) priorLoss(codes, y *tensor.Node, n int) *tensor.Node {
	each := nn.CrossEntropy(m.Prior.logits(codes, y, n), codes)
	return tensor.MulScalar(tensor.Sum(each), 1/float64(n))
}

// Fit trains encoder and decoder, the codes and the prior in one run.
func (r *VQVAE) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	if s := set.Schema(); !s.IsImage() {
		return nil, nil, fmt.Errorf("vqvae is made of convolutions of pictures, and the data is a table of %d columns; use vae", s.Size())
	}
	transform, err := data.FitTransform(ctx, set, data.Unit)
	if err != nil {
		return nil, nil, err
	}
	card := model.NewCard("vqvae", r, set, transform, run)
	net, err := r.network(&card)
	if err != nil {
		return nil, nil, err
	}
	prior, err := classPrior(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	variance, err := pixelVariance(ctx, set, &card)
	if err != nil {
		return nil, nil, err
	}
	batch, epochs := pace(set.Len(), r.Batch, cmp.Or(run.Epochs, r.Epochs), 20)
	usage := newCodeUsage(r.Codes, r.Dimensions)
	params := nn.Collect(net)
	var codes *tensor.Node // of a step: both phases see the same
	problem, err := train.NewProblem(&card, append(nn.Collect(&struct{ Usage any }{usage}), params...))
	if err != nil {
		return nil, nil, err
	}
	problem.Phases = []train.Phase{
		{Name: "pictures", Params: append(params.Under("encoder"), params.Under("decoder")...), Optimiser: nn.NewAdam(), Loss: func(b *train.Batch) (loss train.Loss) {
			loss, codes = net.loss(r, b, usage, variance)
			return loss
		}},
		{Name: "prior", Params: params.Under("prior"), Optimiser: nn.NewAdam(), Loss: func(b *train.Batch) train.Loss {
			return train.Loss{Value: net.priorLoss(codes, b.Y, b.X.Dims()[0])}
		}},
	}
	problem.Validate = func(b *train.Batch) train.Loss {
		loss, codes := net.loss(r, b, usage, variance)
		loss.Metrics = append(loss.Metrics, train.Metric{Name: "prior", Value: net.priorLoss(codes, b.Y, b.X.Dims()[0])})
		return loss
	}
	problem.Model = func(vars tensor.Vars) (model.Model, error) { return newQuantised(card, net, vars, prior, run), nil }
	found, err := train.Minimise(ctx, problem, set, train.Options{
		Batch: batch, Epochs: epochs, Rate: r.Rate, Schedule: r.Schedule, WarmUp: min(200, epochs*(set.Len()/batch)/10), Clip: 10}, run)
	if err != nil {
		return nil, nil, err
	}
	found.Summary.LossUnit = "share of the pixels' variance, and commitment"
	found.Summary.Notes = append(found.Summary.Notes, fmt.Sprintf(
		"the loss is of encoder and decoder: the squared error as a share of the pixels' variance, and the commitment; the prior takes %.4g nats for a grid of %d codes",
		found.Metrics["prior"], net.places()))
	return newQuantised(card, net, found.Vars, prior, run), &found.Summary, nil
}

// pixelVariance is the variance of all elements of t(x) together, 1 where it is 0.
func pixelVariance(ctx context.Context, set data.Set, card *model.Card) (float64, error) {
	sum, squares, n := 0.0, 0.0, 0.0
	err := data.Each(ctx, set, func(_ int, b data.Batch) error {
		x, err := card.Transformed(b)
		for _, v := range x.X {
			sum, squares, n = sum+float64(v), squares+float64(v)*float64(v), n+1
		}
		return cmp.Or(err, ctx.Err())
	})
	mean := sum / max(n, 1)
	if variance := squares/max(n, 1) - mean*mean; variance > 1e-12 {
		return variance, err
	}
	return 1, err
}

func init() {
	model.Register(model.Entry{
		Name: "vqvae", Kind: model.Generative,
		Summary: "vector-quantised autoencoder with a prior over its grids of codes, for pictures; p(x|y) where there are labels; samples and codes only",
		Paper:   "van den Oord, Vinyals and Kavukcuoglu, Neural discrete representation learning, NeurIPS 2017",
		New:     func() model.Spec { return model.NewRecipe[VQVAE]() },
		Load: func(f *model.File) (model.Model, error) {
			prior, err := loadPrior(f)
			if err != nil {
				return nil, err
			}
			net, err := f.Card.Recipe.(*VQVAE).network(&f.Card)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
			}
			vars, err := train.Vars(nn.Collect(net), f)
			if err != nil {
				return nil, err
			}
			return newQuantised(f.Card, net, vars, prior, f.Run), nil
		},
	})
}
