package generative

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
)

func TestDiscriminantConformance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values, labels := correlated(600, r), make([]int32, 600)
	for i := range labels {
		labels[i] = int32(i % 3)
		values[2*i] += 30 * float32(labels[i])
	}
	table := numbers(t, 2, values, labels, "a", "b", "c")
	pictures := some(digits(t).Train, 4)
	for name, spec := range map[string]model.Spec{"lda": model.NewRecipe[LDA](), "qda": model.NewRecipe[QDA]()} {
		t.Run(name+"/digits", func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: spec, Train: pictures, Validation: pictures})
		})
		t.Run(name+"/table", func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: spec, Train: table})
		})
	}
}

// labelledTable is a table of the golden files of package discriminative.
func labelledTable(t *testing.T, file string) data.Set {
	t.Helper()
	source, err := data.Open(t.Context(), filepath.Join("testdata", file), data.Options{Label: "class"})
	if err != nil {
		t.Fatal(err)
	}
	return source.All
}

// TestDiscriminantEqualsScikitLearn compares log p(y|x) with testdata/discriminant.json, made by make_discriminant.py.
func TestDiscriminantEqualsScikitLearn(t *testing.T) {
	var golden struct {
		Sets []struct {
			Name, File   string
			LogPosterior map[string][][]float64 `json:"log_posterior"`
		}
	}
	readJSON(t, "discriminant.json", &golden)
	for _, want := range golden.Sets {
		set := labelledTable(t, want.File)
		x := read(t, some(set, 10))
		for rule, spec := range map[string]model.Spec{
			"lda":        &LDA{CovarianceEstimate{0, true}},
			"lda_lsqr":   &LDA{CovarianceEstimate{0, false}},
			"lda_shrunk": &LDA{CovarianceEstimate{0.3, false}},
			"lda_auto":   &LDA{CovarianceEstimate{-1, false}},
			"qda":        &QDA{CovarianceEstimate{0, true}},
			"qda_auto":   &QDA{CovarianceEstimate{-1, false}},
		} {
			t.Run(want.Name+"/"+rule, func(t *testing.T) {
				m, _ := fit(t, spec, set, model.Run{})
				samePosterior(t, m.(model.Classifier), x, want.LogPosterior[rule], 1e-8)
			})
		}
	}
}

// samePosterior compares log p(y|x) of a batch with the rows wanted. Sums of terms beyond 1 round in proportion to their size.
func samePosterior(t *testing.T, m model.Classifier, x data.Batch, want [][]float64, limit float64) {
	t.Helper()
	k := m.Classes()
	log := make([]float64, x.Len()*k)
	if err := m.LogPosterior(log, x); err != nil {
		t.Fatal(err)
	}
	if len(want) != x.Len() {
		t.Fatalf("%d rows, expected %d", x.Len(), len(want))
	}
	for i, row := range want {
		for c, w := range row {
			if got := log[i*k+c]; !(math.Abs(got-w) <= limit*max(1, math.Abs(w)/100)) {
				t.Errorf("log p(y=%d|x) of row %d is %v, expected %v", c, i, got, w)
			}
		}
	}
}

// TestLinearScoresAreBayes: the linear functions of LDA are Bayes' rule on its densities.
func TestLinearScoresAreBayes(t *testing.T) {
	set := digits(t).Train
	m, _ := fit(t, model.NewRecipe[LDA](), set, model.Run{})
	lda := m.(*FittedDiscriminant)
	bayes, err := model.Bayes(lda, lda.LogPrior())
	if err != nil {
		t.Fatal(err)
	}
	x := read(t, some(set, 9))
	want := make([]float64, x.Len()*10)
	if err := bayes.LogPosterior(want, x); err != nil {
		t.Fatal(err)
	}
	samePosterior(t, lda, x, slices.Collect(slices.Chunk(want, 10)), 1e-9)
}

