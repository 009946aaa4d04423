package kernel

import "unsafe"

//go:generate go run -C _gen ./winograd -out ../winograd_amd64.s -stubs ../winograd_amd64.go -pkg kernel

// Convolutions by minimal filtering: S. Winograd, "Arithmetic complexity of computations", 1980; A. Lavin and S. Gray,
// "Fast algorithms for convolutional neural networks", 2016 (arXiv 1509.09308).
//
// F(m,r) computes m neighbouring outputs of a filter with r taps by m+r-1 multiplications instead of m·r. Nested in two
// dimensions, a tile of m x m outputs of one input and one output channel is
//
//	Y = Aᵀ·[(G·W·Gᵀ) ⊙ (Bᵀ·X·B)]·A
//
// where W are the r x r taps and X the (m+r-1) x (m+r-1) pixels that the tile reads. The sum over the input channels is
// taken before the transform by A, so that for each of the (m+r-1)² points there is one product of a matrix (tiles,
// input channels) with a matrix (input channels, output channels). The same trilinear form gives the gradient by the
// taps,
//
//	W = Gᵀ·[(Bᵀ·X·B) ⊙ (A·Y·Aᵀ)]·G,
//
// with, for each point, a product (input channels, tiles) by (tiles, output channels).

// filter is a minimal filtering algorithm.
type filter struct {
	m, r      int
	bt, g, at [][]float64
}

// points returns m+r-1.
func (f *filter) points() int { return f.m + f.r - 1 }

// filter23 is F(2,3), from the points 0, 1, -1 and infinity: Bᵀ and Aᵀ only add and subtract.
var filter23 = filter{
	m: 2, r: 3,
	bt: [][]float64{
		{1, 0, -1, 0},
		{0, 1, 1, 0},
		{0, -1, 1, 0},
		{0, -1, 0, 1}},
	g: [][]float64{
		{1, 0, 0},
		{.5, .5, .5},
		{.5, -.5, .5},
		{0, 0, 1}},
	at: [][]float64{
		{1, 1, 1, 0},
		{0, 1, -1, 1}},
}

// filter42 is F(4,2), from the points 0, -1, 1/2, 2 and infinity. For normal data its largest errors are 2 to 3.6 times
// those of the direct sums (TestFilteredError); from the points 0, 1, -1, 2 and infinity they are twice as large again.
var filter42 = filter{
	m: 4, r: 2,
	bt: [][]float64{
		{1, -1.5, -1.5, 1, 0},
		{0, 1, -2.5, 1, 0},
		{0, -2, -1, 1, 0},
		{0, -.5, .5, 1, 0},
		{0, 1, -1.5, -1.5, 1}},
	g: [][]float64{
		{1, 0},
		{-2. / 9, 2. / 9},
		{-8. / 9, -4. / 9},
		{1. / 9, 2. / 9},
		{0, 1}},
	at: [][]float64{
		{1, 1, 1, 1, 0},
		{0, -1, .5, 2, 0},
		{0, 1, .25, 4, 0},
		{0, -1, .125, 8, 1}},
}

// filter43 is F(4,3), from the points 0, 3/4, -3/4, 3/2, -3/2 and infinity. For normal data its largest errors are twice
// those of the direct sums, those of filter23 half; from the points 0, 1, -1, 2, -2 and infinity they are 5 times.
var filter43 = filter{
	m: 4, r: 3,
	bt: [][]float64{
		{1.265625, 0, -2.8125, 0, 1, 0},
		{0, -1.6875, -2.25, .75, 1, 0},
		{0, 1.6875, -2.25, -.75, 1, 0},
		{0, -.84375, -.5625, 1.5, 1, 0},
		{0, .84375, -.5625, -1.5, 1, 0},
		{0, 1.265625, 0, -2.8125, 0, 1}},
	g: [][]float64{
		{64. / 81, 0, 0},
		{-128. / 243, -32. / 81, -8. / 27},
		{-128. / 243, 32. / 81, -8. / 27},
		{32. / 243, 16. / 81, 8. / 27},
		{32. / 243, -16. / 81, 8. / 27},
		{0, 0, 1}},
	at: [][]float64{
		{1, 1, 1, 1, 1, 0},
		{0, .75, -.75, 1.5, -1.5, 0},
		{0, .5625, .5625, 2.25, 2.25, 0},
		{0, .421875, -.421875, 3.375, -3.375, 1}},
}

