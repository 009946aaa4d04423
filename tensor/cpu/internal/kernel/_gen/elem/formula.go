package main

import (
	"math"

	. "github.com/mmcloughlin/avo/operand"
)

// The formulas of ../../math.go, operation for operation. The tests of package kernel demand equal bits.

const (
	log2e          = 0x1.715476p+0
	ln2Hi, ln2Lo   = 0x1.62e4p-1, 0x1.7f7d1cp-20
	expMax, expMin = 89, -104
	expm1Min       = -26
	sqrtHalfBits   = 0x3f3504f3
	mantissaMask   = 0x007fffff
	tanhSmall      = 0.55
	erfSmall       = 0.875
	erfMax         = 4.1
	signBit        = 0x80000000
)

var (
	inf  = math.Inf(1)
	expQ = []float64{0x1.a032c2p-13, 0x1.6d723ep-10, 0x1.11118ap-7, 0x1.5554bp-5, 0x1.555554p-3, 0.5}
	logP = []float64{0x1.14574p-4, -0x1.de3bf8p-4, 0x1.e6f08cp-4, -0x1.fc220ep-4, 0x1.233766p-3, -0x1.555c4ep-3,
		0x1.99a4b6p-3, -0x1.000006p-2, 0x1.555548p-2}
	tanhT = []float64{-0x1.9b302ap-8, 0x1.593d02p-6, -0x1.b9287ap-5, 0x1.110d26p-3, -0x1.55554ap-2}
	erfP  = []float64{0x1.6bdf4ap-14, -0x1.ae7f9p-11, 0x1.553abap-8, -0x1.b819a6p-6, 0x1.ce2e84p-4, -0x1.812744p-2, 0x1.06eba8p-3}
	erfL  = []float64{-0x1.1633a2p-20, -0x1.e2d912p-18, 0x1.73d902p-12, -0x1.0089fap-8, 0x1.934942p-6, -0x1.b8f6dep-4,
		-0x1.4483cp-1, -0x1.211ad2p+0, 0x1.223606p-13}
)

func (m *machine) neg(x Op) vec { return m.xor(x, m.word(signBit)) }
func (m *machine) abs(x Op) vec { return m.andNot(m.word(signBit), x) }

// copySign is |y| with the sign of x.
func (m *machine) copySign(y, x Op) vec {
	return m.or(m.abs(y), m.and(x, m.word(signBit)))
}

func (m *machine) sign(x Op) vec {
	one := m.or(m.and(x, m.word(signBit)), m.c(1))
	return m.blend(m.cmp(equalUnordered, x, m.c(0)), x, one)
}

// max is a if a > b or a is NaN, else b.
func (m *machine) max(a, b Op) vec {
	a = m.in(a)
	return m.blend(m.cmp(unordered, a, a), a, m.rawMax(a, b))
}

// min is a if a < b or a is NaN, else b.
func (m *machine) min(a, b Op) vec {
	a = m.in(a)
	return m.blend(m.cmp(unordered, a, a), a, m.rawMin(a, b))
}

// clamp limits x to [lo, hi] and lets NaN pass.
func (m *machine) clamp(x Op, lo, hi float64) vec {
	return m.rawMin(m.c(hi), m.rawMax(m.c(lo), x))
}

func (m *machine) reduceExp(x Op) (n, r, c vec) {
	n = m.round(m.mul(x, m.c(log2e)), 0)
	h := m.fma(n, m.c(-ln2Hi), x)
	lo := m.in(m.c(-ln2Lo))
	r = m.fma(n, lo, h)
	c = m.sub(h, r)
	m.addMul(c, n, lo)
	return n, r, c
}

func (m *machine) expTail(r, c vec) vec { return m.fma(m.mul(r, r), m.horner(expQ, r), c) }

// pow2 is 2^n for an integer vector n.
func (m *machine) pow2(n Op) vec {
	return m.shiftLeft(m.addInt(n, m.word(127)), 23)
}

func (m *machine) exp(x Op) vec {
	n, r, c := m.reduceExp(m.clamp(x, expMin, expMax))
	y := m.add(m.add(r, m.expTail(r, c)), m.c(1))
	if m.evex { // one instruction scales and rounds once
		d := m.reg()
		m.VSCALEFPS(n, y, d)
		return d
	}
	k := m.toInt(n)
	half := m.shiftSigned(k, 1)
	return m.mul(m.mul(y, m.pow2(half)), m.pow2(m.subInt(k, half)))
}

