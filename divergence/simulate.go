package divergence

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/likely-ml/likely/measure"
)

// Simulate estimates a divergence by n draws from P and n from Q, both of which need a Sampler beside their density. All terms are
// independent, so that the estimate has an honest standard error; the same seed gives the same bits at any number of threads.
//
// A kind of densities is a mean over the mixture m = ½(p+q): with terms as in Integrate,
//
//	∫ f(p,q) dx = E_m[f(p,q)/m] = ½ E_p[f(p,q)/m] + ½ E_q[f(p,q)/m].
//
// No quotient of p or q by m exceeds 2, so that the terms of JS, total variation and Hellinger are bounded, and those of KL grow like
// log p/q at most. KL's term p log(p/q) - p + q over m is Schulman's k3 = (r-1) - log r, r = q/p (Approximating KL divergence,
// 2020), drawn from the mixture: its variance is finite where that of k3 under p, which has r², is not. Beside the mean of log p/q
// under p, by as many draws, its standard error is 0.07 times as large from N(0,1) to N(0.1,1), 0.6 times to N(1,1), 1.4 times to
// N(4,1) or a Student of 3 degrees of freedom (TestVariance). Where q has no Sampler, KL alone is estimated, by the mean of log p/q
// over 2n draws from P.
//
// Energy and MMD are means over n independent x, x' from P and y, y' from Q of their unbiased statistics of four points (for MMD: Gretton
// et al., A kernel two-sample test, 2012, section 6), and need no density.
//
// Estimates of what is a root or a logarithm of a mean have a bias of the order of 1/n; their standard errors are by the delta
// method. Where one draw makes a tenth of a mean, as in most chi-squares that are infinite, there is no estimate; but a mean that is
// infinite by slowly thinning tails, such as KL from a Student of 2 degrees of freedom to a normal, is not seen in draws. A divergence
// is infinite if a draw shows that it is, and then has no standard error (NaN). Other kinds are ErrNoEstimate. N of the result is n.
func Simulate(ctx context.Context, k Kind, p, q Density, n int, seed uint64, o Params) (measure.Estimate, error) {
	if err := o.check(k); err != nil {
		return measure.Estimate{}, err
	}
	if err := compare(p, q); err != nil {
		return measure.Estimate{}, err
	}
	if n < 2 {
		return measure.Estimate{}, fmt.Errorf("%d draws, expected at least 2", n)
	}
	P, first := p.(Sampler)
	Q, second := q.(Sampler)
	f, ofDensities := integrandOf(k, o)
	s := simulation{n: n, seed: seed, dims: p.Dim()}
	switch {
	case k == Energy || k == MMD:
		if !first || !second {
			return measure.Estimate{}, fmt.Errorf("%w of %s: expected P and Q that can be drawn from", ErrNoEstimate, k)
		}
		if k == Energy && !(hasMeans(p) && hasMeans(q)) {
			return measure.Estimate{}, fmt.Errorf("%w of %s of distributions without a finite mean", ErrNoEstimate, k)
		}
		kernel := func(square float64) float64 { return -math.Sqrt(square) }
		if k == MMD {
			kernel = func(square float64) float64 { return math.Exp(-square / (2 * o.Bandwidth * o.Bandwidth)) }
		}
		m, err := s.means(ctx, func(x, y *running, c chunk) error { return c.fourPoints(x, P, Q, kernel) })
		if err != nil {
			return measure.Estimate{}, err
		}
		return estimateOf(k, integrand{finish: same}, n, m[0].mean, m[0].variance()/float64(n))
	case !ofDensities:
		return measure.Estimate{}, fmt.Errorf("%w of %s; expected a kind of densities, energy or mmd", ErrNoEstimate, k)
	case k == ReverseKL && !first && second:
		return Simulate(ctx, KL, q, p, n, seed, o)
	case k == KL && first && !second:
		s.n *= 2
		m, err := s.means(ctx, func(x, _ *running, c chunk) error {
			return c.terms(x, P, p, q, func(lp, lq float64) float64 { return lp - lq })
		})
		if err != nil {
			return measure.Estimate{}, err
		}
		return estimateOf(k, f, s.n, m[0].mean, m[0].variance()/float64(s.n))
	case !first || !second:
		return measure.Estimate{}, fmt.Errorf("%w of %s: expected P and Q that can be drawn from", ErrNoEstimate, k)
	}
	m, err := s.means(ctx, func(x, y *running, c chunk) error {
		overMixture := func(lp, lq float64) float64 {
			m := max(lp, lq)
			m += math.Log1p(math.Exp(min(lp, lq)-m)) - math.Ln2
			return f.term(lp-m, lq-m)
		}
		if err := c.terms(x, P, p, q, overMixture); err != nil {
			return err
		}
		return c.terms(y, Q, p, q, overMixture)
	})
	if err != nil {
		return measure.Estimate{}, err
	}
	total := (m[0].mean + m[1].mean) * float64(n)
	if largest := max(m[0].most, m[1].most); largest > max(mostOfOne*total, 4) && !math.IsInf(largest, 1) {
		return measure.Estimate{}, fmt.Errorf("%w of %s: one draw makes %.0f%% of the mean, more than %.0f%%, so that its standard error means nothing; it may be infinite, or needs more draws",
			ErrNoEstimate, k, 100*largest/total, 100*mostOfOne)
	}
	return estimateOf(k, f, n, (m[0].mean+m[1].mean)/2, (m[0].variance()+m[1].variance())/float64(4*n))
}

