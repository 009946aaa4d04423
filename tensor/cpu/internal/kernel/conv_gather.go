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
	s     *scratch[T]
	terms int // of each sum
	cols  int // of the result
	width int // columns that the packed weights have
	runs  []run
	ahead int // elements from a pixel to the one that the next panel has in its place, about
}

// panel returns the packed weights of terms [k0, k0+kc) and the columns from j on.
func (r *gathered[T]) panel(k0, kc, j int) []T { return r.s.conv.weights[k0*r.width+kc*j:] }

// reserveWeights makes room for all panels.
func (r *gathered[T]) reserveWeights() {
	r.width = r.cols / r.kernels.cols * r.kernels.cols
	if r.width < r.cols {
		r.width += r.panelCols(r.cols - r.width)
	}
	r.s.conv.weights = reserve(r.s.conv.weights, r.terms*r.width+spare)
}

// product computes C = A·W for pixels whose rows start at offsets pixels in src.
func (r *gathered[T]) product(src []T, pixels []int, c []T, ldc int) {
	r.multiply(len(pixels), c, ldc, func(dst []T, i, rows, k0, kc int) { r.packRows(dst, src, pixels[i:i+rows], k0, kc) })
}

// multiply computes C = A·W for m rows, of which pack packs terms [k0, k0+kc) of rows [i, i+rows).
func (r *gathered[T]) multiply(m int, c []T, ldc int, pack func(dst []T, i, rows, k0, kc int)) {
	block := blockLength(r.terms)
	r.s.packedA = reserve(r.s.packedA, r.rows*block+spare)
	a := r.s.packedA
	panels := splitEvenly(0, m, r.rows)
	for k0 := 0; k0 < r.terms; k0 += block {
		kc := min(block, r.terms-k0)
		for p := range panels.count {
			i, rows := panels.part(p)
			pack(a, i, rows, k0, kc)
			for j := 0; j < r.cols; j += r.kernels.cols {
				cols := min(r.kernels.cols, r.cols-j)
				r.tile(rows, cols, kc, a, r.panel(k0, kc, j), r.panelCols(cols), c[i*ldc+j:], ldc, boolInt(k0 > 0))
			}
		}
	}
}

// packRows packs terms [k0, k0+kc) of the rows of these pixels.
func (r *gathered[T]) packRows(dst, src []T, pixels []int, k0, kc int) {
	for i := range r.s.offsets {
		r.s.offsets[i] = pixels[min(i, len(pixels)-1)]
	}
	at := 0 // the term at which a run starts
	for _, u := range r.runs {
		from, to := max(at, k0), min(at+u.length, k0+kc)
		if from < to {
			r.transpose(dst[(from-k0)*len(pixels):], len(pixels), src[u.offset+from-at:], &r.s.offsets, len(pixels), to-from, r.ahead)
		}
		at += u.length
		if at >= k0+kc {
			break
		}
	}
}

// packWeightRows packs the weights of group i as they lie in w: a row for each (k0, k1, a).
func (r *gathered[T]) packWeightRows(w []T, ld int) {
	r.reserveWeights()
	block := blockLength(r.terms)
	for k0 := 0; k0 < r.terms; k0 += block {
		kc := min(block, r.terms-k0)
		for j := 0; j < r.cols; j += r.kernels.cols {
			cols := min(r.kernels.cols, r.cols-j)
			r.copyRows(r.panel(k0, kc, j), r.panelCols(cols), w[k0*ld+j:], ld, kc, cols)
		}
	}
}

// gatherY is ConvY in general.
func (c conv[T]) gatherY(n0, n1 int, x, w, y []T) {
	a0, a1 := c.Axes[0], c.Axes[1]
	channels := c.Groups * c.CI
	win := newWindow([2]int{a0.In, a1.In}, channels, [2]int{-a0.Pad, -a1.Pad}, [2]int{a0.reach(), a1.reach()})
	together := min(n1-n0, imagesTogether(c.outputs()))
	cs := &c.s.conv
	cs.stage = reserveStage(&win, cs.stage, together)
	cs.pixels = c.appendPixels(cs.pixels[:0], &win, together)
	ldc := c.Groups * c.CO
	r := gathered[T]{kernels: c.kernels, s: c.s, terms: c.taps() * c.CI, cols: c.CO, ahead: c.rows * a1.Stride * channels}
	for i := range c.Groups {
		cs.runs = c.appendRuns(cs.runs[:0], &win, i)
		r.runs = cs.runs
		r.packWeightRows(w[i*c.CO:], ldc)
		for n := n0; n < n1; n += together {
			count := min(together, n1-n)
			src := images(&win, cs.stage, x[n*c.xImage():], count)
			r.product(src, cs.pixels[:count*c.outputs()], y[n*c.yImage()+i*c.CO:], ldc)
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

// appendRuns appends what a pixel reads, relative to the start of its window, in the order of w.
func (g *ConvGeometry) appendRuns(runs []run, win *window, group int) []run {
	for k0 := range g.Axes[0].Kernel {
		for k1 := range g.Axes[1].Kernel {
			offset := g.Axes[0].Dilation*k0*win.row + g.Axes[1].Dilation*k1*win.channels + group*g.CI
			runs = appendRun(runs, offset, g.CI)
		}
	}
	return runs
}
