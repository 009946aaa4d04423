package divergence

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/likely-ml/likely/dist"
)

// normal draws n points from the normal distribution of d dimensions with deviation sd, whose mean is shift in the first dimension.
func normal(n, d int, shift, sd float64, r *rand.Rand) Points {
	p := Points{d, make([]float32, n*d)}
	for i := range p.X {
		p.X[i] = float32(sd * r.NormFloat64())
		if i%d == 0 {
			p.X[i] += float32(shift)
		}
	}
	return p
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s is %v, expected %v within %g", what, got, want, tol)
	}
}

// golden is testdata/samples.json, which make_samples.py makes.
type golden struct {
	Bandwidth float64
	K         int
	Line      []struct {
		X, Y           []float32
		W1, W2, Energy float64
	}
	Plane []struct {
		D                   int
		X, Y                []float32
		W1, W2, Energy, MMD float64
		KL                  float64
		ReverseKL           float64 `json:"reverse_kl"`
		JS                  float64
	}
}

func readGolden(t *testing.T) (g golden) {
	t.Helper()
	text, err := os.ReadFile("testdata/samples.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestSamplesAgreeWithScipy(t *testing.T) {
	g, ctx := readGolden(t), context.Background()
	for _, c := range g.Line {
		x, y := Points{1, c.X}, Points{1, c.Y}
		w, err := SampleWasserstein(ctx, x, y)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "W1 on the line", w.W1.Value, c.W1, 1e-12)
		near(t, "W2 on the line", w.W2.Value, c.W2, 1e-12)
		e, err := SampleEnergy(ctx, x, y)
		if err != nil {
			t.Fatal(err)
		}
		// scipy divides by n² and m² where SampleEnergy divides by n(n-1) and m(m-1).
		s := lineSums(x, y)
		n, m := float64(x.Len()), float64(y.Len())
		near(t, "energy", e.Value, c.Energy+plainSum(s.xx)*(1/(n*(n-1))-1/(n*n))+plainSum(s.yy)*(1/(m*(m-1))-1/(m*m)), 1e-12)
	}
	for _, c := range g.Plane {
		x, y := Points{c.D, c.X}, Points{c.D, c.Y}
		w, err := SampleWasserstein(ctx, x, y)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "W1", w.W1.Value, c.W1, 1e-12)
		near(t, "W2", w.W2.Value, c.W2, 1e-12)
		e, err := SampleEnergy(ctx, x, y)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "energy", e.Value, c.Energy, 1e-12)
		k, err := SampleMMD(ctx, x, y, g.Bandwidth)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "MMD", k.Value, c.MMD, 1e-13)
		v, err := neighbourValues(ctx, x, y, g.K, seeded(1))
		if err != nil {
			t.Fatal(err)
		}
		near(t, "KL", v.kl, c.KL, 1e-11)
		near(t, "reverse KL", v.reverse, c.ReverseKL, 1e-11)
		near(t, "JS", v.js, c.JS, 1e-11)
	}
}

func plainSum(v []float64) (sum float64) {
	for _, a := range v {
		sum += a
	}
	return sum
}

// covered is the share of seeds whose interval of 1.96 standard errors holds the truth.
func covered(t *testing.T, seeds int, truth float64, f func(r *rand.Rand) (value, se float64, err error)) (share, mean, meanError float64) {
	t.Helper()
	values := make([]float64, seeds)
	for i := range seeds {
		v, se, err := f(seeded(uint64(i)))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(v-truth) <= 1.96*se {
			share += 1 / float64(seeds)
		}
		values[i] = v
	}
	mean, variance := moments(values)
	return share, mean, math.Sqrt(variance / float64(seeds))
}

