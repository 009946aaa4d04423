package data

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// idxFolder writes a small set with train and test parts and returns its pixels and labels.
func idxFolder(t testing.TB, dir, ext string) (pixels, labels []uint8) {
	r := rand.New(rand.NewPCG(1, 1))
	pixels, labels = make([]uint8, 7*3*4), make([]uint8, 7)
	for i := range pixels {
		pixels[i] = uint8(r.UintN(256))
	}
	for i := range labels {
		labels[i] = []uint8{2, 5, 11}[i%3]
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{"train-images-idx3-ubyte", idxFile(8, []int{5, 3, 4}, pixels[:5*12])},
		{"train-labels-idx1-ubyte", idxFile(8, []int{5}, labels[:5])},
		{"t10k-images-idx3-ubyte", idxFile(8, []int{2, 3, 4}, pixels[5*12:])},
		{"t10k-labels-idx1-ubyte", idxFile(8, []int{2}, labels[5:])},
	} {
		if ext == ".gz" {
			f.content = gzipped(t, f.content)
		}
		write(t, f.content, dir, f.name+ext)
	}
	return pixels, labels
}

func TestIDXFolder(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	for name, c := range map[string]struct {
		ext    string
		memory int64
	}{"from disk by offset": {"", 0}, "decoded into memory": {".gz", 0}, "decoded into the cache": {".gz", 10}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			pixels, labels := idxFolder(t, dir, c.ext)
			for range 2 { // the second time finds what the first has decoded
				src := open(t, dir, Options{Memory: c.memory})
				got := all(t, src.All)
				if src.Train.Len() != 5 || src.Test.Len() != 2 || !slices.Equal(src.All.Schema().Classes, []string{"2", "5", "11"}) {
					t.Fatalf("%d + %d examples of classes %q, expected 5 + 2 of 2, 5, 11", src.Train.Len(), src.Test.Len(), src.All.Schema().Classes)
				}
				for i, v := range got.X {
					if v != float32(pixels[i]) {
						t.Fatalf("pixel %d is %v, expected %d", i, v, pixels[i])
					}
				}
				for i, k := range got.Y {
					if src.All.Schema().Classes[k] != map[uint8]string{2: "2", 5: "5", 11: "11"}[labels[i]] {
						t.Fatalf("example %d has class %d, expected label %d", i, k, labels[i])
					}
				}
			}
		})
	}
}

func TestIDXOneFile(t *testing.T) {
	dir := t.TempDir()
	path := write(t, gzipped(t, idxFile(8, []int{2, 2, 1, 3}, []byte("abcdefghijkl"))), dir, "photos.images-idx4-ubyte.gz")
	src := open(t, path, Options{})
	if got := src.All.Schema(); got.Shape != (Shape{2, 1, 3}) || got.Labelled() || src.HasTest() {
		t.Errorf("schema %+v, expected unlabelled 2x1x3 without a test part", got)
	}
	if got := all(t, src.All).Row(1); !slices.Equal(got, []float32{'g', 'h', 'i', 'j', 'k', 'l'}) {
		t.Errorf("second picture %v", got)
	}
}

// TestIDXDamage breaks one file of a good set at a time.
func TestIDXDamage(t *testing.T) {
	good := idxFile(8, []int{5, 3, 4}, make([]byte, 60))
	const images, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
	for name, c := range map[string]struct {
		file    string
		content []byte
		want    []string
	}{
		"empty":            {images, nil, []string{"truncated at byte 0"}},
		"header cut":       {images, good[:9], []string{"truncated at byte 9", "16 bytes"}},
		"data cut":         {images, good[:70], []string{"truncated at byte 70", "expected 76 bytes for 5 x 3 x 4", "fetch the file again"}},
		"trailing":         {images, append(slices.Clone(good), 1, 2), []string{"2 bytes after the end at byte 76"}},
		"magic":            {images, append([]byte("PK\x03\x04"), good[4:]...), []string{"byte 0", "0x504b0304"}},
		"element type":     {images, idxFile(0x0D, []int{5, 3, 4}, make([]byte, 240)), []string{"byte 2", "float32"}},
		"axes":             {images, idxFile(8, []int{60}, make([]byte, 60)), []string{"1 axes", "expected 3"}},
		"too many axes":    {images, idxFile(8, []int{1, 1, 1, 1, 1}, []byte{0}), []string{"5 axes"}},
		"overflow":         {images, idxFile(8, []int{1 << 31, 1 << 31, 1 << 31}, nil), []string{"2^50"}},
		"one pixel":        {images, idxFile(8, []int{5, 1, 1}, make([]byte, 5)), []string{"1x1x1", "2 pixels"}},
		"no pictures":      {images, idxFile(8, []int{0, 3, 4}, nil), []string{"no pictures"}},
		"label count":      {labels, idxFile(8, []int{4}, make([]byte, 4)), []string{labels, "4 labels for the 5 pictures of " + images}},
		"labels of 2 axes": {labels, idxFile(8, []int{5, 1}, make([]byte, 5)), []string{"2 axes", "expected 1 for labels"}},
		"damaged gzip":     {images, gzipped(t, good)[:30], []string{"damaged gzip", "fetch it again"}},
		"other shape":      {"t10k-images-idx3-ubyte", idxFile(8, []int{2, 4, 4}, make([]byte, 32)), []string{"4x4x1, expected 3x4x1"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			idxFolder(t, dir, "")
			write(t, c.content, dir, c.file)
			_, err := Open(context.Background(), dir, Options{})
			wantError(t, err, append(c.want, filepath.Join(dir, c.file[:4]))...)
		})
	}
	t.Run("labels of one part", func(t *testing.T) {
		dir := t.TempDir()
		idxFolder(t, dir, "")
		if err := os.Remove(filepath.Join(dir, labels)); err != nil {
			t.Fatal(err)
		}
		_, err := Open(context.Background(), dir, Options{})
		wantError(t, err, "both or neither")
	})
}

