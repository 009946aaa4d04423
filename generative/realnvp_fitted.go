package generative

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// Flow is a fitted [RealNVP] of p(x), or of p(x|y) where it learned with labels.
type Flow struct {
	model.Card
	net    *flow
	params nn.Params
	vars   tensor.Vars
	prior  []float64 // of the classes, nil without labels

	encode, decode *train.Function
}

func newFlow(card model.Card, net *flow, vars tensor.Vars, prior []float64, run model.Run) (*Flow, error) {
	m := &Flow{Card: card, net: net, params: nn.Collect(net), vars: vars, prior: prior}
	colouring, err := net.colouring(vars)
	if err != nil {
		return nil, err
	}
	class := func(g *tensor.Graph, n int) *tensor.Node {
		if net.classes == 0 {
			return nil
		}
		return g.Input("y", tensor.Int32, n)
	}
	m.encode = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		z, logDet := net.encode(g.Input("x", tensor.Float32, n, net.size), class(g, n))
		g.Output("z", z)
		g.Output("log_det", logDet)
	})
	m.decode = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		g.Output("x", net.decode(g.Input("z", tensor.Float32, n, net.size), class(g, n), colouring))
	})
	return m, nil
}

// call runs a function of n examples under classes y.
func (m *Flow) call(f *train.Function, n int, y []int32, in rows, out ...rows) error {
	return f.Call(n, func(e tensor.Executable, from, to int) {
		copy(e.Input(in.name).F32, in.part(from, to, n))
		if m.net.classes > 0 {
			copy(e.Input("y").I32, y[from:to])
		}
	}, func(e tensor.Executable, from, to int) {
		for _, r := range out {
			copy(r.part(from, to, n), e.Output(r.name).F32)
		}
	})
}

// standardised is t(x). A missing value is an error: t would take it for the mean, and the density of the row for that of
// another.
func (m *Flow) standardised(x data.Batch) (data.Batch, error) {
	for i, v := range x.X {
		if v != v {
			p := m.Schema.Size()
			return data.Batch{}, &data.ExampleError{Index: i / p, Err: fmt.Errorf("realnvp: column %q: the value is missing; fill it in", m.Schema.Columns[i%p].Name)}
		}
	}
	return m.Transformed(x)
}

// checkGiven reports ErrShape or ErrClass where y is not one class for each of n examples, and nil without labels.
func (m *Flow) checkGiven(y []int32, n int) error {
	if m.prior == nil {
		return nil
	}
	return m.CheckClasses(y, n)
}

// LogPrior is log p(y) of each class, from their frequencies; nil without labels.
func (m *Flow) LogPrior() []float64 {
	var log []float64
	for _, p := range m.prior {
		log = append(log, math.Log(p))
	}
	return log
}

// LogProb sets dst[i] to log p(x_i) in nats, per raw unit of each column.
func (m *Flow) LogProb(dst []float64, x data.Batch) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	if m.prior == nil {
		return m.logProb(dst, x, nil)
	}
	total := newLogMeans(dst)
	log := make([]float64, len(dst))
	for k, p := range m.prior {
		if p == 0 {
			continue
		}
		if err := m.logProb(log, x, slices.Repeat([]int32{int32(k)}, len(dst))); err != nil {
			return err
		}
		addLogs(total, log, math.Log(p))
	}
	total.finish(1)
	return nil
}

// LogProbGiven sets dst[i] to log p(x_i|y_i) in nats, per raw unit of each column.
func (m *Flow) LogProbGiven(dst []float64, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logProb(dst, x, y)
}

func (m *Flow) logProb(dst []float64, x data.Batch, y []int32) error {
	t, err := m.standardised(x)
	if err != nil {
		return err
	}
	z, logDet := rows{"z", make([]float32, len(t.X))}, rows{"log_det", make([]float32, len(dst))}
	if err := m.call(m.encode, len(dst), y, rows{"x", t.X}, z, logDet); err != nil {
		return err
	}
	return flowLogProb(dst, z.values, logDet.values, m.Transform.LogDet())
}

// Sample draws a class where there are any, by their frequencies, and then x = f⁻¹(z) with z ~ N(0, I).
func (m *Flow) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	var y []int32
	if m.prior != nil {
		y = drawClasses(m.prior, dst.Len(), r)
	}
	return m.Decode(dst, normals(len(dst.X), 1, r), y)
}

// SampleGiven draws x = f⁻¹(z) under the classes y with z ~ N(0, I).
func (m *Flow) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.Decode(dst, normals(len(dst.X), 1, r), y)
}

// LatentSize is p: z has as many elements as x.
func (m *Flow) LatentSize() int { return m.net.size }

// Encode gives z = f(x).
func (m *Flow) Encode(dst []float32, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), m.net.size); err != nil {
		return err
	}
	if err := m.checkGiven(y, x.Len()); err != nil {
		return err
	}
	t, err := m.standardised(x)
	if err != nil {
		return err
	}
	return m.call(m.encode, x.Len(), y, rows{"x", t.X}, rows{"z", dst})
}

// Decode gives x = f⁻¹(z), rounded in whole-number columns.
func (m *Flow) Decode(dst data.Batch, z []float32, y []int32) error {
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	if len(z) != len(dst.X) {
		return fmt.Errorf("%w: codes of %d numbers, expected %d for each of %d rows", model.ErrShape, len(z), m.net.size, dst.Len())
	}
	if err := m.checkGiven(y, dst.Len()); err != nil {
		return err
	}
	x := data.NewBatch(m.Transform.OutShape(), dst.Len(), false)
	if err := m.call(m.decode, dst.Len(), y, rows{"z", z}, rows{"x", x.X}); err != nil {
		return err
	}
	return m.Transform.Invert(dst, x)
}

// Save writes the model file.
func (m *Flow) Save(w io.Writer) error {
	return m.Card.Save(w, append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...))
}
