package nn_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// TestSpectralNorm: after a few steps the weight is divided by its greatest singular value, by gonum's SVD, of a dense layer
// and of a convolution; u is kept, moves in training alone, and not without record.
func TestSpectralNorm(t *testing.T) {
	dense, conv := nn.NewDense(5, 7, nn.HeNormal), nn.NewConv(3, 4, 3, 1, 1, nn.HeNormal)
	for _, weight := range []*nn.Param{dense.Weight, conv.Weight} {
		module := &struct {
			Weight *nn.Param
			Norm   *nn.SpectralNorm
		}{weight, nn.NewSpectralNorm(weight)}
		params := nn.Collect(module)
		if len(params.Trainable()) != 1 {
			t.Fatal("u is learned by gradient, expected it fixed")
		}
		onBackends(t, func(t *testing.T, b tensor.Backend) {
			vars := params.Init(3)
			program := func(mode *nn.Mode) tensor.Executable {
				return compile(t, b, vars, func(g *tensor.Graph) {
					g.Output("w", module.Norm.Weight(g, mode))
					mode.Finish()
				})
			}
			out := weight.Dims[len(weight.Dims)-1]
			matrix := mat.NewDense(size(weight.Dims)/out, out, nil)
			for i, v := range vars["weight"].F32 {
				matrix.Set(i/out, i%out, float64(v))
			}
			var svd mat.SVD
			if !svd.Factorize(matrix, mat.SVDNone) {
				t.Fatal("no SVD")
			}
			sigma := svd.Values(nil)[0]
			want := make([]float64, len(vars["weight"].F32))
			for i, v := range vars["weight"].F32 {
				want[i] = float64(v) / sigma
			}

			training := program(&nn.Mode{Training: true})
			for range 200 {
				run(t, training)
			}
			near(t, "W/σ in training", training.Output("w").F32, want, 1e-5)
			left := make([]float64, out)
			for i, v := range vars["norm.left"].F32 {
				left[i] = float64(v)
			}
			if norm := mat.Norm(mat.NewVecDense(out, left), 2); !(math.Abs(norm-1) <= 1e-6) {
				t.Errorf("‖u‖ is %v, expected 1", norm)
			}
			for _, mode := range []*nn.Mode{{}, (&nn.Mode{Training: true}).WithoutRecord()} {
				vars["norm.left"].F32[0] += 0.1
				before := vars["norm.left"].F32[0]
				e := program(mode)
				run(t, e)
				if vars["norm.left"].F32[0] != before {
					t.Error("u has moved outside training")
				}
				vars["norm.left"].F32[0] -= 0.1
			}
			e := program(&nn.Mode{})
			run(t, e)
			near(t, "W/σ afterwards", e.Output("w").F32, want, 1e-5)
		})
	}
}

// TestSpectralNormGradient: with u and v constant, dσ = uᵀ dW v, so the gradient of c·W/σ by W is c/σ − (c·W)/σ² vuᵀ.
func TestSpectralNormGradient(t *testing.T) {
	const in, out = 3, 2
	weight := nn.NewDense(in, out, nn.HeNormal).Weight
	module := &struct {
		Weight *nn.Param
		Norm   *nn.SpectralNorm
	}{weight, nn.NewSpectralNorm(weight)}
	params := nn.Collect(module)
	c := normals(in*out, 4)
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		vars := params.Init(3)
		w := mat.NewDense(in, out, nil)
		for i, v := range vars["weight"].F32 {
			w.Set(i/out, i%out, float64(v))
		}
		u, v := mat.NewVecDense(out, nil), mat.NewVecDense(in, nil)
		for i, x := range vars["norm.left"].F32 {
			u.SetVec(i, float64(x))
		}
		v.MulVec(w, u)
		v.ScaleVec(1/mat.Norm(v, 2), v)
		u.MulVec(w.T(), v)
		sigma := mat.Norm(u, 2)
		u.ScaleVec(1/sigma, u)
		total := 0.0
		for i, x := range c {
			total += x * w.At(i/out, i%out)
		}
		want := make([]float64, in*out)
		for i, x := range c {
			want[i] = x/sigma - total/(sigma*sigma)*v.AtVec(i/out)*u.AtVec(i%out)
		}
		e := compile(t, b, vars, func(g *tensor.Graph) {
			mode := &nn.Mode{Training: true}
			y := tensor.Sum(tensor.Mul(g.Input("c", tensor.Float32, in, out), module.Norm.Weight(g, mode)))
			g.Output("gradient", tensor.Gradient(y, weight.Node(g))[0])
		})
		fill(e.Input("c").F32, c)
		run(t, e)
		near(t, "gradient", e.Output("gradient").F32, want, 1e-5)
	})
}
