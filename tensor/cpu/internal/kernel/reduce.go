package kernel

import (
	"math"
	"unsafe"
)

// The order of every reduction is fixed by its shape alone, so that a result does not depend on the instruction set or
// on how callers share the work among threads.
//
// Along rows (Float32Table.RowSum, RowMax; x is (rows, cols), contiguous; dst has one element a row): lane l of 16
// starts at the neutral element (0, or -Inf) and takes x[l], x[l+16], x[l+32], … in this order; then the lanes are
// joined by the tree l with l+8, then l+4, l+2, l+1. A row may not be split, rows may.
//
// Down columns (ColSum, ColMax): the rows are cut into 8 parts, of which part i is [rows·i/8, rows·(i+1)/8); within a
// part each column is one chain from the neutral element, in order of the rows; then the parts are joined by the tree
// ((0,1),(2,3)),((4,5),(6,7)). Columns may be split, rows may not.
//
// Maxima join by Float32Table.Max with the later value first: a NaN anywhere gives NaN, and of equal values, such as the
// two zeros, the earlier stays.

const (
	lanes = 16

	// ColParts is the number of parts that the rows are cut into.
	ColParts = 8
)

// ColPart returns the rows of part i.
func ColPart(rows, i int) (from, to int) { return rows * i / ColParts, rows * (i + 1) / ColParts }

// ArgMax sets dst[i] to the first column that holds the maximum of row i of x, which is (rows, cols), contiguous; a
// NaN counts as the maximum, so the first NaN wins. It panics if there are rows without columns.
func (t *Float32Table) ArgMax(dst []int32, x []float32, rows, cols int) {
	if rows > 0 && cols == 0 {
		panic("kernel: ArgMax of an empty row")
	}
	// The maxima lie in dst until the columns replace them.
	t.RowMax(unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(dst))), len(dst)), x, rows, cols)
	for i := range dst {
		top := math.Float32frombits(uint32(dst[i]))
		j, row := 0, x[i*cols:(i+1)*cols]
		for row[j] != top && row[j] == row[j] {
			j++
		}
		dst[i] = int32(j)
	}
}

// rowSum is the plain Go twin of RowSum.
func rowSum(dst, x []float32, rows, cols int) {
	reduceRows(dst, x, rows, cols, 0, func(a, b float32) float32 { return a + b })
}

// rowMax is the plain Go twin of RowMax.
func rowMax(dst, x []float32, rows, cols int) { reduceRows(dst, x, rows, cols, -inf32, joinMax) }

func joinMax(sofar, x float32) float32 { return max32(x, sofar) }

func reduceRows(dst, x []float32, rows, cols int, neutral float32, join func(a, b float32) float32) {
	checkRows(dst, x, rows, cols)
	for i := range rows {
		var lane [lanes]float32
		for l := range lane {
			lane[l] = neutral
		}
		for j, v := range x[i*cols : (i+1)*cols] {
			lane[j%lanes] = join(lane[j%lanes], v)
		}
		for half := lanes / 2; half > 0; half /= 2 {
			for l := range half {
				lane[l] = join(lane[l], lane[l+half])
			}
		}
		dst[i] = lane[0]
	}
}

func checkRows(dst, x []float32, rows, cols int) {
	if len(dst) != rows || len(x) != rows*cols {
		panic("kernel: a row reduction needs rows results and rows·cols operands")
	}
}

// colSum is the plain Go twin of ColSum.
func colSum(dst, x []float32, rows, ldx int) {
	reduceColumns(dst, x, rows, ldx, 0, func(a, b float32) float32 { return a + b })
}

// colMax is the plain Go twin of ColMax.
func colMax(dst, x []float32, rows, ldx int) { reduceColumns(dst, x, rows, ldx, -inf32, joinMax) }

// reduceColumns works on a block of columns at a time, so that each row is read along the memory.
func reduceColumns(dst, x []float32, rows, ldx int, neutral float32, join func(a, b float32) float32) {
	checkColumns(dst, x, rows, ldx)
	const block = 64
	for first := 0; first < len(dst); first += block {
		out := dst[first:min(first+block, len(dst))]
		var parts [ColParts][block]float32
		for p := range parts {
			from, to := ColPart(rows, p)
			fill(parts[p][:len(out)], neutral)
			chainColumns(parts[p][:len(out)], x[min(from*ldx+first, len(x)):], to-from, ldx, join)
		}
		for step := 1; step < ColParts; step *= 2 {
			for p := 0; p < ColParts; p += 2 * step {
				for j := range out {
					parts[p][j] = join(parts[p][j], parts[p+step][j])
				}
			}
		}
		copy(out, parts[0][:])
	}
}

// colSumOn is the plain Go twin of ColSumOn.
func colSumOn(dst, x []float32, rows, ldx int) {
	checkColumns(dst, x, rows, ldx)
	chainColumns(dst, x, rows, ldx, func(a, b float32) float32 { return a + b })
}

// colMaxOn is the plain Go twin of ColMaxOn.
func colMaxOn(dst, x []float32, rows, ldx int) {
	checkColumns(dst, x, rows, ldx)
	chainColumns(dst, x, rows, ldx, joinMax)
}

// chainColumns joins the rows to dst, in order.
func chainColumns(dst, x []float32, rows, ldx int, join func(a, b float32) float32) {
	for i := range rows {
		for j, v := range x[i*ldx:][:len(dst)] {
			dst[j] = join(dst[j], v)
		}
	}
}

func checkColumns(dst, x []float32, rows, ldx int) {
	if rows > 0 && len(dst) > 0 && (ldx < 0 || len(x) < (rows-1)*ldx+len(dst)) {
		panic("kernel: a column reduction reads beyond its operand")
	}
}
