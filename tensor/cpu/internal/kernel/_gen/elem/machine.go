package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vec is a vector register of float32 or 32-bit integer lanes.
type vec = reg.VecVirtual

// machine writes vector instructions for one instruction set. Each method that returns a vec or mask writes to a new
// register, except where it says that it works in place. Operands may be registers or memory.
type machine struct {
	*build.Context
	evex bool // AVX-512: mask registers, 32 vector registers
	bits int  // vector width: 512, 256 or 128

	hoisted   map[uint32]vec // constants that live in registers
	collect   *[]uint32      // in a dry run, the constants used, in order
	constants map[uint32]Mem // constants in memory, shared by all functions
}

func newMachine(ctx *build.Context, evex bool) *machine {
	m := &machine{Context: ctx, evex: evex, bits: 256, constants: map[uint32]Mem{}}
	if evex {
		m.bits = 512
	}
	return m
}

// suffix is the end of the names of this machine's functions.
func (m *machine) suffix() string {
	if m.evex {
		return "AVX512"
	}
	return "AVX2"
}

// lanes is the number of 32-bit lanes of a vector.
func (m *machine) lanes() int { return m.bits / 32 }

// narrow returns the same instruction set at half the width.
func (m *machine) narrow() *machine {
	n := *m
	n.bits = m.bits / 2
	return &n
}

func (m *machine) reg() vec {
	switch m.bits {
	case 512:
		return m.ZMM()
	case 256:
		return m.YMM()
	}
	return m.XMM()
}

// function begins a function with the given base name and signature.
func (m *machine) function(name, signature string) {
	m.hoisted = map[uint32]vec{}
	m.Function(name + m.suffix())
	m.Attributes(attr.NOSPLIT)
	m.SignatureExpr(signature)
	m.Pragma("noescape")
}

func (m *machine) param(name string) reg.GPVirtual {
	r := m.GP64()
	m.Load(m.Param(name), r)
	return r
}

// scalar broadcasts a float32 parameter.
func (m *machine) scalar(name string) vec {
	p, err := m.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return m.broadcast(p.Addr)
}

// broadcast copies one 32-bit word of memory to all lanes.
func (m *machine) broadcast(x Mem) vec {
	d := m.reg()
	m.VBROADCASTSS(x, d)
	return d
}

// end returns from the function.
func (m *machine) end() {
	m.VZEROUPPER()
	m.RET()
}

// hoist loads the constants that body uses into registers, up to limit of them; the rest stay in memory. It finds them
// by a dry run.
func (m *machine) hoist(limit int, body func(*machine)) {
	var used []uint32
	dry := *m
	dry.Context = build.NewContext()
	dry.Context.Function("dry")
	dry.collect = &used
	body(&dry)
	for _, c := range used {
		if _, done := m.hoisted[c]; !done && len(m.hoisted) < limit {
			m.hoisted[c] = m.broadcast(m.memory(c))
		}
	}
}

// memory returns a whole vector of the constant in read-only memory.
func (m *machine) memory(c uint32) Mem {
	if _, ok := m.constants[c]; !ok {
		m.constants[c] = m.StaticGlobal(fmt.Sprintf("elem%08x%s", c, m.suffix()))
		m.DataAttributes(attr.RODATA | attr.NOPTR)
		for l := range m.lanes() {
			m.AddDatum(4*l, U32(c))
		}
	}
	return m.constants[c]
}

// table returns words in read-only memory.
func (m *machine) table(name string, words []uint32) Mem {
	t := m.StaticGlobal(name + m.suffix())
	m.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, w := range words {
		m.AddDatum(4*i, U32(w))
	}
	return t
}

// word is the constant with these bits in every lane.
func (m *machine) word(c uint32) Op {
	if m.collect != nil {
		*m.collect = append(*m.collect, c)
		return m.reg()
	}
	if r, ok := m.hoisted[c]; ok {
		return r
	}
	return m.memory(c)
}

// c is the float32 constant x in every lane.
func (m *machine) c(x float64) Op { return m.word(math.Float32bits(float32(x))) }

// in returns x in a register, loading it if it is in memory.
func (m *machine) in(x Op) Op {
	if _, ok := x.(Mem); !ok {
		return x
	}
	return m.copy(x)
}

func (m *machine) copy(x Op) vec {
	d := m.reg()
	m.VMOVUPS(x, d)
	return d
}

func (m *machine) zero() vec {
	d := m.reg()
	m.VXORPS(d, d, d)
	return d
}

// binary3 writes d = f(a, b) for instructions whose second source may be memory.
func (m *machine) binary3(f func(...Op), a, b Op) vec {
	d := m.reg()
	f(b, m.in(a), d)
	return d
}

func (m *machine) add(a, b Op) vec { return m.binary3(m.VADDPS, a, b) }
func (m *machine) sub(a, b Op) vec { return m.binary3(m.VSUBPS, a, b) }
func (m *machine) mul(a, b Op) vec { return m.binary3(m.VMULPS, a, b) }
func (m *machine) div(a, b Op) vec { return m.binary3(m.VDIVPS, a, b) }
func (m *machine) and(a, b Op) vec { return m.binary3(m.VANDPS, a, b) }
func (m *machine) or(a, b Op) vec  { return m.binary3(m.VORPS, a, b) }
func (m *machine) xor(a, b Op) vec { return m.binary3(m.VXORPS, a, b) }

