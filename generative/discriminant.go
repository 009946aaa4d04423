package generative

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// LDA is the recipe of linear discriminant analysis: the classes are normal distributions with means of their own and one
// covariance Σ,
//
//	p(x|y=k) = N(x; μ_k, Σ),   p(y=k) = n_k/n,
//
// and Bayes' rule makes of them a classifier whose log-odds are linear in x,
//
//	log p(y=k|x) = h_k(x) − log Σ_j e^h_j(x),   h_k(x) = b_kᵀ(x − μ) + a_k,
//	b_k = Σ⁻¹(μ_k − μ),   a_k = log p(y=k) − ½ b_kᵀ(μ_k − μ),   for any μ.
//
// (Fisher, The use of multiple measurements in taxonomic problems, 1936; Welch, Note on discriminant functions, 1939.)
// [CovarianceEstimate] says how Σ is estimated from the differences of the examples from their class's mean.
type LDA struct{ CovarianceEstimate }

// QDA is the recipe of quadratic discriminant analysis: as [LDA], but each class has a covariance Σ_k of its own, and so the
// log-odds are quadratic in x. It is [Gaussian] with another estimate of the covariances, and with Bayes' rule.
type QDA struct{ CovarianceEstimate }

// CovarianceEstimate is how a covariance is estimated in discriminant analysis. From n differences d_i of examples and mean,
//
//	C = (1/n) Σ_i d_i d_iᵀ,   Σ = (1 − δ) C + δ (tr C/p) I
//
// after each column of a table has been divided by its standard deviation over all classes, so that units play no part.
// Where C is singular, as with pixels that never change, some shrinkage δ is needed. δ −1 is the estimate of it that makes
// the expected squared error of Σ least for large n (Ledoit and Wolf, A well-conditioned estimator for large-dimensional
// covariance matrices, 2004):
//
//	δ = min(β/‖C − (tr C/p) I‖², 1),   β = (1/n²) Σ_i ‖d_i d_iᵀ − C‖²
//
// with the squared Frobenius norm. Unbiased divides by n − K with one covariance for K classes, by n − 1 with one for each.
type CovarianceEstimate struct {
	Shrinkage float64 `json:"shrinkage" default:"-1" min:"-1" max:"1" help:"share of the mean variance in every direction, 0 to 1; -1 for the estimate of Ledoit and Wolf"`
	Unbiased  bool    `json:"unbiased" default:"false" help:"divide by the degrees of freedom, not by the number of examples"`
}

// FittedDiscriminant is a fitted [LDA] or [QDA]: a classifier p(y|x), and the densities p(x|y) and p(x) that it is made of.
type FittedDiscriminant struct {
	FittedGaussian
	linear *linearScores    // of LDA
	bayes  model.Classifier // of QDA
}

// Fit estimates in two passes over the data, or three with the shrinkage of Ledoit and Wolf.
func (r *LDA) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	return r.fit(ctx, "lda", r, set, run)
}

// Fit estimates in two passes over the data, or three with the shrinkage of Ledoit and Wolf.
func (r *QDA) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	return r.fit(ctx, "qda", r, set, run)
}

