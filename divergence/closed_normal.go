package divergence

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/internal/stirling"
)

// gaussian is a normal distribution over R^d.
type gaussian struct {
	mean       []float64 // (d)
	covariance []float64 // (d, d)
}

// gaussianOf are the moments of a normal distribution in either of its forms.
func gaussianOf(d dist.Distribution) (gaussian, bool) {
	switch d := d.(type) {
	case *dist.Normal:
		return gaussian{[]float64{d.Mean()}, []float64{d.Variance()}}, true
	case *dist.MVNormal:
		return gaussian{d.MeanVector(), d.Covariance()}, true
	}
	return gaussian{}, false
}

// betweenNormals are the formulas for N(m, s²) and N(n, t²) over the line. With Δ = m-n,
//
//	KL        = Δ²/(2t²) + ½ (s²/t² - 1 - log s²/t²)
//	affinity  = -½ α(1-α) Δ²/v - ½ log v + (1-α) log s + α log t,  v = α t² + (1-α) s², infinite for v ≤ 0
//	tv        = |Φ_p(b) - Φ_p(a) - Φ_q(b) + Φ_q(a)| where the densities cross at a and b
//	W1        = E|Δ + (s-t) Z|,  W2² = Δ² + (s-t)²  (both distributions are linear in one Z, the best coupling)
//	energy    = 2 E|Δ + √(s²+t²) Z| - E|√2 s Z| - E|√2 t Z|
//
// (affinity: Gil, Alajaji and Linder, Rényi divergence measures for commonly used univariate continuous distributions, 2013, table 2).
func betweenNormals(p, q *dist.Normal) formulas {
	delta, s, t := p.Mean()-q.Mean(), p.StdDev(), q.StdDev()
	return formulas{
		kl:           func() float64 { return klOfNormals(delta, s, t) },
		reverse:      func() float64 { return klOfNormals(delta, t, s) },
		affinity:     func(alpha float64) float64 { return affinityOfNormals(alpha, delta, s, t) },
		tv:           func() float64 { return normalTV(-delta/s, t/s) },
		wasserstein1: func() float64 { return meanAbsNormal(delta, s-t) },
		wasserstein2: func() float64 { return math.Hypot(delta, s-t) },
		energy: func() float64 {
			return 2*meanAbsNormal(delta, math.Hypot(s, t)) - meanAbsNormal(0, math.Sqrt2*s) - meanAbsNormal(0, math.Sqrt2*t)
		},
	}
}

// halfExcess is ½ (r² - 1 - log r²), r = s/t: r - 1 - log r and ½ (r-1)², neither of which overflows or cancels before it must.
func halfExcess(s, t float64) float64 {
	d := (s - t) / t
	return stirling.Deviance(t, s)/t + d*d/2
}

func klOfNormals(delta, s, t float64) float64 {
	z := delta / t
	return z*z/2 + halfExcess(s, t)
}

// affinityOfNormals takes the logarithms relative to v: the linear terms of α (t²/v - 1) + (1-α) (s²/v - 1) are 0 in sum.
func affinityOfNormals(alpha, delta, s, t float64) float64 {
	scale := max(s, t)
	s, t, delta = s/scale, t/scale, delta/scale
	v := alpha*t*t + (1-alpha)*s*s
	if v <= 0 {
		return math.Inf(1)
	}
	w := math.Sqrt(v)
	z := delta / w
	return -alpha*(1-alpha)*z*z/2 - alpha*halfExcess(t, w) - (1-alpha)*halfExcess(s, w)
}

// meanAbsNormal is E|m + sZ| of a standard normal Z: |s| √(2/π) exp(-m²/(2s²)) + m erf(m/(|s|√2)).
func meanAbsNormal(m, s float64) float64 {
	s = math.Abs(s)
	if s == 0 {
		return math.Abs(m)
	}
	z := m / s
	return s*math.Sqrt(2/math.Pi)*math.Exp(-z*z/2) + m*math.Erf(z/math.Sqrt2)
}

