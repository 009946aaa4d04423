package tensor

// Gather takes rows by number: x [B, R, D] and index Int32 [B, Q] give [B, Q, D] with element (b, q, d) equal to
// x[b, index[b,q], d]. An index outside [0, R) gives zeros.
func Gather(x, index *Node) *Node {
	if x.DType() == Bool || x.shape.Rank() != 3 || index.DType() != Int32 || index.shape.Rank() != 2 || x.shape.Dims[0] != index.shape.Dims[0] {
		fail("gather: needs [B R D] and int32[B Q], got %v and %v", x.shape, index.shape)
	}
	return x.graph.add(OpGather, Shape{x.DType(), []int{x.shape.Dims[0], index.shape.Dims[1], x.shape.Dims[2]}}, nil, x, index)
}

// ScatterAdd is the transpose of [Gather]: y [B, Q, D] and index Int32 [B, Q] give [B, rows, D], in which row r is the
// sum of those y[b,q] whose index is r, added in the order of q. An index outside [0, rows) is dropped.
func ScatterAdd(y, index *Node, rows int) *Node {
	if y.DType() == Bool || y.shape.Rank() != 3 || index.DType() != Int32 || index.shape.Rank() != 2 || y.shape.Dims[0] != index.shape.Dims[0] || y.shape.Dims[1] != index.shape.Dims[1] || rows < 0 {
		fail("scatter_add: needs [B Q D] and int32[B Q], got %v and %v into %d rows", y.shape, index.shape, rows)
	}
	return y.graph.add(OpScatterAdd, Shape{y.DType(), []int{y.shape.Dims[0], rows, y.shape.Dims[2]}}, nil, y, index)
}

// Take looks up rows of a table [V, D] by index Int32 [Q]: an embedding.
func Take(table, index *Node) *Node {
	if table.shape.Rank() != 2 || index.shape.Rank() != 1 {
		fail("take: needs [V D] and int32[Q], got %v and %v", table.shape, index.shape)
	}
	v, d, q := table.shape.Dims[0], table.shape.Dims[1], index.shape.Dims[0]
	return Reshape(Gather(Reshape(table, 1, v, d), Reshape(index, 1, q)), q, d)
}

// TakeAlong picks elements of each row: x [B, R] and index Int32 [B, Q] give [B, Q].
func TakeAlong(x, index *Node) *Node {
	if x.shape.Rank() != 2 || index.shape.Rank() != 2 {
		fail("take_along: needs [B R] and int32[B Q], got %v and %v", x.shape, index.shape)
	}
	b, r, q := x.shape.Dims[0], x.shape.Dims[1], index.shape.Dims[1]
	return Reshape(Gather(Reshape(x, b, r, 1), index), b, q)
}

// OneHot is a row of zeros with a one at each index: Int32 [Q] gives [Q, classes]. An index outside the range gives
// zeros.
func OneHot(index *Node, d DType, classes int) *Node {
	g, q := index.graph, index.shape.Dims[0]
	columns := g.Iota(Shape{Int32, []int{q, classes}}, 1)
	return Convert(Equal(columns, Reshape(index, q, 1)), d)
}
