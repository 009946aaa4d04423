package kernel

// filters32 and filters64 return the kernels of the active level.
func filters32() *[len(filters)]filterKernels[float32] {
	switch Active() {
	case AVX512:
		return &avx512Filters32
	case AVX2:
		return &avx2Filters32
	}
	return &genericFilters32
}

func filters64() *[len(filters)]filterKernels[float64] {
	switch Active() {
	case AVX512:
		return &avx512Filters64
	case AVX2:
		return &avx2Filters64
	}
	return &genericFilters64
}

// assembly makes a transform of an assembly routine.
func assembly[T float](to, from int, f func(dst, src *T, run *int)) transform[T] {
	return transform[T]{to, from, func(dst, src []T, run *transformRun) { f(&dst[0], &src[0], &run.srcRow) }}
}

var avx512Filters32 = [len(filters)]filterKernels[float32]{
	{
		filter: &filter23, rows: 14, vector: 16, micros: avx512Strided32,
		image:    assembly(4, 4, winogradImage23x512s),
		taps:     assembly(4, 3, winogradTaps23x512s),
		out:      assembly(2, 4, winogradOut23x512s),
		outBack:  assembly(4, 2, winogradOutBack23x512s),
		tapsBack: assembly(3, 4, winogradTapsBack23x512s),
	},
	{
		filter: &filter42, rows: 14, vector: 16, micros: avx512Strided32,
		image:    assembly(5, 5, winogradImage42x512s),
		taps:     assembly(5, 2, winogradTaps42x512s),
		out:      assembly(4, 5, winogradOut42x512s),
		outBack:  assembly(5, 4, winogradOutBack42x512s),
		tapsBack: assembly(2, 5, winogradTapsBack42x512s),
	},
	{
		filter: &filter43, rows: 14, vector: 16, micros: avx512Strided32,
		image:    assembly(6, 6, winogradImage43x512s),
		taps:     assembly(6, 3, winogradTaps43x512s),
		out:      assembly(4, 6, winogradOut43x512s),
		outBack:  assembly(6, 4, winogradOutBack43x512s),
		tapsBack: assembly(3, 6, winogradTapsBack43x512s),
	},
}

var avx512Strided32 = [2][]stridedMicro[float32]{
	{nil, winogradTile512sx1x1, winogradTile512sx2x1, winogradTile512sx3x1, winogradTile512sx4x1, winogradTile512sx5x1, winogradTile512sx6x1, winogradTile512sx7x1, winogradTile512sx8x1, winogradTile512sx9x1, winogradTile512sx10x1, winogradTile512sx11x1, winogradTile512sx12x1, winogradTile512sx13x1, winogradTile512sx14x1},
	{nil, winogradTile512sx1x2, winogradTile512sx2x2, winogradTile512sx3x2, winogradTile512sx4x2, winogradTile512sx5x2, winogradTile512sx6x2, winogradTile512sx7x2, winogradTile512sx8x2, winogradTile512sx9x2, winogradTile512sx10x2, winogradTile512sx11x2, winogradTile512sx12x2, winogradTile512sx13x2, winogradTile512sx14x2},
}

var avx512Filters64 = [len(filters)]filterKernels[float64]{
	{
		filter: &filter23, rows: 14, vector: 8, micros: avx512Strided64,
		image:    assembly(4, 4, winogradImage23x512d),
		taps:     assembly(4, 3, winogradTaps23x512d),
		out:      assembly(2, 4, winogradOut23x512d),
		outBack:  assembly(4, 2, winogradOutBack23x512d),
		tapsBack: assembly(3, 4, winogradTapsBack23x512d),
	},
	{
		filter: &filter42, rows: 14, vector: 8, micros: avx512Strided64,
		image:    assembly(5, 5, winogradImage42x512d),
		taps:     assembly(5, 2, winogradTaps42x512d),
		out:      assembly(4, 5, winogradOut42x512d),
		outBack:  assembly(5, 4, winogradOutBack42x512d),
		tapsBack: assembly(2, 5, winogradTapsBack42x512d),
	},
	{
		filter: &filter43, rows: 14, vector: 8, micros: avx512Strided64,
		image:    assembly(6, 6, winogradImage43x512d),
		taps:     assembly(6, 3, winogradTaps43x512d),
		out:      assembly(4, 6, winogradOut43x512d),
		outBack:  assembly(6, 4, winogradOutBack43x512d),
		tapsBack: assembly(3, 6, winogradTapsBack43x512d),
	},
}

