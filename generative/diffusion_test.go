package generative

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// tinyGuidedNetwork is the network of recipes that fit in a fraction of a second.
func tinyGuidedNetwork(n *GuidedNetwork) {
	n.Channels, n.Units, n.Blocks, n.Epochs, n.Batch = []int{4, 8}, 8, 1, 2, 32
}

func tinyDiffusion() *Diffusion {
	r := model.NewRecipe[Diffusion]()
	tinyGuidedNetwork(&r.GuidedNetwork)
	return r
}

// mixedTable is a table of every kind of column, with classes and missing values.
func mixedTable(t *testing.T, n int, r *rand.Rand) data.Set {
	t.Helper()
	values, labels := make([]float32, 0, 3*n), make([]int32, n)
	for i := range labels {
		labels[i] = int32(i % 2)
		values = append(values, float32(r.IntN(3)), float32(r.IntN(90)), float32(r.NormFloat64()))
	}
	values[4], values[6], values[17] = nan, nan, nan // in examples that the suite does not ask about
	set, err := data.NewTable(&data.Schema{Shape: data.RowShape(3), Classes: []string{"a", "b"}, Label: "class", Columns: []data.Column{
		{Name: "colour", Kind: data.Categorical, Levels: []string{"red", "green", "blue"}},
		{Name: "age", Kind: data.Integer}, {Name: "height", Kind: data.Numeric}}}, values, labels)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// colours are pictures of random pixels.
func colours(t *testing.T, shape data.Shape, n int, r *rand.Rand) data.Set {
	t.Helper()
	pixels := make([]uint8, n*shape.Size())
	for i := range pixels {
		pixels[i] = uint8(r.IntN(256))
	}
	set, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 255}, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestDiffusionConformance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pictures := some(digits(t).Train, 16)
	for _, c := range []struct {
		name    string
		noise   Noising
		predict Prediction
		set     data.Set
	}{
		{"digits", NoiseEDM, PredictV, pictures},
		{"digits without labels", NoiseCosine, PredictV, withoutLabels(pictures)},
		{"odd pictures in colour", NoiseCosine, PredictEps, colours(t, data.Shape{Height: 5, Width: 19, Channels: 3}, 40, r)},
		{"table", NoiseEDM, PredictV, numbers(t, 2, correlated(60, r), nil)},
		{"table of all kinds of column, with classes", NoiseEDM, PredictV, mixedTable(t, 60, r)},
	} {
		t.Run(c.name, func(t *testing.T) {
			recipe := tinyDiffusion()
			recipe.Noise, recipe.Predict = c.noise, c.predict
			modeltest.Check(t, modeltest.Subject{Spec: recipe, Train: c.set, Validation: c.set})
		})
	}
}

func TestDiffusionErrors(t *testing.T) {
	set := some(digits(t).Train, 16)
	recipe := tinyDiffusion()
	recipe.Channels = nil
	if _, _, err := recipe.Fit(t.Context(), set, model.Run{}); err == nil || !strings.Contains(err.Error(), "diffusion: channels is empty") {
		t.Errorf("without channels the error is %v", err)
	}
	m, _ := fit(t, tinyDiffusion(), withoutLabels(set), model.Run{})
	tunable := m.(model.Tunable)
	options := tunable.Options().(*DiffusionOptions)
	options.Guidance = 2
	if _, err := tunable.Tune(options); err == nil || !strings.Contains(err.Error(), "fitted without labels") {
		t.Errorf("guidance without classes: the error is %v", err)
	}
	for _, spread := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		broken := *m.(*Denoiser)
		broken.process.spread = spread
		var file bytes.Buffer
		if err := broken.Save(&file); err != nil {
			t.Fatal(err)
		}
		if _, _, err := (model.Run{}).Read(bytes.NewReader(file.Bytes()), int64(file.Len())); !errors.Is(err, model.ErrDamaged) {
			t.Errorf("a file with sigma_data %v: the error is %v, expected %v", spread, err, model.ErrDamaged)
		}
	}
}

