package generative

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// Output is the distribution p(x|z) of a model with latent variables z.
type Output string

// The outputs.
const (
	// Auto is Bernoulli for pictures and Normal for tables.
	Auto Output = "auto"
	// Bernoulli takes each pixel for a coin with probability x/MaxValue, tossed anew each time it is looked at (dynamic
	// binarisation): the likelihood is that of the binarised picture.
	Bernoulli Output = "bernoulli"
	// Normal has a mean for each x and z and a variance for each column, a density in raw units; the categorical columns of
	// a table have probabilities instead.
	Normal Output = "normal"
	// Logistic is the discretised logistic: the probability of the whole numbers 0..MaxValue, exactly.
	Logistic Output = "logistic"
)

// emission is an [Output] for certain data. A decoder gives its parameter for each x: a logit for Bernoulli, else the mean.
type emission struct {
	output     Output
	levels     int       // of a pixel; 1 for tables
	categories []block   // in the rows of a table
	spread     *nn.Param // for each element of t(x): log variance or log scale; nil for Bernoulli
}

// block is the elements [from, to) of t(x) that are a categorical column, one-hot.
type block struct{ from, to int }

// leastLogVariance bounds the variance of Normal outputs on the scale of the transform, log 10⁻⁴: the density of a column
// that never changes has no maximum.
var leastLogVariance = math.Log(1e-4)

// newEmission is the output for the data of a card. It fails where the output does not fit the data.
func newEmission(output Output, card *model.Card) (emission, error) {
	schema := card.Schema
	e := emission{output: output, levels: int(schema.MaxValue) + 1}
	if e.output == Auto {
		e.output = Normal
		if schema.IsImage() {
			e.output = Bernoulli
		}
	}
	if e.output != Normal && !schema.IsImage() {
		return e, fmt.Errorf("%s: output %s is for pictures, and the data is a table; use normal", card.Name, e.output)
	}
	at := 0
	for _, step := range card.Transform.Steps {
		if step.OneHot {
			e.categories = append(e.categories, block{at, at + len(step.Levels)})
			at += len(step.Levels)
		} else {
			at++
		}
	}
	size := card.Transform.OutShape().Size()
	switch e.output {
	case Normal:
		e.spread = &nn.Param{Dims: []int{size}, Init: nn.Zeros}
		if schema.IsImage() { // most pixels of [0, 1] vary by much less than 1
			e.spread.Init = nn.Constant(-3)
		}
	case Logistic:
		e.spread = &nn.Param{Dims: []int{size}, Init: nn.Constant(-2)}
	}
	return e, nil
}

// seen is x as the likelihood sees it in training: binarised anew for Bernoulli.
func (e *emission) seen(x *tensor.Node, noise *nn.Noise) *tensor.Node {
	if e.output != Bernoulli {
		return x
	}
	return tensor.Convert(tensor.Less(noise.Uniform(x.Dims()...), x), tensor.Float32)
}

// logLikelihood is log p(x|z) of each example, (n), in nats, on the scale of the transform, from what the decoder gives for z.
func (e *emission) logLikelihood(out, x *tensor.Node) *tensor.Node {
	var each *tensor.Node
	switch e.output {
	case Bernoulli:
		each = nn.BernoulliLogLikelihood(out, x)
	case Normal:
		least := x.Graph().Scalar(tensor.Float32, leastLogVariance)
		return e.rowLogLikelihood(out, tensor.Max(e.spread.Node(x.Graph()), least), x)
	case Logistic:
		each = nn.DiscretisedLogisticLogLikelihood(out, e.spread.Node(x.Graph()), x, e.levels)
	}
	return tensor.Sum(each, 1)
}

