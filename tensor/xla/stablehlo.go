package xla

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/likely-ml/likely/tensor"
)

// writer writes the body of a StableHLO function, one operation a line, in MLIR's generic form: it is longer than the pretty
// form but the same for every operation and in every version of StableHLO.
//
// https://github.com/openxla/stablehlo/blob/main/docs/spec.md defines the operations.
type writer struct {
	body strings.Builder
	next int // the number of the next value
}

// value is a named result of an operation.
type value struct {
	name  string
	shape tensor.Shape
}

func (v value) dims() []int         { return v.shape.Dims }
func (v value) dtype() tensor.DType { return v.shape.DType }

// shaped is the shape of v with other extents.
func (v value) shaped(dims ...int) tensor.Shape { return tensor.ShapeOf(v.dtype(), dims...) }

var elementTypes = map[tensor.DType]string{
	tensor.Float32: "f32", tensor.Float64: "f64", tensor.Int32: "i32", tensor.Uint32: "ui32", tensor.Bool: "i1",
}

// typeOf is a shape as MLIR writes it: tensor<128x784xf32>.
func typeOf(s tensor.Shape) string {
	var b strings.Builder
	b.WriteString("tensor<")
	for _, e := range s.Dims {
		fmt.Fprintf(&b, "%dx", e)
	}
	return b.String() + elementTypes[s.DType] + ">"
}

func typesOf(shapes []tensor.Shape) string {
	types := make([]string, len(shapes))
	for i, s := range shapes {
		types[i] = typeOf(s)
	}
	return strings.Join(types, ", ")
}

func (w *writer) name() string {
	w.next++
	return fmt.Sprint("%", w.next-1)
}

// op writes an operation with one result.
func (w *writer) op(name string, out tensor.Shape, attributes []string, in ...value) value {
	return w.region(name, []tensor.Shape{out}, attributes, nil, in...)[0]
}

// region writes an operation that has a region: a function of scalars of these types, whose body writes its results.
func (w *writer) region(name string, out []tensor.Shape, attributes []string, region func() string, in ...value) []value {
	id := w.name()
	var inner string
	if region != nil {
		inner = " (" + region() + ")"
	}
	names, types := make([]string, len(in)), make([]tensor.Shape, len(in))
	for i, x := range in {
		names[i], types[i] = x.name, x.shape
	}
	results, count := typesOf(out), ""
	if len(out) > 1 {
		results, count = "("+results+")", fmt.Sprint(":", len(out))
	}
	attribute := ""
	if len(attributes) > 0 {
		attribute = " {" + strings.Join(attributes, ", ") + "}"
	}
	fmt.Fprintf(&w.body, "    %s%s = %q(%s)%s%s : (%s) -> %s\n", id, count, name, strings.Join(names, ", "), inner, attribute, typesOf(types), results)
	if len(out) == 1 {
		return []value{{id, out[0]}}
	}
	values := make([]value, len(out))
	for i, s := range out {
		values[i] = value{fmt.Sprint(id, "#", i), s}
	}
	return values
}

// scalars is the text of a region with parameters of these types. The lines that body writes become part of it.
func (w *writer) scalars(types []tensor.DType, body func(x []value) []value) string {
	var x []value
	var declared []string
	for _, d := range types {
		v := value{w.name(), tensor.ShapeOf(d)}
		x = append(x, v)
		declared = append(declared, v.name+": "+typeOf(v.shape))
	}
	outer := w.body
	w.body = strings.Builder{}
	var names []string
	var shapes []tensor.Shape
	for _, r := range body(x) {
		names, shapes = append(names, r.name), append(shapes, r.shape)
	}
	lines := w.body.String()
	w.body = outer
	return fmt.Sprintf("{\n    ^bb0(%s):\n%s    \"stablehlo.return\"(%s) : (%s) -> ()\n    }", strings.Join(declared, ", "), lines, strings.Join(names, ", "), typesOf(shapes))
}

// combine is the region of an operation that combines two scalars of type d.
func (w *writer) combine(name string, d tensor.DType) func() string {
	return func() string {
		return w.scalars([]tensor.DType{d, d}, func(x []value) []value { return []value{w.op(name, x[0].shape, nil, x...)} })
	}
}

// integers is the attribute name = array<i64: …>.
func integers(name string, xs ...int) string {
	if len(xs) == 0 {
		return name + " = array<i64>"
	}
	return name + " = array<i64: " + list(xs) + ">"
}

func integer(name string, x int) string { return fmt.Sprintf("%s = %d : i64", name, x) }

func list(xs []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(xs), " ", ", "), "[]") }

// edges is the attribute of a padding before and after each axis.
func edges(low, high []int) string {
	pairs := make([]string, len(low))
	for i := range low {
		pairs[i] = fmt.Sprintf("[%d, %d]", low[i], high[i])
	}
	return fmt.Sprintf("padding = dense<[%s]> : tensor<%dx2xi64>", strings.Join(pairs, ", "), len(low))
}

