package generative

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
	"github.com/likely-ml/likely/nn"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"
)

// tinyLadder is a recipe that fits in a fraction of a second.
func tinyLadder() *Ladder {
	r := model.NewRecipe[Ladder]()
	r.Channels, r.Layers, r.Latent, r.Epochs, r.Batch = []int{4, 6}, 1, 2, 2, 32
	return r
}

// colourful is pictures of an odd size in colour, without labels.
func colourful(t *testing.T, n int) data.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	pixels := make([]uint8, n*5*7*3)
	for i := range pixels {
		pixels[i] = uint8(r.IntN(256))
	}
	set, err := data.NewPixels(&data.Schema{Shape: data.Shape{Height: 5, Width: 7, Channels: 3}, MaxValue: 255}, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// bars is pictures of 4x4 grey pixels with a bar, which lies in one class and stands in the other.
func bars(t *testing.T, n int) data.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	pixels, labels := make([]uint8, n*16), make([]int32, n)
	for i := range labels {
		labels[i] = int32(i % 2)
		place := r.IntN(4)
		for j := range 16 {
			if at := [2]int{j / 4, j % 4}; at[labels[i]] == place {
				pixels[16*i+j] = uint8(10 + r.IntN(6))
			}
		}
	}
	set, err := data.NewPixels(&data.Schema{Shape: data.Shape{Height: 4, Width: 4, Channels: 1}, MaxValue: 16, Classes: []string{"lying", "standing"}}, pixels, labels)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestLadderConformance(t *testing.T) {
	pictures := bars(t, 64)
	for _, c := range []struct {
		name   string
		output Output
		set    data.Set
	}{
		{"bernoulli", Auto, pictures},
		{"normal without labels", Normal, withoutLabels(pictures)},
		{"odd pictures in colour", Logistic, colourful(t, 40)},
	} {
		t.Run(c.name, func(t *testing.T) {
			recipe := tinyLadder()
			recipe.Output = c.output
			modeltest.Check(t, modeltest.Subject{Spec: recipe, Train: c.set, Validation: c.set})
		})
	}
}

func TestLadderErrors(t *testing.T) {
	table := numbers(t, 2, correlated(20, rand.New(rand.NewPCG(1, 1))), nil)
	if _, _, err := tinyLadder().Fit(t.Context(), table, model.Run{}); err == nil || !strings.Contains(err.Error(), "use vae") {
		t.Errorf("fit to a table returned the error %v", err)
	}
}

// TestLinearLadder sets the parameters of a network by hand so that all of it is linear: its activations, x·σ(x), see numbers so
// large that they are x. Then x = A·u + c + noise has a normal distribution, with which the bounds are compared.
func TestLinearLadder(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	set, err := data.NewPixels(&data.Schema{Shape: data.Shape{Height: 4, Width: 4, Channels: 1}, MaxValue: 1}, make([]uint8, 16), nil)
	if err != nil {
		t.Fatal(err)
	}
	transform, err := data.FitTransform(t.Context(), set, data.Unit)
	if err != nil {
		t.Fatal(err)
	}
	recipe := tinyLadder()
	recipe.Channels, recipe.Latent, recipe.Output = []int{2, 3}, 1, Normal
	card := model.NewCard("ladder", recipe, set, transform, model.Run{})
	net, err := recipe.network(&card)
	if err != nil {
		t.Fatal(err)
	}
	params := nn.Collect(net)
	vars := params.Init(1)
	fill := func(name string, value, sd float64) []float32 {
		a := vars[name]
		if a == nil {
			t.Fatalf("no parameter %q", name)
		}
		for i := range a.F32 {
			a.F32[i] = float32(value + sd*r.NormFloat64())
		}
		return a.F32
	}
	fill("top.table", 100, 0)
	for _, layer := range []string{"down.0.layers.0.", "down.1.layers.0."} {
		fill(layer+"prior.weight", 0, 0.2)
		fill(layer+"prior.bias", 150, 0)
		out := fill(layer+"prior_out.weight", 0, 0.1) // [1, 1, in, 1 mean, 1 log variance, more]
		width := vars[layer+"prior_out.bias"].Shape.Size()
		for i := 1; i < len(out); i += width {
			out[i] = 0 // the variance must not depend on h
		}
		fill(layer+"prior_out.bias", 0, 0.5)
		fill(layer+"in.weight", 0, 1)
		fill(layer+"posterior_out.weight", 0, 0.002)
		fill(layer+"posterior_out.bias", 0, 0.2)
	}
	fill("down.1.narrow.weight", 0, 0.3)
	fill("down.1.narrow.bias", 100, 0)
	fill("deconv.weight", 0, 0.1)
	fill("deconv.bias", 150, 0)
	fill("out.weight", 0, 0.1)
	fill("spread", 0.5, 0.2)
	m := newLadder(card, net, vars, nil, model.Run{}).(*LadderAutoencoder)
	const latent, size = 1 + 4, 16
	if m.net.latentSize() != latent || m.LatentSize() != 1 {
		t.Fatalf("%d latent dimensions, %d of them at the top; expected %d and 1", m.net.latentSize(), m.LatentSize(), latent)
	}
	at := func(u ...float32) []float64 {
		out, err := m.decode(u, nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, size)
		for j, v := range out.X {
			x[j] = float64(v)
		}
		return x
	}
	c := at(0, 0, 0, 0, 0)
	a := mat.NewDense(size, latent, nil)
	for l := range latent {
		u := make([]float32, latent)
		u[l] = 1
		for j, v := range at(u...) {
			a.Set(j, l, v-c[j])
		}
	}
	one := mat.NewVecDense(latent, []float64{1, -2, 0.5, 1, -1}) // is it linear?
	var moved mat.VecDense
	moved.MulVec(a, one)
	for j, v := range at(1, -2, 0.5, 1, -1) {
		if d := v - c[j] - moved.AtVec(j); !(math.Abs(d) <= 1e-3) {
			t.Fatalf("element %d: not linear, by %g", j, d)
		}
	}
	covariance := mat.NewSymDense(size, nil)
	covariance.SymOuterK(1, a)
	if signal := mat.Trace(covariance); !(signal > 1) {
		t.Fatalf("z explains a variance of %g of x: the comparison says nothing", signal)
	}
	for j := range size {
		covariance.SetSym(j, j, covariance.At(j, j)+math.Exp(float64(vars["spread"].F32[j])))
	}
	normal, ok := distmv.NewNormal(c, covariance, nil)
	if !ok {
		t.Fatal("the covariance is not positive definite")
	}
	x := data.NewBatch(set.Schema().Shape, 6, false)
	exact := make([]float64, x.Len())
	for i := range exact {
		u := normals(latent, 1, r)
		row := make([]float64, size)
		for j, v := range at(u...) {
			row[j] = v + math.Exp(float64(vars["spread"].F32[j])/2)*r.NormFloat64()
			x.Row(i)[j] = float32(row[j])
		}
		exact[i] = normal.LogProb(row)
	}
	compareBounds(t, exact, func(dst []float64, r *rand.Rand) error { return m.LogBound(dst, x, r) },
		func(dst []float64, k int, r *rand.Rand) error { return m.LogImportanceBound(dst, x, 2*k, r) })
}

// TestLadderBoundGrows: both bounds of one draw agree, and more draws lie above them.
func TestLadderBoundGrows(t *testing.T) {
	set := withoutLabels(bars(t, 64))
	recipe := tinyLadder()
	recipe.Epochs = 40
	fitted, _ := fit(t, recipe, set, model.Run{})
	m := fitted.(*LadderAutoencoder)
	x, r := read(t, set), rand.New(rand.NewPCG(23, 24))
	mean := func(ask func(dst []float64) error) (mean, se float64) {
		var all []float64
		log := make([]float64, x.Len())
		for range 20 {
			if err := ask(log); err != nil {
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
	bound, e1 := mean(func(dst []float64) error { return m.LogBound(dst, x, r) })
	one, e2 := mean(func(dst []float64) error { return m.LogImportanceBound(dst, x, 1, r) })
	tighter, e3 := mean(func(dst []float64) error { return m.LogImportanceBound(dst, x, 16, r) })
	if d := math.Abs(bound - one); !(d <= 4*math.Hypot(e1, e2)) {
		t.Errorf("the bound of one draw is %v with the KL term in closed form and %v with its estimate (standard errors %v and %v)", bound, one, e1, e2)
	}
	if !(tighter > bound+4*math.Hypot(e1, e3)) {
		t.Errorf("the bound is %v with 16 draws and %v with one, expected it to grow", tighter, bound)
	}
}

// TestLadderWarmUp: the weight of the KL terms is that of the step, which the program counts itself.
func TestLadderWarmUp(t *testing.T) {
	set := withoutLabels(some(digits(t).Train, 16))
	recipe := tinyLadder()
	recipe.Epochs, recipe.WarmUp = 4, 1
	slow, _ := fit(t, recipe, set, model.Run{})
	recipe.WarmUp = 0
	full, _ := fit(t, recipe, set, model.Run{})
	a, b := slow.(*LadderAutoencoder).vars, full.(*LadderAutoencoder).vars
	if slices.Equal(a["out.weight"].F32, b["out.weight"].F32) {
		t.Error("training with and without a warm-up gave the same network")
	}
	if a["warm_up.steps"] == nil || a["warm_up.steps"].F32[0] != 4*float32(set.Len()/min(32, set.Len()/8)) {
		t.Errorf("the warm-up counted %v steps", a["warm_up.steps"])
	}
}
