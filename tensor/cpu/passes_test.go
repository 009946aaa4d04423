package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
	"github.com/likely-ml/likely/tensor/tensortest"
	"pgregory.net/rapid"
)

// without is the backend without each pass in turn, without all of them, and with all.
func without() map[string]cpu.Passes {
	list := map[string]cpu.Passes{"nothing": {}}
	var all cpu.Passes
	for i := range reflect.TypeFor[cpu.Passes]().NumField() {
		var one cpu.Passes
		reflect.ValueOf(&one).Elem().Field(i).SetBool(true)
		reflect.ValueOf(&all).Elem().Field(i).SetBool(true)
		list[reflect.TypeFor[cpu.Passes]().Field(i).Name] = one
	}
	list["all"] = all
	return list
}

// No pass changes a bit of what a random program computes.
func TestPassesChangeNoBit(t *testing.T) {
	rapid.Check(t, samePrograms)
}

// FuzzPasses looks for a program in which one does; run it with -fuzz.
func FuzzPasses(f *testing.F) { f.Fuzz(rapid.MakeFuzz(samePrograms)) }

func samePrograms(t *rapid.T) {
	tensortest.Same(t, func() map[string]tensor.Backend {
		backends := map[string]tensor.Backend{}
		for name, skip := range without() {
			backends["without "+name] = cpu.Without(skip, 1)
		}
		backends["on two threads"] = cpu.New(2)
		return backends
	})
}

