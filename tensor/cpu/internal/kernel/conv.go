package kernel

import "fmt"

// ConvAxis is one axis of a convolution: which x meets which y through which tap of w.
//
//	position in x = Stride·o + Dilation·k − Pad,   0 <= o < Out, 0 <= k < Kernel
//
// Terms whose position is outside [0, In) are zero. Pad is the padding at the low end, negative to crop; the high end
// follows from Out.
type ConvAxis struct{ In, Kernel, Out, Stride, Dilation, Pad int }

// reach returns how many neighbouring positions of x all outputs and taps together span.
func (a ConvAxis) reach() int { return a.Stride*(a.Out-1) + a.Dilation*(a.Kernel-1) + 1 }

// covers reports whether that stretch includes all of x.
func (a ConvAxis) covers() bool { return a.Pad >= 0 && a.reach()-a.Pad >= a.In }

// ConvGeometry is the geometry of the trilinear form
//
//	T(x,w,y) = Σ x[n, s·o+d·k−p, (group,a)] · w[k, a, (group,b)] · y[n, o, (group,b)]
//
// over images n < N, outputs o, taps k, groups, and channels a < CI and b < CO of a group. Its three derivatives are
// the convolution and its two gradients: [ConvY], [ConvX], [ConvW]. All arrays are contiguous and row-major:
//
//	x [N, I0, I1, Groups·CI]   w [K0, K1, CI, Groups·CO]   y [N, O0, O1, Groups·CO]
//
// Axis 0 is the height and axis 1 the width of a picture.
type ConvGeometry struct {
	N, Groups, CI, CO int
	Axes              [2]ConvAxis
}

// Lengths of the three arrays, in elements.
func (g *ConvGeometry) XLen() int { return g.N * g.xImage() }
func (g *ConvGeometry) WLen() int { return g.taps() * g.CI * g.Groups * g.CO }
func (g *ConvGeometry) YLen() int { return g.N * g.yImage() }

func (g *ConvGeometry) xImage() int  { return g.Axes[0].In * g.Axes[1].In * g.Groups * g.CI }
func (g *ConvGeometry) yImage() int  { return g.outputs() * g.Groups * g.CO }
func (g *ConvGeometry) outputs() int { return g.Axes[0].Out * g.Axes[1].Out }
func (g *ConvGeometry) taps() int    { return g.Axes[0].Kernel * g.Axes[1].Kernel }

func (g *ConvGeometry) check(x, w, y int) {
	for i, a := range g.Axes {
		if a.In < 0 || a.Out < 0 || a.Kernel < 1 || a.Stride < 1 || a.Dilation < 1 {
			panic(fmt.Sprintf("kernel: convolution axis %d is %+v; kernel, stride and dilation must be positive", i, a))
		}
	}
	if g.N < 0 || g.Groups < 1 || g.CI < 0 || g.CO < 0 {
		panic(fmt.Sprintf("kernel: convolution of %d images, %d groups, %d to %d channels", g.N, g.Groups, g.CI, g.CO))
	}
	if x < g.XLen() || w < g.WLen() || y < g.YLen() {
		panic(fmt.Sprintf("kernel: convolution needs %d, %d and %d elements of x, w and y, has %d, %d and %d",
			g.XLen(), g.WLen(), g.YLen(), x, w, y))
	}
}

func (g *ConvGeometry) checkImages(n0, n1 int) {
	if n0 < 0 || n1 > g.N {
		panic(fmt.Sprintf("kernel: images [%d,%d) of %d", n0, n1, g.N))
	}
}

// ConvY computes images [n0,n1) of the convolution y = ∂T/∂y of x and w.
//
// An element is one sum over (k0, k1, a) in row-major order, in blocks as [Gemm32] defines; positions in the padding
// take part with x = 0, so that an infinite weight gives NaN there. With stride 1, at most 6 output channels a group
// and more than 6 input channels it is instead, by the mirrored geometry, what [ConvX] says of few input channels. An
// image's result does not depend on the range of images in the call.
func ConvY[T float](ws *Workspace, g *ConvGeometry, n0, n1 int, x, w, y []T) {
	g.check(len(x), len(w), len(y))
	g.checkImages(n0, n1)
	if n0 >= n1 || g.yImage() == 0 {
		return
	}
	if g.xImage() == 0 {
		clear(y[n0*g.yImage() : n1*g.yImage()])
		return
	}
	c := newConv[T](ws, g)
	if m, ok := g.asMatrix(); ok {
		c.matrixY(m, n0, n1, x, w, y)
	} else if g.termwiseY() {
		c.columnsY(n0, n1, x, w, y)
	} else if g.isBetterMirrored() {
		c.mirroredY(n0, n1, x, w, y)
	} else {
		c.gatherY(n0, n1, x, w, y)
	}
}

