package main

import (
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

type vaeNet struct{ Body, Mean, LogVariance, H, Out nn.Dense }

func newVAE() *vaeNet {
	return &vaeNet{
		nn.NewDense(784, 400, nn.HeNormal), nn.NewDense(400, 20, nn.HeNormal), nn.NewDense(400, 20, nn.HeNormal),
		nn.NewDense(20, 400, nn.HeNormal), nn.NewDense(400, 784, nn.HeNormal)}
}

// decode gives the logits of the pixels.
func (net *vaeNet) decode(z *tensor.Node) *tensor.Node { return net.Out.Apply(nn.ReLU(net.H.Apply(z))) }

func trainVAE() []phase {
	net := newVAE()
	params := nn.Collect(net)
	return []phase{{params, params, func(g *tensor.Graph, mode *nn.Mode) *tensor.Node {
		x := g.Input("x", tensor.Float32, batch, 784)
		h := nn.ReLU(net.Body.Apply(x))
		mean, logVariance := net.Mean.Apply(h), net.LogVariance.Apply(h)
		z := tensor.Add(mean, tensor.Mul(tensor.Exp(tensor.MulScalar(logVariance, 0.5)), mode.Noise.Normal(batch, 20)))
		bound := tensor.Sub(tensor.Sum(nn.BernoulliLogLikelihood(net.decode(z), x)), tensor.Sum(nn.KLStandardNormal(mean, logVariance)))
		return tensor.MulScalar(bound, -1.0/batch)
	}}}
}

func generateVAE() answer {
	net := newVAE()
	return answer{nn.Collect(net), func(_ *tensor.Graph, mode *nn.Mode) *tensor.Node {
		return tensor.Sigmoid(net.decode(mode.Noise.Normal(batch, 20)))
	}}
}

type dcganNet struct {
	G dcganGenerator
	D dcganDiscriminator
}

type dcganGenerator struct {
	In nn.Dense
	N1 nn.BatchNorm
	T1 nn.ConvTransposed
	N2 nn.BatchNorm
	T2 nn.ConvTransposed
}

type dcganDiscriminator struct {
	C1, C2 nn.Conv
	N2     nn.BatchNorm
	Out    nn.Dense
}

func newDCGAN() *dcganNet {
	init := nn.Normal(0.02)
	return &dcganNet{
		dcganGenerator{
			nn.NewDense(100, 7*7*128, init).NoBias(), nn.NewBatchNorm(128),
			nn.NewConvTransposed(128, 64, 4, 2, 1, init).NoBias(), nn.NewBatchNorm(64),
			nn.NewConvTransposed(64, 1, 4, 2, 1, init)},
		dcganDiscriminator{
			nn.NewConv(1, 64, 4, 2, 1, init), nn.NewConv(64, 128, 4, 2, 1, init).NoBias(),
			nn.NewBatchNorm(128), nn.NewDense(7*7*128, 1, init)},
	}
}

func (g *dcganGenerator) generate(mode *nn.Mode) *tensor.Node {
	h := tensor.Reshape(g.In.Apply(mode.Noise.Normal(batch, 100)), batch, 7, 7, 128)
	h = g.T1.Apply(nn.ReLU(g.N1.Apply(h, mode)))
	return tensor.Tanh(g.T2.Apply(nn.ReLU(g.N2.Apply(h, mode))))
}

func (d *dcganDiscriminator) judge(x *tensor.Node, mode *nn.Mode) *tensor.Node {
	h := nn.LeakyReLU(d.C1.Apply(x), 0.2)
	return d.Out.Apply(nn.LeakyReLU(d.N2.Apply(d.C2.Apply(h), mode), 0.2))
}

// trainDCGAN judges the same fakes in both phases, as PyTorch's step does.
func trainDCGAN() []phase {
	net := newDCGAN()
	all := nn.Collect(net)
	var fake *tensor.Node
	return []phase{
		{all.Under("d"), all, func(gr *tensor.Graph, mode *nn.Mode) *tensor.Node {
			real := gr.Input("x", tensor.Float32, batch, 28, 28, 1)
			fake = net.G.generate(mode)
			onReal, onFake := net.D.judge(real, mode), net.D.judge(tensor.StopGradient(fake), mode)
			return tensor.Add(tensor.Mean(tensor.Softplus(tensor.Neg(onReal))), tensor.Mean(tensor.Softplus(onFake)))
		}},
		{all.Under("g"), all, func(_ *tensor.Graph, mode *nn.Mode) *tensor.Node {
			return tensor.Mean(tensor.Softplus(tensor.Neg(net.D.judge(fake, mode.WithoutRecord()))))
		}},
	}
}

func generateDCGAN() answer {
	net := newDCGAN()
	return answer{nn.Collect(net), func(_ *tensor.Graph, mode *nn.Mode) *tensor.Node { return net.G.generate(mode) }}
}
