package discriminative

import (
	"context"
	"errors"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// CNN is the recipe of a convolutional network. Convolution and pooling extract features and shrink the picture; a fully
// connected part turns them into a vector and that into the class probabilities. Each stage is
//
//	conv 3x3, (batch norm,) ReLU  × depth,   max pool 2x2,   dropout
//
// and the stages are followed by dense layers. A picture that a stage would shrink below 2 pixels is not pooled. Learning
// from 54,000 training pictures of Fashion-MNIST, without augmentation, the defaults reach an accuracy of 0.931 on its test part.
type CNN struct {
	Channels  []int          `json:"channels" default:"32,64" min:"1" max:"4096" help:"channels of each stage"`
	Depth     int            `json:"depth" default:"2" min:"1" max:"8" help:"convolutions in a stage"`
	Dense     []int          `json:"dense" default:"128" min:"1" max:"65536" help:"units of each hidden dense layer"`
	BatchNorm bool           `json:"batch_norm" default:"true" help:"normalise after each convolution"`
	Dropout   float64        `json:"dropout" default:"0.2" min:"0" max:"0.95" help:"share of features set to 0 in training"`
	Shift     int            `json:"shift" default:"0" min:"0" max:"64" help:"augmentation: move pictures by up to so many pixels"`
	Flip      bool           `json:"flip" default:"false" help:"augmentation: mirror half of the pictures"`
	Epochs    int            `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 for 15, or on small data as many as make 400 steps"`
	Batch     int            `json:"batch" default:"128" min:"1" max:"65536" help:"examples in a step"`
	Rate      float64        `json:"rate" default:"0.002" min:"1e-7" max:"10" help:"highest learning rate of Adam"`
	Schedule  train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
	Decay     float64        `json:"decay" default:"0.0005" min:"0" max:"1" help:"weight decay (AdamW)"`
	Patience  int            `json:"patience" default:"0" min:"0" max:"100000" help:"stop after so many epochs without a better validation loss; 0 never"`
}

// convolutional is the network of a [CNN].
type convolutional struct {
	Stage   []stage
	Dense   []nn.Dense
	Out     nn.Dense
	dropout float64
}

// stage is a run of convolutions at one size, and whether the picture is halved after them.
type stage struct {
	Conv []nn.Conv
	Norm []nn.BatchNorm
	pool bool
}

func (r *CNN) network(in data.Shape, classes int) (architecture, error) {
	if !in.IsImage() {
		return nil, errors.New("cnn learns from pictures, and the data is a table; use mlp or logistic")
	}
	net := &convolutional{dropout: r.Dropout}
	height, width, channels := in.Height, in.Width, in.Channels
	for _, c := range r.Channels {
		var s stage
		for range r.Depth {
			conv := nn.NewConv(channels, c, 3, 1, 1, nn.HeNormal)
			if r.BatchNorm {
				conv = conv.NoBias()
				s.Norm = append(s.Norm, nn.NewBatchNorm(c))
			}
			s.Conv = append(s.Conv, conv)
			channels = c
		}
		if s.pool = min(height, width) >= 4; s.pool {
			height, width = height/2, width/2
		}
		net.Stage = append(net.Stage, s)
	}
	features := height * width * channels
	for _, units := range r.Dense {
		net.Dense = append(net.Dense, nn.NewDense(features, units, nn.HeNormal))
		features = units
	}
	net.Out = nn.NewDense(features, classes, nn.GlorotUniform)
	return net, nil
}

// Features computes the network up to its last layer.
func (m *convolutional) Features(x *tensor.Node, mode *nn.Mode) *tensor.Node {
	h := x
	for _, s := range m.Stage {
		for i, conv := range s.Conv {
			// The maximum commutes with ReLU and with adding a bias: a fourth as many elements are left for these.
			switch pool := s.pool && i == len(s.Conv)-1; {
			case pool && s.Norm == nil:
				h = conv.ApplyMaxPool(h, 2)
			case s.Norm == nil:
				h = conv.Apply(h)
			default:
				if h = s.Norm[i].Apply(conv.Apply(h), mode); pool {
					h = nn.MaxPool(h, 2)
				}
			}
			h = nn.ReLU(h)
		}
		h = nn.Dropout(h, m.dropout, mode)
	}
	for _, layer := range m.Dense {
		h = nn.Dropout(nn.ReLU(layer.Apply(h)), m.dropout, mode)
	}
	return nn.Flatten(h)
}

// Last makes the logits.
func (m *convolutional) Last() nn.Dense { return m.Out }

// Fit learns the network by Adam on mini-batches.
func (r *CNN) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	return r.fitting().fit(ctx, set, run)
}

func (r *CNN) fitting() fitting {
	f := fitting{
		name: "cnn", recipe: r, decay: r.Decay, usual: 15, build: r.network,
		options: train.Options{Batch: r.Batch, Epochs: r.Epochs, Rate: r.Rate, Schedule: r.Schedule, Patience: r.Patience},
	}
	if r.Shift > 0 || r.Flip {
		f.vary = func(x data.Batch, rand train.Rand) { shiftAndFlip(x, r.Shift, r.Flip, rand) }
	}
	return f
}

// shiftAndFlip moves each picture by up to most pixels along both axes, filling with 0, and mirrors it with probability
// one half if flip is set.
func shiftAndFlip(x data.Batch, most int, flip bool, r train.Rand) {
	h, w, c := x.Shape.Height, x.Shape.Width, x.Shape.Channels
	old := make([]float32, h*w*c)
	for i := range x.Len() {
		dy, dx := r.IntN(2*most+1)-most, r.IntN(2*most+1)-most
		mirror := flip && r.IntN(2) == 1
		row := x.Row(i)
		copy(old, row)
		clear(row)
		for y := range h {
			for px := range w {
				fromY, fromX := y-dy, px-dx
				if mirror {
					fromX = w - 1 - fromX
				}
				if fromY >= 0 && fromY < h && fromX >= 0 && fromX < w {
					copy(row[(y*w+px)*c:(y*w+px+1)*c], old[(fromY*w+fromX)*c:])
				}
			}
		}
	}
}

func init() {
	model.Register(model.Entry{
		Name: "cnn", Kind: model.Discriminative,
		Summary: "convolutional network: convolution, pooling, fully connected",
		Paper:   "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, Proc. IEEE 86, 1998",
		New:     func() model.Spec { return model.NewRecipe[CNN]() },
		Load: func(f *model.File) (model.Model, error) {
			net, err := f.Card.Recipe.(*CNN).network(f.Card.Transform.OutShape(), f.Card.Classes())
			if err != nil {
				return nil, err
			}
			return loadNetwork(f, net)
		},
	})
}