// TestDiscriminantOnUnseenDigits: the default recipes recognise what they have not seen.
func TestDiscriminantOnUnseenDigits(t *testing.T) {
	rest, test, err := data.Split(t.Context(), digits(t).All, 0.2, 1)
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, test)
	for name, c := range map[string]struct {
		spec  model.Spec
		least float64
	}{"lda": {model.NewRecipe[LDA](), 0.93}, "qda": {model.NewRecipe[QDA](), 0.97}} {
		m, _ := fit(t, c.spec, rest, model.Run{})
		log := make([]float64, b.Len()*10)
		if err := m.(model.Classifier).LogPosterior(log, b); err != nil {
			t.Fatal(err)
		}
		right := 0
		for i, y := range b.Y {
			row := log[10*i : 10*i+10]
			if slices.Index(row, slices.Max(row)) == int(y) {
				right++
			}
		}
		if share := float64(right) / float64(b.Len()); !(share >= c.least) {
			t.Errorf("%s: accuracy on unseen digits is %v, expected at least %v", name, share, c.least)
		}
	}
}

func TestDiscriminantErrors(t *testing.T) {
	values := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	for _, c := range []struct {
		name, want string
		spec       model.Spec
		set        data.Set
	}{
		{"no labels", "no labels", &LDA{}, numbers(t, 2, values, nil)},
		{"singular", "set shrinkage above 0", &LDA{}, numbers(t, 2, values, []int32{0, 1, 0, 1}, "a", "b")},
		{"one of a class", `class "b"`, &QDA{CovarianceEstimate{-1, false}}, numbers(t, 1, values[:3], []int32{0, 0, 1}, "a", "b")},
		{"no freedom", "set unbiased=false", &QDA{CovarianceEstimate{0.5, true}}, numbers(t, 1, values[:3], []int32{0, 0, 1}, "a", "b")},
		{"empty class", `class "b": no example`, &LDA{}, numbers(t, 1, values, make([]int32, 8), "a", "b")},
		{"missing", `column "x1": the value is missing`, &QDA{}, numbers(t, 2, []float32{1, 2, 3, nan}, []int32{0, 1}, "a", "b")},
	} {
		t.Run(c.name, func(t *testing.T) { wantFitError(t, c.spec, c.set, c.want) })
	}
}

// wantFitError fits what cannot be fitted.
func wantFitError(t *testing.T, spec model.Spec, set data.Set, want string) {
	t.Helper()
	m, _, err := spec.Fit(t.Context(), set, model.Run{})
	if err == nil || m != nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("fit returned %v and the error %v, expected one line with %q", m, err, want)
	}
}

// wantDamaged loads a model whose tensors have been changed.
func wantDamaged(t *testing.T, m model.Model, card model.Card, change func(tensors map[string]any)) {
	t.Helper()
	var file bytes.Buffer
	if err := m.Save(&file); err != nil {
		t.Fatal(err)
	}
	_, f, err := model.Run{}.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	for _, tensor := range f.Tensors {
		values[tensor.Name] = tensor.Values
	}
	change(values)
	file.Reset()
	if err := card.Save(&file, f.Tensors); err != nil {
		t.Fatal(err)
	}
	if _, _, err := (model.Run{}).Read(bytes.NewReader(file.Bytes()), int64(file.Len())); !errors.Is(err, model.ErrDamaged) {
		t.Errorf("loading returned the error %v, expected one that wraps %q", err, model.ErrDamaged)
	}
}

func TestDamagedDiscriminant(t *testing.T) {
	set := labelledTable(t, "../../discriminative/testdata/iris.csv")
	for name, spec := range map[string]model.Spec{"lda": model.NewRecipe[LDA](), "qda": model.NewRecipe[QDA]()} {
		m, _ := fit(t, spec, set, model.Run{})
		card := m.(*FittedDiscriminant).Card
		for what, change := range map[string]func(map[string]any){
			"prior":      func(v map[string]any) { v["class_prior"].([]float64)[0] += 0.5 },
			"mean":       func(v map[string]any) { v["mean"].([]float64)[1] = math.NaN() },
			"variance":   func(v map[string]any) { v["covariance"].([]float64)[0] = -1 },
			"covariance": func(v map[string]any) { v["covariance"].([]float64)[1] = 1e9 },
		} {
			t.Run(name+"/"+what, func(t *testing.T) { wantDamaged(t, m, card, change) })
		}
	}
}
