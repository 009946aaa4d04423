// Winograd writes the assembly of the transforms of minimal filtering algorithms, and of the matrix products between
// them, for AVX-512 and AVX2 in float32 and float64.
package main

import . "github.com/mmcloughlin/avo/build"

// algorithm is a minimal filtering algorithm F(m,r): y = AT·[(G·w) ⊙ (BT·x)].
type algorithm struct {
	name      string
	bt, g, at [][]float64
}

// The same matrices as in ../../winograd.go.
var algorithms = []algorithm{
	{
		name: "23x", // points 0, 1, -1, infinity
		bt: [][]float64{
			{1, 0, -1, 0},
			{0, 1, 1, 0},
			{0, -1, 1, 0},
			{0, -1, 0, 1}},
		g: [][]float64{
			{1, 0, 0},
			{.5, .5, .5},
			{.5, -.5, .5},
			{0, 0, 1}},
		at: [][]float64{
			{1, 1, 1, 0},
			{0, 1, -1, 1}},
	},
	{
		name: "42x", // points 0, -1, 1/2, 2, infinity
		bt: [][]float64{
			{1, -1.5, -1.5, 1, 0},
			{0, 1, -2.5, 1, 0},
			{0, -2, -1, 1, 0},
			{0, -.5, .5, 1, 0},
			{0, 1, -1.5, -1.5, 1}},
		g: [][]float64{
			{1, 0},
			{-2. / 9, 2. / 9},
			{-8. / 9, -4. / 9},
			{1. / 9, 2. / 9},
			{0, 1}},
		at: [][]float64{
			{1, 1, 1, 1, 0},
			{0, -1, .5, 2, 0},
			{0, 1, .25, 4, 0},
			{0, -1, .125, 8, 1}},
	},
	{
		name: "43x", // points 0, 3/4, -3/4, 3/2, -3/2, infinity
		bt: [][]float64{
			{1.265625, 0, -2.8125, 0, 1, 0},
			{0, -1.6875, -2.25, .75, 1, 0},
			{0, 1.6875, -2.25, -.75, 1, 0},
			{0, -.84375, -.5625, 1.5, 1, 0},
			{0, .84375, -.5625, -1.5, 1, 0},
			{0, 1.265625, 0, -2.8125, 0, 1}},
		g: [][]float64{
			{64. / 81, 0, 0},
			{-128. / 243, -32. / 81, -8. / 27},
			{-128. / 243, 32. / 81, -8. / 27},
			{32. / 243, 16. / 81, 8. / 27},
			{32. / 243, -16. / 81, 8. / 27},
			{0, 0, 1}},
		at: [][]float64{
			{1, 1, 1, 1, 1, 0},
			{0, .75, -.75, 1.5, -1.5, 0},
			{0, .5625, .5625, 2.25, 2.25, 0},
			{0, .421875, -.421875, 3.375, -3.375, 1}},
	},
}

func main() {
	for _, s := range []isa{
		{level: "512", letter: "s", size: 4, width: 64, rows: 14},
		{level: "512", letter: "d", size: 8, width: 64, rows: 14},
		{level: "256", letter: "s", size: 4, width: 32, rows: 6},
		{level: "256", letter: "d", size: 8, width: 32, rows: 6},
	} {
		for rows := 1; rows <= s.rows; rows++ {
			for vectors := 1; vectors <= 2; vectors++ {
				s.tile(rows, vectors)
			}
		}
		for _, a := range algorithms {
			s.transform("Image"+a.name, a.bt)
			s.transform("Taps"+a.name, a.g)
			s.transform("Out"+a.name, a.at)
			s.transform("OutBack"+a.name, transposed(a.at))
			s.transform("TapsBack"+a.name, transposed(a.g))
		}
	}
	Generate()
}

func transposed(m [][]float64) [][]float64 {
	t := make([][]float64, len(m[0]))
	for j := range t {
		for i := range m {
			t[j] = append(t[j], m[i][j])
		}
	}
	return t
}
