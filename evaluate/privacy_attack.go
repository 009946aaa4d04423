package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

// Attack guesses who was in the training part: each example gets a score, and those at or above a threshold are taken for members.
// It knows nothing but the score. One that trains models of its own to compare with (N. Carlini et al., Membership Inference
// Attacks From First Principles, IEEE S&P 2022) can do better, never worse than chance: what is measured here is a least.
type Attack struct {
	Name    string // "loss", or "distance_" and the space
	Score   string // in words
	Members int    // training examples asked about
	Others  int    // held-out ones

	// AUC is the probability that a member scores above another, ties counting one half: 0.5 is ideal. Its error is DeLong's.
	AUC      measure.Estimate
	Interval [2]float64 // of the AUC, 95%, from its error, or from the number of examples where all pairs are ordered alike
	// P is the p-value of the Mann-Whitney test against an AUC above one half.
	P float64
	// Caught are the shares of the members that are found where few others are taken for members (Carlini et al., section III).
	Caught []Caught
	// Advantage is the true less the false positive rate (S. Yeom et al., IEEE CSF 2018, definition 4), 0 ideal, 1 the worst, at the
	// threshold that is best on one half of the examples, measured on the other half, and the other way around. So choosing the
	// threshold does not flatter it: it may be negative.
	Advantage measure.Estimate
	ROC       Curve
}

// Caught is the true-positive rate of an attack at a false-positive rate of at most FPR.
type Caught struct {
	FPR float64
	// TPR is nil where there are fewer than 1/FPR others, so that the threshold cannot be set. Its error is binomial, and leaves
	// out that of the threshold.
	TPR      *measure.Estimate
	Interval [2]float64 // of the TPR, 95%, Clopper-Pearson
}

// falsePositiveRates are those at which an attack is judged.
var falsePositiveRates = []float64{0.01, 0.001}

// attack judges the scores of members and others.
func attack(name, score string, members, others []float64) (Attack, error) {
	a := Attack{Name: name, Score: score, Members: len(members), Others: len(others)}
	m, n := float64(len(members)), float64(len(others))
	all := append(append(make([]float64, 0, len(members)+len(others)), members...), others...)
	isMember := make([]bool, len(all))
	for i := range members {
		isMember[i] = true
	}
	var err error
	if a.ROC, err = NewCurve(all, isMember); err != nil { // of scores that are not numbers, which auc must not see
		return a, err
	}
	area, influence, ok := auc(all, isMember)
	if !ok {
		return a, fmt.Errorf("%d members and %d others, expected at least one of each", len(members), len(others))
	}
	squares := 0.0
	for _, v := range influence {
		squares += v * v
	}
	a.AUC = measure.Estimate{Value: area, StandardError: math.Sqrt(squares), N: len(all)}
	a.Interval = shareInterval(a.AUC, min(len(members), len(others))) // so many pairs have no example in common
	a.P = above((area - 0.5) / math.Sqrt((m+n+1)/(12*m*n)))

	for _, fpr := range falsePositiveRates {
		c := Caught{FPR: fpr, Interval: [2]float64{0, 1}}
		if n*fpr >= 1 {
			best := a.ROC[0]
			for _, o := range a.ROC {
				if o.FPR() <= fpr {
					best = o // the curve rises
				}
			}
			tpr := share(best.TP, len(members))
			c.TPR, c.Interval = &tpr, clopperPearson(best.TP, len(members))
		}
		a.Caught = append(a.Caught, c)
	}
	a.Advantage, err = advantage(members, others)
	return a, err
}

// advantage is TPR - FPR, with each half of the examples judged by the threshold of the other.
func advantage(members, others []float64) (measure.Estimate, error) {
	tp, fp := 0, 0
	for half := range 2 {
		var score []float64
		var isMember []bool
		for i, v := range members {
			if i%2 != half {
				score, isMember = append(score, v), append(isMember, true)
			}
		}
		for i, v := range others {
			if i%2 != half {
				score, isMember = append(score, v), append(isMember, false)
			}
		}
		o, err := Best(Youden, score, isMember)
		if err != nil {
			return measure.Estimate{}, err
		}
		for i, v := range members {
			tp += indicator(i%2 == half && v >= o.Threshold)
		}
		for i, v := range others {
			fp += indicator(i%2 == half && v >= o.Threshold)
		}
	}
	t, f := share(tp, len(members)), share(fp, len(others))
	return measure.Estimate{Value: t.Value - f.Value, StandardError: math.Hypot(t.StandardError, f.StandardError),
		N: len(members) + len(others)}, nil
}

// lossAttack scores examples by the log-probability that the model gives them (S. Yeom et al., 2018, adversary 2): of the true class
// by a classifier, of x, or what stands for it, by a generative model. It is nil where the model gives none.
func lossAttack(ctx context.Context, m model.Model, members, others data.Set, seed uint64) (*Attack, error) {
	var of string
	score := func(set data.Set) ([]float64, error) {
		l, err := Likelihood(ctx, m, set, seed)
		if err != nil {
			return nil, err
		}
		of = l.name()
		out := make([]float64, len(l.each))
		for i, v := range l.each {
			out[i] = -v
		}
		return out, nil
	}
	if c, ok := m.(model.Classifier); ok {
		of = "log p(y|x) of the true class"
		score = func(set data.Set) ([]float64, error) { return logTrueClass(ctx, c, set) }
	}
	member, err := score(members)
	if errors.Is(err, ErrNoLikelihood) || errors.Is(err, data.ErrNoLabels) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	other, err := score(others)
	if err != nil {
		return nil, err
	}
	a, err := attack("loss", of, member, other)
	return &a, err
}

// name is what the code length is of, in words.
func (l *CodeLength) name() string {
	x := "log p(x)"
	if l.Given {
		x = "log p(x|y)"
	}
	switch {
	case l.Bound != nil:
		return "a bound of " + x
	case l.Estimate != nil:
		return "an estimate of " + x
	}
	return x
}

// logTrueClass is log p(y|x) of each example's own class.
func logTrueClass(ctx context.Context, c model.Classifier, set data.Set) ([]float64, error) {
	if !set.Schema().Labelled() {
		return nil, data.ErrNoLabels
	}
	k := c.Classes()
	out := make([]float64, 0, set.Len())
	err := data.Each(ctx, set, func(first int, b data.Batch) error {
		if err := checkClasses(b.Y, k); err != nil {
			return err
		}
		log := make([]float64, b.Len()*k)
		if err := c.LogPosterior(log, data.Batch{Shape: b.Shape, X: b.X}); err != nil {
			return err
		}
		for i, y := range b.Y {
			out = append(out, log[i*k+int(y)])
		}
		return nil
	})
	return out, err
}

// MarshalJSON writes the measures with their errors; a rate that cannot be measured is null.
func (a *Attack) MarshalJSON() ([]byte, error) {
	var caught []map[string]any
	for _, c := range a.Caught {
		row := map[string]any{"false_positive_rate": c.FPR, "true_positive_rate": nil}
		if c.TPR != nil {
			row["true_positive_rate"], row["standard_error"], row["interval"] = c.TPR.Value, c.TPR.StandardError, c.Interval
		}
		caught = append(caught, row)
	}
	return json.Marshal(map[string]any{
		"name": a.Name, "score": a.Score, "members": a.Members, "others": a.Others,
		"auc": a.AUC.Value, "standard_error": a.AUC.StandardError, "interval": a.Interval, "p_value": a.P,
		"true_positive_rates": caught,
		"advantage":           a.Advantage.Value, "advantage_standard_error": a.Advantage.StandardError,
	})
}
