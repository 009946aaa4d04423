package tensortest

import (
	"math"
	"slices"

	"github.com/likely-ml/likely/tensor"
	"pgregory.net/rapid"
)

// steps each add one op, or a few that belong together, to a program.
var steps = []func(p *program){
	(*program).exactUnary, (*program).smooth, (*program).smooth, (*program).arithmetic, (*program).arithmetic, (*program).arithmetic,
	(*program).quotient, (*program).compare, (*program).logic, (*program).choose, (*program).convertStep, (*program).rearrange,
	(*program).rearrange, (*program).cut, (*program).widen, (*program).dynamic, (*program).reduceStep, (*program).reduceStep, (*program).product,
	(*program).convolve, (*program).pool, (*program).index, (*program).random, (*program).iota,
}

// exactUnary are functions with jumps; at exact values none can be missed.
func (p *program) exactUnary() {
	v := p.exactOf(p.float(), -1)
	f := rapid.SampledFrom([]f1{tensor.Sign, tensor.Floor, tensor.Round, tensor.IsFinite}).Draw(p.t, "exact unary")
	p.add(f(v.n), math.Ceil(v.bound)+1, 0, 1)
}

// smooth are the functions whose slope is known; domains are shifted to where they are defined and well conditioned.
func (p *program) smooth() {
	v := p.of(p.float(), -1)
	positive := func() *tensor.Node { return tensor.AddScalar(tensor.Abs(v.n), 0.5) }
	rounding := p.tolerance * ulp(v.n.DType(), v.bound+0.5)
	b := v.bound
	switch p.intn("smooth", 0, 15) {
	case 0:
		p.add(tensor.Neg(v.n), b, v.err, v.step)
	case 1:
		p.add(tensor.Abs(v.n), b, v.err, v.step)
	case 2:
		p.add(tensor.Exp(v.n), math.Exp(b), v.err*math.Exp(b+v.err), 0)
	case 3:
		p.add(tensor.Expm1(v.n), math.Exp(b), v.err*math.Exp(b+v.err), 0)
	case 4:
		p.add(tensor.Log(positive()), math.Log(b+2)+1, 2*(v.err+rounding), 0)
	case 5:
		p.add(tensor.Log1p(tensor.Abs(v.n)), math.Log1p(b)+1, v.err, 0)
	case 6:
		p.add(tensor.Tanh(v.n), 1, v.err, 0)
	case 7:
		p.add(tensor.Sigmoid(v.n), 1, v.err, 0)
	case 8:
		p.add(tensor.Softplus(v.n), b+1, v.err, 0)
	case 9:
		p.add(tensor.Erf(v.n), 1, 1.13*v.err, 0)
	case 10:
		p.add(tensor.Sqrt(positive()), math.Sqrt(b+0.5), v.err+rounding, 0)
	case 11:
		p.add(tensor.Rsqrt(positive()), math.Sqrt2, 2*(v.err+rounding), 0)
	case 12:
		p.add(tensor.Sin(v.n), 1, v.err, 0)
	case 13:
		p.add(tensor.Cos(v.n), 1, v.err, 0)
	case 14:
		p.add(tensor.StopGradient(v.n), b, v.err, v.step)
	case 15: // x^y for x in [½, b+½] and y in [−1, 1]
		y := tensor.Sin(v.n)
		largest := math.Max(2, b+0.5)
		p.add(tensor.Pow(positive(), y), largest, 4*largest*(v.err+rounding), 0)
	}
}

func (p *program) arithmetic() {
	d := rapid.SampledFrom([]tensor.DType{tensor.Float32, tensor.Float32, tensor.Float64, tensor.Int32, tensor.Uint32}).Draw(p.t, "type")
	a := p.of(d, -1)
	b := p.shaped(d, a.n.Dims(), false)
	// Integers wrap, exactly; sums, differences and extremes are multiples of the finer step.
	step := math.Min(a.step, b.step)
	switch p.intn("arithmetic", 0, 5) {
	case 0:
		p.add(tensor.Add(a.n, b.n), a.bound+b.bound, a.err+b.err, step)
	case 1:
		p.add(tensor.Sub(a.n, b.n), a.bound+b.bound, a.err+b.err, step)
	case 2, 3:
		p.add(tensor.Mul(a.n, b.n), a.bound*b.bound, a.err*b.bound+b.err*a.bound+a.err*b.err, a.step*b.step)
	case 4:
		p.add(tensor.Min(a.n, b.n), math.Max(a.bound, b.bound), math.Max(a.err, b.err), step)
	case 5:
		p.add(tensor.Max(a.n, b.n), math.Max(a.bound, b.bound), math.Max(a.err, b.err), step)
	}
}

