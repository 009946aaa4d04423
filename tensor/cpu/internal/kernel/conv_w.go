package kernel

// gatherW is ConvW in general: for each group of images the product of the transposed gathered rows, (terms, outputs),
// with y.
type gatherW[T float] struct {
	conv[T]
	termwise bool // images are staged as planes pl, not as windows
	win      window
	pl       planes
	pixels   []int // of the images of a group
	terms    []int // of planes
	runs     []run
	together int // images of a group
}

func newGatherW[T float](c conv[T]) *gatherW[T] {
	a0, a1 := c.Axes[0], c.Axes[1]
	r := &gatherW[T]{conv: c, termwise: c.termwiseW(), together: c.imagesTogether(c.outputs())}
	if r.termwise {
		r.pl = newPlanes(&r.ConvGeometry)
		r.pixels = r.pl.appendPixels(nil, r.together)
		r.terms = r.pl.appendTerms(nil)
		r.runs = []run{{0, len(r.terms)}}
		return r
	}
	r.win = newWindow([2]int{a0.In, a1.In}, r.Groups*r.CI, [2]int{-a0.Pad, -a1.Pad}, [2]int{a0.reach(), a1.reach()})
	r.pixels = r.appendPixels(nil, &r.win, r.together)
	r.runs = r.appendRuns(nil, &r.win)
	return r
}

func (r *gatherW[T]) weights(s *scratch[T], n0, n1 int, x, y, w []T) {
	together := min(n1-n0, r.together)
	if r.termwise {
		s.conv.stage = reserve(s.conv.stage, together*r.pl.image)
		clear(s.conv.stage[:together*r.pl.image])
	} else {
		s.conv.stage = reserveStage(&r.win, s.conv.stage, together)
	}
	for i := range r.Groups {
		for n := n0; n < n1; n += together {
			count := min(together, n1-n)
			src := s.conv.stage
			if r.termwise {
				stagePlanes(&r.pl, src, x[n*r.xImage()+i*r.CI:], count)
			} else {
				src = images(&r.win, src, x[n*r.xImage():], count)[i*r.CI:]
			}
			r.product(s, src, count*r.outputs(), y[n*r.yImage()+i*r.CO:], w[i*r.CO:], n > n0)
		}
	}
}

// product adds the sum over the outputs of the images src to w, or sets w to it.
func (r *gatherW[T]) product(s *scratch[T], src []T, outputs int, y, w []T, add bool) {
	ld := r.Groups * r.CO
	block := blockLength(outputs)
	s.packedA = reserve(s.packedA, r.rows*block+spare)
	s.packedB = reserve(s.packedB, r.cols*block+spare)
	whole := r.CO / r.cols * r.cols // columns in whole tiles, which are read where they are
	for k0 := 0; k0 < outputs; k0 += block {
		kc := min(block, outputs-k0)
		y := y[k0*ld:]
		if whole < r.CO {
			r.copyRows(s.packedB, r.panelCols(r.CO-whole), y[whole:], ld, kc, r.CO-whole)
		}
		addTile := boolInt(add || k0 > 0)
		first := 0 // the first term of a run
		for _, u := range r.runs {
			panels := splitEvenly(0, u.length, r.rows)
			for p := range panels.count {
				from, rows := panels.part(p)
				r.pack(&s.offsets, s.packedA, src, u.offset+from, rows, k0, kc)
				out := w[(first+from)*ld:]
				for j := 0; j < whole; j += r.cols {
					r.tile(rows, r.cols, kc, s.packedA, y[j:], ld, out[j:], ld, addTile)
				}
				if whole < r.CO {
					cols := r.CO - whole
					r.tile(rows, cols, kc, s.packedA, s.packedB, r.panelCols(cols), out[whole:], ld, addTile)
				}
			}
			first += u.length
		}
	}
}

// pack packs the terms [offset, offset+rows) for outputs [k0, k0+kc).
func (r *gatherW[T]) pack(offsets *[16]int, dst, src []T, offset, rows, k0, kc int) {
	pixels := r.pixels[k0 : k0+kc]
	if !r.termwise {
		r.gather(dst, rows, src[offset:], pixels, rows)
		return
	}
	terms := r.terms[offset : offset+rows]
	for i := range offsets {
		offsets[i] = terms[min(i, rows-1)]
	}
	width := r.Axes[1].Out
	for at := 0; at < kc; {
		n := min(kc-at, width-(k0+at)%width)
		r.transpose(dst[at*rows:], rows, src[pixels[at]:], offsets, rows, n, 0)
		at += n
	}
}
