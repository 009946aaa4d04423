package cpu

import (
	"slices"
	"unsafe"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// tileSize is the most elements that a cluster computes at a time. At 1,024 a handful of float32 intermediates fit the
// first-level cache and the cost of calling a kernel, some 4 ns, is spread thin; 512 and 2,048 were slower.
const tileSize = 1024

// tileMemory is what a worker needs to run clusters: where each slot's elements of the current tile are. A slot is an
// operand or result in memory, or a register: a piece of the worker's own scratch.
type tileMemory struct {
	n       int // elements in this tile
	slots   []unsafe.Pointer
	scratch unsafe.Pointer
	size    int

	part  int  // of the sums down columns, which the tiles of a run add to
	fresh bool // this is the first of them
}

func (t *tileMemory) grow(slots, scratch int) {
	if len(t.slots) < slots {
		t.slots = make([]unsafe.Pointer, slots)
	}
	if t.size < scratch {
		t.scratch, t.size = alignedBytes(scratch), scratch
	}
}

// tile is a slot's elements in the current tile.
func tile[T any](t *tileMemory, slot int) []T { return unsafe.Slice((*T)(t.slots[slot]), t.n) }

// element is the value of a slot that holds one element for the whole iteration.
func element[T any](t *tileMemory, slot int) T { return *(*T)(t.slots[slot]) }

// instruction computes one value of a tile.
type instruction func(t *tileMemory)

// tileProgram is a compiled cluster.
type tileProgram struct {
	size, step int // elements in all, and in a tile
	code       []instruction
	moving     []movingSlot // slots in memory, that move on with each tile
	fixed      []fixedSlot
	patterns   []expansion // filled once for each run
	expansions []expansion // filled for each tile
	ends       []ending    // run after the code
	slots      int
	scratch    int
	cost       float64 // ns an element
}

// movingSlot is an array of elem bytes an element that a tile reads or writes where it lies; one with a period is a row
// that repeats.
type movingSlot struct {
	slot   int
	buf    *buffer
	elem   int
	period int
}

// fixedSlot is a register at an offset of scratch, or a single element in memory.
type fixedSlot struct {
	slot, offset int
	buf          *buffer
}

// expansion fills a slot with elements [from, from+n) of a broadcast.
type expansion func(t *tileMemory, from, n int)

// ending reduces a slot of the tile that begins at element at.
type ending func(t *tileMemory, at int)

// compileCluster writes the program. The buffers of all that enters and leaves must be known, but not yet placed. Runs begin
// at multiples of grain elements, or of tiles if it is 0, and do not go beyond multiples of span elements, if it is not 0.
func compileCluster(k *cluster, grain, span int) *tileProgram {
	p := &tileProgram{size: k.size, step: min(tileSize, max(k.size, 1))}
	slots := map[*value]int{}      // members and whole operands
	others := map[operandKey]int{} // single and broadcast operands
	var free [9][]int              // registers by element size
	fresh := func(d tensor.DType) int {
		s := p.slots
		p.slots++
		p.fixed = append(p.fixed, fixedSlot{slot: s, offset: p.scratch})
		p.scratch += tileSize * max(d.Size(), 4)
		return s
	}
	register := func(d tensor.DType) int {
		e := d.Size()
		if n := len(free[e]); n > 0 {
			s := free[e][n-1]
			free[e] = free[e][:n-1]
			return s
		}
		return fresh(d)
	}
	memory := func(v *value) int {
		s := p.slots
		p.slots++
		p.moving = append(p.moving, movingSlot{slot: s, buf: v.buf, elem: v.dtype().Size()})
		return s
	}
	last := map[*value]int{}
	for i, m := range k.members {
		for _, o := range m.in {
			last[o.value] = i
			if per := fetchOf(o).period(); per > 0 && per < k.size {
				p.step = stepOf(per)
			}
		}
	}
	switch {
	case k.isByColumns():
		p.step = tileSize / k.rows.inner * k.rows.inner
	case len(k.ends) > 0:
		p.step = tileSize / k.rows.extent * k.rows.extent
	}
	if grain == 0 {
		grain = p.step
	}
	for _, v := range k.ends {
		last[v.in[0].value] = len(k.members) // its register is not free before the tile's end
	}
	for i, m := range k.members {
		args := make([]arg, len(m.in))
		for j, o := range m.in {
			f := fetchOf(o)
			switch {
			case f.kind == whole:
				s, ok := slots[o.value]
				if !ok {
					s = memory(o.value)
					slots[o.value] = s
				}
				args[j] = arg{slot: s, dtype: o.dtype()}
			default:
				key := operandKey{o.value, f.kind}
				s, ok := others[key]
				if !ok {
					s = p.broadcast(f, grain, span, fresh)
					others[key] = s
				}
				args[j] = arg{slot: s, dtype: o.dtype(), single: f.kind == single}
			}
		}
		// A register whose last reader this is may hold the result: kernels allow it.
		for _, o := range m.in {
			if o.cluster == k && !k.leaves(o.value) && last[o.value] == i && fetchOf(o).kind == whole {
				if e := o.dtype().Size(); !slices.Contains(free[e], slots[o.value]) {
					free[e] = append(free[e], slots[o.value])
				}
			}
		}
		var dst int
		if k.leaves(m) {
			dst = memory(m)
		} else {
			dst = register(m.dtype())
		}
		slots[m] = dst
		code, cost := compileElementwise(m.op, m.dtype(), dst, args)
		p.code = append(p.code, code)
		p.cost += cost
	}
	for _, v := range k.ends {
		x := v.in[0].value
		if _, ok := slots[x]; !ok {
			slots[x] = memory(x)
		}
		p.ends = append(p.ends, compileEnd(v, k.rows, slots[x]))
		p.cost += costReduce
	}
	return p
}

// stepOf is a tile's size for rows of the given period: several whole rows; or an equal piece of a long row, if that is
// no small one.
func stepOf(period int) int {
	if period <= tileSize {
		return tileSize / period * period
	}
	for step := tileSize; step >= tileSize/2; step-- {
		if period%step == 0 {
			return step
		}
	}
	return tileSize
}

type operandKey struct {
	v    *value
	kind fetchKind
}

// broadcast makes a slot for an operand that is not read element by element.
func (p *tileProgram) broadcast(f fetch, grain, span int, fresh func(tensor.DType) int) int {
	if f.kind == single {
		s := p.slots
		p.slots++
		p.fixed = append(p.fixed, fixedSlot{slot: s, buf: f.source.buf})
		return s
	}
	period := f.period()
	if period > 0 && period%p.step == 0 && grain%p.step == 0 { // each tile lies within one row
		s := p.slots
		p.slots++
		p.moving = append(p.moving, movingSlot{s, f.source.buf, f.source.dtype().Size(), period})
		return s
	}
	// It is filled before the first instruction, which may not have used the register, and is never freed, so that an
	// expansion that fits every tile is made once.
	s := fresh(f.source.dtype())
	var x expansion
	switch f.source.dtype() {
	case tensor.Float32:
		x = expandFloat32(s, f)
	case tensor.Float64:
		x = expander[float64](s, f)
	case tensor.Bool:
		x = expander[bool](s, f)
	case tensor.Int32:
		x = expander[int32](s, f)
	case tensor.Uint32:
		x = expander[uint32](s, f)
	}
	if per := f.periodWithin(span); per > 0 && p.step%per == 0 && grain%per == 0 {
		p.patterns = append(p.patterns, x)
	} else {
		p.expansions = append(p.expansions, x)
	}
	return s
}

func expander[T any](slot int, f fetch) expansion {
	return func(t *tileMemory, from, n int) {
		expand(&f, unsafe.Slice((*T)(t.slots[slot]), n), slice[T](f.source.buf), from)
	}
}

// expandFloat32 is expander with a vector fill for long runs.
func expandFloat32(slot int, f fetch) expansion {
	plain := expander[float32](slot, f)
	if f.groups[len(f.groups)-1].kept || f.inner < 16 {
		return plain
	}
	fill := kernel.Float32().Fill
	return func(t *tileMemory, from, n int) {
		dst, src := unsafe.Slice((*float32)(t.slots[slot]), n), slice[float32](f.source.buf)
		for r, at := from/f.inner, from%f.inner; len(dst) > 0; r, at = r+1, 0 {
			m := min(len(dst), f.inner-at)
			start, _ := f.run(r)
			fill(dst[:m], src[start])
			dst = dst[m:]
		}
	}
}

// run computes elements [from, to), where from is a multiple of the grain it was compiled for.
func (p *tileProgram) run(t *tileMemory, from, to int) {
	t.grow(p.slots, p.scratch)
	for _, f := range p.fixed {
		if f.buf != nil {
			t.slots[f.slot] = f.buf.mem
		} else {
			t.slots[f.slot] = unsafe.Add(t.scratch, f.offset)
		}
	}
	for _, x := range p.patterns {
		x(t, from, min(p.step, to-from))
	}
	for at := from; at < to; at += p.step {
		t.n = min(p.step, to-at)
		for _, m := range p.moving {
			i := at
			if m.period > 0 {
				i %= m.period
			}
			t.slots[m.slot] = unsafe.Add(m.buf.mem, i*m.elem)
		}
		for _, x := range p.expansions {
			x(t, at, t.n)
		}
		for _, f := range p.code {
			f(t)
		}
		for _, f := range p.ends {
			f(t, at)
		}
		t.fresh = false
	}
}
