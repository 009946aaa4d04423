package generative

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// glow is the network of a [Glow].
type glow struct {
	Levels []glowLevel

	shape, padded data.Shape // of a picture, and with even sides
	levels        float64    // of a pixel: MaxValue + 1
	classes       int        // 0 without labels
}

// glowLevel works on pictures whose 2×2 squares have become channels.
type glowLevel struct {
	Steps []glowStep
	Split *glowNet // of the channels that stay, to how those that go out are moved to z; nil at the last level

	shape data.Shape // [H/2, W/2, 4C]
}

// glowStep is actnorm, 1×1 convolution and affine coupling. Actnorm begins as the identity, not by statistics of a first batch:
// logits of pixels are of the order of 1 already.
type glowStep struct {
	LogScale, Shift *nn.Param // [C], of actnorm
	Lower, Upper    *nn.Param // [C, C]: below and above the diagonal of L and U; the rest is not used
	LogDiagonal     *nn.Param // [C], s
	Coupling        glowNet
}

// glowNet is the convolutional network of a coupling: 3×3, 1×1, 3×3, the last one 0 at first, so that a coupling begins as the
// identity. A class adds to each hidden channel.
type glowNet struct {
	In, Middle, Out nn.Conv
	Class           *nn.Param // [classes, width]; nil without labels
	dropout         float64
}

// logitMargin is α: pixels go from (0, 1) to the real line by logit(α + (1−2α)v), as in Real NVP's section 4.1.
const logitMargin = 0.05

// network is the flow of pictures of the schema.
func (r *Glow) network(schema *data.Schema, classes int) *glow {
	even := func(n int) int { return n + n%2 }
	shape := schema.Shape
	net := &glow{shape: shape, levels: float64(schema.MaxValue) + 1, classes: classes,
		padded: data.Shape{Height: even(shape.Height), Width: even(shape.Width), Channels: shape.Channels}}
	at := net.padded
	for len(net.Levels) < r.Levels && at.Height%2 == 0 && at.Width%2 == 0 {
		at = data.Shape{Height: at.Height / 2, Width: at.Width / 2, Channels: 4 * at.Channels}
		level := glowLevel{shape: at}
		c := at.Channels
		for range r.Steps {
			level.Steps = append(level.Steps, glowStep{
				LogScale:    &nn.Param{Dims: []int{c}, Init: nn.Zeros},
				Shift:       &nn.Param{Dims: []int{c}, Init: nn.Zeros},
				Lower:       &nn.Param{Dims: []int{c, c}, Init: nn.Zeros},
				Upper:       &nn.Param{Dims: []int{c, c}, Init: nn.Zeros},
				LogDiagonal: &nn.Param{Dims: []int{c}, Init: nn.Zeros},
				Coupling:    r.net(c/2, c, classes),
			})
		}
		net.Levels = append(net.Levels, level)
		at.Channels /= 2 // the other half goes out
	}
	for i := range net.Levels[:len(net.Levels)-1] {
		level := &net.Levels[i]
		split := r.net(level.shape.Channels/2, level.shape.Channels, classes)
		level.Split = &split
	}
	return net
}

// net is a network from in to out channels.
func (r *Glow) net(in, out, classes int) glowNet {
	width := r.Width
	n := glowNet{
		dropout: r.Dropout,
		In:      nn.NewConv(in, width, 3, 1, 1, nn.HeNormal),
		Middle:  nn.NewConv(width, width, 1, 1, 0, nn.HeNormal),
		Out:     nn.NewConv(width, out, 3, 1, 1, nn.Zeros),
	}
	if classes > 0 {
		n.Class = &nn.Param{Dims: []int{classes, width}, Init: nn.Normal(0.1)}
	}
	return n
}

// apply is the network of the channels a, under classes y.
func (n *glowNet) apply(a, y *tensor.Node, mode *nn.Mode) *tensor.Node {
	h := n.In.Apply(a)
	if n.Class != nil {
		d := n.Class.Dims
		own := tensor.MatMul(tensor.OneHot(y, tensor.Float32, d[0]), n.Class.Node(a.Graph()))
		h = tensor.Add(h, tensor.Reshape(own, y.Dims()[0], 1, 1, d[1]))
	}
	h = nn.Dropout(nn.ReLU(n.Middle.Apply(nn.ReLU(h))), n.dropout, mode)
	return n.Out.Apply(h)
}

// latent is the number of elements of z.
func (m *glow) latent() int { return m.padded.Size() }

