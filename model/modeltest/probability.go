package modeltest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// whole is how far the probabilities of all classes may be from 1 together: the error of a float32 log-probability is
// 6e-8 times the largest logit, taken to be below 150.
const whole = 1e-5

// checkPosterior: log-probabilities of classes are at most 0, and are those of a distribution.
func checkPosterior(t *trial) error {
	for _, q := range questions(t.model) {
		if q.name != "LogPosterior" {
			continue
		}
		logs, err := q.answer(t.x, t.y)
		if err != nil {
			return err
		}
		for i := range t.x.Len() {
			sum := 0.0
			for k, l := range logs[i*q.each : (i+1)*q.each] {
				if !(l <= whole) {
					return fmt.Errorf("example %d: log p(y=%d|x) is %v, expected at most 0", i, k, l)
				}
				sum += math.Exp(l)
			}
			if !(math.Abs(sum-1) <= whole) {
				return fmt.Errorf("example %d: the probabilities of the classes sum to %v, expected 1", i, sum)
			}
		}
	}
	return nil
}

// checkLogProbability: log p(x), and bounds of it, are finite or -Inf; on most of the training data they are finite.
func checkLogProbability(t *trial) error {
	for _, q := range questions(t.model) {
		if q.draws || q.name == "LogPosterior" || q.name == "Encode" {
			continue
		}
		logs, err := q.answer(t.x, t.y)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		finite := 0
		for i, l := range logs {
			if math.IsNaN(l) || math.IsInf(l, 1) {
				return fmt.Errorf("%s of example %d is %v, expected a finite number or -Inf", q.name, i, l)
			}
			if !math.IsInf(l, -1) {
				finite++
			}
		}
		if finite <= len(logs)/2 {
			return fmt.Errorf("%s is -Inf on %d of %d training examples", q.name, len(logs)-finite, len(logs))
		}
	}
	return nil
}

// importanceBounds are the importance-weighted bounds of the model, by name.
func (t *trial) importanceBounds() map[string]func(dst []float64, k int, r *rand.Rand) error {
	found := map[string]func(dst []float64, k int, r *rand.Rand) error{}
	if m, ok := t.model.(model.ImportanceBound); ok {
		found["LogImportanceBound"] = func(dst []float64, k int, r *rand.Rand) error { return m.LogImportanceBound(dst, t.x, k, r) }
	}
	if m, ok := t.model.(model.CondImportanceBound); ok && m.Classes() > 0 {
		found["LogImportanceBoundGiven"] = func(dst []float64, k int, r *rand.Rand) error {
			return m.LogImportanceBoundGiven(dst, t.x, t.y, k, r)
		}
	}
	return found
}

