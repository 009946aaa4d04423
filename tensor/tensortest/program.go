package tensortest

import (
	"fmt"
	"math"

	"github.com/likely-ml/likely/tensor"
	"pgregory.net/rapid"
)

// Case is a random program with what to feed it. Allowed is, for each output and each "variable NAME", the greatest
// distance from the reference that rounding explains.
type Case struct {
	Program           *tensor.Program
	Inputs, Variables map[string]*tensor.Array
	Allowed           map[string]float64
}

// A value is a node with bounds on what it holds: no element exceeds bound in size, and none is further than err from
// the exact value. While err is 0 the elements are whole multiples of step, and few enough of them up to bound for every sum
// to be exact; only such values may be compared, rounded or converted to integers, where the smallest error could
// change the result altogether.
type value struct {
	n                *tensor.Node
	bound, err, step float64
}

func (v value) exact() bool { return v.err == 0 }

// program grows a random program. Floats are scaled back to at most maxBound, so that errors grow slowly.
type program struct {
	t         *rapid.T
	g         *tensor.Graph
	c         *Case
	values    []value
	key       *tensor.Node
	tolerance float64
}

const (
	maxBound  = 8.0
	exactBits = 20
)

// Program draws a valid random program over all ops and element types. tolerance is what one op may err, in units in the
// last place of the greatest value that it may have.
func Program(t *rapid.T, tolerance float64) *Case { return draw(t, tolerance, false) }

// draw draws a program, with gradients if the caller has no use for Allowed, which leaves them out.
func draw(t *rapid.T, tolerance float64, gradients bool) *Case {
	p := &program{t: t, c: &Case{Inputs: map[string]*tensor.Array{}, Variables: map[string]*tensor.Array{}, Allowed: map[string]float64{}}, tolerance: tolerance}
	prog, err := tensor.Build(func(g *tensor.Graph) {
		p.g = g
		for range p.intn("ops", 3, 25) {
			step := steps[p.intn("step", 0, len(steps)-1)]
			step(p)
		}
		p.finish()
		if gradients {
			p.differentiate()
		}
	})
	if err != nil {
		t.Fatalf("the generator made an invalid program: %v", err)
	}
	p.c.Program = prog
	return p.c
}

// CheckBackend runs random programs on a backend and on the reference, twice, and compares outputs and variables;
// tolerance is that of [Program]. Each program gets its own backend, so that the caller can vary, say, the number of threads.
func CheckBackend(t rapid.TB, backend func() tensor.Backend, tolerance float64) {
	t.Helper()
	checkPrograms(t, backend, tolerance, true)
}

// CheckForeign is [CheckBackend] for a backend outside the promise of equal bits, whose second run may differ from the first as
// both may from the reference.
func CheckForeign(t rapid.TB, backend func() tensor.Backend, tolerance float64) {
	t.Helper()
	checkPrograms(t, backend, tolerance, false)
}

func checkPrograms(t rapid.TB, backend func() tensor.Backend, tolerance float64, repeatable bool) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		c := Program(t, tolerance)
		want := run(t, referee(), c.Program, c.Inputs, c.Variables)
		b := backend()
		exe, vars := compile(t, b, c.Program, c.Inputs, c.Variables)
		got := runAgain(t, b, c.Program, exe, vars)
		for name, a := range c.Variables {
			vars[name].CopyFrom(a)
		}
		again := runAgain(t, b, c.Program, exe, vars)
		for _, name := range sortedKeys(want) {
			allowed := func(int) float64 { return c.Allowed[name] }
			compare(t, name, got[name], want[name], allowed)
			first := want[name]
			if repeatable {
				first, allowed = got[name], func(int) float64 { return 0 }
			}
			compare(t, name+" of a second run", again[name], first, allowed)
		}
		if t.Failed() {
			t.Logf("the program:\n%v", c.Program)
		}
	})
}

// Same draws a random program, with gradients, runs it on several backends and demands the same bits of all.
func Same(t *rapid.T, backends func() map[string]tensor.Backend) {
	c := draw(t, 4, true)
	all := backends()
	var first map[string]*tensor.Array
	for _, name := range sortedKeys(all) {
		got := run(t, all[name], c.Program, c.Inputs, c.Variables)
		if first == nil {
			first = got
		}
		for _, what := range sortedKeys(first) {
			compare(t, what+" "+name, got[what], first[what], func(int) float64 { return 0 })
		}
	}
	if t.Failed() {
		t.Logf("the program:\n%v", c.Program)
	}
}

func (p *program) intn(what string, low, high int) int {
	return rapid.IntRange(low, high).Draw(p.t, what)
}

func (p *program) bool(what string) bool { return rapid.Bool().Draw(p.t, what) }

// add keeps a new value. Its error grows by what its own op may err; floats that got too large are scaled by a power of
// two, which is exact.
func (p *program) add(n *tensor.Node, bound, err, step float64) {
	if n.DType().IsFloat() {
		if step == 0 || bound/step > 1<<exactBits || err > 0 {
			step = 0
			err += p.tolerance * ulp(n.DType(), bound)
		}
		for bound > maxBound {
			k := math.Exp2(-math.Ceil(math.Log2(bound / maxBound)))
			n, bound, err, step = tensor.MulScalar(n, k), bound*k, err*k, step*k
		}
	}
	p.values = append(p.values, value{n, bound, err, step})
}