// runGraph computes a graph without inputs.
func runGraph(t *testing.T, build func(g *tensor.Graph)) tensor.Executable {
	t.Helper()
	prog, err := tensor.Build(build)
	if err != nil {
		t.Fatal(err)
	}
	e, err := reference.New().Compile(prog, tensor.Vars{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

// fixedNoise is a source of random numbers with a key of its own.
func fixedNoise(g *tensor.Graph) *nn.Noise {
	return &nn.Noise{Key: g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Uint32, 2), U32: []uint32{1, 2}})}
}

// constantNumbers is a constant of one axis.
func constantNumbers(g *tensor.Graph, values []float32) *tensor.Node {
	return g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Float32, len(values)), F32: values})
}

// TestPrecondition: where the network is right, F = clean·x + noise·ε, D gives x; what enters the network and what should come
// out of it have the mean square 1 that they were made for; and v and eps are the textbook's.
func TestPrecondition(t *testing.T) {
	for _, p := range []diffusionProcess{{NoiseEDM, PredictV, 0.7}, {NoiseCosine, PredictV, 0.7}, {NoiseCosine, PredictEps, 0.7}} {
		for _, sigma := range []float64{0.01, 0.5, 3, 60} {
			e := runGraph(t, func(g *tensor.Graph) {
				log := constantNumbers(g, []float32{float32(math.Log(sigma))})
				c := p.precondition(log, constantNumbers(g, []float32{0}))
				for name, node := range map[string]*tensor.Node{"skip": c.skip, "out": c.out, "in": c.in, "clean": c.clean, "noise": c.noise} {
					g.Output(name, node)
				}
			})
			at := func(name string) float64 { return float64(e.Output(name).F32[0]) }
			near := func(what string, got, want float64) {
				t.Helper()
				if !(math.Abs(got-want) <= 1e-6*max(1, sigma)) { // float32
					t.Errorf("%s, %s: σ = %v: %s is %v, expected %v", p.noising, p.predict, sigma, what, got, want)
				}
			}
			// D = skip·(x + σε) + out·(clean·x + noise·ε) must be x for every x and ε.
			near("the share of x in D", at("skip")+at("out")*at("clean"), 1)
			near("the share of ε in D", at("skip")*sigma+at("out")*at("noise"), 0)
			alpha := 1 / math.Sqrt(1+sigma*sigma) // of the process that keeps the variance, σ_t = ασ
			switch {
			case p.noising == NoiseEDM:
				near("the mean square of the input", at("in")*at("in")*(p.spread*p.spread+sigma*sigma), 1)
				near("the mean square of the output", at("clean")*at("clean")*p.spread*p.spread+at("noise")*at("noise"), 1)
			case p.predict == PredictV:
				near("in", at("in"), alpha)
				near("the share of ε in v", at("noise"), alpha)
				near("the share of x in v", at("clean"), -alpha*sigma)
			default:
				near("in", at("in"), alpha)
				near("the share of ε in eps", at("noise"), 1)
				near("the share of x in eps", at("clean"), 0)
			}
		}
	}
}

// TestCosineLevel compares with Nichol and Dhariwal's ᾱ(t) = f(t)/f(0), f(t) = cos²((t+s)/(1+s)·π/2), and demands that noise
// grows with time.
func TestCosineLevel(t *testing.T) {
	f := func(t float64) float64 { return math.Pow(math.Cos((t+0.008)/1.008*math.Pi/2), 2) }
	before := 0.0
	for _, at := range []float64{0.001, 0.01, 0.25, 0.5, 0.9, 0.999} {
		kept := f(at) / f(0)
		want, got := math.Sqrt((1-kept)/kept), cosineLevel(at)
		if !(math.Abs(got-want) <= 1e-9*want) || !(got > before) {
			t.Errorf("at time %v σ is %v, expected %v, more than %v", at, got, want, before)
		}
		before = got
	}
}

