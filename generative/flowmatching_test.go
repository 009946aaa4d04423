package generative

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
	"github.com/likely-ml/likely/tensor"
)

func tinyFlowMatching() *FlowMatching {
	r := model.NewRecipe[FlowMatching]()
	tinyGuidedNetwork(&r.GuidedNetwork)
	return r
}

func TestFlowMatchingConformance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pictures := some(digits(t).Train, 16)
	for _, c := range []struct {
		name    string
		times   FlowTimes
		pairing bool
		set     data.Set
	}{
		{"digits", FlowLogitNormal, true, pictures},
		{"digits without labels", FlowUniform, false, withoutLabels(pictures)},
		{"odd pictures in colour", FlowLogitNormal, false, colours(t, data.Shape{Height: 19, Width: 5, Channels: 3}, 40, r)},
		{"table", FlowUniform, true, numbers(t, 2, correlated(60, r), nil)},
		{"table of all kinds of column, with classes", FlowLogitNormal, false, mixedTable(t, 60, r)},
	} {
		t.Run(c.name, func(t *testing.T) {
			recipe := tinyFlowMatching()
			recipe.Times, recipe.Pairing = c.times, c.pairing
			modeltest.Check(t, modeltest.Subject{Spec: recipe, Train: c.set, Validation: c.set})
		})
	}
}

func TestFlowMatchingErrors(t *testing.T) {
	set := withoutLabels(some(digits(t).Train, 16))
	recipe := tinyFlowMatching()
	recipe.Channels = nil
	if _, _, err := recipe.Fit(t.Context(), set, model.Run{}); err == nil || !strings.Contains(err.Error(), "flowmatching: channels is empty") {
		t.Errorf("without channels the error is %v", err)
	}
	m, _ := fit(t, tinyFlowMatching(), set, model.Run{})
	tunable := m.(model.Tunable)
	options := tunable.Options().(*FlowOptions)
	options.Guidance = 2
	if _, err := tunable.Tune(options); err == nil || !strings.Contains(err.Error(), "fitted without labels") {
		t.Errorf("guidance without classes: the error is %v", err)
	}
}

// gaussVelocity is E[x − ε | x_t] for data N(centre, width²): x_t has the mean t·centre and the variance
// (1 − t)² + t²·width², and its covariance with x − ε is t·width² − (1 − t).
func gaussVelocity(dst, at []float32, t float64) error {
	slope := (t*gaussWidth*gaussWidth - (1 - t)) / ((1-t)*(1-t) + t*t*gaussWidth*gaussWidth)
	for i, v := range at {
		dst[i] = float32(gaussCentre + slope*(float64(v)-t*gaussCentre))
	}
	return nil
}

