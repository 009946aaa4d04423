package main

import (
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// classifier is a network that gives logits of 10 classes.
type classifier interface {
	logits(x *tensor.Node) *tensor.Node
}

func trainClassifier(net classifier, shape ...int) []phase {
	params := nn.Collect(net)
	return []phase{{params, params, func(g *tensor.Graph, _ *nn.Mode) *tensor.Node {
		x := g.Input("x", tensor.Float32, append([]int{batch}, shape...)...)
		y := g.Input("y", tensor.Int32, batch)
		return tensor.Mean(nn.CrossEntropy(net.logits(x), y))
	}}}
}

func answerClassifier(net classifier, n int, shape ...int) answer {
	return answer{nn.Collect(net), func(g *tensor.Graph, _ *nn.Mode) *tensor.Node {
		return net.logits(g.Input("x", tensor.Float32, append([]int{n}, shape...)...))
	}}
}

type softmaxNet struct{ Out nn.Dense }

func (net *softmaxNet) logits(x *tensor.Node) *tensor.Node { return net.Out.Apply(x) }

func softmax() []phase {
	return trainClassifier(&softmaxNet{nn.NewDense(784, 10, nn.GlorotUniform)}, 784)
}

type mlpNet struct{ H1, H2, Out nn.Dense }

func newMLP() *mlpNet {
	return &mlpNet{nn.NewDense(784, 512, nn.HeNormal), nn.NewDense(512, 256, nn.HeNormal), nn.NewDense(256, 10, nn.HeNormal)}
}

func (net *mlpNet) logits(x *tensor.Node) *tensor.Node {
	return net.Out.Apply(nn.ReLU(net.H2.Apply(nn.ReLU(net.H1.Apply(x)))))
}

func trainMLP() []phase { return trainClassifier(newMLP(), 784) }

func answerMLP(n int) func() answer {
	return func() answer { return answerClassifier(newMLP(), n, 784) }
}

type cnnNet struct {
	C1, C2  nn.Conv
	H1, Out nn.Dense
}

func newCNN() *cnnNet {
	return &cnnNet{
		nn.NewConv(1, 32, 3, 1, 1, nn.HeNormal), nn.NewConv(32, 64, 3, 1, 1, nn.HeNormal),
		nn.NewDense(7*7*64, 128, nn.HeNormal), nn.NewDense(128, 10, nn.HeNormal)}
}

func (net *cnnNet) logits(x *tensor.Node) *tensor.Node {
	h := nn.ReLU(net.C1.ApplyMaxPool(x, 2))
	h = nn.ReLU(net.C2.ApplyMaxPool(h, 2))
	return net.Out.Apply(nn.ReLU(net.H1.Apply(h)))
}

func trainCNN() []phase { return trainClassifier(newCNN(), 28, 28, 1) }

func answerCNN(n int) func() answer {
	return func() answer { return answerClassifier(newCNN(), n, 28, 28, 1) }
}
