package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/augment"
	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
)

type augmentFlags struct {
	with     string
	perClass int
	n        int
	settings []string
	skipBad  bool
	out      string
}

func (a *app) augment() *cobra.Command {
	var f augmentFlags
	cmd := &cobra.Command{
		Use:   "augment DATA --with FILE",
		Short: "Enlarge a data set with drawn examples, or study if that helps",
		Long: `augment writes DATA enlarged by examples drawn from the model of --with FILE.

Pictures go to a folder of class folders, as real-00001.png and on and
synthetic-00001.png and on, with manifest.csv. Rows go to a table whose column
"synthetic" is 1 for those drawn; leave it out by --ignore synthetic when you
fit. Provenance.json says what the set was made of.

What is enlarged is the train part: that of DATA or, where the model was fitted
to DATA and a part was held out, what was not. The test part is written beside
it as it is, DIR/test or NAME.test.csv, so that it stays free of examples that
were made from it. DATA:all enlarges all of it.

"likely augment study" measures whether it helps.`,
		Example: `  likely augment photos --with vae.safetensors --per-class 500 --out enlarged
  likely augment rows.csv --with mixture.safetensors --out enlarged.csv`,
		Args:              words(1, 1),
		ValidArgsFunction: completeWords(false),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.runAugment(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.with, "with", "", "model `FILE` of a generative model")
	flags.IntVar(&f.perClass, "per-class", 0, "synthetic examples of each class, `N`; 0 for as many as real ones")
	flags.IntVarP(&f.n, "number", "n", 0, "synthetic examples in all, `N`, of a model without classes")
	flags.StringArrayVar(&f.settings, "set", nil, "a sampling option of the model, `name=value`")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "leave out pictures that cannot be read, and count them")
	flags.StringVar(&f.out, "out", "", "new folder, or `name` that ends in .csv; enlarged or enlarged.csv")
	cmd.AddCommand(a.augmentStudy())
	return cmd
}

// provenance is the content of provenance.json.
type provenance struct {
	Model           string         `json:"model"`
	ModelFile       string         `json:"model_file"`   // base name
	ModelSHA256     string         `json:"model_sha256"` // of the file
	ModelFittedTo   string         `json:"model_fitted_to"`
	ModelData       string         `json:"model_data_fingerprint"`
	Data            string         `json:"data"`
	DataFingerprint string         `json:"data_fingerprint"`
	Part            string         `json:"part"`
	Seed            uint64         `json:"seed"`
	Settings        []string       `json:"settings"`
	Real            int            `json:"real"`
	Synthetic       int            `json:"synthetic"`
	SyntheticOf     map[string]int `json:"synthetic_per_class,omitempty"`
	Test            int            `json:"test"`
	Likely          string         `json:"likely_version"`
}

// enlarged is a set to write.
type enlarged struct {
	real, synthetic data.Set
	test            data.Set // nil for none
	provenance      provenance
}

func (a *app) runAugment(ctx context.Context, arg string, f augmentFlags) error {
	switch {
	case f.with == "":
		return usagef("augment needs the model to draw from: --with FILE")
	case f.perClass < 0:
		return usagef("--per-class is %d, expected at least 1", f.perClass)
	case f.n < 0:
		return usagef("-n is %d, expected at least 1", f.n)
	}
	m, file, err := a.load(f.with)
	if err != nil {
		return err
	}
	if m, err = tune(m, f.with, f.settings); err != nil {
		return err
	}
	schema := file.Card.Schema
	if err := f.checkOut(schema); err != nil {
		return err
	}
	source, split, err := a.open(ctx, arg, data.Options{Schema: schema, SkipBad: f.skipBad})
	if err != nil {
		return err
	}
	if !schema.Labelled() { // a known set or class folders keep labels that the fit ignored
		dropLabels(source)
	}
	e, err := enlargedParts(ctx, source, split, file.Card.Provenance)
	if err != nil {
		return err
	}
	y, n, err := f.wanted(ctx, m, schema, e.real)
	if err != nil {
		return err
	}
	if most := mostSamples(schema); int64(n) > most {
		return usagef("%d synthetic examples do not fit in %s of memory; expected at most %d", n, size(maxSampleBytes), most)
	}
	a.note("drawing %s from %s for %s, seed %d", plural(n, "example", "examples"), file.Card.Name, e.provenance.Part, a.seed)
	if e.test == nil {
		a.note("no test part is held out: evaluate on other real data, for a part of this set would have synthetic examples in it")
	}
	if e.synthetic, err = augment.Draw(ctx, m, schema, n, y, rand.New(rand.NewPCG(a.seed, 0))); err != nil {
		return err
	}
	if err := e.describe(f, file, y, a.seed); err != nil {
		return err
	}
	if schema.IsImage() {
		err = atomicfile.Folder(f.out, func(dir string) error { return e.writePictures(ctx, dir) })
	} else {
		err = e.writeTables(ctx, f.out)
	}
	if err != nil {
		return err
	}
	p := e.provenance
	if a.json {
		return a.printJSON(struct {
			Out string `json:"out"`
			provenance
		}{f.out, p})
	}
	return a.facts("real", count(p.Real), "synthetic", count(p.Synthetic), "test", count(p.Test), "seed", fmt.Sprint(p.Seed), "written", f.out)
}

