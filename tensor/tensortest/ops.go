package tensortest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/likely-ml/likely/tensor"
)

// An input is an operand of a case: its elements are drawn by fill, but the first are the special ones if there is room for
// all of them.
type input struct {
	shape   tensor.Shape
	fill    func(rng *rand.Rand) float64
	special []float64
}

// An opCase applies one op, perhaps with a layout op before it, and says how far from the exact value each element of
// the result may be:
//
//   - ulps units in the last place of that value, or
//   - for sums, of n products or terms t, (1 + √n/2) units in the last place of Σ|t|. A sum of n
//     rounded terms is off by up to n/2 of these; that their errors do not all conspire leaves √n/2 (Higham and Mary, A new
//     approach to probabilistic rounding error analysis, SIAM J. Sci. Comput. 41, 2019). Where a convolution may go by
//     minimal filtering, n and Σ|t| are the largest of the result: an element is then computed from all that its tile reads
//     (A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, 2016), so that beside the padding it may
//     be off by as much as its neighbours.
//
// Integers and bools are exact always.
type opCase struct {
	op     tensor.Op
	name   string // what is special about the case
	inputs []input
	build  func(g *tensor.Graph, x []*tensor.Node) *tensor.Node
	ulps   float64
	sum    bool
	tiled  bool // a convolution of a shape for which minimal filtering is worth while
}

// Ops runs every op on b at shapes that are empty, of one element, odd, broadcast, strided, longer than a tile of 1,024
// and long enough for several threads, in every element type it takes, and compares it with the reference. It fails if the
// table lacks an op.
func Ops(t *testing.T, b tensor.Backend) { checkOps(t, b, nil) }

// Foreign are the tolerances of a backend that is outside the promise of equal bits, such as one whose elementary functions are
// a vendor's. Its sums may be in any order, another one in every run, and its convolutions may compute tiles at every shape.
type Foreign struct {
	Ulps map[tensor.Op]float64 // of ops for which the table allows less
}

// ForeignOps is [Ops] for such a backend. The cases run in parallel, since compiling one may take long.
func ForeignOps(t *testing.T, b tensor.Backend, f Foreign) { checkOps(t, b, &f) }

func checkOps(t *testing.T, b tensor.Backend, f *Foreign) {
	t.Run("variable", func(t *testing.T) { checkVariables(t, b) })
	seen := map[tensor.Op]bool{tensor.OpInput: true, tensor.OpVariable: true}
	for _, c := range opCases() {
		seen[c.op] = true
		name := fmt.Sprintf("%v/%s", c.op, c.name)
		for _, in := range c.inputs {
			name += fmt.Sprintf("/%v", in.shape)
		}
		if f != nil {
			c.ulps, c.tiled = max(c.ulps, f.Ulps[c.op]), true
		}
		t.Run(name, func(t *testing.T) {
			if f != nil {
				t.Parallel()
			}
			c.check(t, b, f == nil)
		})
	}
	for _, op := range tensor.Ops() {
		if !seen[op] {
			t.Errorf("the table has no case of %v", op)
		}
	}
}

// check demands the same bits of a second run if they are to be repeatable, else what the first had to be.
func (c opCase) check(t *testing.T, b tensor.Backend, repeatable bool) {
	prog, err := tensor.Build(func(g *tensor.Graph) {
		var xs []*tensor.Node
		for i, in := range c.inputs {
			xs = append(xs, g.Input(fmt.Sprint("x", i), in.shape.DType, in.shape.Dims...))
		}
		g.Output("y", c.build(g, xs))
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(prog.Nodes, func(n *tensor.Node) bool { return n.Op() == c.op }) {
		t.Fatalf("the program has no %v:\n%v", c.op, prog)
	}
	inputs := c.draw()
	want := run(t, referee(), prog, inputs, nil)["y"]
	exe, vars := compile(t, b, prog, inputs, nil)
	got := runAgain(t, b, prog, exe, vars)["y"]
	allowed := c.allowed(t, prog, inputs, want)
	compare(t, "y", got, want, allowed)
	again := runAgain(t, b, prog, exe, vars)["y"]
	if repeatable {
		want, allowed = got, func(int) float64 { return 0 }
	}
	compare(t, "y of a second run", again, want, allowed)
	for name, a := range inputs {
		compare(t, "input "+name+" after the runs", exe.Input(name), a, func(int) float64 { return 0 })
	}
}

func (c opCase) draw() map[string]*tensor.Array {
	rng := rand.New(rand.NewPCG(5, 6))
	inputs := map[string]*tensor.Array{}
	for i, in := range c.inputs {
		a := tensor.NewArray(in.shape)
		for j := range in.shape.Size() {
			v := in.fill(rng)
			if j < len(in.special) && in.shape.Size() >= len(in.special) {
				v = in.special[j]
			}
			setNumber(a, j, v)
		}
		inputs[fmt.Sprint("x", i)] = a
	}
	return inputs
}

// allowed finds n and Σ|t| by running the same sum over ones and over absolute values.
func (c opCase) allowed(t *testing.T, prog *tensor.Program, inputs map[string]*tensor.Array, want *tensor.Array) func(i int) float64 {
	d := want.Shape.DType
	if !d.IsFloat() {
		return func(int) float64 { return 0 }
	}
	exact := numbers(want)
	if !c.sum {
		return func(i int) float64 { return c.ulps * ulp(d, exact[i]) }
	}
	over := func(f func(x float64) float64) []float64 {
		changed := map[string]*tensor.Array{}
		for name, a := range inputs {
			changed[name] = a
			if a.Shape.DType.IsFloat() {
				changed[name] = tensor.NewArray(a.Shape)
				for i, x := range numbers(a) {
					setNumber(changed[name], i, f(x))
				}
			}
		}
		return numbers(run(t, referee(), prog, changed, nil)["y"])
	}
	terms, magnitude := over(func(float64) float64 { return 1 }), over(math.Abs)
	if c.tiled && len(terms) > 0 {
		tol := (1 + math.Sqrt(slices.Max(terms))/2) * ulp(d, slices.Max(magnitude))
		return func(int) float64 { return tol }
	}
	return func(i int) float64 { return (1 + math.Sqrt(terms[i])/2) * ulp(d, magnitude[i]) }
}

// checkVariables holds b to updates that all see the values from before the run.
func checkVariables(t *testing.T, b tensor.Backend) {
	for _, d := range numberTypes {
		for _, n := range []int{0, 1, 5, 3000} {
			prog, err := tensor.Build(func(g *tensor.Graph) {
				x, y := g.Variable("x", d, n), g.Variable("y", d, n)
				g.Update(x, y)
				g.Update(y, tensor.Add(x, tensor.Reverse(y, 0)))
				g.Output("before", x)
			})
			if err != nil {
				t.Fatal(err)
			}
			variables := map[string]*tensor.Array{"x": tensor.NewArray(tensor.ShapeOf(d, n)), "y": tensor.NewArray(tensor.ShapeOf(d, n))}
			for i := range n {
				setNumber(variables["x"], i, float64(i))
				setNumber(variables["y"], i, float64(3*i+1))
			}
			subject, subjectVars := compile(t, b, prog, nil, variables)
			oracle, oracleVars := compile(t, referee(), prog, nil, variables)
			for range 3 {
				got, want := runAgain(t, b, prog, subject, subjectVars), runAgain(t, referee(), prog, oracle, oracleVars)
				for _, name := range sortedKeys(want) {
					compare(t, name, got[name], want[name], func(int) float64 { return 0 })
				}
			}
		}
	}
}
