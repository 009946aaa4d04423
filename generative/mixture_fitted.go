package generative

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// FittedMixture is a fitted [Mixture]. Its density is of real numbers: what it samples for pixels and whole-number columns is
// rounded, and pixels are clamped to 0..MaxValue.
type FittedMixture struct {
	classed
	given        []*mixture // for each class, or one without labels, of z = (x − shift)/scale
	shift, scale []float64  // (p)
}

// logDet is log p(x) − log p(z), nats.
func (m *FittedMixture) logDet() float64 {
	sum := 0.0
	for _, s := range m.scale {
		sum -= math.Log(s)
	}
	return sum
}

// Components is the greatest number of components of a class.
func (m *FittedMixture) Components() int {
	most := 0
	for _, given := range m.given {
		most = max(most, given.components())
	}
	return most
}

// Parameters is d, the number of free parameters of p(x), or of p(x|y) over all classes.
func (m *FittedMixture) Parameters() int {
	sum := 0
	for _, given := range m.given {
		sum += given.parameters()
	}
	return sum
}

// Criterion is the BIC or AIC of the model on data x, of classes y where it has any, in nats; on the data that it was fitted
// to, less is better.
func (m *FittedMixture) Criterion(c Criterion, x data.Batch, y []int32) (float64, error) {
	log := make([]float64, x.Len())
	if err := m.logProbGiven(log, x, y); err != nil {
		return 0, err
	}
	total := 0.0
	for _, l := range log {
		total += l
	}
	return c.of(total, m.Parameters(), x.Len()), nil
}

// LogProb sets dst[i] to log p(x_i) in nats, per raw unit of each element.
func (m *FittedMixture) LogProb(dst []float64, x data.Batch) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	return m.mixture(dst, x, m.logProbGiven)
}

// LogProbGiven sets dst[i] to log p(x_i|y_i) in nats, per raw unit of each element.
func (m *FittedMixture) LogProbGiven(dst []float64, x data.Batch, y []int32) error {
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logProbGiven(dst, x, y)
}

func (m *FittedMixture) logProbGiven(dst []float64, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	units := m.logDet()
	return m.logJoint(x, y, func(i int, log []float64) {
		top, rest := logTotal(log)
		dst[i] = top + rest + units
	})
}

// LogResponsibilities sets row i of dst, (n, Components), to log p(k|x_i), or log p(k|x_i, y_i) where the model has classes,
// for each component k: at most 0, −Inf for one of weight 0 and beyond the class's own number, and finite or −Inf however far x_i is from
// all of them. Without classes y is nil.
func (m *FittedMixture) LogResponsibilities(dst []float64, x data.Batch, y []int32) error {
	most := m.Components()
	if err := m.CheckResults(x, len(dst), most); err != nil {
		return err
	}
	return m.logJoint(x, y, func(i int, log []float64) {
		row := dst[i*most : (i+1)*most]
		top, rest := logTotal(log)
		for k := range row {
			row[k] = math.Inf(-1)
			if k < len(log) {
				row[k] = log[k] - top - rest
			}
		}
	})
}

// logTotal is log Σ exp(l) = top + rest of numbers of which one at least is finite. Beside a top far from 0, rest would be lost.
func logTotal(log []float64) (top, rest float64) {
	top = slices.Max(log)
	sum := 0.0
	for _, l := range log {
		sum += math.Exp(l - top)
	}
	return top, math.Log(sum)
}

