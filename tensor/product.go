package tensor

import (
	"fmt"
	"slices"
)

// MatMulSpec says which operands of [MatMulT] are transposed.
type MatMulSpec struct{ TransA, TransB bool }

// MatMul is the matrix product over the last two axes; all axes before them are batch axes and agree.
func MatMul(a, b *Node) *Node { return MatMulT(a, b, false, false) }

// MatMulT is op(a)·op(b), where op transposes the last two axes if asked to: (…, m, k) and (…, k, n) give (…, m, n).
// Attr: a MatMulSpec.
func MatMulT(a, b *Node, transA, transB bool) *Node {
	r := a.shape.Rank()
	if !a.DType().IsFloat() || a.DType() != b.DType() || r < 2 || b.shape.Rank() != r || !slices.Equal(a.shape.Dims[:r-2], b.shape.Dims[:r-2]) {
		fail("matmul: the operands are %v and %v; needs floats of one type, equal batch axes, two matrix axes", a.shape, b.shape)
	}
	m, k := a.shape.Dims[r-2], a.shape.Dims[r-1]
	if transA {
		m, k = k, m
	}
	k2, n := b.shape.Dims[r-2], b.shape.Dims[r-1]
	if transB {
		k2, n = n, k2
	}
	if k != k2 {
		fail("matmul: %v (transposed %t) times %v (transposed %t): inner extents %d and %d differ", a.shape, transA, b.shape, transB, k, k2)
	}
	dims := append(slices.Clone(a.shape.Dims[:r-2]), m, n)
	return a.graph.add(OpMatMul, Shape{a.DType(), dims}, MatMulSpec{transA, transB}, a, b)
}

// ConvAxis is the geometry of a convolution along one spatial axis: output o meets input s·o + d·k − p at kernel
// position k. In, Kernel and Out are all kept, since a transposed convolution cannot tell In from Out; the padding after
// the input follows (negative padding crops).
type ConvAxis struct{ In, Kernel, Out, Stride, Dilation, Pad int }

// HighPad is the padding after the input: s(O−1) + d(K−1) + 1 − I − p.
func (a ConvAxis) HighPad() int {
	return a.Stride*(a.Out-1) + a.Dilation*(a.Kernel-1) + 1 - a.In - a.Pad
}

// ConvGeometry is the geometry of the trilinear form
//
//	T(x,w,y) = Σ over n, group, a, b, o, k of x[n, s·o+d·k−p, (group,a)] · w[k, a, (group,b)] · y[n, o, (group,b)]
//
// whose three partial derivatives are the convolution family. Terms whose input index lies outside [0, In) are 0. CI and
// CO count channels of one group; axis 0 is the height. Arrays are x [N, I0, I1, Groups·CI], w [K0, K1, CI, Groups·CO]
// and y [N, O0, O1, Groups·CO].
type ConvGeometry struct {
	N, Groups, CI, CO int
	Axes              [2]ConvAxis
}

// XDims are the extents of x.
func (c ConvGeometry) XDims() []int {
	return []int{c.N, c.Axes[0].In, c.Axes[1].In, c.Groups * c.CI}
}

// WDims are the extents of w.
func (c ConvGeometry) WDims() []int {
	return []int{c.Axes[0].Kernel, c.Axes[1].Kernel, c.CI, c.Groups * c.CO}
}

// YDims are the extents of y.
func (c ConvGeometry) YDims() []int {
	return []int{c.N, c.Axes[0].Out, c.Axes[1].Out, c.Groups * c.CO}
}

func (c ConvGeometry) check(op Op, a *Node, adims []int, b *Node, bdims []int) {
	if c.N < 0 || c.Groups < 1 || c.CI < 0 || c.CO < 0 {
		fail("%s: %+v", op, c)
	}
	for _, x := range c.Axes {
		if x.In < 0 || x.Out < 0 || x.Kernel < 0 || x.Stride < 1 || x.Dilation < 1 {
			fail("%s: %+v", op, c)
		}
	}
	if !a.DType().IsFloat() || a.DType() != b.DType() || !slices.Equal(a.shape.Dims, adims) || !slices.Equal(b.shape.Dims, bdims) {
		fail("%s: needs floats %v and %v, got %v and %v", op, adims, bdims, a.shape, b.shape)
	}
}

