package generative

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// tinyVQVAE is a recipe that fits in a fraction of a second.
func tinyVQVAE() *VQVAE {
	r := model.NewRecipe[VQVAE]()
	r.Channels, r.Codes, r.Dimensions, r.Prior, r.Layers, r.Epochs, r.Batch = 6, 12, 3, 8, 1, 2, 32
	return r
}

func TestVQVAEConformance(t *testing.T) {
	pictures := some(digits(t).Train, 16)
	for name, set := range map[string]data.Set{
		"digits": pictures, "digits without labels": withoutLabels(pictures), "odd pictures in colour": colourful(t, 40),
	} {
		t.Run(name, func(t *testing.T) {
			recipe := tinyVQVAE()
			recipe.Halvings = 1
			modeltest.Check(t, modeltest.Subject{Spec: recipe, Train: set, Validation: set})
		})
	}
}

func TestVQVAEErrors(t *testing.T) {
	table := numbers(t, 2, correlated(20, rand.New(rand.NewPCG(1, 1))), nil)
	if _, _, err := tinyVQVAE().Fit(t.Context(), table, model.Run{}); err == nil || !strings.Contains(err.Error(), "use vae") {
		t.Errorf("fit to a table returned the error %v", err)
	}
	deep := tinyVQVAE()
	deep.Halvings = 4
	if _, _, err := deep.Fit(t.Context(), some(digits(t).Train, 8), model.Run{}); err == nil || !strings.Contains(err.Error(), "set fewer") {
		t.Errorf("4 halvings of 8x8 pictures returned the error %v", err)
	}
}

// tinyQuantiser is a network of 3x2 grids of codes, without labels, and its parameters.
func tinyQuantiser(t *testing.T) (*quantiser, tensor.Vars) {
	t.Helper()
	shape := data.Shape{Height: 3, Width: 2, Channels: 1}
	set, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 1}, make([]uint8, 6), nil)
	if err != nil {
		t.Fatal(err)
	}
	transform, err := data.FitTransform(t.Context(), set, data.Unit)
	if err != nil {
		t.Fatal(err)
	}
	recipe := tinyVQVAE()
	recipe.Codes = 3
	card := model.NewCard("vqvae", recipe, set, transform, model.Run{})
	net, err := recipe.network(&card)
	if err != nil {
		t.Fatal(err)
	}
	for i := range net.Prior.Layers { // as after some training
		net.Prior.Layers[i].AboveOut.Weight.Init, net.Prior.Layers[i].LeftOut.Weight.Init = nn.HeNormal, nn.HeNormal
	}
	return net, nn.Collect(net).Init(1)
}

// TestQuantisation compares codes with a search, the gradient by z with that by the codes, and a step of the moving averages with
// its formula.
func TestQuantisation(t *testing.T) {
	const rows, k, d, decay = 40, 7, 3, 0.9
	m := &quantiser{Codes: &nn.Param{Dims: []int{k, d}, Init: nn.Normal(1), Fixed: true}, dimensions: d}
	usage := newCodeUsage(k, d)
	params := nn.Collect(&struct {
		Codes *nn.Param
		Usage *codeUsage
	}{m.Codes, usage})
	vars := params.Init(1)
	copy(vars["codes"].F32[6*d:], []float32{50, 50, 50}) // a code that nothing is near to
	for i := range k {
		vars["usage.count"].F32[i] = float32(5 + i)
	}
	vars["usage.count"].F32[6] = 0.3
	r := rand.New(rand.NewPCG(31, 32))
	copy(vars["usage.sum"].F32, normals(k*d, 3, r))
	before := map[string][]float32{}
	for name, a := range vars {
		before[name] = a.Clone().F32
	}
	z, weights := normals(rows*d, 1, r), normals(rows*d, 1, r)
	e := ranExactly(t, vars, func(g *tensor.Graph) {
		z := constantOf(g, z, rows, d)
		codes := m.nearest(z)
		out := m.straightThrough(z, codes)
		g.Output("codes", codes)
		g.Output("out", out)
		g.Output("gradient", tensor.Gradient(tensor.Sum(tensor.Mul(out, constantOf(g, weights, rows, d))), z)[0])
		key := g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Uint32, 2), U32: []uint32{1, 2}})
		usage.follow(m.Codes, z, codes, decay, &nn.Noise{Key: key})
	})
	count, sum := make([]float64, k), make([]float64, k*d)
	for j := range sum {
		sum[j] = decay * float64(before["usage.sum"][j])
	}
	for j := range count {
		count[j] = decay * float64(before["usage.count"][j])
	}
	for i := range rows {
		best, least := 0, math.Inf(1)
		for j := range k {
			distance := 0.0
			for l := range d {
				diff := float64(z[i*d+l]) - float64(before["codes"][j*d+l])
				distance += diff * diff
			}
			if distance < least {
				best, least = j, distance
			}
		}
		if got := int(e.Output("codes").I32[i]); got != best {
			t.Errorf("vector %d has code %d, expected %d", i, got, best)
		}
		count[best] += 1 - decay
		for l := range d {
			sum[best*d+l] += (1 - decay) * float64(z[i*d+l])
			if got, want := e.Output("out").F32[i*d+l], before["codes"][best*d+l]; !(math.Abs(float64(got-want)) <= 1e-6) {
				t.Errorf("vector %d became %v at %d, expected its code's %v", i, got, l, want)
			}
			if got, want := e.Output("gradient").F32[i*d+l], weights[i*d+l]; got != want {
				t.Errorf("the gradient by vector %d is %v at %d, expected that by its code, %v", i, got, l, want)
			}
		}
	}
	for j := range k - 1 {
		for l := range d {
			if got, want := float64(vars["codes"].F32[j*d+l]), sum[j*d+l]/count[j]; !(math.Abs(got-want) <= 1e-5) {
				t.Errorf("code %d became %v at %d, expected %v", j, got, l, want)
			}
		}
	}
	restarted := false
	for i := range rows { // the dead one is a vector now
		same := true
		for l := range d {
			same = same && math.Abs(float64(vars["codes"].F32[6*d+l]-z[i*d+l])) <= 1e-6
		}
		restarted = restarted || same
	}
	if !restarted {
		t.Errorf("the code without use became %v, expected one of the vectors", vars["codes"].F32[6*d:])
	}
}

