package generative

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// choice is a bandwidth, and where the likelihood chose it the sum of the leave-one-out log-likelihoods of n rows.
type choice struct {
	h    float64
	sum  float64
	n    int
	note string // what a person should know; "" for nothing
}

// choose applies the rule to rows, (n, p).
func (r *KDE) choose(ctx context.Context, rows []float32, p, threads int) (choice, error) {
	n := len(rows) / p
	if allEqual(rows, p) {
		return choice{h: 1, note: "all rows are equal, and the bandwidth is 1"}, nil
	}
	switch r.Rule {
	case ScottRule:
		return choice{h: meanDeviation(rows, p) * math.Pow(float64(n), -1/float64(p+4))}, nil
	case SilvermanRule:
		return choice{h: meanDeviation(rows, p) * math.Pow(float64(n)*float64(p+2)/4, -1/float64(p+4))}, nil
	}
	l, err := newLeaveOneOut(ctx, r.Kernel, rows, p, threads)
	if err != nil {
		return choice{}, err
	}
	return l.best(ctx)
}

// allEqual reports whether every row is the first one.
func allEqual(rows []float32, p int) bool {
	for i, v := range rows {
		if v != rows[i%p] {
			return false
		}
	}
	return true
}

// meanDeviation is the root of the mean of the columns' variances.
func meanDeviation(rows []float32, p int) float64 {
	n := float64(len(rows) / p)
	total := 0.0
	for j := range p {
		mean, square := 0.0, 0.0
		for i := j; i < len(rows); i += p {
			mean += float64(rows[i]) / n
		}
		for i := j; i < len(rows); i += p {
			d := float64(rows[i]) - mean
			square += d * d
		}
		total += square / n
	}
	return math.Sqrt(total / float64(p))
}

// leaveOneOut is the likelihood of some rows under the estimate from all others, as a function of the bandwidth.
type leaveOneOut struct {
	kernel  Kernel
	p       int
	square  [][]float32 // of each row looked at, its squared distances from the rows not equal to it, at least one
	nearest []float64   // the least of each, as a distance
	threads int
}

// mostLeftOut bounds how many rows are left out in turn. The standard error of their mean log-likelihood, which is the same
// rows' at each h, moves the maximum little.
const mostLeftOut = 512

func newLeaveOneOut(ctx context.Context, kernel Kernel, rows []float32, p, threads int) (*leaveOneOut, error) {
	e := newParzen(kernel, 1, rows, p)
	m := min(e.n, mostLeftOut)
	l := &leaveOneOut{kernel: kernel, p: p, threads: threads}
	square, nearest := make([][]float32, m), make([]float64, m)
	room := newRoom(threads)
	for from := 0; from < m && ctx.Err() == nil; from += queryTile {
		room.run(func() {
			to := min(from+queryTile, m)
			for i := from; i < to; i++ {
				square[i], nearest[i] = make([]float32, 0, e.n-1), math.Inf(1)
			}
			e.distances(square[from:to], nearest[from:to], func(i int) int { return (from + i) * e.n / m })
		})
	}
	room.wait()
	for i, s := range square {
		if len(s) > 0 {
			l.square, l.nearest = append(l.square, s), append(l.nearest, nearest[i])
		}
	}
	return l, ctx.Err()
}

// distances appends to square[i] the squared distances of row at(i) from all rows not equal to it, and sets nearest[i] to the
// least distance.
func (e *parzen) distances(square [][]float32, nearest []float64, at func(i int) int) {
	m, wide := len(square), e.p+1
	x := make([]float64, 0, m*e.p)
	for i := range m {
		x = append(x, e.row(at(i))...)
	}
	product := make([]float64, m*rowTile)
	for from := 0; from < e.n; from += rowTile {
		count := min(rowTile, e.n-from)
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, blas64.General{Rows: m, Cols: e.p, Stride: e.p, Data: x},
			blas64.General{Rows: count, Cols: e.p, Stride: wide, Data: e.rows[from*wide:]},
			0, blas64.General{Rows: m, Cols: count, Stride: rowTile, Data: product})
		for i := range m {
			own := -2 * e.rows[at(i)*wide+e.p]
			for j, dot := range product[i*rowTile : i*rowTile+count] {
				other := -2 * e.rows[(from+j)*wide+e.p]
				d := own + other - 2*dot
				if d <= 1e-9*(own+other) { // rounding may have taken its digits
					if d = squaredDistance(e.row(at(i)), e.row(from+j)); d == 0 {
						continue
					}
				}
				square[i], nearest[i] = append(square[i], float32(d)), min(nearest[i], math.Sqrt(d))
			}
		}
	}
}

