package tensor

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// Node is one value of a graph: an op applied to other nodes. Nodes are made by this package's functions and never
// change afterwards.
type Node struct {
	graph *Graph
	id    int
	op    Op
	shape Shape
	in    []*Node
	attr  any
}

// Graph is the graph that the node belongs to.
func (n *Node) Graph() *Graph { return n.graph }

// ID numbers the nodes of a graph in the order of their making, which is a topological order.
func (n *Node) ID() int { return n.id }

// Op is what the node computes.
func (n *Node) Op() Op { return n.op }

// Shape is the shape of the node's value.
func (n *Node) Shape() Shape { return n.shape }

// Dims are the extents of the node's axes.
func (n *Node) Dims() []int { return n.shape.Dims }

// DType is the node's element type.
func (n *Node) DType() DType { return n.shape.DType }

// In are the operands.
func (n *Node) In() []*Node { return n.in }

// Attr is what an op needs to know besides its operands, in the type named at the op's builder; nil for most.
func (n *Node) Attr() any { return n.attr }

// Name is the name of an input or variable.
func (n *Node) Name() string { s, _ := n.attr.(string); return s }

func (n *Node) String() string {
	if name := n.Name(); name != "" {
		return fmt.Sprintf("%%%d %s %q %v", n.id, n.op, name, n.shape)
	}
	return fmt.Sprintf("%%%d %s %v", n.id, n.op, n.shape)
}

// Graph collects nodes, the named outputs and the updates of variables while a program is being built.
type Graph struct {
	nodes   []*Node
	named   map[string]*Node
	outputs []Output
	updates []Update
	streams uint32
}

// Output is a named result of a program.
type Output struct {
	Name  string
	Value *Node
}

// Update says that Variable takes Value when a run ends. Reads during the run see the value before it.
type Update struct{ Variable, Value *Node }

// Program is a finished graph: only the nodes that outputs and updates need, in topological order.
type Program struct {
	Nodes     []*Node
	Inputs    []*Node
	Variables []*Node
	Outputs   []Output
	Updates   []Update
}

// ErrBuild is wrapped by every error that [Build] returns: operands whose shapes or types do not fit, a name used
// twice.
var ErrBuild = errors.New("tensor: cannot build the program")

type buildError struct{ msg string }

// Build calls f to make a graph and returns the program. A mistake in shapes or types ends f at once; the error names
// the op, the shapes and the line of the caller.
func Build(f func(g *Graph)) (p *Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(buildError)
			if !ok {
				panic(r)
			}
			p, err = nil, fmt.Errorf("%w: %s", ErrBuild, b.msg)
		}
	}()
	g := &Graph{named: map[string]*Node{}}
	f(g)
	return g.finish(), nil
}

// fail ends Build with a message that says where in the caller's code it went wrong.
func fail(format string, args ...any) {
	where := ""
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if !strings.Contains(f.Function, "likely/tensor.") && !strings.Contains(f.Function, "likely/nn.") || strings.HasSuffix(f.File, "_test.go") {
			where = fmt.Sprintf(" (%s:%d)", f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)
			break
		}
		if !more {
			break
		}
	}
	panic(buildError{fmt.Sprintf(format, args...) + where})
}

// checkOwn ends Build unless all nodes belong to g: the numbers of foreign nodes would stand for nodes of this graph.
func (g *Graph) checkOwn(what string, nodes ...*Node) {
	for _, x := range nodes {
		if x.graph != g {
			fail("%s: operand %v belongs to another graph", what, x)
		}
	}
}

func (g *Graph) add(op Op, shape Shape, attr any, in ...*Node) *Node {
	g.checkOwn(op.String(), in...)
	n := &Node{graph: g, id: len(g.nodes), op: op, shape: shape, in: in, attr: attr}
	g.nodes = append(g.nodes, n)
	return n
}

// Input declares an array that the caller fills before each run.
func (g *Graph) Input(name string, d DType, dims ...int) *Node {
	if g.named[name] != nil {
		fail("input %q: the name is used twice", name)
	}
	n := g.add(OpInput, checked("input", d, dims), name)
	g.named[name] = n
	return n
}

// Variable is an array that outlives a run, such as a parameter. Asking twice for one name gives the same node, so that
// a layer applied twice shares its parameters.
func (g *Graph) Variable(name string, d DType, dims ...int) *Node {
	shape := checked("variable", d, dims)
	if n := g.named[name]; n != nil {
		if n.op != OpVariable || !n.shape.Equal(shape) {
			fail("variable %q %v: the name is taken by %v", name, shape, n)
		}
		return n
	}
	n := g.add(OpVariable, shape, name)
	g.named[name] = n
	return n
}

