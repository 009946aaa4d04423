package gonumblas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// routines are the operations of one precision, by the names of float64.
type routines[T float] struct {
	gemm func(tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int)
	gemv func(tA blas.Transpose, m, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int)
	syrk func(ul blas.Uplo, tA blas.Transpose, n, k int, alpha T, a []T, lda int, beta T, c []T, ldc int)
	trsm func(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int)
	dot  func(n int, x []T, incX int, y []T, incY int) T
}

var (
	ours32  = routines[float32]{BLAS{}.Sgemm, BLAS{}.Sgemv, BLAS{}.Ssyrk, BLAS{}.Strsm, BLAS{}.Sdot}
	ours64  = routines[float64]{BLAS{}.Dgemm, BLAS{}.Dgemv, BLAS{}.Dsyrk, BLAS{}.Dtrsm, BLAS{}.Ddot}
	gonum32 = routines[float32]{plain.Sgemm, plain.Sgemv, plain.Ssyrk, plain.Strsm, plain.Sdot}
	gonum64 = routines[float64]{plain.Dgemm, plain.Dgemv, plain.Dsyrk, plain.Dtrsm, plain.Ddot}
)

// each runs a test in both precisions.
func each(t *testing.T, single func(t *testing.T), double func(t *testing.T)) {
	t.Run("float32", single)
	t.Run("float64", double)
}

// atEveryLevel returns the result of f, which must have the same bits at every level and number of threads.
func atEveryLevel[T float](t *testing.T, f func() []T) []T {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first []T
	for l := kernel.Generic; l <= kernel.Detected(); l++ {
		restore := kernel.Use(l)
		for _, threads := range []int{1, 2, 7} {
			if l == kernel.Generic && threads > 1 {
				continue // it is slow, and threads share the work as with the others
			}
			runtime.GOMAXPROCS(threads)
			got := f()
			if first == nil {
				first = got
			} else if at := differ(first, got); at >= 0 {
				t.Errorf("element %d is %v at first, %v with %v and %d threads", at, first[at], got[at], l, threads)
			}
		}
		restore()
	}
	return first
}

// differ returns the first place where bits differ, other than in two NaN, or -1.
func differ[T float](a, b []T) int {
	for i := range a {
		if math.Float64bits(float64(a[i])) != math.Float64bits(float64(b[i])) && (a[i] == a[i] || b[i] == b[i]) {
			return i
		}
	}
	return -1
}

// array is a matrix, or a vector of one column, within a larger slice whose other elements are guards, NaN: one that is
// read shows in the result.
type array[T float] struct {
	whole      []T
	low        int // where it starts
	rows, cols int
	ld         int
}

const margin = 5

func newArray[T float](r *rand.Rand, rows, cols, ld int) array[T] {
	a := array[T]{low: margin, rows: rows, cols: cols, ld: ld, whole: make([]T, 2*margin+max(0, (rows-1)*ld+cols))}
	for i := range a.whole {
		a.whole[i] = T(math.NaN())
	}
	for i := range rows {
		for j := range cols {
			a.s()[i*ld+j] = T(r.Float64()*2 - 1)
		}
	}
	return a
}

func (a array[T]) s() []T { return a.whole[a.low : len(a.whole)-margin : len(a.whole)-margin] }

func (a array[T]) clone() array[T] {
	a.whole = slices.Clone(a.whole)
	return a
}

func (a array[T]) at(i, j int) float64 { return float64(a.s()[i*a.ld+j]) }

// op returns the element (i, j) of a or its transpose.
func (a array[T]) op(t bool, i, j int) float64 {
	if t {
		i, j = j, i
	}
	return a.at(i, j)
}

// sum is Σ x_p·y_p + z, nearly as if computed exactly and rounded once, by the error-free transformations of Ogita, Rump and
// Oishi (Accurate sum and dot product, SIAM Journal on Scientific Computing 26, 2005), and the sum of the sizes of its terms.
func sum(n int, term func(p int) (x, y float64), z float64) (value, size float64) {
	value, size = z, math.Abs(z)
	low := 0.0
	for p := range n {
		x, y := term(p)
		product := x * y
		low += math.FMA(x, y, -product)
		next := value + product
		part := next - value
		low += (value - (next - part)) + (product - part)
		value = next
		size += math.Abs(product)
	}
	return value + low, size
}

