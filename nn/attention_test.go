package nn_test

import (
	"math"
	"testing"

	"github.com/likely-ml/likely/nn"
)

// plainAttention is self-attention on x [n, places, channels] as loops over head, place and place.
func plainAttention(x []float64, p map[string][]float64, n, places, channels, heads int) []float64 {
	q, k, v := plainDense(x, p["query.weight"], p["query.bias"]), plainDense(x, p["key.weight"], p["key.bias"]), plainDense(x, p["value.weight"], p["value.bias"])
	y := make([]float64, len(x))
	width := channels / heads
	for i := range n {
		for h := range heads {
			at := func(place, d int) int { return (i*places+place)*channels + h*width + d }
			for from := range places {
				weights, total := make([]float64, places), 0.0
				for to := range places {
					score := 0.0
					for d := range width {
						score += q[at(from, d)] * k[at(to, d)]
					}
					weights[to] = math.Exp(score / math.Sqrt(float64(width)))
					total += weights[to]
				}
				for to, w := range weights {
					for d := range width {
						y[at(from, d)] += w / total * v[at(to, d)]
					}
				}
			}
		}
	}
	return plainDense(y, p["out.weight"], p["out.bias"])
}

func attentionLayer(name string, heads int) layer {
	const n, places, channels = 2, 3, 4
	attention := nn.NewAttention(channels, heads, nn.GlorotUniform)
	return layer{name, &attention, []int{n, places, channels}, attention.Apply, func(x []float64, p map[string][]float64) []float64 {
		return plainAttention(x, p, n, places, channels, heads)
	}}
}

func TestAttentionHeads(t *testing.T) {
	if !panics(func() { nn.NewAttention(6, 4, nn.Zeros) }) {
		t.Error("6 channels in 4 heads: no panic")
	}
}
