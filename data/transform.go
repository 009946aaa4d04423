package data

import (
	"context"
	"fmt"
	"math"
)

// TransformKind names what a Transform does to x.
type TransformKind string

const (
	// Raw leaves x as it is. A missing value is an error, as no model can learn from it.
	Raw TransformKind = "raw"
	// Unit scales the pixels of a picture from [0, MaxValue] to [0, 1].
	Unit TransformKind = "unit"
	// Symmetric scales the pixels of a picture from [0, MaxValue] to [-1, 1].
	Symmetric TransformKind = "symmetric"
	// Standardise is for tables: a numeric or integer column becomes (x-mean)/sd, with sd 1 where it would be 0 and a
	// missing value put at the mean; a categorical column becomes one 0/1 element per level, all 0 where it is missing.
	Standardise TransformKind = "standardise"
)

// DefaultTransform is the usual choice: Unit for pictures, Standardise for table rows.
func DefaultTransform(s *Schema) TransformKind {
	if s.IsImage() {
		return Unit
	}
	return Standardise
}

// Transform is the map x -> t(x) that a model applies before it learns, and undoes on what it generates. It is encoded as
// JSON in the model file. A Transform is not changed after FitTransform and is safe for concurrent use.
//
// All but the one-hot part is affine, t(x)_j = (x_j - Shift_j) / Scale_j, so that the density of raw x follows from the
// density of t(x) by log p_x(x) = log p_t(t(x)) + LogDet().
type Transform struct {
	Kind TransformKind `json:"kind"`
	In   Shape         `json:"in"`
	Out  Shape         `json:"out"`
	// Max is the largest pixel value of pictures, and 0 for tables.
	Max float32 `json:"max,omitempty"`
	// Steps has one step for the whole of a picture, or one for each column of a table.
	Steps []Step `json:"steps"`
}

// Step is what a Transform does to one column, or to every pixel of a picture.
type Step struct {
	Name    string   `json:"name,omitempty"` // the column
	Shift   float64  `json:"shift"`
	Scale   float64  `json:"scale"`             // more than 0
	Levels  []string `json:"levels,omitempty"`  // of a categorical column
	OneHot  bool     `json:"one_hot,omitempty"` // a categorical column becomes len(Levels) elements
	Round   bool     `json:"round,omitempty"`   // Invert rounds to a whole number
	Missing int      `json:"missing,omitempty"` // how many values were missing where the transform was fitted
}

// width is how many elements the step makes of one.
func (s Step) width() int {
	if s.OneHot {
		return len(s.Levels)
	}
	return 1
}

// FitTransform learns a transform of the given kind from s: the means and standard deviations of Standardise come from
// there (the deviation is the maximum-likelihood one, divided by n), and the rest from the schema.
func FitTransform(ctx context.Context, s Set, kind TransformKind) (*Transform, error) {
	schema := s.Schema()
	t := &Transform{Kind: kind, In: schema.Shape, Out: schema.Shape, Max: schema.MaxValue}
	if schema.IsImage() {
		step := Step{Scale: 1, Round: true}
		switch kind {
		case Raw:
		case Unit:
			step.Scale = float64(schema.MaxValue)
		case Symmetric:
			step.Shift, step.Scale = float64(schema.MaxValue)/2, float64(schema.MaxValue)/2
		default:
			return nil, fmt.Errorf("transform %q of pictures, expected raw, unit or symmetric", kind)
		}
		t.Steps = []Step{step}
		return t, nil
	}
	if kind != Raw && kind != Standardise {
		return nil, fmt.Errorf("transform %q of a table, expected raw or standardise", kind)
	}
	width := 0
	for _, c := range schema.Columns {
		step := Step{Name: c.Name, Scale: 1, Levels: c.Levels, Round: c.Kind != Numeric,
			OneHot: c.Kind == Categorical && kind == Standardise}
		t.Steps = append(t.Steps, step)
		width += step.width()
	}
	t.Out = RowShape(width)
	stats, err := columnStats(ctx, s)
	if err != nil {
		return nil, err
	}
	for j := range t.Steps {
		step := &t.Steps[j]
		step.Missing = stats[j].missing
		if kind == Standardise && !step.OneHot && stats[j].count > 0 {
			step.Shift = stats[j].mean
			if sd := stats[j].sd(); sd > 0 {
				step.Scale = sd
			}
		}
	}
	return t, nil
}

// InShape is the shape of raw x.
func (t *Transform) InShape() Shape { return t.In }

// OutShape is the shape of t(x).
func (t *Transform) OutShape() Shape { return t.Out }

// Names lists the elements of t(x) of a table: a column's name, or "column=level" for a one-hot element. It is nil for
// pictures.
func (t *Transform) Names() []string {
	if t.In.IsImage() {
		return nil
	}
	var names []string
	for _, s := range t.Steps {
		if !s.OneHot {
			names = append(names, s.Name)
			continue
		}
		for _, level := range s.Levels {
			names = append(names, s.Name+"="+level)
		}
	}
	return names
}

// LogDet is log |det dt/dx| in nats per example, -Σ_j log Scale_j over the affine elements. A one-hot column is discrete
// and changes no density, so it adds nothing.
func (t *Transform) LogDet() float64 {
	if t.In.IsImage() {
		return -float64(t.In.Size()) * math.Log(t.Steps[0].Scale)
	}
	sum := 0.0
	for _, s := range t.Steps {
		if !s.OneHot {
			sum -= math.Log(s.Scale)
		}
	}
	return sum
}
