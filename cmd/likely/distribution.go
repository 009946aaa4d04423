package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/divergence"
	"github.com/likely-ml/likely/generative"
	"github.com/likely-ml/likely/internal/suggest"
	"github.com/likely-ml/likely/model"
)

// side is P or Q of a comparison: a written distribution, a fitted model or data.
type side struct {
	name    string
	written dist.Distribution  // or nil
	model   *fitted            // or nil
	set     data.Set           // or nil
	schema  *data.Schema       // of a model or data, in raw units
	density divergence.Density // nil where log p is not known
}

// pair is what is compared.
type pair struct {
	p, q    side
	unlike  string   // why the densities of two models do not compare, "" where they do
	samples *samples // drawn when a method needs them, and kept
}

// models reports whether one of both is a model.
func (s *pair) models() bool { return s.p.model != nil || s.q.model != nil }

// openPair opens both, the data in the terms of the model, or of the other data, that it is compared with, and refuses what does
// not compare.
func (a *app) openPair(ctx context.Context, p, q string, f dataFlags) (*pair, error) {
	options, err := f.options()
	if err != nil {
		return nil, err
	}
	s := &pair{p: side{name: p}, q: side{name: q}}
	both := []*side{&s.p, &s.q}
	for _, one := range both {
		if err := a.openDistribution(one); err != nil {
			return nil, err
		}
	}
	for i, one := range both {
		if one.written != nil || one.model != nil {
			continue
		}
		own := options
		if other := both[1-i]; other.schema != nil {
			wanted := *other.schema
			wanted.Classes = nil
			own.Schema = &wanted // wins over the rest
		}
		source, set, err := a.openPart(ctx, one.name, own)
		if err != nil {
			return nil, err
		}
		one.set, one.schema = set, source.All.Schema()
	}
	return s, s.check()
}

// openDistribution opens a written distribution or a model; data is left for later. A path that exists is never a written
// distribution.
func (a *app) openDistribution(s *side) error {
	_, err := os.Stat(s.name)
	exists := err == nil
	family, _, written := strings.Cut(s.name, "(")
	var names []string
	for _, f := range dist.Families() {
		names = append(names, f.Name)
		if !exists && !written && strings.EqualFold(f.Name, strings.TrimSpace(s.name)) {
			return usagef("%s lacks its parameters: %s; expected for example %s", s.name, f.Parameters, f.Example)
		}
	}
	switch {
	case exists && isModelFile(s.name) || !exists && strings.HasSuffix(s.name, ".safetensors"):
		m, file, err := a.load(s.name)
		if err != nil {
			return err
		}
		s.schema = file.Card.Schema
		s.model = &fitted{Model: m, name: file.Card.Name, schema: s.schema}
		_, drawn := m.(model.Sampler)
		switch {
		case s.model.hasDensity():
			s.density = s.model
		case !drawn && isConditional(m):
			return fmt.Errorf("%s holds the model %s of p(x|y) alone, without p(x); expected one that was fitted with --unconditional", s.name, s.model.name)
		case !drawn:
			return usagef("%s holds the model %s, which has no p(x); expected a generative model, data or a written distribution", s.name, s.model.name)
		}
	case !exists && written:
		d, err := dist.Parse(s.name)
		if err != nil {
			return usagef("%w", err)
		}
		s.written, s.density = d, divergence.Of(d)
	case !exists:
		if hint := suggest.Hint(family, names); hint != "" {
			return usagef("%s: no such file or data set, and no written distribution%s", family, hint)
		}
	}
	return nil
}

// isModelFile reports whether a file begins as a safetensors file does: with the length of a JSON object, and the object.
func isModelFile(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 9)
	_, err = io.ReadFull(f, head)
	return err == nil && head[8] == '{' && head[7] == 0 && head[6] == 0
}

