package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// write puts a file into a folder of the test, with the folders it needs.
func write(t testing.TB, content []byte, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func gzipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// idxFile writes IDX from its definition.
func idxFile(kind byte, dims []int, data []byte) []byte {
	b := []byte{0, 0, kind, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	return append(b, data...)
}

// pngFile draws a picture pixel by pixel.
func pngFile(t testing.TB, width, height int, at func(x, y int) color.Color) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, at(x, y))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// plain is one colour everywhere.
func plain(c color.Color) func(x, y int) color.Color {
	return func(int, int) color.Color { return c }
}

// open opens what and fails the test if that fails.
func open(t testing.TB, what string, o Options) *Source {
	t.Helper()
	src, err := Open(context.Background(), what, o)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// all reads a set whole.
func all(t testing.TB, s Set) Batch {
	t.Helper()
	b, err := ReadAll(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// openTwice opens a table, whatever raw holds, in memory and by rows, and expects the same values or an error.
func openTwice(t *testing.T, raw []byte, name, label string) {
	path := write(t, raw, t.TempDir(), name)
	src, err := Open(context.Background(), path, Options{Label: label, Memory: 1 << 20})
	if err != nil {
		wantError(t, err)
		if !strings.HasPrefix(err.Error(), path) {
			t.Errorf("error without the file: %q", err)
		}
		return
	}
	if err := src.All.Schema().Validate(); err != nil {
		t.Fatal(err)
	}
	want := all(t, src.All)
	for i, v := range want.X {
		if math.IsInf(float64(v), 0) {
			t.Fatalf("value %d is infinite", i)
		}
	}
	if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) { // what is decoded goes by memory too
		return
	}
	if got := all(t, open(t, path, Options{Label: label, Memory: 1}).All); !same(got.X, want.X) || !slices.Equal(got.Y, want.Y) {
		t.Errorf("by rows %v, in memory %v", got, want)
	}
}

// wantError checks that err is one line with all the given parts in it.
func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected one with %q", parts)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error of several lines: %v", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q, expected %q in it", err, part)
		}
	}
}

// same compares values bit for bit, NaN equal to NaN.
func same(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !(math.IsNaN(float64(a[i])) && math.IsNaN(float64(b[i]))) {
			return false
		}
	}
	return true
}

// tableSetOf is a labelled or unlabelled set of rows with p numeric columns.
func tableSetOf(t testing.TB, p int, values []float32, classes []string, labels []int32) Set {
	t.Helper()
	schema := &Schema{Shape: RowShape(p), Classes: classes}
	for range p {
		schema.Columns = append(schema.Columns, Column{Name: string(rune('a' + len(schema.Columns))), Kind: Numeric})
	}
	s, err := NewTable(schema, values, labels)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
