package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// convCase holds the three arrays of a geometry, each an odd way into a larger one whose margins are NaN.
type convCase[T float] struct {
	ConvGeometry
	x, w, y []T
}

const convMargin = 5

func newConvCase[T float](g ConvGeometry, seed uint64) *convCase[T] {
	rng := rand.New(rand.NewPCG(seed, 2))
	array := func(n int) []T {
		whole := make([]T, n+2*convMargin)
		for i := range whole {
			whole[i] = T(math.NaN())
		}
		inner := whole[convMargin : convMargin+n : convMargin+n]
		for i := range inner {
			inner[i] = T(rng.Float64()*2 - 1)
		}
		return inner
	}
	return &convCase[T]{g, array(g.XLen()), array(g.WLen()), array(g.YLen())}
}

// convSum is what the oracle finds: the sums in float64, the sums of the terms' sizes, and their number.
type convSum struct {
	sum, size []float64
	terms     []int
}

// naive visits every term of the trilinear form and adds it to ∂T/∂x, ∂T/∂w and ∂T/∂y.
func (c *convCase[T]) naive() (x, w, y convSum) {
	for _, s := range []struct {
		to *convSum
		n  int
	}{{&x, len(c.x)}, {&w, len(c.w)}, {&y, len(c.y)}} {
		*s.to = convSum{make([]float64, s.n), make([]float64, s.n), make([]int, s.n)}
	}
	add := func(to *convSum, i int, a, b T) {
		to.sum[i] = math.FMA(float64(a), float64(b), to.sum[i])
		to.size[i] += math.Abs(float64(a) * float64(b))
		to.terms[i]++
	}
	h, v := c.Axes[0], c.Axes[1]
	for n := range c.N {
		for o0 := range h.Out {
			for o1 := range v.Out {
				for k0 := range h.Kernel {
					for k1 := range v.Kernel {
						i0, i1 := h.Stride*o0+h.Dilation*k0-h.Pad, v.Stride*o1+v.Dilation*k1-v.Pad
						if i0 < 0 || i0 >= h.In || i1 < 0 || i1 >= v.In {
							continue
						}
						for group := range c.Groups {
							for a := range c.CI {
								for b := range c.CO {
									xi := ((n*h.In+i0)*v.In+i1)*c.Groups*c.CI + group*c.CI + a
									wi := ((k0*v.Kernel+k1)*c.CI+a)*c.Groups*c.CO + group*c.CO + b
									yi := ((n*h.Out+o0)*v.Out+o1)*c.Groups*c.CO + group*c.CO + b
									add(&x, xi, c.w[wi], c.y[yi])
									add(&w, wi, c.x[xi], c.y[yi])
									add(&y, yi, c.x[xi], c.w[wi])
								}
							}
						}
					}
				}
			}
		}
	}
	return x, w, y
}

// check compares got with the oracle. The bound is that of any order of rounded additions of that many terms, with
// as many again for the eight parts and for zeros.
func checkSums[T float](name string, s *convSum, got []T) error {
	u := unitRoundoff[T]()
	for i, want := range s.sum {
		tol := 2 * float64(s.terms[i]+10) * u * s.size[i]
		if diff := math.Abs(float64(got[i]) - want); !(diff <= tol) {
			return fmt.Errorf("%s[%d] = %v, want %v within %.3g", name, i, got[i], want, tol)
		}
	}
	return nil
}

// guarded returns n elements of NaN within margins of NaN, and a function that says whether the margins still are.
func guarded[T float](n int) (inner []T, intact func() error) {
	whole := make([]T, n+2*convMargin)
	for i := range whole {
		whole[i] = T(math.NaN())
	}
	return whole[convMargin : convMargin+n : convMargin+n], func() error {
		for i, v := range whole {
			if (i < convMargin || i >= convMargin+n) && v == v {
				return fmt.Errorf("element %d of a result of %d was written: %v", i-convMargin, n, v)
			}
		}
		return nil
	}
}

