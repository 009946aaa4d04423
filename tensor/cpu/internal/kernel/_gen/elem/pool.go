package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// maxPoolIndex is Float32Table.MaxPoolIndex, with the channels in the lanes; the fields of PoolRun lie at run.
func (m *machine) maxPoolIndex() {
	m.function("maxPoolIndex", "func(index *int32, x *float32, run *int)")
	index, window, run := m.param("index"), m.param("x"), m.param("run")
	const first, rows, cols, rowStep, windows, step, channels = 0, 8, 16, 24, 32, 40, 48
	field := func(offset int) Mem { return Mem{Base: run, Disp: offset} }
	inBytes := func(offset int) reg.GPVirtual {
		r := m.GP64()
		m.MOVQ(field(offset), r)
		m.SHLQ(U8(2), r)
		return r
	}
	rowBytes, stepBytes, pixelBytes, offset := inBytes(rowStep), inBytes(step), inBytes(channels), inBytes(first)
	m.ADDQ(offset, window)
	left, n := m.GP64(), m.GP64()
	m.MOVQ(field(windows), left)

	// Positions go along with the pointers: of the window, of the vector of channels, of its row, of its pixel.
	windowAt := m.addInt(m.broadcast(field(first)), m.table("elemIota", iota16))
	rowVector, stepVector, pixelVector := m.broadcast(field(rowStep)), m.broadcast(field(step)), m.broadcast(field(channels))
	lanes := m.copy(m.word(uint32(m.lanes())))

	m.MOVQ(field(channels), n)
	m.ANDQ(U8(m.lanes()-1), n)
	tail := m.tailMask(n)

	m.TESTQ(left, left)
	m.JZ(LabelRef("done"))
	m.Label("window")
	vector, vectorAt := m.GP64(), m.copy(windowAt)
	m.MOVQ(window, vector)
	greatest := func(label string, tail Op) {
		best, bestAt := m.load(vector, place{tail: tail}), m.copy(vectorAt)
		row, rowAt, height := m.GP64(), m.copy(vectorAt), m.GP64()
		m.MOVQ(vector, row)
		m.MOVQ(field(rows), height)
		m.Label(label + "Row")
		pixel, pixelAt, width := m.GP64(), m.copy(rowAt), m.GP64()
		m.MOVQ(row, pixel)
		m.MOVQ(field(cols), width)
		m.Label(label + "Pixel")
		x := m.load(pixel, place{tail: tail})
		// Greater or unordered, but best is no NaN.
		better := m.both(m.cmp(notLessEqual, x, best), m.cmp(ordered, best, best))
		m.VMOVAPS(m.blend(better, x, best), best)
		m.VMOVAPS(m.blend(better, pixelAt, bestAt), bestAt)
		m.ADDQ(pixelBytes, pixel)
		m.VPADDD(pixelVector, pixelAt, pixelAt)
		m.DECQ(width)
		m.JNZ(LabelRef(label + "Pixel"))
		m.ADDQ(rowBytes, row)
		m.VPADDD(rowVector, rowAt, rowAt)
		m.DECQ(height)
		m.JNZ(LabelRef(label + "Row"))
		m.store(bestAt, index, place{tail: tail})
	}
	m.MOVQ(field(channels), n)
	m.strides("vector", n, m.lanes(), 1, func(int) {
		greatest("whole", nil)
		m.ADDQ(U32(4*m.lanes()), index)
		m.ADDQ(U32(4*m.lanes()), vector)
		m.VPADDD(lanes, vectorAt, vectorAt)
	})
	m.TESTQ(n, n)
	m.JZ(LabelRef("next"))
	greatest("tail", tail)
	m.LEAQ(Mem{Base: index, Index: n, Scale: 4}, index)
	m.Label("next")
	m.ADDQ(stepBytes, window)
	m.VPADDD(stepVector, windowAt, windowAt)
	m.DECQ(left)
	m.JNZ(LabelRef("window"))
	m.Label("done")
	m.end()
}

// iota16 numbers the lanes.
var iota16 = []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