// TestFlowSolverOrder: the error at the end of x' = −2t·x², which is 1/(1/x₀ + t²), falls with the number of steps as a
// sampler's order says; and with the exact velocity each takes ε to centre + width·ε.
func TestFlowSolverOrder(t *testing.T) {
	for _, c := range []struct {
		solver FlowSampler
		steps  int
		order  float64
	}{{FlowEuler, 64, 1}, {FlowMidpoint, 32, 2}, {FlowHeun, 32, 2}, {FlowRK4, 4, 4}} {
		errorAt := func(steps int) float64 {
			x := []float32{2}
			err := butchers[c.solver].solve(t.Context(), x, steps, func(dst, x []float32, t float64) error {
				dst[0] = float32(-2 * t * float64(x[0]) * float64(x[0]))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return math.Abs(float64(x[0]) - 1/(0.5+1))
		}
		coarse, fine := errorAt(c.steps), errorAt(2*c.steps)
		if order := math.Log2(coarse / fine); !(math.Abs(order-c.order) <= 0.25) {
			t.Errorf("%s: errors of %v and %v in %d and twice as many steps make an order of %.2f, expected %v",
				c.solver, coarse, fine, c.steps, order, c.order)
		}
		x := []float32{-1.5}
		if err := butchers[c.solver].solve(t.Context(), x, 256, gaussVelocity); err != nil {
			t.Fatal(err)
		}
		if want := gaussCentre - 1.5*gaussWidth; !(math.Abs(float64(x[0])-want) <= 0.01) {
			t.Errorf("%s: ε = −1.5 becomes %v, expected %v", c.solver, x[0], want)
		}
	}
}

func TestFlowSolverEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := butchers[FlowRK4].solve(ctx, []float32{1}, 1, gaussVelocity); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// TestTimes compares the draws of t with the quartiles of their distribution.
func TestTimes(t *testing.T) {
	const n = 4000
	for times, upper := range map[FlowTimes]float64{FlowUniform: 0.75, FlowLogitNormal: 1 / (1 + math.Exp(-0.6744898))} {
		e := runGraph(t, func(g *tensor.Graph) { g.Output("t", times.draw(fixedNoise(g), n)) })
		for u, quantile := range map[float64]float64{0.25: 1 - upper, 0.5: 0.5, 0.75: upper} {
			below := 0.0
			for _, v := range e.Output("t").F32 {
				if float64(v) < quantile {
					below++
				}
			}
			if se := math.Sqrt(u * (1 - u) / n); !(math.Abs(below/n-u) <= 4*se) {
				t.Errorf("%s: a share of %v lies below %v, expected %v", times, below/n, quantile, u)
			}
		}
	}
}

// TestAssign compares with all permutations.
func TestAssign(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 7 {
		for range 20 {
			cost := make([][]float64, n)
			for i := range cost {
				cost[i] = make([]float64, n)
				for j := range cost[i] {
					cost[i][j] = float64(r.IntN(20)) - 5 // with ties
				}
			}
			columns := assign(cost)
			total, seen := 0.0, make([]bool, n)
			for i, j := range columns {
				if seen[j] {
					t.Fatalf("column %d twice in %v", j, columns)
				}
				seen[j] = true
				total += cost[i][j]
			}
			if best := leastCost(cost, 0, make([]bool, n)); total != best {
				t.Fatalf("%d rows: cost %v, expected %v", n, total, best)
			}
		}
	}
}

// leastCost tries every free column for rows from row on.
func leastCost(cost [][]float64, row int, taken []bool) float64 {
	if row == len(cost) {
		return 0
	}
	best := math.Inf(1)
	for j, is := range taken {
		if !is {
			taken[j] = true
			best = min(best, cost[row][j]+leastCost(cost, row+1, taken))
			taken[j] = false
		}
	}
	return best
}

// TestPairing: each class gets the noise that would have been its own without pairing, shared out anew so that the distances
// fall, and x stays.
func TestPairing(t *testing.T) {
	set := some(digits(t).Train, 40)
	raw := read(t, set)
	transform, err := denoisingTransform(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	size := transform.OutShape().Size()
	dst := data.NewBatch(data.RowShape(2*size), raw.Len(), false)
	if err := preparePairs(dst, raw, transform, rand.New(rand.NewPCG(9, 9))); err != nil {
		t.Fatal(err)
	}
	x := data.NewBatch(transform.OutShape(), raw.Len(), false)
	if err := transform.Apply(x, raw); err != nil {
		t.Fatal(err)
	}
	noise := normals(len(x.X), 1, rand.New(rand.NewPCG(9, 9)))
	before, after := make([]float64, 10), make([]float64, 10)
	owner := map[float32]int32{} // the class of the noise that begins with a number
	for i := range raw.Len() {
		owner[noise[i*size]] = raw.Y[i]
		before[raw.Y[i]] += pairDistance(x.Row(i), noise[i*size:(i+1)*size])
	}
	for i := range raw.Len() {
		row := dst.Row(i)
		if !slices.Equal(row[:size], x.Row(i)) {
			t.Fatalf("example %d has changed", i)
		}
		if class, ok := owner[row[size]]; !ok || class != raw.Y[i] {
			t.Fatalf("example %d of class %d has noise of class %d", i, raw.Y[i], class)
		}
		delete(owner, row[size])
		after[raw.Y[i]] += pairDistance(x.Row(i), row[size:])
	}
	for k := range before {
		if !(after[k] <= before[k]) {
			t.Errorf("class %d: the distances were %v and are %v", k, before[k], after[k])
		}
	}
}

// moonRows are two half circles that interlock, with some noise; the first columns of rows are the place, labels which moon.
func moonRows(n int, r *rand.Rand) (rows []float32, labels []int32) {
	for i := range n {
		a := math.Pi * r.Float64()
		x, y := math.Cos(a), math.Sin(a)
		if i%2 == 1 {
			x, y = 1-x, 0.5-y
		}
		rows = append(rows, float32(x+0.06*r.NormFloat64()), float32(y+0.06*r.NormFloat64()))
		labels = append(labels, int32(i%2))
	}
	return rows, labels
}

// moonDistance is the energy distance, 2 E|X − Y| − E|X − X'| − E|Y − Y'| of two samples in the plane (Székely and Rizzo, 2013), without bias.
func moonDistance(x, y []float32) float64 {
	mean := func(a, b []float32, same bool) float64 {
		sum, count := 0.0, 0
		for i := 0; i < len(a); i += 2 {
			for j := 0; j < len(b); j += 2 {
				if !same || i != j {
					sum += math.Hypot(float64(a[i]-b[j]), float64(a[i+1]-b[j+1]))
					count++
				}
			}
		}
		return sum / float64(count)
	}
	return 2*mean(x, y, false) - mean(x, x, true) - mean(y, y, true)
}

// TestMoons learns two moons, and expects samples of each to be near it in energy. For comparison: fresh points of a moon are at
// 0.0006 from others, a normal distribution with the moon's mean and covariance at 0.038.
func TestMoons(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	rows, labels := moonRows(1000, r)
	set := numbers(t, 2, rows, labels, "upper", "lower")
	flow, diffusion := model.NewRecipe[FlowMatching](), model.NewRecipe[Diffusion]()
	for _, n := range []*GuidedNetwork{&flow.GuidedNetwork, &diffusion.GuidedNetwork} {
		n.Units, n.Blocks, n.Epochs, n.Batch, n.Rate, n.Average = 48, 2, 80, 64, 0.003, 0.98
	}
	fresh, _ := moonRows(2000, r)
	for name, spec := range map[string]model.Spec{"flowmatching": flow, "diffusion": diffusion} {
		m, _ := fit(t, spec, set, model.Run{Threads: 1})
		r := rand.New(rand.NewPCG(13, 14))
		for class := range int32(2) {
			var real []float32
			for i := int(class); i < 2000; i += 2 {
				real = append(real, fresh[2*i:2*i+2]...)
			}
			b := data.NewBatch(data.RowShape(2), 1000, false)
			if err := m.(model.CondSampler).SampleGiven(b, slices.Repeat([]int32{class}, 1000), r); err != nil {
				t.Fatal(err)
			}
			distance := moonDistance(b.X, real)
			if !(distance <= 0.02) {
				t.Errorf("%s: class %d: energy distance %.5f, expected at most 0.02", name, class, distance)
			}
		}
	}
}

// TestCategoriesStayTied learns a table with a column that decides another, and expects that samples keep the tie and the
// frequencies.
func TestCategoriesStayTied(t *testing.T) {
	const n = 600
	r := rand.New(rand.NewPCG(15, 16))
	values := make([]float32, 0, 2*n)
	for range n {
		level := 0
		if r.Float64() < 0.3 {
			level = 1
		}
		values = append(values, float32(level), float32(50*float64(level)+3*r.NormFloat64()))
	}
	set, err := data.NewTable(&data.Schema{Shape: data.RowShape(2), Columns: []data.Column{
		{Name: "kind", Kind: data.Categorical, Levels: []string{"low", "high"}}, {Name: "value", Kind: data.Numeric}}}, values, nil)
	if err != nil {
		t.Fatal(err)
	}
	flow, diffusion := model.NewRecipe[FlowMatching](), model.NewRecipe[Diffusion]()
	for name, spec := range map[string]model.Spec{"flowmatching": flow, "diffusion": diffusion} {
		for _, n := range []*GuidedNetwork{&flow.GuidedNetwork, &diffusion.GuidedNetwork} {
			n.Units, n.Blocks, n.Epochs, n.Batch, n.Rate, n.Average = 48, 2, 100, 50, 0.003, 0.98
		}
		m, _ := fit(t, spec, set, model.Run{Threads: 1})
		r := rand.New(rand.NewPCG(13, 14))
		b := data.NewBatch(data.RowShape(2), 1000, false)
		if err := m.(model.Sampler).Sample(b, r); err != nil {
			t.Fatal(err)
		}
		high, apart := 0.0, 0
		for i := range b.Len() {
			row := b.Row(i)
			high += float64(row[0]) / 1000
			if math.Abs(float64(row[1]-50*row[0])) > 15 {
				apart++
			}
		}
		if !(math.Abs(high-0.3) <= 0.08 && apart <= 20) {
			t.Errorf("%s: a share of %v is high, expected 0.3, and in %d of 1000 rows the value does not fit the kind", name, high, apart)
		}
	}
}
