package augment

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
)

func pictures(t *testing.T, n int) data.Set {
	t.Helper()
	schema := &data.Schema{Shape: data.Shape{Height: 5, Width: 4, Channels: 3}, Classes: []string{"a", "b"}, MaxValue: 255}
	pixels, labels := make([]uint8, n*schema.Size()), make([]int32, n)
	r := rand.New(rand.NewPCG(4, 0))
	for i := range pixels {
		pixels[i] = uint8(r.IntN(256))
	}
	for i := range labels {
		labels[i] = int32(i % 2)
	}
	s, err := data.NewPixels(schema, pixels, labels)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t *testing.T, s data.Set) data.Batch {
	t.Helper()
	b, err := data.ReadAll(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// at is an element of a picture, at a place that is moved into it.
func at(b data.Batch, i, y, x, c int) float32 {
	s := b.Shape
	y, x = min(max(y, 0), s.Height-1), min(max(x, 0), s.Width-1)
	return b.Row(i)[(y*s.Width+x)*s.Channels+c]
}

// Every varied picture is the original under exactly one of the moves, and all moves come equally often.
func TestVariation(t *testing.T) {
	const n = 3000
	v := Variation{Shift: 1, Mirror: true}
	s, err := v.Of(Cycle(pictures(t, 6), n, rand.New(rand.NewPCG(5, 0))), 7)
	if err != nil {
		t.Fatal(err)
	}
	original, got := read(t, s.(*varied).Set), read(t, s)
	type how struct {
		dy, dx int
		mirror bool
	}
	count := map[how]int{}
	for i := range n {
		var found []how
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				for _, mirror := range []bool{false, true} {
					same := true
					for y := range 5 {
						for x := range 4 {
							for c := range 3 {
								from := x - dx
								if mirror {
									from = 3 - from
								}
								same = same && at(got, i, y, x, c) == at(original, i, y-dy, from, c)
							}
						}
					}
					if same {
						found = append(found, how{dy, dx, mirror})
					}
				}
			}
		}
		if len(found) != 1 {
			t.Fatalf("picture %d is the original under the moves %v, expected one", i, found)
		}
		count[found[0]]++
	}
	chi2 := 0.0
	for _, k := range count {
		d := float64(k) - n/18.
		chi2 += d * d / (n / 18.)
	}
	if len(count) != 18 || !(chi2 < 40.8) { // the 0.999 quantile of chi² with 17 degrees of freedom
		t.Errorf("%d moves with chi² = %.1f, expected 18 moves and at most 40.8", len(count), chi2)
	}
	if !slices.Equal(got.Y, original.Y) {
		t.Error("labels changed")
	}

	backwards := data.NewBatch(got.Shape, 2, true)
	if err := s.Read(t.Context(), backwards, []int{9, 2}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(backwards.Row(0), got.Row(9)) || !slices.Equal(backwards.Row(1), got.Row(2)) {
		t.Error("a picture depends on the order in which it is read")
	}
}

func TestVariationOfNothing(t *testing.T) {
	s, err := Variation{}.Of(pictures(t, 6), 1)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(read(t, s).X, read(t, pictures(t, 6)).X) {
		t.Error("pictures that are not to be moved changed")
	}
}

func TestVariationRefuses(t *testing.T) {
	for _, v := range []Variation{{Shift: -1}, {Shift: 4}} {
		if _, err := v.Of(pictures(t, 2), 1); err == nil {
			t.Errorf("%+v of 5x4 pictures, expected an error", v)
		}
	}
	if _, err := (Variation{}).Of(rows(t, 4), 1); err == nil {
		t.Error("a table is moved, expected an error")
	}
}

func TestCycle(t *testing.T) {
	s := Cycle(pictures(t, 6), 20, rand.New(rand.NewPCG(6, 0)))
	all, b := read(t, pictures(t, 6)), read(t, s)
	for k := range 6 {
		n := 0
		for i := range b.Len() {
			if slices.Equal(b.Row(i), all.Row(k)) {
				n++
			}
		}
		if n != 3 && n != 4 {
			t.Errorf("example %d comes %d times among 20 of 6, expected 3 or 4", k, n)
		}
	}
}
