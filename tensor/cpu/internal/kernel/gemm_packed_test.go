package kernel

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Rows of a product with a packed operand are those of the product, and nothing else is written.
func TestPackedProduct(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		t.Run("float32", func(t *testing.T) { checkPacked(t, Gemm32) })
		t.Run("float64", func(t *testing.T) { checkPacked(t, Gemm64) })
	})
}

func checkPacked[T float](t *testing.T, gemm func(ws *Workspace, ta, tb bool, m0, m1, n0, n1, k int, a []T, lda int, b []T, ldb int, accumulate bool, c []T, ldc int)) {
	ws := &Workspace{}
	rapid.Check(t, func(t *rapid.T) {
		size := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		m, n, k := size("m", 40), size("n", 80), size("k", 30)
		switch rapid.IntRange(0, 9).Draw(t, "large") {
		case 0:
			m += 200 // more rows than stay in the cache
		case 1:
			k += 400 // several blocks of terms
		}
		g := newGemmCase[T](uint64(size("seed", 1000)), false, rapid.Bool().Draw(t, "tb"), false, m, n, k, size("padA", 2), size("padB", 2), size("padC", 2), 5)
		want := append([]T(nil), g.wholeC...)
		gemm(ws, false, g.tb, 0, m, 0, n, k, g.a, g.lda, g.b, g.ldb, false, want[g.lowC:g.lowC+len(g.c)], g.ldc)
		packed := PackB(ws, g.tb, n, k, g.b, g.ldb)
		cut := size("cut", m)
		c := g.wholeC[g.lowC : g.lowC+len(g.c) : g.lowC+len(g.c)]
		packed.Rows(ws, 0, cut, g.a, g.lda, c, g.ldc)
		packed.Rows(ws, cut, m, g.a, g.lda, c, g.ldc)
		for i, v := range want {
			if x := g.wholeC[i]; x != v && !(math.IsNaN(float64(x)) && math.IsNaN(float64(v))) {
				t.Fatalf("%s: element %d is %v, expected %v", fmt.Sprint(m, n, k), i, x, v)
			}
		}
	})
}
