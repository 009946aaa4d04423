package evaluate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

// ImportanceDraws is k, the number of draws behind the importance-weighted bound.
const ImportanceDraws = 64

// EstimateExamples is how many examples a model.Estimator is asked about at most: following a flow takes it some hundred times as
// long as a density takes.
const EstimateExamples = 500

// CodeLength is how well a model foretells unseen examples: the mean of -log p(x), in nats per example, of densities
// per raw unit of x (pixels 0..MaxValue, table values). Lower is better. Subtracting the entropy of the data, which is
// the same for all models, gives KL(data || model), so that differences between models are differences in divergence.
//
// One of Exact, Bound and Estimate is not nil.
type CodeLength struct {
	N     int // examples measured: all, or for an estimate at most EstimateExamples
	Shape data.Shape
	// Given says that the measure is of p(x|y) with the true label y.
	Given bool
	// Of is what the likelihood is of where that is not x itself, such as "dynamically binarised pixels" (model.Reducer).
	Of string
	// Exact is the mean of -log p(x) where the model has a density, of x or of what it draws from x; nil where it has only a
	// bound.
	Exact *measure.Estimate
	// Bound is the mean of an upper bound of -log p(x), the negative ELBO, where the model has only that; else nil.
	Bound *measure.Bound
	// Importance is the tighter bound by ImportanceDraws importance-weighted draws, where the model has one; else nil.
	Importance *measure.Bound
	// Estimate is the mean of estimates of -log p(x) where the model has only those (model.Estimator); else nil.
	Estimate *measure.Approximation

	each []float64 // -log p(x) of each example, or the tightest bound of it, in nats: what the means are of
}

// The measures. The names of exact values and bounds are these; those of other kinds have a word before them.
const (
	natsName         = "nats_per_example"
	bitsName         = "bits_per_dim"
	importancePrefix = "importance_"
	estimatePrefix   = "estimate_"
)

// about describes a measure in the given unit.
func (l *CodeLength) about(name, unit string) measure.About {
	of := l.Of
	if of == "" {
		of = "raw x"
	}
	if l.Given {
		of += " given its label"
	}
	if l.Estimate != nil {
		of += fmt.Sprintf(", estimated from %d examples", l.N)
	}
	return measure.Lower(name, unit+", of "+of).From(leastForError)
}

func (l *CodeLength) nats(prefix string) measure.About {
	return l.about(prefix+natsName, "nats per example")
}

func (l *CodeLength) bits(prefix string) measure.About {
	return l.about(prefix+bitsName, "bits per dimension")
}

// prefix is what the name of the main measure begins with.
func (l *CodeLength) prefix() string {
	if l.Estimate != nil {
		return estimatePrefix
	}
	return ""
}

// NatsPerExample is the main measure: nats_per_example of an exact value or a bound, estimate_nats_per_example of an estimate.
func (l *CodeLength) NatsPerExample() measure.Measure {
	about := l.nats(l.prefix())
	switch {
	case l.Exact != nil:
		return l.Exact.As(about)
	case l.Bound != nil:
		return l.Bound.As(about)
	default:
		return l.Estimate.As(about)
	}
}

// Measures lists the measures in the order in which tables show them. Pictures of p elements have them in bits per
// dimension too, nats / (p log 2).
func (l *CodeLength) Measures() []measure.Measure {
	all := l.withBits(nil, l.NatsPerExample(), l.prefix())
	if l.Importance != nil {
		all = l.withBits(all, l.Importance.As(l.nats(importancePrefix)), importancePrefix)
	}
	return all
}

// withBits appends a measure in nats and, for pictures, the same in bits per dimension, whose name begins with prefix.
func (l *CodeLength) withBits(all []measure.Measure, m measure.Measure, prefix string) []measure.Measure {
	all = append(all, m)
	if !l.Shape.IsImage() {
		return all
	}
	m.About = l.bits(prefix)
	perDim := float64(l.Shape.Size()) * math.Ln2
	m.Value /= perDim
	m.StandardError /= perDim
	return append(all, m)
}

// MarshalJSON writes each measure under its name (bits_per_dim is null for table rows), the standard errors by name
// under standard_errors, that of the main measure also under standard_error, and is_bound, is_estimate, given_label, n, and with
// an importance-weighted bound importance_draws.
func (l *CodeLength) MarshalJSON() ([]byte, error) {
	object := flat(l.Measures())
	if !l.Shape.IsImage() {
		object[l.prefix()+bitsName] = nil
	}
	object["standard_error"] = measure.Number(l.NatsPerExample().StandardError)
	object["is_bound"] = l.Bound != nil
	object["is_estimate"] = l.Estimate != nil
	object["given_label"] = l.Given
	if l.Of != "" {
		object["likelihood_of"] = l.Of
	}
	object["n"] = l.N
	if l.Importance != nil {
		object["importance_draws"] = ImportanceDraws
	}
	return json.Marshal(object)
}

