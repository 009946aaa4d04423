package dist

import (
	"math"
	"math/rand/v2"
)

// Binomial is the distribution of the number of successes in n trials that succeed with probability p each,
//
//	log p(k) = log C(n, k) + k log p + (n-k) log(1-p),    k = 0, 1, … n.
//
// Its entropy has no closed form.
type Binomial struct {
	discrete
	n, p float64
}

// NewBinomial takes the number of trials, from 0 to 1e9, and the probability of success.
func NewBinomial(n, p float64) (*Binomial, error) {
	counted := must(n == math.Floor(n) && n >= 0 && n <= 1e9, "number of trials", n, "a whole number from 0 to 1e9")
	if err := parameters("binomial", counted, probability("probability", p)); err != nil {
		return nil, err
	}
	return &Binomial{n: n, p: p}, nil
}

// Trials is n.
func (d *Binomial) Trials() float64 { return d.n }

// Probability is p.
func (d *Binomial) Probability() float64 { return d.p }

func (d *Binomial) LogProb(x []float64) float64 {
	switch k := x[0]; {
	case math.IsNaN(k):
		return k
	case k != math.Floor(k) || k < 0 || k > d.n:
		return math.Inf(-1)
	default:
		return logBinomial(k, d.n, d.p, 1-d.p)
	}
}

// Sample counts the rarer outcome. Below a mean of 10 it adds up probabilities until they pass a uniform number; above, it is
// Hörmann's transformed rejection, algorithm BTRS (The generation of binomial random variates, 1993).
func (d *Binomial) Sample(dst []float64, r *rand.Rand) error {
	p := min(d.p, 1-d.p)
	draw := d.search(p)
	if d.n*p >= 10 {
		draw = d.reject(p)
	}
	return fill(dst, r, func(r *rand.Rand) float64 {
		k := draw(r)
		if d.p > 0.5 {
			return d.n - k
		}
		return k
	})
}

func (d *Binomial) search(p float64) func(r *rand.Rand) float64 {
	none := math.Exp(d.n * math.Log1p(-p))
	return func(r *rand.Rand) float64 {
		u, k := r.Float64(), 0.0
		for here := none; u >= here && k < d.n; {
			u -= here
			k++
			here *= (d.n - k + 1) / k * p / (1 - p)
		}
		return k
	}
}

func (d *Binomial) reject(p float64) func(r *rand.Rand) float64 {
	sd := math.Sqrt(d.n * p * (1 - p))
	b := 1.15 + 2.53*sd
	a := -0.0873 + 0.0248*b + 0.01*p
	alpha := (2.83 + 5.1/b) * sd
	mode := logBinomial(math.Floor((d.n+1)*p), d.n, p, 1-p)
	return func(r *rand.Rand) float64 {
		for {
			u, v := r.Float64()-0.5, r.Float64()
			us := 0.5 - math.Abs(u)
			k := math.Floor((2*a/us+b)*u + d.n*p + 0.5)
			switch {
			case us >= 0.07 && v <= 0.92-4.2/b:
				return k
			case !(k >= 0 && k <= d.n):
			case math.Log(v*alpha/(a/(us*us)+b)) <= logBinomial(k, d.n, p, 1-p)-mode:
				return k
			}
		}
	}
}

// CDF is I_{1-p}(n-k, k+1).
func (d *Binomial) CDF(x float64) float64 {
	k := math.Floor(x)
	switch {
	case math.IsNaN(k):
		return k
	case k < 0:
		return 0
	case k >= d.n:
		return 1
	}
	lower, _ := betaTails(d.n-k, k+1, 1-d.p, d.p)
	return lower
}

func (d *Binomial) Quantile(p float64) float64 {
	switch d.p {
	case 0:
		return quantileDiscrete(d, p, 0, 0, 0)
	case 1:
		return quantileDiscrete(d, p, d.n, d.n, d.n)
	}
	return quantileDiscrete(d, p, 0, d.n, d.Mean())
}

func (d *Binomial) Mean() float64           { return d.n * d.p }
func (d *Binomial) Variance() float64       { return d.n * d.p * (1 - d.p) }
func (d *Binomial) Marginal(int) Univariate { return d }
func (d *Binomial) String() string          { return written("binomial", d.n, d.p) }
