package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/likely-ml/likely/data"
)

func readGolden(t *testing.T, name string, v any) {
	t.Helper()
	file, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, v); err != nil {
		t.Fatal(err)
	}
}

// near fails the test unless got is within tol of want.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s is %.15g, expected %.15g within %g", what, got, want, tol)
	}
}

func TestClassificationEqualsScikitLearn(t *testing.T) {
	var golden struct {
		Cases []struct {
			Name             string
			Classes          int
			Labels           []int32
			LogPosterior     [][]float64 `json:"log_posterior"`
			Accuracy         float64
			BalancedAccuracy float64 `json:"balanced_accuracy"`
			LogLoss          float64 `json:"log_loss"`
			Brier, F1, MCC   float64
			ECE              float64
			ROCAUC           float64 `json:"roc_auc"`
			PRAUC            float64 `json:"pr_auc"`
			AUCSE            float64 `json:"auc_se"`
		}
	}
	readGolden(t, "classification.json", &golden)
	for _, g := range golden.Cases {
		t.Run(g.Name, func(t *testing.T) {
			var flat []float64
			for _, row := range g.LogPosterior {
				flat = append(flat, row...)
			}
			c, err := classification(make([]string, g.Classes), g.Labels, flat)
			if err != nil {
				t.Fatal(err)
			}
			const tol = 1e-13 // a hundred additions of numbers below 10 in another order
			near(t, "accuracy", c.Accuracy.Value, g.Accuracy, tol)
			near(t, "balanced accuracy", c.BalancedAccuracy.Value, g.BalancedAccuracy, tol)
			near(t, "log loss", c.LogLoss.Value, g.LogLoss, tol)
			near(t, "Brier score", c.Brier.Value, g.Brier, tol)
			near(t, "F1", c.F1.Value, g.F1, tol)
			near(t, "MCC", c.MCC.Value, g.MCC, tol)
			near(t, "ECE", c.ECE.Value, g.ECE, tol)
			near(t, "ROC AUC", c.ROCAUC.Value, g.ROCAUC, tol)
			near(t, "average precision", c.PRAUC.Value, g.PRAUC, tol)
			if g.Classes == 2 {
				near(t, "standard error of the ROC AUC", c.ROCAUC.StandardError, g.AUCSE, tol)
			}
		})
	}
}

// tiedScores draws scores that often coincide, and labels with both kinds.
func tiedScores(t *rapid.T) (score []float64, positive []bool) {
	n := rapid.IntRange(2, 40).Draw(t, "n")
	for range n {
		score = append(score, float64(rapid.IntRange(-4, 4).Draw(t, "score"))/4)
		positive = append(positive, rapid.Bool().Draw(t, "positive"))
	}
	positive[0], positive[1] = true, false
	return score, positive
}

func TestAUCIsTheShareOfPairsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, positive := tiedScores(t)
		wins, pairs := 0.0, 0.0
		for i := range score {
			for j := range score {
				if positive[i] && !positive[j] {
					pairs++
					switch {
					case score[i] > score[j]:
						wins++
					case score[i] == score[j]:
						wins += 0.5
					}
				}
			}
		}
		area, _, ok := auc(score, positive)
		if !ok || !(math.Abs(area-wins/pairs) <= 1e-14) {
			t.Fatalf("AUC is %v, %v, expected %v", area, ok, wins/pairs)
		}
		curve, err := NewCurve(score, positive)
		if err != nil {
			t.Fatal(err)
		}
		trapezia := 0.0
		for i := 1; i < len(curve); i++ {
			trapezia += (curve[i].FPR() - curve[i-1].FPR()) * (curve[i].TPR() + curve[i-1].TPR()) / 2
		}
		if !(math.Abs(area-trapezia) <= 1e-14) {
			t.Fatalf("AUC is %v, the area below the curve %v", area, trapezia)
		}
	})
}

func TestJackknifeOfAccuracyIsTheSampleError(t *testing.T) {
	c := Confusion{{7, 3, 0}, {1, 11, 2}, {0, 4, 5}}
	e := c.jackknife(func(m *margins) float64 { return float64(m.hits) / float64(m.n) })
	n, p := 33.0, 23.0/33
	near(t, "accuracy", e.Value, p, 1e-15)
	near(t, "its jackknife error", e.StandardError, math.Sqrt(p*(1-p)/(n-1)), 1e-15)
}

