package discriminative

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
)

func fitLogistic(t *testing.T, r *Logistic, set data.Set, run model.Run) (*Linear, *model.Summary) {
	t.Helper()
	m, s, err := r.Fit(t.Context(), set, run)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*Linear), s
}

// TestLogisticCoefficients compares with scikit-learn's, refined to the minimum (make_logistic.py). Errors are relative to
// the greatest coefficient. The Hessian of the mean loss is at least 1/(C n) in every direction that is penalised, so a fit
// that has converged is at most tolerance·C·n away; that is 1.8e-6 for the digits, and float32 x adds 2e-7.
func TestLogisticCoefficients(t *testing.T) {
	const tol = 2e-6
	var golden struct {
		C    float64
		Sets []struct {
			Name, File    string
			Classes       []string `json:"class_names"`
			P             int
			Coef          [][]float64
			Intercept     []float64
			Objective     float64
			Probabilities [][]float64
		}
	}
	readGolden(t, "logistic.json", &golden)
	if len(golden.Sets) != 4 {
		t.Fatalf("%d golden sets, expected 4", len(golden.Sets))
	}
	for _, want := range golden.Sets {
		t.Run(want.Name, func(t *testing.T) {
			set := digitTable(t)
			if want.File != "" {
				set = csvTable(t, want.File)
			}
			recipe := model.NewRecipe[Logistic]()
			m, summary := fitLogistic(t, recipe, set, model.Run{})
			if summary.Stopped != "converged" {
				t.Errorf("stopped: %s %v", summary.Stopped, summary.Notes)
			}
			a, b := m.Coefficients()
			wantB := slices.Concat(want.Coef...)
			if len(a) != len(want.Intercept) || len(b) != len(wantB) {
				t.Fatalf("%d intercepts and %d coefficients, expected %d and %d", len(a), len(b), len(want.Intercept), len(wantB))
			}
			scale := 0.0
			for _, v := range slices.Concat(wantB, want.Intercept) {
				scale = max(scale, math.Abs(v))
			}
			worst := 0.0
			for i, v := range wantB {
				near(t, fmt.Sprintf("coefficient %d", i), b[i], v, tol*scale)
				if math.Abs(v) > 1e-6*scale { // and each by itself
					near(t, fmt.Sprintf("coefficient %d, relative to itself", i), b[i]/v, 1, 1e-4)
					worst = max(worst, math.Abs(b[i]/v-1))
				}
			}
			t.Logf("greatest relative error of a coefficient: %.2g", worst)
			for i, v := range want.Intercept {
				near(t, fmt.Sprintf("intercept %d", i), a[i], v, tol*scale)
			}
			penalty := 0.0
			for _, v := range b {
				penalty += v * v / (2 * golden.C)
			}
			near(t, "objective", summary.TrainLoss*float64(set.Len())+penalty, want.Objective, 1e-6*want.Objective)

			x := data.NewBatch(set.Schema().Shape, len(want.Probabilities), false)
			if err := set.Read(t.Context(), x, []int{0, 1, 2, 3, 4}); err != nil {
				t.Fatal(err)
			}
			k := m.Classes()
			log := make([]float64, x.Len()*k)
			if err := m.LogPosterior(log, x); err != nil {
				t.Fatal(err)
			}
			for i, row := range want.Probabilities {
				for j, p := range row {
					near(t, fmt.Sprintf("log p(%d|x_%d)", j, i), log[i*k+j], math.Log(p), 1e-5)
				}
			}
		})
	}
}

// TestLogisticPenalty: the automatic C, and that an explicit one is obeyed.
func TestLogisticPenalty(t *testing.T) {
	for _, c := range []struct {
		asked float64
		shape data.Shape
		want  float64
	}{
		{0, data.RowShape(30), 1}, {0, data.Shape{Height: 8, Width: 8, Channels: 1}, 1},
		{0, data.Shape{Height: 16, Width: 32, Channels: 3}, 0.125}, {3, data.Shape{Height: 28, Width: 28, Channels: 1}, 3}, {0.5, data.RowShape(1), 0.5},
	} {
		if got := (&Logistic{C: c.asked}).inversePenalty(c.shape); got != c.want {
			t.Errorf("C = %v for %v is %v, expected %v", c.asked, c.shape, got, c.want)
		}
	}
}

