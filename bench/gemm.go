package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
)

// gemmShape is a matrix product op(a)·op(b) of (m, k) and (k, n).
type gemmShape struct {
	what           string
	m, k, n        int
	transA, transB bool
}

// job names the shape to a contestant: m x k x n, and which operand is transposed.
func (s gemmShape) job() string {
	letter := map[bool]string{false: "n", true: "t"}
	return fmt.Sprintf("%dx%dx%d%s%s", s.m, s.k, s.n, letter[s.transA], letter[s.transB])
}

func (s gemmShape) flops() float64 { return 2 * float64(s.m) * float64(s.k) * float64(s.n) }

// layerShapes are the three products of a dense layer in a training step.
func layerShapes(what string, n, in, out int) []gemmShape {
	return []gemmShape{
		{what: what + ", forward", m: n, k: in, n: out},
		{what: what + ", by input", m: n, k: out, n: in, transB: true},
		{what: what + ", by weight", m: in, k: n, n: out, transA: true},
	}
}

var gemmShapes = slices.Concat(
	[]gemmShape{
		{what: "cube", m: 256, k: 256, n: 256}, {what: "cube", m: 512, k: 512, n: 512}, {what: "cube", m: 1024, k: 1024, n: 1024},
	},
	layerShapes("MLP 784-512", batch, 784, 512),
	layerShapes("MLP 512-256", batch, 512, 256),
	layerShapes("CNN 3136-128", batch, 7*7*64, 128),
	[]gemmShape{{what: "convolution as a product", m: 25088, k: 288, n: 64}, {what: "one row", m: 1, k: 784, n: 512}},
)

// compileGEMM makes a job of one product.
func compileGEMM(b tensor.Backend, s gemmShape) (*job, error) {
	dims := func(rows, columns int, transposed bool) []int {
		if transposed {
			return []int{columns, rows}
		}
		return []int{rows, columns}
	}
	w := workload{answer: func() answer {
		return answer{nil, func(g *tensor.Graph, _ *nn.Mode) *tensor.Node {
			a := g.Input("a", tensor.Float32, dims(s.m, s.k, s.transA)...)
			b := g.Input("b", tensor.Float32, dims(s.k, s.n, s.transB)...)
			return tensor.MatMulT(a, b, s.transA, s.transB)
		}}
	}}
	return w.compileAnswer(b)
}

// measuredPeak is the flops per second of one core.
func measuredPeak() float64 { return cpu.PeakFLOPS(300 * time.Millisecond) }
