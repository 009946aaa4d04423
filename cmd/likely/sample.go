package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/internal/suggest"
	"github.com/likely-ml/likely/model"
)

type sampleFlags struct {
	n        int
	class    string
	settings []string
	out      string
}

func (a *app) sample() *cobra.Command {
	var f sampleFlags
	cmd := &cobra.Command{
		Use:   "sample FILE",
		Short: "Draw new pictures or rows from a generative model",
		Long: `sample draws x from the model of FILE: from p(x|y) of one class with --class
NAME, of all classes in equal shares with --class all, which is also what a
conditional model does without the flag, and else from p(x).

--out NAME.png writes one page of pictures, a row for each class where they
divide evenly; NAME.csv a table; any other name is a folder of PNG files, with
a folder, new or empty, for each class. Without --out pictures go to samples.png
and tables to standard output.`,
		Example: `  likely sample vae.safetensors -n 100 --class all --out page.png
  likely sample gaussian.safetensors -n 1000 --seed 7 --out rows.csv`,
		Args: words(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runSample(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVarP(&f.n, "number", "n", 0, "how many, `N` in all; 0 for 10 of each class, or 100")
	flags.StringVar(&f.class, "class", "", "`class` to draw, or all")
	flags.StringArrayVar(&f.settings, "set", nil, "a sampling option of the model, `name=value`")
	flags.StringVar(&f.out, "out", "", "PNG page, CSV table or folder, by its `name`")
	return cmd
}

func (a *app) runSample(ctx context.Context, path string, f sampleFlags) error {
	switch {
	case f.n < 0:
		return usagef("-n is %d, expected at least 1", f.n)
	case strings.HasSuffix(f.out, ".parquet") || strings.HasSuffix(f.out, ".npy"):
		return usagef("--out %s: expected a name that ends in .png or .csv, or a folder", f.out)
	case f.out != "" && !isFileName(f.out):
		if err := checkOutFolder("--out", f.out); err != nil {
			return err
		}
	case f.out != "":
		if err := checkOut(f.out); err != nil {
			return err
		}
	}
	m, file, err := a.load(path)
	if err != nil {
		return err
	}
	if m, err = tune(m, path, f.settings); err != nil {
		return err
	}
	schema := file.Card.Schema
	if most := mostSamples(schema); int64(f.n) > most {
		return usagef("-n is %d: so many samples do not fit in %s of memory; expected at most %d at once, more with other seeds",
			f.n, size(maxSampleBytes), most)
	}
	y, err := order(m, path, schema, f)
	if err != nil {
		return err
	}
	if f.out == "" && schema.IsImage() {
		f.out = "samples.png"
	}
	if strings.HasSuffix(f.out, ".png") && !schema.IsImage() {
		return usagef("--out %s: %s was fitted to a table, whose samples are rows; expected a name that ends in .csv", f.out, path)
	}
	a.note("drawing %s from %s, seed %d", plural(y.n, "example", "examples"), file.Card.Name, a.seed)
	b, err := draw(ctx, m, schema, y, rand.New(rand.NewPCG(a.seed, 0)))
	if err != nil {
		return err
	}
	if err := a.writeSamples(ctx, f.out, schema, b); err != nil {
		return err
	}
	switch {
	case a.json:
		object := map[string]any{"model": file.Card.Name, "n": b.Len(), "shape": schema.Dims(), "seed": a.seed}
		if f.out != "" {
			object["out"] = f.out
		}
		if y.classes != nil {
			object["classes"] = y.names(schema)
		}
		return a.printJSON(object)
	case f.out != "":
		return a.facts("model", file.Card.Name, "seed", fmt.Sprint(a.seed), "examples", count(b.Len()), "written", f.out)
	}
	return nil
}

// maxSampleBytes bounds the memory of the samples of one call, which are drawn before they are written.
const maxSampleBytes = 4_000_000_000

// mostSamples is how many samples of a schema there may be in one call: float32 values and an int32 class each.
func mostSamples(schema *data.Schema) int64 { return maxSampleBytes / int64(4*(schema.Size()+1)) }

// isFileName reports whether --out names one file, as opposed to a folder.
func isFileName(out string) bool {
	return strings.HasSuffix(out, ".csv") || strings.HasSuffix(out, ".png")
}

// tune sets the sampling options of a model.
func tune(m model.Model, path string, settings []string) (model.Model, error) {
	if len(settings) == 0 {
		return m, nil
	}
	t, ok := m.(model.Tunable)
	if !ok {
		return nil, usagef("--set %s: the model of %s has no sampling options", settings[0], path)
	}
	options := t.Options()
	for _, s := range settings {
		if err := model.Set(options, s); err != nil {
			return nil, usagef("--set: %w", err)
		}
	}
	return t.Tune(options)
}

// wish is what to draw: n examples, of the classes given or, where that is nil, of p(x).
type wish struct {
	n       int
	classes []int32
}

// names lists the classes that are drawn.
func (w wish) names(schema *data.Schema) []string {
	var list []string
	for i, k := range w.classes {
		if i == 0 || k != w.classes[i-1] {
			list = append(list, schema.Classes[k])
		}
	}
	return list
}

// order decides which classes to draw. The classes of all come in order, in equal shares as far as n allows.
func order(m model.Model, path string, schema *data.Schema, f sampleFlags) (wish, error) {
	c, ok := m.(model.CondSampler)
	conditional := ok && c.Classes() > 0
	_, free := m.(model.Sampler)
	switch {
	case !conditional && !free:
		return wish{}, usagef("the model of %s cannot be drawn from; expected a generative model", path)
	case !conditional && f.class != "":
		return wish{}, usagef("--class %s: the model of %s is of p(x), without classes", f.class, path)
	case !conditional:
		return wish{n: orElse(f.n, 100)}, nil
	}
	k := len(schema.Classes)
	index, known := schema.Class(f.class)
	switch {
	case known: // a class that is called "all" is meant by its name
		w := wish{n: orElse(f.n, 100)}
		w.classes = make([]int32, w.n)
		for i := range w.classes {
			w.classes[i] = int32(index)
		}
		return w, nil
	case f.class == "" || f.class == "all":
		w := wish{n: orElse(f.n, 10*k)}
		for i := range w.n {
			w.classes = append(w.classes, int32(i*k/w.n))
		}
		return w, nil
	}
	hint := suggest.Hint(f.class, schema.Classes)
	if hint == "" {
		hint = ", expected all or one of " + clip(strings.Join(schema.Classes, ", "), 200)
	}
	return wish{}, usagef("unknown class %q of %s%s", f.class, path, hint)
}

func orElse(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// draw draws in pieces, so that it can be interrupted and needs little memory beside the result.
func draw(ctx context.Context, m model.Model, schema *data.Schema, w wish, r *rand.Rand) (data.Batch, error) {
	const piece = 256
	b := data.NewBatch(schema.Shape, w.n, false)
	b.Y = w.classes
	for lo := 0; lo < w.n; lo += piece {
		if err := ctx.Err(); err != nil {
			return b, err
		}
		part := b.Slice(lo, min(lo+piece, w.n))
		var err error
		if part.Y != nil {
			err = m.(model.CondSampler).SampleGiven(part, part.Y, r)
		} else {
			err = m.(model.Sampler).Sample(part, r)
		}
		if err != nil {
			return b, err
		}
	}
	return b, nil
}

// writeSamples writes samples in the form that the name of out asks for; "" is a table on standard output.
func (a *app) writeSamples(ctx context.Context, out string, schema *data.Schema, b data.Batch) error {
	switch {
	case out == "" && a.json:
		return nil
	case out == "":
		return writeTable(a.stdout, schema, b)
	case strings.HasSuffix(out, ".csv"):
		return atomicfile.Write(out, func(w io.Writer) error { return writeTable(w, schema, b) })
	case strings.HasSuffix(out, ".png"):
		return atomicfile.Write(out, func(w io.Writer) error { return writePage(w, schema, b) })
	case schema.IsImage():
		return writeFolder(ctx, out, schema, b)
	}
	return atomicfile.Write(filepath.Join(out, "samples.csv"), func(w io.Writer) error { return writeTable(w, schema, b) })
}
