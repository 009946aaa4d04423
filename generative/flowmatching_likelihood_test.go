package generative

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor"
)

// gaussTraced is gaussVelocity of rows of so many elements; its Jacobian is diagonal, with the slope of gaussVelocity.
func gaussTraced(size int) tracedVelocity {
	return func(dst, trace, x []float32, t float64) error {
		slope := (t*gaussWidth*gaussWidth - (1 - t)) / ((1-t)*(1-t) + t*t*gaussWidth*gaussWidth)
		for i := range trace {
			trace[i] = float32(float64(size) * slope)
		}
		return gaussVelocity(dst, x, t)
	}
}

// TestFlowLogProb: with the best velocity of N(centre, width²) the estimate is log p(x), and its error falls with the number of steps
// as the solver's order says.
func TestFlowLogProb(t *testing.T) {
	rows := []float32{0.3, 0.3, 1.4, -0.9, -0.2, 0.8}
	worst := func(solver FlowSampler, steps int) float64 {
		x, dst := slices.Clone(rows), make([]float64, 3)
		if err := butchers[solver].logProb(t.Context(), dst, x, steps, gaussTraced(2)); err != nil {
			t.Fatal(err)
		}
		most := 0.0
		for i, got := range dst {
			want := 0.0
			for _, v := range rows[2*i : 2*i+2] {
				u := (float64(v) - gaussCentre) / gaussWidth
				want -= u*u/2 + math.Log(gaussWidth) + math.Log(2*math.Pi)/2
			}
			most = max(most, math.Abs(got-want))
			if math.IsNaN(got) {
				return got
			}
		}
		return most
	}
	if e := worst(likelihoodSolver, likelihoodSteps); !(e <= 1e-3) {
		t.Errorf("the error is %v nats, expected at most 0.001", e)
	}
	for _, c := range []struct {
		solver FlowSampler
		steps  int
		order  float64
	}{{FlowEuler, 128, 1}, {FlowMidpoint, 64, 2}, {FlowHeun, 64, 2}, {FlowRK4, 8, 4}} {
		coarse, fine := worst(c.solver, c.steps), worst(c.solver, 2*c.steps)
		// The fourth order has its own rate only where the errors are below what float32 resolves; before, they fall faster.
		if order := math.Log2(coarse / fine); !(order >= c.order-0.3 && order <= c.order+0.7) {
			t.Errorf("%s: errors of %v and %v in %d and twice as many steps make an order of %.2f, expected about %v",
				c.solver, coarse, fine, c.steps, order, c.order)
		}
	}
}

// TestTrace: of v = tanh(xA), whose Jacobian is known, the unit vectors give the trace, and so does the mean over all ε of ±1.
func TestTrace(t *testing.T) {
	const size = 4
	r := rand.New(rand.NewPCG(1, 2))
	a, x := normals(size*size, 0.5, r), normals(size, 1, r)
	want := 0.0
	for j := range size {
		sum := 0.0
		for i := range size {
			sum += float64(x[i]) * float64(a[i*size+j])
		}
		want += (1 - math.Tanh(sum)*math.Tanh(sum)) * float64(a[j*size+j])
	}
	const all = 1 << size
	rows, probes := slices.Repeat(x, all), make([]float32, 0, all*size)
	for i := range all {
		for j := range size {
			probes = append(probes, float32(2*(i>>j&1)-1))
		}
	}
	e := runGraph(t, func(g *tensor.Graph) {
		matrix := tensor.Reshape(constantNumbers(g, a), size, size)
		x := tensor.Reshape(constantNumbers(g, rows), all, size)
		v := tensor.Tanh(tensor.MatMul(x, matrix))
		g.Output("exact", trace(v, x, units(x)...))
		g.Output("estimate", trace(v, x, tensor.Reshape(constantNumbers(g, probes), all, size)))
	})
	mean := 0.0
	for i, v := range e.Output("estimate").F32 {
		mean += float64(v) / all
		if exact := float64(e.Output("exact").F32[i]); !(math.Abs(exact-want) <= 1e-6) {
			t.Errorf("the trace is %v, expected %v", exact, want)
		}
	}
	if !(math.Abs(mean-want) <= 1e-6) {
		t.Errorf("the mean of the estimates is %v, expected %v", mean, want)
	}
}

