package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// linear writes the routine that multiplies so many centred rows of x, ldx elements apart, with functions of b, ldb apart, for n
// columns, a positive multiple of 8:
//
//	h[i,f] = h[i,f] + Σ_j (x[i,j]-mean[j])·b[f,j]
//
// Each sum has 8 lanes, j mod 8, which are chains of FMAs from zero, and their sum is ((s0+s4)+(s2+s6))+((s1+s5)+(s3+s7)).
// Meanwhile rows that are so many elements ahead are prefetched: a row is too short for the processor to see where it goes.
//
// AVX-512 takes two rows at a time, so that a vector of b is loaded once for both, and a last one for both of its rows; AVX2, whose
// registers hold half the lanes, takes one.
func linear(s isa, functions int) {
	halves := 64 / s.width
	together := s.registers() / 16
	TEXT(fmt.Sprintf("linear%sx%d", s.name, functions), NOSPLIT, "func(rows, n int, x *float32, ldx, ahead int, mean, b *float64, ldb int, h *float64, ldh int)")
	Pragma("noescape")
	left, err := Param("rows").Resolve()
	if err != nil {
		panic(err)
	}
	rows := left.Addr
	x, mean, h := Load(Param("x"), RSI), Load(Param("mean"), RDX), Load(Param("h"), RDI)
	b, ldx, ldb, ldh := Load(Param("b"), RCX), Load(Param("ldx"), R8), Load(Param("ldb"), R9), Load(Param("ldh"), R15)
	SHLQ(Imm(2), ldx) // bytes
	SHLQ(Imm(3), ldb)
	SHLQ(Imm(3), ldh)
	multiples := map[int]Register{1: R9, 3: R10, 5: R11, 7: R12, 9: R13} // of ldb
	for f := 3; f < functions; f += 2 {
		LEAQ(Mem{Base: multiples[f-2], Index: ldb, Scale: 2}, multiples[f])
	}
	next := Load(Param("ahead"), RBX)
	LEAQ(Mem{Base: x, Index: next, Scale: 4}, next)
	acc := func(i, f, half int) VecPhysical { return s.register((i*functions+f)*halves + half) }
	used := together * functions * halves
	at := func(base, ld Register, i int) Mem {
		if i == 0 {
			return Mem{Base: base}
		}
		return Mem{Base: base, Index: ld, Scale: 1}
	}
	row := func(i int) VecPhysical { return s.register(used + i) }

	Label("rows")
	if together > 1 {
		CMPQ(rows, Imm(1))
		JNE(LabelRef("together"))
		XORQ(ldx, ldx)
		XORQ(ldh, ldh)
		Label("together")
	}
	for i := range used {
		s.zero(s.register(i))
	}
	n := Load(Param("n"), RAX)
	Label("columns")
	for half := range halves {
		for i := range together {
			if half == 0 {
				PREFETCHT1(at(next, ldx, i))
			}
			VCVTPS2PD(at(x, ldx, i).Offset(half*s.width/2), row(i))
			VSUBPD(Mem{Base: mean, Disp: half * s.width}, row(i), row(i))
		}
		for f := range functions {
			from := Mem{Base: b, Disp: half * s.width}
			if f > 0 {
				k, scale := f, 1
				for ; k%2 == 0; k /= 2 {
					scale *= 2
				}
				from.Index, from.Scale = multiples[k], uint8(scale)
			}
			if together == 1 {
				VFMADD231PD(from, row(0), acc(0, f, half))
				continue
			}
			VMOVUPD(from, row(together))
			for i := range together {
				VFMADD231PD(row(together), row(i), acc(i, f, half))
			}
		}
	}
	for _, p := range []Register{x, next} {
		ADDQ(Imm(32), p)
	}
	for _, p := range []Register{mean, b} {
		ADDQ(Imm(64), p)
	}
	SUBQ(Imm(8), n)
	JNZ(LabelRef("columns"))

	x128 := func(v VecPhysical) Register { return v.(Vec).AsX() }
	y256 := func(v VecPhysical) Register { return v.(Vec).AsY() }
	for i := range together {
		for f := range functions {
			low, high := acc(i, f, 0), row(0)
			if halves == 1 {
				VEXTRACTF64X4(Imm(1), low, y256(high))
			} else {
				high = acc(i, f, 1)
			}
			VADDPD(y256(high), y256(low), y256(low))
			if halves == 1 { // the only form that knows registers from 16 on
				VEXTRACTF32X4(Imm(1), y256(low), x128(high))
			} else {
				VEXTRACTF128(Imm(1), y256(low), x128(high))
			}
			VADDPD(x128(high), x128(low), x128(low))
			VUNPCKHPD(x128(low), x128(low), x128(high))
			VADDSD(x128(high), x128(low), x128(low))
			VADDSD(at(h, ldh, i).Offset(8*f), x128(low), x128(low))
		}
	}
	for i := range together { // not before all is added: both may be the same row
		for f := range functions {
			VMOVSD(x128(acc(i, f, 0)), at(h, ldh, i).Offset(8*f))
		}
	}

	Load(Param("n"), n)
	SHLQ(Imm(2), n)
	for _, p := range []Register{x, next} {
		SUBQ(n, p)
		LEAQ(Mem{Base: p, Index: ldx, Scale: uint8(together)}, p)
	}
	SHLQ(Imm(1), n)
	for _, p := range []Register{mean, b} {
		SUBQ(n, p)
	}
	LEAQ(Mem{Base: h, Index: ldh, Scale: uint8(together)}, h)
	SUBQ(Imm(uint64(together)), rows)
	JG(LabelRef("rows"))
	VZEROUPPER()
	RET()
}

