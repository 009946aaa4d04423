package cpu

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// perItem is a launch that works item by item, such as picture by picture: item i of what it writes depends on item i of
// what it reads, an item being one of `items` equal pieces of an array, and on all of the operands in whole.
//
// Neighbouring launches over the same items become one ([compiler.batches]): it takes a few items through all of them before
// it turns to the next few, so that what one writes is still in the second-level cache when the next one reads it.
type perItem struct {
	items int
	whole []*buffer
	least int  // fewer items at a time are slower; 0 for any
	parts bool // it needs the parts of [kernel.ColPart], one after the other in each
	bind  func(p *pool) itemRun
}

// itemRun is a launch per item, ready to run. begin and end, nil for nothing, come before and after all items.
type itemRun struct {
	cost  float64 // nanoseconds an item
	begin func()
	run   func(w *worker, from, to int)
	end   func()
}

// alone makes a launch per item runnable by itself.
func (b *perItem) alone(p *pool) func() {
	r := b.bind(p)
	_, size := p.chunks(b.items, r.cost)
	size = max(size, min(b.least, (b.items+p.threads-1)/p.threads))
	parts := (b.items + size - 1) / size
	compute := p.launch(parts, func(w *worker, from, to int) { r.run(w, from*size, min(to*size, b.items)) })
	if r.begin == nil && r.end == nil {
		return compute
	}
	return func() {
		if r.begin != nil {
			r.begin()
		}
		compute()
		if r.end != nil {
			r.end()
		}
	}
}

// batches merges neighbouring launches over the same items.
func (c *compiler) batches() {
	if c.skip.Batches {
		return
	}
	var merged []*plannedLaunch
	for i := 0; i < len(c.launches); {
		group, runs := c.batchFrom(i)
		if len(group) < 2 {
			merged = append(merged, c.launches[i])
			i++
			continue
		}
		merged = append(merged, mergeBatch(group, runs))
		i += len(group)
	}
	c.launches = merged
}

// batchFrom is the longest batch that begins with launch i.
func (c *compiler) batchFrom(i int) (group []*plannedLaunch, runs []*perItem) {
	items := 0
	for _, l := range c.launches[i:] { // clusters adapt to what follows
		if l.cluster == nil {
			if l.each != nil {
				items = l.each.items
			}
			break
		}
	}
	if items < 2 {
		return nil, nil
	}
	var written, needed, late []*buffer // item by item; in whole; sums that are there when all items are done
	for _, l := range c.launches[i:] {
		each := l.each
		if l.cluster != nil {
			each = l.cluster.perItem(items, c.updates)
		}
		if each == nil || each.items != items || meet(each.whole, written) || meet(l.writes, needed) || meet(l.reads, late) {
			break
		}
		group, runs = append(group, l), append(runs, each)
		written, needed = append(written, l.writes...), append(needed, each.whole...)
		if each.parts {
			for _, v := range l.cluster.ends {
				late = append(late, v.buf)
			}
		}
	}
	return group, runs
}

// meet reports whether two lists have memory in common.
func meet(a, b []*buffer) bool {
	return slices.ContainsFunc(a, func(x *buffer) bool {
		return slices.ContainsFunc(b, func(y *buffer) bool { return x.place() == y.place() })
	})
}

// batchMemory is how many bytes the launches of a batch may touch in one go: half of a second-level cache of 1 MB.
const batchMemory = 512 << 10

// mergeBatch makes one launch of several.
func mergeBatch(group []*plannedLaunch, each []*perItem) *plannedLaunch {
	items := each[0].items
	l := &plannedLaunch{batch: group, clock: &batchClock{spent: make([]atomic.Int64, len(group))}}
	touched, least, parts := map[*buffer]bool{}, 1, false
	for i, m := range group {
		l.flops += m.flops
		l.reads, l.writes = append(l.reads, m.reads...), append(l.writes, m.writes...)
		least, parts = max(least, each[i].least), parts || each[i].parts
		for _, b := range append(slices.Clone(m.reads), m.writes...) {
			touched[b] = !slices.Contains(each[i].whole, b)
		}
	}
	bytes := 0
	for b, perItem := range touched {
		if perItem {
			bytes += b.bytes / items
		}
	}
	size := min(max(least, batchMemory/max(bytes, 1)), items)
	l.name = fmt.Sprintf("%d of %d items at a time", size, items)
	l.bind = func(p *pool) func() {
		// As many parts as sums down columns have, so that their chains can be made on the way; else of `size` items, but
		// one for each thread.
		n := kernel.ColParts
		if !parts {
			n = min(items, max(items/size, p.threads))
		}
		return l.clock.runBatch(p, each, items, size, n)
	}
	return l
}