// rowLogLikelihood adds up log N(x; mean, variance) of real elements and log softmax(out) at x of each categorical column,
// which is 0 where it is missing.
func (e *emission) rowLogLikelihood(out, logVariance, x *tensor.Node) *tensor.Node {
	total := tensor.ZerosLike(tensor.Sum(x, 1))
	at, size := 0, x.Dims()[1]
	numbers := func(to int) { // elements [at, to)
		part := func(x *tensor.Node, axis int) *tensor.Node {
			if to-at == size {
				return x
			}
			return tensor.SliceAxis(x, axis, at, to)
		}
		if at < to {
			total = tensor.Add(total, tensor.Sum(nn.NormalLogLikelihood(part(out, 1), part(logVariance, 0), part(x, 1)), 1))
		}
	}
	for _, c := range e.categories {
		numbers(c.from)
		log := tensor.LogSoftmax(tensor.SliceAxis(out, 1, c.from, c.to))
		total = tensor.Add(total, tensor.Sum(tensor.Mul(tensor.SliceAxis(x, 1, c.from, c.to), log), 1))
		at = c.to
	}
	numbers(size)
	return total
}

// mean is that of p(x|z) from what the decoder gives; of a categorical column its logits.
func (e *emission) mean(out *tensor.Node) *tensor.Node {
	if e.output == Bernoulli {
		return tensor.Sigmoid(out)
	}
	return out
}

// toss binarises x for Bernoulli.
func (e *emission) toss(x data.Batch, r *rand.Rand) {
	if e.output != Bernoulli {
		return
	}
	for i, p := range x.X {
		x.X[i] = 0
		if r.Float32() < p {
			x.X[i] = 1
		}
	}
}

// draw turns means of p(x|z) into draws from it.
func (e *emission) draw(x data.Batch, vars tensor.Vars, r *rand.Rand) {
	if e.output == Bernoulli {
		e.toss(x, r)
		return
	}
	spread := vars[e.spread.Name].F32
	for i, out := range x.X {
		j := i % x.Shape.Size()
		switch {
		case e.output == Logistic:
			u := uniform(r)
			x.X[i] = out + float32(math.Exp(float64(spread[j]))*math.Log(u/(1-u)))
		case e.isCategory(j):
			// The greatest of logits with Gumbel noise is a draw from their softmax.
			x.X[i] = out - float32(math.Log(-math.Log(uniform(r))))
		default:
			sd := math.Exp(max(float64(spread[j]), leastLogVariance) / 2)
			x.X[i] = out + float32(sd*r.NormFloat64())
		}
	}
}

// uniform is a draw from the open interval (0, 1).
func uniform(r *rand.Rand) float64 { return (float64(r.Uint64()>>12) + 0.5) * 0x1p-52 }

// isCategory reports whether element j of t(x) belongs to a categorical column.
func (e *emission) isCategory(j int) bool {
	return slices.ContainsFunc(e.categories, func(c block) bool { return c.from <= j && j < c.to })
}

// rawUnits is what a log-likelihood on the scale of the transform lacks of one in raw units.
func (e *emission) rawUnits(t *data.Transform) float64 {
	if e.output == Normal {
		return t.LogDet()
	}
	return 0 // probabilities of whole numbers have no unit
}

// likelihoodOf tells that a Bernoulli output speaks of binarised pixels.
func (e *emission) likelihoodOf() string {
	if e.output == Bernoulli {
		return "dynamically binarised pixels"
	}
	return ""
}

// notes are what a person should know about the losses and samples.
func (e *emission) notes(t *data.Transform) (notes []string) {
	missing := 0
	for _, step := range t.Steps {
		if !step.OneHot {
			missing += step.Missing
		}
	}
	if missing > 0 {
		notes = append(notes, fmt.Sprintf("%d missing numbers were taken for the mean of their column", missing))
	}
	switch e.output {
	case Bernoulli:
		notes = append(notes, "losses and bounds are nats of dynamically binarised pictures: each pixel is a coin with probability x/max, tossed anew each time")
	case Normal:
		notes = append(notes, "losses are nats on the scale of the transform, bounds are nats in raw units")
	}
	if e.levels > 1 {
		notes = append(notes, "samples are the means of p(x|z); set noise to draw from it")
	}
	return notes
}