// The answers are those of N(0, I) and N(shift, I): MMD² = 2 c (1 - exp(-|shift|²/(2(h²+2)))) with c = (h²/(h²+2))^(d/2); the
// energy distance on the line 2 E|z√2+shift| - 4/√π; sliced distances by E|θ·shift| and E(θ·shift)².
func TestStandardErrorsCover(t *testing.T) {
	ctx := context.Background()
	const h, seeds = 1.5, 400
	mmd := func(shift float64, d int) float64 {
		return 2 * math.Pow(h*h/(h*h+2), float64(d)/2) * -math.Expm1(-shift*shift/(2*(h*h+2)))
	}
	// E|N(1, 2)| - E|N(0, 2)|, twice.
	energy := 2 * (2*math.Exp(-0.25)/math.Sqrt(math.Pi) + math.Erf(0.5) - 2/math.Sqrt(math.Pi))
	for _, c := range []struct {
		name        string
		truth       float64
		least, most float64
		unbiased    bool
		f           func(r *rand.Rand) (float64, float64, error)
	}{
		{"energy, line", energy, 0.92, 0.98, true, func(r *rand.Rand) (float64, float64, error) {
			e, err := SampleEnergy(ctx, normal(80, 1, 1, 1, r), normal(120, 1, 0, 1, r))
			return e.Value, e.StandardError, err
		}},
		{"MMD", mmd(1, 3), 0.92, 0.98, true, func(r *rand.Rand) (float64, float64, error) {
			e, err := SampleMMD(ctx, normal(80, 3, 1, 1, r), normal(60, 3, 0, 1, r), h)
			return e.Value, e.StandardError, err
		}},
		// The first-order part, which is 0 here, is known only up to the size of the second: the error is too large.
		{"MMD of equals", 0, 0.95, 1, true, func(r *rand.Rand) (float64, float64, error) {
			e, err := SampleMMD(ctx, normal(80, 3, 0, 1, r), normal(60, 3, 0, 1, r), h)
			return e.Value, e.StandardError, err
		}},
		{"energy of equals", 0, 0.95, 1, true, func(r *rand.Rand) (float64, float64, error) {
			e, err := SampleEnergy(ctx, normal(80, 1, 0, 1, r), normal(60, 1, 0, 1, r))
			return e.Value, e.StandardError, err
		}},
		{"MMD, linear time", mmd(1, 3), 0.92, 0.98, true, func(r *rand.Rand) (float64, float64, error) {
			e, err := SampleMMDBlocks(ctx, normal(200, 3, 1, 1, r), normal(220, 3, 0, 1, r), h, 2, r)
			return e.Value, e.StandardError, err
		}},
		{"MMD of equals, blocks of 5", 0, 0.92, 0.98, true, func(r *rand.Rand) (float64, float64, error) {
			e, err := SampleMMDBlocks(ctx, normal(200, 3, 0, 1, r), normal(220, 3, 0, 1, r), h, 5, r)
			return e.Value, e.StandardError, err
		}},
		{"energy, blocks", energy, 0.92, 0.98, true, func(r *rand.Rand) (float64, float64, error) {
			e, err := SampleEnergyBlocks(ctx, normal(200, 1, 1, 1, r), normal(220, 1, 0, 1, r), 5, r)
			return e.Value, e.StandardError, err
		}},
		{"W1, line", 3, 0.92, 0.98, false, func(r *rand.Rand) (float64, float64, error) {
			w, err := SampleWasserstein(ctx, normal(100, 1, 3, 1, r), normal(150, 1, 0, 1, r))
			return w.W1.Value, w.W1.StandardError, err
		}},
		{"W2, line", 3, 0.92, 0.98, false, func(r *rand.Rand) (float64, float64, error) {
			w, err := SampleWasserstein(ctx, normal(100, 1, 3, 1, r), normal(150, 1, 0, 1, r))
			return w.W2.Value, w.W2.StandardError, err
		}},
		{"W1, plane", 3, 0.92, 0.98, false, func(r *rand.Rand) (float64, float64, error) {
			w, err := SampleWasserstein(ctx, normal(50, 2, 3, 1, r), normal(50, 2, 0, 1, r))
			return w.W1.Value, w.W1.StandardError, err
		}},
		{"sliced W1", 2 * 2 / math.Pi, 0.92, 0.98, false, func(r *rand.Rand) (float64, float64, error) {
			w, err := SampleSliced(ctx, normal(200, 2, 2, 1, r), normal(150, 2, 0, 1, r), 40, r)
			return w.W1.Value, w.W1.StandardError, err
		}},
		{"sliced W2", math.Sqrt(2), 0.92, 0.98, false, func(r *rand.Rand) (float64, float64, error) {
			w, err := SampleSliced(ctx, normal(200, 2, 2, 1, r), normal(150, 2, 0, 1, r), 40, r)
			return w.W2.Value, w.W2.StandardError, err
		}},
		{"JS by neighbours of equals", 0, 0.92, 0.98, false, func(r *rand.Rand) (float64, float64, error) {
			v, err := SampleNeighbours(ctx, normal(1000, 1, 0, 1, r), normal(1000, 1, 0, 1, r), 2, r)
			if err != nil {
				return 0, 0, err
			}
			return v.JS.Value, v.JS.StandardError, err
		}},
		{"KL by neighbours of equals", 0, 0.92, 0.98, false, func(r *rand.Rand) (float64, float64, error) {
			v, err := SampleNeighbours(ctx, normal(1000, 2, 0, 1, r), normal(1000, 2, 0, 1, r), 2, r)
			if err != nil {
				return 0, 0, err
			}
			return v.KL.Value, v.KL.StandardError, err
		}},
	} {
		share, mean, meanError := covered(t, seeds, c.truth, c.f)
		t.Logf("%-28s %.1f%% cover %.4f, mean %.4f ± %.4f", c.name, 100*share, c.truth, mean, meanError)
		if !(share >= c.least && share <= c.most) {
			t.Errorf("%s: %.1f%% of the intervals hold %v, expected %.0f%% to %.0f%%", c.name, 100*share, c.truth, 100*c.least, 100*c.most)
		}
		if c.unbiased && !(math.Abs(mean-c.truth) <= 3.5*meanError) {
			t.Errorf("%s: mean %v over seeds, expected %v within %v", c.name, mean, c.truth, 3.5*meanError)
		}
	}
}