// TestLogisticGradient compares the gradient with central differences.
func TestLogisticGradient(t *testing.T) {
	for _, classes := range []int{2, 3} {
		r := rand.New(rand.NewPCG(1, uint64(classes)))
		const n, p = 37, 4
		x := data.NewBatch(data.RowShape(p), n, true)
		for i := range x.X {
			x.X[i] = float32(r.NormFloat64())
		}
		for i := range x.Y {
			x.Y[i] = int32(r.IntN(classes))
		}
		loss := newLogisticLoss(x, classes, 0.3, 2)
		theta := make([]float64, loss.dim())
		for i := range theta {
			theta[i] = r.NormFloat64()
		}
		gradient := slices.Clone(loss.at(t.Context(), theta).gradient)
		const step = 1e-5
		for i := range theta {
			up, down := slices.Clone(theta), slices.Clone(theta)
			up[i] += step
			down[i] -= step
			slope := (loss.at(t.Context(), up).value - loss.at(t.Context(), down).value) / (2 * step)
			near(t, fmt.Sprintf("%d classes: derivative %d", classes, i), gradient[i], slope, 1e-9)
		}
	}
}

// TestLogisticTails: log-probabilities keep their digits where probabilities round to 0 and 1.
func TestLogisticTails(t *testing.T) {
	two := linear{intercept: []float64{0}, coef: []float64{1}}
	three := linear{intercept: []float64{0, 0, 0}, coef: []float64{1, 0, -1}}
	for _, h := range []float64{-1000, -40, -1, 0, 1, 40, 1000} {
		log := make([]float64, 2)
		two.logPosterior(log, []float32{float32(h)})
		// log p(A) = h − log(1 + e^h), whose second term is e^h to double precision for h < −40.
		want := -math.Log1p(math.Exp(-h))
		if h <= -40 {
			want = h - math.Exp(h)
		}
		near(t, fmt.Sprintf("log p(A|h=%v)", h), log[A], want, 1e-15*math.Abs(h)+1e-16)
		other := make([]float64, 2)
		two.logPosterior(other, []float32{float32(-h)})
		if log[A] != other[B] || log[B] != other[A] {
			t.Errorf("h = %v: log p = %v, and at −h %v; expected the same numbers the other way round", h, log, other)
		}
		log3 := make([]float64, 3)
		three.logPosterior(log3, []float32{float32(h)})
		near(t, fmt.Sprintf("log p(0|h=%v) − log p(2|h=%v)", h, h), log3[0]-log3[2], 2*h, 1e-12)
		if most := slices.Max(log3); most > 0 {
			t.Errorf("h = %v: log-probability %v, expected at most 0", h, most)
		}
	}
}

// TestLogisticSameAtAnyThreads: the order of the sums does not depend on who computes them.
func TestLogisticSameAtAnyThreads(t *testing.T) {
	set := firstDigits(t, 500)
	recipe := model.NewRecipe[Logistic]()
	var want []byte
	for _, threads := range []int{1, 2, 7} {
		m, _ := fitLogistic(t, recipe, set, model.Run{Epochs: 20, Threads: threads})
		var file bytes.Buffer
		if err := m.Save(&file); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = file.Bytes()
		} else if !bytes.Equal(file.Bytes(), want) {
			t.Errorf("%d threads wrote another file than 1", threads)
		}
	}
}

func TestLogisticConforms(t *testing.T) {
	weak := model.NewRecipe[Logistic]()
	weak.C = 1e6 // many iterations, of which one can be interrupted
	sets := map[string]struct {
		set    data.Set
		recipe *Logistic
	}{
		"two classes":  {csvTable(t, "breast_cancer.csv"), weak},
		"more classes": {csvTable(t, "iris.csv"), model.NewRecipe[Logistic]()},
		"pictures":     {firstDigits(t, 300), model.NewRecipe[Logistic]()},
		"mixed":        {mixed(t, false), model.NewRecipe[Logistic]()},
	}
	for name, s := range sets {
		t.Run(name, func(t *testing.T) {
			rest, held, err := data.Split(t.Context(), s.set, 0.2, 1)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.Check(t, modeltest.Subject{Spec: s.recipe, Train: rest, Validation: held})
		})
	}
}

