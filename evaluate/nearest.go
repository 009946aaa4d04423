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
	kind := data.Raw
	if !x.Shape.IsImage() {
		kind = data.Standardise
	}
	t, err := data.FitTransform(ctx, set, kind)
	if err != nil {
		return nil, err
	}
	place := func(b data.Batch) (data.Batch, error) {
		out := data.NewBatch(t.OutShape(), b.Len(), false)
		return out, t.Apply(out, data.Batch{Shape: b.Shape, X: b.X})
	}
	from, err := place(x)
	if err != nil {
		return nil, err
	}
	best := make([]Neighbour, x.Len())
	for i := range best {
		best[i].Distance = math.Inf(1) // squared, until the end
	}
	err = data.Each(ctx, set, func(first int, b data.Batch) error {
		to, err := place(b)
		if err != nil {
			return err
		}
		return eachRow(ctx, len(best), func(i int) {
			for j := range to.Len() {
				if d := distanceBelow(from.Row(i), to.Row(j), best[i].Distance); d < best[i].Distance {
					best[i] = Neighbour{first + j, d}
				}
			}
		})
	})
	if err != nil {
		return nil, err
	}
	for i := range best {
		if math.IsInf(best[i].Distance, 1) {
			return nil, fmt.Errorf("example %d is at no distance of any other: it holds infinite values", i)
		}
		best[i].Distance = math.Sqrt(best[i].Distance)
	}
	return best, nil
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