// checkOut fills in the name to write to, and reports why nothing can be written there.
func (f *augmentFlags) checkOut(schema *data.Schema) error {
	switch isTable := strings.HasSuffix(f.out, ".csv"); {
	case f.out == "" && schema.IsImage():
		f.out = "enlarged"
	case f.out == "":
		f.out = "enlarged.csv"
	case schema.IsImage() && isTable:
		return usagef("--out %s: %s makes pictures, expected the name of a new folder", f.out, f.with)
	case !schema.IsImage() && !isTable:
		return usagef("--out %s: %s makes rows, expected a name that ends in .csv", f.out, f.with)
	}
	files := []string{f.out}
	if !schema.IsImage() {
		files = append(files, beside(f.out, ".test.csv"), beside(f.out, ".provenance.json"))
		if slices.ContainsFunc(schema.Columns, func(c data.Column) bool { return c.Name == syntheticColumn }) || schema.Label == syntheticColumn {
			return fmt.Errorf("the table of %s has a column %q already; rename it, and fit the model again", f.with, syntheticColumn)
		}
	}
	for _, path := range files {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--out %s: %s exists already; choose another name, or remove it", f.out, path)
		}
	}
	return checkOut(f.out)
}

// beside is the name of a file that belongs to a CSV file.
func beside(table, suffix string) string { return strings.TrimSuffix(table, ".csv") + suffix }

// syntheticColumn says which rows of an enlarged table were drawn.
const syntheticColumn = "synthetic"

// enlargedParts decides what is enlarged and what is kept apart as the test part.
func enlargedParts(ctx context.Context, s *data.Source, split string, p model.Provenance) (e enlarged, err error) {
	name := filepath.Base(s.Name)
	e.provenance.Data = name
	if e.provenance.DataFingerprint, err = data.Fingerprint(ctx, s.All); err != nil {
		return e, err
	}
	same := e.provenance.DataFingerprint == p.Fingerprint
	switch {
	case split == "test":
		return e, usagef("an enlarged test part would measure nothing; expected %s or %s:all", s.Name, s.Name)
	case split != "all" && s.HasTest():
		e.real, e.test, e.provenance.Part = s.Train, s.Test, "the train part of "+name
		if same && p.Part == "all" {
			return e, fmt.Errorf("the model was fitted to all of %s, so that examples drawn from it tell of the test part; fit it to the train part, or enlarge %s:all",
				s.Name, s.Name)
		}
	case split != "all" && same && p.TestFraction > 0:
		e.real, e.test, err = data.Split(ctx, s.All, p.TestFraction, p.Seed)
		e.provenance.Part = fmt.Sprintf("the %g%% of %s that fit did not hold out", 100-100*p.TestFraction, name)
	case split == "train":
		return e, fmt.Errorf("%s has no train part: neither its own nor one that the fit made; expected %s:all", s.Name, s.Name)
	default:
		e.real, e.provenance.Part = s.All, "all of "+name
	}
	return e, err
}

// wanted decides which examples to draw: their classes, nil where the model has none, and their number.
func (f *augmentFlags) wanted(ctx context.Context, m model.Model, schema *data.Schema, real data.Set) (y []int32, n int, err error) {
	conditional := isConditional(m)
	_, free := m.(model.Sampler)
	switch {
	case !conditional && !free:
		return nil, 0, usagef("the model of %s cannot be drawn from; expected a generative model", f.with)
	case !conditional && f.perClass > 0:
		return nil, 0, usagef("--per-class: the model of %s is of p(x), without classes; expected -n", f.with)
	case conditional && f.n > 0:
		return nil, 0, usagef("-n: the model of %s has classes; expected --per-class", f.with)
	case conditional && !real.Schema().Labelled():
		return nil, 0, fmt.Errorf("the model of %s draws examples with a class, but the data has no labels; expected them, or a model fitted with --unconditional", f.with)
	case !conditional:
		return nil, orElse(f.n, real.Len()), nil
	case f.perClass > 0:
		if n = f.perClass * len(schema.Classes); n/len(schema.Classes) != f.perClass {
			return nil, 0, usagef("--per-class is %d, expected fewer", f.perClass)
		}
		if int64(n) > mostSamples(schema) {
			return nil, n, nil // the caller reports it; a list of so many labels does not fit either
		}
		return augment.Balanced(len(schema.Classes), f.perClass), n, nil
	}
	labels, err := data.Labels(ctx, real)
	if err != nil {
		return nil, 0, err
	}
	y = slices.Clone(labels)
	slices.Sort(y)
	return y, len(y), nil
}

