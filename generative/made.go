package generative

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/train"
)

// MADE is the recipe of a masked autoencoder for distribution estimation (Germain, Gregor, Murray and Larochelle, MADE,
// 2015): a network with an output for each element of x whose weights are masked so that output d sees elements before d
// alone. With hidden layers h¹ … hᴸ, each unit k of which has a degree m(k), and x = h⁰, where the degree is the place in
// the order,
//
//	hˡ = ReLU(bˡ + hˡ⁻¹ (Wˡ ∘ Mˡ)),   Mˡ_jk = 1 where m(j) ≤ m(k)        (their eq. 12)
//	out = c + hᴸ (V ∘ M) + x (A ∘ M),  M_jd = 1 where m(j) < d           (their eq. 13; A: direct connections)
//
// out holds the parameters of p(x_d | x_1 … x_(d−1)), see factor, and one pass gives
//
//	log p(x) = Σ_d log p(x_d | x_1 … x_(d−1)),
//
// exactly. In tables a number has a mixture of normal distributions (RNADE), whole numbers too, which samples are rounded to, and
// a category a softmax. With labels each layer adds a vector of the class, and the model is p(x|y).
//
// Samples are drawn element by element. Since a unit of degree m depends on the first m elements alone, each is computed
// once, when these are known, and a sample costs one pass.
type MADE struct {
	Hidden     []int          `json:"hidden" default:"" min:"1" max:"65536" help:"units of each hidden layer; by default two layers of twice as many as x has elements, 256 to 2,000"`
	Order      Order          `json:"order" default:"natural" choices:"natural,random" help:"order of the elements: as they are, or shuffled by the seed"`
	Direct     bool           `json:"direct" default:"true" help:"connect each output with the elements before it directly, too"`
	Output     Output         `json:"output" default:"auto" choices:"auto,bernoulli,softmax,logistic,normal" help:"of one element given those before; auto is bernoulli for grey pictures, logistic in colour, normal for tables"`
	Components int            `json:"components" default:"0" min:"0" max:"1000" help:"of the mixture for output logistic and normal; 0 is 1 for pictures, 8 for tables"`
	Dropout    float64        `json:"dropout" default:"0" min:"0" max:"0.95" help:"share of hidden units left out in training"`
	Epochs     int            `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 is 40, or as many as make 3,000 steps"`
	Batch      int            `json:"batch" default:"128" min:"2" max:"65536" help:"examples in a step; at most an eighth of the data"`
	Rate       float64        `json:"rate" default:"0.001" min:"1e-7" max:"10" help:"highest learning rate of Adam"`
	Schedule   train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
	Average    float64        `json:"average" default:"0.999" min:"0" max:"0.99999" help:"decay of the moving average of the weights, which is the model; 0 for none"`
	Patience   int            `json:"patience" default:"20" min:"0" max:"100000" help:"stop after so many epochs without a better validation loss; 0 never"`
}

// Order is the order in which a [MADE] takes the elements of x.
type Order string

// The orders.
const (
	Natural Order = "natural" // as x has them: pictures row by row
	Random  Order = "random"  // shuffled by the seed
)

// places is the place of each of n elements in the order, from 0.
func (o Order) places(n int, seed uint64) []float32 {
	places := make([]float32, n)
	for d := range places {
		places[d] = float32(d)
	}
	if o == Random {
		for d, place := range rand.New(rand.NewPCG(seed, 0x4d414445)).Perm(n) {
			places[d] = float32(place)
		}
	}
	return places
}

// Fit maximises the log-likelihood by Adam on mini-batches.
func (r *MADE) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	transform, err := data.FitTransform(ctx, set, data.DefaultTransform(set.Schema()))
	if err != nil {
		return nil, nil, err
	}
	card := model.NewCard("made", r, set, transform, run)
	net, err := r.network(&card)
	if err != nil {
		return nil, nil, err
	}
	logits, err := marginalLogits(ctx, &card, set, net.factor)
	if err != nil {
		return nil, nil, err
	}
	net.beginAt(logits)
	batch, epochs := pace(set.Len(), r.Batch, cmp.Or(run.Epochs, r.Epochs), 40)
	return fitChain(ctx, card, net, net.output, set, train.Options{
		Batch: batch, Epochs: epochs, Rate: r.Rate, Schedule: r.Schedule, Average: r.Average, Patience: r.Patience,
		WarmUp: min(200, epochs*(set.Len()/batch)/10), Clip: 100}, run)
}

func init() {
	model.Register(model.Entry{
		Name: "made", Kind: model.Generative,
		Summary: "masked autoencoder, an autoregressive network for pictures and tables: exact log p(x); p(x|y) where there are labels",
		Paper:   "Germain, Gregor, Murray and Larochelle, MADE: Masked autoencoder for distribution estimation, ICML 2015",
		New:     func() model.Spec { return model.NewRecipe[MADE]() },
		Load: func(f *model.File) (model.Model, error) {
			net, err := f.Card.Recipe.(*MADE).network(&f.Card)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
			}
			return loadChain(f, net, net.output)
		},
	})
}
