package generative

import (
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// QuantisedAutoencoder is a fitted [VQVAE] without labels.
type QuantisedAutoencoder struct {
	model.Card
	net    *quantiser
	params nn.Params
	vars   tensor.Vars
	prior  []float64 // of the classes
	tuning DrawCodes

	encoder, decoder, logits *train.Function
}

// CondQuantisedAutoencoder is a fitted [VQVAE] whose prior of codes knows the class.
type CondQuantisedAutoencoder struct{ QuantisedAutoencoder }

// DrawCodes are the sampling options of a [VQVAE].
type DrawCodes struct {
	Temperature float64 `json:"temperature" default:"1" min:"0" max:"10" help:"divides the logits of the codes: below 1 likely ones are drawn even more often, and 0 takes the likeliest"`
}

func newQuantised(card model.Card, net *quantiser, vars tensor.Vars, prior []float64, run model.Run) model.Model {
	m := QuantisedAutoencoder{Card: card, net: net, params: nn.Collect(net), vars: vars, prior: prior, tuning: *model.NewRecipe[DrawCodes]()}
	m.encoder = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		x := g.Input("x", tensor.Float32, append([]int{n}, net.shape.Dims()...)...)
		g.Output("z", tensor.Reshape(net.look(net.nearest(net.encode(x))), n, net.codeSize()))
	})
	m.decoder = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		z := g.Input("z", tensor.Float32, n, net.codeSize())
		g.Output("x", net.decode(tensor.Reshape(z, -1, net.dimensions)))
	})
	m.logits = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		var y *tensor.Node
		if net.classes > 0 {
			y = g.Input("y", tensor.Int32, n)
		}
		codes := tensor.Reshape(g.Input("codes", tensor.Int32, n, net.places()), n*net.places())
		g.Output("logits", tensor.Reshape(net.Prior.logits(codes, y, n), n, net.places(), net.Codes.Dims[0]))
	})
	if net.classes > 0 {
		return &CondQuantisedAutoencoder{m}
	}
	return &m
}

// Sample draws a grid of codes from the prior and decodes it.
func (m *QuantisedAutoencoder) Sample(dst data.Batch, r *rand.Rand) error {
	return m.sample(dst, nil, r)
}

// Sample draws a class from their frequencies for each x, and then as SampleGiven.
func (m *CondQuantisedAutoencoder) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws a grid of codes from the prior given the class and decodes it.
func (m *CondQuantisedAutoencoder) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *QuantisedAutoencoder) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	codes, err := m.drawCodes(dst.Len(), y, r)
	if err != nil {
		return err
	}
	book, d := m.vars[m.net.Codes.Name].F32, m.net.dimensions
	z := make([]float32, 0, len(codes)*d)
	for _, k := range codes {
		z = append(z, book[int(k)*d:(int(k)+1)*d]...)
	}
	return m.decode(dst, z)
}

// drawCodes draws n grids of codes, place by place.
func (m *QuantisedAutoencoder) drawCodes(n int, y []int32, r *rand.Rand) ([]int32, error) {
	places, k := m.net.places(), m.net.Codes.Dims[0]
	codes := make([]int32, n*places)
	for place := range places {
		err := m.logits.Call(n, func(e tensor.Executable, from, to int) {
			copy(e.Input("codes").I32, codes[from*places:to*places])
			if m.net.classes > 0 {
				copy(e.Input("y").I32, y[from:to])
			}
		}, func(e tensor.Executable, from, to int) {
			all := e.Output("logits").F32
			for i := range to - from {
				own := all[(i*places+place)*k : (i*places+place+1)*k]
				codes[(from+i)*places+place] = int32(drawLogits(own, m.tuning.Temperature, r))
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return codes, nil
}

func (m *QuantisedAutoencoder) decode(dst data.Batch, z []float32) error {
	out := data.NewBatch(m.Transform.OutShape(), dst.Len(), false)
	if err := callRows(m.decoder, dst.Len(), nil, false, []rows{{"z", z}}, rows{"x", out.X}); err != nil {
		return err
	}
	return m.Transform.Invert(dst, out)
}

// LatentSize is the size of a grid of codes, as vectors.
func (m *QuantisedAutoencoder) LatentSize() int { return m.net.codeSize() }

// Encode gives the codes of x, as vectors. It does not look at the class.
func (m *QuantisedAutoencoder) Encode(dst []float32, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), m.net.codeSize()); err != nil {
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
	return callRows(m.encoder, x.Len(), nil, false, []rows{{"x", t.X}}, rows{"z", dst})
}

// Decode gives x of vectors, which need not be codes: those on the way from one picture's codes to another's will do. It does
// not look at the class.
func (m *QuantisedAutoencoder) Decode(dst data.Batch, z []float32, y []int32) error {
	if err := m.CheckResults(dst, len(z), m.net.codeSize()); err != nil {
		return err
	}
	if m.net.classes > 0 {
		if err := m.CheckClasses(y, dst.Len()); err != nil {
			return err
		}
	}
	return m.decode(dst, z)
}

// Options are the sampling options, a *[DrawCodes].
func (m *QuantisedAutoencoder) Options() any { o := m.tuning; return &o }

// Tune is the model with other sampling options.
func (m *QuantisedAutoencoder) Tune(options any) (model.Model, error) {
	tuned := *m
	err := tuned.tune(options)
	if err != nil {
		return nil, err
	}
	return &tuned, nil
}

// Tune is the model with other sampling options.
func (m *CondQuantisedAutoencoder) Tune(options any) (model.Model, error) {
	tuned := *m
	if err := tuned.tune(options); err != nil {
		return nil, err
	}
	return &tuned, nil
}

func (m *QuantisedAutoencoder) tune(options any) error {
	o, ok := options.(*DrawCodes)
	if !ok {
		return fmt.Errorf("vqvae: sampling options are %T, expected %T", options, o)
	}
	if err := model.Validate(o); err != nil {
		return fmt.Errorf("vqvae: %w", err)
	}
	m.tuning = *o
	return nil
}

// Save writes the model file.
func (m *QuantisedAutoencoder) Save(w io.Writer) error {
	return m.Card.Save(w, append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...))
}
