package data

import (
	"context"
	"fmt"
	"image"
	"slices"
	"sync"
	"sync/atomic"
)

// pictureFile is one picture on disk and its class, which is -1 without labels.
type pictureFile struct {
	path  string
	class int32
}

// pictureSet reads pictures from files. The first of them are kept, decoded, as far as memory allows, and the others are
// decoded when they are asked for. Which ones are kept never changes: in training each picture is used once per pass, in a
// new order, and there no rule for replacing them has more hits.
type pictureSet struct {
	memory
	files []pictureFile
	cache pixels8
}

// openPictures makes a set of files and adds to src what was skipped and noted. classes is nil for pictures without labels.
//
// It looks at the header of every file, for the sizes, and then decodes each once, so that a bad one is found now and not
// hours into training, and so that it is known whether any has colour.
func openPictures(ctx context.Context, files []pictureFile, classes []string, src *Source, o Options) (*pictureSet, error) {
	files, heads, err := readHeaders(ctx, files, src, o)
	if err != nil {
		return nil, err
	}
	shape, err := chooseShape(heads, src, o)
	if err != nil {
		return nil, err
	}
	files, cache, colour, err := decodeAll(ctx, files, shape, src, o)
	if err != nil {
		return nil, err
	}
	if o.Channels == 0 && shape.Channels == 3 && !colour {
		shape.Channels = 1
		for i := range len(cache) / 3 {
			cache[i] = cache[3*i]
		}
		cache = slices.Clone(cache[:len(cache)/3])
	}
	var labels []int32
	if classes != nil {
		labels = make([]int32, len(files))
		for i, f := range files {
			labels[i] = f.class
		}
	}
	return &pictureSet{memory{pictureSchema(shape, classes), len(files), labels}, files, cache}, nil
}

// readHeaders looks at the size of every picture. It returns those that have one.
func readHeaders(ctx context.Context, files []pictureFile, src *Source, o Options) ([]pictureFile, []pictureHead, error) {
	heads := make([]pictureHead, len(files))
	bad, err := eachPicture(ctx, "looking at pictures", files, o, func(i int) (err error) {
		heads[i].size, heads[i].grey, err = pictureHeader(files[i].path)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	good, err := keepGood(files, bad, src)
	return good, withoutBad(heads, bad), err
}

// decodeAll decodes every picture in the given shape. It returns those that could be decoded, the pixels of as many of the
// first of them as memory allows, and whether any pixel of any picture has colour.
func decodeAll(ctx context.Context, files []pictureFile, shape Shape, src *Source, o Options) ([]pictureFile, pixels8, bool, error) {
	p := shape.Size()
	rows := make([][]uint8, min(len(files), int(o.Memory/int64(p))))
	cache := make(pixels8, p*len(rows))
	for i := range rows {
		rows[i] = cache[p*i : p*(i+1)]
	}
	var colour atomic.Bool
	bad, err := eachPicture(ctx, "reading pictures", files, o, func(i int) error {
		var row []uint8
		if i < len(rows) {
			row = rows[i]
		} else {
			row = make([]uint8, p)
		}
		err := readPicture(row, files[i].path, shape)
		if err == nil && shape.Channels == 3 && !isGrey(row) {
			colour.Store(true)
		}
		return err
	})
	if err != nil {
		return nil, nil, false, err
	}
	good, err := keepGood(files, bad, src)
	if len(good) < len(files) { // move the cached pictures up
		kept := cache[:0]
		for _, row := range withoutBad(rows, bad) {
			kept = append(kept, row...)
		}
		cache = kept
	}
	return good, cache, colour.Load(), err
}

// pictureHead is what the header of a picture tells.
type pictureHead struct {
	size image.Point
	grey bool
}

// eachPicture calls do for every file, on all processors. Errors stop it, or where bad pictures are to be skipped, come
// back with the index of the file.
func eachPicture(ctx context.Context, stage string, files []pictureFile, o Options, do func(i int) error) (bad []error, err error) {
	bad = make([]error, len(files))
	var mu sync.Mutex // held over the call, so that the counts arrive in order
	done := int64(0)
	report := func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		o.Progress(Progress{stage, done, int64(len(files)), "pictures"})
	}
	err = parallel(ctx, len(files), func(i int) error {
		bad[i] = do(i)
		report()
		if o.SkipBad {
			return nil
		}
		return bad[i]
	})
	return bad, err
}

// keepGood returns the files without an error and counts the others in src. It is an error if none is left.
func keepGood(files []pictureFile, bad []error, src *Source) ([]pictureFile, error) {
	good := withoutBad(files, bad)
	src.Skipped += len(files) - len(good)
	if len(good) == 0 {
		return nil, fmt.Errorf("%s: none of %d pictures can be read (first: %w)", src.Name, len(files), bad[0])
	}
	return good, nil
}

// withoutBad returns the items whose error is nil. There may be fewer items than errors.
func withoutBad[T any](items []T, bad []error) []T {
	good := make([]T, 0, len(items))
	for i, item := range items {
		if bad[i] == nil {
			good = append(good, item)
		}
	}
	return good
}

// chooseShape takes the shape that o asks for, and for what it leaves open the commonest size (of equally common ones the
// largest) and colour if any picture may have colour.
func chooseShape(heads []pictureHead, src *Source, o Options) (Shape, error) {
	shape := Shape{Height: o.Height, Width: o.Width, Channels: o.Channels}
	count := map[image.Point]int{}
	allGrey := true
	for _, h := range heads {
		count[h.size]++
		allGrey = allGrey && h.grey
	}
	if shape.Height == 0 {
		var best image.Point
		for size, n := range count {
			if n > count[best] || n == count[best] && (size.X*size.Y > best.X*best.Y || size.X*size.Y == best.X*best.Y && size.X > best.X) {
				best = size
			}
		}
		shape.Height, shape.Width = best.Y, best.X
		if len(count) > 1 {
			src.Notes = append(src.Notes, fmt.Sprintf("%s: the pictures have %d sizes; all are resized to %dx%d, which %d of %d have",
				src.Name, len(count), best.Y, best.X, count[best], len(heads)))
		}
	}
	if shape.Channels == 0 {
		shape.Channels = 3
		if allGrey {
			shape.Channels = 1
		}
	}
	if !shape.IsImage() {
		return shape, fmt.Errorf("%s: pictures of one pixel, expected at least two; choose a larger size", src.Name)
	}
	return shape, nil
}

// isGrey reports whether all pixels of a colour picture have three equal parts.
func isGrey(rgb []uint8) bool {
	for i := 0; i < len(rgb); i += 3 {
		if rgb[i] != rgb[i+1] || rgb[i] != rgb[i+2] {
			return false
		}
	}
	return true
}

func (s *pictureSet) File(i int) string { return s.files[i].path }

func (s *pictureSet) Read(ctx context.Context, dst Batch, index []int) error {
	if err := checkRead(s, dst, index); err != nil {
		return err
	}
	p := s.schema.Size()
	var onDisk []int // positions in index
	for k, i := range index {
		if p*(i+1) <= len(s.cache) {
			s.cache.float(dst.Row(k), i)
		} else {
			onDisk = append(onDisk, k)
		}
	}
	s.readLabels(dst, index)
	return parallel(ctx, len(onDisk), func(j int) error {
		k := onDisk[j]
		pixels := make(pixels8, p)
		if err := readPicture(pixels, s.files[index[k]].path, s.schema.Shape); err != nil {
			return err
		}
		pixels.float(dst.Row(k), 0)
		return nil
	})
}
