package modeltest

import (
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// question is something that a model can be asked about a batch. All answers are float64 numbers, so that the checks that
// hold for every question are written once.
type question struct {
	name   string
	random bool // it takes random numbers
	given  bool // it takes classes
	draws  bool // it fills a batch of the shape of x, and looks at no x
	each   int  // how many numbers it answers for one example
	ask    func(dst []float64, x data.Batch, y []int32, r *rand.Rand) error
}

// questions lists what m can be asked, by its interfaces.
func questions(m model.Model) []question {
	var list []question
	p := m.Shape().Size()
	if m, ok := m.(model.Classifier); ok {
		list = append(list, question{name: "LogPosterior", each: m.Classes(),
			ask: func(dst []float64, x data.Batch, _ []int32, _ *rand.Rand) error { return m.LogPosterior(dst, x) }})
	}
	if m, ok := m.(model.Density); ok {
		list = append(list, question{name: "LogProb", each: 1,
			ask: func(dst []float64, x data.Batch, _ []int32, _ *rand.Rand) error { return m.LogProb(dst, x) }})
	}
	if m, ok := m.(model.Bound); ok {
		list = append(list, question{name: "LogBound", each: 1, random: true,
			ask: func(dst []float64, x data.Batch, _ []int32, r *rand.Rand) error { return m.LogBound(dst, x, r) }})
	}
	if m, ok := m.(model.DrawnDensity); ok {
		list = append(list, question{name: "LogProbDrawn", each: 1, random: true,
			ask: func(dst []float64, x data.Batch, _ []int32, r *rand.Rand) error { return m.LogProbDrawn(dst, x, r) }})
	}
	if m, ok := m.(model.ImportanceBound); ok {
		list = append(list, question{name: "LogImportanceBound", each: 1, random: true,
			ask: func(dst []float64, x data.Batch, _ []int32, r *rand.Rand) error {
				return m.LogImportanceBound(dst, x, 3, r)
			}})
	}
	if m, ok := m.(model.CondDensity); ok && m.Classes() > 0 {
		list = append(list, question{name: "LogProbGiven", each: 1, given: true,
			ask: func(dst []float64, x data.Batch, y []int32, _ *rand.Rand) error { return m.LogProbGiven(dst, x, y) }})
	}
	if m, ok := m.(model.CondBound); ok && m.Classes() > 0 {
		list = append(list, question{name: "LogBoundGiven", each: 1, given: true, random: true, ask: m.LogBoundGiven})
	}
	if m, ok := m.(model.CondDrawnDensity); ok && m.Classes() > 0 {
		list = append(list, question{name: "LogProbDrawnGiven", each: 1, given: true, random: true, ask: m.LogProbDrawnGiven})
	}
	if m, ok := m.(model.CondImportanceBound); ok && m.Classes() > 0 {
		list = append(list, question{name: "LogImportanceBoundGiven", each: 1, given: true, random: true,
			ask: func(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
				return m.LogImportanceBoundGiven(dst, x, y, 3, r)
			}})
	}
	if m, ok := m.(model.Estimator); ok {
		list = append(list, question{name: "LogEstimate", each: 1, random: true,
			ask: func(dst []float64, x data.Batch, _ []int32, r *rand.Rand) error { return m.LogEstimate(dst, x, r) }})
	}
	if m, ok := m.(model.CondEstimator); ok && m.Classes() > 0 {
		list = append(list, question{name: "LogEstimateGiven", each: 1, given: true, random: true, ask: m.LogEstimateGiven})
	}
	if m, ok := m.(model.Sampler); ok {
		list = append(list, question{name: "Sample", each: p, random: true, draws: true,
			ask: func(dst []float64, x data.Batch, _ []int32, r *rand.Rand) error {
				return drawn(dst, x, func(b data.Batch) error { return m.Sample(b, r) })
			}})
	}
	if m, ok := m.(model.CondSampler); ok && m.Classes() > 0 {
		list = append(list, question{name: "SampleGiven", each: p, random: true, given: true, draws: true,
			ask: func(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
				return drawn(dst, x, func(b data.Batch) error { return m.SampleGiven(b, y, r) })
			}})
	}
	if m, ok := m.(model.Encoder); ok {
		list = append(list, question{name: "Encode", each: m.LatentSize(), given: isConditionalModel(m),
			ask: func(dst []float64, x data.Batch, y []int32, _ *rand.Rand) error {
				z := make([]float32, len(dst))
				err := m.Encode(z, x, y)
				widen(dst, z)
				return err
			}})
	}
	if m, ok := m.(model.Featurer); ok {
		list = append(list, question{name: "Features", each: m.FeatureSize(),
			ask: func(dst []float64, x data.Batch, _ []int32, _ *rand.Rand) error {
				features := make([]float32, len(dst))
				err := m.Features(features, x)
				widen(dst, features)
				return err
			}})
	}
	return list
}

// drawn fills dst with what sample draws into a batch like x.
func drawn(dst []float64, x data.Batch, sample func(data.Batch) error) error {
	b := data.Batch{Shape: x.Shape, X: make([]float32, len(x.X))}
	for i := range b.X {
		b.X[i] = float32(math.NaN()) // what is left unfilled shows
	}
	err := sample(b)
	widen(dst, b.X)
	return err
}

func widen(dst []float64, src []float32) {
	for i, v := range src[:min(len(dst), len(src))] {
		dst[i] = float64(v)
	}
}

// answer asks m's question about x with the random numbers of stream 2.
func (q question) answer(x data.Batch, y []int32) ([]float64, error) {
	dst := make([]float64, x.Len()*q.each)
	for i := range dst {
		dst[i] = math.NaN()
	}
	err := q.ask(dst, x, q.classes(y), q.source())
	return dst, err
}

// classes is y where the question takes classes.
func (q question) classes(y []int32) []int32 {
	if q.given {
		return y
	}
	return nil
}

// source is new random numbers, always the same, where the question takes them.
func (q question) source() *rand.Rand {
	if q.random {
		return random(2)
	}
	return nil
}

// sameBits is the index of the first number that differs in a bit, or -1. NaN equals NaN.
func sameBits(a, b []float64) int {
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return i
		}
	}
	return -1
}

func isClassifier(t *trial) bool    { _, ok := t.model.(model.Classifier); return ok }
func isDecoder(t *trial) bool       { _, ok := t.model.(model.Decoder); return ok }
func isLatentSampler(t *trial) bool { _, ok := t.model.(model.LatentSampler); return ok }
func isTunable(t *trial) bool       { _, ok := t.model.(model.Tunable); return ok }

func hasImportanceBound(t *trial) bool { return len(t.importanceBounds()) > 0 }

func isConditional(t *trial) bool { return isConditionalModel(t.model) }

func isConditionalModel(m model.Model) bool {
	switch m := m.(type) {
	case model.CondSampler:
		return m.Classes() > 0
	case model.CondDensity:
		return m.Classes() > 0
	case model.CondBound:
		return m.Classes() > 0
	case model.CondDrawnDensity:
		return m.Classes() > 0
	case model.CondEstimator:
		return m.Classes() > 0
	}
	return false
}

func isSampler(t *trial) bool {
	_, ok := t.model.(model.Sampler)
	return ok || isConditional(t)
}

func hasLogProbability(t *trial) bool {
	for _, q := range questions(t.model) {
		if !q.draws && q.name != "LogPosterior" && q.name != "Encode" {
			return true
		}
	}
	return false
}
