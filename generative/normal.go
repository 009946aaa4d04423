package generative

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	_ "github.com/likely-ml/likely/tensor/cpu/gonumblas" // blas64 and mat run on our kernels
)

// normal is the multivariate normal distribution N(μ, Σ) in p dimensions:
//
//	log p(x) = −½ (p log 2π + log |Σ| + (x−μ)ᵀ Σ⁻¹ (x−μ))
//
// Σ = S R S, with the standard deviations S on a diagonal and the correlations R = UᵀU (Cholesky). R is far better
// conditioned than Σ where columns have different units, and so log p(x) keeps its digits.
type normal struct {
	mean, covariance []float64 // (p) and (p, p)
	sd               []float64 // (p), the diagonal of S
	root             blas64.Triangular
	logNormaliser    float64 // ½ (p log 2π + log |Σ|)
}

// newNormal fails where the covariance has a direction without variance, to float64's precision.
func newNormal(mean, covariance []float64) (*normal, error) {
	p := len(mean)
	d := &normal{mean: mean, covariance: covariance, sd: make([]float64, p)}
	d.logNormaliser = float64(p) / 2 * math.Log(2*math.Pi)
	for j := range d.sd {
		if m := mean[j]; !(math.Abs(m) <= math.MaxFloat64) {
			return nil, fmt.Errorf("element %d has mean %v, expected a finite number", j, m)
		}
		v := covariance[j*p+j]
		if !(v > 0 && v <= math.MaxFloat64) {
			return nil, fmt.Errorf("element %d has variance %v, expected more than 0", j, v)
		}
		d.sd[j] = math.Sqrt(v)
		d.logNormaliser += math.Log(d.sd[j])
	}
	var root mat.Cholesky
	if !root.Factorize(scaled(covariance, d.sd)) || root.Cond() > 1e14 {
		return nil, fmt.Errorf("the %dx%d covariance is singular", p, p)
	}
	d.logNormaliser += root.LogDet() / 2
	var u mat.TriDense
	root.UTo(&u)
	d.root = u.RawTriangular()
	return d, nil
}

// scaled is S⁻¹ Σ S⁻¹.
func scaled(covariance, sd []float64) *mat.SymDense {
	p := len(sd)
	c := mat.NewSymDense(p, nil)
	for i := range p {
		for j := i; j < p; j++ {
			c.SetSym(i, j, covariance[i*p+j]/(sd[i]*sd[j]))
		}
	}
	return c
}

// logProb sets dst[i] to log p of row i of x, (n, p), in nats, and overwrites x.
func (d *normal) logProb(dst, x []float64) {
	n, p := len(dst), len(d.mean)
	if n == 0 {
		return
	}
	for i := range x {
		j := i % p
		x[i] = (x[i] - d.mean[j]) / d.sd[j]
	}
	// A row z of the solution of Z U = X is U⁻ᵀ x, so that zᵀz = xᵀ R⁻¹ x.
	blas64.Trsm(blas.Right, blas.NoTrans, 1, d.root, blas64.General{Rows: n, Cols: p, Stride: p, Data: x})
	for i := range dst {
		square := 0.0
		for _, z := range x[i*p : (i+1)*p] {
			square += z * z
		}
		dst[i] = -d.logNormaliser - square/2
	}
}

// sample sets dst to x = μ + S Uᵀ ε with ε ~ N(0, I).
func (d *normal) sample(dst []float64, r *rand.Rand) {
	for j := range dst {
		dst[j] = r.NormFloat64()
	}
	blas64.Trmv(blas.Trans, d.root, blas64.Vector{N: len(dst), Inc: 1, Data: dst})
	for j, z := range dst {
		dst[j] = d.mean[j] + d.sd[j]*z
	}
}

// moments are the mean and the maximum-likelihood covariance of n examples, from two passes over them: sum, finishMean,
// scatter, finishCovariance.
type moments struct {
	n                int
	mean, covariance []float64 // (p) and (p, p)
	fourth           float64   // Σ ‖S⁻¹(x−μ)‖⁴, where fourthMoments was asked for it
}

func newMoments(p int) *moments {
	return &moments{mean: make([]float64, p), covariance: make([]float64, p*p)}
}

// sum counts the rows of x, (n, p), towards the mean.
func (c *moments) sum(x []float64) {
	p := len(c.mean)
	c.n += len(x) / p
	for i, v := range x {
		c.mean[i%p] += v
	}
}

func (c *moments) finishMean() {
	for j := range c.mean {
		c.mean[j] /= float64(c.n)
	}
}

// scatter adds Σ (x−μ)(x−μ)ᵀ over the rows of x, (n, p), to the upper half of the covariance, and overwrites x.
func (c *moments) scatter(x []float64) {
	p := len(c.mean)
	if len(x) == 0 {
		return
	}
	for i := range x {
		x[i] -= c.mean[i%p]
	}
	blas64.Syrk(blas.Trans, 1, blas64.General{Rows: len(x) / p, Cols: p, Stride: p, Data: x},
		1, blas64.Symmetric{Uplo: blas.Upper, N: p, Stride: p, Data: c.covariance})
}

