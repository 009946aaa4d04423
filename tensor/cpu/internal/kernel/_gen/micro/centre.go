package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// centre writes a routine that sets dst[i] = x[i] - mean[i], rounded once, for i < n, a positive multiple of two vectors.
func centre(s isa) {
	TEXT("centre"+s.name, NOSPLIT, "func(dst *float64, x *float32, mean *float64, n int)")
	Pragma("noescape")
	dst, x := Load(Param("dst"), RDI), Load(Param("x"), RSI)
	mean, n := Load(Param("mean"), RDX), Load(Param("n"), RCX)
	Label("loop")
	for i := range 2 {
		v := s.register(i)
		VCVTPS2PD(Mem{Base: x, Disp: i * s.width / 2}, v)
		VSUBPD(Mem{Base: mean, Disp: i * s.width}, v, v)
		VMOVUPD(v, Mem{Base: dst, Disp: i * s.width})
	}
	ADDQ(U32(uint64(s.width)), x)
	ADDQ(U32(uint64(2*s.width)), mean)
	ADDQ(U32(uint64(2*s.width)), dst)
	SUBQ(Imm(uint64(2*s.lanes())), n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
