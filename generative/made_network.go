package generative

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// masked is x·(W∘M) + b: (n, in) to (n, out). Output k sees input j where degree[j] < below[k].
type masked struct {
	Weight, Bias  *nn.Param // [in, out] and [out]
	degree, below []float32 // whole numbers, in the type whose comparison is fastest
}

func newMasked(degree, below []float32, init nn.Init) masked {
	in, out := len(degree), len(below)
	return masked{
		Weight: &nn.Param{Dims: []int{in, out}, Init: init, FanIn: max(in/2, 1), FanOut: out}, // half are masked
		Bias:   &nn.Param{Dims: []int{out}, Init: nn.Zeros},
		degree: degree, below: below,
	}
}

// Apply computes the layer.
func (l masked) Apply(x *tensor.Node) *tensor.Node {
	g := x.Graph()
	w := l.Weight.Node(g)
	degrees := func(d []float32, dims ...int) *tensor.Node {
		return g.Constant(&tensor.Array{Shape: tensor.ShapeOf(tensor.Float32, dims...), F32: d})
	}
	seen := tensor.Less(degrees(l.degree, len(l.degree), 1), degrees(l.below, 1, len(l.below)))
	y := tensor.MatMul(x, tensor.Select(seen, w, tensor.ZerosLike(w)))
	if l.Bias == nil {
		return y
	}
	return tensor.Add(y, l.Bias.Node(g))
}

// maskedAutoencoder is the network of a [MADE]. Its degrees are places in the order, counted from 0: a hidden unit of degree m
// sees the elements at places 0 … m.
type maskedAutoencoder struct {
	Hidden []masked
	Given  []nn.Embedding // of the class, one for each hidden layer and the output
	Out    masked
	Direct *masked // nil for none

	output  Output
	factor  factor // of a pixel, or of a number in a table
	dropout float64
	// elements are those of x: for each where it stands in t(x) and its parameters in the output.
	elements []element
	numbers  int       // of the elements, those with parameters by factor, which come first in the output
	begin    []float32 // the bias of the output where training begins
}

// element is one element of x: elements [from, to) of t(x), at a place of the order, with outputs from out on. A category has
// an output for each of its to − from levels, which t(x) has one-hot.
type element struct {
	from, to, out int
	place         float32
	category      bool
	step          data.Step
}

// network is the network for the data of a card. It fails where the recipe does not fit the data.
func (r *MADE) network(card *model.Card) (*maskedAutoencoder, error) {
	schema := card.Schema
	output, err := r.Output.of(schema, card.Name)
	if err != nil {
		return nil, err
	}
	components := r.Components
	if components == 0 {
		components = 1
		if output == Normal {
			components = 8
		}
	}
	net := &maskedAutoencoder{output: output, dropout: r.Dropout,
		factor: factor{output: output, levels: int(schema.MaxValue) + 1, components: components}}
	net.lookAt(card.Transform, r.Order.places(schema.Size(), card.Seed))
	hidden := r.Hidden
	if len(hidden) == 0 {
		width := min(max(2*schema.Size(), 256), 2000)
		hidden = []int{width, width}
	}
	net.makeLayers(hidden, r.Direct, card.Classes())
	return net, nil
}

// of is the output for the data of a schema where o may be Auto. It fails where o does not fit the data.
func (o Output) of(schema *data.Schema, model string) (Output, error) {
	switch {
	case o == Auto && !schema.IsImage():
		return Normal, nil
	case o == Auto && schema.Channels == 1:
		return Bernoulli, nil
	case o == Auto:
		return Logistic, nil
	case o == Normal && schema.IsImage():
		return "", fmt.Errorf("%s: output normal is for tables, and the data is pictures of %v; use logistic", model, schema.Shape)
	case o != Normal && !schema.IsImage():
		return "", fmt.Errorf("%s: output %s is for pictures, and the data is a table; use normal", model, o)
	}
	return o, nil
}

// lookAt finds the elements of x in t(x) and gives them places in the order and in the output.
func (m *maskedAutoencoder) lookAt(t *data.Transform, places []float32) {
	at := 0
	for d, place := range places {
		step := t.Steps[min(d, len(t.Steps)-1)] // a picture has one for all pixels
		e := element{from: at, to: at + 1, place: place, category: step.OneHot, step: step}
		if e.category {
			e.to = at + len(step.Levels)
		} else {
			m.numbers++
		}
		m.elements = append(m.elements, e)
		at = e.to
	}
	out, after := 0, m.numbers*m.factor.width()
	for i := range m.elements {
		e := &m.elements[i]
		if e.category {
			e.out, after = after, after+e.to-e.from
		} else {
			e.out, out = out, out+m.factor.width()
		}
	}
}

