package generative

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// FittedNaiveBayes is a fitted [NaiveBayes]. Normal distributions are of real numbers: what they give for pixels and whole-number
// columns is rounded. Pixels are clamped to 0..MaxValue, multinomial counts too.
type FittedNaiveBayes struct {
	classed
	kinds []EventModel // of each element
	given []*independent

	// The sums that the counts of an example had, in order, and how often: what a multinomial sample's sum is drawn from. It has
	// one distribution for all classes, which therefore plays no part in p(y|x).
	totals, totalCounts []int64
}

// independent is the distribution of the elements of x in a class.
type independent struct {
	mean, variance []float64 // of the gaussian elements, in their order
	logNormaliser  []float64 // ½ log 2πσ² of each
	logShare       []float64 // of the levels of each other element, in their order; of each count
}

// addNumber adds a gaussian element.
func (d *independent) addNumber(mean, variance float64) {
	d.mean, d.variance = append(d.mean, mean), append(d.variance, variance)
	d.logNormaliser = append(d.logNormaliser, math.Log(2*math.Pi*variance)/2)
}

// levels is how many values element j can take, 0 for numbers and counts.
func (m *FittedNaiveBayes) levels(j int) int {
	switch m.kinds[j] {
	case BernoulliEvents:
		return 2
	case CategoricalEvents:
		return len(m.Schema.Columns[j].Levels)
	}
	return 0
}

// multinomial reports whether x is counts.
func (m *FittedNaiveBayes) multinomial() bool { return m.kinds[0] == MultinomialEvents }

// element names element j in messages.
func (m *FittedNaiveBayes) element(j int) string {
	if m.Schema.IsImage() {
		return fmt.Sprintf("pixel %d", j)
	}
	return fmt.Sprintf("column %q", m.Schema.Columns[j].Name)
}

// event is what the value v of element j is taken for: a number, a level or a count.
func (m *FittedNaiveBayes) event(j int, v float32) (e float64, missing bool, err error) {
	e = float64(v)
	if v != v {
		if m.Schema.IsImage() || m.multinomial() {
			return 0, false, fmt.Errorf("%s is missing, expected a number", m.element(j))
		}
		return 0, true, nil
	}
	ok, expected := true, ""
	switch m.kinds[j] {
	case GaussianEvents:
		ok, expected = v-v == 0, "a finite number"
	case BernoulliEvents:
		if m.Schema.IsImage() {
			e = 0
			if v > m.Schema.MaxValue/2 {
				e = 1
			}
			break
		}
		ok, expected = v == 0 || v == 1, "0 or 1"
	case MultinomialEvents:
		ok, expected = v >= 0 && v < 1<<24 && v == float32(int32(v)), "a count"
	case CategoricalEvents:
		ok, expected = v >= 0 && v < float32(m.levels(j)) && v == float32(int32(v)), "the index of a level"
	}
	if !ok {
		return 0, false, fmt.Errorf("%s is %v, expected %s", m.element(j), v, expected)
	}
	return e, false, nil
}

// LikelihoodOf tells that the likelihood of pictures of 0/1 is of binarised pixels, and one of counts given their sum.
func (m *FittedNaiveBayes) LikelihoodOf() string {
	switch {
	case m.multinomial():
		return "counts given their sum"
	case m.kinds[0] == BernoulliEvents && m.Schema.IsImage():
		return "pixels binarised at half of their range"
	}
	return ""
}

// loss is the mean of −log p(x|y), or of −log p(x) without labels, in nats.
func (m *FittedNaiveBayes) loss(ctx context.Context, set data.Set) (float64, error) {
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

// LogProb sets dst[i] to log p(x_i) in nats: of the values that are not missing, a density per raw unit of the gaussian ones and
// a probability of all others.
func (m *FittedNaiveBayes) LogProb(dst []float64, x data.Batch) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	return m.mixture(dst, x, m.logProb)
}

// LogProbGiven sets dst[i] to log p(x_i|y_i) in nats, in the units of LogProb.
func (m *FittedNaiveBayes) LogProbGiven(dst []float64, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logProb(dst, x, y)
}

