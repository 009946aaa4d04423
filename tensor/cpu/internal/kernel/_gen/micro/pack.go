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

// transposed loads a square of as many rows as a vector has elements and transposes it: element k of row i becomes
// element i of register k. load loads row i. Registers from lanes on, 8 of them, are used.
func (s isa) transposed(load func(i int, to VecPhysical)) {
	v, t := s.register, func(i int) VecPhysical { return s.register(s.lanes() + i) }
	part := 16 / int(s.precision) // elements of 128 bits
	for g := 0; g < s.lanes(); g += part {
		// part rows: register g+c, 128 bits L, becomes these rows of column part·L+c.
		for i := range part {
			load(g+i, t(i))
		}
		if s.precision == double {
			VUNPCKLPD(t(1), t(0), v(g))
			VUNPCKHPD(t(1), t(0), v(g+1))
			continue
		}
		for i := 0; i < 4; i += 2 {
			VUNPCKLPS(t(i+1), t(i), t(4+i))
			VUNPCKHPS(t(i+1), t(i), t(5+i))
		}
		VUNPCKLPD(t(6), t(4), v(g))
		VUNPCKHPD(t(6), t(4), v(g+1))
		VUNPCKLPD(t(7), t(5), v(g+2))
		VUNPCKHPD(t(7), t(5), v(g+3))
	}
	for c := range part { // transpose the 128-bit parts of registers c, part+c, …
		if s.width == 32 {
			VPERM2F128(Imm(0x20), v(part+c), v(c), t(0))
			VPERM2F128(Imm(0x31), v(part+c), v(c), v(part+c))
			VMOVAPS(t(0), v(c))
			continue
		}
		at := func(l int) VecPhysical { return v(l*part + c) }
		VSHUFF32X4(Imm(0x88), at(1), at(0), t(0)) // parts 0 and 2 of the first two
		VSHUFF32X4(Imm(0xdd), at(1), at(0), t(1)) // parts 1 and 3
		VSHUFF32X4(Imm(0x88), at(3), at(2), t(2))
		VSHUFF32X4(Imm(0xdd), at(3), at(2), t(3))
		VSHUFF32X4(Imm(0x88), t(2), t(0), at(0))
		VSHUFF32X4(Imm(0xdd), t(2), t(0), at(2))
		VSHUFF32X4(Imm(0x88), t(3), t(1), at(1))
		VSHUFF32X4(Imm(0xdd), t(3), t(1), at(3))
	}
}

// partOf prepares loadPart for the first RCX elements of a vector, 0 < RCX <= lanes. It uses RBX, and R11 for loadPart.
func (s isa) partOf() {
	if s.width == 64 {
		mask()
		return
	}
	LEAQ(laneMasks(), RBX)
	MOVQ(RCX, R11)
	NEGQ(R11)
	LEAQ(Mem{Base: RBX, Index: R11, Scale: uint8(s.precision), Disp: 32}, R11)
}

// loadPart loads the elements that partOf was told, and zeros. Without AVX-512 the last register holds the mask.
func (s isa) loadPart(m Mem, to VecPhysical) {
	switch {
	case s.width == 64 && s.precision == single:
		VMOVUPS_Z(m, K1, to)
	case s.width == 64:
		VMOVUPD_Z(m, K1, to)
	case s.precision == single:
		VMOVUPS(Mem{Base: R11}, Y15)
		VMASKMOVPS(m, Y15, to)
	default:
		VMOVUPS(Mem{Base: R11}, Y15)
		VMASKMOVPD(m, Y15, to)
	}
}

