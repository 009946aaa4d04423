package divergence

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math"
)

// mostDims is the greatest number of dimensions that are integrated over: each costs a factor of some tens in time.
const mostDims = 3

// adaptive integrates up to mostFunctions functions at once over a box by cutting the cells with the largest errors of the
// leading ones, until their error is at most tolerance times their value, or at most floor, or evaluations run out.
//
// In one dimension a cell is integrated by Kronrod's rule of 21 points, and its error is the distance to Gauss's of 10 within it
// (Piessens et al., QUADPACK, 1983); in 2 and 3 by the rules of degree 7 and 5 of Genz and Malik (Remarks on algorithm 006: an adaptive
// algorithm for numerical integration over an N-dimensional rectangular region, 1980). The distance is about the error of the lesser
// rule, and bounds that of the better one where a function is smooth in the cell. Where it is not, the distance is a large part of the mean
// deviation ∫|f - mean|, and the error is taken to be up to all of that, on the line by the formula of QUADPACK.
type adaptive struct {
	// f sets dst[i*m+j] to exp(logWeight[i]) times function j at x_i; x is row-major (n, d). A weight may be greater, and a function
	// smaller, than a float64 can be.
	f         func(dst, x, logWeight []float64) error
	m         int
	lead      int // how many functions, the first ones, steer
	tolerance float64
	floor     float64 // an error that is small enough whatever the value
	most      int     // evaluations
}

// values are those of the functions, the first m of them.
type values [mostFunctions]float64

const mostFunctions = 4

const (
	// narrowest is the least width in t of a cell that is cut: squares of its inverse are still numbers. What still matters there does
	// not converge.
	narrowest = 0x1p-490
	// together is how many of the worst cells are cut at a time: a network answers a batch in little more time than a point.
	together = 8
	// rounding is the error of a sum of terms, relative to the sum of their sizes.
	rounding = 1e-15
	// logRounding is that of a log-probability, relative to it, which dist keeps to.
	logRounding = 2e-14
)

// errInfinite ends an integration whose first function is infinite somewhere.
var errInfinite = errors.New("infinite")

// integrate returns the integrals over the box whose axes are cut into pieces to start with, and bounds of their errors. Where the
// first function is infinite so is its integral.
func (a *adaptive) integrate(ctx context.Context, axes [][]piece) (value, bound values, err error) {
	rule, dims := rules[len(axes)-1], len(axes)
	queue := &cells{}
	made := 0
	add := func(fresh []*cell) error {
		const batch = 256 // cells, to bound memory
		for len(fresh) > 0 {
			part := fresh[:min(batch, len(fresh))]
			fresh = fresh[len(part):]
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := rule.apply(a, part, dims); err != nil {
				return err
			}
			for _, c := range part {
				c.order = made
				made++
				if math.IsInf(c.value[0], 1) {
					return errInfinite
				}
				heap.Push(queue, c)
			}
		}
		return nil
	}
	err = add(grid(axes))
	var done []*cell // too narrow to cut
	for round := 0; err == nil && queue.Len() > 0 && made*len(rule.points) < a.most; round++ {
		// Kept up by differences the sums would lose their digits; taken each time they would cost more than the cells.
		if round%(1+made/1000) == 0 {
			value, bound = sumCells(*queue, done)
			wrong, size := 0.0, 0.0
			for j := range a.lead {
				wrong, size = wrong+bound[j], size+value[j]
			}
			if wrong <= max(a.tolerance*size, a.floor) {
				break
			}
		}
		var halves []*cell
		for range min(together, queue.Len()) {
			c := heap.Pop(queue).(*cell)
			if left, right, ok := c.cut(); ok {
				halves = append(halves, left, right)
			} else {
				done = append(done, c)
			}
		}
		err = add(halves)
	}
	if err == errInfinite {
		return values{math.Inf(1)}, values{}, nil
	}
	if err != nil {
		return value, bound, err
	}
	value, bound = sumCells(*queue, done)
	// Where most lies at an infinite end, or much where numbers are too dense to cut further, there is no end to it.
	most, atEnd := 0.0, false
	for _, c := range *queue {
		if c.value[0] > most {
			most, atEnd = c.value[0], made > 100*dims && c.atInfinity()
		}
	}
	if _, dense := sumCells(done); atEnd || dense[0] > mostDense*value[0] {
		return value, bound, ErrNotConverged
	}
	return value, bound, nil
}

// mostDense is the share of an integral that may be wrong where numbers are too dense to cut further.
const mostDense = 1e-6

// sumCells sums over cells.
func sumCells(lists ...[]*cell) (value, bound values) {
	for _, list := range lists {
		for _, c := range list {
			for j := range value {
				value[j] += c.value[j]
				bound[j] += c.error[j] + rounding*math.Abs(c.value[j])
			}
		}
	}
	return value, bound
}

