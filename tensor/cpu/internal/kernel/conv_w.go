package kernel

// termRows is the transposed gathered matrix, (terms, outputs), of a group of images: the left operand of ConvW.
type termRows[T float] struct {
	conv[T]
	termwise bool // images are staged as planes
	win      window
	pl       planes
	src      []T // the images
	group    int
}

// gatherW is ConvW in general: for each group of images the product of the transposed gathered rows with y.
func (c conv[T]) gatherW(n0, n1 int, x, y, w []T) {
	together := imagesTogether(c.outputs())
	r := termRows[T]{conv: c, termwise: c.termwiseW()}
	for r.group = range c.Groups {
		r.prepare(min(together, n1-n0))
		for n := n0; n < n1; n += together {
			count := min(together, n1-n)
			r.load(x[n*c.xImage():], count)
			r.product(count*c.outputs(), y[n*c.yImage()+r.group*c.CO:], w[r.group*c.CO:], n > n0)
		}
	}
}

// prepare fills the tables of pixels and terms, for up to n images at once.
func (r *termRows[T]) prepare(n int) {
	a0, a1 := r.Axes[0], r.Axes[1]
	cs := &r.s.conv
	cs.pixels, cs.runs = cs.pixels[:0], cs.runs[:0]
	if r.termwise {
		r.pl = newPlanes(r.ConvGeometry)
		cs.stage = reserve(cs.stage, n*r.pl.image)
		clear(cs.stage[:n*r.pl.image])
		cs.pixels = r.pl.appendPixels(cs.pixels, n)
		cs.terms = r.pl.appendTerms(cs.terms[:0])
		cs.runs = append(cs.runs, run{0, len(cs.terms)})
		return
	}
	r.win = newWindow([2]int{a0.In, a1.In}, r.Groups*r.CI, [2]int{-a0.Pad, -a1.Pad}, [2]int{a0.reach(), a1.reach()})
	cs.stage = reserveStage(&r.win, cs.stage, n)
	cs.pixels = r.appendPixels(cs.pixels, &r.win, n)
	cs.runs = r.appendRuns(cs.runs, &r.win, r.group)
}

// load stages n images.
func (r *termRows[T]) load(x []T, n int) {
	if r.termwise {
		r.src = r.s.conv.stage
		stagePlanes(&r.pl, r.src, x[r.group*r.CI:], n)
		return
	}
	r.src = images(&r.win, r.s.conv.stage, x, n)
}

// product adds the sum over the outputs of the loaded images to w, or sets w to it.
func (r *termRows[T]) product(outputs int, y, w []T, add bool) {
	ld := r.Groups * r.CO
	block := blockLength(outputs)
	r.s.packedA = reserve(r.s.packedA, r.rows*block+spare)
	r.s.packedB = reserve(r.s.packedB, r.cols*block+spare)
	whole := r.CO / r.cols * r.cols // columns in whole tiles, which are read where they are
	for k0 := 0; k0 < outputs; k0 += block {
		kc := min(block, outputs-k0)
		y := y[k0*ld:]
		if whole < r.CO {
			r.copyRows(r.s.packedB, r.panelCols(r.CO-whole), y[whole:], ld, kc, r.CO-whole)
		}
		addTile := boolInt(add || k0 > 0)
		first := 0 // the first term of a run
		for _, u := range r.s.conv.runs {
			panels := splitEvenly(0, u.length, r.rows)
			for p := range panels.count {
				from, rows := panels.part(p)
				r.pack(r.s.packedA, u.offset+from, rows, k0, kc)
				out := w[(first+from)*ld:]
				for j := 0; j < whole; j += r.cols {
					r.tile(rows, r.cols, kc, r.s.packedA, y[j:], ld, out[j:], ld, addTile)
				}
				if whole < r.CO {
					cols := r.CO - whole
					r.tile(rows, cols, kc, r.s.packedA, r.s.packedB, r.panelCols(cols), out[whole:], ld, addTile)
				}
			}
			first += u.length
		}
	}
}

// pack packs the terms [offset, offset+rows) for outputs [k0, k0+kc).
func (r *termRows[T]) pack(dst []T, offset, rows, k0, kc int) {
	pixels := r.s.conv.pixels[k0 : k0+kc]
	if !r.termwise {
		r.gather(dst, rows, r.src[offset:], pixels, rows)
		return
	}
	terms := r.s.conv.terms[offset : offset+rows]
	for i := range r.s.offsets {
		r.s.offsets[i] = terms[min(i, rows-1)]
	}
	width := r.Axes[1].Out
	for at := 0; at < kc; {
		n := min(kc-at, width-(k0+at)%width)
		r.transpose(dst[at*rows:], rows, r.src[pixels[at]:], &r.s.offsets, rows, n, 0)
		at += n
	}
}
