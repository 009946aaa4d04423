package augment

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
)

// rows is a table of n rows a class, of two classes, with two numeric columns on very different scales.
func rows(t *testing.T, n int) data.Set {
	t.Helper()
	schema := &data.Schema{Shape: data.RowShape(2), Label: "y", Classes: []string{"a", "b"},
		Columns: []data.Column{{Name: "u", Kind: data.Numeric}, {Name: "v", Kind: data.Numeric}}}
	r := rand.New(rand.NewPCG(8, 0))
	var x []float32
	for i := range 2 * n {
		x = append(x, float32(r.NormFloat64())+float32(i%2), 1000*float32(r.NormFloat64()))
	}
	return table(t, schema, x)
}

// table is a set whose rows take turns in the two classes.
func table(t *testing.T, schema *data.Schema, x []float32) data.Set {
	t.Helper()
	y := make([]int32, len(x)/schema.Size())
	for i := range y {
		y[i] = int32(i % 2)
	}
	s, err := data.NewTable(schema, x, y)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func smote(t *testing.T, s data.Set, perClass, k int) data.Batch {
	t.Helper()
	made, err := SMOTE(t.Context(), s, perClass, k, rand.New(rand.NewPCG(9, 0)))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, made)
}

// Every row lies on the line between a row of its class and one of that row's k nearest, found by trying all pairs; and each row is
// where a line begins equally often.
func TestSMOTELiesBetweenNeighbours(t *testing.T) {
	const n, perClass, k = 12, 36, 3
	s := rows(t, n)
	all, made := read(t, s), smote(t, s, perClass, k)
	if made.Len() != 2*perClass {
		t.Fatalf("%d rows, expected %d", made.Len(), 2*perClass)
	}
	// The scale of each column, by its variance as the mean of squares less the square of the mean.
	var sd [2]float64
	for j := range sd {
		sum, squares := 0.0, 0.0
		for i := range all.Len() {
			v := float64(all.Row(i)[j])
			sum, squares = sum+v, squares+v*v
		}
		sd[j] = math.Sqrt(squares/(2*n) - sum*sum/(4*n*n))
	}
	distance := func(i, l int) float64 {
		a, b := all.Row(i), all.Row(l)
		return math.Hypot(float64(a[0]-b[0])/sd[0], float64(a[1]-b[1])/sd[1])
	}
	begins := map[int]int{}
	for i := range made.Len() {
		if int(made.Y[i]) != i/perClass {
			t.Fatalf("row %d has class %d, expected %d", i, made.Y[i], i/perClass)
		}
		found := 0
		for x := range all.Len() {
			for z := range all.Len() {
				if x == z || all.Y[x] != made.Y[i] || all.Y[z] != made.Y[i] {
					continue
				}
				nearer := 0
				for other := range all.Len() {
					if other != x && all.Y[other] == made.Y[i] && distance(x, other) < distance(x, z) {
						nearer++
					}
				}
				a, b, m := all.Row(x), all.Row(z), made.Row(i)
				u, w := float64(m[0]-a[0])/float64(b[0]-a[0]), float64(m[1]-a[1])/float64(b[1]-a[1])
				if nearer < k && math.Abs(u-w) < 1e-4 && u > -1e-6 && u < 1+1e-6 {
					found++
					begins[x]++
				}
			}
		}
		if found == 0 {
			t.Errorf("row %d, %v, is on no line between neighbours of class %d", i, made.Row(i), made.Y[i])
		}
	}
	for x := range all.Len() {
		if begins[x] < perClass/n { // more where both ends are neighbours of each other
			t.Errorf("row %d begins %d lines, expected at least %d", x, begins[x], perClass/n)
		}
	}
}

// reference is SMOTE as its paper's pseudocode has it, but for one gap a row, with the same draws in the same order.
func reference(x [][]float64, perClass, k int, r *rand.Rand) [][]float64 {
	var made [][]float64
	var order []int
	for len(made) < perClass {
		if len(made)%len(x) == 0 {
			order = r.Perm(len(x))
		}
		i := order[len(made)%len(x)]
		var others []int
		for l := range x {
			if l != i {
				others = append(others, l)
			}
		}
		slices.SortStableFunc(others, func(a, b int) int {
			da, db := 0.0, 0.0
			for j := range x[i] {
				da, db = da+(x[a][j]-x[i][j])*(x[a][j]-x[i][j]), db+(x[b][j]-x[i][j])*(x[b][j]-x[i][j])
			}
			return int(math.Copysign(1, da-db))
		})
		nn := others[r.IntN(min(k, len(others)))]
		gap := r.Float64()
		var row []float64
		for j := range x[i] {
			dif := x[nn][j] - x[i][j]
			row = append(row, x[i][j]+gap*dif)
		}
		made = append(made, row)
	}
	return made
}

