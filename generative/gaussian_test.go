package generative

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
)

func TestGaussianConformance(t *testing.T) {
	t.Run("digits", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: model.NewRecipe[Gaussian](), Train: some(digits(t).Train, 4)})
	})
	t.Run("digits without labels", func(t *testing.T) {
		set := some(digits(t).Train, 4)
		modeltest.Check(t, modeltest.Subject{Spec: model.NewRecipe[Gaussian](), Train: withoutLabels(set), Validation: withoutLabels(set)})
	})
	r := rand.New(rand.NewPCG(1, 2))
	values, labels := correlated(600, r), make([]int32, 600)
	for i := range labels {
		labels[i] = int32(i % 3)
		values[2*i] += 30 * float32(labels[i])
	}
	t.Run("table", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: model.NewRecipe[Gaussian](), Train: numbers(t, 2, values, nil)})
	})
	t.Run("table with classes", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: model.NewRecipe[Gaussian](), Train: numbers(t, 2, values, labels, "a", "b", "c")})
	})
}

// correlated is n pairs with correlation 0.8 and standard deviations 10 and 0.1.
func correlated(n int, r *rand.Rand) []float32 {
	values := make([]float32, 2*n)
	for i := range n {
		a, b := r.NormFloat64(), r.NormFloat64()
		values[2*i], values[2*i+1] = float32(10*a+100), float32(0.1*(0.8*a+0.6*b)-5)
	}
	return values
}

