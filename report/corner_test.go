package report

import (
	"bytes"
	"image/png"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
)

// twoClasses is a table of two numeric columns with class a at (0, 0) and class b at (1, 1), n rows of each.
func twoClasses(n int) (*data.Schema, data.Batch) {
	schema := &data.Schema{Shape: data.Shape{Height: 1, Width: 1, Channels: 2}, Classes: []string{"a", "b"},
		Columns: []data.Column{{Name: "u", Kind: data.Numeric}, {Name: "v", Kind: data.Numeric}}}
	b := data.NewBatch(schema.Shape, 2*n, true)
	for i := range 2 * n {
		b.Y[i] = int32(i % 2)
		b.Row(i)[0], b.Row(i)[1] = float32(i%2), float32(i%2)
	}
	return schema, b
}

// The points of two classes stand where they belong, in colours of their own.
func TestCorner(t *testing.T) {
	schema, b := twoClasses(20)
	var file, again bytes.Buffer
	if err := Corner(&file, schema, b); err != nil {
		t.Fatal(err)
	}
	if err := Corner(&again, schema, b); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Errorf("the same plots are drawn differently (%v)", err)
	}
	page, err := png.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	size := page.Bounds().Size()
	// The lower left quarter of the page has the points. Count those of either colour in each quarter of it.
	var blue, orange [2][2]int // row from above, column
	for y := size.Y / 2; y < size.Y; y++ {
		for x := range size.X / 2 {
			r, g, b, _ := page.At(x, y).RGBA()
			row, column := (y-size.Y/2)*4/size.Y, x*4/size.X
			switch {
			case b > r+0x5000 && g > r:
				blue[row][column]++
			case r > b+0x5000:
				orange[row][column]++
			}
		}
	}
	if blue[1][0] < 5 || blue[0][0]+blue[0][1]+blue[1][1] > 0 {
		t.Errorf("pixels of class a at %v, expected them below at the left", blue)
	}
	if orange[0][1] < 5 || orange[0][0]+orange[1][0]+orange[1][1] > 0 {
		t.Errorf("pixels of class b at %v, expected them above at the right", orange)
	}
}

// A histogram counts each finite value once, in the bin that holds it.
func TestShares(t *testing.T) {
	for _, c := range []struct {
		values []float64
		kind   data.Kind
		edges  []float64 // nil: not looked at
		shares []float64
	}{
		{[]float64{3, 0, 1, 3, math.NaN()}, data.Integer, []float64{-0.5, 0.5, 1.5, 2.5, 3.5}, []float64{0.25, 0.25, 0, 0.5}},
		{[]float64{7, 7}, data.Integer, []float64{6.5, 7.5}, []float64{1}},
		{[]float64{0, 10, math.Inf(1), 5, 5}, data.Numeric, nil, []float64{0.25, 0, 0.5, 0, 0.25}},
		{[]float64{2, 2, 2}, data.Numeric, []float64{1.5, 1.7, 1.9, 2.1, 2.3, 2.5}, []float64{0, 0, 1, 0, 0}},
	} {
		schema := &data.Schema{Shape: data.Shape{Height: 1, Width: 1, Channels: 1}, Columns: []data.Column{{Name: "u", Kind: c.kind}}}
		b := data.NewBatch(schema.Shape, len(c.values), false)
		for i, v := range c.values {
			b.X[i] = float32(v)
		}
		page, err := newCorner(schema, b)
		if err != nil {
			t.Fatal(err)
		}
		edges := page.edges(0)
		for k, want := range c.edges {
			if len(edges) != len(c.edges) || !(math.Abs(edges[k]-want) < 1e-12) {
				t.Fatalf("%v: edges %v, expected %v", c.values, edges, c.edges)
			}
		}
		if got := shares(page.groups[0].values[0], edges); !slices.Equal(got, c.shares) {
			t.Errorf("%v: shares %v, expected %v", c.values, got, c.shares)
		}
	}
}

// Of a large table evenly spread rows are drawn, and of many columns the first that are of numbers.
func TestCornerIsBounded(t *testing.T) {
	schema, b := twoClasses(3 * cornerPoints)
	page, err := newCorner(schema, b)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(page.groups[0].values[0]) + len(page.groups[1].values[0]); n != cornerPoints {
		t.Errorf("%d points, expected %d", n, cornerPoints)
	}
	wide := &data.Schema{Shape: data.Shape{Height: 1, Width: 1, Channels: 20}}
	for j := range 20 {
		c := data.Column{Name: "n", Kind: data.Integer}
		if j%2 == 0 {
			c.Kind, c.Levels = data.Categorical, []string{"x"}
		}
		wide.Columns = append(wide.Columns, c)
	}
	if got := CornerColumns(wide); !slices.Equal(got, []int{1, 3, 5, 7, 9, 11}) {
		t.Errorf("columns %v", got)
	}
	// More classes than colours, of which some have no rows.
	for range 60 {
		schema.Classes = append(schema.Classes, "another")
	}
	for i := range b.Y {
		b.Y[i] = int32(i % 50)
	}
	if err := Corner(io.Discard, schema, b); err != nil {
		t.Error(err)
	}
}

// Columns of one value, and of the largest and smallest there are, have axes too.
func TestCornerOfExtremes(t *testing.T) {
	for _, kind := range []data.Kind{data.Numeric, data.Integer} {
		for _, values := range [][2]float32{{3e38, 3e38}, {-3e38, 3e38}, {1e-40, 1e-40}, {0, 1e-40}, {1e9, 1e9}, {0, 0}} {
			schema, b := twoClasses(1)
			schema.Columns[0].Kind = kind
			b.Row(0)[0], b.Row(1)[0] = values[0], values[1]
			page, err := newCorner(schema, b)
			if err != nil {
				t.Fatal(err)
			}
			if !(page.low[0] < page.high[0]) || !(page.low[0] <= float64(min(values[0], values[1])) && page.high[0] >= float64(max(values[0], values[1]))) {
				t.Errorf("%v: the axis runs from %v to %v", values, page.low[0], page.high[0])
			}
			if err := Corner(io.Discard, schema, b); err != nil {
				t.Errorf("%v: %v", values, err)
			}
		}
	}
}

func TestCornerRefuses(t *testing.T) {
	numbers, b := twoClasses(3)
	for i := range b.X {
		b.X[i] = float32(math.NaN())
	}
	words := *numbers
	words.Columns = []data.Column{{Name: "u", Kind: data.Categorical, Levels: []string{"x"}}, {Name: "v", Kind: data.Categorical, Levels: []string{"x"}}}
	pictures := &data.Schema{Shape: data.Shape{Height: 2, Width: 2, Channels: 1}, MaxValue: 255}
	for what, err := range map[string]error{
		"no finite value": Corner(io.Discard, numbers, b),
		"no numbers":      Corner(io.Discard, &words, b),
		"pictures":        Corner(io.Discard, pictures, data.NewBatch(pictures.Shape, 1, false)),
		"no rows":         Corner(io.Discard, numbers, data.NewBatch(numbers.Shape, 0, false)),
	} {
		if err == nil {
			t.Errorf("%s: expected an error", what)
		}
	}
}