// Values of normals far enough apart, at n large enough, within the stated errors and a bias that is known to be small there.
func TestNeighboursOfNormals(t *testing.T) {
	r := seeded(3)
	for _, c := range []struct{ d, n, m int }{{1, 4000, 4000}, {2, 4000, 3000}} {
		v, err := SampleNeighbours(context.Background(), normal(c.n, c.d, 1, 1, r), normal(c.m, c.d, 0, 1, r), DefaultNeighbours, r)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "KL", v.KL.Value, 0.5, 0.04+3*v.KL.StandardError)
		near(t, "reverse KL", v.ReverseKL.Value, 0.5, 0.04+3*v.ReverseKL.StandardError)
		near(t, "JS", v.JS.Value, 0.1114, 0.005+3*v.JS.StandardError)
		near(t, "dimension", v.Dimension.Value, float64(c.d), 4*v.Dimension.StandardError)
		if len(v.Warnings) > 0 {
			t.Errorf("warnings %q, expected none", v.Warnings)
		}
	}
}

func TestNeighboursWarn(t *testing.T) {
	ctx, r := context.Background(), seeded(4)
	// A curve in 6 dimensions.
	curve := func(n int) Points {
		p := Points{6, make([]float32, 6*n)}
		for i := range n {
			u := r.Float64()
			for j := range 6 {
				p.X[i*6+j] = float32(math.Sin(u*float64(j+1)) + 1e-4*r.NormFloat64())
			}
		}
		return p
	}
	if v, err := SampleNeighbours(ctx, curve(300), curve(300), 3, r); err != nil || len(v.Warnings) != 1 || !(v.Dimension.Value < 2) {
		t.Errorf("points of a curve: %+v, %v; expected a warning of the dimension, near 1", v, err)
	}
	if v, err := SampleNeighbours(ctx, normal(3000, 1, 0, 1, r), normal(200, 1, 0, 1, r), 3, r); err != nil || len(v.Warnings) != 1 {
		t.Errorf("3000 points and 200: %+v, %v; expected a warning of the sizes", v, err)
	}
	x, y := normal(300, 1, 0, 1, r), normal(300, 1, 0, 1, r)
	for i := range 60 {
		x.X[i] = 0.5
	}
	if v, err := SampleNeighbours(ctx, x, y, 3, r); err != nil || len(v.Warnings) != 1 {
		t.Errorf("60 points that coincide: %+v, %v; expected a warning", v, err)
	}
	clear(x.X)
	if _, err := SampleNeighbours(ctx, x, y, 3, r); !errors.Is(err, ErrPoints) {
		t.Errorf("points that all coincide: %v, expected ErrPoints", err)
	}
}

