package kernel

// matrixForm is a convolution that is a matrix product as it stands: x is (N·rows, ld) of which a group uses `terms`
// columns, w is (terms, Groups·CO) and y is (N·rows, Groups·CO).
type matrixForm struct{ rows, terms, ld int }

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
		return matrixForm{rows: g.outputs(), terms: g.CI, ld: g.Groups * g.CI}, true
	case whole:
		return matrixForm{rows: 1, terms: g.taps() * g.CI, ld: g.taps() * g.CI}, true
	}
	return matrixForm{}, false
}

func (c conv[T]) matrixY(m matrixForm, n0, n1 int, x, w, y []T) {
	ld := c.Groups * c.CO
	for i := range c.Groups {
		gemm(c.kernels, c.s, product[T]{m0: n0 * m.rows, m1: n1 * m.rows, n1: c.CO, k: m.terms,
			a: x[i*c.CI:], lda: m.ld, b: w[i*c.CO:], ldb: ld, c: y[i*c.CO:], ldc: ld})
	}
}

func (c conv[T]) matrixX(m matrixForm, n0, n1 int, w, y, x []T) {
	ld := c.Groups * c.CO
	for i := range c.Groups {
		gemm(c.kernels, c.s, product[T]{tb: true, m0: n0 * m.rows, m1: n1 * m.rows, n1: m.terms, k: c.CO,
			a: y[i*c.CO:], lda: ld, b: w[i*c.CO:], ldb: ld, c: x[i*c.CI:], ldc: m.ld})
	}
}

func (c conv[T]) matrixW(m matrixForm, n0, n1 int, x, y, w []T) {
	ld := c.Groups * c.CO
	for i := range c.Groups {
		gemm(c.kernels, c.s, product[T]{ta: true, m1: m.terms, n1: c.CO, k: (n1 - n0) * m.rows,
			a: x[n0*m.rows*m.ld+i*c.CI:], lda: m.ld, b: y[n0*m.rows*ld+i*c.CO:], ldb: ld, c: w[i*c.CO:], ldc: ld})
	}
}