// normalTV is the total variation between N(0, 1) and N(m, s²). Their densities are equal at the solutions z of
// (1-s²) z² - 2 m z + m² + 2 s² log s = 0.
func normalTV(m, s float64) float64 {
	switch {
	case s == 1:
		return math.Erf(math.Abs(m) / (2 * math.Sqrt2))
	case s < 1e-100 || s > 1e100: // where s² may be no number, and the narrower one has its mass where the other has none
		return 1
	}
	a, b, c := (1-s)*(1+s), -m, m*m+2*s*s*math.Log(s) // a z² + 2 b z + c
	d := s * math.Sqrt(max(m*m+2*(s-1)*(s+1)*math.Log(s), 0))
	far := -(b + math.Copysign(d, b)) // one solution is far/a, the other c/far: neither loses digits
	z1, z2 := far/a, c/far
	if far == 0 { // m = 0, and d = 0 by underflow
		return 0
	}
	between := func(m, s float64) float64 { // the probability under N(m, s²), from the tail that is smaller
		x, y := (z1-m)/s/math.Sqrt2, (z2-m)/s/math.Sqrt2
		if x+y > 0 {
			return (math.Erfc(x) - math.Erfc(y)) / 2
		}
		return (math.Erfc(-y) - math.Erfc(-x)) / 2
	}
	return math.Abs(between(0, 1) - between(m, s))
}

// betweenMVNormals are the formulas for N(m, S) and N(n, T) over R^d. With T = L Lᵀ, the eigenvalues λ and vectors U of L⁻¹ S L⁻ᵀ, and
// y = Uᵀ L⁻¹ (m-n), both distributions are independent over the axes of y, and
//
//	KL        = ½ Σ (y² + λ - 1 - log λ)
//	affinity  = -½ Σ (α(1-α) y²/v + log v - (1-α) log λ),  v = α + (1-α) λ, infinite where a v ≤ 0
//	W2²       = |m-n|² + tr S + tr T - 2 tr (S^½ T S^½)^½   (Olkin and Pukelsheim, 1982), which is |m-n|² + |K - L B Aᵀ|² over all
//	            elements, without cancellation, where S = K Kᵀ and A D Bᵀ is the singular value decomposition of Kᵀ L
//	tv        = erf(|y|/(2√2)) where S = T
func betweenMVNormals(p, q gaussian) (formulas, bool) {
	d := len(p.mean)
	S, T := mat.NewSymDense(d, p.covariance), mat.NewSymDense(d, q.covariance)
	delta := mat.NewVecDense(d, nil)
	delta.SubVec(mat.NewVecDense(d, p.mean), mat.NewVecDense(d, q.mean))
	K, L, ok := choleskyOf(S, T)
	if !ok {
		return formulas{}, false
	}
	// W = L⁻¹ K, whose W Wᵀ = L⁻¹ S L⁻ᵀ; squares of singular values are eigenvalues, to full precision.
	var W, y mat.Dense
	if W.Solve(L, K) != nil || y.Solve(L, delta) != nil {
		return formulas{}, false
	}
	var svd mat.SVD
	if !svd.Factorize(&W, mat.SVDFull) {
		return formulas{}, false
	}
	var U, rotated mat.Dense
	svd.UTo(&U)
	rotated.Mul(U.T(), &y)
	sigma := svd.Values(nil) // roots of λ
	sum := func(f func(y, sigma float64) float64) float64 {
		s := 0.0
		for i, v := range sigma {
			s += f(rotated.At(i, 0), v)
		}
		return s
	}
	f := formulas{
		kl:      func() float64 { return sum(func(y, s float64) float64 { return klOfNormals(y, s, 1) }) },
		reverse: func() float64 { return sum(func(y, s float64) float64 { return klOfNormals(y, 1, s) }) },
		affinity: func(alpha float64) float64 {
			return sum(func(y, s float64) float64 { return affinityOfNormals(alpha, y, s, 1) })
		},
		wasserstein2: func() float64 {
			var product, A, B, turned, rest mat.Dense
			product.Mul(K.T(), L)
			var svd mat.SVD
			if !svd.Factorize(&product, mat.SVDFull) {
				return math.NaN()
			}
			svd.UTo(&A)
			svd.VTo(&B)
			turned.Mul(&B, A.T())
			rest.Mul(L, &turned)
			rest.Sub(K, &rest)
			return math.Hypot(mat.Norm(delta, 2), mat.Norm(&rest, 2))
		},
	}
	if mat.Equal(S, T) {
		f.tv = func() float64 {
			return math.Erf(mat.Norm(&rotated, 2) / (2 * math.Sqrt2))
		}
	}
	return f, true
}

