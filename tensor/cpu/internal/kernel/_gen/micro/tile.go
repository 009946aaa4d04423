package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

type precision int // bytes of an element

const (
	single precision = 4
	double precision = 8
)

func (p precision) goType() string {
	return map[precision]string{single: "float32", double: "float64"}[p]
}
func (p precision) letter() string { return map[precision]string{single: "s", double: "d"}[p] }

// isa is an instruction set at one precision.
type isa struct {
	name string
	precision
	width int // bytes of a vector
}

// tag ends the names of the packing routines.
func (s isa) tag() string { return fmt.Sprintf("%sf%d", s.name, 8*s.precision) }

// shift is log2 of the bytes of an element.
func (s isa) shift() uint64 { return map[precision]uint64{single: 2, double: 3}[s.precision] }

func (s isa) lanes() int { return s.width / int(s.precision) }

// register returns vector register i.
func (s isa) register(i int) VecPhysical {
	if s.width == 64 {
		return []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15, Z16, Z17, Z18,
			Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}[i]
	}
	return []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}[i]
}

// registers returns how many vector registers there are.
func (s isa) registers() int { return s.width / 2 }

func (s isa) zero(v VecPhysical) {
	if s.width == 64 {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

func (s isa) broadcast(m Mem, v VecPhysical) {
	if s.precision == single {
		VBROADCASTSS(m, v)
	} else {
		VBROADCASTSD(m, v)
	}
}

func (s isa) fma(x Op, y, acc VecPhysical) {
	if s.precision == single {
		VFMADD231PS(x, y, acc)
	} else {
		VFMADD231PD(x, y, acc)
	}
}

// fmaBroadcast is fma with one element of memory in all lanes, for AVX-512.
func (s isa) fmaBroadcast(m Mem, y, acc VecPhysical) {
	if s.precision == single {
		VFMADD231PS_BCST(m, y, acc)
	} else {
		VFMADD231PD_BCST(m, y, acc)
	}
}

func (s isa) add(x Op, acc VecPhysical) {
	if s.precision == single {
		VADDPS(x, acc, acc)
	} else {
		VADDPD(x, acc, acc)
	}
}

// tile writes the micro-kernel
//
//	C[i,j] = Σ_k a[k*rows+i]·b[k*ldb+j]   (+ C[i,j] if add != 0)
//
// for i < rows and the first (vectors-1)*lanes+cols columns: one chain of FMAs from zero for each element. It reads
// vectors*lanes columns of b, and 1 <= cols <= lanes. The k loop is unrolled 4 times. With r rows and v vectors there
// are r*v accumulators, v registers for a row of b, and the rest, up to 4, hold broadcast elements of a in turn.
func tile(s isa, rows, vectors int) {
	name := fmt.Sprintf("%sgemm%sx%dx%d", s.letter(), s.name, rows, vectors*s.lanes())
	TEXT(name, NOSPLIT, fmt.Sprintf("func(k int, a, b *%[1]s, ldb int, c *%[1]s, ldc, cols, add int)", s.goType()))
	Pragma("noescape")
	size := int(s.precision)
	shift := s.shift()

	a, b, c := Load(Param("a"), RSI), Load(Param("b"), RDI), Load(Param("c"), RDX)
	ldb, ldc := Load(Param("ldb"), R9), Load(Param("ldc"), R8)
	SHLQ(Imm(shift), ldb)
	SHLQ(Imm(shift), ldc)
	ldb3 := R12
	LEAQ(Mem{Base: ldb, Index: ldb, Scale: 2}, ldb3)

	acc := func(i, j int) VecPhysical { return s.register(i*vectors + j) }
	used := rows * vectors
	row := func(j int) VecPhysical { return s.register(used + j) }
	spare := min(4, s.registers()-used-vectors)
	element := func(i int) VecPhysical { return s.register(used + vectors + i%spare) }
	if rows == 1 {
		element = func(int) VecPhysical { return s.register(used) }
	}

	for i := range used {
		s.zero(s.register(i))
	}
	cp := R11
	MOVQ(c, cp)
	prefetch(rows, vectors, s.width, cp, ldc)

	next := []Mem{{Base: b, Index: ldb, Scale: 1}, {Base: b, Index: ldb, Scale: 2}, {Base: b, Index: ldb3, Scale: 1}, {Base: b, Index: ldb, Scale: 4}}
	step := func(u int) {
		at := Mem{Base: b}
		if u > 0 {
			at = next[u-1]
		}
		row := func(j int) Op { return row(j) }
		if rows == 1 { // each vector of b is used once
			row = func(j int) Op { return at.Offset(j * s.width) }
		} else {
			for j := range vectors {
				VMOVUPS(at.Offset(j*s.width), row(j))
			}
		}
		for i := range rows {
			s.broadcast(Mem{Base: a, Disp: (u*rows + i) * size}, element(i))
			for j := range vectors {
				if rows == 1 && j*s.width%cacheLine == 0 { // loads bound this tile: the next row of b is asked for among them
					PREFETCHT0(next[u].Offset(j * s.width))
				}
				s.fma(row(j), element(i), acc(i, j))
			}
		}
	}
	k := Load(Param("k"), RAX)
	blocks := R13
	MOVQ(k, blocks)
	SHRQ(Imm(2), blocks)
	JZ(LabelRef("rest"))
	Label("unrolled")
	for u := range 4 {
		step(u)
	}
	ADDQ(U32(uint64(4*rows*size)), a)
	LEAQ(Mem{Base: b, Index: ldb, Scale: 4}, b)
	DECQ(blocks)
	JNZ(LabelRef("unrolled"))
	Label("rest")
	ANDQ(Imm(3), k)
	JZ(LabelRef("summed"))
	Label("single")
	step(0)
	ADDQ(U32(uint64(rows*size)), a)
	ADDQ(ldb, b)
	DECQ(k)
	JNZ(LabelRef("single"))
	Label("summed")

	s.finish(rows, vectors, c, ldc, cp)
}

const cacheLine = 64

// prefetch asks for the first and last lines of the rows of a tile of C, ldc bytes apart, which it will be added to or stored in.
// It moves c to the last row.
func prefetch(rows, vectors, width int, c, ldc Register) {
	for i := range rows {
		PREFETCHT1(Mem{Base: c})
		if vectors > 1 {
			PREFETCHT1(Mem{Base: c, Disp: (vectors - 1) * width})
		}
		if i < rows-1 {
			ADDQ(ldc, c)
		}
	}
}

// finish adds the accumulators of a tile to C, or stores them, and ends the function. It uses RBX, RCX, R10, R13 and cp.
func (s isa) finish(rows, vectors int, c, ldc Register, cp GPPhysical) {
	used := rows * vectors
	acc := func(i, j int) VecPhysical { return s.register(i*vectors + j) }
	row := func(j int) VecPhysical { return s.register(used + j) }
	store := s.storer(vectors, used)
	last := Load(Param("cols"), RCX)
	add := Load(Param("add"), R10)
	store.begin(last)
	eachRow := func(p GPPhysical, body func(i int)) {
		for i := range rows {
			body(i)
			if i < rows-1 {
				ADDQ(ldc, p)
			}
		}
	}
	addC := func(masked bool) {
		MOVQ(c, cp)
		eachRow(cp, func(i int) {
			for j := range vectors {
				at := Mem{Base: cp, Disp: j * s.width}
				if masked && j == vectors-1 {
					store.load(at, row(0))
					s.add(row(0), acc(i, j))
				} else {
					s.add(at, acc(i, j))
				}
			}
		})
	}
	storeC := func(masked bool) {
		eachRow(c.(GPPhysical), func(i int) {
			for j := range vectors {
				at := Mem{Base: c, Disp: j * s.width}
				if masked && j == vectors-1 {
					store.store(acc(i, j), at)
				} else {
					VMOVUPS(acc(i, j), at)
				}
			}
		})
		VZEROUPPER()
		RET()
	}
	// Whole vectors have their own code, as AVX2's masked stores are slow.
	CMPQ(last, Imm(uint64(s.lanes())))
	JNE(LabelRef("partial"))
	TESTQ(add, add)
	JZ(LabelRef("store"))
	addC(false)
	Label("store")
	storeC(false)
	Label("partial")
	TESTQ(add, add)
	JZ(LabelRef("store_partial"))
	addC(true)
	Label("store_partial")
	storeC(true)
}

// direct writes tile for rows of A where they are, lda elements apart, and a packed panel of B:
//
//	C[i,j] = Σ_k a[i*lda+k]·b[k*vectors*lanes+j]   (+ C[i,j] if add != 0)
//
// It is for AVX-512. Meanwhile two lines are prefetched for every four terms, from next on, skip elements apart: what the
// products that follow need, a little at a time.
func direct(s isa, rows, vectors int) {
	name := fmt.Sprintf("%sdirect%sx%dx%d", s.letter(), s.name, rows, vectors*s.lanes())
	TEXT(name, NOSPLIT, fmt.Sprintf("func(k int, a *%[1]s, lda int, b, c *%[1]s, ldc, cols, add int, next *%[1]s, skip int)", s.goType()))
	Pragma("noescape")
	size := int(s.precision)
	c, ldc := Load(Param("c"), RDX), Load(Param("ldc"), R8)
	SHLQ(Imm(s.shift()), ldc)
	prefetch(rows, vectors, s.width, c, ldc)
	a, b, lda := Load(Param("a"), RSI), Load(Param("b"), RDI), Load(Param("lda"), R9)
	next, skip := Load(Param("next"), RDX), Load(Param("skip"), R15)
	SHLQ(Imm(s.shift()), skip)
	SHLQ(Imm(s.shift()), lda)
	odd := map[int]Register{1: R9, 3: R10, 5: R11, 7: R12, 9: R13, 11: RCX, 13: R8} // multiples of lda
	for i := 3; i < rows; i += 2 {
		LEAQ(Mem{Base: odd[i-2], Index: lda, Scale: 2}, odd[i])
	}
	at := func(i, k int) Mem {
		m := Mem{Base: a, Disp: k * size}
		if i > 0 {
			m.Scale = 1
			for ; i%2 == 0; i /= 2 {
				m.Scale *= 2
			}
			m.Index = odd[i]
		}
		return m
	}
	used := rows * vectors
	for i := range used {
		s.zero(s.register(i))
	}
	spare := min(4, s.registers()-used-vectors)
	step := func(u int) {
		row := func(j int) VecPhysical { return s.register(used + j) }
		for j := range vectors {
			VMOVUPS(Mem{Base: b, Disp: (u*vectors + j) * s.width}, row(j))
		}
		for i := range rows {
			if vectors == 1 {
				s.fmaBroadcast(at(i, u), row(0), s.register(i))
				continue
			}
			element := s.register(used + vectors + i%spare)
			s.broadcast(at(i, u), element)
			for j := range vectors {
				s.fma(element, row(j), s.register(i*vectors+j))
			}
		}
	}
	k, blocks := Load(Param("k"), RAX), RBX
	MOVQ(k, blocks)
	SHRQ(Imm(2), blocks)
	JZ(LabelRef("rest"))
	Label("unrolled")
	for u := range 4 {
		step(u)
		if u%2 == 0 {
			PREFETCHT1(Mem{Base: next, Disp: u / 2 * cacheLine})
		}
	}
	ADDQ(skip, next)
	ADDQ(Imm(uint64(4*size)), a)
	ADDQ(U32(uint64(4*vectors*s.width)), b)
	DECQ(blocks)
	JNZ(LabelRef("unrolled"))
	Label("rest")
	ANDQ(Imm(3), k)
	JZ(LabelRef("summed"))
	Label("single")
	step(0)
	ADDQ(Imm(uint64(size)), a)
	ADDQ(U32(uint64(vectors*s.width)), b)
	DECQ(k)
	JNZ(LabelRef("single"))
	Label("summed")
	c, ldc = Load(Param("c"), RDX), Load(Param("ldc"), R8)
	SHLQ(Imm(s.shift()), ldc)
	s.finish(rows, vectors, c, ldc, R11)
}

// storer loads and stores the first few lanes of a vector: by mask register K1 in AVX-512, by mask vector in AVX2.
type storer struct {
	begin       func(cols Register)
	load, store func(from, to Op)
}

var laneMask Mem

// laneMasks is 8 words of ones, then 8 of zeros: a window into it is a mask.
func laneMasks() Mem {
	if laneMask.Symbol.Name == "" {
		laneMask = GLOBL("laneMask", RODATA|NOPTR)
		for i := range 16 {
			word := U32(0)
			if i < 8 {
				word = U32(0xffffffff)
			}
			DATA(4*i, word)
		}
	}
	return laneMask
}

func (s isa) storer(vectors, used int) storer {
	if s.width == 64 {
		return storer{
			begin: func(cols Register) { // RCX
				MOVL(U32(1), EBX)
				SHLL(CL, EBX)
				DECL(EBX)
				KMOVW(EBX, K1)
			},
			load: func(from, to Op) {
				if s.precision == single {
					VMOVUPS_Z(from, K1, to)
				} else {
					VMOVUPD_Z(from, K1, to)
				}
			},
			store: func(from, to Op) {
				if s.precision == single {
					VMOVUPS(from, K1, to)
				} else {
					VMOVUPD(from, K1, to)
				}
			},
		}
	}
	mask := s.register(s.registers() - 1) // no accumulator, and elements of a are not needed any more
	return storer{
		begin: func(cols Register) {
			bytes := R13
			MOVQ(cols, bytes)
			NEGQ(bytes)
			table := RBX
			LEAQ(laneMasks(), table)
			VMOVUPS(Mem{Base: table, Index: bytes, Scale: uint8(s.precision), Disp: 32}, mask)
		},
		load: func(from, to Op) {
			if s.precision == single {
				VMASKMOVPS(from, mask, to)
			} else {
				VMASKMOVPD(from, mask, to)
			}
		},
		store: func(from, to Op) {
			if s.precision == single {
				VMASKMOVPS(from, mask, to)
			} else {
				VMASKMOVPD(from, mask, to)
			}
		},
	}
}