// quotient divides floats by what is at least ½, and integers by anything.
func (p *program) quotient() {
	if p.bool("integers") {
		a := p.of(tensor.Int32, -1)
		p.add(tensor.Div(a.n, p.shaped(tensor.Int32, a.n.Dims(), false).n), math.MaxUint32, 0, 1)
		return
	}
	a := p.of(p.float(), -1)
	b := p.shaped(a.n.DType(), a.n.Dims(), false)
	rounding := p.tolerance * ulp(a.n.DType(), b.bound+0.5)
	p.add(tensor.Div(a.n, tensor.AddScalar(tensor.Abs(b.n), 0.5)), 2*a.bound, 2*a.err+4*a.bound*(b.err+rounding), 0)
}

func (p *program) compare() {
	a := p.exactOf(p.anyType(), -1)
	b := p.shaped(a.n.DType(), a.n.Dims(), true)
	f := rapid.SampledFrom([]f2{tensor.Equal, tensor.NotEqual, tensor.Less, tensor.LessEqual, tensor.Greater}).Draw(p.t, "comparison")
	p.add(f(a.n, b.n), 1, 0, 1)
}

func (p *program) logic() {
	a := p.of(tensor.Bool, -1)
	b := p.shaped(tensor.Bool, a.n.Dims(), false)
	f := rapid.SampledFrom([]f2{tensor.And, tensor.Or, func(a, _ *tensor.Node) *tensor.Node { return tensor.Not(a) }}).Draw(p.t, "logic")
	p.add(f(a.n, b.n), 1, 0, 1)
}

func (p *program) choose() {
	a := p.of(p.anyType(), -1)
	b, cond := p.shaped(a.n.DType(), a.n.Dims(), false), p.shaped(tensor.Bool, a.n.Dims(), false)
	p.add(tensor.Select(cond.n, a.n, b.n), math.Max(a.bound, b.bound), math.Max(a.err, b.err), math.Min(a.step, b.step))
}

// convertStep leaves out what is undefined: floats beyond the range of an integer type.
func (p *program) convertStep() {
	v, to := p.of(p.anyType(), -1), p.anyType()
	from := v.n.DType()
	switch {
	case from.IsFloat() && !to.IsFloat():
		if !v.exact() {
			return
		}
		if to == tensor.Uint32 {
			v.n = tensor.Abs(v.n)
		}
		p.add(tensor.Convert(v.n, to), math.Max(1, v.bound), 0, 1)
	case to.IsFloat():
		if v.bound <= 1<<exactBits {
			p.add(tensor.Convert(v.n, to), v.bound, v.err, v.step)
		}
	default:
		p.add(tensor.Convert(v.n, to), math.MaxUint32, 0, 1)
	}
}

func (p *program) rearrange() {
	v := p.of(p.anyType(), -1)
	dims := v.n.Dims()
	r := len(dims)
	var n *tensor.Node
	switch p.intn("rearrange", 0, 4) {
	case 0:
		n = tensor.Transpose(v.n, rapid.Permutation(rangeOf(r)).Draw(p.t, "axes")...)
	case 1:
		n = tensor.Reshape(v.n, v.n.Shape().Size())
	case 2:
		n = tensor.Reverse(v.n, rangeOf(r)[:p.intn("axes", 0, r)]...)
	case 3:
		n = tensor.Reshape(v.n, append([]int{1}, dims...)...)
	case 4:
		if r > 3 || v.n.Shape().Size() > 5000 {
			return
		}
		n = tensor.BroadcastTo(v.n, append([]int{p.intn("times", 0, 4)}, dims...)...)
	}
	p.values = append(p.values, value{n, v.bound, v.err, v.step})
}