// andNot is b with the bits of a cleared.
func (m *machine) andNot(a, b Op) vec { return m.binary3(m.VANDNPS, a, b) }

func (m *machine) addInt(a, b Op) vec { return m.binary3(m.VPADDD, a, b) }
func (m *machine) subInt(a, b Op) vec { return m.binary3(m.VPSUBD, a, b) }

// rawMax is a if a > b, else b; rawMin likewise. Either returns b if one of them is NaN.
func (m *machine) rawMax(a, b Op) vec { return m.binary3(m.VMAXPS, a, b) }
func (m *machine) rawMin(a, b Op) vec { return m.binary3(m.VMINPS, a, b) }

func (m *machine) sqrt(x Op) vec {
	d := m.reg()
	m.VSQRTPS(x, d)
	return d
}

// mulAdd is y = y·x + k, in place.
func (m *machine) mulAdd(y vec, x, k Op) { m.VFMADD213PS(k, m.in(x), y) }

// addMul is y = y + a·b, in place.
func (m *machine) addMul(y vec, a, b Op) { m.VFMADD231PS(b, m.in(a), y) }

// subMul is y = y - a·b, in place.
func (m *machine) subMul(y vec, a, b Op) { m.VFNMADD231PS(b, m.in(a), y) }

// fma is a·b + c.
func (m *machine) fma(a, b, c Op) vec {
	d := m.copy(a)
	m.mulAdd(d, b, c)
	return d
}

// horner evaluates the polynomial with coefficients c, highest power first.
func (m *machine) horner(c []float64, x Op) vec {
	y := m.copy(m.c(c[0]))
	for _, k := range c[1:] {
		m.mulAdd(y, x, m.c(k))
	}
	return y
}

// round rounds to an integer: mode 0 to nearest even, 1 down.
func (m *machine) round(x Op, mode uint8) vec {
	d := m.reg()
	const quiet = 8
	if m.evex {
		m.VRNDSCALEPS(U8(mode|quiet), x, d)
	} else {
		m.VROUNDPS(U8(mode|quiet), x, d)
	}
	return d
}

// toInt rounds to the nearest int32, toFloat to the nearest float32; truncate rounds towards zero.
func (m *machine) toInt(x Op) vec {
	d := m.reg()
	m.VCVTPS2DQ(x, d)
	return d
}

func (m *machine) truncate(x Op) vec {
	d := m.reg()
	m.VCVTTPS2DQ(x, d)
	return d
}

func (m *machine) toFloat(x Op) vec {
	d := m.reg()
	m.VCVTDQ2PS(x, d)
	return d
}

func (m *machine) shiftLeft(x Op, by uint8) vec {
	d := m.reg()
	m.VPSLLD(U8(by), x, d)
	return d
}

func (m *machine) shiftRight(x Op, by uint8) vec {
	d := m.reg()
	m.VPSRLD(U8(by), x, d)
	return d
}

// shiftSigned shifts right and copies the sign.
func (m *machine) shiftSigned(x Op, by uint8) vec {
	d := m.reg()
	m.VPSRAD(U8(by), x, d)
	return d
}

func (m *machine) rotate(x Op, by uint8) vec {
	if m.evex {
		d := m.reg()
		m.VPROLD(U8(by), x, d)
		return d
	}
	return m.or(m.shiftLeft(x, by), m.shiftRight(x, 32-by))
}

// Predicates of cmp, as VCMPPS numbers them.
const (
	equal          = 0  // false with NaN
	less           = 1  // false with NaN
	lessEqual      = 2  // false with NaN
	unordered      = 3  // one of them is NaN
	notEqual       = 4  // true with NaN
	notLessEqual   = 6  // greater, or one of them is NaN
	ordered        = 7  // neither is NaN
	equalUnordered = 8  // equal, or one of them is NaN
	greater        = 30 // false with NaN
)

// cmp returns the mask of lanes where a and b satisfy the predicate: a mask register with AVX-512, else a vector.
func (m *machine) cmp(predicate uint8, a, b Op) Op {
	var d Op = m.mask()
	m.VCMPPS(U8(predicate), b, m.in(a), d)
	return d
}

func (m *machine) mask() Op {
	if m.evex {
		return m.K()
	}
	return m.reg()
}

// both is the lanes in both masks.
func (m *machine) both(a, b Op) Op {
	if !m.evex {
		return m.and(a, b)
	}
	k := m.K()
	m.KANDW(a, b, k)
	return k
}

// blend is yes where mask is set, else no.
func (m *machine) blend(mask, yes, no Op) vec {
	if m.evex { // not VBLENDMPS, whose result avo takes for an operand as well, so that it lives too long
		d := m.copy(no)
		m.VMOVUPS(yes, mask, d)
		return d
	}
	d := m.reg()
	m.VBLENDVPS(mask, yes, m.in(no), d)
	return d
}
