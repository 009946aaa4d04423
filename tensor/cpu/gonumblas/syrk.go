package gonumblas

// rankUpdate is the argument list of one triangle of C = alpha·op(A)·op(A)ᵀ + beta·C.
type rankUpdate[T float] struct {
	upper, ta bool
	n, k      int
	alpha     T
	a         []T
	lda       int
	beta      T
	c         []T
	ldc       int
}

// valid reports whether gonum accepts the arguments and there is something to multiply.
func (p *rankUpdate[T]) valid() bool {
	return p.n > 0 && p.k > 0 && p.alpha != 0 && holds(p.a, p.lda, p.ta, p.n, p.k) && holds(p.c, p.ldc, false, p.n, p.n)
}

// updateSymmetric takes strips of rows: a block on the diagonal, of which half is thrown away, and the rectangle beside it.
func (k *kit[T]) updateSymmetric(p rankUpdate[T]) {
	mem := k.memory()
	full := product[T]{ta: p.ta, tb: !p.ta, m: p.n, n: p.n, k: p.k, alpha: p.alpha,
		a: p.a, lda: p.lda, b: p.a, ldb: p.lda, beta: p.beta, c: p.c, ldc: p.ldc}
	full.foldAlpha(mem)
	strips := (p.n + stripRows - 1) / stripRows
	k.share(threadsFor(p.n*p.n/2*p.k), strips, func(mem *memory[T], i int) {
		if !p.upper {
			i = strips - 1 - i // the longest first
		}
		from, to := i*stripRows, min((i+1)*stripRows, p.n)
		p.diagonalBlock(k, mem, &full, from, to)
		if p.upper && to < p.n {
			full.part(k, mem, from, to, to, p.n)
		} else if !p.upper && from > 0 {
			full.part(k, mem, from, to, 0, from)
		}
	})
	k.spare.Put(mem)
}

// diagonalBlock computes the triangle of rows and columns [from,to).
func (p *rankUpdate[T]) diagonalBlock(k *kit[T], mem *memory[T], full *product[T], from, to int) {
	size := to - from
	mem.result = reserve(mem.result, size*size)
	square := product[T]{ta: full.ta, tb: full.tb, m: size, n: size, k: full.k, alpha: 1,
		a: rowsFrom(full.a, full.lda, full.ta, from), lda: full.lda, b: rowsFrom(full.b, full.ldb, !full.tb, from), ldb: full.ldb,
		c: mem.result, ldc: size}
	square.part(k, mem, 0, size, 0, size)
	for i := range size {
		j0, j1 := 0, i+1
		if p.upper {
			j0, j1 = i, size
		}
		row := p.c[(from+i)*p.ldc+from:][j0:j1]
		scale(p.beta, row)
		for j, v := range mem.result[i*size:][j0:j1] {
			row[j] += v
		}
	}
}

// rowsFrom returns op(X) without its first rows.
func rowsFrom[T float](x []T, ld int, transposed bool, from int) []T {
	if transposed {
		return x[from:]
	}
	return x[from*ld:]
}