// finish makes outputs of the last values, updates a variable of each shape that fits, and outputs one early value too.
func (p *program) finish() {
	if len(p.values) == 0 {
		p.leaf(tensor.Float32, []int{3})
	}
	updated := map[*tensor.Node]bool{}
	for i := len(p.values) - 1; i >= 0 && i >= len(p.values)-5; i-- {
		p.output(p.values[i])
	}
	p.output(p.values[0])
	for _, v := range p.values {
		if v.n.Op() != tensor.OpVariable || updated[v.n] {
			continue
		}
		updated[v.n] = true
		p.c.Allowed["variable "+v.n.Name()] = 0
		for i := len(p.values) - 1; i >= 0; i-- {
			if w := p.values[i]; w.n.Shape().Equal(v.n.Shape()) {
				p.g.Update(v.n, w.n)
				p.c.Allowed["variable "+v.n.Name()] = p.allowed(w)
				break
			}
		}
	}
}

// differentiate makes outputs of the gradients of the last few floats, squared, by all inputs and variables.
func (p *program) differentiate() {
	var xs []*tensor.Node
	for _, v := range p.values {
		if op := v.n.Op(); v.n.DType().IsFloat() && (op == tensor.OpInput || op == tensor.OpVariable) {
			xs = append(xs, v.n)
		}
	}
	left := 3
	for i := len(p.values) - 1; i >= 0 && left > 0; i-- {
		y := p.values[i].n
		if !y.DType().IsFloat() {
			continue
		}
		left--
		for j, d := range tensor.Gradient(tensor.Sum(tensor.Square(y)), xs...) {
			p.g.Output(fmt.Sprintf("gradient of %d by %d", i, j), d)
		}
	}
}

func (p *program) output(v value) {
	name := fmt.Sprint("y", len(p.c.Allowed))
	p.g.Output(name, v.n)
	p.c.Allowed[name] = p.allowed(v)
}

// allowed adds the rounding of the reference's own result when it is stored.
func (p *program) allowed(v value) float64 {
	if v.exact() {
		return 0
	}
	return v.err + ulp(v.n.DType(), v.bound)
}

// leaf is a new input, variable or constant.
func (p *program) leaf(d tensor.DType, dims []int) value {
	a := tensor.NewArray(tensor.ShapeOf(d, dims...))
	seed := p.intn("seed", 0, 1<<20)
	v := value{bound: 1, step: 1}
	for i := range a.Shape.Size() {
		h := uint32(seed+i) * 2654435761 >> 8
		x := float64(h % 2)
		switch {
		case d.IsFloat():
			x, v.bound, v.step = float64(int(h%33)-16)/8, 2, 1./8
		case d == tensor.Int32:
			x, v.bound = float64(int(h%15)-7), 7
		case d == tensor.Uint32:
			x, v.bound = float64(h%15), 14
		}
		setNumber(a, i, x)
	}
	name := fmt.Sprint("x", len(p.c.Inputs)+len(p.c.Variables))
	switch p.intn("kind of leaf", 0, 3) {
	case 0:
		v.n = p.g.Variable(name, d, dims...)
		p.c.Variables[name] = a
	case 1:
		v.n = p.g.Constant(a)
	default:
		v.n = p.g.Input(name, d, dims...)
		p.c.Inputs[name] = a
	}
	p.values = append(p.values, v)
	return v
}

// dims draws extents: mostly small, some 0 or 1, now and then more than a tile.
func (p *program) dims(rank int) []int {
	dims := make([]int, rank)
	for i := range dims {
		dims[i] = rapid.SampledFrom([]int{3, 5, 2, 1, 4, 7, 3, 2, 0}).Draw(p.t, "extent")
	}
	if rank > 0 && p.intn("long", 0, 9) == 0 {
		dims[rank-1] = rapid.SampledFrom([]int{1100, 33, 1024}).Draw(p.t, "long extent")
	}
	return dims
}

func (p *program) float() tensor.DType {
	return rapid.SampledFrom([]tensor.DType{tensor.Float32, tensor.Float32, tensor.Float64}).Draw(p.t, "float type")
}

func (p *program) anyType() tensor.DType { return rapid.SampledFrom(allTypes).Draw(p.t, "type") }

// pick draws an existing value that fits, or makes a leaf.
func (p *program) pick(d tensor.DType, fits func(v value) bool, dims func() []int) value {
	var found []value
	for _, v := range p.values {
		if v.n.DType() == d && fits(v) {
			found = append(found, v)
		}
	}
	if i := p.intn("operand", 0, len(found)); i < len(found) {
		return found[len(found)-1-i] // the latest first: that makes deep programs
	}
	return p.leaf(d, dims())
}

// of picks a value of a type and, unless it is negative, of a rank.
func (p *program) of(d tensor.DType, rank int) value {
	return p.pick(d, func(v value) bool { return rank < 0 || v.n.Shape().Rank() == rank }, func() []int {
		if rank < 0 {
			rank = p.intn("rank", 0, 3)
		}
		return p.dims(rank)
	})
}

// exactOf is of, for ops that would magnify an error.
func (p *program) exactOf(d tensor.DType, rank int) value {
	return p.pick(d, func(v value) bool { return v.exact() && (rank < 0 || v.n.Shape().Rank() == rank) }, func() []int {
		if rank < 0 {
			rank = p.intn("rank", 0, 3)
		}
		return p.dims(rank)
	})
}

// shaped picks a value of given extents or a leaf that repeats to them.
func (p *program) shaped(d tensor.DType, dims []int, exact bool) value {
	fits := func(v value) bool {
		if exact && !v.exact() {
			return false
		}
		return tensor.ShapeOf(d, dims...).Equal(v.n.Shape())
	}
	return p.pick(d, fits, func() []int {
		out := append([]int{}, dims[p.intn("axes to leave out", 0, len(dims)):]...)
		for i := range out {
			if p.intn("repeat", 0, 3) == 0 {
				out[i] = 1
			}
		}
		return out
	})
}
