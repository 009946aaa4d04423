package cpu

import (
	"slices"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// plannedLaunch is one step of a plan: what it reads and writes, and how to make it runnable once memory is placed.
type plannedLaunch struct {
	name   string
	reads  []*buffer
	writes []*buffer
	bind   func(*pool) func() // nil: by each alone

	each    *perItem         // if it works item by item
	cluster *cluster         // if it is one: it adapts to the items of its neighbours
	batch   []*plannedLaunch // what it was merged from
	clock   *batchClock      // of a batch
	flops   float64

	// inPlace reports whether the launch may write x over the array, which it also reads; nil if it never may.
	inPlace func(x, array *value) bool
}

// launch is a step of an executable.
type launch struct {
	name  string
	run   func()
	clock *batchClock // of a batch
}

// sourceBuffer is the memory of an input or constant; variables are bound before.
func (c *compiler) sourceBuffer(v *value) *buffer {
	if a, ok := v.attr.(*tensor.Array); ok {
		return arrayBuffer(a)
	}
	return arrayBuffer(tensor.NewArray(v.shape))
}

func (c *compiler) newBuffer(v *value) *buffer {
	b := &buffer{bytes: v.size() * v.dtype().Size(), first: -1, last: -1}
	c.buffers = append(c.buffers, b)
	v.buf = b
	return b
}

// scratch is a buffer that only one launch uses.
func (c *compiler) scratch(l *plannedLaunch, bytes int) *buffer {
	b := &buffer{bytes: bytes, first: -1, last: -1}
	c.buffers = append(c.buffers, b)
	l.writes = append(l.writes, b)
	return b
}

func (c *compiler) scheduleCluster(k *cluster) {
	l := &plannedLaunch{name: k.String(), cluster: k, inPlace: k.mayOverwrite,
		flops: float64(k.size * (len(k.members) + len(k.ends)))}
	for _, m := range k.members {
		if k.leaves(m) {
			l.writes = append(l.writes, c.newBuffer(m))
		}
		for _, o := range m.in {
			if s := fetchOf(o).source; s.cluster != k {
				l.reads = append(l.reads, s.buf)
			}
		}
	}
	l.bind = k.bind
	for _, v := range k.ends {
		if x := v.in[0]; x.cluster != k {
			l.reads = append(l.reads, x.buf)
		}
		l.writes = append(l.writes, c.newBuffer(v))
		if k.isByColumns() {
			v.partials = c.scratch(l, kernel.ColParts*v.size()*v.dtype().Size())
			l.bind = k.bindColumns
		}
	}
	c.launches = append(c.launches, l)
}

// schedule appends the launch that computes v, which is no member of a cluster.
func (c *compiler) schedule(v *value) {
	l := &plannedLaunch{name: v.String(), flops: flops(v)}
	for _, o := range v.in {
		l.reads = append(l.reads, o.buf)
	}
	l.writes = append(l.writes, c.newBuffer(v))
	switch v.op {
	case tensor.OpIota:
		l.bind = bindIota(v)
	case tensor.OpBroadcast, tensor.OpTranspose, tensor.OpSlice, tensor.OpReverse:
		l.bind = bindStrided(v, l)
	case tensor.OpPad:
		l.bind = bindPad(v)
	case tensor.OpConcat:
		l.bind = bindConcat(v)
	case tensor.OpDynamicSlice, tensor.OpDynamicUpdate:
		l.bind = bindDynamic(v)
	case tensor.OpReduceSum, tensor.OpReduceMax:
		l.bind = c.bindReduce(v, l)
	case tensor.OpArgMax:
		l.bind = bindArgMax(v)
	case tensor.OpCumSum:
		l.bind = bindCumSum(v)
	case tensor.OpMatMul:
		planMatMul(v, l)
	case tensor.OpConvY, tensor.OpConvX, tensor.OpConvW:
		c.planConv(v, l)
	case tensor.OpMaxPoolIndex:
		l.bind = bindMaxPoolIndex(v)
	case tensor.OpSumPool, tensor.OpSumUnpool:
		l.bind = bindSumPool(v)
	case tensor.OpGather:
		l.bind = bindGather(v)
	case tensor.OpScatterAdd:
		l.bind = bindScatterAdd(v)
	case tensor.OpRandomBits, tensor.OpRandomUniform, tensor.OpRandomNormal:
		l.bind = bindRandom(v)
	default:
		panic("cpu: no launch for " + v.op.String())
	}
	c.launches = append(c.launches, l)
}

// link places all memory and makes the launches runnable.
func (c *compiler) link(p *pool) *executable {
	c.donate()
	c.batches()
	e := &executable{inputs: map[string]*tensor.Array{}, outputs: map[string]*tensor.Array{}, firstInPlace: len(c.launches)}
	for i, l := range c.launches {
		for _, b := range l.writes {
			if b = b.place(); b.first < 0 {
				b.first = i
			}
			b.last = max(b.last, i)
		}
		for _, b := range l.reads {
			b = b.place()
			b.last = max(b.last, i)
		}
	}
	late := c.placeUpdates(e)
	for _, o := range c.prog.Outputs {
		if v := c.of[o.Value]; !v.isSource() {
			v.buf.place().last = len(c.launches) // it is read after the run
		}
	}
	if c.skip.Sharing {
		for _, b := range c.buffers {
			b.first, b.last = 0, len(c.launches)
		}
	}
	size := layOut(c.buffers)
	e.plan = c.describe(size)
	arena := alignedBytes(size)
	for _, b := range c.buffers {
		if at := b.place(); at.placed {
			b.mem = at.mem
		} else {
			b.mem = unsafeAdd(arena, at.offset)
		}
	}
	for _, n := range c.prog.Inputs {
		v := c.of[n]
		if v.buf == nil { // an input that nothing reads
			v.buf = c.sourceBuffer(v.value)
		}
		e.inputs[n.Name()] = v.buf.array(n.Shape())
	}
	for _, l := range c.launches {
		bind := l.bind
		if bind == nil {
			bind = l.each.alone
		}
		e.launches = append(e.launches, launch{l.name, bind(p), l.clock})
	}
	for _, o := range c.prog.Outputs {
		v := c.of[o.Value]
		out := v.buf.array(o.Value.Shape())
		if v.op == tensor.OpVariable { // its value before the updates
			src := out
			out = tensor.NewArray(o.Value.Shape())
			copyOut := out
			e.updates = append(e.updates, func() { copyOut.CopyFrom(src) })
		}
		e.outputs[o.Name] = out
	}
	e.updates = append(e.updates, late...)
	return e
}

// placeUpdates lets the launch that computes a variable's new value write it over the old one, where nobody needs the
// old one any more, and returns copies for the rest.
func (c *compiler) placeUpdates(e *executable) (copies []func()) {
	var second []func()
	for _, u := range c.prog.Updates {
		x, target := c.of[u.Value], c.of[u.Variable].buf
		if writer := c.canOverwrite(x.value, u); writer >= 0 {
			x.buf.placed, x.buf.mem = true, target.mem
			e.firstInPlace = min(e.firstInPlace, writer)
			continue
		}
		if x.isSource() { // it may itself be updated: keep its old value first
			kept := tensor.NewArray(u.Value.Shape())
			copies = append(copies, func() { kept.CopyFrom(x.buf.array(u.Value.Shape())) })
			second = append(second, func() { target.array(u.Value.Shape()).CopyFrom(kept) })
			continue
		}
		x.buf.last = len(c.launches)
		second = append(second, func() { target.array(u.Value.Shape()).CopyFrom(x.buf.array(u.Value.Shape())) })
	}
	return append(copies, second...)
}

// canOverwrite gives the launch that may write x directly into the variable's memory, or −1.
func (c *compiler) canOverwrite(x *value, u tensor.Update) int {
	variable := c.of[u.Variable].value
	if x.isSource() || x.buf.placed || c.skip.InPlace {
		return -1
	}
	for _, o := range c.prog.Outputs {
		if c.of[o.Value].value == variable {
			return -1
		}
	}
	for _, o := range c.prog.Updates { // another variable takes this one's old value
		if o.Variable != u.Variable && (c.of[o.Value].value == variable || c.of[o.Value].value == x) {
			return -1
		}
	}
	w := x.buf.first
	for i := w; i < len(c.launches); i++ {
		if !slices.Contains(c.launches[i].reads, variable.buf) {
			continue
		}
		if i > w || c.launches[i].inPlace == nil || !c.launches[i].inPlace(x, variable) {
			return -1
		}
	}
	return w
}

// mayOverwrite reports whether the cluster may write member x over the array that it also reads: all reads are element
// by element and none comes after x is written.
func (k *cluster) mayOverwrite(x, array *value) bool {
	written := false
	for _, m := range k.members {
		for _, o := range m.in {
			if f := fetchOf(o); f.source == array && (f.kind != whole || written) {
				return false
			}
		}
		written = written || m == x
	}
	return !slices.ContainsFunc(k.ends, func(e *value) bool { return e.in[0].value == array })
}

// flops is the arithmetic of a product, in additions and multiplications; of a reduction, its additions.
func flops(v *value) float64 {
	switch v.op {
	case tensor.OpMatMul:
		dims := v.in[0].dims
		k := dims[len(dims)-1]
		if v.attr.(tensor.MatMulSpec).TransA {
			k = dims[len(dims)-2]
		}
		return 2 * float64(v.size()) * float64(k)
	case tensor.OpConvY, tensor.OpConvX, tensor.OpConvW:
		g := v.attr.(tensor.ConvGeometry)
		n := 2 * float64(g.N*g.Groups*g.CI) * float64(g.CO)
		for _, a := range g.Axes {
			n *= float64(a.Out * a.Kernel)
		}
		return n
	case tensor.OpReduceSum, tensor.OpReduceMax:
		return float64(v.in[0].size())
	}
	return 0
}
