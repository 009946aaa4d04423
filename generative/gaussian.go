package generative

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// Gaussian is the recipe of a multivariate normal distribution, fitted by maximum likelihood: the mean and the covariance
// (1/n, not 1/(n−1)) of the data. With labels there is one for each class, p(x|y), and
//
//	p(x) = Σ_y p(y) p(x|y)
//
// with the classes' frequencies as p(y). Bayes' rule makes it quadratic discriminant analysis: see [model.Bayes] and
// [FittedGaussian.LogPrior].
//
// Where the data has no variance in some direction, such as pixels that never change, the likelihood has no maximum. Floor
// is the least variance in any direction, as a share of the usual one: of each column's own, over all classes, in tables;
// of the mean over all pixels in pictures. The estimate is the most likely one under that condition; Floor 0 is the
// unconditional one.
type Gaussian struct {
	Floor float64 `json:"floor" default:"0.0001" min:"0" max:"1" help:"least variance in any direction, as a share of a column's (tables) or of the mean pixel's (pictures); 0 for none"`
}

// maxElements bounds p: a covariance of 4,096 elements takes 134 MB, and its decomposition some minutes where it has full rank.
const maxElements = 4096

// FittedGaussian is a fitted [Gaussian]. Its density is of real numbers: what it samples for pixels and whole-number
// columns is rounded, and pixels are clamped to 0..MaxValue.
type FittedGaussian struct {
	classed
	given []*normal // for each class, or one without labels
}

// Fit computes means and covariances in two passes over the data.
func (r *Gaussian) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	start := time.Now()
	m, moments, err := estimate(ctx, "gaussian", r, set, run)
	if err != nil {
		return nil, nil, err
	}
	scale := m.usualDeviation(moments)
	summary := &model.Summary{Epochs: 1, ValidationLoss: math.NaN(), Stopped: "exact solution"}
	singular, raised := 0, 0
	for k, c := range moments {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		covariance, lifted, misfit, err := raiseVariance(c.covariance, scale, c.n-1, r.Floor)
		if err != nil {
			return nil, nil, m.inClass(k, err)
		}
		d, err := newNormal(c.mean, covariance)
		if err != nil {
			return nil, nil, m.inClass(k, fmt.Errorf("%w: the likelihood has no maximum; set floor above 0 (now %v)", err, r.Floor))
		}
		m.given = append(m.given, d)
		summary.TrainLoss += (d.logNormaliser + misfit/2) * float64(c.n) / float64(set.Len())
		if lifted > 0 {
			singular, raised = singular+1, max(raised, lifted)
		}
	}
	if singular > 0 {
		summary.Notes = append(summary.Notes, fmt.Sprintf(
			"%d of %d covariances had up to %d of %d directions with less than %g of the usual variance, and these were given that (floor)",
			singular, len(moments), raised, len(scale), r.Floor))
	}
	if v := run.Validation; v != nil && v.Len() > 0 {
		if summary.ValidationLoss, err = m.loss(ctx, v); err != nil {
			return nil, nil, err
		}
	}
	summary.Seconds = time.Since(start).Seconds()
	summary.ExamplesPerSecond = float64(set.Len()) / max(summary.Seconds, 1e-9)
	tell(run.Progress, "estimating", set.Len(), set.Len(), true)
	return m, summary, nil
}

// estimate begins a model of normal distributions: its card, the classes' shares, and the moments of each class, or of the
// whole set without labels.
func estimate(ctx context.Context, name string, r model.Spec, set data.Set, run model.Run) (*FittedGaussian, []*moments, error) {
	for _, c := range set.Schema().Columns {
		if c.Kind == data.Categorical {
			return nil, nil, fmt.Errorf("%s is a density of numbers, and column %q has categories; leave the column out, or use vae", name, c.Name)
		}
	}
	if p := set.Schema().Size(); p > maxElements {
		return nil, nil, fmt.Errorf("%s keeps the covariance of every two elements, and x has %d; it takes up to %d: make the pictures smaller, or use vae", name, p, maxElements)
	}
	transform, err := data.FitTransform(ctx, set, data.Raw)
	if err != nil {
		return nil, nil, err
	}
	m := &FittedGaussian{classed: classed{Card: model.NewCard(name, r, set, transform, run), threads: run.Threads}}
	if m.prior, err = classPrior(ctx, set); err != nil {
		return nil, nil, err
	}
	moments, err := m.moments(ctx, set, run.Progress)
	return m, moments, err
}