// mixed is a table with a numeric and a categorical column that decide between two classes. Some values of both are missing
// if so asked.
func mixed(t *testing.T, missing bool) data.Set {
	t.Helper()
	schema := &data.Schema{
		Shape: data.RowShape(2), Classes: []string{"no", "yes"}, Label: "outcome",
		Columns: []data.Column{{Name: "dose", Kind: data.Numeric}, {Name: "place", Kind: data.Categorical, Levels: []string{"a", "b", "c"}}},
	}
	r := rand.New(rand.NewPCG(1, 3))
	var values []float32
	var labels []int32
	for i := range 200 {
		dose, place := 20+5*r.NormFloat64(), r.IntN(3)
		yes := int32(0)
		if dose+4*float64(place)+3*r.NormFloat64() > 24 {
			yes = 1
		}
		row := []float32{float32(dose), float32(place)}
		if missing && i%20 == 3 {
			row[i/20%2] = float32(math.NaN())
		}
		values, labels = append(values, row...), append(labels, yes)
	}
	return newTable(t, schema, values, labels)
}

// TestRawCoefficients: the same function of x in the units of the data.
func TestRawCoefficients(t *testing.T) {
	for name, set := range map[string]data.Set{"mixed": mixed(t, true), "pictures": firstDigits(t, 100)} {
		m, _ := fitLogistic(t, model.NewRecipe[Logistic](), set, model.Run{Epochs: 10})
		x := data.NewBatch(set.Schema().Shape, 1, false)
		if err := set.Read(t.Context(), x, []int{0}); err != nil {
			t.Fatal(err)
		}
		raw := make([]float64, 0, 64)
		if set.Schema().IsImage() {
			for _, v := range x.X {
				raw = append(raw, float64(v))
			}
		} else {
			hot := make([]float64, 4)
			hot[0], hot[1+int(x.X[1])] = float64(x.X[0]), 1
			raw = hot
		}
		k := m.Classes()
		log := make([]float64, k)
		if err := m.LogPosterior(log, x); err != nil {
			t.Fatal(err)
		}
		a, b := m.RawCoefficients()
		h := slices.Clone(a)
		for f := range h {
			for j, v := range raw {
				h[f] += b[f*len(raw)+j] * v
			}
		}
		if k == 2 {
			near(t, name+": log-odds", log[A]-log[B], h[0], 1e-5)
		} else {
			near(t, name+": log-odds", log[1]-log[0], h[1]-h[0], 1e-5)
		}
	}
}

func TestLogisticWithoutStandardising(t *testing.T) {
	recipe := model.NewRecipe[Logistic]()
	recipe.Standardise = false
	m, _ := fitLogistic(t, recipe, csvTable(t, "iris.csv"), model.Run{})
	a, b := m.Coefficients()
	rawA, rawB := m.RawCoefficients()
	if !slices.Equal(a, rawA) || !slices.Equal(b, rawB) {
		t.Error("without standardising, the coefficients are not those of the raw data")
	}
	_, _, err := recipe.Fit(t.Context(), mixed(t, true), model.Run{})
	if err == nil || !strings.Contains(err.Error(), `"place"`) || !strings.Contains(err.Error(), "standardise=true") {
		t.Errorf("a category without standardising gave the error %v", err)
	}
}

// TestLogisticSaysWhereItStopped: the summary tells a limit on the iterations from convergence.
func TestLogisticSaysWhereItStopped(t *testing.T) {
	recipe := model.NewRecipe[Logistic]()
	recipe.Iterations = 3
	_, s := fitLogistic(t, recipe, csvTable(t, "wine.csv"), model.Run{})
	if s.Stopped != "all 3 iterations done" || s.Epochs != 3 || len(s.Notes) != 1 {
		t.Errorf("summary %+v, expected to have stopped after 3 iterations, with a note", *s)
	}
	recipe = model.NewRecipe[Logistic]()
	recipe.Tolerance = 1e-14 // below the rounding errors of the loss
	_, s = fitLogistic(t, recipe, csvTable(t, "wine.csv"), model.Run{})
	if s.Stopped != "converged" && s.Stopped != "no further decrease in float64" {
		t.Errorf("stopped: %s, expected convergence or the limit of float64", s.Stopped)
	}
}

