package dist_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/likely-ml/likely/dist"
	"gonum.org/v1/gonum/integrate/quad"
)

// everything are distributions of all families, with parameters on both sides of where algorithms change.
var everything = []string{
	"normal(-1,2.5)", "student(0.7,0,1)", "student(3,-2,0.5)", "student(500,1,1)", "laplace(2,0.5)", "logistic(-1,3)", "cauchy(1,2)",
	"uniform(-2,5)", "exponential(0.25)", "gamma(0.4,2)", "gamma(1,1)", "gamma(7.5,0.5)", "gamma(400,3)", "lognormal(0.5,0.75)",
	"beta(0.5,0.6)", "beta(1,1)", "beta(2,5)", "beta(300,80)",
	"bernoulli(0.3)", "bernoulli(1)", "binomial(0,0.5)", "binomial(12,0.4)", "binomial(12,1)", "binomial(40,0.8)", "binomial(1000,0.25)",
	"binomial(100000,0.00002)",
	"poisson(0.5)", "poisson(9.5)", "poisson(10)", "poisson(1234.5)", "geometric(0.15)", "geometric(1)",
	"discrete_uniform(-3,11)", "categorical(0.2,0,0.5,0.3,0)", "categorical(0,1)",
	"mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))", "mixture(0.5:student(2,0,1), 0.25:logistic(5,0.1), 0.25:cauchy(-7,0.5))",
	"mixture(0.5:poisson(2), 0.5:mixture(0.1:binomial(50,0.5), 0.9:geometric(0.5)))",
	"mvnormal([1],[[4]])", "mvnormal([0,1,-2],[[2,0.3,-0.5],[0.3,1,0.2],[-0.5,0.2,0.7]])",
	"mixture(0.25:mvnormal([0,0],[[1,0.9],[0.9,1]]), 0.75:product(normal(3,1), laplace(0,1)))",
	"product(gamma(2,1), mvnormal([0,1],[[2,1],[1,2]]), mixture(0.5:normal(0,1), 0.5:normal(4,1)))",
	"product(poisson(3), bernoulli(0.25))",
}

func univariate(t *testing.T, test func(t *testing.T, d dist.Univariate)) {
	t.Helper()
	for _, text := range everything {
		if d, ok := parse(t, text).(dist.Univariate); ok {
			t.Run(text, func(t *testing.T) { test(t, d) })
		}
	}
}

// expectation is E[f(X)] between the quantiles lo and hi, by sums over whole numbers or integration over pieces between quantiles.
func expectation(d dist.Univariate, lo, hi float64, f func(x float64) float64) float64 {
	p := func(x float64) float64 {
		if v := math.Exp(d.LogProb([]float64{x})); v > 0 {
			return v * f(x)
		}
		return 0
	}
	sum := 0.0
	if d.Discrete() {
		for k := d.Quantile(lo); k <= d.Quantile(hi); k++ {
			sum += p(k)
		}
		return sum
	}
	const pieces = 64
	for i := range pieces {
		sum += quad.Fixed(p, d.Quantile(lo+(hi-lo)*float64(i)/pieces), d.Quantile(lo+(hi-lo)*float64(i+1)/pieces), 50, quad.Legendre{}, 0)
	}
	return sum
}

// TestMass integrates the density, or sums the probabilities, and compares with the CDF. The ends, where some densities are infinite,
// are left to the goldens.
func TestMass(t *testing.T) {
	univariate(t, func(t *testing.T, d dist.Univariate) {
		for _, part := range [][2]float64{{0.01, 0.99}, {0.01, 0.3}, {0.45, 0.55}, {0.8, 0.99}} {
			lo, hi := part[0], part[1]
			want := d.CDF(d.Quantile(hi)) - d.CDF(d.Quantile(lo))
			if d.Discrete() {
				want = d.CDF(d.Quantile(hi)) - d.CDF(d.Quantile(lo)-1)
			}
			if got := expectation(d, lo, hi, func(float64) float64 { return 1 }); !(math.Abs(got-want) <= 1e-11) {
				t.Errorf("mass between the quantiles %v and %v is %v, expected %v", lo, hi, got, want)
			}
		}
	})
}

