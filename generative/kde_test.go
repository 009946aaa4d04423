package generative

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
)

var kernels = []Kernel{GaussianKernel, TopHat, Epanechnikov, ExponentialKernel, Linear, Cosine}

func TestKDEConformance(t *testing.T) {
	pictures := some(digits(t).Train, 4)
	t.Run("digits", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: model.NewRecipe[KDE](), Train: pictures})
	})
	t.Run("digits without labels", func(t *testing.T) {
		set := withoutLabels(pictures)
		modeltest.Check(t, modeltest.Subject{Spec: model.NewRecipe[KDE](), Train: set, Validation: set})
	})
	r := rand.New(rand.NewPCG(1, 2))
	values, labels := correlated(300, r), make([]int32, 300)
	for i := range labels {
		labels[i] = int32(i % 3)
		values[2*i] += 30 * float32(labels[i])
	}
	for _, kernel := range kernels {
		t.Run(string(kernel), func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: &KDE{Kernel: kernel, Rule: LikelihoodRule},
				Train: numbers(t, 2, values, labels, "a", "b", "c")})
		})
	}
	t.Run("rule", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: &KDE{Kernel: GaussianKernel, Rule: SilvermanRule}, Train: numbers(t, 2, values, nil)})
	})
}

// TestKDEEqualsScikitLearn compares log-densities with testdata/kde.json, made by make_kde.py.
func TestKDEEqualsScikitLearn(t *testing.T) {
	var golden struct {
		Sets []struct {
			P          int
			Rows, X    []float32
			Bandwidths []float64
			LogDensity map[Kernel][][]float64 `json:"log_density"` // of each bandwidth; −1e300 is log 0
		}
	}
	readJSON(t, "kde.json", &golden)
	for _, want := range golden.Sets {
		for _, kernel := range kernels {
			for b, h := range want.Bandwidths {
				e := newParzen(kernel, h, want.Rows, want.P)
				log := make([]float64, len(want.X)/want.P)
				e.logProb(log, want.X)
				for i, w := range want.LogDensity[kernel][b] {
					if w == -1e300 {
						w = math.Inf(-1)
					}
					if got := log[i]; got != w && !(math.Abs(got-w) <= 1e-9) {
						t.Errorf("%s, %d columns, bandwidth %v: log p of row %d is %v, expected %v", kernel, want.P, h, i, got, w)
					}
				}
			}
		}
	}
}

// plainDensity is the formula, in the plainest way.
func plainDensity(kernel Kernel, h float64, rows, x []float32, p int) float64 {
	n := len(rows) / p
	var logs []float64
	top := math.Inf(-1)
	for i := range n {
		square := 0.0
		for j := range p {
			d := (float64(x[j]) - float64(rows[i*p+j])) / h
			square += d * d
		}
		u := math.Sqrt(square)
		l := math.Inf(-1)
		switch {
		case kernel == GaussianKernel:
			l = -square / 2
		case kernel == ExponentialKernel:
			l = -u
		case u >= 1:
		case kernel == TopHat:
			l = 0
		case kernel == Epanechnikov:
			l = math.Log(1 - square)
		case kernel == Linear:
			l = math.Log(1 - u)
		case kernel == Cosine:
			l = math.Log(math.Cos(math.Pi * u / 2))
		}
		logs, top = append(logs, l), max(top, l)
	}
	if math.IsInf(top, -1) {
		return top
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum/float64(n)) - float64(p)*math.Log(h) - kernel.logNormaliser(p)
}

