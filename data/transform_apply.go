package data

import (
	"fmt"
	"math"
)

// Apply writes t(x) of every example of src to dst, and copies the labels where both have them. dst must have as many
// examples as src, in shape OutShape; it may be src itself where the shapes are the same. Under Raw, a missing value in a
// table is an error.
func (t *Transform) Apply(dst, src Batch) error {
	if err := t.checkBatches(dst, t.Out, src, t.In); err != nil {
		return err
	}
	copy(dst.Y, src.Y)
	if t.In.IsImage() {
		// A division, not a product with 1/Scale: it is correctly rounded, so the largest pixel becomes exactly 1.
		shift, scale := float32(t.Steps[0].Shift), float32(t.Steps[0].Scale)
		for i, v := range src.X {
			dst.X[i] = (v - shift) / scale
		}
		return nil
	}
	for i := range src.Len() {
		if err := t.applyRow(dst.Row(i), src.Row(i)); err != nil {
			return &ExampleError{Index: i, Err: err}
		}
	}
	return nil
}

func (t *Transform) applyRow(dst, src []float32) error {
	at := 0
	for j := range t.Steps {
		s, v := &t.Steps[j], src[j]
		missing := v != v
		switch {
		case s.OneHot:
			hot := dst[at : at+len(s.Levels)]
			clear(hot)
			if !missing {
				code := int(v)
				if float32(code) != v || code < 0 || code >= len(hot) {
					return fmt.Errorf("column %q: code %v, expected a whole number from 0 to %d", s.Name, v, len(hot)-1)
				}
				hot[code] = 1
			}
		case missing && t.Kind == Raw:
			return fmt.Errorf("column %q: the value is missing; fill it in, or remove the row", s.Name)
		case missing:
			dst[at] = 0 // the mean
		default:
			dst[at] = float32((float64(v) - s.Shift) / s.Scale)
		}
		at += s.width()
	}
	return nil
}

// Invert writes the raw x of every t(x) of src to dst, and copies the labels where both have them. What a model generates
// becomes what the data can hold: pixels are rounded and clamped to 0..MaxValue, integers are rounded, and one-hot
// elements become the level with the largest (the first of equals). NaN is an error. dst may be src itself where the shapes
// are the same.
func (t *Transform) Invert(dst, src Batch) error {
	if err := t.checkBatches(dst, t.In, src, t.Out); err != nil {
		return err
	}
	for i, v := range src.X {
		if v != v {
			p := t.Out.Size()
			return &ExampleError{Index: i / p, Err: fmt.Errorf("NaN at element %d, expected a number", i%p)}
		}
	}
	copy(dst.Y, src.Y)
	if t.In.IsImage() {
		s := t.Steps[0]
		for i, v := range src.X {
			x := math.RoundToEven(float64(v)*s.Scale + s.Shift)
			dst.X[i] = float32(min(max(x, 0), float64(t.Max)))
		}
		return nil
	}
	for i := range src.Len() {
		t.invertRow(dst.Row(i), src.Row(i))
	}
	return nil
}

func (t *Transform) invertRow(dst, src []float32) {
	at := 0
	for j := range t.Steps {
		s := &t.Steps[j]
		if s.OneHot {
			dst[j] = float32(argmax(src[at : at+len(s.Levels)]))
		} else {
			x := float64(src[at])*s.Scale + s.Shift
			if s.Round {
				x = math.RoundToEven(x)
			}
			if s.Levels != nil {
				x = min(max(x, 0), float64(len(s.Levels)-1))
			}
			dst[j] = float32(x)
		}
		at += s.width()
	}
}

// argmax is the index of the largest value, the first of equals.
func argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

func (t *Transform) checkBatches(dst Batch, dstShape Shape, src Batch, srcShape Shape) error {
	if err := src.check(srcShape, src.Len()); err != nil {
		return fmt.Errorf("source %w", err)
	}
	if err := dst.check(dstShape, src.Len()); err != nil {
		return fmt.Errorf("destination %w", err)
	}
	return nil
}
