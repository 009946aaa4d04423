package kernel

import (
	"math"
	"unsafe"
)

var (
	genericFilters32 = genericFilters(chains32, fma32)
	genericFilters64 = genericFilters(chains64, math.FMA)
)

// genericFilters returns the plain Go kernels, which define what the assembly computes.
func genericFilters[T float](chains func(a []T, rows int, b []T, ldb int) (s0, s1, s2, s3 T), fma func(a, b, c T) T) (ks [len(filters)]filterKernels[T]) {
	for i, f := range filters {
		k := filterKernels[T]{filter: f, rows: genericRows, vector: 4}
		for vectors := range k.micros {
			k.micros[vectors] = []stridedMicro[T]{nil}
			for rows := 1; rows <= k.rows; rows++ {
				k.micros[vectors] = append(k.micros[vectors], genericStrided(chains, rows, 4*(vectors+1)))
			}
		}
		k.image = transformGo(f.bt, fma)
		k.taps = transformGo(f.g, fma)
		k.out = transformGo(f.at, fma)
		k.outBack = transformGo(transposed(f.at), fma)
		k.tapsBack = transformGo(transposed(f.g), fma)
		ks[i] = k
	}
	return ks
}

func transposed(m [][]float64) [][]float64 {
	t := make([][]float64, len(m[0]))
	for j := range t {
		for i := range m {
			t[j] = append(t[j], m[i][j])
		}
	}
	return t
}

// genericStrided returns the micro-kernel in plain Go.
func genericStrided[T float](chains func(a []T, rows int, b []T, ldb int) (s0, s1, s2, s3 T), rows, cols int) stridedMicro[T] {
	return func(k int, a *T, rowStride, termStride int, b *T, ldb int, c *T, ldc, add int) {
		as := unsafe.Slice(a, (rows-1)*rowStride+(k-1)*termStride+1)
		bs := unsafe.Slice(b, (k-1)*ldb+cols)
		cs := unsafe.Slice(c, (rows-1)*ldc+cols)
		for i := range rows {
			for j := 0; j < cols; j += 4 {
				var sums [4]T
				sums[0], sums[1], sums[2], sums[3] = chains(as[i*rowStride:][:(k-1)*termStride+1], termStride, bs[j:], ldb)
				for q, to := range cs[i*ldc+j:][:4] {
					if add != 0 {
						sums[q] += to
					}
				}
				copy(cs[i*ldc+j:], sums[:])
			}
		}
	}
}

// transformGo returns a transform in plain Go.
func transformGo[T float](l [][]float64, fma func(a, b, c T) T) transform[T] {
	const most = 8
	to, from := len(l), len(l[0])
	combine := func(row []float64, x *[most]T) (sum T) {
		first := true
		for i, by := range row {
			switch {
			case by == 0:
				continue
			case first && by == 1:
				sum = x[i]
			case first:
				sum = T(T(by) * x[i])
			case by == 1:
				sum += x[i]
			case by == -1:
				sum -= x[i]
			default:
				sum = fma(T(by), x[i], sum)
			}
			first = false
		}
		return sum
	}
	window := func(dst, src []T, run *transformRun) {
		var columns [most][most]T // of X; then of L·X
		for j := range from {
			for i := range from {
				columns[j][i] = src[i*run.srcRow+j*run.srcCol]
			}
		}
		for i := range to {
			var row [most]T
			for j := range from {
				row[j] = combine(l[i], &columns[j])
			}
			for j := range to {
				dst[i*run.dstRow+j*run.dstCol] = combine(l[j], &row)
			}
		}
	}
	return transform[T]{to, from, func(dst, src []T, run *transformRun) {
		d, s := 0, 0
		for range run.rows {
			for range run.tiles {
				for range run.channels {
					window(dst[d:], src[s:], run)
					d, s = d+1, s+1
				}
				d, s = d+run.dstStep, s+run.srcStep
			}
			d, s = d+run.dstSkip, s+run.srcSkip
		}
	}}
}