// TestKDEKeepsDigits: where products of matrices lose the distances, far from the origin or at a narrow bandwidth, log p is
// still that of the formula.
func TestKDEKeepsDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, p := range []int{1, 3, 40} {
		const n = 700
		rows := make([]float32, n*p)
		for i := range rows {
			rows[i] = float32(r.NormFloat64())
			if i/p%100 == 7 {
				rows[i] *= 1e4 // far from the others
			}
		}
		x := slices.Clone(rows[:40*p]) // on rows
		for i := range 40 * p {        // near rows
			x = append(x, rows[i]+float32(1e-3*r.NormFloat64()))
		}
		for i := range 10 * p { // far from all
			x = append(x, 1e5*rows[i])
		}
		for _, kernel := range kernels {
			for _, h := range []float64{1e-6, 1e-3, 0.3, 100} {
				e := newParzen(kernel, h, rows, p)
				log := make([]float64, len(x)/p)
				e.logProb(log, x)
				for i, got := range log {
					want := plainDensity(kernel, h, rows, x[i*p:(i+1)*p], p)
					if got != want && !(math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))) {
						t.Errorf("%s, %d columns, bandwidth %v: log p of row %d is %v, expected %v", kernel, p, h, i, got, want)
					}
				}
			}
		}
	}
}

// TestSumExp compares with math.Exp over the whole range, near both ends of the table's intervals too.
func TestSumExp(t *testing.T) {
	for i := range 200_000 {
		v := -float64(i) * leftOut / 200_000
		for _, x := range []float64{v, math.Nextafter(v, 0), (math.Round(v*64/math.Ln2) + 0.5) * math.Ln2 / 64} {
			if x > 0 || x < -leftOut {
				continue
			}
			want := math.Exp(x)
			if got := sumExp([]float64{x}, 0); !(math.Abs(got-want) <= 1e-15*want) {
				t.Fatalf("exp(%v) is %v, expected %v", x, got, want)
			}
		}
	}
	if got := sumExp([]float64{math.Inf(-1), -1e300, -800}, 0); !(got <= 1e-34) {
		t.Errorf("the sum of exponentials of numbers far below 0 is %v, expected at most 1e-34", got)
	}
	if got := sumExp([]float64{math.NaN()}, 0); got == got {
		t.Errorf("exp(NaN) is %v, expected NaN", got)
	}
}

// TestKernelNormaliser integrates K(u) u^(p−1) by the midpoint rule.
func TestKernelNormaliser(t *testing.T) {
	for _, kernel := range kernels {
		for _, p := range []int{1, 2, 3, 5, 20, 784} {
			high := 1.0
			if kernel == GaussianKernel {
				high = math.Sqrt(float64(p)) + 9
			} else if kernel == ExponentialKernel {
				high = float64(p) + 9*math.Sqrt(float64(p)) + 40
			}
			const steps = 100_000
			logs := make([]float64, steps)
			top := math.Inf(-1)
			for i := range steps {
				u := high * (float64(i) + 0.5) / steps
				switch kernel {
				case GaussianKernel:
					logs[i] = -u * u / 2
				case ExponentialKernel:
					logs[i] = -u
				default:
					logs[i] = math.Log(kernel.of(u * u))
				}
				logs[i] += float64(p-1) * math.Log(u)
				top = max(top, logs[i])
			}
			sum := 0.0
			for _, l := range logs {
				sum += math.Exp(l - top)
			}
			// the surface of the unit ball, 2 π^(p/2)/Γ(p/2)
			logGamma, _ := math.Lgamma(float64(p) / 2)
			want := top + math.Log(sum*high/steps) + math.Ln2 + float64(p)/2*math.Log(math.Pi) - logGamma
			if got := kernel.logNormaliser(p); !(math.Abs(got-want) <= 1e-5) {
				t.Errorf("%s in %d dimensions: the integral has logarithm %v, expected %v", kernel, p, got, want)
			}
		}
	}
}

