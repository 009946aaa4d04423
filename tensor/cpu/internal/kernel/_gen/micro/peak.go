package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// peakChains are the independent chains of peak: more than an FMA's latency times the FMAs of a cycle.
const peakChains = 12

// peak writes a routine that computes x = x·h + h, with *half = h, n times in each of peakChains vectors in registers.
func peak(s isa) {
	TEXT("peak"+s.name, NOSPLIT, "func(half *float32, n int)")
	Pragma("noescape")
	half, n := Load(Param("half"), RSI), Load(Param("n"), RCX)
	h := s.register(peakChains)
	s.broadcast(Mem{Base: half}, h)
	for i := range peakChains {
		VMOVAPS(h, s.register(i))
	}
	TESTQ(n, n)
	JZ(LabelRef("done"))
	Label("loop")
	for i := range peakChains {
		VFMADD213PS(h, h, s.register(i))
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}
