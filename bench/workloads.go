package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

const batch = 128

// workload is something to time, in the same shapes as its namesake in bench/torch/steps.py: either a training step or an
// answer of a fitted network.
type workload struct {
	name    string
	train   func() []phase
	answer  func() answer
	atLeast float64 // how many times faster than PyTorch it should be; 0 where no aim is set
	// checked says that PyTorch must find the same losses from the same parameters. Where a step draws noise it cannot.
	checked bool
	export  func(vars tensor.Vars) []byte // the answer's network for ONNX Runtime
}

// phase is a loss and what it trains. The phases of a step are built into one program, each on parameters as the one before
// leaves them.
type phase struct {
	params nn.Params
	all    nn.Params
	loss   func(g *tensor.Graph, mode *nn.Mode) *tensor.Node
}

// answer is a fitted network and what it computes of inputs, or of noise.
type answer struct {
	params nn.Params
	apply  func(g *tensor.Graph, mode *nn.Mode) *tensor.Node
}

var workloads = []workload{
	{name: "softmax", train: softmax, atLeast: 3, checked: true},
	{name: "mlp", train: trainMLP, atLeast: 1.35, checked: true},
	{name: "vae", train: trainVAE, atLeast: 1.4},
	{name: "cnn", train: trainCNN, atLeast: 1.6, checked: true},
	{name: "dcgan", train: trainDCGAN, atLeast: 1.25},
	{name: "unet", train: trainUNet, atLeast: 1.2, checked: true},
	{name: "realnvp", train: trainRealNVP, atLeast: 1.3, checked: true},
	{name: "latency mlp", answer: answerMLP(1), export: exportMLP(1)},
	{name: "latency cnn", answer: answerCNN(1), export: exportCNN(1), atLeast: 3},
	{name: "predict mlp", answer: answerMLP(batch), export: exportMLP(batch)},
	{name: "predict cnn", answer: answerCNN(batch), export: exportCNN(batch)},
	{name: "generate vae", answer: generateVAE},
	{name: "generate dcgan", answer: generateDCGAN},
}

func workloadNamed(name string) (workload, error) {
	i := slices.IndexFunc(workloads, func(w workload) bool { return w.name == name })
	if i < 0 {
		names := make([]string, len(workloads))
		for i, w := range workloads {
			names[i] = w.name
		}
		return workload{}, fmt.Errorf("no workload %q; there are %q", name, names)
	}
	return workloads[i], nil
}

// job is a compiled workload.
type job struct {
	program    *tensor.Program
	executable tensor.Executable
	params     nn.Params   // those of the network, in the order of its fields
	vars       tensor.Vars // their values, with the optimiser's
	run        func() error
}

func (w workload) compile(b tensor.Backend) (*job, error) {
	make := w.compileTraining
	if w.train == nil {
		make = w.compileAnswer
	}
	j, err := make(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	return j, nil
}

// compileTraining makes a job of one training step with Adam on a fixed batch of random examples.
func (w workload) compileTraining(b tensor.Backend) (*job, error) {
	phases := w.train()
	adam := nn.NewAdam()
	j := &job{params: phases[0].all, vars: phases[0].all.Init(1)}
	for _, p := range phases {
		for name, a := range adam.State(p.params.Trainable()).Init(1) {
			j.vars[name] = a
		}
	}
	var err error
	j.program, err = tensor.Build(func(g *tensor.Graph) {
		mode := &nn.Mode{Training: true, Noise: &nn.Noise{Key: g.Input("key", tensor.Uint32, 2)}}
		hyper := g.Input("hyper", tensor.Float32, adam.HyperLen())
		for i, p := range phases {
			learned := p.params.Trainable()
			loss := p.loss(g, mode)
			if i == 0 {
				g.Output("loss", loss)
			}
			adam.Update(learned, tensor.Gradient(loss, learned.Nodes(g)...), hyper)
		}
		mode.Finish()
	})
	if err != nil {
		return nil, err
	}
	if err := j.compile(b, j.vars); err != nil {
		return nil, err
	}
	number := 0
	key, hyper := j.executable.Input("key").U32, j.executable.Input("hyper").F32
	j.run = func() error {
		number++
		key[0] = uint32(number)
		adam.Hyper(hyper, number, 1e-3)
		return j.executable.Run(context.Background())
	}
	return j, nil
}

// compileAnswer makes a job that copies a batch into the program of a fitted network, as a caller would, and runs it.
func (w workload) compileAnswer(b tensor.Backend) (*job, error) {
	a := w.answer()
	j := &job{params: a.params, vars: a.params.Init(1)}
	p, err := tensor.Build(func(g *tensor.Graph) {
		g.Output("y", a.apply(g, &nn.Mode{Noise: &nn.Noise{Key: g.Input("key", tensor.Uint32, 2)}}))
	})
	if err != nil {
		return nil, err
	}
	if j.program, err = p.Freeze(j.vars); err != nil {
		return nil, err
	}
	if err := j.compile(b, nil); err != nil {
		return nil, err
	}
	key := j.executable.Input("key").U32
	var x, source []float32
	for _, in := range j.program.Inputs {
		if in.Name() == "x" {
			x = j.executable.Input("x").F32
			source = slices.Clone(x)
		}
	}
	j.run = func() error {
		key[0]++
		copy(x, source)
		return j.executable.Run(context.Background())
	}
	return j, nil
}

// flops are those of one run.
func (j *job) flops() float64 { return flops(j.program) }

// compile makes the program executable and fills its inputs with random numbers.
func (j *job) compile(b tensor.Backend, vars tensor.Vars) error {
	e, err := b.Compile(j.program, vars)
	if err != nil {
		return err
	}
	j.executable = e
	r := rand.New(rand.NewPCG(1, 0))
	for _, in := range j.program.Inputs {
		a := e.Input(in.Name())
		for i := range a.F32 {
			a.F32[i] = r.Float32()
		}
		for i := range a.I32 {
			a.I32[i] = r.Int32N(10)
		}
	}
	return nil
}
