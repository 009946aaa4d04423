package divergence

import (
	"math"
	"slices"

	"github.com/likely-ml/likely/dist"
)

// betweenUniforms are the formulas for the uniform distributions over [a, b] and [c, d]. Between successive ends both densities are
// constant, so that kinds of densities are sums over three intervals as over three categories, and F - G is linear. Both are
// linear in one Z, the best coupling, uniform over [-½, ½]: with Δ = ½(a+b-c-d), w = |b-a-d+c| and o what both overlap in,
//
//	affinity = α log o/(b-a) + (1-α) log o/(d-c), infinite for α > 1 where [a, b] is not within [c, d]
//	W1   = E|Δ + wZ|, which is |Δ| for |Δ| ≥ w/2, and else Δ²/w + w/4
//	W2²  = Δ² + w²/12.
func betweenUniforms(p, q *dist.Uniform) formulas {
	ends := []float64{p.Quantile(0), p.Quantile(1), q.Quantile(0), q.Quantile(1)}
	delta := p.Mean() - q.Mean()
	w := math.Abs((ends[1] - ends[0]) - (ends[3] - ends[2]))
	overlap := min(ends[1], ends[3]) - max(ends[0], ends[2])
	first, second := overlap/(ends[1]-ends[0]), overlap/(ends[3]-ends[2])
	slices.Sort(ends)
	return formulas{
		affinity: func(alpha float64) float64 {
			switch {
			case alpha > 1 && first < 1:
				return math.Inf(1)
			case overlap <= 0:
				return math.Inf(-1)
			}
			return alpha*math.Log(first) + (1-alpha)*math.Log(second)
		},
		densities: func(f integrand) float64 {
			sum := 0.0
			for i := range 3 {
				width := ends[i+1] - ends[i]
				middle := []float64{ends[i] + width/2}
				if width > 0 {
					sum += width * f.term(p.LogProb(middle), q.LogProb(middle))
				}
			}
			return f.finish(sum)
		},
		wasserstein1: func() float64 {
			if math.Abs(delta) >= w/2 {
				return math.Abs(delta)
			}
			return delta*delta/w + w/4
		},
		wasserstein2: func() float64 { return math.Hypot(delta, w/math.Sqrt(12)) },
		energy: func() float64 { // of a linear function from u to v the mean square is (u² + uv + v²)/3
			sum := 0.0
			for i := range 3 {
				u, v := p.CDF(ends[i])-q.CDF(ends[i]), p.CDF(ends[i+1])-q.CDF(ends[i+1])
				sum += 2 * (ends[i+1] - ends[i]) * (u*u + u*v + v*v) / 3
			}
			return sum
		},
	}
}
