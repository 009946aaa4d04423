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

// leastForFrechet is where the bias of the Fréchet distance in d features falls below a twentieth of the variance of the data. Of two
// samples of n from one Gaussian with covariance I, whose distance is 0, the estimate is on average
//
//	2d/n + (d^2 + d)/2n = d (d + 5)/2n
//
// to first order in 1/n: the means differ by 2d/n, and a difference D of two covariances near I adds tr(D^2)/4. A covariance with
// unequal eigenvalues has less.
func leastForFrechet(d int) int { return 10 * (d + 5) }

// Compared is a measure of generated against real examples, beside what the same measure gives for real against real
// ones, in samples of the same size. A model can hardly do better than that floor.
type Compared struct {
	Generated measure.Estimate
	Floor     measure.Estimate
}

// SampleQuality compares N generated examples with N real ones, and these with N other real ones. The measures depend
// on N and on the feature space: compare them only where both are the same. They are FID and KID of the literature only in the
// features of its Inception network, which IsInception says.
type SampleQuality struct {
	N        int
	Features string // the feature space
	Size     int    // d, the number of features
	// IsInception is that of the space: the Fréchet distance is then named fid.
	IsInception bool
	// Given says that the examples were drawn from p(x|y) with the labels of the real ones.
	Given bool

	Frechet   Compared      // Fréchet distance of Gaussians; lower is better, biased upwards at small N
	KID       Compared      // unbiased squared kernel distance; lower is better
	Precision Compared      // share of generated examples that look real
	Recall    Compared      // share of real examples that the generated ones cover
	Density   Compared      // like precision, counting how densely real examples lie there; can exceed 1
	Coverage  Compared      // like recall, from balls around real examples
	ByClass   *ClassFrechet // Fréchet distance within classes; nil where the examples were drawn without labels
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
	frechet := "frechet"
	if s.IsInception {
		frechet = "fid"
	}
	list := []measure.Measure{
		which(s.Frechet).As(measure.Lower(frechet, "squared features").From(leastForFrechet(s.Size))),
		which(s.KID).As(measure.Lower("kid", "").From(leastForError)),
		which(s.Precision).As(measure.Higher("precision", "share").From(leastForShare)),
		which(s.Recall).As(measure.Higher("recall", "share").From(leastForShare)),
		which(s.Density).As(measure.Higher("density", "").From(leastForShare)),
		which(s.Coverage).As(measure.Higher("coverage", "share").From(leastForShare)),
	}
	if s.ByClass != nil && s.ByClass.Counted > 0 {
		list = append(list, which(s.ByClass.Mean).As(s.ByClass.about(s.Size)))
	}
	return list
}

// MarshalJSON writes each measure under its name, the standard errors by name under standard_errors, the same for real
// against real under floor, and features, feature_size, given_label, n, and of labelled examples the Fréchet distance within each
// class, as class_frechet_classes. A distance that is named fid stands under frechet too, so that this key is there in every space.
func (s *SampleQuality) MarshalJSON() ([]byte, error) {
	object, floor := flat(s.Measures()), flat(s.Floor())
	if s.IsInception {
		object["frechet"], floor["frechet"] = object["fid"], floor["fid"]
	}
	object["floor"] = floor
	object["features"] = s.Features
	object["feature_size"] = s.Size
	object["given_label"] = s.Given
	object["n"] = s.N
	if s.ByClass != nil {
		object["class_frechet_classes"] = s.ByClass.PerClass
	}
	return json.Marshal(object)
}

// Halves are what Samples compares: the real examples are shuffled by the seed; the first n are what is compared with, the next n
// give the floor. n is at most what is asked for, MaxSamples where that is 0, and at most half the real examples.
func Halves(real data.Set, n int, seed uint64) (reference, other data.Set, err error) {
	switch {
	case n < 0:
		return nil, nil, fmt.Errorf("%d samples asked for, expected 0 or more", n)
	case n == 0:
		n = MaxSamples
	}
	n = min(n, real.Len()/2)
	if n < minSamples {
		return nil, nil, fmt.Errorf("%d real and %d generated examples to compare, expected at least %d of each: use more data",
			n, n, minSamples)
	}
	order := streamSplit.rand(seed).Perm(real.Len())
	return data.Subset(real, order[:n]), data.Subset(real, order[n:2*n]), nil
}

// Samples is SamplesIn the feature space that needs no labels: for pictures the leading principal components of the real ones, for
// table rows the standardised columns.
func Samples(ctx context.Context, m model.Model, real data.Set, n int, seed uint64) (*SampleQuality, error) {
	return SamplesIn(ctx, nil, m, real, n, seed)
}

// SamplesIn draws examples from a model.Sampler, or, with the labels of the real examples, from a model.CondSampler, and
// compares them with real examples in a feature space, with that of Samples where it is nil. Halves says which real examples are
// compared, and how many for a given n.
func SamplesIn(ctx context.Context, space *Space, m model.Model, real data.Set, n int, seed uint64) (*SampleQuality, error) {
	if m.Shape() != real.Schema().Shape {
		return nil, fmt.Errorf("the model makes examples of %v and the data has %v", m.Shape(), real.Schema().Shape)
	}
	first, second, err := Halves(real, n, seed)
	if err != nil {
		return nil, err
	}
	reference, err := data.ReadAll(ctx, first)
	if err != nil {
		return nil, err
	}
	other, err := data.ReadAll(ctx, second)
	if err != nil {
		return nil, err
	}
	// The labels are those of the second half, so that generated and floor differ from the first half alike.
	generated, given, err := generate(ctx, m, other.Y, second.Len(), seed)
	if err != nil {
		return nil, err
	}
	name, placed, err := place(ctx, space, real.Schema(), reference, other, generated)
	if err != nil {
		return nil, err
	}
	a, b, g := placed[0], placed[1], placed[2]
	s := &SampleQuality{N: a.n, Features: name, Size: a.d, Given: given, IsInception: space != nil && space.IsInception}
	if err := s.compare(ctx, a, g, seed, func(c *Compared) *measure.Estimate { return &c.Generated }); err != nil {
		return nil, err
	}
	if err := s.compare(ctx, a, b, seed, func(c *Compared) *measure.Estimate { return &c.Floor }); err != nil {
		return nil, err
	}
	if given {
		s.ByClass, err = classFrechet(ctx, len(real.Schema().Classes), labelledPoints{a, reference.Y}, labelledPoints{b, other.Y}, g, seed)
	}
	return s, err
}

// compare fills one side of every measure with that of sample against the real examples.
func (s *SampleQuality) compare(
	ctx context.Context, real, sample points, seed uint64, side func(*Compared) *measure.Estimate,
) (err error) {
	if *side(&s.Frechet), err = frechetEstimate(ctx, real, sample, seed, 0); err != nil {
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
