package generative

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// flow is the network of a [RealNVP]: couplings of columns.
type flow struct {
	Couplings []coupling
	Whitening *nn.Param // [p, p], upper triangular: what the standardised columns, a row, are multiplied by first
	size      int       // p
	classes   int       // 0 without labels
	move      elementwise
}

// coupling is the network of one coupling: of the columns that stay, and the class, to how the others are moved.
type coupling struct {
	Hidden []nn.Dense
	Out    nn.Dense
	order  []int // the columns: first those that stay
	stay   int   // how many
}

// farthest bounds what the networks see, in standard deviations. A network grows with its input, and eight in a row turn the far
// outlier that x is into an infinite z; of a bounded input z grows with x alone, and log p stays finite.
const farthest = 10

// network is the flow of p columns, whose whitening begins, and stays, as given.
func (r *RealNVP) network(p, classes int, whitening []float32) *flow {
	f := &flow{size: p, classes: classes, move: affine{}}
	f.Whitening = &nn.Param{Dims: []int{p, p}, Fixed: true, Init: func(dst []float32, _, _ int, _ *rand.Rand) { copy(dst, whitening) }}
	if r.Coupling == SplineCoupling {
		f.move = spline{r.Bins, r.Tail}
	}
	for i := range r.Layers {
		stay, moved := halves(p, i)
		c := coupling{order: slices.Concat(stay, moved), stay: len(stay)}
		width := len(stay) + classes
		for _, units := range r.Hidden {
			c.Hidden = append(c.Hidden, nn.NewDense(width, units, nn.HeNormal))
			width = units
		}
		c.Out = nn.NewDense(width, len(moved)*f.move.width(), nn.Zeros) // the flow begins as the identity
		f.Couplings = append(f.Couplings, c)
	}
	return f
}

// halves says which of p columns stay in layer i and which move. Layers 2k and 2k+1 exchange the two, and k goes through the
// binary digits of j/p for column j: halves, alternate quarters, eighths, … down to single columns. So any two columns are in
// different halves for some k.
func halves(p, i int) (stay, moved []int) {
	digits := 1
	for 1<<digits < p {
		digits++
	}
	k := i / 2 % digits
	for j := range p {
		if (j<<(k+1)/p+i)%2 == 0 {
			stay = append(stay, j)
		} else {
			moved = append(moved, j)
		}
	}
	return stay, moved
}

// params are the network's output for the columns that stay, a (n, stay).
func (c *coupling) params(a, y *tensor.Node, classes int) *tensor.Node {
	h := tensor.Clamp(a, -farthest, farthest)
	if classes > 0 {
		h = tensor.Concat(1, h, tensor.OneHot(y, tensor.Float32, classes))
	}
	for _, layer := range c.Hidden {
		h = nn.ReLU(layer.Apply(h))
	}
	return c.Out.Apply(h)
}

// encode is z = f(x) (n, p) and log |det ∂f/∂x| (n).
func (f *flow) encode(x, y *tensor.Node) (z, logDet *tensor.Node) {
	g, square := x.Graph(), tensor.ShapeOf(tensor.Float32, f.size, f.size)
	row, column := g.Iota(tensor.ShapeOf(tensor.Int32, square.Dims...), 0), g.Iota(tensor.ShapeOf(tensor.Int32, square.Dims...), 1)
	whitening := f.Whitening.Node(g)
	x = tensor.MatMul(x, tensor.Select(tensor.LessEqual(row, column), whitening, g.Full(square, 0)))
	logDet = tensor.Sum(tensor.Log(tensor.Select(tensor.Equal(row, column), whitening, g.Full(square, 1))))

	order := natural(f.size)
	for i := range f.Couplings {
		c := &f.Couplings[i]
		x, order = reorder(x, order, c.order), c.order
		a, b := tensor.SliceAxis(x, 1, 0, c.stay), tensor.SliceAxis(x, 1, c.stay, f.size)
		b, logSlope := f.move.forward(b, c.params(a, y, f.classes))
		x = tensor.Concat(1, a, b)
		logDet = tensor.Add(logDet, tensor.Sum(logSlope, 1))
	}
	return reorder(x, order, natural(f.size)), logDet
}

// decode is x = f⁻¹(z), given the inverse of the whitening.
func (f *flow) decode(z, y *tensor.Node, colouring *tensor.Array) *tensor.Node {
	order := natural(f.size)
	for i := range slices.Backward(f.Couplings) {
		c := &f.Couplings[i]
		z, order = reorder(z, order, c.order), c.order
		a, b := tensor.SliceAxis(z, 1, 0, c.stay), tensor.SliceAxis(z, 1, c.stay, f.size)
		z = tensor.Concat(1, a, f.move.inverse(b, c.params(a, y, f.classes)))
	}
	return tensor.MatMul(reorder(z, order, natural(f.size)), z.Graph().Constant(colouring))
}

// colouring is the inverse of the fitted whitening, computed in float64. It fails where there is none.
func (f *flow) colouring(vars tensor.Vars) (*tensor.Array, error) {
	values, p := vars[f.Whitening.Name].F32, f.size
	w := mat.NewTriDense(p, mat.Upper, nil)
	for i := range p {
		if !(values[i*p+i] > 0) {
			return nil, fmt.Errorf("element %d of the diagonal of %q is %v, expected more than 0", i, f.Whitening.Name, values[i*p+i])
		}
		for j := i; j < p; j++ {
			w.SetTri(i, j, float64(values[i*p+j]))
		}
	}
	if err := w.InverseTri(w); err != nil {
		return nil, fmt.Errorf("the inverse of %q: %w", f.Whitening.Name, err)
	}
	inverse := tensor.NewArray(tensor.ShapeOf(tensor.Float32, p, p))
	for i := range inverse.F32 {
		inverse.F32[i] = float32(w.At(i/p, i%p))
	}
	return inverse, nil
}

// natural is the order 0, 1, … of p columns.
func natural(p int) []int {
	order := make([]int, p)
	for j := range order {
		order[j] = j
	}
	return order
}

// reorder changes the order of columns (n, p) from one to another.
func reorder(x *tensor.Node, from, to []int) *tensor.Node {
	if slices.Equal(from, to) {
		return x
	}
	index := tensor.NewArray(tensor.ShapeOf(tensor.Int32, 1, len(to)))
	for k, column := range to {
		index.I32[k] = int32(slices.Index(from, column))
	}
	return tensor.TakeAlong(x, tensor.BroadcastTo(x.Graph().Constant(index), x.Dims()...))
}
