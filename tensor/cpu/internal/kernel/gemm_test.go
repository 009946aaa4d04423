package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// levels returns the levels that this machine has, the generic one first.
func levels() []Level {
	var l []Level
	for x := Generic; x <= Detected(); x++ {
		l = append(l, x)
	}
	return l
}

// gemmCase is a product with margins: every slice starts at an odd place of a larger one whose other elements are NaN,
// so that reading outside shows in the result and writing outside shows in the margin.
type gemmCase[T float] struct {
	ta, tb, accumulate bool
	m, n, k            int
	lda, ldb, ldc      int
	a, b, c            []T // within their margins
	wholeC             []T
	lowC               int // where c starts in wholeC
}

func newGemmCase[T float](seed uint64, ta, tb, accumulate bool, m, n, k, padA, padB, padC, margin int) *gemmCase[T] {
	rng := rand.New(rand.NewPCG(seed, 1))
	g := &gemmCase[T]{ta: ta, tb: tb, accumulate: accumulate, m: m, n: n, k: k, lowC: margin}
	matrix := func(rows, cols, pad int) (whole, inner []T, ld int) {
		ld = cols + pad
		size := 0
		if rows > 0 && cols > 0 {
			size = (rows-1)*ld + cols
		}
		whole = make([]T, size+2*margin)
		for i := range whole {
			whole[i] = T(math.NaN())
		}
		inner = whole[margin : margin+size : margin+size]
		for i := range rows {
			for j := range cols {
				inner[i*ld+j] = T(rng.Float64()*2 - 1)
			}
		}
		return whole, inner, ld
	}
	ar, ac, br, bc := m, k, k, n
	if ta {
		ar, ac = k, m
	}
	if tb {
		br, bc = n, k
	}
	_, g.a, g.lda = matrix(ar, ac, padA)
	_, g.b, g.ldb = matrix(br, bc, padB)
	g.wholeC, g.c, g.ldc = matrix(m, n, padC)
	return g
}

// run computes a copy of C in parts: rows cut at the given places, columns too.
func (g *gemmCase[T]) run(ws *Workspace, rowCuts, colCuts []int) []T {
	whole := append([]T(nil), g.wholeC...)
	c := whole[g.lowC : g.lowC+len(g.c) : g.lowC+len(g.c)]
	rows := append(append([]int{0}, rowCuts...), g.m)
	cols := append(append([]int{0}, colCuts...), g.n)
	for i := range len(rows) - 1 {
		for j := range len(cols) - 1 {
			g.call(ws, rows[i], rows[i+1], cols[j], cols[j+1], c)
		}
	}
	return whole
}

func (g *gemmCase[T]) call(ws *Workspace, m0, m1, n0, n1 int, c []T) {
	switch c := any(c).(type) {
	case []float32:
		Gemm32(ws, g.ta, g.tb, m0, m1, n0, n1, g.k, any(g.a).([]float32), g.lda, any(g.b).([]float32), g.ldb, g.accumulate, c, g.ldc)
	case []float64:
		Gemm64(ws, g.ta, g.tb, m0, m1, n0, n1, g.k, any(g.a).([]float64), g.lda, any(g.b).([]float64), g.ldb, g.accumulate, c, g.ldc)
	}
}

// element returns op(A)[i,p] and op(B)[p,j].
func (g *gemmCase[T]) element(i, j, p int) (a, b float64) {
	ia, ib := i*g.lda+p, p*g.ldb+j
	if g.ta {
		ia = p*g.lda + i
	}
	if g.tb {
		ib = j*g.ldb + p
	}
	return float64(g.a[ia]), float64(g.b[ib])
}