// linearGradient writes the routine that adds, for two vectors of columns of so many rows of x,
//
//	g[f,j] = g[f,j] + Σ_i r[i,f]·(x[i,j]-mean[j])
//
// with rows of x ldx elements apart, rows of r, the weights, ldw and rows of g ldg. Each sum is a chain of FMAs from zero.
func linearGradient(s isa, functions int) {
	const vectors = 2
	TEXT(fmt.Sprintf("linearGradient%sx%d", s.name, functions), NOSPLIT, "func(rows int, x *float32, ldx int, mean, weights *float64, ldw int, gradient *float64, ldg int)")
	Pragma("noescape")
	x, mean, r, g := Load(Param("x"), RSI), Load(Param("mean"), RDX), Load(Param("weights"), RCX), Load(Param("gradient"), RDI)
	ldx, ldw, ldg, rows := Load(Param("ldx"), R8), Load(Param("ldw"), R9), Load(Param("ldg"), R10), Load(Param("rows"), RAX)
	SHLQ(Imm(2), ldx)
	for _, ld := range []Register{ldw, ldg} {
		SHLQ(Imm(3), ld)
	}
	acc := func(f, v int) VecPhysical { return s.register(f*vectors + v) }
	used := functions * vectors
	for i := range used {
		s.zero(s.register(i))
	}
	centred := func(v int) VecPhysical { return s.register(used + v) }
	element := s.register(used + vectors)
	Label("loop")
	for v := range vectors {
		VCVTPS2PD(Mem{Base: x, Disp: v * s.width / 2}, centred(v))
		VSUBPD(Mem{Base: mean, Disp: v * s.width}, centred(v), centred(v))
	}
	for f := range functions {
		s.broadcast(Mem{Base: r, Disp: 8 * f}, element)
		for v := range vectors {
			s.fma(element, centred(v), acc(f, v))
		}
	}
	ADDQ(ldx, x)
	ADDQ(ldw, r)
	DECQ(rows)
	JNZ(LabelRef("loop"))
	for f := range functions {
		for v := range vectors {
			to := Mem{Base: g, Disp: v * s.width}
			VADDPD(to, acc(f, v), acc(f, v))
			VMOVUPD(acc(f, v), to)
		}
		ADDQ(ldg, g)
	}
	VZEROUPPER()
	RET()
}
