package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestFilters: the matrices are a filter, y[o] = Σ_t x[o+t]·w[t], for every pair of a pixel and a tap.
func TestFilters(t *testing.T) {
	for _, f := range filters {
		for o := range f.m {
			for tap := range f.r {
				for i := range f.points() {
					sum, want := 0.0, 0.0
					for p := range f.points() {
						sum += f.at[o][p] * f.g[p][tap] * f.bt[p][i]
					}
					if i == o+tap {
						want = 1
					}
					if diff := math.Abs(sum - want); !(diff <= 1e-14) {
						t.Errorf("F(%d,%d): y[%d] has %v x[%d]·w[%d]", f.m, f.r, o, sum, i, tap)
					}
				}
			}
		}
	}
}

// filterForm is one element of ConvY or ConvX as minimal filtering sees it: pixel (u0, u1) of a tile, and for each term
// of the sum, in order, the window that the tile reads and the taps.
type filterForm struct {
	u0, u1        int
	windows, taps [][][]float64
}

func square2(n int, f func(i, j int) float64) [][]float64 {
	s := make([][]float64, n)
	for i := range s {
		for j := range n {
			s[i] = append(s[i], f(i, j))
		}
	}
	return s
}

// formY returns the form of y[at]: tiles start at output 0; the terms are the phases of x and in each the channels.
func (c *convCase[T]) formY(f *filter, at int) (e filterForm) {
	h, v := c.Axes[0], c.Axes[1]
	d := digits(at, c.N, h.Out, v.Out, c.CO)
	e.u0, e.u1 = d[1]%f.m, d[2]%f.m
	for q0 := range h.Stride {
		for q1 := range v.Stride {
			for a := range c.CI {
				e.windows = append(e.windows, square2(f.points(), func(i, j int) float64 {
					return float64(c.xAt(d[0], h.Stride*(d[1]-e.u0+i)+q0-h.Pad, v.Stride*(d[2]-e.u1+j)+q1-v.Pad, 0, a))
				}))
				e.taps = append(e.taps, square2(f.r, func(i, j int) float64 {
					return float64(c.wAt(h.Stride*i+q0, v.Stride*j+q1, a, 0, d[3]))
				}))
			}
		}
	}
	return e
}

// formX returns the form of x[at]: its pixels with the same residue q of (i + Pad) modulo the stride are a convolution of
// y with taps q + Stride·t, in descending order, by themselves, and their tiles start at the first of them.
func (c *convCase[T]) formX(f *filter, at int) (e filterForm) {
	h, v := c.Axes[0], c.Axes[1]
	d := digits(at, c.N, h.In, v.In, c.CI)
	along := func(a ConvAxis, i int) (q, low, u int) {
		q = ((i+a.Pad)%a.Stride + a.Stride) % a.Stride
		first := ((q-a.Pad)%a.Stride + a.Stride) % a.Stride
		u = (i - first) / a.Stride % f.m
		return q, (i+a.Pad-q)/a.Stride - u - (f.r - 1), u
	}
	q0, low0, u0 := along(h, d[1])
	q1, low1, u1 := along(v, d[2])
	e.u0, e.u1 = u0, u1
	for b := range c.CO {
		e.windows = append(e.windows, square2(f.points(), func(i, j int) float64 {
			return float64(c.yAt(d[0], low0+i, low1+j, 0, b))
		}))
		e.taps = append(e.taps, square2(f.r, func(i, j int) float64 {
			return float64(c.wAt(q0+h.Stride*(f.r-1-i), q1+v.Stride*(f.r-1-j), d[3], 0, b))
		}))
	}
	return e
}

// combine is what the transforms are made of: Σ_i c[i]·x[i].
type combine func(c, x []float64) float64

// inFloat32 is the order of the documentation.
func inFloat32(c, x []float64) float64 {
	var a, b []float32
	for i := range c {
		if c[i] != 0 {
			a, b = append(a, float32(c[i])), append(b, float32(x[i]))
		}
	}
	return float64(orderedProduct(a, b, 0, false))
}

// inSizes bounds the sum of the sizes.
func inSizes(c, x []float64) (sum float64) {
	for i := range c {
		sum += math.Abs(c[i]) * math.Abs(x[i])
	}
	return sum
}

// both returns L·X·Lᵀ, the columns first.
func (f combine) both(l, x [][]float64) [][]float64 {
	var z [][]float64
	for i := range l {
		var row []float64
		for j := range x {
			var column []float64
			for k := range x {
				column = append(column, x[k][j])
			}
			row = append(row, f(l[i], column))
		}
		var out []float64
		for j := range l {
			out = append(out, f(l[j], row))
		}
		z = append(z, out)
	}
	return z
}

