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

// tinyGlow is a recipe that fits in a fraction of a second.
func tinyGlow() *Glow {
	r := model.NewRecipe[Glow]()
	r.Levels, r.Steps, r.Width, r.Epochs, r.Batch = 2, 1, 8, 2, 32
	return r
}

// noise is n pictures of random pixels.
func noise(t *testing.T, n int, shape data.Shape) data.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(4, 5))
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

func TestGlowConformance(t *testing.T) {
	pictures := some(digits(t).Train, 8)
	for _, c := range []struct {
		name string
		set  data.Set
	}{
		{"digits", pictures},
		{"digits without labels", withoutLabels(pictures)},
		{"odd in colour", noise(t, 40, data.Shape{Height: 5, Width: 7, Channels: 3})},
	} {
		t.Run(c.name, func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: tinyGlow(), Train: c.set, Validation: c.set})
		})
	}
}

// TestGlowLogDet compares with the Jacobian by the noise, which enters as x does: of two levels with classes, and of an odd
// picture, whose flow is of a larger one.
func TestGlowLogDet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, shape := range []data.Shape{{Height: 4, Width: 4, Channels: 1}, {Height: 3, Width: 2, Channels: 3}} {
		recipe := tinyGlow()
		recipe.Steps = 2
		net := recipe.network(&data.Schema{Shape: shape, MaxValue: 16}, 3)
		dims := append([]int{1}, net.padded.Dims()...)
		e := exact(t, shaken(nn.Collect(net), 0.1), func(g *tensor.Graph) {
			x := g.Input("x", tensor.Float32, append([]int{1}, shape.Dims()...)...)
			z, logDet := net.encode(x, exactInput(g, "u", dims...), g.Input("y", tensor.Int32, 1), &nn.Mode{})
			exactOutput(g, "z", z)
			exactOutput(g, "log_det", logDet)
		})
		e.Input("y").I32[0] = 2
		for i := range e.Input("x").F32 {
			e.Input("x").F32[i] = float32(r.IntN(17))
		}
		for i := range e.Input("u").F64 {
			e.Input("u").F64[i] = 0.01 + 0.98*r.Float64()
		}
		checkLogDet(t, e, "u")
	}
}