// TestCodePrior adds up the probabilities of all grids of codes: 1, unless a place sees what it should not. Then it compares them
// with the frequencies of draws.
func TestCodePrior(t *testing.T) {
	net, vars := tinyQuantiser(t)
	m := newQuantised(model.Card{}, net, vars, nil, model.Run{Threads: 1}).(*QuantisedAutoencoder)
	const k, places, all = 3, 6, 729
	codes := make([]int32, 0, all*places)
	for i := range all {
		for range places {
			codes = append(codes, int32(i%k))
			i /= k
		}
	}
	logits := ranExactly(t, vars, func(g *tensor.Graph) {
		index := g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Int32, len(codes)), I32: codes})
		g.Output("log", tensor.LogSoftmax(net.Prior.logits(index, nil, all)))
	}).Output("log").F32
	p, total, least, most := make([]float64, all), 0.0, math.Inf(1), 0.0
	for i := range p {
		log := 0.0
		for j := range places {
			log += float64(logits[(i*places+j)*k+int(codes[i*places+j])])
		}
		p[i] = math.Exp(log)
		total, least, most = total+p[i], min(least, p[i]), max(most, p[i])
	}
	if !(math.Abs(total-1) <= 1e-5) {
		t.Errorf("the probabilities of all grids sum to %v, expected 1", total)
	}
	if !(most > 5*least) {
		t.Errorf("probabilities from %v to %v: the comparison says nothing", least, most)
	}
	const n = 4000
	drawn, err := m.drawCodes(n, nil, rand.New(rand.NewPCG(33, 34)))
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]float64, all)
	for i := range n {
		at := 0
		for j := places - 1; j >= 0; j-- {
			at = at*k + int(drawn[i*places+j])
		}
		counts[at]++
	}
	chi := 0.0 // its mean is 728, its deviation about 38
	for i := range counts {
		d := counts[i] - n*p[i]
		chi += d * d / (n * p[i])
	}
	if !(chi < all+6*math.Sqrt(2*all)) {
		t.Errorf("the frequencies of draws are off by a chi-squared of %v, expected about %d", chi, all)
	}
}

// TestVQVAELearns: codes are in use, and pictures come back from them.
func TestVQVAELearns(t *testing.T) {
	set := withoutLabels(some(digits(t).Train, 8))
	recipe := tinyVQVAE()
	recipe.Channels, recipe.Dimensions, recipe.Codes, recipe.Epochs, recipe.Rate = 12, 4, 32, 30, 0.01
	m, _ := fit(t, recipe, set, model.Run{})
	q := m.(*QuantisedAutoencoder)
	x := read(t, set)
	z := make([]float32, x.Len()*q.LatentSize())
	if err := q.Encode(z, x, nil); err != nil {
		t.Fatal(err)
	}
	used := map[[4]float32]bool{}
	for i := 0; i < len(z); i += 4 {
		used[[4]float32(z[i:])] = true
	}
	if len(used) < 16 || len(used) > 32 {
		t.Errorf("%d codes of 32 are in use", len(used))
	}
	back := data.NewBatch(x.Shape, x.Len(), false)
	if err := q.Decode(back, z, nil); err != nil {
		t.Fatal(err)
	}
	mean, squares, errors := 0.0, 0.0, 0.0
	for i, v := range x.X {
		mean += float64(v) / float64(len(x.X))
		d := float64(v - back.X[i])
		squares, errors = squares+float64(v)*float64(v), errors+d*d
	}
	if share := errors / (squares - mean*mean*float64(len(x.X))); !(share < 0.35) {
		t.Errorf("pictures come back with a squared error of %v of their variance", share)
	}
}
