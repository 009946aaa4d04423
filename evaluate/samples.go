package evaluate

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

// MaxSamples is how many generated examples Samples compares at most, where the caller sets no lower number: the time
// grows with its square.
const MaxSamples = 5000

// minSamples is the least that the nearest-neighbour measures can be computed from.
const minSamples = 2 * densityNeighbours

// Compared is a measure of generated against real examples, beside what the same measure gives for real against real
// ones, in samples of the same size. A model can hardly do better than that floor.
type Compared struct {
	Generated measure.Estimate
	Floor     measure.Estimate
}

// SampleQuality compares N generated examples with N real ones, and these with N other real ones. The measures depend
// on N and on the feature space: compare them only where both are the same. They are not FID or KID of the literature,
// whose features come from an Inception network.
type SampleQuality struct {
	N        int
	Features string // the feature space
	// Given says that the examples were drawn from p(x|y) with the labels of the real ones.
	Given bool

	Frechet   Compared // Fréchet distance of Gaussians; lower is better, biased upwards at small N
	KID       Compared // unbiased squared kernel distance; lower is better
	Precision Compared // share of generated examples that look real
	Recall    Compared // share of real examples that the generated ones cover
	Density   Compared // like precision, counting how densely real examples lie there; can exceed 1
	Coverage  Compared // like recall, from balls around real examples
}

// Measures lists the measures of the generated examples, in the order in which tables show them.
func (s *SampleQuality) Measures() []measure.Measure {
	return s.list(func(c Compared) measure.Estimate { return c.Generated })
}

// Floor lists the same measures of real against real examples.
func (s *SampleQuality) Floor() []measure.Measure {
	return s.list(func(c Compared) measure.Estimate { return c.Floor })
}

func (s *SampleQuality) list(which func(Compared) measure.Estimate) []measure.Measure {
	return []measure.Measure{
		which(s.Frechet).As(measure.Lower("frechet", "squared features")),
		which(s.KID).As(measure.Lower("kid", "")),
		which(s.Precision).As(measure.Higher("precision", "share")),
		which(s.Recall).As(measure.Higher("recall", "share")),
		which(s.Density).As(measure.Higher("density", "")),
		which(s.Coverage).As(measure.Higher("coverage", "share")),
	}
}

// MarshalJSON writes each measure under its name, the standard errors by name under standard_errors, the same for real
// against real under floor, and features, given_label and n.
func (s *SampleQuality) MarshalJSON() ([]byte, error) {
	object := flat(s.Measures())
	object["floor"] = flat(s.Floor())
	object["features"] = s.Features
	object["given_label"] = s.Given
	object["n"] = s.N
	return json.Marshal(object)
}

// Samples draws examples from a model.Sampler, or, with the labels of the real examples, from a model.CondSampler, and
// compares them with real examples. The real examples are shuffled by the seed and cut in two halves; the first is what
// is compared with, the second gives the floor. n is how many examples to use, at most; 0 is MaxSamples. Half the real
// examples is the other limit.
func Samples(ctx context.Context, m model.Model, real data.Set, n int, seed uint64) (*SampleQuality, error) {
	half := real.Len() / 2
	switch {
	case m.Shape() != real.Schema().Shape:
		return nil, fmt.Errorf("the model makes examples of %v and the data has %v", m.Shape(), real.Schema().Shape)
	case n < 0:
		return nil, fmt.Errorf("%d samples asked for, expected 0 or more", n)
	case n == 0:
		n = MaxSamples
	}
	n = min(n, half)
	if n < minSamples {
		return nil, fmt.Errorf("%d real and %d generated examples to compare, expected at least %d of each: use more data",
			n, n, minSamples)
	}

	schema := real.Schema()
	reference := data.NewBatch(schema.Shape, 2*n, schema.Labelled())
	if err := real.Read(ctx, reference, streamSplit.rand(seed).Perm(real.Len())[:2*n]); err != nil {
		return nil, err
	}
	// The labels are those of the second half, so that generated and floor differ from the first half alike.
	generated, given, err := generate(ctx, m, reference.Slice(n, 2*n).Y, n, seed)
	if err != nil {
		return nil, err
	}
	f, err := fitFeatures(ctx, schema, reference)
	if err != nil {
		return nil, err
	}
	a, err := f.embed(reference.Slice(0, n))
	if err != nil {
		return nil, err
	}
	b, err := f.embed(reference.Slice(n, 2*n))
	if err != nil {
		return nil, err
	}
	g, err := f.embed(generated)
	if err != nil {
		return nil, err
	}
	s := &SampleQuality{N: n, Features: f.name, Given: given}
	if err := s.compare(ctx, a, g, seed, func(c *Compared) *measure.Estimate { return &c.Generated }); err != nil {
		return nil, err
	}
	if err := s.compare(ctx, a, b, seed, func(c *Compared) *measure.Estimate { return &c.Floor }); err != nil {
		return nil, err
	}
	return s, nil
}

