// Package gonumblas gives gonum the matrix kernels of this module. A program that imports it, if only for that,
//
//	import _ "github.com/likely-ml/likely/tensor/cpu/gonumblas"
//
// has [blas32] and [blas64], and with them gonum's mat, lapack and optimize, run on [BLAS].
//
// The setting is gonum's, global and without a lock, so it is made while the program starts, where nothing can run beside
// it, and only if nobody made another before. A program that wants a different implementation sets it in main, which
// comes later and stands.
package gonumblas

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
)

func init() {
	if blas32.Implementation() == blas.Float32(gonum.Implementation{}) {
		blas32.Use(BLAS{})
	}
	if blas64.Implementation() == blas.Float64(gonum.Implementation{}) {
		blas64.Use(BLAS{})
	}
}

// BLAS is [gonum.Implementation] with this module's kernels where they are faster: Sgemm, Dgemm, and what is built on
// them, Ssyrk, Dsyrk, Strsm, Dtrsm, and Sgemv with A transposed. Smaller operands than thresholds.go says go to gonum's code,
// and so do arguments that are wrong, which panic with gonum's message.
//
// The results have the same bits at any number of threads, GOMAXPROCS, and under AVX-512, AVX2 and plain Go. In the kernels
// the order of a sum depends on its length alone, see [kernel.Gemm32]; whether they are chosen depends on the sizes
// alone. A solution X of Strsm or Dtrsm depends, row by row if the triangle is on the right and column by column if it is
// on the left, on nothing but the triangle and that row or column of B.
//
// Two details of the kernels differ from gonum's loops: a product is added to a sum with one rounding, not two; and 0·∞ and
// 0·NaN are NaN always, where gonum skips some zeros.
//
// The zero value is ready, and safe for concurrent use.
type BLAS struct{ gonum.Implementation }

// plain is gonum's code.
var plain gonum.Implementation

var (
	_ blas.Float32 = BLAS{}
	_ blas.Float64 = BLAS{}
)

// Sgemm is Dgemm in float32.
func (BLAS) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	p := product[float32]{transposed(tA), transposed(tB), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc}
	if !known(tA) || !known(tB) || !p.valid() || !p.fast() {
		plain.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	single.multiply(p)
}

// Dgemm computes C = alpha·op(A)·op(B) + beta·C, where op(A) is (m, k), op(B) is (k, n), and op transposes if tA or tB is
// [blas.Trans] or [blas.ConjTrans]. With beta 0, C is not read.
func (BLAS) Dgemm(tA, tB blas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	p := product[float64]{transposed(tA), transposed(tB), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc}
	if !known(tA) || !known(tB) || !p.valid() || !p.fast() {
		plain.Dgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	double.multiply(p)
}

// Sgemv computes y = alpha·op(A)·x + beta·y for a matrix A, (m, n), and vectors whose elements are incX and incY apart,
// backwards if that is negative. With beta 0, y is not read.
func (BLAS) Sgemv(tA blas.Transpose, m, n int, alpha float32, a []float32, lda int, x []float32, incX int, beta float32, y []float32, incY int) {
	p := matrixVector{m, n, alpha, a, lda, x, incX, beta, y, incY}
	if !transposed(tA) || !p.valid() || !p.fast() {
		plain.Sgemv(tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
		return
	}
	p.multiply()
}

// Ssyrk is Dsyrk in float32.
func (BLAS) Ssyrk(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float32, a []float32, lda int, beta float32, c []float32, ldc int) {
	p := rankUpdate[float32]{ul == blas.Upper, transposed(tA), n, k, alpha, a, lda, beta, c, ldc}
	if !known(tA) || !triangle(ul) || !p.valid() || !p.fast() {
		plain.Ssyrk(ul, tA, n, k, alpha, a, lda, beta, c, ldc)
		return
	}
	single.updateSymmetric(p)
}

// Dsyrk computes the upper or lower triangle of C = alpha·op(A)·op(A)ᵀ + beta·C, where op(A) is (n, k). With beta 0 it does
// not read C; it leaves the other triangle alone.
func (BLAS) Dsyrk(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float64, a []float64, lda int, beta float64, c []float64, ldc int) {
	p := rankUpdate[float64]{ul == blas.Upper, transposed(tA), n, k, alpha, a, lda, beta, c, ldc}
	if !known(tA) || !triangle(ul) || !p.valid() || !p.fast() {
		plain.Dsyrk(ul, tA, n, k, alpha, a, lda, beta, c, ldc)
		return
	}
	double.updateSymmetric(p)
}

// Strsm is Dtrsm in float32.
func (BLAS) Strsm(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha float32, a []float32, lda int, b []float32, ldb int) {
	p := triangular[float32]{s == blas.Left, ul == blas.Upper, transposed(tA), m, n, alpha, a, lda, b, ldb}
	if !known(tA) || !triangle(ul) || !side(s) || !diagonal(d) || !p.valid() || !p.fast() {
		plain.Strsm(s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
		return
	}
	inner := leftTranspose(s, tA)
	single.solve(p, func(m, n int, a, x []float32, ldx int) {
		plain.Strsm(blas.Left, ul, inner, d, m, n, 1, a, lda, x, ldx)
	})
}

// Dtrsm solves op(A)·X = alpha·B (blas.Left, A is (m, m)) or X·op(A) = alpha·B (blas.Right, A is (n, n)) for X, (m, n),
// which it writes over B. A is the upper or lower triangle of a, with ones on its diagonal if d is [blas.Unit].
func (BLAS) Dtrsm(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha float64, a []float64, lda int, b []float64, ldb int) {
	p := triangular[float64]{s == blas.Left, ul == blas.Upper, transposed(tA), m, n, alpha, a, lda, b, ldb}
	if !known(tA) || !triangle(ul) || !side(s) || !diagonal(d) || !p.valid() || !p.fast() {
		plain.Dtrsm(s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
		return
	}
	inner := leftTranspose(s, tA)
	double.solve(p, func(m, n int, a, x []float64, ldx int) {
		plain.Dtrsm(blas.Left, ul, inner, d, m, n, 1, a, lda, x, ldx)
	})
}

// leftTranspose is how A is transposed where X·op(A) = B is written as op(A)ᵀ·Xᵀ = Bᵀ, and otherwise tA.
func leftTranspose(s blas.Side, tA blas.Transpose) blas.Transpose {
	switch {
	case s == blas.Left:
		return tA
	case tA == blas.NoTrans:
		return blas.Trans
	}
	return blas.NoTrans
}

func known(t blas.Transpose) bool      { return t == blas.NoTrans || transposed(t) }
func transposed(t blas.Transpose) bool { return t == blas.Trans || t == blas.ConjTrans }
func triangle(ul blas.Uplo) bool       { return ul == blas.Upper || ul == blas.Lower }
func side(s blas.Side) bool            { return s == blas.Left || s == blas.Right }
func diagonal(d blas.Diag) bool        { return d == blas.Unit || d == blas.NonUnit }