// checkImportanceBound: on average a bound is no lower with 16 draws than with 1. Both are averaged over repetitions, and
// four standard errors of the difference are allowed.
func checkImportanceBound(t *trial) error {
	const repetitions = 8
	for name, bound := range t.importanceBounds() {
		one, many := make([]float64, t.x.Len()), make([]float64, t.x.Len())
		r := random(3)
		var gain []float64
		for range repetitions {
			if err := errors.Join(bound(one, 1, r), bound(many, 16, r)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			for i := range one {
				gain = append(gain, many[i]-one[i])
			}
		}
		if mean, se := meanError(gain); !(mean >= -4*se) {
			return fmt.Errorf("%s lies %v nats higher with 16 draws than with 1 (standard error %v), expected at least 0", name, mean, se)
		}
	}
	return nil
}

// meanError is the mean of v and its standard error.
func meanError(v []float64) (mean, se float64) {
	n := float64(len(v))
	for _, x := range v {
		mean += x / n
	}
	for _, x := range v {
		se += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(se / (n - 1) / n)
}

// density is a distribution that can be drawn from and has a log-density.
type density struct {
	sample  func(data.Batch) error
	logProb func([]float64, data.Batch) error
}

// maxDensitySize is the number of dimensions up to which checkSampleDensity has power.
const maxDensitySize = 8

func hasSmallDensity(t *trial) bool {
	schema := t.Train.Schema()
	if schema.IsImage() || schema.Size() > maxDensitySize || len(t.densities()) == 0 {
		return false
	}
	for _, c := range schema.Columns {
		if c.Kind != data.Numeric {
			return false
		}
	}
	return true
}

// densities are those of the model that can be drawn from: p(x), and p(x|y=0).
func (t *trial) densities() map[string]density {
	found := map[string]density{}
	if d, ok := t.model.(model.Density); ok {
		if s, ok := t.model.(model.Sampler); ok {
			r := random(4)
			found["p(x)"] = density{func(b data.Batch) error { return s.Sample(b, r) }, d.LogProb}
		}
	}
	if d, ok := t.model.(model.CondDensity); ok && d.Classes() > 0 {
		if s, ok := t.model.(model.CondSampler); ok {
			r := random(5)
			found["p(x|y=0)"] = density{
				func(b data.Batch) error { return s.SampleGiven(b, make([]int32, b.Len()), r) },
				func(dst []float64, x data.Batch) error { return d.LogProbGiven(dst, x, make([]int32, x.Len())) },
			}
		}
	}
	return found
}

// checkSampleDensity: what a model samples has the density that it says. With q another density that can be drawn from,
//
//	E_p[q/(p+q)] = ∫ p q/(p+q) dx = E_q[p/(p+q)],
//
// and both sides are means of numbers from 0 to 1. For q the checks take independent normals with the moments of the
// samples, 1.5 times as wide. A log p that is off by a constant, or samples that are too narrow, move one side only.
func checkSampleDensity(t *trial) error {
	for name, p := range t.densities() {
		if err := sameOverlap(t.x.Shape, p); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func sameOverlap(shape data.Shape, p density) error {
	const n = 4000
	fromP := data.NewBatch(shape, n, false)
	if err := p.sample(fromP); err != nil {
		return err
	}
	q := normalsLike(fromP, 1.5)
	fromQ := data.NewBatch(shape, n, false)
	if err := q.sample(fromQ); err != nil {
		return err
	}
	left, err := shares(fromP, q, p) // q/(p+q) at x ~ p
	if err != nil {
		return err
	}
	right, err := shares(fromQ, p, q) // p/(p+q) at x ~ q
	if err != nil {
		return err
	}
	a, seA := meanError(left)
	b, seB := meanError(right)
	if !(min(a, b) >= 0.01) {
		return fmt.Errorf("the overlap of the model with normals of the same moments is %v by its samples and %v by its density, "+
			"expected at least 0.01: they disagree, or the data is too far from normal for this check", a, b)
	}
	if !(math.Abs(a-b) <= 4*math.Hypot(seA, seB)) {
		return fmt.Errorf("the overlap of the model with normals of the same moments is %v ± %v by its samples and %v ± %v by its density, expected the same",
			a, seA, b, seB)
	}
	return nil
}

// shares is u/(u+v) at each x.
func shares(x data.Batch, u, v density) ([]float64, error) {
	lu, lv := make([]float64, x.Len()), make([]float64, x.Len())
	if err := u.logProb(lu, x); err != nil {
		return nil, err
	}
	if err := v.logProb(lv, x); err != nil {
		return nil, err
	}
	for i := range lu {
		lu[i] = 1 / (1 + math.Exp(lv[i]-lu[i]))
	}
	return lu, nil
}

// normalsLike is independent normals with the means of x and its standard deviations times wider.
func normalsLike(x data.Batch, wider float64) density {
	p := x.Shape.Size()
	mean, sd := make([]float64, p), make([]float64, p)
	column := make([]float64, x.Len())
	for j := range p {
		for i := range column {
			column[i] = float64(x.X[i*p+j])
		}
		m, se := meanError(column)
		mean[j], sd[j] = m, wider*se*math.Sqrt(float64(len(column)))
	}
	r := random(6)
	return density{
		sample: func(b data.Batch) error {
			for i := range b.X {
				b.X[i] = float32(mean[i%p] + sd[i%p]*r.NormFloat64())
			}
			return nil
		},
		logProb: func(dst []float64, b data.Batch) error {
			for i := range dst {
				dst[i] = 0
				for j, v := range b.Row(i) {
					z := (float64(v) - mean[j]) / sd[j]
					dst[i] -= z*z/2 + math.Log(sd[j]) + math.Log(2*math.Pi)/2
				}
			}
			return nil
		},
	}
}
