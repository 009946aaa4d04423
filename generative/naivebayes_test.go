package generative

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
)

func naiveBayes(kind EventModel) *NaiveBayes {
	r := model.NewRecipe[NaiveBayes]()
	r.Kind = kind
	return r
}

// mixed is n rows of a number, a category of three levels that goes with it, and a whole number; every 13th value is missing
// where holes is set. There are three classes.
func mixed(t *testing.T, n int, holes bool) data.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(11, 12))
	var values []float32
	labels := make([]int32, n)
	for i := range n {
		y := int32(i % 3)
		labels[i] = y
		values = append(values, float32(y)+float32(r.NormFloat64()), float32((int(y)+r.IntN(2))%3), float32(r.IntN(10)+5*int(y)))
	}
	for i := range values {
		if holes && i%13 == 5 {
			values[i] = nan
		}
	}
	set, err := data.NewTable(&data.Schema{Shape: data.RowShape(3), Label: "class", Classes: []string{"a", "b", "c"}, Columns: []data.Column{
		{Name: "dose", Kind: data.Numeric}, {Name: "colour", Kind: data.Categorical, Levels: []string{"red", "green", "blue"}},
		{Name: "visits", Kind: data.Integer}}}, values, labels)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// wholeTable is table rows of whole numbers.
func wholeTable(t *testing.T, columns int, values []float32, labels []int32, classes ...string) data.Set {
	t.Helper()
	set := numbers(t, columns, values, labels, classes...)
	for j := range columns {
		set.Schema().Columns[j].Kind = data.Integer
	}
	return set
}

func TestNaiveBayesConformance(t *testing.T) {
	pictures := some(digits(t).Train, 4)
	for _, kind := range []EventModel{AutoEvents, GaussianEvents, MultinomialEvents} {
		t.Run(string(kind), func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: naiveBayes(kind), Train: pictures, Validation: pictures})
		})
	}
	t.Run("without labels", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: naiveBayes(AutoEvents), Train: withoutLabels(pictures)})
	})
	t.Run("mixed", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: naiveBayes(AutoEvents), Train: mixed(t, 90, false)})
	})
	t.Run("missing", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: naiveBayes(AutoEvents), Train: mixed(t, 90, true)})
	})
	r := rand.New(rand.NewPCG(1, 2))
	values, labels := correlated(300, r), make([]int32, 300)
	for i := range labels {
		labels[i] = int32(i % 2)
	}
	t.Run("numbers", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: naiveBayes(GaussianEvents), Train: numbers(t, 2, values, labels, "a", "b")})
	})
	bits := make([]float32, 300)
	for i := range bits {
		bits[i] = float32(r.IntN(2))
	}
	t.Run("bits", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: naiveBayes(BernoulliEvents), Train: wholeTable(t, 3, bits, nil)})
	})
}

// TestNaiveBayesEqualsScikitLearn compares log p(y|x) with testdata/naivebayes.json, made by make_naivebayes.py.
func TestNaiveBayesEqualsScikitLearn(t *testing.T) {
	var golden struct {
		Tables []struct {
			Name, File   string
			LogPosterior map[string][][]float64 `json:"log_posterior"`
		}
		Pictures                            [][]int
		Levels                              [][]int
		LevelCounts                         []int `json:"level_counts"`
		Labels                              []int32
		Bernoulli, Multinomial, Categorical map[string][][]float64
	}
	readJSON(t, "naivebayes.json", &golden)
	check := func(t *testing.T, recipe *NaiveBayes, set data.Set, x data.Batch, want [][]float64) {
		t.Helper()
		m, _ := fit(t, recipe, set, model.Run{})
		classifier, err := model.Bayes(m.(model.CondDensity), m.(*FittedNaiveBayes).LogPrior())
		if err != nil {
			t.Fatal(err)
		}
		samePosterior(t, classifier, x, want, 1e-8)
	}
	for _, table := range golden.Tables {
		set := labelledTable(t, table.File)
		for smoothing, want := range table.LogPosterior {
			t.Run(table.Name+"/"+smoothing, func(t *testing.T) {
				recipe := naiveBayes(AutoEvents)
				recipe.Smoothing, _ = strconv.ParseFloat(smoothing, 64)
				check(t, recipe, set, read(t, some(set, 10)), want)
			})
		}
	}
	classes := []string{"a", "b", "c"}
	var pixels []uint8
	for _, row := range golden.Pictures {
		for _, v := range row {
			pixels = append(pixels, uint8(v))
		}
	}
	pictures, err := data.NewPixels(&data.Schema{Shape: data.Shape{Height: 4, Width: 4, Channels: 1}, Classes: classes, MaxValue: 255}, pixels, golden.Labels)
	if err != nil {
		t.Fatal(err)
	}
	schema := &data.Schema{Shape: data.RowShape(len(golden.LevelCounts)), Label: "class", Classes: classes}
	for j, n := range golden.LevelCounts {
		c := data.Column{Name: fmt.Sprint(j), Kind: data.Categorical}
		for l := range n {
			c.Levels = append(c.Levels, fmt.Sprint(l))
		}
		schema.Columns = append(schema.Columns, c)
	}
	var codes []float32
	for _, row := range golden.Levels {
		for _, v := range row {
			codes = append(codes, float32(v))
		}
	}
	categories, err := data.NewTable(schema, codes, golden.Labels)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind EventModel
		set  data.Set
		want map[string][][]float64
	}{{BernoulliEvents, pictures, golden.Bernoulli}, {MultinomialEvents, pictures, golden.Multinomial}, {CategoricalEvents, categories, golden.Categorical}} {
		for alpha, want := range c.want {
			t.Run(string(c.kind)+"/"+alpha, func(t *testing.T) {
				recipe := naiveBayes(c.kind)
				recipe.Alpha, _ = strconv.ParseFloat(alpha, 64)
				check(t, recipe, c.set, read(t, c.set).Slice(0, 30), want)
			})
		}
	}
}

