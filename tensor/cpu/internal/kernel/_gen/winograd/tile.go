package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tile writes the micro-kernel
//
//	C[i,j] = Σ_k a[i*rowStride+k*termStride]·b[k*ldb+j]   (+ C[i,j] if add != 0)
//
// for i < rows and vectors*lanes columns: one chain of FMAs from zero for each element, k >= 1. Unlike the micro-kernels
// of the matrix product, it reads A where a transform has put it.
func (s isa) tile(rows, vectors int) {
	s.begin(fmt.Sprintf("winogradTile%s%sx%dx%d", s.level, s.letter, rows, vectors),
		fmt.Sprintf("func(k int, a *%[1]s, rowStride, termStride int, b *%[1]s, ldb int, c *%[1]s, ldc, add int)", s.goType()))
	stride := func(name string) reg.GPVirtual { return s.inBytes(Load(Param(name), GP64()).(reg.GPVirtual)) }
	// Five rows of A are within reach of one pointer.
	row, row3 := stride("rowStride"), GP64()
	LEAQ(Mem{Base: row, Index: row, Scale: 2}, row3)
	bases := []reg.GPVirtual{Load(Param("a"), GP64()).(reg.GPVirtual)}
	for len(bases)*5 < rows {
		next := GP64()
		LEAQ(Mem{Base: bases[len(bases)-1], Index: row, Scale: 4}, next)
		ADDQ(row, next)
		bases = append(bases, next)
	}
	element := func(i int) Mem {
		m := Mem{Base: bases[i/5]}
		switch i % 5 {
		case 0:
		case 3:
			m.Index, m.Scale = row3, 1
		default:
			m.Index, m.Scale = row, uint8(i%5)
		}
		return m
	}
	b, ldb, term := Load(Param("b"), GP64()), stride("ldb"), stride("termStride")
	sums := make([][]reg.VecVirtual, rows)
	for i := range sums {
		for range vectors {
			v := s.vector()
			s.zero(v)
			sums[i] = append(sums[i], v)
		}
	}
	step := func() {
		var columns []reg.VecVirtual
		for j := range vectors {
			v := s.vector()
			VMOVUPS(Mem{Base: b, Disp: j * s.width}, v)
			columns = append(columns, v)
		}
		for i := range rows {
			x := s.vector()
			s.broadcast(element(i), x)
			for j := range vectors {
				s.fma(x, columns[j], sums[i][j])
			}
		}
		for _, p := range bases {
			ADDQ(term, p)
		}
		ADDQ(ldb, b)
	}
	k, pairs := Load(Param("k"), GP64()), GP64()
	MOVQ(k, pairs)
	SHRQ(Imm(1), pairs)
	JZ(LabelRef("last"))
	Label("pair")
	step()
	step()
	DECQ(pairs)
	JNZ(LabelRef("pair"))
	Label("last")
	TESTQ(U32(1), k)
	JZ(LabelRef("summed"))
	step()
	Label("summed")

	c, ldc := Load(Param("c"), GP64()), stride("ldc")
	add := Load(Param("add"), GP64())
	TESTQ(add, add)
	JZ(LabelRef("store"))
	at := GP64()
	MOVQ(c, at)
	for i := range rows {
		for j := range vectors {
			s.add(sums[i][j], Mem{Base: at, Disp: j * s.width}, sums[i][j])
		}
		if i < rows-1 {
			ADDQ(ldc, at)
		}
	}
	Label("store")
	for i := range rows {
		for j := range vectors {
			VMOVUPS(sums[i][j], Mem{Base: c, Disp: j * s.width})
		}
		if i < rows-1 {
			ADDQ(ldc, c)
		}
	}
	VZEROUPPER()
	RET()
}