// TestLogisticDigits is the accuracy that the default recipe must reach on the embedded digits.
func TestLogisticDigits(t *testing.T) {
	m, _ := fitLogistic(t, model.NewRecipe[Logistic](), digits(t, "train"), model.Run{})
	if got := accuracy(t, m, digits(t, "test")); !(got >= 0.95) {
		t.Errorf("accuracy on the digits' test part is %.4f, expected at least 0.95", got)
	}
}

// accuracy is the share of a set whose most probable class is its own.
func accuracy(t *testing.T, m model.Classifier, set data.Set) float64 {
	t.Helper()
	x, err := data.ReadAll(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	k := m.Classes()
	log := make([]float64, x.Len()*k)
	if err := m.LogPosterior(log, data.Batch{Shape: x.Shape, X: x.X}); err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, y := range x.Y {
		row := log[i*k : (i+1)*k]
		if slices.Index(row, slices.Max(row)) == int(y) {
			right++
		}
	}
	return float64(right) / float64(x.Len())
}

// TestNothingToTellApart: data that cannot teach p(y|x) is refused in one line that says why.
func TestNothingToTellApart(t *testing.T) {
	shape := data.Shape{Height: 8, Width: 8, Channels: 1}
	unlabelled, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 16}, make([]uint8, 20*64), nil)
	if err != nil {
		t.Fatal(err)
	}
	oneClass, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 16, Classes: []string{"cat"}}, make([]uint8, 20*64), make([]int32, 20))
	if err != nil {
		t.Fatal(err)
	}
	oneUsed, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 16, Classes: []string{"cat", "dog"}}, make([]uint8, 20*64), make([]int32, 20))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"logistic", "mlp", "cnn"} {
		entry, err := model.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			what string
			set  data.Set
			say  string
		}{
			{"no labels", unlabelled, "no labels"}, {"one class", oneClass, `"cat"`}, {"one class used", oneUsed, `"cat"`},
			{"no examples", data.Subset(digits(t, "train"), nil), "no examples"},
		} {
			m, _, err := entry.New().Fit(t.Context(), c.set, model.Run{})
			if m != nil || err == nil || !strings.Contains(err.Error(), c.say) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s of %s: error %v, expected one line with %q", name, c.what, err, c.say)
			}
			if c.set == unlabelled && !errors.Is(err, data.ErrNoLabels) {
				t.Errorf("%s: error %v, expected one that wraps %v", name, err, data.ErrNoLabels)
			}
		}
	}
}

// TestLogisticExtremeValues: data on which no loss can be computed is refused, and data of any finite size is learned from.
func TestLogisticExtremeValues(t *testing.T) {
	schema := &data.Schema{Shape: data.RowShape(1), Classes: []string{"no", "yes"}, Columns: []data.Column{{Name: "x", Kind: data.Numeric}}}
	for _, standardise := range []bool{true, false} {
		for _, most := range []float64{1e-30, 1e30, math.Inf(1)} {
			recipe := model.NewRecipe[Logistic]()
			recipe.Standardise = standardise
			set := newTable(t, schema, []float32{-1, 0, 1, float32(most)}, []int32{0, 1, 0, 1})
			m, _, err := recipe.Fit(t.Context(), set, model.Run{})
			if ok := !math.IsInf(most, 0); ok != (err == nil) {
				t.Errorf("greatest value %v, standardise %v: error %v", most, standardise, err)
			} else if ok {
				for _, v := range slices.Concat(m.(*Linear).coef, m.(*Linear).intercept) {
					if v-v != 0 {
						t.Errorf("greatest value %v, standardise %v: a coefficient is %v", most, standardise, v)
					}
				}
			}
		}
	}
}

// TestLogisticCancelled: a fit that is cancelled at its first iteration takes no other.
func TestLogisticCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reports := 0
	run := model.Run{Progress: func(model.Progress) {
		reports++
		cancel()
	}}
	m, _, err := model.NewRecipe[Logistic]().Fit(ctx, digitTable(t), run)
	if m != nil || !errors.Is(err, context.Canceled) || reports != 1 {
		t.Errorf("after %d reports the error is %v, expected %v after 1", reports, err, context.Canceled)
	}
}