// TestLevels: samplers begin at the greatest level, go down, and end at 0.
func TestLevels(t *testing.T) {
	for _, noising := range []Noising{NoiseEDM, NoiseCosine} {
		for _, steps := range []int{1, 2, 8, 100} {
			levels := diffusionProcess{noising, PredictV, 1}.levels(steps)
			if len(levels) != steps+1 || levels[steps] != 0 {
				t.Fatalf("%s: %d steps have the levels %v", noising, steps, levels)
			}
			for i, sigma := range levels[:steps] {
				if !(sigma > levels[i+1]) {
					t.Errorf("%s: %d steps: level %d is %v and the next %v", noising, steps, i, sigma, levels[i+1])
				}
			}
			if first := levels[0]; !(first >= 80-1e-9) {
				t.Errorf("%s: %d steps begin at %v", noising, steps, first)
			}
		}
	}
}

// TestDrawLogLevels compares the draws of a training step with the distribution that they should have, at its quartiles.
func TestDrawLogLevels(t *testing.T) {
	const n = 4000
	quartile := func(p diffusionProcess, u float64) float64 {
		if p.noising == NoiseEDM {
			return edmLogMean + math.Log(p.spread/edmData) + edmLogSD*math.Sqrt2*math.Erfinv(2*u-1)
		}
		return math.Log(cosineLevel(cosineBegin + u*(cosineEnd-cosineBegin)))
	}
	for _, p := range []diffusionProcess{{NoiseEDM, PredictV, 0.7}, {NoiseCosine, PredictV, 0.7}} {
		e := runGraph(t, func(g *tensor.Graph) { g.Output("levels", p.drawLogLevels(fixedNoise(g), n)) })
		for _, u := range []float64{0.25, 0.5, 0.75} {
			below := 0.0
			for _, v := range e.Output("levels").F32 {
				if float64(v) < quartile(p, u) {
					below++
				}
			}
			if se := math.Sqrt(u * (1 - u) / n); !(math.Abs(below/n-u) <= 4*se) {
				t.Errorf("%s: a share of %v lies below the quantile of %v", p.noising, below/n, u)
			}
		}
	}
}

// The data of which the best denoiser is known: N(centre, width²) in each element.
const (
	gaussCentre = 0.3
	gaussWidth  = 0.5
)

// gaussDenoiser is E[x | x + σε = noisy] of that data.
func gaussDenoiser(dst, noisy []float32, sigma float64) error {
	share := gaussWidth * gaussWidth / (gaussWidth*gaussWidth + sigma*sigma)
	for i, v := range noisy {
		dst[i] = float32(gaussCentre + share*(float64(v)-gaussCentre))
	}
	return nil
}

// TestSamplerOrder: the samplers without new noise come to the exact solution, x − centre ∝ √(width² + σ²), with an error that
// falls with the number of steps as their order says.
func TestSamplerOrder(t *testing.T) {
	start, first, last := float32(2.5), 5.0, 0.05
	exact := gaussCentre + (float64(start)-gaussCentre)*math.Sqrt((gaussWidth*gaussWidth+last*last)/(gaussWidth*gaussWidth+first*first))
	for _, c := range []struct {
		solver DiffusionSampler
		order  float64
	}{{EulerSampler, 1}, {DDIMSampler, 1}, {HeunSampler, 2}, {DPMSolver, 2}} {
		errorAt := func(steps int) float64 {
			levels := make([]float64, steps+1)
			for i := range levels {
				levels[i] = first * math.Pow(last/first, float64(i)/float64(steps))
			}
			x := []float32{start}
			o := DiffusionOptions{Sampler: c.solver}
			if err := o.follow(t.Context(), x, levels, gaussDenoiser, nil); err != nil {
				t.Fatal(err)
			}
			return math.Abs(float64(x[0]) - exact)
		}
		coarse, fine := errorAt(32), errorAt(64)
		if order := math.Log2(coarse / fine); !(math.Abs(order-c.order) <= 0.2) {
			t.Errorf("%s: errors of %v and %v in 32 and 64 steps make an order of %.2f, expected %v", c.solver, coarse, fine, order, c.order)
		}
	}
}

