package generative

import (
	"bytes"
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

func TestPPCAConformance(t *testing.T) {
	t.Run("digits", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: model.NewRecipe[PPCA](), Train: some(digits(t).Train, 4)})
	})
	t.Run("digits, tied", func(t *testing.T) {
		spec := model.NewRecipe[PPCA]()
		spec.Tied = true
		modeltest.Check(t, modeltest.Subject{Spec: spec, Train: some(digits(t).Train, 4)})
	})
	t.Run("digits without labels", func(t *testing.T) {
		set := withoutLabels(some(digits(t).Train, 4))
		modeltest.Check(t, modeltest.Subject{Spec: model.NewRecipe[PPCA](), Train: set, Validation: set})
	})
	values, labels := clusters(600, rand.New(rand.NewPCG(1, 2)))
	t.Run("table", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: model.NewRecipe[PPCA](), Train: numbers(t, 2, values, nil)})
	})
	t.Run("table with classes", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: model.NewRecipe[PPCA](), Train: numbers(t, 2, values, labels, "a", "b", "c")})
	})
}

// ppcaGolden is testdata/ppca.json, made by make_ppca.py.
type ppcaGolden struct {
	Cases []struct {
		File       string
		Rows, Q    int
		Noise      float64
		Covariance [][]float64
		LogProb    []float64 `json:"log_prob"`
	}
}

