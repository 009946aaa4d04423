package kernel

import (
	"fmt"
	"math"
)

// LinearFunctions adds linear functions of centred rows of data, kept in float32, in float64: for i < rows and f < functions
//
//	h[i,f] += Σ_j (x[i,j] - mean[j])·b[f,j]
//
// with x [rows, p], b [functions, p] and h [rows, functions] row-major, and p = len(mean). A float32 becomes float64 exactly, in a
// register: data in float64 would take twice the memory, and the time to read it.
//
// The order of a sum is defined by p alone. Let q be p less p mod 8. The first q columns are cut into the fewest blocks of at most 400,
// all of the same multiple of 8 but the last, and those from q on are another block. Block by block, h grows by
//
//	((s0+s4) + (s2+s6)) + ((s1+s5) + (s3+s7))
//
// of chains s_l of fused multiply-adds from zero over the columns j = l mod 8. It panics if lengths do not fit.
func LinearFunctions(h []float64, x []float32, mean, b []float64) {
	p, functions := checkLinear(x, mean, b, h)
	whole := p &^ 7
	block := whole
	if whole > linearColumns {
		block = (ceilDiv(whole, ceilDiv(whole, linearColumns)) + 7) &^ 7
	}
	for i := 0; i*p < len(x); i += linearRows {
		rows := min(linearRows, len(x)/p-i)
		for from := 0; from < whole; from += block {
			linearBlock(h[i*functions:(i+rows)*functions], x[i*p:(i+rows)*p], mean, b, from, min(whole, from+block))
		}
	}
	if whole < p {
		linearTail(h, x, mean, b, whole)
	}
}

// A block of columns of ten functions stays in the first-level cache for a few rows, and these in the second-level cache for all blocks.
const (
	linearColumns = 400
	linearRows    = 16
)

// linearBlockGeneric adds a block of columns.
func linearBlockGeneric(h []float64, x []float32, mean, b []float64, from, to int) {
	p := len(mean)
	functions := len(b) / p
	m := mean[from:to]
	for i := range len(x) / p {
		row := x[i*p+from : i*p+to]
		for f := range functions {
			var s [8]float64
			b := b[f*p+from : f*p+to]
			for j, v := range row {
				s[j&7] = math.FMA(float64(v)-m[j], b[j], s[j&7])
			}
			h[i*functions+f] += ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
		}
	}
}

// LinearGradient adds the gradient, for b of [LinearFunctions], of the functions weighted by r:
//
//	g[f,j] += Σ_i r[i,f]·(x[i,j] - mean[j])
//
// with r [rows, functions] and g [functions, p]. For each 128 rows, one after another, g grows by a chain of fused multiply-adds from
// zero. It panics if lengths do not fit.
func LinearGradient(g []float64, x []float32, mean, r []float64) {
	p, functions := checkLinear(x, mean, g, r)
	for len(x) > 0 {
		rows := min(linearGradientRows, len(x)/p)
		linearGradientBlock(g, x[:rows*p], mean, r[:rows*functions])
		x, r = x[rows*p:], r[rows*functions:]
	}
}

// linearGradientRows of some hundred columns stay in the second-level cache for all of them.
const linearGradientRows = 128

// linearGradientGeneric adds a block of rows.
func linearGradientGeneric(g []float64, x []float32, mean, r []float64) {
	p := len(mean)
	functions := len(g) / p
	sum := make([]float64, p)
	for f := range functions {
		clear(sum)
		for i := range len(x) / p {
			weight := r[i*functions+f]
			for j, v := range x[i*p : (i+1)*p] {
				sum[j] = math.FMA(weight, float64(v)-mean[j], sum[j])
			}
		}
		for j, s := range sum {
			g[f*p+j] += s
		}
	}
}

// checkLinear returns the number of columns and of functions. b has a row for each function, h one for each row of x.
func checkLinear(x []float32, mean, b, h []float64) (p, functions int) {
	p = len(mean)
	if p == 0 || len(x)%p != 0 || len(b)%p != 0 || len(h) != len(x)/p*(len(b)/p) {
		panic(fmt.Sprintf("kernel: linear functions of %d columns with %d elements of x, %d for functions, %d for both", p, len(x), len(b), len(h)))
	}
	return p, len(b) / p
}