// u is half the distance from 1 to the next number.
func u[T float]() float64 {
	if _, single := any(T(0)).(float32); single {
		return 0x1p-24
	}
	return 0x1p-53
}

// checkElements compares the elements of got for which want says so with it and with theirs, which has an error of its own,
// and demands that all others, guards included, are as they were before.
func checkElements[T float](got, theirs, before array[T], want func(i, j int) (value, tolerance float64, ok bool)) error {
	written := make([]bool, len(got.whole))
	for i := range got.rows {
		for j := range got.cols {
			value, tolerance, ok := want(i, j)
			if !ok {
				continue
			}
			written[got.low+i*got.ld+j] = true
			if diff := math.Abs(got.at(i, j) - value); !(diff <= tolerance) {
				return fmt.Errorf("(%d,%d) is %v, want %v within %.2g", i, j, got.at(i, j), value, tolerance)
			}
			if diff := math.Abs(got.at(i, j) - theirs.at(i, j)); !(diff <= 2*tolerance) {
				return fmt.Errorf("(%d,%d) is %v, gonum's %v, want within %.2g", i, j, got.at(i, j), theirs.at(i, j), 2*tolerance)
			}
		}
	}
	for i, w := range written {
		if !w && differ(got.whole[i:i+1], before.whole[i:i+1]) >= 0 {
			return fmt.Errorf("element %d of memory, which is not the result's, was %v and is %v", i-got.low, before.whole[i], got.whole[i])
		}
	}
	return nil
}

// poison makes all elements of c NaN if beta is 0.
func poison[T float](c array[T], beta T) array[T] {
	if beta == 0 {
		for i := range c.whole {
			c.whole[i] = T(math.NaN())
		}
	}
	return c
}

// unread is c for an operation that multiplies it by beta: 0 if beta is.
func (a array[T]) unread(beta T, i, j int) float64 {
	if beta == 0 {
		return 0
	}
	return a.at(i, j)
}

var (
	transposes = []blas.Transpose{blas.NoTrans, blas.Trans, blas.ConjTrans}
	factors    = []float64{0, 1, -1, 0.7}
	sizes      = []int{0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 33, 40, 48, 63, 64, 65, 66, 100}
)

func pick[E any](r *rand.Rand, from []E) E { return from[r.IntN(len(from))] }

func dims(t blas.Transpose, rows, cols int) (int, int) {
	if t == blas.NoTrans {
		return rows, cols
	}
	return cols, rows
}

func TestGemm(t *testing.T) {
	each(t, func(t *testing.T) { testGemm(t, ours32, gonum32) }, func(t *testing.T) { testGemm(t, ours64, gonum64) })
}

