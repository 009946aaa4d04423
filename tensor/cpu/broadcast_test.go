package cpu_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
)

// A cluster reads a row that repeats in one of three ways, by its length: expanded once, where it lies, or expanded for
// each tile. Two rows of different lengths in one cluster cannot both set the size of its tiles.
func TestRowsThatRepeat(t *testing.T) {
	for _, c := range []int{2, 32, 100, 784, 1024, 1025, 1568, 2048, 2053, 4096} {
		for _, threads := range []int{1, 3} {
			t.Run(fmt.Sprintf("%d, %d threads", c, threads), func(t *testing.T) {
				const rows, width = 24, 2
				prog, err := tensor.Build(func(g *tensor.Graph) {
					x := g.Input("x", tensor.Float32, rows, width, c)
					sum := tensor.Add(x, g.Input("channel", tensor.Float32, 1, 1, c))
					g.Output("y", tensor.Sub(tensor.Mul(sum, g.Input("plane", tensor.Float32, 1, width, c)), g.Input("row", tensor.Float32, rows, 1, 1)))
				})
				if err != nil {
					t.Fatal(err)
				}
				e, err := cpu.New(threads).Compile(prog, nil)
				if err != nil {
					t.Fatal(err)
				}
				x, channel, plane, row := e.Input("x").F32, e.Input("channel").F32, e.Input("plane").F32, e.Input("row").F32
				for k, a := range [][]float32{x, channel, plane, row} {
					for i := range a { // small integers, so that every result is exact
						a[i] = float32((i*(7+k) + i/11) % 97)
					}
				}
				if err := e.Run(context.Background()); err != nil {
					t.Fatal(err)
				}
				for i, got := range e.Output("y").F32 {
					want := (x[i]+channel[i%c])*plane[i%(width*c)] - row[i/(width*c)]
					if got != want {
						t.Fatalf("element %d is %v, want %v", i, got, want)
					}
				}
			})
		}
	}
}

// A broadcast operand lies in a register from the beginning of a tile. If it shared one with an intermediate value that is
// no longer needed when the operand is first read, that value would have overwritten it.
func TestBroadcastKeepsItsRegister(t *testing.T) {
	const rows, columns = 300, 10
	prog, err := tensor.Build(func(g *tensor.Graph) {
		x := g.Input("x", tensor.Float32, rows, columns)
		row := g.Input("row", tensor.Float32, columns)
		column := g.Input("column", tensor.Float32, rows, 1)
		sum := tensor.Add(tensor.MulScalar(x, 2), tensor.MulScalar(x, 3)) // two registers, both free afterwards
		g.Output("y", tensor.Mul(tensor.Add(sum, row), column))
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := cpu.New(1).Compile(prog, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, row, column := e.Input("x").F32, e.Input("row").F32, e.Input("column").F32
	for i := range x {
		x[i] = float32(i % 101)
	}
	for j := range row {
		row[j] = float32(1000 * j)
	}
	for i := range column {
		column[i] = float32(i%7 - 3)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, got := range e.Output("y").F32 {
		want := (5*x[i] + row[i%columns]) * column[i/columns]
		if got != want {
			t.Fatalf("element %d is %v, want %v", i, got, want)
		}
	}
}
