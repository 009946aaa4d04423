package generative

import (
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// Softmax gives each of the whole numbers 0..MaxValue a probability of its own, for an [Output] of the autoregressive models.
const Softmax Output = "softmax"

// factor is the distribution of one element of t(x) given those before it: what its parameters, the network's outputs, mean.
//
//	Bernoulli   1 logit, of x = 1
//	Softmax     a logit for each of the values 0, 1/(levels−1) … 1
//	Logistic    a mixture of discretised logistic distributions on these values (Salimans et al., PixelCNN++, 2017, eq. 2 and 3)
//	Normal      a mixture of normal distributions (Uria, Murray and Larochelle, RNADE, 2013, eq. 9)
//
// A mixture has components logits, means and log scales, in this order.
type factor struct {
	output     Output
	levels     int // of a pixel
	components int // of a mixture
}

// The least log scale of a component, on the scale of the transform: the density of a column that never changes has no
// maximum, and pixels have no more than 256 levels.
var (
	leastLogSD    = math.Log(0.01)
	leastLogScale = -7.0 // PixelCNN++'s
)

// width is how many parameters there are.
func (f factor) width() int {
	switch f.output {
	case Bernoulli:
		return 1
	case Softmax:
		return f.levels
	}
	return 3 * f.components
}

// least is the smallest log scale.
func (f factor) least() float64 {
	if f.output == Logistic {
		return leastLogScale
	}
	return leastLogSD
}

// begin sets the parameters of one element, the first of bias, to where training begins: components side by side over the range of x, each as
// wide as their distance.
func (f factor) begin(bias []float32) {
	if f.output != Logistic && f.output != Normal {
		return
	}
	low, wide := 0.0, 1.0 // pixels
	if f.output == Normal {
		low, wide = -2, 4
	}
	m := f.components
	for k := range m {
		bias[m+k] = float32(low + wide*(float64(k)+0.5)/float64(m))
		bias[2*m+k] = float32(math.Log(wide / float64(m+3)))
	}
}

// bounded is a log scale with a smooth floor: far above it, log scales are as they are.
func (f factor) bounded(logScale *tensor.Node) *tensor.Node {
	return tensor.AddScalar(tensor.Softplus(tensor.AddScalar(logScale, -f.least())), f.least())
}

// logLikelihood is log p of each element, (n, elements), from parameters (n, elements, width) and x (n, elements).
func (f factor) logLikelihood(p, x *tensor.Node) *tensor.Node {
	d := x.Dims()
	switch f.output {
	case Bernoulli:
		return nn.BernoulliLogLikelihood(tensor.Reshape(p, d...), x)
	case Softmax:
		level := tensor.Convert(tensor.Round(tensor.MulScalar(x, float64(f.levels-1))), tensor.Int32)
		return tensor.Reshape(tensor.Neg(nn.CrossEntropy(tensor.Reshape(p, d[0]*d[1], f.levels), tensor.Reshape(level, d[0]*d[1]))), d...)
	}
	part := func(i int) *tensor.Node { return tensor.SliceAxis(p, 2, i*f.components, (i+1)*f.components) }
	logWeight, mean, logScale := tensor.LogSoftmax(part(0)), part(1), f.bounded(part(2))
	each := tensor.BroadcastTo(tensor.Reshape(x, d[0], d[1], 1), mean.Dims()...)
	var log *tensor.Node
	if f.output == Logistic {
		log = nn.DiscretisedLogisticLogLikelihood(mean, logScale, each, f.levels)
	} else {
		log = nn.NormalLogLikelihood(mean, tensor.MulScalar(logScale, 2), each)
	}
	return tensor.Reshape(tensor.LogSumExp(tensor.Add(logWeight, log)), d...)
}

// draw is a value of one element of given parameters. At a temperature other than 1, logits are divided by it and scales
// multiplied.
func (f factor) draw(p []float32, temperature float64, r *rand.Rand) float32 {
	switch f.output {
	case Bernoulli:
		if r.Float64() < probability(p[0], temperature) {
			return 1
		}
		return 0
	case Softmax:
		return float32(drawLogits(p, temperature, r)) / float32(f.levels-1)
	}
	m := f.components
	k := drawLogits(p[:m], temperature, r)
	return f.drawComponent(float64(p[m+k]), float64(p[2*m+k]), temperature, r)
}

// drawComponent draws from a component with that mean and unbounded log scale.
func (f factor) drawComponent(mean, logScale, temperature float64, r *rand.Rand) float32 {
	scale := temperature * math.Exp(softplus(logScale-f.least())+f.least())
	if f.output == Normal {
		return float32(mean + scale*r.NormFloat64())
	}
	u := uniform(r)
	x := mean + scale*math.Log(u/(1-u))
	steps := float64(f.levels - 1)
	return float32(math.RoundToEven(min(max(x, 0), 1)*steps)) / float32(steps)
}

// probability is that of 1.
func probability(logit float32, temperature float64) float64 {
	return 1 / (1 + math.Exp(-float64(logit)/temperature))
}

// drawLogits is a draw from softmax(logits/temperature): the index of the greatest of logits with Gumbel noise of that scale.
func drawLogits(logits []float32, temperature float64, r *rand.Rand) int {
	best, top := 0, math.Inf(-1)
	for k, l := range logits {
		if v := float64(l) - temperature*math.Log(-math.Log(uniform(r))); v > top {
			best, top = k, v
		}
	}
	return best
}

// softplus is log(1 + e^x).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
