package kernel

// micro computes one tile of a product from a packed panel of A and rows of B:
//
//	C[i,j] = Σ_p a[p*rows+i]·b[p*ldb+j]   (+ C[i,j] if add != 0)
//
// for its own number of rows and for all but its last vector of columns, of which cols are computed. Each element is
// one chain of fused multiply-adds from zero in order of p. Whole vectors of b are read.
type micro[T float] func(k int, a, b *T, ldb int, c *T, ldc, cols, add int)

// kernels are the routines of one level and precision that the matrix product is made of.
type kernels[T float] struct {
	rows   int // of the largest tile
	cols   int // of a wide tile
	vector int // columns of the last vector, the only one that may be partial

	wide   []micro[T] // by number of rows, tiles of cols columns
	narrow []micro[T] // the same with one vector of columns; nil if there are none

	strip     micro[T] // one row of stripCols columns; nil if there is none
	stripCols int

	direct, directNarrow []directFunc[T] // wide and narrow tiles by number of rows; nil if there are none

	dots dotsFunc[T] // two vectors of columns of a transposed matrix; nil if there is none
	turn turnFunc[T] // nil if there is none

	transpose transposeFunc[T]
	gather    gatherFunc[T]
	exact     gatherFunc[T] // gather that touches nothing else
	copyRows  copyFunc[T]
	addRows   copyFunc[T]
}

// transposeFunc packs up to 16 rows of src as columns:
//
//	dst[k*stride+i] = src[rows[i]+k]   for i < used, k < n
//
// It may write anything to the elements of dst from column used up to column 16 that a later row does not overwrite,
// so dst has 16 elements to spare. All 16 offsets must be valid. Each row is prefetched ahead elements further on.
type transposeFunc[T float] func(dst []T, stride int, src []T, rows *[16]int, used, n, ahead int)

// gatherFunc packs rows from anywhere: dst[k*stride+j] = src[offs[k]+j] for j < cols <= 16. Like transposeFunc it may
// write up to column 16.
type gatherFunc[T float] func(dst []T, stride int, src []T, offs []int, cols int)

// copyFunc packs rows at equal distance: dst[k*stride+j] = src[k*ld+j] for k < n, j < cols, with n and cols at least 1.
// Elements of dst from column cols to the next multiple of 16 are undefined; dst has 16 elements to spare. The adding
// form has += for =, and touches nothing else.
type copyFunc[T float] func(dst []T, stride int, src []T, ld, n, cols int)

// directFunc is micro with the rows of A where they are, lda apart, and a packed panel of B. For every four terms two cache lines are
// prefetched, from next on, skip elements apart; next may point anywhere.
type directFunc[T float] func(k int, a *T, lda int, b, c *T, ldc, cols, add int, next *T, skip int)

// dotsFunc multiplies one row with columns that lie as rows in b:
//
//	c[j] = Σ_p a[p]·b[rows[j]+p]   (+ c[j] if add != 0)   for j < cols
//
// each one chain of fused multiply-adds from zero in order of p. There are two vectors of rows, all of which are read.
type dotsFunc[T float] func(k int, a, b *T, rows *int, c *T, cols, add int)

// turnFunc stores a transposed tile:
//
//	dst[k*stride+i] = src[i*ld+k]   (+ dst[k*stride+i] if add != 0)   for i < used, k < n
//
// It touches nothing else of dst. n is a multiple of a vector, used at most one, and src has a vector of rows.
type turnFunc[T float] func(dst *T, stride int, src *T, ld, used, n, add int)

// tile runs the micro-kernel for rows x cols, cols at most ks.cols. Rows of b must hold a whole tile.
func (ks *kernels[T]) tile(rows, cols, k int, a, b []T, ldb int, c []T, ldc, add int) {
	if cols <= ks.vector && ks.narrow != nil {
		ks.narrow[rows](k, &a[0], &b[0], ldb, &c[0], ldc, cols, add)
		return
	}
	ks.wide[rows](k, &a[0], &b[0], ldb, &c[0], ldc, cols-(ks.cols-ks.vector), add)
}

// panelCols returns the columns that a packed panel of B with cols columns has.
func (ks *kernels[T]) panelCols(cols int) int {
	if cols <= ks.vector && ks.narrow != nil {
		return ks.vector
	}
	return ks.cols
}

// kernelsOf are the routines of the active level.
func kernelsOf[T float]() *kernels[T] {
	if ks, ok := any(kernels32()).(*kernels[T]); ok {
		return ks
	}
	return any(kernels64()).(*kernels[T])
}
