package divergence_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/divergence"
)

// TestIdentities: what the theory says of every pair.
func TestIdentities(t *testing.T) {
	for _, pair := range [][2]string{
		{"normal(0,1)", "normal(1,2)"},
		{"normal(0,1)", "normal(0.1,1)"},
		{"normal(0,1)", "student(5,0,1)"},
		{"gamma(2,1)", "gamma(3.5,2)"},
		{"beta(2,3)", "beta(4,1.5)"},
		{"poisson(4)", "poisson(7)"},
		{"categorical(.2,.3,.5)", "categorical(.5,.3,.2)"},
		{"mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))", "normal(1,2)"},
	} {
		p, q := parse(t, pair[0]), parse(t, pair[1])
		get := func(k divergence.Kind, a, b dist.Distribution) float64 { return truth(t, k, a, b, params) }
		near := func(what string, a, b float64) {
			if !(math.Abs(a-b) <= 1e-9*(1+math.Abs(a))) {
				t.Errorf("%s, %s: %s: %v and %v", p, q, what, a, b)
			}
		}
		atMost := func(what string, a, b float64) {
			if !(a <= b+1e-9) {
				t.Errorf("%s, %s: %s: %v is more than %v", p, q, what, a, b)
			}
		}
		kl, reverse, js, tv, hellinger := get(divergence.KL, p, q), get(divergence.ReverseKL, p, q), get(divergence.JS, p, q),
			get(divergence.TotalVariation, p, q), get(divergence.Hellinger, p, q)
		for _, k := range divergence.Kinds() {
			for _, d := range []dist.Distribution{p, q} {
				if v, err := divergence.ClosedForm(k, d, d, params); err != nil || v != 0 {
					t.Errorf("%s of %s and itself is %v, %v", k, d, v, err)
				}
				if v, err := divergence.Integrate(context.Background(), k, divergence.Of(d), divergence.Of(d), params); err == nil {
					atMost(fmt.Sprintf("%s of one with itself, ± %g", k, v.ErrorBound), v.Value, 1e-6)
				}
			}
			for _, symmetric := range []divergence.Kind{divergence.Jeffreys, divergence.JS, divergence.JSDistance, divergence.TotalVariation, divergence.Hellinger,
				divergence.Bhattacharyya, divergence.Wasserstein1, divergence.Wasserstein2, divergence.Energy} {
				if k == symmetric {
					near("symmetric "+string(k), get(k, p, q), get(k, q, p))
				}
			}
		}
		if !(kl > 0 && js > 0 && tv > 0) {
			t.Errorf("%s, %s: KL %v, JS %v, TV %v, expected more than 0", p, q, kl, js, tv)
		}
		near("reverse KL is KL with P and Q swapped", reverse, get(divergence.KL, q, p))
		near("Jeffreys is the sum", get(divergence.Jeffreys, p, q), kl+reverse)
		near("the square of the distance", js, math.Pow(get(divergence.JSDistance, p, q), 2))
		atMost("JS and log 2", js, math.Ln2)
		atMost("Pinsker", 2*tv*tv, kl)
		atMost("Bretagnolle and Huber", tv, math.Sqrt(-math.Expm1(-kl)))
		atMost("Hellinger² and TV", hellinger*hellinger, tv)
		atMost("TV and Hellinger", tv, hellinger*math.Sqrt(2-hellinger*hellinger))
		atMost("JS and TV", js, tv*math.Ln2)
		near("Bhattacharyya and Hellinger", get(divergence.Bhattacharyya, p, q), -math.Log1p(-hellinger*hellinger))
		atMost("Jensen: W1 and W2", get(divergence.Wasserstein1, p, q), get(divergence.Wasserstein2, p, q))
		low := truth(t, divergence.Renyi, p, q, divergence.Params{Alpha: 0.3})
		atMost("Rényi grows with its order", low, truth(t, divergence.Renyi, p, q, divergence.Params{Alpha: 0.6}))
		below, above := truth(t, divergence.Renyi, p, q, divergence.Params{Alpha: 1 - 1e-5}), truth(t, divergence.Renyi, p, q, divergence.Params{Alpha: 1 + 1e-5})
		atMost("Rényi of order below 1 and KL", below, kl)
		atMost("KL and Rényi of order above 1", kl, above)
		atMost("Rényi of orders around 1", above-below, 1e-3)
	}
	p, q := parse(t, "normal(0,1)"), parse(t, "normal(1,2)")
	if kl, reverse := truth(t, divergence.KL, p, q, params), truth(t, divergence.KL, q, p, params); !(math.Abs(kl-reverse) > 0.5) {
		t.Errorf("KL %v, swapped %v: expected it to be asymmetric", kl, reverse)
	}
}

