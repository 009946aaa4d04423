package generative

import (
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
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
