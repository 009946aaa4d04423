package calibrate

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// near fails the test unless got is within tol of want.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s is %.15g, expected %.15g within %g", what, got, want, tol)
	}
}

type golden struct {
	Name            string
	Classes         int
	Labels          []int32
	LogPosterior    [][]float64 `json:"log_posterior"`
	Other           [][]float64
	Platt, Isotonic [][]float64
	Temperature     float64
}

func readGolden(t *testing.T) []golden {
	t.Helper()
	file, err := os.ReadFile("testdata/calibration.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []golden }
	if err := json.Unmarshal(file, &all); err != nil {
		t.Fatal(err)
	}
	return all.Cases
}

func flat(rows [][]float64) (all []float64) {
	for _, row := range rows {
		all = append(all, row...)
	}
	return all
}

func TestEqualsScikitLearn(t *testing.T) {
	for _, g := range readGolden(t) {
		t.Run(g.Name, func(t *testing.T) {
			fitted := func(method Method) (Map, []float64) {
				m, err := Fit(t.Context(), method, flat(g.LogPosterior), g.Labels, g.Classes)
				if err != nil {
					t.Fatal(err)
				}
				out := flat(g.Other)
				if err := m.Apply(out, g.Classes); err != nil {
					t.Fatal(err)
				}
				return m, out
			}
			m, _ := fitted(TemperatureScaling)
			// Where a function is flat to rounding, sqrt(1e-16 f/f'') around its minimum, comparing its values finds no better.
			near(t, "T", m.(*Temperature).T(), g.Temperature, 1e-6)

			_, out := fitted(PlattScaling)
			for i, want := range flat(g.Platt) { // scikit-learn's optimiser ends at a gradient of 1e-5; TestPlattIsStationary goes on
				near(t, "Platt's probability", math.Exp(out[i]), want, 2e-6)
			}

			_, out = fitted(IsotonicRegression)
			n, k := float64(len(g.Labels)), float64(g.Classes)
			for i, want := range flat(g.Isotonic) {
				near(t, "the isotonic ratio", (math.Exp(out[i])*(n+1)-1/k)/n, want, 1e-12)
			}
		})
	}
}

// TestTemperatureIsStationary finds the derivative of the log loss to vanish, by the quotient of differences of logs of the odds.
func TestTemperatureIsStationary(t *testing.T) {
	for _, g := range readGolden(t) {
		m, err := Fit(t.Context(), TemperatureScaling, flat(g.LogPosterior), g.Labels, g.Classes)
		if err != nil {
			t.Fatal(err)
		}
		beta, sum := 1/m.(*Temperature).T(), 0.0
		for i, y := range g.Labels {
			whole, mean := 0.0, 0.0
			for _, l := range g.LogPosterior[i] {
				whole += math.Exp(beta * l)
				mean += math.Exp(beta*l) * l
			}
			sum += mean/whole - g.LogPosterior[i][y]
		}
		near(t, g.Name+": derivative", sum/float64(len(g.Labels)), 0, 1e-13)
	}
}

func TestPlattIsStationary(t *testing.T) {
	for _, g := range readGolden(t) {
		odds, positive := columns(flat(g.LogPosterior), g.Labels, g.Classes)
		for j := range odds {
			a, b := fitSigmoid(odds[j], positive[j])
			var m, n, da, db float64
			for _, p := range positive[j] {
				if n++; p {
					m++
				}
			}
			for i, f := range odds[j] {
				target := 1 / (n - m + 2)
				if positive[j][i] {
					target = (m + 1) / (m + 2)
				}
				d := 1/(1+math.Exp(-a*f-b)) - target
				da, db = da+d*f, db+d
			}
			near(t, g.Name+": derivative by a", da, 0, 1e-8)
			near(t, g.Name+": derivative by b", db, 0, 1e-8)
		}
	}
}

// draw makes n log-posteriors of k classes and labels that follow the posterior at temperature T.
func draw(r *rand.Rand, n, k int, temperature float64) (logPosterior []float64, y []int32) {
	for range n {
		row, tempered := make([]float64, k), make([]float64, k)
		whole, total := 0.0, 0.0
		for j := range row {
			row[j] = 4 * r.NormFloat64()
			tempered[j] = math.Exp(row[j] / temperature)
			whole, total = whole+math.Exp(row[j]), total+tempered[j]
		}
		u, label := r.Float64()*total, 0
		for u -= tempered[0]; u > 0 && label < k-1; u -= tempered[label] {
			label++
		}
		for j := range row {
			row[j] -= math.Log(whole)
		}
		logPosterior, y = append(logPosterior, row...), append(y, int32(label))
	}
	return logPosterior, y
}

// meanLoss is the mean of -log p(y|x).
func meanLoss(logPosterior []float64, y []int32, k int) (loss float64) {
	for i, label := range y {
		loss -= logPosterior[i*k+int(label)] / float64(len(y))
	}
	return loss
}

// Each method repairs a classifier that is too certain, on examples that it was not fitted to; temperature finds the T that was drawn by.
func TestRepairsOverconfidence(t *testing.T) {
	for _, k := range []int{2, 5} {
		r := rand.New(rand.NewPCG(1, uint64(k)))
		lp, y := draw(r, 8000, k, 3)
		fresh, freshY := draw(r, 8000, k, 3)
		best := append([]float64{}, fresh...)
		if err := (&Temperature{3}).Apply(best, k); err != nil {
			t.Fatal(err)
		}
		for _, method := range Methods() {
			m, err := Fit(t.Context(), method, lp, y, k)
			if err != nil {
				t.Fatal(err)
			}
			if found, ok := m.(*Temperature); ok {
				near(t, "T", found.T(), 3, 0.15) // its standard error is about 0.05
			}
			out := append([]float64{}, fresh...)
			if err := m.Apply(out, k); err != nil {
				t.Fatal(err)
			}
			before, after, least := meanLoss(fresh, freshY, k), meanLoss(out, freshY, k), meanLoss(best, freshY, k)
			if !(after < before && after < least+0.1*(before-least)) {
				t.Errorf("%s, %d classes: log loss from %v to %v, where the truth has %v", method, k, before, after, least)
			}
			crossed, err := CrossFit(t.Context(), method, lp, y, k)
			if err != nil {
				t.Fatal(err)
			}
			near(t, string(method)+": log loss of other folds", meanLoss(crossed, y, k), after, 0.05)
		}
	}
}

// TestPosteriorsStayPosteriors tries every method on posteriors with ties, zeros and ones, with one example and with many.
func TestPosteriorsStayPosteriors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(2, 4).Draw(t, "k")
		n := rapid.IntRange(1, 12).Draw(t, "n")
		var lp []float64
		var y []int32
		for range n {
			total := 0
			row := make([]int, k)
			for j := range row {
				row[j] = rapid.IntRange(0, 3).Draw(t, "weight")
				total += row[j]
			}
			if total == 0 {
				row[0], total = 1, 1
			}
			for _, w := range row {
				lp = append(lp, math.Log(float64(w)/float64(total)))
			}
			y = append(y, int32(rapid.IntRange(0, k-1).Draw(t, "label")))
		}
		for _, method := range Methods() {
			m, err := Fit(context.Background(), method, lp, y, k)
			if err != nil {
				if method == TemperatureScaling && strings.Contains(err.Error(), "probability 0") {
					continue
				}
				t.Fatal(err)
			}
			out := append([]float64{}, lp...)
			if err := m.Apply(out, k); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				sum := 0.0
				for j, l := range out[i*k : (i+1)*k] {
					sum += math.Exp(l)
					if !(l <= 0) {
						t.Fatalf("%s: log-probability %v of class %d", method, l, j)
					}
					if least := 1 / (float64(k) * float64(n+1)); method == IsotonicRegression && !(math.Exp(l) >= least*(1-1e-12)) {
						t.Fatalf("isotonic probability %v, expected at least %v", math.Exp(l), least)
					}
				}
				if !(math.Abs(sum-1) <= 1e-12) {
					t.Fatalf("%s: probabilities %v sum to %v", method, out[i*k:(i+1)*k], sum)
				}
			}
		}
	})
}