// TestCrossEntropy: KL(p||q) = E_p[-log q] - H(p), the last in closed form and the first by draws.
func TestCrossEntropy(t *testing.T) {
	p, q := parse(t, "gamma(2,1)"), parse(t, "gamma(3.5,2)")
	const n = 400_000
	x := make([]float64, n)
	if err := p.Sample(x, rand.New(rand.NewPCG(1, 1))); err != nil {
		t.Fatal(err)
	}
	sum, squares := 0.0, 0.0
	for i := range x {
		l := -q.LogProb(x[i : i+1])
		sum, squares = sum+l, squares+l*l
	}
	cross := sum / n
	se := math.Sqrt((squares/n - cross*cross) / n)
	want := truth(t, divergence.KL, p, q, params)
	if got := cross - p.(dist.Entropic).Entropy(); !(math.Abs(got-want) <= 4*se) {
		t.Errorf("cross-entropy less entropy is %v, KL %v", got, want)
	}
}

// TestMaximumLikelihood: of a finite data distribution p_d, the θ of Bernoulli and binomial distributions that is likeliest and the one
// that has the least KL(p_d||p_θ) are the same point of a grid.
func TestMaximumLikelihood(t *testing.T) {
	counts := []float64{3, 9, 14, 8, 5, 1} // of 0, 1, … 5 in 40
	n := 0.0
	text := "categorical("
	for _, c := range counts {
		n += c
	}
	for k, c := range counts {
		if k > 0 {
			text += ","
		}
		text += fmt.Sprintf("%v/%v", c, n)
	}
	data := parse(t, text+")")
	bestLikelihood, bestKL, likeliest, nearest := math.Inf(-1), math.Inf(1), 0.0, 0.0
	for i := 1; i < 400; i++ {
		theta := float64(i) / 400
		model, err := dist.NewBinomial(5, theta)
		if err != nil {
			t.Fatal(err)
		}
		likelihood := 0.0
		for k, c := range counts {
			likelihood += c * model.LogProb([]float64{float64(k)})
		}
		if likelihood > bestLikelihood {
			bestLikelihood, likeliest = likelihood, theta
		}
		if kl := truth(t, divergence.KL, data, model, params); kl < bestKL {
			bestKL, nearest = kl, theta
		}
	}
	mean := 0.0
	for k, c := range counts {
		mean += float64(k) * c / n
	}
	if likeliest != nearest || !(math.Abs(likeliest-mean/5) <= 1.0/400) {
		t.Errorf("likeliest %v, nearest %v, expected %v", likeliest, nearest, mean/5)
	}
}

// TestGAN: the discriminator D = p/(p+q) gives E_p log D + E_q log(1-D) = 2 JS - 2 log 2, and others less (Goodfellow et al.,
// Generative adversarial nets, 2014, theorem 1).
func TestGAN(t *testing.T) {
	p, q := []float64{0.1, 0.2, 0.3, 0.4}, []float64{0.4, 0.1, 0.4, 0.1}
	value := func(tilt float64) float64 {
		sum := 0.0
		for i := range p {
			odds := math.Log(p[i]/q[i]) + tilt*float64(i-1)
			d := 1 / (1 + math.Exp(-odds))
			sum += p[i]*math.Log(d) + q[i]*math.Log(1-d)
		}
		return sum
	}
	js := truth(t, divergence.JS, parse(t, "categorical(.1,.2,.3,.4)"), parse(t, "categorical(.4,.1,.4,.1)"), params)
	if best := value(0); !(math.Abs(best-(2*js-2*math.Ln2)) <= 1e-14) || !(value(0.1) < best && value(-0.1) < best) {
		t.Errorf("the value of the best discriminator is %v, 2 JS - 2 log 2 is %v", best, 2*js-2*math.Ln2)
	}
}

// TestDataProcessing: merging categories brings no f-divergence up.
func TestDataProcessing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	draw := func() []float64 {
		v, sum := make([]float64, 6), 0.0
		for i := range v {
			v[i] = r.ExpFloat64()
			sum += v[i]
		}
		for i := range v {
			v[i] /= sum
		}
		return v
	}
	categorical := func(v []float64) dist.Distribution {
		d, err := dist.NewCategorical(v...)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	merge := func(v []float64) []float64 { return []float64{v[0] + v[3], v[1] + v[4] + v[5], v[2]} }
	for range 50 {
		p, q := draw(), draw()
		for _, k := range divergence.Kinds() {
			if !k.OfDensities() {
				continue
			}
			fine, coarse := truth(t, k, categorical(p), categorical(q), params), truth(t, k, categorical(merge(p)), categorical(merge(q)), params)
			if !(coarse <= fine+1e-12) {
				t.Errorf("%s of %v and %v is %v, after merging %v", k, p, q, fine, coarse)
			}
		}
	}
}