func TestSMOTEEqualsReference(t *testing.T) {
	// Columns of equal variance, so that the scale plays no part: each is ±1 times values that come in both.
	schema := &data.Schema{Shape: data.RowShape(2), Label: "y", Classes: []string{"a", "b"},
		Columns: []data.Column{{Name: "u", Kind: data.Numeric}, {Name: "v", Kind: data.Numeric}}}
	r := rand.New(rand.NewPCG(10, 0))
	var u []float32
	for range 20 {
		u = append(u, r.Float32())
	}
	var x []float32
	for i := range u {
		x = append(x, u[i], u[(7*i+3)%20])
	}
	s := table(t, schema, x)
	made := smote(t, s, 25, 5)
	again := rand.New(rand.NewPCG(9, 0))
	for class := range 2 {
		var own [][]float64
		for i := class; i < 20; i += 2 {
			own = append(own, []float64{float64(x[2*i]), float64(x[2*i+1])})
		}
		for i, want := range reference(own, 25, 5, again) {
			for j, w := range want {
				near(t, "value", float64(made.Row(class*25 + i)[j]), w, 1e-7)
			}
		}
	}
}

// Levels come from the majority of the neighbours, whole numbers stay whole, and what is missing in the row stays missing.
func TestSMOTEOfMixedColumns(t *testing.T) {
	nan := float32(math.NaN())
	schema := &data.Schema{Shape: data.RowShape(4), Label: "y", Classes: []string{"a", "b"}, Columns: []data.Column{
		{Name: "n", Kind: data.Numeric}, {Name: "i", Kind: data.Integer},
		{Name: "c", Kind: data.Categorical, Levels: []string{"r", "g", "b"}}, {Name: "m", Kind: data.Numeric}}}
	var x []float32
	for i := range 20 {
		missing := nan
		if i%4 < 2 {
			missing = float32(i)
		}
		level := float32(i % 2) // class a has r, class b has g,
		if i < 2 {
			level = 2 // but for one row of each, which its neighbours outvote
		}
		x = append(x, float32(i), float32(i*i), level, missing)
	}
	made := smote(t, table(t, schema, x), 40, 3)
	missing := 0
	for i := range made.Len() {
		row := made.Row(i)
		if float64(row[1]) != math.Trunc(float64(row[1])) {
			t.Errorf("row %d has %v in a column of whole numbers", i, row[1])
		}
		if row[2] != float32(made.Y[i]) {
			t.Errorf("row %d of class %d has level %v, expected that of its neighbours", i, made.Y[i], row[2])
		}
		if row[3] != row[3] {
			missing++
		}
	}
	if missing != 40 { // half of the rows of each class have no value, and each begins equally often
		t.Errorf("%d rows without the last value, expected 40", missing)
	}
}

// The example of section 6.1 of the paper: the squared distance of F1 = (1 2 3 A B C) and F2 = (4 6 5 A D E) is 9 + 16 + 4 + 2 Med².
func TestNominalDistance(t *testing.T) {
	schema := &data.Schema{Shape: data.RowShape(6), Columns: []data.Column{{Kind: data.Numeric}, {Kind: data.Numeric}, {Kind: data.Numeric},
		{Kind: data.Categorical}, {Kind: data.Categorical}, {Kind: data.Categorical}}}
	b := data.NewBatch(schema.Shape, 2, false)
	copy(b.X, []float32{1, 2, 3, 0, 1, 2 /**/, 4, 6, 5, 0, 3, 4})
	m := metric{batch: b, schema: schema, scale: []float64{1, 1, 1, 0, 0, 0}}
	m.nominal = nominalWeight([]float64{2, 7, 3, 0, 0, 0}, m.scale) // deviations whose median is 3
	near(t, "squared distance", m.squared(0, 1), 9+16+4+2*9, 0)
	b.X[1] = float32(math.NaN()) // the other five columns stand for six
	near(t, "squared distance without a column", m.squared(0, 1), (9+4+2*9)*6./5, 1e-12)
	near(t, "weight of two columns", nominalWeight([]float64{1, 4, 0}, []float64{1, 2, 0}), 1.5*1.5, 0)
	near(t, "weight without numbers", nominalWeight([]float64{0}, []float64{0}), 1, 0)
}

func TestSMOTERefuses(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	if _, err := SMOTE(t.Context(), rows(t, 4), 3, 5, nil); err == nil {
		t.Error("no random numbers, expected an error")
	}
	if _, err := SMOTE(t.Context(), rows(t, 1), 3, 5, r); err == nil {
		t.Error("one row a class, expected an error")
	}
	if _, err := SMOTE(t.Context(), pictures(t, 4), 3, 5, r); err == nil {
		t.Error("pictures, expected an error")
	}
	if _, err := SMOTE(t.Context(), rows(t, 4), 3, 0, r); err == nil {
		t.Error("no neighbours, expected an error")
	}
}