// TestNaiveBayesSumsToOne: over all x of a small table of counts and of one of bits, given the sum of the counts.
func TestNaiveBayesSumsToOne(t *testing.T) {
	values := []float32{3, 0, 1, 2, 2, 0, 0, 4, 0, 1, 1, 2}
	m, _ := fit(t, naiveBayes(MultinomialEvents), wholeTable(t, 3, values, []int32{0, 1, 0, 1}, "a", "b"), model.Run{})
	x := data.Batch{Shape: data.RowShape(3)}
	for a := range 6 {
		for b := range 6 - a {
			x.X = append(x.X, float32(a), float32(b), float32(5-a-b))
		}
	}
	sumsToOne(t, m, x)
	bits := []float32{1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1}
	m, _ = fit(t, naiveBayes(BernoulliEvents), wholeTable(t, 3, bits, []int32{0, 1, 0, 1}, "a", "b"), model.Run{})
	x.X = nil
	for i := range 8 {
		x.X = append(x.X, float32(i&1), float32(i>>1&1), float32(i>>2))
	}
	sumsToOne(t, m, x)
}

func sumsToOne(t *testing.T, m model.Model, x data.Batch) {
	t.Helper()
	log := make([]float64, x.Len())
	if err := m.(model.Density).LogProb(log, x); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, l := range log {
		sum += math.Exp(l)
	}
	if !(math.Abs(sum-1) <= 1e-12) {
		t.Errorf("the probabilities of all x sum to %v, expected 1", sum)
	}
}

// TestNaiveBayesLeavesOutMissing: log p of a row with a missing value is log Σ or ∫ over that value.
func TestNaiveBayesLeavesOutMissing(t *testing.T) {
	m, summary := fit(t, naiveBayes(AutoEvents), mixed(t, 120, true), model.Run{})
	if len(summary.Notes) != 1 {
		t.Errorf("notes %q, expected one on missing values", summary.Notes)
	}
	at := func(row ...float32) float64 {
		log := make([]float64, 1)
		if err := m.(model.CondDensity).LogProbGiven(log, data.Batch{Shape: data.RowShape(3), X: row}, []int32{1}); err != nil {
			t.Fatal(err)
		}
		return log[0]
	}
	sum := 0.0
	for level := range 3 {
		sum += math.Exp(at(0.5, float32(level), 7))
	}
	if got := at(0.5, nan, 7); !(math.Abs(got-math.Log(sum)) <= 1e-12) {
		t.Errorf("log p without the category is %v, expected %v", got, math.Log(sum))
	}
	const step = 1.0 / 64 // exact in float32; the midpoint rule errs by less than 1e-12 for standard deviations near 1
	sum = 0
	for x := -10.0; x < 10; x += step {
		sum += math.Exp(at(float32(x), 2, 7)) * step
	}
	if got := at(nan, 2, 7); !(math.Abs(got-math.Log(sum)) <= 1e-9) {
		t.Errorf("log p without the number is %v, expected %v", got, math.Log(sum))
	}
	if got := at(nan, nan, nan); got != 0 {
		t.Errorf("log p of nothing is %v, expected 0", got)
	}
}

