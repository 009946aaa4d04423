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
// the convolution and its two gradients: [PlanConvY], [PlanConvX], [PlanConvW]. All arrays are contiguous and row-major:
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

func (g *ConvGeometry) check() {
	for i, a := range g.Axes {
		if a.In < 0 || a.Out < 0 || a.Kernel < 1 || a.Stride < 1 || a.Dilation < 1 {
			panic(fmt.Sprintf("kernel: convolution axis %d is %+v; kernel, stride and dilation must be positive", i, a))
		}
	}
	if g.N < 0 || g.Groups < 1 || g.CI < 0 || g.CO < 0 {
		panic(fmt.Sprintf("kernel: convolution of %d images, %d groups, %d to %d channels", g.N, g.Groups, g.CI, g.CO))
	}
}

// ConvPlan is one geometry's convolution ([PlanConvY]), or gradient by the input ([PlanConvX]), made ready: the way to
// compute it, its tables, and the layout of the packed weights. It stays with the instruction set that was active when
// it was made, does not change, and may be used by many goroutines at once, each with its own workspace.
//
// The weights are packed once for all images:
//
//	packed := w
//	if n := plan.Packed(); n > 0 {
//		packed = make([]T, n)
//		plan.Pack(ws, w, packed)
//	}
//	plan.Images(ws, n0, n1, packed, x, y) // of ConvY; of ConvX: y, x
//
// An image's result does not depend on the range of images in the call. Once the workspace has grown, nothing is
// allocated.
type ConvPlan[T float] struct {
	ConvGeometry
	in, out int          // elements of an image
	way     imageConv[T] // nil if in or out is 0
}

// imageConv is a way to compute ConvY, in being x and out y, or ConvX, in being y and out x.
type imageConv[T float] interface {
	packed() int
	pack(s *scratch[T], w, packed []T)
	images(s *scratch[T], n0, n1 int, weights, in, out []T)
}

// Packed returns how many elements the packed weights have. It is 0 if they are used as they are.
func (p *ConvPlan[T]) Packed() int {
	if p.way == nil {
		return 0
	}
	return p.way.packed()
}

// Pack sets packed, of Packed() > 0 elements, to what Images needs of the weights w.
func (p *ConvPlan[T]) Pack(ws *Workspace, w, packed []T) {
	if len(w) < p.WLen() || len(packed) < p.Packed() {
		panic(fmt.Sprintf("kernel: packing of %d weights to %d elements, has %d and %d", p.WLen(), p.Packed(), len(w), len(packed)))
	}
	p.way.pack(scratchOf[T](ws), w, packed)
}

// Images computes images [n0,n1) of out from those of in. The weights are what Pack made of them, or if Packed() is 0
// they themselves. All three arrays begin with image 0.
func (p *ConvPlan[T]) Images(ws *Workspace, n0, n1 int, weights, in, out []T) {
	need := p.Packed()
	if need == 0 {
		need = p.WLen()
	}
	if n0 < 0 || n1 > p.N || len(weights) < need || len(in) < p.N*p.in || len(out) < p.N*p.out {
		panic(fmt.Sprintf("kernel: convolution of images [%d,%d) of %d needs %d weights, %d elements in and %d out, has %d, %d and %d",
			n0, n1, p.N, need, p.N*p.in, p.N*p.out, len(weights), len(in), len(out)))
	}
	if n0 >= n1 {
		return
	}
	if p.way == nil {
		clear(out[n0*p.out : n1*p.out])
		return
	}
	p.way.images(scratchOf[T](ws), n0, n1, weights, in, out)
}

// PlanConvY plans the convolution y = ∂T/∂y of x and w.
//
// An element is one sum over (k0, k1, a) in row-major order, in blocks as [Gemm32] defines; positions in the padding
// take part with x = 0, so that an infinite weight gives NaN there. With stride 1, at most 6 output channels a group
// and more than 6 input channels it is instead, by the mirrored geometry, what [PlanConvX] says of few input channels.
//
// Where minimal filtering F(m,r) serves (ConvGeometry.filterY says where), y is computed in tiles of m x m outputs that
// start at output 0, those outside y being dropped. A tile is Aᵀ·Z·A, and each element of Z one sum, over the phases
// (q0, q1) of x modulo the stride in row-major order and in each over the channels a, in blocks as Gemm32 defines, of
// products of
//
//	Bᵀ·X·B, X[i,j] = x[Stride·(o+i) + q − Pad, a]   and   G·W·Gᵀ, W[t,u] = w[Stride·(t,u) + q, a, b],
//
// where o is the tile's first output and pixels in the padding are 0. L·X·Lᵀ is computed down the columns of X first,
// then along the rows of L·X; each element is a sum over the coefficients that are not 0, in ascending order, one chain
// of fused multiply-adds from zero. So an infinity or a NaN in a pixel reaches all of each tile that reads it.
func PlanConvY[T float](g *ConvGeometry) *ConvPlan[T] {
	g.check()
	p := &ConvPlan[T]{ConvGeometry: *g, in: g.xImage(), out: g.yImage()}
	if p.in == 0 || p.out == 0 {
		return p
	}
	c := newConv[T](g)
	if m, ok := g.asMatrix(); ok {
		p.way = matrixY[T]{conv: c, matrixForm: m}
	} else if f := filterKernelsOf[T](g.filterY()); f != nil {
		p.way = newFilteredY(c, f)
	} else if g.termwiseY() {
		p.way = newColumnsY(c)
	} else if g.isBetterMirrored() {
		p.way = newMirroredY(c)
	} else {
		p.way = newGatherY(c)
	}
	return p
}