func TestPPCAEqualsSklearn(t *testing.T) {
	text, err := os.ReadFile("testdata/ppca.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden ppcaGolden
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	for _, want := range golden.Cases {
		t.Run(want.File, func(t *testing.T) {
			set := data.Subset(tableOf(t, want.File, false), seq(want.Rows))
			fitted, summary := fit(t, &PPCA{Components: want.Q}, set, model.Run{})
			m := fitted.(*FittedPPCA)
			given, unit := m.given[0], m.scale[0]*m.scale[0]
			const limit = 1e-8
			if got := given.noise * unit; !(math.Abs(got-want.Noise) <= limit*want.Noise) {
				t.Errorf("noise is %v, expected %v", got, want.Noise)
			}
			for i, row := range want.Covariance {
				for j, v := range row {
					if got := given.covariance(i, j) * unit; !(math.Abs(got-v) <= limit*math.Sqrt(row[i]*want.Covariance[j][j])) {
						t.Errorf("covariance %d, %d is %v, expected %v", i, j, got, v)
					}
				}
			}
			x := read(t, set)
			log := make([]float64, x.Len())
			if err := m.LogProb(log, x); err != nil {
				t.Fatal(err)
			}
			mean := 0.0
			for i, l := range log {
				mean -= l / float64(len(log))
				if i%7 == 0 && !(math.Abs(l-want.LogProb[i/7]) <= limit*max(1, math.Abs(l))) {
					t.Errorf("log p of row %d is %v, expected %v", i, l, want.LogProb[i/7])
				}
			}
			if !(math.Abs(mean-summary.TrainLoss) <= 1e-9*math.Abs(mean)) {
				t.Errorf("train loss is %v, expected %v", summary.TrainLoss, mean)
			}
		})
	}
}

// covariance is an element of C = W Wᵀ + σ² I.
func (m *ppca) covariance(i, j int) float64 {
	sum := 0.0
	if i == j {
		sum = m.noise
	}
	p := len(m.mean)
	for k, v := range m.eigenvalue {
		sum += (v - m.noise) * m.axes[k*p+i] * m.axes[k*p+j]
	}
	return sum
}

// TestPPCAEqualsNormal: in every variant log p(x|y) is that of a normal distribution with the covariance C, and the code solves the
// equation of the posterior mean.
func TestPPCAEqualsNormal(t *testing.T) {
	set := some(digits(t).Train, 3)
	x := read(t, set)
	p := set.Schema().Size()
	for _, spec := range []*PPCA{{Components: 5, Floor: 0.01}, {Components: 5, Tied: true}, {Components: 63, Floor: 0.01}} {
		fitted, _ := fit(t, spec, set, model.Run{})
		m := fitted.(*FittedPPCA)
		log := make([]float64, x.Len())
		if err := m.LogProbGiven(log, x, x.Y); err != nil {
			t.Fatal(err)
		}
		q := m.LatentSize()
		code := make([]float32, x.Len()*q)
		if err := m.Encode(code, x, x.Y); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < x.Len(); i += 37 {
			given := m.given[x.Y[i]]
			covariance := make([]float64, p*p)
			for a := range p {
				for b := range p {
					covariance[a*p+b] = given.covariance(a, b) * m.scale[a] * m.scale[b]
				}
			}
			d, err := newNormal(given.mean, covariance)
			if err != nil {
				t.Fatal(err)
			}
			want := make([]float64, 1)
			d.logProb(want, gather(x, []int{i}))
			if !(math.Abs(log[i]-want[0]) <= 1e-9*math.Abs(want[0])) {
				t.Errorf("%+v: log p of example %d is %v, expected %v", *spec, i, log[i], want[0])
			}
			// (Wᵀ W + σ² I) z = Wᵀ (x − μ), summed up plainly
			for k := range q {
				left, right := given.noise*float64(code[i*q+k]), 0.0
				for l := range q {
					inner := 0.0
					for j := range p {
						inner += given.axes[k*p+j] * given.axes[l*p+j]
					}
					left += inner * given.spread(k) * given.spread(l) * float64(code[i*q+l])
				}
				for j, v := range x.Row(i) {
					right += given.axes[k*p+j] * given.spread(k) * (float64(v) - given.mean[j]) / m.scale[j]
				}
				if !(math.Abs(left-right) <= 1e-5*(1+math.Abs(right))) {
					t.Errorf("%+v: (WᵀW + σ²I) z of example %d is %v in component %d, expected %v", *spec, i, left, k, right)
				}
			}
		}
	}
}

// TestPPCAIsTheMaximum: no other noise is more likely, with W the best for it.
func TestPPCAIsTheMaximum(t *testing.T) {
	set := tableOf(t, "../../discriminative/testdata/wine.csv", true)
	fitted, summary := fit(t, &PPCA{Components: 4}, set, model.Run{})
	m := fitted.(*FittedPPCA)
	best := *m.given[0]
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		other := best
		other.noise = best.noise * math.Exp(0.1*r.NormFloat64())
		other.eigenvalue = nil
		for _, v := range best.eigenvalue {
			other.eigenvalue = append(other.eigenvalue, max(other.noise, v*math.Exp(0.1*r.NormFloat64())))
		}
		m.given[0] = &other
		loss, err := m.loss(t.Context(), set)
		if err != nil {
			t.Fatal(err)
		}
		if !(loss >= summary.TrainLoss-1e-12) {
			t.Fatalf("noise %v and eigenvalues %v have the loss %v, below %v", other.noise, other.eigenvalue, loss, summary.TrainLoss)
		}
	}
}

// TestPPCADecodes: digits come back nearly as they were from as many components as the data needs.
func TestPPCADecodes(t *testing.T) {
	set := digits(t).Train
	fitted, summary := fit(t, &PPCA{Components: 40, Tied: true}, set, model.Run{})
	m := fitted.(*FittedPPCA)
	x := read(t, some(set, 10))
	code := make([]float32, x.Len()*40)
	if err := m.Encode(code, x, x.Y); err != nil {
		t.Fatal(err)
	}
	back := data.NewBatch(x.Shape, x.Len(), false)
	if err := m.Decode(back, code, x.Y); err != nil {
		t.Fatal(err)
	}
	square := 0.0
	for i, v := range x.X {
		square += float64((v-back.X[i])*(v-back.X[i])) / float64(len(x.X))
	}
	if !(math.Sqrt(square) <= 0.6) { // of 0..16
		t.Errorf("the root mean square error is %v grey levels, expected at most 0.6", math.Sqrt(square))
	}
	if len(summary.Notes) != 1 || !strings.Contains(summary.Notes[0], "40 components hold 98%") {
		t.Errorf("notes %q, expected that 40 components hold 98%% of the variance", summary.Notes)
	}
}