// runBatch makes a batch runnable: in that many parts, size items at a time go through all of its launches.
func (c *batchClock) runBatch(p *pool, each []*perItem, items, size, parts int) func() {
	runs := make([]itemRun, len(each))
	for i, b := range each {
		runs[i] = b.bind(p)
	}
	compute := p.eachPart(parts, func(w *worker, part int) {
		first, end := items*part/parts, items*(part+1)/parts
		for from := first; from < end; from += size {
			to := min(from+size, end)
			if c.on {
				c.run(runs, w, from, to)
				continue
			}
			for i := range runs {
				runs[i].run(w, from, to)
			}
		}
	})
	return func() {
		for i := range runs {
			if runs[i].begin != nil {
				runs[i].begin()
			}
		}
		compute()
		for i := range runs {
			if runs[i].end != nil {
				runs[i].end()
			}
		}
	}
}

// batchClock tells the launches of a batch apart when a program is profiled.
type batchClock struct {
	on    bool
	spent []atomic.Int64 // nanoseconds, of all threads
}

func (c *batchClock) start() {
	c.on = true
	for i := range c.spent {
		c.spent[i].Store(0)
	}
}

func (c *batchClock) run(runs []itemRun, w *worker, from, to int) {
	for i := range runs {
		start := time.Now()
		runs[i].run(w, from, to)
		c.spent[i].Add(int64(time.Since(start)))
	}
}

// perItem is the cluster as a launch over that many items, nil if it cannot be one: because an item is not a whole number
// of the rows that it reduces, or because the new value of a variable may be written over the old one, which other items
// may still need.
func (k *cluster) perItem(items int, updates map[*value]bool) *perItem {
	if k.size == 0 || k.size%items != 0 {
		return nil
	}
	b := &perItem{items: items}
	size := k.size / items
	for _, m := range append(slices.Clone(k.members), k.ends...) {
		if updates[m] {
			return nil
		}
		for _, o := range m.in {
			if f := fetchOf(o); f.source.buf != nil && !f.isPerItem(items) {
				b.whole = append(b.whole, f.source.buf)
			}
		}
	}
	r := k.rows
	switch {
	case !k.isByColumns():
		if len(k.ends) > 0 && size%r.extent != 0 {
			return nil
		}
		b.bind = func(p *pool) itemRun {
			prog := compileCluster(k, size, size)
			return itemRun{cost: prog.cost * float64(size), run: func(w *worker, from, to int) {
				for i := from; i < to; i++ {
					prog.run(&w.tile, i*size, (i+1)*size)
				}
			}}
		}
	case r.outer%items == 0: // each item has its own sums
		b.bind = func(p *pool) itemRun {
			matrices := r.outer / items
			prog := compileCluster(k, r.inner, r.extent*r.inner)
			return itemRun{cost: prog.cost * float64(size), run: func(w *worker, from, to int) {
				for o := from * matrices; o < to*matrices; o++ {
					k.sumMatrix(prog, w, o, 0, kernel.ColParts)
					k.joinParts(o)
				}
			}}
		}
	case r.outer == 1 && items%kernel.ColParts == 0 && r.extent%items == 0: // the items of a part add to one chain
		b.parts = true
		b.bind = func(p *pool) itemRun {
			prog := compileCluster(k, r.inner, size)
			each := items / kernel.ColParts
			return itemRun{cost: prog.cost * float64(size), end: func() { k.joinParts(0) }, run: func(w *worker, from, to int) {
				w.tile.part, w.tile.fresh = from/each, from%each == 0
				for i := from; i < to; i++ {
					prog.run(&w.tile, i*size, (i+1)*size)
				}
			}}
		}
	default:
		return nil
	}
	return b
}

// isPerItem reports whether elements of item i come from item i of the source alone.
func (f *fetch) isPerItem(items int) bool {
	switch f.kind {
	case whole:
		return true
	case single:
		return false
	}
	return f.groups[0].kept && f.groups[0].extent%items == 0
}

// stridedPerItem makes a copy along affine indices a launch per item, if both sides have the outermost axis.
func (l *plannedLaunch) stridedPerItem(w strided, elem int, dst, src *buffer) {
	if len(w.dims) < 2 || w.dims[0] < 2 || w.dst[0]*w.dims[0]*elem != dst.bytes || w.src[0]*w.dims[0]*elem != src.bytes {
		return
	}
	inner := strided{dims: w.dims[1:], dst: w.dst[1:], src: w.src[1:]}
	size := tensor.ShapeOf(tensor.Float32, inner.dims...).Size()
	inner = inner.simplify()
	l.each = &perItem{items: w.dims[0], bind: func(*pool) itemRun {
		return itemRun{cost: 0.5 * float64(size), run: func(_ *worker, from, to int) {
			at := inner
			for i := from; i < to; i++ {
				at.dstStart, at.srcStart = w.dstStart+i*w.dst[0], w.srcStart+i*w.src[0]
				moveBytes(at, elem, dst, src)
			}
		}}
	}}
}
