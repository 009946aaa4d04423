package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// hoistLimit of the 32 vector registers of AVX-512 hold constants in unary kernels; without AVX-512 constants stay in
// memory, where an instruction reads them as an operand.
const hoistLimit = 20

var unaryKernels = []struct {
	field  string // of Float32Table
	unroll int
	apply  func(*machine, Op) vec
}{
	{"Neg", 4, (*machine).neg},
	{"Abs", 4, (*machine).abs},
	{"Sign", 2, (*machine).sign},
	{"Sqrt", 1, (*machine).sqrt},
	{"Rsqrt", 1, func(m *machine, x Op) vec { return m.div(m.c(1), m.sqrt(x)) }},
	{"Floor", 4, func(m *machine, x Op) vec { return m.round(x, 1) }},
	{"Round", 4, func(m *machine, x Op) vec { return m.round(x, 0) }},
	{"Exp", 1, (*machine).exp},
	{"Expm1", 1, (*machine).expm1},
	{"Log", 1, (*machine).log},
	{"Log1p", 1, (*machine).log1p},
	{"Tanh", 1, (*machine).tanh},
	{"Sigmoid", 1, (*machine).sigmoid},
	{"Softplus", 1, (*machine).softplus},
	{"Erf", 1, (*machine).erf},
}

// trigKernels work for |x| up to trigMax; the tables take plain Go where a tile has more.
var trigKernels = []struct {
	field string
	apply func(*machine, Op) vec
}{
	{"Sin", (*machine).sin},
	{"Cos", (*machine).cos},
}

var conversionKernels = []struct {
	field, dst, src string
	apply           func(*machine, Op) vec
}{
	{"FromInt32", "float32", "int32", (*machine).toFloat},
	{"ToInt32", "int32", "float32", (*machine).truncate},
}

var binaryKernels = []struct {
	field string
	apply func(m *machine, a, b Op) vec
}{
	{"Add", (*machine).add},
	{"Sub", (*machine).sub},
	{"Mul", (*machine).mul},
	{"Div", (*machine).div},
	{"Min", (*machine).min},
	{"Max", (*machine).max},
}

var compareKernels = []struct {
	field     string
	predicate uint8
}{
	{"Less", less},
	{"LessEqual", lessEqual},
	{"Equal", equal},
	{"NotEqual", notEqual},
}

// forms are the vector and scalar forms of a kernel with two operands.
var forms = []string{"VV", "VS", "SV"}

// operands loads what a form needs before the loop, and returns how to read a and b inside it.
func (m *machine) operands(form string) func(p place) (a, b Op) {
	var base [2]reg.GPVirtual
	var fixed [2]vec
	for i, name := range []string{"a", "b"} {
		if form[i] == 'V' {
			base[i] = m.param(name)
		} else {
			fixed[i] = m.scalar(name)
		}
	}
	return func(p place) (a, b Op) {
		var o [2]Op
		for i := range o {
			if form[i] == 'V' {
				o[i] = m.load(base[i], p)
			} else {
				o[i] = fixed[i]
			}
		}
		return o[0], o[1]
	}
}

// parameters is the part of a signature that declares a and b.
func parameters(form string) string {
	switch form {
	case "VV":
		return "a, b *float32"
	case "VS":
		return "a *float32, b float32"
	case "SV":
		return "a float32, b *float32"
	}
	return "a, b float32"
}