// units is the size of v's unit interval for each element of a padded picture [H, W, C]: a pixel is one of levels, and noise
// fills the whole of it.
func (m *glow) units() *tensor.Array {
	a := tensor.NewArray(tensor.ShapeOf(tensor.Float32, m.padded.Dims()...))
	for i := range a.F32 {
		row, column := i/(m.padded.Width*m.padded.Channels), i/m.padded.Channels%m.padded.Width
		a.F32[i] = 1
		if row < m.shape.Height && column < m.shape.Width {
			a.F32[i] = float32(1 / m.levels)
		}
	}
	return a
}

// encode is z (n, latent) of pictures x [n, H, W, C] with noise u [n, H', W', C] in [0, 1), and the log-determinant (n) of what
// leads from x + u to z.
func (m *glow) encode(x, u, y *tensor.Node, mode *nn.Mode) (z, logDet *tensor.Node) {
	g, n := x.Graph(), x.Dims()[0]
	if m.padded != m.shape {
		x = tensor.Pad(x, 0, make([]int, 4), []int{0, m.padded.Height - m.shape.Height, m.padded.Width - m.shape.Width, 0}, make([]int, 4))
	}
	v := tensor.Mul(tensor.Add(x, u), g.Constant(m.units()))
	v = tensor.AddScalar(tensor.MulScalar(v, 1-2*logitMargin), logitMargin)
	logV, logRest := tensor.Log(v), tensor.Log(tensor.AddScalar(tensor.Neg(v), 1))
	h := tensor.Sub(logV, logRest)
	logDet = tensor.Sum(nn.Flatten(tensor.Neg(tensor.Add(logV, logRest))), 1)
	constant := float64(m.latent())*math.Log(1-2*logitMargin) - float64(m.shape.Size())*math.Log(m.levels)
	var out []*tensor.Node
	for i := range m.Levels {
		level := &m.Levels[i]
		h = squeeze(h)
		for j := range level.Steps {
			var change *tensor.Node
			h, change = level.Steps[j].encode(h, y, mode)
			logDet = tensor.Add(logDet, change)
		}
		if level.Split == nil {
			break
		}
		a, b := channelHalves(h)
		b, logSlope := affine{}.forward(b, level.Split.apply(a, y, mode))
		logDet = tensor.Add(logDet, tensor.Sum(nn.Flatten(logSlope), 1))
		out, h = append(out, nn.Flatten(b)), a
	}
	z = tensor.Concat(1, append(out, nn.Flatten(h))...)
	return z, tensor.AddScalar(tensor.Reshape(logDet, n), constant)
}

// decode is x + u (n, H, W, C) of z (n, latent). The inverse matrices are of the fitted parameters.
func (m *glow) decode(z, y *tensor.Node, inverse [][]*tensor.Array) *tensor.Node {
	n := z.Dims()[0]
	var h *tensor.Node
	end := m.latent()
	for i, level := range slices.Backward(m.Levels) {
		s := level.shape
		if level.Split != nil {
			s.Channels /= 2
		}
		b := tensor.Reshape(tensor.SliceAxis(z, 1, end-s.Size(), end), n, s.Height, s.Width, s.Channels)
		end -= s.Size()
		if level.Split == nil {
			h = b
		} else {
			h = tensor.Concat(3, h, affine{}.inverse(b, level.Split.apply(h, y, &nn.Mode{})))
		}
		for j, step := range slices.Backward(level.Steps) {
			h = step.decode(h, y, inverse[i][j])
		}
		h = unsqueeze(h)
	}
	v := tensor.MulScalar(tensor.AddScalar(tensor.Sigmoid(h), -logitMargin), m.levels/(1-2*logitMargin))
	return tensor.SliceAxis(tensor.SliceAxis(v, 1, 0, m.shape.Height), 2, 0, m.shape.Width)
}

// encode is the step's output and its log-determinant (n) or a scalar part of it.
func (s *glowStep) encode(h, y *tensor.Node, mode *nn.Mode) (out, logDet *tensor.Node) {
	g, d := h.Graph(), h.Dims()
	logScale, logDiagonal := s.LogScale.Node(g), s.LogDiagonal.Node(g)
	h = tensor.Mul(tensor.Add(h, s.Shift.Node(g)), tensor.Exp(logScale))
	h = pixelProduct(h, s.matrix(g))
	constant := tensor.MulScalar(tensor.Sum(tensor.Add(logScale, logDiagonal)), float64(d[1]*d[2]))
	a, b := channelHalves(h)
	b, logSlope := affine{}.forward(b, s.Coupling.apply(a, y, mode))
	return tensor.Concat(3, a, b), tensor.Add(tensor.Sum(nn.Flatten(logSlope), 1), constant)
}

