package cpu_test

import (
	"testing"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/tensortest"
	"pgregory.net/rapid"
)

// No array is overwritten before it was read for the last time: in random programs, with every pass left out in turn.
func TestMemoryOfRandomPrograms(t *testing.T) {
	passes := without()
	rapid.Check(t, func(t *rapid.T) {
		c := tensortest.Program(t, 4)
		for name, skip := range passes {
			vars := tensor.Vars{}
			for v, a := range c.Variables {
				vars[v] = a.Clone()
			}
			if err := cpu.CheckMemory(c.Program, vars, skip); err != nil {
				t.Fatalf("without %s: %v", name, err)
			}
		}
	})
}

// The same in training steps, which have long lives and updates in place, and in the composites.
func TestMemoryOfTrainings(t *testing.T) {
	for name, training := range trainings {
		net, loss := training()
		params, adam := nn.Collect(net), nn.NewAdam()
		learned := params.Trainable()
		prog, err := tensor.Build(func(g *tensor.Graph) {
			mode := &nn.Mode{Training: true, Noise: &nn.Noise{Key: g.Input("key", tensor.Uint32, 2)}}
			l := loss(g, mode)
			g.Output("loss", l)
			adam.Update(learned, tensor.Gradient(l, learned.Nodes(g)...), g.Input("hyper", tensor.Float32, adam.HyperLen()))
			mode.Finish()
		})
		if err != nil {
			t.Fatal(err)
		}
		vars := params.Init(1)
		for v, a := range adam.State(learned).Init(1) {
			vars[v] = a
		}
		checkMemory(t, name, prog, vars)
	}
	for name, build := range composites {
		prog, err := tensor.Build(build)
		if err != nil {
			t.Fatal(err)
		}
		vars := tensor.Vars{}
		for _, v := range prog.Variables {
			vars[v.Name()] = tensor.NewArray(v.Shape())
		}
		checkMemory(t, name, prog, vars)
	}
}

func checkMemory(t *testing.T, name string, prog *tensor.Program, vars tensor.Vars) {
	t.Helper()
	for pass, skip := range without() {
		if err := cpu.CheckMemory(prog, vars, skip); err != nil {
			t.Errorf("%s, without %s: %v", name, pass, err)
		}
	}
}
