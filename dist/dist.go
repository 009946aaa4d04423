// Package dist has probability distributions whose density is known by a formula: log p(x), samples, entropy.
//
// Log-probabilities are float64 nats. Of a discrete distribution they are of the probability of x, of a continuous one of
// its density. The log-probability is the primitive; what else a distribution has is a further, optional, interface:
// Entropic, Univariate, Marginals.
//
// Parse reads a distribution as people write it, and String writes it so again. Locations, scales and standard deviations are in
// the unit of x, rates in one over it; shapes, counts and probabilities have no unit.
//
//	normal(mean, standard deviation)                  x in R
//	student(degrees of freedom, location, scale)      x in R
//	laplace(location, scale)                          x in R
//	logistic(location, scale)                         x in R
//	cauchy(location, scale)                           x in R
//	uniform(low, high)                                low <= x <= high
//	exponential(rate)                                 x >= 0
//	gamma(shape, rate)                                x > 0
//	lognormal(mean of log x, standard deviation of log x)  x > 0
//	beta(a, b)                                        0 < x < 1
//	bernoulli(probability of 1)                       0, 1
//	binomial(number of trials, probability)           0, 1, … trials
//	poisson(mean)                                     0, 1, …
//	geometric(probability)                            1, 2, …: the trial that is the first success
//	discrete_uniform(low, high)                       low, low+1, … high
//	categorical(p0, p1, …)                            0, 1, …
//	mvnormal([means], [[covariances]])                x in R^d
//	mixture(weight: distribution, …)                  that of any member
//	product(distribution, distribution, …)            that of each factor, one after another
//
// Families has the same list for programs.
//
// With parameters up to 1e6, log-probabilities, CDFs and quantiles have relative errors of at most 1e-12, in far tails too
// (TestGolden); of a log-probability near 0 and of a quantile near 0 on the line, relative to 1 and to the scale.
package dist

import (
	"errors"
	"math/rand/v2"
)

// ErrNoRand: a nil *rand.Rand was passed.
var ErrNoRand = errors.New("no random numbers: expected a *rand.Rand, got nil")

// Distribution is a probability distribution over R^d, or over whole numbers. It is immutable and safe for concurrent use.
type Distribution interface {
	// Dim is d, the number of elements of x.
	Dim() int
	// Discrete reports whether x takes whole numbers alone, and LogProb is of a probability; else it is of a density.
	Discrete() bool
	// LogProb is log p(x) in nats, -Inf outside of the support, NaN where an element of x is NaN. len(x) must be Dim.
	LogProb(x []float64) float64
	// Sample fills dst, row-major (n, Dim), with n independent draws. A nil r is ErrNoRand; a length that is no multiple of Dim
	// is an error.
	Sample(dst []float64, r *rand.Rand) error
	// String is the written form, which Parse reads back to an equal distribution.
	String() string
}

// Entropic is a distribution whose entropy has a closed form.
type Entropic interface {
	Distribution
	// Entropy is -E[log p(x)] in nats; of a continuous distribution it may be negative.
	Entropy() float64
}

// Univariate is a distribution over the line. Moments that do not exist are NaN, those that diverge infinite.
type Univariate interface {
	Distribution
	// CDF is P(X <= x).
	CDF(x float64) float64
	// Quantile is the least x with CDF(x) >= p, for p in [0, 1]: the ends of the support at 0 and 1, which may be infinite.
	// Where p is no probability it is NaN.
	Quantile(p float64) float64
	Mean() float64
	Variance() float64
}

// Marginals is a distribution whose elements' own distributions are known: every Univariate (of itself), and those over
// R^d whose marginals have a formula.
type Marginals interface {
	Distribution
	// Marginal is the distribution of element i of x, 0 <= i < Dim.
	Marginal(i int) Univariate
}
