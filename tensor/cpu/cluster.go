package cpu

import (
	"fmt"
	"slices"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// cluster is a set of elementwise values over the same number of elements that are computed together, a tile at a time,
// so that what passes between them stays in the first-level cache.
//
// It may end in reductions of its members, which take each tile before it is overwritten. They are reductions of the same
// axis of [outer, extent, inner]: along rows (inner = 1), or down columns.
type cluster struct {
	size    int
	members []*value
	reads   map[*value]bool // whole arrays of the same size that members read from memory
	ends    []*value        // the reductions
	rows    reduction       // their shape
	closed  bool
}

// plan orders the work. Elementwise values gather in open clusters, which do not depend on one another; a cluster is
// closed, and its launch scheduled, as soon as something outside wants one of its values.
func (c *compiler) plan() {
	for _, v := range c.order {
		switch {
		case v.isSource():
			if v.buf == nil {
				v.buf = c.sourceBuffer(v)
			}
		case v.op.IsElementwise():
			c.join(v)
		case v.op == tensor.OpBroadcast && !v.inMemory:
			// Clusters read its operand.
		case c.joinEnd(v):
		case v.composite != nil:
			if v.buf == nil { // no other result has had it scheduled
				c.need(v.in)
				c.scheduleComposite(v.composite)
			}
		default:
			c.need(v.in)
			c.schedule(v)
		}
	}
	for len(c.open) > 0 {
		c.close(c.open[0])
	}
}

// need closes the clusters that compute these operands.
func (c *compiler) need(operands []operand) {
	for _, o := range operands {
		c.close(o.cluster)
		c.close(o.end)
	}
}

// joinEnd makes the reduction v an end of the open cluster that computes its operand, if there is one and v's tiles are
// like those of its other ends. Sums down the columns of what lies in memory are the end of a cluster that does nothing
// else: it may be joined by others that read the same, and by a batch.
func (c *compiler) joinEnd(v *value) bool {
	if v.op != tensor.OpReduceSum && v.op != tensor.OpReduceMax || v.dtype() != tensor.Float32 || c.skip.Ends {
		return false
	}
	x := v.in[0]
	steps := reductions(x.dims, v.attr.([]int))
	if len(steps) != 1 || !steps[0].fitsTiles() {
		return false
	}
	r, k := steps[0], x.cluster
	if k == nil || k.closed {
		if r.inner == 1 || x.op == tensor.OpBroadcast {
			return false
		}
		c.close(x.end)
		if k = c.readerOf(x.value, r); k == nil {
			k = &cluster{size: x.size(), reads: map[*value]bool{x.value: true}}
			c.open = append(c.open, k)
		}
	}
	if len(k.ends) > 0 && k.rows != r {
		return false
	}
	k.ends, k.rows = append(k.ends, v), r
	v.end = k
	return true
}

// readerOf is an open cluster that reads x anyway and may end in such a reduction; nil if there is none.
func (c *compiler) readerOf(x *value, r reduction) *cluster {
	for _, k := range c.open {
		if k.reads[x] && k.size == x.size() && (len(k.ends) == 0 || k.rows == r) {
			return k
		}
	}
	return nil
}

// fitsTiles reports whether a tile can hold whole rows, and the parts of ColSum are worth a tile each.
func (r reduction) fitsTiles() bool {
	if r.inner == 1 {
		return r.extent > 0 && r.extent <= tileSize
	}
	return r.inner <= tileSize/2 && r.extent/kernel.ColParts*r.inner >= tileSize/4
}

// isByColumns reports whether the cluster ends in sums down columns.
func (k *cluster) isByColumns() bool { return len(k.ends) > 0 && k.rows.inner > 1 }

func (k *cluster) String() string {
	s := fmt.Sprintf("cluster of %d over %d", len(k.members), k.size)
	for _, e := range k.ends {
		s += fmt.Sprintf(", %v", e.op)
	}
	return s
}

// maxMembers keeps a cluster's code and operands within the first-level cache.
const maxMembers = 48

// join puts v into the open clusters that produce or share its operands, merged into one; or into a new one.
func (c *compiler) join(v *value) {
	home := &cluster{size: v.size(), reads: map[*value]bool{}}
	var near []*cluster
	for _, o := range v.in {
		f := fetchOf(o)
		c.close(f.source.end)
		if k := f.source.cluster; k != nil && !k.closed {
			if f.kind == whole && c.mayJoin(home, k) {
				near = append(near, k)
			} else {
				c.close(k)
			}
		}
	}
	for _, o := range v.in {
		f := fetchOf(o)
		if f.kind != whole || f.source.cluster != nil && !f.source.cluster.closed {
			continue
		}
		home.reads[f.source] = true
		for _, k := range c.open {
			if k.reads[f.source] && c.mayJoin(home, k) {
				near = append(near, k)
			}
		}
	}
	for _, k := range near {
		if k.closed {
			continue // another operand's need closed it, or it is already merged
		}
		if len(k.ends) > 0 {
			if len(home.ends) > 0 && home.rows != k.rows {
				c.close(k)
				continue
			}
			home.ends, home.rows = append(home.ends, k.ends...), k.rows
		}
		k.closed = true
		home.members = append(home.members, k.members...)
		for r := range k.reads {
			home.reads[r] = true
		}
		c.open = slices.DeleteFunc(c.open, func(o *cluster) bool { return o == k })
	}
	home.members = append(home.members, v)
	for _, m := range home.members {
		m.cluster = home
	}
	for _, e := range home.ends {
		e.end = home
	}
	c.open = append(c.open, home)
}

// mayJoin reports whether the members of k may be computed along with those of home.
func (c *compiler) mayJoin(home, k *cluster) bool {
	return k.size == home.size && len(k.members) < maxMembers && !c.skip.Clusters
}

// close schedules the cluster's launch, if that has not been done.
func (c *compiler) close(k *cluster) {
	if k == nil || k.closed {
		return
	}
	k.closed = true
	c.open = slices.DeleteFunc(c.open, func(o *cluster) bool { return o == k })
	slices.SortFunc(k.members, func(a, b *value) int { return a.id - b.id })
	c.scheduleCluster(k)
}

// leaves reports whether a member's value is needed outside the cluster.
func (k *cluster) leaves(v *value) bool {
	if v.inMemory {
		return true
	}
	for _, u := range v.consumers {
		if u.cluster != k && u.end != k {
			return true
		}
	}
	return false
}

// fetch says how a cluster reads an operand: element i of the iteration comes from which element of source.
type fetch struct {
	source *value
	kind   fetchKind
	groups []group // neighbouring axes of the iteration that are all kept or all repeated, outermost first
	inner  int     // extent of the innermost group
}

type fetchKind uint8

const (
	whole  fetchKind = iota // element i
	single                  // always element 0
	runs                    // a broadcast in between
)

// group is an extent of the iteration along which the source advances (kept) or stays.
type group struct {
	extent int
	kept   bool
}

func fetchOf(o operand) fetch {
	if o.op != tensor.OpBroadcast {
		return fetch{source: o.value, kind: whole}
	}
	from := o.in[0]
	f := fetch{source: from.value, kind: runs}
	if from.size() == 1 {
		f.kind = single
		return f
	}
	for i, e := range o.shape.Dims {
		if e == 1 {
			continue
		}
		kept := from.dims[i] == e
		if n := len(f.groups); n > 0 && f.groups[n-1].kept == kept {
			f.groups[n-1].extent *= e
		} else {
			f.groups = append(f.groups, group{e, kept})
		}
	}
	f.inner = f.groups[len(f.groups)-1].extent
	return f
}

// run tells which source elements belong to the run (of f.inner elements) number r: it begins at start, and moves on
// if kept.
func (f fetch) run(r int) (start int, kept bool) {
	n := len(f.groups)
	kept = f.groups[n-1].kept
	stride := 1
	if kept {
		stride = f.inner
	}
	for i := n - 2; i >= 0; i-- {
		g := f.groups[i]
		if g.kept {
			start += r % g.extent * stride
			stride *= g.extent
		}
		r /= g.extent
	}
	return start, kept
}

// period is the number of elements after which a repeating row repeats; 0 if it is not one.
func (f fetch) period() int {
	if n := len(f.groups); f.kind == runs && n <= 2 && f.groups[n-1].kept {
		return f.inner
	}
	return 0
}

// periodWithin is the number of elements after which a row repeats as long as no multiple of span elements is passed, or
// ever if span is 0; 0 if it is not one.
func (f fetch) periodWithin(span int) int {
	if n := len(f.groups); span > 0 && f.kind == runs && n == 3 && f.groups[2].kept && f.groups[1].extent*f.inner%span == 0 {
		return f.inner
	}
	return f.period()
}

// expand writes elements [from, from+len(dst)) of the iteration.
func expand[T any](f *fetch, dst, src []T, from int) {
	repeats := 1 // how often a run that is kept comes in a row
	if n := len(f.groups); n > 1 && f.groups[n-1].kept {
		repeats = f.groups[n-2].extent
	}
	for r, at := from/f.inner, from%f.inner; len(dst) > 0; at = 0 {
		start, kept := f.run(r)
		n := min(len(dst), f.inner-at)
		r++
		switch {
		case !kept:
			x := src[start]
			for i := range dst[:n] {
				dst[i] = x
			}
		case at > 0 || n < f.inner:
			copy(dst[:n], src[start+at:])
		default: // the whole run, and the same again by doubling
			more := repeats - 1 - (r-1)%repeats
			n = min(len(dst), n*(1+more))
			for done := copy(dst[:f.inner], src[start:]); done < n; done *= 2 {
				copy(dst[done:n], dst[:done])
			}
			r += (n - 1) / f.inner
		}
		dst = dst[n:]
	}
}
