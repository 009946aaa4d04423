package generative

import (
	"fmt"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// game is a loss that the two play for. Its functions take logits D(x) and D(G(z)), each (n, 1), and give what is minimised.
type game struct {
	discriminator func(real, fake *tensor.Node) *tensor.Node
	generator     func(real, fake *tensor.Node) *tensor.Node
	paired        bool // the generator's loss looks at D(x) too; else that is nil

	penalty func(n *adversaries, s *seen, mode *nn.Mode) *tensor.Node // nil for none; the discriminator's then minimises it too
	weight  float64                                                   // of the penalty, where the recipe does not say
	critic  int                                                       // the discriminator's steps for one of the generator's, likewise
	adam    nn.Adam                                                   // with the coefficients of the paper
}

// seen is what a discriminator has seen, and its logits.
type seen struct {
	real, fake, y  *tensor.Node
	onReal, onFake *tensor.Node
	// pictures are all that were judged, one batch above the other, of which onReal and onFake are functions. Nil where they
	// were judged apart.
	pictures *tensor.Node
	share    *tensor.Node // uniform, [n, 1, 1, 1]
}

// newGame is the game of a recipe's loss.
func newGame(loss GANLoss) game {
	switch loss {
	case Hinge:
		return hinge
	case LeastSquares:
		return leastSquares
	case Wasserstein:
		return wasserstein
	case Relativistic:
		return relativistic
	}
	return nonSaturating
}

// nonSaturating is the loss of the first GAN (Goodfellow et al., 2014, eq. 1; the generator's from the end of section 3):
//
//	D minimises  E[−log σ(D(x))] + E[−log(1 − σ(D(G(z))))],  G minimises  E[−log σ(D(G(z)))].
//
// −log σ(a) is softplus(−a). At D's optimum the first is 2 log 2 − 2 JS(p_d || p_G).
var nonSaturating = game{
	discriminator: func(real, fake *tensor.Node) *tensor.Node {
		return tensor.Add(tensor.Mean(tensor.Softplus(tensor.Neg(real))), tensor.Mean(tensor.Softplus(fake)))
	},
	generator: func(_, fake *tensor.Node) *tensor.Node { return tensor.Mean(tensor.Softplus(tensor.Neg(fake))) },
	critic:    1, adam: dcganAdam,
}

// dcganAdam has the coefficients of DCGAN.
var dcganAdam = nn.Adam{Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8}

// hinge (Lim and Ye, Geometric GAN, 2017; Miyato et al., 2018, eq. 16 and 17):
//
//	D minimises  E[max(0, 1 − D(x))] + E[max(0, 1 + D(G(z)))],  G minimises  −E[D(G(z))].
//
// At D's optimum, the sign of p_d − p_G, the first is 2 − 2 TV, with the total variation TV = ½∫|p_d − p_G|. It is made for
// spectral norm, which keeps D's slope bounded.
var hinge = game{
	discriminator: func(real, fake *tensor.Node) *tensor.Node {
		one := real.Graph().Scalar(tensor.Float32, 1)
		return tensor.Add(tensor.Mean(nn.ReLU(tensor.Sub(one, real))), tensor.Mean(nn.ReLU(tensor.Add(one, fake))))
	},
	generator: func(_, fake *tensor.Node) *tensor.Node { return tensor.Neg(tensor.Mean(fake)) },
	critic:    1, adam: dcganAdam,
}

// leastSquares (Mao et al., Least squares generative adversarial networks, 2017, eq. 8):
//
//	D minimises  ½E[(D(x) − 1)²] + ½E[(D(G(z)) + 1)²],  G minimises  ½E[D(G(z))²].
//
// At D's optimum, G's, with the same term of x that does not depend on G, is half the Pearson χ² divergence of
// p_d + p_G from 2p_G.
var leastSquares = game{
	discriminator: func(real, fake *tensor.Node) *tensor.Node {
		return tensor.MulScalar(tensor.Add(tensor.Mean(tensor.Square(tensor.AddScalar(real, -1))),
			tensor.Mean(tensor.Square(tensor.AddScalar(fake, 1)))), 0.5)
	},
	generator: func(_, fake *tensor.Node) *tensor.Node {
		return tensor.MulScalar(tensor.Mean(tensor.Square(fake)), 0.5)
	},
	critic: 1, adam: dcganAdam,
}

// wasserstein, with a gradient penalty (Gulrajani et al., Improved training of Wasserstein GANs, 2017, eq. 3 and algorithm 1):
//
//	D minimises  E[D(G(z))] − E[D(x)] + λ E[(‖∇D(x̂)‖ − 1)²],  G minimises  −E[D(G(z))],
//
// x̂ uniform on the line from x to G(z), λ = 10, five steps of D for one of G. Without the penalty, the best D of slope at
// most 1 makes the first −W₁(p_d, p_G), the earth mover's distance. The penalty is of each example, so D has no batch norm.
var wasserstein = game{
	discriminator: func(real, fake *tensor.Node) *tensor.Node { return tensor.Sub(tensor.Mean(fake), tensor.Mean(real)) },
	generator:     func(_, fake *tensor.Node) *tensor.Node { return tensor.Neg(tensor.Mean(fake)) },
	penalty:       slopeOne, weight: 10, critic: 5,
	adam: nn.Adam{Beta1: 0, Beta2: 0.9, Epsilon: 1e-8},
}

// relativistic, with zero-centred penalties (Huang et al., 2024, eq. 2 with R1 and R2 of section 2):
//
//	D minimises  E[softplus(D(G(z)) − D(x))] + γ/2 (E[‖∇D(x)‖²] + E[‖∇D(G(z))‖²]),  G minimises  E[softplus(D(x) − D(G(z)))],
//
// each x paired with one G(z). At D's optimum without the penalties the first is log 2 less a divergence that is 0 only where
// p_G = p_d (Jolicoeur-Martineau, On relativistic f-divergences, 2020, theorem 3.1). The penalties are of each example, so D has
// no batch norm. They are of the gradient at what D sees, after augmentation.
var relativistic = game{
	discriminator: func(real, fake *tensor.Node) *tensor.Node {
		return tensor.Mean(tensor.Softplus(tensor.Sub(fake, real)))
	},
	generator: func(real, fake *tensor.Node) *tensor.Node {
		return tensor.Mean(tensor.Softplus(tensor.Sub(real, fake)))
	},
	paired:  true,
	penalty: slopeZero, weight: 1, critic: 1,
	adam: nn.Adam{Beta1: 0, Beta2: 0.99, Epsilon: 1e-8},
}

// slopeOne is the mean of (‖∇D(x̂)‖ − 1)².
func slopeOne(n *adversaries, s *seen, mode *nn.Mode) *tensor.Node {
	mixed := tensor.Add(s.fake, tensor.Mul(s.share, tensor.Sub(s.real, s.fake)))
	logits := n.Discriminator.judge(mixed, s.y, mode.WithoutRecord())
	slope := tensor.Sqrt(tensor.AddScalar(squaredSlopes(logits, mixed), 1e-12)) // whose gradient is finite at 0
	return tensor.Mean(tensor.Square(tensor.AddScalar(slope, -1)))
}

// slopeZero is half the sum of R1 and R2: the mean of ‖∇D‖² over real, and that over generated pictures.
func slopeZero(_ *adversaries, s *seen, _ *nn.Mode) *tensor.Node {
	logits := tensor.Concat(0, s.onReal, s.onFake)
	return tensor.Mean(squaredSlopes(logits, s.pictures)) // over twice as many
}

// squaredSlopes is ‖∇D(x_i)‖² of each picture, (n). A logit depends on its own picture alone, so the gradient of their sum
// holds them all.
func squaredSlopes(logits, x *tensor.Node) *tensor.Node {
	slopes := tensor.Gradient(tensor.Sum(logits), x)[0]
	return tensor.Sum(tensor.Square(slopes), 1, 2, 3)
}

// look lets the discriminator judge real and generated pictures.
func (n *adversaries) look(real, fake, y, share *tensor.Node, mode *nn.Mode) *seen {
	s := &seen{real: real, fake: fake, y: y, share: share}
	if n.apart {
		s.onReal, s.onFake = n.Discriminator.judge(real, y, mode), n.Discriminator.judge(fake, y, mode)
		return s
	}
	s.pictures = tensor.Concat(0, real, fake)
	if y != nil {
		y = tensor.Concat(0, y, y)
	}
	logits := n.Discriminator.judge(s.pictures, y, mode)
	count := real.Dims()[0]
	s.onReal, s.onFake = tensor.SliceAxis(logits, 0, 0, count), tensor.SliceAxis(logits, 0, count, 2*count)
	return s
}

// discriminatorLoss is the game's, with weight times its penalty. share is for penalties between pictures, uniform
// [n, 1, 1, 1].
func (n *adversaries) discriminatorLoss(game game, weight float64, real, fake, y, share *tensor.Node, mode *nn.Mode) train.Loss {
	s := n.look(real, tensor.StopGradient(fake), y, share, mode)
	loss := train.Loss{Value: game.discriminator(s.onReal, s.onFake)}
	if game.penalty != nil {
		penalty := game.penalty(n, s, mode)
		loss.Value = tensor.Add(loss.Value, tensor.MulScalar(penalty, weight))
		loss.Metrics = []train.Metric{{Name: "penalty", Value: penalty}}
	}
	return loss
}

// generatorLoss is the game's, against the discriminator as its last step left it.
func (n *adversaries) generatorLoss(game game, real, fake, y *tensor.Node, mode *nn.Mode) train.Loss {
	mode = mode.WithoutRecord()
	if !game.paired {
		return train.Loss{Value: game.generator(nil, n.Discriminator.judge(fake, y, mode))}
	}
	s := n.look(real, fake, y, nil, mode)
	return train.Loss{Value: game.generator(s.onReal, s.onFake)}
}

// spreads are the metrics that collapseWatch reads.
func spreads(real, fake, y *tensor.Node, classes int) []train.Metric {
	return []train.Metric{
		{Name: "real_spread", Value: spread(real, y, classes)}, {Name: "fake_spread", Value: spread(fake, y, classes)},
	}
}

// spread is the mean absolute distance of pictures from the mean of their class: 0 for a generator that makes one picture,
// or one of each class.
func spread(x, y *tensor.Node, classes int) *tensor.Node {
	x = nn.Flatten(x)
	if classes == 0 {
		return tensor.Mean(tensor.Abs(tensor.Sub(x, tensor.Mean(x, 0))))
	}
	own := tensor.OneHot(y, tensor.Float32, classes)
	count := tensor.Max(tensor.Sum(own, 0), x.Graph().Scalar(tensor.Float32, 1))
	means := tensor.Div(tensor.MatMulT(own, x, true, false), tensor.Reshape(count, classes, 1))
	return tensor.Mean(tensor.Abs(tensor.Sub(x, tensor.MatMul(own, means))))
}

// An untrained generator makes one picture, grey. It has collapsed if it still does after graceSteps, or does again:
// where its pictures spread by less than leastSpread of what the real ones do.
const (
	graceSteps  = 500
	leastSpread = 0.1
)

// collapseWatch ends a run whose generator has given up variety.
func collapseWatch(stepsPerEpoch int) func(metrics map[string]float64) error {
	steps := 0
	return func(metrics map[string]float64) error {
		steps += stepsPerEpoch
		if real, fake := metrics["real_spread"], metrics["fake_spread"]; steps > graceSteps && fake < leastSpread*real {
			return fmt.Errorf("gan: %w: its pictures differ by %.3g on average, the real ones by %.3g; lower the rate, raise the batch, or try another seed",
				train.ErrCollapsed, fake, real)
		}
		return nil
	}
}