// TestKernelSamples compares the mean of a draw's squared length with that of the kernel's density, by quadrature, and in one
// dimension the share of draws below 1/2.
func TestKernelSamples(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const n = 20_000
	for _, kernel := range kernels {
		for _, p := range []int{1, 2, 7} {
			draw, squares, inner := make([]float64, p), make([]float64, n), 0.0
			for i := range squares {
				kernel.sample(draw, r)
				for _, v := range draw {
					squares[i] += v * v
				}
				if squares[i] < 0.25 {
					inner++
				}
			}
			height := func(u float64) float64 {
				switch {
				case kernel == GaussianKernel:
					return math.Exp(-u * u / 2)
				case kernel == ExponentialKernel:
					return math.Exp(-u)
				case u < 1:
					return kernel.of(u * u)
				}
				return 0
			}
			const steps, high = 60_000, 60.0
			var whole, square, below float64
			for i := range steps {
				u := high * (float64(i) + 0.5) / steps
				w := height(u) * math.Pow(u, float64(p-1))
				whole, square = whole+w, square+w*u*u
				if u < 0.5 {
					below += w
				}
			}
			mean, sd := stat.MeanStdDev(squares, nil)
			if want := square / whole; !(math.Abs(mean-want) <= 5*sd/math.Sqrt(n)) {
				t.Errorf("%s in %d dimensions: draws have squared length %v, expected %v", kernel, p, mean, want)
			}
			want := below / whole
			if got := inner / n; !(math.Abs(got-want) <= 5*math.Sqrt(want*(1-want)/n)+1e-4) {
				t.Errorf("%s in %d dimensions: %v of the draws are shorter than 1/2, expected %v", kernel, p, got, want)
			}
		}
	}
}

// TestLeaveOneOut compares the chosen bandwidth's likelihood with that of every other on a fine grid, by the formula.
func TestLeaveOneOut(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	rows := make([]float32, 60*2)
	for i := range rows {
		rows[i] = float32(r.NormFloat64() + 5*float64(i/2%2))
	}
	rows = append(rows, rows[:20]...) // ten rows twice
	n := len(rows) / 2
	for _, kernel := range kernels {
		likelihood := func(h float64) float64 {
			total := 0.0
			for i := range n {
				var others []float32
				for j := range n {
					if !slices.Equal(rows[2*j:2*j+2], rows[2*i:2*i+2]) {
						others = append(others, rows[2*j:2*j+2]...)
					}
				}
				total += plainDensity(kernel, h, others, rows[2*i:2*i+2], 2)
			}
			return total
		}
		c, err := (&KDE{Kernel: kernel, Rule: LikelihoodRule}).choose(t.Context(), rows, 2, 1)
		if err != nil {
			t.Fatal(err)
		}
		if want := likelihood(c.h); !(math.Abs(c.sum-want) <= 1e-4*math.Abs(want)) { // distances are float32
			t.Errorf("%s: the leave-one-out log-likelihood at bandwidth %v is %v, expected %v", kernel, c.h, c.sum, want)
		}
		for h := 0.05; h < 8; h *= 1.05 {
			if l := likelihood(h); !(l <= c.sum+0.05) {
				t.Errorf("%s: bandwidth %v has log-likelihood %v, more than %v at the chosen %v", kernel, h, l, c.sum, c.h)
			}
		}
	}
}

func TestKDERules(t *testing.T) {
	rows := []float32{0, 0, 2, 4, 4, 8, 6, 12, 8, 16} // variances 8 and 32
	sd := math.Sqrt(20)
	for rule, want := range map[BandwidthRule]float64{
		ScottRule: sd * math.Pow(5, -1./6), SilvermanRule: sd * math.Pow(5, -1./6), // (p+2)/4 is 1
	} {
		c, err := (&KDE{Kernel: GaussianKernel, Rule: rule}).choose(t.Context(), rows, 2, 1)
		if err != nil || !(math.Abs(c.h-want) <= 1e-12) {
			t.Errorf("%s: bandwidth %v and error %v, expected %v", rule, c.h, err, want)
		}
	}
	one, err := model.NewRecipe[KDE]().choose(t.Context(), []float32{3, 4, 3, 4}, 2, 1)
	if err != nil || one.h != 1 || one.note == "" {
		t.Errorf("equal rows have bandwidth %v, note %q and error %v, expected 1 and a note", one.h, one.note, err)
	}
}