// TestMoments compares mean, variance and entropy of the discrete distributions with their sums; those of the others are golden.
func TestMoments(t *testing.T) {
	univariate(t, func(t *testing.T, d dist.Univariate) {
		if !d.Discrete() {
			return
		}
		const lo, hi = 0, 1 - 1e-16
		mean := expectation(d, lo, hi, func(x float64) float64 { return x })
		if !near(d.Mean(), mean, 1e-11, 1e-3) {
			t.Errorf("Mean = %v, expected %v", d.Mean(), mean)
		}
		variance := expectation(d, lo, hi, func(x float64) float64 { return (x - mean) * (x - mean) })
		if !near(d.Variance(), variance, 1e-10, 1e-3) {
			t.Errorf("Variance = %v, expected %v", d.Variance(), variance)
		}
		if e, ok := d.(dist.Entropic); ok {
			entropy := expectation(d, lo, hi, func(x float64) float64 { return -d.LogProb([]float64{x}) })
			if !near(e.Entropy(), entropy, 1e-11, 1e-3) {
				t.Errorf("Entropy = %v, expected %v", e.Entropy(), entropy)
			}
		}
	})
}

// TestQuantile holds the definition: the least x with CDF(x) >= p.
func TestQuantile(t *testing.T) {
	univariate(t, func(t *testing.T, d dist.Univariate) {
		for _, p := range []float64{1e-300, 1e-12, 0.001, 0.02, 0.2, 0.25, 1.0 / 3, 0.5, 0.5000001, 0.75, 0.9, 0.9999, 1 - 1e-12} {
			x := d.Quantile(p)
			c := d.CDF(x)
			// No float64 is nearer where p is between the CDFs of the neighbours.
			nearest := d.CDF(math.Nextafter(x, math.Inf(-1))) <= p && p <= d.CDF(math.Nextafter(x, math.Inf(1)))
			switch {
			case d.Discrete() && !(c >= p && !(d.CDF(x-1) >= p)):
				t.Errorf("Quantile(%v) = %v, where the CDF is %v, and %v before", p, x, c, d.CDF(x-1))
			case !d.Discrete() && !near(c, p, 1e-12, 0) && !nearest:
				t.Errorf("Quantile(%v) = %v, where the CDF is %v", p, x, c)
			}
			if d.Discrete() && d.Quantile(d.CDF(x)) != x {
				t.Errorf("Quantile(CDF(%v)) = %v", x, d.Quantile(d.CDF(x)))
			}
		}
		low, high := d.Quantile(0), d.Quantile(1)
		if !(low <= d.Quantile(0.5) && d.Quantile(0.5) <= high) {
			t.Errorf("the median %v is not between the ends %v and %v", d.Quantile(0.5), low, high)
		}
		if c := d.CDF(high); c != 1 {
			t.Errorf("CDF(%v) = %v at the upper end, expected 1", high, c)
		}
		for _, p := range []float64{-0.1, 1.1, math.NaN()} {
			if q := d.Quantile(p); !math.IsNaN(q) {
				t.Errorf("Quantile(%v) = %v, expected NaN", p, q)
			}
		}
	})
}

// TestOutside looks beyond the support, at infinity and at NaN.
func TestOutside(t *testing.T) {
	univariate(t, func(t *testing.T, d dist.Univariate) {
		low, high := d.Quantile(0), d.Quantile(1)
		for _, x := range []float64{math.Inf(-1), low - 1, high + 1, math.Inf(1)} {
			if math.IsInf(x, 0) || x < low || x > high {
				if v := d.LogProb([]float64{x}); !math.IsInf(v, -1) {
					t.Errorf("log p(%v) = %v, expected -Inf", x, v)
				}
			}
			want := 0.0
			if x > low {
				want = 1
			}
			if c := d.CDF(x); (x < low || x > high || math.IsInf(x, 0)) && c != want {
				t.Errorf("CDF(%v) = %v, expected %v", x, c, want)
			}
		}
		if v, c := d.LogProb([]float64{math.NaN()}), d.CDF(math.NaN()); !math.IsNaN(v) || !math.IsNaN(c) {
			t.Errorf("log p(NaN) = %v, CDF(NaN) = %v, expected NaN", v, c)
		}
		if v := d.LogProb([]float64{0.5}); d.Discrete() && !math.IsInf(v, -1) {
			t.Errorf("log p(0.5) = %v, expected -Inf", v)
		}
	})
}