// TestGlowSizes: pictures of all usual sizes become z and whole again, pixel by pixel.
func TestGlowSizes(t *testing.T) {
	for _, shape := range []data.Shape{
		{Height: 8, Width: 8, Channels: 1}, {Height: 28, Width: 28, Channels: 1}, {Height: 25, Width: 25, Channels: 1},
		{Height: 7, Width: 7, Channels: 1}, {Height: 32, Width: 32, Channels: 3}, {Height: 1, Width: 2, Channels: 1}, {Height: 2, Width: 9, Channels: 3},
	} {
		set := noise(t, 16, shape)
		recipe := tinyGlow()
		recipe.Levels = 3
		transform, err := data.FitTransform(t.Context(), set, data.Raw)
		if err != nil {
			t.Fatal(err)
		}
		net := recipe.network(set.Schema(), 0)
		f, err := newGlow(model.NewCard("glow", recipe, set, transform, model.Run{}), net, shaken(nn.Collect(net), 0.05), nil, model.Run{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		x := read(t, set)
		z, back := make([]float32, x.Len()*f.LatentSize()), data.NewBatch(shape, x.Len(), false)
		if err := errors.Join(f.Encode(z, x, nil), f.Decode(back, z, nil)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(back.X, x.X) {
			t.Errorf("%v: pictures that became z came back different", shape)
		}
	}
}

// TestGlowBound adds up P(x) over all pictures of two pixels of two levels. By many draws of u it is estimated without a
// bound's slack, and the flow can put little of its mass outside of the pictures' range: the sum is somewhat below 1. And the mean
// of the bound with one draw must not exceed log P(x).
func TestGlowBound(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	shape := data.Shape{Height: 1, Width: 2, Channels: 1}
	pixels, labels := make([]uint8, 0, 2*2000), make([]int32, 2000)
	for i := range labels {
		a := r.IntN(2)
		b := a
		if labels[i] = int32(r.IntN(2)); labels[i] == 1 { // the second class has two unequal pixels
			b = 1 - a
		}
		pixels = append(pixels, uint8(a), uint8(b))
	}
	set, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 1, Classes: []string{"equal", "unequal"}}, pixels, labels)
	if err != nil {
		t.Fatal(err)
	}
	recipe := tinyGlow()
	recipe.Steps, recipe.Width, recipe.Rate, recipe.Dropout = 4, 16, 0.01, 0
	m, _ := fit(t, recipe, set, model.Run{Threads: 1, Epochs: 15})
	f := m.(*PictureFlow)
	all := data.Batch{Shape: shape, X: []float32{0, 0, 0, 1, 1, 0, 1, 1}}
	log := make([]float64, 4)
	if err := f.LogImportanceBound(log, all, 1500, r); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, l := range log {
		sum += math.Exp(l)
	}
	if !(sum <= 1.02 && sum >= 0.85) {
		t.Errorf("P(x) sums to %v over all pictures, expected 0.85 to 1", sum)
	}
	const n = 200
	one, mean, square := make([]float64, 4), make([]float64, 4), make([]float64, 4)
	for range n {
		if err := f.LogBound(one, all, r); err != nil {
			t.Fatal(err)
		}
		for i, l := range one {
			mean[i] += l / n
			square[i] += l * l / n
		}
	}
	for i, l := range log {
		if se := math.Sqrt((square[i] - mean[i]*mean[i]) / n); !(mean[i] <= l+4*se) {
			t.Errorf("picture %d: the bound has mean %v (standard error %v), above log P = %v", i, mean[i], se, l)
		}
	}
	equal := make([]float64, 2) // the probability of two equal pixels in each class
	for class := range equal {
		if err := f.LogImportanceBoundGiven(log, all, slices.Repeat([]int32{int32(class)}, 4), 300, r); err != nil {
			t.Fatal(err)
		}
		equal[class] = math.Exp(log[0]) + math.Exp(log[3])
	}
	if !(equal[0] >= 0.6 && equal[1] <= 0.4) {
		t.Errorf("two equal pixels have probability %v in the class of these and %v in the other", equal[0], equal[1])
	}
}

func TestGlowErrors(t *testing.T) {
	table := numbers(t, 2, correlated(20, rand.New(rand.NewPCG(1, 1))), nil)
	if _, _, err := tinyGlow().Fit(t.Context(), table, model.Run{}); err == nil || !strings.Contains(err.Error(), "use realnvp") {
		t.Errorf("fit to a table returned the error %v", err)
	}
	set := withoutLabels(some(digits(t).Train, 16))
	m, _ := fit(t, tinyGlow(), set, model.Run{})
	for _, wrong := range []float32{-1, 17, 0.5, nan} {
		x := read(t, set).Slice(0, 1)
		x.X[5] = wrong
		err := m.(model.Bound).LogBound(make([]float64, 1), x, rand.New(rand.NewPCG(1, 1)))
		if err == nil || !strings.Contains(err.Error(), "at element 5, expected a whole number from 0 to 16") {
			t.Errorf("the bound of a picture with the pixel %v returned the error %v", wrong, err)
		}
	}
	if _, err := m.(model.Tunable).Tune(&Temperature{11}); err == nil || !strings.Contains(err.Error(), "temperature") {
		t.Errorf("a temperature of 11 returned the error %v", err)
	}
}

// TestGlowTemperature: at temperature 0 all samples are one picture, that of z = 0.
func TestGlowTemperature(t *testing.T) {
	set := withoutLabels(some(digits(t).Train, 16))
	m, _ := fit(t, tinyGlow(), set, model.Run{})
	cold, err := m.(model.Tunable).Tune(&Temperature{0})
	if err != nil {
		t.Fatal(err)
	}
	b, origin := data.NewBatch(set.Schema().Shape, 2, false), data.NewBatch(set.Schema().Shape, 1, false)
	if err := cold.(model.Sampler).Sample(b, rand.New(rand.NewPCG(1, 1))); err != nil {
		t.Fatal(err)
	}
	if err := m.(model.Decoder).Decode(origin, make([]float32, 64), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.Row(0), origin.X) || !slices.Equal(b.Row(1), origin.X) {
		t.Error("samples at temperature 0 are not the picture of z = 0")
	}
}