// logJoint computes log p(k, z_i|y_i) for the components k of each example's class.
func (m *FittedMixture) logJoint(x data.Batch, y []int32, visit func(i int, log []float64)) error {
	if m.prior != nil {
		if err := m.CheckClasses(y, x.Len()); err != nil {
			return err
		}
	}
	t, err := m.Transformed(x)
	if err != nil {
		return err
	}
	if err := checkFinite(t, 0); err != nil {
		return err
	}
	for class, rows := range m.byClass(y, x.Len()) {
		given := m.given[class]
		k := given.components()
		d := newScaledRows(t, rows, m.shift, m.scale, m.threads)
		err := d.each(context.Background(), d.parts(1), k, func(b *rowBlock, _, from, n int) {
			given.logJoint(b, n)
			for i := range n {
				visit(rows[from+i], b.log[i*k:(i+1)*k])
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// loss is the mean of −log p(x|y), or of −log p(x) without labels, in nats.
func (m *FittedMixture) loss(ctx context.Context, set data.Set) (float64, error) {
	total := 0.0
	err := data.Each(ctx, set, func(_ int, b data.Batch) error {
		log := make([]float64, b.Len())
		if err := m.logProbGiven(log, b, b.Y); err != nil {
			return err
		}
		for _, l := range log {
			total -= l
		}
		return nil
	})
	return total / float64(set.Len()), err
}

// Sample draws a class where there are any, by their frequencies, and then as SampleGiven.
func (m *FittedMixture) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws a component of class y_i by its weight, and then x_i from it.
func (m *FittedMixture) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *FittedMixture) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	t := data.NewBatch(m.Transform.OutShape(), dst.Len(), false)
	z := make([]float64, t.Shape.Size())
	for i := range t.Len() {
		class := 0
		if m.prior != nil {
			class = int(y[i])
		}
		m.given[class].sample(z, r)
		for j, v := range z {
			t.Row(i)[j] = float32(m.shift[j] + m.scale[j]*v)
		}
	}
	return m.Transform.Invert(dst, t)
}

// sample draws z.
func (m *mixture) sample(z []float64, r *rand.Rand) {
	c := int(drawClasses(m.weight, 1, r)[0])
	if m.dense() {
		m.normals[c%len(m.normals)].sample(z, r)
	} else {
		each := len(m.covariance) / m.components()
		for j := range z {
			z[j] = math.Sqrt(m.covariance[c*each+j%each]) * r.NormFloat64()
		}
	}
	for j := range z {
		z[j] += m.mean[c*m.p+j]
	}
}

// Save writes the model file: shift and scale (p), how many components each class has, and for all of them together weight (k),
// mean (k, p) and covariance of (x − shift)/scale: full (k, p, p), tied (classes, p, p), diagonal (k, p), spherical (k).
func (m *FittedMixture) Save(w io.Writer) error {
	var weight, mean, covariance []float64
	var components []int32
	for _, given := range m.given {
		components = append(components, int32(given.components()))
		weight, mean, covariance = append(weight, given.weight...), append(mean, given.mean...), append(covariance, given.covariance...)
	}
	p := m.Schema.Size()
	return m.Card.Save(w, append(priorTensor(m.prior),
		model.Tensor{Name: "shift", Dims: []int{p}, Values: m.shift},
		model.Tensor{Name: "scale", Dims: []int{p}, Values: m.scale},
		model.Tensor{Name: "components", Dims: []int{len(components)}, Values: components},
		model.Tensor{Name: "weight", Dims: []int{len(weight)}, Values: weight},
		model.Tensor{Name: "mean", Dims: []int{len(weight), p}, Values: mean},
		model.Tensor{Name: "covariance", Dims: covarianceDims(m.given[0].kind, len(m.given), len(weight), p), Values: covariance}))
}

// covarianceDims is the shape of the covariances of k components in some classes.
func covarianceDims(kind Covariance, classes, k, p int) []int {
	switch kind {
	case FullCovariance:
		return []int{k, p, p}
	case TiedCovariance:
		return []int{classes, p, p}
	case DiagonalCovariance:
		return []int{k, p}
	}
	return []int{k}
}

func loadMixture(f *model.File) (model.Model, error) {
	m := &FittedMixture{classed: classed{Card: f.Card, threads: f.Run.Threads}}
	classes, p := max(1, m.Classes()), m.Schema.Size()
	var err error
	if m.prior, err = loadPrior(f); err != nil {
		return nil, err
	}
	if m.shift, err = finiteValues(f, "shift", p); err != nil {
		return nil, err
	}
	if m.scale, err = finiteValues(f, "scale", p); err != nil {
		return nil, err
	}
	if s := slices.Min(m.scale); s <= 0 {
		return nil, fmt.Errorf("%w: a scale is %v, expected more than 0", model.ErrDamaged, s)
	}
	components, err := model.Values[int32](f, "components", classes)
	if err != nil {
		return nil, err
	}
	k := 0
	for _, c := range components {
		if c < 1 {
			return nil, fmt.Errorf("%w: a class has %d components, expected at least 1", model.ErrDamaged, c)
		}
		k += int(c)
	}
	weight, err := finiteValues(f, "weight", k)
	if err != nil {
		return nil, err
	}
	mean, err := finiteValues(f, "mean", k, p)
	if err != nil {
		return nil, err
	}
	kind := f.Card.Recipe.(*Mixture).Covariance
	var covariance []float64
	if kind == AutoCovariance { // what it was shows in the shape
		kind = FullCovariance
		if covariance, err = finiteValues(f, "covariance", covarianceDims(kind, classes, k, p)...); err != nil {
			kind = DiagonalCovariance
		}
	}
	if covariance == nil {
		if covariance, err = finiteValues(f, "covariance", covarianceDims(kind, classes, k, p)...); err != nil {
			return nil, err
		}
	}
	for class, c := range components {
		given := &mixture{kind: kind, p: p}
		given.weight, weight = weight[:c], weight[c:]
		given.mean, mean = mean[:int(c)*p], mean[int(c)*p:]
		room := covarianceLength(kind, int(c), p)
		given.covariance, covariance = covariance[:room], covariance[room:]
		sum := 0.0
		for _, w := range given.weight {
			sum += w
		}
		if !(slices.Min(given.weight) >= 0 && math.Abs(sum-1) <= 1e-9) {
			return nil, fmt.Errorf("%w: %w", model.ErrDamaged, m.inClass(class, fmt.Errorf("weights %v, expected shares that sum to 1", given.weight)))
		}
		if err := given.prepare(m.threads); err != nil {
			return nil, fmt.Errorf("%w: %w", model.ErrDamaged, m.inClass(class, err))
		}
		m.given = append(m.given, given)
	}
	return m, nil
}

// finiteValues is model.Values without NaN and infinities.
func finiteValues(f *model.File, name string, dims ...int) ([]float64, error) {
	v, err := model.Values[float64](f, name, dims...)
	if err != nil {
		return nil, err
	}
	for i, x := range v {
		if x-x != 0 {
			return nil, fmt.Errorf("%w: number %d of %s is %v, expected a finite one", model.ErrDamaged, i, name, x)
		}
	}
	return v, nil
}
