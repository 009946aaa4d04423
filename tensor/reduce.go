package tensor

import "slices"

// Sum adds the elements along axes, all axes if none are given, and drops these axes. Attr: the axes in ascending order, an
// []int.
func Sum(x *Node, axes ...int) *Node { return reduce(OpReduceSum, x, axes) }

// ReduceMax is the greatest element along axes, all if none are given, and drops these axes; NaN if there is one. Where
// several are greatest they share the gradient. Attr: as for [Sum].
func ReduceMax(x *Node, axes ...int) *Node { return reduce(OpReduceMax, x, axes) }

func reduce(op Op, x *Node, axes []int) *Node {
	if x.DType() == Bool {
		fail("%s: needs numbers, got %v", op, x.shape)
	}
	if len(axes) == 0 {
		axes = make([]int, x.shape.Rank())
		for i := range axes {
			axes[i] = i
		}
	}
	checkAxes(op.String(), x, axes)
	axes = slices.Clone(axes)
	slices.Sort(axes)
	if len(axes) == 0 {
		return x
	}
	dims := []int{}
	for i, e := range x.shape.Dims {
		if !slices.Contains(axes, i) {
			dims = append(dims, e)
		} else if op == OpReduceMax && e == 0 {
			fail("reduce_max: no elements along axis %d of %v", i, x.shape)
		}
	}
	return x.graph.add(op, Shape{x.DType(), dims}, axes, x)
}

// keepDims gives y, a reduction of x along axes, the rank of x back: reduced axes get extent 1.
func keepDims(y, x *Node, axes []int) *Node {
	dims := slices.Clone(x.shape.Dims)
	for _, a := range axes {
		dims[a] = 1
	}
	return Reshape(y, dims...)
}

// SumKeep is [Sum] with the axes kept at extent 1.
func SumKeep(x *Node, axes ...int) *Node { return keepDims(Sum(x, axes...), x, axes) }

// MaxKeep is [ReduceMax] with the axes kept at extent 1.
func MaxKeep(x *Node, axes ...int) *Node { return keepDims(ReduceMax(x, axes...), x, axes) }

// Mean is the average along axes, all if none are given.
func Mean(x *Node, axes ...int) *Node {
	s := Sum(x, axes...)
	return MulScalar(s, float64(s.shape.Size())/float64(max(x.shape.Size(), 1)))
}

// ArgMax is the index of the greatest element along an axis, the first of equals, as Int32; a NaN counts as greatest.
// Attr: the axis, an int.
func ArgMax(x *Node, axis int) *Node {
	checkAxes("arg_max", x, []int{axis})
	if x.shape.Dims[axis] == 0 {
		fail("arg_max: no elements along axis %d of %v", axis, x.shape)
	}
	return x.graph.add(OpArgMax, Shape{Int32, slices.Delete(slices.Clone(x.shape.Dims), axis, axis+1)}, axis, x)
}

// CumSumSpec says along which axis [CumSum] adds, and whether from the end.
type CumSumSpec struct {
	Axis    int
	Reverse bool
}

// CumSum is the running sum along an axis, each element included; with reverse it runs from the end. Attr: a CumSumSpec.
func CumSum(x *Node, axis int, reverse bool) *Node {
	checkAxes("cumsum", x, []int{axis})
	if x.DType() == Bool {
		fail("cumsum: needs numbers, got %v", x.shape)
	}
	return x.graph.add(OpCumSum, x.shape, CumSumSpec{axis, reverse}, x)
}

// LogSumExp is log Σ exp(x) along the last axis, which stays with extent 1.
func LogSumExp(x *Node) *Node {
	last := x.shape.Rank() - 1
	top := StopGradient(MaxKeep(x, last))
	return Add(Log(SumKeep(Exp(Sub(x, top)), last)), top)
}

// LogSoftmax is x − [LogSumExp](x): log-probabilities over the last axis.
func LogSoftmax(x *Node) *Node { return Sub(x, LogSumExp(x)) }
