package model

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"

	"github.com/likely-ml/likely/data"
)

// FormatVersion is the version of the model file that this program writes. A calibrated classifier has the next one, so that
// a program that knows no calibration does not take it for the model without.
const (
	FormatVersion    = 1
	formatCalibrated = 2
	newestFormat     = formatCalibrated // that is read
)

// Card is what every fitted model carries beside its parameters. Models embed it. It depends on data, seed and recipe
// alone, and holds no time, path or host name, so that two equal fits write equal files.
type Card struct {
	Name       string // as registered
	Recipe     Spec   // that the model was fitted by; not to be changed
	Schema     *data.Schema
	Transform  *data.Transform // x -> t(x), behind which the model learned
	Provenance Provenance
	Seed       uint64 // of the fit
	Versions   Versions
}

// Versions says what made a model.
type Versions struct {
	Likely string // of the program
	Format int    // of the file
	Go     string // of the compiler
}

// NewCard returns the card of a model that was fitted to train by a recipe.
func NewCard(name string, recipe Spec, train data.Set, t *data.Transform, run Run) Card {
	return Card{
		Name: name, Recipe: recipe, Schema: train.Schema(), Transform: t, Provenance: run.Provenance, Seed: run.Seed,
		Versions: Versions{Likely: Version, Format: FormatVersion, Go: runtime.Version()},
	}
}

// Shape is that of the examples x, in raw units.
func (c *Card) Shape() data.Shape { return c.Schema.Shape }

// Classes is K, the number of classes, 0 where the data had no labels.
func (c *Card) Classes() int { return len(c.Schema.Classes) }

// Save writes a model file with the given tensors.
func (c *Card) Save(w io.Writer, tensors []Tensor) error {
	metadata, err := c.metadata()
	if err != nil {
		return err
	}
	if metadata[keyChecksum], err = checksum(tensors, metadata); err != nil {
		return err
	}
	return WriteTensors(w, tensors, metadata)
}

// CheckBatch reports ErrShape where b is not a batch of the model's shape.
func (c *Card) CheckBatch(b data.Batch) error {
	switch p := c.Schema.Size(); {
	case b.Shape != c.Schema.Shape:
		return fmt.Errorf("%w: batch of %v, expected %v", ErrShape, b.Shape, c.Schema.Shape)
	case len(b.X)%p != 0:
		return fmt.Errorf("%w: batch of %d values, expected a multiple of %d", ErrShape, len(b.X), p)
	}
	return nil
}

// CheckResults reports ErrShape where b is not a batch of the model's shape or length, len(dst), is not each per example.
func (c *Card) CheckResults(b data.Batch, length, each int) error {
	if err := c.CheckBatch(b); err != nil {
		return err
	}
	if length != b.Len()*each {
		return fmt.Errorf("%w: room for %d results, expected %d, %d for each of %d examples", ErrShape, length, b.Len()*each, each, b.Len())
	}
	return nil
}

// CheckClasses reports ErrShape or ErrClass where y is not one class for each of n examples.
func (c *Card) CheckClasses(y []int32, n int) error {
	if len(y) != n {
		return fmt.Errorf("%w: %d classes, expected one for each of %d examples", ErrShape, len(y), n)
	}
	for i, k := range y {
		if k < 0 || int(k) >= c.Classes() {
			return fmt.Errorf("%w: example %d has class %d, expected 0 to %d", ErrClass, i, k, c.Classes()-1)
		}
	}
	return nil
}

// Transformed returns t(x) of a batch of raw x, without labels. It is ErrShape where x is not of the model's shape.
func (c *Card) Transformed(x data.Batch) (data.Batch, error) {
	if err := c.CheckBatch(x); err != nil {
		return data.Batch{}, err
	}
	out := data.NewBatch(c.Transform.OutShape(), x.Len(), false)
	return out, c.Transform.Apply(out, x)
}

// CheckRand reports ErrNoRand where r is nil.
func CheckRand(r *rand.Rand) error {
	if r == nil {
		return ErrNoRand
	}
	return nil
}
