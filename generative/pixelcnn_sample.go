package generative

import (
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// pixelSampler draws from a fitted [pixelNetwork]. The vertical stack is computed row by row and the horizontal one pixel by
// pixel, from the activations that its windows reach, which are kept: two rows of each vertical layer and two pixels of each
// horizontal one.
type pixelSampler struct {
	net        *pixelNetwork
	vars       tensor.Vars
	row, pixel *train.Function
}

func (m *pixelNetwork) sampler(run model.Run, vars tensor.Vars) chainSampler {
	s := &pixelSampler{net: m, vars: vars}
	c, layers, wide := m.channels, len(m.Layers), m.shape.Width
	// slot is what layer i keeps, with the new row or pixel after it.
	slot := func(kept *tensor.Node, i, axis int, current *tensor.Node) *tensor.Node {
		d := kept.Dims()
		return tensor.Concat(axis, tensor.Reshape(tensor.SliceAxis(kept, 1, i, i+1), d[0], d[2], d[3], d[4]), current)
	}
	s.row = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		x := g.Input("x", tensor.Float32, n, windowRows, wide, m.shape.Channels) // the rows above
		kept := g.Input("kept", tensor.Float32, n, layers, windowRows-1, wide, c)
		var y *tensor.Node
		if m.Layers[0].Given != nil {
			y = g.Input("y", tensor.Int32, n)
		}
		out := [2]int{1, wide}
		v := tensor.Add(m.Down.apply(x, [2]int{0, firstColumns / 2}, out), tensor.Reshape(g.Input("place", tensor.Float32, n, wide*c), n, 1, wide, c))
		var own, across []*tensor.Node
		for i := range m.Layers {
			own = append(own, v)
			a, change := m.Layers[i].down(slot(kept, i, 1, v), y, [2]int{0, windowColumns / 2}, out)
			across, v = append(across, a), tensor.Add(v, change)
		}
		g.Output("own", tensor.Concat(1, own...))
		g.Output("across", tensor.Concat(1, across...))
	})
	s.pixel = train.NewFunction(run, vars, func(g *tensor.Graph, n int) {
		x := g.Input("x", tensor.Float32, n, 1, firstColumns, m.shape.Channels) // to the left
		kept := g.Input("kept", tensor.Float32, n, layers, 1, windowColumns-1, c)
		across := g.Input("across", tensor.Float32, n, layers, 1, 2*c)
		out := [2]int{1, 1}
		h := tensor.Add(m.Right.apply(x, [2]int{}, out), tensor.Reshape(g.Input("place", tensor.Float32, n, c), n, 1, 1, c))
		var own []*tensor.Node
		for i := range m.Layers {
			own = append(own, h)
			h = tensor.Add(h, m.Layers[i].right(slot(kept, i, 2, h), tensor.SliceAxis(across, 1, i, i+1), [2]int{}, out))
		}
		g.Output("own", tensor.Concat(1, own...))
		g.Output("parameters", tensor.Reshape(m.end(h), n, m.pixel.width()))
	})
	return s
}

// sample draws a batch, all of its rows one pixel at a time.
func (s *pixelSampler) sample(dst data.Batch, y []int32, o Chain, r []*rand.Rand) error {
	const most = 128 // examples side by side, whose activations are in memory
	for from := 0; from < dst.Len(); from += most {
		to := min(from+most, dst.Len())
		part := pixelPart{pixelSampler: s, drawn: data.NewBatch(dst.Shape, to-from, false), shown: dst.Slice(from, to), tuning: o, r: r[from:to]}
		if y != nil {
			part.y = y[from:to]
		}
		if err := part.run(); err != nil {
			return err
		}
	}
	return nil
}

// pixelPart is some examples as they are drawn.
type pixelPart struct {
	*pixelSampler
	drawn, shown data.Batch
	y            []int32
	tuning       Chain
	r            []*rand.Rand

	keptRows   []float32 // [n, layers, 2, width, channels], of the vertical stack
	keptPixels []float32 // [n, layers, 2, channels], of the horizontal one
	across     []float32 // [n, layers, width, 2·channels] of this row
}

func (p *pixelPart) run() error {
	m, n := p.net, len(p.r)
	c, layers := m.channels, len(m.Layers)
	p.keptRows = make([]float32, n*layers*(windowRows-1)*m.shape.Width*c)
	p.keptPixels = make([]float32, n*layers*(windowColumns-1)*c)
	p.across = make([]float32, n*layers*m.shape.Width*2*c)
	for row := range m.shape.Height {
		if err := p.runRow(row); err != nil {
			return err
		}
		clear(p.keptPixels)
		for column := range m.shape.Width {
			if err := p.runPixel(row, column); err != nil {
				return err
			}
		}
	}
	return nil
}

