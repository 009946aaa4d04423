package kernel

// gemmRun is a matrix product under way. It goes through blocks of terms; in a block, A is packed in panels of a few
// rows and B in panels of a few columns, each laid out in the order in which the micro-kernels read it. (K. Goto and
// R. van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008.)
type gemmRun[T float] struct {
	*kernels[T]
	*scratch[T]
	product[T]
	panels split // of the rows
	add    bool  // whether C already holds something to add to

	k0, kc  int  // the block of terms
	inPlace bool // whether rows of A are read where they are, as they stay in the cache without being packed

	next *T // where in B tiles with rows in place prefetch from; nil if nowhere
}

// Sizes that decide the order of the loops. They change speed, never a result.
const (
	keepA  = 196  // rows of A, packed, that stay in the second-level cache beside a panel of B
	keepB  = 256  // columns of B that do so beside a panel of A
	sliceB = 4096 // columns of B packed at a time otherwise
	spare  = 64   // elements after a packed panel that packing may overwrite
)

// block adds the terms [k0, k0+kc).
func (r *gemmRun[T]) block(k0, kc int) {
	r.k0, r.kc = k0, kc
	m, n := r.m1-r.m0, r.n1-r.n0
	r.inPlace = false
	switch {
	case r.panels.count == 1:
		r.onePanelOfRows()
	case r.ta && r.turn != nil && n <= r.rows:
		r.fewColumns()
	case m <= keepA: // rows of A in place gain 2%, and more with fewer columns
		r.inPlace = !r.ta && r.direct != nil
		r.packedRows(r.n0, r.n1, 0, r.panels.count, true)
	case n <= keepB:
		r.inPlace = !r.ta && r.direct != nil
		r.packedColumns()
	default:
		perSlice := keepA / r.rows
		for n0 := r.n0; n0 < r.n1; n0 += sliceB {
			n1 := min(r.n1, n0+sliceB)
			for p := 0; p < r.panels.count; p += perSlice {
				r.packedRows(n0, n1, p, min(r.panels.count, p+perSlice), p == 0)
			}
		}
	}
}

// onePanelOfRows is the product of few rows: each panel of B is used once, so it is read where it is if its rows are
// contiguous and whole tiles wide, or if there is but one row.
func (r *gemmRun[T]) onePanelOfRows() {
	start, rows := r.panels.part(0)
	var a []T
	switch {
	case rows == 1 && !r.ta:
		a = r.a[start*r.lda+r.k0:]
	case rows == 1 && r.lda == 1:
		a = r.a[r.k0+start:]
	default:
		r.packedA = reserve(r.packedA, r.sizeA())
		a = r.packedA
		r.packA(a, 0)
	}
	if r.tb && rows == 1 && r.dots != nil {
		r.rowOfDots(a, start)
		return
	}
	j := r.n0
	if !r.tb {
		add := boolInt(r.add)
		if rows == 1 && r.strip != nil {
			for ; j+r.stripCols <= r.n1; j += r.stripCols {
				r.strip(r.kc, &a[0], &r.b[r.k0*r.ldb+j], r.ldb, &r.c[start*r.ldc+j], r.ldc, r.vector, add)
			}
		}
		for ; j+r.cols <= r.n1; j += r.cols {
			r.wide[rows](r.kc, &a[0], &r.b[r.k0*r.ldb+j], r.ldb, &r.c[start*r.ldc+j], r.ldc, r.vector, add)
		}
	}
	for ; j < r.n1; j += r.cols {
		r.packedB = reserve(r.packedB, r.sizeB())
		r.packB(r.packedB, j)
		r.tileAt(0, j, a, r.packedB)
	}
}

// rowOfDots is the product of the row a with a transposed B.
func (r *gemmRun[T]) rowOfDots(a []T, row int) {
	rows := r.dotRows[:2*r.vector]
	for j := r.n0; j < r.n1; j += len(rows) {
		cols := min(len(rows), r.n1-j)
		for q := range rows {
			rows[q] = (j+min(q, cols-1))*r.ldb + r.k0
		}
		r.dots(r.kc, &a[0], &r.b[0], &rows[0], &r.c[row*r.ldc+j], cols, boolInt(r.add))
	}
}

