package augment

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
)

// Variation is the classical augmentation of pictures: each is moved by a whole number of pixels along both axes and, where
// mirroring does not change what a picture shows, mirrored. What moves in repeats the pixels of the border, which brings
// in no value that the picture does not have. (LeCun, Bottou, Bengio and Haffner, Proc. IEEE 86, 1998, section VII.C; Krizhevsky,
// Sutskever and Hinton, NIPS 2012, section 4.1.)
type Variation struct {
	Shift  int  // up to so many pixels up or down, and left or right, each number equally probable
	Mirror bool // half of the pictures left to right
}

// DefaultShift is the shift of a picture of that shape where nothing else is said: a fourteenth of its shorter side, which is 2
// pixels of 28, and at least 1.
func DefaultShift(s data.Shape) int { return max(1, min(s.Height, s.Width)/14) }

// Of is the pictures of s, varied. Picture i varies by random numbers that depend on seed and i alone, so that it is the same
// however often and in whatever order it is read.
func (v Variation) Of(s data.Set, seed uint64) (data.Set, error) {
	switch shape := s.Schema().Shape; {
	case !shape.IsImage():
		return nil, fmt.Errorf("a table of %v cannot be moved or mirrored, expected pictures", shape)
	case v.Shift < 0 || v.Shift >= min(shape.Height, shape.Width):
		return nil, fmt.Errorf("a shift by %d pixels, expected 0 to %d for pictures of %v", v.Shift, min(shape.Height, shape.Width)-1, shape)
	}
	return &varied{s, v, seed}, nil
}

type varied struct {
	data.Set
	variation Variation
	seed      uint64
}

func (s *varied) Labels(ctx context.Context) ([]int32, error) { return data.Labels(ctx, s.Set) }

func (s *varied) Read(ctx context.Context, dst data.Batch, index []int) error {
	if err := s.Set.Read(ctx, dst, index); err != nil {
		return err
	}
	var source rand.PCG
	r := rand.New(&source)
	old := make([]float32, dst.Shape.Size())
	for k, i := range index {
		source.Seed(s.seed, uint64(i))
		dy, dx := r.IntN(2*s.variation.Shift+1)-s.variation.Shift, r.IntN(2*s.variation.Shift+1)-s.variation.Shift
		mirror := s.variation.Mirror && r.IntN(2) == 1
		copy(old, dst.Row(k))
		move(dst.Row(k), old, dst.Shape, dy, dx, mirror)
	}
	return nil
}

// move sets dst to src, mirrored if asked, then moved down by dy and right by dx:
//
//	dst[y, x] = src[y - dy, x - dx], with coordinates clamped to the picture
func move(dst, src []float32, s data.Shape, dy, dx int, mirror bool) {
	for y := range s.Height {
		fromY := min(max(y-dy, 0), s.Height-1)
		for x := range s.Width {
			fromX := min(max(x-dx, 0), s.Width-1)
			if mirror {
				fromX = s.Width - 1 - fromX
			}
			copy(dst[(y*s.Width+x)*s.Channels:][:s.Channels], src[(fromY*s.Width+fromX)*s.Channels:])
		}
	}
}

// Cycle is n examples of s: all of them in a random order, again and again in new orders, so that no two examples come in numbers
// that differ by more than one.
func Cycle(s data.Set, n int, r *rand.Rand) data.Set {
	index := make([]int, 0, n)
	for len(index) < n {
		order := r.Perm(s.Len())
		index = append(index, order[:min(len(order), n-len(index))]...)
	}
	return data.Subset(s, index)
}
