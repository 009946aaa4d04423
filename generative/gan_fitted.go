package generative

import (
	"io"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// Generator is a fitted [GAN] of p(x).
type Generator struct {
	model.Card
	latent int
	params nn.Params
	vars   tensor.Vars
	prior  []float64
	make   *train.Function
}

// CondGenerator is a fitted [GAN] of p(x|y).
type CondGenerator struct{ Generator }

func newGenerator(card model.Card, net *adversaries, latent int, vars tensor.Vars, prior []float64, run model.Run) model.Model {
	m := Generator{Card: card, latent: latent, params: nn.Collect(net).Under("generator"), vars: vars, prior: prior}
	m.make = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		z := g.Input("z", tensor.Float32, n, latent)
		var y *tensor.Node
		if len(prior) > 0 {
			y = g.Input("y", tensor.Int32, n)
		}
		g.Output("x", net.Generator.generate(z, y, &nn.Mode{}))
	})
	if len(prior) > 0 {
		return &CondGenerator{m}
	}
	return &m
}

// Sample draws x = G(z).
func (m *Generator) Sample(dst data.Batch, r *rand.Rand) error { return m.sample(dst, nil, r) }

// Sample draws a class from their frequencies for each x, and then as SampleGiven.
func (m *CondGenerator) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws x = G(z, y).
func (m *CondGenerator) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *Generator) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.generate(dst, normals(dst.Len()*m.latent, 1, r), y)
}

// LatentSize is the number of dimensions of z.
func (m *Generator) LatentSize() int { return m.latent }

// Decode gives x = G(z), or G(z, y) of a conditional generator.
func (m *Generator) Decode(dst data.Batch, z []float32, y []int32) error {
	if err := m.CheckResults(dst, len(z), m.latent); err != nil {
		return err
	}
	if len(m.prior) > 0 {
		if err := m.CheckClasses(y, dst.Len()); err != nil {
			return err
		}
	}
	return m.generate(dst, z, y)
}

func (m *Generator) generate(dst data.Batch, z []float32, y []int32) error {
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	n, wide := dst.Len(), m.latent
	out := data.NewBatch(m.Transform.OutShape(), n, false)
	size := out.Shape.Size()
	err := m.make.Call(n, func(e tensor.Executable, from, to int) {
		copy(e.Input("z").F32, z[from*wide:to*wide])
		if len(m.prior) > 0 {
			copy(e.Input("y").I32, y[from:to])
		}
	}, func(e tensor.Executable, from, to int) { copy(out.X[from*size:to*size], e.Output("x").F32) })
	if err != nil {
		return err
	}
	return m.Transform.Invert(dst, out)
}

// Save writes the model file: the generator alone.
func (m *Generator) Save(w io.Writer) error {
	return m.Card.Save(w, append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...))
}