// filters are the algorithms in use, in the order of the tables of kernels.
var filters = [...]*filter{&filter23, &filter42, &filter43}

// filterKernels are the routines of one level, precision and filter.
type filterKernels[T float] struct {
	*filter
	rows   int // of the largest tile
	vector int // a tile has one or two vectors of columns; channels are padded to whole vectors
	micros [2][]stridedMicro[T]

	image    transform[T] // Bᵀ·X·B
	taps     transform[T] // G·W·Gᵀ
	out      transform[T] // Aᵀ·Z·A
	outBack  transform[T] // A·Y·Aᵀ
	tapsBack transform[T] // Gᵀ·Z·G
}

// stridedMicro is a micro-kernel whose A lies anywhere: for its own number of rows and vectors of columns,
//
//	C[i,j] = Σ_k a[i*rowStride+k*termStride]·b[k*ldb+j]   (+ C[i,j] if add != 0),
//
// one chain of fused multiply-adds from zero in order of k >= 1.
type stridedMicro[T float] func(k int, a *T, rowStride, termStride int, b *T, ldb int, c *T, ldc, add int)

// transform computes Z = L·X·Lᵀ for square windows X of vectors of channels. It is first applied to the columns, then
// to the rows. Each is a sum over the coefficients of L that are not 0, in ascending order: the first product rounded,
// the others added by one fused multiply-add each (which for 1 and -1 is an addition or a subtraction).
type transform[T float] struct {
	to, from int // the size of Z and of X
	run      func(dst, src []T, run *transformRun)
}

// grid says where the elements of windows lie: the distance between rows and columns of a window, between windows, and
// between rows of windows.
type grid struct{ row, col, tile, tileRow int }

// last returns how far from the first element of the first window the last one of the last is.
func (g grid) last(size, tiles, rows int) int {
	return (size-1)*(g.row+g.col) + (tiles-1)*g.tile + (rows-1)*g.tileRow
}

// transformRun is where a transform reads and writes, as the assembly wants it. A step leads from the end of a window's
// channels to the next window, a skip from the end of a row of windows to the next.
type transformRun struct {
	srcRow, srcCol, srcStep, srcSkip int
	dstRow, dstCol, dstStep, dstSkip int
	channels, tiles, rows            int
}

// apply transforms rows x tiles windows of so many channels, which are whole vectors.
func (t transform[T]) apply(run *transformRun, dst []T, to grid, src []T, from grid, channels, tiles, rows int) {
	_, _ = dst[to.last(t.to, tiles, rows)+channels-1], src[from.last(t.from, tiles, rows)+channels-1]
	*run = transformRun{
		srcRow: from.row, srcCol: from.col, srcStep: from.tile - channels, srcSkip: from.tileRow - tiles*from.tile,
		dstRow: to.row, dstCol: to.col, dstStep: to.tile - channels, dstSkip: to.tileRow - tiles*to.tile,
		channels: channels, tiles: tiles, rows: rows,
	}
	t.run(dst, src, run)
}

// padded returns so many channels in whole vectors.
func (k *filterKernels[T]) padded(channels int) int { return ceilDiv(channels, k.vector) * k.vector }

// plane returns the distance between the points of transformed arrays of n elements each: an odd number of cache lines,
// so that the same element of all points is not in the same set of the first-level cache.
func plane[T float](n int) int {
	line := cacheLine / int(unsafe.Sizeof(T(0)))
	return (ceilDiv(n, line) | 1) * line
}

// product computes C = A·B, or adds it to C, where A has k columns and panels of rows, at distances of rowStride and
// termStride, B consists of packed panels if packed or else of rows of n elements, and C of rows of n elements, n in whole
// vectors. Sums are in blocks as in Gemm32.
func (f *filterKernels[T]) product(panels split, n, k int, a []T, rowStride, termStride int, b []T, packed bool, c []T, add bool) {
	block := blockLength(k)
	for k0 := 0; k0 < k; k0 += block {
		kc := min(block, k-k0)
		for j := 0; j < n; j += 2 * f.vector {
			vectors := 1
			if n-j > f.vector {
				vectors = 2
			}
			from, ldb := k0*n+j, n
			if packed {
				from, ldb = k0*n+kc*j, vectors*f.vector
			}
			micro := f.micros[vectors-1]
			for p := range panels.count {
				i, rows := panels.part(p)
				micro[rows](kc, &a[i*rowStride+k0*termStride], rowStride, termStride, &b[from], ldb, &c[i*n+j], n, boolInt(add || k0 > 0))
			}
		}
	}
}