// TestPPCAThreads: a set of many parts gives the same file and the same log p at any number of threads.
func TestPPCAThreads(t *testing.T) {
	values, _ := clusters(9000, rand.New(rand.NewPCG(1, 2)))
	set := numbers(t, 2, values, nil)
	x := read(t, set)
	var files [3]bytes.Buffer
	var logs [3][]float64
	for i, threads := range []int{1, 2, 7} {
		m, _ := fit(t, model.NewRecipe[PPCA](), set, model.Run{Threads: threads})
		if err := m.Save(&files[i]); err != nil {
			t.Fatal(err)
		}
		logs[i] = make([]float64, x.Len())
		if err := m.(model.Density).LogProb(logs[i], x); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(files[i].Bytes(), files[0].Bytes()) || !slices.Equal(logs[i], logs[0]) {
			t.Errorf("the file or log p of %d threads is not that of 1", threads)
		}
	}
}

// TestSubspaceEigen compares with the whole decomposition, on a covariance of 520 elements whose eigenvalues fall as 1/i.
func TestSubspaceEigen(t *testing.T) {
	const size, q, block = 520, 10, 36
	r := rand.New(rand.NewPCG(1, 2))
	root := mat.NewDense(size, size, nil)
	for i := range size {
		for j := range size {
			root.Set(i, j, r.NormFloat64()/math.Sqrt(float64(j+1)))
		}
	}
	var a mat.SymDense
	a.SymOuterK(1./size, root)
	values, vectors := subspaceEigen(t.Context(), &a, q, block)
	if values == nil {
		t.Fatal("no eigenvalues were found")
	}
	var whole mat.EigenSym
	if !whole.Factorize(&a, false) {
		t.Fatal("gonum found no eigenvalues")
	}
	want := whole.Values(nil)
	for i, v := range values {
		if !(math.Abs(v-want[size-1-i]) <= 1e-12*v) {
			t.Errorf("eigenvalue %d is %v, expected %v", i, v, want[size-1-i])
		}
		var product mat.VecDense
		product.MulVec(&a, vectors.ColView(i))
		product.AddScaledVec(&product, -v, vectors.ColView(i))
		if got := mat.Norm(&product, 2); !(got <= 1e-11*values[0]) {
			t.Errorf("‖A v − λ v‖ is %v for eigenvector %d", got, i)
		}
	}
	// Of rank 3, whichever way is taken.
	a.SymOuterK(1./size, root.Slice(0, size, 0, 3))
	values, _, rest, err := leadingEigen(t.Context(), &a, q)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if i < 3 != (v > 1e-12*values[0]) {
			t.Errorf("eigenvalue %d is %v of a covariance of rank 3", i, v)
		}
	}
	if !(rest <= 1e-12*values[0]) {
		t.Errorf("the others sum to %v, expected 0", rest)
	}
}

func TestPPCAErrors(t *testing.T) {
	for _, c := range []struct {
		name, want string
		recipe     PPCA
		set        data.Set
	}{
		{"missing", `column "x1": the value is missing`, PPCA{Components: 1}, numbers(t, 2, []float32{1, 2, 3, nan}, nil)},
		{"infinite", "expected a finite number", PPCA{Components: 1}, numbers(t, 2, []float32{1, 2, 3, float32(math.Inf(1))}, nil)},
		{"one column", "at least 2 elements", PPCA{Components: 1}, numbers(t, 1, []float32{1, 2}, nil)},
		{"no components", `components is "0"`, PPCA{}, numbers(t, 2, []float32{1, 2, 3, 5}, nil)},
		{"on a line", "set floor above 0", PPCA{Components: 1}, numbers(t, 2, []float32{1, 2, 3, 4, 5, 6}, nil)},
		{"constant", "set floor above 0", PPCA{Components: 1}, numbers(t, 2, []float32{1, 2, 1, 2}, nil)},
		{"empty class", `class "b": no example`, PPCA{Components: 1}, numbers(t, 2, []float32{1, 2, 3, 5}, make([]int32, 2), "a", "b")},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := c.recipe.Fit(t.Context(), c.set, model.Run{})
			if err == nil || m != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("fit returned %v and the error %v, expected one with %q", m, err, c.want)
			}
		})
	}
}
