package generative

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// goldenGAN is losses and gradients by PyTorch: testdata/make_gan.py says of what.
type goldenGAN struct {
	Real, Z, Share goldenArray
	Y              []int32
	Cases          []goldenCase
}

type goldenCase struct {
	Loss                     GANLoss
	Network                  GANNetwork
	BatchNorm                bool `json:"batch_norm"`
	Project, Spectral        bool
	Parameters, Left         []goldenArray
	Discriminator, Generator float64
	Gradients                []goldenArray
}

// TestGANGradientsEqualPyTorch: each loss with its penalty, each network, both ways to see the class, and spectral norm.
func TestGANGradientsEqualPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/gan.json")
	if err != nil {
		t.Fatal(err)
	}
	var g goldenGAN
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	for _, c := range g.Cases {
		t.Run(string(c.Loss)+" "+string(c.Network), func(t *testing.T) {
			onBackends(t, func(t *testing.T, b tensor.Backend) { g.compare(t, &c, b) })
		})
	}
}

func (g *goldenGAN) compare(t *testing.T, c *goldenCase, b tensor.Backend) {
	const n, latent, wide, deep, classes = 6, 4, 4, 6, 3
	shape := data.Shape{Height: 8, Width: 8, Channels: 1}
	has := traits{classes: classes, project: c.Project, spectral: c.Spectral, batchNorm: c.BatchNorm}
	net := newDCGAN(latent, wide, deep, shape, has)
	if c.Network == ResNetGAN {
		net = newResNet(latent, wide, deep, shape, has)
	}
	params := nn.Collect(net)
	vars := params.Init(1)
	learned, left := params.Trainable(), c.Left
	for i, p := range learned {
		c.Parameters[i].copyTo(t, vars[p.Name].F32, 0, 1)
	}
	for _, p := range params {
		if strings.HasSuffix(p.Name, ".left") {
			left[0].copyTo(t, vars[p.Name].F32, 0, 1)
			left = left[1:]
		}
	}
	if len(learned) != len(c.Parameters) || len(left) > 0 {
		t.Fatalf("%d parameters, expected %d; %d arrays for spectral norms are left over", len(learned), len(c.Parameters), len(left))
	}
	game := newGame(c.Loss)
	prog, err := tensor.Build(func(gr *tensor.Graph) {
		mode := &nn.Mode{Training: true}
		real, y := gr.Input("real", tensor.Float32, n, 8, 8, 1), gr.Input("y", tensor.Int32, n)
		fake := net.Generator.generate(gr.Input("z", tensor.Float32, n, latent), y, mode)
		d := net.discriminatorLoss(game, game.weight, real, fake, y, gr.Input("share", tensor.Float32, n, 1, 1, 1), mode)
		loss := map[string]*tensor.Node{"discriminator": d.Value, "generator": net.generatorLoss(game, real, fake, y, mode).Value}
		for _, name := range []string{"discriminator", "generator"} {
			gr.Output(name, loss[name])
			of := learned.Under(name)
			for i, gradient := range tensor.Gradient(loss[name], of.Nodes(gr)...) {
				gr.Output("gradient of "+of[i].Name, gradient)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Compile(prog, vars)
	if err != nil {
		t.Fatal(err)
	}
	g.Real.copyTo(t, e.Input("real").F32, 0, 1)
	g.Z.copyTo(t, e.Input("z").F32, 0, 1)
	g.Share.copyTo(t, e.Input("share").F32, 0, 1)
	copy(e.Input("y").I32, g.Y)
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"discriminator": c.Discriminator, "generator": c.Generator} {
		if got := float64(e.Output(name).F32[0]); !(math.Abs(got-want) <= 1e-5*max(1, math.Abs(want))) {
			t.Errorf("the %s's loss is %v, expected %v", name, got, want)
		}
	}
	for i, p := range learned {
		want := make([]float32, len(vars[p.Name].F32))
		c.Gradients[i].copyTo(t, want, 0, 1)
		largest := 0.0
		for _, w := range want {
			largest = max(largest, math.Abs(float64(w)))
		}
		for j, v := range e.Output("gradient of " + p.Name).F32 {
			if diff := math.Abs(float64(v) - float64(want[j])); !(diff <= 2e-5*max(largest, 1e-2)) {
				t.Fatalf("the gradient of %s (%s) at %d is %v, expected %v", p.Name, c.Gradients[i].Name, j, v, want[j])
			}
		}
	}
}