// value computes the element.
func (e *filterForm) value(f *filter, sum combine) float64 {
	n := f.points()
	a, b := make([][]float64, n*n), make([][]float64, n*n)
	for t := range e.windows {
		x, w := sum.both(f.bt, e.windows[t]), sum.both(f.g, e.taps[t])
		for i := range n * n {
			a[i], b[i] = append(a[i], x[i/n][i%n]), append(b[i], w[i/n][i%n])
		}
	}
	z := square2(n, func(i, j int) float64 { return sum(a[i*n+j], b[i*n+j]) })
	return sum.both(f.at, z)[e.u0][e.u1]
}

// filteredW computes an element of one part of the gradient by the taps: tiles of y in order, in groups of the fewest
// rows of tiles that have 196 tiles together.
func (c *convCase[T]) filteredW(f *filter, part, at int, sum combine, add func(a, b float64) float64) float64 {
	h, v := c.Axes[0], c.Axes[1]
	d := digits(at, h.Kernel, v.Kernel, c.CI, c.CO)
	n := f.points()
	height, across := (h.Out+f.m-1)/f.m, (v.Out+f.m-1)/f.m
	rows := (196 + across - 1) / across
	first, end := part*c.N/8*height, (part+1)*c.N/8*height
	var z [][]float64
	for from := first; from < end; from += rows {
		a, b := make([][]float64, n*n), make([][]float64, n*n)
		for row := from; row < min(from+rows, end); row++ {
			for tile := range across {
				o0, o1 := row%height*f.m, tile*f.m
				x := sum.both(f.bt, square2(n, func(i, j int) float64 {
					return float64(c.xAt(row/height, h.Stride*(o0+i)+d[0]%h.Stride-h.Pad, v.Stride*(o1+j)+d[1]%v.Stride-v.Pad, 0, d[2]))
				}))
				y := sum.both(transposed(f.at), square2(f.m, func(i, j int) float64 {
					return float64(c.yAt(row/height, o0+i, o1+j, 0, d[3]))
				}))
				for i := range n * n {
					a[i], b[i] = append(a[i], x[i/n][i%n]), append(b[i], y[i/n][i%n])
				}
			}
		}
		group := square2(n, func(i, j int) float64 { return sum(a[i*n+j], b[i*n+j]) })
		if from == first {
			z = group
			continue
		}
		z = square2(n, func(i, j int) float64 { return add(z[i][j], group[i][j]) })
	}
	if z == nil {
		return 0
	}
	return sum.both(transposed(f.g), z)[d[0]/h.Stride][d[1]/v.Stride]
}

// TestFilteredOrder: single elements are, to the last bit, the sums that the documentation defines.
func TestFilteredOrder(t *testing.T) {
	var ws Workspace
	axis := func(in, kernel, out, stride, pad int) ConvAxis {
		return ConvAxis{In: in, Kernel: kernel, Out: out, Stride: stride, Dilation: 1, Pad: pad}
	}
	seen := map[*filter]bool{}
	for i, g := range []ConvGeometry{
		{N: 24, Groups: 1, CI: 16, CO: 19, Axes: [2]ConvAxis{axis(28, 3, 28, 1, 1), axis(54, 3, 56, 1, 2)}}, // two groups of tiles
		{N: 33, Groups: 1, CI: 400, CO: 17, Axes: [2]ConvAxis{axis(6, 3, 6, 1, 1), axis(6, 3, 6, 1, 1)}},    // two blocks of terms
		{N: 128, Groups: 1, CI: 17, CO: 33, Axes: [2]ConvAxis{axis(4, 3, 2, 1, 0), axis(4, 3, 2, 1, 0)}},
		{N: 33, Groups: 1, CI: 24, CO: 16, Axes: [2]ConvAxis{axis(14, 4, 7, 2, 1), axis(15, 4, 8, 2, 2)}},
	} {
		f := filters[g.filterY()]
		fx := filters[g.filterX()]
		if seen[f] = true; g.filterW() != g.filterY() {
			t.Fatalf("%+v: too few tiles", g)
		}
		c := newConvCase[float32](g, uint64(i))
		rng := rand.New(rand.NewPCG(uint64(i), 5))
		x, _, y, err := c.run(&ws, 1)
		if err != nil {
			t.Fatal(err)
		}
		planW, part := PlanConvW[float32](&g), rng.IntN(ConvWParts)
		w := make([]float32, len(c.w))
		planW.Part(&ws, part, c.x, c.y, w)
		for range 3 {
			at := rng.IntN(len(y))
			e := c.formY(f, at)
			if want := e.value(f, inFloat32); float64(y[at]) != want {
				t.Errorf("%+v: y[%d] = %v, want %v", g, at, y[at], want)
			}
			at = rng.IntN(len(x))
			e = c.formX(fx, at)
			if want := e.value(fx, inFloat32); float64(x[at]) != want {
				t.Errorf("%+v: x[%d] = %v, want %v", g, at, x[at], want)
			}
			at = rng.IntN(len(w))
			want := c.filteredW(f, part, at, inFloat32, func(a, b float64) float64 { return float64(float32(a) + float32(b)) })
			if float64(w[at]) != want {
				t.Errorf("%+v: part %d of w[%d] = %v, want %v", g, part, at, w[at], want)
			}
		}
	}
	if len(seen) != len(filters) {
		t.Errorf("%d of %d filters tested", len(seen), len(filters))
	}
}

