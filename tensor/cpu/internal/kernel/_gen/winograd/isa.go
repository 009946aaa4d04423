package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set at one precision.
type isa struct {
	level, letter string
	size, width   int // bytes of an element and of a vector
	rows          int // of the largest tile
}

func (s isa) goType() string { return map[int]string{4: "float32", 8: "float64"}[s.size] }

func (s isa) lanes() int { return s.width / s.size }

// registers returns how many vector registers there are.
func (s isa) registers() int { return s.width / 2 }

func (s isa) vector() reg.VecVirtual {
	if s.width == 64 {
		return ZMM()
	}
	return YMM()
}

// begin starts a function.
func (s isa) begin(name, signature string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
}

// inBytes loads a parameter that counts elements.
func (s isa) inBytes(p reg.GPVirtual) reg.GPVirtual {
	SHLQ(Imm(uint64(math.Ilogb(float64(s.size)))), p)
	return p
}

// choose calls the float32 or the float64 form of an instruction.
func (s isa) choose(single, double func(...Op), ops ...Op) {
	if s.size == 4 {
		single(ops...)
	} else {
		double(ops...)
	}
}

func (s isa) zero(v reg.VecVirtual) {
	if s.width == 64 {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

func (s isa) broadcast(m Mem, v reg.VecVirtual) {
	if s.size == 4 {
		VBROADCASTSS(m, v)
	} else {
		VBROADCASTSD(m, v)
	}
}

// add is d = a + b, sub d = a - b, mul d = a·b; fma is d += a·b, fnma d -= a·b.
func (s isa) add(a, b, d Op) { s.choose(VADDPS, VADDPD, b, a, d) }
func (s isa) sub(a, b, d Op) { s.choose(VSUBPS, VSUBPD, b, a, d) }
func (s isa) mul(a, b, d Op) { s.choose(VMULPS, VMULPD, b, a, d) }
func (s isa) fma(a, b, d Op) { s.choose(VFMADD231PS, VFMADD231PD, b, a, d) }

func (s isa) fnma(a, b, d Op) { s.choose(VFNMADD231PS, VFNMADD231PD, b, a, d) }

var constants = map[string]Mem{}

// constant returns a vector of x in memory.
func (s isa) constant(x float64) Mem {
	name := fmt.Sprintf("winograd%016x%s%s", math.Float64bits(x), s.level, s.letter)
	if _, ok := constants[name]; !ok {
		constants[name] = GLOBL(name, attr.RODATA|attr.NOPTR)
		for i := range s.lanes() {
			if s.size == 4 {
				DATA(4*i, F32(x))
			} else {
				DATA(8*i, F64(x))
			}
		}
	}
	return constants[name]
}
