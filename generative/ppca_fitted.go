package generative

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// FittedPPCA is a fitted [PPCA]. Its density is of real numbers: what it samples for pixels and whole-number columns is rounded,
// and pixels are clamped to 0..MaxValue.
type FittedPPCA struct {
	classed
	given []*ppca   // for each class, or one without labels
	scale []float64 // (p), the raw units that variances are counted in
}

// logProb sets dst[i] to log p(z_i), with z counted from the mean, for the n examples of a block:
//
//	log p(z) = −½ (p log 2π + Σ_i log λ_i + (p−q) log σ² + Σ_i t_i²/λ_i + ‖z − U t‖²/σ²),   t = Uᵀ z.
//
// That is the inverse of C by the Woodbury identity, of O(pq) operations; the distance from the plane is not taken as a
// difference of squares, so that it keeps its digits where σ² is small.
func (m *ppca) logProb(dst []float64, b *rowBlock, n int) {
	p, q := len(m.mean), len(m.eigenvalue)
	constant := -(float64(p)*math.Log(2*math.Pi) + float64(p-q)*math.Log(m.noise)) / 2
	for _, v := range m.eigenvalue {
		constant -= math.Log(v) / 2
	}
	t := m.project(b, n)
	y := blas64.General{Rows: n, Cols: p, Stride: p, Data: b.y}
	copy(y.Data, b.z[:n*p])
	blas64.Gemm(blas.NoTrans, blas.NoTrans, -1, t, m.matrix(), 1, y)
	for i := range n {
		rest := blas64.Vector{N: p, Inc: 1, Data: y.Data[i*p:]}
		sum := blas64.Dot(rest, rest) / m.noise
		for j, v := range t.Data[i*q : (i+1)*q] {
			sum += v * v / m.eigenvalue[j]
		}
		dst[i] = constant - sum/2
	}
}

// matrix is Uᵀ.
func (m *ppca) matrix() blas64.General {
	return blas64.General{Rows: len(m.eigenvalue), Cols: len(m.mean), Stride: len(m.mean), Data: m.axes}
}

// project computes t = Uᵀ z for the n examples of a block, (n, q), in b.log.
func (m *ppca) project(b *rowBlock, n int) blas64.General {
	q := len(m.eigenvalue)
	t := blas64.General{Rows: n, Cols: q, Stride: q, Data: b.log}
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, blas64.General{Rows: n, Cols: len(m.mean), Stride: len(m.mean), Data: b.z}, m.matrix(), 0, t)
	return t
}

// spread is (λ_i − σ²)^½, the length of column i of W.
func (m *ppca) spread(i int) float64 { return math.Sqrt(m.eigenvalue[i] - m.noise) }

// decode sets x to μ + W z in raw units.
func (m *ppca) decode(x, z, scale []float64) {
	clear(x)
	for i, v := range z {
		blas64.Axpy(v*m.spread(i), blas64.Vector{N: len(x), Inc: 1, Data: m.axes[i*len(x):]}, blas64.Vector{N: len(x), Inc: 1, Data: x})
	}
	for j := range x {
		x[j] = m.mean[j] + scale[j]*x[j]
	}
}

