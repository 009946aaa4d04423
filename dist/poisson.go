package dist

import (
	"math"
	"math/rand/v2"
)

// Poisson is the distribution of the number of events with mean λ,
//
//	log p(k) = k log λ - λ - log k!,    k = 0, 1, …
//
// Its entropy has no closed form.
type Poisson struct {
	discrete
	mean float64
}

// NewPoisson takes the mean, up to 1e9.
func NewPoisson(mean float64) (*Poisson, error) {
	if err := parameters("poisson", must(mean > 0 && mean <= 1e9, "mean", mean, "a number above 0, up to 1e9")); err != nil {
		return nil, err
	}
	return &Poisson{mean: mean}, nil
}

func (d *Poisson) LogProb(x []float64) float64 {
	switch k := x[0]; {
	case math.IsNaN(k):
		return k
	case k != math.Floor(k) || k < 0:
		return math.Inf(-1)
	default:
		return logPoisson(k, d.mean)
	}
}

// Sample counts, below a mean of 10, the exponential waiting times that fit in the mean; above, it is Hörmann's transformed
// rejection, algorithm PTRS (The transformed rejection method for generating Poisson random variables, 1993).
func (d *Poisson) Sample(dst []float64, r *rand.Rand) error {
	if d.mean < 10 {
		return fill(dst, r, func(r *rand.Rand) float64 {
			k := 0.0
			for t := r.ExpFloat64(); t < d.mean; t += r.ExpFloat64() {
				k++
			}
			return k
		})
	}
	b := 0.931 + 2.53*math.Sqrt(d.mean)
	a := -0.059 + 0.02483*b
	alpha := 1.1239 + 1.1328/(b-3.4)
	accepted := 0.9277 - 3.6224/(b-2)
	return fill(dst, r, func(r *rand.Rand) float64 {
		for {
			u, v := r.Float64()-0.5, r.Float64()
			us := 0.5 - math.Abs(u)
			k := math.Floor((2*a/us+b)*u + d.mean + 0.43)
			switch {
			case us >= 0.07 && v <= accepted:
				return k
			case !(k >= 0) || us < 0.013 && v > us:
			case math.Log(v*alpha/(a/(us*us)+b)) <= logPoisson(k, d.mean):
				return k
			}
		}
	})
}

// CDF is Q(k+1, λ) of the incomplete gamma function.
func (d *Poisson) CDF(x float64) float64 {
	switch {
	case x < 0:
		return 0
	case math.IsInf(x, 1):
		return 1
	case math.IsNaN(x):
		return x
	}
	_, upper := gammaTails(math.Floor(x)+1, d.mean)
	return upper
}

func (d *Poisson) Quantile(p float64) float64 {
	return quantileDiscrete(d, p, 0, math.Inf(1), d.mean)
}

func (d *Poisson) Mean() float64           { return d.mean }
func (d *Poisson) Variance() float64       { return d.mean }
func (d *Poisson) Marginal(int) Univariate { return d }
func (d *Poisson) String() string          { return written("poisson", d.mean) }