// Both searches, on points that also coincide and tie, against a sort of all distances.
func TestSearchIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, n, m := rapid.IntRange(1, 12).Draw(t, "d"), rapid.IntRange(1, 150).Draw(t, "n"), rapid.IntRange(6, 1100).Draw(t, "m")
		k := rapid.IntRange(1, 5).Draw(t, "k")
		same := rapid.Bool().Draw(t, "same")
		whole := rapid.Bool().Draw(t, "whole numbers")
		far := rapid.SampledFrom([]float64{0, 1000}).Draw(t, "far")
		r := seeded(rapid.Uint64().Draw(t, "seed"))
		x, y := normal(n, d, far, 1, r), normal(m, d, far, 1, r)
		if whole {
			for _, p := range []Points{x, y} {
				for i := range p.X {
					p.X[i] = float32(math.Round(float64(p.X[i])))
				}
			}
		}
		if same {
			x = y
		}
		for _, search := range []func(context.Context, Points, Points, int, bool) (nearest, error){treeSearch, productSearch} {
			found, err := search(context.Background(), x, y, k, same)
			if err != nil {
				t.Fatal(err)
			}
			for i := range x.Len() {
				type neighbour struct {
					square float64
					index  int32
				}
				var all []neighbour
				for j := range y.Len() {
					if same && i == j {
						continue
					}
					all = append(all, neighbour{squaredDistance(x.Row(i), y.Row(j)), int32(j)})
				}
				slices.SortFunc(all, func(a, b neighbour) int {
					switch {
					case a.square != b.square && a.square < b.square, a.square == b.square && a.index < b.index:
						return -1
					}
					return 1
				})
				square, index := found.of(i)
				for j := range k {
					if square[j] != all[j].square || index[j] != all[j].index {
						t.Fatalf("neighbour %d of point %d is %d at %v, expected %d at %v", j, i, index[j], square[j], all[j].index, all[j].square)
					}
				}
			}
		}
	})
}

func TestRadixSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float32(), 1, 500).Draw(t, "v")
		shift := rapid.IntRange(0, 4).Draw(t, "shift")
		var s sorter
		var out ordered
		for range 2 { // the second time in memory that is used
			s.sort(&out, slices.Clone(v), shift)
			want := slices.Clone(v)
			slices.Sort(want)
			if !slices.Equal(out.x, want) {
				t.Fatalf("%v sorted to %v", v, out.x)
			}
			seen := make([]bool, (len(v)-1)>>shift+1)
			for i, k := range out.kept {
				x, at := fromOrderedBits(uint32(k>>32)), uint32(k)
				if seen[at] || math.Float32bits(x) != math.Float32bits(v[at<<shift]) || i > 0 && out.kept[i-1] > k {
					t.Fatalf("of %v every %d-th kept as %v", v, 1<<shift, out.kept)
				}
				seen[at] = true
			}
			if len(out.kept) != len(seen) {
				t.Fatalf("%d of %d points kept, expected %d", len(out.kept), len(v), len(seen))
			}
		}
	})
}

// TestPotentials: potentials of samples with ties are the integrals along the points, found one by one; with more points than are kept, every
// 2^shift-th.
func TestPotentials(t *testing.T) {
	for _, c := range []struct{ n, m int }{{50, 50}, {40, 70}, {3 * keptPotentials, 2*keptPotentials + 5}} {
		x, y := normal(c.n, 1, 0.5, 3, seeded(1)), normal(c.m, 1, 0, 2, seeded(2))
		for _, p := range []Points{x, y} {
			for i := range p.X {
				p.X[i] = float32(math.Round(float64(p.X[i])*8) / 8)
			}
		}
		var s sorter
		var a, b ordered
		s.sort(&a, slices.Clone(x.X), keptShift(c.n))
		s.sort(&b, slices.Clone(y.X), keptShift(c.m))
		p1, p2 := newPotentials(c.n, c.m), newPotentials(c.n, c.m)
		lineCosts(&a, &b, p1, p2)
		for _, side := range []struct {
			v, other []float32
			own      []float32
			f1, f2   []float32
		}{{x.X, b.x, a.x, p1.f, p2.f}, {y.X, a.x, b.x, p1.g, p2.g}} {
			// The mean of what point i is moved to: the quantile function of the other sample over (i, i+1)/n.
			n, m := len(side.own), len(side.other)
			at := map[float32][2]float64{}
			var sum, last [2]float64
			for i, v := range side.own {
				to := 0.0
				for j := i * m / n; j < m && j*n < (i+1)*m; j++ {
					to += float64(min((i+1)*m, (j+1)*n)-max(i*m, j*n)) * float64(side.other[j])
				}
				to /= float64(m)
				slope := [2]float64{float64(cmp.Compare(float64(v), to)), 2 * (float64(v) - to)}
				for k := range 2 {
					if i > 0 {
						sum[k] += float64(v-side.own[i-1]) * (slope[k] + last[k]) / 2
					}
				}
				if at[v] == [2]float64{} {
					at[v] = sum
				}
				last = slope
			}
			shift := keptShift(n)
			for i := range side.f1 {
				want := at[side.v[i<<shift]]
				near(t, "potential of W1", float64(side.f1[i]), want[0], 1e-5)
				near(t, "potential of W2", float64(side.f2[i]), want[1], 1e-5)
			}
		}
	}
}

