package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pooling writes the kernels of ../../pool.go, with the channels in the lanes. Windows of 2x2 have their own code,
// without the loops over rows and columns.
func (m *machine) pooling() {
	m.maxPool("maxPoolIndex", false, true, false)
	m.maxPool("maxPool", true, true, false)
	m.maxPool("maxPool2x2", true, true, true)
	m.maxPool("maxPoolValue", true, false, false)
	m.maxPool("maxPoolValue2x2", true, false, true)
	m.maxUnpool("maxUnpool", false)
	m.maxUnpool("maxUnpool2x2", true)
}

// poolWalk goes through the windows of a PoolRun, whose fields lie at run, and through the pixels of each.
type poolWalk struct {
	*machine
	run     reg.GPVirtual
	results []reg.GPVirtual // operands with an element for each window and channel
	two     bool            // windows are 2x2

	window, rowBytes, stepBytes, pixelBytes reg.GPVirtual
	vector                                  reg.GPVirtual // the window's first pixel, at the vector of channels

	// Positions go along with the pointers.
	windowAt, vectorAt                 vec
	rowVector, stepVector, pixelVector vec
}

// The fields of PoolRun.
const poolFirst, poolRows, poolCols, poolRowStep, poolWindows, poolStep, poolChannels = 0, 8, 16, 24, 32, 40, 48

func (w *poolWalk) field(offset int) Mem { return Mem{Base: w.run, Disp: offset} }

func (w *poolWalk) inBytes(offset int) reg.GPVirtual {
	r := w.GP64()
	w.MOVQ(w.field(offset), r)
	w.SHLQ(U8(2), r)
	return r
}

// walk ends the function: it calls body for each vector of channels of each window.
func (w *poolWalk) walk(body func(label string, p place)) {
	w.rowBytes, w.stepBytes, w.pixelBytes = w.inBytes(poolRowStep), w.inBytes(poolStep), w.inBytes(poolChannels)
	w.ADDQ(w.inBytes(poolFirst), w.window)
	left, n := w.GP64(), w.GP64()
	w.MOVQ(w.field(poolWindows), left)

	w.windowAt = w.addInt(w.broadcast(w.field(poolFirst)), w.iota())
	w.rowVector, w.stepVector = w.broadcast(w.field(poolRowStep)), w.broadcast(w.field(poolStep))
	w.pixelVector = w.broadcast(w.field(poolChannels))
	lanes := w.copy(w.word(uint32(w.lanes())))

	w.MOVQ(w.field(poolChannels), n)
	w.ANDQ(U8(w.lanes()-1), n)
	tail := w.tailMask(n)

	w.TESTQ(left, left)
	w.JZ(LabelRef("done"))
	w.Label("window")
	w.vector, w.vectorAt = w.GP64(), w.copy(w.windowAt)
	w.MOVQ(w.window, w.vector)
	w.MOVQ(w.field(poolChannels), n)
	w.strides("vector", n, w.lanes(), 1, func(int) {
		body("whole", place{})
		for _, r := range append(w.results, w.vector) {
			w.ADDQ(U32(4*w.lanes()), r)
		}
		w.VPADDD(lanes, w.vectorAt, w.vectorAt)
	})
	w.TESTQ(n, n)
	w.JZ(LabelRef("next"))
	body("tail", place{tail: tail})
	for _, r := range w.results {
		w.LEAQ(Mem{Base: r, Index: n, Scale: 4}, r)
	}
	w.Label("next")
	w.ADDQ(w.stepBytes, w.window)
	w.VPADDD(w.stepVector, w.windowAt, w.windowAt)
	w.DECQ(left)
	w.JNZ(LabelRef("window"))
	w.Label("done")
	w.end()
}

// pixels calls body for each pixel of the window with a pointer to it and its positions.
func (w *poolWalk) pixels(label string, body func(pixel reg.Register, at Op)) {
	row, rowAt := w.GP64(), w.copy(w.vectorAt)
	w.MOVQ(w.vector, row)
	if w.two {
		for y := range 2 {
			body(row, rowAt)
			pixel := w.GP64()
			w.LEAQ(Mem{Base: row, Index: w.pixelBytes, Scale: 1}, pixel)
			body(pixel, w.addInt(rowAt, w.pixelVector))
			if y == 0 {
				w.ADDQ(w.rowBytes, row)
				w.VPADDD(w.rowVector, rowAt, rowAt)
			}
		}
		return
	}
	height := w.GP64()
	w.MOVQ(w.field(poolRows), height)
	w.Label(label + "Row")
	pixel, pixelAt, width := w.GP64(), w.copy(rowAt), w.GP64()
	w.MOVQ(row, pixel)
	w.MOVQ(w.field(poolCols), width)
	w.Label(label + "Pixel")
	body(pixel, pixelAt)
	w.ADDQ(w.pixelBytes, pixel)
	w.VPADDD(w.pixelVector, pixelAt, pixelAt)
	w.DECQ(width)
	w.JNZ(LabelRef(label + "Pixel"))
	w.ADDQ(w.rowBytes, row)
	w.VPADDD(w.rowVector, rowAt, rowAt)
	w.DECQ(height)
	w.JNZ(LabelRef(label + "Row"))
}

