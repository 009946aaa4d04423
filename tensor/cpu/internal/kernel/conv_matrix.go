package kernel

// matrixForm is a convolution that is a matrix product as it stands: x is (N·perImage, ld) of which a group uses `terms`
// columns, w is (terms, Groups·CO) and y is (N·perImage, Groups·CO).
type matrixForm struct{ perImage, terms, ld int }

// asMatrix recognises two kinds: one tap that moves with stride 1 over all of the image, and a kernel as large as the
// image with one output.
func (g *ConvGeometry) asMatrix() (matrixForm, bool) {
	pointwise, whole := true, g.Groups == 1
	for _, a := range g.Axes {
		pointwise = pointwise && a.Kernel == 1 && a.Stride == 1 && a.Pad == 0 && a.In == a.Out
		whole = whole && a.Out == 1 && a.Kernel == a.In && (a.Dilation == 1 || a.Kernel == 1) && a.Pad == 0
	}
	switch {
	case pointwise:
		return matrixForm{perImage: g.outputs(), terms: g.CI, ld: g.Groups * g.CI}, true
	case whole:
		return matrixForm{perImage: 1, terms: g.taps() * g.CI, ld: g.taps() * g.CI}, true
	}
	return matrixForm{}, false
}

// unpacked is a way that uses the weights as they are.
type unpacked[T float] struct{}

func (unpacked[T]) packed() int                  { return 0 }
func (unpacked[T]) pack(_ *scratch[T], _, _ []T) { panic("kernel: these weights are used as they are") }

type matrixY[T float] struct {
	unpacked[T]
	conv[T]
	matrixForm
}

func (c matrixY[T]) images(s *scratch[T], n0, n1 int, w, x, y []T) {
	ld := c.Groups * c.CO
	for i := range c.Groups {
		gemm(c.kernels, s, product[T]{m0: n0 * c.perImage, m1: n1 * c.perImage, n1: c.CO, k: c.terms,
			a: x[i*c.CI:], lda: c.ld, b: w[i*c.CO:], ldb: ld, c: y[i*c.CO:], ldc: ld})
	}
}

type matrixX[T float] struct {
	unpacked[T]
	conv[T]
	matrixForm
}

func (c matrixX[T]) images(s *scratch[T], n0, n1 int, w, y, x []T) {
	ld := c.Groups * c.CO
	for i := range c.Groups {
		gemm(c.kernels, s, product[T]{tb: true, m0: n0 * c.perImage, m1: n1 * c.perImage, n1: c.terms, k: c.CO,
			a: y[i*c.CO:], lda: ld, b: w[i*c.CO:], ldb: ld, c: x[i*c.CI:], ldc: c.ld})
	}
}

type matrixW[T float] struct {
	conv[T]
	matrixForm
}

func (c matrixW[T]) weights(s *scratch[T], n0, n1 int, x, y, w []T) {
	ld := c.Groups * c.CO
	for i := range c.Groups {
		gemm(c.kernels, s, product[T]{ta: true, m1: c.terms, n1: c.CO, k: (n1 - n0) * c.perImage,
			a: x[n0*c.perImage*c.ld+i*c.CI:], lda: c.ld, b: y[n0*c.perImage*ld+i*c.CO:], ldb: ld, c: w[i*c.CO:], ldc: ld})
	}
}
