package kernel

import "fmt"

//go:generate go run -C _gen ./micro -out ../micro_amd64.s -stubs ../micro_amd64.go -pkg kernel

// Gemm32 computes rows [m0,m1) and columns [n0,n1) of C = op(A)·op(B), or adds the product to C if accumulate is true.
//
// All matrices are row-major with ld elements from one row to the next. op(A) is (m, k): A as it is, or the transpose
// of A if ta; op(B) is (k, n) likewise. C must not overlap A or B. The call panics if a slice is too short or a leading
// dimension smaller than the row.
//
// The order of every sum is defined by k alone. Terms 0..k-1 are cut into blocks of
//
//	kc = ⌈k/⌈k/384⌉⌉ rounded up to a multiple of 4
//
// terms; the sum s_b of a block is one chain of fused multiply-adds from zero in order of the terms; and
//
//	C = ((s_0 + s_1) + s_2) + …            without accumulate,
//	C = (((C + s_0) + s_1) + s_2) + …      with.
//
// So an element depends only on its row of op(A), its column of op(B) and its old value: not on m, n, how the call is
// split over threads, or the instruction set. With k = 0 the product is zero. NaN and infinities follow from the
// arithmetic.
//
// Packed copies of A and B go to ws; after the first call of a shape nothing is allocated.
func Gemm32(ws *Workspace, ta, tb bool, m0, m1, n0, n1, k int, a []float32, lda int, b []float32, ldb int,
	accumulate bool, c []float32, ldc int) {
	gemm(kernels32(), &ws.single, product[float32]{ta: ta, tb: tb, m0: m0, m1: m1, n0: n0, n1: n1, k: k,
		a: a, lda: lda, b: b, ldb: ldb, accumulate: accumulate, c: c, ldc: ldc})
}

// Gemm64 is Gemm32 in float64.
func Gemm64(ws *Workspace, ta, tb bool, m0, m1, n0, n1, k int, a []float64, lda int, b []float64, ldb int,
	accumulate bool, c []float64, ldc int) {
	gemm(kernels64(), &ws.double, product[float64]{ta: ta, tb: tb, m0: m0, m1: m1, n0: n0, n1: n1, k: k,
		a: a, lda: lda, b: b, ldb: ldb, accumulate: accumulate, c: c, ldc: ldc})
}

// product is the argument list of a matrix product.
type product[T float] struct {
	ta, tb         bool
	m0, m1, n0, n1 int
	k              int
	a              []T
	lda            int
	b              []T
	ldb            int
	accumulate     bool
	c              []T
	ldc            int
}

func gemm[T float](ks *kernels[T], ws *scratch[T], g product[T]) {
	if g.m0 >= g.m1 || g.n0 >= g.n1 {
		return
	}
	g.check()
	if g.n1-g.n0 == 1 && g.m1-g.m0 > 1 && g.ldc == 1 && (g.tb || g.ldb == 1) {
		g = g.transposed() // the row kernels take a column as well
	}
	if g.k == 0 {
		if !g.accumulate {
			for i := g.m0; i < g.m1; i++ {
				clear(g.c[i*g.ldc:][g.n0:g.n1])
			}
		}
		return
	}
	run := gemmRun[T]{kernels: ks, scratch: ws, product: g,
		panels: splitEvenly(g.m0, g.m1, ks.rows), add: g.accumulate}
	if run.fewerRowsThanTerms() {
		run.exchanged()
		return
	}
	kc := blockLength(g.k)
	columns := g.n1 - g.n0
	if g.tb && run.panels.count == 1 && run.panels.size == 1 && ks.dots != nil {
		columns = 2 * ks.vector // go through whole rows of B, a memory page after the other
	}
	for n0 := g.n0; n0 < g.n1; n0 += columns {
		run.n0, run.n1, run.add = n0, min(n0+columns, g.n1), g.accumulate
		for k0 := 0; k0 < g.k; k0 += kc {
			run.block(k0, min(kc, g.k-k0))
			run.add = true
		}
	}
}

// transposed is the product Cᵀ = op(B)ᵀ·op(A)ᵀ of a single column, which is contiguous.
func (g product[T]) transposed() product[T] {
	return product[T]{ta: !g.tb, tb: !g.ta, m0: g.n0, m1: g.n1, n0: g.m0, n1: g.m1, k: g.k, a: g.b, lda: g.ldb, b: g.a,
		ldb: g.lda, accumulate: g.accumulate, c: g.c, ldc: g.m1}
}

// maxBlock bounds the terms of one chain: 14 rows of A and 32 columns of B of that length fill the first-level cache.
// 384 was the fastest of 192..512 at 256³ and 1024³ with AVX-512, and cost AVX2 nothing.
const maxBlock = 384

// blockLength returns kc of Gemm32 for k > 0.
func blockLength(k int) int {
	blocks := ceilDiv(k, maxBlock)
	return (ceilDiv(k, blocks) + 3) &^ 3
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func (g *product[T]) check() {
	if g.m0 < 0 || g.n0 < 0 || g.k < 0 {
		panic(fmt.Sprintf("kernel: matrix product with rows from %d, columns from %d, %d terms: negative", g.m0, g.n0, g.k))
	}
	if g.ta {
		checkMatrix("transposed A", len(g.a), g.k, g.m1, g.lda)
	} else {
		checkMatrix("A", len(g.a), g.m1, g.k, g.lda)
	}
	if g.tb {
		checkMatrix("transposed B", len(g.b), g.n1, g.k, g.ldb)
	} else {
		checkMatrix("B", len(g.b), g.k, g.n1, g.ldb)
	}
	checkMatrix("C", len(g.c), g.m1, g.n1, g.ldc)
}

func checkMatrix(name string, have, rows, cols, ld int) {
	if rows == 0 || cols == 0 {
		return
	}
	if need := (rows-1)*ld + cols; ld < cols || have < need {
		panic(fmt.Sprintf("kernel: matrix %s of %d x %d with leading dimension %d needs %d elements, has %d",
			name, rows, cols, ld, need, have))
	}
}

// split cuts [from, to) into parts of nearly equal size.
type split struct {
	from, count int
	size, extra int // the first extra parts have size+1 elements, the others size
}

// splitEvenly cuts [from, to) into the fewest parts of at most `most` elements.
func splitEvenly(from, to, most int) split {
	n := to - from
	if n == 0 {
		return split{from: from}
	}
	count := ceilDiv(n, most)
	return split{from: from, count: count, size: n / count, extra: n % count}
}

// part returns where part p starts and its size.
func (s split) part(p int) (start, size int) {
	if p < s.extra {
		return s.from + p*(s.size+1), s.size + 1
	}
	return s.from + p*s.size + s.extra, s.size
}