// piece is a part of an axis, and how it is walked by t in [0, 1]: by x = from + scale t where it is finite, and where it has no end by
// x = from ± scale (1-t)/t, whose end is at t = 0, where numbers are dense.
type piece struct {
	from, scale float64
	infinite    bool
}

// piecesOf cuts the axis from the first to the last of ascending points, which both may be infinite, at the others.
func piecesOf(points []float64) []piece {
	var finite []float64
	for _, x := range points {
		if !math.IsInf(x, 0) {
			finite = append(finite, x)
		}
	}
	if len(finite) == 0 {
		return []piece{{0, -1, true}, {0, 1, true}}
	}
	last := len(finite) - 1
	scale := finite[last] - finite[0]
	if !(scale > 0) {
		scale = 1
	}
	var list []piece
	if math.IsInf(points[0], -1) {
		list = append(list, piece{finite[0], -scale, true})
	}
	for i := range last {
		list = append(list, piece{finite[i], finite[i+1] - finite[i], false})
	}
	if math.IsInf(points[len(points)-1], 1) {
		list = append(list, piece{finite[last], scale, true})
	}
	return list
}

// place is x at t, never an end of a finite piece where a density may be infinite, and log |dx/dt|.
func (p piece) place(t float64) (x, logSlope float64) {
	if p.infinite {
		return p.from + p.scale*(1-t)/t, math.Log(math.Abs(p.scale)) - 2*math.Log(t)
	}
	end := p.from + p.scale
	x = p.from + p.scale*t
	return min(max(x, math.Nextafter(p.from, end)), math.Nextafter(end, p.from)), math.Log(p.scale)
}

// cell is a box within one piece of each axis.
type cell struct {
	pieces       [mostDims]piece
	low, high    [mostDims]float64 // of t
	value, error values
	lead         float64 // error of the leading functions
	axis         int     // to cut
	order        int     // of its making, which settles ties
}

// grid is one cell for each choice of a piece of each axis.
func grid(axes [][]piece) []*cell {
	list := []*cell{{}}
	for j, axis := range axes {
		var finer []*cell
		for _, c := range list {
			for _, p := range axis {
				d := *c
				d.pieces[j], d.high[j] = p, 1
				finer = append(finer, &d)
			}
		}
		list = finer
	}
	return list
}

// atInfinity reports whether a cell reaches to an infinite end.
func (c *cell) atInfinity() bool {
	for j, p := range c.pieces {
		if p.infinite && c.low[j] == 0 {
			return true
		}
	}
	return false
}

// width is that in t across the axis to be cut.
func (c *cell) width() float64 { return c.high[c.axis] - c.low[c.axis] }

// cut halves a cell across its axis, and reports whether it is wide enough.
func (c *cell) cut() (left, right *cell, ok bool) {
	j := c.axis
	middle := c.low[j] + (c.high[j]-c.low[j])/2
	if c.width() < narrowest || !(c.low[j] < middle && middle < c.high[j]) {
		return nil, nil, false
	}
	a, b := *c, *c
	a.high[j], b.low[j] = middle, middle
	return &a, &b, true
}

// cells is a heap with the largest error of the leading functions on top.
type cells []*cell

func (c cells) Len() int      { return len(c) }
func (c cells) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c cells) Less(i, j int) bool {
	if c[i].lead != c[j].lead {
		return c[i].lead > c[j].lead
	}
	return c[i].order < c[j].order
}
func (c *cells) Push(x any) { *c = append(*c, x.(*cell)) }
func (c *cells) Pop() any {
	last := len(*c) - 1
	x := (*c)[last]
	*c = (*c)[:last]
	return x
}

// rule integrates a function over [-1, 1]^d by its values at points, in a better and a lesser way.
type rule struct {
	points         [][mostDims]float64
	better, lesser []float64 // weights, which sum to 1
	axis           func(f []float64) int
}

var rules = [mostDims]*rule{kronrod(), genzMalik(2), genzMalik(3)}