// filteredPlans returns the ways by minimal filtering, whatever the number of channels.
func filteredPlans[T float](g *ConvGeometry, f int) (y, x *ConvPlan[T], w *ConvWPlan[T]) {
	c, k := newConv[T](g), filterKernelsOf[T](f)
	return &ConvPlan[T]{*g, g.xImage(), g.yImage(), newFilteredY(c, k)}, &ConvPlan[T]{*g, g.yImage(), g.xImage(), newFilteredX(c, k)},
		&ConvWPlan[T]{*g, newFilteredW(c, k)}
}

// randomFiltered draws a geometry for one of the filters.
func randomFiltered(rng *rand.Rand) (g ConvGeometry, f int) {
	f = rng.IntN(len(filters))
	stride := 1 + rng.IntN(3)
	channels := []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40}
	pick := func() int { return channels[rng.IntN(len(channels))] }
	g = ConvGeometry{N: 1 + rng.IntN(4), Groups: 1, CI: pick(), CO: pick()}
	for i := range g.Axes {
		kernel := stride * filters[f].r
		a := ConvAxis{In: 1 + rng.IntN(9), Kernel: kernel, Stride: stride, Dilation: 1, Pad: rng.IntN(kernel+3) - 2}
		a.Out = 1 + rng.IntN(9)
		g.Axes[i] = a
	}
	return g, f
}

func TestFiltered(t *testing.T) {
	var ws Workspace
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
		g, f := randomFiltered(rng)
		testFiltered[float32](t, &ws, g, f, rng)
		g, f = randomFiltered(rng)
		testFiltered[float64](t, &ws, g, f, rng)
	})
}

// testFiltered: every level and split gives the same bits, within the bound; small integers give what they should.
func testFiltered[T float](t fataler, ws *Workspace, g ConvGeometry, f int, rng *rand.Rand) {
	t.Helper()
	c := newConvCase[T](g, rng.Uint64())
	integers := &convCase[T]{g, make([]T, len(c.x)), make([]T, len(c.w)), make([]T, len(c.y))}
	for i := range c.x {
		integers.x[i] = T(math.Round(4 * float64(c.x[i])))
	}
	for i := range c.y {
		integers.y[i] = T(math.Round(4 * float64(c.y[i])))
	}
	for i := range c.w { // the transforms of multiples of these are exact
		integers.w[i] = T(math.Round(4*float64(c.w[i])) * 36)
	}
	exact := filters[f] == &filter23
	wantX, wantW, wantY := integers.naive()
	cut := rng.IntN(g.N + 1)
	var first [3][]T
	for _, l := range levels() {
		restore := Use(l)
		planY, planX, planW := filteredPlans[T](&g, f)
		x, w, y, err := c.runPlans(ws, cut, planY, planX, planW)
		ix, iw, iy, ierr := integers.runPlans(ws, 0, planY, planX, planW)
		restore()
		for _, e := range []error{err, ierr} {
			if e != nil {
				t.Fatalf("%v, %+v: %v", l, g, e)
			}
		}
		for i, got := range [][]T{ix, iw, iy} {
			want := [][]float64{wantX.sum, wantW.sum, wantY.sum}[i]
			for j := range want {
				diff := math.Abs(float64(got[j]) - want[j])
				if exact && diff != 0 || !(diff <= .25) {
					t.Fatalf("%v, %+v, integers: array %d of x, w, y: [%d] = %v, want %v", l, g, i, j, got[j], want[j])
				}
			}
		}
		if first[0] == nil {
			first = [3][]T{x, w, y}
			if err := c.checkFiltered(f, x, w, y, rng); err != nil {
				t.Fatalf("%v, %+v: %v", l, g, err)
			}
			continue
		}
		for i, got := range [][]T{x, w, y} {
			if err := sameBits(first[i], got); err != nil {
				t.Fatalf("%v, array %d of x, w, y, %v and %v: %v", g, i, Generic, l, err)
			}
		}
	}
}

