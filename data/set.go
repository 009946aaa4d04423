package data

import (
	"context"
	"errors"
	"fmt"
)

// Set is a finite sequence of examples in raw units: pixels 0..Schema().MaxValue, table values as they were read.
// A Set may lie in memory or be read from disk as it is asked for. It is safe for concurrent use.
type Set interface {
	// Len is n, the number of examples.
	Len() int
	// Schema describes the examples. The caller must not change it.
	Schema() *Schema
	// Read fills dst with the examples at the given indices, in their order; dst.Len() must equal len(index) and
	// dst.Shape the schema's. Labels are filled in where dst.Y is not nil, which is an error for a set without labels.
	Read(ctx context.Context, dst Batch, index []int) error
}

// Labeller is a Set that knows its labels without reading the examples. The caller must not change the slice.
type Labeller interface {
	Labels(ctx context.Context) ([]int32, error)
}

// Filer is a Set some of whose examples were read from a file of their own.
type Filer interface {
	// File is the path of example i's file, "" where it has none.
	File(i int) string
}

// File is the path of the file that holds example i of s and nothing else, "" where there is none: a table, IDX pictures.
func File(s Set, i int) string {
	if f, ok := s.(Filer); ok {
		return f.File(i)
	}
	return ""
}

// ErrNoLabels is returned where labels are asked of a set that has none.
var ErrNoLabels = errors.New("the data has no labels: expected class folders, an IDX label file, or a table read with a label column")

// chunk is how many examples are read at a time by whatever walks through a whole set: enough to amortise a call, and
// for 64x64 colour pictures 12 MiB.
const chunk = 256

// Labels returns the class of every example of s in a slice that the caller must not change. It reads the examples only
// where s is not a Labeller. For a set without labels it returns ErrNoLabels.
func Labels(ctx context.Context, s Set) ([]int32, error) {
	if !s.Schema().Labelled() {
		return nil, ErrNoLabels
	}
	if l, ok := s.(Labeller); ok {
		return l.Labels(ctx)
	}
	y := make([]int32, 0, s.Len())
	err := Each(ctx, s, func(_ int, b Batch) error {
		y = append(y, b.Y...)
		return nil
	})
	return y, err
}

// ExampleError is an error of one example of a batch, or, where [Each] returns it, of a Set.
type ExampleError struct {
	Index int // from 0
	Err   error

	ofSet bool
}

func (e *ExampleError) Error() string {
	if e.ofSet {
		return fmt.Sprintf("example %d: %v", e.Index+1, e.Err)
	}
	return fmt.Sprintf("example %d of the batch: %v", e.Index+1, e.Err)
}

func (e *ExampleError) Unwrap() error { return e.Err }

// Each walks through s in order and calls visit with successive batches and the index of the first example of each. The
// batch, with labels where s has them, is valid until visit returns. An [ExampleError] of visit becomes one of s.
func Each(ctx context.Context, s Set, visit func(first int, b Batch) error) error {
	n := s.Len()
	buf := NewBatch(s.Schema().Shape, min(n, chunk), s.Schema().Labelled())
	index := make([]int, buf.Len())
	for first := 0; first < n; first += chunk {
		m := min(chunk, n-first)
		for i := range m {
			index[i] = first + i
		}
		b := buf.Slice(0, m)
		if err := s.Read(ctx, b, index[:m]); err != nil {
			return err
		}
		if err := visit(first, b); err != nil {
			if e, ok := errors.AsType[*ExampleError](err); ok && !e.ofSet {
				return &ExampleError{first + e.Index, e.Err, true}
			}
			return err
		}
	}
	return nil
}

// ReadAll reads the whole of s into memory, with labels where s has them.
func ReadAll(ctx context.Context, s Set) (Batch, error) {
	b := NewBatch(s.Schema().Shape, s.Len(), s.Schema().Labelled())
	index := make([]int, s.Len())
	for i := range index {
		index[i] = i
	}
	return b, s.Read(ctx, b, index)
}

// checkRead reports what is wrong with the arguments of a Read.
func checkRead(s Set, dst Batch, index []int) error {
	if err := dst.check(s.Schema().Shape, len(index)); err != nil {
		return err
	}
	if dst.Y != nil && !s.Schema().Labelled() {
		return ErrNoLabels
	}
	for _, i := range index {
		if i < 0 || i >= s.Len() {
			return fmt.Errorf("example %d asked for, expected 0 to %d", i, s.Len()-1)
		}
	}
	return nil
}

// Subset is the examples of s at the given indices, in their order; an index may come more than once. It keeps the slice.
// An index outside s panics.
func Subset(s Set, index []int) Set {
	for _, i := range index {
		if i < 0 || i >= s.Len() {
			panic(fmt.Sprintf("data.Subset: index %d of a set of %d examples", i, s.Len()))
		}
	}
	if sub, ok := s.(*subset); ok { // keep the chain one link long
		flat := make([]int, len(index))
		for k, i := range index {
			flat[k] = sub.index[i]
		}
		return &subset{sub.base, flat}
	}
	return &subset{s, index}
}

type subset struct {
	base  Set
	index []int
}

func (s *subset) Len() int        { return len(s.index) }
func (s *subset) Schema() *Schema { return s.base.Schema() }

func (s *subset) Read(ctx context.Context, dst Batch, index []int) error {
	if err := checkRead(s, dst, index); err != nil {
		return err
	}
	at := make([]int, len(index))
	for k, i := range index {
		at[k] = s.index[i]
	}
	return s.base.Read(ctx, dst, at)
}

func (s *subset) File(i int) string { return File(s.base, s.index[i]) }

func (s *subset) Labels(ctx context.Context) ([]int32, error) {
	all, err := Labels(ctx, s.base)
	if err != nil {
		return nil, err
	}
	y := make([]int32, len(s.index))
	for k, i := range s.index {
		y[k] = all[i]
	}
	return y, nil
}