// tiled is a stack of images of which overlapping windows are transformed: for each phase q, of which there are
// phases x phases, the window of tile t has the pixels
//
//	start + step·(m·t + i) + q,   0 <= i < m+r-1
//
// of which those outside the image are 0. In the transformed array the channels of all phases lie one after the other.
type tiled[T float] struct {
	*filterKernels[T]
	size         [2]int // of an image
	channels     int
	step, phases int
}

func (x *tiled[T]) terms() int { return x.phases * x.phases * x.channels }

// pitch returns the distance from a tile to the next in the transformed array.
func (x *tiled[T]) pitch() int {
	return x.padded((x.phases*x.phases-1)*x.channels + x.padded(x.channels))
}

// transform transforms `rows` rows of `tiles` windows of an image, whose first one has pixel (low0, low1) in its
// corner, to dst, where points are `plane` elements apart.
func (x *tiled[T]) transform(s *scratch[T], image []T, low [2]int, tiles, rows int, dst []T, plane int) {
	points := x.points()
	span := func(n int) int { return x.step*(x.m*(n-1)+points-1) + x.phases }
	src, row, col := x.window(s, image, low, [2]int{span(rows), span(tiles)})
	for q := range x.phases * x.phases {
		x.image.apply(&s.conv.transform, dst[q*x.channels:], grid{points * plane, plane, x.pitch(), tiles * x.pitch()},
			src[q/x.phases*row+q%x.phases*col:], grid{x.step * row, x.step * col, x.step * x.m * col, x.step * x.m * row},
			x.padded(x.channels), tiles, rows)
	}
}

// window returns the part of an image that has its corner at low, and the distances from a row and a pixel to the next.
// It is a copy, unless all of it is inside and channels are whole vectors.
func (x *tiled[T]) window(s *scratch[T], image []T, low, size [2]int) (src []T, row, col int) {
	inside := x.channels%x.vector == 0
	for i := range 2 {
		inside = inside && low[i] >= 0 && low[i]+size[i] <= x.size[i]
	}
	if inside {
		return image[(low[0]*x.size[1]+low[1])*x.channels:], x.size[1] * x.channels, x.channels
	}
	col = x.padded(x.channels)
	row = size[1] * col
	s.conv.stage = reserve(s.conv.stage, size[0]*row)
	left, right := min(max(0, -low[1]), size[1]), max(0, min(size[1], x.size[1]-low[1])) // the columns inside the image
	for i := range size[0] {
		dst := s.conv.stage[i*row : (i+1)*row]
		at := low[0] + i
		if at < 0 || at >= x.size[0] || left >= right {
			clear(dst)
			continue
		}
		clear(dst[:left*col])
		clear(dst[right*col:])
		from := image[(at*x.size[1]+low[1]+left)*x.channels:][:(right-left)*x.channels]
		if col == x.channels {
			copy(dst[left*col:], from)
			continue
		}
		x.spread(dst[left*col:], col, from)
	}
	return s.conv.stage, row, col
}

// spread copies pixels to places that are col elements apart.
func (x *tiled[T]) spread(dst []T, col int, pixels []T) {
	for at := 0; len(pixels) > 0; at += col {
		copy(dst[at:], pixels[:x.channels])
		pixels = pixels[x.channels:]
	}
}

// eachRow calls f for stretches of the rows of tiles [from, to), numbered through all images, that lie in one image of
// `rows` rows.
func eachRow(from, to, rows int, f func(n, row, count int)) {
	for from < to {
		row := from % rows
		count := min(rows-row, to-from)
		f(from/rows, row, count)
		from += count
	}
}

// filteredImages is ConvY and ConvX by minimal filtering. ConvY sums over as many phases of x as a square of Stride x
// Stride has pixels,
//
//	y[o, b] = Σ x[Stride·(o+t) + q - Pad, a] · w[Stride·t + q, a, b]    over phases q, taps t and channels a;
//
// in ConvX each phase of x is a convolution of y by itself.
type filteredImages[T float] struct {
	*kernels[T]
	g        ConvGeometry
	gradient bool // ConvX
	tiled[T]      // the images that are read
	outSize  [2]int
	outs     int // channels of the images that are written
	outStep  int // between pixels of a part
	parts    []filteredPart
	together int // tiles whose transforms stay in the second-level cache
}

