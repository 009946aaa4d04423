package kernel

// PackedB is the right operand of matrix products, op(B) of (k, n), packed once for all of them: weights that no longer
// change. It stays with the instruction set that was active when it was packed, and may be used by many goroutines at once,
// each with its own workspace.
type PackedB[T float] struct {
	ks     *kernels[T]
	n, k   int
	width  int // columns of all panels together
	panels []T // of block after block of terms
}

// PackB packs op(B), which is (k, n): B as it is, or the transpose of B if tb.
func PackB[T float](ws *Workspace, tb bool, n, k int, b []T, ldb int) *PackedB[T] {
	g := product[T]{tb: tb, n1: n, k: k, b: b, ldb: ldb}
	g.check()
	p := &PackedB[T]{ks: kernelsOf[T](), n: n, k: k}
	if n == 0 || k == 0 {
		return p
	}
	last := n - (n-1)/p.ks.cols*p.ks.cols
	p.width = n - last + p.ks.panelCols(last)
	p.panels = reserve(p.panels, k*p.width+spare)
	run := gemmRun[T]{kernels: p.ks, scratch: scratchOf[T](ws), product: g}
	for run.k0 = 0; run.k0 < k; run.k0 += run.kc {
		run.kc = min(blockLength(k), k-run.k0)
		for j := 0; j < n; j += p.ks.cols {
			run.packB(p.panel(run.k0, run.kc, j), j)
		}
	}
	return p
}

// panel is the packed panel of terms [k0, k0+kc) whose first column is j.
func (p *PackedB[T]) panel(k0, kc, j int) []T { return p.panels[k0*p.width+kc*j:] }

// Rows computes rows [m0,m1) of C = A·op(B), with the bits of [Gemm32]. A is (m, k) and C is (m, n), both row-major with ld
// elements from one row to the next.
func (p *PackedB[T]) Rows(ws *Workspace, m0, m1 int, a []T, lda int, c []T, ldc int) {
	g := product[T]{m0: m0, m1: m1, n1: p.n, k: p.k, a: a, lda: lda, c: c, ldc: ldc}
	checkMatrix("A", len(a), m1, p.k, lda)
	checkMatrix("C", len(c), m1, p.n, ldc)
	if m0 >= m1 || p.n == 0 {
		return
	}
	if p.k == 0 {
		for i := m0; i < m1; i++ {
			clear(c[i*ldc:][:p.n])
		}
		return
	}
	run := gemmRun[T]{kernels: p.ks, scratch: scratchOf[T](ws), product: g, inPlace: p.ks.direct != nil}
	for run.m0 = m0; run.m0 < m1; run.m0 = run.m1 {
		run.m1 = min(run.m0+keepA, m1)
		run.panels = splitEvenly(run.m0, run.m1, p.ks.rows)
		for run.k0 = 0; run.k0 < p.k; run.k0 += run.kc {
			run.kc, run.add = min(blockLength(p.k), p.k-run.k0), run.k0 > 0
			p.block(&run)
		}
	}
}

// block adds a block of terms for the rows of run.
func (p *PackedB[T]) block(run *gemmRun[T]) {
	size := run.sizeA()
	if !run.inPlace {
		run.packedA = reserve(run.packedA, run.panels.count*size)
		for i := range run.panels.count {
			run.packA(run.packedA[i*size:], i)
		}
	}
	for j := 0; j < p.n; j += p.ks.cols {
		b := p.panel(run.k0, run.kc, j)
		for i := range run.panels.count {
			var a []T
			if !run.inPlace {
				a = run.packedA[i*size:]
			}
			run.tileAt(i, j, a, b)
		}
	}
}