// TestPoolAdjacentViolators compares with the minimax formula g_i = max over j <= i of min over l >= i of the mean from j to l.
func TestPoolAdjacentViolators(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 15).Draw(t, "n")
		score, positive := make([]float64, n), make([]bool, n)
		for i := range n {
			score[i], positive[i] = float64(rapid.IntRange(0, 6).Draw(t, "score")), rapid.Bool().Draw(t, "positive")
		}
		x, p := poolAdjacentViolators(score, positive)
		m := &Isotonic{1, []int{0, len(x)}, x, p}
		for _, s := range score {
			best := math.Inf(-1)
			for from := 0.0; from <= s; from++ {
				least := math.Inf(1)
				for to := s; to <= 6; to++ {
					var hits, count float64
					for i, v := range score {
						if v >= from && v <= to {
							if count++; positive[i] {
								hits++
							}
						}
					}
					least = min(least, hits/count)
				}
				best = max(best, least)
			}
			if got := m.value(0, s); !(math.Abs(got-best) <= 1e-15) {
				t.Fatalf("g(%v) = %v, expected %v, for %v of %v", s, got, best, positive, score)
			}
		}
	})
}

func TestLogOdds(t *testing.T) {
	tiny := 1e-200
	got := make([]float64, 3)
	logOdds(got, []float64{0, math.Log(tiny), math.Inf(-1)}) // p_0 = 1 - 1e-200, which rounds to 1
	for k, want := range []float64{-math.Log(tiny), math.Log(tiny), -745} {
		near(t, "log-odds", got[k], want, 1e-10)
	}
	one := make([]float64, 1)
	logOdds(one, []float64{math.Inf(-1), 0})
	near(t, "log-odds of a certain class", one[0], 745, 0)
}

