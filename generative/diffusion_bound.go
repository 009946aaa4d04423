package generative

import (
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
)

// A bound on log p(x) (Kingma et al., Variational diffusion models, 2021, section 4, in the notation of [Diffusion]). Let
// σ_0 < … < σ_T be noise levels in equal ratios, z_i = x + σ_i ε, and p(x) the model that draws z_T ~ N(0, σ_T²), then z_{i−1}
// from q(z_{i−1} | z_i, x = D(z_i; σ_i)) for i = T … 1, which is ancestral sampling in T steps, and x from a decoder
// p(x|z_0). Then
//
//	log p(x) ≥ E log p(x|z_0) − |x|²/2σ_T² − Σ_{i=1}^T ½·(1/σ_{i−1}² − 1/σ_i²)·E|x − D(z_i; σ_i)|²
//
// where the terms after the first are the KL divergences of z_T and of each z_{i−1} (their eq. 11 and 13). The sum is estimated
// without bias from few i, drawn evenly from as many parts of 1 … T.
const (
	boundLevels = 1000 // T
	boundDraws  = 4    // terms of the sum
	boundMost   = 80   // σ_T
	// σ_0 of pixels, in grey levels: the decoder then tells neighbours apart.
	boundPixel = 0.25
	// σ_0 of columns of standard deviation 1.
	boundColumn = 0.01
)

// noiseLadder is the noise levels of a bound.
type noiseLadder struct{ least float64 }

// level is σ_i.
func (l noiseLadder) level(i int) float64 {
	return l.least * math.Pow(boundMost/l.least, float64(i)/boundLevels)
}

// rowDenoiser sets dst to D(z; σ) of rows z, each with its own log σ.
type rowDenoiser func(dst, z, logSigma []float32) error

// bound sets dst[i] to a draw whose mean is the bound for row i of x, in nats on the scale of x. The decoder is log p(x|z_0) of
// a row.
func (l noiseLadder) bound(dst []float64, x data.Batch, d rowDenoiser, decoder func(x, z []float32) float64, r *rand.Rand) error {
	n := x.Len()
	z, clean, logs := make([]float32, len(x.X)), make([]float32, len(x.X)), make([]float32, n)
	rows := func(values []float32) data.Batch { return data.Batch{Shape: x.Shape, X: values} }
	for i := range n {
		from, to := x.Row(i), rows(z).Row(i)
		noised(to, from, l.least, r)
		dst[i] = decoder(from, to)
		for _, v := range from {
			dst[i] -= float64(v) * float64(v) / (2 * boundMost * boundMost)
		}
	}
	weights := make([]float64, n)
	for draw := range boundDraws {
		for i := range n {
			part := (float64(draw) + r.Float64()) / boundDraws
			step := min(1+int(part*boundLevels), boundLevels)
			before, sigma := l.level(step-1), l.level(step)
			weights[i] = boundLevels / boundDraws * (1/(before*before) - 1/(sigma*sigma)) / 2
			logs[i] = float32(math.Log(sigma))
			noised(rows(z).Row(i), x.Row(i), sigma, r)
		}
		if err := d(clean, z, logs); err != nil {
			return err
		}
		for i := range n {
			dst[i] -= weights[i] * pairDistance(x.Row(i), rows(clean).Row(i))
		}
	}
	return nil
}

// noised sets dst to x + σε.
func noised(dst, x []float32, sigma float64, r *rand.Rand) {
	for i, v := range x {
		dst[i] = float32(float64(v) + sigma*r.NormFloat64())
	}
}

// pixelDecoder gives the whole pixel values 0..largest, on [−1, 1], probabilities ∝ N(z; u_k, σ_0²) (Kingma et al., 2021, section
// 3.3). Levels farther than reach from z have none that float64 could hold.
func pixelDecoder(largest, least float64) func(x, z []float32) float64 {
	const reach = 16
	return func(x, z []float32) float64 {
		log := 0.0
		for i := range x {
			at := func(k float64) float64 { // log N, but for a constant
				d := (float64(z[i]) - (2*k/largest - 1)) / least
				return -d * d / 2
			}
			own := math.RoundToEven((float64(x[i]) + 1) / 2 * largest)
			centre := math.RoundToEven((float64(z[i]) + 1) / 2 * largest)
			centre = min(max(centre, 0), largest)
			most, sum := at(centre), 0.0
			for k := max(centre-reach, 0); k <= min(centre+reach, largest); k++ {
				sum += math.Exp(at(k) - most)
			}
			log += at(own) - most - math.Log(sum)
		}
		return log
	}
}

// rowDecoder is N(x; z, σ_0²) of the numbers of t(x), a density in the units of t, and the softmax of z/σ_0² at the level of a
// categorical column, which is N(z; e_k, σ_0²) of its one-hot vectors e_k, normalised over k. A missing level has no term.
func rowDecoder(t *data.Transform, least float64) func(x, z []float32) float64 {
	return func(x, z []float32) float64 {
		log, at := 0.0, 0
		for _, step := range t.Steps {
			if !step.OneHot {
				d := (float64(x[at]) - float64(z[at])) / least
				log -= d*d/2 + math.Log(least) + math.Log(2*math.Pi)/2
				at++
				continue
			}
			end := at + len(step.Levels)
			most := math.Inf(-1)
			for _, v := range z[at:end] {
				most = max(most, float64(v))
			}
			sum := 0.0
			for _, v := range z[at:end] {
				sum += math.Exp((float64(v) - most) / (least * least))
			}
			for j, v := range x[at:end] {
				if v == 1 {
					log += (float64(z[at+j])-most)/(least*least) - math.Log(sum)
				}
			}
			at = end
		}
		return log
	}
}
