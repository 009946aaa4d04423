package kernel

// kernels32 returns the float32 kernels of the active level.
func kernels32() *kernels[float32] {
	switch Active() {
	case AVX512:
		return &avx512x32
	case AVX2:
		return &avx2x32
	}
	return &generic32
}

// kernels64 returns the float64 kernels of the active level.
func kernels64() *kernels[float64] {
	switch Active() {
	case AVX512:
		return &avx512x64
	case AVX2:
		return &avx2x64
	}
	return &generic64
}

var avx512x32 = kernels[float32]{
	rows: 14, cols: 32, vector: 16,
	wide: []micro[float32]{
		nil, sgemm512x1x32, sgemm512x2x32, sgemm512x3x32, sgemm512x4x32, sgemm512x5x32, sgemm512x6x32, sgemm512x7x32,
		sgemm512x8x32, sgemm512x9x32, sgemm512x10x32, sgemm512x11x32, sgemm512x12x32, sgemm512x13x32, sgemm512x14x32,
	},
	narrow: []micro[float32]{
		nil, sgemm512x1x16, sgemm512x2x16, sgemm512x3x16, sgemm512x4x16, sgemm512x5x16, sgemm512x6x16, sgemm512x7x16,
		sgemm512x8x16, sgemm512x9x16, sgemm512x10x16, sgemm512x11x16, sgemm512x12x16, sgemm512x13x16, sgemm512x14x16,
	},
	strip: sgemm512x1x128, stripCols: 128,
	direct: []directFunc[float32]{
		nil, sdirect512x1x32, sdirect512x2x32, sdirect512x3x32, sdirect512x4x32, sdirect512x5x32, sdirect512x6x32, sdirect512x7x32, sdirect512x8x32, sdirect512x9x32, sdirect512x10x32, sdirect512x11x32, sdirect512x12x32, sdirect512x13x32, sdirect512x14x32,
	},
	directNarrow: []directFunc[float32]{
		nil, sdirect512x1x16, sdirect512x2x16, sdirect512x3x16, sdirect512x4x16, sdirect512x5x16, sdirect512x6x16, sdirect512x7x16, sdirect512x8x16, sdirect512x9x16, sdirect512x10x16, sdirect512x11x16, sdirect512x12x16, sdirect512x13x16, sdirect512x14x16,
	},
	dots:      dots512f32,
	turn:      transposeExact512f32,
	transpose: inSquares(16, transpose512f32),
	gather:    gather512,
	exact:     gatherExact512,
	copyRows:  inVectors(16, copyRows512f32x1, copyRows512f32x2),
	addRows:   addRowsChecked512,
}

var avx512x64 = kernels[float64]{
	rows: 14, cols: 16, vector: 8,
	wide: []micro[float64]{
		nil, dgemm512x1x16, dgemm512x2x16, dgemm512x3x16, dgemm512x4x16, dgemm512x5x16, dgemm512x6x16, dgemm512x7x16,
		dgemm512x8x16, dgemm512x9x16, dgemm512x10x16, dgemm512x11x16, dgemm512x12x16, dgemm512x13x16, dgemm512x14x16,
	},
	narrow: []micro[float64]{
		nil, dgemm512x1x8, dgemm512x2x8, dgemm512x3x8, dgemm512x4x8, dgemm512x5x8, dgemm512x6x8, dgemm512x7x8,
		dgemm512x8x8, dgemm512x9x8, dgemm512x10x8, dgemm512x11x8, dgemm512x12x8, dgemm512x13x8, dgemm512x14x8,
	},
	direct: []directFunc[float64]{
		nil, ddirect512x1x16, ddirect512x2x16, ddirect512x3x16, ddirect512x4x16, ddirect512x5x16, ddirect512x6x16, ddirect512x7x16, ddirect512x8x16, ddirect512x9x16, ddirect512x10x16, ddirect512x11x16, ddirect512x12x16, ddirect512x13x16, ddirect512x14x16,
	},
	strip: dgemm512x1x64, stripCols: 64,
	directNarrow: []directFunc[float64]{
		nil, ddirect512x1x8, ddirect512x2x8, ddirect512x3x8, ddirect512x4x8, ddirect512x5x8, ddirect512x6x8, ddirect512x7x8, ddirect512x8x8, ddirect512x9x8, ddirect512x10x8, ddirect512x11x8, ddirect512x12x8, ddirect512x13x8, ddirect512x14x8,
	},
	dots:      dots512f64,
	transpose: inSquares(8, transpose512f64),
	gather:    gatherGo[float64],
	exact:     gatherGo[float64],
	copyRows:  inVectors(8, copyRows512f64x1, copyRows512f64x2),
	addRows:   addRowsGo[float64],
}

