package main

import (
	"fmt"
	"math"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transform writes the routine that computes Z = L·X·Lᵀ for windows X of vectors of channels, as winogradTransformGo
// defines it. The fields of transformRun lie at run; channels is a multiple of a vector's lanes.
func (s isa) transform(name string, l [][]float64) {
	const srcRow, srcCol, srcStep, srcSkip, dstRow, dstCol, dstStep, dstSkip, channels, tiles, rows = 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80
	s.begin(fmt.Sprintf("winograd%s%s%s", name, s.level, s.letter), fmt.Sprintf("func(dst, src *%s, run *int)", s.goType()))
	dst, src, run := Load(Param("dst"), GP64()).(reg.GPVirtual), Load(Param("src"), GP64()).(reg.GPVirtual), Load(Param("run"), GP64())
	field := func(offset int) Mem { return Mem{Base: run, Disp: offset} }
	load := func(offset int) reg.GPVirtual {
		r := GP64()
		MOVQ(field(offset), r)
		return r
	}
	from := s.grid(src, s.inBytes(load(srcRow)), s.inBytes(load(srcCol)))
	to := s.grid(dst, s.inBytes(load(dstRow)), s.inBytes(load(dstCol)))
	m := s.newCombiner(l)
	rowsLeft := load(rows)
	Label("row")
	tilesLeft := load(tiles)
	Label("tile")
	left := load(channels)
	Label("vector")
	m.apply(from, to)
	ADDQ(Imm(uint64(s.width)), src)
	ADDQ(Imm(uint64(s.width)), dst)
	SUBQ(Imm(uint64(s.lanes())), left)
	JNZ(LabelRef("vector"))
	advance := func(p reg.GPVirtual, offset int) {
		LEAQ(Mem{Base: p, Index: load(offset), Scale: uint8(s.size)}, p)
	}
	advance(src, srcStep)
	advance(dst, dstStep)
	DECQ(tilesLeft)
	JNZ(LabelRef("tile"))
	advance(src, srcSkip)
	advance(dst, dstSkip)
	DECQ(rowsLeft)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// grid is where the vectors of a window lie.
type grid struct {
	base, row, col, col3 reg.GPVirtual
}

func (s isa) grid(base, row, col reg.GPVirtual) grid {
	g := grid{base, row, col, GP64()}
	LEAQ(Mem{Base: col, Index: col, Scale: 2}, g.col3)
	return g
}

// rowAt returns the address of row i.
func (g grid) rowAt(i int) Mem {
	if i == 0 {
		return Mem{Base: g.base}
	}
	p := GP64()
	if i == 3 || i == 5 {
		LEAQ(Mem{Base: g.base, Index: g.row, Scale: uint8(i - 1)}, p)
		ADDQ(g.row, p)
	} else {
		LEAQ(Mem{Base: g.base, Index: g.row, Scale: uint8(i)}, p)
	}
	return Mem{Base: p}
}

// at returns the address of element j of a row.
func (g grid) at(row Mem, j int) Mem {
	switch j {
	case 0:
		return row
	case 3:
		return Mem{Base: row.Base, Index: g.col3, Scale: 1}
	case 5:
		p := GP64()
		LEAQ(Mem{Base: row.Base, Index: g.col, Scale: 4}, p)
		return Mem{Base: p, Index: g.col, Scale: 1}
	}
	return Mem{Base: row.Base, Index: g.col, Scale: uint8(j)}
}

// combiner computes Z = L·X·Lᵀ of vectors.
type combiner struct {
	isa
	l       [][]float64
	whole   bool                       // the registers hold all of X
	hoisted map[float64]reg.VecVirtual // coefficients without their signs that live in registers
}

// newCombiner loads the coefficients into registers, as far as there are enough beside a row of L·X, a sum and an
// operand, or, preferred, beside X too.
func (s isa) newCombiner(l [][]float64) *combiner {
	m := &combiner{s, l, false, map[float64]reg.VecVirtual{}}
	var coefficients []float64
	for _, row := range l {
		for _, by := range row {
			if size := math.Abs(by); size != 0 && size != 1 && !slices.Contains(coefficients, size) {
				coefficients = append(coefficients, size)
			}
		}
	}
	q := len(l[0])
	left := s.registers() - q - 2
	if q*q+len(coefficients) <= left {
		m.whole = true
		left -= q * q
	}
	for _, by := range coefficients[:min(left, len(coefficients))] {
		m.hoisted[by] = s.vector()
		VMOVUPS(s.constant(by), m.hoisted[by])
	}
	return m
}

// factor returns a coefficient as an operand.
func (m *combiner) factor(by float64) Op {
	if r, ok := m.hoisted[by]; ok {
		return r
	}
	return m.constant(by)
}

// apply computes one window.
func (m *combiner) apply(from, to grid) {
	q := len(m.l[0])
	var x [][]Op
	if m.whole {
		for i := range q {
			row := from.rowAt(i)
			x = append(x, nil)
			for j := range q {
				v := m.vector()
				VMOVUPS(from.at(row, j), v)
				x[i] = append(x[i], v)
			}
		}
	}
	for i, coefficients := range m.l {
		sums := make([]chain, q) // a row of L·X
		for _, t := range order(coefficients) {
			row := Mem{}
			if !m.whole {
				row = from.rowAt(t.index)
			}
			for j := range q {
				if m.whole {
					m.push(&sums[j], t.by, x[t.index][j])
				} else {
					m.push(&sums[j], t.by, from.at(row, j))
				}
			}
		}
		row := to.rowAt(i)
		for j, coefficients := range m.l {
			var sum chain
			for _, t := range order(coefficients) {
				m.push(&sum, t.by, sums[t.index].x)
			}
			VMOVUPS(sum.x, to.at(row, j))
		}
	}
}

// chain is a sum under way, in a register of its own or still the one term that it consists of.
type chain struct {
	x    Op
	owns bool
}

// push adds by·x to a sum, by one rounded operation.
func (m *combiner) push(c *chain, by float64, x Op) {
	_, inMemory := x.(Mem)
	load := func() Op {
		if !inMemory {
			return x
		}
		d := m.vector()
		VMOVUPS(x, d)
		return d
	}
	switch {
	case c.x == nil && by == 1:
		*c = chain{load(), inMemory}
		return
	case c.x == nil:
		d := m.vector()
		if f, ok := m.factor(by).(Mem); ok {
			m.mul(load(), f, d)
		} else {
			m.mul(m.factor(by), x, d)
		}
		*c = chain{d, true}
		return
	}
	d := c.x
	if !c.owns {
		d = m.vector()
	}
	switch by {
	case 1:
		m.add(c.x, x, d)
	case -1:
		m.sub(c.x, x, d)
	default:
		if !c.owns {
			VMOVUPS(c.x, d)
		}
		a, b := m.factor(math.Abs(by)), x
		if f, ok := a.(Mem); ok {
			a, b = load(), f
		}
		if by > 0 {
			m.fma(a, b, d)
		} else {
			m.fnma(a, b, d)
		}
	}
	*c = chain{d, true}
}

// indexed is a coefficient that is not zero.
type indexed struct {
	index int
	by    float64
}

// order returns the coefficients that are not zero, in ascending order, but -a+b as b-a, which is the same.
func order(row []float64) []indexed {
	var o []indexed
	for i, by := range row {
		if by != 0 {
			o = append(o, indexed{i, by})
		}
	}
	if len(o) > 1 && o[0].by == -1 && o[1].by == 1 {
		o[0], o[1] = o[1], o[0]
	}
	return o
}
