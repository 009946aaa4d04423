package augment

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// DefaultNeighbours is the k of SMOTE's paper.
const DefaultNeighbours = 5

// SMOTE makes perClass rows of each class of a table, each between a real row of the class and one of its k nearest
// neighbours within the class (Chawla, Bowyer, Hall and Kegelmeyer, SMOTE: synthetic minority over-sampling technique, Journal
// of Artificial Intelligence Research 16, 2002, section 4.2):
//
//	x' = x + u (z - x),   z one of the neighbours at random,   u ~ uniform [0, 1), one for all columns
//
// so that x' lies on the line from x to z, as the paper's text says; its pseudocode would draw a u for each column. Every row of
// the class is taken for x equally often, up to one. Neighbours are near in the Euclidean distance of columns scaled to
// variance 1 over the whole table.
//
// Categorical columns follow SMOTE-NC (section 6.1): where two rows differ in one, the square of their distance grows by the
// square of the median standard deviation, within the class, of the other columns; x' has the level that is commonest among
// the neighbours, the first of equals. A table of categorical columns alone counts the differences.
//
// Whole numbers stay whole: they are rounded, half to even. A column that is missing in one of two rows does not enter their
// distance, whose square is scaled up for it; x' has the number of x where z has none, and none where x has none.
//
// A class with n rows has at most n - 1 neighbours, and k is lowered to that; with fewer than two rows it is an error. Time is
// O(n² p) for each class.
func SMOTE(ctx context.Context, s data.Set, perClass, k int, r *rand.Rand) (data.Set, error) {
	schema := s.Schema()
	switch {
	case r == nil:
		return nil, model.ErrNoRand
	case schema.IsImage():
		return nil, fmt.Errorf("SMOTE of pictures of %v, expected a table", schema.Shape)
	case !schema.Labelled():
		return nil, data.ErrNoLabels
	case k < 1 || perClass < 0:
		return nil, fmt.Errorf("SMOTE of %d rows a class among %d neighbours, expected at least 0 and 1", perClass, k)
	}
	all, err := data.ReadAll(ctx, s)
	if err != nil {
		return nil, err
	}
	scale := deviations(all, schema, func(int) bool { return true })
	members := make([][]int, len(schema.Classes))
	for i, y := range all.Y {
		members[y] = append(members[y], i)
	}
	values := make([]float32, 0, perClass*len(members)*schema.Size())
	for class, rows := range members {
		if len(rows) < 2 {
			return nil, fmt.Errorf("class %q has %d rows, expected at least 2 for SMOTE to go between", schema.Classes[class], len(rows))
		}
		m := metric{batch: all, schema: schema, scale: scale}
		m.nominal = nominalWeight(deviations(all, schema, func(i int) bool { return int(all.Y[i]) == class }), scale)
		near := map[int][]int{} // neighbours of the rows that have been asked for
		var order []int
		for made := range perClass {
			if made%len(rows) == 0 {
				order = r.Perm(len(rows))
			}
			x := rows[order[made%len(rows)]]
			if near[x] == nil {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				near[x] = m.nearest(x, rows, k)
			}
			z := near[x][r.IntN(len(near[x]))]
			values = append(values, make([]float32, schema.Size())...)
			between(values[len(values)-schema.Size():], all, schema, x, z, near[x], r.Float64())
		}
	}
	return data.NewTable(schema, values, Balanced(len(members), perClass))
}

// between writes x + u (z - x) to dst; near are all neighbours of x.
func between(dst []float32, b data.Batch, schema *data.Schema, x, z int, near []int, u float64) {
	from, to := b.Row(x), b.Row(z)
	for j, c := range schema.Columns {
		a, e := float64(from[j]), float64(to[j])
		switch {
		case c.Kind == data.Categorical:
			dst[j] = commonest(b, near, j, len(c.Levels), from[j])
			continue
		case math.IsNaN(a) || math.IsNaN(e):
			dst[j] = from[j]
			continue
		}
		v := a + u*(e-a)
		if c.Kind == data.Integer {
			v = math.RoundToEven(v)
		}
		dst[j] = float32(v)
	}
}

// commonest is the level that most of the rows have in column j, the first of equals, and otherwise where none has one.
func commonest(b data.Batch, rows []int, j, levels int, otherwise float32) float32 {
	count := make([]int, levels)
	for _, i := range rows {
		if v := b.Row(i)[j]; v == v {
			count[int(v)]++
		}
	}
	if most := slices.Max(count); most > 0 {
		return float32(slices.Index(count, most))
	}
	return otherwise
}

// metric is the distance of two rows of a table.
type metric struct {
	batch   data.Batch
	schema  *data.Schema
	scale   []float64 // of each column: its standard deviation; 0 for a constant or categorical one
	nominal float64   // what a difference in a categorical column adds to the square of the distance
}

// squared is the square of the distance of rows i and l, +Inf where they have no column in common.
func (m *metric) squared(i, l int) float64 {
	a, b := m.batch.Row(i), m.batch.Row(l)
	sum, present := 0.0, 0
	for j, c := range m.schema.Columns {
		if a[j] != a[j] || b[j] != b[j] {
			continue
		}
		present++
		switch {
		case c.Kind == data.Categorical && a[j] != b[j]:
			sum += m.nominal
		case c.Kind != data.Categorical && m.scale[j] > 0:
			d := (float64(a[j]) - float64(b[j])) / m.scale[j]
			sum += d * d
		}
	}
	if present == 0 {
		return math.Inf(1)
	}
	return sum * float64(len(a)) / float64(present)
}

// nearest lists the k rows, or fewer where there are fewer, that are nearest to x and not x itself, the nearest first and of
// equally near ones the first.
func (m *metric) nearest(x int, rows []int, k int) []int {
	type neighbour struct {
		row     int
		squared float64
	}
	all := make([]neighbour, 0, len(rows)-1)
	for _, i := range rows {
		if i != x {
			all = append(all, neighbour{i, m.squared(x, i)})
		}
	}
	slices.SortFunc(all, func(a, b neighbour) int {
		return cmp.Or(cmp.Compare(a.squared, b.squared), cmp.Compare(a.row, b.row))
	})
	near := make([]int, min(k, len(all)))
	for i := range near {
		near[i] = all[i].row
	}
	return near
}

// deviations is the standard deviation (divisor n) of each column that is not categorical over the rows that are in, 0 for the
// others.
func deviations(b data.Batch, schema *data.Schema, in func(i int) bool) []float64 {
	sd := make([]float64, schema.Size())
	for j, c := range schema.Columns {
		if c.Kind == data.Categorical {
			continue
		}
		var v []float64
		sum := 0.0
		for i := range b.Len() {
			if x := b.Row(i)[j]; x == x && in(i) {
				v = append(v, float64(x))
				sum += float64(x)
			}
		}
		if len(v) == 0 {
			continue
		}
		mean, ss := sum/float64(len(v)), 0.0
		for _, x := range v {
			ss += (x - mean) * (x - mean)
		}
		sd[j] = math.Sqrt(ss / float64(len(v)))
	}
	return sd
}

// nominalWeight is the square of the median, over the columns that vary, of the deviations within a class on the common scale,
// and 1 where there are no such columns.
func nominalWeight(within, scale []float64) float64 {
	var sd []float64
	for j, s := range scale {
		if s > 0 {
			sd = append(sd, within[j]/s)
		}
	}
	if len(sd) == 0 {
		return 1
	}
	slices.Sort(sd)
	median := (sd[(len(sd)-1)/2] + sd[len(sd)/2]) / 2
	return median * median
}