func (r *CovarianceEstimate) fit(ctx context.Context, name string, spec model.Spec, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	start := time.Now()
	if !set.Schema().Labelled() {
		return nil, nil, fmt.Errorf("%s: %w", name, data.ErrNoLabels)
	}
	g, classes, err := estimate(ctx, name, spec, set, run)
	if err != nil {
		return nil, nil, err
	}
	scale := g.usualDeviation(classes)
	if r.Shrinkage < 0 {
		if err := g.fourthMoments(ctx, set, classes, scale); err != nil {
			return nil, nil, err
		}
	}
	summary := &model.Summary{Epochs: 1, ValidationLoss: math.NaN(), Stopped: "exact solution"}
	var least, most float64 = 1, 0 // of the shrinkages
	covariance := func(c *moments, freedom int) ([]float64, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if freedom < 1 {
			return nil, fmt.Errorf("%d examples are too few for an unbiased covariance; set unbiased=false", c.n)
		}
		shrunk, share := r.shrink(c, scale, freedom)
		least, most = min(least, share), max(most, share)
		return shrunk, nil
	}
	if name == "lda" {
		pooled, err := covariance(pool(classes), set.Len()-len(classes))
		if err != nil {
			return nil, nil, err
		}
		if err := g.share(means(classes), pooled); err != nil {
			return nil, nil, fmt.Errorf("%w: set shrinkage above 0, or -1 (now %v)", err, r.Shrinkage)
		}
	} else {
		for k, c := range classes {
			own, err := covariance(c, c.n-1)
			if err != nil {
				return nil, nil, g.inClass(k, err)
			}
			d, err := newNormal(c.mean, own)
			if err != nil {
				return nil, nil, g.inClass(k, fmt.Errorf("%w: set shrinkage above 0, or -1 (now %v), or use lda", err, r.Shrinkage))
			}
			g.given = append(g.given, d)
		}
	}
	if r.Shrinkage < 0 {
		summary.Notes = append(summary.Notes, fmt.Sprintf("shrinkage by Ledoit and Wolf: %.3g", least))
		if most > least {
			summary.Notes[0] += fmt.Sprintf(" to %.3g", most)
		}
	}
	m, err := newDiscriminant(g)
	if err != nil {
		return nil, nil, err
	}
	if summary.TrainLoss, err = m.logLoss(ctx, set); err != nil {
		return nil, nil, err
	}
	if v := run.Validation; v != nil && v.Len() > 0 {
		if summary.ValidationLoss, err = m.logLoss(ctx, v); err != nil {
			return nil, nil, err
		}
	}
	summary.Seconds = time.Since(start).Seconds()
	summary.ExamplesPerSecond = float64(set.Len()) / max(summary.Seconds, 1e-9)
	tell(run.Progress, "estimating", set.Len(), set.Len(), true)
	return m, summary, nil
}

// fourthMoments sums ‖S⁻¹(x−μ_k)‖⁴ over the examples of each class.
func (m *FittedGaussian) fourthMoments(ctx context.Context, set data.Set, classes []*moments, scale []float64) error {
	return m.each(ctx, set, func(_ int, x data.Batch) error {
		for i := range x.Len() {
			c := classes[m.class(x.Y, i)]
			square := 0.0
			for j, v := range x.Row(i) {
				d := (float64(v) - c.mean[j]) / scale[j]
				square += d * d
			}
			c.fourth += square * square
		}
		return ctx.Err()
	})
}

// pool is the moments of the differences of all examples from the means of their classes, which have the mean 0.
func pool(classes []*moments) *moments {
	all := newMoments(len(classes[0].mean))
	for _, c := range classes {
		all.n += c.n
		all.fourth += c.fourth
		floats.AddScaled(all.covariance, float64(c.n), c.covariance)
	}
	floats.Scale(1/float64(all.n), all.covariance)
	return all
}

func means(classes []*moments) [][]float64 {
	var list [][]float64
	for _, c := range classes {
		list = append(list, c.mean)
	}
	return list
}

// shrink returns Σ, and how much it was shrunk.
func (r *CovarianceEstimate) shrink(c *moments, scale []float64, freedom int) (result []float64, share float64) {
	p := len(scale)
	s := scaled(c.covariance, scale)
	mean := mat.Trace(s) / float64(p)
	if share = r.Shrinkage; share < 0 {
		share = ledoitWolf(s, c.n, c.fourth)
	}
	unbias := 1.0
	if r.Unbiased {
		unbias = float64(c.n) / float64(freedom)
	}
	result = make([]float64, p*p)
	for i := range p {
		for j := range p {
			v := (1 - share) * s.At(i, j)
			if i == j {
				v += share * mean
			}
			result[i*p+j] = unbias * v * scale[i] * scale[j]
		}
	}
	return result, share
}

