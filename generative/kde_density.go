package generative

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	_ "github.com/likely-ml/likely/tensor/cpu/gonumblas" // blas64 runs on our kernels
)

// parzen is a kernel density estimate of n rows in p dimensions,
//
//	log p(x) = log Σ_i K(|x − c_i|/h) − log n − p log h − log ∫ K.
//
// Distances come from matrix products, |x − c|² = |x|² + |c|² − 2 x·c with the mean of the rows as the origin. Their rounding
// error is in proportion to |x|² + |c|², not to the distance: where it could move log p by more than 1e-10 (of log p,
// where that is beyond 1), distances are computed again from differences. What is left out of the sum is less than 1e-15
// of it.
type parzen struct {
	kernel Kernel
	n, p   int
	h      float64
	origin []float64 // (p), the mean of the rows
	rows   []float64 // (n, p+1): the rows from the origin in units of h, and −½ of their squared length
	radius float64   // of the ball around the origin that holds the rows, in units of h
	scale  float64   // log n + p log h + log ∫ K
	// epsilon is the error of a squared distance from a product in relation to (|x|+|c|)²: the rounding errors of p additions,
	// random in sign.
	epsilon float64
}

// newParzen estimates the density of rows, (n, p).
func newParzen(kernel Kernel, h float64, rows []float32, p int) *parzen {
	n := len(rows) / p
	e := &parzen{kernel: kernel, n: n, p: p, h: h, origin: make([]float64, p), rows: make([]float64, 0, n*(p+1))}
	for i, v := range rows {
		e.origin[i%p] += float64(v)
	}
	for j := range e.origin {
		e.origin[j] /= float64(n)
	}
	longest := 0.0
	for i := range n {
		square := 0.0
		for j, v := range rows[i*p : (i+1)*p] {
			z := (float64(v) - e.origin[j]) / h
			e.rows = append(e.rows, z)
			square += z * z
		}
		e.rows = append(e.rows, -square/2)
		longest = max(longest, square)
	}
	e.radius = math.Sqrt(longest)
	e.epsilon = 0x1p-52 * (2 + math.Sqrt(float64(p)))
	e.scale = math.Log(float64(n)) + float64(p)*math.Log(h) + kernel.logNormaliser(p)
	return e
}

// row is row i, without its length.
func (e *parzen) row(i int) []float64 { return e.rows[i*(e.p+1) : i*(e.p+1)+e.p] }

// queryTile and rowTile are how many queries and rows a matrix product takes: its result, of 256 KiB, stays in the
// second-level cache while it is summed.
const (
	queryTile = 64
	rowTile   = 512
)

// logProb sets dst[i] to log p of row i of x, (m, p), in nats. It is fastest with queryTile rows.
func (e *parzen) logProb(dst []float64, x []float32) {
	m, wide := len(dst), e.p+1
	q := make([]float64, m*wide)
	square := make([]float64, m)
	for i := range m {
		for j, v := range x[i*e.p : (i+1)*e.p] {
			z := (float64(v) - e.origin[j]) / e.h
			q[i*wide+j] = z
			square[i] += z * z
		}
		q[i*wide+e.p] = 1
	}
	sums := make([]logSum, m)
	for i := range sums {
		sums[i].top = math.Inf(-1)
	}
	product := make([]float64, m*rowTile)
	for from := 0; from < e.n; from += rowTile {
		count := min(rowTile, e.n-from)
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, blas64.General{Rows: m, Cols: wide, Stride: wide, Data: q},
			blas64.General{Rows: count, Cols: wide, Stride: wide, Data: e.rows[from*wide:]},
			0, blas64.General{Rows: m, Cols: count, Stride: rowTile, Data: product})
		for i := range sums {
			v := product[i*rowTile : i*rowTile+count] // x·c − ½|c|²
			if e.kernel == GaussianKernel {
				sums[i].add(v) // without the factor exp(−½|x|²)
			} else {
				e.addOther(&sums[i], v, q[i*wide:i*wide+e.p], square[i], from)
			}
		}
	}
	for i := range sums {
		if e.kernel == GaussianKernel {
			if sums[i].top -= square[i] / 2; e.rounded(sums[i].top, square[i]) {
				sums[i] = e.exactGaussian(q[i*wide : i*wide+e.p])
			}
		}
		dst[i] = sums[i].log() - e.scale
	}
}