// filteredPart is one convolution of stride 1. Along an axis, tap t of phase q is
//
//	firstTap + tapStep·t + q.
type filteredPart struct {
	start             [2]int // corner of the window of the first tile
	first, count      [2]int // pixels that are written
	tiles             [2]int
	firstTap, tapStep [2]int
}

func newFilteredY[T float](c conv[T], f *filterKernels[T]) *filteredImages[T] {
	a0, a1 := c.Axes[0], c.Axes[1]
	y := &filteredImages[T]{kernels: c.kernels, g: c.ConvGeometry,
		tiled:   tiled[T]{f, [2]int{a0.In, a1.In}, c.CI, a0.Stride, a0.Stride},
		outSize: [2]int{a0.Out, a1.Out}, outs: c.CO, outStep: 1}
	var p filteredPart
	for i, a := range c.Axes {
		p.start[i], p.count[i], p.tapStep[i] = -a.Pad, a.Out, a.Stride
	}
	y.add(p)
	return y
}

func newFilteredX[T float](c conv[T], f *filterKernels[T]) *filteredImages[T] {
	a0, a1 := c.Axes[0], c.Axes[1]
	x := &filteredImages[T]{kernels: c.kernels, g: c.ConvGeometry, gradient: true,
		tiled:   tiled[T]{f, [2]int{a0.Out, a1.Out}, c.CO, 1, 1},
		outSize: [2]int{a0.In, a1.In}, outs: c.CI, outStep: a0.Stride}
	for r := range a0.Stride * a0.Stride {
		var p filteredPart
		for i, h := range []phase{a0.phase(r / a0.Stride), a1.phase(r % a0.Stride)} {
			p.start[i], p.first[i], p.count[i] = h.low, h.first, h.count
			p.firstTap[i], p.tapStep[i] = h.firstTap+h.tapStep*(h.taps-1), -h.tapStep
		}
		if p.count[0]*p.count[1] > 0 {
			x.add(p)
		}
	}
	return x
}

func (c *filteredImages[T]) add(p filteredPart) {
	for i, n := range p.count {
		p.tiles[i] = ceilDiv(n, c.m)
	}
	c.parts = append(c.parts, p)
	tile := c.points() * c.points() * (c.pitch() + c.padded(c.outs)) * int(unsafe.Sizeof(T(0)))
	c.together = max(filteredBytes/tile, 4*c.tiled.rows)
}

// filteredBytes is about how large the transformed images of a group are, but a group has at least four panels of rows,
// that the weights need not be read too often: between 256 KB and 1.5 MB it made no difference that could be measured.
const filteredBytes = 384 << 10

// plane returns the distance between the points of the packed weights.
func (c *filteredImages[T]) plane() int { return plane[T](c.terms() * c.padded(c.outs)) }

// partSize returns how many elements the packed weights of a part have.
func (c *filteredImages[T]) partSize() int { return c.points() * c.points() * c.plane() }

func (c *filteredImages[T]) packed() int { return len(c.parts) * c.partSize() }

func (c *filteredImages[T]) pack(s *scratch[T], w, packed []T) {
	for i := range c.parts {
		for q := range c.phases * c.phases {
			c.packPhase(s, &c.parts[i], q, w, packed[i*c.partSize():])
		}
	}
}

// packPhase transforms the taps of one phase of a part, and writes them in panels of two vectors of columns.
func (c *filteredImages[T]) packPhase(s *scratch[T], p *filteredPart, q int, w, packed []T) {
	width, terms, points := c.padded(c.outs), c.terms(), c.points()
	taps, from := c.matrices(s, p, q, w)
	block := blockLength(terms)
	for k := q * c.channels; k < (q+1)*c.channels; {
		k0 := k / block * block
		kc := min(block, terms-k0)
		n := min(k0+kc, (q+1)*c.channels) - k
		for j := 0; j < width; j += 2 * c.tiled.vector {
			cols := min(2*c.tiled.vector, width-j)
			c.taps.apply(&s.conv.transform, packed[k0*width+kc*j+(k-k0)*cols:], grid{row: points * c.plane(), col: c.plane(), tile: cols},
				taps[(k-q*c.channels)*from.tile+j:], from, cols, n, 1)
		}
		k += n
	}
}