func TestKDEErrors(t *testing.T) {
	values := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	categories, err := data.NewTable(&data.Schema{Shape: data.RowShape(1),
		Columns: []data.Column{{Name: "colour", Kind: data.Categorical, Levels: []string{"red", "blue"}}}}, []float32{0, 1, 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	recipe := model.NewRecipe[KDE]()
	wantFitError(t, recipe, categories, `column "colour" has categories`)
	wantFitError(t, recipe, numbers(t, 2, []float32{1, 2, 3, nan}, nil), `column "x1": the value is missing`)
	wantFitError(t, recipe, numbers(t, 1, values, make([]int32, 8), "a", "b"), `class "b": no example`)
	m, _ := fit(t, recipe, numbers(t, 2, values, nil), model.Run{})
	x := data.Batch{Shape: data.RowShape(2), X: []float32{1, nan}}
	if err := m.(model.Density).LogProb(make([]float64, 1), x); err == nil {
		t.Error("log p of a row with a missing value has no error")
	}
	card := m.(*FittedKDE).Card
	for what, change := range map[string]func(map[string]any){
		"row":       func(v map[string]any) { v["rows"].([]float32)[1] = float32(math.Inf(1)) },
		"count":     func(v map[string]any) { v["count"].([]int64)[0]-- },
		"more rows": func(v map[string]any) { v["count"].([]int64)[0]++ },
		"bandwidth": func(v map[string]any) { v["bandwidth"].([]float64)[0] = math.NaN() },
	} {
		t.Run(what, func(t *testing.T) { wantDamaged(t, m, card, change) })
	}
}

// BenchmarkKDE is 2,000 test pictures of Fashion-MNIST against its 60,000 training pictures, both as their 50 principal
// components of pixels/255: what testdata/time_kde.py times of scikit-learn. It logs the mean log-density too.
func BenchmarkKDE(b *testing.B) {
	source, err := data.Open(b.Context(), "fashion-mnist", data.Options{})
	if err != nil {
		b.Fatal(err)
	}
	const p, queries = 50, 2000
	train, err := data.ReadAll(b.Context(), source.Train)
	if err != nil {
		b.Fatal(err)
	}
	test, err := data.ReadAll(b.Context(), source.Test)
	if err != nil {
		b.Fatal(err)
	}
	c := newMoments(784)
	wide := make([]float64, len(train.X))
	for i, v := range train.X {
		wide[i] = float64(v) / 255
	}
	c.sum(wide)
	c.finishMean()
	c.scatter(wide)
	c.finishCovariance()
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(784, c.covariance), true) {
		b.Fatal("no eigenvalues")
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	components := func(x data.Batch, n int) []float32 {
		centred := mat.NewDense(n, 784, nil)
		for i := range n {
			for j, v := range x.Row(i) {
				centred.Set(i, j, float64(v)/255-c.mean[j])
			}
		}
		var out mat.Dense
		out.Mul(centred, vectors.Slice(0, 784, 784-p, 784))
		narrow := make([]float32, 0, n*p)
		for _, v := range out.RawMatrix().Data {
			narrow = append(narrow, float32(v))
		}
		return narrow
	}
	rows, x := components(train, train.Len()), components(test, queries)
	e := newParzen(GaussianKernel, 0.5, rows, p)
	log := make([]float64, queries)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			start := cpuTime(b)
			for b.Loop() {
				room := newRoom(threads)
				for from := 0; from < queries; from += queryTile {
					to := min(from+queryTile, queries)
					room.run(func() { e.logProb(log[from:to], x[from*p:to*p]) })
				}
				room.wait()
			}
			b.ReportMetric((cpuTime(b)-start)/float64(b.N), "cpu-s/op")
			b.Logf("mean log p %.9f", stat.Mean(log, nil))
		})
	}
}

// cpuTime is the seconds that this process has computed, which other processes change less than the clock's.
func cpuTime(b *testing.B) float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return float64(usage.Utime.Nano()) / 1e9
}
