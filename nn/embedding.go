package nn

import (
	"math"

	"github.com/likely-ml/likely/tensor"
)

// Sinusoids are features of each number of t, Float32 [n], to [n, 2·frequencies]: the sines and then the cosines of ω·t for
// frequencies ω that rise from lowest to highest in equal ratios (Vaswani et al., Attention is all you need, 2017, section
// 3.5, with t for the position).
func Sinusoids(t *tensor.Node, frequencies int, lowest, highest float64) *tensor.Node {
	omega := tensor.NewArray(tensor.ShapeOf(tensor.Float32, 1, frequencies))
	for k := range omega.F32 {
		omega.F32[k] = float32(lowest * math.Pow(highest/lowest, float64(k)/float64(max(frequencies-1, 1))))
	}
	angle := tensor.Mul(tensor.Reshape(t, t.Dims()[0], 1), t.Graph().Constant(omega))
	return tensor.Concat(1, tensor.Sin(angle), tensor.Cos(angle))
}
