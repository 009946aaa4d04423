package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// place is where in the operands a loop body works: a whole vector at an index, or, with a mask, the last few elements.
type place struct {
	index reg.Register
	shift int // further elements, in an unrolled loop
	tail  Op  // nil, or a mask register (AVX-512) or vector (AVX2) of the lanes that exist
}

func (p place) of(base reg.Register, size int) Mem {
	return Mem{Base: base, Index: p.index, Scale: uint8(size), Disp: p.shift * size}
}

// load reads 32-bit lanes; those outside the operand are 0.
func (m *machine) load(base reg.Register, p place) vec {
	d := m.reg()
	switch {
	case p.tail == nil:
		m.VMOVUPS(p.of(base, 4), d)
	case m.evex:
		m.VMOVUPS_Z(p.of(base, 4), p.tail, d)
	default:
		m.VMASKMOVPS(p.of(base, 4), p.tail, d)
	}
	return d
}

// store writes 32-bit lanes.
func (m *machine) store(v Op, base reg.Register, p place) {
	switch {
	case p.tail == nil:
		m.VMOVUPS(v, p.of(base, 4))
	case m.evex:
		m.VMOVUPS(v, p.tail, p.of(base, 4))
	default:
		m.VMASKMOVPS(v, p.tail, p.of(base, 4))
	}
}

// loadBools reads bytes as a mask of the lanes that are not 0. With AVX2 there must be no tail.
func (m *machine) loadBools(base reg.Register, p place) Op {
	d := m.mask()
	if !m.evex {
		wide := m.YMM()
		m.VPMOVZXBD(p.of(base, 1), wide)
		m.VPCMPGTD(m.zero(), wide, d)
		return d
	}
	x := m.XMM()
	if p.tail == nil {
		m.VMOVDQU8(p.of(base, 1), x)
	} else {
		m.VMOVDQU8_Z(p.of(base, 1), p.tail, x)
	}
	m.VPTESTMB(x, x, d)
	return d
}

// storeBools writes a mask as bytes 0 and 1. With AVX2 there must be no tail.
func (m *machine) storeBools(mask Op, base reg.Register, p place) {
	if m.evex {
		one, x := m.XMM(), m.XMM()
		m.VMOVDQU8(m.word(0x01010101).(Mem), one)
		m.VMOVDQU8_Z(one, mask, x)
		if p.tail == nil {
			m.VMOVDQU8(x, p.of(base, 1))
		} else {
			m.VMOVDQU8(x, p.tail, p.of(base, 1))
		}
		return
	}
	bit := m.shiftRight(mask, 31)
	high := m.XMM()
	m.VEXTRACTI128(U8(1), bit, high)
	m.VPACKSSDW(high, bit.AsX(), high)
	m.VPACKSSWB(high, high, high)
	m.VMOVQ(high, p.of(base, 1))
}

// loop runs body over n elements: unroll vectors at a time, then one, then (if masked) the rest under a mask. n is
// changed. Labels begin with name.
func (m *machine) loop(name string, n reg.GPVirtual, unroll int, masked bool, body func(place)) {
	i := m.GP64()
	m.XORQ(i, i)
	m.strides(name, n, m.lanes(), unroll, func(vectors int) {
		for v := range vectors {
			body(place{index: i, shift: v * m.lanes()})
		}
		m.ADDQ(U32(vectors*m.lanes()), i)
	})
	if !masked {
		return
	}
	m.TESTQ(n, n)
	m.JZ(LabelRef(name + "Done"))
	body(place{index: i, tail: m.tailMask(n)})
	m.Label(name + "Done")
}

// strides counts n down by unroll units and then by one, and leaves n below one unit.
func (m *machine) strides(name string, n reg.GPVirtual, unit, unroll int, body func(units int)) {
	counts := []int{unroll, 1}
	if unroll == 1 {
		counts = counts[1:]
	}
	for _, units := range counts {
		loop, over := name, name+"Over"
		if units > 1 {
			loop, over = name+"Unrolled", name+"UnrolledOver"
		}
		m.SUBQ(U32(units*unit), n)
		m.JL(LabelRef(over))
		m.Label(loop)
		body(units)
		m.SUBQ(U32(units*unit), n)
		m.JGE(LabelRef(loop))
		m.Label(over)
		m.ADDQ(U32(units*unit), n)
	}
}

// tailMask returns the mask of the first n lanes, for n below the number of lanes.
func (m *machine) tailMask(n reg.GPVirtual) Op {
	if m.evex {
		bit, k := m.GP64(), m.K()
		m.MOVQ(n, reg.RCX)
		m.MOVQ(U32(1), bit)
		m.SHLQ(reg.CL, bit)
		m.DECQ(bit)
		m.KMOVW(bit.As32(), k)
		return k
	}
	return m.tailVector(n, 0)
}

// tailVector returns, without AVX-512, the vector mask of lanes skip, skip+1, … of a tail of n ≤ 16 elements.
func (m *machine) tailVector(n reg.GPVirtual, skip int) Op {
	t, at := m.GP64(), m.GP64()
	m.LEAQ(m.tailTable(), t)
	m.MOVQ(U32(16), at)
	m.SUBQ(n, at)
	return m.copy(Mem{Base: t, Index: at, Scale: 4, Disp: 4 * skip})
}

// tailTable is 16 words of ones and 16 of zeros; read from word 16-n, it is the mask of n lanes.
func (m *machine) tailTable() Mem {
	const key = 0x7a11 // no constant of the formulas
	if _, ok := m.constants[key]; !ok {
		words := make([]uint32, 32)
		for i := range 16 {
			words[i] = ^uint32(0)
		}
		m.constants[key] = m.table("elemTail", words)
	}
	return m.constants[key]
}
