package main

import "github.com/likely-ml/likely/tensor"

// flops are the multiplications and additions of a program's matrix products and convolutions, two for each term of a sum.
// Terms of a convolution that meet the padding count, as is usual; elementwise work does not.
func flops(p *tensor.Program) float64 {
	total := 0.0
	for _, n := range p.Nodes {
		total += 2 * terms(n)
	}
	return total
}

func terms(n *tensor.Node) float64 {
	switch n.Op() {
	case tensor.OpMatMul:
		a := n.In()[0].Dims()
		inner := a[len(a)-1]
		if n.Attr().(tensor.MatMulSpec).TransA {
			inner = a[len(a)-2]
		}
		return float64(n.Shape().Size()) * float64(inner)
	case tensor.OpConvY, tensor.OpConvX, tensor.OpConvW:
		c := n.Attr().(tensor.ConvGeometry)
		terms := float64(c.N) * float64(c.Groups) * float64(c.CI) * float64(c.CO)
		for _, a := range c.Axes {
			terms *= float64(a.Kernel) * float64(a.Out)
		}
		return terms
	}
	return 0
}
