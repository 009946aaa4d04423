package tensor

import "fmt"

// A Composite is a piece of graph that a backend may compute by one kernel: its definition is ordinary nodes, and a kernel
// must give their bits. So the reference runs the definition, [Gradient] differentiates it unless the composite states a
// derivative of its own, and a backend without a kernel loses nothing but time.
//
// Each result is a node [OpComposite] whose first operand is its definition and whose other operands are the composite's.
type Composite struct {
	Kind     CompositeKind
	Attr     any     // by kind
	Operands []*Node // what the definition reads
	Results  []*Node // the definitions

	// derivative of result 0 by operand j, given the cotangent of that result; nil to differentiate the definition.
	derivative func(j int, c *Node) *Node
}

// CompositeKind names a composite. Each is defined beside the function that builds it.
type CompositeKind uint8

// The composites.
const (
	CompositeAdam CompositeKind = iota
	CompositeMaxPool
	CompositeMaxUnpool
	CompositeCrossEntropy
	CompositeCrossEntropyGradient
)

func (k CompositeKind) String() string {
	return [...]string{"adam", "max_pool", "max_unpool", "cross_entropy", "cross_entropy_gradient"}[k]
}

// CompositePart is the attr of a node [OpComposite]: which result of which composite it is.
type CompositePart struct {
	*Composite
	Index int
}

func (p CompositePart) String() string {
	return fmt.Sprintf("%v result %d %+v", p.Kind, p.Index, p.Attr)
}

// nodes adds the results to the graph.
func (c *Composite) nodes() []*Node {
	out := make([]*Node, len(c.Results))
	for i, r := range c.Results {
		out[i] = r.graph.add(OpComposite, r.shape, CompositePart{c, i}, append([]*Node{r}, c.Operands...)...)
	}
	return out
}

// derivativeOfComposite carries a cotangent to the definition, or past it to the operands.
func derivativeOfComposite(n *Node, j int, c *Node) *Node {
	p := n.attr.(CompositePart)
	switch {
	case p.derivative == nil && j == 0:
		return c
	case p.derivative == nil || j == 0 || p.Index > 0:
		return nil
	}
	return p.derivative(j-1, c)
}

// AdamSpec holds the constants of [Adam]. With Shrink, parameters also shrink.
type AdamSpec struct {
	Beta1, Beta2, Epsilon float64
	Shrink                bool
}

// Adam is one step of the optimiser (Kingma and Ba, 2015, algorithm 1) for a parameter p with running means m of the
// gradient g and v of its square, every operation rounded by itself:
//
//	m' = m·β1 + g·(1−β1),  v' = v·β2 + g²·(1−β2),  p' = p·shrink − (rate·m')/(√v'·correction + ε)
//
// rate, correction and shrink are scalars; without Shrink there is no such factor.
func Adam(s AdamSpec, p, m, v, g, rate, correction, shrink *Node) (p1, m1, v1 *Node) {
	m1 = Add(MulScalar(m, s.Beta1), MulScalar(g, 1-s.Beta1))
	v1 = Add(MulScalar(v, s.Beta2), MulScalar(Square(g), 1-s.Beta2))
	step := Div(Mul(rate, m1), AddScalar(Mul(Sqrt(v1), correction), s.Epsilon))
	operands := []*Node{p, m, v, g, rate, correction}
	if s.Shrink {
		p = Mul(p, shrink)
		operands = append(operands, shrink)
	}
	c := Composite{Kind: CompositeAdam, Attr: s, Operands: operands, Results: []*Node{Sub(p, step), m1, v1}}
	r := c.nodes()
	return r[0], r[1], r[2]
}

// MaxPool is the greatest element of each window of each channel. Where several are greatest, the first in row-major
// order gets the gradient. Attr: the PoolWindow.
func MaxPool(w PoolWindow, x *Node) *Node {
	index := MaxPoolIndex(w, x)
	in, out := x.shape.Dims, index.shape.Dims
	flat := TakeAlong(Reshape(x, in[0], in[1]*in[2]*in[3]), Reshape(index, out[0], out[1]*out[2]*out[3]))
	c := &Composite{Kind: CompositeMaxPool, Attr: w, Operands: []*Node{x}, Results: []*Node{Reshape(flat, out...), index}}
	r := c.nodes()
	c.derivative = func(_ int, y *Node) *Node { return maxUnpool(w, y, r[1]) }
	return r[0]
}

// maxUnpool sends each element of y to where in its picture index points, added to zeros in the order of y: the transpose
// of taking the elements at index. Attr: the PoolWindow.
func maxUnpool(w PoolWindow, y, index *Node) *Node {
	out := y.shape.Dims
	in := []int{out[0], w.Axes[0].In, w.Axes[1].In, out[3]}
	picked := out[1] * out[2] * out[3]
	flat := ScatterAdd(Reshape(y, out[0], picked, 1), Reshape(index, out[0], picked), in[1]*in[2]*in[3])
	c := &Composite{Kind: CompositeMaxUnpool, Attr: w, Operands: []*Node{y, index}, Results: []*Node{Reshape(flat, in...)}}
	return c.nodes()[0]
}

// CrossEntropy is −log softmax(x)_y for each row of x (n, classes) and its class y Int32 (n), in nats: shape (n, 1). A
// class outside the range counts as one whose x is 0.
func CrossEntropy(x, y *Node) *Node {
	if x.shape.Rank() != 2 || !y.shape.Equal(Shape{Int32, x.shape.Dims[:1]}) || !x.DType().IsFloat() {
		fail("cross_entropy: needs floats (n, classes) and int32 (n), got %v and %v", x.shape, y.shape)
	}
	column := Reshape(y, x.shape.Dims[0], 1)
	loss := Sub(LogSumExp(x), TakeAlong(x, column))
	c := &Composite{Kind: CompositeCrossEntropy, Operands: []*Node{x, y}, Results: []*Node{loss}}
	c.derivative = func(j int, d *Node) *Node {
		if j > 0 {
			return nil
		}
		return crossEntropyGradient(x, y, d)
	}
	return c.nodes()[0]
}

// crossEntropyGradient is c·(softmax(x) − onehot(y)) for each row, c being (n, 1).
func crossEntropyGradient(x, y, c *Node) *Node {
	n, classes := x.shape.Dims[0], x.shape.Dims[1]
	e := Exp(Sub(x, StopGradient(MaxKeep(x, 1))))
	own := Reshape(ScatterAdd(Reshape(Neg(c), n, 1, 1), Reshape(y, n, 1), classes), n, classes)
	d := &Composite{Kind: CompositeCrossEntropyGradient, Operands: []*Node{x, y, c},
		Results: []*Node{Add(Mul(e, Div(c, SumKeep(e, 1))), own)}}
	return d.nodes()[0]
}
