package main

import . "github.com/mmcloughlin/avo/operand"

// The formulas of ../../math_trig.go.

const (
	twoOverPi                 = 0x1.45f306p-1
	halfPi1, halfPi2, halfPi3 = 0x1.921fb6p+0, -0x1.777a5cp-25, -0x1.ee59dap-50
	trigMax                   = 0x1p15
)

var (
	sinS = []float64{-0x1.994dd6p-13, 0x1.11075ep-7, -0x1.555546p-3}
	cosC = []float64{0x1.9a0192p-16, -0x1.6c0c8ap-10, 0x1.55554ap-5}
)

func (m *machine) sin(x Op) vec {
	s, _ := m.quarterSinCos(m.reduceQuarter(x))
	return m.blend(m.cmp(equal, x, m.c(0)), x, s)
}

func (m *machine) cos(x Op) vec {
	_, c := m.quarterSinCos(m.reduceQuarter(x))
	return c
}

func (m *machine) reduceQuarter(x Op) (q, r vec) {
	n := m.round(m.mul(x, m.c(twoOverPi)), 0)
	r = m.fma(n, m.c(-halfPi1), x)
	m.addMul(r, n, m.c(-halfPi2))
	m.addMul(r, n, m.c(-halfPi3))
	return m.toInt(n), r
}

func (m *machine) quarterSinCos(q, r vec) (sine, cosine vec) {
	z := m.mul(r, r)
	s := m.fma(m.mul(r, z), m.horner(sinS, z), r)
	c := m.fma(z, m.c(-0.5), m.c(1))
	m.addMul(c, m.mul(z, z), m.horner(cosC, z))
	swap := m.oddMask(q)
	sine, cosine = m.blend(swap, c, s), m.blend(swap, s, c)
	return m.xor(sine, m.quarterSign(q)), m.xor(cosine, m.quarterSign(m.addInt(q, m.word(1))))
}

// oddMask is the mask of lanes whose integer is odd.
func (m *machine) oddMask(q Op) Op {
	if m.evex {
		k := m.K()
		m.VPTESTMD(m.word(1), q, k)
		return k
	}
	return m.shiftLeft(q, 31) // VBLENDVPS reads the highest bit
}

// quarterSign is the sign bit where bit 1 of q is set.
func (m *machine) quarterSign(q Op) vec {
	return m.and(m.shiftLeft(q, 30), m.word(signBit))
}

// beyond writes the function that reports whether some |x| exceeds trigMax.
func (m *machine) beyond() {
	m.function("beyond", "func(x *float32, n int) bool")
	x, n := m.param("x"), m.param("n")
	found := m.GP32()
	m.XORL(found, found)
	m.loop("loop", n, 4, true, func(p place) {
		mask := m.cmp(greater, m.abs(m.load(x, p)), m.c(trigMax))
		lanes := m.GP32()
		if m.evex {
			m.KMOVW(mask, lanes)
		} else {
			m.VMOVMSKPS(mask, lanes)
		}
		m.ORL(lanes, found)
	})
	answer := m.GP8()
	m.TESTL(found, found)
	m.SETNE(answer)
	m.Store(answer, m.ReturnIndex(0))
	m.end()
}
