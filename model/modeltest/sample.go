package modeltest

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// checkSampleRange: samples are what the data could hold, and other random numbers give other samples.
func checkSampleRange(t *trial) error {
	for _, q := range questions(t.model) {
		if !q.draws {
			continue
		}
		first, err := q.answer(t.x, t.y)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		p := t.x.Shape.Size()
		for i, v := range first {
			if err := possible(t.Train.Schema(), i%p, v); err != nil {
				return fmt.Errorf("%s: example %d: %w", q.name, i/p, err)
			}
		}
		other := make([]float64, len(first))
		if err := q.ask(other, t.x, q.classes(t.y), random(7)); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		if slices.Equal(first, other) {
			return fmt.Errorf("%s draws the same with other random numbers", q.name)
		}
	}
	return nil
}

// possible reports whether element j of an example of the schema can be v.
func possible(schema *data.Schema, j int, v float64) error {
	integer, low, high := false, math.Inf(-1), math.Inf(1)
	if schema.IsImage() {
		low, high = 0, float64(schema.MaxValue)
	} else {
		switch c := schema.Columns[j]; c.Kind {
		case data.Integer:
			integer = true
		case data.Categorical:
			integer, low, high = true, 0, float64(len(c.Levels)-1)
		}
	}
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Errorf("element %d is %v, expected a finite number", j, v)
	case v < low || v > high:
		return fmt.Errorf("element %d is %v, expected %v to %v", j, v, low, high)
	case integer && v != math.Trunc(v):
		return fmt.Errorf("element %d is %v, expected a whole number", j, v)
	}
	return nil
}

// checkDecoder: the latent origin becomes an x of the data's range, always the same; codes of another length are ErrShape.
func checkDecoder(t *trial) error {
	m := t.model.(model.Decoder)
	var y []int32
	if isConditional(t) {
		y = t.y
	}
	z := make([]float32, t.x.Len()*m.LatentSize())
	first, second := data.NewBatch(t.x.Shape, t.x.Len(), false), data.NewBatch(t.x.Shape, t.x.Len(), false)
	if err := errors.Join(m.Decode(first, z, y), m.Decode(second, z, y)); err != nil {
		return fmt.Errorf("method Decode: %w", err)
	}
	if !slices.Equal(first.X, second.X) {
		return errors.New("method Decode of the same codes gave two answers")
	}
	for i, v := range first.X {
		if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) || (t.x.Shape.IsImage() && (x < 0 || v > t.Train.Schema().MaxValue)) {
			return fmt.Errorf("method Decode: value %d is %v, outside the range of the data", i, v)
		}
	}
	if err := m.Decode(first, z[1:], y); !errors.Is(err, model.ErrShape) {
		return fmt.Errorf("method Decode of codes that are one number short returned the error %v, expected one that wraps %q", err, model.ErrShape)
	}
	return nil
}

// checkLatentSampler: codes are finite numbers, the same of the same random numbers and others of others; codes of another length, no
// random numbers and an unknown class are errors.
func checkLatentSampler(t *trial) error {
	m := t.model.(model.LatentSampler)
	var y, unknown []int32
	if isConditional(t) {
		y, unknown = t.y, slices.Repeat([]int32{-1}, len(t.y))
	}
	size := t.x.Len() * m.LatentSize()
	first, again, other := make([]float32, size), make([]float32, size), make([]float32, size)
	if err := errors.Join(m.SampleLatent(first, y, random(2)), m.SampleLatent(again, y, random(2)), m.SampleLatent(other, y, random(7))); err != nil {
		return fmt.Errorf("method SampleLatent: %w", err)
	}
	if !slices.Equal(first, again) || slices.Equal(first, other) {
		return errors.New("method SampleLatent: expected equal codes of equal random numbers, and others of others")
	}
	for i, v := range first {
		if z := float64(v); math.IsNaN(z) || math.IsInf(z, 0) {
			return fmt.Errorf("method SampleLatent: number %d is %v, expected a finite one", i, v)
		}
	}
	if m.LatentSize() > 1 || y != nil {
		if err := m.SampleLatent(first[1:], y, random(2)); !errors.Is(err, model.ErrShape) {
			return fmt.Errorf("method SampleLatent of codes that are one number short returned the error %v, expected one that wraps %q", err, model.ErrShape)
		}
	}
	if err := m.SampleLatent(first, y, nil); !errors.Is(err, model.ErrNoRand) {
		return fmt.Errorf("method SampleLatent without random numbers returned the error %v, expected %v", err, model.ErrNoRand)
	}
	if unknown != nil {
		if err := m.SampleLatent(first, unknown, random(2)); !errors.Is(err, model.ErrClass) {
			return fmt.Errorf("method SampleLatent of class -1 returned the error %v, expected one that wraps %q", err, model.ErrClass)
		}
	}
	return nil
}

// checkTunable: a model tuned with the options that it has answers the same, and the model itself stays as it is.
func checkTunable(t *trial) error {
	m := t.model.(model.Tunable)
	if m.Options() == m.Options() {
		return errors.New("method Options returned the same pointer twice, expected a new one each time")
	}
	if err := model.Validate(m.Options()); err != nil {
		return fmt.Errorf("the options in force: %w", err)
	}
	if _, err := m.Tune(struct{}{}); err == nil {
		return errors.New("method Tune accepted options of another type")
	}
	tuned, err := m.Tune(m.Options())
	if err != nil {
		return err
	}
	after := questions(tuned)
	for i, q := range questions(t.model) {
		want, err := q.answer(t.x, t.y)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		got, err := after[i].answer(t.x, t.y)
		if err != nil {
			return fmt.Errorf("%s after Tune: %w", q.name, err)
		}
		if at := sameBits(want, got); at >= 0 {
			return fmt.Errorf("%s after Tune with the same options: number %d is %v, expected %v", q.name, at, got[at], want[at])
		}
	}
	return nil
}
