package gonumblas

import (
	"sync"

	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

type float interface{ float32 | float64 }

// kit is what the operations of one precision share.
type kit[T float] struct {
	// gemm is kernel.Gemm32 or kernel.Gemm64.
	gemm  func(ws *kernel.Workspace, ta, tb bool, m0, m1, n0, n1, k int, a []T, lda int, b []T, ldb int, accumulate bool, c []T, ldc int)
	spare sync.Pool // of *memory[T]
}

var (
	single = kit[float32]{gemm: kernel.Gemm32}
	double = kit[float64]{gemm: kernel.Gemm64}
)

// memory is what one goroutine works with.
type memory[T float] struct {
	ws     kernel.Workspace
	scaled []T // an operand times alpha
	result []T
}

// product is the argument list of a matrix product: C = alpha·op(A)·op(B) + beta·C.
type product[T float] struct {
	ta, tb  bool
	m, n, k int
	alpha   T
	a       []T
	lda     int
	b       []T
	ldb     int
	beta    T
	c       []T
	ldc     int
}

// valid reports whether gonum accepts the arguments and there is something to multiply.
func (p *product[T]) valid() bool {
	return p.m > 0 && p.n > 0 && p.k > 0 && p.alpha != 0 &&
		holds(p.a, p.lda, p.ta, p.m, p.k) && holds(p.b, p.ldb, p.tb, p.k, p.n) && holds(p.c, p.ldc, false, p.m, p.n)
}

// holds reports whether x holds a (rows, cols) matrix with that leading dimension, or its transpose.
func holds[T float](x []T, ld int, transposed bool, rows, cols int) bool {
	if transposed {
		rows, cols = cols, rows
	}
	return ld >= cols && len(x) >= (rows-1)*ld+cols
}

func (k *kit[T]) multiply(p product[T]) {
	mem := k.memory()
	p.foldAlpha(mem)
	if threads := threadsFor(p.m * p.n * p.k); threads == 1 {
		p.part(k, mem, 0, p.m, 0, p.n)
	} else {
		k.multiplyShared(p, threads)
	}
	k.spare.Put(mem)
}

// multiplyShared cuts the longer side of C into a part for each thread.
func (k *kit[T]) multiplyShared(p product[T], threads int) {
	k.share(threads, threads, func(mem *memory[T], i int) {
		if p.m >= p.n {
			p.part(k, mem, p.m*i/threads, p.m*(i+1)/threads, 0, p.n)
		} else {
			p.part(k, mem, 0, p.m, p.n*i/threads, p.n*(i+1)/threads)
		}
	})
}

// foldAlpha makes alpha 1 by scaling a copy of A; or one of B, if it is smaller and alpha is −1, where the change of sign
// makes no rounding error: so it is A or no matter which, whatever m and n.
func (p *product[T]) foldAlpha(mem *memory[T]) {
	if p.alpha == 1 {
		return
	}
	if p.alpha == -1 && p.n < p.m {
		p.b, p.ldb = scaledCopy(mem, p.alpha, p.b, p.ldb, p.tb, p.k, p.n)
	} else {
		p.a, p.lda = scaledCopy(mem, p.alpha, p.a, p.lda, p.ta, p.m, p.k)
	}
	p.alpha = 1
}

// scaledCopy returns alpha·x, compact, in mem.scaled. x holds a (rows, cols) matrix, or its transpose.
func scaledCopy[T float](mem *memory[T], alpha T, x []T, ld int, transposed bool, rows, cols int) (y []T, ldy int) {
	if transposed {
		rows, cols = cols, rows
	}
	mem.scaled = reserve(mem.scaled, rows*cols)
	for i := range rows {
		to := mem.scaled[i*cols:][:cols]
		for j, v := range x[i*ld:][:cols] {
			to[j] = alpha * v
		}
	}
	return mem.scaled[:rows*cols], cols
}

// part computes rows [m0,m1) and columns [n0,n1) of C. alpha is 1.
func (p *product[T]) part(k *kit[T], mem *memory[T], m0, m1, n0, n1 int) {
	if p.beta != 0 && p.beta != 1 {
		for i := m0; i < m1; i++ {
			scale(p.beta, p.c[i*p.ldc:][n0:n1])
		}
	}
	k.gemm(&mem.ws, p.ta, p.tb, m0, m1, n0, n1, p.k, p.a, p.lda, p.b, p.ldb, p.beta != 0, p.c, p.ldc)
}

// scale multiplies x by beta; by 0 it overwrites x, NaN included.
func scale[T float](beta T, x []T) {
	switch beta {
	case 0:
		clear(x)
	case 1:
	default:
		for i := range x {
			x[i] *= beta
		}
	}
}