// TestSamplersDraw: with the exact denoiser every sampler ends at the data's own mean and variance.
func TestSamplersDraw(t *testing.T) {
	const n = 20_000
	for _, noising := range []Noising{NoiseEDM, NoiseCosine} {
		for _, c := range []struct {
			solver DiffusionSampler
			steps  int
			tol    float64 // of mean and standard deviation
		}{{EulerSampler, 200, 0.02}, {HeunSampler, 40, 0.01}, {DPMSolver, 40, 0.01}, {DDIMSampler, 200, 0.02}, {AncestralSampler, 200, 0.02}} {
			r := rand.New(rand.NewPCG(5, 6))
			levels := diffusionProcess{noising, PredictV, 1}.levels(c.steps)
			x := normals(n, levels[0], r)
			o := DiffusionOptions{Sampler: c.solver, Steps: c.steps, Eta: 0.5}
			if err := o.follow(t.Context(), x, levels, gaussDenoiser, r.NormFloat64); err != nil {
				t.Fatal(err)
			}
			mean, square := 0.0, 0.0
			for _, v := range x {
				mean += float64(v) / n
				square += float64(v) * float64(v) / n
			}
			sd := math.Sqrt(square - mean*mean)
			noise := 4 * gaussWidth / math.Sqrt(n)
			if !(math.Abs(mean-gaussCentre) <= c.tol+noise && math.Abs(sd-gaussWidth) <= c.tol+noise) {
				t.Errorf("%s, %s: mean %.4f and standard deviation %.4f, expected %v and %v", noising, c.solver, mean, sd, gaussCentre, gaussWidth)
			}
		}
	}
}

// TestSamplersEnd: a sampler that is told to stop does.
func TestSamplersEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range []DiffusionSampler{DPMSolver, HeunSampler, EulerSampler} {
		o := DiffusionOptions{Sampler: s}
		if err := o.follow(ctx, []float32{1}, []float64{1, 0}, gaussDenoiser, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the error is %v", s, err)
		}
	}
}

// TestGuidance: 1 is the class, 0 is no class, and others lie on the line through both.
func TestGuidance(t *testing.T) {
	set := some(digits(t).Train, 16)
	m, _ := fit(t, tinyDiffusion(), set, model.Run{Threads: 1})
	net := &m.(*CondDenoiser).guided
	x := normals(3*64, 1, rand.New(rand.NewPCG(7, 8)))
	y := []int32{4, 0, 9}
	at := func(w float64, y []int32) []float32 {
		dst := make([]float32, len(x))
		if err := net.guide(dst, x, 0.2, y, w); err != nil {
			t.Fatal(err)
		}
		return dst
	}
	given, free := make([]float32, len(x)), at(1, nil)
	if err := net.evaluate(given, x, []float32{0.2, 0.2, 0.2}, y); err != nil {
		t.Fatal(err)
	}
	one, zero, three := at(1, y), at(0, y), at(3, y)
	differ := false
	for i := range x {
		differ = differ || given[i] != free[i]
		line := float64(free[i]) + 3*(float64(given[i])-float64(free[i]))
		if one[i] != given[i] || !(math.Abs(float64(zero[i]-free[i])) <= 1e-6) || !(math.Abs(float64(three[i])-line) <= 1e-5) {
			t.Fatalf("element %d: %v with the class and %v without; guidance 1 gives %v, 0 gives %v, 3 gives %v, expected %v",
				i, given[i], free[i], one[i], zero[i], three[i], line)
		}
	}
	if !differ {
		t.Error("the class changes nothing")
	}
}