// TestTraceOfNetwork compares εᵀ(∂v/∂x)ε of a fitted network, of pictures by one ε and of a table by all unit vectors, with
// differences of the velocity that samples follow.
func TestTraceOfNetwork(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	rows, labels := moonRows(64, r)
	for name, set := range map[string]data.Set{"digits": some(digits(t).Train, 16), "table": numbers(t, 2, rows, labels, "upper", "lower")} {
		m, _ := fit(t, tinyFlowMatching(), set, model.Run{Threads: 1})
		flow := &m.(*CondMatchedFlow).flowing
		const n, time, step = 3, 0.6, 1e-2
		size := flow.Transform.OutShape().Size()
		x, y := normals(n*size, 1, r), []int32{1, 0, 1}
		epsilon := signs(n*size, r)
		probes := [][]float32{epsilon}
		if size <= exactTrace {
			probes, epsilon = nil, nil
			for j := range size {
				unit := make([]float32, n*size)
				for i := range n {
					unit[i*size+j] = 1
				}
				probes = append(probes, unit)
			}
		}
		velocity, traces := make([]float32, n*size), make([]float32, n)
		if err := flow.trace(velocity, traces, x, time, y, epsilon); err != nil {
			t.Fatal(err)
		}
		at := func(x []float32) []float32 {
			v := make([]float32, n*size)
			if err := flow.guide(v, x, time, y, 1); err != nil {
				t.Fatal(err)
			}
			return v
		}
		for i, v := range at(x) {
			if !(math.Abs(float64(velocity[i]-v)) <= 1e-5) {
				t.Fatalf("%s: the velocity is %v beside its trace, %v alone", name, velocity[i], v)
			}
		}
		want := make([]float64, n)
		for _, probe := range probes {
			ahead, behind := slices.Clone(x), slices.Clone(x)
			for i, e := range probe {
				ahead[i] += step * e
				behind[i] -= step * e
			}
			after, before := at(ahead), at(behind)
			for i, e := range probe {
				want[i/size] += float64(e) * (float64(after[i]) - float64(before[i])) / (2 * step)
			}
		}
		for i, got := range traces {
			if !(math.Abs(float64(got)-want[i]) <= 2e-3*(1+math.Abs(want[i]))) {
				t.Errorf("%s: the trace of row %d is %v, by differences %v", name, i, got, want[i])
			}
		}
	}
}

// TestEstimateIntegratesToOne: the density of two moons, learned, adds up to 1 over the plane, and has its mass where the moons are:
// the mean of −log p over fresh points is not far above their entropy, nor below.
func TestEstimateIntegratesToOne(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	rows, _ := moonRows(1000, r)
	recipe := model.NewRecipe[FlowMatching]()
	recipe.Units, recipe.Blocks, recipe.Epochs, recipe.Batch, recipe.Rate, recipe.Average = 48, 2, 80, 64, 0.003, 0.98
	m, _ := fit(t, recipe, numbers(t, 2, rows, nil), model.Run{Threads: 1})
	logEstimate := func(x []float32) []float64 {
		log := make([]float64, len(x)/2)
		if err := m.(model.Estimator).LogEstimate(log, data.Batch{Shape: data.RowShape(2), X: x}, r); err != nil {
			t.Fatal(err)
		}
		return log
	}
	const side = 0.08
	var grid []float32
	for a := -1.8; a <= 2.8; a += side {
		for b := -1.3; b <= 1.8; b += side {
			grid = append(grid, float32(a), float32(b))
		}
	}
	whole := 0.0
	for _, l := range logEstimate(grid) {
		whole += math.Exp(l) * side * side
	}
	if !(math.Abs(whole-1) <= 0.05) {
		t.Errorf("p integrates to %v, expected 1", whole)
	}
	fresh, _ := moonRows(500, r)
	mean := 0.0
	for _, l := range logEstimate(fresh) {
		mean += l / 500
	}
	// Two moons have the length 2π, and across it N(0, 0.06²). A normal distribution with their moments would have 1.5 nats more.
	entropy := math.Log(2*math.Pi) + math.Log(0.06) + math.Log(2*math.Pi*math.E)/2
	if !(-mean <= entropy+0.6 && -mean >= entropy-0.1) {
		t.Errorf("−log p of fresh points is %v on average, expected about their entropy, %v", -mean, entropy)
	}
}

