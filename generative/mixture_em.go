package generative

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	_ "github.com/likely-ml/likely/tensor/cpu/gonumblas" // blas64 and mat run on our kernels
)

// mixture is a Gaussian mixture of K components over z in R^p:
//
//	log p(z) = log Σ_k w_k N(z; μ_k, Σ_k)
//
// What a component's density needs is made from weight, mean and covariance by prepare, after which nothing changes.
type mixture struct {
	kind             Covariance // not AutoCovariance
	p                int
	weight, mean     []float64 // (K) and (K, p)
	covariance       []float64 // full (K, p, p), tied (p, p), diagonal (K, p), spherical (K)
	normals          []*normal // of mean 0; full: K of them, tied: one
	whitener, offset []float64 // full and tied: see addQuadratic
	linear, square   []float64 // diagonal and spherical: (K, p), the coefficients of z and z² in log N
	constant         []float64 // (K), what log w_k + log N(z; μ_k, Σ_k) has beside them
}

func (m *mixture) components() int { return len(m.weight) }

// dense reports whether covariances have elements off the diagonal.
func (m *mixture) dense() bool { return m.kind == FullCovariance || m.kind == TiedCovariance }

// covarianceLength is how many numbers the covariances of k components take.
func covarianceLength(kind Covariance, k, p int) int {
	switch kind {
	case FullCovariance:
		return k * p * p
	case TiedCovariance:
		return p * p
	case DiagonalCovariance:
		return k * p
	}
	return k
}

// parameters is the number of free ones: K−1 weights, the means, and the covariances' distinct elements.
func (m *mixture) parameters() int {
	k, p := m.components(), m.p
	switch m.kind {
	case FullCovariance:
		return k - 1 + k*p + k*p*(p+1)/2
	case TiedCovariance:
		return k - 1 + k*p + p*(p+1)/2
	}
	return k - 1 + k*p + len(m.covariance)
}

// prepare fails where a covariance has a direction without variance, to float64's precision.
func (m *mixture) prepare(threads int) error {
	m.constant = make([]float64, m.components())
	if m.dense() {
		return m.prepareDense(threads)
	}
	m.linear, m.square = make([]float64, len(m.mean)), make([]float64, len(m.mean))
	each := len(m.covariance) / m.components() // variances of a component
	for k, w := range m.weight {
		m.constant[k] = math.Log(w) - float64(m.p)/2*math.Log(2*math.Pi)
		for j := range m.p {
			v, at := m.covariance[k*each+j%each], k*m.p+j
			if !(v > 1e-14 && v <= math.MaxFloat64) {
				return fmt.Errorf("component %d has variance %v in element %d, expected more than 0", k, v, j)
			}
			m.square[at], m.linear[at] = -1/(2*v), m.mean[at]/v
			m.constant[k] -= (math.Log(v) + m.mean[at]*m.mean[at]/v) / 2
		}
	}
	return nil
}

// prepareDense inverts the Cholesky factors: with Σ = S UᵀU S and P = S⁻¹U⁻¹, (z−μ)ᵀ Σ⁻¹ (z−μ) = ‖(z−μ)ᵀ P‖². The product
// with an inverse is several times faster than to solve for each z, and P is upper triangular too.
func (m *mixture) prepareDense(threads int) error {
	k, p := m.components(), m.p
	factors := len(m.covariance) / (p * p)
	m.normals = make([]*normal, factors)
	m.whitener, m.offset = make([]float64, factors*p*p), make([]float64, k*p)
	errs := make([]error, factors)
	shareOut(threads, factors, func(_, f int) {
		d, err := newNormal(make([]float64, p), m.covariance[f*p*p:(f+1)*p*p])
		if err != nil {
			errs[f] = fmt.Errorf("component %d: %w", f, err)
			return
		}
		m.normals[f] = d
		var root mat.TriDense
		root.SetRawTriangular(d.root)
		inverse := mat.NewTriDense(p, mat.Upper, nil)
		if err := inverse.InverseTri(&root); err != nil {
			errs[f] = fmt.Errorf("component %d: the root of the covariance has no inverse: %w", f, err)
			return
		}
		whitener := m.whitener[f*p*p : (f+1)*p*p]
		for i := range p {
			for j := i; j < p; j++ {
				whitener[i*p+j] = inverse.At(i, j) / d.sd[i]
			}
		}
	})
	if err := firstOf(errs); err != nil {
		return err
	}
	for c, w := range m.weight {
		f := c % factors
		m.constant[c] = math.Log(w) - m.normals[f].logNormaliser
		for j := range p {
			sum := 0.0
			for i := range j + 1 {
				sum -= m.mean[c*p+i] * m.whitener[f*p*p+i*p+j]
			}
			m.offset[c*p+j] = sum
		}
	}
	return nil
}

