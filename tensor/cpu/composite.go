package cpu

import (
	"fmt"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// composite is a [tensor.Composite] that one launch computes. Its results are values of their own; one that nobody needs
// still gets memory, unless the kernel can leave it out.
type composite struct {
	kind    tensor.CompositeKind
	in      []operand
	results []*value // by index; nil where the program has no such node
	shapes  []tensor.Shape
}

// hasKernel reports whether a composite has a kernel here: all have for float32, but for windows that overlap.
func hasKernel(p tensor.CompositePart) bool {
	if p.Kind == tensor.CompositeMaxUnpool && !apart(p.Attr.(tensor.PoolWindow)) {
		return false
	}
	return p.Results[0].DType() == tensor.Float32
}

// result makes the value of a node that is result number p.Index of a composite.
func (c *compiler) result(n *tensor.Node, p tensor.CompositePart, in []operand) *value {
	key := fmt.Sprintf("%v %+v", p.Kind, p.Attr)
	for _, o := range in {
		key += fmt.Sprintf(" %d%v", o.id, o.dims)
	}
	if c.skip.Common {
		key = fmt.Sprintf("%p", p.Composite)
	}
	k := c.composites[key]
	if k == nil {
		k = &composite{kind: p.Kind, in: in, results: make([]*value, len(p.Results))}
		for _, r := range p.Results {
			k.shapes = append(k.shapes, r.Shape())
		}
		c.composites[key] = k
	}
	if k.results[p.Index] == nil {
		v := &value{id: len(c.order), op: tensor.OpComposite, shape: n.Shape(), in: in, attr: n.Attr(), composite: k}
		k.results[p.Index] = v
		c.order = append(c.order, v)
	}
	return k.results[p.Index]
}

// mayOmit reports whether the kernel takes no memory for result i to mean that it is not needed: a pooling, for its indices.
func (k *composite) mayOmit(i int) bool { return k.kind == tensor.CompositeMaxPool && i == 1 }

// scheduleComposite appends the launch of all results of a composite.
func (c *compiler) scheduleComposite(k *composite) {
	l := &plannedLaunch{name: fmt.Sprintf("%v %v", k.kind, k.shapes[0])}
	for _, o := range k.in {
		l.reads = append(l.reads, o.buf)
	}
	out := make([]*buffer, len(k.results))
	for i, v := range k.results {
		if v == nil || !v.live {
			if k.mayOmit(i) {
				continue
			}
			out[i] = c.scratch(l, k.shapes[i].Size()*k.shapes[i].DType.Size())
			continue
		}
		out[i] = c.newBuffer(v)
		l.writes = append(l.writes, out[i])
	}
	c.launches = append(c.launches, l)
	switch k.kind {
	case tensor.CompositeAdam:
		l.flops = 12 * float64(k.shapes[0].Size())
		k.adam(l, out)
	case tensor.CompositeMaxPool:
		k.maxPool(l, out)
	case tensor.CompositeMaxUnpool:
		k.maxUnpool(l, out[0])
	case tensor.CompositeCrossEntropy:
		l.bind = k.crossEntropy(out[0])
	case tensor.CompositeCrossEntropyGradient:
		l.bind = k.crossEntropyGradient(out[0])
	default:
		panic("cpu: no kernel for " + k.kind.String())
	}
}

// attr is the composite's attribute.
func (k *composite) attr() any {
	for _, v := range k.results {
		if v != nil {
			return v.attr.(tensor.CompositePart).Attr
		}
	}
	return nil
}

// costAdam is the time in nanoseconds of Adam for one parameter.
const costAdam = 0.2

// adam may write p, m and v over their old values, as the kernel reads an element before it writes it.
func (k *composite) adam(l *plannedLaunch, out []*buffer) {
	spec := k.attr().(tensor.AdamSpec)
	p, m, v, g := k.in[0].buf, k.in[1].buf, k.in[2].buf, k.in[3].buf
	l.inPlace = func(x, over *value) bool {
		for i, r := range k.results {
			if r == x {
				// Nothing but the operand of the same name may lie there.
				for j, o := range k.in {
					if o.value == over && i != j {
						return false
					}
				}
				return k.in[i].value == over
			}
		}
		return false
	}
	n := k.shapes[0].Size()
	l.bind = func(pl *pool) func() {
		adam := kernel.Float32().Adam
		hyper := kernel.AdamHyper{Beta1: float32(spec.Beta1), OneMinusBeta1: float32(1 - spec.Beta1), Beta2: float32(spec.Beta2),
			OneMinusBeta2: float32(1 - spec.Beta2), Epsilon: float32(spec.Epsilon), Shrink: 1}
		s := func(b *buffer) []float32 { return slice[float32](b) }
		p1, m1, v1, p, m, v, g := s(out[0]), s(out[1]), s(out[2]), s(p), s(m), s(v), s(g)
		rate, correction := s(k.in[4].buf), s(k.in[5].buf)
		parts, size := pl.chunks(n, costAdam)
		run := pl.eachPart(parts, func(_ *worker, part int) {
			i, j := part*size, min((part+1)*size, n)
			adam(p1[i:j], m1[i:j], v1[i:j], p[i:j], m[i:j], v[i:j], g[i:j], &hyper)
		})
		return func() {
			hyper.Rate, hyper.Correction = rate[0], correction[0]
			if spec.Shrink {
				hyper.Shrink = s(k.in[6].buf)[0]
			}
			run()
		}
	}
}

// crossEntropyBlock is how many rows are computed at a time, so that what passes between the kernels stays in the
// first-level cache.
func crossEntropyBlock(classes int) int { return max(1, tileSize/max(classes, 1)) }

// softmaxTile computes, for rows x of that many classes, the greatest element of each in top, e = exp(x − top), and the
// sum of each row of e.
func softmaxTile(k *kernel.Float32Table, x, e, top, sum []float32, classes int) {
	rows := len(top)
	k.RowMax(top, x, rows, classes)
	for i := range rows {
		k.Sub.VS(e[i*classes:(i+1)*classes], x[i*classes:(i+1)*classes], top[i])
	}
	k.Exp(e, e)
	k.RowSum(sum, e, rows, classes)
}

func (k *composite) crossEntropy(out *buffer) func(*pool) func() {
	n, classes := k.in[0].dims[0], k.in[0].dims[1]
	return func(p *pool) func() {
		t := kernel.Float32()
		loss, x, y := slice[float32](out), slice[float32](k.in[0].buf), slice[int32](k.in[1].buf)
		return p.rowBlocks(n, classes, func(w *worker, from, to int) {
			rows := to - from
			x, y, loss := x[from*classes:to*classes], y[from:to], loss[from:to]
			e, top, sum := w.softmaxRoom(rows, classes)
			softmaxTile(t, x, e, top, sum, classes)
			t.Log(sum, sum)
			for i := range loss {
				own := float32(0)
				if c := int(y[i]); c >= 0 && c < classes {
					own = x[i*classes+c]
				}
				loss[i] = sum[i] + top[i] - own
			}
		})
	}
}

func (k *composite) crossEntropyGradient(out *buffer) func(*pool) func() {
	n, classes := k.in[0].dims[0], k.in[0].dims[1]
	return func(p *pool) func() {
		t := kernel.Float32()
		d, x, y, c := slice[float32](out), slice[float32](k.in[0].buf), slice[int32](k.in[1].buf), slice[float32](k.in[2].buf)
		return p.rowBlocks(n, classes, func(w *worker, from, to int) {
			rows := to - from
			x, y, c, d := x[from*classes:to*classes], y[from:to], c[from:to], d[from*classes:to*classes]
			_, top, sum := w.softmaxRoom(rows, classes)
			softmaxTile(t, x, d, top, sum, classes)
			t.Div.VV(sum, c, sum)
			for i := range rows {
				row := d[i*classes : (i+1)*classes]
				t.Mul.VS(row, row, sum[i])
				own := int(y[i])
				for j, v := range row {
					// Where the class is another one the definition adds a zero, which turns −0 into +0.
					if j == own {
						row[j] = v + (0 - c[i])
					} else {
						row[j] = v + 0
					}
				}
			}
		})
	}
}

// softmaxRoom is scratch for a block of rows.
func (w *worker) softmaxRoom(rows, classes int) (e, top, sum []float32) {
	if need := rows * (classes + 2); len(w.rows) < need {
		w.rows = make([]float32, need)
	}
	e, rest := w.rows[:rows*classes], w.rows[rows*classes:]
	return e, rest[:rows], rest[rows : 2*rows]
}

// rowBlocks launches f over blocks of rows of that many elements, some transcendental function of each.
func (p *pool) rowBlocks(n, width int, f func(w *worker, from, to int)) func() {
	parts, size := p.chunks(n, 2*costTranscendental*float64(width))
	block := crossEntropyBlock(width)
	return p.eachPart(parts, func(w *worker, part int) {
		to := min((part+1)*size, n)
		for from := part * size; from < to; from += block {
			f(w, from, min(from+block, to))
		}
	})
}
