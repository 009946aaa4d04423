package generative

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// TestUNetEqualsPyTorch compares the loss of a small diffusion network and the gradient of each parameter with those that
// testdata/make_unet.py found in PyTorch.
func TestUNetEqualsPyTorch(t *testing.T) {
	const n = 4
	shape := data.Shape{Height: 5, Width: 6, Channels: 2}
	golden := readSteps(t, "testdata/unet.json")
	var more struct {
		LogSigma []float32 `json:"log_sigma"`
		Y        []int32
		Loss     float64
	}
	text, err := os.ReadFile("testdata/unet.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &more); err != nil {
		t.Fatal(err)
	}
	recipe := model.NewRecipe[Diffusion]()
	recipe.Channels, recipe.Patch = []int{4, 8}, 2
	net := recipe.network(shape, 3)
	params := nn.Collect(net)
	vars := golden.variables(t, params)
	p := diffusionProcess{NoiseEDM, PredictV, 0.7}
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		prog, err := tensor.Build(func(g *tensor.Graph) {
			dims := append([]int{n}, shape.Dims()...)
			loss := p.loss(net, g.Input("x", tensor.Float32, dims...), g.Input("epsilon", tensor.Float32, dims...),
				g.Input("log_sigma", tensor.Float32, n), g.Input("y", tensor.Int32, n))
			g.Output("loss", loss)
			for i, gradient := range tensor.Gradient(loss, params.Nodes(g)...) {
				g.Output(params[i].Name, gradient)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		e, err := b.Compile(prog, vars)
		if err != nil {
			t.Fatal(err)
		}
		golden.X.copyTo(t, e.Input("x").F32, 0, 1)
		golden.Noise.copyTo(t, e.Input("epsilon").F32, 0, 1)
		copy(e.Input("log_sigma").F32, more.LogSigma)
		copy(e.Input("y").I32, more.Y)
		if err := e.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := float64(e.Output("loss").F32[0]); !(math.Abs(got-more.Loss) <= 1e-6*more.Loss) {
			t.Errorf("the loss is %v, expected %v", got, more.Loss)
		}
		for i, want := range golden.Final {
			sum, squares, size := 0.0, 0.0, 0.0
			for _, v := range e.Output(params[i].Name).F32 {
				sum, squares, size = sum+float64(v), squares+float64(v)*float64(v), size+1
			}
			// PyTorch's own in float32 and float64 differ by 2e-5 of their norm. Some are all rounding, such as those of biases that
			// a norm or a softmax takes away.
			limit := 1e-4*math.Sqrt(want.SumOfSquares) + 1e-6
			if !(math.Abs(sum-want.Sum) <= limit*math.Sqrt(size) && math.Abs(math.Sqrt(squares)-math.Sqrt(want.SumOfSquares)) <= limit) {
				t.Errorf("the gradient of %s has sum %v and sum of squares %v, expected %v and %v of %s",
					params[i].Name, sum, squares, want.Sum, want.SumOfSquares, want.Name)
			}
		}
	})
}

// TestPatches: patches become the picture again, and are squares of it.
func TestPatches(t *testing.T) {
	shape := data.Shape{Height: 5, Width: 6, Channels: 2}
	u := newUNet(shape, 2, []int{2, 2}, 4)
	x := normals(2*shape.Size(), 1, rand.New(rand.NewPCG(1, 1)))
	e := runGraph(t, func(g *tensor.Graph) {
		picture := g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Float32, 2, 5, 6, 2), F32: x})
		patches := u.toPatches(picture)
		g.Output("patches", patches)
		g.Output("again", u.fromPatches(patches))
	})
	for i, v := range e.Output("again").F32 {
		if v != x[i] {
			t.Fatalf("element %d is %v, was %v", i, v, x[i])
		}
	}
	patches := e.Output("patches") // [2, 4, 4, 8]
	for i, v := range patches.F32 {
		n, row, constantNumbers, inside, colour := i/128, i/32%4*2+i/4%2, i/8%4*2+i/2%2, i%8, i%2
		want := float32(0)
		if row < 5 && constantNumbers < 6 {
			want = x[((n*5+row)*6+constantNumbers)*2+colour]
		}
		if v != want {
			t.Fatalf("patch of row %d, column %d: element %d is %v, expected %v", row, constantNumbers, inside, v, want)
		}
	}
}

// TestDropLabels: in training the label of the given share becomes that of no class, and otherwise none does.
func TestDropLabels(t *testing.T) {
	const n, share = 4000, 0.1
	net := &conditionedNet{classes: 10}
	y := make([]int32, n)
	for i := range y {
		y[i] = int32(i % 10)
	}
	e := runGraph(t, func(g *tensor.Graph) {
		labels := g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Int32, n), I32: y})
		g.Output("training", net.dropLabels(labels, share, &nn.Mode{Training: true, Noise: fixedNoise(g)}))
		g.Output("otherwise", tensor.Add(net.dropLabels(labels, share, &nn.Mode{}), g.Scalar(tensor.Int32, 0)))
	})
	dropped := 0.0
	for i, k := range e.Output("training").I32 {
		switch k {
		case 10:
			dropped++
		case y[i]:
		default:
			t.Fatalf("class %d became %d", y[i], k)
		}
		if other := e.Output("otherwise").I32[i]; other != y[i] {
			t.Fatalf("outside of training class %d became %d", y[i], other)
		}
	}
	if se := math.Sqrt(share * (1 - share) / n); !(math.Abs(dropped/n-share) <= 4*se) {
		t.Errorf("a share of %v lost its label, expected %v", dropped/n, share)
	}
}
