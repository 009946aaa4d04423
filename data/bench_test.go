package data

import (
	"bytes"
	"context"
	"fmt"
	"image/color"
	"math/rand/v2"
	"testing"
)

// pixelBench is 10,000 pictures of 28x28 in 10 classes.
func pixelBench(b *testing.B) Set {
	r := rand.New(rand.NewPCG(1, 1))
	shape := Shape{28, 28, 1}
	pixels, labels := make([]uint8, 10000*shape.Size()), make([]int32, 10000)
	for i := range pixels {
		pixels[i] = uint8(r.Uint32())
	}
	for i := range labels {
		labels[i] = int32(i % 10)
	}
	s, err := NewPixels(pictureSchema(shape, tenDigits), pixels, labels)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkBatch reads and scales one batch of 128 pictures, as each step of training does.
func BenchmarkBatch(b *testing.B) {
	s := pixelBench(b)
	t, err := FitTransform(context.Background(), s, Unit)
	if err != nil {
		b.Fatal(err)
	}
	batch := NewBatch(s.Schema().Shape, 128, true)
	index := rand.New(rand.NewPCG(2, 2)).Perm(s.Len())[:128]
	b.SetBytes(int64(len(batch.X)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Read(context.Background(), batch, index); err != nil {
			b.Fatal(err)
		}
		if err := t.Apply(batch, batch); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	s := pixelBench(b)
	for b.Loop() {
		if _, _, err := Split(context.Background(), s, 0.1, 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(s.Len()*b.N)/b.Elapsed().Seconds(), "examples/s")
}

// BenchmarkOpenCSV reads a table of 20 numeric columns, in both passes.
func BenchmarkOpenCSV(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var text bytes.Buffer
	text.WriteString("y")
	for j := range 20 {
		fmt.Fprintf(&text, ",x%d", j)
	}
	for range 20000 {
		fmt.Fprintf(&text, "\n%c", 'a'+r.IntN(3))
		for range 20 {
			fmt.Fprintf(&text, ",%.5f", r.NormFloat64())
		}
	}
	path := write(b, text.Bytes(), b.TempDir(), "t.csv")
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		open(b, path, Options{Label: "y"})
	}
}

// BenchmarkOpenFolder decodes and shrinks colour pictures of 128x128 to 32x32.
func BenchmarkOpenFolder(b *testing.B) {
	dir := b.TempDir()
	for i := range 100 {
		write(b, pngFile(b, 128, 128, func(x, y int) color.Color { return color.NRGBA{uint8(x + i), uint8(y), uint8(x * y), 255} }), dir, fmt.Sprint(i%4), fmt.Sprint(i, ".png"))
	}
	for b.Loop() {
		open(b, dir, Options{Height: 32})
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "pictures/s")
}