func testGemm[T float](t *testing.T, ours, gonum routines[T]) {
	r := rand.New(rand.NewPCG(1, 1))
	fixed := [][3]int{{170, 160, 170}, {30, 2000, 90}, {2000, 30, 90}, {5, 7, 1000}, {1, 300, 40}, {300, 1, 40}, {64, 64, 1}}
	for n := range 200 {
		m, n, k := fixed[n%len(fixed)][0], fixed[n%len(fixed)][1], fixed[n%len(fixed)][2]
		if r.IntN(8) != 0 {
			m, n, k = pick(r, sizes), pick(r, sizes), pick(r, sizes)
		}
		tA, tB, alpha, beta := pick(r, transposes), pick(r, transposes), T(pick(r, factors)), T(pick(r, factors))
		ar, ac := dims(tA, m, k)
		br, bc := dims(tB, k, n)
		a, b := newArray[T](r, ar, ac, max(1, ac)+r.IntN(4)), newArray[T](r, br, bc, max(1, bc)+r.IntN(4))
		c := newArray[T](r, m, n, max(1, n)+r.IntN(4))
		name := fmt.Sprintf("gemm %c %c m=%d n=%d k=%d alpha=%v beta=%v", tA, tB, m, n, k, alpha, beta)
		before := poison(c.clone(), beta)
		run := func(f routines[T], c array[T]) array[T] {
			c = c.clone()
			f.gemm(tA, tB, m, n, k, alpha, a.s(), a.ld, b.s(), b.ld, beta, c.s(), c.ld)
			return c
		}
		got := before
		got.whole = atEveryLevel(t, func() []T { return run(ours, before).whole })
		theirs := run(gonum, before)
		// Roundings: one for each term, one for each block of terms, for alpha and for beta, and the last.
		loop := func(i, j int) (float64, float64, bool) {
			v, size := sum(k, func(p int) (x, y float64) {
				return float64(alpha) * a.op(tA != blas.NoTrans, i, p), b.op(tB != blas.NoTrans, p, j)
			}, float64(beta)*before.unread(beta, i, j))
			return v, float64(k+6) * u[T]() * size, true
		}
		if err := checkElements(got, theirs, before, loop); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestGemv(t *testing.T) {
	each(t, func(t *testing.T) { testGemv(t, ours32, gonum32) }, func(t *testing.T) { testGemv(t, ours64, gonum64) })
}

func testGemv[T float](t *testing.T, ours, gonum routines[T]) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 400 {
		m, n := pick(r, sizes), pick(r, sizes)
		switch r.IntN(8) {
		case 0:
			m = 700
		case 1:
			n = 1500
		}
		tA, alpha, beta := pick(r, transposes), T(pick(r, factors)), T(pick(r, factors))
		incX, incY := pick(r, []int{1, 1, 2, -1, -3}), pick(r, []int{1, 1, 2, -1, -3})
		rows, cols := dims(tA, m, n) // of op(A)
		a := newArray[T](r, m, n, max(1, n)+r.IntN(4))
		x, y := newArray[T](r, cols, 1, max(incX, -incX)), newArray[T](r, rows, 1, max(incY, -incY))
		name := fmt.Sprintf("gemv %c m=%d n=%d alpha=%v beta=%v incX=%d incY=%d", tA, m, n, alpha, beta, incX, incY)
		before := poison(y, beta)
		run := func(f routines[T]) array[T] {
			y := before.clone()
			f.gemv(tA, m, n, alpha, a.s(), a.ld, x.s(), incX, beta, y.s(), incY)
			return y
		}
		got := before
		got.whole = atEveryLevel(t, func() []T { return run(ours).whole })
		theirs := run(gonum)
		place := func(i, n, inc int) int {
			if inc < 0 {
				return n - 1 - i
			}
			return i
		}
		loop := func(at, _ int) (float64, float64, bool) {
			i := place(at, rows, incY)
			v, size := sum(cols, func(p int) (float64, float64) {
				return float64(alpha) * a.op(tA != blas.NoTrans, i, p), x.at(place(p, cols, incX), 0)
			}, float64(beta)*before.unread(beta, at, 0))
			// With m or n 0, y stays as it is.
			return v, float64(cols+6) * u[T]() * size, m > 0 && n > 0
		}
		if err := checkElements(got, theirs, before, loop); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestSyrk(t *testing.T) {
	each(t, func(t *testing.T) { testSyrk(t, ours32, gonum32) }, func(t *testing.T) { testSyrk(t, ours64, gonum64) })
}

func testSyrk[T float](t *testing.T, ours, gonum routines[T]) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 150 {
		n, k := pick(r, sizes), pick(r, sizes)
		if r.IntN(10) == 0 {
			n, k = pick(r, []int{127, 128, 129, 193, 260}), pick(r, []int{1, 8, 130})
		}
		ul, tA, alpha, beta := pick(r, []blas.Uplo{blas.Upper, blas.Lower}), pick(r, transposes), T(pick(r, factors)), T(pick(r, factors))
		rows, cols := dims(tA, n, k)
		a, c := newArray[T](r, rows, cols, max(1, cols)+r.IntN(4)), newArray[T](r, n, n, max(1, n)+r.IntN(4))
		name := fmt.Sprintf("syrk %c %c n=%d k=%d alpha=%v beta=%v", ul, tA, n, k, alpha, beta)
		before := c
		if (&rankUpdate[T]{ta: transposed(tA), n: n, k: k}).fast() || ul == blas.Upper {
			before = poison(c.clone(), beta) // gonum multiplies some by 0
		}
		run := func(f routines[T], c array[T]) array[T] {
			c = c.clone()
			f.syrk(ul, tA, n, k, alpha, a.s(), a.ld, beta, c.s(), c.ld)
			return c
		}
		if alpha == 0 || k == 0 {
			before = c
		}
		got := before
		got.whole = atEveryLevel(t, func() []T { return run(ours, before).whole })
		theirs := run(gonum, c)
		loop := func(i, j int) (float64, float64, bool) {
			v, size := sum(k, func(p int) (float64, float64) {
				return float64(alpha) * a.op(tA != blas.NoTrans, i, p), a.op(tA != blas.NoTrans, j, p)
			}, float64(beta)*before.unread(beta, i, j))
			return v, float64(k+6) * u[T]() * size, i == j || (i < j) == (ul == blas.Upper)
		}
		if err := checkElements(got, theirs, before, loop); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestTrsm(t *testing.T) {
	each(t, func(t *testing.T) { testTrsm(t, ours32, gonum32) }, func(t *testing.T) { testTrsm(t, ours64, gonum64) })
}

func testTrsm[T float](t *testing.T, ours, gonum routines[T]) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 150 {
		s, ul, tA := pick(r, []blas.Side{blas.Left, blas.Right}), pick(r, []blas.Uplo{blas.Upper, blas.Lower}), pick(r, transposes)
		d, alpha := pick(r, []blas.Diag{blas.Unit, blas.NonUnit}), T(pick(r, factors))
		order, vectors := pick(r, sizes), pick(r, sizes)
		if r.IntN(10) == 0 {
			order, vectors = pick(r, []int{127, 200}), pick(r, []int{1, 130, 300})
		}
		m, n := order, vectors
		if s == blas.Right {
			m, n = vectors, order
		}
		a, b := newTriangle[T](r, ul, d, order), newArray[T](r, m, n, max(1, n)+r.IntN(4))
		name := fmt.Sprintf("trsm %c %c %c %c m=%d n=%d alpha=%v", s, ul, tA, d, m, n, alpha)
		run := func(f routines[T]) array[T] {
			b := b.clone()
			f.trsm(s, ul, tA, d, m, n, alpha, a.s(), a.ld, b.s(), b.ld)
			return b
		}
		got := b
		got.whole = atEveryLevel(t, func() []T { return run(ours).whole })
		theirs := run(gonum)
		coefficient := func(i, j int) float64 {
			if tA != blas.NoTrans {
				i, j = j, i
			}
			switch {
			case i == j && d == blas.Unit:
				return 1
			case i == j || (i < j) == (ul == blas.Upper):
				return a.at(i, j)
			}
			return 0
		}
		// The residual of substitution in any order: |op(A)X − αB| ≤ (order+4)u (|op(A)||X| + |αB|), by element. (N. Higham,
		// Accuracy and Stability of Numerical Algorithms, theorem 8.5; 4 for alpha, the reciprocal of the diagonal, and blocks.)
		worst := 0.0
		for i := range m {
			for j := range n {
				residual, size := sum(order, func(p int) (float64, float64) {
					if s == blas.Left {
						return coefficient(i, p), got.at(p, j)
					}
					return got.at(i, p), coefficient(p, j)
				}, -float64(alpha)*b.at(i, j))
				tolerance := float64(order+4) * u[T]() * size
				worst = max(worst, tolerance)
				if !(math.Abs(residual) <= tolerance) {
					t.Fatalf("%s: the residual of (%d,%d) is %.3g, want at most %.3g", name, i, j, residual, tolerance)
				}
			}
		}
		// The rows and columns of A that are off the diagonal sum to at most half of it, 1, so A's inverse has norm at most 2.
		if err := checkElements(got, theirs, b, func(i, j int) (float64, float64, bool) { return theirs.at(i, j), 4 * worst, true }); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// newTriangle has a diagonal in [1, 2), or NaN if it is not to be read, little beside it, and NaN in the other half.
func newTriangle[T float](r *rand.Rand, ul blas.Uplo, d blas.Diag, n int) array[T] {
	a := newArray[T](r, n, n, max(1, n)+r.IntN(4))
	for i := range n {
		for j := range n {
			switch at := &a.s()[i*a.ld+j]; {
			case i == j && d == blas.Unit:
				*at = T(math.NaN())
			case i == j:
				*at = T(1 + r.Float64())
			case (i < j) == (ul == blas.Upper):
				*at /= T(2 * n)
			default:
				*at = T(math.NaN())
			}
		}
	}
	return a
}

// TestTrsmAlone: a row or column of the solution does not depend on those beside it.
func TestTrsmAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, order := range []int{5, 23, 24, 70, 130} {
		for _, tA := range transposes {
			a, b := newTriangle[float64](r, blas.Upper, blas.NonUnit, order), newArray[float64](r, 50, order, order)
			x := b.clone()
			BLAS{}.Dtrsm(blas.Right, blas.Upper, tA, blas.NonUnit, 50, order, 0.7, a.s(), a.ld, x.s(), order)
			for _, rows := range [][2]int{{0, 1}, {7, 20}, {49, 50}} {
				alone := b.clone().s()[rows[0]*order : rows[1]*order]
				BLAS{}.Dtrsm(blas.Right, blas.Upper, tA, blas.NonUnit, rows[1]-rows[0], order, 0.7, a.s(), a.ld, alone, order)
				if at := differ(alone, x.s()[rows[0]*order:rows[1]*order]); at >= 0 {
					t.Errorf("order %d, rows %v alone: element %d is %v, among all rows %v", order, rows, at, alone[at], x.s()[rows[0]*order+at])
				}
			}
		}
	}
}

// TestDot: it is gonum's; this package has none that is faster.
func TestDot(t *testing.T) {
	x, y := noise[float64](300), noise[float64](301)
	if got, want := ours64.dot(100, x, 3, y[1:], 2), gonum64.dot(100, x, 3, y[1:], 2); got != want {
		t.Errorf("Ddot is %v, gonum's %v", got, want)
	}
}

// TestDispatch: below a threshold a result has the bits of gonum's loops, above it those of the kernel, which round less.
func TestDispatch(t *testing.T) {
	for _, c := range []struct {
		m, n, k int
		tA, tB  blas.Transpose
		fast    bool
	}{
		{16, 16, 4, blas.NoTrans, blas.NoTrans, true}, {15, 17, 4, blas.NoTrans, blas.NoTrans, false},
		{1, 32, 32, blas.Trans, blas.NoTrans, true}, {31, 1, 32, blas.Trans, blas.NoTrans, false},
		{8, 8, 8, blas.NoTrans, blas.Trans, true}, {9, 8, 7, blas.NoTrans, blas.ConjTrans, false},
		{4, 16, 8, blas.NoTrans, blas.Trans, true}, {3, 64, 64, blas.NoTrans, blas.Trans, false}, {64, 3, 64, blas.NoTrans, blas.Trans, false},
		{4, 15, 64, blas.NoTrans, blas.Trans, false},
		{2, 32, 16, blas.Trans, blas.Trans, true}, {1, 64, 64, blas.Trans, blas.ConjTrans, false},
		{512, 512, 512, blas.NoTrans, blas.NoTrans, true},
	} {
		a, b := noise[float64](c.m*c.k), noise[float64](c.k*c.n)
		_, lda := dims(c.tA, c.m, c.k)
		_, ldb := dims(c.tB, c.k, c.n)
		got, theirs, kernels := make([]float64, c.m*c.n), make([]float64, c.m*c.n), make([]float64, c.m*c.n)
		BLAS{}.Dgemm(c.tA, c.tB, c.m, c.n, c.k, 1, a, lda, b, ldb, 0, got, c.n)
		plain.Dgemm(c.tA, c.tB, c.m, c.n, c.k, 1, a, lda, b, ldb, 0, theirs, c.n)
		kernel.Gemm64(new(kernel.Workspace), transposed(c.tA), transposed(c.tB), 0, c.m, 0, c.n, c.k, a, lda, b, ldb, false, kernels, c.n)
		checkPath(t, fmt.Sprintf("Dgemm %c %c %dx%dx%d", c.tA, c.tB, c.m, c.n, c.k), c.fast, got, theirs, kernels)
	}
	for _, c := range []struct {
		m, n int
		tA   blas.Transpose
		fast bool
	}{
		{64, 32, blas.Trans, true}, {64, 31, blas.Trans, false}, {4, 512, blas.ConjTrans, true}, {3, 1024, blas.Trans, false},
		{64, 64, blas.NoTrans, false},
	} {
		a, x := noise[float32](c.m*c.n), noise[float32](c.m+c.n)
		got, theirs, kernels := make([]float32, c.n), make([]float32, c.n), make([]float32, c.n)
		BLAS{}.Sgemv(c.tA, c.m, c.n, 1, a, c.n, x, 1, 0, got, 1)
		plain.Sgemv(c.tA, c.m, c.n, 1, a, c.n, x, 1, 0, theirs, 1)
		kernel.Gemm32(new(kernel.Workspace), false, c.tA == blas.NoTrans, 0, 1, 0, c.n, c.m, x, c.m, a, c.n, false, kernels, c.n)
		checkPath(t, fmt.Sprintf("Sgemv %c %dx%d", c.tA, c.m, c.n), c.fast, got, theirs, kernels)
	}
	for _, c := range []struct {
		n, k int
		tA   blas.Transpose
		fast bool
	}{{24, 8, blas.Trans, true}, {24, 7, blas.Trans, false}, {24, 4, blas.NoTrans, true}, {23, 64, blas.NoTrans, false}} {
		a := noise[float64](c.n * c.k)
		_, lda := dims(c.tA, c.n, c.k)
		got, theirs, kernels := make([]float64, c.n*c.n), make([]float64, c.n*c.n), make([]float64, c.n*c.n)
		BLAS{}.Dsyrk(blas.Upper, c.tA, c.n, c.k, 1, a, lda, 0, got, c.n)
		plain.Dsyrk(blas.Upper, c.tA, c.n, c.k, 1, a, lda, 0, theirs, c.n)
		kernel.Gemm64(new(kernel.Workspace), transposed(c.tA), !transposed(c.tA), 0, c.n, 0, c.n, c.k, a, lda, a, lda, false, kernels, c.n)
		for i := range c.n {
			clear(kernels[i*c.n : i*c.n+i])
		}
		checkPath(t, fmt.Sprintf("Dsyrk %c n=%d k=%d", c.tA, c.n, c.k), c.fast, got, theirs, kernels)
	}
	for order, fast := range map[int]bool{23: false, 24: true} {
		a, b := newTriangle[float64](rand.New(rand.NewPCG(6, 6)), blas.Lower, blas.NonUnit, order), noise[float64](order*40)
		got, theirs := slices.Clone(b), slices.Clone(b)
		BLAS{}.Dtrsm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, order, 40, 1, a.s(), a.ld, got, 40)
		plain.Dtrsm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, order, 40, 1, a.s(), a.ld, theirs, 40)
		if same := differ(got, theirs) < 0; same == fast {
			t.Errorf("Dtrsm of order %d has gonum's bits: %v, want %v", order, same, !fast)
		}
	}
}

// checkPath demands that got has the bits of the kernel if the case is fast, and else those of gonum.
func checkPath[T float](t *testing.T, name string, fast bool, got, theirs, kernels []T) {
	t.Helper()
	if differ(theirs, kernels) < 0 {
		t.Errorf("%s: gonum and the kernel have the same bits, so this case shows nothing", name)
	}
	want := theirs
	if fast {
		want = kernels
	}
	if differ(got, want) >= 0 {
		t.Errorf("%s does not have the bits of the kernel (of gonum if not): fast %v", name, fast)
	}
}

// TestPanics: wrong arguments panic as with gonum.
func TestPanics(t *testing.T) {
	each(t, func(t *testing.T) { testPanics(t, ours32, gonum32) }, func(t *testing.T) { testPanics(t, ours64, gonum64) })
}

func testPanics[T float](t *testing.T, ours, gonum routines[T]) {
	const n = 64 // all are
	const full = n * n
	a := make([]T, full)
	// Each operation takes numbers, in its order; slices are given by their lengths.
	operations := map[string]struct {
		right []int
		call  func(f routines[T], v []int)
	}{
		"gemm": {[]int{'N', 'T', n, n, n, full, n, full, n, full, n}, func(f routines[T], v []int) {
			f.gemm(blas.Transpose(v[0]), blas.Transpose(v[1]), v[2], v[3], v[4], 1, a[:v[5]], v[6], a[:v[7]], v[8], 1, make([]T, v[9]), v[10])
		}},
		"gemv": {[]int{'T', n, n, full, n, n, 1, n, 1}, func(f routines[T], v []int) {
			f.gemv(blas.Transpose(v[0]), v[1], v[2], 1, a[:v[3]], v[4], a[:v[5]], v[6], 1, make([]T, v[7]), v[8])
		}},
		"syrk": {[]int{'U', 'T', n, n, full, n, full, n}, func(f routines[T], v []int) {
			f.syrk(blas.Uplo(v[0]), blas.Transpose(v[1]), v[2], v[3], 1, a[:v[4]], v[5], 1, make([]T, v[6]), v[7])
		}},
		"trsm": {[]int{'R', 'U', 'N', 'N', n, n, full, n, full, n}, func(f routines[T], v []int) {
			f.trsm(blas.Side(v[0]), blas.Uplo(v[1]), blas.Transpose(v[2]), blas.Diag(v[3]), v[4], v[5], 1, a[:v[6]], v[7], make([]T, v[8]), v[9])
		}},
		"dot": {[]int{n, n, 1, n, 1}, func(f routines[T], v []int) { f.dot(v[0], a[:v[1]], v[2], a[:v[3]], v[4]) }},
	}
	panics := 0
	for name, op := range operations {
		for i := range op.right {
			for j := range i + 1 { // one argument wrong, or two
				for _, wrong := range []int{-1, 0, op.right[i] - 1, 'T', 'C', 'X', -2, 2} {
					v := slices.Clone(op.right)
					v[i] = wrong
					if j < i {
						v[j]--
					}
					got, want := caught(func() { op.call(ours, v) }), caught(func() { op.call(gonum, v) })
					if got != want {
						t.Errorf("%s with %v: %q, gonum's %q", name, v, got, want)
					}
					if want != "" {
						panics++
					}
				}
			}
		}
	}
	if panics < 500 {
		t.Errorf("only %d of the calls panic: the test is of nothing", panics)
	}
}

// caught returns what f panics with, or "".
func caught(f func()) (message string) {
	defer func() {
		if r := recover(); r != nil {
			message = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

// TestInUse: to import the package is enough.
func TestInUse(t *testing.T) {
	if blas32.Implementation() != blas.Float32(BLAS{}) || blas64.Implementation() != blas.Float64(BLAS{}) {
		t.Errorf("gonum uses %T and %T, want %T", blas32.Implementation(), blas64.Implementation(), BLAS{})
	}
}

// TestCholesky: gonum's decompositions, whose operands share one slice, run on it. |A − UᵀU| ≤ (n+2)u |Uᵀ||U|, by element
// (Higham, theorem 10.3).
func TestCholesky(t *testing.T) {
	const n = 150
	x, a := mat.NewDense(n, 2*n, noise[float64](2*n*n)), mat.NewSymDense(n, nil)
	a.SymOuterK(1, x)
	var root mat.Cholesky
	if !root.Factorize(a) {
		t.Fatal("the matrix is not positive definite")
	}
	var upper mat.TriDense
	root.UTo(&upper)
	for i := range n {
		for j := range n {
			residual, size := sum(n, func(p int) (float64, float64) { return upper.At(p, i), upper.At(p, j) }, -a.At(i, j))
			if tolerance := (n + 2) * 0x1p-53 * size; !(math.Abs(residual) <= tolerance) {
				t.Fatalf("(UᵀU − A)(%d,%d) is %.3g, want at most %.3g", i, j, residual, tolerance)
			}
		}
	}
}

// TestAllocates: a product on one thread takes its memory from a pool.
func TestAllocates(t *testing.T) {
	a, c := noise[float64](64*64), make([]float64, 64*64)
	product := func() { BLAS{}.Dgemm(blas.NoTrans, blas.Trans, 64, 64, 64, 0.7, a, 64, a, 64, 0.7, c, 64) }
	least := math.Inf(1)
	for i := 0; i < 50 && least > 0; i++ { // the pool is emptied now and then; under the race detector, often
		least = min(least, testing.AllocsPerRun(1, product))
	}
	if least > 0 {
		t.Errorf("Dgemm allocates %v times", least)
	}
}
