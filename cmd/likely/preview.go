package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

const (
	previewSide  = 320 // pixels, about, of a page of progress, which has ten rows of ten pictures, or a row for each of few classes
	previewDelay = 250 * time.Millisecond
	previewPlays = 3         // then progress.gif stays at its last page: what moves without end keeps a reader from the rest
	progressMost = 1_000_000 // bytes of progress.gif, where leaving out pages can do it
)

// preview writes DIR/samples/epoch-0001.png and on: what a generator makes, at the end of an epoch, always of the same
// random numbers. Of other models there is nothing to see.
func (a *app) preview(ctx context.Context, r *runFolder, schema *data.Schema, epoch int, m model.Model) error {
	n := 100
	if isConditional(m) {
		n = 10 * min(10, len(schema.Classes))
	}
	if _, free := m.(model.Sampler); !free && !isConditional(m) {
		return nil
	}
	what, err := order(m, r.path, schema, n, "")
	if err != nil {
		return err
	}
	b, err := draw(ctx, m, schema, what, rand.New(rand.NewPCG(a.seed, 0)))
	if err != nil {
		return err
	}
	page, err := report.Draw(b, report.GridOptions{MaxValue: schema.MaxValue, Columns: 10, Gap: 2,
		Scale: max(1, previewSide/(10*max(schema.Height, schema.Width)))})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.samples(), 0o755); err != nil {
		return err
	}
	name := filepath.Join(r.samples(), fmt.Sprintf("epoch-%04d.png", epoch))
	fast := &png.Encoder{CompressionLevel: png.BestSpeed} // training waits; the best compression takes ten times as long
	return atomicfile.Write(name, func(w io.Writer) error { return fast.Encode(w, page) })
}

func (r *runFolder) samples() string { return filepath.Join(r.path, "samples") }

// animate makes progress.gif of the pages in samples/, those from before the run was resumed too.
func (r *runFolder) animate() error {
	if r == nil {
		return nil
	}
	entries, err := os.ReadDir(r.samples())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "epoch-") {
			names = append(names, e.Name())
		}
	}
	if len(names) < 2 {
		return nil
	}
	slices.SortFunc(names, func(a, b string) int { // epochs from 10,000 on have longer names
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	var frames []image.Image
	for _, name := range names {
		path := filepath.Join(r.samples(), name)
		page, err := readPNG(path)
		if err != nil {
			return fmt.Errorf("%s: %w; remove it, and resume to make the animation without it", path, err)
		}
		frames = append(frames, page)
	}
	var file bytes.Buffer
	for {
		// A rest on what it has come to.
		shown := append(slices.Clone(frames), slices.Repeat(frames[len(frames)-1:], 5)...)
		if err := report.Animation(&file, shown, previewDelay, previewPlays); err != nil {
			return err
		}
		if file.Len() <= progressMost || len(frames) < 4 {
			break
		}
		file.Reset()
		var fewer []image.Image // every second one, and the last
		for i := (len(frames) - 1) % 2; i < len(frames); i += 2 {
			fewer = append(fewer, frames[i])
		}
		frames = fewer
	}
	return atomicfile.Write(filepath.Join(r.path, "progress.gif"), func(w io.Writer) error {
		_, err := file.WriteTo(w)
		return err
	})
}

func readPNG(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return png.Decode(f)
}