// logJoint sets log[i*K+c] to log w_c + log N(z_i; μ_c, Σ_c) for the n examples in z.
func (m *mixture) logJoint(b *rowBlock, n int) {
	k, p := m.components(), m.p
	for i := range n {
		copy(b.log[i*k:(i+1)*k], m.constant)
	}
	if m.dense() {
		for c := range k {
			m.addQuadratic(b, n, c)
		}
		return
	}
	log := blas64.General{Rows: n, Cols: k, Stride: k, Data: b.log}
	z := blas64.General{Rows: n, Cols: p, Stride: p, Data: b.z}
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, z, blas64.General{Rows: k, Cols: p, Stride: p, Data: m.linear}, 1, log)
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, b.squares(n), blas64.General{Rows: k, Cols: p, Stride: p, Data: m.square}, 1, log)
}

// addQuadratic takes ½ ‖y‖² off the log-density of component c, with y = (z−μ)ᵀ P = offset + zᵀ P. The rows of P are used
// from the top to the diagonal, in two strips of columns, so that a quarter of the work falls away.
func (m *mixture) addQuadratic(b *rowBlock, n, c int) {
	k, p := m.components(), m.p
	whitener := m.whitener[c%len(m.normals)*p*p:][:p*p]
	offset := m.offset[c*p : (c+1)*p]
	for i := range n {
		copy(b.y[i*p:(i+1)*p], offset)
	}
	for from := 0; from < p; {
		to := p
		if from == 0 && p >= leastSplit {
			to = p / 16 * 8
		}
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1,
			blas64.General{Rows: n, Cols: to, Stride: p, Data: b.z},
			blas64.General{Rows: to, Cols: to - from, Stride: p, Data: whitener[from:]}, 1,
			blas64.General{Rows: n, Cols: to - from, Stride: p, Data: b.y[from:]})
		from = to
	}
	for i := range n {
		y := blas64.Vector{N: p, Inc: 1, Data: b.y[i*p:]}
		b.log[i*k+c] -= blas64.Dot(y, y) / 2
	}
}

// leastSplit is the p from which there are two strips. At p = 50 the iterations of BenchmarkMixtureFit took 7% longer with one.
const leastSplit = 32

// expectation is the E step for the n examples in z: b.log becomes the responsibilities
//
//	r_ik = w_k N(z_i; μ_k, Σ_k) / p(z_i),
//
// and the result is Σ_i log p(z_i). A share below 1e-20 counts as 0: it is lost in the rounding of the sums, and most are.
func (m *mixture) expectation(b *rowBlock, n int) (logLikelihood float64) {
	m.logJoint(b, n)
	k := m.components()
	const negligible = -46 // log 1e-20
	for i := range n {
		row := b.log[i*k : (i+1)*k]
		top := row[0]
		for _, l := range row[1:] {
			top = max(top, l)
		}
		sum := 0.0
		for c, l := range row {
			row[c] = 0
			if l-top > negligible {
				row[c] = math.Exp(l - top)
				sum += row[c]
			}
		}
		for c := range row {
			row[c] /= sum
		}
		logLikelihood += top + math.Log(sum)
	}
	return logLikelihood
}

// mixtureSums is what an M step needs of the examples: over i, with responsibilities r_ik,
//
//	                 share    first            second
//	full             Σ r_ik   Σ r_ik (z−c_k)   Σ r_ik (z−c_k)(z−c_k)ᵀ, upper half
//	tied             Σ r_ik   Σ r_ik z         –
//	others           Σ r_ik   Σ r_ik z         Σ r_ik z²
//
// with the means of the E step as c_k, near which the covariances lose no digits.
type mixtureSums struct {
	logLikelihood        float64
	share, first, second []float64
}

func newMixtureSums(m *mixture) mixtureSums {
	k, p := m.components(), m.p
	s := mixtureSums{share: make([]float64, k), first: make([]float64, k*p)}
	switch m.kind {
	case FullCovariance:
		s.second = make([]float64, k*p*p)
	case DiagonalCovariance, SphericalCovariance:
		s.second = make([]float64, k*p)
	}
	return s
}

