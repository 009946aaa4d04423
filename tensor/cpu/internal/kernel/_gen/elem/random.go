package main

import (
	"math"

	. "github.com/mmcloughlin/avo/operand"
)

// The generators of ../../random.go. Lanes of a vector are blocks in the order that makes the two words of the blocks,
// unpacked low and high, come out in order of position without a permutation across 128-bit lanes: in the q-th group of
// four lanes, the first two are blocks 2q, 2q+1 and the last two the same in the vector's upper half.

func (m *machine) laneBlocks() []uint32 {
	n := m.lanes()
	blocks := make([]uint32, n)
	for l := range blocks {
		blocks[l] = uint32(l/4*2 + l%4)
		if l%4 >= 2 {
			blocks[l] += uint32(n/2 - 2)
		}
	}
	return blocks
}

func (m *machine) random() {
	m.generator("randomBits", (*machine).unpack)
	m.generator("randomUniform", func(m *machine, a, b vec) (vec, vec) {
		return m.unpack(m.uniform(a), m.uniform(b))
	})
	m.generator("randomWords", func(m *machine, a, b vec) (vec, vec) { return a, b })
	m.normal()
}

// unpack puts the two words of each block beside each other.
func (m *machine) unpack(a, b vec) (low, high vec) {
	low, high = m.reg(), m.reg()
	m.VUNPCKLPS(b, a, low)
	m.VUNPCKHPS(b, a, high)
	return low, high
}

func (m *machine) uniform(a vec) vec {
	return m.mul(m.toFloat(m.shiftRight(a, 8)), m.c(0x1p-24))
}

// generator writes groups of 2·lanes values. schedule holds 10 words: the three of the key schedule, the five that
// the second word takes after each four rounds, the second word of the counter plus its key, and the first block
// plus its key.
//
// The rounds are one long chain of dependent operations, so several groups go through them in step.
func (m *machine) generator(name string, finish func(m *machine, a, b vec) (vec, vec)) {
	m.function(name, "func(dst, schedule *uint32, groups int)")
	dst, schedule, groups := m.param("dst"), m.param("schedule"), m.param("groups")
	word := func(i int) Op { return m.broadcast(Mem{Base: schedule, Disp: 4 * i}) }
	key, together := word, 4
	if m.evex {
		keys := make([]Op, 9)
		for i := range keys {
			keys[i] = word(i)
		}
		key, together = func(i int) Op { return keys[i] }, 8
	}
	block := m.addInt(word(9), m.table(name+"Lanes", m.laneBlocks()))
	m.strides("loop", groups, 1, together, func(units int) {
		a, b := m.threefry(block, key, units)
		for u := range units {
			low, high := finish(m, a[u], b[u])
			m.VMOVUPS(low, Mem{Base: dst, Disp: 2 * u * m.bits / 8})
			m.VMOVUPS(high, Mem{Base: dst, Disp: (2*u + 1) * m.bits / 8})
		}
		m.ADDQ(U32(2*units*m.bits/8), dst)
		m.VPADDD(m.word(uint32(units*m.lanes())), block, block)
	})
	m.end()
}

// threefry is the 20 rounds of several groups, from the first word of the counter plus its key.
func (m *machine) threefry(block vec, key func(int) Op, units int) (a, b []vec) {
	second := key(8)
	for u := range units {
		a = append(a, m.addInt(block, m.word(uint32(u*m.lanes()))))
		b = append(b, m.copy(second))
	}
	rotations := []uint8{13, 15, 26, 6, 17, 29, 16, 24}
	for round := range 20 {
		for u := range units {
			m.VPADDD(b[u], a[u], a[u])
		}
		for u := range units {
			b[u] = m.rotate(b[u], rotations[round%8])
		}
		for u := range units {
			b[u] = m.xor(b[u], a[u])
		}
		if round%4 == 3 {
			s := round/4 + 1
			first, second := key(s%3), key(2+s)
			for u := range units {
				m.VPADDD(first, a[u], a[u])
				m.VPADDD(second, b[u], b[u])
			}
		}
	}
	return a, b
}

// normal turns what randomWords wrote into normal values, in place.
func (m *machine) normal() {
	m.function("randomNormal", "func(dst *float32, groups int)")
	dst, groups := m.param("dst"), m.param("groups")
	if m.evex {
		m.hoist(16, func(dry *machine) { dry.boxMuller(dry.reg(), dry.reg()) })
	}
	m.strides("loop", groups, 1, 1, func(int) {
		second := Mem{Base: dst, Disp: m.bits / 8}
		low, high := m.unpack(m.boxMuller(m.copy(Mem{Base: dst}), m.copy(second)))
		m.VMOVUPS(low, Mem{Base: dst})
		m.VMOVUPS(high, second)
		m.ADDQ(U32(2*m.bits/8), dst)
	})
	m.end()
}

func (m *machine) boxMuller(a, b vec) (z0, z1 vec) {
	u := m.toFloat(m.addInt(m.shiftRight(a, 8), m.word(1)))
	e, f := m.splitLog(m.mul(u, m.c(0x1p-24)))
	radius := m.sqrt(m.mul(m.joinLog(e, f, nil), m.c(-2)))

	q := m.shiftRight(m.addInt(b, m.word(1<<29)), 30)
	x := m.mul(m.toFloat(m.subInt(b, m.shiftLeft(q, 30))), m.c(math.Pi*0x1p-31))
	sine, cosine := m.quarterSinCos(q, x)
	return m.mul(radius, cosine), m.mul(radius, sine)
}
