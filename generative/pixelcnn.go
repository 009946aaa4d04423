package generative

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/train"
)

// PixelCNN is the recipe of a gated PixelCNN (van den Oord et al., Conditional image generation with PixelCNN decoders, 2016):
// a convolutional network that gives each pixel a distribution given all above it and to its left, so that
//
//	log p(x) = Σ_ij log p(x_ij | rows above i, pixels left of j in row i),
//
// exactly, in one pass. Two stacks of layers share the work. The vertical one, v, sees the rows above, and the horizontal one,
// h, the pixels to the left and, of the vertical one, its own place. With * for convolutions that end at the current row or
// pixel, and the class y where there are labels, a layer is
//
//	a = V * v + b_y,                   v ← v + tanh(a₁) σ(a₂)            V 3x3, of rows i−2 … i
//	g = H * h + N a,                   h ← h + O (tanh(g₁) σ(g₂))        H 1x3, of columns j−2 … j; N, O 1x1
//
// where indices 1 and 2 are halves of the channels (their eq. 2 to 4 and figure 2; the residual of v is ours). The first
// convolutions of x end one row above and one pixel before, which makes it a model: no kernel is masked. Both stacks begin
// with a learned bias for each place.
//
// Logistic outputs are those of Salimans et al., PixelCNN++, 2017: a mixture over the whole pixel whose means for green and
// blue move with the channels before them.
//
// Samples are drawn pixel by pixel from activations that are kept, so that each costs one pass in all.
type PixelCNN struct {
	Channels   int            `json:"channels" default:"32" min:"1" max:"4096" help:"feature maps of each stack"`
	Layers     int            `json:"layers" default:"6" min:"1" max:"100" help:"gated layers"`
	Output     Output         `json:"output" default:"auto" choices:"auto,bernoulli,softmax,logistic" help:"of a pixel given those before; auto is bernoulli for grey pictures, logistic in colour"`
	Components int            `json:"components" default:"5" min:"1" max:"1000" help:"of the mixture for output logistic"`
	Epochs     int            `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 is 10, or as many as make 3,000 steps"`
	Batch      int            `json:"batch" default:"64" min:"2" max:"65536" help:"examples in a step; at most an eighth of the data"`
	Rate       float64        `json:"rate" default:"0.002" min:"1e-7" max:"10" help:"highest learning rate of Adam"`
	Schedule   train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
	Average    float64        `json:"average" default:"0.999" min:"0" max:"0.99999" help:"decay of the moving average of the weights, which is the model; 0 for none"`
	Patience   int            `json:"patience" default:"0" min:"0" max:"100000" help:"stop after so many epochs without a better validation loss; 0 never"`
}

// Fit maximises the log-likelihood by Adam on mini-batches.
func (r *PixelCNN) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	if schema := set.Schema(); !schema.IsImage() {
		return nil, nil, fmt.Errorf("pixelcnn is for pictures, and the data has %v; use made", schema.Shape)
	}
	transform, err := data.FitTransform(ctx, set, data.Unit)
	if err != nil {
		return nil, nil, err
	}
	card := model.NewCard("pixelcnn", r, set, transform, run)
	net, err := r.network(&card)
	if err != nil {
		return nil, nil, err
	}
	logits, err := marginalLogits(ctx, &card, set, net.pixel.factor)
	if err != nil {
		return nil, nil, err
	}
	copy(net.begin, slices.Concat(logits...))
	batch, epochs := pace(set.Len(), r.Batch, cmp.Or(run.Epochs, r.Epochs), 10)
	return fitChain(ctx, card, net, net.pixel.output, set, train.Options{
		Batch: batch, Epochs: epochs, Rate: r.Rate, Schedule: r.Schedule, Average: r.Average, Patience: r.Patience,
		WarmUp: min(200, epochs*(set.Len()/batch)/10), Clip: 100}, run)
}

func init() {
	model.Register(model.Entry{
		Name: "pixelcnn", Kind: model.Generative,
		Summary: "gated PixelCNN, an autoregressive convolutional network: exact log p(x) of pictures; p(x|y) where there are labels",
		Paper:   "van den Oord et al., Conditional image generation with PixelCNN decoders, NeurIPS 2016",
		New:     func() model.Spec { return model.NewRecipe[PixelCNN]() },
		Load: func(f *model.File) (model.Model, error) {
			if !f.Card.Schema.IsImage() {
				return nil, fmt.Errorf("%w: a pixelcnn of %v, expected pictures", model.ErrDamaged, f.Card.Schema.Shape)
			}
			net, err := f.Card.Recipe.(*PixelCNN).network(&f.Card)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
			}
			return loadChain(f, net, net.pixel.output)
		},
	})
}