// transpose writes the routine
//
//	dst[k*stride+i] = src[rows[i]+k]   for k < n and as many i as a vector has elements
//
// in squares. It writes in order of k, so that with a smaller stride each row of dst overwrites what the one before
// wrote too far. The line `ahead` elements further on in each row is prefetched.
func transpose(s isa) {
	TEXT("transpose"+s.tag(), NOSPLIT, fmt.Sprintf("func(dst *%[1]s, stride int, src *%[1]s, rows *int, n, ahead int)", s.goType()))
	Pragma("noescape")
	dst, src := Load(Param("dst"), RDI), Load(Param("src"), RDX)
	rows := Load(Param("rows"), RSI)
	stride := Load(Param("stride"), R8)
	next := Load(Param("ahead"), R9)
	n := Load(Param("n"), RCX)
	SHLQ(Imm(s.shift()), stride)
	LEAQ(Mem{Base: src, Index: next, Scale: uint8(s.precision)}, next)
	square := func(tail bool) {
		s.transposed(func(i int, to VecPhysical) {
			MOVQ(Mem{Base: rows, Disp: 8 * i}, R10)
			at := Mem{Base: src, Index: R10, Scale: uint8(s.precision)}
			if tail {
				s.loadPart(at, to)
			} else {
				VMOVUPS(at, to)
			}
			PREFETCHT0(Mem{Base: next, Index: R10, Scale: uint8(s.precision)})
		})
	}
	Label("square")
	CMPQ(n, Imm(uint64(s.lanes())))
	JL(LabelRef("tail"))
	square(false)
	for q := range s.lanes() {
		VMOVUPS(s.register(q), Mem{Base: dst})
		ADDQ(stride, dst)
	}
	ADDQ(Imm(uint64(s.width)), src)
	ADDQ(Imm(uint64(s.width)), next)
	SUBQ(Imm(uint64(s.lanes())), n)
	JMP(LabelRef("square"))
	Label("tail")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	s.partOf()
	square(true)
	for q := range s.lanes() - 1 {
		VMOVUPS(s.register(q), Mem{Base: dst})
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
//	dst[k*stride+j] = src[k*ld+j]   for k < n, j < lanes*(vectors-1)+cols, and 0 for the j up to lanes*vectors
//
// with 1 <= cols <= lanes.
func copyRows(s isa, vectors int) {
	TEXT(fmt.Sprintf("copyRows%sx%d", s.tag(), vectors), NOSPLIT, fmt.Sprintf("func(dst *%[1]s, stride int, src *%[1]s, ld, n, cols int)", s.goType()))
	Pragma("noescape")
	dst, src := Load(Param("dst"), RDI), Load(Param("src"), RDX)
	stride, ld := Load(Param("stride"), R8), Load(Param("ld"), R9)
	Load(Param("cols"), RCX)
	s.partOf()
	n := Load(Param("n"), RCX)
	SHLQ(Imm(s.shift()), stride)
	SHLQ(Imm(s.shift()), ld)
	unroll(n, func(int) {
		for j := range vectors - 1 {
			VMOVUPS(Mem{Base: src, Disp: j * s.width}, s.register(j))
		}
		s.loadPart(Mem{Base: src, Disp: (vectors - 1) * s.width}, s.register(vectors-1))
		for j := range vectors {
			VMOVUPS(s.register(j), Mem{Base: dst, Disp: j * s.width})
		}
		ADDQ(ld, src)
		ADDQ(stride, dst)
	}, func(int) {})
}

// dots writes the routine
//
//	c[j] = Σ_p a[p]·b[rows[j]+p]   (+ c[j] if add != 0)   for j < cols
//
// one chain of FMAs from zero for each j, where b has two vectors of rows, of which 1 <= cols are used. Squares of b are
// transposed in registers, so that the rows lie in the lanes. Prefetching only made it slower.
func dots(s isa) {
	TEXT("dots"+s.tag(), NOSPLIT, fmt.Sprintf("func(k int, a, b *%[1]s, rows *int, c *%[1]s, cols, add int)", s.goType()))
	Pragma("noescape")
	a, b := Load(Param("a"), RSI), Load(Param("b"), RDX)
	rows, c := Load(Param("rows"), RDI), Load(Param("c"), R8)
	n := Load(Param("k"), RCX)
	acc := func(g int) VecPhysical { return s.register(s.lanes() + 8 + g) }
	for g := range 2 {
		s.zero(acc(g))
	}
	square := func(g int, tail bool) {
		s.transposed(func(i int, to VecPhysical) {
			MOVQ(Mem{Base: rows, Disp: 8 * (g*s.lanes() + i)}, R10)
			at := Mem{Base: b, Index: R10, Scale: uint8(s.precision)}
			if tail {
				s.loadPart(at, to)
			} else {
				VMOVUPS(at, to)
			}
		})
	}
	step := func(g, q int) { s.fmaBroadcast(Mem{Base: a, Disp: q * int(s.precision)}, s.register(q), acc(g)) }
	Label("square")
	CMPQ(n, Imm(uint64(s.lanes())))
	JL(LabelRef("tail"))
	for g := range 2 {
		square(g, false)
		for q := range s.lanes() {
			step(g, q)
		}
	}
	ADDQ(Imm(uint64(s.width)), a)
	ADDQ(Imm(uint64(s.width)), b)
	SUBQ(Imm(uint64(s.lanes())), n)
	JMP(LabelRef("square"))
	Label("tail")
	TESTQ(n, n)
	JZ(LabelRef("summed"))
	s.partOf()
	for g := range 2 {
		end := fmt.Sprintf("tail%d", g)
		square(g, true)
		MOVQ(n, R9)
		for q := range s.lanes() - 1 {
			step(g, q)
			DECQ(R9)
			JZ(LabelRef(end))
		}
		Label(end)
	}
	Label("summed")
	Load(Param("cols"), RCX)
	MOVQ(U32(1), RBX)
	SHLQ(CL, RBX)
	DECQ(RBX)
	KMOVW(EBX, K1)
	SHRQ(Imm(uint64(s.lanes())), RBX)
	KMOVW(EBX, K2)
	add := Load(Param("add"), R10)
	masks := []Op{K1, K2}
	TESTQ(add, add)
	JZ(LabelRef("store"))
	for g := range 2 {
		at := Mem{Base: c, Disp: g * s.width}
		if s.precision == single {
			VMOVUPS_Z(at, masks[g], s.register(g))
		} else {
			VMOVUPD_Z(at, masks[g], s.register(g))
		}
		s.add(s.register(g), acc(g))
	}
	Label("store")
	for g := range 2 {
		at := Mem{Base: c, Disp: g * s.width}
		if s.precision == single {
			VMOVUPS(acc(g), masks[g], at)
		} else {
			VMOVUPD(acc(g), masks[g], at)
		}
	}
	VZEROUPPER()
	RET()
}

// transposeExact writes the routine
//
//	dst[k*stride+i] = src[i*ld+k]   (+ dst[k*stride+i] if add != 0)   for i < used, k < n
//
// for 0 < used <= lanes and n a multiple of lanes. It touches nothing else of dst, and reads a vector of rows of src.
func transposeExact(s isa) {
	TEXT("transposeExact"+s.tag(), NOSPLIT, fmt.Sprintf("func(dst *%[1]s, stride int, src *%[1]s, ld, used, n, add int)", s.goType()))
	Pragma("noescape")
	dst, src := Load(Param("dst"), RDI), Load(Param("src"), RDX)
	stride, ld := Load(Param("stride"), R8), Load(Param("ld"), R9)
	Load(Param("used"), RCX)
	mask()
	n, add := Load(Param("n"), RCX), Load(Param("add"), R11)
	SHLQ(Imm(s.shift()), stride)
	SHLQ(Imm(s.shift()), ld)
	Label("square")
	MOVQ(src, R10)
	s.transposed(func(i int, to VecPhysical) {
		VMOVUPS(Mem{Base: R10}, to)
		ADDQ(ld, R10)
	})
	TESTQ(add, add)
	JZ(LabelRef("store"))
	MOVQ(dst, R10)
	for q := range s.lanes() {
		VMOVUPS_Z(Mem{Base: R10}, K1, s.register(s.lanes()))
		s.add(s.register(s.lanes()), s.register(q))
		ADDQ(stride, R10)
	}
	Label("store")
	for q := range s.lanes() {
		VMOVUPS(s.register(q), K1, Mem{Base: dst})
		ADDQ(stride, dst)
	}
	ADDQ(Imm(uint64(s.width)), src)
	SUBQ(Imm(uint64(s.lanes())), n)
	JG(LabelRef("square"))
	VZEROUPPER()
	RET()
}