// Output names a result. Each name may be used once.
func (g *Graph) Output(name string, value *Node) {
	g.checkOwn("output", value)
	for _, o := range g.outputs {
		if o.Name == name {
			fail("output %q: the name is used twice", name)
		}
	}
	g.outputs = append(g.outputs, Output{name, value})
}

// Update makes the variable take the value when a run ends. In place of a variable that has been updated, it takes the
// [Graph.Latest] of it, which the new value then replaces: so one run can make several steps.
func (g *Graph) Update(variable, value *Node) {
	g.checkOwn("update", variable, value)
	if variable.op != OpVariable {
		for i, u := range g.updates {
			if u.Value == variable && variable.shape.Equal(value.shape) {
				g.updates[i].Value = value
				return
			}
		}
		fail("update: %v is not a variable or the latest value of one in the shape %v", variable, value.shape)
	}
	if !variable.shape.Equal(value.shape) {
		fail("update of %q: the variable is %v, the new value %v", variable.Name(), variable.shape, value.shape)
	}
	for _, u := range g.updates {
		if u.Variable == variable {
			fail("update of %q: it is updated twice", variable.Name())
		}
	}
	g.updates = append(g.updates, Update{variable, value})
}

// Latest is the value that a variable takes by the updates so far: its own before there is one.
func (g *Graph) Latest(variable *Node) *Node {
	for _, u := range g.updates {
		if u.Variable == variable {
			return u.Value
		}
	}
	return variable
}

// finish keeps what outputs and updates depend on. Declared inputs and variables stay, so that a caller can always fill
// them.
func (g *Graph) finish() *Program {
	live := make([]bool, len(g.nodes))
	for _, o := range g.outputs {
		live[o.Value.id] = true
	}
	for _, u := range g.updates {
		live[u.Value.id] = true
	}
	p := &Program{Outputs: g.outputs, Updates: g.updates}
	for i := len(g.nodes) - 1; i >= 0; i-- {
		n := g.nodes[i]
		if n.op == OpInput || n.op == OpVariable {
			live[i] = true
		}
		if live[i] {
			for _, x := range n.in {
				live[x.id] = true
			}
		}
	}
	for i, n := range g.nodes {
		if !live[i] {
			continue
		}
		p.Nodes = append(p.Nodes, n)
		switch n.op {
		case OpInput:
			p.Inputs = append(p.Inputs, n)
		case OpVariable:
			p.Variables = append(p.Variables, n)
		}
	}
	return p
}

func checked(what string, d DType, dims []int) Shape {
	for _, e := range dims {
		if e < 0 {
			fail("%s: negative extent in %v", what, dims)
		}
	}
	return Shape{d, append([]int{}, dims...)}
}

// Constant is an array known while building.
func (g *Graph) Constant(a *Array) *Node { return g.add(OpConstant, a.Shape, a) }

// Scalar is a constant without axes. The value is converted to d.
func (g *Graph) Scalar(d DType, v float64) *Node { return g.Constant(scalarArray(d, v)) }

// Full is an array of equal elements.
func (g *Graph) Full(s Shape, v float64) *Node { return BroadcastTo(g.Scalar(s.DType, v), s.Dims...) }

// ZerosLike is an array of zeros in the shape of x.
func ZerosLike(x *Node) *Node { return x.graph.Full(x.shape, 0) }

// OnesLike is an array of ones in the shape of x.
func OnesLike(x *Node) *Node { return x.graph.Full(x.shape, 1) }

// Iota is an array whose elements are their own index along an axis. Attr: the axis, an int.
func (g *Graph) Iota(s Shape, axis int) *Node {
	if axis < 0 || axis >= s.Rank() || s.DType == Bool {
		fail("iota: no axis %d in %v", axis, s)
	}
	return g.add(OpIota, s, axis)
}

func scalarArray(d DType, v float64) *Array {
	a := NewArray(Shape{d, []int{}})
	switch d {
	case Float32:
		a.F32[0] = float32(v)
	case Float64:
		a.F64[0] = v
	case Int32:
		a.I32[0] = int32(v)
	case Uint32:
		a.U32[0] = uint32(v)
	case Bool:
		a.Bool[0] = v != 0
	}
	return a
}
