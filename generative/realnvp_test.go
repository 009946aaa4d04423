package generative

import (
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
)

// tinyRealNVP is a recipe that fits in a fraction of a second.
func tinyRealNVP(c Coupling) *RealNVP {
	r := model.NewRecipe[RealNVP]()
	r.Coupling, r.Layers, r.Hidden, r.Epochs, r.Batch = c, 4, []int{16}, 2, 32
	return r
}

func TestRealNVPConformance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values, labels := correlated(300, r), make([]int32, 300)
	plain := numbers(t, 2, values, nil)
	for i := range labels {
		labels[i] = int32(i % 3)
		values[2*i] += 30 * float32(labels[i])
	}
	classes := numbers(t, 2, values, labels, "a", "b", "c")
	three := numbers(t, 3, correlated(150, r), nil)
	for _, c := range []Coupling{AffineCoupling, SplineCoupling} {
		t.Run(string(c), func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: tinyRealNVP(c), Train: plain, Validation: plain})
		})
		t.Run(string(c)+" with classes", func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: tinyRealNVP(c), Train: classes})
		})
		t.Run(string(c)+" of three columns", func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: tinyRealNVP(c), Train: three})
		})
	}
}
