package kernel

// planes is the layout of a staged image with few channels: a plane for each (channel, residue of row, residue of
// column modulo the strides), so that what consecutive outputs read through one tap is contiguous.
type planes struct {
	g            *ConvGeometry
	pitch        int // elements from one row of a plane to the next
	plane, image int // elements
}

func newPlanes(g *ConvGeometry) planes {
	a0, a1 := g.Axes[0], g.Axes[1]
	// Rows are whole vectors apart: a load that overlaps the store just before it, even in lanes that are masked off,
	// would wait for it.
	p := planes{g: g, pitch: (ceilDiv(a1.reach(), a1.Stride) + 15) &^ 15}
	p.plane = ceilDiv(a0.reach(), a0.Stride) * p.pitch
	p.image = g.CI * a0.Stride * a1.Stride * p.plane
	return p
}

// at returns the place of channel a at position (u0, u1), counted from the start of the padding.
func (p *planes) at(a, u0, u1 int) int {
	s0, s1 := p.g.Axes[0].Stride, p.g.Axes[1].Stride
	return ((a*s0+u0%s0)*s1+u1%s1)*p.plane + u0/s0*p.pitch + u1/s1
}

// appendTerms appends the place of each (k0, k1, a) relative to a pixel.
func (p *planes) appendTerms(terms []int) []int {
	a0, a1 := p.g.Axes[0], p.g.Axes[1]
	for k0 := range a0.Kernel {
		for k1 := range a1.Kernel {
			for a := range p.g.CI {
				terms = append(terms, p.at(a, a0.Dilation*k0, a1.Dilation*k1))
			}
		}
	}
	return terms
}

// appendPixels appends the place of each output of n images.
func (p *planes) appendPixels(pixels []int, n int) []int {
	for m := range n {
		for o0 := range p.g.Axes[0].Out {
			for o1 := range p.g.Axes[1].Out {
				pixels = append(pixels, m*p.image+o0*p.pitch+o1)
			}
		}
	}
	return pixels
}

// eachRow calls f for every row of an image and every residue of a row's elements, with where in a plane the first
// such element of channel a is, its position in the row, the position after the last, and the row.
func (p *planes) eachRow(a int, f func(plane, i0, from, to int)) {
	a0, a1 := p.g.Axes[0], p.g.Axes[1]
	from, to := max(0, -a1.Pad), min(a1.In, a1.reach()-a1.Pad)
	for i0 := max(0, -a0.Pad); i0 < min(a0.In, a0.reach()-a0.Pad); i0++ {
		for r := from; r < min(to, from+a1.Stride); r++ {
			f(p.at(a, i0+a0.Pad, r+a1.Pad), i0, r, to)
		}
	}
}

// stagePlanes copies the channels that x starts with of n images to stage, whose padding must be zero already.
func stagePlanes[T float](p *planes, stage, x []T, n int) {
	width, ld, stride := p.g.Axes[1].In, p.g.Groups*p.g.CI, p.g.Axes[1].Stride
	for m := range n {
		for a := range p.g.CI {
			p.eachRow(a, func(plane, i0, from, to int) {
				dst := stage[m*p.image+plane:]
				src := x[m*p.g.xImage()+i0*width*ld+a:]
				if ld == 1 && stride == 1 {
					copy(dst, src[from:to])
					return
				}
				for j, i1 := 0, from; i1 < to; j, i1 = j+1, i1+stride {
					dst[j] = src[i1*ld]
				}
			})
		}
	}
}

// unstagePlanes copies one staged image to the channels that x starts with; positions that no plane has are cleared.
func unstagePlanes[T float](p *planes, x, stage []T) {
	height, width, ld, stride := p.g.Axes[0].In, p.g.Axes[1].In, p.g.Groups*p.g.CI, p.g.Axes[1].Stride
	if !p.g.Axes[0].covers() || !p.g.Axes[1].covers() {
		for i := range height * width {
			clear(x[i*ld:][:p.g.CI])
		}
	}
	for a := range p.g.CI {
		p.eachRow(a, func(plane, i0, from, to int) {
			src := stage[plane:]
			dst := x[i0*width*ld+a:]
			if ld == 1 && stride == 1 {
				copy(dst[from:to], src)
				return
			}
			for j, i1 := 0, from; i1 < to; j, i1 = j+1, i1+stride {
				dst[i1*ld] = src[j]
			}
		})
	}
}