func TestClassesThatDoNotOccurAreLeftOut(t *testing.T) {
	m := Confusion{{3, 1, 0}, {0, 4, 0}, {0, 0, 0}}.margins()
	near(t, "balanced accuracy", m.balancedAccuracy(), (0.75+1)/2, 1e-15)
	near(t, "F1", m.macroF1(), (6.0/7+8.0/9)/2, 1e-15)
}

func TestMeanHasTheSampleError(t *testing.T) {
	e := mean([]float64{1, 2, 4})
	near(t, "mean", e.Value, 7.0/3, 1e-15)
	near(t, "standard error", e.StandardError, math.Sqrt(7.0/9), 1e-15) // the sample variance is 7/3
}

func TestBinsAreClosedOnTheRight(t *testing.T) {
	bins, _ := calibration([]float64{0.4, 0.401, 1, 0}, []bool{true, false, true, false})
	for b, want := range map[int]int{0: 1, 5: 1, 6: 1, 14: 1} { // 0.4 is the upper end of bin 5
		if bins[b].N != want {
			t.Errorf("bin %d, (%v, %v], has %d examples, expected %d", b, bins[b].Low, bins[b].High, bins[b].N, want)
		}
	}
}

// TestStandardErrorsCoverRepetition compares each standard error with the spread of its measure over repeated test
// sets.
func TestStandardErrorsCoverRepetition(t *testing.T) {
	const repeats, n, k = 300, 250, 3
	r := rand.New(rand.NewPCG(5, 0))
	values, errs := map[string][]float64{}, map[string][]float64{}
	for range repeats {
		truth, lp := randomPosterior(r, n, k)
		c, err := classification(make([]string, k), truth, lp)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range c.Measures() {
			values[m.Name] = append(values[m.Name], m.Value)
			errs[m.Name] = append(errs[m.Name], m.StandardError)
		}
	}
	for name, v := range values {
		spread := mean(v).StandardError * math.Sqrt(repeats)
		// 300 repeats give the spread to 4%; 15% leaves room for that and for what the errors approximate.
		if claimed := mean(errs[name]).Value; !(math.Abs(claimed/spread-1) <= 0.15) {
			t.Errorf("%s: standard error %.4g, but it spreads by %.4g", name, claimed, spread)
		}
	}
}

// randomPosterior draws classes and miscalibrated posteriors that favour them.
func randomPosterior(r *rand.Rand, n, k int) (truth []int32, logPosterior []float64) {
	for range n {
		y := r.IntN(k)
		row := make([]float64, k)
		total := 0.0
		for j := range row {
			row[j] = 2 * r.NormFloat64()
			if j == y {
				row[j] += 2
			}
			total += math.Exp(row[j])
		}
		for j := range row {
			row[j] -= math.Log(total)
		}
		truth, logPosterior = append(truth, int32(y)), append(logPosterior, row...)
	}
	return truth, logPosterior
}

func TestPerfectAndCertainlyWrong(t *testing.T) {
	inf := math.Inf(-1)
	c, err := classification([]string{"a", "b"}, []int32{0, 1, 1}, []float64{0, inf, inf, 0, inf, 0})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Measures() {
		want := 0.0
		if m.HigherIsBetter {
			want = 1
		}
		near(t, m.Name, m.Value, want, 0)
	}
	c, err = classification([]string{"a", "b"}, []int32{0, 1, 1}, []float64{inf, 0, 0, inf, 0, inf})
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(c.LogLoss.Value, 1) {
		t.Errorf("log loss is %v, expected +Inf", c.LogLoss.Value)
	}
	near(t, "Brier score", c.Brier.Value, 2, 0)
	near(t, "MCC", c.MCC.Value, -1, 1e-15)
	if _, err := json.Marshal(c); err != nil {
		t.Errorf("an infinite log loss as JSON: %v", err)
	}
}

func TestOneClassOnlyHasNoArea(t *testing.T) {
	c, err := classification([]string{"a", "b"}, []int32{1, 1}, []float64{-1, -0.5, -1, -0.5})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Measures() {
		if m.Name == "roc_auc" || m.Name == "pr_auc" {
			t.Errorf("an undefined area is listed as %v", m.Value)
		}
	}
	if c.ROC[1] != nil {
		t.Error("an undefined ROC curve is given")
	}
}

