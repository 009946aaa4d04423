package generative

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor"
)

// spreadName is σ_data in a model file.
const spreadName = "sigma_data"

// denoising is a fitted [Diffusion], of p(x) or p(x|y).
type denoising struct {
	guided
	process diffusionProcess
	tuning  DiffusionOptions
}

// Denoiser is a fitted [Diffusion] of p(x).
type Denoiser struct{ denoising }

// CondDenoiser is a fitted [Diffusion] of p(x|y). It bounds log p(x|y) alone: of log p(x) = log Σ_y p(y) p(x|y), the logarithm of
// random bounds of its terms is no bound.
type CondDenoiser struct{ denoising }

func newDenoiser(found *learnedNet, p diffusionProcess, run model.Run) model.Model {
	m := denoising{process: p, tuning: *model.NewRecipe[DiffusionOptions]()}
	m.guided = newGuided(found, run, func(x, logSigma, y *tensor.Node) *tensor.Node {
		return p.denoise(found.net, x, logSigma, y)
	})
	if found.net.classes > 0 {
		return &CondDenoiser{m}
	}
	return &Denoiser{m}
}

// Sample draws noise and takes it away.
func (m *Denoiser) Sample(dst data.Batch, r *rand.Rand) error { return m.sample(dst, nil, r) }

// Sample draws a class from their frequencies for each x, and then as SampleGiven.
func (m *CondDenoiser) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws noise and takes it away, towards the classes y.
func (m *CondDenoiser) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *denoising) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	levels := m.process.levels(m.tuning.Steps)
	return m.draw(dst, levels[0], r, func(x []float32) error {
		return m.tuning.follow(context.Background(), x, levels, func(dst, x []float32, sigma float64) error {
			if err := m.guide(dst, x, math.Log(sigma), y, m.tuning.Guidance); err != nil {
				return err
			}
			m.limit(dst)
			return nil
		}, r.NormFloat64)
	})
}

// limit bounds D as x is bounded: pixels lie in [−1, 1], and so does their mean.
func (m *denoising) limit(clean []float32) {
	if m.Schema.IsImage() {
		for i, v := range clean {
			clean[i] = min(max(v, -1), 1)
		}
	}
}

// LogBound sets dst[i] to a random number in nats whose mean is at most log p(x_i): see diffusion_bound.go. For pictures it is the
// probability of the whole numbers, for tables a density per raw unit, in which missing numbers count as the mean of their
// column. It is of ancestral sampling in 1,000 steps; the sampling options do not change it.
func (m *Denoiser) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return m.logBound(dst, x, nil, r)
}

// LogBoundGiven is such a bound on log p(x_i|y_i).
func (m *CondDenoiser) LogBoundGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logBound(dst, x, y, r)
}

func (m *denoising) logBound(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	t, err := m.Transformed(x)
	if err != nil {
		return err
	}
	l, units := noiseLadder{boundColumn}, m.Transform.LogDet()
	decoder := rowDecoder(m.Transform, l.least)
	if m.Schema.IsImage() {
		largest := float64(m.Schema.MaxValue)
		l, units = noiseLadder{boundPixel * 2 / largest}, 0 // probabilities of whole numbers have no unit
		decoder = pixelDecoder(largest, l.least)
	}
	err = l.bound(dst, t, func(clean, z, logSigma []float32) error {
		if err := m.evaluate(clean, z, logSigma, y); err != nil {
			return err
		}
		m.limit(clean)
		return nil
	}, decoder, r)
	for i := range dst {
		dst[i] += units
	}
	return err
}

// Options are the sampling options, a *[DiffusionOptions].
func (m *denoising) Options() any { o := m.tuning; return &o }

// tune is the model with other sampling options.
func (m *denoising) tune(options any) (denoising, error) {
	o, ok := options.(*DiffusionOptions)
	if !ok {
		return denoising{}, fmt.Errorf("diffusion: sampling options are %T, expected %T", options, o)
	}
	if err := cmp.Or(model.Validate(o), m.checkGuidance(o.Guidance)); err != nil {
		return denoising{}, fmt.Errorf("diffusion: %w", err)
	}
	tuned := *m
	tuned.tuning = *o
	return tuned, nil
}

// Tune is the model with other sampling options.
func (m *Denoiser) Tune(options any) (model.Model, error) {
	tuned, err := m.tune(options)
	if err != nil {
		return nil, err
	}
	return &Denoiser{tuned}, nil
}

// Tune is the model with other sampling options.
func (m *CondDenoiser) Tune(options any) (model.Model, error) {
	tuned, err := m.tune(options)
	if err != nil {
		return nil, err
	}
	return &CondDenoiser{tuned}, nil
}

// Save writes the model file.
func (m *denoising) Save(w io.Writer) error {
	return m.save(w, model.Tensor{Name: spreadName, Values: []float64{m.process.spread}})
}
