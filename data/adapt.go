package data

import (
	"context"
	"fmt"
	"math"
)

// adaptPictures brings the pictures of s into the size, channels, pixel range and classes that o asks for. It returns s
// itself where there is nothing to change.
func adaptPictures(s Set, o Options) (Set, error) {
	have := s.Schema()
	want := *have
	if o.Height > 0 {
		want.Height, want.Width = o.Height, o.Width
	}
	if o.Channels > 0 {
		want.Channels = o.Channels
	}
	var class []int32
	if o.Schema != nil {
		want.MaxValue = o.Schema.MaxValue
		if have.Labelled() && o.Schema.Labelled() {
			var err error
			if class, err = classMap(have.Classes, o.Schema.Classes); err != nil {
				return nil, err
			}
			want.Classes = o.Schema.Classes
		}
	}
	if have.compatible(&want) == nil {
		return s, nil
	}
	return &adapted{base: s, schema: &want, class: class}, nil
}

// classMap gives the index in to of every class of from.
func classMap(from, to []string) ([]int32, error) {
	class := make([]int32, len(from))
	names := map[int]string{} // of from, by the class in to
	for k, name := range from {
		i, ok := classOrFolder(to, name)
		if !ok {
			return nil, fmt.Errorf("class %q is unknown, expected one of %s; remove it, or fit a model that knows it", name, quoted(to))
		}
		if other, taken := names[i]; taken {
			return nil, fmt.Errorf("classes %q and %q would both be the model's %q; rename one of them", other, name, to[i])
		}
		names[i] = name
		class[k] = int32(i)
	}
	return class, nil
}

// adapted shows the pictures of base in another schema.
type adapted struct {
	base   Set
	schema *Schema
	class  []int32 // class of base -> class of schema; nil where they are the same
}

func (a *adapted) Len() int        { return a.base.Len() }
func (a *adapted) Schema() *Schema { return a.schema }

func (a *adapted) Labels(ctx context.Context) ([]int32, error) {
	y, err := Labels(ctx, a.base)
	if err != nil || a.class == nil {
		return y, err
	}
	out := make([]int32, len(y))
	for i, k := range y {
		out[i] = a.class[k]
	}
	return out, nil
}

// Read resamples in 8 bits: raw pixels go to 0..255, through resize, and to the range of the schema. A picture whose shape
// stays goes to the new range directly. Pixels stay whole numbers in either case.
func (a *adapted) Read(ctx context.Context, dst Batch, index []int) error {
	if err := checkRead(a, dst, index); err != nil {
		return err
	}
	from, to := a.base.Schema(), a.schema
	src := NewBatch(from.Shape, len(index), dst.Y != nil)
	if err := a.base.Read(ctx, src, index); err != nil {
		return err
	}
	for i, k := range src.Y {
		dst.Y[i] = k
		if a.class != nil {
			dst.Y[i] = a.class[k]
		}
	}
	if from.Shape == to.Shape {
		rescale(dst.X, src.X, to.MaxValue, from.MaxValue)
		return nil
	}
	in, out := make([]uint8, from.Size()), make([]uint8, to.Size())
	for i := range index {
		for j, v := range src.Row(i) {
			in[j] = uint8(math.RoundToEven(float64(v) * 255 / float64(from.MaxValue)))
		}
		flatten(out, resize(inflate(in, from.Shape), to.Shape), to.Shape)
		pixels8(out).float(dst.Row(i), 0)
		rescale(dst.Row(i), dst.Row(i), to.MaxValue, 255)
	}
	return ctx.Err()
}

func (a *adapted) File(i int) string { return File(a.base, i) }

// rescale takes pixels from 0..fromMax to 0..toMax, rounded to whole numbers.
func rescale(dst, src []float32, toMax, fromMax float32) {
	if toMax == fromMax {
		copy(dst, src)
		return
	}
	for i, v := range src {
		dst[i] = float32(math.RoundToEven(float64(v) * float64(toMax) / float64(fromMax)))
	}
}