// Without a mistake no temperature is the best one; a true class of probability 0 has no tempered loss.
func TestTemperatureWithoutMinimum(t *testing.T) {
	m, err := Fit(t.Context(), TemperatureScaling, []float64{math.Log(0.9), math.Log(0.1), math.Log(0.4), math.Log(0.6)}, []int32{0, 1}, 2)
	if err != nil || m.(*Temperature).T() != 1 || !strings.Contains(m.String(), "no mistake") {
		t.Errorf("without a mistake: %v, error %v", m, err)
	}
	m, err = Fit(t.Context(), TemperatureScaling, []float64{math.Log(0.9), math.Log(0.1), math.Log(0.4), math.Log(0.6)}, []int32{1, 0}, 2)
	if err != nil || m.(*Temperature).T() != 100 {
		t.Errorf("without a hit: %v, error %v", m, err)
	}
	_, err = Fit(t.Context(), TemperatureScaling, []float64{math.Inf(-1), 0}, []int32{0}, 2)
	if err == nil || !strings.Contains(err.Error(), "example 0 the probability 0") {
		t.Errorf("an impossible label: error %v", err)
	}
}

func TestEqualScores(t *testing.T) {
	a, b := fitSigmoid([]float64{2, 2, 2, 2}, []bool{true, false, false, false})
	near(t, "slope", a, 0, 0)
	near(t, "probability", sigmoid(b), (2.0/3+3*0.2)/4, 1e-15)
	a, _ = fitSigmoid([]float64{math.Nextafter(2, 3), 2, 2, 2}, []bool{true, false, false, false})
	near(t, "slope of what rounding tells apart", a, 0, 0)
}

func TestErrors(t *testing.T) {
	half := math.Log(0.5)
	two := []float64{half, half}
	for what, call := range map[string]func() error{
		"unknown calibration": func() error { _, err := Fit(t.Context(), "luck", two, []int32{0}, 2); return err },
		"has class 2":         func() error { _, err := Fit(t.Context(), PlattScaling, two, []int32{2}, 2); return err },
		"0 labels":            func() error { _, err := Fit(t.Context(), PlattScaling, nil, nil, 2); return err },
		"2 labels":            func() error { _, err := Fit(t.Context(), PlattScaling, two, []int32{0, 1}, 2); return err },
		"1 labels": func() error {
			_, err := CrossFit(t.Context(), PlattScaling, append(two, two...), []int32{0}, 2)
			return err
		},
		"3 labels":     func() error { _, err := CrossFit(t.Context(), PlattScaling, two, []int32{0, 1, 0}, 2); return err },
		"at least 2":   func() error { _, err := CrossFit(t.Context(), PlattScaling, two, []int32{0}, 2); return err },
		"of 1 classes": func() error { _, err := Fit(t.Context(), PlattScaling, two, []int32{0, 0}, 1); return err },
		"not a number": func() error { return (&Temperature{1}).Apply([]float64{math.NaN(), 0}, 2) },
		"3 sigmoids":   func() error { return (&Platt{make([]float64, 3), make([]float64, 3)}).Apply(two, 2) },
		"3 functions": func() error {
			return (&Isotonic{1, []int{0, 1, 2, 3}, make([]float64, 3), make([]float64, 3)}).Apply(two, 2)
		},
		"temperature NaN": func() error { _, err := NewTemperature(math.NaN()); return err },
		"finite":          func() error { _, err := NewPlatt([]float64{1}, []float64{math.Inf(1)}); return err },
		"2 slopes":        func() error { _, err := NewPlatt(make([]float64, 2), make([]float64, 2)); return err },
		"from 0 examples": func() error { _, err := NewIsotonic(0, []int{0, 1}, []float64{0}, []float64{0}); return err },
		"knot 1":          func() error { _, err := NewIsotonic(9, []int{0, 2}, []float64{0, 1}, []float64{1, 0}); return err },
		"knot 0":          func() error { _, err := NewIsotonic(9, []int{0, 1}, []float64{math.NaN()}, []float64{1}); return err },
		"from 1 to 0": func() error {
			_, err := NewIsotonic(9, []int{0, 1, 0, 2}, []float64{0, 1}, []float64{0, 1})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), what) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, expected one line that says %q", err, what)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	lp, y := draw(rand.New(rand.NewPCG(1, 1)), 50, 3, 2)
	for _, method := range Methods() {
		if _, err := CrossFit(cancelled, method, lp, y, 3); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: error %v", method, err)
		}
	}
}