// checkFiltered compares elements with the sums in float64. With |·| taken of every matrix and array, the formula of
// the algorithm bounds every intermediate, S = |Aᵀ|·[Σ (|G|·|W|·|Gᵀ|) ⊙ (|Bᵀ|·|X|·|B|)]·|A|; n roundings, one for each
// term of the sum and at most a point's number for each of the six one-dimensional transforms, and the eight parts and
// groups of ConvW, err by at most n·u·S/(1-n·u). The factors of G that are no binary fractions are rounded too.
func (c *convCase[T]) checkFiltered(filter int, x, w, y []T, rng *rand.Rand) error {
	f, u := filters[filter], unitRoundoff[T]()
	wantX, wantW, wantY := c.naive()
	check := func(name string, at, terms int, got T, want, size float64) error {
		n := float64(terms+8*f.points()+16) * u
		if diff, tol := math.Abs(float64(got)-want), n*size/(1-n); !(diff <= tol) {
			return fmt.Errorf("%s[%d] = %v, want %v within %.3g", name, at, got, want, tol)
		}
		return nil
	}
	for range 5 {
		at := rng.IntN(len(y))
		e := c.formY(f, at)
		errY := check("y", at, len(e.taps), y[at], wantY.sum[at], e.value(f, inSizes))
		at = rng.IntN(len(x))
		e = c.formX(f, at)
		errX := check("x", at, len(e.taps), x[at], wantX.sum[at], e.value(f, inSizes))
		at = rng.IntN(len(w))
		size := 0.0
		for part := range ConvWParts {
			size += c.filteredW(f, part, at, inSizes, func(a, b float64) float64 { return a + b })
		}
		errW := check("w", at, c.N*c.outputs(), w[at], wantW.sum[at], size)
		for _, err := range []error{errY, errX, errW} {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// TestFilteredError: for normal data the largest error is at most 4 times that of the direct sums, with F(2,3) smaller.
func TestFilteredError(t *testing.T) {
	var ws Workspace
	largest := func(s convSum, got []float32) (e float64) {
		for i, want := range s.sum {
			e = max(e, math.Abs(float64(got[i])-want))
		}
		return e
	}
	for i, most := range []float64{1, 4, 4} {
		g := square(32, 24, 14, 3, 14, 1, 1)
		if filters[i].r == 2 {
			g = square(32, 24, 14, 4, 7, 2, 1)
		}
		g.N = 8
		c := newConvCase[float32](g, 1)
		rng := rand.New(rand.NewPCG(7, 7))
		for _, v := range [][]float32{c.x, c.w, c.y} {
			for j := range v {
				v[j] = float32(rng.NormFloat64())
			}
		}
		wantX, wantW, wantY := c.naive()
		planY, planX, planW := filteredPlans[float32](&g, i)
		x, w, y, _ := c.runPlans(&ws, 0, planY, planX, planW)
		planY, planX, planW = directConv[float32](&g)
		directX, directW, directY, _ := c.runPlans(&ws, 0, planY, planX, planW)
		for j, ratio := range []float64{
			largest(wantY, y) / largest(wantY, directY), largest(wantX, x) / largest(wantX, directX), largest(wantW, w) / largest(wantW, directW),
		} {
			t.Logf("F(%d,%d), %c: %.2f", filters[i].m, filters[i].r, "YXW"[j], ratio)
			if !(ratio <= most) {
				t.Errorf("F(%d,%d), %c: the largest error is %.2f times that of the direct sums", filters[i].m, filters[i].r, "YXW"[j], ratio)
			}
		}
	}
}

// TestFilteredNonFinite: a NaN or an infinity spreads over the tiles that read it, and no further.
func TestFilteredNonFinite(t *testing.T) {
	g := square(17, 18, 9, 3, 9, 1, 1)
	m := filters[g.filterY()].m
	c := newConvCase[float32](g, 1)
	var ws Workspace
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		c.x[((1*9+4)*9+5)*17+3] = float32(bad) // of image 1, at (4, 5)
		near := func(o, i int) bool { return o-1 <= i && i <= o+1 }
		reads := func(o, i int) bool { return o/m*m-1 <= i && i <= o/m*m+m }
		for _, l := range levels() {
			restore := Use(l)
			y := make([]float32, len(c.y))
			plan := PlanConvY[float32](&g)
			packed, _ := packWeights(&ws, plan, c.w)
			plan.Images(&ws, 0, g.N, packed, c.x, y)
			restore()
			for at, v := range y {
				d := digits(at, g.N, 9, 9, 18)
				if d[0] == 1 && near(d[1], 4) && near(d[2], 5) && v-v == 0 {
					t.Fatalf("%v: %v is lost: y%v = %v", l, bad, d, v)
				}
				if v-v != 0 && !(d[0] == 1 && reads(d[1], 4) && reads(d[2], 5)) {
					t.Fatalf("%v: %v at y%v, of another tile", l, v, d)
				}
			}
		}
	}
}