// TestSample compares draws with the CDF of each element. For a continuous one the largest distance is compared with Kolmogorov's
// distribution; for a discrete one, of which the same bound holds (it is conservative), at the whole numbers.
func TestSample(t *testing.T) {
	const n = 20000
	const bound = 2.0 // P(√n D > 2) = 2 exp(-2·2²) = 7e-4 for each of the sixty elements here; the seed is fixed
	for i, text := range everything {
		t.Run(text, func(t *testing.T) {
			d := parse(t, text)
			dim := d.Dim()
			x := make([]float64, n*dim)
			if err := d.Sample(x, rand.New(rand.NewPCG(7, uint64(i)))); err != nil {
				t.Fatal(err)
			}
			again := make([]float64, n*dim)
			if err := d.Sample(again, rand.New(rand.NewPCG(7, uint64(i)))); err != nil || !slices.Equal(x, again) {
				t.Errorf("the same seed gave other draws (error %v)", err)
			}
			for row := range slices.Chunk(x, dim) {
				if v := d.LogProb(row); math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("log p of the draw %v is %v", row, v)
				}
			}
			for e := range dim {
				m := element(d, e)
				column := make([]float64, 0, n)
				for r := e; r < len(x); r += dim {
					column = append(column, x[r])
				}
				slices.Sort(column)
				worst := 0.0
				for r, v := range column {
					if r+1 < n && column[r+1] == v {
						continue
					}
					worst = max(worst, math.Abs(float64(r+1)/n-m.CDF(v)))
				}
				if statistic := worst * math.Sqrt(n); !(statistic <= bound) {
					t.Errorf("element %d: √n times the Kolmogorov-Smirnov distance of %d draws from the CDF is %.3f, expected at most %v",
						e, n, statistic, bound)
				}
			}
		})
	}
}

// element is the distribution of one element.
func element(d dist.Distribution, i int) dist.Univariate {
	if u, ok := d.(dist.Univariate); ok {
		return u
	}
	return d.(dist.Marginals).Marginal(i)
}

// TestCounts compares the frequencies of each whole number with its probability by Pearson's statistic.
func TestCounts(t *testing.T) {
	const n = 200000
	for i, text := range []string{"binomial(12,0.4)", "binomial(40,0.8)", "binomial(30,0.35)",
		"binomial(100000,0.0002)", "poisson(9.5)", "poisson(10)", "poisson(33.3)", "geometric(0.15)", "discrete_uniform(-3,11)"} {
		d := parse(t, text).(dist.Univariate)
		x := make([]float64, n)
		if err := d.Sample(x, rand.New(rand.NewPCG(3, uint64(i)))); err != nil {
			t.Fatal(err)
		}
		count := map[float64]float64{}
		for _, v := range x {
			count[v]++
		}
		square, cells, rest, restCount := 0.0, 0.0, float64(n), float64(n)
		for k := d.Quantile(1e-6); k <= d.Quantile(1-1e-6); k++ {
			expected := n * math.Exp(d.LogProb([]float64{k}))
			if expected < 5 {
				continue
			}
			square += (count[k] - expected) * (count[k] - expected) / expected
			cells++
			rest -= expected
			restCount -= count[k]
		}
		square += (restCount - rest) * (restCount - rest) / max(rest, 5)
		// The statistic has mean cells and variance 2 cells, nearly.
		if z := (square - cells) / math.Sqrt(2*cells); !(z <= 4) {
			t.Errorf("%s: Pearson's statistic is %.1f with %.0f cells", text, square, cells)
		}
	}
}

// TestMVNormalMoments compares mean and covariance of draws with the parameters.
func TestMVNormalMoments(t *testing.T) {
	const n = 50000
	d := parse(t, "mvnormal([0,1,-2],[[2,0.3,-0.5],[0.3,1,0.2],[-0.5,0.2,0.7]])").(*dist.MVNormal)
	x := make([]float64, 3*n)
	if err := d.Sample(x, rand.New(rand.NewPCG(1, 2))); err != nil {
		t.Fatal(err)
	}
	mean, covariance := d.MeanVector(), d.Covariance()
	for i := range 3 {
		for j := range 3 {
			sum := 0.0
			for r := range n {
				sum += (x[3*r+i] - mean[i]) * (x[3*r+j] - mean[j])
			}
			// The variance of the product is s_ii s_jj + s_ij² (Isserlis).
			se := math.Sqrt((covariance[4*i]*covariance[4*j] + covariance[3*i+j]*covariance[3*i+j]) / n)
			if got := sum / n; !(math.Abs(got-covariance[3*i+j]) <= 4*se) {
				t.Errorf("covariance %d, %d of the draws is %v, expected %v ± %v", i, j, got, covariance[3*i+j], 4*se)
			}
		}
	}
}