// packWeights returns what a plan makes of w, and a function that says whether what is around it is intact.
func packWeights[T float](ws *Workspace, p *ConvPlan[T], w []T) (packed []T, intact func() error) {
	if p.Packed() == 0 {
		return w, func() error { return nil }
	}
	packed, intact = guarded[T](p.Packed())
	p.Pack(ws, w, packed)
	return packed, intact
}

// repack packs again.
func repack[T float](ws *Workspace, p *ConvPlan[T], w, packed []T) {
	if p.Packed() > 0 {
		p.Pack(ws, w, packed)
	}
}

// run computes all three members of the family, the batch cut at the given image.
func (c *convCase[T]) run(ws *Workspace, cut int) (x, w, y []T, err error) {
	g := &c.ConvGeometry
	return c.runPlans(ws, cut, PlanConvY[T](g), PlanConvX[T](g), PlanConvW[T](g))
}

func (c *convCase[T]) runPlans(ws *Workspace, cut int, planY, planX *ConvPlan[T], planW *ConvWPlan[T]) (x, w, y []T, err error) {
	x, intactX := guarded[T](len(c.x))
	y, intactY := guarded[T](len(c.y))
	partials, intactW := guarded[T](ConvWParts * len(c.w))
	w = make([]T, len(c.w))
	packed, intactPacked := packWeights(ws, planY, c.w)
	planY.Images(ws, cut, c.N, packed, c.x, y)
	planY.Images(ws, 0, cut, packed, c.x, y)
	if err := intactPacked(); err != nil {
		return nil, nil, nil, err
	}
	packed, intactPacked = packWeights(ws, planX, c.w)
	planX.Images(ws, 0, cut, packed, c.y, x)
	planX.Images(ws, cut, c.N, packed, c.y, x)
	for p := range ConvWParts {
		q := (p + cut) % ConvWParts
		planW.Part(ws, q, c.x, c.y, partials[q*len(w):(q+1)*len(w)])
	}
	ConvWSum(partials, w, 0, len(w)/2)
	ConvWSum(partials, w, len(w)/2, len(w))
	for _, intact := range []func() error{intactX, intactY, intactW, intactPacked} {
		if e := intact(); e != nil {
			err = e
		}
	}
	return x, w, y, err
}

// randomAxis draws an axis of at most `most` positions.
func randomAxis(rng *rand.Rand, most int) ConvAxis {
	a := ConvAxis{In: 1 + rng.IntN(most), Kernel: 1 + rng.IntN(5), Stride: []int{1, 1, 2, 3}[rng.IntN(4)], Dilation: 1 + rng.IntN(3), Pad: rng.IntN(6) - 2}
	high := rng.IntN(6) - 2
	for ; a.In+a.Pad+high < a.Dilation*(a.Kernel-1)+1; a.Kernel-- {
		if a.Kernel == 1 { // cropped to nothing
			return a
		}
	}
	a.Out = (a.In+a.Pad+high-a.Dilation*(a.Kernel-1)-1)/a.Stride + 1
	return a
}

// randomConv draws a geometry of any kind.
func randomConv(rng *rand.Rand) ConvGeometry {
	channels := []int{0, 1, 1, 2, 3, 3, 4, 5, 7, 8, 13, 16, 17, 33, 40}
	g := ConvGeometry{N: rng.IntN(11), Groups: []int{1, 1, 2, 3}[rng.IntN(4)],
		CI: channels[rng.IntN(len(channels))], CO: channels[rng.IntN(len(channels))]}
	kind := rng.IntN(8)
	for i := range g.Axes {
		n := 1 + rng.IntN(6)
		switch kind {
		case 0: // one tap everywhere
			g.Axes[i] = ConvAxis{In: n, Kernel: 1, Out: n, Stride: 1, Dilation: 2}
		case 1: // a kernel as large as the image
			g.Axes[i] = ConvAxis{In: n, Kernel: n, Out: 1, Stride: 2, Dilation: 1}
		default:
			g.Axes[i] = randomAxis(rng, 9+9*i)
		}
	}
	return g
}

