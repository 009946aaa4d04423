package evaluate

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"

	"github.com/likely-ml/likely/measure"
)

// normal95 is the 97.5% quantile of the standard normal distribution.
const normal95 = 1.959963984540054

// clopperPearson is the exact 95% confidence interval of a probability after hits of n independent trials (C. J. Clopper, E. S.
// Pearson, Biometrika 26 (1934) 404).
func clopperPearson(hits, n int) [2]float64 {
	interval := [2]float64{0, 1}
	k, m := float64(hits), float64(n)
	if hits > 0 {
		interval[0] = mathext.InvRegIncBeta(k, m-k+1, 0.025)
	}
	if hits < n {
		interval[1] = mathext.InvRegIncBeta(k+1, m-k, 0.975)
	}
	return interval
}

// shareInterval is the 95% confidence interval of a share s, from its standard error e in log-odds,
//
//	σ(log s/(1-s) ± 1.96 e/(s (1-s))),   σ(z) = 1/(1 + e^-z)
//
// since s ± 1.96 e holds an area of 0.96 from 20 examples of each kind 85% of the time only (G. Qin, L. Hotilovac, Stat. Methods Med.
// Res. 17 (2008) 207, compare them). The error is 0 where all the independent trials behind s gave the same answer, and tells nothing
// then: but an answer of probability q comes so many times in a row with probability q^trials, so that q is at least
// 0.025^(1/trials), as by Clopper and Pearson; the other answers are anything from 0 to 1.
func shareInterval(e measure.Estimate, trials int) [2]float64 {
	if e.StandardError == 0 {
		q := math.Pow(0.025, 1/float64(trials))
		return [2]float64{q * e.Value, 1 - q*(1-e.Value)}
	}
	logOdds, reach := math.Log(e.Value/(1-e.Value)), normal95*e.StandardError/(e.Value*(1-e.Value))
	return [2]float64{1 / (1 + math.Exp(reach-logOdds)), 1 / (1 + math.Exp(-reach-logOdds))}
}

// fisher is the probability of at least a hits among n, where a+b of all n+m are hits and any of the n+m is as likely to be one as
// any other: the p-value of Fisher's exact test against a higher rate among the n.
func fisher(a, n, b, m int) float64 {
	hits := a + b
	all := logChoose(n+m, hits)
	p := 0.0
	for k := a; k <= min(hits, n); k++ {
		if hits-k <= m {
			p += math.Exp(logChoose(n, k) + logChoose(m, hits-k) - all)
		}
	}
	return min(p, 1)
}

func logChoose(n, k int) float64 {
	lgamma := func(v int) float64 {
		l, _ := math.Lgamma(float64(v) + 1)
		return l
	}
	return lgamma(n) - lgamma(k) - lgamma(n-k)
}

// smirnov tests whether a sample a is smaller than a sample b: D = max_t (F_a(t) - F_b(t)) of their distribution functions, and the
// probability of a D as large where both are of one distribution, by the approximation of J. L. Hodges (Ark. Mat. 3 (1958) 469,
// eq. 5.3), which ties make too large.
func smirnov(a, b []float64) (d, p float64) {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	i, j := 0, 0
	for i < len(a) {
		v := a[i]
		for i < len(a) && a[i] == v {
			i++
		}
		for j < len(b) && b[j] <= v {
			j++
		}
		d = max(d, float64(i)/float64(len(a))-float64(j)/float64(len(b)))
	}
	m, n := float64(max(len(a), len(b))), float64(min(len(a), len(b)))
	z := math.Sqrt(m*n/(m+n)) * d
	return d, min(1, math.Exp(-2*z*z-2*z*(m+2*n)/math.Sqrt(m*n*(m+n))/3))
}

// quantile is the q-quantile of ascending values, between order statistics in proportion (R. J. Hyndman, Y. Fan, Am. Stat. 50
// (1996) 361, definition 7).
func quantile(ascending []float64, q float64) float64 {
	at := q * float64(len(ascending)-1)
	i := int(at)
	if i+1 >= len(ascending) {
		return ascending[len(ascending)-1]
	}
	return ascending[i] + (at-float64(i))*(ascending[i+1]-ascending[i])
}

// above is the probability that a standard normal exceeds z.
func above(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// tailQuantile bounds the tail of real distances from which chance tells how near real examples can come.
const tailQuantile = 0.05

// chance is the probability that any of n further distances is at most d > 0, told from the tail of real ones: near 0, where points
// fill k dimensions evenly, their distribution function grows like d^k, so that below the quantile t of the tail it is
//
//	F(d) = 0.05 (d/t)^k,    k = (m-1) / Σ log(t/d_i)    over the m real distances 0 < d_i < t
//
// (E. Levina, P. J. Bickel, Maximum Likelihood Estimation of Intrinsic Dimension, NeurIPS 2004). For k it takes its estimate less two
// standard errors, k/√m each, so as not to take chance for a copy. Below 10 distances it knows nothing and says 1.
func chance(d float64, n int, real []float64) float64 {
	real = slices.Sorted(slices.Values(real))
	t := quantile(real, tailQuantile)
	m, sum := 0.0, 0.0
	for _, v := range real {
		if v > 0 && v < t {
			m++
			sum += math.Log(t / v)
		}
	}
	if m < 10 || d >= t {
		return 1
	}
	k := (m - 1) / sum * (1 - 2/math.Sqrt(m))
	return -math.Expm1(-float64(n) * tailQuantile * math.Pow(d/t, k))
}
