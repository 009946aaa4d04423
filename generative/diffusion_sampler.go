package generative

import (
	"context"
	"math"
)

// DiffusionOptions are the sampling options of a [Diffusion].
type DiffusionOptions struct {
	Sampler  DiffusionSampler `json:"sampler" default:"dpmsolver" choices:"dpmsolver,heun,euler,ddim,ancestral" help:"how the noise is taken away"`
	Steps    int              `json:"steps" default:"16" min:"1" max:"1000" help:"noise levels on the way; heun looks twice at each but the last"`
	Guidance float64          `json:"guidance" default:"1" min:"0" max:"20" help:"1 draws from p(x|y); more draws what is typical of the class, with less variety; 0 ignores the class"`
	Eta      float64          `json:"eta" default:"0" min:"0" max:"1" help:"share of new noise in each step of ddim: 0 is euler, 1 is ancestral"`
}

// DiffusionSampler names a sampler.
type DiffusionSampler string

// The samplers of a [Diffusion].
const (
	// DPMSolver is DPM-Solver++(2M) (Lu et al., DPM-Solver++, 2022, algorithm 2): second order, one look a step.
	DPMSolver DiffusionSampler = "dpmsolver"
	// HeunSampler is Heun's method (Karras et al., 2022, algorithm 1): second order, two looks a step.
	HeunSampler DiffusionSampler = "heun"
	// EulerSampler is Euler's method: first order.
	EulerSampler DiffusionSampler = "euler"
	// DDIMSampler is Euler's method with a share of new noise (Song, Meng and Ermon, Denoising diffusion implicit models, 2021, eq. 12
	// and 16).
	DDIMSampler DiffusionSampler = "ddim"
	// AncestralSampler draws from q(x_s | x_t, x = D(x_t)), as Ho et al., 2020, algorithm 2, with the variance of their eq. 7.
	AncestralSampler DiffusionSampler = "ancestral"
)

// denoiser sets dst to D(x; σ) of rows x.
type denoiser func(dst, x []float32, sigma float64) error

// follow takes x from the first noise level to the last, which is 0. Of normal, a source of draws from N(0, 1), only stochastic
// samplers take.
func (o *DiffusionOptions) follow(ctx context.Context, x []float32, levels []float64, d denoiser, normal func() float64) error {
	switch o.Sampler {
	case DPMSolver:
		return dpmSolver(ctx, x, levels, d)
	case HeunSampler:
		return heun(ctx, x, levels, d)
	case DDIMSampler:
		return ddim(ctx, x, levels, d, o.Eta, normal)
	case AncestralSampler:
		return ddim(ctx, x, levels, d, 1, normal)
	default:
		return ddim(ctx, x, levels, d, 0, normal)
	}
}

// weighted sets dst to a·u + b·v in float64.
func weighted(dst []float32, a float64, u []float32, b float64, v []float32) {
	for i := range dst {
		dst[i] = float32(a*float64(u[i]) + b*float64(v[i]))
	}
}

// ddim goes from σ to σ' by Euler's step to a lower level still, and adds noise up to σ':
//
//	x' = D + (√(σ'² − s²)/σ)·(x − D) + s·ε,   s = η·σ'·√(1 − σ'²/σ²)
func ddim(ctx context.Context, x []float32, levels []float64, d denoiser, eta float64, normal func() float64) error {
	clean := make([]float32, len(x))
	for i, sigma := range levels[:len(levels)-1] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d(clean, x, sigma); err != nil {
			return err
		}
		next := levels[i+1]
		fresh := eta * next * math.Sqrt(1-next*next/(sigma*sigma))
		keep := math.Sqrt(next*next-fresh*fresh) / sigma
		weighted(x, 1-keep, clean, keep, x)
		if fresh > 0 {
			for j := range x {
				x[j] += float32(fresh * normal())
			}
		}
	}
	return nil
}

// heun goes by Euler's step, and again by the mean of the slopes before and after it. The last step, to 0, where the slope is
// not known, is Euler's.
func heun(ctx context.Context, x []float32, levels []float64, d denoiser) error {
	clean, slope, ahead := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
	for i, sigma := range levels[:len(levels)-1] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d(clean, x, sigma); err != nil {
			return err
		}
		next := levels[i+1]
		weighted(slope, 1/sigma, x, -1/sigma, clean)
		weighted(ahead, 1, x, next-sigma, slope)
		if next == 0 {
			copy(x, ahead)
			continue
		}
		if err := d(clean, ahead, next); err != nil {
			return err
		}
		weighted(ahead, 1/next, ahead, -1/next, clean) // the slope after the step
		weighted(slope, 0.5, slope, 0.5, ahead)
		weighted(x, 1, x, next-sigma, slope)
	}
	return nil
}

// dpmSolver takes D as a straight line in λ = −log σ through its last two values, for which dx/dσ has a solution. With
// h = λ' − λ and r = h_before/h,
//
//	x' = (σ'/σ)·x + (1 − e^(−h))·((1 + 1/2r)·D − 1/2r·D_before)
//
// The first step has no D before, and the last, to 0, takes D alone (their algorithm 2, in x_t/α_t).
func dpmSolver(ctx context.Context, x []float32, levels []float64, d denoiser) error {
	clean, before, line := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
	for i, sigma := range levels[:len(levels)-1] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d(clean, x, sigma); err != nil {
			return err
		}
		next := levels[i+1]
		copy(line, clean)
		if i > 0 && next > 0 {
			r := math.Log(levels[i-1]/sigma) / math.Log(sigma/next)
			weighted(line, 1+1/(2*r), clean, -1/(2*r), before)
		}
		weighted(x, next/sigma, x, 1-next/sigma, line)
		before, clean = clean, before
	}
	return nil
}
