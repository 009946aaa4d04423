package generative

import (
	"testing"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
)

func tinyPixelCNN() *PixelCNN {
	r := model.NewRecipe[PixelCNN]()
	r.Channels, r.Layers, r.Components, r.Epochs, r.Batch = 6, 2, 2, 2, 32
	return r
}

func TestPixelCNNConformance(t *testing.T) {
	for name, c := range chainSets(t) {
		if !c.set.Schema().IsImage() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			recipe := tinyPixelCNN()
			recipe.Output = c.output
			modeltest.Check(t, modeltest.Subject{Spec: recipe, Train: c.set, Validation: c.set})
		})
	}
}
