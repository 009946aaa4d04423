package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
)

// More examples than are read at a time, two of them equal: found is what comparing all with all finds.
func TestNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 0))
	shape := data.Shape{Height: 7, Width: 7, Channels: 1} // no multiple of the stride
	schema := &data.Schema{Shape: shape, MaxValue: 255}
	pixels := make([]uint8, 600*shape.Size())
	for i := range pixels {
		pixels[i] = uint8(r.IntN(256))
	}
	p := shape.Size()
	copy(pixels[500*p:501*p], pixels[77*p:78*p])
	set, err := data.NewPixels(schema, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := data.NewBatch(shape, 20, false)
	for i := range x.X {
		x.X[i] = float32(r.IntN(256))
	}
	if err := set.Read(t.Context(), x.Slice(19, 20), []int{500}); err != nil {
		t.Fatal(err)
	}
	found, err := Nearest(t.Context(), set, x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Len() {
		want := Neighbour{-1, math.Inf(1)}
		for j := range set.Len() {
			sum := 0.0
			for k, v := range x.Row(i) {
				sum += math.Pow(float64(v)-float64(pixels[j*p+k]), 2)
			}
			if d := math.Sqrt(sum); d < want.Distance {
				want = Neighbour{j, d}
			}
		}
		if found[i].Index != want.Index || !(math.Abs(found[i].Distance-want.Distance) <= 1e-9) {
			t.Errorf("nearest to %d is %+v, expected %+v", i, found[i], want)
		}
	}
	if found[19] != (Neighbour{77, 0}) {
		t.Errorf("nearest to a copy is %+v, expected the first of two, 77, at distance 0", found[19])
	}
}

// Columns of a table count alike, whatever their units.
func TestNearestOfRows(t *testing.T) {
	set, err := data.NewTable(blobSchema(), []float32{0, 0, 1, 1000, 2, 0, 3, 1000}, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := data.Batch{Shape: data.RowShape(2), X: []float32{0, 400, 2.9, 100}}
	found, err := Nearest(t.Context(), set, x)
	if err != nil {
		t.Fatal(err)
	}
	if found[0].Index != 0 || found[1].Index != 2 {
		t.Errorf("nearest are %+v, expected examples 0 and 2", found)
	}
	x.X[1] = float32(math.Inf(1))
	if _, err := Nearest(t.Context(), set, x); err == nil {
		t.Error("the nearest to an infinite place was found")
	}
	if _, err := Nearest(t.Context(), set, data.NewBatch(data.RowShape(3), 1, false)); err == nil {
		t.Error("the nearest of another shape was found")
	}
}
