package nn_test

import (
	"math"
	"testing"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// plainStep is one optimiser's step in float64 over the numbers of one parameter.
type plainStep func(step int, rate float64, p, g []float64)

func plainSGD(momentum float64, nesterov bool) plainStep {
	var v []float64
	return func(_ int, rate float64, p, g []float64) {
		if v == nil {
			v = make([]float64, len(p))
		}
		for i := range p {
			v[i] = momentum*v[i] + g[i]
			if nesterov {
				p[i] -= rate * (g[i] + momentum*v[i])
			} else {
				p[i] -= rate * v[i]
			}
		}
	}
}

func plainAdam(beta1, beta2, epsilon, decay float64) plainStep {
	var m, v []float64
	return func(step int, rate float64, p, g []float64) {
		if m == nil {
			m, v = make([]float64, len(p)), make([]float64, len(p))
		}
		for i := range p {
			p[i] -= rate * decay * p[i]
			m[i] = beta1*m[i] + (1-beta1)*g[i]
			v[i] = beta2*v[i] + (1-beta2)*g[i]*g[i]
			unbiasedM := m[i] / (1 - math.Pow(beta1, float64(step)))
			unbiasedV := v[i] / (1 - math.Pow(beta2, float64(step)))
			p[i] -= rate * unbiasedM / (math.Sqrt(unbiasedV) + epsilon)
		}
	}
}

func TestOptimisers(t *testing.T) {
	adamW := nn.NewAdam()
	adamW.Decay = 0.1
	for _, c := range []struct {
		name         string
		optimiser    nn.Optimiser
		matrix, bias plainStep
	}{
		{"SGD", nn.SGD{}, plainSGD(0, false), plainSGD(0, false)},
		{"momentum", nn.SGD{Momentum: 0.9}, plainSGD(0.9, false), plainSGD(0.9, false)},
		{"Nesterov", nn.SGD{Momentum: 0.9, Nesterov: true}, plainSGD(0.9, true), plainSGD(0.9, true)},
		{"Adam", nn.NewAdam(), plainAdam(0.9, 0.999, 1e-8, 0), plainAdam(0.9, 0.999, 1e-8, 0)},
		{"AdamW", adamW, plainAdam(0.9, 0.999, 1e-8, 0.1), plainAdam(0.9, 0.999, 1e-8, 0)}, // vectors do not decay
		{"Adam of the DCGAN", nn.Adam{Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8}, plainAdam(0.5, 0.999, 1e-8, 0), plainAdam(0.5, 0.999, 1e-8, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			ps := nn.Params{
				{Name: "w", Dims: []int{3, 2}, Init: nn.Normal(1)},
				{Name: "b", Dims: []int{2}, Init: nn.Normal(1)},
			}
			type track struct {
				name  string
				step  plainStep
				value []float64
			}
			matrix, bias := track{"w", c.matrix, make([]float64, 6)}, track{"b", c.bias, make([]float64, 2)}
			vars := map[string]tensor.Vars{}
			execs := map[string]tensor.Executable{}
			onBackends(t, func(t *testing.T, b tensor.Backend) {
				vars[b.Name()] = append(ps, c.optimiser.State(ps)...).Init(1)
				execs[b.Name()] = compile(t, b, vars[b.Name()], func(g *tensor.Graph) {
					var grads []*tensor.Node
					for _, p := range ps {
						grads = append(grads, g.Input("gradient of "+p.Name, tensor.Float32, p.Dims...))
					}
					c.optimiser.Update(ps, grads, g.Input("hyper", tensor.Float32, c.optimiser.HyperLen()))
				})
			})
			for _, p := range []track{matrix, bias} {
				for i, v := range vars["cpu"][p.name].F32 {
					p.value[i] = float64(v)
				}
			}
			for step := 1; step <= 5; step++ {
				rate := 0.1 / float64(step)
				for k, p := range []*track{&matrix, &bias} {
					gradient := normals(len(p.value), uint64(10*step+k))
					p.step(step, rate, p.value, gradient)
					for _, e := range execs {
						fill(e.Input("gradient of "+p.name).F32, gradient)
					}
				}
				for name, e := range execs {
					c.optimiser.Hyper(e.Input("hyper").F32, step, rate)
					run(t, e)
					for _, p := range []track{matrix, bias} {
						near(t, name+": "+p.name, vars[name][p.name].F32, p.value, 1e-6)
					}
				}
			}
		})
	}
}

func TestClipGlobalNorm(t *testing.T) {
	a, b := []float64{3, 0, 0}, []float64{0, -4}
	for _, c := range []struct{ most, scale float64 }{{10, 1}, {5, 1}, {1, 0.2}} {
		onBackends(t, func(t *testing.T, backend tensor.Backend) {
			e := compile(t, backend, nil, func(g *tensor.Graph) {
				clipped := nn.ClipGlobalNorm([]*tensor.Node{g.Input("a", tensor.Float32, 3), g.Input("b", tensor.Float32, 2)}, c.most)
				g.Output("a'", clipped[0])
				g.Output("b'", clipped[1])
			})
			fill(e.Input("a").F32, a)
			fill(e.Input("b").F32, b)
			run(t, e)
			near(t, "a", e.Output("a'").F32, []float64{3 * c.scale, 0, 0}, 1e-6)
			near(t, "b", e.Output("b'").F32, []float64{0, -4 * c.scale}, 1e-6)
		})
	}
}

func TestAverages(t *testing.T) {
	ps := nn.Params{{Name: "p", Dims: []int{3}, Init: nn.Normal(1)}}
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		vars := append(ps, nn.Averages(ps)...).Init(1)
		e := compile(t, b, vars, func(g *tensor.Graph) { nn.UpdateAverages(ps, g.Input("decay", tensor.Float32)) })
		want := make([]float64, 3)
		for step, decay := range []float64{0.25, 0.5, 0.875} { // all exact in float32
			for i := range want {
				vars["p"].F32[i] = float32(step + i)
				want[i] = decay*want[i] + (1-decay)*float64(step+i)
			}
			e.Input("decay").F32[0] = float32(decay)
			run(t, e)
			near(t, "average", vars["ema.p"].F32, want, 1e-6)
		}
	})
}