func rangeOf(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (p *program) cut() {
	v := p.of(p.anyType(), -1)
	var start, limit, stride []int
	for _, e := range v.n.Dims() {
		s := p.intn("start", 0, e)
		start, limit, stride = append(start, s), append(limit, p.intn("limit", s, e)), append(stride, p.intn("stride", 1, 3))
	}
	p.values = append(p.values, value{tensor.Slice(v.n, start, limit, stride), v.bound, v.err, v.step})
}

func (p *program) widen() {
	v := p.of(p.anyType(), -1)
	if v.n.Shape().Size() > 5000 {
		return
	}
	var low, high, interior []int
	for _, e := range v.n.Dims() {
		l := p.intn("low", -min(e, 2), 3)
		low, high, interior = append(low, l), append(high, p.intn("high", min(0, 1-e-l), 3)), append(interior, p.intn("interior", 0, 2))
		if e == 0 {
			high[len(high)-1] = max(0, high[len(high)-1])
		}
	}
	n := tensor.Pad(v.n, 1, low, high, interior)
	if r := len(low); r > 0 && p.bool("join") {
		n = tensor.Concat(p.intn("axis", 0, r-1), n, n)
	}
	step := v.step
	if step > 0 {
		step = math.Min(step, 1) // a power of two divides the padding's 1
	}
	p.values = append(p.values, value{n, math.Max(1, v.bound), v.err, step})
}

func (p *program) dynamic() {
	v := p.of(p.anyType(), -1)
	start := p.shapedExactly(tensor.Int32, []int{len(v.n.Dims())})
	var sizes []int
	for _, e := range v.n.Dims() {
		sizes = append(sizes, p.intn("size", 0, e))
	}
	n := tensor.DynamicSlice(v.n, start.n, sizes...)
	if p.bool("update") {
		n = tensor.DynamicUpdate(v.n, n, p.shapedExactly(tensor.Int32, []int{len(sizes)}).n)
	}
	p.values = append(p.values, value{n, v.bound, v.err, v.step})
}

// shapedExactly picks or makes a value of the very shape.
func (p *program) shapedExactly(d tensor.DType, dims []int) value {
	return p.pick(d, func(v value) bool { return slices.Equal(v.n.Dims(), dims) }, func() []int { return dims })
}

func (p *program) reduceStep() {
	d := rapid.SampledFrom(numberTypes).Draw(p.t, "type")
	v := p.of(d, p.intn("rank", 1, 3))
	dims := v.n.Dims()
	axis := p.intn("axis", 0, len(dims)-1)
	terms := float64(max(dims[axis], 1))
	rounding := terms * ulp(d, terms*v.bound)
	if v.exact() && v.step > 0 && terms*v.bound/v.step <= 1<<exactBits {
		rounding = 0
	}
	switch p.intn("reduction", 0, 3) {
	case 0:
		p.add(tensor.Sum(v.n, axis), terms*v.bound, terms*v.err+rounding, v.step)
	case 1:
		p.add(tensor.CumSum(v.n, axis, p.bool("reverse")), terms*v.bound, terms*v.err+rounding, v.step)
	case 2:
		if dims[axis] > 0 {
			p.add(tensor.ReduceMax(v.n, axis), v.bound, v.err, v.step)
		}
	case 3:
		if dims[axis] > 0 && v.exact() {
			p.add(tensor.ArgMax(v.n, axis), terms, 0, 1)
		}
	}
}

// sumOfProducts adds n, each element of which is a sum of so many products of elements of a and b.
func (p *program) sumOfProducts(n *tensor.Node, terms int, a, b value) {
	k := float64(max(terms, 1))
	bound, err, step := k*a.bound*b.bound, k*(a.err*b.bound+b.err*a.bound+a.err*b.err), a.step*b.step
	if err > 0 || step == 0 || bound/step > 1<<exactBits {
		err += k * ulp(n.DType(), bound)
	}
	p.add(n, bound, err, step)
}

func (p *program) product() {
	a := p.of(p.float(), 2)
	m, k := a.n.Dims()[0], a.n.Dims()[1]
	ta, tb := p.bool("transpose a"), p.bool("transpose b")
	if ta {
		m, k = k, m
	}
	if m > 200 {
		return
	}
	n := p.intn("columns", 0, 9)
	dims := []int{k, n}
	if tb {
		dims = []int{n, k}
	}
	b := p.shapedExactly(a.n.DType(), dims)
	if p.bool("batch") {
		left, right := tensor.Reshape(a.n, append([]int{1}, a.n.Dims()...)...), tensor.Reshape(b.n, append([]int{1}, dims...)...)
		p.sumOfProducts(tensor.MatMulT(left, right, ta, tb), k, a, b)
		return
	}
	p.sumOfProducts(tensor.MatMulT(a.n, b.n, ta, tb), k, a, b)
}

func (p *program) convolve() {
	one := func() tensor.ConvAxis {
		return tensor.ConvAxis{In: p.intn("in", 0, 6), Kernel: p.intn("kernel", 1, 4), Out: p.intn("out", 0, 5), Stride: p.intn("stride", 1, 3), Dilation: p.intn("dilation", 1, 2), Pad: p.intn("pad", -1, 3)}
	}
	g := tensor.ConvGeometry{N: p.intn("n", 0, 2), Groups: p.intn("groups", 1, 2), CI: p.intn("ci", 0, 3), CO: p.intn("co", 1, 3), Axes: [2]tensor.ConvAxis{one(), one()}}
	d := p.float()
	h, w := g.Axes[0], g.Axes[1]
	taps := h.Kernel * w.Kernel
	switch p.intn("member", 0, 2) {
	case 0:
		x, k := p.shapedExactly(d, g.XDims()), p.shapedExactly(d, g.WDims())
		p.sumOfProducts(tensor.ConvY(g, x.n, k.n), taps*g.CI, x, k)
	case 1:
		k, y := p.shapedExactly(d, g.WDims()), p.shapedExactly(d, g.YDims())
		p.sumOfProducts(tensor.ConvX(g, k.n, y.n), taps*g.CO, k, y)
	case 2:
		x, y := p.shapedExactly(d, g.XDims()), p.shapedExactly(d, g.YDims())
		p.sumOfProducts(tensor.ConvW(g, x.n, y.n), g.N*h.Out*w.Out, x, y)
	}
}

func (p *program) pool() {
	kernel, stride := p.intn("kernel", 1, 3), p.intn("stride", 1, 3)
	pad := p.intn("pad", 0, kernel/2)
	dims := []int{p.intn("n", 1, 2), p.intn("h", kernel, 7), p.intn("w", kernel, 7), p.intn("c", 1, 3)}
	v := p.shapedExactly(p.float(), dims)
	window := tensor.Pooling(v.n, kernel, stride, pad)
	taps := float64(kernel * kernel)
	switch p.intn("pool", 0, 2) {
	case 0:
		if v.exact() {
			p.add(tensor.MaxPoolIndex(window, v.n), float64(v.n.Shape().Size()), 0, 1)
			p.add(tensor.MaxPool(window, v.n), v.bound, 0, v.step)
		}
	case 1:
		p.add(tensor.SumPool(window, v.n), taps*v.bound, taps*(v.err+ulp(v.n.DType(), taps*v.bound)*truth(!v.exact())), v.step)
	case 2:
		y := p.shapedExactly(v.n.DType(), []int{dims[0], window.Axes[0].Out, window.Axes[1].Out, dims[3]})
		p.add(tensor.SumUnpool(window, y.n), taps*y.bound, taps*(y.err+ulp(y.n.DType(), taps*y.bound)*truth(!y.exact())), y.step)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (p *program) index() {
	v := p.of(rapid.SampledFrom(numberTypes).Draw(p.t, "type"), 3)
	rows := v.n.Dims()[1]
	if p.bool("scatter") {
		at := p.shapedExactly(tensor.Int32, v.n.Dims()[:2])
		terms := float64(max(rows, 1))
		rounding := terms * ulp(v.n.DType(), terms*v.bound) * truth(!v.exact() || terms*v.bound > v.step*(1<<exactBits))
		p.add(tensor.ScatterAdd(v.n, at.n, p.intn("rows", 0, 6)), terms*v.bound, terms*v.err+rounding, v.step)
		return
	}
	at := p.shapedExactly(tensor.Int32, []int{v.n.Dims()[0], p.intn("queries", 0, 5)})
	p.values = append(p.values, value{tensor.Gather(v.n, at.n), v.bound, v.err, v.step})
}

func (p *program) random() {
	if p.key == nil {
		p.key = p.g.Input("key", tensor.Uint32, 2)
		a := tensor.NewArray(tensor.ShapeOf(tensor.Uint32, 2))
		a.U32[0], a.U32[1] = uint32(p.intn("key", 0, 1<<30)), 7
		p.c.Inputs["key"] = a
	}
	dims := p.dims(p.intn("rank", 0, 2))
	switch d := p.float(); p.intn("random", 0, 2) {
	case 0:
		p.add(tensor.RandomBits(p.key, dims...), math.MaxUint32, 0, 1)
	case 1:
		p.values = append(p.values, value{tensor.RandomUniform(p.key, d, dims...), 1, 0, 0x1p-24})
	case 2:
		p.add(tensor.RandomNormal(p.key, d, dims...), 6, 0, 0)
	}
}

func (p *program) iota() {
	dims := p.dims(p.intn("rank", 1, 3))
	axis := p.intn("axis", 0, len(dims)-1)
	p.add(p.g.Iota(tensor.ShapeOf(rapid.SampledFrom(numberTypes).Draw(p.t, "type"), dims...), axis), float64(max(dims[axis], 1)), 0, 1)
}
