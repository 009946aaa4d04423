package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/report"
)

// writePage writes one PNG of all pictures, a row for each class where the classes have equally many.
func writePage(w io.Writer, schema *data.Schema, b data.Batch) error {
	return report.Grid(w, b, gridOptions(schema, b))
}

func gridOptions(schema *data.Schema, b data.Batch) report.GridOptions {
	o := report.GridOptions{MaxValue: schema.MaxValue}
	if len(b.Y) == 0 {
		return o
	}
	var runs []int // pictures of one class side by side
	for i, k := range b.Y {
		if i == 0 || k != b.Y[i-1] {
			runs = append(runs, 0)
			o.Labels = append(o.Labels, schema.Classes[k])
		}
		runs[len(runs)-1]++
	}
	for _, n := range runs {
		if n != runs[0] || n > 40 || len(runs) == 1 {
			return report.GridOptions{MaxValue: schema.MaxValue}
		}
	}
	o.Columns = runs[0]
	return o
}

// column is one of a table of examples. One of text is Categorical.
type column struct {
	name string
	kind data.Kind
	cell func(i int) string // of example i; "" is missing
}

// tableColumns are those of a table of examples: the columns before, those of x under their names, and the class under the name
// of the label. Pixels are columns pixel_0 and on.
func tableColumns(schema *data.Schema, b data.Batch, before []column) []column {
	columns := slices.Clone(before)
	for j := range schema.Size() {
		c := column{fmt.Sprintf("pixel_%d", j), data.Integer, func(i int) string { return cell(schema, j, b.Row(i)[j]) }}
		if !schema.IsImage() {
			c.name, c.kind = schema.Columns[j].Name, schema.Columns[j].Kind
		}
		columns = append(columns, c)
	}
	if b.Y != nil {
		name := schema.Label
		if name == "" {
			name = "class"
		}
		columns = append(columns, column{name, data.Categorical, func(i int) string { return schema.Classes[b.Y[i]] }})
	}
	return columns
}

// writeTable writes the table of tableColumns as CSV.
func writeTable(w io.Writer, schema *data.Schema, b data.Batch, before ...column) error {
	out := csv.NewWriter(w)
	columns := tableColumns(schema, b, before)
	row := make([]string, len(columns))
	for j, c := range columns {
		row[j] = c.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := range b.Len() {
		for j, c := range columns {
			row[j] = c.cell(i)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// cell is a value as the data's own file would have it.
func cell(schema *data.Schema, j int, v float32) string {
	if !schema.IsImage() {
		if c := schema.Columns[j]; c.Kind == data.Categorical {
			if k := int(v); float32(k) == v && k >= 0 && k < len(c.Levels) {
				return c.Levels[k]
			}
		}
	}
	if v != v {
		return ""
	}
	return strconv.FormatFloat(float64(v), 'g', -1, 32)
}

// writeFolder writes one PNG for each picture, 00001.png and on, in a folder for each class. The folders must be new or
// empty: pictures of an earlier call among these would pass for samples of this model. If anything fails, what was written is removed.
func writeFolder(ctx context.Context, dir string, schema *data.Schema, b data.Batch) (err error) {
	made := map[string]bool{}
	var written []string
	defer func() {
		if err == nil {
			return
		}
		for _, path := range written {
			os.Remove(path) // the first error is the one to report
		}
		for folder := range made {
			os.Remove(folder) // empty now
		}
		os.Remove(dir) // stays where something else is in it
	}()
	for i := range b.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		folder := dir
		if b.Y != nil {
			folder = filepath.Join(dir, data.FolderName(schema.Classes[b.Y[i]]))
		}
		if !made[folder] {
			if err := makeEmpty(folder); err != nil {
				return err
			}
			made[folder] = true
		}
		picture := toImage(schema, b.Row(i))
		path := filepath.Join(folder, fmt.Sprintf("%05d.png", i+1))
		if err := atomicfile.Write(path, func(w io.Writer) error { return png.Encode(w, picture) }); err != nil {
			return err
		}
		written = append(written, path)
	}
	return nil
}

// makeEmpty makes a folder, or finds that it is there and empty.
func makeEmpty(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return checkEmpty(folder)
}

// checkEmpty reports a folder that holds something. One that is not there is fine.
func checkEmpty(folder string) error {
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("%s: the folder is not empty (%s is in it); empty it, or choose another", folder, entries[0].Name())
	}
	return nil
}

// checkEmptyFor is checkEmpty of the folders that writeFolder needs for pictures of the given classes, or of none. It comes before they
// are drawn.
func checkEmptyFor(dir string, classes []string) error {
	if classes == nil {
		return checkEmpty(dir)
	}
	for _, class := range classes {
		if err := checkEmpty(filepath.Join(dir, data.FolderName(class))); err != nil {
			return err
		}
	}
	return nil
}

// toImage stretches 0..MaxValue to 8 bits.
func toImage(schema *data.Schema, x []float32) image.Image {
	level := func(i int) uint8 {
		return uint8(math.RoundToEven(float64(min(max(x[i], 0), schema.MaxValue)) * 255 / float64(schema.MaxValue)))
	}
	bounds := image.Rect(0, 0, schema.Width, schema.Height)
	if schema.Channels == 1 {
		img := image.NewGray(bounds)
		for i := range img.Pix {
			img.Pix[i] = level(i)
		}
		return img
	}
	img := image.NewNRGBA(bounds)
	for i := range schema.Width * schema.Height {
		img.Set(i%schema.Width, i/schema.Width, color.NRGBA{level(3 * i), level(3*i + 1), level(3*i + 2), 255})
	}
	return img
}
