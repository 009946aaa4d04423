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
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
	"github.com/likely-ml/likely/train"
)

// tinyGAN is a recipe that fits in a fraction of a second.
func tinyGAN() *GAN {
	r := model.NewRecipe[GAN]()
	r.Latent, r.Channels, r.Epochs, r.Batch, r.Rate = 4, 4, 4, 16, 0.01
	return r
}

func TestGANConformance(t *testing.T) {
	set := some(digits(t).Train, 8)
	t.Run("digits", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: tinyGAN(), Train: set, Validation: set})
	})
	t.Run("digits without labels", func(t *testing.T) {
		modeltest.Check(t, modeltest.Subject{Spec: tinyGAN(), Train: withoutLabels(set)})
	})
}

// What is sampled is what the same z decodes to.
func TestGANDecode(t *testing.T) {
	fitted, _ := fit(t, tinyGAN(), some(digits(t).Train, 8), model.Run{})
	m := fitted.(*CondGenerator)
	y := []int32{3, 1, 4}
	sampled, decoded := data.NewBatch(m.Shape(), len(y), false), data.NewBatch(m.Shape(), len(y), false)
	if err := m.SampleGiven(sampled, y, rand.New(rand.NewPCG(1, 2))); err != nil {
		t.Fatal(err)
	}
	z := normals(len(y)*m.LatentSize(), 1, rand.New(rand.NewPCG(1, 2)))
	if err := m.Decode(decoded, z, y); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sampled.X, decoded.X) {
		t.Error("decoding z gives another picture than sampling with it")
	}
	if err := m.Decode(decoded, z, []int32{3, 1, 10}); !errors.Is(err, model.ErrClass) {
		t.Errorf("decoding class 10 of ten returned the error %v, expected %v", err, model.ErrClass)
	}
}

// TestGANFamilyConformance: the parts that the default leaves out, under the same demands.
func TestGANFamilyConformance(t *testing.T) {
	set := some(digits(t).Train, 8)
	for name, change := range map[string]func(r *GAN){
		"wasserstein":         func(r *GAN) { r.Loss, r.Critic, r.Classes, r.Epochs = Wasserstein, 3, ClassMaps, 9 },
		"relativistic resnet": func(r *GAN) { r.Network, r.Augment = ResNetGAN, true },
		"spectral hinge":      func(r *GAN) { r.Loss, r.Spectral = Hinge, true },
	} {
		t.Run(name, func(t *testing.T) {
			r := tinyGAN()
			change(r)
			modeltest.Check(t, modeltest.Subject{Spec: r, Train: set})
		})
	}
}

// TestGANFamilyFits: every loss with every network, with and without spectral norm, makes a step on colour pictures whose
// sides are no multiples of 4.
func TestGANFamilyFits(t *testing.T) {
	set := noisePictures(t, data.Shape{Height: 6, Width: 9, Channels: 3}, 16)
	for _, loss := range []GANLoss{NonSaturating, Hinge, LeastSquares, Wasserstein, Relativistic} {
		for _, network := range []GANNetwork{DCGAN, ResNetGAN} {
			for _, spectral := range []bool{false, true} {
				r := tinyGAN()
				r.Loss, r.Network, r.Spectral, r.Epochs, r.Channels = loss, network, spectral, 1, 2
				fit(t, r, set, model.Run{Threads: 1})
			}
		}
	}
}

// noisePictures is n pictures of uniform noise.
func noisePictures(t *testing.T, shape data.Shape, n int) data.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
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

// TestGANSizes: pictures whose sides are no multiples of 4, in colour.
func TestGANSizes(t *testing.T) {
	for _, shape := range []data.Shape{{Height: 4, Width: 4, Channels: 1}, {Height: 7, Width: 10, Channels: 3}} {
		for _, network := range []GANNetwork{DCGAN, ResNetGAN} {
			r := tinyGAN()
			r.Network = network
			m, _ := fit(t, r, noisePictures(t, shape, 64), model.Run{})
			b := data.NewBatch(shape, 3, false)
			if err := m.(model.Sampler).Sample(b, rand.New(rand.NewPCG(1, 2))); err != nil {
				t.Errorf("%s, %v: %v", network, shape, err)
			}
		}
	}
}

func TestGANErrors(t *testing.T) {
	table := numbers(t, 2, correlated(20, rand.New(rand.NewPCG(1, 1))), nil)
	if _, _, err := tinyGAN().Fit(t.Context(), table, model.Run{}); err == nil || !strings.Contains(err.Error(), "use gaussian or vae") {
		t.Errorf("fit to a table returned the error %v", err)
	}
	set := noisePictures(t, data.Shape{Height: 4, Width: 4, Channels: 1}, 16)
	for want, change := range map[string]func(r *GAN){
		"loss is \"log\", expected one of nonsaturating": func(r *GAN) { r.Loss = "log" },
		"penalty is 5, and the loss hinge has none":      func(r *GAN) { r.Loss, r.Penalty = Hinge, 5 },
		"16 examples are too few for 9 steps":            func(r *GAN) { r.Critic = 9 },
	} {
		r := tinyGAN()
		change(r)
		if _, _, err := r.Fit(t.Context(), set, model.Run{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected %q", err, want)
		}
	}
}

// TestCollapse: after its first steps a generator is stopped when its pictures are all alike, and the error says what to do.
func TestCollapse(t *testing.T) {
	alike := map[string]float64{"real_spread": 0.4, "fake_spread": 0.01}
	varied := map[string]float64{"real_spread": 0.4, "fake_spread": 0.3}
	watch := collapseWatch(300)
	if err := watch(alike); err != nil {
		t.Errorf("after 300 steps: %v", err)
	}
	if err := watch(varied); err != nil {
		t.Errorf("with variety: %v", err)
	}
	if err := watch(alike); !errors.Is(err, train.ErrCollapsed) || !strings.Contains(err.Error(), "lower the rate") {
		t.Errorf("after 900 steps without variety the error is %v", err)
	}
}

// TestSpread compares the spread around class means with loops.
func TestSpread(t *testing.T) {
	const n, p, classes = 7, 3, 3
	r := rand.New(rand.NewPCG(3, 4))
	x, y := normals(n*p, 1, r), []int32{0, 2, 0, 2, 2, 0, 2} // none of class 1
	for _, k := range []int{0, classes} {
		want := 0.0
		for i := range n {
			for j := range p {
				mean, count := 0.0, 0.0
				for other := range n {
					if k == 0 || y[other] == y[i] {
						mean, count = mean+float64(x[other*p+j]), count+1
					}
				}
				want += math.Abs(float64(x[i*p+j])-mean/count) / (n * p)
			}
		}
		prog, err := tensor.Build(func(g *tensor.Graph) {
			g.Output("spread", spread(g.Input("x", tensor.Float32, n, p), g.Input("y", tensor.Int32, n), k))
		})
		if err != nil {
			t.Fatal(err)
		}
		e, err := reference.New().Compile(prog, tensor.Vars{})
		if err != nil {
			t.Fatal(err)
		}
		copy(e.Input("x").F32, x)
		copy(e.Input("y").I32, y)
		if err := e.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := float64(e.Output("spread").F32[0]); !(math.Abs(got-want) <= 1e-6) {
			t.Errorf("spread of %d classes is %v, expected %v", k, got, want)
		}
	}
}