// Likelihood measures a model.Density by p(x), and a model.DrawnDensity by one draw from each example; on labelled data a
// model.CondBound by the bound on p(x|y), since a bound on p(x) would be loose by what the sum over classes costs; otherwise a
// model.Bound by p(x), and a model.CondDensity or model.CondDrawnDensity that has no p(x) by p(x|y). A model that has none of these is
// measured as a model.CondEstimator on labelled data, or else as a model.Estimator. Another model is ErrNoLikelihood. The seed is of
// the draws behind a bound or an estimate, and of those from x.
func Likelihood(ctx context.Context, m model.Model, set data.Set, seed uint64) (*CodeLength, error) {
	if set.Len() == 0 {
		return nil, errEmpty
	}
	l := &CodeLength{N: set.Len(), Shape: set.Schema().Shape}
	labelled := set.Schema().Labelled()
	// A model fitted without labels may have the conditional methods all the same, with no classes.
	condDensity, isCondDensity := m.(model.CondDensity)
	isCondDensity = isCondDensity && condDensity.Classes() > 0
	condBound, isCondBound := m.(model.CondBound)
	isCondBound = isCondBound && condBound.Classes() > 0
	condDrawn, isCondDrawn := m.(model.CondDrawnDensity)
	isCondDrawn = isCondDrawn && condDrawn.Classes() > 0
	condEstimator, isCondEstimator := m.(model.CondEstimator)
	isCondEstimator = isCondEstimator && condEstimator.Classes() > 0
	estimator, isEstimator := m.(model.Estimator)
	r := streamBound.rand(seed)

	if reducer, ok := m.(model.Reducer); ok {
		l.Of = reducer.LikelihoodOf()
	}
	var err error
	if d, ok := m.(model.Density); ok {
		l.Exact, err = l.exact(ctx, set, d.LogProb)
		return l, err
	}
	if d, ok := m.(model.DrawnDensity); ok {
		l.Exact, err = l.exact(ctx, set, func(dst []float64, x data.Batch) error { return d.LogProbDrawn(dst, x, r) })
		return l, err
	}
	if isCondBound && labelled {
		l.Given = true
		l.Bound, err = l.bound(ctx, set, func(dst []float64, x data.Batch) error {
			return condBound.LogBoundGiven(dst, x, x.Y, r)
		})
		if i, ok := m.(model.CondImportanceBound); ok && err == nil {
			r := streamImportance.rand(seed)
			l.Importance, err = l.bound(ctx, set, func(dst []float64, x data.Batch) error {
				return i.LogImportanceBoundGiven(dst, x, x.Y, ImportanceDraws, r)
			})
		}
		return l, err
	}
	if d, ok := m.(model.Bound); ok {
		l.Bound, err = l.bound(ctx, set, func(dst []float64, x data.Batch) error { return d.LogBound(dst, x, r) })
		if i, ok := m.(model.ImportanceBound); ok && err == nil {
			r := streamImportance.rand(seed)
			l.Importance, err = l.bound(ctx, set, func(dst []float64, x data.Batch) error {
				return i.LogImportanceBound(dst, x, ImportanceDraws, r)
			})
		}
		return l, err
	}
	switch {
	case (isCondDensity || isCondBound || isCondDrawn || isCondEstimator && !isEstimator) && !labelled:
		return nil, fmt.Errorf("the model has only p(x given y): %w", data.ErrNoLabels)
	case isCondDensity:
		l.Given = true
		l.Exact, err = l.exact(ctx, set, func(dst []float64, x data.Batch) error { return condDensity.LogProbGiven(dst, x, x.Y) })
	case isCondDrawn:
		l.Given = true
		l.Exact, err = l.exact(ctx, set, func(dst []float64, x data.Batch) error { return condDrawn.LogProbDrawnGiven(dst, x, x.Y, r) })
	case isCondEstimator && labelled:
		l.Given = true
		err = l.estimate(ctx, set, r, func(dst []float64, x data.Batch) error { return condEstimator.LogEstimateGiven(dst, x, x.Y, r) })
	case isEstimator:
		err = l.estimate(ctx, set, r, func(dst []float64, x data.Batch) error { return estimator.LogEstimate(dst, x, r) })
	default:
		return nil, ErrNoLikelihood
	}
	return l, err
}

// perExample fills dst with log-probabilities of the examples of x, whose labels are in x.Y.
type perExample func(dst []float64, x data.Batch) error

func (l *CodeLength) exact(ctx context.Context, set data.Set, f perExample) (*measure.Estimate, error) {
	e, err := l.meanNegative(ctx, set, f)
	return &e, err
}

func (l *CodeLength) bound(ctx context.Context, set data.Set, f perExample) (*measure.Bound, error) {
	e, err := l.meanNegative(ctx, set, f)
	return &measure.Bound{Value: e.Value, StandardError: e.StandardError, N: e.N, Upper: true}, err
}

// estimate measures by f, of large sets a random part.
func (l *CodeLength) estimate(ctx context.Context, set data.Set, r *rand.Rand, f perExample) error {
	if set.Len() > EstimateExamples {
		set = data.Subset(set, r.Perm(set.Len())[:EstimateExamples])
		l.N = EstimateExamples
	}
	e, err := l.meanNegative(ctx, set, f)
	l.Estimate = &measure.Approximation{Value: e.Value, StandardError: e.StandardError, N: e.N}
	return err
}

// meanNegative is the mean of -f over the set, read in batches.
func (l *CodeLength) meanNegative(ctx context.Context, set data.Set, f perExample) (measure.Estimate, error) {
	nats := make([]float64, set.Len())
	err := data.Each(ctx, set, func(first int, b data.Batch) error {
		dst := nats[first : first+b.Len()]
		if err := f(dst, b); err != nil {
			return err
		}
		for i, v := range dst {
			if math.IsNaN(v) {
				return fmt.Errorf("the model gives example %d a log-probability that is not a number", first+i)
			}
			dst[i] = -v
		}
		return nil
	})
	l.each = nats
	return mean(nats), err
}