// TestIDXChanged shortens a file while it is in use.
func TestIDXChanged(t *testing.T) {
	dir := t.TempDir()
	idxFolder(t, dir, "")
	src := open(t, dir, Options{})
	write(t, []byte{0}, dir, "train-images-idx3-ubyte")
	_, err := ReadAll(context.Background(), src.Train)
	wantError(t, err, "now 1 bytes, expected 76")
}

func FuzzIDX(f *testing.F) {
	f.Setenv("XDG_CACHE_HOME", f.TempDir())
	f.Add(idxFile(8, []int{2, 2, 2}, make([]byte, 8)), idxFile(8, []int{2}, []byte{0, 1}))
	f.Add(gzipped(f, idxFile(8, []int{1, 2, 2, 3}, make([]byte, 12))), []byte{})
	f.Add(idxFile(8, []int{1 << 31, 1 << 31, 4}, nil), idxFile(8, []int{1}, nil))
	f.Add([]byte{0, 0, 8}, []byte{0, 0, 9, 1})
	f.Add(gzipped(f, nil), []byte{})
	f.Fuzz(func(t *testing.T, pictures, labels []byte) {
		dir := t.TempDir()
		write(t, pictures, dir, "images-idx3-ubyte")
		write(t, labels, dir, "labels-idx1-ubyte")
		src, err := Open(context.Background(), dir, Options{Memory: 1 << 20})
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		schema := src.All.Schema()
		if err := schema.Validate(); err != nil {
			t.Fatal(err)
		}
		b := NewBatch(schema.Shape, 1, schema.Labelled())
		if err := src.All.Read(context.Background(), b, []int{src.All.Len() - 1}); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(pictures, []byte{0x1f, 0x8b}) && b.X[len(b.X)-1] != float32(pictures[len(pictures)-1]) {
			t.Errorf("last pixel %v, expected the last byte, %d", b.X[len(b.X)-1], pictures[len(pictures)-1])
		}
	})
}

// TestIDXForModel: labels that are names of the model's classes go by name, and others by number.
func TestIDXForModel(t *testing.T) {
	dir := t.TempDir()
	_, labels := idxFolder(t, dir, "")
	letters := make([]string, 12)
	for i := range letters {
		letters[i] = string(rune('a' + i))
	}
	for _, c := range []struct {
		classes []string
		want    []int32 // of labels 2, 5, 11
		notes   int
	}{
		{[]string{"11", "5", "3", "2"}, []int32{3, 1, 0}, 0},
		{letters, []int32{2, 5, 11}, 1},
	} {
		src := open(t, dir, Options{Schema: &Schema{Shape: Shape{3, 4, 1}, MaxValue: 255, Classes: c.classes}})
		b := all(t, src.All)
		for i := range labels {
			if b.Y[i] != c.want[i%3] {
				t.Errorf("label %d became class %d of %q, expected %d", labels[i], b.Y[i], c.classes, c.want[i%3])
			}
		}
		if len(src.Notes) != c.notes {
			t.Errorf("notes %q, expected %d", src.Notes, c.notes)
		}
	}
	_, err := Open(context.Background(), dir, Options{Schema: &Schema{Shape: Shape{3, 4, 1}, MaxValue: 255, Classes: []string{"a"}}})
	wantError(t, err, "label 2, expected 0 to 0")
}

// TestIDXLargerThanMemory reads from a file of 3 GiB, which is all holes but for its last picture.
func TestIDXLargerThanMemory(t *testing.T) {
	const n, side = 3 << 16, 128
	head := idxFile(8, []int{n, side, side}, nil)
	path := write(t, head, t.TempDir(), "images-idx3-ubyte")
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := int64(len(head)) + n*side*side
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{77}, size-1); err != nil {
		t.Fatal(err)
	}
	src := open(t, path, Options{})
	b := NewBatch(src.All.Schema().Shape, 2, false)
	if err := src.All.Read(context.Background(), b, []int{n - 1, n - 2}); err != nil {
		t.Fatal(err)
	}
	if b.Row(0)[side*side-1] != 77 || slices.Max(b.Row(1)) != 0 {
		t.Error("the last picture is not the one that was written")
	}
}
