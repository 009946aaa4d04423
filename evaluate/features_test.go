package evaluate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
)

// noisePictures is pictures of independent pixels, pixel j of deviation sd(j).
func noisePictures(shape data.Shape, n int, sd func(j int) float64) data.Batch {
	r := rand.New(rand.NewPCG(2, 0))
	b := data.NewBatch(shape, n, false)
	for i := range n {
		for j := range b.Row(i) {
			b.Row(i)[j] = float32(100 + sd(j)*r.NormFloat64())
		}
	}
	return b
}

func TestComponentsKeepDistances(t *testing.T) {
	// With no more elements than components the map is a rotation and one scale: distances keep their proportions.
	b := noisePictures(data.Shape{Height: 3, Width: 2, Channels: 1}, 40, func(j int) float64 { return float64(1 + j) })
	f, err := fitComponents(b)
	if err != nil {
		t.Fatal(err)
	}
	if f.name != "pca-6 of the real data v1" {
		t.Errorf("features are named %q", f.name)
	}
	p, err := f.embed(b)
	if err != nil {
		t.Fatal(err)
	}
	var ratio float64
	for i := 1; i < p.n; i++ {
		raw := 0.0
		for j, v := range b.Row(i) {
			d := float64(v - b.Row(0)[j])
			raw += d * d
		}
		if r := squaredDistance(p.row(i), p.row(0)) / raw; i == 1 {
			ratio = r
		} else {
			near(t, fmt.Sprintf("scale of distance %d", i), r, ratio, 1e-6*ratio) // differences of float32 pixels
		}
	}
	_, c := gaussian(p)
	near(t, "average variance", meanDiagonal(c.At, p.d), 1, 1e-12)
	for i := range p.d {
		for j := range i {
			near(t, fmt.Sprintf("covariance of components %d and %d", i, j), c.At(i, j), 0, 1e-12)
		}
	}
}

func meanDiagonal(at func(i, j int) float64, d int) float64 {
	sum := 0.0
	for j := range d {
		sum += at(j, j)
	}
	return sum / float64(d)
}

func TestComponentsAreTheStrongest(t *testing.T) {
	strong := func(j int) float64 {
		if j < components {
			return 20
		}
		return 0.5
	}
	b := noisePictures(data.Shape{Height: 10, Width: 10, Channels: 1}, 400, strong)
	f, err := fitComponents(b)
	if err != nil {
		t.Fatal(err)
	}
	far := data.NewBatch(b.Shape, 3, false)
	for j := range far.Row(0) {
		far.Row(0)[j], far.Row(1)[j], far.Row(2)[j] = 100, 100, 100
	}
	far.Row(1)[0] += 10  // along a strong pixel
	far.Row(2)[99] += 10 // along a weak one
	p, err := f.embed(far)
	if err != nil {
		t.Fatal(err)
	}
	kept, lost := squaredDistance(p.row(1), p.row(0)), squaredDistance(p.row(2), p.row(0))
	if !(lost <= 0.01*kept) {
		t.Errorf("a step along a weak pixel moves the features by %v, along a strong one by %v", lost, kept)
	}
}

func TestPoolAveragesSquares(t *testing.T) {
	b := data.NewBatch(data.Shape{Height: 33, Width: 35, Channels: 1}, 1, false)
	for j := range b.X {
		b.X[j] = float32(j)
	}
	p, factor := pool(b)
	if factor != 2 || p.d != 17*18 {
		t.Fatalf("averaged over %d to %d elements, expected 2 and %d", factor, p.d, 17*18)
	}
	near(t, "first square", p.row(0)[0], (0+1+35+36)/4.0, 0)
	near(t, "upper right edge", p.row(0)[17], (34+69)/2.0, 0)
	near(t, "lower right corner", p.row(0)[17*18-1], 33*35-1, 0)
}

func TestConstantPicturesHaveFeatures(t *testing.T) {
	b := noisePictures(data.Shape{Height: 2, Width: 2, Channels: 1}, 30, func(int) float64 { return 0 })
	f, err := fitFeatures(context.Background(), &data.Schema{Shape: b.Shape, MaxValue: 255}, b)
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.embed(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range p.x {
		if !(math.Abs(v) <= 1e-12) {
			t.Fatalf("feature %v of a picture like all others, expected 0", v)
		}
	}
}
