package main

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
)

// TestArrayEqualsNumpy expects the bytes that numpy.save writes.
func TestArrayEqualsNumpy(t *testing.T) {
	table := &data.Schema{Shape: data.RowShape(3)}
	rows := data.Batch{Shape: table.Shape, X: []float32{1.5, -2.25, 3e38, float32(math.NaN()), 0.1, float32(math.Copysign(0, -1))}}
	colour := &data.Schema{Shape: data.Shape{Height: 2, Width: 3, Channels: 3}, MaxValue: 255}
	pictures := data.NewBatch(colour.Shape, 2, false)
	for i := range pictures.X {
		pictures.X[i] = float32(7 * i)
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"rows":     func(w *bytes.Buffer) error { return writeArray(w, table, rows) },
		"pictures": func(w *bytes.Buffer) error { return writeArray(w, colour, pictures) },
		"labels": func(w *bytes.Buffer) error {
			return writeClassArray(w, []string{"Gänseblümchen", "tulip", "a long name of no row"}, []int32{1, 0, 1})
		},
	} {
		want, err := os.ReadFile("testdata/arrays/" + name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := write(&got); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: error %v, %q, expected %q", name, err, got.Bytes(), want)
		}
	}
	pictures.X[3] = 0.5
	if err := writeArray(&bytes.Buffer{}, colour, pictures); err == nil || !strings.Contains(err.Error(), "picture 0, element 3: 0.5") {
		t.Errorf("half a grey level: error %v", err)
	}
}
