package generative

import "context"

// FlowOptions are the sampling options of a [FlowMatching].
type FlowOptions struct {
	Sampler  FlowSampler `json:"sampler" default:"midpoint" choices:"euler,midpoint,heun,rk4" help:"how dx/dt = v is solved; midpoint and heun look twice a step, rk4 four times"`
	Steps    int         `json:"steps" default:"8" min:"1" max:"1000" help:"steps of equal length from noise to x"`
	Guidance float64     `json:"guidance" default:"1" min:"0" max:"20" help:"1 draws from p(x|y); more draws what is typical of the class, with less variety; 0 ignores the class"`
}

// FlowSampler names a sampler of a [FlowMatching].
type FlowSampler string

// The samplers, with their order of convergence.
const (
	FlowEuler    FlowSampler = "euler"    // 1
	FlowMidpoint FlowSampler = "midpoint" // 2
	FlowHeun     FlowSampler = "heun"     // 2
	FlowRK4      FlowSampler = "rk4"      // 4
)

// butcher is an explicit Runge-Kutta method: slope i is looked at after the share at[i] of the step, reached by the slopes
// before it with weights reach[i], and the step goes by all slopes with weights step (Hairer, Nørsett and Wanner, Solving
// ordinary differential equations I, 1993, section II.1).
type butcher struct {
	at    []float64
	reach [][]float64
	step  []float64
}

var butchers = map[FlowSampler]butcher{
	FlowEuler:    {[]float64{0}, [][]float64{{}}, []float64{1}},
	FlowMidpoint: {[]float64{0, 0.5}, [][]float64{{}, {0.5}}, []float64{0, 1}},
	FlowHeun:     {[]float64{0, 1}, [][]float64{{}, {1}}, []float64{0.5, 0.5}},
	FlowRK4: {[]float64{0, 0.5, 0.5, 1}, [][]float64{{}, {0.5}, {0, 0.5}, {0, 0, 1}},
		[]float64{1. / 6, 1. / 3, 1. / 3, 1. / 6}},
}

// velocity sets dst to v(x, t) of rows x.
type velocity func(dst, x []float32, t float64) error

// solve takes x along dx/dt = v(x, t) from t = 0 to 1.
func (m butcher) solve(ctx context.Context, x []float32, steps int, v velocity) error {
	return m.follow(ctx, x, steps, func(dst, x []float32, t, _ float64) error { return v(dst, x, t) })
}

// follow is solve with a v that is told the weight of each look: Σ weight·q(x, t) is what the method makes of ∫₀¹ q(x_t, t) dt along
// the path, as if q were the velocity of one coordinate more.
func (m butcher) follow(ctx context.Context, x []float32, steps int, v func(dst, x []float32, t, weight float64) error) error {
	h := 1 / float64(steps)
	ahead := make([]float32, len(x))
	slopes := make([][]float32, len(m.at))
	for i := range slopes {
		slopes[i] = make([]float32, len(x))
	}
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		t := float64(step) * h
		for i := range slopes {
			advance(ahead, x, h, m.reach[i], slopes)
			if err := v(slopes[i], ahead, t+m.at[i]*h, h*m.step[i]); err != nil {
				return err
			}
		}
		advance(x, x, h, m.step, slopes)
	}
	return nil
}

// advance sets dst to x + h·Σ weights_i·slopes_i.
func advance(dst, x []float32, h float64, weights []float64, slopes [][]float32) {
	for j := range dst {
		sum := 0.0
		for i, w := range weights {
			sum += w * float64(slopes[i][j])
		}
		dst[j] = float32(float64(x[j]) + h*sum)
	}
}
