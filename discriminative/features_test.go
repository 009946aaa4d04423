package discriminative

import (
	"math"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// TestFeaturesGiveThePosterior applies the last layer to the features in plain float64, and expects p(y|x).
func TestFeaturesGiveThePosterior(t *testing.T) {
	set := firstDigits(t, 200)
	x, err := data.ReadAll(t.Context(), data.Subset(set, []int{3, 50, 199}))
	if err != nil {
		t.Fatal(err)
	}
	noDense := smallCNN()
	noDense.Dense = nil
	for name, c := range map[string]struct {
		recipe model.Spec
		width  int
	}{"cnn": {smallCNN(), 16}, "cnn without dense layers": {noDense, 2 * 2 * 8}, "mlp": {smallMLP(), 16}} {
		t.Run(name, func(t *testing.T) {
			fitted, _, err := c.recipe.Fit(t.Context(), set, model.Run{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			m := fitted.(*Network)
			if m.FeatureSize() != c.width {
				t.Fatalf("%d features, expected %d", m.FeatureSize(), c.width)
			}
			k := m.Classes()
			features, posterior := make([]float32, x.Len()*c.width), make([]float64, x.Len()*k)
			if err := m.Features(features, x); err != nil {
				t.Fatal(err)
			}
			if err := m.LogPosterior(posterior, x); err != nil {
				t.Fatal(err)
			}
			var weight, bias []float32
			for _, p := range m.params {
				switch {
				case len(p.Dims) == 2 && p.Dims[1] == k:
					weight = m.vars[p.Name].F32
				case len(p.Dims) == 1 && p.Dims[0] == k:
					bias = m.vars[p.Name].F32
				}
			}
			for i := range x.Len() {
				logits, total := make([]float64, k), 0.0
				for c := range logits {
					logits[c] = float64(bias[c])
					for j := range m.width {
						logits[c] += float64(features[i*m.width+j]) * float64(weight[j*k+c])
					}
					total += math.Exp(logits[c])
				}
				for c, l := range logits {
					near(t, "log p(y|x) from features", l-math.Log(total), posterior[i*k+c], 1e-5) // sums of float32
				}
			}
		})
	}
}
