package generative

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// toy is a distribution in the plane that is easy to look at and hard to fit. All lie within ±4.
type toy struct {
	name string
	draw func(r *rand.Rand) (a, b float64)
}

var toys = []toy{
	{"eight gaussians", func(r *rand.Rand) (a, b float64) { // on a circle of radius 2
		angle := math.Pi / 4 * float64(r.IntN(8))
		return 2*math.Cos(angle) + 0.2*r.NormFloat64(), 2*math.Sin(angle) + 0.2*r.NormFloat64()
	}},
	{"two moons", func(r *rand.Rand) (a, b float64) { // half circles that hold each other
		angle := math.Pi * r.Float64()
		a, b = math.Cos(angle)-0.5, math.Sin(angle)-0.25
		if r.IntN(2) == 1 {
			a, b = -a, -b
		}
		return 1.5*a + 0.1*r.NormFloat64(), 1.5*b + 0.1*r.NormFloat64()
	}},
	{"rings", func(r *rand.Rand) (a, b float64) { // of radius 1 and 2.5
		angle, radius := 2*math.Pi*r.Float64(), 1.0
		if r.IntN(3) > 0 {
			radius = 2.5
		}
		radius += 0.15 * r.NormFloat64()
		return radius * math.Cos(angle), radius * math.Sin(angle)
	}},
	{"checkerboard", func(r *rand.Rand) (a, b float64) { // the dark squares of 4x4, of side 1.5
		i, j := r.IntN(4), r.IntN(2)
		return 1.5 * (float64(i) - 2 + r.Float64()), 1.5 * (float64(2*j+i%2) - 2 + r.Float64())
	}},
}

// points draws n.
func (t toy) points(n int, r *rand.Rand) []float32 {
	values := make([]float32, 0, 2*n)
	for range n {
		a, b := t.draw(r)
		values = append(values, float32(a), float32(b))
	}
	return values
}

// TestToys: the generators have the means and mean squares that their formulas say, and nearly all of their points lie
// where the grid of the harness is.
func TestToys(t *testing.T) {
	const n = 20_000
	moons := 1.5*1.5*(1+0.5*0.5+0.25*0.25-2*0.25*2/math.Pi) + 2*0.1*0.1 // E cos = 0, E sin = 2/π
	squares := map[string]float64{
		"eight gaussians": 4 + 2*0.2*0.2,
		"two moons":       moons,
		"rings":           (1+2*2.5*2.5)/3 + 0.15*0.15,
		"checkerboard":    2 * 36.0 / 12, // uniform on ±3 in each direction
	}
	for _, toy := range toys {
		x := toy.points(n, rand.New(rand.NewPCG(1, 1)))
		var a, b, square float64
		for i := range n {
			u, v := float64(x[2*i]), float64(x[2*i+1])
			a, b, square = a+u/n, b+v/n, square+(u*u+v*v)/n
			if !(max(math.Abs(u), math.Abs(v)) < 4) {
				t.Errorf("%s has the point (%v, %v)", toy.name, u, v)
			}
		}
		if !(math.Hypot(a, b) <= 0.06) {
			t.Errorf("%s has mean (%v, %v), expected (0, 0)", toy.name, a, b)
		}
		if want := squares[toy.name]; !(math.Abs(square-want) <= 0.02*want) {
			t.Errorf("%s has mean square %v, expected %v", toy.name, square, want)
		}
	}
}

// tinyFlow is a flow that sees the shapes of the toys after a second.
func tinyFlow(c Coupling, layers int) *RealNVP {
	r := model.NewRecipe[RealNVP]()
	r.Coupling, r.Layers, r.Hidden, r.Epochs, r.Rate, r.Batch = c, layers, []int{32}, 15, 0.005, 128
	return r
}

// tinyRowMADE sees them too.
func tinyRowMADE() *MADE {
	r := model.NewRecipe[MADE]()
	r.Hidden, r.Epochs, r.Rate, r.Batch = []int{64}, 15, 0.01, 64
	return r
}

// densities are the recipes of models with an exact log p(x) that learn the toys.
var densities = []struct {
	name   string
	recipe model.Spec
}{
	{"gaussian", model.NewRecipe[Gaussian]()},
	{"mixture", model.NewRecipe[Mixture]()},
	{"kde", model.NewRecipe[KDE]()},
	{"naivebayes", model.NewRecipe[NaiveBayes]()},
	{"ppca", model.NewRecipe[PPCA]()},
	{"made", tinyRowMADE()},
	{"realnvp", tinyFlow(AffineCoupling, 6)},
	{"realnvp with splines", tinyFlow(SplineCoupling, 4)},
}

// TestDensities fits each to each toy. What it says about p(x) must integrate to 1, and its samples must be of that p(x).
func TestDensities(t *testing.T) {
	for _, d := range densities {
		for i, toy := range toys {
			t.Run(d.name+"/"+toy.name, func(t *testing.T) {
				r := rand.New(rand.NewPCG(2, uint64(i)))
				m, _ := fit(t, d.recipe, numbers(t, 2, toy.points(2000, r), nil), model.Run{Threads: 1})
				grid := gridOf(t, m.(model.Density))
				if mass := grid.mass(); !(math.Abs(mass-1) <= 0.01) {
					t.Errorf("p(x) integrates to %v, expected 1 to 0.01", mass)
				}
				samples := data.NewBatch(data.RowShape(2), twoSamples, false)
				if err := m.(model.Sampler).Sample(samples, r); err != nil {
					t.Fatal(err)
				}
				if p := energyTest(samples.X, grid.draw(twoSamples, r), r); !(p > 0.001) {
					t.Errorf("samples and density are of one distribution with p-value %v, expected more than 0.001", p)
				}
			})
		}
	}
}

