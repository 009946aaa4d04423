package kernel

import (
	"math"
	"unsafe"
)

// The plain Go kernels. They define what the assembly computes.

// The size of the plain Go tiles.
const (
	genericRows = 4
	genericCols = 16
)

var generic32 = kernels[float32]{
	rows: genericRows, cols: genericCols, vector: genericCols,
	wide:      []micro[float32]{nil, genericTile32(1), genericTile32(2), genericTile32(3), genericTile32(4)},
	transpose: transposeGo[float32],
	gather:    gatherGo[float32],
	exact:     gatherGo[float32],
	copyRows:  copyRowsGo[float32],
	addRows:   addRowsGo[float32],
}

var generic64 = kernels[float64]{
	rows: genericRows, cols: genericCols, vector: genericCols,
	wide:      []micro[float64]{nil, genericTile64(1), genericTile64(2), genericTile64(3), genericTile64(4)},
	transpose: transposeGo[float64],
	gather:    gatherGo[float64],
	exact:     gatherGo[float64],
	copyRows:  copyRowsGo[float64],
	addRows:   addRowsGo[float64],
}

func genericTile32(rows int) micro[float32] {
	return func(k int, a, b *float32, ldb int, c *float32, ldc, cols, add int) {
		genericTile(chains32, rows, k, a, b, ldb, c, ldc, cols, add)
	}
}

func genericTile64(rows int) micro[float64] {
	return func(k int, a, b *float64, ldb int, c *float64, ldc, cols, add int) {
		genericTile(chains64, rows, k, a, b, ldb, c, ldc, cols, add)
	}
}

// genericTile is the micro-kernel in plain Go. It computes 4 columns of a row at a time; chains does it for one
// precision. Columns that are not asked for are computed from whatever b holds there and dropped, as b always has
// whole tiles.
func genericTile[T float](chains func(a []T, rows int, b []T, ldb int) (s0, s1, s2, s3 T), rows, k int, a, b *T, ldb int,
	c *T, ldc, cols, add int) {
	as := unsafe.Slice(a, k*rows)
	bs := unsafe.Slice(b, (k-1)*ldb+genericCols)
	cs := unsafe.Slice(c, (rows-1)*ldc+cols)
	for i := range rows {
		for j := 0; j < cols; j += 4 {
			var sums [4]T
			sums[0], sums[1], sums[2], sums[3] = chains(as[i:], rows, bs[j:], ldb)
			to := cs[i*ldc+j : i*ldc+min(j+4, cols)]
			for q := range to {
				if add != 0 {
					sums[q] += to[q]
				}
				to[q] = sums[q]
			}
		}
	}
}

// chains32 returns Σ a[p*rows]·b[p*ldb+q] for q = 0..3, each one chain of fused multiply-adds from zero.
func chains32(a []float32, rows int, b []float32, ldb int) (s0, s1, s2, s3 float32) {
	for {
		x, y := a[0], b[:4:4]
		d := float64(x)
		d0, d1 := d*float64(y[0])+float64(s0), d*float64(y[1])+float64(s1)
		d2, d3 := d*float64(y[2])+float64(s2), d*float64(y[3])+float64(s3)
		if roundsTwice(d0) || roundsTwice(d1) || roundsTwice(d2) || roundsTwice(d3) {
			s0, s1, s2, s3 = fma32(x, y[0], s0), fma32(x, y[1], s1), fma32(x, y[2], s2), fma32(x, y[3], s3)
		} else {
			s0, s1, s2, s3 = float32(d0), float32(d1), float32(d2), float32(d3)
		}
		if len(a) <= rows {
			return s0, s1, s2, s3
		}
		a, b = a[rows:], b[ldb:]
	}
}

// roundsTwice reports whether rounding s, a sum already rounded to float64, to float32 may differ from rounding the
// exact sum. A point half way between two float32 is a float64, so the exact sum lies on the same side of it as s,
// unless s is on it. Below the normal range of float32 half way is elsewhere: there the answer is always yes, except
// for zero, as a product of two float32 never underflows in float64.
func roundsTwice(s float64) bool {
	const halfWay, mask, smallestNormal = 1 << 28, 1<<29 - 1, (1023 - 126) << 52
	bits := math.Float64bits(s)
	return bits&mask == halfWay || bits<<1-1 < smallestNormal<<1-1
}

// chains64 is chains32 in float64.
func chains64(a []float64, rows int, b []float64, ldb int) (s0, s1, s2, s3 float64) {
	for {
		x, y := a[0], b[:4:4]
		s0, s1, s2, s3 = math.FMA(x, y[0], s0), math.FMA(x, y[1], s1), math.FMA(x, y[2], s2), math.FMA(x, y[3], s3)
		if len(a) <= rows {
			return s0, s1, s2, s3
		}
		a, b = a[rows:], b[ldb:]
	}
}

func transposeGo[T float](dst []T, stride int, src []T, rows *[16]int, used, n, _ int) {
	i := 0
	for ; i+4 <= used; i += 4 {
		r0, r1, r2, r3 := src[rows[i]:][:n], src[rows[i+1]:][:n], src[rows[i+2]:][:n], src[rows[i+3]:][:n]
		for k := range n {
			d := dst[k*stride+i:][:4]
			d[0], d[1], d[2], d[3] = r0[k], r1[k], r2[k], r3[k]
		}
	}
	for ; i < used; i++ {
		for k, v := range src[rows[i]:][:n] {
			dst[k*stride+i] = v
		}
	}
}

func gatherGo[T float](dst []T, stride int, src []T, offs []int, cols int) {
	for k, o := range offs {
		copy(dst[k*stride:][:cols], src[o:])
	}
}

func copyRowsGo[T float](dst []T, stride int, src []T, ld, n, cols int) {
	for k := range n {
		copy(dst[k*stride:][:cols], src[k*ld:])
	}
}

func addRowsGo[T float](dst []T, stride int, src []T, ld, n, cols int) {
	for k := range n {
		d := dst[k*stride:][:cols]
		for j, v := range src[k*ld:][:cols] {
			d[j] += v
		}
	}
}
