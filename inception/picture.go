package inception

import "math"

// tap is what one place of a resized axis is made of: (1−share)·x[at] + share·x[next].
type tap struct {
	at, next int
	share    float32
}

// taps resize an axis of n places to Side by linear interpolation between the centres of pixels: place o lies at (o+½)·n/Side − ½, and beyond
// the outermost centres their value goes on. Nothing is averaged where the axis shrinks. It is PyTorch's interpolate with mode bilinear and
// align_corners false.
func taps(n int) []tap {
	t := make([]tap, Side)
	for o := range t {
		x := max((float64(o)+0.5)*float64(n)/Side-0.5, 0)
		at := min(int(x), n-1)
		t[o] = tap{at, min(at+1, n-1), float32(x - float64(at))}
	}
	return t
}

// resize puts a picture [height, width, channels] of 1 or 3 channels, with pixels from 0 to largest, into dst, [Side, Side, 3], with pixels from
// −1 to 1. Grey is repeated. The pixels first become those of an 8-bit file, whose 256 levels are what the published numbers are of: a pixel
// outside the range goes to its end.
func resize(dst, src []float32, rows, columns []tap, width, channels int, largest float32) {
	levels := make([]float32, len(src))
	for i, v := range src {
		level := math.RoundToEven(float64(min(max(v, 0), largest)) * 255 / float64(largest))
		levels[i] = float32(level*2/255 - 1)
	}
	for i, r := range rows {
		above, below := levels[r.at*width*channels:], levels[r.next*width*channels:]
		for j, c := range columns {
			to := dst[3*(i*Side+j):][:3]
			for k := range to {
				left, right := c.at*channels+k%channels, c.next*channels+k%channels
				upper := above[left] + c.share*(above[right]-above[left])
				lower := below[left] + c.share*(below[right]-below[left])
				to[k] = upper + r.share*(lower-upper)
			}
		}
	}
}
