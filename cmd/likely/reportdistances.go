package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/divergence"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/report"
)

const (
	distanceSamples    = 1000 // examples of a sample at most: the time grows with the square
	distanceDirections = 500  // of the sliced distances
)

// distances shows how far what a model makes is from held-out examples, beside how far these are from each other.
func (a *app) distances(ctx context.Context, s *subject) ([]report.Section, error) {
	if s.quality == nil {
		return nil, nil
	}
	n := distanceSamples
	if s.samples > 0 {
		n = min(n, s.samples)
	}
	reference, other, err := evaluate.Halves(s.set, n, a.seed)
	if err != nil {
		return nil, err
	}
	generated, err := s.drawLike(ctx, reference.Len(), rand.New(rand.NewPCG(a.seed, 1)))
	if err != nil {
		return nil, err
	}
	place, unit := func(b data.Batch) (divergence.Points, error) {
		return divergence.Points{D: b.Shape.Size(), X: b.X}, nil
	}, "grey levels"
	if !s.set.Schema().IsImage() {
		t, err := data.FitTransform(ctx, reference, data.Standardise)
		if err != nil {
			return nil, err
		}
		place, unit = func(b data.Batch) (divergence.Points, error) {
			out := data.NewBatch(t.OutShape(), b.Len(), false)
			return divergence.Points{D: out.Shape.Size(), X: out.X}, t.Apply(out, data.Batch{Shape: b.Shape, X: b.X})
		}, "standard deviations"
	}
	var points [3]divergence.Points
	for i, set := range []data.Set{reference, other, nil} {
		b := generated
		if set != nil {
			if b, err = data.ReadAll(ctx, set); err != nil {
				return nil, err
			}
		}
		if points[i], err = place(b); err != nil {
			return nil, err
		}
	}
	real, floor, made := points[0], points[1], points[2]

	section := report.Section{Title: "Distances", Text: []string{fmt.Sprintf("These take %s as they are, without features, beside as many held-out "+
		"examples; the column of real data has %s other held-out examples in their place. All are 0 where two distributions are the same. The energy "+
		"distance and the MMD have no bias, and so may come out below 0; the sliced Wasserstein distance of samples is above that of their distributions.",
		plural(reference.Len(), "generated example", "generated examples"), count(other.Len()))}}
	compare := func(about measure.About, of func(x divergence.Points) (measure.Measure, error)) error {
		m, err := of(made)
		if err != nil {
			return err
		}
		f, err := of(floor)
		m.About, f.About = about, about
		section.Measures = append(section.Measures, report.Measure{Measure: m, Floor: &f})
		return err
	}
	err = compare(measure.Lower("energy_distance", unit), func(x divergence.Points) (measure.Measure, error) {
		e, err := divergence.SampleEnergy(ctx, x, real)
		return e.As(measure.About{}), err
	})
	if err != nil {
		return nil, err
	}
	// The width comes from real examples alone, so that it is the same for every model.
	switch h, err := divergence.MedianBandwidth(ctx, real, floor, rand.New(rand.NewPCG(a.seed, 2))); {
	case errors.Is(err, divergence.ErrPoints): // most of them are equal
		section.Text = append(section.Text, "There is no MMD: "+err.Error()+".")
	case err != nil:
		return nil, err
	default:
		section.Text = append(section.Text, fmt.Sprintf("The MMD is squared and has a Gaussian kernel of width %s, the median distance of two real examples.", significant(h)))
		err = compare(measure.Lower("mmd", ""), func(x divergence.Points) (measure.Measure, error) {
			e, err := divergence.SampleMMD(ctx, x, real, h)
			return e.As(measure.About{}), err
		})
		if err != nil {
			return nil, err
		}
	}
	err = compare(measure.Lower("sliced_wasserstein1", unit), func(x divergence.Points) (measure.Measure, error) {
		t, err := divergence.SampleSliced(ctx, x, real, distanceDirections, rand.New(rand.NewPCG(a.seed, 3)))
		return t.W1.As(measure.About{}), err
	})
	return []report.Section{section}, err
}
