package generative

import (
	"math"
	"math/rand/v2"
)

// Kernel is the shape of the bump that a kernel density estimate puts on each row: a density K in p dimensions that depends
// on the distance from the row alone. Each has K(u) beside it, up to a factor, for a distance of u bandwidths.
type Kernel string

const (
	GaussianKernel    Kernel = "gaussian"     // exp(−u²/2)
	TopHat            Kernel = "tophat"       // 1 for u < 1
	Epanechnikov      Kernel = "epanechnikov" // 1 − u² for u < 1
	ExponentialKernel Kernel = "exponential"  // exp(−u)
	Linear            Kernel = "linear"       // 1 − u for u < 1
	Cosine            Kernel = "cosine"       // cos(πu/2) for u < 1
)

// compact reports whether the kernel is 0 from u = 1 on.
func (k Kernel) compact() bool { return k != GaussianKernel && k != ExponentialKernel }

// of is the height at the squared distance u² < 1 of a compact kernel, before it is normalised.
func (k Kernel) of(square float64) float64 {
	switch k {
	case TopHat:
		return 1
	case Epanechnikov:
		return 1 - square
	case Linear:
		return 1 - math.Sqrt(square)
	default:
		return math.Cos(math.Pi / 2 * math.Sqrt(square))
	}
}

// logNormaliser is log ∫ K(|u|) du over p dimensions: with V = π^(p/2)/Γ(p/2+1), the volume of the unit ball, ∫ K(|u|) du =
// p V ∫ K(u) u^(p−1) du.
func (k Kernel) logNormaliser(p int) float64 {
	d := float64(p)
	logGamma, _ := math.Lgamma(d/2 + 1)
	logBall := d/2*math.Log(math.Pi) - logGamma
	switch k {
	case GaussianKernel:
		return d / 2 * math.Log(2*math.Pi)
	case TopHat:
		return logBall
	case Epanechnikov:
		return logBall + math.Log(2/(d+2))
	case ExponentialKernel:
		logFactorial, _ := math.Lgamma(d + 1)
		return logBall + logFactorial
	case Linear:
		return logBall - math.Log(d+1)
	default:
		// The Taylor series of cos(πu/2) in t = 1−u, times u^(p−1), has the integrals ±(π/2)^(2k+1) (p−1)!/(p+2k+1)!, of which
		// each is less than a fifth of the one before.
		term := math.Pi / 2 / (d + 1) // times p, of p V
		sum := term
		for k := 2.0; math.Abs(term) > 1e-17*sum; k += 2 {
			term *= -(math.Pi / 2) * (math.Pi / 2) / ((d + k) * (d + k + 1))
			sum += term
		}
		return logBall + math.Log(sum)
	}
}

// sample sets dst to a draw of K: a random direction times a distance u of density proportional to K(u) u^(p−1). A draw of
// Beta(a, b) times one of Beta(a+b, c) is one of Beta(a, b+c), and U^(1/a) is one of Beta(a, 1).
func (k Kernel) sample(dst []float64, r *rand.Rand) {
	length := 0.0
	for j := range dst {
		dst[j] = r.NormFloat64()
		length += dst[j] * dst[j]
	}
	if k == GaussianKernel {
		return
	}
	d := float64(len(dst))
	u := 0.0
	switch k {
	case TopHat: // u^(p−1)
		u = beta(d, r)
	case Epanechnikov: // u² is Beta(p/2, 2)
		u = math.Sqrt(beta(d/2, r) * beta(d/2+1, r))
	case ExponentialKernel: // Gamma(p): the sum of p exponential variables
		for range dst {
			u += r.ExpFloat64()
		}
	case Linear: // Beta(p, 2)
		u = beta(d, r) * beta(d+1, r)
	default: // cos(πu/2) = sin(π(1−u)/2) lies below π(1−u)/2: a draw of Linear is accepted by their ratio
		for {
			u = beta(d, r) * beta(d+1, r)
			if t := math.Pi / 2 * (1 - u); r.Float64()*t < math.Sin(t) {
				break
			}
		}
	}
	u /= math.Sqrt(length)
	for j := range dst {
		dst[j] *= u
	}
}

// beta draws Beta(a, 1).
func beta(a float64, r *rand.Rand) float64 { return math.Pow(r.Float64(), 1/a) }