// mostOfOne is the share of a mean above which one draw tells of heavier ones still to come, which neither the mean nor its standard
// error has seen. Terms of at most 4, as those of all bounded kinds, cannot be heavy.
const mostOfOne = 0.1

// estimateOf is finish of a mean, whose variance is given.
func estimateOf(k Kind, f integrand, n int, mean, variance float64) (measure.Estimate, error) {
	value := f.finish(mean)
	switch {
	case math.IsInf(mean, 1):
		return measure.Estimate{Value: value, StandardError: math.NaN(), N: n}, nil
	case !isFinite(value):
		return measure.Estimate{}, fmt.Errorf("%w of %s: no draw lies where both have mass", ErrNoEstimate, k)
	}
	return f.estimate(mean, math.Sqrt(variance), n), nil
}

// running is the count, mean, sum of squared deviations and largest size of numbers (Welford, 1962; Chan, Golub and LeVeque, 1979, for adding
// two).
type running struct{ n, mean, squares, most float64 }

func (m *running) take(v float64) {
	m.n++
	m.most = max(m.most, math.Abs(v))
	if math.IsInf(v, 1) {
		m.mean = v
	}
	if math.IsInf(m.mean, 1) { // stays so, and is not to become NaN
		return
	}
	d := v - m.mean
	m.mean += d / m.n
	m.squares += d * (v - m.mean)
}

func (m *running) add(o running) {
	n := m.n + o.n
	m.most = max(m.most, o.most)
	switch {
	case o.n == 0:
		return
	case math.IsInf(m.mean, 1) || math.IsInf(o.mean, 1):
		m.mean = math.Inf(1)
	default:
		d := o.mean - m.mean
		m.squares += o.squares + d*d*m.n*o.n/n
		m.mean += d * o.n / n
	}
	m.n = n
}

func (m *running) variance() float64 { return m.squares / (m.n - 1) }

// simulation draws in chunks, each with random numbers of its own.
type simulation struct {
	n, dims int
	seed    uint64
}

// chunk is a part of a simulation.
type chunk struct {
	n, dims int
	r       *rand.Rand
}

// means calls f for every chunk on all processors and adds up the results in the order of chunks.
func (s simulation) means(ctx context.Context, f func(x, y *running, c chunk) error) ([2]running, error) {
	const size = 1024
	chunks := (s.n + size - 1) / size
	parts := make([][2]running, chunks)
	errs := make([]error, chunks)
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	for range min(chunks, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for ctx.Err() == nil && !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= chunks {
					return
				}
				c := chunk{min(size, s.n-i*size), s.dims, rand.New(rand.NewPCG(s.seed, uint64(i)))}
				if errs[i] = f(&parts[i][0], &parts[i][1], c); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	var all [2]running
	if err := ctx.Err(); err != nil {
		return all, err
	}
	for i := range parts {
		if errs[i] != nil {
			return all, errs[i]
		}
		for j := range all {
			all[j].add(parts[i][j])
		}
	}
	return all, nil
}

// terms takes f(log p(x), log q(x)) of draws of a sampler.
func (c chunk) terms(m *running, from Sampler, p, q Density, f func(lp, lq float64) float64) error {
	x, lp, lq := make([]float64, c.n*c.dims), make([]float64, c.n), make([]float64, c.n)
	if err := from.Sample(x, c.r); err != nil {
		return err
	}
	if err := p.LogProb(lp, x); err != nil {
		return err
	}
	if err := q.LogProb(lq, x); err != nil {
		return err
	}
	for i := range c.n {
		v := f(lp[i], lq[i])
		if math.IsNaN(v) {
			return fmt.Errorf("log p = %v and log q = %v at a draw; expected numbers, at least one of them finite", lp[i], lq[i])
		}
		if math.IsInf(v, 1) && !math.IsInf(lp[i], -1) && !math.IsInf(lq[i], -1) {
			return fmt.Errorf("%w: log p = %v and log q = %v at a draw, whose term no float64 can hold; it may be infinite", ErrNoEstimate, lp[i], lq[i])
		}
		m.take(v)
	}
	return nil
}

// fourPoints takes k(x,x') + k(y,y') - k(x,y') - k(x',y) of draws x, x' from P and y, y' from Q, where k is a function of the squared
// distance.
func (c chunk) fourPoints(m *running, p, q Sampler, kernel func(square float64) float64) error {
	d := c.dims
	x, y := make([]float64, 2*c.n*d), make([]float64, 2*c.n*d)
	if err := p.Sample(x, c.r); err != nil {
		return err
	}
	if err := q.Sample(y, c.r); err != nil {
		return err
	}
	k := func(a, b []float64) float64 {
		square := 0.0
		for j := range a {
			square += (a[j] - b[j]) * (a[j] - b[j])
		}
		return kernel(square)
	}
	for i := range c.n {
		x1, x2 := x[2*i*d:(2*i+1)*d], x[(2*i+1)*d:(2*i+2)*d]
		y1, y2 := y[2*i*d:(2*i+1)*d], y[(2*i+1)*d:(2*i+2)*d]
		v := k(x1, x2) + k(y1, y2) - k(x1, y2) - k(x2, y1)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("two draws are %v apart, expected a finite distance", v)
		}
		m.take(v)
	}
	return nil
}