// makeLayers makes the layers for given numbers of hidden units.
func (m *maskedAutoencoder) makeLayers(hidden []int, direct bool, classes int) {
	last := m.elements[len(m.elements)-1]
	degree := make([]float32, last.to)
	width := m.numbers * m.factor.width()
	for _, e := range m.elements {
		for j := e.from; j < e.to; j++ {
			degree[j] = e.place
		}
		if e.category {
			width += e.to - e.from
		}
	}
	inputs := degree
	for _, units := range hidden {
		// Degrees run evenly over all places but the last, which nothing comes after, in ascending order.
		own, below := make([]float32, units), make([]float32, units)
		for k := range own {
			own[k] = float32(k * max(len(m.elements)-1, 1) / units)
			below[k] = own[k] + 1
		}
		m.Hidden = append(m.Hidden, newMasked(degree, below, nn.HeNormal))
		m.give(classes, units)
		degree = own
	}
	m.give(classes, width)
	below := make([]float32, width)
	m.begin = make([]float32, width)
	for _, e := range m.elements {
		p := m.own(e, below)
		for k := range p {
			p[k] = e.place
		}
		if !e.category {
			m.factor.begin(m.own(e, m.begin))
		}
	}
	m.Out = newMasked(degree, below, nn.GlorotUniform)
	m.Out.Bias.Init = func(dst []float32, _, _ int, _ *rand.Rand) { copy(dst, m.begin) }
	if direct {
		layer := newMasked(inputs, below, nn.Zeros)
		layer.Bias = nil
		m.Direct = &layer
	}
}

// own is the part of the output that is an element's parameters.
func (m *maskedAutoencoder) own(e element, out []float32) []float32 {
	if e.category {
		return out[e.out : e.out+e.to-e.from]
	}
	return out[e.out : e.out+m.factor.width()]
}

// beginAt lets training begin where pixels and categories are independent, with their marginal logits.
func (m *maskedAutoencoder) beginAt(logits [][]float32) {
	for _, e := range m.elements {
		copy(m.own(e, m.begin), slices.Concat(logits[e.from:e.to]...))
	}
}

func (m *maskedAutoencoder) give(classes, units int) {
	if classes > 0 {
		m.Given = append(m.Given, nn.NewEmbedding(classes, units, nn.Normal(0.05)))
	}
}

// parameters are those of all factors, (n, outputs), from t(x), (n, size).
func (m *maskedAutoencoder) parameters(x, y *tensor.Node, mode *nn.Mode) *tensor.Node {
	given := func(h *tensor.Node, layer int) *tensor.Node {
		if len(m.Given) == 0 {
			return h
		}
		return tensor.Add(h, m.Given[layer].Apply(y))
	}
	h := x
	for i, layer := range m.Hidden {
		h = nn.Dropout(nn.ReLU(given(layer.Apply(h), i)), m.dropout, mode)
	}
	out := given(m.Out.Apply(h), len(m.Hidden))
	if m.Direct != nil {
		out = tensor.Add(out, m.Direct.Apply(x))
	}
	return out
}

// logLikelihood is log p(x|y) of each example, (n), in nats, on the scale of the transform. A missing category, whose elements of
// t(x) are all 0, counts as probability 1.
func (m *maskedAutoencoder) logLikelihood(x, y *tensor.Node, mode *nn.Mode) *tensor.Node {
	out := m.parameters(x, y, mode)
	n := x.Dims()[0]
	total := tensor.ZerosLike(tensor.Sum(x, 1))
	if m.numbers > 0 {
		p := tensor.SliceAxis(out, 1, 0, m.numbers*m.factor.width())
		p = tensor.Reshape(p, n, m.numbers, m.factor.width())
		total = tensor.Add(total, tensor.Sum(m.factor.logLikelihood(p, m.numbersOf(x)), 1))
	}
	for _, e := range m.elements {
		if e.category {
			log := tensor.LogSoftmax(tensor.SliceAxis(out, 1, e.out, e.out+e.to-e.from))
			total = tensor.Add(total, tensor.Sum(tensor.Mul(tensor.SliceAxis(x, 1, e.from, e.to), log), 1))
		}
	}
	return total
}

// numbersOf is t(x) without the categories.
func (m *maskedAutoencoder) numbersOf(x *tensor.Node) *tensor.Node {
	if m.numbers == x.Dims()[1] {
		return x
	}
	var parts []*tensor.Node
	at := 0
	for _, e := range append(slices.Clone(m.elements), element{from: x.Dims()[1], to: x.Dims()[1], category: true}) {
		if e.category {
			if at < e.from {
				parts = append(parts, tensor.SliceAxis(x, 1, at, e.from))
			}
			at = e.to
		}
	}
	return tensor.Concat(1, parts...)
}
