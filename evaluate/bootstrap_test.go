package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestBCaEqualsScipy(t *testing.T) {
	var golden struct {
		Cases []struct {
			Value, Acceleration, Low, High float64
			Drawn, Left                    []float64
		}
	}
	readGolden(t, "bca.json", &golden)
	for _, g := range golden.Cases {
		a := acceleration(g.Left)
		near(t, "acceleration", a, g.Acceleration, 1e-12)
		i := bca(g.Value, g.Drawn, a)
		near(t, "low end", i.Low, g.Low, 1e-12)
		near(t, "high end", i.High, g.High, 1e-12)
	}
}

// coarsePosterior draws posteriors with ties.
func coarsePosterior(t *rapid.T, k int) *Posteriors {
	p := &Posteriors{Classes: make([]string, k)}
	for range rapid.IntRange(2, 25).Draw(t, "n") {
		total, row := 0, make([]int, k)
		for j := range row {
			row[j] = rapid.IntRange(1, 4).Draw(t, "weight")
			total += row[j]
		}
		for _, w := range row {
			p.LogP = append(p.LogP, math.Log(float64(w)/float64(total)))
		}
		p.Truth = append(p.Truth, int32(rapid.IntRange(0, k-1).Draw(t, "label")))
	}
	return p
}

// Examples that are weighted by counts measure like examples that are there so many times.
func TestWeightsAreCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(2, 4).Draw(t, "k")
		p := coarsePosterior(t, k)
		weight := make([]int32, len(p.Truth))
		var truth []int32
		var lp []float64
		for i := range weight {
			weight[i] = int32(rapid.IntRange(0, 2).Draw(t, "count"))
			for range weight[i] {
				truth, lp = append(truth, p.Truth[i]), append(lp, p.LogP[i*k:(i+1)*k]...)
			}
		}
		if len(truth) == 0 {
			return
		}
		c, err := classification(p.Classes, truth, lp)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]float64{}
		for _, m := range c.Measures() {
			want[m.Name] = m.Value
		}
		names := []string{"accuracy", "balanced_accuracy", "log_loss", "brier", "ece", "roc_auc", "pr_auc", "f1", "mcc"}
		for j, v := range newWeighing(p).of(weight) {
			w, defined := want[names[j]]
			if defined == math.IsNaN(v) || defined && !(math.Abs(v-w) <= 1e-12) {
				t.Fatalf("%s is %v, expected %v (defined: %v)", names[j], v, w, defined)
			}
		}
	})
}

// TestAveragePrecisionByDefinition sums over every positive the precision at its score, and finds the influences by differences.
func TestAveragePrecisionByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, positive := tiedScores(t)
		weighted := func(weight func(i int) float64) float64 {
			sum, m := 0.0, 0.0
			for i, s := range score {
				if !positive[i] {
					continue
				}
				var right, all float64
				for j, other := range score {
					if other >= s {
						all += weight(j)
						if positive[j] {
							right += weight(j)
						}
					}
				}
				sum, m = sum+weight(i)*right/all, m+weight(i)
			}
			return sum / m
		}
		area, influence, ok := averagePrecision(score, positive)
		if want := weighted(func(int) float64 { return 1 }); !ok || !(math.Abs(area-want) <= 1e-14) {
			t.Fatalf("average precision is %v, %v, expected %v", area, ok, want)
		}
		const h = 1e-5
		for i := range score {
			at := func(h float64) float64 {
				return weighted(func(j int) float64 {
					if j == i {
						return 1 + h
					}
					return 1
				})
			}
			if want := (at(h) - at(-h)) / (2 * h); !(math.Abs(influence[i]-want) <= 1e-9) {
				t.Fatalf("influence of example %d is %v, expected %v", i, influence[i], want)
			}
		}
	})
}