// rounded reports whether rounding could have moved log Σ exp(−½|x−c|²) too far, where top is its greatest exponent. The rows
// that count in the sum lie within distance √(2(leftOut − top)) of x.
func (e *parzen) rounded(top, square float64) bool {
	reach := math.Sqrt(square) + math.Sqrt(2*(leftOut-min(top, 0)))
	return !(e.epsilon*reach*reach <= 1e-10*max(1, -top))
}

// exactGaussian sums exp(−½|x−c|²) over all rows, from differences.
func (e *parzen) exactGaussian(x []float64) logSum {
	s := logSum{top: math.Inf(-1)}
	v := make([]float64, 0, rowTile)
	for i := range e.n {
		v = append(v, -squaredDistance(x, e.row(i))/2)
		if len(v) == rowTile || i == e.n-1 {
			s.add(v)
			v = v[:0]
		}
	}
	return s
}

// addOther adds a block of another kernel than the gaussian one to the sum for x: v holds x·c − ½|c|², and is overwritten.
// Beside its rounding error δ, a squared distance is computed again where its root loses too many digits, and where a compact
// kernel has its edge.
func (e *parzen) addOther(s *logSum, v, x []float64, square float64, from int) {
	reach := math.Sqrt(square) + e.radius
	delta := e.epsilon * reach * reach
	near, edge := delta*delta*1e20, delta*1e10
	compact := e.kernel.compact()
	kept := v[:0]
	for i, dot := range v {
		d := max(0, square-2*dot)
		if compact && d > 1+edge {
			continue
		}
		if d <= near || compact && d >= 1-edge {
			d = squaredDistance(x, e.row(from+i))
		}
		if !compact {
			v[i] = -math.Sqrt(d)
		} else if d < 1 {
			kept = append(kept, e.kernel.of(d))
		}
	}
	if !compact {
		s.add(v)
		return
	}
	for _, k := range kept {
		s.sum += k
	}
	if s.sum > 0 {
		s.top = 0
	}
}

func squaredDistance(x, y []float64) float64 {
	sum := 0.0
	for j, v := range x {
		d := v - y[j]
		sum += d * d
	}
	return sum
}

// leftOut is how far below the greatest a logarithm lies whose exponential is left out of a sum: e^−80 = 2e-35.
const leftOut = 80

// logSum is a sum of exponentials, sum · e^top.
type logSum struct {
	top float64
	sum float64
}

func (s logSum) log() float64 { return s.top + math.Log(s.sum) }

// add adds exp(v) of each v.
func (s *logSum) add(v []float64) {
	top := v[0]
	for _, l := range v[1:] {
		if l > top {
			top = l
		}
	}
	if top < s.top-leftOut {
		return
	}
	if top > s.top {
		s.sum *= math.Exp(s.top - top)
		s.top = top
	}
	s.sum += sumExp(v, s.top)
}

// sumExp is Σ exp(v−top) for v ≤ top, within 1e-15 of it. Where v−top is below −leftOut, e^−leftOut stands for the
// exponential.
//
// exp(t) = 2^(k/64) exp(r), with k = round(64t/log 2), |r| ≤ log 2/128, a table of 2^(j/64), and the Taylor polynomial of
// degree 5 of exp(r), whose error is below 4e-17.
func sumExp(v []float64, top float64) float64 {
	const (
		shift = 3 << 51              // adding it rounds to a whole number, in the last bits
		high  = 0x1.62e42fefa0000p-7 // of log 2/64, short enough that k·high is exact
		low   = 0x1.cf79abc9e3b3ap-46
	)
	sum := 0.0
	for _, l := range v {
		t := l - top
		if t < -leftOut {
			t = -leftOut
		}
		s := t*(64/math.Ln2) + shift
		k := math.Float64bits(s)
		s -= shift
		r := t - s*high - s*low
		power := math.Float64frombits(powers[k%64] + k>>6<<52)
		sum += power + power*(r*(1+r*(1.0/2+r*(1.0/6+r*(1.0/24+r*(1.0/120))))))
	}
	return sum
}

// powers are the bits of 2^(j/64).
var powers = func() (bits [64]uint64) {
	for j := range bits {
		bits[j] = math.Float64bits(math.Exp2(float64(j) / 64))
	}
	return bits
}()