// ConvY is ∂T/∂y: the convolution of x by w. Attr, here and for [ConvX] and [ConvW]: the ConvGeometry.
func ConvY(c ConvGeometry, x, w *Node) *Node {
	c.check(OpConvY, x, c.XDims(), w, c.WDims())
	return x.graph.add(OpConvY, Shape{x.DType(), c.YDims()}, c, x, w)
}

// ConvX is ∂T/∂x: the gradient of a convolution by its input, which is also the transposed convolution of y by w.
func ConvX(c ConvGeometry, w, y *Node) *Node {
	c.check(OpConvX, w, c.WDims(), y, c.YDims())
	return w.graph.add(OpConvX, Shape{w.DType(), c.XDims()}, c, w, y)
}

// ConvW is ∂T/∂w: the gradient of a convolution by its kernel.
func ConvW(c ConvGeometry, x, y *Node) *Node {
	c.check(OpConvW, x, c.XDims(), y, c.YDims())
	return x.graph.add(OpConvW, Shape{x.DType(), c.WDims()}, c, x, y)
}

// PoolAxis is the geometry of pooling along one axis: output o sees inputs s·o − p … s·o − p + k − 1 that exist.
type PoolAxis struct{ In, Kernel, Out, Stride, Pad int }

// PoolWindow is the geometry of pooling [N, I0, I1, C] to [N, O0, O1, C].
type PoolWindow struct{ Axes [2]PoolAxis }

// Pooling is the window of given extent, stride and padding on x [N, H, W, C], with every output whose window lies inside the padded input.
func Pooling(x *Node, kernel, stride, pad int) PoolWindow {
	if x.shape.Rank() != 4 || kernel < 1 || stride < 1 || pad < 0 || 2*pad > kernel {
		fail("pooling: kernel %d, stride %d, padding %d on %v; needs [N H W C] and a padding of at most half the kernel", kernel, stride, pad, x.shape)
	}
	var w PoolWindow
	for i := range w.Axes {
		in := x.shape.Dims[1+i]
		if in+2*pad < kernel {
			fail("pooling: a window of %d does not fit %v", kernel, x.shape)
		}
		w.Axes[i] = PoolAxis{in, kernel, (in+2*pad-kernel)/stride + 1, stride, pad}
	}
	return w
}

// MaxPoolIndex gives, for each output of the window, the position of the greatest element (the first of equals; a NaN
// counts as greatest) in its flattened image [I0·I1·C], as Int32. Attr: the PoolWindow.
func MaxPoolIndex(w PoolWindow, x *Node) *Node {
	checkPool(OpMaxPoolIndex, x, w.Axes[0].In, w.Axes[1].In)
	for _, a := range w.Axes {
		for o := range a.Out {
			if lo := a.Stride*o - a.Pad; lo+a.Kernel <= 0 || lo >= a.In {
				fail("max_pool: window %d of %+v sees no input", o, a)
			}
		}
	}
	d := x.shape.Dims
	return x.graph.add(OpMaxPoolIndex, Shape{Int32, []int{d[0], w.Axes[0].Out, w.Axes[1].Out, d[3]}}, w, x)
}

// SumPool adds the elements of each window. Attr, here and for [SumUnpool]: the PoolWindow.
func SumPool(w PoolWindow, x *Node) *Node {
	checkPool(OpSumPool, x, w.Axes[0].In, w.Axes[1].In)
	d := x.shape.Dims
	return x.graph.add(OpSumPool, Shape{x.DType(), []int{d[0], w.Axes[0].Out, w.Axes[1].Out, d[3]}}, w, x)
}

// SumUnpool is the transpose of [SumPool]: each input position gets the sum of the outputs whose window holds it.
func SumUnpool(w PoolWindow, y *Node) *Node {
	checkPool(OpSumUnpool, y, w.Axes[0].Out, w.Axes[1].Out)
	d := y.shape.Dims
	return y.graph.add(OpSumUnpool, Shape{y.DType(), []int{d[0], w.Axes[0].In, w.Axes[1].In, d[3]}}, w, y)
}

func checkPool(op Op, x *Node, h, w int) {
	if !x.DType().IsFloat() || x.shape.Rank() != 4 || x.shape.Dims[1] != h || x.shape.Dims[2] != w {
		fail("%s: needs floats [N %d %d C], got %v", op, h, w, x.shape)
	}
}

func (c ConvGeometry) String() string {
	return fmt.Sprintf("n%d g%d %d→%d %+v %+v", c.N, c.Groups, c.CI, c.CO, c.Axes[0], c.Axes[1])
}
