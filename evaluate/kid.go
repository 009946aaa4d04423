package evaluate

import (
	"context"
	"math"

	"github.com/likely-ml/likely/measure"
)

// kid is the kernel distance: the squared maximum mean discrepancy of two samples of n points in d dimensions with the
// kernel k(x, y) = (x.y/d + 1)^3, by the unbiased estimate
//
//	1/(n(n-1)) sum_{i != j} h_ij,   h_ij = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i)
//
// (M. Bińkowski et al., ICLR 2018; A. Gretton et al., JMLR 13 (2012) 723, eq. 4). It is 0 on average where both come
// from one distribution, and so is negative half of the time there.
//
// The standard error is that of a U-statistic of order 2 (W. Hoeffding, Ann. Math. Statist. 19 (1948) 293): with v_1
// the variance of the row means of h, from which its own sampling error is taken off, and v_2 the variance of h,
//
//	4 (n-2)/(n(n-1)) v_1 + 2/(n(n-1)) v_2.
func kid(ctx context.Context, x, y points) (measure.Estimate, error) {
	n := x.n
	sum, squares := make([]float64, n), make([]float64, n) // over j, of h_ij and its square
	err := eachRow(ctx, n, func(i int) {
		xi, yi := x.row(i), y.row(i)
		for j := range n {
			if i == j {
				continue
			}
			xj, yj := x.row(j), y.row(j)
			h := kernel(xi, xj) + kernel(yi, yj) - kernel(xi, yj) - kernel(xj, yi)
			sum[i] += h
			squares[i] += h * h
		}
	})
	if err != nil {
		return measure.Estimate{}, err
	}
	m := float64(n)
	pairs := m * (m - 1)
	total, totalSquares := 0.0, 0.0
	for i := range n {
		total += sum[i]
		totalSquares += squares[i]
	}
	value := total / pairs
	v1 := 0.0
	for i := range n {
		d := sum[i]/(m-1) - value
		v1 += d * d
	}
	v1 /= m - 1
	v2 := max(0, totalSquares/pairs-value*value)
	v1 = max(0, v1-v2/(m-1))
	return measure.Estimate{Value: value, StandardError: math.Sqrt((4*(m-2)*v1 + 2*v2) / pairs), N: n}, nil
}

func kernel(x, y []float64) float64 {
	dot := 0.0
	for j, v := range x {
		dot += v * y[j]
	}
	k := dot/float64(len(x)) + 1
	return k * k * k
}
