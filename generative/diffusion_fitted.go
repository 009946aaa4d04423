package generative

import (
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

// Denoiser is a fitted [Diffusion] of p(x).
type Denoiser struct {
	guided
	process process
	tuning  DiffusionOptions
}

// CondDenoiser is a fitted [Diffusion] of p(x|y).
type CondDenoiser struct{ Denoiser }

func newDenoiser(found *learned, p process, run model.Run) model.Model {
	m := Denoiser{process: p, tuning: *model.NewRecipe[DiffusionOptions]()}
	m.guided = newGuided(found, run, func(x, logSigma, y *tensor.Node) *tensor.Node {
		return p.denoise(found.net, x, logSigma, y)
	})
	if found.net.classes > 0 {
		return &CondDenoiser{m}
	}
	return &m
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

func (m *Denoiser) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	levels := m.process.levels(m.tuning.Steps)
	return m.draw(dst, levels[0], r, func(x []float32) error {
		return m.tuning.follow(context.Background(), x, levels, m.denoiser(y, m.tuning.Guidance), r.NormFloat64)
	})
}

// denoiser is D(x; σ) for rows of classes y. What is known of x is known of its mean: pixels lie in [−1, 1].
func (m *Denoiser) denoiser(y []int32, guidance float64) denoiser {
	return func(dst, x []float32, sigma float64) error {
		if err := m.guide(dst, x, math.Log(sigma), y, guidance); err != nil {
			return err
		}
		if m.Schema.IsImage() {
			clamp(dst, -1, 1)
		}
		return nil
	}
}

// Options are the sampling options, a *[DiffusionOptions].
func (m *Denoiser) Options() any { o := m.tuning; return &o }

// Tune is the model with other sampling options.
func (m *Denoiser) Tune(options any) (model.Model, error) {
	o, ok := options.(*DiffusionOptions)
	if !ok {
		return nil, fmt.Errorf("diffusion: sampling options are %T, expected %T", options, o)
	}
	if err := model.Validate(o); err != nil {
		return nil, fmt.Errorf("diffusion: %w", err)
	}
	if err := m.checkGuidance(o.Guidance); err != nil {
		return nil, fmt.Errorf("diffusion: %w", err)
	}
	tuned := *m
	tuned.tuning = *o
	return &tuned, nil
}

// Tune is the model with other sampling options.
func (m *CondDenoiser) Tune(options any) (model.Model, error) {
	tuned, err := m.Denoiser.Tune(options)
	if err != nil {
		return nil, err
	}
	return &CondDenoiser{*tuned.(*Denoiser)}, nil
}

// Save writes the model file.
func (m *Denoiser) Save(w io.Writer) error {
	return m.save(w, model.Tensor{Name: spreadName, Values: []float64{m.process.spread}})
}