// maxPool is Float32Table.MaxPool, or without values MaxPoolIndex, or without indices MaxPoolValue.
func (m *machine) maxPool(name string, values, indices, two bool) {
	results := ""
	if values {
		results += "value *float32, "
	}
	if indices {
		results += "index *int32, "
	}
	m.function(name, "func("+results+"x *float32, run *int)")
	w := poolWalk{machine: m, two: two, window: m.param("x"), run: m.param("run")}
	var value, index reg.GPVirtual
	if values {
		value = m.param("value")
		w.results = append(w.results, value)
	}
	if indices {
		index = m.param("index")
		w.results = append(w.results, index)
	}
	w.walk(func(label string, p place) {
		best, bestAt := m.load(w.vector, p), w.vectorAt
		if !indices && two {
			w.greatestOf4(label, best, p)
			m.store(best, value, p)
			return
		}
		if indices {
			bestAt = m.copy(w.vectorAt)
		}
		first := true
		w.pixels(label, func(pixel reg.Register, at Op) {
			if two && first { // it is best already
				first = false
				return
			}
			x := m.load(pixel, p)
			better := m.isBetter(x, best)
			m.VMOVAPS(m.blend(better, x, best), best)
			if indices {
				m.VMOVAPS(m.blend(better, at, bestAt), bestAt)
			}
		})
		if indices {
			m.store(bestAt, index, p)
		}
		if values {
			m.store(best, value, p)
		}
	})
}

// isBetter is the lanes where x is greater than best, or the first NaN.
func (m *machine) isBetter(x, best vec) Op {
	return m.both(m.cmp(notLessEqual, x, best), m.cmp(ordered, best, best))
}

// greatestOf4 makes best, the first pixel of a 2x2 window, the greatest of all: by maxima, unless one is NaN.
func (w *poolWalk) greatestOf4(label string, best vec, p place) {
	m := w.machine
	below := m.GP64()
	m.LEAQ(Mem{Base: w.vector, Index: w.rowBytes, Scale: 1}, below)
	beside := func(pixel reg.Register) reg.Register {
		r := m.GP64()
		m.LEAQ(Mem{Base: pixel, Index: w.pixelBytes, Scale: 1}, r)
		return r
	}
	rest := []vec{m.load(beside(w.vector), p), m.load(below, p), m.load(beside(below), p)}
	nan, nanBelow := m.cmp(unordered, best, rest[0]), m.cmp(unordered, rest[1], rest[2])
	if m.evex {
		m.KORTESTW(nan, nanBelow)
	} else {
		lanes := m.GP32()
		m.VMOVMSKPS(m.or(nan, nanBelow), lanes)
		m.TESTL(lanes, lanes)
	}
	m.JNZ(LabelRef(label + "NaN"))
	for _, x := range rest {
		m.VMOVAPS(m.rawMax(x, best), best) // best where they are equal, as 0 and -0 are
	}
	m.JMP(LabelRef(label + "Found"))
	m.Label(label + "NaN")
	for _, x := range rest {
		m.VMOVAPS(m.blend(m.isBetter(x, best), x, best), best)
	}
	m.Label(label + "Found")
}

// maxUnpool is Float32Table.MaxUnpool.
func (m *machine) maxUnpool(name string, two bool) {
	m.function(name, "func(dst *float32, y *float32, index *int32, run *int)")
	w := poolWalk{machine: m, two: two, window: m.param("dst"), run: m.param("run")}
	y, index := m.param("y"), m.param("index")
	w.results = []reg.GPVirtual{y, index}
	zero := m.zero()
	w.walk(func(label string, p place) {
		chosen, v := m.load(index, p), m.add(zero, m.load(y, p))
		w.pixels(label, func(pixel reg.Register, at Op) {
			d := m.reg()
			if m.evex {
				k := m.K()
				m.VPCMPEQD(at, chosen, k)
				m.VMOVAPS_Z(v, k, d)
			} else {
				m.VPCMPEQD(at, chosen, d)
				m.VANDPS(v, d, d)
			}
			m.store(d, pixel, p)
		})
	})
}

// iota is the numbers of the lanes in memory.
func (m *machine) iota() Mem {
	const key = 0x107a // no constant of the formulas
	if _, ok := m.constants[key]; !ok {
		m.constants[key] = m.table("elemIota", []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	}
	return m.constants[key]
}