// check refuses what does not compare.
func (s *pair) check() error {
	p, q := &s.p, &s.q
	for _, one := range []*side{p, q} {
		if one.model != nil {
			if reducer, ok := one.model.Model.(model.Reducer); ok && reducer.LikelihoodOf() != "" && one.density != nil {
				return fmt.Errorf("the likelihood of %s is of %s, which does not compare with one of x", one.name, reducer.LikelihoodOf())
			}
		}
	}
	switch {
	case p.written != nil && q.written != nil:
		return s.spaces(p.written, q.written)
	case p.written != nil:
		return fits(p, q)
	case q.written != nil:
		return fits(q, p)
	}
	a, b := p.schema, q.schema
	switch {
	case a.IsImage() != b.IsImage():
		return fmt.Errorf("%s is of %s and %s of %s: pictures do not compare with a table", p.name, a.Shape, q.name, b.Shape)
	case a.Shape != b.Shape:
		return fmt.Errorf("%s is of %s and %s of %s; expected the same of both", p.name, a.Shape, q.name, b.Shape)
	case a.MaxValue != b.MaxValue:
		return fmt.Errorf("pixels of %s are 0 to %v and those of %s 0 to %v; expected the same units", p.name, a.MaxValue, q.name, b.MaxValue)
	case a.IsImage() && p.density != nil && q.density != nil && p.model.wholePixels() != q.model.wholePixels():
		whole, other := p.name, q.name
		if q.model.wholePixels() {
			whole, other = other, whole
		}
		s.unlike = fmt.Sprintf("%s has probabilities of whole pixel values and %s a density, which do not compare", whole, other)
		p.density, q.density = nil, nil
	}
	for j := range a.Columns {
		c, d := a.Columns[j], b.Columns[j]
		switch {
		case c.Name != d.Name:
			return fmt.Errorf("column %d is %q in %s and %q in %s; expected the same columns", j+1, c.Name, p.name, d.Name, q.name)
		case (c.Kind == data.Categorical) != (d.Kind == data.Categorical) || !slices.Equal(c.Levels, d.Levels):
			return fmt.Errorf("column %q has other levels in %s than in %s; expected the same", c.Name, p.name, q.name)
		case c.Kind == data.Numeric && d.Kind == data.Numeric:
		case p.model != nil && q.model != nil && p.model.name != q.model.name:
			// One model may have probabilities of whole numbers or levels where another has a density.
			return fmt.Errorf("column %q is %s: %s and %s may have a density of it and probabilities, which do not compare; expected two models of one name", c.Name, c.Kind, p.model.name, q.model.name)
		}
	}
	return nil
}

// spaces reports distributions over other spaces.
func (s *pair) spaces(p, q dist.Distribution) error {
	switch {
	case p.Dim() != q.Dim():
		return fmt.Errorf("%s is over %s and %s over %s; expected as many", s.p.name, plural(p.Dim(), "dimension", "dimensions"), s.q.name, plural(q.Dim(), "dimension", "dimensions"))
	case p.Discrete() != q.Discrete():
		discrete, other := s.p.name, s.q.name
		if q.Discrete() {
			discrete, other = other, discrete
		}
		return fmt.Errorf("%s has probabilities of whole numbers and %s a density, which do not compare", discrete, other)
	}
	return nil
}

// fits reports a written distribution that is not over the x of a model or data.
func fits(w, other *side) error {
	schema := other.schema
	if schema.IsImage() {
		return fmt.Errorf("%s is over %s and %s of pictures of %s; expected a model or data of such pictures", w.name, plural(w.written.Dim(), "number", "numbers"), other.name, schema.Shape)
	}
	if schema.Size() != w.written.Dim() {
		return fmt.Errorf("%s is over %s and %s has %s; expected as many", w.name, plural(w.written.Dim(), "number", "numbers"), other.name, schema.Shape)
	}
	for _, c := range schema.Columns {
		if c.Kind == data.Categorical {
			return fmt.Errorf("column %q of %s is of levels, which do not compare with the numbers of %s", c.Name, other.name, w.name)
		}
	}
	if other.model != nil && w.written.Discrete() {
		return fmt.Errorf("%s has probabilities of whole numbers and the model of %s a density, which do not compare", w.name, other.name)
	}
	return nil
}

// noDensity says of which side log p is not known.
func (s *pair) noDensity() error {
	if s.unlike != "" {
		return errors.New(s.unlike)
	}
	one := s.p
	if one.density != nil {
		one = s.q
	}
	if one.set != nil {
		return fmt.Errorf("%s is data, whose density is not known", one.name)
	}
	return fmt.Errorf("the model of %s has no density", one.name)
}