// PlanConvX plans x = ∂T/∂x of w and y: the gradient by the input, which is also the transposed convolution.
//
// With more than 6 input channels a group, an element is one sum over (k0, k1, b), taps in descending order, of only
// those taps that its residue modulo the stride can meet; positions outside y take part as zeros. With fewer, each
// (output, tap) is one sum over b, and these are added to zero in ascending order of the taps. Sums are in blocks as
// in [Gemm32].
//
// Where minimal filtering serves (filterX), the pixels of x with the same residues modulo the stride are a convolution
// of y by themselves, of stride 1 and with their taps in descending order, and computed as [PlanConvY] says, in tiles
// that start at the first of them.
func PlanConvX[T float](g *ConvGeometry) *ConvPlan[T] {
	g.check()
	p := &ConvPlan[T]{ConvGeometry: *g, in: g.yImage(), out: g.xImage()}
	if p.in == 0 || p.out == 0 {
		return p
	}
	c := newConv[T](g)
	if m, ok := g.asMatrix(); ok {
		p.way = matrixX[T]{conv: c, matrixForm: m}
	} else if f := filterKernelsOf[T](g.filterX()); f != nil {
		p.way = newFilteredX(c, f)
	} else if g.CI <= fewChannels {
		p.way = newColumnsX(c)
	} else {
		p.way = newPhasesX(c)
	}
	return p
}

// ConvWPlan is one geometry's gradient by the weights, made ready as [ConvPlan] says.
type ConvWPlan[T float] struct {
	ConvGeometry
	way weightsConv[T] // nil if there is nothing to add
}

// weightsConv is a way to sum ∂T/∂w over the images [n0,n1), n0 < n1.
type weightsConv[T float] interface {
	weights(s *scratch[T], n0, n1 int, x, y, w []T)
}

// ConvWParts is how many parts the batch is cut into for the gradient by the weights.
const ConvWParts = 8

// PlanConvW plans w = ∂T/∂w of x and y, as [ConvWParts] parts that [ConvWSum] adds. So up to 8 threads share the work,
// and their number changes no bit.
//
// Within a part, images form groups of the fewest that have 196 outputs together; a group's sum over (n, o0, o1) is
// in blocks as in [Gemm32], and groups are added in order. (A convolution that is a matrix product, a kernel of one
// tap or one as large as the image without padding, is one product over all outputs of the part. With stride 1, at most
// 6 output channels a group and more than 6 input channels, the sum is over the pixels of x, and groups of images have
// 196 of those.)
//
// Where minimal filtering serves (filterW), with tiles as in [PlanConvY], rows of tiles (n, o0) form groups of the fewest
// that have 196 tiles together. For each phase of x, the taps are Gᵀ·Z·G, and an element of Z is the sum over groups in
// order, each one sum over its tiles in row-major order, in blocks as in Gemm32, of the products of Bᵀ·X·B and A·Y·Aᵀ,
// where Y are the tile's elements of y, with 0 for those outside.
func PlanConvW[T float](g *ConvGeometry) *ConvWPlan[T] {
	g.check()
	p := &ConvWPlan[T]{ConvGeometry: *g}
	if g.xImage() == 0 || g.yImage() == 0 {
		return p
	}
	c := newConv[T](g)
	if m, ok := g.asMatrix(); ok {
		p.way = matrixW[T]{c, m}
	} else if f := filterKernelsOf[T](g.filterW()); f != nil {
		p.way = newFilteredW(c, f)
	} else if g.isBetterMirrored() {
		p.way = newMirroredW(c)
	} else {
		p.way = newGatherW(c)
	}
	return p
}

// Part sets partial, which has the size of w, to what images [part·N/8, (part+1)·N/8) contribute.
func (p *ConvWPlan[T]) Part(ws *Workspace, part int, x, y, partial []T) {
	if part < 0 || part >= ConvWParts || len(x) < p.XLen() || len(y) < p.YLen() || len(partial) < p.WLen() {
		panic(fmt.Sprintf("kernel: part %d of %d of a gradient needs %d, %d and %d elements of x, y and w, has %d, %d and %d",
			part, ConvWParts, p.XLen(), p.YLen(), p.WLen(), len(x), len(y), len(partial)))
	}
	n0, n1 := part*p.N/ConvWParts, (part+1)*p.N/ConvWParts
	if n0 == n1 || p.way == nil {
		clear(partial[:p.WLen()])
		return
	}
	p.way.weights(scratchOf[T](ws), n0, n1, x, y, partial)
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

// ConvWLast is the last step of [ConvWSum] for callers that add level by level: w = a + b, a and b being the sums of four
// parts each, and for float32 a zero, which makes +0 of a -0.
func ConvWLast[T float](a, b, w []T) {
	if single, ok := any(w).([]float32); ok {
		t := Float32()
		t.Add.VV(single, any(a).([]float32), any(b).([]float32))
		t.Add.VS(single, single, 0)
		return
	}
	for i := range w {
		w[i] = a[i] + b[i]
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

// conv is what every way to compute a convolution has: the geometry, and the kernels of the active level.
type conv[T float] struct {
	ConvGeometry
	*kernels[T]
}

func newConv[T float](g *ConvGeometry) conv[T] { return conv[T]{*g, kernelsOf[T]()} }

func scratchOf[T float](ws *Workspace) *scratch[T] {
	if s, ok := any(&ws.single).(*scratch[T]); ok {
		return s
	}
	return any(&ws.double).(*scratch[T])
}

// convScratch is the scratch memory of a convolution, apart from the packed panel of A.
type convScratch[T float] struct {
	stage  []T // padded images
	out    []T // results that are not yet where they belong
	mirror []T // weights of the mirrored geometry

	filterIn, filterOut, filterSum []T // transformed tiles and their sums
	transform                      transformRun
}
