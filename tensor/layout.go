package tensor

import "slices"

// BroadcastTo repeats x to the given extents: shapes are aligned at the last axis, and an axis of extent 1 (or none)
// repeats. The op itself is between equal ranks.
func BroadcastTo(x *Node, dims ...int) *Node {
	if slices.Equal(x.shape.Dims, dims) {
		return x
	}
	lead := len(dims) - x.shape.Rank()
	if lead < 0 {
		fail("broadcast: %v has more axes than %v", x.shape, dims)
	}
	from := append(slices.Repeat([]int{1}, lead), x.shape.Dims...)
	for i, e := range from {
		if e != dims[i] && e != 1 {
			fail("broadcast: %v does not repeat to %v", x.shape, dims)
		}
	}
	x = Reshape(x, from...)
	if slices.Equal(from, dims) {
		return x
	}
	return x.graph.add(OpBroadcast, checked("broadcast", x.DType(), dims), nil, x)
}

// Reshape keeps the elements in row-major order and changes the extents. One extent may be −1: whatever is left.
func Reshape(x *Node, dims ...int) *Node {
	dims = slices.Clone(dims)
	if i := slices.Index(dims, -1); i >= 0 {
		rest := 1
		for j, e := range dims {
			if j != i {
				rest *= e
			}
		}
		if rest > 0 {
			dims[i] = x.shape.Size() / rest
		}
	}
	s := checked("reshape", x.DType(), dims)
	if s.Size() != x.shape.Size() {
		fail("reshape: %v has %d elements, %v has %d", x.shape, x.shape.Size(), dims, s.Size())
	}
	if slices.Equal(dims, x.shape.Dims) {
		return x
	}
	return x.graph.add(OpReshape, s, nil, x)
}

// Transpose permutes the axes: axis i of the result is axis perm[i] of x. Attr: perm, an []int.
func Transpose(x *Node, perm ...int) *Node {
	sorted := slices.Clone(perm)
	slices.Sort(sorted)
	dims := make([]int, len(perm))
	for i, p := range sorted {
		if p != i || len(perm) != x.shape.Rank() {
			fail("transpose: %v is not a permutation of the axes of %v", perm, x.shape)
		}
	}
	for i, p := range perm {
		dims[i] = x.shape.Dims[p]
	}
	if slices.IsSorted(perm) {
		return x
	}
	return x.graph.add(OpTranspose, Shape{x.DType(), dims}, slices.Clone(perm), x)
}

// SliceSpec says which elements of each axis [Slice] keeps: Start, Start+Stride, … below Limit.
type SliceSpec struct{ Start, Limit, Stride []int }

// Slice keeps the elements start, start+stride, … below limit of each axis. Attr: a SliceSpec.
func Slice(x *Node, start, limit, stride []int) *Node {
	r := x.shape.Rank()
	if len(start) != r || len(limit) != r || len(stride) != r {
		fail("slice: %v needs %d bounds, got %v %v %v", x.shape, r, start, limit, stride)
	}
	dims := make([]int, r)
	for i := range dims {
		if start[i] < 0 || limit[i] < start[i] || limit[i] > x.shape.Dims[i] || stride[i] < 1 {
			fail("slice: [%d:%d:%d] of axis %d does not fit %v", start[i], limit[i], stride[i], i, x.shape)
		}
		dims[i] = (limit[i] - start[i] + stride[i] - 1) / stride[i]
	}
	return x.graph.add(OpSlice, Shape{x.DType(), dims}, SliceSpec{slices.Clone(start), slices.Clone(limit), slices.Clone(stride)}, x)
}

// SliceAxis keeps [start, limit) of one axis.
func SliceAxis(x *Node, axis, start, limit int) *Node {
	r := x.shape.Rank()
	if axis < 0 || axis >= r {
		fail("slice: no axis %d in %v", axis, x.shape)
	}
	s, l, t := make([]int, r), slices.Clone(x.shape.Dims), slices.Repeat([]int{1}, r)
	s[axis], l[axis] = start, limit
	return Slice(x, s, l, t)
}