// runRow brings the vertical stack to a row.
func (p *pixelPart) runRow(row int) error {
	m := p.net
	line := m.shape.Width * m.shape.Channels
	wide := m.shape.Width * m.channels // of a row of features
	place := p.vars[m.DownPlace.Name].F32[row*wide : (row+1)*wide]
	kept := len(p.keptRows) / len(p.r)
	return p.row.Call(len(p.r), func(e tensor.Executable, from, to int) {
		x, places := e.Input("x").F32, e.Input("place").F32
		clear(x)
		for i := range to - from {
			copy(places[i*wide:], place)
			for k := range windowRows {
				if at := row - windowRows + k; at >= 0 {
					copy(x[(i*windowRows+k)*line:], p.drawn.Row(from + i)[at*line:(at+1)*line])
				}
			}
		}
		copy(e.Input("kept").F32, p.keptRows[from*kept:to*kept])
		if p.y != nil {
			copy(e.Input("y").I32, p.y[from:to])
		}
	}, func(e tensor.Executable, from, to int) {
		each := len(p.across) / len(p.r)
		copy(p.across[from*each:to*each], e.Output("across").F32)
		keep(p.keptRows[from*kept:to*kept], e.Output("own").F32, windowRows-1, wide)
	})
}

// keep appends each line of own, size long, to the depth lines that are kept for it, and forgets the first of these.
func keep(kept, own []float32, depth, size int) {
	for len(kept) > 0 {
		copy(kept, kept[size:depth*size])
		copy(kept[(depth-1)*size:], own[:size])
		kept, own = kept[depth*size:], own[size:]
	}
}

// runPixel draws a pixel of each example.
func (p *pixelPart) runPixel(row, column int) error {
	m := p.net
	c, layers, channels := m.channels, len(m.Layers), m.shape.Channels
	at := row*m.shape.Width + column
	place := p.vars[m.RightPlace.Name].F32[at*c : (at+1)*c]
	w := m.pixel.width()
	bias := p.vars[m.OutPlace.Name].F32[at*w : (at+1)*w]
	kept := len(p.keptPixels) / len(p.r)
	return p.pixel.Call(len(p.r), func(e tensor.Executable, from, to int) {
		x, places, across := e.Input("x").F32, e.Input("place").F32, e.Input("across").F32
		clear(x)
		left := min(column, firstColumns) // pixels there are
		for i := range to - from {
			copy(places[i*c:], place)
			copy(x[(i*firstColumns+firstColumns-left)*channels:], p.drawn.Row(from + i)[(at-left)*channels:at*channels])
			for l := range layers {
				copy(across[(i*layers+l)*2*c:][:2*c], p.across[(((from+i)*layers+l)*m.shape.Width+column)*2*c:])
			}
		}
		copy(e.Input("kept").F32, p.keptPixels[from*kept:to*kept])
	}, func(e tensor.Executable, from, to int) {
		keep(p.keptPixels[from*kept:to*kept], e.Output("own").F32, windowColumns-1, c)
		parameters := e.Output("parameters").F32
		own := make([]float32, w)
		for i := range to - from {
			for k := range own {
				own[k] = parameters[i*w+k] + bias[k]
			}
			x := p.drawn.Row(from + i)[at*channels : (at+1)*channels]
			m.pixel.drawPixel(x, own, p.tuning.Temperature, p.r[from+i])
			shown := p.shown.Row(from + i)[at*channels : (at+1)*channels]
			copy(shown, x)
			if p.tuning.Shades && m.pixel.output == Bernoulli {
				shown[0] = float32(probability(own[0], p.tuning.Temperature))
			}
		}
	})
}

// drawPixel sets the channels of a pixel to a draw.
func (f pixel) drawPixel(x, p []float32, temperature float64, r *rand.Rand) {
	if f.channels == 1 {
		x[0] = f.draw(p, temperature, r)
		return
	}
	m := f.components
	k := drawLogits(p[:m], temperature, r)
	for c := range x {
		mean := float64(p[(1+c)*m+k])
		for b := range c {
			mean += math.Tanh(float64(p[f.slope(c, b)*m+k])) * (float64(x[b]) - 0.5)
		}
		x[c] = f.drawComponent(mean, float64(p[(1+f.channels+c)*m+k]), temperature, r)
	}
}
