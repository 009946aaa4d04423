package discriminative

import (
	"context"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// MLP is the recipe of a multilayer perceptron: h_0 = x, h_j = ReLU(h_{j-1} W_j + b_j), logits = h W + b, with dropout
// after each hidden layer. Learning from 54,000 training pictures of Fashion-MNIST, the defaults reach an accuracy of 0.900
// on its test part.
type MLP struct {
	Hidden   []int          `json:"hidden" default:"512,256" min:"1" max:"65536" help:"units of each hidden layer"`
	Dropout  float64        `json:"dropout" default:"0.25" min:"0" max:"0.95" help:"share of hidden units set to 0 in training"`
	Epochs   int            `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 for 30, or on small data as many as make 400 steps"`
	Batch    int            `json:"batch" default:"128" min:"1" max:"65536" help:"examples in a step"`
	Rate     float64        `json:"rate" default:"0.001" min:"1e-7" max:"10" help:"highest learning rate of Adam"`
	Schedule train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
	Decay    float64        `json:"decay" default:"0.0001" min:"0" max:"1" help:"weight decay (AdamW)"`
	Patience int            `json:"patience" default:"0" min:"0" max:"100000" help:"stop after so many epochs without a better validation loss; 0 never"`
}

// multilayer is the network of an [MLP].
type multilayer struct {
	Hidden  []nn.Dense
	Out     nn.Dense
	dropout float64
}

func (r *MLP) network(in data.Shape, classes int) (architecture, error) {
	net := &multilayer{dropout: r.Dropout}
	width := in.Size()
	for _, units := range r.Hidden {
		net.Hidden = append(net.Hidden, nn.NewDense(width, units, nn.HeNormal))
		width = units
	}
	net.Out = nn.NewDense(width, classes, nn.GlorotUniform)
	return net, nil
}

// Features computes the network up to its last layer.
func (m *multilayer) Features(x *tensor.Node, mode *nn.Mode) *tensor.Node {
	h := nn.Flatten(x)
	for _, layer := range m.Hidden {
		h = nn.Dropout(nn.ReLU(layer.Apply(h)), m.dropout, mode)
	}
	return h
}

// Last makes the logits.
func (m *multilayer) Last() nn.Dense { return m.Out }

// Fit learns the network by Adam on mini-batches.
func (r *MLP) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	return r.fitting().fit(ctx, set, run)
}

func (r *MLP) fitting() fitting {
	return fitting{
		name: "mlp", recipe: r, decay: r.Decay, usual: 30, build: r.network,
		options: train.Options{Batch: r.Batch, Epochs: r.Epochs, Rate: r.Rate, Schedule: r.Schedule, Patience: r.Patience},
	}
}

func init() {
	model.Register(model.Entry{
		Name: "mlp", Kind: model.Discriminative,
		Summary: "multilayer perceptron: dense layers with ReLU and dropout",
		Paper:   "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 323, 1986",
		New:     func() model.Spec { return model.NewRecipe[MLP]() },
		Load: func(f *model.File) (model.Model, error) {
			net, err := f.Card.Recipe.(*MLP).network(f.Card.Transform.OutShape(), f.Card.Classes())
			if err != nil {
				return nil, err
			}
			return loadNetwork(f, net)
		},
	})
}