// DynamicSlice is the window of the given extents that begins at start, an Int32 vector with an element for each axis.
// Start is clamped so that the window lies inside x.
func DynamicSlice(x, start *Node, sizes ...int) *Node {
	checkDynamic("dynamic_slice", x, start, sizes)
	return x.graph.add(OpDynamicSlice, checked("dynamic_slice", x.DType(), sizes), nil, x, start)
}

// DynamicUpdate is x with the window that begins at start replaced by u; start is clamped as in [DynamicSlice].
func DynamicUpdate(x, u, start *Node) *Node {
	if x.DType() != u.DType() {
		fail("dynamic_update: %v into %v", u.shape, x.shape)
	}
	checkDynamic("dynamic_update", x, start, u.shape.Dims)
	return x.graph.add(OpDynamicUpdate, x.shape, nil, x, u, start)
}

func checkDynamic(what string, x, start *Node, sizes []int) {
	r := x.shape.Rank()
	if !start.shape.Equal(Shape{Int32, []int{r}}) || len(sizes) != r {
		fail("%s: %v needs %d sizes and start int32[%d], got %v and %v", what, x.shape, r, r, sizes, start.shape)
	}
	for i, e := range sizes {
		if e > x.shape.Dims[i] {
			fail("%s: a window %v does not fit %v", what, sizes, x.shape)
		}
	}
}

// PadSpec says how many elements [Pad] puts before, after and between the elements of each axis, and which.
type PadSpec struct {
	Low, High, Interior []int
	Value               float64
}

// Pad surrounds x by value: low before, high after and interior between neighbours of each axis. A negative low or high
// removes elements. Attr: a PadSpec.
func Pad(x *Node, value float64, low, high, interior []int) *Node {
	r := x.shape.Rank()
	if len(low) != r || len(high) != r || len(interior) != r {
		fail("pad: %v needs %d widths, got %v %v %v", x.shape, r, low, high, interior)
	}
	dims := make([]int, r)
	for i := range dims {
		e := x.shape.Dims[i]
		dims[i] = low[i] + high[i] + e + max(e-1, 0)*interior[i]
		if dims[i] < 0 || interior[i] < 0 {
			fail("pad: axis %d of %v by %d, %d, %d", i, x.shape, low[i], high[i], interior[i])
		}
	}
	return x.graph.add(OpPad, Shape{x.DType(), dims}, PadSpec{slices.Clone(low), slices.Clone(high), slices.Clone(interior), value}, x)
}

// Concat joins arrays along an axis; their other extents agree. Attr: the axis, an int.
func Concat(axis int, xs ...*Node) *Node {
	if len(xs) == 0 {
		fail("concat: nothing to join")
	}
	if axis < 0 || axis >= xs[0].shape.Rank() {
		fail("concat: no axis %d in %v", axis, xs[0].shape)
	}
	dims := slices.Clone(xs[0].shape.Dims)
	for _, x := range xs[1:] {
		ok := x.DType() == xs[0].DType() && x.shape.Rank() == len(dims)
		for i := 0; ok && i < len(dims); i++ {
			ok = i == axis || x.shape.Dims[i] == dims[i]
		}
		if !ok {
			fail("concat: %v does not join %v along axis %d", x.shape, xs[0].shape, axis)
		}
		dims[axis] += x.shape.Dims[axis]
	}
	if len(xs) == 1 {
		return xs[0]
	}
	return xs[0].graph.add(OpConcat, Shape{xs[0].DType(), dims}, axis, slices.Clone(xs)...)
}

// Reverse turns the order of the elements along axes. Attr: axes, an []int.
func Reverse(x *Node, axes ...int) *Node {
	checkAxes("reverse", x, axes)
	return x.graph.add(OpReverse, x.shape, slices.Clone(axes), x)
}

func checkAxes(what string, x *Node, axes []int) {
	for i, a := range axes {
		if a < 0 || a >= x.shape.Rank() || slices.Contains(axes[:i], a) {
			fail("%s: axes %v of %v", what, axes, x.shape)
		}
	}
}