// matrices returns the taps of a phase, each a matrix (channels read, channels written), and where they are: in w, or
// in a copy, whose rows are whole vectors, and transposed for ConvX.
func (c *filteredImages[T]) matrices(s *scratch[T], p *filteredPart, q int, w []T) (taps []T, at grid) {
	size := c.g.CI * c.g.CO
	rowOfTaps := c.g.Axes[1].Kernel * size
	first := (p.firstTap[0]+q/c.phases)*rowOfTaps + (p.firstTap[1]+q%c.phases)*size
	width := c.padded(c.outs)
	if !c.gradient && width == c.outs {
		return w[first:], grid{row: p.tapStep[0] * rowOfTaps, col: p.tapStep[1] * size, tile: width}
	}
	at = grid{row: c.r * c.channels * width, col: c.channels * width, tile: width}
	s.conv.stage = reserve(s.conv.stage, c.r*at.row+spare)
	for t := range c.r * c.r {
		dst := s.conv.stage[t*at.col:]
		src := w[first+t/c.r*p.tapStep[0]*rowOfTaps+t%c.r*p.tapStep[1]*size:]
		if !c.gradient {
			for i := range c.channels {
				copy(dst[i*width:], src[i*c.outs:(i+1)*c.outs])
			}
			continue
		}
		for j := 0; j < c.outs; j += 16 {
			for i := range s.offsets {
				s.offsets[i] = min(j+i, c.outs-1) * c.channels
			}
			c.transpose(dst[j:], width, src, &s.offsets, min(16, c.outs-j), c.channels, 0)
		}
	}
	return s.conv.stage, at
}

func (c *filteredImages[T]) images(s *scratch[T], n0, n1 int, packed, in, out []T) {
	for i := range c.parts {
		c.part(s, &c.parts[i], n0, n1, packed[i*c.partSize():], in, out)
	}
}

// part computes one part, some rows of tiles at a time.
func (c *filteredImages[T]) part(s *scratch[T], p *filteredPart, n0, n1 int, packed, in, out []T) {
	points, width := c.points()*c.points(), c.padded(c.outs)
	height, across := p.tiles[0], p.tiles[1]
	rows := max(1, min(c.together/across, (n1-n0)*height))
	planeIn, planeOut := plane[T](rows*across*c.pitch()), plane[T](rows*across*width)
	cs := &s.conv
	cs.filterIn, cs.filterOut = reserve(cs.filterIn, points*planeIn), reserve(cs.filterOut, points*planeOut)
	for from := n0 * height; from < n1*height; from += rows {
		to := min(from+rows, n1*height)
		done := 0 // tiles
		eachRow(from, to, height, func(n, row, count int) {
			c.transform(s, in[n*c.size[0]*c.size[1]*c.channels:], [2]int{p.start[0] + c.step*c.m*row, p.start[1]},
				across, count, cs.filterIn[done*c.pitch():], planeIn)
			done += count * across
		})
		panels := splitEvenly(0, done, c.tiled.rows)
		for i := range points {
			c.product(panels, width, c.terms(), cs.filterIn[i*planeIn:], c.pitch(), 1, packed[i*c.plane():], true, cs.filterOut[i*planeOut:], false)
		}
		done = 0
		eachRow(from, to, height, func(n, row, count int) {
			c.write(s, p, row, count, cs.filterOut[done*width:], planeOut, out[n*c.outSize[0]*c.outSize[1]*c.outs:])
			done += count * across
		})
	}
}

// write transforms rows [row, row+count) of tiles and writes them to an image.
func (c *filteredImages[T]) write(s *scratch[T], p *filteredPart, row, count int, sums []T, plane int, image []T) {
	across, rows, cols := p.tiles[1], 0, 0 // whole tiles of whole vectors, which need no copy
	if c.padded(c.outs) == c.outs {
		rows, cols = min(count, p.count[0]/c.m-row), p.count[1]/c.m
	}
	c.writeTiles(s, p, [2]int{row, 0}, [2]int{rows, cols}, true, sums, plane, image)
	c.writeTiles(s, p, [2]int{row, cols}, [2]int{rows, across - cols}, false, sums[cols*c.padded(c.outs):], plane, image)
	c.writeTiles(s, p, [2]int{row + rows, 0}, [2]int{count - rows, across}, false, sums[rows*across*c.padded(c.outs):], plane, image)
}