// TestEstimateOfWholeNumbers: of a column of whole numbers, and of one of levels, the mean of p(x + u)/q(u) is the share of what the
// flow draws that becomes x, and the mean of its logarithm lies below.
func TestEstimateOfWholeNumbers(t *testing.T) {
	const n, draws = 600, 3000
	r := rand.New(rand.NewPCG(15, 16))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.IntN(10) / 7)
	}
	for _, column := range []data.Column{
		{Name: "count", Kind: data.Integer}, {Name: "kind", Kind: data.Categorical, Levels: []string{"often", "seldom"}}} {
		set, err := data.NewTable(&data.Schema{Shape: data.RowShape(1), Columns: []data.Column{column}}, values, nil)
		if err != nil {
			t.Fatal(err)
		}
		recipe := model.NewRecipe[FlowMatching]()
		recipe.Units, recipe.Blocks, recipe.Epochs, recipe.Batch, recipe.Rate, recipe.Average = 32, 1, 60, 50, 0.003, 0.98
		m, _ := fit(t, recipe, set, model.Run{Threads: 1})
		logs := make([]float64, draws)
		x := data.Batch{Shape: data.RowShape(1), X: make([]float32, draws)}
		if err := m.(model.Estimator).LogEstimate(logs, x, r); err != nil {
			t.Fatal(err)
		}
		mean, p := 0.0, 0.0
		for _, l := range logs {
			mean += l / draws
			p += math.Exp(l) / draws
		}
		exact, err := m.(model.Tunable).Tune(&FlowOptions{Sampler: likelihoodSolver, Steps: likelihoodSteps, Guidance: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := exact.(model.Sampler).Sample(x, r); err != nil {
			t.Fatal(err)
		}
		share := 0.0
		for _, v := range x.X {
			if v == 0 {
				share += 1. / draws
			}
		}
		if !(math.Abs(p/share-1) <= 0.15 && mean <= math.Log(p)) {
			t.Errorf("%s: the mean of the densities is %v and that of their logarithms %v; the flow draws x with a probability of %v", column.Name, p, mean, share)
		}
	}
}

// TestEstimateInRawUnits: columns in other units have another density, by the logarithm of the scale.
func TestEstimateInRawUnits(t *testing.T) {
	const scale = 8
	values := correlated(64, rand.New(rand.NewPCG(3, 4)))
	larger := make([]float32, len(values))
	for i, v := range values {
		larger[i] = scale * v
	}
	var logs [2][]float64
	for i, v := range [][]float32{values, larger} {
		set := numbers(t, 2, v, nil)
		m, _ := fit(t, tinyFlowMatching(), set, model.Run{Threads: 1})
		logs[i] = make([]float64, set.Len())
		if err := m.(model.Estimator).LogEstimate(logs[i], read(t, set), rand.New(rand.NewPCG(1, 1))); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range logs[0] {
		if want := v - 2*math.Log(scale); !(math.Abs(logs[1][i]-want) <= 1e-6*(1+math.Abs(want))) {
			t.Fatalf("row %d: %v in larger units, %v in smaller, expected %v", i, logs[1][i], v, want)
		}
	}
}