// merge adds another part's sums.
func (s *mixtureSums) merge(t *mixtureSums) {
	s.logLikelihood += t.logLikelihood
	for _, pair := range [][2][]float64{{s.share, t.share}, {s.first, t.first}, {s.second, t.second}} {
		for i, v := range pair[1] {
			pair[0][i] += v
		}
	}
}

// add counts the n examples in z with the responsibilities in b.log.
func (s *mixtureSums) add(m *mixture, b *rowBlock, n int) {
	k, p := m.components(), m.p
	if m.kind == FullCovariance {
		for c := range k {
			s.addFull(m, b, n, c)
		}
		return
	}
	for i := range n {
		for c, r := range b.log[i*k : (i+1)*k] {
			s.share[c] += r
		}
	}
	r := blas64.General{Rows: n, Cols: k, Stride: k, Data: b.log}
	z := blas64.General{Rows: n, Cols: p, Stride: p, Data: b.z}
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, r, z, 1, blas64.General{Rows: k, Cols: p, Stride: p, Data: s.first})
	if m.kind != TiedCovariance {
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, r, b.squares(n), 1, blas64.General{Rows: k, Cols: p, Stride: p, Data: s.second})
	}
}

// addFull gathers √r_i (z_i − c) of the examples that component c has a share in, and multiplies them with themselves.
func (s *mixtureSums) addFull(m *mixture, b *rowBlock, n, c int) {
	k, p := m.components(), m.p
	centre, first := m.mean[c*p:(c+1)*p], s.first[c*p:(c+1)*p]
	rows := 0
	for i := range n {
		r := b.log[i*k+c]
		if r == 0 {
			continue
		}
		s.share[c] += r
		root, z, y := math.Sqrt(r), b.z[i*p:(i+1)*p], b.y[rows*p:(rows+1)*p]
		for j, v := range z {
			d := v - centre[j]
			first[j] += r * d
			y[j] = root * d
		}
		rows++
	}
	if rows > 0 {
		blas64.Syrk(blas.Trans, 1, blas64.General{Rows: rows, Cols: p, Stride: p, Data: b.y}, 1,
			blas64.Symmetric{Uplo: blas.Upper, N: p, Stride: p, Data: s.second[c*p*p : (c+1)*p*p]})
	}
}

// maximisation is the M step: weights, means and covariances of greatest expected log-likelihood among those whose covariances have
// no eigenvalue below floor. total is Σ z zᵀ over all examples, which only tied covariances need. A component that has no share
// in any example stays where it is, with weight 0.
func (m *mixture) maximisation(s *mixtureSums, total []float64, floor float64, threads int) (*mixture, error) {
	k, p := m.components(), m.p
	next := &mixture{kind: m.kind, p: p, weight: make([]float64, k), mean: make([]float64, k*p)}
	next.covariance = make([]float64, len(m.covariance))
	n := 0.0
	for _, share := range s.share {
		n += share
	}
	for c, share := range s.share {
		next.weight[c] = share / n
		for j := range p {
			at := c*p + j
			switch {
			case !(share > 0):
				next.mean[at] = m.mean[at]
			case m.kind == FullCovariance:
				next.mean[at] = m.mean[at] + s.first[at]/share
			default:
				next.mean[at] = s.first[at] / share
			}
		}
	}
	var err error
	switch m.kind {
	case FullCovariance:
		errs := make([]error, k)
		shareOut(threads, k, func(_, c int) {
			square := next.covariance[c*p*p : (c+1)*p*p]
			if !(s.share[c] > 0) {
				copy(square, m.covariance[c*p*p:])
				return
			}
			for i := range p { // Σ r(z−μ)(z−μ)ᵀ = Σ r(z−c)(z−c)ᵀ − N(μ−c)(μ−c)ᵀ
				for j := i; j < p; j++ {
					v := s.second[c*p*p+i*p+j] - s.first[c*p+i]*s.first[c*p+j]/s.share[c]
					square[i*p+j], square[j*p+i] = v/s.share[c], v/s.share[c]
				}
			}
			errs[c] = raiseTo(square, floor)
		})
		err = firstOf(errs)
	case TiedCovariance:
		for i := range p {
			for j := i; j < p; j++ {
				v := total[i*p+j]
				for c := range k {
					v -= s.share[c] * next.mean[c*p+i] * next.mean[c*p+j]
				}
				next.covariance[i*p+j], next.covariance[j*p+i] = v/n, v/n
			}
		}
		err = raiseTo(next.covariance, floor)
	default:
		each := len(m.covariance) / k
		for c, share := range s.share {
			variance := next.covariance[c*each : (c+1)*each]
			if !(share > 0) {
				copy(variance, m.covariance[c*each:])
				continue
			}
			for j := range p {
				mean := next.mean[c*p+j]
				variance[j%each] += (s.second[c*p+j]/share - mean*mean) / float64(p/each)
			}
			for j := range variance {
				variance[j] = max(variance[j], floor)
			}
		}
	}
	if err == nil {
		err = next.prepare(threads)
	}
	return next, err
}