// TestMixture compares with the sum that defines it, and its parts.
func TestMixture(t *testing.T) {
	d := parse(t, "mixture(0.25:mvnormal([0,0],[[1,0.9],[0.9,1]]), 0.75:product(normal(3,1), laplace(0,1)))").(*dist.Mixture)
	x := []float64{0.5, -1}
	sum := 0.0
	for k, w := range d.Weights() {
		sum += w * math.Exp(d.Members()[k].LogProb(x))
	}
	if got := d.LogProb(x); !near(got, math.Log(sum), 1e-14, 1) {
		t.Errorf("log p = %v, expected %v", got, math.Log(sum))
	}
	if got := d.LogProb([]float64{1e6, 0}); !(got > -1e12) || math.IsInf(got, 0) {
		t.Errorf("log p far away = %v, expected a finite number", got)
	}
	if got, want := d.Marginal(1).String(), "mixture(0.25:normal(0,1), 0.75:laplace(0,1))"; got != want {
		t.Errorf("Marginal(1) = %s, expected %s", got, want)
	}
	steps := parse(t, "mixture(0.5:uniform(0,1), 0.25:uniform(0.5,2), 0.25:exponential(1))").(dist.Univariate)
	for _, p := range []float64{0.1, 0.4, 0.75, 0.99} {
		if x := steps.Quantile(p); !near(0.5*min(x, 1)+0.25*min(max(x-0.5, 0)/1.5, 1)-0.25*math.Expm1(-x), p, 1e-14, 1) {
			t.Errorf("Quantile(%v) = %v of a density with jumps", p, x)
		}
	}
	if _, ok := dist.Distribution(d).(dist.Entropic); ok {
		t.Error("a mixture has an entropy")
	}
	line := parse(t, "mixture(0.25:normal(0,1), 0.75:normal(4,2))").(*dist.UnivariateMixture)
	if mean, variance := line.Mean(), line.Variance(); !near(mean, 3, 1e-15, 1) || !near(variance, 0.25*(1+9)+0.75*(4+1), 1e-15, 1) {
		t.Errorf("mean %v, variance %v, expected 3 and 6.25", mean, variance)
	}
}

// TestProduct: log-probabilities and entropies add up.
func TestProduct(t *testing.T) {
	a, b := parse(t, "gamma(2,1)"), parse(t, "mvnormal([0,1],[[2,1],[1,2]])")
	d, err := dist.NewProduct(a, b)
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{1.5, 0.2, -0.4}
	if got, want := d.LogProb(x), a.LogProb(x[:1])+b.LogProb(x[1:]); got != want {
		t.Errorf("log p = %v, expected %v", got, want)
	}
	if got, want := d.(dist.Entropic).Entropy(), a.(dist.Entropic).Entropy()+b.(dist.Entropic).Entropy(); got != want {
		t.Errorf("Entropy = %v, expected %v", got, want)
	}
	for i, want := range []string{"gamma(2,1)", "normal(0,1.4142135623730951)", "normal(1,1.4142135623730951)"} {
		if got := d.Marginal(i).String(); got != want {
			t.Errorf("Marginal(%d) = %s, expected %s", i, got, want)
		}
	}
	if v := parse(t, "product(beta(0.5,0.5), normal(0,1), uniform(0,1))").LogProb([]float64{0, 0, 2}); !math.IsInf(v, -1) {
		t.Errorf("log p beside an infinite density = %v, expected -Inf", v)
	}
	if _, ok := parse(t, "product(poisson(1), bernoulli(0.5))").(dist.Entropic); ok {
		t.Error("a product with poisson has an entropy")
	}
}

// TestSampleErrors: nil and lengths.
func TestSampleErrors(t *testing.T) {
	for _, text := range everything {
		d := parse(t, text)
		if err := d.Sample(make([]float64, d.Dim()), nil); !errors.Is(err, dist.ErrNoRand) {
			t.Errorf("%s: without random numbers the error is %v, expected ErrNoRand", text, err)
		}
		if d.Dim() > 1 {
			if err := d.Sample(make([]float64, d.Dim()+1), rand.New(rand.NewPCG(1, 1))); err == nil {
				t.Errorf("%s: no error for a length that is no multiple of %d", text, d.Dim())
			}
		}
	}
}

// TestSupportEnds: Quantile(0) and Quantile(1) are the ends of the support, also where the CDF rounds to 1 before, and a quantile on
// which the CDF stays in a gap of the support is the least.
func TestSupportEnds(t *testing.T) {
	for _, c := range []struct {
		text    string
		p, want float64
	}{
		{"bernoulli(1e-20)", 1, 1},
		{"bernoulli(0)", 1, 0},
		{"bernoulli(1)", 0, 1},
		{"categorical(1,1e-17,0)", 1, 1},
		{"categorical(0,1,0)", 1, 1},
		{"categorical(0,1,0)", 0, 1},
		{"binomial(3,1e-20)", 1, 3},
		{"mixture(0.5:uniform(0,1), 0.5:uniform(2,3))", 0.5, 1},
		{"mixture(0.25:uniform(0,1), 0.75:uniform(2,3))", 0.25, 1},
		{"mixture(0.75:uniform(-3,-2), 0.25:uniform(-1,1))", 0.75, -2},
	} {
		if q := parse(t, c.text).(dist.Univariate).Quantile(c.p); !near(q, c.want, 1e-15, 0) {
			t.Errorf("%s: Quantile(%v) = %v, expected %v", c.text, c.p, q, c.want)
		}
	}
}