// describe fills in the provenance.
func (e *enlarged) describe(f augmentFlags, file *model.File, y []int32, seed uint64) error {
	content, err := os.ReadFile(f.with)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	card, p := file.Card, &e.provenance
	p.Model, p.ModelFile, p.ModelSHA256 = card.Name, filepath.Base(f.with), hex.EncodeToString(sum[:])
	p.ModelFittedTo, p.ModelData = card.Provenance.Data, card.Provenance.Fingerprint
	p.Seed, p.Settings, p.Likely = seed, append([]string{}, f.settings...), model.Version
	p.Real, p.Synthetic = e.real.Len(), e.synthetic.Len()
	if e.test != nil {
		p.Test = e.test.Len()
	}
	if y != nil {
		p.SyntheticOf = map[string]int{}
		for _, k := range y {
			p.SyntheticOf[card.Schema.Classes[k]]++
		}
	}
	return nil
}

func (e *enlarged) writeProvenance(w io.Writer) error {
	j := json.NewEncoder(w)
	j.SetEscapeHTML(false)
	j.SetIndent("", "  ")
	return j.Encode(e.provenance)
}

// writePictures fills a folder: class folders, in train/ and test/ where there is a test part; manifest.csv; provenance.json.
func (e *enlarged) writePictures(ctx context.Context, dir string) error {
	var manifest strings.Builder
	rows := csv.NewWriter(&manifest)
	rows.Write([]string{"file", "class", "synthetic", "source"}) // a strings.Builder takes everything
	train := ""
	if e.test != nil {
		train = "train"
		if err := writeNamed(ctx, dir, "test", "real", e.test, rows); err != nil {
			return err
		}
	}
	if err := writeNamed(ctx, dir, train, "real", e.real, rows); err != nil {
		return err
	}
	if err := writeNamed(ctx, dir, train, "synthetic", e.synthetic, rows); err != nil {
		return err
	}
	rows.Flush()
	if err := os.WriteFile(filepath.Join(dir, "manifest.csv"), []byte(manifest.String()), 0o644); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "provenance.json"), e.writeProvenance)
}

// writeNamed writes pictures to class folders of dir/part, as KIND-00001.png and on in each, and a row of the manifest for each.
func writeNamed(ctx context.Context, dir, part, kind string, s data.Set, manifest *csv.Writer) error {
	schema := s.Schema()
	drawn := "0"
	if kind == "synthetic" {
		drawn = "1"
	}
	folders := []string{""}
	for i, class := range schema.Classes {
		if i == 0 {
			folders = nil
		}
		folders = append(folders, data.FolderName(class))
	}
	for _, folder := range folders {
		if err := os.MkdirAll(filepath.Join(dir, part, folder), 0o755); err != nil {
			return err
		}
	}
	written := make([]int, len(folders))
	return data.Each(ctx, s, func(first int, b data.Batch) error {
		for i := range b.Len() {
			k, class := 0, ""
			if b.Y != nil {
				k, class = int(b.Y[i]), schema.Classes[b.Y[i]]
			}
			written[k]++
			name := filepath.Join(part, folders[k], fmt.Sprintf("%s-%05d.png", kind, written[k]))
			if err := writePNG(filepath.Join(dir, name), schema, b.Row(i)); err != nil {
				return err
			}
			manifest.Write([]string{filepath.ToSlash(name), class, drawn, data.File(s, first+i)})
		}
		return nil
	})
}

// writePNG writes a picture to a new file.
func writePNG(path string, schema *data.Schema, x []float32) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, toImage(schema, x)), f.Close())
}

// writeTables writes the test part and the provenance beside path and then path itself, so that where it is, they are. If
// one cannot be written, none remains.
func (e *enlarged) writeTables(ctx context.Context, path string) (err error) {
	var written []string
	defer func() {
		if err != nil {
			for _, name := range written {
				err = errors.Join(err, os.Remove(name))
			}
		}
	}()
	if e.test != nil {
		if err := writeMarked(ctx, beside(path, ".test.csv"), e.test, e.test.Len()); err != nil {
			return err
		}
		written = append(written, beside(path, ".test.csv"))
	}
	if err := atomicfile.Write(beside(path, ".provenance.json"), e.writeProvenance); err != nil {
		return err
	}
	written = append(written, beside(path, ".provenance.json"))
	all, err := data.Concat(e.real, e.synthetic)
	if err != nil {
		return err
	}
	return writeMarked(ctx, path, all, e.real.Len())
}

// writeMarked writes a table with the column that says which rows are synthetic: those from index real on.
func writeMarked(ctx context.Context, path string, s data.Set, real int) error {
	b, err := data.ReadAll(ctx, s)
	if err != nil {
		return err
	}
	mark := column{syntheticColumn, data.Integer, func(i int) string {
		if i >= real {
			return "1"
		}
		return "0"
	}}
	return atomicfile.Write(path, func(w io.Writer) error { return writeTable(w, s.Schema(), b, mark) })
}
