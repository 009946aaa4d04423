package main

import (
	"math"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

const (
	flowBatch    = 512
	flowFeatures = 64
	flowLayers   = 8
	flowWidth    = 256
)

// coupling leaves one half of the features and moves the other by an affine map that it computes of the first (Dinh et al.,
// Density estimation using Real NVP, 2017, eq. 7 and 8): b ← b·exp(s(a)) + t(a), with log-determinant Σ s(a), s bounded by
// tanh.
type coupling struct{ H1, H2, Scale, Shift nn.Dense }

func newCoupling() coupling {
	const half = flowFeatures / 2
	return coupling{
		nn.NewDense(half, flowWidth, nn.HeNormal), nn.NewDense(flowWidth, flowWidth, nn.HeNormal),
		nn.NewDense(flowWidth, half, nn.Normal(0.01)), nn.NewDense(flowWidth, half, nn.Normal(0.01))}
}

func (c *coupling) apply(a, b *tensor.Node) (moved, logDeterminant *tensor.Node) {
	h := nn.ReLU(c.H2.Apply(nn.ReLU(c.H1.Apply(a))))
	s := tensor.Tanh(c.Scale.Apply(h))
	return tensor.Add(tensor.Mul(b, tensor.Exp(s)), c.Shift.Apply(h)), tensor.Sum(s, 1)
}

type realNVP struct{ Layers []coupling }

// logLikelihood is log p(x) in nats for each row: the halves take turns, and what comes out is standard normal.
func (f *realNVP) logLikelihood(x *tensor.Node) *tensor.Node {
	a, b := tensor.SliceAxis(x, 1, 0, flowFeatures/2), tensor.SliceAxis(x, 1, flowFeatures/2, flowFeatures)
	total := x.Graph().Full(tensor.ShapeOf(tensor.Float32, flowBatch), -flowFeatures/2*math.Log(2*math.Pi))
	for i := range f.Layers {
		moved, logDeterminant := f.Layers[i].apply(a, b)
		a, b = moved, a
		total = tensor.Add(total, logDeterminant)
	}
	squares := tensor.Add(tensor.Sum(tensor.Square(a), 1), tensor.Sum(tensor.Square(b), 1))
	return tensor.Sub(total, tensor.MulScalar(squares, 0.5))
}

func trainRealNVP() []phase {
	net := &realNVP{}
	for range flowLayers {
		net.Layers = append(net.Layers, newCoupling())
	}
	params := nn.Collect(net)
	return []phase{{params, params, func(g *tensor.Graph, _ *nn.Mode) *tensor.Node {
		return tensor.Neg(tensor.Mean(net.logLikelihood(g.Input("x", tensor.Float32, flowBatch, flowFeatures))))
	}}}
}