// densityGrid is p(x) at the centres of square cells that cover ±edge.
type densityGrid struct {
	p []float64 // row by row
}

const (
	gridCells = 160 // in each direction
	gridEdge  = 8.0 // the toys end at 4, and the tails of their normal approximations at 8
	cellSide  = 2 * gridEdge / gridCells
)

// gridOf evaluates log p(x) at the centres.
func gridOf(t *testing.T, m model.Density) *densityGrid {
	t.Helper()
	b := data.NewBatch(data.RowShape(2), gridCells*gridCells, false)
	for i := range b.Len() {
		b.Row(i)[0] = float32(-gridEdge + cellSide*(float64(i/gridCells)+0.5))
		b.Row(i)[1] = float32(-gridEdge + cellSide*(float64(i%gridCells)+0.5))
	}
	g := &densityGrid{make([]float64, b.Len())}
	if err := m.LogProb(g.p, b); err != nil {
		t.Fatal(err)
	}
	for i, l := range g.p {
		g.p[i] = math.Exp(l)
	}
	return g
}

// mass is the integral of p by the midpoint rule.
func (g *densityGrid) mass() (mass float64) {
	for _, p := range g.p {
		mass += p * cellSide * cellSide
	}
	return mass
}

// draw draws n points: a cell by its share of the mass, and a place in it.
func (g *densityGrid) draw(n int, r *rand.Rand) []float32 {
	sums := make([]float64, len(g.p))
	total := 0.0
	for i, p := range g.p {
		total += p
		sums[i] = total
	}
	values := make([]float32, 0, 2*n)
	for range n {
		i := sort.SearchFloat64s(sums, total*r.Float64())
		values = append(values,
			float32(-gridEdge+cellSide*(float64(i/gridCells)+r.Float64())),
			float32(-gridEdge+cellSide*(float64(i%gridCells)+r.Float64())))
	}
	return values
}

const (
	twoSamples   = 500 // points in each sample
	permutations = 999
)

// energyTest is the p-value of the hypothesis that two samples of equal size of points in the plane are of one distribution, by
// the energy distance 2 E|X−Y| − E|X−X'| − E|Y−Y'| and random relabellings (Székely and Rizzo, Testing for equal distributions
// in high dimension, 2004). With D the distances and s the labels ±1 it is −sᵀDs up to a constant factor, and one matrix product gives all
// of them.
func energyTest(x, y []float32, r *rand.Rand) float64 {
	all := slices.Concat(x, y)
	n := len(all) / 2
	distances, labels := mat.NewDense(n, n, nil), mat.NewDense(n, 1+permutations, nil)
	for i := range n {
		for j := range n {
			distances.Set(i, j, math.Hypot(float64(all[2*i]-all[2*j]), float64(all[2*i+1]-all[2*j+1])))
		}
	}
	order := natural(n)
	for k := range 1 + permutations { // the first labelling is the true one
		for position, i := range order {
			labels.Set(i, k, float64(1-2*(2*position/n)))
		}
		order = r.Perm(n)
	}
	var product mat.Dense
	product.Mul(distances, labels)
	energy := make([]float64, 1+permutations)
	for i := range n {
		for k := range energy {
			energy[k] -= labels.At(i, k) * product.At(i, k)
		}
	}
	atLeast := 0
	for _, e := range energy {
		if e >= energy[0] {
			atLeast++
		}
	}
	return float64(atLeast) / float64(len(energy))
}

// TestEnergyTest: the test finds two samples of one toy equal, and tells a sample from one that is a quarter wider, or folded
// over an axis.
func TestEnergyTest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	eight, moons := toys[0], toys[1]
	for _, c := range []struct {
		what      string
		toy       toy
		change    func(a, b float64) (float64, float64)
		different bool
	}{
		{"the same", eight, func(a, b float64) (float64, float64) { return a, b }, false},
		{"the same", moons, func(a, b float64) (float64, float64) { return a, b }, false},
		{"a quarter wider", moons, func(a, b float64) (float64, float64) { return 1.25 * a, 1.25 * b }, true},
		{"folded", eight, func(a, b float64) (float64, float64) { return math.Abs(a), b }, true},
	} {
		t.Run(fmt.Sprint(c.toy.name, ", ", c.what), func(t *testing.T) {
			x, y := c.toy.points(twoSamples, r), c.toy.points(twoSamples, r)
			for i := 0; i < len(y); i += 2 {
				a, b := c.change(float64(y[i]), float64(y[i+1]))
				y[i], y[i+1] = float32(a), float32(b)
			}
			if p := energyTest(x, y, r); (p <= 0.001) != c.different {
				t.Errorf("p-value %v, expected the samples to be different: %v", p, c.different)
			}
		})
	}
}