// TestBruteForce: each kind of two categorical distributions is its formula, written out.
func TestBruteForce(t *testing.T) {
	p, q := []float64{0.1, 0, 0.3, 0.6}, []float64{0.25, 0.25, 0.4, 0.1}
	sum := func(f func(p, q float64) float64) float64 {
		s := 0.0
		for i := range p {
			if p[i] > 0 || q[i] > 0 {
				s += f(p[i], q[i])
			}
		}
		return s
	}
	xlog := func(x, y float64) float64 {
		if x == 0 {
			return 0
		}
		return x * math.Log(x/y)
	}
	bc := sum(func(p, q float64) float64 { return math.Sqrt(p * q) })
	js := sum(func(p, q float64) float64 { return xlog(p, (p+q)/2)/2 + xlog(q, (p+q)/2)/2 })
	kernel := func(i, j int) float64 {
		return math.Exp(-float64((i-j)*(i-j)) / (2 * params.Bandwidth * params.Bandwidth))
	}
	mmd, energy := 0.0, 0.0
	for i := range p {
		for j := range p {
			mmd += (p[i]*p[j] + q[i]*q[j] - 2*p[i]*q[j]) * kernel(i, j)
			energy += (2*p[i]*q[j] - p[i]*p[j] - q[i]*q[j]) * math.Abs(float64(i-j))
		}
	}
	// From {0: .1, 2: .3, 3: .6} to {0: .25, 1: .25, 2: .4, 3: .1} in order: .15 from 2 to 0, .15 from 2 to 1, .1 from 3 to 1, .4 from
	// 3 to 2.
	w1, w2 := 0.15*2+0.15*1+0.1*2+0.4*1, math.Sqrt(0.15*4+0.15*1+0.1*4+0.4*1)
	P, Q := parse(t, "categorical(.1,0,.3,.6)"), parse(t, "categorical(.25,.25,.4,.1)")
	for k, want := range map[divergence.Kind]float64{
		divergence.KL:             sum(xlog),
		divergence.ReverseKL:      math.Inf(1),
		divergence.Jeffreys:       math.Inf(1),
		divergence.JS:             js,
		divergence.JSDistance:     math.Sqrt(js),
		divergence.TotalVariation: sum(func(p, q float64) float64 { return math.Abs(p-q) / 2 }),
		divergence.Hellinger:      math.Sqrt(1 - bc),
		divergence.ChiSquare:      sum(func(p, q float64) float64 { return (p - q) * (p - q) / q }),
		divergence.Renyi:          math.Log(sum(func(p, q float64) float64 { return math.Pow(p, 0.7) * math.Pow(q, 0.3) })) / (0.7 - 1),
		divergence.Bhattacharyya:  -math.Log(bc),
		divergence.Wasserstein1:   w1,
		divergence.Wasserstein2:   w2,
		divergence.Energy:         energy,
		divergence.MMD:            mmd,
	} {
		got, err := divergence.ClosedForm(k, P, Q, params)
		if err != nil || float64(got) != want && !(math.Abs(float64(got)-want) <= 1e-14) {
			t.Errorf("%s is %v, %v, expected %v", k, got, err, want)
		}
	}
}