// A single example of a class does not tell how much such examples differ: the area has no error.
func TestAreaOfASingleExampleHasNoError(t *testing.T) {
	for _, single := range []bool{true, false} {
		score, positive := []float64{0.1, 0.7, 0.3, 0.2}, []bool{!single, single, !single, !single}
		e := macroArea(4, 1, func(int) (float64, []float64, bool) { return auc(score, positive) })
		want := 0.0 // the single one scores above the others
		if single {
			want = 1
		}
		if e.Value != want || !math.IsNaN(e.StandardError) {
			t.Errorf("a single example that is positive (%v): %+v, expected %v with an undefined error", single, e, want)
		}
	}
}

// Log-probabilities so near to 0 that they are one probability are one point of the curve: its thresholds decide as it says.
func TestROCThresholdsDecideWhatTheySay(t *testing.T) {
	truth := []int32{0, 1, 1, 0, 1}
	lp := []float64{-50, -1e-22, -60, -1e-26, -70, -1e-30, -1, math.Log1p(-math.Exp(-1)), -0.1, math.Log1p(-math.Exp(-0.1))}
	c, err := classification([]string{"a", "b"}, truth, lp)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "AUC, which knows them apart", c.ROCAUC.Value, 4.0/6, 1e-15)
	for k, curve := range c.ROC {
		score, positive := make([]float64, len(truth)), make([]bool, len(truth))
		for i, y := range truth {
			score[i], positive[i] = math.Exp(lp[2*i+k]), int(y) == k
		}
		for _, o := range curve {
			if counted := decide(o.Threshold, score, positive); counted != o {
				t.Errorf("class %d: %+v, but the threshold gives %+v", k, o, counted)
			}
		}
	}
}

// TestBiasOfECE holds the bound behind leastForECE against calibrated classifiers: it is met from below.
func TestBiasOfECE(t *testing.T) {
	const repeats, n = 200, 600
	r := rand.New(rand.NewPCG(3, 3))
	var values []float64
	for range repeats {
		confidence, right := make([]float64, n), make([]bool, n)
		for i := range n {
			confidence[i] = r.Float64()
			right[i] = r.Float64() < confidence[i]
		}
		_, e := calibration(confidence, right)
		values = append(values, e.Value)
	}
	bound := math.Sqrt(CalibrationBins/float64(n)) / 2
	if m := mean(values); !(m.Value < bound && m.Value > bound/2) {
		t.Errorf("the ECE of a calibrated classifier is %v on average, expected at most %v, and not far below", m.Value, bound)
	}
	if bound := math.Sqrt(CalibrationBins/float64(leastForECE)) / 2; !(bound <= 0.05+1e-15) {
		t.Errorf("from the least number of examples the bias is up to %v, expected 0.05", bound)
	}
}

func TestClassifyStreams(t *testing.T) {
	ctx := context.Background()
	set := twoBlobs(t, 700)
	c, err := Classify(ctx, nearestBlob{}, set)
	if err != nil {
		t.Fatal(err)
	}
	if c.N != 700 || !(c.Accuracy.Value > 0.95) {
		t.Errorf("accuracy %v over %d examples", c.Accuracy.Value, c.N)
	}
	var keys map[string]any
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"accuracy", "log_loss", "brier", "ece", "roc_auc", "pr_auc", "n", "confusion", "standard_errors"} {
		if _, ok := keys[key]; !ok {
			t.Errorf("JSON has no key %q", key)
		}
	}
	again, err := Classify(ctx, nearestBlob{}, set)
	if err != nil || !reflect.DeepEqual(c, again) {
		t.Errorf("a second evaluation differs, error %v", err)
	}

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Classify(cancelled, nearestBlob{}, set); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	three, err := data.NewTable(blobSchema("a", "b", "c"), []float32{0, 0}, []int32{2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Classify(ctx, nearestBlob{}, three); err == nil || !strings.Contains(err.Error(), "3 classes, expected 2") {
		t.Errorf("three classes: error %v", err)
	}
	if _, err := Classify(ctx, nearestBlob{}, data.Subset(set, nil)); !errors.Is(err, errEmpty) {
		t.Errorf("no examples: error %v", err)
	}
}
