package evaluate

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/likely-ml/likely/data"
)

// bruteTwo is the nearest and second nearest by the definition.
func bruteTwo(x []float32, among data.Batch, self int) nearestTwo {
	f := nearestTwo{-1, math.Inf(1), math.Inf(1)}
	for j := range among.Len() {
		sum := 0.0
		for k, v := range among.Row(j) {
			d := float64(x[k]) - float64(v)
			sum += d * d
		}
		switch {
		case j == self:
		case sum < f.first:
			f = nearestTwo{j, sum, f.first}
		case sum < f.second:
			f.second = sum
		}
	}
	return f
}

// Points far from the origin, so that float32 products lose most digits of a distance, with copies among them, shown in unequal parts.
func TestSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 0))
	for _, c := range []struct {
		name          string
		offset, scale float64
		p             int
	}{{"centred", 0, 1, 9}, {"far", 1e4, 1, 70}, {"pixels", 128, 40, 300}, {"beyond float32", 1e25, 1e22, 5},
		{"beyond float32 on both sides", 0, 1e25, 5}, {"products below float32", 0, 1e-25, 5}} {
		points := data.NewBatch(data.RowShape(c.p), 700, false)
		for i := range points.X {
			points.X[i] = float32(c.offset + c.scale*r.NormFloat64())
		}
		copy(points.Row(650), points.Row(3))
		queries := data.NewBatch(data.RowShape(c.p), 150, false)
		self := make([]int, queries.Len())
		for i := range queries.Len() {
			self[i] = r.IntN(points.Len())
			copy(queries.Row(i), points.Row(self[i]))
			if i%2 == 0 {
				self[i] = -1
				queries.Row(i)[0] += float32(c.scale)
			}
		}
		copy(queries.Row(1), points.Row(3))
		self[1] = 3
		s := newSearch(queries, self)
		for _, cut := range [][2]int{{0, 256}, {256, 257}, {257, 700}} {
			if err := s.show(t.Context(), cut[0], points.Slice(cut[0], cut[1])); err != nil {
				t.Fatal(err)
			}
		}
		for i, got := range s.found {
			want := bruteTwo(queries.Row(i), points, self[i])
			if got.index != want.index || !(math.Abs(got.first-want.first) <= 1e-12*want.first) || !(math.Abs(got.second-want.second) <= 1e-12*want.second) {
				t.Errorf("%s: query %d found %+v, expected %+v", c.name, i, got, want)
			}
		}
		if s.found[1].index != 650 || s.found[1].first != 0 {
			t.Errorf("%s: the copy of point 3 found %+v, expected 650", c.name, s.found[1])
		}
	}
}

func TestSearchDoesNotDependOnThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r := rand.New(rand.NewPCG(9, 0))
	x := data.NewBatch(data.RowShape(40), 1000, false)
	for i := range x.X {
		x.X[i] = float32(r.IntN(4)) // many ties
	}
	var found [2][]nearestTwo
	for k, threads := range []int{1, 3} {
		runtime.GOMAXPROCS(threads)
		s := newSearch(x, nil)
		if err := s.show(t.Context(), 0, x); err != nil {
			t.Fatal(err)
		}
		found[k] = s.found
	}
	if !reflect.DeepEqual(found[0], found[1]) {
		t.Error("1 thread and 3 threads find different points")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newSearch(x, nil).show(cancelled, 0, x); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// pictures are n random ones, sums of a few blobs and noise, so that each has neighbours but no copies.
func pictures(t *testing.T, shape data.Shape, n int, seed uint64) (data.Set, data.Batch) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	pixels := make([]uint8, 0, n*shape.Size())
	b := data.NewBatch(shape, n, false)
	for i := range n {
		drawPicture(b.Row(i), shape, r)
		for _, v := range b.Row(i) {
			pixels = append(pixels, uint8(v))
		}
	}
	set, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 255}, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set, b
}

func drawPicture(x []float32, s data.Shape, r *rand.Rand) {
	type blob struct{ r, c, size, height float64 }
	blobs := make([]blob, 3)
	for k := range blobs {
		blobs[k] = blob{float64(s.Height) * r.Float64(), float64(s.Width) * r.Float64(), 1 + 2*r.Float64(), 60 + 120*r.Float64()}
	}
	for i := range x {
		at := i / s.Channels
		v := 60 * r.Float64()
		for k, b := range blobs {
			dr, dc := float64(at/s.Width)-b.r, float64(at%s.Width)-b.c
			v += b.height * math.Exp(-(dr*dr+dc*dc)/(2*b.size*b.size)) * (1 - 0.2*float64(i%s.Channels)*float64(k))
		}
		x[i] = float32(math.Floor(min(max(v, 0), 255)))
	}
}

