package gonumblas

// triangular is the argument list of op(A)·X = alpha·B, or X·op(A) = alpha·B, with X written over B.
type triangular[T float] struct {
	left, upper, ta bool
	m, n            int // of B
	alpha           T
	a               []T
	lda             int
	b               []T
	ldb             int
}

// order is that of the triangle.
func (p *triangular[T]) order() int {
	if p.left {
		return p.m
	}
	return p.n
}

// valid reports whether gonum accepts the arguments and there is something to solve.
func (p *triangular[T]) valid() bool {
	order := p.order()
	return p.m > 0 && p.n > 0 && p.alpha != 0 && holds(p.a, p.lda, false, order, order) && holds(p.b, p.ldb, false, p.m, p.n)
}

// smallSolve solves op(A)·X = B for X, (m, n), which it writes over B, with a small triangle A; op(A)ᵀ if the triangle was
// on the right.
type smallSolve[T float] func(m, n int, a, b []T, ldb int)

// solve gives each thread some columns (left) or rows (right) of X, which have nothing to do with each other. small solves
// for a block of at most smallTriangle unknowns.
func (k *kit[T]) solve(p triangular[T], small smallSolve[T]) {
	order := p.order()
	threads := min(threadsFor(p.m*p.n/2*order), p.m*p.n/order)
	k.share(threads, threads, func(mem *memory[T], i int) {
		part := p
		if p.left {
			from, to := p.n*i/threads, p.n*(i+1)/threads
			part.n, part.b = to-from, p.b[from:]
		} else {
			from, to := p.m*i/threads, p.m*(i+1)/threads
			part.m, part.b = to-from, p.b[from*p.ldb:]
		}
		for i := range part.m {
			scale(p.alpha, part.b[i*p.ldb:][:part.n])
		}
		part.solveBlock(k, mem, 0, order, small)
	})
}

// solveBlock solves for the unknowns [from,to): for one half, then, less what these contribute to the equations of the
// others, which is a matrix product, for the other. Which half comes first depends on the triangle.
func (p *triangular[T]) solveBlock(k *kit[T], mem *memory[T], from, to int, small smallSolve[T]) {
	if to-from <= smallTriangle {
		p.solveSmall(mem, from, to, small)
		return
	}
	middle := from + (to-from+smallTriangle)/(2*smallTriangle)*smallTriangle
	upper := p.upper != p.ta // whether op(A) is
	if p.left == upper {
		p.solveBlock(k, mem, middle, to, small)
		p.subtract(k, mem, middle, to, from, middle)
		p.solveBlock(k, mem, from, middle, small)
	} else {
		p.solveBlock(k, mem, from, middle, small)
		p.subtract(k, mem, from, middle, middle, to)
		p.solveBlock(k, mem, middle, to, small)
	}
}

// solveSmall solves for a block on the diagonal, with the unknowns on the left, where gonum's loops run along the
// unrelated columns and not within the small triangle: X·op(A) = B is op(A)ᵀ·Xᵀ = Bᵀ.
func (p *triangular[T]) solveSmall(mem *memory[T], from, to int, small smallSolve[T]) {
	a, size := p.a[from*p.lda+from:], to-from
	if p.left {
		small(size, p.n, a, p.b[from*p.ldb:], p.ldb)
		return
	}
	mem.result = reserve(mem.result, size*p.m)
	x := mem.result
	for i := range p.m {
		for j, v := range p.b[i*p.ldb:][from:to] {
			x[j*p.m+i] = v
		}
	}
	small(size, p.m, a, x, p.m)
	for i := range p.m {
		row := p.b[i*p.ldb:][from:to]
		for j := range row {
			row[j] = x[j*p.m+i]
		}
	}
}

// subtract takes from the right-hand sides of the unknowns [from,to) what the known ones contribute.
func (p *triangular[T]) subtract(k *kit[T], mem *memory[T], known0, known1, from, to int) {
	i, j := from, known0 // where in A their coefficients begin: for op(A) with its equations in columns the other way round
	if p.left == p.ta {
		i, j = j, i
	}
	a := p.a[i*p.lda+j:]
	g := product[T]{k: known1 - known0, alpha: -1, beta: 1, ldc: p.ldb}
	if p.left {
		g.m, g.n = to-from, p.n
		g.ta, g.a, g.lda = p.ta, a, p.lda
		g.b, g.ldb = p.b[known0*p.ldb:], p.ldb
		g.c = p.b[from*p.ldb:]
	} else {
		g.m, g.n = p.m, to-from
		g.a, g.lda = p.b[known0:], p.ldb
		g.tb, g.b, g.ldb = p.ta, a, p.lda
		g.c = p.b[from:]
	}
	g.foldAlpha(mem)
	g.part(k, mem, 0, g.m, 0, g.n)
}
