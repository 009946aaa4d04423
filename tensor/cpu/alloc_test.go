package cpu_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
)

// trainings are losses of small models, large enough that their launches are split over threads.
var trainings = map[string]func() (net any, loss func(g *tensor.Graph, mode *nn.Mode) *tensor.Node){
	"mlp": func() (any, func(*tensor.Graph, *nn.Mode) *tensor.Node) {
		net := &struct{ H, Out nn.Dense }{nn.NewDense(200, 256, nn.HeNormal), nn.NewDense(256, 10, nn.HeNormal)}
		return net, func(g *tensor.Graph, _ *nn.Mode) *tensor.Node {
			h := nn.ReLU(net.H.Apply(g.Input("x", tensor.Float32, 64, 200)))
			return tensor.Mean(nn.CrossEntropy(net.Out.Apply(h), g.Input("y", tensor.Int32, 64)))
		}
	},
	"cnn": func() (any, func(*tensor.Graph, *nn.Mode) *tensor.Node) {
		net := &struct {
			C   nn.Conv
			Out nn.Dense
		}{nn.NewConv(3, 16, 3, 1, 1, nn.HeNormal), nn.NewDense(7*7*16, 10, nn.HeNormal)}
		return net, func(g *tensor.Graph, _ *nn.Mode) *tensor.Node {
			h := nn.ReLU(nn.MaxPool(net.C.Apply(g.Input("x", tensor.Float32, 16, 14, 14, 3)), 2))
			return tensor.Mean(nn.CrossEntropy(net.Out.Apply(h), g.Input("y", tensor.Int32, 16)))
		}
	},
	"vae": func() (any, func(*tensor.Graph, *nn.Mode) *tensor.Node) {
		net := &struct{ Body, Mean, LogVariance, Out nn.Dense }{nn.NewDense(196, 100, nn.HeNormal),
			nn.NewDense(100, 8, nn.HeNormal), nn.NewDense(100, 8, nn.HeNormal), nn.NewDense(8, 196, nn.HeNormal)}
		return net, func(g *tensor.Graph, mode *nn.Mode) *tensor.Node {
			x := g.Input("x", tensor.Float32, 64, 196)
			h := nn.ReLU(net.Body.Apply(x))
			mean, logVariance := net.Mean.Apply(h), net.LogVariance.Apply(h)
			z := tensor.Add(mean, tensor.Mul(tensor.Exp(tensor.MulScalar(logVariance, 0.5)), mode.Noise.Normal(64, 8)))
			return tensor.Sub(tensor.Sum(nn.KLStandardNormal(mean, logVariance)),
				tensor.Sum(nn.BernoulliLogLikelihood(net.Out.Apply(z), x)))
		}
	},
	"gan": func() (any, func(*tensor.Graph, *nn.Mode) *tensor.Node) {
		net := &struct {
			G  nn.ConvTransposed
			N  nn.BatchNorm
			D  nn.Conv
			To nn.Dense
		}{nn.NewConvTransposed(12, 16, 4, 2, 1, nn.Normal(0.02)), nn.NewBatchNorm(16),
			nn.NewConv(16, 8, 4, 2, 1, nn.Normal(0.02)), nn.NewDense(8*7*7, 1, nn.Normal(0.02))}
		return net, func(g *tensor.Graph, mode *nn.Mode) *tensor.Node {
			fake := nn.ReLU(net.N.Apply(net.G.Apply(mode.Noise.Normal(16, 7, 7, 12)), mode))
			return tensor.Mean(tensor.Softplus(tensor.Neg(net.To.Apply(nn.LeakyReLU(net.D.Apply(fake), 0.2)))))
		}
	},
}

