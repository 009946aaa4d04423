package nn

import (
	"math"

	"github.com/likely-ml/likely/tensor"
)

// CrossEntropy is −log p(y_i | x_i) in nats for each example, from logits (n, classes) and classes Int32 (n): shape (n).
func CrossEntropy(logits, y *tensor.Node) *tensor.Node {
	return tensor.Reshape(tensor.CrossEntropy(logits, y), y.Dims()[0])
}

// BernoulliLogLikelihood is log p(x) = x·logit − softplus(logit) of each element x in {0, 1} (or between: the cross-entropy),
// in nats.
func BernoulliLogLikelihood(logit, x *tensor.Node) *tensor.Node {
	return tensor.Sub(tensor.Mul(x, logit), tensor.Softplus(logit))
}

// NormalLogLikelihood is log N(x; mean, e^logVariance) of each element, in nats.
func NormalLogLikelihood(mean, logVariance, x *tensor.Node) *tensor.Node {
	square := tensor.Mul(tensor.Square(tensor.Sub(x, mean)), tensor.Exp(tensor.Neg(logVariance)))
	return tensor.MulScalar(tensor.AddScalar(tensor.Add(square, logVariance), math.Log(2*math.Pi)), -0.5)
}

// KLStandardNormal is KL(N(mean, e^logVariance) || N(0, 1)) = ½(mean² + variance − 1 − log variance) of each element, in
// nats (Kingma and Welling, 2014, appendix B).
func KLStandardNormal(mean, logVariance *tensor.Node) *tensor.Node {
	sum := tensor.Sub(tensor.Add(tensor.Square(mean), tensor.Exp(logVariance)), logVariance)
	return tensor.MulScalar(tensor.AddScalar(sum, -1), 0.5)
}

// DiscretisedLogisticLogLikelihood is the log-probability, in nats, that a logistic variable of that mean and log scale
// falls into the bin of x, where x is on the grid of levels values evenly spaced on [0, 1] and the outermost bins reach to
// infinity (Salimans et al., PixelCNN++, 2017, eq. 2).
func DiscretisedLogisticLogLikelihood(mean, logScale, x *tensor.Node, levels int) *tensor.Node {
	half := 0.5 / float64(levels-1)
	inverse := tensor.Exp(tensor.Neg(logScale))
	centred := tensor.Sub(x, mean)
	upper := tensor.Mul(tensor.AddScalar(centred, half), inverse) // the bin's edges in units of the scale
	lower := tensor.Mul(tensor.AddScalar(centred, -half), inverse)
	// σ(u) − σ(l) = σ(u)·σ(−l)·(1 − e^(l−u)), whose logarithm loses nothing in the tails.
	width := tensor.MulScalar(inverse, 2*half)
	middle := tensor.Sub(tensor.Log(tensor.Neg(tensor.Expm1(tensor.Neg(width)))),
		tensor.Add(tensor.Softplus(tensor.Neg(upper)), tensor.Softplus(lower)))
	first := tensor.Neg(tensor.Softplus(tensor.Neg(upper))) // log σ(u)
	last := tensor.Neg(tensor.Softplus(lower))              // log (1 − σ(l))
	g := x.Graph()
	isFirst := tensor.Less(x, g.Scalar(x.DType(), half))
	isLast := tensor.Greater(x, g.Scalar(x.DType(), 1-half))
	return tensor.Select(isFirst, first, tensor.Select(isLast, last, middle))
}
