package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var z = isa{precision: single, width: 64}.register

// mask sets K1 to the lowest CX bits, 0 <= CX <= 16. It uses RBX.
func mask() {
	MOVL(U32(1), EBX)
	SHLL(CL, EBX)
	DECL(EBX)
	KMOVW(EBX, K1)
}

// transpose16 writes the routine
//
//	dst[k*stride+i] = src[rows[i]+k]   for i < 16, k < n
//
// in blocks of 16x16. It writes 16 elements for each k, in order of k, so that with stride < 16 each row of dst
// overwrites what the one before wrote too far, and up to 16-stride elements after the last are undefined.
// The line `ahead` elements further on in each row is prefetched.
func transpose16() {
	TEXT("transpose16", NOSPLIT, "func(dst *float32, stride int, src *float32, rows *[16]int, n, ahead int)")
	Pragma("noescape")
	dst, src := Load(Param("dst"), RDI), Load(Param("src"), RDX)
	rows := Load(Param("rows"), RSI)
	stride := Load(Param("stride"), R8)
	next := Load(Param("ahead"), R9)
	n := Load(Param("n"), RCX)
	SHLQ(Imm(2), stride)
	LEAQ(Mem{Base: src, Index: next, Scale: 4}, next)
	MOVL(U32(0xffff), EBX)
	KMOVW(EBX, K1)

	Label("block")
	CMPQ(n, Imm(16))
	JGE(LabelRef("load"))
	TESTQ(n, n)
	JZ(LabelRef("done"))
	mask()
	Label("load")
	for i := range 16 {
		MOVQ(Mem{Base: rows, Disp: 8 * i}, R10)
		VMOVUPS_Z(Mem{Base: src, Index: R10, Scale: 4}, K1, z(i))
		PREFETCHT0(Mem{Base: next, Index: R10, Scale: 4})
	}
	// Pairs of rows, then quads: z(4g+c), lane L of 128 bits, becomes rows 4g..4g+3 of column 4L+c.
	for i := 0; i < 16; i += 2 {
		VUNPCKLPS(z(i+1), z(i), z(16+i))
		VUNPCKHPS(z(i+1), z(i), z(17+i))
	}
	for i := 0; i < 16; i += 4 {
		VUNPCKLPD(z(18+i), z(16+i), z(i))
		VUNPCKHPD(z(18+i), z(16+i), z(i+1))
		VUNPCKLPD(z(19+i), z(17+i), z(i+2))
		VUNPCKHPD(z(19+i), z(17+i), z(i+3))
	}
	// For each c, transpose the 4x4 lanes of z(c), z(4+c), z(8+c), z(12+c).
	for c := range 4 {
		VSHUFF32X4(Imm(0x88), z(4+c), z(c), Z16) // lanes 0 and 2 of the first two
		VSHUFF32X4(Imm(0xdd), z(4+c), z(c), Z17) // lanes 1 and 3
		VSHUFF32X4(Imm(0x88), z(12+c), z(8+c), Z18)
		VSHUFF32X4(Imm(0xdd), z(12+c), z(8+c), Z19)
		VSHUFF32X4(Imm(0x88), Z18, Z16, z(20+c)) // column c
		VSHUFF32X4(Imm(0xdd), Z18, Z16, z(24+c)) // column 8+c
		VSHUFF32X4(Imm(0x88), Z19, Z17, z(28+c)) // column 4+c
		VSHUFF32X4(Imm(0xdd), Z19, Z17, z(c))    // column 12+c
	}
	column := func(q int) VecPhysical { return z([]int{20, 28, 24, 0}[q/4] + q%4) }
	CMPQ(n, Imm(16))
	JL(LabelRef("tail"))
	for q := range 16 {
		VMOVUPS(column(q), Mem{Base: dst})
		ADDQ(stride, dst)
	}
	ADDQ(Imm(64), src)
	ADDQ(Imm(64), next)
	SUBQ(Imm(16), n)
	JMP(LabelRef("block"))
	Label("tail")
	for q := range 15 {
		VMOVUPS(column(q), Mem{Base: dst})
		ADDQ(stride, dst)
		DECQ(n)
		JZ(LabelRef("done"))
	}
	Label("done")
	VZEROUPPER()
	RET()
}