func TestSteadyTrainingAllocatesNothing(t *testing.T) {
	for name, training := range trainings {
		for _, c := range []struct {
			threads int
			pause   time.Duration // before each step, in which this goroutine has work of its own and the workers fall asleep
		}{{threads: 1}, {threads: 2}, {2, 2 * time.Millisecond}} {
			t.Run(fmt.Sprintf("%s, %d threads, pauses of %v", name, c.threads, c.pause), func(t *testing.T) {
				e := compileTraining(t, training, c.threads)
				step := func() {
					for start := time.Now(); time.Since(start) < c.pause; {
					}
					if err := e.Run(context.Background()); err != nil {
						t.Fatal(err)
					}
				}
				for range 20 { // memory for packed operands and tiles grows in the first steps
					step()
				}
				// The runtime itself allocates once in a while, when it starts a thread of the system or a goroutine that waits
				// moves to another processor; so of windows of steps, more than half must have not one allocation.
				const windows, steps = 15, 10
				quiet := 0
				var counts []uint64
				var before, after runtime.MemStats
				for range windows {
					runtime.ReadMemStats(&before)
					for range steps {
						step()
					}
					runtime.ReadMemStats(&after)
					n := after.Mallocs - before.Mallocs
					counts = append(counts, n)
					if n == 0 {
						quiet++
					}
				}
				if quiet <= windows/2 {
					t.Errorf("allocations in windows of %d steps: %d", steps, counts)
				}
			})
		}
	}
}

// compileTraining makes the program of one training step with Adam.
func compileTraining(t *testing.T, training func() (any, func(*tensor.Graph, *nn.Mode) *tensor.Node), threads int) tensor.Executable {
	t.Helper()
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
	for name, a := range adam.State(learned).Init(1) {
		vars[name] = a
	}
	e, err := cpu.New(threads).Compile(prog, vars)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range prog.Inputs {
		for i, x := 0, e.Input(in.Name()).F32; i < len(x); i++ {
			x[i] = float32(i%7) / 7
		}
	}
	adam.Hyper(e.Input("hyper").F32, 1, 1e-3)
	return e
}

// What a profile times is what a run does.
func TestProfile(t *testing.T) {
	profiled, run := compileTraining(t, trainings["cnn"], 2), compileTraining(t, trainings["cnn"], 2)
	if !cpu.StartProfile(profiled) {
		t.Fatal("the executable cannot be profiled")
	}
	for range 3 {
		for _, e := range []tensor.Executable{profiled, run} {
			if err := e.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if a, b := profiled.Output("loss").F32[0], run.Output("loss").F32[0]; a != b {
		t.Errorf("after three profiled runs the loss is %v, after three runs %v", a, b)
	}
	if cpu.Profile(run) != nil {
		t.Error("a profile that nobody asked for")
	}
	times := cpu.Profile(profiled)
	whole, parts := time.Duration(0), 0
	for _, l := range times {
		if l.Total <= 0 || l.Least <= 0 || l.Least > l.Total || l.Runs != 3 {
			t.Errorf("%s: %d runs took %v, the shortest %v", l.Name, l.Runs, l.Total, l.Least)
		}
		if l.Part {
			parts++
		} else {
			whole += l.Total
		}
	}
	if parts == 0 {
		t.Error("no batch of launches in the training of a convolutional network")
	}
	var table strings.Builder
	if err := cpu.WriteProfile(&table, "training", times, 1e11); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"of 3 runs", "GFLOP/s", "launches under 1%"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in the table:\n%s", want, table.String())
		}
	}
}

// The plan names each launch, with the arithmetic of products as the formula gives it, and can be drawn.
func TestPlan(t *testing.T) {
	plan := cpu.PlanOf(compileTraining(t, trainings["mlp"], 1))
	want := "matmul float32[64 256] of [64 200] [200 256]"
	found := false
	for _, l := range plan.Launches {
		if l.Name == want {
			found = true
			if flops := 2.0 * 64 * 256 * 200; l.Flops != flops {
				t.Errorf("%s: %v flops, want %v", l.Name, l.Flops, flops)
			}
			if bytes := 4.0 * (64*200 + 200*256 + 64*256); l.Bytes != bytes {
				t.Errorf("%s: %v bytes, want %v", l.Name, l.Bytes, bytes)
			}
			if floor := l.Floor(1e9); floor.Nanoseconds() != 2*64*256*200 {
				t.Errorf("%s: at least %v at 1 GFLOP/s", l.Name, floor)
			}
		}
	}
	if !found || !strings.Contains(plan.String(), want) {
		t.Errorf("no launch is named %q:\n%v", want, plan)
	}
	var dot strings.Builder
	if err := plan.WriteDot(&dot); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"digraph plan {", want, " -> "} {
		if !strings.Contains(dot.String(), want) {
			t.Errorf("no %q in the drawing:\n%s", want, dot.String())
		}
	}
	if cpu.PlanOf(nil) != nil || cpu.StartProfile(nil) {
		t.Error("a plan of nothing")
	}
}