// raiseTo lifts the eigenvalues of a covariance in place, see raiseVariance.
func raiseTo(covariance []float64, floor float64) error {
	p := int(math.Sqrt(float64(len(covariance))) + 0.5)
	ones := make([]float64, p)
	for j := range ones {
		ones[j] = 1
	}
	raised, _, _, err := raiseVariance(covariance, ones, p, floor)
	copy(covariance, raised)
	return err
}

// pass is one walk through the examples: an E step and the sums for the M step. With label the responsibilities are 1 for the
// component that it names.
func (d *scaledRows) pass(ctx context.Context, m *mixture, label []int32) (*mixtureSums, error) {
	k := m.components()
	sums := make([]mixtureSums, d.parts(k*m.p+covarianceLength(m.kind, k, m.p)))
	for i := range sums {
		sums[i] = newMixtureSums(m)
	}
	err := d.each(ctx, len(sums), k, func(b *rowBlock, part, from, n int) {
		s := &sums[part]
		if label == nil {
			s.logLikelihood += m.expectation(b, n)
		} else {
			clear(b.log[:n*k])
			for i := range n {
				b.log[i*k+int(label[from+i])] = 1
			}
		}
		s.add(m, b, n)
	})
	for i := range sums[1:] {
		sums[0].merge(&sums[i+1])
	}
	return &sums[0], err
}

// logLikelihood is Σ log p(z) over the examples.
func (d *scaledRows) logLikelihood(ctx context.Context, m *mixture) (float64, error) {
	sums := make([]float64, d.parts(1))
	err := d.each(ctx, len(sums), m.components(), func(b *rowBlock, part, _, n int) {
		sums[part] += m.expectation(b, n)
	})
	total := 0.0
	for _, s := range sums {
		total += s
	}
	return total, err
}

// scatter is Σ z zᵀ over the examples, (p, p), upper half.
func (d *scaledRows) scatter(ctx context.Context) ([]float64, error) {
	p := len(d.shift)
	sums := make([][]float64, d.parts(p*p))
	for i := range sums {
		sums[i] = make([]float64, p*p)
	}
	err := d.each(ctx, len(sums), 1, func(b *rowBlock, part, _, n int) {
		blas64.Syrk(blas.Trans, 1, blas64.General{Rows: n, Cols: p, Stride: p, Data: b.z}, 1,
			blas64.Symmetric{Uplo: blas.Upper, N: p, Stride: p, Data: sums[part]})
	})
	for _, s := range sums[1:] {
		for i, v := range s {
			sums[0][i] += v
		}
	}
	return sums[0], err
}

// emRules say when EM ends, and what it may make.
type emRules struct {
	floor, tolerance float64
	iterations       int
	tell             func(iteration int, meanLog float64)
}

// emResult is where EM ended.
type emResult struct {
	*mixture
	logLikelihood float64 // of the examples
	iterations    int
	converged     bool
}

// improve is the EM algorithm (Dempster, Laird and Rubin, 1977) from a start. No iteration lowers the likelihood; it ends
// where one raises its mean over the examples by less than the tolerance.
func (d *scaledRows) improve(ctx context.Context, m *mixture, rules emRules) (emResult, error) {
	var total []float64
	if m.kind == TiedCovariance {
		var err error
		if total, err = d.scatter(ctx); err != nil {
			return emResult{}, err
		}
	}
	found := emResult{mixture: m}
	before := math.Inf(-1)
	for found.iterations < rules.iterations && !found.converged {
		sums, err := d.pass(ctx, found.mixture, nil)
		if err != nil {
			return emResult{}, err
		}
		if found.mixture, err = found.maximisation(sums, total, rules.floor, d.threads); err != nil {
			return emResult{}, err
		}
		found.iterations++
		mean := sums.logLikelihood / float64(len(d.index))
		rules.tell(found.iterations, mean)
		found.converged = math.Abs(mean-before) < rules.tolerance
		before = mean
	}
	var err error
	found.logLikelihood, err = d.logLikelihood(ctx, found.mixture)
	return found, err
}

// firstOf is the first error of some.
func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