func (m *machine) expm1(x Op) vec {
	n, r, c := m.reduceExp(m.clamp(x, expm1Min, expMax))
	s := m.pow2(m.toInt(m.rawMin(n, m.c(127))))
	u := m.sub(s, m.c(1))
	lost := m.sub(m.sub(s, u), m.c(1))
	y := m.add(m.fma(s, r, u), m.fma(s, m.expTail(r, c), lost))
	y = m.blend(m.cmp(greater, n, m.c(127)), m.add(y, y), y)
	return m.copySign(y, x)
}

func (m *machine) splitLog(u Op) (e, f vec) {
	b := m.subInt(u, m.word(sqrtHalfBits))
	e = m.toFloat(m.shiftSigned(b, 23))
	f = m.sub(m.addInt(m.and(b, m.word(mantissaMask)), m.word(sqrtHalfBits)), m.c(1))
	return e, f
}

// joinLog takes nil for d = 0.
func (m *machine) joinLog(e, f vec, d Op) vec {
	z := m.mul(f, f)
	y := m.mul(z, m.mul(f, m.horner(logP, f)))
	m.addMul(y, z, m.c(-0.5))
	m.addMul(y, e, m.c(ln2Lo))
	if d != nil {
		y = m.add(y, d)
	}
	t := m.mul(e, m.c(ln2Hi))
	h := m.add(t, f)
	return m.add(h, m.add(m.sub(f, m.sub(h, t)), y))
}

func (m *machine) log(x Op) vec {
	small := m.cmp(less, x, m.c(0x1p-126))
	e, f := m.splitLog(m.blend(small, m.mul(x, m.c(0x1p23)), x))
	e = m.blend(small, m.sub(e, m.c(23)), e)
	return m.logEnds(x, m.joinLog(e, f, nil), 0)
}

// logEnds corrects the logarithm y where x is outside (pole, Inf).
func (m *machine) logEnds(x Op, y vec, pole float64) vec {
	y = m.blend(m.cmp(less, x, m.c(inf)), y, x)
	y = m.blend(m.cmp(less, x, m.c(pole)), m.c(math.NaN()), y)
	return m.blend(m.cmp(equal, x, m.c(pole)), m.c(-inf), y)
}

func (m *machine) log1p(x Op) vec {
	u := m.add(x, m.c(1))
	b := m.sub(u, m.c(1))
	d := m.add(m.sub(m.c(1), m.sub(u, b)), m.sub(x, b))
	e, f := m.splitLog(u)
	y := m.copySign(m.joinLog(e, f, m.div(d, u)), x)
	return m.logEnds(x, y, -1)
}

func (m *machine) tanh(x Op) vec {
	z := m.mul(x, x)
	near := m.fma(m.mul(x, z), m.horner(tanhT, z), x)
	a := m.abs(x)
	t := m.exp(m.mul(a, m.c(-2)))
	one := m.in(m.c(1))
	far := m.sub(one, m.div(m.add(t, t), m.add(t, one)))
	return m.copySign(m.blend(m.cmp(less, a, m.c(tanhSmall)), near, far), x)
}

func (m *machine) erf(x Op) vec {
	near := m.horner(erfP, m.mul(x, x))
	m.mulAdd(near, x, x)
	a := m.abs(x)
	far := m.sub(m.c(1), m.exp(m.horner(erfL, m.clamp(a, 0, erfMax))))
	return m.copySign(m.blend(m.cmp(less, a, m.c(erfSmall)), near, far), x)
}

func (m *machine) sigmoid(x Op) vec {
	t := m.exp(m.or(x, m.word(signBit)))
	one := m.in(m.c(1))
	remainder := m.blend(m.cmp(less, x, m.c(0)), t, one) // the numerator, at first
	u := m.add(t, one)
	d := m.sub(t, m.sub(u, one))
	inverse := m.div(one, u)
	q := m.mul(remainder, inverse)
	m.subMul(remainder, q, u)
	m.subMul(remainder, q, d)
	return m.fma(remainder, inverse, q)
}

func (m *machine) softplus(x Op) vec {
	t := m.exp(m.or(x, m.word(signBit)))
	u := m.add(t, m.c(1))
	d := m.div(m.sub(t, m.sub(u, m.c(1))), u)
	e, f := m.splitLog(u)
	return m.add(m.rawMax(m.c(0), x), m.joinLog(e, f, d))
}
