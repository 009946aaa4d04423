package dist

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// MVNormal is the normal distribution over R^d with mean vector μ and covariance matrix Σ = L Lᵀ, L its lower Cholesky factor,
//
//	log p(x) = -½ |L⁻¹(x-μ)|² - Σ_i log L_ii - (d/2) log 2π.
type MVNormal struct {
	mean       []float64 // (d)
	covariance []float64 // (d, d)
	factor     []float64 // L, (d, d), zeros above the diagonal
	logDet     float64   // Σ_i log L_ii
}

// NewMVNormal takes the mean (d) and the covariance, row-major (d, d), which must be symmetric and positive definite.
func NewMVNormal(mean, covariance []float64) (*MVNormal, error) {
	d := len(mean)
	if d == 0 {
		return nil, &ParameterError{Family: "mvnormal", Name: "mean", Found: "empty", Expected: "one number or more"}
	}
	for i, v := range mean {
		if !isFinite(v) {
			return nil, &ParameterError{Family: "mvnormal", Name: fmt.Sprintf("mean of element %d", i+1),
				Found: number(v), Expected: "a finite number"}
		}
	}
	wrong := func(found, expected string) error {
		return &ParameterError{Family: "mvnormal", Index: 1, Name: "covariance", Found: found, Expected: expected}
	}
	if len(covariance) != d*d {
		return nil, wrong(fmt.Sprintf("%d numbers", len(covariance)), fmt.Sprintf("%d x %d, as the mean has %d elements", d, d, d))
	}
	for i := range d {
		for j := range i + 1 {
			a, b := covariance[i*d+j], covariance[j*d+i]
			if !isFinite(a) {
				return nil, wrong(fmt.Sprintf("%s in place (%d,%d)", number(a), i+1, j+1), "finite numbers")
			}
			if a != b {
				return nil, wrong(fmt.Sprintf("not symmetric: %s and %s in places (%d,%d) and (%d,%d)",
					number(a), number(b), i+1, j+1, j+1, i+1), "equal numbers there")
			}
		}
	}
	n := &MVNormal{mean: slices.Clone(mean), covariance: slices.Clone(covariance), factor: make([]float64, d*d)}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(mat.NewSymDense(d, n.covariance)) {
		return nil, wrong("not positive definite", "a positive variance in every direction")
	}
	var lower mat.TriDense
	cholesky.LTo(&lower)
	for i := range d {
		for j := range i + 1 {
			n.factor[i*d+j] = lower.At(i, j)
		}
		n.logDet += math.Log(n.factor[i*d+i])
	}
	if !isFinite(n.logDet) {
		return nil, wrong("nearly singular", "a positive variance in every direction")
	}
	return n, nil
}

func (n *MVNormal) Dim() int       { return len(n.mean) }
func (n *MVNormal) Discrete() bool { return false }

// MeanVector is μ (d).
func (n *MVNormal) MeanVector() []float64 { return slices.Clone(n.mean) }

// Covariance is Σ, row-major (d, d).
func (n *MVNormal) Covariance() []float64 { return slices.Clone(n.covariance) }

// Cholesky is L, row-major (d, d), zeros above the diagonal.
func (n *MVNormal) Cholesky() []float64 { return slices.Clone(n.factor) }

func (n *MVNormal) LogProb(x []float64) float64 {
	d := len(n.mean)
	var few [16]float64 // keeps small ones off the heap
	z := few[:0]
	square := 0.0
	for i, m := range n.mean {
		v := x[i] - m
		for j, w := range z {
			v -= n.factor[i*d+j] * w
		}
		v /= n.factor[i*d+i]
		z = append(z, v)
		square += v * v
	}
	if math.IsNaN(square) && !slices.ContainsFunc(x, math.IsNaN) {
		return math.Inf(-1) // an element is infinite, or sums overflowed
	}
	return -square/2 - n.logDet - float64(d)*logRoot2Pi
}

// Sample draws μ + L z with z of independent standard normals.
func (n *MVNormal) Sample(dst []float64, r *rand.Rand) error {
	d := len(n.mean)
	if err := checkRows(dst, d, r); err != nil {
		return err
	}
	z := make([]float64, d)
	for row := range slices.Chunk(dst, d) {
		for i := range z {
			z[i] = r.NormFloat64()
		}
		for i, m := range n.mean {
			for j := range i + 1 {
				m += n.factor[i*d+j] * z[j]
			}
			row[i] = m
		}
	}
	return nil
}

// Entropy is (d/2) log(2πe) + ½ log det Σ.
func (n *MVNormal) Entropy() float64 { return float64(len(n.mean))*(0.5+logRoot2Pi) + n.logDet }

// Marginal is the normal distribution of element i.
func (n *MVNormal) Marginal(i int) Univariate {
	return &Normal{mean: n.mean[i], sd: math.Sqrt(n.covariance[i*len(n.mean)+i])}
}

func (n *MVNormal) String() string {
	var rows []string
	for row := range slices.Chunk(n.covariance, len(n.mean)) {
		rows = append(rows, "["+numbers(row)+"]")
	}
	return "mvnormal([" + numbers(n.mean) + "],[" + strings.Join(rows, ",") + "])"
}