// moments estimates each class.
func (m *FittedGaussian) moments(ctx context.Context, set data.Set, progress func(model.Progress)) ([]*moments, error) {
	p := m.Schema.Size()
	all := make([]*moments, m.distributions())
	for k := range all {
		all[k] = newMoments(p)
	}
	err := m.each(ctx, set, func(_ int, x data.Batch) error {
		for k, rows := range m.byClass(x.Y, x.Len()) {
			all[k].sum(gather(x, rows))
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	for k, c := range all {
		if c.n == 0 {
			return nil, m.inClass(k, errors.New("no example to learn from"))
		}
		c.finishMean()
	}
	err = m.each(ctx, set, func(first int, x data.Batch) error {
		for k, rows := range m.byClass(x.Y, x.Len()) {
			all[k].scatter(gather(x, rows))
		}
		tell(progress, "estimating", first+x.Len(), set.Len(), false)
		return ctx.Err()
	})
	for _, c := range all {
		c.finishCovariance()
	}
	return all, err
}

// each visits the examples of a set on the scale of the transform, which is that of the data.
func (m *FittedGaussian) each(ctx context.Context, set data.Set, visit func(first int, x data.Batch) error) error {
	return data.Each(ctx, set, func(first int, b data.Batch) error {
		x, err := m.Transformed(b)
		if err != nil {
			return fmt.Errorf("from row %d on: %w", first+1, err)
		}
		x.Y = b.Y
		return visit(first, x)
	})
}

// usualDeviation is the standard deviation of each column over all classes (1 where it is 0) for tables, and the root of
// their mean square for all elements of pictures.
func (m *FittedGaussian) usualDeviation(classes []*moments) []float64 {
	p := m.Schema.Size()
	mean, variance := make([]float64, p), make([]float64, p)
	share := func(k int) float64 {
		if m.prior == nil {
			return 1
		}
		return m.prior[k]
	}
	for k, c := range classes {
		for j, v := range c.mean {
			mean[j] += share(k) * v
		}
	}
	total := 0.0
	for j := range variance {
		for k, c := range classes { // variance within the classes and between them
			d := c.mean[j] - mean[j]
			variance[j] += share(k) * (c.covariance[j*p+j] + d*d)
		}
		total += variance[j]
	}
	sd := make([]float64, p)
	for j, v := range variance {
		if m.Schema.IsImage() {
			v = total / float64(p)
		}
		if sd[j] = math.Sqrt(v); sd[j] == 0 {
			sd[j] = 1
		}
	}
	return sd
}

// loss is the mean of −log p(x|y), or of −log p(x) without labels, in nats.
func (m *FittedGaussian) loss(ctx context.Context, set data.Set) (float64, error) {
	total := 0.0
	err := data.Each(ctx, set, func(_ int, b data.Batch) error {
		log := make([]float64, b.Len())
		if err := m.logProb(log, b, b.Y); err != nil {
			return err
		}
		for _, l := range log {
			total -= l
		}
		return nil
	})
	return total / float64(set.Len()), err
}

// gather copies rows into an array of their own.
func gather(x data.Batch, rows []int) []float64 {
	out := make([]float64, 0, len(rows)*x.Shape.Size())
	for _, i := range rows {
		for _, v := range x.Row(i) {
			out = append(out, float64(v))
		}
	}
	return out
}

func tell(progress func(model.Progress), phase string, done, total int, end bool) {
	if progress != nil {
		progress(model.Progress{Phase: phase, Epoch: 1, Epochs: 1, Step: done, Steps: total,
			Loss: math.NaN(), ValidationLoss: math.NaN(), Remaining: -1, Done: end})
	}
}

// LogProb sets dst[i] to log p(x_i) in nats, per raw unit of each element.
func (m *FittedGaussian) LogProb(dst []float64, x data.Batch) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	return m.mixture(dst, x, m.logProb)
}

// LogProbGiven sets dst[i] to log p(x_i|y_i) in nats, per raw unit of each element.
func (m *FittedGaussian) LogProbGiven(dst []float64, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logProb(dst, x, y)
}

// logProb works on pieces of rows side by side. A row's result does not depend on its piece.
func (m *FittedGaussian) logProb(dst []float64, x data.Batch, y []int32) error {
	t, err := m.Transformed(x)
	if err != nil {
		return err
	}
	m.eachPiece(m.byClass(y, x.Len()), 64, func(k int, piece []int) {
		log := make([]float64, len(piece))
		m.given[k].logProb(log, gather(t, piece))
		for i, at := range piece {
			dst[at] = log[i]
		}
	})
	return nil
}

// Sample draws a class where there are any, by their frequencies, and then x ~ p(x|y).
func (m *FittedGaussian) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws x_i ~ p(x|y_i).
func (m *FittedGaussian) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *FittedGaussian) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	t := data.NewBatch(m.Transform.OutShape(), dst.Len(), false)
	x := make([]float64, t.Shape.Size())
	for i := range t.Len() {
		m.given[m.class(y, i)].sample(x, r)
		for j, v := range x {
			t.Row(i)[j] = float32(v)
		}
	}
	return m.Transform.Invert(dst, t)
}

// Save writes the model file: mean (k, p) and covariance (k, p, p), with k = 1 without labels.
func (m *FittedGaussian) Save(w io.Writer) error {
	k, p := len(m.given), m.Schema.Size()
	mean, covariance := make([]float64, 0, k*p), make([]float64, 0, k*p*p)
	for _, d := range m.given {
		mean, covariance = append(mean, d.mean...), append(covariance, d.covariance...)
	}
	return m.Card.Save(w, append(priorTensor(m.prior),
		model.Tensor{Name: "mean", Dims: []int{k, p}, Values: mean},
		model.Tensor{Name: "covariance", Dims: []int{k, p, p}, Values: covariance}))
}

func loadGaussian(f *model.File) (model.Model, error) {
	m := &FittedGaussian{classed: classed{Card: f.Card, threads: f.Run.Threads}}
	k, p := m.distributions(), m.Schema.Size()
	prior, err := loadPrior(f)
	if err != nil {
		return nil, err
	}
	m.prior = prior
	mean, err := model.Values[float64](f, "mean", k, p)
	if err != nil {
		return nil, err
	}
	covariance, err := model.Values[float64](f, "covariance", k, p, p)
	if err != nil {
		return nil, err
	}
	for c := range k {
		d, err := newNormal(mean[c*p:(c+1)*p], covariance[c*p*p:(c+1)*p*p])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", model.ErrDamaged, m.inClass(c, err))
		}
		m.given = append(m.given, d)
	}
	return m, nil
}

func init() {
	model.Register(model.Entry{
		Name: "gaussian", Kind: model.Generative,
		Summary: "multivariate normal distribution, one for each class where there are labels; exact log p(x)",
		Paper:   "Fisher, On the mathematical foundations of theoretical statistics, 1922",
		New:     func() model.Spec { return model.NewRecipe[Gaussian]() },
		Load:    loadGaussian,
	})
}
