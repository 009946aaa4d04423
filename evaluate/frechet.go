package evaluate

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/measure"
)

// frechet is the Fréchet distance (squared 2-Wasserstein distance) of the Gaussians fitted to two samples,
//
//	|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a^(1/2) C_b C_a^(1/2))^(1/2))
//
// with means m and covariances C of divisor n-1. (D. C. Dowson, B. V. Landau, J. Multivar. Anal. 12 (1982) 450.) It is
// in units of squared features, and biased upwards by an amount of order d^2/n: compare only at equal sample sizes.
//
// Any F with F^T F = C_a does in place of the root of C_a, as F C_b F^T has the same eigenvalues but for zeros; none of the vectors is needed.
func frechet(a, b points) (float64, error) {
	ma, ca := gaussian(a)
	mb, cb := gaussian(b)
	f := factor(a, ma)
	distance := 0.0
	for j := range ma {
		d := ma[j] - mb[j]
		distance += d*d + ca.At(j, j) + cb.At(j, j)
	}
	var half, product mat.Dense
	half.Mul(f, cb)
	product.Mul(&half, f.T())
	values, err := spectrum(symmetric(&product))
	if err != nil {
		return 0, err
	}
	for _, lambda := range values {
		distance -= 2 * math.Sqrt(max(lambda, 0))
	}
	return max(distance, 0), nil // rounding can make it negative where the samples agree
}

// gaussian is the mean and the covariance of a sample.
func gaussian(p points) ([]float64, *mat.SymDense) {
	mean := columnMeans(p)
	var c mat.SymDense
	c.SymOuterK(1/float64(p.n-1), centre(p, mean).T())
	return mean, &c
}

// centre is the points less their mean, (n, d).
func centre(p points, mean []float64) *mat.Dense {
	centred := mat.NewDense(p.n, p.d, nil)
	for i := range p.n {
		row := centred.RawRowView(i)
		for j, v := range p.row(i) {
			row[j] = v - mean[j]
		}
	}
	return centred
}

// factor is an F with F^T F = C, the covariance of a sample with that mean: the R of a QR decomposition of the centred points over
// sqrt(n-1), or these themselves where there are no more than features.
func factor(p points, mean []float64) mat.Matrix {
	centred := centre(p, mean)
	centred.Scale(1/math.Sqrt(float64(p.n-1)), centred)
	if p.n <= p.d {
		return centred
	}
	var qr mat.QR
	var r mat.Dense
	qr.Factorize(centred)
	qr.RTo(&r)
	return r.Slice(0, p.d, 0, p.d)
}

// symmetric is the symmetric part of a square matrix, which takes away what rounding did to it.
func symmetric(m *mat.Dense) *mat.SymDense {
	n, _ := m.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (m.At(i, j)+m.At(j, i))/2)
		}
	}
	return s
}

func spectrum(c *mat.SymDense) ([]float64, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(c, false) {
		return nil, errSpectrum(c)
	}
	return eigen.Values(nil), nil
}

func errSpectrum(c *mat.SymDense) error {
	n := c.SymmetricDim()
	return fmt.Errorf("the eigenvalues of a %dx%d covariance could not be found", n, n)
}

// replicates is the number of bootstrap samples behind the error of the Fréchet distance: 40 give it to about 11%.
const replicates = 40

// frechetEstimate is the Fréchet distance with its bootstrap standard error: the spread of the distance over samples
// drawn with replacement from a and from b. Estimates whose errors must be independent take different series.
func frechetEstimate(ctx context.Context, a, b points, seed uint64, series int) (measure.Estimate, error) {
	value, err := frechet(a, b)
	if err != nil {
		return measure.Estimate{}, err
	}
	again := make([]float64, replicates)
	errs := make([]error, replicates)
	err = eachRow(ctx, replicates, func(i int) {
		r := (streamBootstrap + stream(replicates*series+i)).rand(seed)
		draw := func(p points) points {
			at := make([]int, p.n)
			for k := range at {
				at[k] = r.IntN(p.n)
			}
			return p.resample(at)
		}
		again[i], errs[i] = frechet(draw(a), draw(b))
	})
	if err != nil {
		return measure.Estimate{}, err
	}
	for _, err := range errs {
		if err != nil {
			return measure.Estimate{}, err
		}
	}
	return measure.Estimate{Value: value, StandardError: mean(again).StandardError * math.Sqrt(replicates), N: b.n}, nil
}