// columnsY is ConvY for few input channels: a tap of one pixel is too short to be packed by itself, so the panel is
// filled term by term, with what consecutive outputs read.
type columnsY[T float] struct {
	conv[T]
	gathered[T]
	pl       planes
	pixels   []int // of the images that are computed together
	terms    []int
	together int
}

func newColumnsY[T float](c conv[T]) *columnsY[T] {
	y := &columnsY[T]{conv: c, together: c.imagesTogether(c.outputs())}
	y.pl = newPlanes(&y.ConvGeometry)
	y.pixels = y.pl.appendPixels(nil, y.together)
	y.terms = y.pl.appendTerms(nil)
	y.gathered = newGathered(c.kernels, len(y.terms), c.CO)
	return y
}

func (c *columnsY[T]) packed() int { return c.Groups * c.size() }

func (c *columnsY[T]) pack(_ *scratch[T], w, packed []T) { c.packGroups(&c.ConvGeometry, w, packed) }

func (c *columnsY[T]) images(s *scratch[T], n0, n1 int, packed, x, y []T) {
	together := min(n1-n0, c.together)
	stage := reserve(s.conv.stage, together*c.pl.image)
	s.conv.stage = stage
	clear(stage[:together*c.pl.image])
	for i := range c.Groups {
		for n := n0; n < n1; n += together {
			count := min(together, n1-n)
			stagePlanes(&c.pl, stage, x[n*c.xImage()+i*c.CI:], count)
			c.multiply(s, count*c.outputs(), packed[i*c.size():], y[n*c.yImage()+i*c.CO:], c.Groups*c.CO,
				func(dst []T, i, rows, k0, kc int) { c.packColumns(dst, stage, i, rows, k0, kc) })
		}
	}
}

// packColumns packs terms [k0, k0+kc) of outputs [i, i+rows), by stretches that lie in one row of outputs.
func (c *columnsY[T]) packColumns(dst, stage []T, i, rows, k0, kc int) {
	terms := c.terms[k0 : k0+kc]
	width := c.Axes[1].Out
	for at := 0; at < rows; {
		n := min(rows-at, width-(i+at)%width)
		if n == rows {
			c.conv.gather(dst, rows, stage[c.pixels[i]:], terms, rows)
			return
		}
		c.conv.exact(dst[at:], rows, stage[c.pixels[i+at]:], terms, n)
		at += n
	}
}

// columnsX is ConvX for few input channels: what every output contributes through every term, as one matrix product
// (terms, outputs), is then added row by row to where it belongs.
type columnsX[T float] struct {
	unpacked[T]
	conv[T]
	pl       planes
	terms    []int
	together int // images
}

func newColumnsX[T float](c conv[T]) *columnsX[T] {
	x := &columnsX[T]{conv: c, together: c.imagesTogether(c.outputs())}
	x.pl = newPlanes(&x.ConvGeometry)
	x.terms = x.pl.appendTerms(nil)
	return x
}

func (c *columnsX[T]) images(s *scratch[T], n0, n1 int, w, y, x []T) {
	a0, a1 := c.Axes[0], c.Axes[1]
	outputs, ld := c.outputs(), c.Groups*c.CO
	together := min(n1-n0, c.together)
	s.conv.out = reserve(s.conv.out, len(c.terms)*together*outputs)
	s.conv.stage = reserve(s.conv.stage, c.pl.image)
	out, image := s.conv.out, s.conv.stage[:c.pl.image]
	for i := range c.Groups {
		for n := n0; n < n1; n += together {
			count := min(together, n1-n)
			gemm(c.kernels, s, product[T]{tb: true, m1: len(c.terms), n1: count * outputs, k: c.CO,
				a: w[i*c.CO:], lda: ld, b: y[n*c.yImage()+i*c.CO:], ldb: ld, c: out, ldc: count * outputs})
			for m := range count {
				clear(image)
				for t, at := range c.terms {
					c.addRows(image[at:], c.pl.pitch, out[(t*count+m)*outputs:], a1.Out, a0.Out, a1.Out)
				}
				unstagePlanes(&c.pl, x[(n+m)*c.xImage()+i*c.CI:], image)
			}
		}
	}
}