// The prices of the assignment are a proof of it; on the line the sorted order is one.
func TestTransportIdentities(t *testing.T) {
	ctx, r := context.Background(), seeded(5)
	x, y := normal(120, 2, 1, 2, r), normal(120, 2, 0, 1, r)
	w, err := SampleWasserstein(ctx, x, y)
	if err != nil {
		t.Fatal(err)
	}
	back, err := SampleWasserstein(ctx, y, x)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "W1 exchanged", back.W1.Value, w.W1.Value, 1e-12)
	near(t, "W2 exchanged", back.W2.Value, w.W2.Value, 1e-12)
	if !(w.W1.Value <= w.W2.Value) {
		t.Errorf("W1 %v above W2 %v", w.W1.Value, w.W2.Value)
	}
	same, err := SampleWasserstein(ctx, x, x)
	if err != nil || same.W1.Value != 0 || same.W2.Value != 0 || same.W2.StandardError != same.W2.StandardError {
		t.Errorf("a sample is %+v from itself, %v", same, err)
	}
	// Points of the plane on a line: the distance on the line.
	on := func(p Points) Points {
		q := Points{2, make([]float32, 2*p.Len())}
		for i, v := range p.X {
			q.X[2*i] = v
		}
		return q
	}
	a, b := normal(90, 1, 1, 1, r), normal(90, 1, 0, 1, r)
	line, err := SampleWasserstein(ctx, a, b)
	if err != nil {
		t.Fatal(err)
	}
	plane, err := SampleWasserstein(ctx, on(a), on(b))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "W1 on a line of the plane", plane.W1.Value, line.W1.Value, 1e-12)
	near(t, "W2 on a line of the plane", plane.W2.Value, line.W2.Value, 1e-12)
	sliced, err := SampleSliced(ctx, a, b, 3, r)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "sliced W1 in one dimension", sliced.W1.Value, line.W1.Value, 1e-6)
	near(t, "sliced W2 in one dimension", sliced.W2.Value, line.W2.Value, 1e-6)
}

// Every pair sum of the blocks and of the sorted line against two loops.
func TestPairSums(t *testing.T) {
	r := seeded(6)
	for _, d := range []int{1, 5} {
		x, y := normal(150, d, 1, 1, r), normal(700, d, 0, 1, r)
		got, err := pairSums(context.Background(), x, y, distanceKernel)
		if err != nil {
			t.Fatal(err)
		}
		want := sums{xx: make([]float64, x.Len()), xy: make([]float64, x.Len()), yy: make([]float64, y.Len()), yx: make([]float64, y.Len())}
		loop := func(row []float64, a, b Points, same bool) (squares float64) {
			for i := range a.Len() {
				for j := range b.Len() {
					if same && i == j {
						continue
					}
					k := -math.Sqrt(squaredDistance(a.Row(i), b.Row(j)))
					row[i] += k
					squares += k * k
				}
			}
			return squares
		}
		want.sqXX, want.sqXY, want.sqYY = loop(want.xx, x, x, true), loop(want.xy, x, y, false), loop(want.yy, y, y, true)
		loop(want.yx, y, x, false)
		all := []sums{got}
		if d == 1 { // in the order of the values there
			s := lineSums(x, y)
			near(t, "energy on the line", unbiasedMMD(s).Value, unbiasedMMD(want).Value, 1e-12)
			near(t, "error on the line", unbiasedMMD(s).StandardError, unbiasedMMD(want).StandardError, 1e-12)
		}
		for _, s := range all {
			for name, pair := range map[string][2][]float64{"xx": {s.xx, want.xx}, "xy": {s.xy, want.xy}, "yy": {s.yy, want.yy}, "yx": {s.yx, want.yx}} {
				for i := range pair[0] {
					near(t, name, pair[0][i], pair[1][i], 1e-8)
				}
			}
			near(t, "squares", s.sqXX+s.sqYY+s.sqXY, want.sqXX+want.sqYY+want.sqXY, 1e-6)
		}
	}
}

