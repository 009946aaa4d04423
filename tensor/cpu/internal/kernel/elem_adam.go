package kernel

import "math"

// AdamHyper holds the numbers of one Adam step in the form that the kernel reads.
type AdamHyper struct {
	Beta1, OneMinusBeta1 float32
	Beta2, OneMinusBeta2 float32
	Step                 float32 // rate/(1-β₁^t)
	Unbias               float32 // 1/√(1-β₂^t)
	Epsilon              float32
	Keep                 float32 // 1 - rate·decay; exactly 1 without weight decay
}

// NewAdamHyper returns the numbers of step t = 1, 2, …, computed in float64 and rounded once. decay is the decoupled
// weight decay of AdamW; 0 gives plain Adam.
func NewAdamHyper(rate, beta1, beta2, epsilon, decay float64, t int) AdamHyper {
	return AdamHyper{
		Beta1:         float32(beta1),
		OneMinusBeta1: float32(1 - beta1),
		Beta2:         float32(beta2),
		OneMinusBeta2: float32(1 - beta2),
		Step:          float32(rate / (1 - math.Pow(beta1, float64(t)))),
		Unbias:        float32(1 / math.Sqrt(1-math.Pow(beta2, float64(t)))),
		Epsilon:       float32(epsilon),
		Keep:          float32(1 - float64(rate*decay)),
	}
}

// adam updates the parameters p and the moments m and v with the gradient g, all of one length, in one pass:
//
//	m = β₁·m + (1-β₁)·g
//	v = β₂·v + (1-β₂)·g²
//	p = keep·p - step·m / (unbias·√v + ε)
//
// Each sum is one FMA around its last product. Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015;
// with keep < 1, algorithm 2 of Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
func adam(p, m, v, g []float32, h *AdamHyper) {
	sameLengths(len(p), len(m), len(v))
	sameLength(len(p), len(g))
	for i, gi := range g {
		mi := fma32(h.OneMinusBeta1, gi, float32(h.Beta1*m[i]))
		vi := fma32(gi, float32(h.OneMinusBeta2*gi), float32(h.Beta2*v[i]))
		m[i], v[i] = mi, vi
		d := fma32(sqrt32(vi), h.Unbias, h.Epsilon)
		u := float32(h.Step*mi) / d
		p[i] = float32(h.Keep*p[i]) - u
	}
}
