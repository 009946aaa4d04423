// Package divergence says how near two probability distributions are.
//
// A kind of divergence says what is computed, a method how, and each method gives a type of its own:
//
//	ClosedForm   a formula, or a finite sum                 measure.Exact
//	Integrate    adaptive quadrature, or an infinite sum    measure.Integral, with a bound on its error
//	Simulate     means over draws of log p and log q        measure.Estimate, with its standard error
//	Sample…      from a sample of each, no density needed   measure.Estimate or measure.Approximation
//	FromLogOdds  from a classifier that tells p from q      measure.Bound, and measure.Approximation
//
// No method turns into another: where there is no formula ClosedForm returns ErrNoClosedForm, and the caller chooses.
//
// Closed forms, all but the first two rows for two members of the same family:
//
//	any two discrete ones of finite support   every kind
//	products of independent distributions     the kinds of KL, Rényi, Bhattacharyya, Hellinger, chi-square, Wasserstein2, where all
//	                                          pairs of factors have it
//	uniform                                   every kind but MMD
//	normal                                    every kind but JS and its root
//	mvnormal                                  the kinds of KL, Rényi, Bhattacharyya, Hellinger, chi-square, Wasserstein2, MMD; of equal
//	                                          covariance also total variation
//	exponential, poisson, geometric           the kinds of KL, Rényi, Bhattacharyya, Hellinger, chi-square, total variation,
//	                                          Wasserstein1; of exponentials also Wasserstein2, energy
//	gamma, beta                               the kinds of KL, Rényi, Bhattacharyya, Hellinger, chi-square; gammas of equal shape also
//	                                          Wasserstein1 and Wasserstein2
//	laplace                                   the kinds of KL, Rényi, Bhattacharyya, Hellinger, chi-square, Wasserstein1, Wasserstein2
//	lognormal                                 what depends on the densities alone, as of the normals of log x
//	cauchy                                    the kinds of KL, Wasserstein1, Wasserstein2
//	logistic, student                         Wasserstein2, of students of equal ν; of logistics also Wasserstein1
//	mixtures of normals                       energy over the line, MMD
//
// where "the kinds of KL" are KL, its reverse and Jeffreys'. Everything here is in the units of x in which the densities are
// given: Wasserstein distances and the energy distance change with these units, the others do not.
package divergence

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/likely-ml/likely/internal/suggest"
)

// Kind is a divergence or distance of two distributions.
type Kind string

// The kinds, as the command line and its JSON name them. Each is 0 where p = q. But for what is said, each is 0 only there,
// and symmetric only where its formula is.
const (
	// KL is the Kullback-Leibler divergence KL(p||q) = E_p[log p(x)/q(x)], in nats, from 0 to infinity; infinite where p has mass
	// that q has not, and where the tails of q are too light. (Kullback and Leibler, On information and sufficiency, 1951)
	KL Kind = "kl"
	// ReverseKL is KL(q||p).
	ReverseKL Kind = "reverse_kl"
	// Jeffreys is KL(p||q) + KL(q||p), in nats, from 0 to infinity; symmetric. (Jeffreys, An invariant form for the prior probability
	// in estimation problems, 1946, equation 1)
	Jeffreys Kind = "jeffreys"
	// JS is the Jensen-Shannon divergence ½ KL(p||m) + ½ KL(q||m) with m = ½(p+q), in nats, from 0 to log 2, which it is where no x
	// has p(x) q(x) > 0; symmetric. (Lin, Divergence measures based on the Shannon entropy, 1991, equation 4.1)
	JS Kind = "js"
	// JSDistance is √JS, a metric, from 0 to √log 2, in √nats. (Endres and Schindelin, A new metric for probability distributions,
	// 2003)
	JSDistance Kind = "js_distance"
	// TotalVariation is ½ ∫|p-q|, the largest difference in the probability of an event, from 0 to 1; a metric, without unit.
	TotalVariation Kind = "tv"
	// Hellinger is the Hellinger distance √(1 - ∫√(pq)), from 0 to 1; a metric, without unit.
	Hellinger Kind = "hellinger"
	// ChiSquare is Pearson's ∫(p-q)²/q = ∫p²/q - 1, from 0 to infinity, without unit; infinite like KL, and earlier.
	ChiSquare Kind = "chi_square"
	// Renyi is Rényi's divergence of order α, log ∫ p^α q^(1-α) / (α-1), for α > 0 other than 1, where KL is its limit. In nats, from 0
	// to infinity, growing with α; for α < 1 infinite only where no x has p(x) q(x) > 0. (Rényi, On measures of entropy and information,
	// 1961; van Erven and Harremoës, Rényi divergence and Kullback-Leibler divergence, 2014)
	Renyi Kind = "renyi"
	// Bhattacharyya is -log ∫√(pq), half of Rényi's of order ½, in nats, from 0 to infinity, which it is where no x has p(x) q(x) > 0;
	// symmetric. (Bhattacharyya, On a measure of divergence between two statistical populations, 1943)
	Bhattacharyya Kind = "bhattacharyya"
	// Wasserstein1 is the least mean |x-y| over all couplings of p and q, in units of x, a metric; on the line ∫|F-G|. Over whole
	// numbers, such as the classes of a categorical distribution, the distance of two is |x-y| too.
	Wasserstein1 Kind = "wasserstein1"
	// Wasserstein2 is the root of the least mean |x-y|² over all couplings, in units of x, a metric; on the line the root of
	// ∫(F⁻¹(u) - G⁻¹(u))² du over 0 to 1. It is infinite where one has a variance and the other has not.
	Wasserstein2 Kind = "wasserstein2"
	// SlicedW1 is the mean of Wasserstein1 over projections on random lines, in units of x.
	SlicedW1 Kind = "sliced_wasserstein1"
	// SlicedW2 is the root mean square of Wasserstein2 over projections on random lines, in units of x.
	SlicedW2 Kind = "sliced_wasserstein2"
	// Energy is the energy distance 2 E|x-y| - E|x-x'| - E|y-y'|, in units of x, from 0, symmetric; on the line 2 ∫(F-G)². Its root
	// is a metric. (Székely and Rizzo, Energy statistics, 2013)
	Energy Kind = "energy"
	// MMD is the squared maximum mean discrepancy E k(x,x') + E k(y,y') - 2 E k(x,y) with the Gaussian kernel
	// k(x,y) = exp(-|x-y|²/(2h²)), from 0 to 2, symmetric, without unit. Its root is a metric. (Gretton et al., A kernel two-sample
	// test, 2012, lemma 6)
	MMD Kind = "mmd"
)

