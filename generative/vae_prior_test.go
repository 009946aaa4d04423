package generative

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

func TestVAEPriorConformance(t *testing.T) {
	pictures := some(digits(t).Train, 8)
	table := numbers(t, 2, correlated(100, rand.New(rand.NewPCG(1, 2))), nil)
	for _, c := range []struct {
		name  string
		prior LatentPrior
		draws int
		set   data.Set
	}{
		{"vamp, with classes", VampPrior, 1, pictures},
		{"vamp of a table", VampPrior, 1, table},
		{"flow, with classes", FlowPrior, 3, pictures},
		{"flow of a table", FlowPrior, 1, table},
	} {
		t.Run(c.name, func(t *testing.T) {
			recipe := tinyVAE()
			recipe.Prior, recipe.Draws, recipe.Pseudo = c.prior, c.draws, 12
			modeltest.Check(t, modeltest.Subject{Spec: recipe, Train: c.set, Validation: c.set})
		})
	}
}

func TestVAEPriorErrors(t *testing.T) {
	set := some(digits(t).Train, 8)
	for _, c := range []struct {
		change func(r *VAE)
		want   string
	}{
		{func(r *VAE) { r.Draws, r.Beta = 2, 0.5 }, "set draws=1"},
		{func(r *VAE) { r.Draws, r.FreeBits = 2, 0.5 }, "set draws=1"},
		{func(r *VAE) { r.Prior, r.FreeBits = VampPrior, 0.5 }, "set free_bits=0"},
		{func(r *VAE) { r.Prior, r.Latent = FlowPrior, 1 }, "at least 2"},
	} {
		recipe := tinyVAE()
		c.change(recipe)
		if _, _, err := recipe.Fit(t.Context(), set, model.Run{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, expected one that says %q", err, c.want)
		}
	}
}

// ranExactly is a program over given variables after a run by the reference.
func ranExactly(t *testing.T, vars tensor.Vars, build func(g *tensor.Graph)) tensor.Executable {
	t.Helper()
	e := exact(t, vars, build)
	runExact(t, e)
	return e
}

// constantOf is an array in a graph.
func constantOf(g *tensor.Graph, x []float32, dims ...int) *tensor.Node {
	return g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Float32, dims...), F32: x})
}

func classesOf(g *tensor.Graph, y []int32) *tensor.Node {
	if y == nil {
		return nil
	}
	return g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Int32, len(y)), I32: y})
}

// TestVampPriorIsMixture compares log p(z|y) with the mixture of the pseudo-inputs' posteriors, which are asked of the fitted
// model one by one.
func TestVampPriorIsMixture(t *testing.T) {
	set := some(digits(t).Train, 8)
	for name, set := range map[string]data.Set{"with classes": set, "without": withoutLabels(set)} {
		t.Run(name, func(t *testing.T) {
			recipe := tinyVAE()
			recipe.Prior, recipe.Pseudo, recipe.Epochs = VampPrior, 25, 5
			fitted, _ := fit(t, recipe, set, model.Run{})
			m, _ := fitted.(*Autoencoder)
			components, y := 25, []int32(nil)
			const n = 6
			if c, ok := fitted.(*CondAutoencoder); ok {
				m, components, y = &c.Autoencoder, 30, []int32{0, 3, 3, 9, 1, 5}
			}
			z := normals(n*3, 1.5, rand.New(rand.NewPCG(3, 4)))
			e := ranExactly(t, m.vars, func(g *tensor.Graph) {
				g.Output("log", m.net.logPrior(constantOf(g, z, n, 3), classesOf(g, y)))
			})
			pseudo := m.vars["pseudo"].F32
			if len(pseudo) != components*64 {
				t.Fatalf("%d numbers in pseudo-inputs, expected %d of 64", len(pseudo), components)
			}
			for i := range n {
				sum, count := 0.0, 0.0
				for k := range components {
					class := []int32(nil)
					if y != nil {
						if k%10 != int(y[i]) {
							continue
						}
						class = y[i : i+1]
					}
					mean, logVariance := make([]float32, 3), make([]float32, 3)
					if err := m.call(m.posterior, 1, class, []rows{{"x", pseudo[k*64 : (k+1)*64]}}, rows{"mean", mean}, rows{"log_variance", logVariance}); err != nil {
						t.Fatal(err)
					}
					density := 1.0
					for j := range 3 {
						v := math.Exp(float64(logVariance[j]))
						d := float64(z[3*i+j]) - float64(mean[j])
						density *= math.Exp(-d*d/(2*v)) / math.Sqrt(2*math.Pi*v)
					}
					sum, count = sum+density, count+1
				}
				if got, want := float64(e.Output("log").F32[i]), math.Log(sum/count); !(math.Abs(got-want) <= 2e-5*(1+math.Abs(want))) {
					t.Errorf("log p(z) is %v, expected %v", got, want)
				}
			}
		})
	}
}

