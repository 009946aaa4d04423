package divergence

import (
	"fmt"
	"math"

	"github.com/likely-ml/likely/measure"
)

// ClassifierDivergences are divergences estimated from the log-odds of a classifier that tells p from q. The better it is, the
// nearer are the bounds. All are of points that the classifier has not seen; the standard errors take the classifier as given.
type ClassifierDivergences struct {
	// KL is E_p[t], in nats. Where the classifier is wrong it may lie on either side.
	KL, ReverseKL measure.Approximation
	// KLDonskerVaradhan is E_p[t] - log E_q[e^t] <= KL(p||q) (Donsker and Varadhan, 1983; Belghazi and others, Mutual information
	// neural estimation, 2018), in nats. The logarithm of a mean over m points is too low by some
	// Var_q(e^t)/(2m E_q[e^t]²), which is put right.
	KLDonskerVaradhan, ReverseKLDonskerVaradhan measure.Bound
	// KLNWJ is 1 + E_p[t] - E_q[e^t] <= KL(p||q) (Nguyen, Wainwright and Jordan, Estimating divergence functionals and the
	// likelihood ratio by convex risk minimization, 2010), in nats. It is the one without bias, and never above the one before
	// in the mean.
	KLNWJ, ReverseKLNWJ measure.Bound
	// JS is log 2 + ½ E_p[log σ(t)] + ½ E_q[log σ(-t)] <= JS(p||q) in nats: log 2 less the log loss with equal classes, the
	// objective of a GAN's discriminator (Goodfellow and others, Generative adversarial nets, 2014, theorem 1).
	JS measure.Bound
	// TotalVariation is P_p(t > 0) - P_q(t > 0) <= TV(p, q), where t = 0 counts half: twice the balanced accuracy, less 1.
	TotalVariation measure.Bound
	Accuracy       measure.Estimate // balanced: ½ where p and q cannot be told apart
	Warnings       []string         // what makes the values doubtful, one sentence each
}

// FromLogOdds estimates divergences from t(x) = log p̂(x)/q̂(x) at n points of p and m points of q. A classifier that learned
// from N_p and N_q points gives t(x) = log p(P|x) - log p(Q|x) - log(N_p/N_q). The points must be others than it learned from:
// on those it learned from nothing is bounded.
func FromLogOdds(p, q []float64) (*ClassifierDivergences, error) {
	for _, s := range []struct {
		name string
		t    []float64
	}{{"p", p}, {"q", q}} {
		if len(s.t) < 2 {
			return nil, fmt.Errorf("%w: log-odds of %d points of %s, expected at least 2", ErrPoints, len(s.t), s.name)
		}
		for i, t := range s.t {
			if t-t != 0 { // NaN and the infinities
				return nil, fmt.Errorf("%w: the log-odds of point %d of %s are %v, expected a finite number: "+
					"a classifier that gives no probability of 0", ErrPoints, i, s.name, t)
			}
		}
	}
	out := &ClassifierDivergences{}
	weigh := func(share float64, of, kind string) {
		if share > heavy {
			out.Warnings = append(out.Warnings, fmt.Sprintf(
				"one point of %s has %.0f%% of the weight in the bounds on %s: their errors are larger than stated", of, 100*share, kind))
		}
	}
	var share float64
	out.KL, out.KLDonskerVaradhan, out.KLNWJ, share = ratioBounds(p, q)
	weigh(share, "q", "kl")
	negate := func(t []float64) []float64 {
		v := make([]float64, len(t))
		for i := range t {
			v[i] = -t[i]
		}
		return v
	}
	minusP, minusQ := negate(p), negate(q)
	out.ReverseKL, out.ReverseKLDonskerVaradhan, out.ReverseKLNWJ, share = ratioBounds(minusQ, minusP)
	weigh(share, "p", "reverse_kl")
	n := len(p) + len(q)
	meanP, varP := meanOf(p, logSigmoid)
	meanQ, varQ := meanOf(minusQ, logSigmoid)
	out.JS = lower(math.Ln2+(meanP+meanQ)/2, (varP+varQ)/4, n)
	meanP, varP = meanOf(p, rightSide)
	meanQ, varQ = meanOf(minusQ, rightSide)
	out.TotalVariation = lower(meanP+meanQ-1, varP+varQ, n)
	out.Accuracy = measure.Estimate{Value: (meanP + meanQ) / 2, StandardError: math.Sqrt((varP + varQ) / 4), N: n}
	return out, nil
}

// heavy is the share of E_q[e^t] that one point may have: more, and the variance of the mean is not known from the sample.
const heavy = 0.1

func lower(value, variance float64, n int) measure.Bound {
	return measure.Bound{Value: value, StandardError: math.Sqrt(variance), N: n}
}

// ratioBounds are those on KL(p||q), and the greatest share that a point has in E_q[e^t].
func ratioBounds(p, q []float64) (kl measure.Approximation, dv, nwj measure.Bound, share float64) {
	n := len(p) + len(q)
	mean, variance := meanOf(p, func(t float64) float64 { return t })
	// With the greatest t taken off, no exponential is too large.
	top := math.Inf(-1)
	for _, t := range q {
		top = max(top, t)
	}
	ratio, varRatio := meanOf(q, func(t float64) float64 { return math.Exp(t - top) })
	relative := varRatio / (ratio * ratio) // of the mean; at most 1 by more than one point
	dv = lower(mean-math.Log(ratio)-top-relative/2, variance+relative, n)
	if scale := math.Exp(top); math.IsInf(scale, 1) {
		nwj = lower(math.Inf(-1), math.Inf(1), n) // true of every KL, and of no use
	} else {
		nwj = lower(1+mean-ratio*scale, variance+varRatio*scale*scale, n)
	}
	return approximate(mean, variance, n), dv, nwj, 1 / (ratio * float64(len(q)))
}

// meanOf is the mean of f(t), and its variance.
func meanOf(t []float64, f func(float64) float64) (mean, variance float64) {
	v := make([]float64, len(t))
	for i := range t {
		v[i] = f(t[i])
	}
	mean, variance = moments(v)
	return mean, variance / float64(len(v))
}

// logSigmoid is log 1/(1+e^-t).
func logSigmoid(t float64) float64 { return min(t, 0) - math.Log1p(math.Exp(-math.Abs(t))) }

// rightSide is 1 where t is above 0, and ½ where it is 0.
func rightSide(t float64) float64 {
	switch {
	case t > 0:
		return 1
	case t == 0:
		return 0.5
	}
	return 0
}
