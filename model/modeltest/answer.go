package modeltest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// checkRepeatable: the same question has the same answer twice, and asking changes no x.
func checkRepeatable(t *trial) error {
	before := slices.Clone(t.x.X)
	for _, q := range questions(t.model) {
		first, err := q.answer(t.x, t.y)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		second, err := q.answer(t.x, t.y)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		if at := sameBits(first, second); at >= 0 {
			return fmt.Errorf("%s asked twice: number %d is %v, then %v", q.name, at, first[at], second[at])
		}
		// Compared as bits: a missing value is a NaN, which equals nothing.
		if !slices.EqualFunc(before, t.x.X, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			return fmt.Errorf("%s changed the batch that it was asked about", q.name)
		}
	}
	return nil
}

// checkConcurrent: the answers are the same when many ask at once. Under the race detector this is also the test that a
// fitted model is immutable.
func checkConcurrent(t *trial) error {
	const askers = 8
	list := questions(t.model)
	want := make([][]float64, len(list))
	for i, q := range list {
		var err error
		if want[i], err = q.answer(t.x, t.y); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	errs := make([]error, askers)
	var all sync.WaitGroup
	for a := range askers {
		all.Go(func() {
			for k := range list {
				i := (k + a) % len(list) // different questions at the same time
				got, err := list[i].answer(t.x, t.y)
				if err != nil {
					errs[a] = fmt.Errorf("%s asked by %d goroutines: %w", list[i].name, askers, err)
				} else if at := sameBits(want[i], got); at >= 0 {
					errs[a] = fmt.Errorf("%s asked by %d goroutines: number %d is %v, expected %v", list[i].name, askers, at, got[at], want[i][at])
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// alone is how far the answer about one example may differ when it stands alone, relative to 1 + its size: kernels for
// other batch sizes add in another order, and a float32 sum of 1,000 terms errs by up to 1,000 times 6e-8.
const alone = 1e-4

// checkOneAtATime: what a model says of one example does not depend on the others in the batch. It catches batch
// statistics that are used outside of training.
func checkOneAtATime(t *trial) error {
	for _, q := range questions(t.model) {
		if q.random {
			continue // the draws of an example depend on those before it
		}
		together, err := q.answer(t.x, t.y)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		for i := range t.x.Len() {
			one, err := q.answer(t.x.Slice(i, i+1), sliceOf(t.y, i, i+1))
			if err != nil {
				return fmt.Errorf("%s of one example: %w", q.name, err)
			}
			for j, got := range one {
				want := together[i*q.each+j]
				if got != want && !(math.Abs(got-want) <= alone*(1+math.Abs(want))) {
					return fmt.Errorf("%s of example %d: number %d is %v alone and %v among others", q.name, i, j, got, want)
				}
			}
		}
	}
	return nil
}

func sliceOf(y []int32, lo, hi int) []int32 {
	if y == nil {
		return nil
	}
	return y[lo:hi]
}

// checkEmptyBatch: no example is no error.
func checkEmptyBatch(t *trial) error {
	for _, q := range questions(t.model) {
		if _, err := q.answer(t.x.Slice(0, 0), sliceOf(t.y, 0, 0)); err != nil {
			return fmt.Errorf("%s of an empty batch: %w", q.name, err)
		}
	}
	return nil
}

// checkWrongShape: a batch of another shape, too short a batch, room for too many or too few results, and too few classes
// are ErrShape.
func checkWrongShape(t *trial) error {
	s := t.x.Shape
	other := data.NewBatch(data.Shape{Height: s.Height, Width: s.Width, Channels: s.Channels + 1}, t.x.Len(), false)
	same := data.NewBatch(data.Shape{Height: s.Channels, Width: s.Height, Channels: s.Width}, t.x.Len(), false)
	for _, q := range questions(t.model) {
		n := t.x.Len()
		try := func(what string, length int, x data.Batch, y []int32) error {
			err := q.ask(make([]float64, length), x, q.classes(y), q.source())
			if !errors.Is(err, model.ErrShape) {
				return fmt.Errorf("%s of %s returned the error %v, expected one that wraps %q", q.name, what, err, model.ErrShape)
			}
			return nil
		}
		errs := []error{try("a batch with one channel more", n*q.each, other, t.y)}
		if same.Shape != s {
			errs = append(errs, try("a batch of another shape and the same size", n*q.each, same, t.y))
		}
		if s.Size() > 1 {
			cut := data.Batch{Shape: s, X: t.x.X[:len(t.x.X)-1]}
			errs = append(errs, try("a batch that is one value short", n*q.each, cut, t.y))
		}
		if !q.draws {
			errs = append(errs, try("too much room for results", n*q.each+1, t.x, t.y))
			errs = append(errs, try("too little room for results", n*q.each-1, t.x, t.y))
		}
		if q.given {
			errs = append(errs, try("too few classes", n*q.each, t.x, t.y[:n-1]))
		}
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// checkWrongClass: a class that does not exist is ErrClass.
func checkWrongClass(t *trial) error {
	for _, q := range questions(t.model) {
		if !q.given {
			continue
		}
		for _, class := range []int32{-1, int32(len(t.Train.Schema().Classes))} {
			y := slices.Clone(t.y)
			y[len(y)-1] = class
			if _, err := q.answer(t.x, y); !errors.Is(err, model.ErrClass) {
				return fmt.Errorf("%s given class %d returned the error %v, expected one that wraps %q", q.name, class, err, model.ErrClass)
			}
		}
	}
	return nil
}

// checkNilRand: a question that takes random numbers wants them from its caller.
func checkNilRand(t *trial) error {
	for _, q := range questions(t.model) {
		if !q.random {
			continue
		}
		err := q.ask(make([]float64, t.x.Len()*q.each), t.x, q.classes(t.y), nil)
		if !errors.Is(err, model.ErrNoRand) {
			return fmt.Errorf("%s without random numbers returned the error %v, expected one that wraps %q", q.name, err, model.ErrNoRand)
		}
	}
	return nil
}