// ledoitWolf is δ of [CovarianceEstimate] for C, (p, p), of n differences with Σ_i ‖d_i‖⁴ = fourth. Since the mean of d dᵀ is C, the
// sum in β is fourth − n‖C‖².
func ledoitWolf(c *mat.SymDense, n int, fourth float64) float64 {
	p := float64(c.SymmetricDim())
	norm := mat.Norm(c, 2)
	square := norm * norm
	mean := mat.Trace(c) / p
	dispersion := square - p*mean*mean
	beta := (fourth/float64(n) - square) / float64(n)
	if !(dispersion > 0 && beta > 0) {
		return 0
	}
	return min(beta/dispersion, 1)
}

// share gives every class the same covariance.
func (m *FittedGaussian) share(means [][]float64, covariance []float64) error {
	first, err := newNormal(means[0], covariance)
	if err != nil {
		return err
	}
	for _, mean := range means {
		d := *first
		d.mean = mean
		m.given = append(m.given, &d)
	}
	return nil
}

// isLinear reports whether the classes share one covariance.
func (m *FittedDiscriminant) isLinear() bool { return m.Name == "lda" }

func newDiscriminant(g *FittedGaussian) (*FittedDiscriminant, error) {
	m := &FittedDiscriminant{FittedGaussian: *g}
	if m.isLinear() {
		m.linear = newLinearScores(m.given, m.LogPrior())
		return m, nil
	}
	var err error
	m.bayes, err = model.Bayes(&m.FittedGaussian, m.LogPrior())
	return m, err
}

// linearScores are the functions h_k of [LDA], around μ = Σ_k p(y=k) μ_k: x near 0 loses no digits.
type linearScores struct {
	mean      []float64      // μ, (p)
	slope     blas64.General // b, (K, p)
	intercept []float64      // a, (K)
}

func newLinearScores(given []*normal, logPrior []float64) *linearScores {
	k, p := len(given), len(given[0].mean)
	h := &linearScores{make([]float64, p), blas64.General{Rows: k, Cols: p, Stride: p, Data: make([]float64, k*p)}, slices.Clone(logPrior)}
	for c, d := range given {
		floats.AddScaled(h.mean, math.Exp(logPrior[c]), d.mean)
	}
	for c, d := range given {
		b := h.slope.Data[c*p : (c+1)*p]
		for j := range b {
			b[j] = (d.mean[j] - h.mean[j]) / d.sd[j]
		}
		// Σ⁻¹ = S⁻¹ U⁻¹ U⁻ᵀ S⁻¹
		v := blas64.Vector{N: p, Inc: 1, Data: b}
		blas64.Trsv(blas.Trans, d.root, v)
		blas64.Trsv(blas.NoTrans, d.root, v)
		for j := range b {
			b[j] /= d.sd[j]
			h.intercept[c] -= b[j] * (d.mean[j] - h.mean[j]) / 2
		}
	}
	return h
}

// logPosterior sets dst, (n, K), to log p(y|x) of the rows of x, (n, p), and overwrites x.
func (h *linearScores) logPosterior(dst, x []float64) {
	k, p := h.slope.Rows, h.slope.Cols
	n := len(dst) / k
	if n == 0 {
		return
	}
	for i := range x {
		x[i] -= h.mean[i%p]
	}
	for i := range n {
		copy(dst[i*k:(i+1)*k], h.intercept)
	}
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, blas64.General{Rows: n, Cols: p, Stride: p, Data: x}, h.slope,
		1, blas64.General{Rows: n, Cols: k, Stride: k, Data: dst})
	for i := range n {
		row := dst[i*k : (i+1)*k]
		floats.AddConst(-floats.LogSumExp(row), row)
	}
}