// composites are programs around each composite, its gradient, and what a cluster ends in.
var composites = map[string]func(g *tensor.Graph){
	"adam": func(g *tensor.Graph) {
		for _, shrink := range []bool{false, true} {
			name := fmt.Sprint(shrink)
			in := func(n string) *tensor.Node { return g.Input(n+name, tensor.Float32, 3001) }
			scalar := func(n string) *tensor.Node { return g.Input(n+name, tensor.Float32) }
			v := in("v")
			p1, m1, v1 := tensor.Adam(tensor.AdamSpec{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Shrink: shrink},
				in("p"), in("m"), tensor.Square(v), in("g"), scalar("rate"), tensor.Abs(scalar("correction")), scalar("shrink"))
			g.Output("p1"+name, p1)
			g.Output("m1"+name, m1)
			g.Output("v1"+name, v1)
		}
	},
	"cross-entropy": func(g *tensor.Graph) {
		for _, shape := range [][2]int{{1, 1}, {128, 10}, {300, 7}, {5, 1000}, {3, 2000}, {700, 2}} {
			n, classes := shape[0], shape[1]
			x := g.Input(fmt.Sprint("x", shape), tensor.Float32, n, classes)
			y := tensor.Convert(tensor.Floor(tensor.MulScalar(g.Input(fmt.Sprint("y", shape), tensor.Float32, n), float64(classes))), tensor.Int32)
			c := g.Input(fmt.Sprint("c", shape), tensor.Float32, n, 1)
			loss := tensor.CrossEntropy(x, y) // some classes are out of range
			g.Output(fmt.Sprint("loss", shape), loss)
			d := tensor.Gradient(tensor.Sum(tensor.Mul(loss, c)), x)[0]
			g.Output(fmt.Sprint("gradient", shape), d)
			g.Output(fmt.Sprint("second", shape), tensor.Gradient(tensor.Sum(tensor.Square(d)), x)[0])
		}
	},
	"max pool": func(g *tensor.Graph) {
		for _, s := range [][7]int{{2, 6, 6, 3, 2, 2, 0}, {2, 7, 5, 17, 2, 2, 0}, {3, 9, 8, 4, 3, 2, 1}, {2, 5, 6, 5, 3, 1, 1}, {1, 8, 8, 2, 2, 3, 1}, {16, 14, 14, 32, 2, 2, 0}, {3, 9, 9, 20, 3, 3, 0}} {
			x := g.Input(fmt.Sprint("x", s), tensor.Float32, s[0], s[1], s[2], s[3])
			y := tensor.MaxPool(tensor.Pooling(x, s[4], s[5], s[6]), tensor.Max(x, tensor.ZerosLike(x))) // equal zeros
			g.Output(fmt.Sprint("y", s), y)
			d := tensor.Gradient(tensor.Sum(tensor.Mul(y, tensor.Neg(tensor.Square(y)))), x)[0]
			g.Output(fmt.Sprint("gradient", s), d)
			g.Output(fmt.Sprint("second", s), tensor.Gradient(tensor.Sum(tensor.Square(d)), x)[0])
		}
	},
	"ends": func(g *tensor.Graph) {
		for _, s := range [][3]int{{1, 500, 64}, {1, 3000, 7}, {6, 49, 32}, {40, 196, 64}, {300, 60, 1}, {3, 1000, 1}, {2, 100, 500}, {1, 25088, 64}} {
			x := g.Input(fmt.Sprint("x", s), tensor.Float32, s[0], s[1], s[2])
			mean := tensor.MulScalar(tensor.SumKeep(tensor.AddScalar(x, 1), 1), 1/float64(s[1]))
			centred := tensor.Sub(x, mean)
			g.Output(fmt.Sprint("variance", s), tensor.Sum(tensor.Square(centred), 1))
			g.Output(fmt.Sprint("greatest", s), tensor.ReduceMax(tensor.Abs(centred), 1))
			g.Output(fmt.Sprint("least", s), tensor.ReduceMax(tensor.Neg(centred), 1))
		}
	},
	"an operand in whole, then written over": func(g *tensor.Graph) {
		// The weights are needed by every picture of a batch; a cluster of their size must not take their place before.
		w := tensor.MulScalar(g.Input("w", tensor.Float32, 3, 3, 16, 16), 0.5)
		a := tensor.ConvAxis{In: 9, Kernel: 3, Out: 9, Stride: 1, Dilation: 1, Pad: 1}
		c := tensor.ConvGeometry{N: 16, Groups: 1, CI: 16, CO: 16, Axes: [2]tensor.ConvAxis{a, a}}
		y := tensor.ConvY(c, g.Input("x", tensor.Float32, c.XDims()...), w)
		g.Output("penalty", tensor.Reverse(tensor.AddScalar(tensor.Mul(w, w), 1), 0))
		g.Output("y", tensor.Tanh(y))
		k := tensor.ConvGeometry{N: 16, Groups: 1, CI: 16, CO: 3, Axes: [2]tensor.ConvAxis{a, a}} // weights as they are
		k.Axes[0].Kernel, k.Axes[1].Kernel, k.Axes[0].Pad, k.Axes[1].Pad = 1, 1, 0, 0
		v := tensor.MulScalar(g.Input("v", tensor.Float32, 1, 1, 16, 3), 2)
		z := tensor.ConvY(k, tensor.Tanh(y), v)
		g.Output("negative", tensor.Reverse(tensor.Neg(v), 3))
		g.Output("z", tensor.Tanh(z))
	},
	"norms": func(g *tensor.Graph) { norms(g, 9) },
	// A cluster over the channels could be taken for one over the pictures.
	"norms of as many pictures as channels": func(g *tensor.Graph) { norms(g, 32) },
}

// norms normalise what a convolution has computed, in each way.
func norms(g *tensor.Graph, n int) {
	a := tensor.ConvAxis{In: 14, Kernel: 3, Out: 14, Stride: 1, Dilation: 1, Pad: 1}
	c := tensor.ConvGeometry{N: n, Groups: 1, CI: 3, CO: 32, Axes: [2]tensor.ConvAxis{a, a}}
	x := tensor.ConvY(c, g.Input("x", tensor.Float32, c.XDims()...), g.Input("w", tensor.Float32, c.WDims()...))
	group, batch, layer := nn.NewGroupNorm(8, 32), nn.NewBatchNorm(32), nn.NewLayerNorm(32)
	nn.Collect(&struct {
		G nn.GroupNorm
		B nn.BatchNorm
		L nn.LayerNorm
	}{group, batch, layer})
	for name, y := range map[string]*tensor.Node{"group": group.Apply(x), "batch": batch.Apply(x, &nn.Mode{Training: true}), "layer": layer.Apply(x)} {
		g.Output(name, y)
		g.Output(name+" gradient", tensor.Gradient(tensor.Sum(tensor.Mul(y, tensor.Sigmoid(y))), x)[0])
	}
}