// number is an element as MLIR writes it. What has no decimal digits is given by its bits.
func number(d tensor.DType, v float64) string {
	switch d {
	case tensor.Bool:
		return strconv.FormatBool(v != 0)
	case tensor.Int32, tensor.Uint32:
		return strconv.FormatInt(int64(v), 10)
	}
	bits := 64
	if d == tensor.Float32 {
		bits, v = 32, float64(float32(v))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		if bits == 32 {
			return fmt.Sprintf("0x%08X", math.Float32bits(float32(v)))
		}
		return fmt.Sprintf("0x%016X", math.Float64bits(v))
	}
	s := strconv.FormatFloat(v, 'e', -1, bits)
	if !strings.Contains(s, ".") {
		s = strings.Replace(s, "e", ".0e", 1)
	}
	return s
}

func (w *writer) dense(s tensor.Shape, literal string) value {
	return w.op("stablehlo.constant", s, []string{"value = dense<" + literal + "> : " + typeOf(s)})
}

// full is an array of equal elements.
func (w *writer) full(s tensor.Shape, v float64) value {
	if s.Size() == 0 {
		return w.dense(s, "")
	}
	return w.dense(s, number(s.DType, v))
}

// like is an array of equal elements in the shape of x.
func (w *writer) like(x value, v float64) value { return w.full(x.shape, v) }

// constant writes the elements out.
func (w *writer) constant(a *tensor.Array) value {
	at := 0
	var literal func(dims []int) string
	literal = func(dims []int) string {
		if len(dims) == 0 {
			at++
			return number(a.Shape.DType, element(a, at-1))
		}
		parts := make([]string, dims[0])
		for i := range parts {
			parts[i] = literal(dims[1:])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return w.dense(a.Shape, literal(a.Shape.Dims))
}

func element(a *tensor.Array, i int) float64 {
	switch a.Shape.DType {
	case tensor.Float32:
		return float64(a.F32[i])
	case tensor.Float64:
		return a.F64[i]
	case tensor.Int32:
		return float64(a.I32[i])
	case tensor.Uint32:
		return float64(a.U32[i])
	}
	if a.Bool[i] {
		return 1
	}
	return 0
}

// map1 and map2 are elementwise operations.
func (w *writer) map1(name string, x value) value { return w.op("stablehlo."+name, x.shape, nil, x) }

func (w *writer) map2(name string, a, b value) value {
	return w.op("stablehlo."+name, a.shape, nil, a, b)
}

// compare is an elementwise comparison: EQ, NE, LT, LE, GT or GE. NaN equals nothing, itself included.
func (w *writer) compare(direction string, a, b value) value {
	return w.op("stablehlo.compare", tensor.ShapeOf(tensor.Bool, a.dims()...),
		[]string{"comparison_direction = #stablehlo<comparison_direction " + direction + ">"}, a, b)
}

func (w *writer) choose(cond, a, b value) value {
	return w.op("stablehlo.select", a.shape, nil, cond, a, b)
}

func (w *writer) convert(x value, d tensor.DType) value {
	if x.dtype() == d {
		return x
	}
	return w.op("stablehlo.convert", tensor.ShapeOf(d, x.dims()...), nil, x)
}

func (w *writer) reshape(x value, dims ...int) value {
	if slices.Equal(dims, x.dims()) {
		return x
	}
	return w.op("stablehlo.reshape", x.shaped(dims...), nil, x)
}

// broadcast repeats axes of extent 1.
func (w *writer) broadcast(x value, dims ...int) value {
	axes := make([]int, len(dims))
	for i := range axes {
		axes[i] = i
	}
	return w.op("stablehlo.broadcast_in_dim", x.shaped(dims...), []string{integers("broadcast_dimensions", axes...)}, x)
}

func (w *writer) transpose(x value, perm ...int) value {
	dims := make([]int, len(perm))
	for i, p := range perm {
		dims[i] = x.dims()[p]
	}
	return w.op("stablehlo.transpose", x.shaped(dims...), []string{integers("permutation", perm...)}, x)
}

func (w *writer) slice(x value, start, limit, stride []int) value {
	dims := make([]int, len(start))
	for i := range dims {
		dims[i] = (limit[i] - start[i] + stride[i] - 1) / stride[i]
	}
	return w.op("stablehlo.slice", x.shaped(dims...),
		[]string{integers("start_indices", start...), integers("limit_indices", limit...), integers("strides", stride...)}, x)
}

// pad puts fill before, after and between elements; negative widths cut off.
func (w *writer) pad(x value, fill float64, low, high, interior []int) value {
	dims := make([]int, len(low))
	for i, e := range x.dims() {
		dims[i] = low[i] + e + max(e-1, 0)*interior[i] + high[i]
	}
	return w.op("stablehlo.pad", x.shaped(dims...),
		[]string{integers("edge_padding_low", low...), integers("edge_padding_high", high...), integers("interior_padding", interior...)},
		x, w.full(x.shaped(), fill))
}

func (w *writer) concat(axis int, xs ...value) value {
	dims := slices.Clone(xs[0].dims())
	for _, x := range xs[1:] {
		dims[axis] += x.dims()[axis]
	}
	return w.op("stablehlo.concatenate", xs[0].shaped(dims...), []string{integer("dimension", axis)}, xs...)
}

func (w *writer) reverse(x value, axes ...int) value {
	return w.op("stablehlo.reverse", x.shape, []string{integers("dimensions", axes...)}, x)
}

func (w *writer) iota(s tensor.Shape, axis int) value {
	return w.op("stablehlo.iota", s, []string{integer("iota_dimension", axis)})
}
