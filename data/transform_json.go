package data

import (
	"encoding/json"
	"fmt"
	"math"
)

// UnmarshalJSON reads a transform that json.Marshal wrote, and refuses one that could not have been fitted.
func (t *Transform) UnmarshalJSON(raw []byte) error {
	type plain Transform // without this method
	var p plain
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	read := Transform(p)
	if err := read.validate(); err != nil {
		return fmt.Errorf("transform: %w", err)
	}
	*t = read
	return nil
}

// validate reports the first thing that is wrong with t.
func (t *Transform) validate() error {
	switch t.Kind {
	case Raw, Unit, Symmetric, Standardise:
	default:
		return fmt.Errorf("kind %q, expected raw, unit, symmetric or standardise", t.Kind)
	}
	if t.In.Height < 1 || t.In.Width < 1 || t.In.Channels < 1 {
		return fmt.Errorf("input of %dx%dx%d, expected at least 1x1x1", t.In.Height, t.In.Width, t.In.Channels)
	}
	out, steps := RowShape(0), t.In.Channels
	if t.In.IsImage() {
		out, steps = t.In, 1
		if !(t.Max > 0 && t.Max <= 255) {
			return fmt.Errorf("largest pixel %v, expected more than 0 and at most 255", t.Max)
		}
	}
	if len(t.Steps) != steps {
		return fmt.Errorf("%d steps, expected %d", len(t.Steps), steps)
	}
	for j, s := range t.Steps {
		if !(s.Scale > 0) || math.IsInf(s.Scale, 0) || math.IsNaN(s.Shift) || math.IsInf(s.Shift, 0) {
			return fmt.Errorf("step %d has shift %v and scale %v, expected finite numbers and a scale above 0", j+1, s.Shift, s.Scale)
		}
		if s.OneHot && (len(s.Levels) == 0 || t.In.IsImage()) {
			return fmt.Errorf("step %d is one-hot with %d levels, expected a table column with at least 1", j+1, len(s.Levels))
		}
		if !t.In.IsImage() {
			out.Channels += s.width()
		}
	}
	if t.Out != out {
		return fmt.Errorf("output of %v, expected %v", t.Out, out)
	}
	return nil
}
