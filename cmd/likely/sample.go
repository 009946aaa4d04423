package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/internal/suggest"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

type sampleFlags struct {
	n        int
	class    string
	settings []string
	nearest  string
	latentFlags
	out string
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
divide evenly, or of rows a plot of each pair of columns; NAME.csv or
NAME.parquet a table, the label its last column; NAME.npy an array of numpy; any
other name is a folder of PNG files, with a folder, new or empty, for each
class. Without --out pictures go to samples.png and tables to standard output.

The array has the rows of a table as float32 (n, columns), and pictures as uint8
(n, height, width, channels) in the values of the data, such as 0 to 255. The
names of the classes, where there are any, are texts in NAME.labels.npy.

--nearest DATA shows beside each sample the example of DATA that is nearest to
it, so that a copy is seen: the Euclidean distance of pixels, or of columns
scaled to sd 1.

A model with a latent space, such as vae or gan, shows it in other ways:

--interpolate A,B walks from A to B, and on to C where one is named. Each is the
number of an example of --data, from 1, a picture file, or the word random, a
draw from the model's prior. --out NAME.gif makes it move.

--traverse shows what single dimensions of the latent do: a row for each of -n,
from -3 to 3, or where the prior is learned from three of its standard
deviations below its mean to three above. With --data it takes those whose codes
vary most there, else the first.

--reconstruct shows -n examples of --data, each beside what the model makes of
its code.`,
		Example: `  likely sample vae.safetensors -n 100 --class all --out page.png
  likely sample gaussian.safetensors -n 1000 --seed 7 --out rows.csv
  likely sample flow.safetensors -n 2000 --out plots.png
  likely sample vae.safetensors --interpolate 3,17 --data digits --out walk.gif
  likely sample vae.safetensors --reconstruct --data digits:test
  likely sample gan.safetensors -n 20 --nearest photos --out copies.png`,
		Args: words(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runSample(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVarP(&f.n, "number", "n", 0, "how many, `N` in all; 0 for 10 of each class, or 100")
	flags.StringVar(&f.class, "class", "", "`class` to draw, or all")
	flags.StringArrayVar(&f.settings, "set", nil, "a sampling option of the model, `name=value`")
	flags.StringVar(&f.nearest, "nearest", "", "show beside each sample the nearest example of `DATA`")
	f.latentFlags.add(flags)
	flags.StringVar(&f.out, "out", "", "page, animation, table, array or folder, by its `name`")
	return cmd
}

// check looks at the words that need no model.
func (f *sampleFlags) check() error {
	switch {
	case f.n < 0:
		return usagef("-n is %d, expected at least 1", f.n)
	case slices.Contains([]string{".jpg", ".jpeg"}, filepath.Ext(f.out)): // no names of folders
		return usagef("--out %s: expected a name that ends in .png, .gif, .csv, .parquet or .npy, or a folder", f.out)
	case strings.HasSuffix(f.out, ".gif") && f.interpolate == "":
		return usagef("--out %s: only --interpolate moves; expected a name that ends in .png or .csv, or a folder", f.out)
	}
	if err := f.latentFlags.check(f); err != nil {
		return err
	}
	switch {
	case f.nearest != "" && f.out != "" && (!isFileName(f.out) || isArray(f.out)):
		return usagef("--out %s: with --nearest expected a name that ends in .png, .csv or .parquet", f.out)
	case f.out == "" || isFileName(f.out):
		return checkOut(f.out)
	}
	return checkOutFolder("--out", f.out)
}

// checkRows looks at --out of a model of table rows.
func (f *sampleFlags) checkRows(path string, schema *data.Schema) error {
	plot := strings.HasSuffix(f.out, ".png")
	switch {
	case plot && (f.mode() != "" || f.nearest != ""):
		return usagef("--out %s: %s was fitted to a table, and a plot shows samples alone; expected a name that ends in .csv or .parquet", f.out, path)
	case plot && len(report.CornerColumns(schema)) == 0:
		return usagef("--out %s: a plot shows columns of numbers, and %s has none; expected a name that ends in .csv or .parquet", f.out, path)
	case f.out != "" && !plot && !isTable(f.out) && !isArray(f.out):
		return usagef("--out %s: %s was fitted to a table, whose samples are rows; expected a name that ends in .csv, .parquet, .npy or .png", f.out, path)
	}
	return nil
}

func (a *app) runSample(ctx context.Context, path string, f sampleFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	m, file, err := a.load(path)
	if err != nil {
		return err
	}
	if m, err = tune(m, path, f.settings); err != nil {
		return err
	}
	schema := file.Card.Schema
	if !schema.IsImage() {
		if err := f.checkRows(path, schema); err != nil {
			return err
		}
	}
	for _, c := range schema.Columns {
		if c.Kind == data.Categorical && isArray(f.out) {
			return usagef("--out %s: column %q is of categories, which an array of numbers has no place for; expected a name that ends in .csv or .parquet",
				f.out, c.Name)
		}
	}
	if f.mode() != "" {
		return a.runLatent(ctx, m, path, file, f)
	}
	if most := mostSamples(schema); int64(f.n) > most {
		return usagef("-n is %d: so many samples do not fit in %s of memory; expected at most %d at once, more with other seeds",
			f.n, size(maxSampleBytes), most)
	}
	y, err := order(m, path, schema, f.n, f.class)
	if err != nil {
		return err
	}
	if f.out == "" && schema.IsImage() {
		f.out = "samples.png"
	}
	if f.out != "" && !isFileName(f.out) {
		if err := checkEmptyFor(f.out, y.names(schema)); err != nil {
			return err
		}
	}
	labels := ""
	if isArray(f.out) && y.classes != nil {
		labels = classArray(f.out)
		if err := checkOut(labels); err != nil {
			return err
		}
	}
	var near *nearest
	if f.nearest != "" {
		if near, err = a.openNearest(ctx, f.nearest, schema); err != nil {
			return err
		}
	}
	a.note("drawing %s from %s, seed %d", plural(y.n, "example", "examples"), file.Card.Name, a.seed)
	b, err := draw(ctx, m, schema, y, rand.New(rand.NewPCG(a.seed, 0)))
	if err != nil {
		return err
	}
	e := exhibit{batch: b, grid: gridOptions(schema, b)}
	if near != nil {
		a.note("looking for the nearest of %s", plural(near.set.Len(), "example", "examples"))
		if err := near.find(ctx, b); err != nil {
			return err
		}
		e = near.exhibit(schema, b)
		if isTable(f.out) || !schema.IsImage() {
			e.batch = b
		}
	}
	if err := a.writeExhibit(ctx, f.out, schema, e); err != nil {
		return err
	}
	switch {
	case a.json:
		object := map[string]any{"model": file.Card.Name, "n": b.Len(), "shape": schema.Dims(), "seed": a.seed}
		if f.out != "" {
			object["out"] = f.out
		}
		if labels != "" {
			object["labels"] = labels
		}
		if y.classes != nil {
			object["classes"] = y.names(schema)
		}
		if near != nil {
			object["nearest"] = near.json()
		}
		return a.printJSON(object)
	case f.out != "":
		closest := ""
		if near != nil {
			closest = near.closest()
		}
		return a.facts("model", file.Card.Name, "seed", fmt.Sprint(a.seed), "examples", count(b.Len()), "closest", closest, "written", f.out, "labels", labels)
	}
	return nil
}

// maxSampleBytes bounds the memory of the samples of one call, which are drawn before they are written.
const maxSampleBytes = 4_000_000_000

// mostSamples is how many samples of a schema there may be in one call: float32 values and an int32 class each.
func mostSamples(schema *data.Schema) int64 { return maxSampleBytes / int64(4*(schema.Size()+1)) }

// isFileName reports whether --out names one file, as opposed to a folder.
func isFileName(out string) bool {
	return isTable(out) || isArray(out) || strings.HasSuffix(out, ".png") || strings.HasSuffix(out, ".gif")
}

func isTable(out string) bool {
	return strings.HasSuffix(out, ".csv") || strings.HasSuffix(out, ".parquet")
}
func isArray(out string) bool { return strings.HasSuffix(out, ".npy") }

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

// isConditional reports whether a generative model is of p(x|y).
func isConditional(m model.Model) bool {
	c, ok := m.(model.CondSampler)
	return ok && c.Classes() > 0
}

// order decides which classes to draw. The classes of all come in order, in equal shares as far as n allows.
func order(m model.Model, path string, schema *data.Schema, number int, class string) (wish, error) {
	conditional := isConditional(m)
	_, free := m.(model.Sampler)
	switch {
	case !conditional && !free:
		return wish{}, usagef("the model of %s cannot be drawn from; expected a generative model", path)
	case !conditional && class != "":
		return wish{}, usagef("--class %s: the model of %s is of p(x), without classes", class, path)
	case !conditional:
		return wish{n: orElse(number, 100)}, nil
	}
	k := len(schema.Classes)
	index, known := schema.Class(class)
	switch {
	case known: // a class that is called "all" is meant by its name
		w := wish{n: orElse(number, 100)}
		w.classes = make([]int32, w.n)
		for i := range w.classes {
			w.classes[i] = int32(index)
		}
		return w, nil
	case class == "" || class == "all":
		w := wish{n: orElse(number, 10*k)}
		for i := range w.n {
			w.classes = append(w.classes, int32(i*k/w.n))
		}
		return w, nil
	}
	return wish{}, unknownClass(class, path, schema, "all or one of ")
}

func unknownClass(class, path string, schema *data.Schema, expected string) error {
	hint := suggest.Hint(class, schema.Classes)
	if hint == "" {
		hint = ", expected " + expected + clip(strings.Join(schema.Classes, ", "), 200)
	}
	return usagef("unknown class %q of %s%s", class, path, hint)
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

// exhibit is examples as they are shown: in a page of pictures, laid out by grid, or as rows of a table with columns before.
type exhibit struct {
	batch  data.Batch
	grid   report.GridOptions
	before []column
}

// writeExhibit writes examples in the form that the name of out asks for; "" is a table on standard output.
func (a *app) writeExhibit(ctx context.Context, out string, schema *data.Schema, e exhibit) error {
	table := func(w io.Writer) error { return writeTable(w, schema, e.batch, e.before...) }
	switch {
	case out == "" && a.json:
		return nil
	case out == "":
		return table(a.stdout)
	case strings.HasSuffix(out, ".csv"):
		return atomicfile.Write(out, table)
	case strings.HasSuffix(out, ".parquet"):
		return atomicfile.Write(out, func(w io.Writer) error {
			return writeParquet(ctx, w, tableColumns(schema, e.batch, e.before), e.batch.Len())
		})
	case isArray(out):
		if e.batch.Y != nil { // first: where there is an array, its classes are there
			err := atomicfile.Write(classArray(out), func(w io.Writer) error { return writeClassArray(w, schema.Classes, e.batch.Y) })
			if err != nil {
				return err
			}
		}
		return atomicfile.Write(out, func(w io.Writer) error { return writeArray(w, schema, e.batch) })
	case strings.HasSuffix(out, ".png") && !schema.IsImage():
		if shown := len(report.CornerColumns(schema)); shown < schema.Size() {
			a.note("the plot shows %d of %d columns, the first that are of numbers", shown, schema.Size())
		}
		return atomicfile.Write(out, func(w io.Writer) error { return report.Corner(w, schema, e.batch) })
	case strings.HasSuffix(out, ".png"):
		return atomicfile.Write(out, func(w io.Writer) error { return report.Grid(w, e.batch, e.grid) })
	}
	return writeFolder(ctx, out, schema, e.batch)
}
