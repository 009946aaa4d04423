package cpu

import (
	"slices"

	"github.com/likely-ml/likely/tensor"
)

// cluster is a set of elementwise values over the same number of elements that are computed together, a tile at a time,
// so that what passes between them stays in the first-level cache.
type cluster struct {
	size    int
	members []*value
	reads   map[*value]bool // whole arrays of the same size that members read from memory
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
		default:
			for _, o := range v.in {
				c.close(o.cluster)
			}
			c.schedule(v)
		}
	}
	for len(c.open) > 0 {
		c.close(c.open[0])
	}
}

// maxMembers keeps a cluster's code and operands within the first-level cache.
const maxMembers = 48

// join puts v into the open clusters that produce or share its operands, merged into one; or into a new one.
func (c *compiler) join(v *value) {
	home := &cluster{size: v.size(), reads: map[*value]bool{}}
	var near []*cluster
	for _, o := range v.in {
		f := fetchOf(o)
		if k := f.source.cluster; k != nil && !k.closed {
			if f.kind == whole && k.size == home.size && len(k.members) < maxMembers {
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
			if k.reads[f.source] && k.size == home.size && len(k.members) < maxMembers {
				near = append(near, k)
			}
		}
	}
	for _, k := range near {
		if k.closed {
			continue // another operand's need closed it, or it is already merged
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
	c.open = append(c.open, home)
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
		if u.cluster != k {
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

// expand writes elements [from, from+len(dst)) of the iteration.
func expand[T any](f *fetch, dst, src []T, from int) {
	for r, at := from/f.inner, from%f.inner; len(dst) > 0; r, at = r+1, 0 {
		n := min(len(dst), f.inner-at)
		start, kept := f.run(r)
		if kept {
			copy(dst[:n], src[start+at:])
		} else {
			x := src[start]
			for i := range dst[:n] {
				dst[i] = x
			}
		}
		dst = dst[n:]
	}
}
