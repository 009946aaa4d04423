package kernel

// phase is one residue of an axis of x modulo the stride. Its positions i = first + Stride·j, j < count, all meet the
// same taps k = firstTap + tapStep·t, t < taps, and position j meets through tap t the output
//
//	o = low + j + dilation·(taps−1−t),
//
// so within a phase the gradient by x is a convolution of y of stride 1, and no zeros are multiplied. Outputs outside
// [0, Out) count as zero.
type phase struct {
	first, count            int
	taps, firstTap, tapStep int
	low, dilation           int
}

// phase returns the positions i of x with i + Pad ≡ r (mod Stride), 0 <= r < Stride. From
//
//	Stride·o = i + Pad − Dilation·k
//
// the taps are those with Dilation·k ≡ r: an arithmetic progression with step Stride/gcd(Dilation, Stride).
func (a ConvAxis) phase(r int) phase {
	divisor := gcd(a.Dilation, a.Stride)
	p := phase{tapStep: a.Stride / divisor, dilation: a.Dilation / divisor}
	p.first = ((r-a.Pad)%a.Stride + a.Stride) % a.Stride
	if p.first < a.In {
		p.count = (a.In-1-p.first)/a.Stride + 1
	}
	for p.firstTap < a.Kernel && a.Dilation*p.firstTap%a.Stride != r {
		p.firstTap++
	}
	if p.firstTap < a.Kernel {
		p.taps = (a.Kernel-1-p.firstTap)/p.tapStep + 1
	}
	p.low = (p.first+a.Pad-a.Dilation*p.firstTap)/a.Stride - p.dilation*(p.taps-1)
	return p
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// readRange returns the first output that any phase reads, and the number from there to the last.
func (a ConvAxis) readRange() (low, size int) {
	end := 0
	for r, none := 0, true; r < a.Stride; r++ {
		p := a.phase(r)
		if p.count == 0 || p.taps == 0 {
			continue
		}
		pend := p.low + p.count + p.dilation*(p.taps-1)
		if none || p.low < low {
			low = p.low
		}
		if none || pend > end {
			end = pend
		}
		none = false
	}
	return low, end - low
}

// phasesX is ConvX in general: the gradient by input as Stride x Stride convolutions of stride 1.
type phasesX[T float] struct {
	conv[T]
	win      window
	together int // images
	phases   []phaseX[T]
}

// phaseX is one of the convolutions.
type phaseX[T float] struct {
	gathered[T]
	p0, p1 phase
	pixels []int // of the images that are computed together
	packed int   // where its packed weights start
}

func newPhasesX[T float](c conv[T]) *phasesX[T] {
	a0, a1 := c.Axes[0], c.Axes[1]
	low0, size0 := a0.readRange()
	low1, size1 := a1.readRange()
	x := &phasesX[T]{conv: c, together: c.imagesTogether(ceilDiv(a0.In, a0.Stride) * ceilDiv(a1.In, a1.Stride))}
	x.win = newWindow([2]int{a0.Out, a1.Out}, c.Groups*c.CO, [2]int{low0, low1}, [2]int{size0, size1})
	packed := 0
	for r0 := range a0.Stride {
		for r1 := range a1.Stride {
			p := x.newPhase(a0.phase(r0), a1.phase(r1))
			if len(p.pixels) == 0 {
				continue
			}
			p.packed = packed
			packed += c.Groups * p.size()
			x.phases = append(x.phases, p)
		}
	}
	return x
}

func (c *phasesX[T]) newPhase(p0, p1 phase) phaseX[T] {
	p := phaseX[T]{p0: p0, p1: p1, gathered: newGathered(c.kernels, p0.taps*p1.taps*c.CO, c.CI)}
	p.ahead = c.rows * c.win.channels
	for m := range c.together {
		for j0 := range p0.count {
			for j1 := range p1.count {
				p.pixels = append(p.pixels, m*c.win.image+c.win.offset(p0.low+j0-c.win.low[0], p1.low+j1-c.win.low[1]))
			}
		}
	}
	for t0 := range p0.taps {
		for t1 := range p1.taps {
			p.runs = appendRun(p.runs, p0.dilation*t0*c.win.row+p1.dilation*t1*c.win.channels, c.CO)
		}
	}
	return p
}

func (c *phasesX[T]) packed() int {
	last := &c.phases[len(c.phases)-1]
	return last.packed + c.Groups*last.size()
}

func (c *phasesX[T]) pack(s *scratch[T], w, packed []T) {
	for q := range c.phases {
		p := &c.phases[q]
		if p.terms == 0 {
			continue
		}
		for i := range c.Groups {
			c.packPhaseWeights(s, p, w[i*c.CO:], packed[p.packed+i*p.size():])
		}
	}
}

func (c *phasesX[T]) images(s *scratch[T], n0, n1 int, packed, y, x []T) {
	together := min(n1-n0, c.together)
	s.conv.stage = reserveStage(&c.win, s.conv.stage, together)
	for n := n0; n < n1; n += together {
		count := min(together, n1-n)
		src := images(&c.win, s.conv.stage, y[n*c.yImage():], count)
		for q := range c.phases {
			p := &c.phases[q]
			c.phase(s, p, count, packed[p.packed:], src, x[n*c.xImage():])
		}
	}
}

// phase computes the positions of one phase of the images whose windows are in src.
func (c *phasesX[T]) phase(s *scratch[T], p *phaseX[T], count int, packed, src, x []T) {
	if p.terms == 0 {
		for m := range count {
			c.scatterPhase(p.p0, p.p1, 0, c.Groups*c.CI, nil, x[m*c.xImage():])
		}
		return
	}
	pixels := p.p0.count * p.p1.count
	for i := range c.Groups {
		packed := packed[i*p.size():]
		if c.Axes[0].Stride == 1 && c.Axes[1].Stride == 1 { // the phase is all of x
			p.product(s, src[i*c.CO:], p.pixels[:count*pixels], packed, x[i*c.CI:], c.Groups*c.CI)
			continue
		}
		s.conv.out = reserve(s.conv.out, count*pixels*c.CI)
		p.product(s, src[i*c.CO:], p.pixels[:count*pixels], packed, s.conv.out, c.CI)
		for m := range count {
			c.scatterPhase(p.p0, p.p1, i*c.CI, c.CI, s.conv.out[m*pixels*c.CI:], x[m*c.xImage():])
		}
	}
}

// scatterPhase copies channels [from, from+size) of a phase's positions from src to their places in an image, or
// clears them if src is nil.
func (c *phasesX[T]) scatterPhase(p0, p1 phase, from, size int, src, image []T) {
	a0, a1 := c.Axes[0], c.Axes[1]
	ld := c.Groups * c.CI
	for j0 := range p0.count {
		row := (p0.first+a0.Stride*j0)*a1.In + p1.first
		for j1 := range p1.count {
			dst := image[(row+a1.Stride*j1)*ld+from:][:size]
			if src == nil {
				clear(dst)
			} else {
				src = src[copy(dst, src):]
			}
		}
	}
}

// packPhaseWeights packs the weights of a phase, transposed: a row for each (tap, b), the phase's last tap first, as
// that one reads the lowest output.
func (c *phasesX[T]) packPhaseWeights(s *scratch[T], r *phaseX[T], w, packed []T) {
	p0, p1 := r.p0, r.p1
	ld := c.Groups * c.CO
	block := blockLength(r.terms)
	for k0 := 0; k0 < r.terms; k0 += block {
		kc := min(block, r.terms-k0)
		for k := k0; k < k0+kc; {
			t, b := k/c.CO, k%c.CO
			n := min(c.CO-b, k0+kc-k)
			tap0 := p0.firstTap + p0.tapStep*(p0.taps-1-t/p1.taps)
			tap1 := p1.firstTap + p1.tapStep*(p1.taps-1-t%p1.taps)
			tap := w[(tap0*c.Axes[1].Kernel+tap1)*c.CI*ld+b:]
			for j := 0; j < c.CI; j += r.kernels.cols {
				cols := min(r.kernels.cols, c.CI-j)
				stride := r.panelCols(cols)
				panel := r.panel(packed, k0, kc, j)[(k-k0)*stride:]
				for h := 0; h < cols; h += 16 {
					for q := range s.offsets {
						s.offsets[q] = (j + min(h+q, cols-1)) * ld
					}
					c.transpose(panel[h:], stride, tap, &s.offsets, min(16, cols-h), n, 0)
				}
			}
			k += n
		}
	}
}
