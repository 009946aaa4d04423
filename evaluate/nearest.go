package evaluate

import (
	"context"
	"fmt"
	"math"

	"github.com/likely-ml/likely/data"
)

// Neighbour is an example of a set that is nearest to something.
type Neighbour struct {
	Index    int     // in the set; of equally near ones the first
	Distance float64 // 0 where the two are the same
}

// Nearest finds the example of set nearest to each example of x, by comparing it with all. The distance is Euclidean: of
// pictures in raw pixels, of table rows in columns that are shifted and scaled to the set's mean 0 and sd 1, with one 0/1
// element for each level of a category. A generated example that is far nearer to the data than the data's own examples are to one another
// is a copy, or next to one.
func Nearest(ctx context.Context, set data.Set, x data.Batch) ([]Neighbour, error) {
	switch {
	case set.Len() == 0:
		return nil, errEmpty
	case x.Shape != set.Schema().Shape:
		return nil, fmt.Errorf("the nearest of %v among %v, expected the same shape", x.Shape, set.Schema().Shape)
	}
	place, err := placing(ctx, set)
	if err != nil {
		return nil, err
	}
	from, err := place(x)
	if err != nil {
		return nil, err
	}
	search := newSearch(from, nil)
	err = data.Each(ctx, set, func(first int, b data.Batch) error {
		to, err := place(b)
		if err != nil {
			return err
		}
		return search.show(ctx, first, to)
	})
	if err != nil {
		return nil, err
	}
	if i := search.lost(); i >= 0 {
		return nil, fmt.Errorf("example %d is at no distance of any other: it holds infinite values", i)
	}
	found := make([]Neighbour, x.Len())
	for i, f := range search.found {
		found[i] = Neighbour{f.index, math.Sqrt(f.first)}
	}
	return found, nil
}

// placing maps examples to where their distances are taken: of pictures the raw pixels, of table rows the columns, standardised
// by those of set. It may return x itself.
func placing(ctx context.Context, set data.Set) (func(x data.Batch) (data.Batch, error), error) {
	if set.Schema().IsImage() {
		return func(x data.Batch) (data.Batch, error) { return x, nil }, nil
	}
	t, err := data.FitTransform(ctx, set, data.Standardise)
	if err != nil {
		return nil, err
	}
	return func(x data.Batch) (data.Batch, error) {
		out := data.NewBatch(t.OutShape(), x.Len(), false)
		return out, t.Apply(out, data.Batch{Shape: x.Shape, X: x.X})
	}, nil
}

// distanceBelow is the squared distance of a and b, or once it is no less than limit, which it looks for now and then,
// any number from there.
func distanceBelow(a, b []float32, limit float64) float64 {
	const stride = 32
	sum := 0.0
	for len(a) > 0 && sum < limit {
		n := min(stride, len(a))
		p, q := a[:n], b[:n]
		for j, v := range p {
			d := float64(v) - float64(q[j])
			sum += d * d
		}
		a, b = a[n:], b[n:]
	}
	return sum
}