var avx512Strided64 = [2][]stridedMicro[float64]{
	{nil, winogradTile512dx1x1, winogradTile512dx2x1, winogradTile512dx3x1, winogradTile512dx4x1, winogradTile512dx5x1, winogradTile512dx6x1, winogradTile512dx7x1, winogradTile512dx8x1, winogradTile512dx9x1, winogradTile512dx10x1, winogradTile512dx11x1, winogradTile512dx12x1, winogradTile512dx13x1, winogradTile512dx14x1},
	{nil, winogradTile512dx1x2, winogradTile512dx2x2, winogradTile512dx3x2, winogradTile512dx4x2, winogradTile512dx5x2, winogradTile512dx6x2, winogradTile512dx7x2, winogradTile512dx8x2, winogradTile512dx9x2, winogradTile512dx10x2, winogradTile512dx11x2, winogradTile512dx12x2, winogradTile512dx13x2, winogradTile512dx14x2},
}

var avx2Filters32 = [len(filters)]filterKernels[float32]{
	{
		filter: &filter23, rows: 6, vector: 8, micros: avx2Strided32,
		image:    assembly(4, 4, winogradImage23x256s),
		taps:     assembly(4, 3, winogradTaps23x256s),
		out:      assembly(2, 4, winogradOut23x256s),
		outBack:  assembly(4, 2, winogradOutBack23x256s),
		tapsBack: assembly(3, 4, winogradTapsBack23x256s),
	},
	{
		filter: &filter42, rows: 6, vector: 8, micros: avx2Strided32,
		image:    assembly(5, 5, winogradImage42x256s),
		taps:     assembly(5, 2, winogradTaps42x256s),
		out:      assembly(4, 5, winogradOut42x256s),
		outBack:  assembly(5, 4, winogradOutBack42x256s),
		tapsBack: assembly(2, 5, winogradTapsBack42x256s),
	},
	{
		filter: &filter43, rows: 6, vector: 8, micros: avx2Strided32,
		image:    assembly(6, 6, winogradImage43x256s),
		taps:     assembly(6, 3, winogradTaps43x256s),
		out:      assembly(4, 6, winogradOut43x256s),
		outBack:  assembly(6, 4, winogradOutBack43x256s),
		tapsBack: assembly(3, 6, winogradTapsBack43x256s),
	},
}

var avx2Strided32 = [2][]stridedMicro[float32]{
	{nil, winogradTile256sx1x1, winogradTile256sx2x1, winogradTile256sx3x1, winogradTile256sx4x1, winogradTile256sx5x1, winogradTile256sx6x1},
	{nil, winogradTile256sx1x2, winogradTile256sx2x2, winogradTile256sx3x2, winogradTile256sx4x2, winogradTile256sx5x2, winogradTile256sx6x2},
}

var avx2Filters64 = [len(filters)]filterKernels[float64]{
	{
		filter: &filter23, rows: 6, vector: 4, micros: avx2Strided64,
		image:    assembly(4, 4, winogradImage23x256d),
		taps:     assembly(4, 3, winogradTaps23x256d),
		out:      assembly(2, 4, winogradOut23x256d),
		outBack:  assembly(4, 2, winogradOutBack23x256d),
		tapsBack: assembly(3, 4, winogradTapsBack23x256d),
	},
	{
		filter: &filter42, rows: 6, vector: 4, micros: avx2Strided64,
		image:    assembly(5, 5, winogradImage42x256d),
		taps:     assembly(5, 2, winogradTaps42x256d),
		out:      assembly(4, 5, winogradOut42x256d),
		outBack:  assembly(5, 4, winogradOutBack42x256d),
		tapsBack: assembly(2, 5, winogradTapsBack42x256d),
	},
	{
		filter: &filter43, rows: 6, vector: 4, micros: avx2Strided64,
		image:    assembly(6, 6, winogradImage43x256d),
		taps:     assembly(6, 3, winogradTaps43x256d),
		out:      assembly(4, 6, winogradOut43x256d),
		outBack:  assembly(6, 4, winogradOutBack43x256d),
		tapsBack: assembly(3, 6, winogradTapsBack43x256d),
	},
}

var avx2Strided64 = [2][]stridedMicro[float64]{
	{nil, winogradTile256dx1x1, winogradTile256dx2x1, winogradTile256dx3x1, winogradTile256dx4x1, winogradTile256dx5x1, winogradTile256dx6x1},
	{nil, winogradTile256dx1x2, winogradTile256dx2x2, winogradTile256dx3x2, winogradTile256dx4x2, winogradTile256dx5x2, winogradTile256dx6x2},
}