// blocks visits the examples of x, those of each class together; at says where the n of a block stand in x.
func (m *FittedPPCA) blocks(x data.Batch, y []int32, visit func(given *ppca, b *rowBlock, at []int)) error {
	t, err := m.Transformed(x)
	if err != nil {
		return err
	}
	if err := checkFinite(t, 0); err != nil {
		return err
	}
	for k, rows := range m.byClass(y, x.Len()) {
		given := m.given[k]
		d := newScaledRows(t, rows, given.mean, m.scale, m.threads)
		err := d.each(context.Background(), d.parts(1), len(given.eigenvalue), func(b *rowBlock, _, from, n int) {
			visit(given, b, rows[from:from+n])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// LogProb sets dst[i] to log p(x_i) in nats, per raw unit of each element.
func (m *FittedPPCA) LogProb(dst []float64, x data.Batch) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	return m.mixture(dst, x, m.logProb)
}

// LogProbGiven sets dst[i] to log p(x_i|y_i) in nats, per raw unit of each element.
func (m *FittedPPCA) LogProbGiven(dst []float64, x data.Batch, y []int32) error {
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logProb(dst, x, y)
}

func (m *FittedPPCA) logProb(dst []float64, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	units := 0.0
	for _, s := range m.scale {
		units -= math.Log(s)
	}
	return m.blocks(x, y, func(given *ppca, b *rowBlock, at []int) {
		log := make([]float64, len(at))
		given.logProb(log, b, len(at))
		for i, l := range log {
			dst[at[i]] = l + units
		}
	})
}

// loss is the mean of −log p(x|y), or of −log p(x) without labels, in nats.
func (m *FittedPPCA) loss(ctx context.Context, set data.Set) (float64, error) {
	total := 0.0
	err := data.Each(ctx, set, func(_ int, b data.Batch) error {
		log := make([]float64, b.Len())
		if err := m.logProb(log, b, b.Y); err != nil {
			return err
		}
		for _, l := range log {
			total -= l
		}
		return ctx.Err()
	})
	return total / float64(set.Len()), err
}

// LatentSize is q, the number of dimensions of z.
func (m *FittedPPCA) LatentSize() int { return len(m.given[0].eigenvalue) }

// Encode gives the posterior mean of z, E[z|x] = (Wᵀ W + σ² I)⁻¹ Wᵀ (x − μ) = diag((λ − σ²)^½/λ) Uᵀ (x − μ), given the class where there
// are any.
func (m *FittedPPCA) Encode(dst []float32, x data.Batch, y []int32) error {
	q := m.LatentSize()
	if err := m.CheckResults(x, len(dst), q); err != nil {
		return err
	}
	if err := m.checkGiven(y, x.Len()); err != nil {
		return err
	}
	return m.blocks(x, y, func(given *ppca, b *rowBlock, at []int) {
		t := given.project(b, len(at))
		for i, row := range at {
			for j := range q {
				dst[row*q+j] = float32(t.Data[i*q+j] * given.spread(j) / given.eigenvalue[j])
			}
		}
	})
}

// Decode gives the mean of p(x|z), W z + μ, given the class where there are any.
func (m *FittedPPCA) Decode(dst data.Batch, z []float32, y []int32) error {
	q := m.LatentSize()
	if err := m.CheckResults(dst, len(z)/q, 1); err != nil {
		return err
	}
	if len(z)%q != 0 {
		return fmt.Errorf("%w: %d numbers, expected %d for each example", model.ErrShape, len(z), q)
	}
	if err := m.checkGiven(y, dst.Len()); err != nil {
		return err
	}
	code := make([]float64, q)
	return m.fill(dst, func(x []float64, i int) {
		for j := range code {
			code[j] = float64(z[i*q+j])
		}
		m.given[m.class(y, i)].decode(x, code, m.scale)
	})
}

func (m *FittedPPCA) checkGiven(y []int32, n int) error {
	if m.prior == nil {
		return nil
	}
	return m.CheckClasses(y, n)
}

// fill makes each x of dst, in raw units, and rounds it to what the data can hold.
func (m *FittedPPCA) fill(dst data.Batch, value func(x []float64, i int)) error {
	t := data.NewBatch(m.Transform.OutShape(), dst.Len(), false)
	x := make([]float64, t.Shape.Size())
	for i := range t.Len() {
		value(x, i)
		for j, v := range x {
			t.Row(i)[j] = float32(v)
		}
	}
	return m.Transform.Invert(dst, t)
}

// Sample draws a class where there are any, by their frequencies, and then as SampleGiven.
func (m *FittedPPCA) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws x = W z + μ + ε with z ~ N(0, I) and ε ~ N(0, σ² I), of class y_i.
func (m *FittedPPCA) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *FittedPPCA) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	z := make([]float64, m.LatentSize())
	return m.fill(dst, func(x []float64, i int) {
		for j := range z {
			z[j] = r.NormFloat64()
		}
		given := m.given[m.class(y, i)]
		given.decode(x, z, m.scale)
		for j := range x {
			x[j] += m.scale[j] * math.Sqrt(given.noise) * r.NormFloat64()
		}
	})
}

// Save writes the model file: scale (p); for each class, or one, mean (k, p) in raw units, and of x/scale noise (k), the
// eigenvalues (k, q) and the axes (k, q, p); the latter two once where they are tied.
func (m *FittedPPCA) Save(w io.Writer) error {
	k, q, p := len(m.given), m.LatentSize(), m.Schema.Size()
	decomposed := m.decompositions()
	var mean, noise, eigenvalue, axes []float64
	for i, given := range m.given {
		mean = append(mean, given.mean...)
		if i < decomposed {
			noise, eigenvalue, axes = append(noise, given.noise), append(eigenvalue, given.eigenvalue...), append(axes, given.axes...)
		}
	}
	return m.Card.Save(w, append(priorTensor(m.prior),
		model.Tensor{Name: "scale", Dims: []int{p}, Values: m.scale},
		model.Tensor{Name: "mean", Dims: []int{k, p}, Values: mean},
		model.Tensor{Name: "noise", Dims: []int{decomposed}, Values: noise},
		model.Tensor{Name: "eigenvalue", Dims: []int{decomposed, q}, Values: eigenvalue},
		model.Tensor{Name: "axes", Dims: []int{decomposed, q, p}, Values: axes}))
}

// decompositions is how many W there are.
func (m *FittedPPCA) decompositions() int {
	if m.Card.Recipe.(*PPCA).Tied {
		return 1
	}
	return max(1, m.Classes())
}

func loadPPCA(f *model.File) (model.Model, error) {
	m := &FittedPPCA{classed: classed{Card: f.Card, threads: f.Run.Threads}}
	k, p, decomposed := max(1, m.Classes()), m.Schema.Size(), m.decompositions()
	var err error
	if m.prior, err = loadPrior(f); err != nil {
		return nil, err
	}
	if m.scale, err = finiteValues(f, "scale", p); err != nil {
		return nil, err
	}
	if s := slices.Min(m.scale); s <= 0 {
		return nil, fmt.Errorf("%w: a scale is %v, expected more than 0", model.ErrDamaged, s)
	}
	mean, err := finiteValues(f, "mean", k, p)
	if err != nil {
		return nil, err
	}
	noise, err := finiteValues(f, "noise", decomposed)
	if err != nil {
		return nil, err
	}
	q := min(f.Card.Recipe.(*PPCA).Components, p-1)
	if q < 1 {
		return nil, fmt.Errorf("%w: %d components of %d elements, expected at least 1", model.ErrDamaged, q, p)
	}
	eigenvalue, err := finiteValues(f, "eigenvalue", decomposed, q)
	if err != nil {
		return nil, err
	}
	axes, err := finiteValues(f, "axes", decomposed, q, p)
	if err != nil {
		return nil, err
	}
	for class := range k {
		c := class % decomposed
		given := &ppca{mean: mean[class*p : (class+1)*p], noise: noise[c], eigenvalue: eigenvalue[c*q : (c+1)*q], axes: axes[c*q*p : (c+1)*q*p]}
		if class < decomposed {
			if err := given.check(); err != nil {
				return nil, fmt.Errorf("%w: %w", model.ErrDamaged, m.inClass(class, err))
			}
		}
		m.given = append(m.given, given)
	}
	return m, nil
}

// check reports what is wrong with a model from a file: a density needs σ² > 0, no eigenvalue below it, and axes that are at
// right angles and 1 long, or 0.
func (m *ppca) check() error {
	if !(m.noise > 0) {
		return fmt.Errorf("the noise has variance %v, expected more than 0", m.noise)
	}
	if least := slices.Min(m.eigenvalue); !(least >= m.noise) {
		return fmt.Errorf("an eigenvalue is %v, expected at least the variance of the noise, %v", least, m.noise)
	}
	q := len(m.eigenvalue)
	product := blas64.General{Rows: q, Cols: q, Stride: q, Data: make([]float64, q*q)}
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, m.matrix(), m.matrix(), 0, product)
	for i := range q {
		for j, v := range product.Data[i*q : (i+1)*q] {
			want := 0.0
			if i == j && v > 0.5 {
				want = 1
			}
			if !(math.Abs(v-want) <= 1e-6) {
				return fmt.Errorf("axes %d and %d have the product %v, expected %v", i, j, v, want)
			}
		}
	}
	return nil
}
