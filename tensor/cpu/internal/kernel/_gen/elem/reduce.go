package main

import (
	"fmt"
	"math"
	"math/bits"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A reduction joins each value b to the result a so far, from a neutral element on.
var reductions = []struct {
	name    string
	neutral float64
	join    func(m *machine, a, b Op) vec
}{
	{"Sum", 0, (*machine).add},
	// The new value comes first: testing it for NaN is then off the chain of dependent operations.
	{"Max", math.Inf(-1), func(m *machine, a, b Op) vec { return m.max(b, a) }},
}

func (m *machine) reduce() {
	for _, r := range reductions {
		m.rows("row"+r.name, r.neutral, r.join)
		m.columns("col"+r.name, 8, r.neutral, r.join)
		m.columns("col"+r.name+"On", 1, r.neutral, r.join)
	}
}

// rows reduces each row over 16 lanes, which are one vector or two, and then over the tree of ../../reduce.go.
func (m *machine) rows(name string, neutral float64, join func(m *machine, a, b Op) vec) {
	m.function(name, "func(dst, x *float32, rows, cols int)")
	dst, x, rows, cols := m.param("dst"), m.param("x"), m.param("rows"), m.param("cols")
	start := m.copy(m.c(neutral))
	vectors := 16 / m.lanes()
	acc := make([]vec, vectors)
	for v := range acc {
		acc[v] = m.reg()
	}
	index, n := m.GP64(), m.GP64()

	m.TESTQ(rows, rows)
	m.JZ(LabelRef("done"))
	m.Label("row")
	for _, a := range acc {
		m.VMOVAPS(start, a)
	}
	m.XORQ(index, index)
	m.MOVQ(cols, n)
	m.SUBQ(U32(16), n)
	m.JL(LabelRef("rowTail"))
	m.Label("loop")
	for v, a := range acc {
		m.VMOVAPS(join(m, a, m.load(x, place{index: index, shift: v * m.lanes()})), a)
	}
	m.ADDQ(U32(16), index)
	m.SUBQ(U32(16), n)
	m.JGE(LabelRef("loop"))
	m.Label("rowTail")
	m.ADDQ(U32(16), n)
	m.JZ(LabelRef("tree"))
	for v, a := range acc {
		var tail Op
		if m.evex {
			tail = m.tailMask(n)
		} else {
			tail = m.tailVector(n, v*m.lanes())
		}
		p := place{index: index, shift: v * m.lanes(), tail: tail}
		m.VMOVAPS(join(m, a, m.blend(tail, m.load(x, p), start)), a)
	}
	m.Label("tree")
	m.storeLane(m.tree(acc, join), dst)
	m.LEAQ(Mem{Base: x, Index: cols, Scale: 4}, x)
	m.ADDQ(U32(4), dst)
	m.DECQ(rows)
	m.JNZ(LabelRef("row"))
	m.Label("done")
	m.end()
}

// tree joins 16 lanes: l with l+8, then l+4, l+2, l+1. The result is in the lowest lane.
func (m *machine) tree(acc []vec, join func(m *machine, a, b Op) vec) vec {
	half := m
	var y vec
	if m.evex {
		half = m.narrow()
		high := half.reg()
		m.VEXTRACTF64X4(U8(1), acc[0], high)
		y = join(half, acc[0].AsY(), high)
	} else {
		y = join(m, acc[0], acc[1])
	}
	quarter := half.narrow()
	high := quarter.reg()
	if m.evex {
		m.VEXTRACTF32X4(U8(1), y, high)
	} else {
		m.VEXTRACTF128(U8(1), y, high)
	}
	x := join(quarter, y.AsX(), high)
	high = quarter.reg()
	m.VMOVHLPS(x, x, high)
	x = join(quarter, x, high)
	high = quarter.reg()
	m.VMOVSHDUP(x, high)
	return join(quarter, x, high)
}

func (m *machine) storeLane(x vec, dst reg.Register) { m.VMOVSS(x, Mem{Base: dst}) }

// columns reduces each of n columns over the 8 parts of ../../reduce.go, or as one that goes on from dst: four vectors of columns at a time
// (two without AVX-512, for want of registers), then one.
func (m *machine) columns(name string, parts int, neutral float64, join func(m *machine, a, b Op) vec) {
	m.function(name, "func(dst, x *float32, rows, ldx, n int)")
	dst, x, rows, ldx, n := m.param("dst"), m.param("x"), m.param("rows"), m.param("ldx"), m.param("n")
	m.SHLQ(U8(2), ldx) // in bytes
	start := m.copy(m.c(neutral))
	index := m.GP64()
	m.XORQ(index, index)

	down := func(label string, vectors int, tail Op) {
		at := func(v int) place { return place{index: index, shift: v * m.lanes(), tail: tail} }
		row, done := m.GP64(), m.GP64()
		m.MOVQ(x, row)
		m.XORQ(done, done)
		var tree [][]vec // results of 4, 2 and 1 parts that wait for as many more
		for part := range parts {
			acc := make([]vec, vectors)
			for v := range acc {
				if acc[v] = m.reg(); parts == 1 {
					m.VMOVUPS(m.load(dst, at(v)), acc[v])
				} else {
					m.VMOVAPS(start, acc[v])
				}
			}
			loop := fmt.Sprintf("%sPart%d", label, part)
			end := m.GP64()
			m.IMUL3Q(U8(part+1), rows, end)
			m.SHRQ(U8(bits.TrailingZeros(uint(parts))), end)
			m.CMPQ(done, end)
			m.JGE(LabelRef(loop + "End"))
			m.Label(loop)
			for v, a := range acc {
				m.VMOVAPS(join(m, a, m.load(row, at(v))), a)
			}
			m.ADDQ(ldx, row)
			m.INCQ(done)
			m.CMPQ(done, end)
			m.JL(LabelRef(loop))
			m.Label(loop + "End")
			for size := part + 1; size%2 == 0; size /= 2 {
				for v, a := range tree[len(tree)-1] {
					acc[v] = join(m, a, acc[v])
				}
				tree = tree[:len(tree)-1]
			}
			tree = append(tree, acc)
		}
		for v, a := range tree[0] {
			m.store(a, dst, at(v))
		}
	}
	together := 2
	if m.evex {
		together = 4
	}
	m.strides("columns", n, m.lanes(), together, func(vectors int) {
		label := "one"
		if vectors > 1 {
			label = "many"
		}
		down(label, vectors, nil)
		m.ADDQ(U32(vectors*m.lanes()), index)
	})
	m.TESTQ(n, n)
	m.JZ(LabelRef("done"))
	down("tail", 1, m.tailMask(n))
	m.Label("done")
	m.end()
}
