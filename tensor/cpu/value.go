package cpu

import (
	"fmt"

	"github.com/likely-ml/likely/tensor"
)

// value is an array that the program computes, after views are gone: a reshape or stop-gradient is its operand under
// another shape.
type value struct {
	id    int
	op    tensor.Op
	shape tensor.Shape
	in    []operand
	attr  any

	live      bool
	inMemory  bool // it is read after the run, or, a broadcast, as a whole array: a buffer must hold it
	consumers []*value
	cluster   *cluster   // that computes it, an elementwise value
	end       *cluster   // that computes it, a reduction, from its tiles
	partials  *buffer    // then, down columns, the sums of its parts
	composite *composite // whose result it is
	buf       *buffer
}

func (v *value) dtype() tensor.DType { return v.shape.DType }
func (v *value) size() int           { return v.shape.Size() }

// String names what is computed and the shapes of result and operands.
func (v *value) String() string {
	s := fmt.Sprintf("%s %v", v.op, v.shape)
	for i, o := range v.in {
		s += fmt.Sprintf("%s%v", [2]string{" of ", " "}[min(i, 1)], o.dims)
	}
	return s
}

// operand is a value seen in a shape of the same number of elements.
type operand struct {
	*value
	dims []int
}

// compiler holds what compiling knows.
type compiler struct {
	prog       *tensor.Program
	skip       Passes
	threads    int
	of         map[*tensor.Node]operand // what became of each node
	same       map[string]*value        // values by what they compute
	composites map[string]*composite
	order      []*value        // in topological order
	updates    map[*value]bool // new values of variables

	buffers  []*buffer
	launches []*plannedLaunch
	open     []*cluster
}

// newCompiler turns the nodes into values: one for each distinct computation that outputs or updates need.
func newCompiler(p *tensor.Program, bound []*tensor.Array, skip Passes, threads int) *compiler {
	c := &compiler{prog: p, skip: skip, threads: threads, of: map[*tensor.Node]operand{}, same: map[string]*value{}, composites: map[string]*composite{}, updates: map[*value]bool{}}
	for _, n := range p.Nodes {
		c.of[n] = c.value(n)
	}
	for i, v := range p.Variables {
		c.of[v].buf = arrayBuffer(bound[i])
	}
	for _, o := range p.Outputs {
		c.of[o.Value].keep()
		c.of[o.Value].inMemory = true
	}
	for _, u := range p.Updates {
		c.of[u.Value].keep()
		c.of[u.Value].inMemory = true
		c.updates[c.of[u.Value].value] = true
	}
	live := c.order[:0]
	for _, v := range c.order {
		if !v.live {
			continue
		}
		live = append(live, v)
		for _, o := range v.in {
			o.consumers = append(o.consumers, v)
			if !v.op.IsElementwise() && o.op == tensor.OpBroadcast {
				o.inMemory = true
			}
		}
	}
	c.order = live
	return c
}

// keep marks v and all that it needs.
func (v *value) keep() {
	if v.live {
		return
	}
	v.live = true
	for _, o := range v.in {
		o.keep()
	}
}

// value finds or makes the value of a node.
func (c *compiler) value(n *tensor.Node) operand {
	in := make([]operand, len(n.In()))
	for i, x := range n.In() {
		in[i] = c.of[x]
	}
	switch n.Op() {
	case tensor.OpReshape, tensor.OpStopGradient:
		return operand{in[0].value, n.Dims()}
	case tensor.OpComposite:
		part := n.Attr().(tensor.CompositePart)
		if c.skip.Composites || !hasKernel(part) {
			return operand{in[0].value, n.Dims()}
		}
		return operand{c.result(n, part, in[1:]), n.Dims()}
	case tensor.OpMul: // differentiation begins with a one
		if in[0].isOne() {
			return operand{in[1].value, n.Dims()}
		}
		if in[1].isOne() {
			return operand{in[0].value, n.Dims()}
		}
	}
	v := &value{op: n.Op(), shape: n.Shape(), in: in, attr: n.Attr()}
	return operand{c.unique(c.folded(v)), n.Dims()}
}

// unique is v, or the value that computes the same already.
func (c *compiler) unique(v *value) *value {
	v.id = len(c.order)
	if !c.skip.Common {
		key := v.key()
		if old := c.same[key]; old != nil {
			return old
		}
		c.same[key] = v
	}
	c.order = append(c.order, v)
	return v
}

// key is equal for two values exactly if they are the same function of the same values. Constants of more than a few
// elements are told apart by address.
func (v *value) key() string {
	if a, ok := v.attr.(*tensor.Array); ok {
		if a.Shape.Size() > 4 {
			return fmt.Sprintf("constant %p", a)
		}
		// %x tells −0 from 0.
		return fmt.Sprintf("constant %v %x %x %v %v %v", a.Shape, a.F32, a.F64, a.I32, a.U32, a.Bool)
	}
	key := fmt.Sprintf("%d %v %+v", v.op, v.shape, v.attr)
	for _, o := range v.in {
		key += fmt.Sprintf(" %d%v", o.id, o.dims)
	}
	return key
}

// isOne reports whether every element is the constant 1; x·1 is x bit for bit.
func (v *value) isOne() bool {
	if v.op == tensor.OpBroadcast {
		return v.in[0].isOne()
	}
	a, ok := v.attr.(*tensor.Array)
	return ok && a.Shape.Size() == 1 && (v.dtype() == tensor.Float32 && a.F32[0] == 1 || v.dtype() == tensor.Float64 && a.F64[0] == 1)
}

// isSource reports whether v is there before the first launch.
func (v *value) isSource() bool {
	return v.op == tensor.OpInput || v.op == tensor.OpVariable || v.op == tensor.OpConstant
}

// mostFolded is the size of the largest constant that is computed while compiling.
const mostFolded = 1 << 20

// folded is v, or the constant that it is, if all of its operands are constants.
func (c *compiler) folded(v *value) *value {
	if c.skip.Constants || !v.op.IsElementwise() || v.size() > mostFolded {
		return v
	}
	repeats := v.size() > 1 // of one element throughout, which is best left to be repeated
	for _, o := range v.in {
		f := fetchOf(o)
		if f.source.op != tensor.OpConstant {
			return v
		}
		if f.source.buf == nil {
			f.source.buf = c.sourceBuffer(f.source)
		}
		repeats = repeats && f.kind == single
	}
	if repeats {
		return v
	}
	result := tensor.NewArray(v.shape)
	folded := &value{op: v.op, shape: v.shape, in: v.in, attr: v.attr, buf: arrayBuffer(result), inMemory: true}
	compileCluster(&cluster{size: v.size(), members: []*value{folded}}, 0, 0).run(&tileMemory{}, 0, v.size())
	return &value{op: tensor.OpConstant, shape: v.shape, attr: result}
}