// compare fills one side of every measure with that of sample against the real examples.
func (s *SampleQuality) compare(
	ctx context.Context, real, sample points, seed uint64, side func(*Compared) *measure.Estimate,
) (err error) {
	if *side(&s.Frechet), err = frechetEstimate(ctx, real, sample, seed); err != nil {
		return err
	}
	if *side(&s.KID), err = kid(ctx, real, sample); err != nil {
		return err
	}
	*side(&s.Precision), *side(&s.Recall), *side(&s.Density), *side(&s.Coverage), err = neighbours(ctx, real, sample)
	return err
}

// generate draws n examples, with the given labels where the model takes labels and there are some. given reports
// whether it did.
func generate(
	ctx context.Context, m model.Model, labels []int32, n int, seed uint64,
) (b data.Batch, given bool, err error) {
	r := streamSamples.rand(seed)
	sampler, isSampler := m.(model.Sampler)
	cond, isCond := m.(model.CondSampler)
	isCond = isCond && cond.Classes() > 0 // a model fitted without labels may have the method all the same
	given = isCond && labels != nil
	var draw func(dst data.Batch, first int) error
	switch {
	case given:
		if err := checkClasses(labels, cond.Classes()); err != nil {
			return data.Batch{}, false, err
		}
		draw = func(dst data.Batch, first int) error {
			return cond.SampleGiven(dst, labels[first:first+dst.Len()], r)
		}
	case isSampler:
		draw = func(dst data.Batch, _ int) error { return sampler.Sample(dst, r) }
	case isCond:
		return data.Batch{}, false, fmt.Errorf("the model has only p(x given y): %w", data.ErrNoLabels)
	default:
		return data.Batch{}, false, ErrNoSamples
	}
	b, err = drawAll(ctx, m.Shape(), n, draw)
	return b, given, err
}

// drawAll draws n examples in batches, so that it can be interrupted, and checks that each is finite.
func drawAll(ctx context.Context, shape data.Shape, n int, draw func(dst data.Batch, first int) error) (data.Batch, error) {
	const chunk = 256
	b := data.NewBatch(shape, n, false)
	for first := 0; first < n; first += chunk {
		if err := ctx.Err(); err != nil {
			return b, err
		}
		if err := draw(b.Slice(first, min(first+chunk, n)), first); err != nil {
			return b, err
		}
	}
	for i, v := range b.X {
		if v-v != 0 { // NaN and the infinities
			return b, fmt.Errorf("the model made %v as element %d of example %d, expected a finite number",
				v, i%shape.Size(), i/shape.Size())
		}
	}
	return b, nil
}

func checkClasses(labels []int32, classes int) error {
	for i, y := range labels {
		if y < 0 || int(y) >= classes {
			return fmt.Errorf("example %d has class %d, expected 0 to %d as the model has", i, y, classes-1)
		}
	}
	return nil
}
