package report

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"io"
	"slices"
	"time"
)

// Animation writes frames of one size as a GIF, each shown for the delay, that is played so many times and then stands still; 0 is
// without end. Grey pictures keep their 256 levels. A GIF has 256 colours: colour pictures get the palette of all frames together that
// median cut finds (Heckbert, Color image quantization for frame buffer display, SIGGRAPH 1982), without dithering, which would flicker.
func Animation(w io.Writer, frames []image.Image, delay time.Duration, plays int) error {
	if len(frames) == 0 {
		return errors.New("an animation without frames")
	}
	hundredths := int(delay / (10 * time.Millisecond))
	if hundredths < 1 {
		return fmt.Errorf("an animation with a delay of %v, expected at least 10ms", delay)
	}
	if plays < 0 {
		return fmt.Errorf("an animation that is played %d times, expected at least 0", plays)
	}
	size := frames[0].Bounds()
	for i, f := range frames {
		if f.Bounds() != size {
			return fmt.Errorf("frame %d of an animation is %v, expected %v as the first", i, f.Bounds(), size)
		}
	}
	q := newQuantiser(frames)
	g := gif.GIF{LoopCount: loopCount(plays), Config: image.Config{ColorModel: q.palette, Width: size.Dx(), Height: size.Dy()}}
	for _, f := range frames {
		p := image.NewPaletted(size, q.palette)
		for y := size.Min.Y; y < size.Max.Y; y++ {
			for x := size.Min.X; x < size.Max.X; x++ {
				p.SetColorIndex(x, y, q.index[rgbOf(f.At(x, y))])
			}
		}
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, hundredths)
	}
	return gif.EncodeAll(w, &g)
}

// loopCount says a number of plays as gif.GIF has it: 0 is without end, -1 once, and else how often it is repeated after the first time.
func loopCount(plays int) int {
	if plays == 1 {
		return -1
	}
	return max(0, plays-1)
}

// rgb is a colour of 8 bits each.
type rgb [3]uint8

func rgbOf(c color.Color) rgb {
	r, g, b, _ := c.RGBA()
	return rgb{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
}

// quantiser maps colours to places in a palette.
type quantiser struct {
	palette color.Palette
	index   map[rgb]uint8
}

// counted is a colour and how many pixels have it.
type counted struct {
	c rgb
	n int
}

// newQuantiser finds a palette: all colours of the frames, where 256 are enough. Otherwise it cuts the box of colours whose
// longest side, times the pixels in it, is greatest, at the median of that side, until there are 256; the mean of a box is
// its colour.
func newQuantiser(frames []image.Image) *quantiser {
	count := map[rgb]int{}
	for _, f := range frames {
		for y := f.Bounds().Min.Y; y < f.Bounds().Max.Y; y++ {
			for x := f.Bounds().Min.X; x < f.Bounds().Max.X; x++ {
				count[rgbOf(f.At(x, y))]++
			}
		}
	}
	all := make([]counted, 0, len(count))
	for c, n := range count {
		all = append(all, counted{c, n})
	}
	slices.SortFunc(all, func(a, b counted) int { return slices.Compare(a.c[:], b.c[:]) })

	boxes := [][]counted{all}
	if len(all) <= 256 {
		boxes = boxes[:0]
		for i := range all {
			boxes = append(boxes, all[i:i+1])
		}
	}
	for len(all) > 256 && len(boxes) < 256 {
		best, axis, weight := 0, 0, 0
		for i, box := range boxes {
			a, side := longestSide(box)
			if w := side * pixels(box); w > weight {
				best, axis, weight = i, a, w
			}
		}
		low, high := cutBox(boxes[best], axis)
		boxes[best] = low
		boxes = append(boxes, high)
	}

	q := &quantiser{index: make(map[rgb]uint8, len(all))}
	for i, box := range boxes {
		var sum [3]int
		for _, c := range box {
			for k, v := range c.c {
				sum[k] += int(v) * c.n
			}
			q.index[c.c] = uint8(i)
		}
		n := pixels(box)
		mean := func(k int) uint8 { return uint8((sum[k] + n/2) / n) }
		q.palette = append(q.palette, color.RGBA{mean(0), mean(1), mean(2), 255})
	}
	return q
}

func pixels(box []counted) int {
	n := 0
	for _, c := range box {
		n += c.n
	}
	return n
}

// longestSide is the axis along which the colours of a box differ most, and by how much.
func longestSide(box []counted) (axis, side int) {
	for k := range 3 {
		low, high := 255, 0
		for _, c := range box {
			low, high = min(low, int(c.c[k])), max(high, int(c.c[k]))
		}
		if high-low > side {
			axis, side = k, high-low
		}
	}
	return axis, side
}

// cutBox divides a box of at least two colours at the median pixel along an axis. Both parts have a colour.
func cutBox(box []counted, axis int) (low, high []counted) {
	slices.SortFunc(box, func(a, b counted) int {
		return cmp.Or(cmp.Compare(a.c[axis], b.c[axis]), slices.Compare(a.c[:], b.c[:]))
	})
	half, seen := pixels(box)/2, 0
	at := 0
	for at < len(box)-1 && (at == 0 || seen+box[at].n <= half) {
		seen += box[at].n
		at++
	}
	return box[:at], box[at:]
}