// check compares got, the memory around C included, with the triple loop in float64. The bound is that of any order of
// k+1 rounded additions of fused products, (k+2)·u·(Σ|a·b| + |C|) with unit round-off u, the oracle's own error in it.
func (g *gemmCase[T]) check(got []T) error {
	u := unitRoundoff[T]()
	inside := make([]bool, len(got))
	for i := range g.m {
		for j := range g.n {
			at := g.lowC + i*g.ldc + j
			inside[at] = true
			var want, size float64
			if g.accumulate {
				want = float64(g.wholeC[at])
				size = math.Abs(want)
			}
			for p := range g.k {
				a, b := g.element(i, j, p)
				want = math.FMA(a, b, want)
				size += math.Abs(a * b)
			}
			tol := 2 * float64(g.k+2) * u * size
			if diff := math.Abs(float64(got[at]) - want); !(diff <= tol) {
				return fmt.Errorf("C[%d,%d] = %v, want %v within %.3g", i, j, got[at], want, tol)
			}
		}
	}
	for i, in := range inside {
		if !in && got[i] == got[i] {
			return fmt.Errorf("element %d outside C (which starts at %d) was written: %v", i, g.lowC, got[i])
		}
	}
	return nil
}

// unitRoundoff returns half the distance from 1 to the next number.
func unitRoundoff[T float]() float64 {
	if _, single := any(T(0)).(float32); single {
		return 0x1p-24
	}
	return 0x1p-53
}

func sameBits[T float](a, b []T) error {
	for i := range a {
		if math.Float64bits(float64(a[i])) != math.Float64bits(float64(b[i])) && (a[i] == a[i] || b[i] == b[i]) {
			return fmt.Errorf("element %d: %v and %v", i, a[i], b[i])
		}
	}
	return nil
}

// Sizes on both sides of every threshold: tile rows and columns, vectors, loop orders, blocks of terms.
var (
	gemmSizes = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 27, 28, 29, 31, 32, 33, 47, 48, 49, 63, 64, 65}
	gemmWide  = []int{127, 128, 129, 195, 196, 197, 255, 256, 257, 300}
	gemmDepth = []int{0, 1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 48, 100, 383, 384, 385, 386, 389, 767, 768, 769}
)

func randomGemm[T float](rng *rand.Rand) *gemmCase[T] {
	pick := func(from []int) int { return from[rng.IntN(len(from))] }
	m, n, k := pick(gemmSizes), pick(gemmSizes), pick(gemmDepth)
	switch rng.IntN(8) {
	case 0:
		m, k = pick(gemmWide), min(k, 40)
	case 1:
		n, k = pick(gemmWide), min(k, 40)
	case 2:
		m, n, k = pick(gemmWide), pick(gemmWide), min(k, 17)
	}
	flag := func() bool { return rng.IntN(2) == 0 }
	return newGemmCase[T](rng.Uint64(), flag(), flag(), flag(), m, n, k, rng.IntN(4), rng.IntN(4), rng.IntN(4), 1+rng.IntN(40))
}

// testGemm: every level is right, and all levels and splits give the same bits.
func testGemm[T float](t *rapid.T, ws *Workspace) {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
	g := randomGemm[T](rng)
	cut := func(n int) []int {
		x := rng.IntN(n + 1)
		return []int{x, x + rng.IntN(n+1-x)}
	}
	rowCuts, colCuts := cut(g.m), cut(g.n)
	var first []T
	for _, l := range levels() {
		restore := Use(l)
		got := g.run(ws, nil, nil)
		parts := g.run(ws, rowCuts, colCuts)
		restore()
		if err := g.check(got); err != nil {
			t.Fatalf("%v, %v: %v", l, g, err)
		}
		if err := sameBits(got, parts); err != nil {
			t.Fatalf("%v, %v, whole and cut at %v, %v: %v", l, g, rowCuts, colCuts, err)
		}
		if first == nil {
			first = got
		} else if err := sameBits(first, got); err != nil {
			t.Fatalf("%v, %v and %v: %v", g, Generic, l, err)
		}
	}
}

// String describes the case by its shape.
func (g *gemmCase[T]) String() string {
	return fmt.Sprintf("%dx%dx%d ta=%v tb=%v accumulate=%v lda=%d ldb=%d ldc=%d", g.m, g.n, g.k, g.ta, g.tb, g.accumulate, g.lda, g.ldb, g.ldc)
}