// fewColumns is the product of a transposed A with a few columns: with the two exchanged, A's rows are read where they
// are and fill the vectors, and each tile is stored transposed.
func (r *gemmRun[T]) fewColumns() {
	n := r.n1 - r.n0
	r.packedA = reserve(r.packedA, r.sizeA())
	if r.tb {
		r.packTransposed(r.packedA, n, r.b[r.n0*r.ldb+r.k0:], r.ldb, n)
	} else {
		r.copyRows(r.packedA, n, r.b[r.k0*r.ldb+r.n0:], r.ldb, r.kc, n)
	}
	r.packedB = reserve(r.packedB, r.sizeB())
	r.scratch.turned = reserve(r.scratch.turned, r.vector*r.cols)
	for i := r.m0; i < r.m1; i += r.cols {
		rows := min(r.cols, r.m1-i)
		a, ld := r.a[r.k0*r.lda+i:], r.lda
		if rows < r.cols {
			r.copyRows(r.packedB, r.cols, a, ld, r.kc, rows)
			a, ld = r.packedB, r.cols
		}
		r.wide[n](r.kc, &r.packedA[0], &a[0], ld, &r.scratch.turned[0], r.cols, r.vector, 0)
		r.storeTurned(i, rows, r.n0, n, r.add)
	}
}

// storeTurned stores the transpose of a tile, or adds it, to rows [i, i+rows) and columns [j, j+cols).
func (r *gemmRun[T]) storeTurned(i, rows, j, cols int, add bool) {
	tile := r.scratch.turned
	whole := rows / r.vector * r.vector
	if whole > 0 {
		r.turn(&r.c[i*r.ldc+j], r.ldc, &tile[0], r.cols, cols, whole, boolInt(add))
	}
	for q := whole; q < rows; q++ {
		c := r.c[(i+q)*r.ldc+j:][:cols]
		for p := range c {
			if s := tile[p*r.cols+q]; add {
				c[p] += s
			} else {
				c[p] = s
			}
		}
	}
}

// fewerRowsThanTerms reports whether the product goes by exchanged. It transposes m·n elements where packing B would n·k: with
// 128 rows it was 2% faster for k = 256, 4 to 10% for 512 and 784.
func (r *gemmRun[T]) fewerRowsThanTerms() bool {
	m := r.m1 - r.m0
	return r.tb && !r.ta && !r.accumulate && r.direct != nil && r.turn != nil && m > r.rows && 2*r.k >= 3*m && m*r.k <= 1<<17
}

// exchanged is the product with a transposed B of fewer rows of A than terms: with the two exchanged, rows of B are read where they
// are, A is packed, which is smaller than B, and each tile is stored transposed, once for all its blocks of terms.
func (r *gemmRun[T]) exchanged() {
	m, block := r.m1-r.m0, blockLength(r.k)
	width := ceilDiv(m, r.cols) * r.cols
	r.packedA = reserve(r.packedA, width*r.k+spare)
	for r.k0 = 0; r.k0 < r.k; r.k0 += block {
		r.kc = min(block, r.k-r.k0)
		for j := 0; j < m; j += r.cols {
			cols := min(r.cols, m-j)
			r.packTransposed(r.packedA[r.k0*width+r.kc*j:], r.panelCols(cols), r.a[(r.m0+j)*r.lda+r.k0:], r.lda, cols)
		}
	}
	r.scratch.turned = reserve(r.scratch.turned, r.vector*r.cols)
	panels := splitEvenly(r.n0, r.n1, r.rows)
	for p := range panels.count {
		i, rows := panels.part(p)
		ahead := (i + rows) * r.ldb
		for j := 0; j < m; j += r.cols {
			cols := min(r.cols, m-j)
			tiles, last := r.direct, cols-(r.cols-r.vector)
			if cols <= r.vector {
				tiles, last = r.directNarrow, cols
			}
			for k0 := 0; k0 < r.k; k0 += block {
				kc := min(block, r.k-k0)
				tiles[rows](kc, &r.b[i*r.ldb+k0], r.ldb, &r.packedA[k0*width+kc*j], &r.scratch.turned[0], r.cols, last, boolInt(k0 > 0),
					&r.b[min(ahead, len(r.b)-1)], 2*r.vector)
				ahead += kc / 2 * r.vector
			}
			r.storeTurned(r.m0+j, cols, i, rows, false)
		}
	}
}

