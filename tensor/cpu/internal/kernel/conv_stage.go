package kernel

// A window is the part of an image, with zeros around it where it reaches outside, that the pixels and taps of a
// convolution read. Its images are read where they are if it reaches nowhere outside, and else staged: copied to
// scratch with the zeros.
type window struct {
	in       [2]int // size of the image
	channels int
	low      [2]int // position of the window's first element in the image
	size     [2]int // of the window
	row      int    // elements from one row to the next
	image    int    // elements from one image to the next
	direct   bool
}

func newWindow(in [2]int, channels int, low, size [2]int) window {
	w := window{in: in, channels: channels, low: low, size: size, direct: true}
	for i := range 2 {
		w.direct = w.direct && low[i] >= 0 && low[i]+size[i] <= in[i]
	}
	if w.direct {
		w.row, w.image = in[1]*channels, in[0]*in[1]*channels
	} else {
		w.row, w.image = size[1]*channels, size[0]*size[1]*channels
	}
	return w
}

// offset returns where position (i0, i1) of the window is in its image as images returns it.
func (w *window) offset(i0, i1 int) int {
	if w.direct {
		i0, i1 = i0+w.low[0], i1+w.low[1]
	}
	return i0*w.row + i1*w.channels
}

// reserveStage returns memory for up to n staged images, zero where the window is outside of the image.
func reserveStage[T float](w *window, buf []T, n int) []T {
	if w.direct {
		return buf
	}
	buf = reserve(buf, n*w.image)
	clear(buf[:n*w.image])
	return buf
}

// images returns n images from src, staged if need be. The zeros must be in stage already.
func images[T float](w *window, stage, src []T, n int) []T {
	if w.direct {
		return src
	}
	from0, to0 := max(0, w.low[0]), min(w.in[0], w.low[0]+w.size[0])
	from1, to1 := max(0, w.low[1]), min(w.in[1], w.low[1]+w.size[1])
	if from1 >= to1 {
		return stage
	}
	for m := range n {
		image := src[m*w.in[0]*w.in[1]*w.channels:]
		for i := from0; i < to0; i++ {
			copy(stage[m*w.image+(i-w.low[0])*w.row+(from1-w.low[1])*w.channels:],
				image[(i*w.in[1]+from1)*w.channels:(i*w.in[1]+to1)*w.channels])
		}
	}
	return stage
}

// fullPanels is the number of outputs that keep the largest tiles busy: 14 panels of 14 rows.
const fullPanels = 196

// imagesTogether returns the fewest images that have fullPanels pixels, at most the whole batch.
func (g *ConvGeometry) imagesTogether(pixels int) int {
	return max(1, min(g.N, ceilDiv(fullPanels, pixels)))
}
