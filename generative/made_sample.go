package generative

import (
	"cmp"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor"
)

// maskedSampler draws from a fitted [maskedAutoencoder] in plain Go. It computes each unit once, when the elements that it sees
// are known. The units of a layer lie in the order of their degrees, so that what a unit sees is the beginning of the layer
// before it, and its sum a product of two vectors.
type maskedSampler struct {
	net     *maskedAutoencoder
	vars    tensor.Vars
	threads int

	packed func() []packedLayer // hidden layers and the output, packed at the first sample
}

// packedLayer is a layer with its weights by output: sums[k] = bias[k] + Σ_(j < seen[k]) weight[k][j]·x[j], where x is in the
// order of its degrees.
type packedLayer struct {
	weight [][]float32
	bias   []float32
	class  []float32   // [classes, out]; nil without labels
	direct [][]float32 // from t(x), in the order of its degrees; of the output alone
}

func (m *maskedAutoencoder) sampler(run model.Run, vars tensor.Vars) chainSampler {
	s := &maskedSampler{net: m, vars: vars, threads: run.Threads}
	if s.threads == 0 {
		s.threads = runtime.GOMAXPROCS(0)
	}
	s.packed = sync.OnceValue(s.pack)
	return s
}

// ordered are the elements in their order.
func (m *maskedAutoencoder) ordered() []element {
	return slices.SortedFunc(slices.Values(m.elements), func(a, b element) int { return cmp.Compare(a.place, b.place) })
}

func (s *maskedSampler) pack() []packedLayer {
	m := s.net
	var inputs []int // of t(x), by degree
	for _, e := range m.ordered() {
		for j := e.from; j < e.to; j++ {
			inputs = append(inputs, j)
		}
	}
	layers := make([]packedLayer, len(m.Hidden)+1)
	order := inputs
	for i, l := range append(slices.Clone(m.Hidden), m.Out) {
		layers[i] = packedLayer{weight: s.rows(l, order), bias: s.vars[l.Bias.Name].F32}
		if len(m.Given) > 0 {
			layers[i].class = s.vars[m.Given[i].Table.Name].F32
		}
		order = make([]int, len(l.below))
		for k := range order {
			order[k] = k
		}
	}
	if m.Direct != nil {
		layers[len(m.Hidden)].direct = s.rows(*m.Direct, inputs)
	}
	return layers
}

// rows are the weights that each output of a layer sees, its inputs taken in an order of ascending degrees.
func (s *maskedSampler) rows(l masked, order []int) [][]float32 {
	w, out := s.vars[l.Weight.Name].F32, len(l.below)
	rows := make([][]float32, out)
	for k, below := range l.below {
		for _, j := range order {
			if l.degree[j] >= below {
				break
			}
			rows[k] = append(rows[k], w[j*out+k])
		}
	}
	return rows
}

// sample draws rows side by side.
func (s *maskedSampler) sample(dst data.Batch, y []int32, o Chain, r []*rand.Rand) error {
	layers, order := s.packed(), s.net.ordered()
	room := make(chan struct{}, s.threads)
	var all sync.WaitGroup
	for i := range dst.Len() {
		room <- struct{}{}
		all.Go(func() {
			class := 0
			if y != nil {
				class = int(y[i])
			}
			s.draw(dst.Row(i), layers, order, class, o, r[i])
			<-room
		})
	}
	all.Wait()
	return nil
}

// draw draws one row.
func (s *maskedSampler) draw(x []float32, layers []packedLayer, order []element, class int, o Chain, r *rand.Rand) {
	m := s.net
	known := make([]float32, 0, len(x)) // what has been drawn, in order
	units := make([][]float32, len(m.Hidden))
	for _, e := range order {
		// What depends on the elements before this one alone is known now.
		before := known
		for i, l := range m.Hidden {
			for k := len(units[i]); k < len(l.below) && l.below[k] <= e.place; k++ {
				units[i] = append(units[i], max(layers[i].sum(k, before, class), 0))
			}
			before = units[i]
		}
		out := &layers[len(m.Hidden)]
		p := make([]float32, len(m.own(e, out.bias)))
		for k := range p {
			p[k] = out.sum(e.out+k, before, class)
			if out.direct != nil {
				p[k] += dot(out.direct[e.out+k], known)
			}
		}
		m.drawElement(x, e, p, o, r)
		known = append(known, x[e.from:e.to]...)
		if o.Shades && m.output == Bernoulli {
			x[e.from] = float32(probability(p[0], o.Temperature))
		}
	}
}

// sum is the sum of output k.
func (l *packedLayer) sum(k int, x []float32, class int) float32 {
	sum := l.bias[k]
	if l.class != nil {
		sum += l.class[class*len(l.bias)+k]
	}
	return sum + dot(l.weight[k], x)
}

// dot is Σ a_j x_j over the elements of a, in eight sums of every eighth term so that the processor need not wait for each
// addition.
func dot(a, x []float32) float32 {
	x = x[:len(a)]
	var s [8]float32
	for len(a) >= 8 {
		b, y := a[:8], x[:8]
		s[0] += b[0] * y[0]
		s[1] += b[1] * y[1]
		s[2] += b[2] * y[2]
		s[3] += b[3] * y[3]
		s[4] += b[4] * y[4]
		s[5] += b[5] * y[5]
		s[6] += b[6] * y[6]
		s[7] += b[7] * y[7]
		a, x = a[8:], x[8:]
	}
	for j, v := range a {
		s[j] += v * x[j]
	}
	return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
}

// drawElement sets an element of t(x) to a draw. Whole numbers are rounded before the next elements see them, as those of the
// data are.
func (m *maskedAutoencoder) drawElement(x []float32, e element, p []float32, o Chain, r *rand.Rand) {
	if e.category {
		clear(x[e.from:e.to])
		x[e.from+drawLogits(p, o.Temperature, r)] = 1
		return
	}
	v := m.factor.draw(p, o.Temperature, r)
	if m.output == Normal && e.step.Round {
		v = float32((math.RoundToEven(float64(v)*e.step.Scale+e.step.Shift) - e.step.Shift) / e.step.Scale)
	}
	x[e.from] = v
}