func (m *FittedNaiveBayes) logProb(dst []float64, x data.Batch, y []int32) error {
	errs := make([]error, x.Len())
	m.eachPiece(m.byClass(y, x.Len()), 64, func(k int, piece []int) {
		for _, i := range piece {
			dst[i], errs[i] = m.logProbOf(x.Row(i), m.given[k])
		}
	})
	for i, err := range errs {
		if err != nil {
			return &data.ExampleError{Index: i, Err: err}
		}
	}
	return nil
}

// logProbOf is log p(x) of one example under d.
func (m *FittedNaiveBayes) logProbOf(x []float32, d *independent) (float64, error) {
	log, total := 0.0, 0.0
	numbers, at := 0, 0 // of the elements so far
	for j, v := range x {
		e, missing, err := m.event(j, v)
		if err != nil {
			return 0, err
		}
		switch m.kinds[j] {
		case GaussianEvents:
			if !missing {
				z := e - d.mean[numbers]
				log -= d.logNormaliser[numbers] + z*z/d.variance[numbers]/2
			}
			numbers++
		case MultinomialEvents:
			if e > 0 {
				ways, _ := math.Lgamma(e + 1)
				log += e*d.logShare[j] - ways
				total += e
			}
		default:
			if !missing {
				log += d.logShare[at+int(e)]
			}
			at += m.levels(j)
		}
	}
	ways, _ := math.Lgamma(total + 1)
	return log + ways, nil
}

// Sample draws a class where there are any, by their frequencies, and then x ~ p(x|y).
func (m *FittedNaiveBayes) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws x_i ~ p(x|y_i).
func (m *FittedNaiveBayes) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

func (m *FittedNaiveBayes) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	upTo := make([][]float64, len(m.given)) // of the levels, or the counts
	for k, d := range m.given {
		upTo[k] = m.cumulative(d)
	}
	for i := range dst.Len() {
		k := m.class(y, i)
		m.sampleOne(dst.Row(i), m.given[k], upTo[k], r)
	}
	return m.Transform.Invert(dst, dst)
}

// cumulative is the sums of the shares up to each, of each element's levels or of all counts; the last is 1.
func (m *FittedNaiveBayes) cumulative(d *independent) []float64 {
	sums := make([]float64, 0, len(d.logShare))
	add := func(logShares []float64) {
		sum := 0.0
		for _, l := range logShares {
			sum += math.Exp(l)
			sums = append(sums, sum)
		}
		sums[len(sums)-1] = 1
	}
	if m.multinomial() {
		add(d.logShare)
		return sums
	}
	for j := range m.kinds {
		if n := m.levels(j); n > 0 {
			add(d.logShare[len(sums) : len(sums)+n])
		}
	}
	return sums
}

func (m *FittedNaiveBayes) sampleOne(x []float32, d *independent, upTo []float64, r *rand.Rand) {
	if m.multinomial() {
		clear(x)
		for range m.drawTotal(r) {
			x[draw(upTo, r)]++
		}
		return
	}
	numbers, at := 0, 0
	for j, kind := range m.kinds {
		if kind == GaussianEvents {
			x[j] = float32(d.mean[numbers] + math.Sqrt(d.variance[numbers])*r.NormFloat64())
			numbers++
			continue
		}
		n := m.levels(j)
		x[j] = float32(draw(upTo[at:at+n], r))
		if m.Schema.IsImage() {
			x[j] *= m.Schema.MaxValue
		}
		at += n
	}
}

// draw is an index, drawn by the cumulative shares.
func draw(upTo []float64, r *rand.Rand) int {
	u := r.Float64()
	i, _ := slices.BinarySearchFunc(upTo, u, func(sum, u float64) int {
		if sum <= u {
			return -1
		}
		return 1
	})
	return i
}

// drawTotal is the sum of an example that the fit saw.
func (m *FittedNaiveBayes) drawTotal(r *rand.Rand) int64 {
	n := int64(0)
	for _, c := range m.totalCounts {
		n += c
	}
	at, i := r.Int64N(n), 0
	for at >= m.totalCounts[i] {
		at -= m.totalCounts[i]
		i++
	}
	return m.totals[i]
}

