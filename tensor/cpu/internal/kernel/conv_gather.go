package kernel

// Implicit matrix product: a row of A is what one output pixel reads, gathered from the image panel by panel, so that
// the matrix of all of them never exists. (S. Chetlur et al., "cuDNN: efficient primitives for deep learning", 2014.)

// run is a stretch of a row of A that is contiguous in the image: its offset from the pixel's first element, and its
// length.
type run struct{ offset, length int }

// appendRun adds a stretch, joining it to the last one where they touch.
func appendRun(runs []run, offset, length int) []run {
	if n := len(runs); n > 0 && runs[n-1].offset+runs[n-1].length == offset {
		runs[n-1].length += length
		return runs
	}
	return append(runs, run{offset, length})
}

// gathered is the product of gathered rows with packed weights.
type gathered[T float] struct {
	*kernels[T]
	terms int // of each sum
	cols  int // of the result
	width int // columns that the packed weights have
	runs  []run
	ahead int // elements from a pixel to the one that the next panel has in its place, about
}

func newGathered[T float](ks *kernels[T], terms, cols int) gathered[T] {
	r := gathered[T]{kernels: ks, terms: terms, cols: cols, width: cols / ks.cols * ks.cols}
	if r.width < cols {
		r.width += ks.panelCols(cols - r.width)
	}
	return r
}

// size returns how many elements the packed weights of a group have.
func (r *gathered[T]) size() int { return r.terms*r.width + spare }

// panel returns the packed weights of terms [k0, k0+kc) and the columns from j on.
func (r *gathered[T]) panel(packed []T, k0, kc, j int) []T { return packed[k0*r.width+kc*j:] }

// product computes C = A·W for pixels whose rows start at offsets pixels in src.
func (r *gathered[T]) product(s *scratch[T], src []T, pixels []int, packed, c []T, ldc int) {
	r.multiply(s, len(pixels), packed, c, ldc, func(dst []T, i, rows, k0, kc int) {
		r.packRows(&s.offsets, dst, src, pixels[i:i+rows], k0, kc)
	})
}

// multiply computes C = A·W for m rows, of which pack packs terms [k0, k0+kc) of rows [i, i+rows).
func (r *gathered[T]) multiply(s *scratch[T], m int, packed, c []T, ldc int, pack func(dst []T, i, rows, k0, kc int)) {
	block := blockLength(r.terms)
	s.packedA = reserve(s.packedA, r.rows*block+spare)
	a := s.packedA
	panels := splitEvenly(0, m, r.rows)
	for k0 := 0; k0 < r.terms; k0 += block {
		kc := min(block, r.terms-k0)
		for p := range panels.count {
			i, rows := panels.part(p)
			pack(a, i, rows, k0, kc)
			for j := 0; j < r.cols; j += r.kernels.cols {
				cols := min(r.kernels.cols, r.cols-j)
				r.tile(rows, cols, kc, a, r.panel(packed, k0, kc, j), r.panelCols(cols), c[i*ldc+j:], ldc, boolInt(k0 > 0))
			}
		}
	}
}

// packRows packs terms [k0, k0+kc) of the rows of these pixels.
func (r *gathered[T]) packRows(offsets *[16]int, dst, src []T, pixels []int, k0, kc int) {
	for i := range offsets {
		offsets[i] = pixels[min(i, len(pixels)-1)]
	}
	at := 0 // the term at which a run starts
	for _, u := range r.runs {
		from, to := max(at, k0), min(at+u.length, k0+kc)
		if from < to {
			r.transpose(dst[(from-k0)*len(pixels):], len(pixels), src[u.offset+from-at:], offsets, len(pixels), to-from, r.ahead)
		}
		at += u.length
		if at >= k0+kc {
			break
		}
	}
}

// packGroups packs the weights as they lie in w: a row for each (k0, k1, a).
func (r *gathered[T]) packGroups(g *ConvGeometry, w, packed []T) {
	ld := g.Groups * g.CO
	block := blockLength(r.terms)
	for i := range g.Groups {
		for k0 := 0; k0 < r.terms; k0 += block {
			kc := min(block, r.terms-k0)
			for j := 0; j < r.cols; j += r.kernels.cols {
				cols := min(r.kernels.cols, r.cols-j)
				r.copyRows(r.panel(packed[i*r.size():], k0, kc, j), r.panelCols(cols), w[i*g.CO+k0*ld+j:], ld, kc, cols)
			}
		}
	}
}

// gatherY is ConvY in general.
type gatherY[T float] struct {
	conv[T]
	gathered[T]
	win      window
	pixels   []int // of the images that are computed together
	together int
}

func newGatherY[T float](c conv[T]) *gatherY[T] {
	a0, a1 := c.Axes[0], c.Axes[1]
	channels := c.Groups * c.CI
	y := &gatherY[T]{conv: c, gathered: newGathered(c.kernels, c.taps()*c.CI, c.CO), together: c.imagesTogether(c.outputs())}
	y.win = newWindow([2]int{a0.In, a1.In}, channels, [2]int{-a0.Pad, -a1.Pad}, [2]int{a0.reach(), a1.reach()})
	y.pixels = c.appendPixels(nil, &y.win, y.together)
	y.runs = c.appendRuns(nil, &y.win)
	y.ahead = c.rows * a1.Stride * channels
	return y
}

func (c *gatherY[T]) packed() int { return c.Groups * c.size() }

func (c *gatherY[T]) pack(_ *scratch[T], w, packed []T) { c.packGroups(&c.ConvGeometry, w, packed) }

func (c *gatherY[T]) images(s *scratch[T], n0, n1 int, packed, x, y []T) {
	together := min(n1-n0, c.together)
	s.conv.stage = reserveStage(&c.win, s.conv.stage, together)
	for i := range c.Groups {
		for n := n0; n < n1; n += together {
			count := min(together, n1-n)
			src := images(&c.win, s.conv.stage, x[n*c.xImage():], count)
			c.product(s, src[i*c.CI:], c.pixels[:count*c.outputs()], packed[i*c.size():], y[n*c.yImage()+i*c.CO:], c.Groups*c.CO)
		}
	}
}

// appendPixels appends where the window of each output of n images starts.
func (g *ConvGeometry) appendPixels(pixels []int, win *window, n int) []int {
	for m := range n {
		for o0 := range g.Axes[0].Out {
			for o1 := range g.Axes[1].Out {
				pixels = append(pixels, m*win.image+win.offset(g.Axes[0].Stride*o0, g.Axes[1].Stride*o1))
			}
		}
	}
	return pixels
}

// appendRuns appends what a pixel reads of the first group, relative to the start of its window, in the order of w.
func (g *ConvGeometry) appendRuns(runs []run, win *window) []run {
	for k0 := range g.Axes[0].Kernel {
		for k1 := range g.Axes[1].Kernel {
			runs = appendRun(runs, g.Axes[0].Dilation*k0*win.row+g.Axes[1].Dilation*k1*win.channels, g.CI)
		}
	}
	return runs
}