// bandwidth is the median distance of two of 500 draws of P and 500 of Q.
func (s *pair) bandwidth(ctx context.Context, seed uint64) (float64, error) {
	const n = 500
	r := rand.New(rand.NewPCG(seed, math.MaxUint64))
	var samples [2]divergence.Points
	for i, one := range []*side{&s.p, &s.q} {
		x, err := one.points(ctx, n, r)
		if err != nil {
			return 0, err
		}
		samples[i] = x
	}
	return divergence.MedianBandwidth(ctx, samples[0], samples[1], r)
}

// points are n draws of a distribution or model, or as many examples of data, without repeats.
func (s *side) points(ctx context.Context, n int, r *rand.Rand) (divergence.Points, error) {
	if s.set != nil {
		n = min(n, s.set.Len())
		b := data.NewBatch(s.schema.Shape, n, false)
		err := s.set.Read(ctx, b, r.Perm(s.set.Len())[:n])
		return divergence.Points{D: s.schema.Size(), X: b.X}, err
	}
	var from divergence.Sampler
	if s.written != nil {
		from = divergence.Of(s.written)
	} else {
		from = s.model
	}
	// In pieces, so that drawing can be interrupted.
	const piece = 256
	d := from.Dim()
	all := divergence.Points{D: d, X: make([]float32, 0, n*d)}
	x := make([]float64, min(n, piece)*d)
	for lo := 0; lo < n; lo += piece {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		part := x[:min(piece, n-lo)*d]
		if err := from.Sample(part, r); err != nil {
			return all, err
		}
		all.X = append(all.X, float32s(part)...)
	}
	return all, nil
}

// fitted is a model as divergences see it. x becomes float32 on the way into it.
type fitted struct {
	model.Model
	name   string // of the kind of model
	schema *data.Schema
}

func (f *fitted) hasDensity() bool {
	_, ok := f.Model.(model.Density)
	return ok
}

// wholePixels reports whether the density of pictures is one of whole pixel values, of which each has a probability.
func (f *fitted) wholePixels() bool {
	switch f.Model.(type) {
	case *generative.Autoregressive, *generative.CondAutoregressive:
		return true
	}
	return false
}

func (f *fitted) Dim() int       { return f.schema.Size() }
func (f *fitted) Discrete() bool { return false }

// LogProb asks a model.Density, in batches.
func (f *fitted) LogProb(dst, x []float64) error {
	return f.Model.(model.Density).LogProb(dst, data.Batch{Shape: f.schema.Shape, X: float32s(x)})
}

// Sample draws from p(x).
func (f *fitted) Sample(dst []float64, r *rand.Rand) error {
	m, ok := f.Model.(model.Sampler)
	if !ok {
		return fmt.Errorf("%w: the model %s cannot be drawn from", divergence.ErrNoEstimate, f.name)
	}
	b := data.Batch{Shape: f.schema.Shape, X: make([]float32, len(dst))}
	if err := m.Sample(b, r); err != nil {
		return err
	}
	for i, v := range b.X {
		dst[i] = float64(v)
	}
	return nil
}

// Breaks are the ends of the line and quantiles of draws, where integration begins. Only real numbers are integrated over.
func (f *fitted) Breaks(axis int) []float64 {
	const n = 2000
	d := f.Dim()
	if d > 3 || slices.ContainsFunc(f.schema.Columns, func(c data.Column) bool { return c.Kind != data.Numeric }) {
		return nil
	}
	x := make([]float64, n*d)
	if err := f.Sample(x, rand.New(rand.NewPCG(1, 1))); err != nil {
		return nil
	}
	var column []float64
	for i := range n {
		column = append(column, x[i*d+axis])
	}
	slices.Sort(column)
	points := []float64{math.Inf(-1)}
	for _, i := range []int{0, n / 50, n / 2, n - 1 - n/50, n - 1} {
		points = append(points, column[i])
	}
	return append(points, math.Inf(1))
}

func float32s(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
