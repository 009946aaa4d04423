package augment

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// Balanced is perClass labels of each of k classes, class after class.
func Balanced(k, perClass int) []int32 {
	y := make([]int32, 0, k*perClass)
	for class := range k {
		for range perClass {
			y = append(y, int32(class))
		}
	}
	return y
}

// Draw is a set of n examples from m, under the schema that m was fitted to: x_i ~ p(x|y[i]), or x_i ~ p(x), without labels, where y
// is nil. Pixels are held as the whole numbers that a picture file can hold. len(y) is n or 0.
func Draw(ctx context.Context, m model.Model, schema *data.Schema, n int, y []int32, r *rand.Rand) (data.Set, error) {
	given, conditional := m.(model.CondSampler)
	free, _ := m.(model.Sampler)
	switch {
	case r == nil:
		return nil, model.ErrNoRand
	case y != nil && len(y) != n:
		return nil, fmt.Errorf("%d labels for %d examples to draw, expected one each", len(y), n)
	case y != nil && (!conditional || given.Classes() == 0):
		return nil, errors.New("the model is not of p(x|y): it cannot draw examples of a class; expected one that was fitted with labels")
	case y == nil && free == nil:
		return nil, errors.New("the model cannot be drawn from; expected a generative model")
	}
	const piece = 256 // so that it can be interrupted, and floats need little memory
	var pixels []uint8
	var values []float32
	for lo := 0; lo < n; lo += piece {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b := data.NewBatch(schema.Shape, min(piece, n-lo), false)
		var err error
		if y != nil {
			err = given.SampleGiven(b, y[lo:lo+b.Len()], r)
		} else {
			err = free.Sample(b, r)
		}
		if err != nil {
			return nil, err
		}
		if !schema.IsImage() {
			values = append(values, b.X...)
			continue
		}
		if pixels, err = appendPixels(pixels, b.X, schema.MaxValue); err != nil {
			return nil, err
		}
	}
	if y == nil {
		bare := *schema
		bare.Classes, bare.Label = nil, ""
		schema = &bare
	}
	if schema.IsImage() {
		return data.NewPixels(schema, pixels, y)
	}
	return data.NewTable(schema, values, y)
}

// appendPixels appends pixels that must be whole numbers from 0 to most, as a model's samples are.
func appendPixels(dst []uint8, x []float32, most float32) ([]uint8, error) {
	for _, v := range x {
		u := uint8(max(0, min(v, 255)))
		if float32(u) != v || v > most {
			return nil, fmt.Errorf("the model drew a pixel of %v, expected a whole number from 0 to %v", v, most)
		}
		dst = append(dst, u)
	}
	return dst, nil
}
