package kernel

// AdamHyper holds the numbers of one Adam step in the form and order in which the kernel reads them.
type AdamHyper struct {
	Beta1, OneMinusBeta1 float32 // each rounded from float64 by itself
	Beta2, OneMinusBeta2 float32
	Rate                 float32 // rate/(1-β₁ᵗ)
	Correction           float32 // 1/√(1-β₂ᵗ)
	Epsilon              float32
	Shrink               float32 // 1 - rate·decay; exactly 1 without weight decay
}

// adam computes new parameters p1 and moments m1 and v1 from the old ones and the gradient g, all of one length, in one
// pass:
//
//	m1 = m·β₁ + g·(1-β₁)
//	v1 = v·β₂ + g²·(1-β₂)
//	p1 = p·shrink - (rate·m1) / (√v1·correction + ε)
//
// Every operation is rounded by itself, in the order written, so a step has the bits of nn.Adam's separate operations.
// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1; with shrink < 1, algorithm 2 of
// Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
func adam(p1, m1, v1, p, m, v, g []float32, h *AdamHyper) {
	sameLengths(len(p1), len(m1), len(v1))
	sameLengths(len(p1), len(p), len(m))
	sameLengths(len(p1), len(v), len(g))
	for i, gi := range g { // conversions forbid fused operations
		mi := float32(m[i]*h.Beta1) + float32(gi*h.OneMinusBeta1)
		vi := float32(v[i]*h.Beta2) + float32(float32(gi*gi)*h.OneMinusBeta2)
		step := float32(h.Rate*mi) / (float32(sqrt32(vi)*h.Correction) + h.Epsilon)
		m1[i], v1[i], p1[i] = mi, vi, float32(p[i]*h.Shrink)-step
	}
}
