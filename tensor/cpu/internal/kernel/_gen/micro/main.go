// Micro writes the assembly of the matrix-product micro-kernels and of the packing routines that feed them.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	avx512f32 := isa{name: "512", precision: single, width: 64}
	for rows := 1; rows <= 14; rows++ {
		for vectors := 1; vectors <= 2; vectors++ {
			tile(avx512f32, rows, vectors)
			direct(avx512f32, rows, vectors)
		}
	}
	avx512f64 := isa{name: "512", precision: double, width: 64}
	for rows := 1; rows <= 14; rows++ {
		for vectors := 1; vectors <= 2; vectors++ {
			tile(avx512f64, rows, vectors)
			direct(avx512f64, rows, vectors)
		}
	}
	avx2f32 := isa{name: "256", precision: single, width: 32}
	avx2f64 := isa{name: "256", precision: double, width: 32}
	for rows := 1; rows <= 6; rows++ {
		for vectors := 1; vectors <= 2; vectors++ {
			tile(avx2f32, rows, vectors)
			tile(avx2f64, rows, vectors)
		}
	}
	gatherRows(false)
	gatherRows(true)
	addRows()
	for _, s := range []isa{avx512f32, avx512f64, avx2f32, avx2f64} {
		tile(s, 1, 8)
		transpose(s)
		copyRows(s, 1)
		copyRows(s, 2)
	}
	dots(avx512f32)
	dots(avx512f64)
	transposeExact(avx512f32)
	for functions := 1; functions <= 10; functions++ {
		linear(avx512f64, functions)
		linearGradient(avx512f64, functions)
	}
	for functions := 1; functions <= 5; functions++ {
		linear(avx2f64, functions)
		linearGradient(avx2f64, functions)
	}
	peak(avx512f32)
	peak(avx2f32)
	Generate()
}