// finishCovariance divides by n and fills in the lower half.
func (c *moments) finishCovariance() {
	p := len(c.mean)
	for i := range p {
		for j := i; j < p; j++ {
			c.covariance[i*p+j] /= float64(c.n)
			c.covariance[j*p+i] = c.covariance[i*p+j]
		}
	}
}

// raiseVariance returns the covariance of greatest likelihood among those that have, after scaling by scale, no eigenvalue
// below floor: the eigenvalues λ of S⁻¹ Σ S⁻¹ become max(λ, floor). (The likelihood falls apart into one term for each
// eigenvalue, log λ' + λ/λ', which rises with λ' > λ.) rank is a bound on the rank of Σ: one less than the number of examples, or p
// where nothing is known. raised is how many eigenvalues became larger, and misfit is the mean of (x−μ)ᵀ Σ'⁻¹ (x−μ) over the
// data that Σ came from, which is p where none did.
func raiseVariance(covariance, scale []float64, rank int, floor float64) (result []float64, raised int, misfit float64, err error) {
	p := len(scale)
	c := scaled(covariance, scale)
	var enough mat.Cholesky
	spare := mat.NewSymDense(p, nil)
	spare.CopySym(c)
	for j := range p {
		spare.SetSym(j, j, c.At(j, j)-floor)
	}
	if floor == 0 || enough.Factorize(spare) {
		return covariance, 0, float64(p), nil
	}
	values, above, found := eigenOfLowRank(c, rank, floor)
	if !found {
		if values, above, found = eigenAbove(c, floor); !found {
			return nil, 0, 0, fmt.Errorf("the eigenvalues of the %dx%d covariance were not found", p, p)
		}
	}
	raised, misfit = p-len(values), float64(len(values))
	for _, v := range values {
		if v < floor {
			raised++
			misfit -= 1 - max(v, 0)/floor
		}
	}
	// S⁻¹ Σ' S⁻¹ = floor I + Σ_j max(λ_j − floor, 0) v_j v_jᵀ
	lifted := blas64.Symmetric{N: p, Stride: p, Data: make([]float64, p*p), Uplo: blas.Upper}
	for j := range p {
		lifted.Data[j*p+j] = floor
	}
	blas64.Syrk(blas.Trans, 1, above.RawMatrix(), 1, lifted)
	result = lifted.Data
	for i := range p {
		for j := i; j < p; j++ {
			result[i*p+j] *= scale[i] * scale[j]
			result[j*p+i] = result[i*p+j]
		}
	}
	return result, raised, misfit, nil
}

// eigenAbove decomposes C = Σ_j λ_j v_j v_jᵀ. It returns all λ_j, and a matrix with the rows sqrt(max(λ_j − floor, 0)) v_jᵀ.
func eigenAbove(c *mat.SymDense, floor float64) (values []float64, above *mat.Dense, found bool) {
	var eigen mat.EigenSym
	if !eigen.Factorize(c, true) {
		return nil, nil, false
	}
	values = eigen.Values(nil)
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	above = mat.DenseCopyOf(vectors.T())
	for j, v := range values {
		floats.Scale(math.Sqrt(max(v-floor, 0)), above.RawRowView(j))
	}
	return values, above, true
}

// eigenOfLowRank is eigenAbove for a matrix of low rank r, without its eigenvalues 0, in O(p² r) instead of O(p³): pictures have more
// pixels than a small set has examples. With Cholesky's decomposition with complete pivoting C = UᵀU, where U has r rows, and the
// eigenvalues λ_j and vectors w_j of the small matrix UUᵀ, those of C are λ_j and v_j = Uᵀw_j/sqrt(λ_j). found is false where
// rank promises no gain, or rounding hides it.
func eigenOfLowRank(c *mat.SymDense, rank int, floor float64) (values []float64, above *mat.Dense, found bool) {
	p := c.SymmetricDim()
	if rank < 1 || 2*rank > p {
		return nil, nil, false
	}
	var root mat.PivotedCholesky
	if root.Factorize(c, -1) || root.Rank() < 1 || root.Rank() > rank {
		return nil, nil, false
	}
	rank = root.Rank()
	u := mat.NewDense(rank, p, nil)
	triangle := root.RawU()
	for k, j := range root.ColumnPivots(nil) { // column k of the triangle is column j of C
		for i := range min(k+1, rank) {
			u.Set(i, j, triangle.At(i, k))
		}
	}
	small := mat.NewSymDense(rank, nil)
	small.SymOuterK(1, u)
	values, w, found := eigenAbove(small, floor)
	if !found {
		return nil, nil, false
	}
	above = mat.NewDense(rank, p, nil)
	above.Mul(w, u)
	for j, v := range values {
		floats.Scale(1/math.Sqrt(max(v, floor)), above.RawRowView(j)) // a row of an eigenvalue up to the floor is 0
	}
	return values, above, true
}
