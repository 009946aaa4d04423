package generative

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/reference"
	"github.com/likely-ml/likely/train"
)

// stepsTolerance is relative, of losses. PyTorch's own in float32 and float64 differ by less, or make_steps.py refuses.
const stepsTolerance = 1e-5

// goldenSteps are ten training steps by PyTorch: testdata/make_steps.py says of what.
type goldenSteps struct {
	Optimiser struct {
		LR, Eps float64
		Betas   [2]float64
	}
	Parameters []goldenArray // in the order of the networks' layers, which is ours too
	Losses     map[string][]float64
	Final      []struct {
		Name         string
		Sum          float64
		SumOfSquares float64 `json:"sum_of_squares"`
	}
	X, Noise, Real, Z goldenArray
}

// goldenArray is a float32 array: its little-endian bytes in base64.
type goldenArray struct {
	Name    string
	Shape   []int
	Float32 []byte
}

func (a *goldenArray) UnmarshalJSON(text []byte) error {
	var raw struct {
		Name    string
		Shape   []int
		Float32 string
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	a.Name, a.Shape = raw.Name, raw.Shape
	var err error
	a.Float32, err = base64.StdEncoding.DecodeString(raw.Float32)
	return err
}

// copyTo decodes part i of n, along the first axis.
func (a *goldenArray) copyTo(t *testing.T, dst []float32, i, n int) {
	t.Helper()
	size := len(a.Float32) / n
	if _, err := binary.Decode(a.Float32[i*size:(i+1)*size], binary.LittleEndian, dst); err != nil || 4*len(dst) != size {
		t.Fatalf("%s %v: part %d of %d has %d bytes for %d numbers: %v", a.Name, a.Shape, i, n, size, len(dst), err)
	}
}

func readSteps(t *testing.T, path string) *goldenSteps {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var g goldenSteps
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return &g
}

func (g *goldenSteps) adam() nn.Adam {
	return nn.Adam{Beta1: g.Optimiser.Betas[0], Beta2: g.Optimiser.Betas[1], Epsilon: g.Optimiser.Eps}
}

// variables are those of the parameters and of Adam, with the golden's initial values.
func (g *goldenSteps) variables(t *testing.T, params nn.Params) tensor.Vars {
	t.Helper()
	vars := params.Init(1)
	learned := params.Trainable()
	if len(learned) != len(g.Parameters) {
		t.Fatalf("%d parameters, expected %d", len(learned), len(g.Parameters))
	}
	for i, p := range learned {
		want := g.Parameters[i]
		if s := tensor.ShapeOf(tensor.Float32, want.Shape...); !vars[p.Name].Shape.Equal(s) {
			t.Fatalf("%s has shape %v, expected that of %s, %v", p.Name, vars[p.Name].Shape, want.Name, s)
		}
		want.copyTo(t, vars[p.Name].F32, 0, 1)
	}
	for name, a := range g.adam().State(learned).Init(0) {
		vars[name] = a
	}
	return vars
}

// step is the program of an optimiser's step on a loss, as package train builds it.
func step(t *testing.T, b tensor.Backend, vars tensor.Vars, learned nn.Params, adam nn.Adam, build func(g *tensor.Graph, mode *nn.Mode) train.Loss) tensor.Executable {
	t.Helper()
	prog, err := tensor.Build(func(g *tensor.Graph) {
		mode := &nn.Mode{Training: true}
		loss := build(g, mode)
		g.Output("loss", loss.Value)
		for _, m := range loss.Metrics {
			g.Output(m.Name, m.Value)
		}
		adam.Update(learned, tensor.Gradient(loss.Value, learned.Nodes(g)...), g.Input("hyper", tensor.Float32, adam.HyperLen()))
		mode.Finish()
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Compile(prog, vars)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// expect compares an output after step i with the golden's loss of that name.
func (g *goldenSteps) expect(t *testing.T, e tensor.Executable, output, name string, i int) {
	t.Helper()
	got, want := float64(e.Output(output).F32[0]), g.Losses[name][i]
	if !(math.Abs(got-want) <= stepsTolerance*math.Abs(want)) {
		t.Errorf("step %d: %s is %v, expected %v", i+1, name, got, want)
	}
}

// expectFinal compares the sums of all arrays after the last step.
func (g *goldenSteps) expectFinal(t *testing.T, vars tensor.Vars, params nn.Params) {
	t.Helper()
	for i, want := range g.Final {
		sum, squares := 0.0, 0.0
		values := vars[params[i].Name].F32
		for _, v := range values {
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
		// Adam's early steps amplify rounding in small gradients: 1e-4 of the size of an array, in the mean over it.
		limit := 1e-4 * math.Sqrt(want.SumOfSquares*float64(len(values)))
		if !(math.Abs(sum-want.Sum) <= limit && math.Abs(squares-want.SumOfSquares) <= 1e-4*want.SumOfSquares) {
			t.Errorf("%s has sum %v and sum of squares %v in the end, expected %v and %v of %s",
				params[i].Name, sum, squares, want.Sum, want.SumOfSquares, want.Name)
		}
	}
}

func runStep(t *testing.T, e tensor.Executable, adam nn.Adam, number int, rate float64) {
	t.Helper()
	adam.Hyper(e.Input("hyper").F32, number, rate)
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// foreign are backends that only some builds have.
var foreign = func(*testing.T) []tensor.Backend { return nil }

func onBackends(t *testing.T, body func(t *testing.T, b tensor.Backend)) {
	for _, b := range append([]tensor.Backend{reference.New(), cpu.New(2)}, foreign(t)...) {
		t.Run(b.Name(), func(t *testing.T) { body(t, b) })
	}
}

func TestVAEStepsEqualPyTorch(t *testing.T) {
	for _, c := range []struct {
		golden string
		draws  int
		losses []string
	}{
		{"vae", 1, []string{"loss", "reconstruction", "kl"}},
		{"iwae", 5, []string{"loss"}},
	} {
		t.Run(c.golden, func(t *testing.T) { vaeStepsEqualPyTorch(t, "testdata/steps_"+c.golden+".json", c.draws, c.losses) })
	}
}

func vaeStepsEqualPyTorch(t *testing.T, golden string, draws int, losses []string) {
	g := readSteps(t, golden)
	bits, err := data.NewPixels(&data.Schema{Shape: data.Shape{Height: 3, Width: 4, Channels: 1}, MaxValue: 1}, make([]uint8, 12), nil)
	if err != nil {
		t.Fatal(err)
	}
	transform, err := data.FitTransform(t.Context(), bits, data.Unit)
	if err != nil {
		t.Fatal(err)
	}
	recipe := model.NewRecipe[VAE]()
	recipe.Hidden, recipe.Latent, recipe.Draws = []int{10}, 3, draws
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		card := model.NewCard("vae", recipe, bits, transform, model.Run{})
		net, err := recipe.network(&card)
		if err != nil {
			t.Fatal(err)
		}
		params := nn.Collect(net)
		vars, adam := g.variables(t, params), g.adam()
		e := step(t, b, vars, params, adam, func(gr *tensor.Graph, mode *nn.Mode) train.Loss {
			return net.lossGiven(recipe, gr.Input("x", tensor.Float32, 8, 12), nil, gr.Input("noise", tensor.Float32, draws*8, 3), true)
		})
		for i := range 10 {
			g.X.copyTo(t, e.Input("x").F32, i, 10)
			g.Noise.copyTo(t, e.Input("noise").F32, i, 10)
			runStep(t, e, adam, i+1, g.Optimiser.LR)
			for _, name := range losses {
				g.expect(t, e, name, name, i)
			}
		}
		g.expectFinal(t, vars, params)
	})
}

func TestGANStepsEqualPyTorch(t *testing.T) {
	g := readSteps(t, "testdata/steps_gan.json")
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		net := newDCGAN(4, 4, 6, data.Shape{Height: 8, Width: 8, Channels: 1}, traits{batchNorm: true})
		params := nn.Collect(net)
		vars, adam := g.variables(t, params), g.adam()
		prog, err := tensor.Build(func(gr *tensor.Graph) {
			mode := &nn.Mode{Training: true}
			fake := net.Generator.generate(gr.Input("z", tensor.Float32, 8, 4), nil, mode)
			hyper := gr.Input("hyper", tensor.Float32, adam.HyperLen())
			phase := func(name string, loss train.Loss) {
				gr.Output(name, loss.Value)
				learned := params.Under(name).Trainable()
				adam.Update(learned, tensor.Gradient(loss.Value, learned.Nodes(gr)...), hyper)
			}
			phase("discriminator", net.discriminatorLoss(nonSaturating, 0, gr.Input("x", tensor.Float32, 8, 8, 8, 1), fake, nil, nil, mode))
			phase("generator", net.generatorLoss(nonSaturating, nil, fake, nil, mode)) // of the discriminator as the first phase leaves it
			mode.Finish()
		})
		if err != nil {
			t.Fatal(err)
		}
		e, err := b.Compile(prog, vars)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			g.Real.copyTo(t, e.Input("x").F32, i, 10)
			g.Z.copyTo(t, e.Input("z").F32, i, 10)
			runStep(t, e, adam, i+1, g.Optimiser.LR)
			g.expect(t, e, "discriminator", "discriminator", i)
			g.expect(t, e, "generator", "generator", i)
		}
		final := params.Trainable()
		for _, p := range params.Under("generator") {
			if p.Fixed {
				final = append(final, p)
			}
		}
		g.expectFinal(t, vars, final)
	})
}