// TestNaiveBayesSamples compares the means of samples with those of the data, class by class.
func TestNaiveBayesSamples(t *testing.T) {
	source := digits(t).Train
	for _, kind := range []EventModel{BernoulliEvents, MultinomialEvents} {
		m, _ := fit(t, naiveBayes(kind), source, model.Run{})
		const n = 20_000
		b := data.NewBatch(source.Schema().Shape, n, false)
		y := slices.Repeat([]int32{3}, n)
		if err := m.(model.CondSampler).SampleGiven(b, y, rand.New(rand.NewPCG(1, 2))); err != nil {
			t.Fatal(err)
		}
		all := read(t, source)
		p, examples, high := 64, 0.0, float64(source.Schema().MaxValue)
		want := make([]float64, p)
		for i, k := range all.Y {
			if k == 3 {
				examples++
			}
			for j, v := range all.Row(i) {
				if k != 3 {
					continue
				}
				if kind == BernoulliEvents && float64(v) > high/2 {
					want[j] += high
				} else if kind == MultinomialEvents {
					want[j] += float64(v)
				}
			}
		}
		for j := range p {
			got := 0.0
			for i := range n {
				got += float64(b.Row(i)[j]) / n
			}
			// smoothing moves the means by up to MaxValue/n_y; clamping lowers those of the brightest counts
			if limit := 5*high/math.Sqrt(n) + 1.1*high/examples + 0.06*high; !(math.Abs(got-want[j]/examples) <= limit) {
				t.Errorf("%s: samples of class 3 have mean %v at pixel %d, expected %v", kind, got, j, want[j]/examples)
			}
		}
	}
}

func TestNaiveBayesErrors(t *testing.T) {
	values := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	for _, c := range []struct {
		name, want string
		spec       *NaiveBayes
		set        data.Set
	}{
		{"categories as numbers", `column "colour" has categories`, naiveBayes(GaussianEvents), mixed(t, 9, false)},
		{"numbers as categories", `column "x0" is numeric`, naiveBayes(CategoricalEvents), numbers(t, 2, values, nil)},
		{"pictures as categories", "the data is pictures", naiveBayes(CategoricalEvents), digits(t).Train},
		{"numbers as bits", `row 1, column "x1" is 2, expected 0 or 1`, naiveBayes(BernoulliEvents), numbers(t, 2, values, nil)},
		{"numbers as counts", `row 1, column "x0" is 0.5, expected a count`, naiveBayes(MultinomialEvents), numbers(t, 2, []float32{0.5, 1}, nil)},
		{"a missing count", `column "x1" is missing`, naiveBayes(MultinomialEvents), numbers(t, 2, []float32{5, nan}, nil)},
		{"constant", `column "x0" has no two different values`, naiveBayes(GaussianEvents), numbers(t, 1, []float32{3, 3, 3}, nil)},
		{"nothing there", `column "x1" has no two different values`, naiveBayes(GaussianEvents), numbers(t, 2, []float32{3, nan, 4, nan}, nil)},
		{"empty class", `class "b": no example`, naiveBayes(AutoEvents), numbers(t, 1, values, make([]int32, 8), "a", "b")},
	} {
		t.Run(c.name, func(t *testing.T) { wantFitError(t, c.spec, c.set, c.want) })
	}
}

func TestDamagedNaiveBayes(t *testing.T) {
	change := func(kind EventModel, set data.Set, what string, change func(map[string]any)) {
		t.Run(what, func(t *testing.T) {
			m, _ := fit(t, naiveBayes(kind), set, model.Run{})
			wantDamaged(t, m, m.(*FittedNaiveBayes).Card, change)
		})
	}
	change(AutoEvents, mixed(t, 90, false), "mean", func(v map[string]any) { v["mean"].([]float64)[0] = math.NaN() })
	change(AutoEvents, mixed(t, 90, false), "variance", func(v map[string]any) { v["variance"].([]float64)[3] = 0 })
	change(AutoEvents, mixed(t, 90, false), "share", func(v map[string]any) { v["log_share"].([]float64)[2] = 0 })
	counts := wholeTable(t, 2, []float32{1, 2, 3, 4}, nil)
	change(MultinomialEvents, counts, "shares", func(v map[string]any) { v["log_share"].([]float64)[1] = math.NaN() })
	change(MultinomialEvents, counts, "total", func(v map[string]any) { v["total_count"].([]int64)[0] = 0 })
}