func TestGemm32(t *testing.T) {
	var ws Workspace
	rapid.Check(t, func(t *rapid.T) { testGemm[float32](t, &ws) })
}

// TestGemmLoops: one product for each order of loops and each special path.
func TestGemmLoops(t *testing.T) {
	t.Run("float32", testGemmLoops[float32])
	t.Run("float64", testGemmLoops[float64])
}

func testGemmLoops[T float](t *testing.T) {
	var ws Workspace
	for _, s := range []struct {
		ta, tb  bool
		m, n, k int
	}{
		{m: 1, n: 128, k: 5}, {m: 1, n: 300, k: 400}, {m: 3, n: 100, k: 9}, // B read in place
		{m: 1, n: 1, k: 390, tb: true}, {m: 1, n: 31, k: 16, tb: true}, {m: 1, n: 77, k: 800, tb: true}, // rows of B as columns
		{m: 1, n: 77, k: 30, tb: true, ta: true},
		{m: 100, n: 5, k: 400, ta: true}, {m: 49, n: 14, k: 7, ta: true}, {m: 47, n: 14, k: 400, ta: true, tb: true}, // A and B exchanged
		{m: 15, n: 45, k: 23, tb: true}, {m: 128, n: 77, k: 800, tb: true}, {m: 83, n: 3, k: 1000, tb: true},
		{m: keepA + 1, n: 15, k: 400, ta: true},
		{m: keepA, n: 40, k: 3}, {m: keepA + 1, n: keepB, k: 3}, {m: keepA + 1, n: keepB + 1, k: 3}, // A packed whole or in place, B packed whole, both in slices
		{m: keepA, n: 40, k: 3, ta: true}, {m: keepA + 1, n: keepB, k: 3, ta: true}, {m: keepA + 1, n: keepB + 1, k: 3, ta: true, tb: true},
		{m: keepA + 5, n: sliceB + 20, k: 2}, {m: 2*keepA + 10, n: keepB + 40, k: 390},
	} {
		for _, accumulate := range []bool{false, true} {
			g := newGemmCase[T](1, s.ta, s.tb, accumulate, s.m, s.n, s.k, 1, 2, 3, 7)
			compareLevels(t, &ws, g)
		}
	}
}

// TestGemmColumn: a contiguous single column, with its operand contiguous and not.
func TestGemmColumn(t *testing.T) {
	var ws Workspace
	for _, m := range []int{2, 15, 16, 17, 32, 33, 100} {
		for _, k := range []int{1, 15, 16, 17, 390} {
			for flags := range 16 {
				ta, tb, accumulate, padB := flags&1 > 0, flags&2 > 0, flags&4 > 0, flags&8>>3
				compareLevels(t, &ws, newGemmCase[float32](uint64(flags), ta, tb, accumulate, m, 1, k, 1, padB, 0, 7))
				compareLevels(t, &ws, newGemmCase[float64](uint64(flags), ta, tb, accumulate, m, 1, k, 1, padB, 0, 7))
			}
		}
	}
}

// compareLevels: every level is right and gives the same bits.
func compareLevels[T float](t *testing.T, ws *Workspace, g *gemmCase[T]) {
	t.Helper()
	var first []T
	for _, l := range levels() {
		restore := Use(l)
		got := g.run(ws, nil, nil)
		restore()
		if err := g.check(got); err != nil {
			t.Errorf("%v, %v: %v", l, g, err)
		}
		if first == nil {
			first = got
		} else if err := sameBits(first, got); err != nil {
			t.Errorf("%v, %v: %v", l, g, err)
		}
	}
}

// TestPacking compares the packing routines of each level with the plain Go ones, every element of dst that they define.
func TestPacking(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testPacking(t, kernels32) })
	t.Run("float64", func(t *testing.T) { testPacking(t, kernels64) })
}

