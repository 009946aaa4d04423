package data

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// mixedTable has a numeric, a constant integer and a categorical column, with missing values.
func mixedTable(t *testing.T) Set {
	nan := float32(math.NaN())
	s, err := NewTable(&Schema{Shape: RowShape(3), Columns: []Column{
		{Name: "length", Kind: Numeric},
		{Name: "legs", Kind: Integer},
		{Name: "colour", Kind: Categorical, Levels: []string{"blue", "green", "red"}},
	}}, []float32{
		1, 4, 2,
		3, 4, 0,
		nan, 4, 1,
		8, 4, nan,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fitted(t *testing.T, s Set, kind TransformKind) *Transform {
	t.Helper()
	tr, err := FitTransform(context.Background(), s, kind)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func applied(t *testing.T, tr *Transform, src Batch) Batch {
	t.Helper()
	dst := NewBatch(tr.OutShape(), src.Len(), false)
	if err := tr.Apply(dst, src); err != nil {
		t.Fatal(err)
	}
	return dst
}

// TestStandardise compares with the values worked out by hand: mean 4, variance (9+1+16)/3.
func TestStandardise(t *testing.T) {
	s := mixedTable(t)
	tr := fitted(t, s, Standardise)
	sd := math.Sqrt(26.0 / 3)
	got := applied(t, tr, all(t, s))
	want := []float32{
		float32(-3 / sd), 0, 0, 0, 1,
		float32(-1 / sd), 0, 1, 0, 0,
		0, 0, 0, 1, 0,
		float32(4 / sd), 0, 0, 0, 0,
	}
	for i := range want {
		// One rounding to float32 on either side.
		if !(math.Abs(float64(got.X[i]-want[i])) <= 0x1p-23) {
			t.Errorf("element %d is %v, expected %v", i, got.X[i], want[i])
		}
	}
	if got, want := tr.Names(), []string{"length", "legs", "colour=blue", "colour=green", "colour=red"}; !slices.Equal(got, want) {
		t.Errorf("names %q, expected %q", got, want)
	}
	if tr.Steps[0].Missing != 1 || tr.Steps[1].Missing != 0 || tr.Steps[2].Missing != 1 {
		t.Errorf("missing counts of %+v, expected 1, 0, 1", tr.Steps)
	}
	if want := -math.Log(sd); !(math.Abs(tr.LogDet()-want) <= 1e-15) {
		t.Errorf("log-determinant %v, expected %v", tr.LogDet(), want)
	}
}

func TestInvertGivesWhatTheDataCanHold(t *testing.T) {
	tr := fitted(t, mixedTable(t), Standardise)
	src := Batch{Shape: tr.OutShape(), X: []float32{0, 0.3, 0.2, 0.9, 0.9}}
	dst := NewBatch(tr.InShape(), 1, false)
	if err := tr.Invert(dst, src); err != nil {
		t.Fatal(err)
	}
	if want := []float32{4, 4, 1}; !slices.Equal(dst.X, want) {
		t.Errorf("inverted to %v, expected %v", dst.X, want)
	}
	src.X[3] = float32(math.NaN())
	wantError(t, tr.Invert(dst, src), "example 1 of the batch", "element 3")
}

// TestPixelRoundTrip takes every pixel value through each kind and back.
func TestPixelRoundTrip(t *testing.T) {
	shape := Shape{Height: 16, Width: 16, Channels: 1}
	for _, top := range []int{16, 255} {
		pixels := make([]uint8, shape.Size())
		for i := range pixels {
			pixels[i] = uint8(min(i, top))
		}
		s, err := NewPixels(&Schema{Shape: shape, MaxValue: float32(top)}, pixels, nil)
		if err != nil {
			t.Fatal(err)
		}
		for kind, ends := range map[TransformKind][2]float32{Raw: {0, float32(top)}, Unit: {0, 1}, Symmetric: {-1, 1}} {
			tr := fitted(t, s, kind)
			x := all(t, s)
			y := applied(t, tr, x)
			if got := [2]float32{y.X[0], y.X[255]}; got != ends {
				t.Errorf("%s: ends %v, expected exactly %v", kind, got, ends)
			}
			back := NewBatch(shape, 1, false)
			if err := tr.Invert(back, y); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(back.X, x.X) {
				t.Errorf("%s: pixels do not survive the round trip", kind)
			}
		}
		unit := fitted(t, s, Unit)
		back := NewBatch(shape, 1, false)
		wild := NewBatch(shape, 1, false)
		wild.X[0], wild.X[1], wild.X[2] = -3, 1.01, float32(math.Inf(1))
		if err := unit.Invert(back, wild); err != nil {
			t.Fatal(err)
		}
		if want := []float32{0, float32(top), float32(top)}; !slices.Equal(back.X[:3], want) {
			t.Errorf("clamped to %v, expected %v", back.X[:3], want)
		}
	}
}

// TestLogDet compares with the log-determinant of the Jacobian by central differences. The maps act on one element at a
// time, so the Jacobian is diagonal.
func TestLogDet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]float32, 40*3)
	for i := range values {
		values[i] = float32(r.NormFloat64() * math.Pow(4, float64(i%3)))
	}
	table := tableSetOf(t, 3, values, nil, nil)
	digits := open(t, "digits", Options{}).All
	for _, c := range []struct {
		set  Set
		kind TransformKind
	}{{table, Raw}, {table, Standardise}, {digits, Raw}, {digits, Unit}, {digits, Symmetric}} {
		tr := fitted(t, c.set, c.kind)
		const h = 2
		lo, hi := NewBatch(tr.In, 1, false), NewBatch(tr.In, 1, false)
		for j := range lo.X {
			lo.X[j], hi.X[j] = 8-h, 8+h
		}
		a, b := applied(t, tr, lo), applied(t, tr, hi)
		sum := 0.0
		for j := range a.X {
			sum += math.Log(math.Abs(float64(b.X[j]-a.X[j])) / (2 * h))
		}
		// Each factor comes from a difference of two float32 values that may be some times larger than it.
		if tol := 1e-5 * float64(len(a.X)); !(math.Abs(sum-tr.LogDet()) <= tol) {
			t.Errorf("%s of %v: log-determinant %v, expected %v within %v", c.kind, tr.In, tr.LogDet(), sum, tol)
		}
	}
}

func TestTransformJSON(t *testing.T) {
	for _, tr := range []*Transform{fitted(t, mixedTable(t), Standardise), fitted(t, open(t, "digits", Options{}).All, Symmetric)} {
		raw, err := json.Marshal(tr)
		if err != nil {
			t.Fatal(err)
		}
		var back Transform
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(&back)
		if err != nil || string(again) != string(raw) {
			t.Errorf("%s (%v), expected %s", again, err, raw)
		}
	}
	for damaged, want := range map[string]string{
		`{"kind":"fold","in":{"height":1,"width":1,"channels":1}}`:                                                                                       `kind "fold"`,
		`{"kind":"raw","in":{"height":0,"width":1,"channels":1}}`:                                                                                        "0x1x1",
		`{"kind":"raw","in":{"height":1,"width":1,"channels":1},"out":{"height":1,"width":1,"channels":1},"steps":[{"scale":0}]}`:                        "scale 0",
		`{"kind":"raw","in":{"height":1,"width":1,"channels":1},"out":{"height":1,"width":1,"channels":2},"steps":[{"scale":1}]}`:                        "2 columns, expected 1 column",
		`{"kind":"raw","in":{"height":1,"width":1,"channels":2},"out":{"height":1,"width":1,"channels":2},"steps":[{"scale":1}]}`:                        "1 steps, expected 2",
		`{"kind":"unit","in":{"height":2,"width":2,"channels":1},"out":{"height":2,"width":2,"channels":1},"steps":[{"scale":1}]}`:                       "largest pixel 0",
		`{"kind":"standardise","in":{"height":1,"width":1,"channels":1},"out":{"height":1,"width":1,"channels":1},"steps":[{"scale":1,"one_hot":true}]}`: "one-hot",
	} {
		var tr Transform
		wantError(t, json.Unmarshal([]byte(damaged), &tr), want)
	}
}

func TestTransformRefuses(t *testing.T) {
	ctx := context.Background()
	table, pictures := mixedTable(t), open(t, "digits", Options{}).All
	_, err := FitTransform(ctx, table, Unit)
	wantError(t, err, `"unit" of a table`)
	_, err = FitTransform(ctx, pictures, Standardise)
	wantError(t, err, `"standardise" of pictures`)

	raw := fitted(t, table, Raw)
	wantError(t, raw.Apply(NewBatch(RowShape(3), 4, false), all(t, table)), "example 3 of the batch", `"length"`, "missing")
	wantError(t, raw.Apply(NewBatch(RowShape(3), 3, false), all(t, table)), "destination", "9 values, expected 12")
	hot := fitted(t, table, Standardise)
	bad := NewBatch(RowShape(3), 1, false)
	bad.X[2] = 1.5
	wantError(t, hot.Apply(NewBatch(hot.Out, 1, false), bad), `"colour"`, "code 1.5")
}

// TestMoments compares the one-pass moments with two passes in float64, far from zero.
func TestMoments(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var m moments
	var x []float64
	for range 1000 {
		v := float32(1e4 + r.NormFloat64())
		m.add(v)
		x = append(x, float64(v))
	}
	mean, square := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		square += (v - mean) * (v - mean)
	}
	sd := math.Sqrt(square / float64(len(x)))
	if !(math.Abs(m.mean-mean) <= 1e-14*mean*10) || !(math.Abs(m.sd()-sd) <= 1e-10) {
		t.Errorf("mean %v, sd %v, expected %v, %v", m.mean, m.sd(), mean, sd)
	}
}