// packedRows multiplies panels [p0,p1) of A, all packed first, with columns [n0,n1) of B, packed panel by panel as
// they are needed: into a single buffer if they are used only here, else, the first time, into their own.
func (r *gemmRun[T]) packedRows(n0, n1, p0, p1 int, first bool) {
	sizeA, sizeB := r.sizeA(), r.sizeB()
	once := r.panels.count == p1 && p0 == 0
	panelsB := ceilDiv(n1-n0, r.cols)
	if once {
		panelsB = 1
	}
	r.packedA = reserve(r.packedA, (p1-p0)*sizeA)
	r.packedB = reserve(r.packedB, panelsB*sizeB)
	for p := p0; p < p1; p++ {
		r.packA(r.packedA[(p-p0)*sizeA:], p)
	}
	for j := n0; j < n1; j += r.cols {
		b := r.packedB
		if !once {
			b = b[(j-n0)/r.cols*sizeB:]
		}
		if first {
			r.packB(b, j)
		}
		for p := p0; p < p1; p++ {
			r.lookAhead(p-p0, p1-p0, j+r.cols)
			r.tileAt(p, j, r.packedA[(p-p0)*sizeA:], b)
		}
	}
}

// packedColumns packs all of B, then multiplies each panel of A as soon as it is packed.
func (r *gemmRun[T]) packedColumns() {
	sizeB := r.sizeB()
	r.packedA = reserve(r.packedA, r.sizeA())
	r.packedB = reserve(r.packedB, ceilDiv(r.n1-r.n0, r.cols)*sizeB)
	for j := r.n0; j < r.n1; j += r.cols {
		r.packB(r.packedB[(j-r.n0)/r.cols*sizeB:], j)
	}
	for p := range r.panels.count {
		r.packA(r.packedA, p)
		for j := r.n0; j < r.n1; j += r.cols {
			r.tileAt(p, j, r.packedA, r.packedB[(j-r.n0)/r.cols*sizeB:])
		}
	}
}

func (r *gemmRun[T]) sizeA() int { return r.rows*r.kc + spare }
func (r *gemmRun[T]) sizeB() int { return r.cols*r.kc + spare }

// lookAhead lets tile p of count, with rows in place, prefetch its share of the panel of B that is packed next, of the columns
// from j on: packing that finds B no nearer than in the third-level cache took a tenth of a product of 128 rows.
func (r *gemmRun[T]) lookAhead(p, count, j int) {
	if !r.inPlace {
		return
	}
	at := (r.k0+p*ceilDiv(r.kc, count))*r.ldb + j
	if r.tb {
		at = j*r.ldb + r.k0 + p*2*r.vector // two lines of each row of the panel, and of those after it
	}
	r.next = &r.b[min(at, len(r.b)-1)]
}

// tileAt computes the tile of panel p of A and the columns from j on.
func (r *gemmRun[T]) tileAt(p, j int, a, b []T) {
	i, rows := r.panels.part(p)
	cols := min(r.cols, r.n1-j)
	if r.inPlace {
		tiles, last := r.direct, cols-(r.cols-r.vector)
		if cols <= r.vector {
			tiles, last = r.directNarrow, cols
		}
		tiles[rows](r.kc, &r.a[i*r.lda+r.k0], r.lda, &b[0], &r.c[i*r.ldc+j], r.ldc, last, boolInt(r.add), r.next, r.ldb)
		return
	}
	r.tile(rows, cols, r.kc, a, b, r.panelCols(cols), r.c[i*r.ldc+j:], r.ldc, boolInt(r.add))
}

// packA packs panel p of A, unless it is read in place.
func (r *gemmRun[T]) packA(dst []T, p int) {
	if r.inPlace {
		return
	}
	i, rows := r.panels.part(p)
	if r.ta {
		r.copyRows(dst, rows, r.a[r.k0*r.lda+i:], r.lda, r.kc, rows)
		return
	}
	r.packTransposed(dst, rows, r.a[i*r.lda+r.k0:], r.lda, rows)
}

// packB packs the panel of B whose first column is j.
func (r *gemmRun[T]) packB(dst []T, j int) {
	cols := min(r.cols, r.n1-j)
	if !r.tb {
		r.copyRows(dst, r.panelCols(cols), r.b[r.k0*r.ldb+j:], r.ldb, r.kc, cols)
		return
	}
	r.packTransposed(dst, r.panelCols(cols), r.b[j*r.ldb+r.k0:], r.ldb, cols)
}

// packTransposed packs n rows of src, ld apart, as columns.
func (r *gemmRun[T]) packTransposed(dst []T, stride int, src []T, ld, n int) {
	ahead := n * ld
	if r.next != nil {
		ahead = 0 // tiles did it
	}
	for i := 0; i < n; i += 16 {
		for q := range r.offsets {
			r.offsets[q] = min(i+q, n-1) * ld
		}
		r.transpose(dst[i:], stride, src, &r.offsets, min(16, n-i), r.kc, ahead)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
