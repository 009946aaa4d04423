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
func frechet(a, b points) (float64, error) {
	ma, ca := gaussian(a)
	mb, cb := gaussian(b)
	distance := 0.0
	for j := range ma {
		d := ma[j] - mb[j]
		distance += d*d + ca.At(j, j) + cb.At(j, j)
	}
	root, err := squareRoot(ca)
	if err != nil {
		return 0, err
	}
	var half, product mat.Dense
	half.Mul(root, cb)
	product.Mul(&half, root)
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
	centred := mat.NewDense(p.n, p.d, nil)
	for i := range p.n {
		row := centred.RawRowView(i)
		for j, v := range p.row(i) {
			row[j] = v - mean[j]
		}
	}
	var c mat.SymDense
	c.SymOuterK(1/float64(p.n-1), centred.T())
	return mean, &c
}

// squareRoot is the symmetric R with R R = C, for C without negative eigenvalues beyond rounding.
func squareRoot(c *mat.SymDense) (*mat.Dense, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(c, true) {
		return nil, errSpectrum(c)
	}
	var v, scaled, root mat.Dense
	eigen.VectorsTo(&v)
	scaled.CloneFrom(&v)
	for j, lambda := range eigen.Values(nil) {
		for i := range scaled.RawMatrix().Rows {
			scaled.Set(i, j, v.At(i, j)*math.Sqrt(max(lambda, 0)))
		}
	}
	root.Mul(&scaled, v.T())
	return &root, nil
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