func (m *machine) elementwise() {
	for _, k := range unaryKernels {
		m.unary(k.field, "float32", "float32", k.unroll, k.apply)
	}
	for _, k := range conversionKernels {
		m.unary(k.field, k.dst, k.src, 4, k.apply)
	}
	for _, k := range binaryKernels {
		for _, form := range forms {
			m.function(lower(k.field)+form, fmt.Sprintf("func(dst *float32, %s, n int)", parameters(form)))
			dst, read, n := m.param("dst"), m.operands(form), m.param("n")
			m.loop("loop", n, 4, true, func(p place) {
				a, b := read(p)
				m.store(k.apply(m, a, b), dst, p)
			})
			m.end()
		}
	}
	for _, k := range compareKernels {
		for _, form := range forms {
			m.function(lower(k.field)+form, fmt.Sprintf("func(dst *bool, %s, n int)", parameters(form)))
			dst, read, n := m.param("dst"), m.operands(form), m.param("n")
			m.loop("loop", n, 4, m.evex, func(p place) {
				a, b := read(p)
				m.storeBools(m.cmp(k.predicate, a, b), dst, p)
			})
			m.end()
		}
	}
	for _, form := range append(forms, "SS") {
		m.function("select"+form, fmt.Sprintf("func(dst *float32, cond *bool, %s, n int)", parameters(form)))
		dst, cond, read, n := m.param("dst"), m.param("cond"), m.operands(form), m.param("n")
		m.loop("loop", n, 4, m.evex, func(p place) {
			a, b := read(p)
			m.store(m.blend(m.loadBools(cond, p), a, b), dst, p)
		})
		m.end()
	}
	for _, k := range trigKernels {
		m.unary(k.field, "float32", "float32", 1, k.apply)
	}
	m.beyond()
	m.isFinite()
	m.fill()
	m.fromBool()
	m.adam()
}

func (m *machine) unary(field, dstType, srcType string, unroll int, apply func(*machine, Op) vec) {
	m.function(lower(field), fmt.Sprintf("func(dst *%s, x *%s, n int)", dstType, srcType))
	dst, x, n := m.param("dst"), m.param("x"), m.param("n")
	if m.evex {
		m.hoist(hoistLimit, func(dry *machine) { apply(dry, dry.reg()) })
	}
	m.loop("loop", n, unroll, true, func(p place) {
		m.store(apply(m, m.load(x, p)), dst, p)
	})
	m.end()
}

func (m *machine) isFinite() {
	m.function("isFinite", "func(dst *bool, x *float32, n int)")
	dst, x, n := m.param("dst"), m.param("x"), m.param("n")
	m.loop("loop", n, 4, m.evex, func(p place) {
		m.storeBools(m.cmp(less, m.abs(m.load(x, p)), m.c(inf)), dst, p)
	})
	m.end()
}

func (m *machine) fill() {
	m.function("fill", "func(dst *float32, v float32, n int)")
	dst, v, n := m.param("dst"), m.scalar("v"), m.param("n")
	m.loop("loop", n, 4, true, func(p place) { m.store(v, dst, p) })
	m.end()
}

func (m *machine) fromBool() {
	m.function("fromBool", "func(dst *float32, x *bool, n int)")
	dst, x, n := m.param("dst"), m.param("x"), m.param("n")
	m.loop("loop", n, 4, m.evex, func(p place) {
		m.store(m.blend(m.loadBools(x, p), m.c(1), m.c(0)), dst, p)
	})
	m.end()
}

// adam is Float32Table.Adam; the fields of AdamHyper lie at h in the order of hyper. Two vectors at a time keep the
// divider busy.
func (m *machine) adam() {
	m.function("adam", "func(p1, m1, v1, p, m, v, gr, h *float32, n int)")
	p1, m1, v1 := m.param("p1"), m.param("m1"), m.param("v1")
	p, mo, v, gr := m.param("p"), m.param("m"), m.param("v"), m.param("gr")
	h := m.param("h")
	var hyper [8]vec
	for i := range hyper {
		hyper[i] = m.broadcast(Mem{Base: h, Disp: 4 * i})
	}
	beta1, rest1, beta2, rest2 := hyper[0], hyper[1], hyper[2], hyper[3]
	rate, correction, epsilon, shrink := hyper[4], hyper[5], hyper[6], hyper[7]
	n := m.param("n")
	m.loop("loop", n, 2, true, func(at place) {
		g := m.load(gr, at)
		vi := m.add(m.mul(beta2, m.load(v, at)), m.mul(m.mul(g, g), rest2))
		m.store(vi, v1, at)
		mi := m.add(m.mul(beta1, m.load(mo, at)), m.mul(rest1, g))
		m.store(mi, m1, at)
		d := m.add(m.mul(m.sqrt(vi), correction), epsilon)
		u := m.div(m.mul(rate, mi), d)
		m.store(m.sub(m.mul(shrink, m.load(p, at)), u), p1, at)
	})
	m.end()
}