// bruteMoved compares every moved picture with all, by a formula of its own: pixel (r, c) of t with the one of x that was moved there.
func bruteMoved(x []float32, among data.Batch, self int) movedCopy {
	s := among.Shape
	best := movedCopy{index: -1, distance: math.Inf(1)}
	for j := range among.Len() {
		for _, mirror := range []bool{false, true} {
			for down := -1; down <= 1; down++ {
				for right := -1; right <= 1; right++ {
					if j == self || down == 0 && right == 0 && !mirror {
						continue
					}
					sum, count := 0.0, 0
					for r := range s.Height {
						for c := range s.Width { // of x
							to := c
							if mirror {
								to = s.Width - 1 - c
							}
							row, column := r+down, to+right
							if row < 0 || row >= s.Height || column < 0 || column >= s.Width {
								continue
							}
							count++
							for k := range s.Channels {
								d := float64(x[(r*s.Width+c)*s.Channels+k]) - float64(among.Row(j)[(row*s.Width+column)*s.Channels+k])
								sum += d * d
							}
						}
					}
					if d := math.Sqrt(sum * float64(s.Height*s.Width) / float64(count)); d < best.distance {
						best = movedCopy{j, d, Move{down, right, mirror}}
					}
				}
			}
		}
	}
	return best
}

func TestMovedIndex(t *testing.T) {
	for _, shape := range []data.Shape{{Height: 9, Width: 11, Channels: 1}, {Height: 20, Width: 14, Channels: 3}} {
		set, b := pictures(t, shape, 120, 4)
		x := newMovedIndex(shape)
		if err := x.fit(b.Slice(0, 50)); err != nil {
			t.Fatal(err)
		}
		x.add(b.Slice(0, 70))
		x.add(b.Slice(70, 120))
		x.sort(set)
		if x.d > shrunkSize {
			t.Errorf("%v pictures are shrunk to %d numbers, expected at most %d", shape, x.d, shrunkSize)
		}
		queries := data.NewBatch(shape, 40, false)
		r := rand.New(rand.NewPCG(2, 0))
		all := moves()
		self := make([]int, queries.Len())
		for i := range queries.Len() {
			self[i] = -1
			all[r.IntN(len(all))].Apply(queries.Row(i), b.Row(r.IntN(b.Len())), shape)
			if i%3 == 0 {
				drawPicture(queries.Row(i), shape, r)
			}
		}
		copy(queries.Row(39), b.Row(17))
		self[39] = 17
		nearest := make([]movedCopy, queries.Len())
		for i := range nearest {
			nearest[i] = bruteMoved(queries.Row(i), b, self[i])
		}
		for _, radius := range []float64{0, 60, 300, 2000} {
			found, err := x.nearest(t.Context(), queries, self, radius)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range found {
				want := nearest[i]
				if want.distance > radius {
					want.index = -1
				}
				if got.index != want.index || got.index >= 0 && !(math.Abs(got.distance-want.distance) <= 1e-9*(1+want.distance)) {
					t.Errorf("%v, radius %v: query %d found %+v, expected %+v", shape, radius, i, got, want)
				}
			}
		}
	}
	if newMovedIndex(data.Shape{Height: 7, Width: 20, Channels: 1}) != nil || newMovedIndex(data.RowShape(9)) != nil {
		t.Error("too small pictures, or rows, are moved")
	}
}

// A move and Apply agree: a moved picture lies on its original at distance 0, but for what left it.
func TestMoveApply(t *testing.T) {
	shape := data.Shape{Height: 8, Width: 9, Channels: 2}
	_, b := pictures(t, shape, 1, 1)
	for _, m := range moves() {
		moved := make([]float32, shape.Size())
		m.Apply(moved, b.X, shape)
		if d := m.squaredDistance(b.X, moved, shape, math.Inf(1)); d != 0 {
			t.Errorf("%+v: distance %v of a picture to itself moved", m, d)
		}
	}
	if got := (Move{1, -1, true}).String(); got != "mirrored, 1 down, 1 left" {
		t.Errorf("the move is called %q", got)
	}
}