var avx2x32 = kernels[float32]{
	rows: 6, cols: 16, vector: 8,
	wide: []micro[float32]{
		nil, sgemm256x1x16, sgemm256x2x16, sgemm256x3x16, sgemm256x4x16, sgemm256x5x16, sgemm256x6x16,
	},
	narrow: []micro[float32]{
		nil, sgemm256x1x8, sgemm256x2x8, sgemm256x3x8, sgemm256x4x8, sgemm256x5x8, sgemm256x6x8,
	},
	strip: sgemm256x1x64, stripCols: 64,
	transpose: inSquares(8, transpose256f32),
	gather:    gatherGo[float32],
	exact:     gatherGo[float32],
	copyRows:  inVectors(8, copyRows256f32x1, copyRows256f32x2),
	addRows:   addRowsGo[float32],
}

var avx2x64 = kernels[float64]{
	rows: 6, cols: 8, vector: 4,
	wide: []micro[float64]{
		nil, dgemm256x1x8, dgemm256x2x8, dgemm256x3x8, dgemm256x4x8, dgemm256x5x8, dgemm256x6x8,
	},
	narrow: []micro[float64]{
		nil, dgemm256x1x4, dgemm256x2x4, dgemm256x3x4, dgemm256x4x4, dgemm256x5x4, dgemm256x6x4,
	},
	strip: dgemm256x1x32, stripCols: 32,
	transpose: inSquares(4, transpose256f64),
	gather:    gatherGo[float64],
	exact:     gatherGo[float64],
	copyRows:  inVectors(4, copyRows256f64x1, copyRows256f64x2),
	addRows:   addRowsGo[float64],
}

func gather512(dst []float32, stride int, src []float32, offs []int, cols int) {
	if n := len(offs); n > 0 {
		_, _ = dst[(n-1)*stride+15], src[offs[n-1]+cols-1]
		gatherRows16(&dst[0], stride, &src[0], &offs[0], n, cols)
	}
}

func gatherExact512(dst []float32, stride int, src []float32, offs []int, cols int) {
	if n := len(offs); n > 0 {
		_, _ = dst[(n-1)*stride+cols-1], src[offs[n-1]+cols-1]
		gatherExact16(&dst[0], stride, &src[0], &offs[0], n, cols)
	}
}

func addRowsChecked512(dst []float32, stride int, src []float32, ld, n, cols int) {
	_, _ = dst[(n-1)*stride+cols-1], src[(n-1)*ld+cols-1]
	addRows512(&dst[0], stride, &src[0], ld, n, cols)
}

// inSquares makes a transposeFunc of a routine for as many rows as a vector has elements. It goes from the last rows to
// the first, as the last may be fewer, and what the routine then writes too far lies in rows of dst yet to be written.
func inSquares[T float](lanes int, routine func(dst *T, stride int, src *T, rows *int, n, ahead int)) transposeFunc[T] {
	return func(dst []T, stride int, src []T, rows *[16]int, used, n, ahead int) {
		if n == 0 {
			return
		}
		last := (used - 1) / lanes * lanes
		_ = dst[(n-1)*stride+last+lanes-1]
		for _, o := range rows {
			_ = src[o : o+n]
		}
		for i := last; i >= 0; i -= lanes {
			routine(&dst[i], stride, &src[0], &rows[i], n, ahead)
		}
	}
}

// inVectors makes a copyFunc, for up to two vectors of columns, of routines for one and two.
func inVectors[T float](lanes int, one, two func(dst *T, stride int, src *T, ld, n, cols int)) copyFunc[T] {
	return func(dst []T, stride int, src []T, ld, n, cols int) {
		_ = src[(n-1)*ld+cols-1]
		if cols <= lanes {
			_ = dst[(n-1)*stride+lanes-1]
			one(&dst[0], stride, &src[0], ld, n, cols)
			return
		}
		_ = dst[(n-1)*stride+2*lanes-1]
		two(&dst[0], stride, &src[0], ld, n, cols-lanes)
	}
}
