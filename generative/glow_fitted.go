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

// PictureFlow is a fitted [Glow] of p(x), or of p(x|y) where it learned with labels.
type PictureFlow struct {
	model.Card
	net    *glow
	params nn.Params
	vars   tensor.Vars
	prior  []float64 // of the classes, nil without labels
	tuning Temperature

	encode, decode *train.Function
}

// Temperature are the sampling options of a [Glow].
type Temperature struct {
	Temperature float64 `json:"temperature" default:"1" min:"0" max:"10" help:"standard deviation of z; below 1 pictures are less varied and cleaner"`
}

func newGlow(card model.Card, net *glow, vars tensor.Vars, prior []float64, run model.Run) (*PictureFlow, error) {
	m := &PictureFlow{Card: card, net: net, params: nn.Collect(net), vars: vars, prior: prior, tuning: *model.NewRecipe[Temperature]()}
	inverses, err := net.inverses(vars)
	if err != nil {
		return nil, err
	}
	class := func(g *tensor.Graph, n int) *tensor.Node {
		if net.classes == 0 {
			return nil
		}
		return g.Input("y", tensor.Int32, n)
	}
	picture := func(g *tensor.Graph, name string, n int, s data.Shape) *tensor.Node {
		return g.Input(name, tensor.Float32, append([]int{n}, s.Dims()...)...)
	}
	m.encode = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		z, logDet := net.encode(picture(g, "x", n, net.shape), picture(g, "u", n, net.padded), class(g, n), &nn.Mode{})
		g.Output("z", z)
		g.Output("log_det", logDet)
	})
	m.decode = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		g.Output("x", net.decode(g.Input("z", tensor.Float32, n, net.latent()), class(g, n), inverses))
	})
	return m, nil
}

// call runs a function of n examples under classes y.
func (m *PictureFlow) call(f *train.Function, n int, y []int32, in []rows, out ...rows) error {
	return f.Call(n, func(e tensor.Executable, from, to int) {
		for _, r := range in {
			copy(e.Input(r.name).F32, r.part(from, to, n))
		}
		if m.net.classes > 0 {
			copy(e.Input("y").I32, y[from:to])
		}
	}, func(e tensor.Executable, from, to int) {
		for _, r := range out {
			copy(r.part(from, to, n), e.Output(r.name).F32)
		}
	})
}

// checkPixels reports the first pixel that is not a whole number of the data's range: the bound is of whole numbers.
func (m *PictureFlow) checkPixels(x data.Batch) error {
	for i, v := range x.X {
		if !(v >= 0 && v <= m.Schema.MaxValue && v == float32(math.Trunc(float64(v)))) {
			p := m.Schema.Size()
			return &data.ExampleError{Index: i / p, Err: fmt.Errorf("glow: the value %v at element %d, expected a whole number from 0 to %v", v, i%p, m.Schema.MaxValue)}
		}
	}
	return nil
}

// LogBound sets dst[i] to log p(x_i + u) with one draw of u, in nats: its mean is at most log P(x_i). With classes it is
// log Σ_y p(y) p(x_i + u|y).
func (m *PictureFlow) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return m.LogImportanceBound(dst, x, 1, r)
}

// LogImportanceBound sets dst[i] to log (1/k) Σ_j p(x_i + u_j) with k draws of u, in nats.
func (m *PictureFlow) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	if err := m.checkBound(dst, x, k, r); err != nil {
		return err
	}
	total := newLogMeans(dst)
	if m.prior == nil {
		if err := m.addDraws(total, x, nil, k, 0, r); err != nil {
			return err
		}
	}
	for class, p := range m.prior {
		if p == 0 {
			continue
		}
		if err := m.addDraws(total, x, slices.Repeat([]int32{int32(class)}, x.Len()), k, math.Log(p), r); err != nil {
			return err
		}
	}
	total.finish(float64(k))
	return nil
}

// LogBoundGiven sets dst[i] to log p(x_i + u|y_i) with one draw of u, in nats: its mean is at most log P(x_i|y_i).
func (m *PictureFlow) LogBoundGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	return m.LogImportanceBoundGiven(dst, x, y, 1, r)
}

