package main

import (
	"context"
	"math/rand/v2"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

const batch = 128

// workload makes the programs of one training step, in the same shapes as bench/torch/steps.py.
type workload struct {
	name  string
	build func() []phase
}

// phase is a loss and what it trains.
type phase struct {
	params nn.Params
	all    nn.Params
	loss   func(g *tensor.Graph, mode *nn.Mode) *tensor.Node
}

var workloads = []workload{
	{"softmax", softmax},
	{"mlp", mlp},
	{"vae", vae},
	{"cnn", cnn},
	{"dcgan", dcgan},
}

func classifier(shape []int, net any, logits func(x *tensor.Node) *tensor.Node) []phase {
	params := nn.Collect(net)
	return []phase{{params, params, func(g *tensor.Graph, _ *nn.Mode) *tensor.Node {
		x := g.Input("x", tensor.Float32, shape...)
		y := g.Input("y", tensor.Int32, batch)
		return tensor.Mean(nn.CrossEntropy(logits(x), y))
	}}}
}

func softmax() []phase {
	net := &struct{ Out nn.Dense }{nn.NewDense(784, 10, nn.GlorotUniform)}
	return classifier([]int{batch, 784}, net, net.Out.Apply)
}

func mlp() []phase {
	net := &struct{ H1, H2, Out nn.Dense }{
		nn.NewDense(784, 512, nn.HeNormal), nn.NewDense(512, 256, nn.HeNormal), nn.NewDense(256, 10, nn.HeNormal)}
	return classifier([]int{batch, 784}, net, func(x *tensor.Node) *tensor.Node {
		return net.Out.Apply(nn.ReLU(net.H2.Apply(nn.ReLU(net.H1.Apply(x)))))
	})
}

func cnn() []phase {
	net := &struct {
		C1, C2  nn.Conv
		H1, Out nn.Dense
	}{
		nn.NewConv(1, 32, 3, 1, 1, nn.HeNormal), nn.NewConv(32, 64, 3, 1, 1, nn.HeNormal),
		nn.NewDense(7*7*64, 128, nn.HeNormal), nn.NewDense(128, 10, nn.HeNormal)}
	return classifier([]int{batch, 28, 28, 1}, net, func(x *tensor.Node) *tensor.Node {
		h := nn.ReLU(nn.MaxPool(net.C1.Apply(x), 2))
		h = nn.ReLU(nn.MaxPool(net.C2.Apply(h), 2))
		return net.Out.Apply(nn.ReLU(net.H1.Apply(h)))
	})
}

func vae() []phase {
	net := &struct{ Body, Mean, LogVariance, H, Out nn.Dense }{
		nn.NewDense(784, 400, nn.HeNormal), nn.NewDense(400, 20, nn.HeNormal), nn.NewDense(400, 20, nn.HeNormal),
		nn.NewDense(20, 400, nn.HeNormal), nn.NewDense(400, 784, nn.HeNormal)}
	params := nn.Collect(net)
	return []phase{{params, params, func(g *tensor.Graph, mode *nn.Mode) *tensor.Node {
		x := g.Input("x", tensor.Float32, batch, 784)
		h := nn.ReLU(net.Body.Apply(x))
		mean, logVariance := net.Mean.Apply(h), net.LogVariance.Apply(h)
		z := tensor.Add(mean, tensor.Mul(tensor.Exp(tensor.MulScalar(logVariance, 0.5)), mode.Noise.Normal(batch, 20)))
		logit := net.Out.Apply(nn.ReLU(net.H.Apply(z)))
		bound := tensor.Sub(tensor.Sum(nn.BernoulliLogLikelihood(logit, x)), tensor.Sum(nn.KLStandardNormal(mean, logVariance)))
		return tensor.MulScalar(bound, -1.0/batch)
	}}}
}

func dcgan() []phase {
	g := &struct {
		In nn.Dense
		N1 nn.BatchNorm
		T1 nn.ConvTransposed
		N2 nn.BatchNorm
		T2 nn.ConvTransposed
	}{
		nn.NewDense(100, 7*7*128, nn.Normal(0.02)).NoBias(), nn.NewBatchNorm(128),
		nn.NewConvTransposed(128, 64, 4, 2, 1, nn.Normal(0.02)).NoBias(), nn.NewBatchNorm(64),
		nn.NewConvTransposed(64, 1, 4, 2, 1, nn.Normal(0.02))}
	d := &struct {
		C1  nn.Conv
		C2  nn.Conv
		N2  nn.BatchNorm
		Out nn.Dense
	}{
		nn.NewConv(1, 64, 4, 2, 1, nn.Normal(0.02)), nn.NewConv(64, 128, 4, 2, 1, nn.Normal(0.02)).NoBias(),
		nn.NewBatchNorm(128), nn.NewDense(7*7*128, 1, nn.Normal(0.02))}
	both := nn.Collect(&struct{ G, D any }{g, d})
	generate := func(mode *nn.Mode) *tensor.Node {
		h := tensor.Reshape(g.In.Apply(mode.Noise.Normal(batch, 100)), batch, 7, 7, 128)
		h = g.T1.Apply(nn.ReLU(g.N1.Apply(h, mode)))
		return tensor.Tanh(g.T2.Apply(nn.ReLU(g.N2.Apply(h, mode))))
	}
	judge := func(x *tensor.Node, mode *nn.Mode) *tensor.Node {
		h := nn.LeakyReLU(d.C1.Apply(x), 0.2)
		return d.Out.Apply(nn.LeakyReLU(d.N2.Apply(d.C2.Apply(h), mode), 0.2))
	}
	split := func(prefix byte) (ps nn.Params) {
		for _, p := range both {
			if p.Name[0] == prefix {
				ps = append(ps, p)
			}
		}
		return ps
	}
	return []phase{
		{split('d'), both, func(gr *tensor.Graph, mode *nn.Mode) *tensor.Node {
			real := gr.Input("x", tensor.Float32, batch, 28, 28, 1)
			fake := tensor.StopGradient(generate(mode))
			return tensor.Add(tensor.Mean(tensor.Softplus(tensor.Neg(judge(real, mode)))), tensor.Mean(tensor.Softplus(judge(fake, mode))))
		}},
		{split('g'), both, func(_ *tensor.Graph, mode *nn.Mode) *tensor.Node {
			return tensor.Mean(tensor.Softplus(tensor.Neg(judge(generate(mode), mode))))
		}},
	}
}

// compile makes a function that runs one training step with Adam on a fixed batch of random examples.
func (w workload) compile(b tensor.Backend) (func() error, error) {
	phases := w.build()
	adam := nn.NewAdam()
	vars := phases[0].all.Init(1)
	var steps []tensor.Executable
	hyper := make([]float32, adam.HyperLen())
	r := rand.New(rand.NewPCG(1, 1))
	for _, p := range phases {
		learned := p.params.Trainable()
		for name, a := range adam.State(learned).Init(1) {
			vars[name] = a
		}
		prog, err := tensor.Build(func(g *tensor.Graph) {
			mode := &nn.Mode{Training: true, Noise: &nn.Noise{Key: g.Input("key", tensor.Uint32, 2)}}
			loss := p.loss(g, mode)
			g.Output("loss", loss)
			adam.Update(learned, tensor.Gradient(loss, learned.Nodes(g)...), g.Input("hyper", tensor.Float32, len(hyper)))
			mode.Finish()
		})
		if err != nil {
			return nil, err
		}
		e, err := b.Compile(prog, vars)
		if err != nil {
			return nil, err
		}
		for _, in := range prog.Inputs {
			a := e.Input(in.Name())
			for i := range a.F32 {
				a.F32[i] = r.Float32()
			}
			for i := range a.I32 {
				a.I32[i] = r.Int32N(10)
			}
		}
		steps = append(steps, e)
	}
	number := uint32(0)
	return func() error {
		number++
		adam.Hyper(hyper, int(number), 1e-3)
		for _, e := range steps {
			e.Input("key").U32[0] = number
			copy(e.Input("hyper").F32, hyper)
			if err := e.Run(context.Background()); err != nil {
				return err
			}
		}
		return nil
	}, nil
}