// writeTiles writes a rectangle of tiles, of which the first is tile at: directly if they are whole, or else by way of a
// copy, from which goes to the image what lies in it.
func (c *filteredImages[T]) writeTiles(s *scratch[T], p *filteredPart, at, count [2]int, whole bool, sums []T, plane int, image []T) {
	if count[0] == 0 || count[1] == 0 {
		return
	}
	width := c.padded(c.outs)
	from := grid{c.points() * plane, plane, width, p.tiles[1] * width}
	line, pixel := c.outStep*c.outSize[1]*c.outs, c.outStep*c.outs
	image = image[p.first[0]*c.outSize[1]*c.outs+p.first[1]*c.outs+c.m*(at[0]*line+at[1]*pixel):]
	if whole {
		c.out.apply(&s.conv.transform, image, grid{line, pixel, c.m * pixel, c.m * line}, sums, from, width, count[1], count[0])
		return
	}
	row := c.m * count[1] * width
	s.conv.out = reserve(s.conv.out, c.m*count[0]*row)
	c.out.apply(&s.conv.transform, s.conv.out, grid{row, width, c.m * width, c.m * row}, sums, from, width, count[1], count[0])
	cols := min(c.m*count[1], p.count[1]-c.m*at[1])
	for i := range min(c.m*count[0], p.count[0]-c.m*at[0]) {
		src, dst := s.conv.out[i*row:], image[i*line:]
		if c.outStep == 1 && width == c.outs {
			copy(dst[:cols*width], src)
			continue
		}
		for j := range cols {
			copy(dst[j*pixel:][:c.outs], src[j*width:])
		}
	}
}

// filteredW is ConvW by minimal filtering.
type filteredW[T float] struct {
	g     ConvGeometry
	x, y  tiled[T]
	tiles [2]int // of y
	rows  int    // of tiles in a group
}

// filteredTogether is the number of tiles that a group has at least. 98 and 384 were not faster.
const filteredTogether = 196

func newFilteredW[T float](c conv[T], f *filterKernels[T]) *filteredW[T] {
	a0, a1 := c.Axes[0], c.Axes[1]
	w := &filteredW[T]{g: c.ConvGeometry,
		x:     tiled[T]{f, [2]int{a0.In, a1.In}, c.CI, a0.Stride, a0.Stride},
		y:     tiled[T]{f, [2]int{a0.Out, a1.Out}, c.CO, 1, 1},
		tiles: [2]int{ceilDiv(a0.Out, f.m), ceilDiv(a1.Out, f.m)}}
	w.rows = ceilDiv(filteredTogether, w.tiles[1])
	return w
}

func (c *filteredW[T]) weights(s *scratch[T], n0, n1 int, x, y, w []T) {
	f := c.x.filterKernels
	points, terms, width := f.points()*f.points(), c.x.terms(), c.y.padded(c.g.CO)
	height, across := c.tiles[0], c.tiles[1]
	rows := min(c.rows, (n1-n0)*height)
	panels := splitEvenly(0, terms, f.rows)
	planeX, planeY, planeW := plane[T](rows*across*c.x.pitch()), plane[T](rows*across*width), plane[T](terms*width)
	cs := &s.conv
	cs.filterIn, cs.filterOut = reserve(cs.filterIn, points*planeX), reserve(cs.filterOut, points*planeY)
	cs.filterSum = reserve(cs.filterSum, points*planeW)
	for from := n0 * height; from < n1*height; from += rows {
		done := 0 // tiles
		eachRow(from, min(from+rows, n1*height), height, func(n, row, count int) {
			low := [2]int{c.x.step*f.m*row - c.g.Axes[0].Pad, -c.g.Axes[1].Pad}
			c.x.transform(s, x[n*c.g.xImage():], low, across, count, cs.filterIn[done*c.x.pitch():], planeX)
			src, line, pixel := c.y.window(s, y[n*c.g.yImage():], [2]int{f.m * row, 0}, [2]int{f.m * count, f.m * across})
			f.outBack.apply(&cs.transform, cs.filterOut[done*width:], grid{f.points() * planeY, planeY, width, across * width},
				src, grid{line, pixel, f.m * pixel, f.m * line}, width, across, count)
			done += count * across
		})
		for i := range points {
			f.product(panels, width, done, cs.filterIn[i*planeX:], 1, c.x.pitch(), cs.filterOut[i*planeY:], false, cs.filterSum[i*planeW:], from > n0*height)
		}
	}
	for q := range c.x.phases * c.x.phases {
		c.write(s, q, cs.filterSum[q*c.g.CI*width:], planeW, w)
	}
}