// LogImportanceBoundGiven sets dst[i] to log (1/k) Σ_j p(x_i + u_j|y_i) with k draws of u, in nats.
func (m *PictureFlow) LogImportanceBoundGiven(dst []float64, x data.Batch, y []int32, k int, r *rand.Rand) error {
	if err := m.checkBound(dst, x, k, r); err != nil {
		return err
	}
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	total := newLogMeans(dst)
	if err := m.addDraws(total, x, y, k, 0, r); err != nil {
		return err
	}
	total.finish(float64(k))
	return nil
}

func (m *PictureFlow) checkBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	if k < 1 {
		return fmt.Errorf("glow: a bound with %d draws, expected at least 1", k)
	}
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	return m.checkPixels(x)
}

// addDraws adds log p(x_i + u|y_i) + logPrior of k draws of u each.
func (m *PictureFlow) addDraws(total logMeans, x data.Batch, y []int32, k int, logPrior float64, r *rand.Rand) error {
	n := x.Len()
	u, z := rows{"u", make([]float32, n*m.net.latent())}, rows{"z", make([]float32, n*m.net.latent())}
	logDet, log := rows{"log_det", make([]float32, n)}, make([]float64, n)
	for range k {
		for i := range u.values {
			u.values[i] = r.Float32()
		}
		if err := m.call(m.encode, n, y, []rows{{"x", x.X}, u}, z, logDet); err != nil {
			return err
		}
		if err := flowLogProb(log, z.values, logDet.values, 0); err != nil {
			return err
		}
		addLogs(total, log, logPrior)
	}
	return nil
}

// Sample draws a class where there are any, by their frequencies, and then x = f⁻¹(z) with z ~ N(0, I).
func (m *PictureFlow) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	var y []int32
	if m.prior != nil {
		y = drawClasses(m.prior, dst.Len(), r)
	}
	return m.sample(dst, y, r)
}

// SampleGiven draws x = f⁻¹(z) under the classes y with z ~ N(0, I).
func (m *PictureFlow) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *PictureFlow) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.Decode(dst, normals(dst.Len()*m.net.latent(), m.tuning.Temperature, r), y)
}

// LatentSize is the number of pixels: z has as many elements as x, or as x with an even size.
func (m *PictureFlow) LatentSize() int { return m.net.latent() }

// Encode gives z = f(x + ½).
func (m *PictureFlow) Encode(dst []float32, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), m.net.latent()); err != nil {
		return err
	}
	if err := m.checkGiven(y, x.Len()); err != nil {
		return err
	}
	if err := m.checkPixels(x); err != nil {
		return err
	}
	u := rows{"u", slices.Repeat([]float32{0.5}, len(dst))}
	return m.call(m.encode, x.Len(), y, []rows{{"x", x.X}, u}, rows{"z", dst})
}

// Decode gives the whole-number pixels of f⁻¹(z).
func (m *PictureFlow) Decode(dst data.Batch, z []float32, y []int32) error {
	if err := m.CheckResults(dst, len(z), m.net.latent()); err != nil {
		return err
	}
	if err := m.checkGiven(y, dst.Len()); err != nil {
		return err
	}
	out := data.NewBatch(m.net.shape, dst.Len(), false)
	if err := m.call(m.decode, dst.Len(), y, []rows{{"z", z}}, rows{"x", out.X}); err != nil {
		return err
	}
	for i := range out.X {
		out.X[i] -= 0.5 // the transform rounds: of x + u it is to make x
	}
	return m.Transform.Invert(dst, out)
}

// checkGiven reports ErrShape or ErrClass where y is not one class for each of n examples, and nil without labels.
func (m *PictureFlow) checkGiven(y []int32, n int) error {
	if m.prior == nil {
		return nil
	}
	return m.CheckClasses(y, n)
}

// Options are the sampling options, a *[Temperature].
func (m *PictureFlow) Options() any { o := m.tuning; return &o }

// Tune is the model with other sampling options.
func (m *PictureFlow) Tune(options any) (model.Model, error) {
	o, ok := options.(*Temperature)
	if !ok {
		return nil, fmt.Errorf("glow: sampling options are %T, expected %T", options, o)
	}
	if err := model.Validate(o); err != nil {
		return nil, fmt.Errorf("glow: %w", err)
	}
	tuned := *m
	tuned.tuning = *o
	return &tuned, nil
}

// Save writes the model file.
func (m *PictureFlow) Save(w io.Writer) error {
	return m.Card.Save(w, append(train.Tensors(m.params, m.vars), priorTensor(m.prior)...))
}