// One block of all points is the quadratic statistic.
func TestBlocksMean(t *testing.T) {
	ctx, r := context.Background(), seeded(7)
	x, y := normal(180, 2, 1, 1, r), normal(180, 2, 0, 1, r)
	got, err := SampleEnergyBlocks(ctx, x, y, 6, seeded(8))
	if err != nil {
		t.Fatal(err)
	}
	r = seeded(8)
	ix, iy := r.Perm(180), r.Perm(180)
	sum := 0.0
	for b := range 30 {
		e, err := SampleEnergy(ctx, x.at(ix[6*b:6*b+6]), y.at(iy[6*b:6*b+6]))
		if err != nil {
			t.Fatal(err)
		}
		sum += e.Value / 30
	}
	near(t, "energy by blocks", got.Value, sum, 1e-13)
}

func TestMedianBandwidth(t *testing.T) {
	x, y := Points{1, []float32{0, 1}}, Points{1, []float32{3, 7}}
	h, err := MedianBandwidth(context.Background(), x, y, seeded(1)) // 1 2 3 4 6 7
	if err != nil || h != 3.5 {
		t.Errorf("median distance %v, %v; expected 3.5", h, err)
	}
	same := Points{1, make([]float32, 5)}
	if _, err := MedianBandwidth(context.Background(), same, same, seeded(1)); !errors.Is(err, ErrPoints) {
		t.Errorf("bandwidth of points that coincide: %v, expected ErrPoints", err)
	}
}

// The same bits at any number of threads.
func TestSamplesAtAnyThreads(t *testing.T) {
	x, y := normal(700, 12, 1, 1, seeded(1)), normal(900, 12, 0, 1, seeded(2))
	all := func(threads int) (out []any) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		ctx, r := context.Background(), seeded(3)
		add := func(v any, err error) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
		e, err := SampleEnergy(ctx, x, y)
		add(e, err)
		m, err := SampleMMDBlocks(ctx, x, y, 2, 3, r)
		add(m, err)
		w, err := SampleSliced(ctx, x, y, 20, r)
		add(w, err)
		n, err := SampleNeighbours(ctx, x, y, 2, r)
		add(n, err)
		return out
	}
	if one, many := all(1), all(12); !reflect.DeepEqual(one, many) { // more than sliceGroup
		t.Errorf("%+v on one thread, %+v on twelve", one, many)
	}
}

func TestSamplesRefuse(t *testing.T) {
	ctx, r := context.Background(), seeded(1)
	good := normal(100, 2, 0, 1, r)
	bad := normal(100, 2, 0, 1, r)
	bad.X[17] = float32(math.NaN())
	calls := map[string]func(x, y Points, r *rand.Rand) error{
		"energy":      func(x, y Points, _ *rand.Rand) error { _, err := SampleEnergy(ctx, x, y); return err },
		"blocks":      func(x, y Points, r *rand.Rand) error { _, err := SampleEnergyBlocks(ctx, x, y, 2, r); return err },
		"mmd":         func(x, y Points, _ *rand.Rand) error { _, err := SampleMMD(ctx, x, y, 1); return err },
		"bandwidth":   func(x, y Points, r *rand.Rand) error { _, err := MedianBandwidth(ctx, x, y, r); return err },
		"sliced":      func(x, y Points, r *rand.Rand) error { _, err := SampleSliced(ctx, x, y, 2, r); return err },
		"wasserstein": func(x, y Points, _ *rand.Rand) error { _, err := SampleWasserstein(ctx, x, y); return err },
		"neighbours":  func(x, y Points, r *rand.Rand) error { _, err := SampleNeighbours(ctx, x, y, 2, r); return err },
	}
	for name, call := range calls {
		for _, c := range []struct{ x, y Points }{
			{good, bad}, {bad, good}, {good, normal(100, 3, 0, 1, r)}, {good, Points{2, nil}}, {Points{}, Points{}}, {good, Points{2, good.X[:5]}},
		} {
			if err := call(c.x, c.y, r); !errors.Is(err, ErrPoints) {
				t.Errorf("%s: %v, expected ErrPoints", name, err)
			}
		}
		if err := call(good, good, nil); err != nil && !errors.Is(err, dist.ErrNoRand) {
			t.Errorf("%s without randomness: %v", name, err)
		}
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := SampleMMD(done, good, good, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := SampleMMD(ctx, good, good, math.NaN()); err == nil {
		t.Error("no error for a bandwidth that is not a number")
	}
	if _, err := SampleSliced(ctx, good, good, 1, r); err == nil {
		t.Error("no error for one direction, which has no standard error")
	}
}