// TestFlowPriorDensity compares log p(z) with that of f(z) and the determinant of f's Jacobian by finite differences, and
// z with f⁻¹(f(z)).
func TestFlowPriorDensity(t *testing.T) {
	const latent, n = 3, 5
	y := []int32{1, 0, 1, 1, 0}
	net := &autoencoder{latent: latent, latentPrior: FlowPrior, classes: 2}
	for i := range 3 {
		net.Flow = append(net.Flow, newPriorCoupling(latent, 2, i%2 == 1))
		net.Flow[i].Out.Weight.Init = nn.Normal(0.1) // not the identity
	}
	vars := nn.Collect(net).Init(1)
	whiten := func(z []float32) (e, log, back []float32) {
		run := ranExactly(t, vars, func(g *tensor.Graph) {
			y, z := classesOf(g, y), constantOf(g, z, n, latent)
			e, _ := net.whiten(z, y)
			g.Output("e", e)
			g.Output("log", net.logPrior(z, y))
			g.Output("z", net.colour(e, y))
		})
		return run.Output("e").F32, run.Output("log").F32, run.Output("z").F32
	}
	z := normals(n*latent, 1, rand.New(rand.NewPCG(5, 6)))
	e, log, back := whiten(z)
	var jacobian [n][latent][latent]float64
	const h = 1.0 / 256
	for j := range latent {
		high, low := slices.Clone(z), slices.Clone(z)
		for i := range n {
			high[i*latent+j] += h
			low[i*latent+j] -= h
		}
		up, _, _ := whiten(high)
		down, _, _ := whiten(low)
		for i := range n {
			for k := range latent {
				jacobian[i][k][j] = float64(up[i*latent+k]-down[i*latent+k]) / (2 * h)
			}
		}
	}
	for i := range n {
		a := jacobian[i]
		det := a[0][0]*(a[1][1]*a[2][2]-a[1][2]*a[2][1]) - a[0][1]*(a[1][0]*a[2][2]-a[1][2]*a[2][0]) + a[0][2]*(a[1][0]*a[2][1]-a[1][1]*a[2][0])
		want := math.Log(math.Abs(det)) - latent*math.Log(2*math.Pi)/2
		for k := range latent {
			v := float64(e[i*latent+k])
			want -= v * v / 2
			if d := math.Abs(float64(back[i*latent+k] - z[i*latent+k])); !(d <= 1e-5) {
				t.Errorf("f⁻¹(f(z)) is off by %g", d)
			}
		}
		if math.Abs(det-1) < 0.05 {
			t.Errorf("determinant %v: the comparison says nothing", det)
		}
		if got := float64(log[i]); !(math.Abs(got-want) <= 1e-3) {
			t.Errorf("log p(z) is %v, expected %v", got, want)
		}
	}
}

// TestImportanceLoss compares the loss of k draws with the weights of single draws, and with the evidence lower bound, whose
// KL term it estimates at k = 1.
func TestImportanceLoss(t *testing.T) {
	for _, prior := range []LatentPrior{NormalPrior, VampPrior, FlowPrior} {
		t.Run(string(prior), func(t *testing.T) {
			recipe := tinyVAE()
			recipe.Prior, recipe.Pseudo = prior, 10
			fitted, _ := fit(t, recipe, some(digits(t).Train, 8), model.Run{})
			m := &fitted.(*CondAutoencoder).Autoencoder
			const n, k, latent = 4, 3, 3
			r := rand.New(rand.NewPCG(7, 8))
			y, x := []int32{1, 4, 4, 0}, make([]float32, n*64)
			for i := range x {
				x[i] = float32(r.IntN(2))
			}
			epsilon := normals(k*n*latent, 1, r)
			e := ranExactly(t, m.vars, func(g *tensor.Graph) {
				x, y, all := constantOf(g, x, n, 64), classesOf(g, y), constantOf(g, epsilon, k*n, latent)
				first := tensor.SliceAxis(all, 0, 0, n)
				g.Output("loss", m.net.importanceLoss(k, x, y, all).Value)
				g.Output("one", m.net.importanceLoss(1, x, y, first).Value)
				mean, logVariance := m.net.encode(x, y)
				for j := range k {
					g.Output(string(rune('a'+j)), m.net.logWeight(x, y, mean, logVariance, tensor.SliceAxis(all, 0, j*n, (j+1)*n)))
				}
			})
			want, one := 0.0, 0.0
			for i := range n {
				sum := 0.0
				for j := range k {
					sum += math.Exp(float64(e.Output(string(rune('a' + j))).F32[i]))
				}
				want -= math.Log(sum/k) / n
				one -= float64(e.Output("a").F32[i]) / n
			}
			if got := float64(e.Output("loss").F32[0]); !(math.Abs(got-want) <= 1e-5*math.Abs(want)) {
				t.Errorf("the loss of %d draws is %v, expected %v", k, got, want)
			}
			if got := float64(e.Output("one").F32[0]); !(math.Abs(got-one) <= 1e-5*math.Abs(one)) {
				t.Errorf("the loss of one draw is %v, expected %v", got, one)
			}
			// Over many draws the bound of one is the evidence lower bound, and more draws lie above it.
			batch := read(t, some(digits(t).Train, 40))
			mean := func(k int) (mean, se float64) {
				var all []float64
				log := make([]float64, batch.Len())
				for range 64 {
					if err := m.logImportanceBound(log, batch, batch.Y, k, r); err != nil {
						t.Fatal(err)
					}
					sum := 0.0
					for _, l := range log {
						sum += l / float64(len(log))
					}
					all = append(all, sum)
				}
				return meanError(all)
			}
			bound, se := mean(1)
			tighter, _ := mean(16)
			if !(tighter > bound+4*se) {
				t.Errorf("the bound is %v with 16 draws and %v with one (standard error %v), expected it to grow", tighter, bound, se)
			}
		})
	}
}

