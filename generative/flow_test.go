package generative

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// compiled is a graph, ready to run.
func compiled(t *testing.T, b tensor.Backend, vars tensor.Vars, build func(g *tensor.Graph)) tensor.Executable {
	t.Helper()
	prog, err := tensor.Build(build)
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Compile(prog, vars)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// exact is a graph for the reference backend, which computes in float64 whatever the types say. With exactInput and exactOutput
// nothing is rounded on the way in and out either.
func exact(t *testing.T, vars tensor.Vars, build func(g *tensor.Graph)) tensor.Executable {
	return compiled(t, reference.New(), vars, build)
}

// exactInput is a float32 node whose values are float64 numbers.
func exactInput(g *tensor.Graph, name string, dims ...int) *tensor.Node {
	return tensor.Convert(g.Input(name, tensor.Float64, dims...), tensor.Float32)
}

func exactOutput(g *tensor.Graph, name string, value *tensor.Node) {
	g.Output(name, tensor.Convert(value, tensor.Float64))
}

func runExact(t *testing.T, e tensor.Executable) {
	t.Helper()
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// logAbsDet is log |det a| of a square matrix, by elimination with pivots. It changes a.
func logAbsDet(a [][]float64) (log float64) {
	for k := range a {
		pivot := k
		for i := k; i < len(a); i++ {
			if math.Abs(a[i][k]) > math.Abs(a[pivot][k]) {
				pivot = i
			}
		}
		a[k], a[pivot] = a[pivot], a[k]
		log += math.Log(math.Abs(a[k][k]))
		for i := k + 1; i < len(a); i++ {
			f := a[i][k] / a[k][k]
			for j := k; j < len(a); j++ {
				a[i][j] -= f * a[k][j]
			}
		}
	}
	return log
}

// checkLogDet compares a flow's log-determinant with that of the Jacobian of its z by central differences in float64. The
// executable takes one point as the input named in, and gives z and log_det.
func checkLogDet(t *testing.T, e tensor.Executable, in string) {
	t.Helper()
	const step = 1e-5
	x := e.Input(in).F64
	p := len(x)
	jacobian := make([][]float64, p)
	for i := range jacobian {
		jacobian[i] = make([]float64, p)
	}
	for j := range x {
		at := x[j]
		for _, sign := range []float64{1, -1} {
			x[j] = at + sign*step
			runExact(t, e)
			for i, z := range e.Output("z").F64 {
				jacobian[i][j] += sign * z / (2 * step)
			}
		}
		x[j] = at
	}
	runExact(t, e)
	got, want := e.Output("log_det").F64[0], logAbsDet(jacobian)
	if !(math.Abs(got-want) <= 1e-5) {
		t.Errorf("log-determinant is %v, that of the Jacobian %v", got, want)
	}
	if !(math.Abs(want) >= 0.001) {
		t.Errorf("the Jacobian has log-determinant %v, too near to the identity's to tell anything", want)
	}
}

// goldenFlows is testdata/flow.json, made by make_flow.py.
type goldenFlows struct {
	Tables []struct {
		Kind    Coupling
		P       int
		Params  []goldenValues
		X, Y    goldenValues
		LogProb []float64 `json:"log_prob"`
	}
	Pictures struct {
		Params  []goldenValues
		X, U, Y goldenValues
		LogProb []float64 `json:"log_prob"`
	}
}

// goldenValues is an array.
type goldenValues struct {
	Shape  []int
	Values []float64
}

func readFlows(t *testing.T) *goldenFlows {
	t.Helper()
	text, err := os.ReadFile("testdata/flow.json")
	if err != nil {
		t.Fatal(err)
	}
	var g goldenFlows
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return &g
}

// goldenVars are the variables of params with the golden's values, which stand in the same order.
func goldenVars(t *testing.T, params nn.Params, values []goldenValues) tensor.Vars {
	t.Helper()
	vars := params.Init(1)
	if len(params) != len(values) {
		t.Fatalf("%d parameters, expected %d", len(params), len(values))
	}
	for i, p := range params {
		if !slices.Equal(p.Dims, values[i].Shape) {
			t.Fatalf("%s has shape %v, expected %v", p.Name, p.Dims, values[i].Shape)
		}
		for k, v := range values[i].Values {
			vars[p.Name].F32[k] = float32(v)
		}
	}
	return vars
}

// expectLogProb compares log p of n examples with PyTorch's, which computes the determinant of the whole Jacobian. The reference
// backend rounds z and the constants of the graph to float32, the CPU every step.
func expectLogProb(t *testing.T, b tensor.Backend, e tensor.Executable, want []float64) {
	t.Helper()
	tolerance := map[string]float64{"reference": 1e-6, "cpu": 1e-5}[b.Name()]
	runExact(t, e)
	z, logDet := e.Output("z").F32, e.Output("log_det").F32
	got := make([]float64, len(want))
	if err := flowLogProb(got, z, logDet, 0); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance*(1+math.Abs(want[i]))) {
			t.Errorf("log p of example %d is %v, expected %v", i, got[i], want[i])
		}
	}
}

func TestRealNVPEqualsPyTorch(t *testing.T) {
	for _, c := range readFlows(t).Tables {
		onBackends(t, func(t *testing.T, b tensor.Backend) {
			r := tinyRealNVP(c.Kind)
			r.Hidden, r.Bins, r.Tail = []int{6}, 5, 3
			net := r.network(c.P, 3, identity(c.P))
			params := nn.Collect(net)
			couplings := params.Under("couplings")
			vars := goldenVars(t, couplings, c.Params)
			maps.Copy(vars, params[len(couplings):].Init(1)) // the whitening
			n := len(c.LogProb)
			e := compiled(t, b, vars, func(g *tensor.Graph) {
				z, logDet := net.encode(g.Input("x", tensor.Float32, n, c.P), g.Input("y", tensor.Int32, n))
				g.Output("z", z)
				g.Output("log_det", logDet)
			})
			for i, v := range c.X.Values {
				e.Input("x").F32[i] = float32(v)
			}
			for i, v := range c.Y.Values {
				e.Input("y").I32[i] = int32(v)
			}
			expectLogProb(t, b, e, c.LogProb)
		})
	}
}

func TestGlowEqualsPyTorch(t *testing.T) {
	c := readFlows(t).Pictures
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		r := tinyGlow()
		r.Width = 5
		net := r.network(&data.Schema{Shape: data.Shape{Height: 4, Width: 4, Channels: 1}, MaxValue: 16}, 3)
		vars := goldenVars(t, nn.Collect(net), c.Params)
		n := len(c.LogProb)
		e := compiled(t, b, vars, func(g *tensor.Graph) {
			x, u := g.Input("x", tensor.Float32, n, 4, 4, 1), g.Input("u", tensor.Float32, n, 4, 4, 1)
			z, logDet := net.encode(x, u, g.Input("y", tensor.Int32, n), &nn.Mode{})
			g.Output("z", z)
			g.Output("log_det", logDet)
		})
		for i, v := range c.X.Values {
			e.Input("x").F32[i], e.Input("u").F32[i] = float32(v), float32(c.U.Values[i])
		}
		for i, v := range c.Y.Values {
			e.Input("y").I32[i] = int32(v)
		}
		expectLogProb(t, b, e, c.LogProb)
	})
}
