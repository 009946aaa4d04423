package generative

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// FittedKDE is a fitted [KDE]. It holds the rows that it was fitted to, and so does its file; what it samples lies near them.
// Its density is of real numbers: what it samples for pixels and whole-number columns is rounded, and pixels are clamped to
// 0..MaxValue.
type FittedKDE struct {
	classed
	rows  [][]float32 // transformed, (n_k, p), of each class, or all of them
	given []*parzen   // their density
}

// transformed is t(x). A value that is missing or infinite, which the transform would put at the mean or leave, is an error.
func (m *FittedKDE) transformed(x data.Batch) (data.Batch, error) {
	if err := m.CheckBatch(x); err != nil {
		return data.Batch{}, err
	}
	for i, v := range x.X {
		if v-v == 0 {
			continue
		}
		p := m.Schema.Size()
		if m.Schema.IsImage() {
			return data.Batch{}, &data.ExampleError{Index: i / p, Err: fmt.Errorf("element %d is %v, expected a finite number", i%p, v)}
		}
		column := m.Schema.Columns[i%p].Name
		if v != v {
			return data.Batch{}, &data.ExampleError{Index: i / p, Err: fmt.Errorf("column %q: the value is missing; fill it in, or use naivebayes", column)}
		}
		return data.Batch{}, &data.ExampleError{Index: i / p, Err: fmt.Errorf("column %q is %v, expected a finite number", column, v)}
	}
	return m.Transformed(x)
}

// LogProb sets dst[i] to log p(x_i) in nats, per raw unit of each element; −Inf where no compact kernel reaches.
func (m *FittedKDE) LogProb(dst []float64, x data.Batch) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	return m.mixture(dst, x, m.logProb)
}

// LogProbGiven sets dst[i] to log p(x_i|y_i) in nats, per raw unit of each element; −Inf where no compact kernel reaches.
func (m *FittedKDE) LogProbGiven(dst []float64, x data.Batch, y []int32) error {
	if err := m.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	if err := m.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return m.logProb(dst, x, y)
}

func (m *FittedKDE) logProb(dst []float64, x data.Batch, y []int32) error {
	t, err := m.transformed(x)
	if err != nil {
		return err
	}
	p, unit := t.Shape.Size(), m.Transform.LogDet()
	m.eachPiece(m.byClass(y, x.Len()), queryTile, func(k int, piece []int) {
		log, rows := make([]float64, len(piece)), make([]float32, 0, len(piece)*p)
		for _, i := range piece {
			rows = append(rows, t.Row(i)...)
		}
		m.given[k].logProb(log, rows)
		for i, at := range piece {
			dst[at] = log[i] + unit
		}
	})
	return nil
}

// Sample draws a class where there are any, by their frequencies, and then x ~ p(x|y).
func (m *FittedKDE) Sample(dst data.Batch, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	return m.sample(dst, drawClasses(m.prior, dst.Len(), r), r)
}

// SampleGiven draws x_i ~ p(x|y_i).
func (m *FittedKDE) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := m.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return m.sample(dst, y, r)
}

// sample draws a row, and adds a draw of the kernel.
func (m *FittedKDE) sample(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := model.CheckRand(r); err != nil {
		return err
	}
	if err := m.CheckBatch(dst); err != nil {
		return err
	}
	t := data.NewBatch(m.Transform.OutShape(), dst.Len(), false)
	p := t.Shape.Size()
	noise := make([]float64, p)
	for i := range t.Len() {
		k := m.class(y, i)
		e := m.given[k]
		at := r.IntN(e.n)
		e.kernel.sample(noise, r)
		for j, v := range m.rows[k][at*p : (at+1)*p] {
			t.Row(i)[j] = float32(float64(v) + e.h*noise[j])
		}
	}
	return m.Transform.Invert(dst, t)
}

// Save writes the model file: rows (n, p), class after class and transformed; count (K) of each class; bandwidth (K), with
// K = 1 without labels.
func (m *FittedKDE) Save(w io.Writer) error {
	p := m.Transform.OutShape().Size()
	var rows []float32
	var count []int64
	var h []float64
	for k, e := range m.given {
		rows, count, h = append(rows, m.rows[k]...), append(count, int64(e.n)), append(h, e.h)
	}
	return m.Card.Save(w, append(priorTensor(m.prior),
		model.Tensor{Name: "rows", Dims: []int{len(rows) / p, p}, Values: rows},
		model.Tensor{Name: "count", Dims: []int{len(count)}, Values: count},
		model.Tensor{Name: "bandwidth", Dims: []int{len(h)}, Values: h}))
}

func loadKDE(f *model.File) (model.Model, error) {
	m := &FittedKDE{classed: classed{Card: f.Card, threads: f.Run.Threads}}
	classes, p := m.distributions(), m.Transform.OutShape().Size()
	var err error
	if m.prior, err = loadPrior(f); err != nil {
		return nil, err
	}
	rows, err := model.Values[float32](f, "rows", -1, p)
	if err != nil {
		return nil, err
	}
	count, err := model.Values[int64](f, "count", classes)
	if err != nil {
		return nil, err
	}
	h, err := model.Values[float64](f, "bandwidth", classes)
	if err != nil {
		return nil, err
	}
	for i, v := range rows {
		if v-v != 0 {
			return nil, fmt.Errorf("%w: row %d has the value %v, expected a finite number", model.ErrDamaged, i/p, v)
		}
	}
	for k, n := range count {
		if n < 1 || n > int64(len(rows)/p) {
			return nil, fmt.Errorf("%w: %w", model.ErrDamaged, m.inClass(k, fmt.Errorf("%d rows, expected 1 to %d", n, len(rows)/p)))
		}
		if !(h[k] > 0 && h[k] <= math.MaxFloat64) {
			return nil, fmt.Errorf("%w: %w", model.ErrDamaged, m.inClass(k, fmt.Errorf("bandwidth %v, expected more than 0", h[k])))
		}
		own := rows[:int(n)*p]
		rows = rows[int(n)*p:]
		m.rows = append(m.rows, own)
		m.given = append(m.given, newParzen(m.Recipe.(*KDE).Kernel, h[k], own, p))
	}
	if len(rows) > 0 {
		return nil, fmt.Errorf("%w: %d rows more than the classes have", model.ErrDamaged, len(rows)/p)
	}
	return m, nil
}
