package main

import (
	"context"
	"fmt"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// runEncode writes the place of each example in the latent space of a model.
func (a *app) runEncode(ctx context.Context, m model.Model, file *model.File, path, arg string, f predictFlags) error {
	encoder, ok := m.(model.Encoder)
	if !ok {
		return usagef("%s holds the model %s, which has no encoder; expected one such as vae or ppca", path, file.Card.Name)
	}
	set, err := a.openForCodes(ctx, arg, file.Card.Schema, isConditional(m), f.skipBad)
	if err != nil {
		return err
	}
	schema := codeSchema(encoder.LatentSize(), set.Schema())
	if most := mostSamples(schema); int64(set.Len()) > most {
		return fmt.Errorf("%s: the places of %s do not fit in %s of memory; expected at most %d examples", arg, count(set.Len()), size(maxSampleBytes), most)
	}
	if isArray(f.out) && schema.Labelled() {
		if err := checkOut(classArray(f.out)); err != nil {
			return err
		}
	}
	codes, err := encodeAll(ctx, encoder, set, schema, isConditional(m))
	if err != nil {
		return err
	}
	e := exhibit{batch: codes}
	if data.File(set, 0) != "" {
		e.before = []column{{"file", data.Categorical, func(i int) string { return data.File(set, i) }}}
	}
	if err := a.writeExhibit(ctx, f.out, schema, e); err != nil {
		return err
	}
	if f.out != "" {
		a.note("wrote %s of %s to %s, seed %d", plural(codes.Len(), "place", "places"), plural(schema.Size(), "dimension", "dimensions"), f.out, a.seed)
	}
	if !a.json {
		return nil
	}
	object := map[string]any{"model": file.Card.Name, "n": codes.Len(), "latent_size": schema.Size(), "seed": a.seed}
	if f.out != "" {
		object["out"] = f.out
		return a.printJSON(object)
	}
	list := make([]codeOf, codes.Len())
	for i := range list {
		list[i] = codeOf{File: data.File(set, i), Code: codes.Row(i)}
		if codes.Y != nil {
			list[i].Label = schema.Classes[codes.Y[i]]
		}
	}
	object["codes"] = list
	return a.printJSON(object)
}

// codeOf is one example's object in JSON.
type codeOf struct {
	File  string    `json:"file,omitempty"`
	Label string    `json:"label,omitempty"`
	Code  []float32 `json:"code"`
}

// openForCodes opens data in the terms of a model, with labels: a model of p(x|y) needs them and knows them. For another they only go
// beside the codes, and are those that the data itself has.
func (a *app) openForCodes(ctx context.Context, arg string, fitted *data.Schema, conditional, skipBad bool) (data.Set, error) {
	schema := *fitted
	if !conditional {
		schema.Classes = nil
		if schema.IsImage() {
			what, _ := data.Parse(arg)
			own, err := data.Open(ctx, what, data.Options{Height: schema.Height, Width: schema.Width, Channels: schema.Channels, SkipBad: skipBad})
			if err != nil {
				return nil, dataError(err)
			}
			schema.Classes = own.All.Schema().Classes
		}
	}
	source, set, err := a.openPart(ctx, arg, data.Options{Schema: &schema, SkipBad: skipBad})
	if err == nil && conditional && !set.Schema().Labelled() {
		err = unlabelledError(source, fitted)
	}
	return set, err
}

// codeSchema is that of a table of places with the labels of a set, in columns z1 and on.
func codeSchema(size int, of *data.Schema) *data.Schema {
	s := &data.Schema{Shape: data.Shape{Height: 1, Width: 1, Channels: size}, Classes: of.Classes, Label: of.Label}
	for j := range size {
		s.Columns = append(s.Columns, data.Column{Name: fmt.Sprint("z", j+1), Kind: data.Numeric})
	}
	return s
}

// encodeAll finds the places of a whole set, with its labels where the table of places has them.
func encodeAll(ctx context.Context, m model.Encoder, set data.Set, schema *data.Schema, conditional bool) (data.Batch, error) {
	codes := data.NewBatch(schema.Shape, set.Len(), schema.Labelled())
	err := data.Each(ctx, set, func(first int, x data.Batch) error {
		part := codes.Slice(first, first+x.Len())
		copy(part.Y, x.Y)
		y := x.Y
		if !conditional {
			y = nil
		}
		if err := m.Encode(part.X, x, y); err != nil {
			return err
		}
		return ctx.Err()
	})
	return codes, err
}