// A composite's kernel and a cluster's end give the bits of the ops that they stand for, at any number of threads and with
// any kernels.
func TestCompositesChangeNoBit(t *testing.T) {
	for name, build := range composites {
		t.Run(name, func(t *testing.T) {
			prog, err := tensor.Build(build)
			if err != nil {
				t.Fatal(err)
			}
			want := runOn(t, prog, cpu.Without(without()["all"], 1))
			for level := kernel.Detected(); level >= kernel.Generic; level-- {
				for _, threads := range []int{1, 2, 7} {
					for skipped, skip := range without() {
						if skipped != "nothing" && (threads != 2 || level != kernel.Detected()) {
							continue
						}
						func() {
							defer kernel.Use(level)()
							got := runOn(t, prog, cpu.Without(skip, threads))
							for out, w := range want {
								for i, v := range w {
									if x := got[out][i]; math.Float32bits(x) != math.Float32bits(v) && (x == x || v == v) {
										t.Fatalf("%s: element %d is %v without %s at level %v with %d threads, %v without any pass", out, i, x, skipped, level, threads, v)
									}
								}
							}
						}()
					}
				}
			}
		})
	}
}

// runOn runs a program once on a backend, on inputs that are the same every time, and returns its outputs.
func runOn(t *testing.T, prog *tensor.Program, b tensor.Backend) map[string][]float32 {
	t.Helper()
	vars := tensor.Vars{}
	r := rand.New(rand.NewPCG(5, 6))
	fill := func(x []float32) {
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
	}
	for _, v := range prog.Variables {
		vars[v.Name()] = tensor.NewArray(v.Shape())
		fill(vars[v.Name()].F32)
	}
	e, err := b.Compile(prog, vars)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range prog.Inputs {
		fill(e.Input(in.Name()).F32)
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	out := map[string][]float32{}
	for _, o := range prog.Outputs {
		out[o.Name] = e.Output(o.Name).F32
	}
	return out
}

// A frozen program computes what the program does, weights packed once and arithmetic of constants done beforehand or not.
func TestFrozenProgramsChangeNoBit(t *testing.T) {
	net := &struct {
		C1  nn.Conv
		N   nn.BatchNorm
		C2  nn.ConvTransposed
		Out nn.Dense
	}{nn.NewConv(3, 20, 3, 1, 1, nn.HeNormal), nn.NewBatchNorm(20), nn.NewConvTransposed(20, 17, 4, 2, 1, nn.HeNormal), nn.NewDense(17*20*20, 5, nn.HeNormal)}
	vars := nn.Collect(net).Init(3)
	for i := range vars["n.mean"].F32 {
		vars["n.mean"].F32[i], vars["n.variance"].F32[i] = float32(i)/40, 1+float32(i)/10
	}
	for _, n := range []int{1, 3, 16} {
		prog, err := tensor.Build(func(g *tensor.Graph) {
			h := nn.ReLU(net.N.Apply(net.C1.Apply(g.Input("x", tensor.Float32, n, 10, 10, 3)), &nn.Mode{}))
			g.Output("y", net.Out.Apply(nn.ReLU(net.C2.Apply(h))))
		})
		if err != nil {
			t.Fatal(err)
		}
		frozen, err := prog.Freeze(vars)
		if err != nil {
			t.Fatal(err)
		}
		var want []float32
		for _, threads := range []int{1, 2} {
			for name, skip := range without() {
				for _, p := range []*tensor.Program{prog, frozen} {
					e, err := cpu.Without(skip, threads).Compile(p, vars)
					if err != nil {
						t.Fatal(err)
					}
					for i := range e.Input("x").F32 {
						e.Input("x").F32[i] = float32(i%11)/7 - 0.6
					}
					if err := e.Run(t.Context()); err != nil {
						t.Fatal(err)
					}
					y := e.Output("y").F32
					if want == nil {
						want = y
					}
					for i := range want {
						if math.Float32bits(y[i]) != math.Float32bits(want[i]) {
							t.Fatalf("without %s, frozen %t: element %d is %v, was %v", name, p == frozen, i, y[i], want[i])
						}
					}
				}
			}
		}
	}
}