// TestSampleLatent holds draws of z against the prior: f of a flow's draws is the noise they are made of, the moments of a
// vamp prior's are those of the mixture, and a sample is what the decoder makes of a draw.
func TestSampleLatent(t *testing.T) {
	set := some(digits(t).Train, 8)
	const n, latent = 4000, 3
	y := make([]int32, n)
	for i := range y {
		y[i] = 7
	}
	for _, prior := range []LatentPrior{NormalPrior, VampPrior, FlowPrior} {
		t.Run(string(prior), func(t *testing.T) {
			recipe := tinyVAE()
			recipe.Prior, recipe.Pseudo, recipe.Epochs = prior, 30, 5
			fitted, _ := fit(t, recipe, set, model.Run{})
			m := fitted.(*CondAutoencoder)
			if m.StandardLatent() != (prior == NormalPrior) {
				t.Errorf("StandardLatent is %v", m.StandardLatent())
			}
			z := make([]float32, n*latent)
			if err := m.SampleLatent(z, y, rand.New(rand.NewPCG(3, 4))); err != nil {
				t.Fatal(err)
			}
			noise := normals(n*latent, 1, rand.New(rand.NewPCG(3, 4)))
			switch prior {
			case NormalPrior:
				if !slices.Equal(z, noise) {
					t.Error("the draws are not those of N(0, I)")
				}
			case FlowPrior:
				e := ranExactly(t, m.vars, func(g *tensor.Graph) {
					e, _ := m.net.whiten(constantOf(g, z, n, latent), classesOf(g, y))
					g.Output("e", e)
				})
				for i, v := range e.Output("e").F32 {
					if diff := math.Abs(float64(v - noise[i])); !(diff <= 1e-4) {
						t.Fatalf("f(z) is %v, expected %v", v, noise[i])
					}
				}
			case VampPrior:
				pseudo := m.vars["pseudo"].F32
				var first, second [latent]float64 // moments of the mixture of class 7
				for k := 7; k < 30; k += 10 {
					mean, logVariance := make([]float32, latent), make([]float32, latent)
					if err := m.call(m.posterior, 1, y[:1], []rows{{"x", pseudo[k*64 : (k+1)*64]}}, rows{"mean", mean}, rows{"log_variance", logVariance}); err != nil {
						t.Fatal(err)
					}
					for j, v := range mean {
						first[j] += float64(v) / 3
						second[j] += (float64(v)*float64(v) + math.Exp(float64(logVariance[j]))) / 3
					}
				}
				for j := range latent {
					sum := 0.0
					for i := range n {
						sum += float64(z[i*latent+j]) / n
					}
					se := math.Sqrt((second[j] - first[j]*first[j]) / n)
					if !(math.Abs(sum-first[j]) <= 4.5*se) {
						t.Errorf("dimension %d has the mean %v, expected %v (standard error %v)", j, sum, first[j], se)
					}
				}
			}
			drawn, decoded := data.NewBatch(m.Shape(), n, false), data.NewBatch(m.Shape(), n, false)
			if err := m.SampleGiven(drawn, y, rand.New(rand.NewPCG(3, 4))); err != nil {
				t.Fatal(err)
			}
			if err := m.Decode(decoded, z, y); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(drawn.X, decoded.X) {
				t.Error("a sample is not what the decoder makes of a draw of z")
			}
			if err := m.SampleLatent(z[1:], y, rand.New(rand.NewPCG(3, 4))); !errors.Is(err, model.ErrShape) {
				t.Errorf("a number short: error %v", err)
			}
		})
	}
}