// TestLimits: what has no value of the asked sort is an error that says so, and what is infinite is so.
func TestLimits(t *testing.T) {
	ctx := context.Background()
	errFinite := errors.New("a finite value")
	for _, c := range []struct {
		kind divergence.Kind
		p, q string
		want error // nil: infinite; errFinite: neither
	}{
		{divergence.KL, "cauchy(0,1)", "normal(0,1)", divergence.ErrNotConverged},
		{divergence.KL, "cauchy(0,1)", "laplace(0,1)", divergence.ErrNotConverged},
		{divergence.KL, "student(2,0,1)", "normal(0,1)", divergence.ErrNotConverged}, // grows like log x
		{divergence.KL, "student(1.5,0,1)", "normal(0,1)", divergence.ErrNotConverged},
		{divergence.KL, "uniform(0,2)", "uniform(0,1)", nil},
		{divergence.KL, "normal(0,1)", "exponential(1)", nil},
		{divergence.KL, "poisson(3)", "binomial(10,.3)", nil},
		{divergence.ChiSquare, "exponential(1)", "exponential(2)", divergence.ErrNotConverged}, // its integrand is constant
		{divergence.ChiSquare, "geometric(0.1)", "geometric(0.5)", divergence.ErrNotConverged},
		{divergence.Wasserstein1, "cauchy(0,1)", "normal(0,1)", nil},
		{divergence.Wasserstein1, "cauchy(0,1)", "cauchy(0,2)", divergence.ErrNoIntegral},
		{divergence.Wasserstein2, "student(2,0,1)", "normal(0,1)", nil},
		{divergence.Energy, "cauchy(0,1)", "normal(0,1)", divergence.ErrNoIntegral},
		{divergence.MMD, "gamma(2,1)", "gamma(3,1)", divergence.ErrNoIntegral},
		{divergence.KL, "normal(0,1)", "poisson(3)", divergence.ErrIncomparable},
		{divergence.KL, "normal(0,1)", "mvnormal([0,0],[[1,0],[0,1]])", divergence.ErrIncomparable},
		{divergence.Bhattacharyya, "uniform(0,1)", "beta(2,3)", errFinite},
		{divergence.Bhattacharyya, "uniform(0,1)", "exponential(2)", errFinite},
		{divergence.Bhattacharyya, "uniform(0,1)", "uniform(1,2)", nil},
		{divergence.Bhattacharyya, "mixture(1:binomial(3,.5))", "mixture(1:poisson(2e5))", divergence.ErrNotConverged}, // finite: p q > 0, and underflows
		{divergence.Bhattacharyya, "normal(0,1)", "normal(100,1)", divergence.ErrNotConverged},                         // 1250
		{divergence.Renyi, "normal(0,1)", "logistic(1e4,1)", divergence.ErrNotConverged},
		{divergence.KL, "beta(0.05,0.05)", "beta(0.1,0.1)", divergence.ErrNotConverged}, // most mass is nearer to 1 than a float64
	} {
		v, err := divergence.Integrate(ctx, c.kind, divergence.Of(parse(t, c.p)), divergence.Of(parse(t, c.q)), params)
		if c.want == errFinite {
			if err != nil || math.IsInf(v.Value, 1) {
				t.Errorf("%s of %s and %s is %v, %v, expected a finite value", c.kind, c.p, c.q, v, err)
			}
			continue
		}
		if c.want == nil && (err != nil || !math.IsInf(v.Value, 1)) || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s of %s and %s is %v, %v, expected infinite or the error %v", c.kind, c.p, c.q, v, err, c.want)
		}
	}
	p := parse(t, "normal(0,1)")
	for _, o := range []divergence.Params{{Alpha: 0}, {Alpha: 1}, {Alpha: -1}, {Alpha: math.NaN()}, {Alpha: math.Inf(1)}} {
		if _, err := divergence.ClosedForm(divergence.Renyi, p, p, o); err == nil {
			t.Errorf("order %v: expected an error", o.Alpha)
		}
	}
	if _, err := divergence.ClosedForm(divergence.JS, p, parse(t, "normal(1,1)"), params); !errors.Is(err, divergence.ErrNoClosedForm) {
		t.Errorf("JS of normals: %v, expected %v", err, divergence.ErrNoClosedForm)
	}
	if v, err := divergence.ClosedForm(divergence.Energy, parse(t, "mixture(1:normal(0,1e200))"), p, params); !errors.Is(err, divergence.ErrNoClosedForm) {
		t.Errorf("energy of what overflows: %v, %v, expected %v", v, err, divergence.ErrNoClosedForm)
	}
	cancelled, stop := context.WithCancel(ctx)
	stop()
	if _, err := divergence.Integrate(cancelled, divergence.JS, divergence.Of(p), divergence.Of(parse(t, "normal(1,1)")), params); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func ExampleClosedForm() {
	p, _ := dist.Parse("normal(0,1)")
	q, _ := dist.Parse("normal(1,2)")
	kl, _ := divergence.ClosedForm(divergence.KL, p, q, divergence.Params{})
	_, err := divergence.ClosedForm(divergence.JS, p, q, divergence.Params{})
	js, _ := divergence.Integrate(context.Background(), divergence.JS, divergence.Of(p), divergence.Of(q), divergence.Params{})
	fmt.Printf("KL %.6f nats\nJS %.6f nats\n%v\n", kl, js.Value, err)
	// Output:
	// KL 0.443147 nats
	// JS 0.128175 nats
	// no closed form of js between normal(0,1) and normal(1,2)
}
