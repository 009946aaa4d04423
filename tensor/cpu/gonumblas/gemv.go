package gonumblas

// matrixVector is the argument list of y = alpha·Aᵀ·x + beta·y.
type matrixVector struct {
	m, n  int // of A
	alpha float32
	a     []float32
	lda   int
	x     []float32 // m elements
	incX  int
	beta  float32
	y     []float32 // n elements
	incY  int
}

// valid reports whether gonum accepts the arguments and there is something to multiply.
func (p *matrixVector) valid() bool {
	return p.m > 0 && p.n > 0 && p.alpha != 0 && holds(p.a, p.lda, false, p.m, p.n) &&
		holdsVector(p.x, p.m, p.incX) && holdsVector(p.y, p.n, p.incY)
}

func holdsVector(x []float32, n, inc int) bool {
	return inc > 0 && len(x) > (n-1)*inc || inc < 0 && len(x) > (1-n)*inc
}

// multiply is the product of one row, alpha·xᵀ, with A, whose rows the kernel reads where they are.
func (p *matrixVector) multiply() {
	mem := single.memory()
	mem.scaled = reserve(mem.scaled, p.m)
	x := mem.scaled[:p.m]
	for i, at := 0, first(p.m, p.incX); i < p.m; i, at = i+1, at+p.incX {
		x[i] = p.alpha * p.x[at]
	}
	row := product[float32]{m: 1, n: p.n, k: p.m, alpha: 1, a: x, lda: p.m, b: p.a, ldb: p.lda, beta: p.beta, c: p.y, ldc: p.n}
	if p.incY == 1 {
		single.multiply(row)
	} else {
		mem.result = reserve(mem.result, p.n)
		row.c = mem.result
		for j, at := 0, first(p.n, p.incY); j < p.n; j, at = j+1, at+p.incY {
			row.c[j] = p.y[at]
		}
		single.multiply(row)
		for j, at := 0, first(p.n, p.incY); j < p.n; j, at = j+1, at+p.incY {
			p.y[at] = row.c[j]
		}
	}
	single.spare.Put(mem)
}

// first is where the first of n elements that are inc apart stands.
func first(n, inc int) int {
	if inc < 0 {
		return (1 - n) * inc
	}
	return 0
}