// LogPosterior sets dst[i*K+k] to log p(y=k|x_i) in nats, by Bayes' rule with the classes' frequencies.
func (m *FittedDiscriminant) LogPosterior(dst []float64, x data.Batch) error {
	if err := m.CheckResults(x, len(dst), m.Classes()); err != nil {
		return err
	}
	if !m.isLinear() {
		return m.bayes.LogPosterior(dst, x)
	}
	t, err := m.Transformed(x)
	if err != nil {
		return err
	}
	const piece = 256
	for from := 0; from < t.Len(); from += piece {
		part := t.Slice(from, min(from+piece, t.Len()))
		wide := make([]float64, len(part.X))
		for i, v := range part.X {
			wide[i] = float64(v)
		}
		m.linear.logPosterior(dst[from*m.Classes():(from+part.Len())*m.Classes()], wide)
	}
	for i, l := range dst {
		if math.IsNaN(l) {
			return fmt.Errorf("example %d has no log p(y|x): expected finite values of x", i/m.Classes())
		}
	}
	return nil
}

// logLoss is the mean of −log p(y|x) in nats.
func (m *FittedDiscriminant) logLoss(ctx context.Context, set data.Set) (float64, error) {
	total, k := 0.0, m.Classes()
	err := data.Each(ctx, set, func(_ int, b data.Batch) error {
		log := make([]float64, b.Len()*k)
		if err := m.LogPosterior(log, b); err != nil {
			return err
		}
		for i, y := range b.Y {
			total -= log[i*k+int(y)]
		}
		return ctx.Err()
	})
	return total / float64(set.Len()), err
}

// Save writes the model file: class_prior (K), mean (K, p), and covariance, (p, p) of lda and (K, p, p) of qda.
func (m *FittedDiscriminant) Save(w io.Writer) error {
	if !m.isLinear() {
		return m.FittedGaussian.Save(w)
	}
	k, p := m.Classes(), m.Schema.Size()
	mean := make([]float64, 0, k*p)
	for _, d := range m.given {
		mean = append(mean, d.mean...)
	}
	return m.Card.Save(w, append(priorTensor(m.prior),
		model.Tensor{Name: "mean", Dims: []int{k, p}, Values: mean},
		model.Tensor{Name: "covariance", Dims: []int{p, p}, Values: m.given[0].covariance}))
}

func loadDiscriminant(f *model.File) (model.Model, error) {
	if f.Card.Classes() == 0 {
		return nil, fmt.Errorf("%w: %s has no classes", model.ErrDamaged, f.Card.Name)
	}
	if f.Card.Name == "qda" {
		g, err := loadGaussian(f)
		if err != nil {
			return nil, err
		}
		return newDiscriminant(g.(*FittedGaussian))
	}
	g := &FittedGaussian{classed: classed{Card: f.Card, threads: f.Run.Threads}}
	k, p := g.Classes(), g.Schema.Size()
	var err error
	if g.prior, err = loadPrior(f); err != nil {
		return nil, err
	}
	mean, err := model.Values[float64](f, "mean", k, p)
	if err != nil {
		return nil, err
	}
	covariance, err := model.Values[float64](f, "covariance", p, p)
	if err != nil {
		return nil, err
	}
	if err := g.share(slices.Collect(slices.Chunk(mean, p)), covariance); err != nil {
		return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
	}
	return newDiscriminant(g)
}

func init() {
	model.Register(model.Entry{
		Name: "lda", Kind: model.Discriminative,
		Summary: "linear discriminant analysis: normal classes with one covariance; p(y|x), exact log p(x|y), samples",
		Paper:   "Fisher, The use of multiple measurements in taxonomic problems, 1936",
		New:     func() model.Spec { return model.NewRecipe[LDA]() },
		Load:    loadDiscriminant,
	})
	model.Register(model.Entry{
		Name: "qda", Kind: model.Discriminative,
		Summary: "quadratic discriminant analysis: normal classes with covariances of their own; p(y|x), exact log p(x|y), samples",
		Paper:   "Welch, Note on discriminant functions, 1939",
		New:     func() model.Spec { return model.NewRecipe[QDA]() },
		Load:    loadDiscriminant,
	})
}
