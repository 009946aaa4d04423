package gonumblas

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"gonum.org/v1/gonum/blas"
)

// BenchmarkCalibrate prints the measurements that thresholds.go is made of: gonum's time over ours, for each operation, type and
// shape, whatever the thresholds are. It asserts nothing.
//
//	go test -run '^$' -bench Calibrate -benchtime 1x -cpu 1 ./tensor/cpu/gonumblas
func BenchmarkCalibrate(b *testing.B) {
	sizes := []int{1, 2, 4, 8, 12, 16, 24, 32, 64, 128, 256}
	for _, m := range sizes {
		for _, n := range sizes {
			for _, k := range sizes {
				if m != n && m != k && n != k { // two of the three are equal
					continue
				}
				line := fmt.Sprintf("gemm m=%d n=%d k=%d work=%d:", m, n, k, m*n*k)
				for _, ta := range []bool{false, true} {
					for _, tb := range []bool{false, true} {
						line += fmt.Sprintf(" %s%s", trans(ta), trans(tb))
						line += ratios(gemmPair(single.multiply, plain.Sgemm, ta, tb, m, n, k),
							gemmPair(double.multiply, plain.Dgemm, ta, tb, m, n, k))
					}
				}
				b.Log(line)
			}
		}
	}
	for _, m := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 1024} {
		for _, n := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 1024} {
			b.Logf("gemv m=%d n=%d work=%d: T %.2f", m, n, m*n, gemvPair(m, n).ratio())
		}
	}
	for _, n := range []int{2, 4, 8, 12, 16, 24, 32, 48, 64, 128, 256} {
		for _, k := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256} {
			line := fmt.Sprintf("syrk n=%d k=%d:", n, k)
			for _, ta := range []bool{false, true} {
				line += " " + trans(ta) + ratios(syrkPair(single.updateSymmetric, plain.Ssyrk, ta, n, k),
					syrkPair(double.updateSymmetric, plain.Dsyrk, ta, n, k))
			}
			b.Log(line)
		}
	}
	for _, order := range []int{16, 24, 32, 40, 48, 64, 96, 128, 256} {
		for _, vectors := range []int{1, 2, 4, 8, 16, 32, 64, 256} {
			line := fmt.Sprintf("trsm order=%d vectors=%d:", order, vectors)
			for _, left := range []bool{false, true} {
				for _, upper := range []bool{false, true} {
					for _, ta := range []bool{false, true} {
						line += fmt.Sprintf(" %c%c%s", "RL"[num(left)], "LU"[num(upper)], trans(ta))
						line += ratios(trsmPair(single.solve, plain.Strsm, left, upper, ta, order, vectors),
							trsmPair(double.solve, plain.Dtrsm, left, upper, ta, order, vectors))
					}
				}
			}
			b.Log(line)
		}
	}
}

func trans(t bool) string { return [2]string{"N", "T"}[num(t)] }

func num(b bool) int {
	if b {
		return 1
	}
	return 0
}

// pair is the same operation, ours and gonum's.
type pair struct{ ours, gonum func() }

// ratios is gonum's time over ours in float32 and float64.
func ratios(s, d pair) string { return fmt.Sprintf(" %.2f/%.2f", s.ratio(), d.ratio()) }

// ratio compares the least of several times, taken in turns.
func (p pair) ratio() float64 {
	var ours, theirs time.Duration = 1 << 62, 1 << 62
	p.ours()
	start := time.Now()
	p.gonum()
	repeat := int(max(1, 30*time.Microsecond/max(time.Since(start), 1)))
	for range 9 {
		ours = min(ours, elapsed(repeat, p.ours))
		theirs = min(theirs, elapsed(repeat, p.gonum))
	}
	return float64(theirs) / float64(ours)
}

func elapsed(repeat int, f func()) time.Duration {
	start := time.Now()
	for range repeat {
		f()
	}
	return time.Since(start)
}

func noise[T float](n int) []T {
	rng := rand.New(rand.NewPCG(uint64(n), 5))
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.Float64()*2 - 1)
	}
	return x
}

func flag2(t bool) blas.Transpose {
	if t {
		return blas.Trans
	}
	return blas.NoTrans
}

func uplo(upper bool) blas.Uplo {
	if upper {
		return blas.Upper
	}
	return blas.Lower
}

func gemmPair[T float](ours func(product[T]), theirs func(tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int),
	ta, tb bool, m, n, k int) pair {
	a, b, c := noise[T](m*k), noise[T](k*n), noise[T](m*n)
	lda, ldb := k, n
	if ta {
		lda = m
	}
	if tb {
		ldb = k
	}
	return pair{
		func() { ours(product[T]{ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, n}) },
		func() { theirs(flag2(ta), flag2(tb), m, n, k, 1, a, lda, b, ldb, 0, c, n) },
	}
}

func gemvPair(m, n int) pair {
	a, x, y := noise[float32](m*n), noise[float32](m), noise[float32](n)
	p := matrixVector{m, n, 1, a, n, x, 1, 0, y, 1}
	return pair{p.multiply, func() { plain.Sgemv(blas.Trans, m, n, 1, a, n, x, 1, 0, y, 1) }}
}

func syrkPair[T float](ours func(rankUpdate[T]), theirs func(ul blas.Uplo, tA blas.Transpose, n, k int, alpha T, a []T, lda int, beta T, c []T, ldc int), ta bool, n, k int) pair {
	a, c := noise[T](n*k), noise[T](n*n)
	lda := k
	if ta {
		lda = n
	}
	return pair{
		func() { ours(rankUpdate[T]{true, ta, n, k, 1, a, lda, 0, c, n}) },
		func() { theirs(blas.Upper, flag2(ta), n, k, 1, a, lda, 0, c, n) },
	}
}

type trsmFunc[T float] func(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int)

// trsmPair solves with a triangle near the identity, again and again in place.
func trsmPair[T float](ours func(triangular[T], smallSolve[T]), theirs trsmFunc[T], left, upper, ta bool, order, vectors int) pair {
	a := noise[T](order * order)
	for i := range a {
		a[i] /= T(order)
		if i%(order+1) == 0 {
			a[i] = 1
		}
	}
	s, m, n := blas.Right, vectors, order
	if left {
		s, m, n = blas.Left, order, vectors
	}
	b := noise[T](m * n)
	return pair{
		func() {
			ours(triangular[T]{left, upper, ta, m, n, 1, a, order, b, n}, func(m, n int, a, x []T, ldx int) {
				theirs(blas.Left, uplo(upper), leftTranspose(s, flag2(ta)), blas.NonUnit, m, n, 1, a, order, x, ldx)
			})
		},
		func() { theirs(s, uplo(upper), flag2(ta), blas.NonUnit, m, n, 1, a, order, b, n) },
	}
}