// decode undoes encode, given the inverse of the step's matrix.
func (s *glowStep) decode(h, y *tensor.Node, inverse *tensor.Array) *tensor.Node {
	g := h.Graph()
	a, b := channelHalves(h)
	h = tensor.Concat(3, a, affine{}.inverse(b, s.Coupling.apply(a, y, &nn.Mode{})))
	h = pixelProduct(h, g.Constant(inverse))
	return tensor.Sub(tensor.Mul(h, tensor.Exp(tensor.Neg(s.LogScale.Node(g)))), s.Shift.Node(g))
}

// matrix is W = P L (U + diag e^s) [C, C], by which a pixel's channels, a row, are multiplied. P turns their order around, so
// that the halves of the next coupling change places; L and U begin as identities.
func (s *glowStep) matrix(g *tensor.Graph) *tensor.Node {
	c := s.LogDiagonal.Dims[0]
	row, column := g.Iota(tensor.ShapeOf(tensor.Int32, c, c), 0), g.Iota(tensor.ShapeOf(tensor.Int32, c, c), 1)
	zero, one := g.Full(tensor.ShapeOf(tensor.Float32, c, c), 0), g.Scalar(tensor.Float32, 1)
	diagonal := func(d *tensor.Node) *tensor.Node { return tensor.Select(tensor.Equal(row, column), d, zero) }
	lower := tensor.Add(tensor.Select(tensor.Greater(row, column), s.Lower.Node(g), zero), diagonal(one))
	upper := tensor.Add(tensor.Select(tensor.Less(row, column), s.Upper.Node(g), zero), diagonal(tensor.Exp(s.LogDiagonal.Node(g))))
	return tensor.Reverse(tensor.MatMul(lower, upper), 0)
}

// inverse is W⁻¹ = (U + diag e^s)⁻¹ L⁻¹ P of the fitted parameters, computed in float64. It fails where they are not those of an
// invertible matrix, as far as numbers go.
func (s *glowStep) inverse(vars tensor.Vars) (*tensor.Array, error) {
	c := s.LogDiagonal.Dims[0]
	lower, upper, logDiagonal := vars[s.Lower.Name].F32, vars[s.Upper.Name].F32, vars[s.LogDiagonal.Name].F32
	l, u := mat.NewTriDense(c, mat.Lower, nil), mat.NewTriDense(c, mat.Upper, nil)
	for i := range c {
		l.SetTri(i, i, 1)
		u.SetTri(i, i, math.Exp(float64(logDiagonal[i])))
		for j := range i {
			l.SetTri(i, j, float64(lower[i*c+j]))
			u.SetTri(j, i, float64(upper[j*c+i]))
		}
	}
	if err := errors.Join(l.InverseTri(l), u.InverseTri(u)); err != nil {
		return nil, fmt.Errorf("the matrix of %q: %w", s.LogDiagonal.Name, err)
	}
	var product mat.Dense
	product.Mul(u, l)
	inverse := tensor.NewArray(tensor.ShapeOf(tensor.Float32, c, c))
	for i := range inverse.F32 {
		inverse.F32[i] = float32(product.At(i/c, c-1-i%c))
	}
	return inverse, nil
}

// inverses are those of all steps of all levels.
func (m *glow) inverses(vars tensor.Vars) ([][]*tensor.Array, error) {
	all := make([][]*tensor.Array, len(m.Levels))
	for i, level := range m.Levels {
		for j := range level.Steps {
			inverse, err := level.Steps[j].inverse(vars)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], inverse)
		}
	}
	return all, nil
}

// pixelProduct multiplies the channels of each pixel, a row vector, by w [C, C].
func pixelProduct(h, w *tensor.Node) *tensor.Node {
	d := h.Dims()
	return tensor.Reshape(tensor.MatMul(tensor.Reshape(h, d[0]*d[1]*d[2], d[3]), w), d...)
}

func channelHalves(h *tensor.Node) (a, b *tensor.Node) {
	c := h.Dims()[3]
	return tensor.SliceAxis(h, 3, 0, c/2), tensor.SliceAxis(h, 3, c/2, c)
}

// squeeze puts the pixels of 2×2 squares into channels: [n, H, W, C] to [n, H/2, W/2, 4C].
func squeeze(x *tensor.Node) *tensor.Node {
	d := x.Dims()
	x = tensor.Transpose(tensor.Reshape(x, d[0], d[1]/2, 2, d[2]/2, 2, d[3]), 0, 1, 3, 2, 4, 5)
	return tensor.Reshape(x, d[0], d[1]/2, d[2]/2, 4*d[3])
}

// unsqueeze undoes squeeze.
func unsqueeze(x *tensor.Node) *tensor.Node {
	d := x.Dims()
	x = tensor.Transpose(tensor.Reshape(x, d[0], d[1], d[2], 2, 2, d[3]/4), 0, 1, 3, 2, 4, 5)
	return tensor.Reshape(x, d[0], 2*d[1], 2*d[2], d[3]/4)
}
