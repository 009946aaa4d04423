package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
)

// folded is a space of the blobs: |u|, v and a number that is always 7.
func folded(dst []float32, x data.Batch) error {
	for i := range x.Len() {
		u := x.Row(i)[0]
		dst[3*i], dst[3*i+1], dst[3*i+2] = max(u, -u), x.Row(i)[1], 7
	}
	return nil
}

func TestSpaceIsStandardised(t *testing.T) {
	ctx, set := context.Background(), twoBlobs(t, 60)
	first, second, err := Halves(set, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := data.ReadAll(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	other, err := data.ReadAll(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	raw, scaled := &Space{Name: "folded v1", Size: 3, Embed: folded, AsPublished: true}, &Space{Name: "folded v1", Size: 3, Embed: folded}
	name, published, err := place(ctx, raw, set.Schema(), reference, other, other)
	if err != nil || name != "folded v1" {
		t.Fatalf("name %q, error %v", name, err)
	}
	if got, want := published[1].row(4)[0], math.Abs(float64(other.Row(4)[0])); got != want {
		t.Errorf("as published, feature |u| is %v, expected %v", got, want)
	}
	_, p, err := place(ctx, scaled, set.Schema(), reference, other, other)
	if err != nil {
		t.Fatal(err)
	}
	both := newPoints(60, 3)
	copy(both.x, p[0].x)
	copy(both.x[90:], p[1].x)
	m, c := gaussian(both)
	for j, v := range m {
		near(t, "mean of a feature", v, 0, 1e-14*float64(1+j))
	}
	near(t, "average variance", meanDiagonal(c.At, 3), 1, 1e-13)
	// One factor for all: distances keep their proportions.
	ratio := func(q points) float64 {
		return squaredDistance(q.row(0), q.row(1)) / squaredDistance(q.row(2), q.row(3))
	}
	near(t, "ratio of distances", ratio(p[2]), ratio(published[2]), 1e-12*ratio(published[2]))
}

func TestSamplesInSpace(t *testing.T) {
	space := &Space{Name: "folded v1", Size: 3, Embed: folded}
	s, err := SamplesIn(context.Background(), space, blobs{}, twoBlobs(t, 800), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if s.Features != space.Name || s.Size != 3 {
		t.Errorf("compared in %q of size %d", s.Features, s.Size)
	}
	for _, m := range s.Measures() {
		if m.Name == "frechet" && m.Least != 80 {
			t.Errorf("the Fréchet distance in 3 features makes sense from %d examples, expected 80", m.Least)
		}
	}
}

// TestNameOfFrechet: only in the features of Inception-v3 is it called fid; the key frechet is there in every space.
func TestNameOfFrechet(t *testing.T) {
	for _, isInception := range []bool{false, true} {
		space := &Space{Name: "folded v1", Size: 3, Embed: folded, AsPublished: true, IsInception: isInception}
		s, err := SamplesIn(context.Background(), space, blobs{}, twoBlobs(t, 60), 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		want := "frechet"
		if isInception {
			want = "fid"
		}
		if a, b := s.Measures()[0].Name, s.Floor()[0].Name; a != want || b != want {
			t.Errorf("the first measure is %s, its floor %s, expected %s", a, b, want)
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var object struct {
			Frechet, FID *float64
			Floor        struct{ Frechet, FID *float64 }
		}
		if err := json.Unmarshal(text, &object); err != nil {
			t.Fatal(err)
		}
		if object.Frechet == nil || *object.Frechet != s.Frechet.Generated.Value || object.Floor.Frechet == nil {
			t.Errorf("inception %t: no key frechet in %s", isInception, text)
		}
		if (object.FID != nil) != isInception || (object.Floor.FID != nil) != isInception || isInception && *object.FID != *object.Frechet {
			t.Errorf("inception %t: key fid in %s", isInception, text)
		}
	}
}

func TestSpaceErrors(t *testing.T) {
	spoilt := &Space{Name: "spoilt v1", Size: 1, Embed: func(dst []float32, _ data.Batch) error {
		dst[2] = float32(math.Inf(1))
		return nil
	}}
	_, err := SamplesIn(context.Background(), spoilt, blobs{}, twoBlobs(t, 60), 0, 1)
	if want := "feature 0 of example 2 is +Inf in spoilt v1"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, expected one with %q", err, want)
	}
	broken := errors.New("broken")
	failing := &Space{Name: "failing v1", Size: 1, Embed: func([]float32, data.Batch) error { return broken }}
	if _, err := SamplesIn(context.Background(), failing, blobs{}, twoBlobs(t, 60), 0, 1); !errors.Is(err, broken) {
		t.Errorf("error %v, expected %v", err, broken)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := failing.embed(cancelled, data.NewBatch(data.RowShape(1), 3, false)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func TestHalves(t *testing.T) {
	set := twoBlobs(t, 61)
	for _, c := range []struct{ n, want int }{{0, 30}, {20, 20}, {100, 30}} {
		a, b, err := Halves(set, c.n, 1)
		if err != nil || a.Len() != c.want || b.Len() != c.want {
			t.Errorf("halves for %d have %d and %d examples, error %v; expected %d", c.n, a.Len(), b.Len(), err, c.want)
		}
	}
	if _, _, err := Halves(set, 5, 1); err == nil {
		t.Error("halves of 5: no error")
	}
}