func testPacking[T float](t *testing.T, active func() *kernels[T]) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, l := range levels() {
		restore := Use(l)
		ks := active()
		restore()
		compare := func(what string, width, stride, n int, pack, goPack func(dst []T)) {
			t.Helper()
			const margin = 16
			whole := make([]T, margin+(n+1)*stride+ks.cols+16)
			for i := range whole {
				whole[i] = T(math.NaN())
			}
			want := make([]T, (n+1)*stride+32)
			goPack(want)
			pack(whole[margin:])
			for k := range n {
				for j := range width {
					if got, w := whole[margin+k*stride+j], want[k*stride+j]; got != w {
						t.Fatalf("%v: %s: element %d of row %d is %v, want %v", l, what, j, k, got, w)
					}
				}
			}
			for i, v := range whole[:margin] {
				if v == v {
					t.Fatalf("%v: %s wrote %d elements before dst", l, what, margin-i)
				}
			}
		}
		for n := 1; n <= 40; n++ {
			for used := 1; used <= 16; used++ {
				src := make([]T, 20*n+40)
				for i := range src {
					src[i] = T(r.NormFloat64())
				}
				var rows [16]int
				for i := range rows {
					rows[i] = r.IntN(len(src) - n + 1)
				}
				stride := used + r.IntN(20)
				compare(fmt.Sprintf("transpose of %d x %d, stride %d", used, n, stride), used, stride, n,
					func(dst []T) { ks.transpose(dst, stride, src, &rows, used, n, 3) },
					func(dst []T) { transposeGo(dst, stride, src, &rows, used, n, 3) })
			}
			for cols := 1; cols <= ks.cols; cols++ {
				ld := cols + r.IntN(3)
				src := make([]T, (n-1)*ld+cols)
				for i := range src {
					src[i] = T(r.NormFloat64())
				}
				stride := cols + r.IntN(20)
				compare(fmt.Sprintf("copy of %d x %d, stride %d", n, cols, stride), cols, stride, n,
					func(dst []T) { ks.copyRows(dst, stride, src, ld, n, cols) },
					func(dst []T) { copyRowsGo(dst, stride, src, ld, n, cols) })
			}
		}
	}
}

func TestGemm64(t *testing.T) {
	var ws Workspace
	rapid.Check(t, func(t *rapid.T) { testGemm[float64](t, &ws) })
}

// TestGemmAllocates: nothing, once the workspace has grown.
func TestGemmAllocates(t *testing.T) {
	for _, l := range levels() {
		restore := Use(l)
		var ws Workspace
		for _, s := range [][3]int{{1, 40, 7}, {20, 20, 400}, {300, 20, 9}, {300, 300, 9}} {
			g := newGemmCase[float32](1, false, true, true, s[0], s[1], s[2], 0, 0, 0, 0)
			call := func() { g.call(&ws, 0, g.m, 0, g.n, g.c) }
			if n := testing.AllocsPerRun(1, call); n != 0 {
				t.Errorf("%v, %v: %v allocations", l, g, n)
			}
		}
		restore()
	}
}

func TestGemmPanics(t *testing.T) {
	ok := make([]float32, 100)
	for name, call := range map[string]func(ws *Workspace){
		"A too short":       func(ws *Workspace) { Gemm32(ws, false, false, 0, 3, 0, 4, 5, ok[:14], 5, ok, 4, false, ok, 4) },
		"B too short":       func(ws *Workspace) { Gemm32(ws, false, true, 0, 3, 0, 4, 5, ok, 5, ok[:19], 5, false, ok, 4) },
		"C too short":       func(ws *Workspace) { Gemm32(ws, false, false, 0, 3, 0, 4, 5, ok, 5, ok, 4, false, ok[:11], 4) },
		"leading dimension": func(ws *Workspace) { Gemm32(ws, false, false, 0, 3, 0, 4, 5, ok, 4, ok, 4, false, ok, 4) },
		"negative rows":     func(ws *Workspace) { Gemm32(ws, false, false, -1, 3, 0, 4, 5, ok, 5, ok, 4, false, ok, 4) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call(new(Workspace))
		})
	}
}