// golden is testdata/gaussian.json, made by make_gaussian.py.
type golden struct {
	Sets []struct {
		Name, File       string
		N, P             int
		Mean             []float64
		Covariance       [][]float64
		LogPDF           []float64
		Total            float64
		LargestDiffering float64 `json:"largest_difference_from_50_digits"`
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	text, err := os.ReadFile("testdata/gaussian.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestGaussianEqualsSciPy compares the estimate and log p(x) in float64, before a batch rounds x to float32.
func TestGaussianEqualsSciPy(t *testing.T) {
	for _, want := range readGolden(t).Sets {
		t.Run(want.Name, func(t *testing.T) {
			x := slices.Concat(readCSV(t, "testdata/"+want.File)...)
			c := newMoments(want.P)
			c.sum(x)
			c.finishMean()
			c.scatter(slices.Clone(x))
			c.finishCovariance()
			for i, mean := range want.Mean {
				if got := c.mean[i]; !(math.Abs(got-mean) <= 1e-12*math.Abs(mean)) {
					t.Errorf("mean %d is %v, expected %v", i, got, mean)
				}
				for j, v := range want.Covariance[i] {
					limit := 1e-12 * math.Sqrt(want.Covariance[i][i]*want.Covariance[j][j])
					if got := c.covariance[i*want.P+j]; !(math.Abs(got-v) <= limit) {
						t.Errorf("covariance %d, %d is %v, expected %v", i, j, got, v)
					}
				}
			}
			d, err := newNormal(c.mean, c.covariance)
			if err != nil {
				t.Fatal(err)
			}
			log := make([]float64, want.N)
			d.logProb(log, x)
			for i, l := range want.LogPDF {
				if !(math.Abs(log[i]-l) <= 1e-9) {
					t.Errorf("log p of row %d is %v, expected %v", i, log[i], l)
				}
			}
			total := 0.0
			for _, l := range log {
				total += l
			}
			if !(math.Abs(total-want.Total) <= 1e-9*math.Abs(want.Total)) {
				t.Errorf("log-likelihood is %v, expected %v", total, want.Total)
			}
		})
	}
}

// TestGaussianFitEqualsSciPy goes the whole way through a fitted model. x is rounded to float32, which moves log p by no
// more than its gradient Σ⁻¹(x−μ) times the rounding error; 2⁻²⁴|x| in each element.
func TestGaussianFitEqualsSciPy(t *testing.T) {
	for _, want := range readGolden(t).Sets {
		t.Run(want.Name, func(t *testing.T) {
			rows := readCSV(t, "testdata/"+want.File)
			var values []float32
			for _, v := range slices.Concat(rows...) {
				values = append(values, float32(v))
			}
			set := numbers(t, want.P, values, nil)
			m, summary := fit(t, model.NewRecipe[Gaussian](), set, model.Run{Validation: set})
			if len(summary.Notes) > 0 {
				t.Errorf("the default floor raised a variance: %q", summary.Notes)
			}
			for _, loss := range []float64{summary.TrainLoss, summary.ValidationLoss} {
				if got := -loss * float64(want.N); !(math.Abs(got-want.Total) <= 1e-5*math.Abs(want.Total)) {
					t.Errorf("log-likelihood is %v, expected %v", got, want.Total)
				}
			}
			log := make([]float64, want.N)
			if err := m.(model.Density).LogProb(log, read(t, set)); err != nil {
				t.Fatal(err)
			}
			for i, l := range want.LogPDF {
				if !(math.Abs(log[i]-l) <= 1e-3) {
					t.Errorf("log p of row %d is %v, expected %v", i, log[i], l)
				}
			}
		})
	}
}

// TestGaussianIntegratesToOne sums p(x) over a grid of six standard deviations around each mean, beyond which lies less
// than 1e-8 of it. The sum over a grid of step h errs by about exp(−2π²σ²/h²) for a normal density of standard deviation
// σ: nothing for a step of σ/4 of the narrowest direction, 0.6 of a column's.
func TestGaussianIntegratesToOne(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	values := correlated(500, r)
	labels := make([]int32, 500)
	for i := range labels {
		labels[i] = int32(min(i%5, 1)) // one fifth and four fifths
		values[2*i] -= 20 * float32(labels[i])
	}
	m, _ := fit(t, model.NewRecipe[Gaussian](), numbers(t, 2, values, labels, "a", "b"), model.Run{})
	const steps = 600
	low, high := [2]float64{0, -6}, [2]float64{180, -4}
	grid := data.NewBatch(data.RowShape(2), steps*steps, false)
	for i := range grid.Len() {
		for j, k := range [2]int{i / steps, i % steps} {
			grid.Row(i)[j] = float32(low[j] + (high[j]-low[j])*(float64(k)+0.5)/steps)
		}
	}
	area := (high[0] - low[0]) / steps * (high[1] - low[1]) / steps
	log := make([]float64, grid.Len())
	integral := func() float64 {
		sum := 0.0
		for _, l := range log {
			sum += math.Exp(l) * area
		}
		return sum
	}
	// Coordinates are rounded to float32, by up to 8e-6 of 180: 1e-5 of the integral is allowed.
	if err := m.(model.Density).LogProb(log, grid); err != nil {
		t.Fatal(err)
	}
	if got := integral(); !(math.Abs(got-1) <= 1e-5) {
		t.Errorf("p(x) integrates to %v, expected 1", got)
	}
	for k := range 2 {
		y := slices.Repeat([]int32{int32(k)}, grid.Len())
		if err := m.(model.CondDensity).LogProbGiven(log, grid, y); err != nil {
			t.Fatal(err)
		}
		if got := integral(); !(math.Abs(got-1) <= 1e-5) {
			t.Errorf("p(x|y=%d) integrates to %v, expected 1", k, got)
		}
	}
}

// TestGaussianSamples compares the moments of samples with those of the data.
func TestGaussianSamples(t *testing.T) {
	set := numbers(t, 2, correlated(300, rand.New(rand.NewPCG(5, 6))), nil)
	m, _ := fit(t, model.NewRecipe[Gaussian](), set, model.Run{})
	d := m.(*FittedGaussian).given[0]
	const n = 50_000
	b := data.NewBatch(data.RowShape(2), n, false)
	if err := m.(model.Sampler).Sample(b, rand.New(rand.NewPCG(7, 8))); err != nil {
		t.Fatal(err)
	}
	c := newMoments(2)
	x := gather(b, seq(n))
	c.sum(x)
	c.finishMean()
	c.scatter(x)
	c.finishCovariance()
	for i := range 2 {
		if se := d.sd[i] / math.Sqrt(n); !(math.Abs(c.mean[i]-d.mean[i]) <= 5*se) {
			t.Errorf("samples have mean %v in column %d, expected %v (standard error %v)", c.mean[i], i, d.mean[i], se)
		}
		for j := range 2 {
			a, b, ab := d.covariance[3*i], d.covariance[3*j], d.covariance[2*i+j]
			se := math.Sqrt((a*b + ab*ab) / n) // of a covariance of normals
			if got := c.covariance[2*i+j]; !(math.Abs(got-ab) <= 5*se) {
				t.Errorf("samples have covariance %v of columns %d and %d, expected %v (standard error %v)", got, i, j, ab, se)
			}
		}
	}
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// TestRaiseVariance: the result has no eigenvalue below the floor, and no other such covariance is more likely.
func TestRaiseVariance(t *testing.T) {
	const p, floor = 5, 0.3
	r := rand.New(rand.NewPCG(9, 10))
	x := make([]float64, 4*p) // four rows: of rank 3 around their mean
	for i := range x {
		x[i] = r.NormFloat64()
	}
	c := newMoments(p)
	c.sum(x)
	c.finishMean()
	c.scatter(slices.Clone(x))
	c.finishCovariance()
	scale := []float64{1, 2, 0.5, 1, 3}
	best, raised, misfit, err := raiseVariance(c.covariance, scale, p, floor)
	if err != nil {
		t.Fatal(err)
	}
	if raised < 2 {
		t.Errorf("%d eigenvalues were raised, expected at least the 2 that are 0", raised)
	}
	likelihood := func(covariance []float64) (mean, misfit float64) {
		d, err := newNormal(c.mean, covariance)
		if err != nil {
			t.Fatal(err)
		}
		log := make([]float64, 4)
		d.logProb(log, slices.Clone(x))
		for _, l := range log {
			mean += l / 4
		}
		return mean, -2 * (mean + d.logNormaliser)
	}
	top, want := likelihood(best)
	if !(math.Abs(misfit-want) <= 1e-10) {
		t.Errorf("misfit is %v, expected %v", misfit, want)
	}
	// Nearby covariances: add a random symmetric matrix, and raise again what fell below the floor.
	for range 200 {
		other := slices.Clone(best)
		for i := range p {
			for j := range i + 1 {
				v := 0.05 * r.NormFloat64() * scale[i] * scale[j]
				other[i*p+j] += v
				if i != j {
					other[j*p+i] += v
				}
			}
		}
		other, _, _, err := raiseVariance(other, scale, p, floor)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := likelihood(other); !(got <= top+1e-12) {
			t.Fatalf("another covariance has log-likelihood %v, above the estimate's %v", got, top)
		}
	}
}

// TestRaiseVarianceOfLowRank: with fewer examples than half the elements the result is the same as from all eigenvalues, whatever the
// bound on the rank says.
func TestRaiseVarianceOfLowRank(t *testing.T) {
	const n, p, floor = 8, 60, 0.05
	r := rand.New(rand.NewPCG(11, 12))
	x := make([]float64, n*p)
	for i := range x {
		if j := i % p; j > 3 { // elements without any variance
			x[i] = r.NormFloat64() * math.Pow(0.4, float64(i/p)) // eigenvalues above the floor and below it
		}
	}
	copy(x[p:2*p], x[:p]) // and an example twice: the rank is n-2
	c := newMoments(p)
	c.sum(x)
	c.finishMean()
	c.scatter(slices.Clone(x))
	c.finishCovariance()
	scale := make([]float64, p)
	for j := range scale {
		scale[j] = 0.5 + r.Float64()
	}
	// The definition, by all eigenvectors.
	var eigen mat.EigenSym
	scaled := mat.NewSymDense(p, nil)
	for i := range p {
		for j := i; j < p; j++ {
			scaled.SetSym(i, j, c.covariance[i*p+j]/scale[i]/scale[j])
		}
	}
	if !eigen.Factorize(scaled, true) {
		t.Fatal("no eigenvalues")
	}
	var v mat.Dense
	eigen.VectorsTo(&v)
	wantRaised, wantMisfit := 0, 0.0
	values := eigen.Values(nil)
	for _, l := range values {
		if l < floor {
			wantRaised++
		}
		wantMisfit += l / max(l, floor)
	}
	if wantRaised <= p-n+2 || wantRaised >= p {
		t.Fatalf("%d of %d eigenvalues are below the floor: the test is no test", wantRaised, p)
	}
	for _, rank := range []int{n - 1, n - 2, n - 3, p} {
		got, raised, misfit, err := raiseVariance(c.covariance, scale, rank, floor)
		if err != nil {
			t.Fatal(err)
		}
		if raised != wantRaised || !(math.Abs(misfit-wantMisfit) <= 1e-12) {
			t.Errorf("rank at most %d: %d raised, misfit %v; expected %d, %v", rank, raised, misfit, wantRaised, wantMisfit)
		}
		for i := range p {
			for j := range p {
				want := 0.0
				for k, l := range values {
					want += max(l, floor) * v.At(i, k) * v.At(j, k) * scale[i] * scale[j]
				}
				if g := got[i*p+j]; !(math.Abs(g-want) <= 1e-13) || g != got[j*p+i] {
					t.Fatalf("rank at most %d: element %d,%d is %v, expected %v, the same as %v", rank, i, j, g, want, got[j*p+i])
				}
			}
		}
	}
	// The short way was gone where it could be, and only there.
	for rank, want := range map[int]bool{n - 1: true, n - 2: true, n - 3: false, p: false} {
		if _, _, found := eigenOfLowRank(scaled, rank, floor); found != want {
			t.Errorf("rank at most %d: the short way is %t, expected %t", rank, found, want)
		}
	}
}

// TestGaussianBayes makes a classifier of the class densities, quadratic discriminant analysis.
func TestGaussianBayes(t *testing.T) {
	source := digits(t)
	rest, test, err := data.Split(t.Context(), source.All, 0.2, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, summary := fit(t, &Gaussian{Floor: 0.01}, rest, model.Run{})
	if len(summary.Notes) != 1 {
		t.Errorf("notes %q, expected one on singular covariances", summary.Notes)
	}
	classifier, err := model.Bayes(m.(model.CondDensity), m.(*FittedGaussian).LogPrior())
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, test)
	log := make([]float64, b.Len()*10)
	if err := classifier.LogPosterior(log, b); err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, y := range b.Y {
		row := log[10*i : 10*i+10]
		if slices.Index(row, slices.Max(row)) == int(y) {
			right++
		}
	}
	if share := float64(right) / float64(b.Len()); !(share >= 0.97) {
		t.Errorf("accuracy on unseen digits is %v, expected at least 0.97", share)
	}
}

func TestGaussianErrors(t *testing.T) {
	values := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	categories, err := data.NewTable(&data.Schema{Shape: data.RowShape(1),
		Columns: []data.Column{{Name: "colour", Kind: data.Categorical, Levels: []string{"red", "blue"}}}}, []float32{0, 1, 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		recipe     Gaussian
		set        data.Set
	}{
		{"categories", `column "colour" has categories`, Gaussian{}, categories},
		{"missing", `column "x1": the value is missing`, Gaussian{}, numbers(t, 2, []float32{1, 2, 3, nan}, nil)},
		{"too wide", "up to 4096", Gaussian{}, numbers(t, 4097, make([]float32, 4097), nil)},
		{"collinear", "covariance is singular", Gaussian{}, numbers(t, 2, values, nil)},
		{"constant", "set floor above 0", Gaussian{}, numbers(t, 2, []float32{1, 5, 2, 5, 3, 5}, nil)},
		{"empty class", `class "b": no example`, Gaussian{Floor: 0.1}, numbers(t, 1, values, make([]int32, 8), "a", "b")},
		{"one of a class", `class "b"`, Gaussian{}, numbers(t, 1, values[:3], []int32{0, 0, 1}, "a", "b")},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := c.recipe.Fit(t.Context(), c.set, model.Run{})
			if err == nil || m != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("fit returned %v and the error %v, expected one with %q", m, err, c.want)
			}
		})
	}
}