// apply sets the values and errors of cells, and the axis to cut next.
func (r *rule) apply(a *adaptive, list []*cell, dims int) error {
	n := len(r.points)
	x, logWeight := make([]float64, len(list)*n*dims), make([]float64, len(list)*n)
	for i, c := range list {
		for k, point := range r.points {
			for j := range dims {
				half := (c.high[j] - c.low[j]) / 2
				at, logSlope := c.pieces[j].place(c.low[j] + half*(1+point[j]))
				x[(i*n+k)*dims+j] = at
				logWeight[i*n+k] += logSlope + math.Log(2*half)
			}
		}
	}
	f := make([]float64, len(list)*n*a.m)
	if err := a.f(f, x, logWeight); err != nil {
		return err
	}
	values := make([]float64, n*a.m)
	for i, c := range list {
		for j := range a.m {
			better, lesser := 0.0, 0.0
			for k := range n {
				v := f[(i*n+k)*a.m+j]
				if math.IsNaN(v) {
					return fmt.Errorf("the integrand is not a number at x = %v", x[(i*n+k)*dims:(i*n+k+1)*dims])
				}
				values[j*n+k] = v
				better += r.better[k] * v
				lesser += r.lesser[k] * v
			}
			spread := 0.0
			for k := range n {
				spread += math.Abs(r.better[k] * (values[j*n+k] - better))
			}
			c.value[j], c.error[j] = better, math.Abs(better-lesser)
			switch part := 200 * c.error[j] / spread; {
			case part > 1:
				c.error[j] = max(c.error[j], spread)
			case dims == 1 && spread > 0:
				c.error[j] = max(c.error[j], spread*part*math.Sqrt(part))
			}
		}
		c.lead = 0
		for _, e := range c.error[:a.lead] {
			c.lead += e
		}
		c.axis = r.axis(values[:n])
	}
	return nil
}

// kronrod is the 21-point rule of Kronrod and the 10-point rule of Gauss within it, on the line.
func kronrod() *rule {
	points := []float64{
		0.995657163025808080735527280689003, 0.973906528517171720077964012084452, 0.930157491355708226001207180059508,
		0.865063366688984510732096688423493, 0.780817726586416897063717578345042, 0.679409568299024406234327365114874,
		0.562757134668604683339000099272694, 0.433395394129247190799265943165784, 0.294392862701460198131126603103866,
		0.148874338981631210884826001129720, 0,
	}
	better := []float64{
		0.011694638867371874278064396062192, 0.032558162307964727478818972459390, 0.054755896574351996031381300244580,
		0.075039674810919952767043140916190, 0.093125454583697605535065465083366, 0.109387158802297641899210590325805,
		0.123491976262065851077958109585166, 0.134709217311473325928054001771707, 0.142775938577060080797094273138717,
		0.147739104901338491374841515972068, 0.149445554002916905664936468389821,
	}
	lesser := []float64{
		0, 0.066671344308688137593568809893332, 0, 0.149451349150580593145863396957658, 0, 0.219086362515982043995534934228163,
		0, 0.269266719309996355091226921569469, 0, 0.295524224714752870173815619188769, 0,
	}
	r := &rule{axis: func([]float64) int { return 0 }}
	for i, x := range points {
		for _, sign := range []float64{-1, 1} {
			if x == 0 && sign < 0 {
				continue
			}
			r.points = append(r.points, [mostDims]float64{sign * x})
			r.better = append(r.better, better[i]/2)
			r.lesser = append(r.lesser, lesser[i]/2)
		}
	}
	return r
}

// genzMalik is the rule of degree 7 of Genz and Malik in n dimensions and the one of degree 5 within it. The first points are the
// centre and, for each axis, ±λ2 and ±λ3 along it.
func genzMalik(n int) *rule {
	var (
		lambda2, lambda3, lambda5 = math.Sqrt(9.0 / 70), math.Sqrt(9.0 / 10), math.Sqrt(9.0 / 19)
		d                         = float64(n)
		r                         = &rule{}
	)
	add := func(better, lesser float64, point [mostDims]float64) {
		r.points = append(r.points, point)
		r.better = append(r.better, better)
		r.lesser = append(r.lesser, lesser)
	}
	add((12824-9120*d+400*d*d)/19683, (729-950*d+50*d*d)/729, [mostDims]float64{})
	for j := range n {
		for _, x := range []float64{-lambda2, lambda2} {
			var point [mostDims]float64
			point[j] = x
			add(980.0/6561, 245.0/486, point)
		}
		for _, x := range []float64{-lambda3, lambda3} {
			var point [mostDims]float64
			point[j] = x
			add((1820-400*d)/19683, (265-100*d)/1458, point)
		}
	}
	for j := range n {
		for k := range j {
			for _, x := range []float64{-lambda3, lambda3} {
				for _, y := range []float64{-lambda3, lambda3} {
					var point [mostDims]float64
					point[j], point[k] = x, y
					add(200.0/19683, 25.0/729, point)
				}
			}
		}
	}
	for corner := range 1 << n {
		var point [mostDims]float64
		for j := range n {
			point[j] = lambda5 * float64(2*(corner>>j&1)-1)
		}
		add(6859.0/19683/float64(int(1)<<n), 0, point)
	}
	// The axis along which the fourth difference is greatest is cut.
	r.axis = func(f []float64) int {
		roughest, most := 0, -1.0
		for j := range n {
			near, far := f[1+4*j]+f[2+4*j]-2*f[0], f[3+4*j]+f[4+4*j]-2*f[0]
			if rough := math.Abs(near - far*lambda2*lambda2/(lambda3*lambda3)); rough > most*(1+1e-9) {
				roughest, most = j, rough
			}
		}
		return roughest
	}
	return r
}
