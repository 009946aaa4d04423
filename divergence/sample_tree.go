package divergence

import (
	"context"
	"math"
)

// tree is a k-d tree (Friedman, Bentley and Finkel, An algorithm for finding best matches in logarithmic expected time, 1977):
// each node cuts its points at the median of the dimension in which they are widest. Points lie in the order of the leaves.
type tree struct {
	points Points
	index  []int32 // of each point in the sample
	nodes  []node  // the children of nodes[i] are i+1 and nodes[i].right
}

type node struct {
	lo, hi    int // points
	dimension int // -1 for a leaf
	cut       float32
	right     int
}

// leafPoints are compared one by one.
const leafPoints = 12

func newTree(p Points) *tree {
	t := &tree{index: make([]int32, p.Len())}
	for i := range t.index {
		t.index[i] = int32(i)
	}
	t.split(p, 0, p.Len())
	t.points = Points{p.D, make([]float32, len(p.X))}
	for i, at := range t.index {
		copy(t.points.Row(i), p.Row(int(at)))
	}
	return t
}

// split makes the node of index[lo:hi] and what is below.
func (t *tree) split(p Points, lo, hi int) {
	at := len(t.nodes)
	t.nodes = append(t.nodes, node{lo: lo, hi: hi, dimension: -1})
	if hi-lo <= leafPoints {
		return
	}
	dimension, width := -1, float32(0)
	for j := range p.D {
		least, most := float32(math.Inf(1)), float32(math.Inf(-1))
		for _, i := range t.index[lo:hi] {
			v := p.X[int(i)*p.D+j]
			least, most = min(least, v), max(most, v)
		}
		if most-least > width {
			dimension, width = j, most-least
		}
	}
	if dimension < 0 { // all points coincide
		return
	}
	value := func(i int32) float32 { return p.X[int(i)*p.D+dimension] }
	middle := (lo + hi) / 2
	selectNth(t.index[lo:hi], middle-lo, value)
	t.nodes[at].dimension, t.nodes[at].cut = dimension, value(t.index[middle])
	t.split(p, lo, middle)
	t.nodes[at].right = len(t.nodes)
	t.split(p, middle, hi)
}

// selectNth reorders v so that what is before n is at most, and what is after it at least, v[n] by its value (Hoare, Find, 1961).
func selectNth(v []int32, n int, value func(int32) float32) {
	for len(v) > 1 {
		a, b, c := value(v[0]), value(v[len(v)/2]), value(v[len(v)-1])
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := 0, len(v)-1
		for i <= j {
			for value(v[i]) < pivot {
				i++
			}
			for value(v[j]) > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case n <= j:
			v = v[:j+1]
		case n >= i:
			v, n = v[i:], n-i
		default:
			return
		}
	}
}

func treeSearch(ctx context.Context, query, base Points, k int, same bool) (nearest, error) {
	t := newTree(base)
	out := newNearest(query.Len(), k)
	// Queries that are near each other go through the same nodes.
	order := t.index
	if !same {
		order = newTree(query).index
	}
	const part = 256
	err := eachPart(ctx, (len(order)+part-1)/part, func(_, i int) {
		w := walk{tree: t, offset: make([]float64, query.D)}
		for _, q := range order[i*part : min((i+1)*part, len(order))] {
			w.query, w.list, w.except = query.Row(int(q)), out.begin(int(q)), -1
			if same {
				w.except = q
			}
			w.visit(0, 0)
		}
	})
	return out, err
}

// walk is a search for the nearest points to a query.
type walk struct {
	*tree
	query  []float32
	except int32
	list   candidates
	offset []float64 // in each dimension, from the query to the box of the node at hand
}

// visit looks through node i, whose box is at the squared distance box from the query (Arya and Mount, Algorithms for fast vector
// quantization, 1993: a step into the farther child changes one term of it).
func (w *walk) visit(i int, box float64) {
	n := &w.nodes[i]
	if n.dimension < 0 {
		for j := n.lo; j < n.hi; j++ {
			if w.index[j] != w.except {
				w.list.offer(squaredDistance(w.query, w.points.Row(j)), w.index[j])
			}
		}
		return
	}
	near, far := i+1, n.right
	gap := float64(w.query[n.dimension]) - float64(n.cut)
	if gap >= 0 {
		near, far = far, near
	}
	w.visit(near, box)
	before := w.offset[n.dimension]
	// Rounding of the sum must not cut off a box that holds an equally near point.
	if farther := box - before*before + gap*gap; farther*(1-1e-12) <= w.list.worst() {
		w.offset[n.dimension] = gap
		w.visit(far, farther)
		w.offset[n.dimension] = before
	}
}