// gatherRows writes the routine
//
//	dst[k*stride+j] = src[offs[k]+j]   for k < n, j < cols <= 16
//
// The exact form touches nothing else. The other writes 16 elements for each k, in order of k, as transpose16 does:
// its stores are whole, so that the loads which soon follow need not wait for them to leave the store buffer.
func gatherRows(exact bool) {
	name := "gatherRows16"
	if exact {
		name = "gatherExact16"
	}
	TEXT(name, NOSPLIT, "func(dst *float32, stride int, src *float32, offs *int, n, cols int)")
	Pragma("noescape")
	dst, src := Load(Param("dst"), RDI), Load(Param("src"), RDX)
	offs := Load(Param("offs"), RSI)
	stride := Load(Param("stride"), R8)
	Load(Param("cols"), RCX)
	mask()
	n := Load(Param("n"), RCX)
	SHLQ(Imm(2), stride)
	unroll(n, func(u int) {
		MOVQ(Mem{Base: offs, Disp: 8 * u}, RAX)
		VMOVUPS_Z(Mem{Base: src, Index: RAX, Scale: 4}, K1, z(u))
		if exact {
			VMOVUPS(z(u), K1, Mem{Base: dst})
		} else {
			VMOVUPS(z(u), Mem{Base: dst})
		}
		ADDQ(stride, dst)
	}, func(steps int) { ADDQ(Imm(uint64(8*steps)), offs) })
}

// unroll repeats one step n times, 4 at a time, and ends the function. After steps 0..u it calls advance(u+1).
func unroll(n Register, one func(u int), advance func(steps int)) {
	Label("four")
	CMPQ(n, Imm(4))
	JL(LabelRef("rest"))
	for u := range 4 {
		one(u)
	}
	advance(4)
	SUBQ(Imm(4), n)
	JMP(LabelRef("four"))
	Label("rest")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	Label("single")
	one(0)
	advance(1)
	DECQ(n)
	JNZ(LabelRef("single"))
	Label("done")
	VZEROUPPER()
	RET()
}

// addRows writes the routine
//
//	dst[k*stride+j] += src[k*ld+j]   for k < n, j < cols
//
// with n, cols >= 1.
func addRows() {
	TEXT("addRows512", NOSPLIT, "func(dst *float32, stride int, src *float32, ld, n, cols int)")
	Pragma("noescape")
	dst, src := Load(Param("dst"), RDI), Load(Param("src"), RDX)
	stride, ld := Load(Param("stride"), R8), Load(Param("ld"), R9)
	cols := Load(Param("cols"), R10)
	n := Load(Param("n"), R11)
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), ld)
	MOVQ(cols, RCX)
	ANDQ(Imm(15), RCX)
	mask()
	SHRQ(Imm(4), cols)
	add := func(at Mem, from Mem) {
		VMOVUPS_Z(at, K1, Z0)
		VMOVUPS_Z(from, K1, Z1)
		VADDPS(Z1, Z0, Z0)
		VMOVUPS(Z0, K1, at)
	}
	Label("row")
	XORQ(RAX, RAX)
	MOVQ(cols, R12)
	TESTQ(R12, R12)
	JZ(LabelRef("tail"))
	Label("vector")
	VMOVUPS(Mem{Base: dst, Index: RAX, Scale: 1}, Z0)
	VADDPS(Mem{Base: src, Index: RAX, Scale: 1}, Z0, Z0)
	VMOVUPS(Z0, Mem{Base: dst, Index: RAX, Scale: 1})
	ADDQ(Imm(64), RAX)
	DECQ(R12)
	JNZ(LabelRef("vector"))
	Label("tail")
	add(Mem{Base: dst, Index: RAX, Scale: 1}, Mem{Base: src, Index: RAX, Scale: 1})
	ADDQ(stride, dst)
	ADDQ(ld, src)
	DECQ(n)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// copyRows writes the routine
//
//	dst[k*stride+j] = src[k*ld+j]   for k < n, j < 16*(vectors-1)+cols, and 0 for the j from there up to 16*vectors
//
// with 1 <= cols <= 16.
func copyRows(vectors int) {
	TEXT(fmt.Sprintf("copyRows%d", 16*vectors), NOSPLIT, "func(dst *float32, stride int, src *float32, ld, n, cols int)")
	Pragma("noescape")
	dst, src := Load(Param("dst"), RDI), Load(Param("src"), RDX)
	stride, ld := Load(Param("stride"), R8), Load(Param("ld"), R9)
	Load(Param("cols"), RCX)
	mask()
	n := Load(Param("n"), RCX)
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), ld)
	unroll(n, func(int) {
		for j := range vectors - 1 {
			VMOVUPS(Mem{Base: src, Disp: j * 64}, z(j))
		}
		VMOVUPS_Z(Mem{Base: src, Disp: (vectors - 1) * 64}, K1, z(vectors-1))
		for j := range vectors {
			VMOVUPS(z(j), Mem{Base: dst, Disp: j * 64})
		}
		ADDQ(ld, src)
		ADDQ(stride, dst)
	}, func(int) {})
}
