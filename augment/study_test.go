package augment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/toy"
	"github.com/likely-ml/likely/model"
)

// watched is a recipe that keeps what it is asked to fit, and is fitted in steps as far as a study can tell.
type watched struct {
	Epochs int `json:"epochs" default:"7" help:"passes"`
	Batch  int `json:"batch" default:"16" help:"examples in a step"`
	spec   model.Spec
	seen   []fitted
}

type fitted struct {
	x    data.Batch
	run  model.Run
	keys map[string]int // how often each example comes
}

func (w *watched) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	b, err := data.ReadAll(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	f := fitted{b, run, map[string]int{}}
	for i := range b.Len() {
		f.keys[key(b.Row(i), b.Y[i])]++
	}
	w.seen = append(w.seen, f)
	return w.spec.Fit(ctx, set, run)
}

func key(x []float32, y int32) string { return fmt.Sprint(x, y) }

func digits(t *testing.T) *data.Source {
	t.Helper()
	s, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func toyStudy(t *testing.T) (*Study, *watched, *watched) {
	s := digits(t)
	g := &watched{Batch: 16, spec: model.NewRecipe[toy.GeneratorSpec]()}
	c := &watched{Batch: 16, spec: model.NewRecipe[toy.ClassifierSpec]()}
	return &Study{
		Train: s.Train, Test: s.Test, Generator: g, Classifier: c, Amounts: []int{4, 9}, Seeds: []uint64{1, 2}, Steps: 25,
		Variation: Variation{Shift: 1}, Metric: Accuracy,
	}, g, c
}

func study(t *testing.T, s *Study, have []Fit) (fits, fresh []Fit) {
	t.Helper()
	fits, err := s.Run(t.Context(), have, func(Progress) {}, func(f Fit) error { fresh = append(fresh, f); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return fits, fresh
}

// Every arm sees equally many examples, in one pass with the seed's own number; the generator sees the real examples and no others;
// and none of the test part is fitted to.
func TestStudyIsFair(t *testing.T) {
	s, generator, classifier := toyStudy(t)
	study(t, s, nil)
	if len(generator.seen) != 4 || len(classifier.seen) != 16 {
		t.Fatalf("%d generators and %d classifiers, expected 4 and 16", len(generator.seen), len(classifier.seen))
	}
	test := map[string]bool{}
	b := read(t, s.Test)
	for i := range b.Len() {
		test[key(b.Row(i), b.Y[i])] = true
	}
	for cell := range 4 {
		amount, seed := s.Amounts[cell%2], s.Seeds[cell/2]
		arms := classifier.seen[4*cell : 4*cell+4]
		real := arms[0].keys
		if n := generator.seen[cell].x.Len(); n != 10*amount || len(real) != 10*amount {
			t.Errorf("the generator saw %d examples and the classifier %d different ones, expected %d", n, len(real), 10*amount)
		}
		for k := range generator.seen[cell].keys {
			if real[k] == 0 || test[k] {
				t.Fatalf("the generator saw an example that is none of the real ones, or of the test part")
			}
		}
		for j, f := range arms {
			if f.x.Len() != 25*16 || f.run.Epochs != 1 || f.run.Seed != seed || f.run.Validation != nil {
				t.Errorf("%s: %d examples in %d passes with seed %d, expected %d in 1 with %d", s.Arms()[j], f.x.Len(), f.run.Epochs, f.run.Seed, 25*16, seed)
			}
			most, least := 0, math.MaxInt
			for k, n := range f.keys {
				if test[k] {
					t.Fatalf("%s: a test example was fitted to", s.Arms()[j])
				}
				most, least = max(most, n), min(least, n)
			}
			if s.Arms()[j] != Classical && most-least > 1 {
				t.Errorf("%s: examples come %d to %d times, expected numbers that differ by one at most", s.Arms()[j], least, most)
			}
		}
		synthetic := 0
		for k := range arms[1].keys {
			if real[k] == 0 {
				synthetic++
				if arms[2].keys[k] == 0 {
					t.Errorf("the two arms with synthetic examples have others")
				}
			}
		}
		if synthetic != 10*amount || len(arms[2].keys) != synthetic {
			t.Errorf("%d synthetic examples beside the real ones and %d alone, expected %d", synthetic, len(arms[2].keys), 10*amount)
		}
	}
	// A greater amount holds the smaller one of the same seed.
	for k := range generator.seen[0].keys {
		if generator.seen[1].keys[k] == 0 {
			t.Error("9 real examples a class do not hold the 4 of the same seed")
		}
	}
}

// The same study gives the same scores, and one that goes on from any of its fits too.
func TestStudyRepeatsAndResumes(t *testing.T) {
	s, _, _ := toyStudy(t)
	first, _ := study(t, s, nil)
	for i := range first {
		first[i].Seconds = 0
	}
	for _, done := range []int{0, 1, 6, 15, 16} {
		again, classifier, _ := toyStudy(t)
		fits, fresh := study(t, again, first[:done])
		for i := range fits {
			fits[i].Seconds = 0
		}
		if !reflect.DeepEqual(fits, first) || len(fresh) != 16-done {
			t.Errorf("after %d fits, %d more give other scores than 16 in one go (%d generators)", done, len(fresh), len(classifier.seen))
		}
	}
	a, err := s.Compare(first, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Compare(first[1:], 0.01); err == nil {
		t.Error("a study without one of its fits is compared, expected an error")
	}
	short := slices.Clone(first)
	short[0].Scores = short[0].Scores[1:]
	if _, err := s.Compare(short, 0.01); err == nil || !strings.Contains(err.Error(), "358 scores, expected one for each of 359") {
		t.Errorf("error %v of a fit that lacks a score", err)
	}
	if a.Amounts[1].Outcomes[0].Mean.Value < a.Amounts[0].Outcomes[0].Mean.Value {
		t.Error("more real data does worse")
	}
	// The gain is the difference of the means, and the one over all amounts the mean of their gains.
	sum := 0.0
	for _, amount := range a.Amounts {
		near(t, "gain", amount.Outcomes[1].Gain.Value, amount.Outcomes[1].Mean.Value-amount.Outcomes[0].Mean.Value, 1e-12)
		sum += amount.Outcomes[1].Gain.Value / 2
	}
	near(t, "overall gain", a.Overall[0].Gain.Value, sum, 1e-12)
	if n := len(a.Sentences()); n != 3 {
		t.Errorf("%d sentences, expected one for each amount and one for all", n)
	}
	if _, err := json.Marshal(a); err != nil {
		t.Error(err)
	}
}

// A classifier that is fitted to its minimum gets each example once.
func TestStudyWithoutSteps(t *testing.T) {
	s, _, c := toyStudy(t)
	c.Batch, s.Steps, s.PerClass, s.Metric = 0, 0, 3, Brier
	fits, _ := study(t, s, nil)
	for j, want := range []int{40, 70, 30, 70} {
		if got := c.seen[j].x.Len(); got != want {
			t.Errorf("%s: %d examples, expected %d", s.Arms()[j], got, want)
		}
	}
	r, err := s.Compare(fits, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	o := r.Amounts[0].Outcomes
	near(t, "gain in a measure that is better lower", o[1].Gain.Value, o[0].Mean.Value-o[1].Mean.Value, 1e-12)
	for _, text := range r.Sentences() {
		if !strings.Contains(text, "the gain in brier, where lower is better, is") {
			t.Errorf("%q does not say that a gain in brier makes it lower", text)
		}
	}
}

// Before any fit is done, the time that is left is unknown, be it of one fit alone.
func TestRemainingUnknown(t *testing.T) {
	s, _, _ := toyStudy(t)
	s.Amounts, s.Seeds = s.Amounts[:1], s.Seeds[:1]
	known := map[cell]Fit{}
	for _, arm := range []Arm{Mixed, Synthetic, Classical} {
		known[cell{s.Amounts[0], s.Seeds[0], arm}] = Fit{}
	}
	told := 0
	s.newClock(known, func(p Progress) {
		told++
		if p.Remaining >= 0 {
			t.Errorf("%v left, expected a negative number for unknown", p.Remaining)
		}
	}).begin("real", false)
	if told != 1 {
		t.Errorf("%d calls, expected 1", told)
	}
}

func TestStudyOfATable(t *testing.T) {
	s := &Study{
		Train: rows(t, 40), Test: rows(t, 20), Generator: model.NewRecipe[toy.GeneratorSpec](), Classifier: model.NewRecipe[toy.ClassifierSpec](),
		Amounts: []int{10}, Seeds: []uint64{1, 2}, Metric: LogLoss,
	}
	fits, _ := study(t, s, nil)
	if fits[3].Arm != Smote {
		t.Errorf("the last arm is %s, expected %s", fits[3].Arm, Smote)
	}
}

func TestStudyRefuses(t *testing.T) {
	for text, spoil := range map[string]func(*Study){
		"expected ascending":         func(s *Study) { s.Amounts = []int{9, 4} },
		"numbers":                    func(s *Study) { s.Amounts = []int{4, 4} },
		"expected at least 2":        func(s *Study) { s.Amounts = []int{1} },
		"expected at most that many": func(s *Study) { s.Amounts = []int{4, 1000} },
		"without amounts":            func(s *Study) { s.Amounts = nil },
		"seeds [3 1 3]":              func(s *Study) { s.Seeds = []uint64{3, 1, 3} },
		"0 steps":                    func(s *Study) { s.Steps = 0 },
		"a shift by 8":               func(s *Study) { s.Variation.Shift = 8 },
		"cannot draw examples of a class": func(s *Study) {
			s.Generator = unconditional{}
		},
		"no classifier": func(s *Study) { s.Classifier, s.Steps = model.NewRecipe[toy.GeneratorSpec](), 0 },
	} {
		s, _, _ := toyStudy(t)
		spoil(s)
		_, err := s.Run(t.Context(), nil, func(Progress) {}, func(Fit) error { return nil })
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, expected one that says %q", err, text)
		}
	}
	s, _, _ := toyStudy(t)
	full := errors.New("the disk is full")
	if _, err := s.Run(t.Context(), nil, func(Progress) {}, func(Fit) error { return full }); !errors.Is(err, full) {
		t.Errorf("error %v where a fit cannot be kept, expected %v", err, full)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Run(ctx, nil, func(Progress) {}, func(Fit) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of a study that is cancelled, expected %v", err, context.Canceled)
	}
	if _, err := s.Run(t.Context(), []Fit{{Scores: []float64{1}}}, func(Progress) {}, func(Fit) error { return nil }); err == nil {
		t.Error("an earlier fit with too few scores is taken, expected an error")
	}
}

// unconditional is the recipe of a generator that ignores labels.
type unconditional struct{}

func (unconditional) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	bare := *set.Schema()
	bare.Classes = nil
	pixels := make([]uint8, set.Schema().Size())
	s, err := data.NewPixels(&bare, pixels, nil)
	if err != nil {
		return nil, nil, err
	}
	return model.NewRecipe[toy.GeneratorSpec]().Fit(ctx, s, run)
}

// The metrics of one example, by hand: p = (0.2, 0.5, 0.3).
func TestMetric(t *testing.T) {
	lp := []float64{math.Log(0.2), math.Log(0.5), math.Log(0.3)}
	near(t, "accuracy of the likeliest", Accuracy.score(lp, 1), 1, 0)
	near(t, "accuracy of another", Accuracy.score(lp, 2), 0, 0)
	near(t, "accuracy of a tie's second", Accuracy.score([]float64{-1, -1}, 1), 0, 0)
	near(t, "log loss", LogLoss.score(lp, 2), -math.Log(0.3), 1e-15)
	near(t, "Brier", Brier.score(lp, 2), 0.04+0.25+0.49, 1e-15)
	for _, m := range Metrics() {
		if got := m.score([]float64{math.NaN(), math.NaN()}, 0); !math.IsNaN(got) {
			t.Errorf("%s of no number is %v, expected NaN", m, got)
		}
	}
}

func TestDraw(t *testing.T) {
	s := digits(t)
	m, _, err := model.NewRecipe[toy.GeneratorSpec]().Fit(t.Context(), s.Train, model.Run{})
	if err != nil {
		t.Fatal(err)
	}
	schema := s.Train.Schema()
	y := Balanced(10, 60) // more than are drawn at a time
	a, err := Draw(t.Context(), m, schema, len(y), y, random(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if b := read(t, a); !slices.Equal(b.Y, y) {
		t.Error("the labels are not those that were asked for")
	}
	if _, err := data.Concat(s.Train, a); err != nil {
		t.Errorf("drawn examples cannot stand beside real ones: %v", err)
	}
	free, err := Draw(t.Context(), m, schema, 5, nil, random(1, 0))
	if err != nil || free.Len() != 5 || free.Schema().Labelled() {
		t.Errorf("p(x) gives %v (%v), expected 5 examples without labels", free, err)
	}
	if _, err := Draw(t.Context(), m, schema, 5, nil, nil); !errors.Is(err, model.ErrNoRand) {
		t.Errorf("error %v, expected %v", err, model.ErrNoRand)
	}
	if _, err := Draw(t.Context(), m, schema, 5, y[:4], random(1, 0)); err == nil {
		t.Error("too few labels, expected an error")
	}
}