func TestConv(t *testing.T) {
	var ws Workspace
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
		for range 3 {
			testConv[float32](t, &ws, randomConv(rng), rng.Uint64(), rng.IntN(11))
		}
		testConv[float64](t, &ws, randomConv(rng), rng.Uint64(), rng.IntN(11))
	})
}

// TestRandomConv tests the generator: every way to compute a convolution is drawn.
func TestRandomConv(t *testing.T) {
	seen := map[string]int{}
	rng := rand.New(rand.NewPCG(1, 3))
	for range 300 {
		g := randomConv(rng)
		_, matrix := g.asMatrix()
		switch {
		case g.XLen()*g.WLen()*g.YLen() == 0:
			seen["empty"]++
		case matrix:
			seen["matrix"]++
		default:
			seen[fmt.Sprintf("termwise y %v, w %v", g.termwiseY(), g.termwiseW())]++
			seen[fmt.Sprintf("few channels %v", g.CI <= fewChannels)]++
			seen[fmt.Sprintf("mirrored %v", g.isBetterMirrored())]++
			seen[fmt.Sprintf("stride 1 %v", g.Axes[0].Stride*g.Axes[1].Stride == 1)]++
			seen[fmt.Sprintf("crop %v", g.Axes[0].Pad < 0)]++
			seen[fmt.Sprintf("several blocks %v", g.taps()*g.CI > maxBlock)]++
		}
	}
	t.Log(seen)
	for _, kind := range []string{"empty", "matrix", "few channels true", "few channels false", "mirrored true", "mirrored false",
		"termwise y true, w true", "termwise y true, w false", "termwise y false, w false", "stride 1 true", "stride 1 false",
		"crop true", "crop false", "several blocks true", "several blocks false"} {
		if seen[kind] < 5 {
			t.Errorf("%s: drawn %d times of 300", kind, seen[kind])
		}
	}
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// testConv: every level is right, and all levels and splits of the batch give the same bits. Minimal filtering, which is
// less accurate, has its own test; where it would be used this one is of the direct sums.
func testConv[T float](t fataler, ws *Workspace, g ConvGeometry, seed uint64, cut int) {
	t.Helper()
	c := newConvCase[T](g, seed)
	cut = min(cut, g.N)
	wantX, wantW, wantY := c.naive()
	var first [3][]T
	for _, l := range levels() {
		restore := Use(l)
		x, w, y, err := c.runDirect(ws, cut)
		restore()
		for _, e := range []error{err, checkSums("x", &wantX, x), checkSums("w", &wantW, w), checkSums("y", &wantY, y)} {
			if e != nil {
				t.Fatalf("%v, %+v: %v", l, g, e)
			}
		}
		if first[0] == nil {
			first = [3][]T{x, w, y}
			restore = Use(Detected())
			x, w, y, _ = c.runDirect(ws, 0)
			restore()
		}
		for i, got := range [][]T{x, w, y} {
			if err := sameBits(first[i], got); err != nil {
				t.Fatalf("%v, array %d of x, w, y, %v and %v: %v", g, i, Generic, l, err)
			}
		}
	}
}

// runDirect is run without minimal filtering.
func (c *convCase[T]) runDirect(ws *Workspace, cut int) (x, w, y []T, err error) {
	g := &c.ConvGeometry
	planY, planX, planW := PlanConvY[T](g), PlanConvX[T](g), PlanConvW[T](g)
	directY, directX, directW := directConv[T](g)
	if g.filterY() >= 0 {
		planY = directY
	}
	if g.filterW() >= 0 {
		planW = directW
	}
	if g.filterX() >= 0 {
		planX = directX
	}
	return c.runPlans(ws, cut, planY, planX, planW)
}

// directConv returns the general ways to compute the sums directly.
func directConv[T float](g *ConvGeometry) (y, x *ConvPlan[T], w *ConvWPlan[T]) {
	if g.xImage()*g.yImage() == 0 {
		return nil, nil, nil
	}
	c := newConv[T](g)
	return &ConvPlan[T]{*g, g.xImage(), g.yImage(), newGatherY(c)}, &ConvPlan[T]{*g, g.yImage(), g.xImage(), newPhasesX(c)},
		&ConvWPlan[T]{*g, newGatherW(c)}
}

// The shapes of small networks for pictures, two images of each.
var convShapes = []struct {
	name string
	ConvGeometry
}{
	{"3x3x1-32,28x28", square(1, 32, 28, 3, 28, 1, 1)},
	{"3x3x32-64,14x14", square(32, 64, 14, 3, 14, 1, 1)},
	{"4x4s2x1-64,28x28", square(1, 64, 28, 4, 14, 2, 1)},
	{"4x4s2x64-128,14x14", square(64, 128, 14, 4, 7, 2, 1)},
	{"3x3x3-32,32x32", square(3, 32, 32, 3, 32, 1, 1)},
	{"3x3x64-3,28x28", square(64, 3, 28, 3, 28, 1, 1)},
	{"1x1x64-32,14x14", square(64, 32, 14, 1, 14, 1, 0)},
	{"7x7x64-10,7x7", square(64, 10, 7, 7, 1, 1, 0)},
}

func square(ci, co, in, kernel, out, stride, pad int) ConvGeometry {
	a := ConvAxis{In: in, Kernel: kernel, Out: out, Stride: stride, Dilation: 1, Pad: pad}
	return ConvGeometry{N: 2, Groups: 1, CI: ci, CO: co, Axes: [2]ConvAxis{a, a}}
}

func TestConvShapes(t *testing.T) {
	var ws Workspace
	for i, s := range convShapes {
		testConv[float32](t, &ws, s.ConvGeometry, uint64(i), 1)
		if f := s.filterY(); f >= 0 {
			testFiltered[float32](t, &ws, s.ConvGeometry, f, rand.New(rand.NewPCG(uint64(i), 3)))
		}
	}
}

// TestConvEmpty: without images, channels, inputs or outputs the results are empty or zero.
func TestConvEmpty(t *testing.T) {
	full := square(9, 8, 5, 3, 5, 1, 1)
	narrow := square(9, 2, 5, 3, 5, 1, 1)
	var ws Workspace
	for _, g := range []ConvGeometry{full, narrow, square(2, 8, 5, 3, 5, 1, 1)} {
		for i, change := range []func(g *ConvGeometry){
			func(g *ConvGeometry) { g.N = 0 },
			func(g *ConvGeometry) { g.CI = 0 },
			func(g *ConvGeometry) { g.CO = 0 },
			func(g *ConvGeometry) { g.Axes[0].In = 0 },
			func(g *ConvGeometry) { g.Axes[1].Out = 0 },
		} {
			g := g
			change(&g)
			testConv[float32](t, &ws, g, uint64(i), 1)
		}
	}
}

// TestConcurrent: threads with a workspace each share one product and some convolutions, and change no bit.
func TestConcurrent(t *testing.T) {
	product := newGemmCase[float32](1, false, false, false, 100, 70, 50, 0, 0, 0, 0)
	var ws Workspace
	want := product.run(&ws, nil, nil)
	for _, g := range []ConvGeometry{square(7, 9, 8, 3, 8, 1, 1), square(19, 16, 8, 3, 8, 1, 1), square(17, 18, 8, 4, 4, 2, 1)} {
		g.N = 5
		c := newConvCase[float32](g, 2)
		wantX, wantW, wantY, _ := c.run(&ws, 1)
		planY, planX, planW := PlanConvY[float32](&g), PlanConvX[float32](&g), PlanConvW[float32](&g)
		packedY, _ := packWeights(&ws, planY, c.w)
		packedX, _ := packWeights(&ws, planX, c.w)
		for _, threads := range []int{2, 7} {
			got := append([]float32(nil), product.wholeC...)
			x, y := make([]float32, len(c.x)), make([]float32, len(c.y))
			parts, w := make([]float32, ConvWParts*len(c.w)), make([]float32, len(c.w))
			share := func(n, i int) (from, to int) { return n * i / threads, n * (i + 1) / threads }
			var wg sync.WaitGroup
			for i := range threads {
				wg.Go(func() {
					var ws Workspace
					from, to := share(product.m, i)
					product.call(&ws, from, to, 0, product.n, got)
					from, to = share(g.N, i)
					planY.Images(&ws, from, to, packedY, c.x, y)
					planX.Images(&ws, from, to, packedX, c.y, x)
					from, to = share(ConvWParts, i)
					for p := from; p < to; p++ {
						planW.Part(&ws, p, c.x, c.y, parts[p*len(w):][:len(w)])
					}
				})
			}
			wg.Wait()
			ConvWSum(parts, w, 0, len(w))
			for i, pair := range [][2][]float32{{want, got}, {wantX, x}, {wantW, w}, {wantY, y}} {
				if err := sameBits(pair[0], pair[1]); err != nil {
					t.Errorf("%+v, %d threads, result %d: %v", g, threads, i, err)
				}
			}
		}
	}
}

// TestConvAllocates: nothing, once the workspace has grown.
func TestConvAllocates(t *testing.T) {
	var ws Workspace
	for _, s := range convShapes {
		c := newConvCase[float32](s.ConvGeometry, 1)
		g := &c.ConvGeometry
		planY, planX, planW := PlanConvY[float32](g), PlanConvX[float32](g), PlanConvW[float32](g)
		packedY, _ := packWeights(&ws, planY, c.w)
		packedX, _ := packWeights(&ws, planX, c.w)
		for name, call := range map[string]func(){
			"pack":  func() { repack(&ws, planY, c.w, packedY); repack(&ws, planX, c.w, packedX) },
			"ConvY": func() { planY.Images(&ws, 0, g.N, packedY, c.x, c.y) },
			"ConvX": func() { planX.Images(&ws, 0, g.N, packedX, c.y, c.x) },
			"ConvW": func() { planW.Part(&ws, ConvWParts-1, c.x, c.y, c.w) },
		} {
			if n := testing.AllocsPerRun(1, call); n != 0 {
				t.Errorf("%s %s: %v allocations", name, s.name, n)
			}
		}
	}
}

func BenchmarkConv(b *testing.B) {
	for _, l := range levels() {
		for _, s := range convShapes {
			g := s.ConvGeometry
			g.N = 128
			c := newConvCase[float32](g, 1)
			for _, v := range []*[]float32{&c.x, &c.w, &c.y} { // on cache lines, as an arena has them
				*v = append(reserve([]float32(nil), len(*v))[:0], *v...)
			}
			flops := 2 * float64(len(c.y)) * float64(g.CI*g.taps())
			var ws Workspace
			partials := make([]float32, ConvWParts*len(c.w))
			restore := Use(l)
			planY, planX, planW := PlanConvY[float32](&g), PlanConvX[float32](&g), PlanConvW[float32](&g)
			restore()
			packedY, _ := packWeights(&ws, planY, c.w)
			packedX, _ := packWeights(&ws, planX, c.w)
			for name, f := range map[string]func(){
				"Y": func() {
					repack(&ws, planY, c.w, packedY)
					planY.Images(&ws, 0, g.N, packedY, c.x, c.y)
				},
				"X": func() {
					repack(&ws, planX, c.w, packedX)
					planX.Images(&ws, 0, g.N, packedX, c.y, c.x)
				},
				"W": func() {
					for p := range ConvWParts {
						planW.Part(&ws, p, c.x, c.y, partials[p*len(c.w):][:len(c.w)])
					}
					ConvWSum(partials, c.w, 0, len(c.w))
				},
			} {
				b.Run(fmt.Sprintf("%v/%s/%s", l, s.name, name), func(b *testing.B) {
					defer Use(l)()
					for b.Loop() {
						f()
					}
					reportFlops(b, flops)
				})
			}
		}
	}
}
