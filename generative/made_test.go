package generative

import (
	"testing"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
)

func tinyMADE() *MADE {
	r := model.NewRecipe[MADE]()
	r.Hidden, r.Epochs, r.Batch = []int{24, 20}, 2, 32
	return r
}

func TestMADEConformance(t *testing.T) {
	for name, c := range chainSets(t) {
		t.Run(name, func(t *testing.T) {
			recipe := tinyMADE()
			recipe.Output = c.output
			modeltest.Check(t, modeltest.Subject{Spec: recipe, Train: c.set, Validation: c.set})
		})
	}
}