// kinds are all kinds, in the order in which lists and tables show them.
var kinds = []Kind{KL, ReverseKL, Jeffreys, JS, JSDistance, TotalVariation, Hellinger, ChiSquare, Renyi, Bhattacharyya, Wasserstein1, Wasserstein2,
	SlicedW1, SlicedW2, Energy, MMD}

// Kinds lists all kinds.
func Kinds() []Kind { return slices.Clone(kinds) }

// ParseKind is the kind of a name, in any case.
func ParseKind(name string) (Kind, error) {
	k := Kind(strings.ToLower(strings.TrimSpace(name)))
	if slices.Contains(kinds, k) {
		return k, nil
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	hint := suggest.Hint(name, names)
	if hint == "" {
		hint = ", expected one of " + strings.Join(names, ", ")
	}
	return "", fmt.Errorf("unknown kind %q%s", name, hint)
}

// Unit is what values of the kind are in: "nats", "√nats", "units of x", or "" for a number without unit.
func (k Kind) Unit() string {
	switch k {
	case KL, ReverseKL, Jeffreys, JS, Renyi, Bhattacharyya:
		return "nats"
	case JSDistance:
		return "√nats"
	case Wasserstein1, Wasserstein2, SlicedW1, SlicedW2, Energy:
		return "units of x"
	}
	return ""
}

// OfDensities reports whether the kind is a function of p and q at each x alone, which any change of units or order of the x
// leaves as it is. The others look at how far apart x and y are.
func (k Kind) OfDensities() bool {
	_, ok := integrands[k]
	return ok || k == Renyi
}

// Method is how a divergence is computed. What each gives is a type of its own in package measure.
type Method string

const (
	Exact       Method = "exact"      // a closed form; measure.Exact
	Quadrature  Method = "quadrature" // numerical integration; measure.Integral, with a bound on its error
	MonteCarlo  Method = "mc"         // means over draws of log p and log q; measure.Estimate
	Neighbours  Method = "knn"        // distances to nearest neighbours in two samples; measure.Approximation
	Classifier  Method = "classifier" // a classifier of p against q; measure.Approximation or measure.Bound
	FromSamples Method = "samples"    // of kinds that need no density; measure.Estimate, of Wasserstein distances measure.Approximation
)

// Params are what some kinds need beside p and q.
type Params struct {
	Alpha     float64 // α, the order of Renyi: above 0, not 1
	Bandwidth float64 // h, the width of MMD's kernel in units of x: above 0
}

// check reports what is wrong with the parameters of a kind.
func (o Params) check(k Kind) error {
	switch {
	case k == Renyi && !(o.Alpha > 0 && o.Alpha != 1 && o.Alpha <= maxAlpha):
		return fmt.Errorf("the order of Rényi's divergence is %v, expected more than 0 and at most %d, other than 1, where it is kl", o.Alpha, maxAlpha)
	case k == MMD && !(o.Bandwidth > 0 && o.Bandwidth <= maxBandwidth):
		return fmt.Errorf("the bandwidth of the kernel is %v, expected more than 0", o.Bandwidth)
	case !slices.Contains(kinds, k):
		return fmt.Errorf("unknown kind %q", k)
	}
	return nil
}

const (
	maxAlpha     = 1000
	maxBandwidth = 1e150 // whose square is still a number
)

// Why a method gives no value. Errors returned wrap these and say of what.
var (
	// ErrNoClosedForm: no formula is known for this kind of these distributions. Integrate or Simulate it.
	ErrNoClosedForm = errors.New("no closed form")
	// ErrNoIntegral: the kind or the distributions cannot be integrated numerically: more than 3 dimensions, or no density.
	ErrNoIntegral = errors.New("no numerical integral")
	// ErrNotConverged: numerical integration found no value: the integral is infinite, or its integrand too irregular.
	ErrNotConverged = errors.New("the integral does not converge: it is infinite, or too irregular")
	// ErrNoEstimate: draws do not tell the kind, or one distribution cannot be drawn from.
	ErrNoEstimate = errors.New("no estimate from draws")
	// ErrIncomparable: the distributions are of different spaces: other numbers of dimensions, or a density and probabilities.
	ErrIncomparable = errors.New("not comparable")
)