// TestIntervalsCover counts how often the intervals of test sets hold the measures of a very large one.
func TestIntervalsCover(t *testing.T) {
	const repeats, n, k = 150, 150, 3
	r := rand.New(rand.NewPCG(8, 0))
	truth, lp := randomPosterior(r, 100_000, k)
	large, err := classification(make([]string, k), truth, lp)
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]int{}
	for range repeats {
		truth, lp := randomPosterior(r, n, k)
		p := &Posteriors{make([]string, k), truth, lp}
		c, err := p.Classify(t.Context(), 200, r.Uint64())
		if err != nil {
			t.Fatal(err)
		}
		for j, m := range c.Measures() {
			if v := large.Measures()[j].Value; m.Interval.Low <= v && v <= m.Interval.High {
				held[m.Name]++
			}
		}
	}
	for _, m := range large.Measures() {
		share := float64(held[m.Name]) / repeats
		least := 0.88 // 0.95 less what 200 resamples and 150 examples cost, and three standard errors
		if m.Name == "ece" {
			least = 0.8 // its bias is only partly seen by resampling
		}
		if !(share >= least && share <= 0.995) {
			t.Errorf("%s: %.3f of the intervals hold the truth, expected about 0.95", m.Name, share)
		}
	}
}

func TestIntervalsAreDeterministic(t *testing.T) {
	truth, lp := randomPosterior(rand.New(rand.NewPCG(1, 2)), 100, 3)
	p := &Posteriors{make([]string, 3), truth, lp}
	one := func(threads int, seed uint64) *Classification {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		c, err := p.Classify(t.Context(), 50, seed)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := one(1, 1)
	if !reflect.DeepEqual(first, one(4, 1)) {
		t.Error("the intervals depend on the number of threads")
	}
	if reflect.DeepEqual(first.intervals, one(1, 2).intervals) {
		t.Error("the intervals do not depend on the seed")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Classify(cancelled, 50, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// Where all resamples agree there is no interval, and JSON has none.
func TestNoInterval(t *testing.T) {
	inf := math.Inf(-1)
	p := &Posteriors{Classes: []string{"a", "b"}}
	for range 50 {
		p.Truth, p.LogP = append(p.Truth, 0, 1), append(p.LogP, 0, inf, inf, 0)
	}
	c, err := p.Classify(t.Context(), 20, 1)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil || strings.Contains(string(text), "intervals") {
		t.Errorf("of a perfect classifier: %s, error %v", text, err)
	}
	p.LogP[1], p.LogP[0] = 0, inf // an infinite log loss
	if c, err = p.Classify(t.Context(), 20, 1); err != nil || c.intervals[2] != nil || c.intervals[0] == nil {
		t.Errorf("intervals %v, error %v", c.intervals, err)
	}
	if text, err = json.Marshal(c); err != nil || !strings.Contains(string(text), `"intervals":{"accuracy":[`) {
		t.Errorf("JSON %s, error %v", text, err)
	}
}

func BenchmarkIntervals(b *testing.B) {
	truth, lp := randomPosterior(rand.New(rand.NewPCG(1, 2)), 10_000, 10)
	p := &Posteriors{make([]string, 10), truth, lp}
	for b.Loop() {
		if _, err := p.Classify(b.Context(), 1000, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func TestChoose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := coarsePosterior(t, 3)
		by := []Criterion{{Metric: MCC}, {Metric: F1}, {Metric: Cost, Costs: Costs{FP: 1, FN: float64(rapid.IntRange(0, 5).Draw(t, "cost"))}}}
		for _, by := range by {
			c, err := p.Choose(context.Background(), 1, by, 5, 1)
			if err != nil {
				t.Fatal(err)
			}
			score, isA := make([]float64, len(p.Truth)), make([]bool, len(p.Truth))
			for i, y := range p.Truth {
				score[i], isA[i] = math.Exp(p.LogP[3*i+1]), y == 1
			}
			if counted := decide(c.Best.Threshold, score, isA); counted != c.Best {
				t.Fatalf("%v: %+v, but the threshold gives %+v", by, c.Best, counted)
			}
			if counted := decide(0.5, score, isA); counted != c.Half {
				t.Fatalf("at 0.5 %+v, but that gives %+v", c.Half, counted)
			}
			short := c.Curve.Short(c.Best.Threshold)
			if counted := decide(short, score, isA); short > c.Best.Threshold || counted.TP != c.Best.TP || counted.FP != c.Best.FP {
				t.Fatalf("%v decides %+v, expected as %v: %+v", short, counted, c.Best.Threshold, c.Best)
			}
			for _, s := range append(score, 0.5, 2) {
				o := decide(s, score, isA)
				if by.Metric == Cost {
					if cost := (float64(o.FP) + by.Costs.FN*float64(o.FN)) / float64(len(score)); !(cost >= by.Value(c.Best)-1e-15) {
						t.Fatalf("threshold %v costs %v, less than %v at %v", s, cost, by.Value(c.Best), c.Best.Threshold)
					}
				} else if !(o.Value(by.Metric) <= by.Value(c.Best)) {
					t.Fatalf("threshold %v is better than %v", s, c.Best.Threshold)
				}
			}
			if !(c.Threshold.Low <= c.Threshold.High && c.Value.Low <= c.Value.High) {
				t.Fatalf("intervals %v and %v", c.Threshold, c.Value)
			}
		}
	})
}

// With calibrated probabilities the threshold of least cost is FP/(FP+FN), and its interval holds it.
func TestCostsOfCalibratedProbabilities(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	p := &Posteriors{Classes: []string{"well", "ill"}}
	for range 4000 {
		q := r.Float64()
		p.LogP = append(p.LogP, math.Log(1-q), math.Log(q))
		p.Truth = append(p.Truth, int32(indicator(r.Float64() < q)))
	}
	costs := Costs{FP: 1, FN: 4}
	near(t, "Elkan's threshold", costs.Threshold(), 0.2, 0)
	c, err := p.Choose(t.Context(), 1, Criterion{Cost, costs}, 200, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the threshold of least cost", c.Best.Threshold, 0.2, 0.1)
	if !(c.Threshold.Low <= 0.2 && 0.2 <= c.Threshold.High && c.Threshold.High-c.Threshold.Low < 0.3) {
		t.Errorf("interval %v, expected one that holds 0.2", c.Threshold)
	}
	var object struct {
		Class        string
		Value, Score float64
		Interval     []float64
		Calibrated   float64
		Curve        map[string][]*float64
	}
	text, err := json.Marshal(c)
	if err == nil {
		err = json.Unmarshal(text, &object)
	}
	if err != nil || object.Class != "ill" || object.Value != c.Best.Threshold || object.Score != costs.Of(c.Best) || object.Calibrated != 0.2 || len(object.Interval) != 2 {
		t.Fatalf("JSON %+v, error %v", object, err)
	}
	for _, name := range []string{"threshold", "tpr", "fpr", "precision", "accuracy", "balanced_accuracy", "f1", "mcc", "youden", "cost"} {
		if len(object.Curve[name]) != 200 {
			t.Errorf("curve of %s has %d points, expected 200", name, len(object.Curve[name]))
		}
	}
	last := object.Curve["tpr"][199]
	if object.Curve["precision"][0] != nil || last == nil || *last != 1 {
		t.Error("the curve does not go from deciding for none to deciding for all")
	}
}

func TestChooseErrors(t *testing.T) {
	p := &Posteriors{[]string{"a", "b"}, []int32{0, 1}, []float64{0, -1, -1, 0}}
	for text, by := range map[string]Criterion{
		`unknown metric "luck"`:  {Metric: "luck"},
		"costs of 0 for":         {Metric: Cost},
		"costs of -1 for":        {Metric: Cost, Costs: Costs{FP: -1, FN: 2}},
		"costs of NaN for":       {Metric: Cost, Costs: Costs{FP: math.NaN(), FN: 2}},
		"and +Inf for":           {Metric: Cost, Costs: Costs{FP: 1, FN: math.Inf(1)}},
		"class 2, expected 0 to": {Metric: F1},
	} {
		class := 1
		if by.Metric == F1 {
			class = 2
		}
		if _, err := p.Choose(t.Context(), class, by, 0, 0); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, expected %q", err, text)
		}
	}
	if thin := (Curve{{Threshold: 3}, {Threshold: 2}, {Threshold: 1}}).Thin(2); !slices.Equal(thin, Curve{{Threshold: 3}, {Threshold: 1}}) {
		t.Errorf("two of three points are %v", thin)
	}
}
