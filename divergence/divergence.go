// Package divergence says how near two probability distributions are.
package divergence

// Kind is a divergence or distance of two distributions.
type Kind string

// The kinds, as the command line and its JSON name them.
const (
	KL             Kind = "kl"                  // KL(p||q) = E_p[log p(x)/q(x)]
	ReverseKL      Kind = "reverse_kl"          // KL(q||p)
	JS             Kind = "js"                  // ½ KL(p||m) + ½ KL(q||m), m = ½(p+q)
	JSDistance     Kind = "js_distance"         // √JS, a metric
	TotalVariation Kind = "tv"                  // ½ ∫|p-q|
	Hellinger      Kind = "hellinger"           // √(1 - ∫√(pq))
	ChiSquare      Kind = "chi_square"          // ∫(p-q)²/q
	Renyi          Kind = "renyi"               // log ∫ p^α q^(1-α) / (α-1)
	Bhattacharyya  Kind = "bhattacharyya"       // -log ∫√(pq)
	Wasserstein1   Kind = "wasserstein1"        // least mean |x-y| over couplings
	Wasserstein2   Kind = "wasserstein2"        // root of the least mean |x-y|² over couplings
	SlicedW1       Kind = "sliced_wasserstein1" // mean of Wasserstein1 over projections on random lines
	SlicedW2       Kind = "sliced_wasserstein2" // root mean square of Wasserstein2 over projections on random lines
	Energy         Kind = "energy"              // 2 E|x-y| - E|x-x'| - E|y-y'|
	MMD            Kind = "mmd"                 // squared maximum mean discrepancy
)

// Method is how a divergence is computed. What each gives is a type of its own in package measure.
type Method string

const (
	Exact       Method = "exact"      // a closed form; measure.Exact
	Quadrature  Method = "quadrature" // numerical integration; measure.Integral, with a bound on its error
	MonteCarlo  Method = "mc"         // means over draws of log p and log q; measure.Estimate
	Neighbours  Method = "knn"        // distances to nearest neighbours in two samples; measure.Estimate
	Classifier  Method = "classifier" // a classifier of p against q; measure.Estimate or measure.Bound
	FromSamples Method = "samples"    // a statistic of two samples, of kinds that need no density; measure.Estimate
)
