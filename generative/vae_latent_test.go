package generative

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// TestVAELogLikelihood compares log p(x|z) with the formula at what the decoder gives, and its gradient by z with differences.
func TestVAELogLikelihood(t *testing.T) {
	pictures := some(digits(t).Train, 8)
	table := numbers(t, 2, correlated(64, rand.New(rand.NewPCG(1, 2))), nil)
	for _, c := range []struct {
		name   string
		output Output
		prior  LatentPrior
		set    data.Set
	}{
		{"bernoulli", Bernoulli, NormalPrior, pictures},
		{"logistic", Logistic, NormalPrior, pictures},
		{"flow prior", Logistic, FlowPrior, pictures},
		{"table", Normal, NormalPrior, table},
	} {
		t.Run(c.name, func(t *testing.T) {
			recipe := tinyVAE()
			recipe.Latent, recipe.Output, recipe.Prior = 3, c.output, c.prior
			fitted, _ := fit(t, recipe, c.set, model.Run{Backend: "reference"})
			latent := fitted.(model.LatentLikelihood)
			m := posterior{t: t}
			if given, ok := fitted.(*CondAutoencoder); ok {
				m.Autoencoder = &given.Autoencoder
			} else {
				m.Autoencoder = fitted.(*Autoencoder)
			}
			r := rand.New(rand.NewPCG(3, 4))
			x := read(t, some(c.set, 12))
			seen, err := latent.Observe(x, r)
			if err != nil {
				t.Fatal(err)
			}
			n, d := x.Len(), latent.LatentSize()
			ask := func(e []float32) ([]float64, []float32) {
				log, gradient := make([]float64, n), make([]float32, n*d)
				if err := latent.LogLikelihood(log, gradient, seen, e, x.Y); err != nil {
					t.Fatal(err)
				}
				return log, gradient
			}
			e := normals(n*d, 1, r)
			log, gradient := ask(e)

			z := e
			if c.prior == FlowPrior {
				z = make([]float32, len(e))
				if err := m.call(m.colour, n, x.Y, []rows{{"e", e}}, rows{"z", z}); err != nil {
					t.Fatal(err)
				}
			}
			out, err := m.decode(z, x.Y, n)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range log {
				// Of small probabilities a Bernoulli mean in float32 keeps fewer digits than its logit.
				if want := m.logGiven(out.Row(i), seen.Row(i)); !(math.Abs(got-want) <= 1e-5*math.Abs(want)) {
					t.Errorf("log p(x|z) of example %d is %v, expected %v", i, got, want)
				}
			}
			const h = 0.004
			smooth := 0
			for j := range d {
				shifted := func(by float32) []float64 {
					moved := append([]float32(nil), e...)
					for i := range n {
						moved[i*d+j] += by
					}
					log, _ := ask(moved)
					return log
				}
				up, down := shifted(h), shifted(-h)
				for i := range n {
					got, right, left := float64(gradient[i*d+j]), (up[i]-log[i])/h, (log[i]-down[i])/h
					tol := 0.03 * (1 + math.Abs(got)) // float32 results of some 100 nats keep 1e-5, over h
					if math.Abs(right-left) > tol {
						continue // a ReLU has its kink between
					}
					smooth++
					if !(math.Abs(got-(right+left)/2) <= tol) {
						t.Errorf("gradient of example %d by z_%d is %v, by differences %v and %v", i, j, got, left, right)
					}
				}
			}
			if smooth < n*d*3/4 {
				t.Errorf("%d of %d derivatives could be compared, expected three quarters", smooth, n*d)
			}
		})
	}
}

func TestVAELogLikelihoodErrors(t *testing.T) {
	set := some(digits(t).Train, 8)
	recipe := tinyVAE()
	recipe.Prior, recipe.Pseudo = VampPrior, 12
	vamp, _ := fit(t, recipe, set, model.Run{})
	x, r := read(t, some(set, 2)), rand.New(rand.NewPCG(1, 1))
	if _, err := vamp.(model.LatentLikelihood).Observe(x, r); err == nil || !strings.Contains(err.Error(), "prior=flow") {
		t.Errorf("a vamp prior: error %v", err)
	}
	fitted, _ := fit(t, tinyVAE(), set, model.Run{})
	m := fitted.(model.LatentLikelihood)
	seen, err := m.Observe(x, r)
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float32, 2*m.LatentSize())
	for what, err := range map[string]error{
		"no random numbers":         second(m.Observe(x, nil)),
		"too short a z":             m.LogLikelihood(make([]float64, 2), z[1:], seen, z[1:], x.Y),
		"too few results":           m.LogLikelihood(make([]float64, 1), z, seen, z, x.Y),
		"a class that is not there": m.LogLikelihood(make([]float64, 2), make([]float32, len(z)), seen, z, []int32{0, 99}),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }
