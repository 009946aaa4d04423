package evaluate

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// decide counts the decisions of one threshold from the definition.
func decide(threshold float64, score []float64, isA []bool) Operating {
	o := Operating{Threshold: threshold}
	for i, s := range score {
		switch {
		case s >= threshold && isA[i]:
			o.TP++
		case s >= threshold:
			o.FP++
		case isA[i]:
			o.FN++
		default:
			o.TN++
		}
	}
	return o
}

func TestBestBeatsEveryThreshold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, isA := tiedScores(t)
		for _, m := range Metrics() {
			best, err := Best(m, score, isA)
			if err != nil {
				t.Fatal(err)
			}
			if counted := decide(best.Threshold, score, isA); counted != best {
				t.Fatalf("%s: %+v, but the threshold gives %+v", m, best, counted)
			}
			for _, s := range append([]float64{2}, score...) {
				other := decide(s, score, isA)
				if !(other.Value(m) <= best.Value(m)) {
					t.Fatalf("%s: threshold %v gives %v, better than %v at %v", m, s, other.Value(m), best.Value(m), best.Threshold)
				}
				if other.Value(m) == best.Value(m) && s > best.Threshold && s <= 1 && other != best && other.TP+other.FP > 0 {
					t.Fatalf("%s: threshold %v is as good as %v and higher", m, s, best.Threshold)
				}
			}
		}
	})
}

func TestBestErrors(t *testing.T) {
	for name, call := range map[string]func() (Operating, error){
		"metric":  func() (Operating, error) { return Best("auc", []float64{1}, []bool{true}) },
		"lengths": func() (Operating, error) { return Best(F1, []float64{1}, nil) },
		"empty":   func() (Operating, error) { return Best(F1, nil, nil) },
		"NaN":     func() (Operating, error) { return Best(F1, []float64{math.NaN()}, []bool{true}) },
	} {
		if _, err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func ExampleBest() {
	probability := []float64{0.1, 0.3, 0.4, 0.6, 0.8}
	ill := []bool{false, false, true, false, true}
	best, err := Best(Youden, probability, ill)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("ill from %.1f: finds %.0f%%, false alarms %.0f%%\n", best.Threshold, 100*best.TPR(), 100*best.FPR())
	// Output: ill from 0.4: finds 100%, false alarms 33%
}