// best looks for the maximum on a grid of logarithms, and between the neighbours of the grid's best by golden sections, to
// within 1%. Each term of L rises with h up to some multiple of its distance, and then falls: d/√p for the gaussian kernel, d/p
// for the exponential one, and something between d and 2d for the compact ones. So the maximum lies on the grid.
func (l *leaveOneOut) best(ctx context.Context) (choice, error) {
	const grid = 24
	low := slices.Min(l.nearest) / float64(l.p)
	if l.kernel.compact() { // a kernel that leaves a row alone has likelihood 0
		low = slices.Max(l.nearest) * (1 + 1e-6)
	}
	high := 0.0
	for _, s := range l.square {
		high = max(high, 2*math.Sqrt(float64(slices.Max(s))))
	}
	step := math.Log(high/low) / (grid - 1)
	at := make([]float64, grid)
	for i := range at {
		if err := ctx.Err(); err != nil {
			return choice{}, err
		}
		at[i] = l.sum(low * math.Exp(step*float64(i)))
	}
	top := 0
	for i, v := range at {
		if v > at[top] {
			top = i
		}
	}
	a, b := math.Log(low)+step*float64(top-1), math.Log(low)+step*float64(top+1)
	golden := (math.Sqrt(5) - 1) / 2
	c, d := b-golden*(b-a), a+golden*(b-a)
	atC, atD := l.sum(math.Exp(c)), l.sum(math.Exp(d))
	for b-a > 0.01 {
		if err := ctx.Err(); err != nil {
			return choice{}, err
		}
		if atC >= atD {
			b, d, atD = d, c, atC
			c = b - golden*(b-a)
			atC = l.sum(math.Exp(c))
		} else {
			a, c, atC = c, d, atD
			d = a + golden*(b-a)
			atD = l.sum(math.Exp(d))
		}
	}
	if atC >= atD {
		return choice{h: math.Exp(c), sum: atC, n: len(l.square)}, nil
	}
	return choice{h: math.Exp(d), sum: atD, n: len(l.square)}, nil
}

// sum is the sum of the leave-one-out log-likelihoods at bandwidth h, −Inf where a compact kernel leaves a row alone.
func (l *leaveOneOut) sum(h float64) float64 {
	log := make([]float64, len(l.square))
	room := newRoom(l.threads)
	for i, s := range l.square {
		room.run(func() { log[i] = l.logSum(s, h) - math.Log(float64(len(s))) })
	}
	room.wait()
	total := 0.0
	for _, v := range log {
		total += v - float64(l.p)*math.Log(h) - l.kernel.logNormaliser(l.p)
	}
	return total
}

// logSum is log Σ K(d/h) of the squared distances d².
func (l *leaveOneOut) logSum(square []float32, h float64) float64 {
	s := logSum{top: math.Inf(-1)}
	v := make([]float64, 0, rowTile)
	for part := range slices.Chunk(square, rowTile) {
		v = v[:0]
		for _, d := range part {
			u := float64(d) / (h * h)
			switch {
			case l.kernel == GaussianKernel:
				v = append(v, -u/2)
			case l.kernel == ExponentialKernel:
				v = append(v, -math.Sqrt(u))
			case u < 1:
				s.top = 0
				s.sum += l.kernel.of(u)
			}
		}
		if len(v) > 0 {
			s.add(v)
		}
	}
	return s.log()
}