// ConvX computes images [n0,n1) of x = ∂T/∂x from w and y: the gradient by the input, which is also the transposed
// convolution.
//
// With more than 6 input channels a group, an element is one sum over (k0, k1, b), taps in descending order, of only
// those taps that its residue modulo the stride can meet; positions outside y take part as zeros. With fewer, each
// (output, tap) is one sum over b, and these are added to zero in ascending order of the taps. Sums are in blocks as
// in [Gemm32].
func ConvX[T float](ws *Workspace, g *ConvGeometry, n0, n1 int, w, y, x []T) {
	g.check(len(x), len(w), len(y))
	g.checkImages(n0, n1)
	if n0 >= n1 || g.xImage() == 0 {
		return
	}
	if g.yImage() == 0 {
		clear(x[n0*g.xImage() : n1*g.xImage()])
		return
	}
	c := newConv[T](ws, g)
	if m, ok := g.asMatrix(); ok {
		c.matrixX(m, n0, n1, w, y, x)
	} else if g.CI <= fewChannels {
		c.columnsX(n0, n1, w, y, x)
	} else {
		c.phasesX(n0, n1, w, y, x)
	}
}

// ConvWParts is how many parts the batch is cut into for the gradient by the weights.
const ConvWParts = 8

// ConvW computes the part of w = ∂T/∂w that images [part·N/8, (part+1)·N/8) contribute, into partial, which has the
// size of w. [ConvWSum] adds the parts. So up to 8 threads share the work, and their number changes no bit.
//
// Within a part, images form groups of the fewest that have 196 outputs together; a group's sum over (n, o0, o1) is
// in blocks as in [Gemm32], and groups are added in order. (A convolution that is a matrix product, a kernel of one
// tap or one as large as the image without padding, is one product over all outputs of the part. With stride 1, at most
// 6 output channels a group and more than 6 input channels, the sum is over the pixels of x, and groups of images have
// 196 of those.)
func ConvW[T float](ws *Workspace, g *ConvGeometry, part int, x, y, partial []T) {
	g.check(len(x), len(partial), len(y))
	if part < 0 || part >= ConvWParts {
		panic(fmt.Sprintf("kernel: part %d of %d", part, ConvWParts))
	}
	n0, n1 := part*g.N/ConvWParts, (part+1)*g.N/ConvWParts
	if n0 == n1 || g.xImage() == 0 || g.yImage() == 0 {
		clear(partial[:g.WLen()])
		return
	}
	c := newConv[T](ws, g)
	if m, ok := g.asMatrix(); ok {
		c.matrixW(m, n0, n1, x, y, partial)
	} else if g.isBetterMirrored() {
		c.mirroredW(n0, n1, x, y, partial)
	} else {
		c.gatherW(n0, n1, x, y, partial)
	}
}

// ConvWSum adds elements [from,to) of the parts, which lie one after the other in partials, as
//
//	w = ((p0+p1) + (p2+p3)) + ((p4+p5) + (p6+p7)),
//
// which for float32 is Float32Table.ColSum: a part that is -0 counts there as +0.
func ConvWSum[T float](partials, w []T, from, to int) {
	n := len(w)
	if len(partials) < ConvWParts*n {
		panic(fmt.Sprintf("kernel: %d parts of %d elements, has %d", ConvWParts, n, len(partials)))
	}
	if single, ok := any(w).([]float32); ok {
		Float32().ColSum(single[from:to], any(partials).([]float32)[from:], ConvWParts, n)
		return
	}
	p := func(i int) []T { return partials[i*n+from : i*n+to] }
	p0, p1, p2, p3, p4, p5, p6, p7 := p(0), p(1), p(2), p(3), p(4), p(5), p(6), p(7)
	for i := range w[from:to] {
		w[from+i] = ((p0[i] + p1[i]) + (p2[i] + p3[i])) + ((p4[i] + p5[i]) + (p6[i] + p7[i]))
	}
}

// fewChannels is the number of input channels a group up to which ConvX goes by columnsX. At 6 channels that was 1.5
// to 1.8 times as fast as phasesX on outputs of 14x14 and 7x7 with AVX-512, at 8 between 0.9 and 1.3 times.
const fewChannels = 6

// termwiseY and termwiseW report whether what a tap reads of one pixel is so short that ConvY and ConvW do better to
// pack what consecutive outputs read through one term. That changes no result. The limits are where the two were about
// equal with AVX-512 on outputs of 7x7 to 28x28.
func (g *ConvGeometry) termwiseY() bool { return g.CI == 1 || g.CI <= 3 && g.Axes[1].Stride == 1 }
func (g *ConvGeometry) termwiseW() bool { return g.CI == 1 && g.Axes[1].Out > 8 }

// conv is a convolution under way.
type conv[T float] struct {
	*ConvGeometry
	*kernels[T]
	s *scratch[T]
}

func newConv[T float](ws *Workspace, g *ConvGeometry) conv[T] {
	if s, ok := any(&ws.single).(*scratch[T]); ok {
		return conv[T]{g, any(kernels32()).(*kernels[T]), s}
	}
	return conv[T]{g, any(kernels64()).(*kernels[T]), any(&ws.double).(*scratch[T])}
}

// convScratch is the scratch memory of a convolution, apart from the packed panel of A.
type convScratch[T float] struct {
	stage   []T // padded images
	weights []T // packed
	out     []T // results that are not yet where they belong
	pixels  []int
	terms   []int
	runs    []run

	mirrored ConvGeometry
	mirror   []T // its weights
}
