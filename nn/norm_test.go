package nn_test

import (
	"testing"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// A layer that is applied to several inputs in one training step follows each of them in turn, as separate steps would.
func TestBatchNormFollows(t *testing.T) {
	norm := nn.NewBatchNorm(2)
	ps := nn.Collect(&norm)
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		vars := ps.Init(1)
		e := compile(t, b, vars, func(g *tensor.Graph) {
			mode := &nn.Mode{Training: true}
			for _, name := range []string{"real", "fake"} {
				g.Output("y of "+name, norm.Apply(g.Input(name, tensor.Float32, 2, 2, 1, 2), mode))
			}
			mode.Finish()
		})
		mean, variance := []float64{0, 0}, []float64{1, 1}
		for step := range 3 {
			for i, name := range []string{"real", "fake"} {
				x := normals(8, uint64(2*step+i))
				fill(e.Input(name).F32, x)
				for c := range 2 {
					var own []float64
					for j := c; j < len(x); j += 2 {
						own = append(own, x[j])
					}
					m, v := moments(own)
					mean[c] = 0.9*mean[c] + 0.1*m
					variance[c] = 0.9*variance[c] + 0.1*v*4/3 // of four values, without bias
				}
			}
			run(t, e)
			near(t, "running mean", vars["mean"].F32, mean, 1e-6)
			near(t, "running variance", vars["variance"].F32, variance, 1e-6)
		}
	})
}

func TestEvaluationChangesNothing(t *testing.T) {
	norm := nn.NewBatchNorm(2)
	nn.Collect(&norm)
	prog, err := tensor.Build(func(g *tensor.Graph) {
		mode := &nn.Mode{}
		g.Output("y", norm.Apply(g.Input("x", tensor.Float32, 4, 2), mode))
		mode.Finish()
	})
	if err != nil || len(prog.Updates) != 0 {
		t.Errorf("%d updates (%v), expected none", len(prog.Updates), err)
	}
}