// Save writes the model file: mean and variance (K, gaussian elements); log_share (K, levels of all other elements, or counts);
// total and total_count of multinomial counts. K is 1 without labels.
func (m *FittedNaiveBayes) Save(w io.Writer) error {
	k := len(m.given)
	var mean, variance, logShare []float64
	for _, d := range m.given {
		mean, variance, logShare = append(mean, d.mean...), append(variance, d.variance...), append(logShare, d.logShare...)
	}
	tensors := priorTensor(m.prior)
	if len(mean) > 0 {
		tensors = append(tensors, model.Tensor{Name: "mean", Dims: []int{k, len(mean) / k}, Values: mean},
			model.Tensor{Name: "variance", Dims: []int{k, len(mean) / k}, Values: variance})
	}
	if len(logShare) > 0 {
		tensors = append(tensors, model.Tensor{Name: "log_share", Dims: []int{k, len(logShare) / k}, Values: logShare})
	}
	if m.multinomial() {
		tensors = append(tensors, model.Tensor{Name: "total", Dims: []int{len(m.totals)}, Values: m.totals},
			model.Tensor{Name: "total_count", Dims: []int{len(m.totals)}, Values: m.totalCounts})
	}
	return m.Card.Save(w, tensors)
}

func loadNaiveBayes(f *model.File) (model.Model, error) {
	m := &FittedNaiveBayes{classed: classed{Card: f.Card, threads: f.Run.Threads}}
	var err error
	if m.kinds, err = f.Card.Recipe.(*NaiveBayes).kinds(f.Card.Schema); err != nil {
		return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
	}
	if m.prior, err = loadPrior(f); err != nil {
		return nil, err
	}
	k, numbers, shares := m.distributions(), 0, 0
	for j, kind := range m.kinds {
		switch kind {
		case GaussianEvents:
			numbers++
		case MultinomialEvents:
			shares++
		default:
			shares += m.levels(j)
		}
	}
	m.given = make([]*independent, k)
	for c := range m.given {
		m.given[c] = &independent{}
	}
	if numbers > 0 {
		mean, err := model.Values[float64](f, "mean", k, numbers)
		if err != nil {
			return nil, err
		}
		variance, err := model.Values[float64](f, "variance", k, numbers)
		if err != nil {
			return nil, err
		}
		for i, v := range variance {
			if !(v > 0 && v <= math.MaxFloat64 && math.Abs(mean[i]) <= math.MaxFloat64) {
				return nil, fmt.Errorf("%w: a column has mean %v and variance %v, expected finite numbers, the second more than 0", model.ErrDamaged, mean[i], v)
			}
			m.given[i/numbers].addNumber(mean[i], v)
		}
	}
	if shares > 0 {
		logShare, err := model.Values[float64](f, "log_share", k, shares)
		if err != nil {
			return nil, err
		}
		for c, d := range m.given {
			if d.logShare = logShare[c*shares : (c+1)*shares]; !m.sharesAreWhole(d.logShare) {
				return nil, fmt.Errorf("%w: %w", model.ErrDamaged, m.inClass(c, errors.New("shares that do not sum to 1")))
			}
		}
	}
	if m.multinomial() {
		if m.totals, err = model.Values[int64](f, "total", -1); err != nil {
			return nil, err
		}
		if m.totalCounts, err = model.Values[int64](f, "total_count", len(m.totals)); err != nil {
			return nil, err
		}
		for i, n := range m.totals {
			if n < 0 || m.totalCounts[i] < 1 || m.totalCounts[i] > 1<<40 {
				return nil, fmt.Errorf("%w: total %d, %d times, expected counts", model.ErrDamaged, n, m.totalCounts[i])
			}
		}
		if len(m.totals) == 0 {
			return nil, fmt.Errorf("%w: no total of counts", model.ErrDamaged)
		}
	}
	return m, nil
}

// sharesAreWhole reports whether the shares of each element's levels, or of all counts, sum to 1.
func (m *FittedNaiveBayes) sharesAreWhole(logShare []float64) bool {
	whole := func(logShares []float64) bool {
		sum := 0.0
		for _, l := range logShares {
			sum += math.Exp(l)
		}
		return math.Abs(sum-1) <= 1e-9
	}
	if m.multinomial() {
		return whole(logShare)
	}
	at := 0
	for j := range m.kinds {
		if n := m.levels(j); n > 0 {
			if !whole(logShare[at : at+n]) {
				return false
			}
			at += n
		}
	}
	return true
}
