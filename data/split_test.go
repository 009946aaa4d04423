package data

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawSet makes a table of few distinct rows, so that duplicates occur, with labels or without.
func drawSet(t *rapid.T) (values []float32, classes []string, labels []int32) {
	n := rapid.IntRange(0, 60).Draw(t, "n")
	k := rapid.IntRange(0, 4).Draw(t, "classes")
	for range n {
		values = append(values, float32(rapid.IntRange(0, 40).Draw(t, "x")))
	}
	if k > 0 {
		classes = []string{"a", "b", "c", "d"}[:k]
		labels = make([]int32, n)
		for i := range labels {
			labels[i] = int32(rapid.IntRange(0, k-1).Draw(t, "y"))
		}
	}
	return values, classes, labels
}

// drawTable makes a set in memory of drawn values.
func drawTable(t *rapid.T, values []float32, classes []string, labels []int32) Set {
	s, err := NewTable(&Schema{Shape: RowShape(1), Columns: []Column{{Name: "x", Kind: Numeric}}, Classes: classes}, values, labels)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// contents is the examples of s, sorted, as class*1000 + x.
func contents(t *rapid.T, s Set) []int {
	b, err := ReadAll(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int, b.Len())
	for i, x := range b.X {
		out[i] = int(x)
		if b.Y != nil {
			out[i] += 1000 * int(b.Y[i])
		}
	}
	slices.Sort(out)
	return out
}

func TestSplitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values, classes, labels := drawSet(t)
		fraction := rapid.Float64Range(0.01, 0.99).Draw(t, "fraction")
		seed := rapid.Uint64().Draw(t, "seed")
		s := drawTable(t, values, classes, labels)
		rest, part, err := Split(context.Background(), s, fraction, seed)
		if err != nil {
			t.Fatal(err)
		}

		// Disjoint and complete.
		r, p := rest.(*subset).index, part.(*subset).index
		together := slices.Sorted(slices.Values(append(slices.Clone(r), p...)))
		for i, index := range together {
			if index != i {
				t.Fatalf("indices %v, expected each of 0 to %d once", together, s.Len()-1)
			}
		}
		if len(together) != s.Len() || !slices.IsSorted(r) || !slices.IsSorted(p) {
			t.Fatalf("rest %v and part %v of %d examples, expected a division in order", r, p, s.Len())
		}

		// Exact counts for each class.
		for k := range max(1, len(classes)) {
			n, taken := 0, 0
			for i := range values {
				if labels == nil || labels[i] == int32(k) {
					n++
					if slices.Contains(p, i) {
						taken++
					}
				}
			}
			want := int(math.RoundToEven(fraction * float64(n)))
			if n >= 2 {
				want = max(1, min(want, n-1))
			}
			if taken != want {
				t.Fatalf("class %d: %d of %d taken, expected %d", k, taken, n, want)
			}
		}

		// The same examples whatever their order.
		shuffled := rand.New(rand.NewPCG(seed, 1)).Perm(len(values))
		var values2 []float32
		var labels2 []int32
		for _, i := range shuffled {
			values2 = append(values2, values[i])
			if labels != nil {
				labels2 = append(labels2, labels[i])
			}
		}
		if labels != nil && labels2 == nil {
			labels2 = []int32{}
		}
		rest2, part2, err := Split(context.Background(), drawTable(t, values2, classes, labels2), fraction, seed)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(contents(t, part), contents(t, part2)) || !slices.Equal(contents(t, rest), contents(t, rest2)) {
			t.Fatalf("another order gives another split")
		}
	})
}

func TestSplitSeeds(t *testing.T) {
	ctx := context.Background()
	s := open(t, "digits", Options{}).All
	_, first, err := Split(ctx, s, 0.2, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := Split(ctx, s, 0.2, 2)
	if err != nil {
		t.Fatal(err)
	}
	common := 0
	for _, i := range first.(*subset).index {
		if slices.Contains(second.(*subset).index, i) {
			common++
		}
	}
	// Two independent fifths of 1,797 share 72 on average, with a standard deviation of 6.8.
	if common < 40 || common > 105 {
		t.Errorf("splits with seeds 1 and 2 share %d of 359 examples, expected about 72", common)
	}
	for _, bad := range []float64{0, 1, -0.5, math.NaN()} {
		_, _, err := Split(ctx, s, bad, 1)
		wantError(t, err, "fraction")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := Split(cancelled, s, 0.2, 1); err != context.Canceled {
		t.Errorf("cancelled split: %v", err)
	}
}

func TestFingerprint(t *testing.T) {
	print := func(values []float32, labels []int32) string {
		f, err := Fingerprint(context.Background(), tableSetOf(t, 2, values, []string{"a", "b"}, labels))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	nan := float32(math.NaN())
	base := print([]float32{1, 2, 3, nan}, []int32{0, 1})
	if got := print([]float32{3, math.Float32frombits(0x7fc01234), 1, 2}, []int32{1, 0}); got != base {
		t.Error("the fingerprint depends on the order of the examples or on the bits of NaN")
	}
	for name, other := range map[string]string{
		"value":     print([]float32{1, 2, 3, 4}, []int32{0, 1}),
		"label":     print([]float32{1, 2, 3, nan}, []int32{1, 0}),
		"duplicate": print([]float32{1, 2, 3, nan, 3, nan}, []int32{0, 1, 1}),
		"column":    print([]float32{2, 1, 3, nan}, []int32{0, 1}),
	} {
		if other == base {
			t.Errorf("another %s has the same fingerprint", name)
		}
	}
	if len(base) != 64 {
		t.Errorf("fingerprint %q, expected 64 hexadecimal digits", base)
	}
}