// choleskyOf are the lower Cholesky factors of two matrices.
func choleskyOf(s, t *mat.SymDense) (k, l *mat.TriDense, ok bool) {
	var first, second mat.Cholesky
	if !first.Factorize(s) || !second.Factorize(t) {
		return nil, nil, false
	}
	k, l = &mat.TriDense{}, &mat.TriDense{}
	first.LTo(k)
	second.LTo(l)
	return k, l, true
}

// part is a normal distribution with a weight.
type part struct {
	weight float64
	gaussian
}

// partsOf are the parts of a mixture of normals, nested or not; one for a normal. It is false for other distributions.
func partsOf(d dist.Distribution, weight float64) ([]part, bool) {
	if g, ok := gaussianOf(d); ok {
		return []part{{weight, g}}, true
	}
	m, ok := d.(interface {
		Weights() []float64
		Members() []dist.Distribution
	})
	if !ok {
		return nil, false
	}
	var all []part
	weights := m.Weights()
	for i, member := range m.Members() {
		parts, ok := partsOf(member, weight*weights[i])
		if !ok {
			return nil, false
		}
		all = append(all, parts...)
	}
	return all, true
}

// betweenMixtures is the energy distance, over the line, or MMD between mixtures of normals: both are sums over pairs of parts of the mean of
// a function of x - y, which is normal. For MMD it is
//
//	E exp(-|z|²/(2h²)) = |I + V/h²|^-½ exp(-½ mᵀ (h² I + V)⁻¹ m) for z ~ N(m, V).
func betweenMixtures(k Kind, p, q dist.Distribution, o Params) (float64, bool) {
	a, first := partsOf(p, 1)
	b, second := partsOf(q, -1)
	if !first || !second || k == Energy && p.Dim() > 1 {
		return 0, false
	}
	// With the weights of q negative, Σ w_i w_j E k over all pairs is MMD, and for -|x-y| the energy distance.
	all := append(a, b...)
	sum := 0.0
	for i := range all {
		for j := range i + 1 {
			v, ok := meanKernel(k, all[i].gaussian, all[j].gaussian, o.Bandwidth)
			if !ok {
				return 0, false
			}
			if j < i {
				v *= 2
			}
			sum += all[i].weight * all[j].weight * v
		}
	}
	return sum, true
}

// meanKernel is E -|x-y| for Energy, E exp(-|x-y|²/(2h²)) for MMD, of independent x and y.
func meanKernel(k Kind, p, q gaussian, h float64) (float64, bool) {
	d := len(p.mean)
	if k == Energy {
		return -meanAbsNormal(p.mean[0]-q.mean[0], math.Sqrt(p.covariance[0]+q.covariance[0])), true
	}
	delta, v := mat.NewVecDense(d, nil), mat.NewSymDense(d, nil)
	for i := range d {
		delta.SetVec(i, (p.mean[i]-q.mean[i])/h)
		for j := range i + 1 {
			v.SetSym(i, j, (p.covariance[i*d+j]+q.covariance[i*d+j])/h/h)
		}
		v.SetSym(i, i, v.At(i, i)+1)
	}
	var c mat.Cholesky
	var solved mat.VecDense
	if !c.Factorize(v) || c.SolveVecTo(&solved, delta) != nil {
		return 0, false
	}
	return math.Exp(-(mat.Dot(delta, &solved) + c.LogDet()) / 2), true
}
