package evaluate

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sort"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/data"
)

// Move is how a picture was moved to lie on another: mirrored, left for right, and then shifted.
type Move struct {
	Down, Right int // pixels
	Mirror      bool
}

// String is words such as "mirrored, 1 down, 1 left"; "" of no move.
func (m Move) String() string {
	var words []string
	if m.Mirror {
		words = append(words, "mirrored")
	}
	for _, w := range []struct {
		by   int
		word string
	}{{m.Down, "1 down"}, {-m.Down, "1 up"}, {m.Right, "1 right"}, {-m.Right, "1 left"}} {
		if w.by > 0 {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, ", ")
}

// moves are all shifts by a pixel, also diagonally, of a picture and its mirror image, without the one that does nothing.
func moves() []Move {
	var all []Move
	for _, mirror := range []bool{false, true} {
		for down := -1; down <= 1; down++ {
			for right := -1; right <= 1; right++ {
				if m := (Move{down, right, mirror}); m != (Move{}) {
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// source is where the pixel at row r and column c of a moved picture was before, ok false where it comes from outside.
func (m Move) source(s data.Shape, r, c int) (row, column int, ok bool) {
	row, column = r-m.Down, c-m.Right
	ok = row >= 0 && row < s.Height && column >= 0 && column < s.Width
	if m.Mirror {
		column = s.Width - 1 - column
	}
	return row, column, ok
}

// Apply moves a picture. What comes in from outside is 0.
func (m Move) Apply(dst, src []float32, s data.Shape) {
	clear(dst)
	for r := range s.Height {
		for c := range s.Width {
			if row, column, ok := m.source(s, r, c); ok {
				copy(dst[(r*s.Width+c)*s.Channels:][:s.Channels], src[(row*s.Width+column)*s.Channels:][:s.Channels])
			}
		}
	}
}

// squaredDistance is that of a moved picture x to the picture t: over the pixels that both have, and made larger by the share
// of those that are missing, so that it compares with distances of whole pictures. Once it exceeds limit it is any number from
// there.
func (m Move) squaredDistance(x, t []float32, s data.Shape, limit float64) float64 {
	whole := float64(s.Height*s.Width) / float64((s.Height-max(m.Down, -m.Down))*(s.Width-max(m.Right, -m.Right)))
	sum := 0.0
	for r := range s.Height {
		if sum*whole > limit {
			break
		}
		for c := range s.Width {
			row, column, ok := m.source(s, r, c)
			if !ok {
				continue
			}
			a, b := x[(row*s.Width+column)*s.Channels:][:s.Channels], t[(r*s.Width+c)*s.Channels:][:s.Channels]
			for k, v := range a {
				d := float64(v) - float64(b[k])
				sum += d * d
			}
		}
	}
	return sum * whole
}

const (
	leastMoved = 8  // pixels: smaller pictures are not moved, since a shift changes too much of them
	shrunkSize = 64 // numbers at most that a picture is shrunk to, to be found again
)

// movedIndex finds, for a picture and all its moves, the nearest picture of a set within a radius, without comparing it with all.
//
// Pictures are shrunk to sums over blocks of side x side pixels, divided by side, away from the border, and turned to their
// principal axes. That is an orthogonal projection, which makes no distance larger: what is farther than the radius there is
// farther in pixels. Along the first axis the shrunk pictures are sorted, so that a query looks at a stretch of them only.
type movedIndex struct {
	set        data.Set
	shape      data.Shape
	side       int
	high, wide int       // blocks
	d          int       // numbers that a picture is shrunk to
	axes       []float64 // (d, d), an axis a row, by falling variance
	rows       []float32 // (n, d), sorted by the first element
	at         []int     // the example of each row
	longest    float64   // length of the longest row
}

// newMovedIndex is an index without pictures; nil where they are too small to be moved, and for tables.
func newMovedIndex(s data.Shape) *movedIndex {
	if s.Height < leastMoved || s.Width < leastMoved {
		return nil
	}
	x := &movedIndex{shape: s, side: 1}
	for x.size() > shrunkSize && x.side < min(s.Height, s.Width)-2 {
		x.side++
	}
	x.d = x.size()
	return x
}

func (x *movedIndex) size() int {
	x.high, x.wide = (x.shape.Height-2)/x.side, (x.shape.Width-2)/x.side
	return x.high * x.wide * x.shape.Channels
}

// shrink sets dst, of d elements, to the sums over the blocks of a picture after a move.
func (x *movedIndex) shrink(dst []float64, picture []float32, m Move) {
	clear(dst)
	s := x.shape
	for r := range x.high * x.side {
		for c := range x.wide * x.side {
			row, column, _ := m.source(s, r+1, c+1) // never outside
			for k := range s.Channels {
				dst[(r/x.side*x.wide+c/x.side)*s.Channels+k] += float64(picture[(row*s.Width+column)*s.Channels+k])
			}
		}
	}
	for j := range dst {
		dst[j] /= float64(x.side)
	}
}

// turn appends a shrunk picture, turned to the axes, to rows.
func (x *movedIndex) turn(rows []float32, shrunk []float64) []float32 {
	for j := range x.d {
		sum := 0.0
		for k, v := range x.axes[j*x.d : (j+1)*x.d] {
			sum += v * shrunk[k]
		}
		rows = append(rows, float32(sum))
	}
	return rows
}

// fit finds the axes from some pictures. Any would do: these make the search fast.
func (x *movedIndex) fit(some data.Batch) error {
	p := newPoints(some.Len(), x.d)
	for i := range p.n {
		x.shrink(p.row(i), some.Row(i), Move{})
	}
	_, covariance := gaussian(p)
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return errSpectrum(covariance)
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors) // as columns, by rising variance
	x.axes = make([]float64, x.d*x.d)
	for j := range x.d {
		for k := range x.d {
			x.axes[j*x.d+k] = vectors.At(k, x.d-1-j)
		}
	}
	return nil
}

// add takes in the next pictures of the set.
func (x *movedIndex) add(b data.Batch) {
	shrunk := make([]float64, x.d)
	for i := range b.Len() {
		x.shrink(shrunk, b.Row(i), Move{})
		x.rows = x.turn(x.rows, shrunk)
	}
}

// sort makes the index ready, after all pictures of the set are in.
func (x *movedIndex) sort(set data.Set) {
	x.set = set
	x.at = make([]int, len(x.rows)/x.d)
	for i := range x.at {
		x.at[i] = i
	}
	slices.SortFunc(x.at, func(a, b int) int {
		return cmp.Or(cmp.Compare(x.rows[a*x.d], x.rows[b*x.d]), cmp.Compare(a, b))
	})
	sorted := make([]float32, 0, len(x.rows))
	for _, i := range x.at {
		row := x.rows[i*x.d : (i+1)*x.d]
		sorted = append(sorted, row...)
		x.longest = max(x.longest, length(row))
	}
	x.rows = sorted
}

func length(row []float32) float64 {
	sum := 0.0
	for _, v := range row {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

// movedCopy is an example that is a moved picture's nearest.
type movedCopy struct {
	index    int // -1 where there is none within the radius
	distance float64
	move     Move
}

// nearest finds for each picture of b, moved in all ways, the nearest example within the radius. self is the example that picture i
// is itself, which does not count; nil where none is.
func (x *movedIndex) nearest(ctx context.Context, b data.Batch, self []int, radius float64) ([]movedCopy, error) {
	found := make([]movedCopy, b.Len())
	errs := make([]error, b.Len())
	err := eachRow(ctx, b.Len(), func(i int) {
		not := -1
		if self != nil {
			not = self[i]
		}
		found[i], errs[i] = x.nearestTo(ctx, b.Row(i), not, radius)
	})
	if err != nil {
		return nil, err
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// nearestTo looks at the examples that shrunk pictures allow, by rising distance of these, until no other can be nearer.
func (x *movedIndex) nearestTo(ctx context.Context, picture []float32, not int, radius float64) (movedCopy, error) {
	type candidate struct {
		index int
		least float64 // the distance is at least this
		move  Move
	}
	var candidates []candidate
	shrunk := make([]float64, x.d)
	row := make([]float32, 0, x.d)
	for _, m := range moves() {
		x.shrink(shrunk, picture, m)
		row = x.turn(row[:0], shrunk)
		slack := 0x1p-22 * (length(row) + x.longest) // of rounding to float32
		reach := radius + slack
		from := sort.Search(len(x.at), func(k int) bool { return float64(x.rows[k*x.d]) >= float64(row[0])-reach })
		for k := from; k < len(x.at) && float64(x.rows[k*x.d]) <= float64(row[0])+reach; k++ {
			sum := 0.0
			for j, v := range x.rows[k*x.d : (k+1)*x.d] {
				d := float64(v) - float64(row[j])
				if sum += d * d; sum > reach*reach {
					break
				}
			}
			if sum <= reach*reach && x.at[k] != not {
				candidates = append(candidates, candidate{x.at[k], math.Sqrt(sum) - slack, m})
			}
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.least, b.least), cmp.Compare(a.index, b.index))
	})
	best, square := movedCopy{index: -1}, radius*radius
	other := data.NewBatch(x.shape, 1, false)
	for _, c := range candidates {
		if c.least > math.Sqrt(square) {
			break
		}
		if err := x.set.Read(ctx, other, []int{c.index}); err != nil {
			return best, err
		}
		d := c.move.squaredDistance(picture, other.X, x.shape, square)
		if d < square || d == square && (best.index < 0 || c.index < best.index) {
			best, square = movedCopy{c.index, math.Sqrt(d), c.move}, d
		}
	}
	return best, nil
}