// write transforms the sums of a phase and writes them to w.
func (c *filteredW[T]) write(s *scratch[T], q int, sums []T, plane int, w []T) {
	f := c.x.filterKernels
	width, stride, size := c.y.padded(c.g.CO), c.x.step, c.g.CI*c.g.CO
	line := c.g.Axes[1].Kernel * size
	first := q/stride*line + q%stride*size
	from := grid{row: f.points() * plane, col: plane, tile: width}
	if width == c.g.CO {
		f.tapsBack.apply(&s.conv.transform, w[first:], grid{row: stride * line, col: stride * size, tile: width}, sums, from, width, c.g.CI, 1)
		return
	}
	to := grid{row: f.r * c.g.CI * width, col: c.g.CI * width, tile: width}
	s.conv.out = reserve(s.conv.out, f.r*to.row)
	f.tapsBack.apply(&s.conv.transform, s.conv.out, to, sums, from, width, c.g.CI, 1)
	for t := range f.r * f.r {
		dst := w[first+stride*(t/f.r*line+t%f.r*size):]
		for i := range c.g.CI {
			copy(dst[i*c.g.CO:][:c.g.CO], s.conv.out[t*to.col+i*width:])
		}
	}
}

// filterY returns the index in filters of the algorithm for ConvY, or -1 for none; filterX that for ConvX, and filterW
// that for ConvW, which must have enough tiles to sum over before the taps are transformed.
func (g *ConvGeometry) filterY() int { return g.filter(g.Axes[0].Out, g.Axes[1].Out) }

func (g *ConvGeometry) filterX() int {
	return g.filter(ceilDiv(g.Axes[0].In, g.Axes[0].Stride), ceilDiv(g.Axes[1].In, g.Axes[1].Stride))
}

func (g *ConvGeometry) filterW() int {
	i := g.filterY()
	if i >= 0 && g.N*ceilDiv(g.Axes[0].Out, filters[i].m)*ceilDiv(g.Axes[1].Out, filters[i].m) < minFilteredTiles {
		return -1
	}
	return i
}

// filter returns the algorithm that computes n0 x n1 pixels in the fewest multiplications, if they are at most two thirds
// of those of the direct sums; the first of filters if two are equal. Axes must be alike, without dilation, and the
// kernel as many times the stride as the algorithm has taps.
func (g *ConvGeometry) filter(n0, n1 int) int {
	a := g.Axes[0]
	for _, h := range g.Axes {
		if h.Kernel != a.Kernel || h.Stride != a.Stride || h.Dilation != 1 || g.Groups != 1 || min(g.CI, g.CO) < minFiltered {
			return -1
		}
	}
	best, least := -1, 0
	for i, f := range filters {
		cost := f.points() * f.points() * ceilDiv(n0, f.m) * ceilDiv(n1, f.m)
		if a.Kernel == f.r*a.Stride && 3*cost <= 2*f.r*f.r*n0*n1 && (best < 0 || cost < least) {
			best, least = i, cost
		}
	}
	return best
}

// minFiltered is the number of channels, in and out, from which minimal filtering is used if it saves a third of the
// multiplications. Measured with float32 and AVX-512 on 32 images of 2x2 to 28x28, kernels 3x3 and 4x4 with stride 2, Y
// and X were with 16 channels 0.8 to 2.5 times as fast as the direct sums (1 and more from 4x4 outputs on), with 64
// channels 1.4 to 2.9 times, with 8 channels 0.5 to 1.3 times; where a third is not saved, 0.2 to 1.1 times. With AVX2
// the gain is about twice that.
const minFiltered = 16

// minFilteredTiles is the number of tiles in the batch from which ConvW goes by minimal filtering. With 16 in each of
// the eight parts it was, measured likewise, 0.9 to 2.2 times as fast as the direct sums, with 4 it was 0.4 to 1.1 times.
const minFilteredTiles = 16 * ConvWParts

// filterKernelsOf returns the kernels for filters[i] of the active level, or nil if i is -1.
func filterKernelsOf[T float](i int) *filterKernels[T] {
	if i < 0 {
		return nil
	}
	if k, ok := any(&filters32()[i]).(*filterKernels[T]); ok {
		return k
	}
	return any(&filters64()[i]).(*filterKernels[T])
}
