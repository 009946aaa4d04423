package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestAdam compares ten steps with the formula in float64, at every length, and checks that plain Go and the assembly
// agree bit for bit.
func TestAdam(t *testing.T) {
	const rate, beta1, beta2, epsilon, decay = 1e-3, 0.9, 0.999, 1e-8, 0.01
	atEveryLevel(t, func(t *testing.T) {
		for _, n := range lengths() {
			r := rand.New(rand.NewPCG(13, uint64(n)))
			var state, twin [4]fenced[float32]
			for i := range state {
				state[i], twin[i] = floats(n, (i+n)%9), floats(n, 0)
				clear(state[i].s)
				clear(twin[i].s)
			}
			p, m, v := make([]float64, n), make([]float64, n), make([]float64, n)
			for i := range n {
				state[0].s[i] = float32(r.NormFloat64())
				p[i] = float64(state[0].s[i])
			}
			copy(twin[0].s, state[0].s)
			for step := 1; step <= 10; step++ {
				g := state[3].s
				for i := range g {
					g[i] = float32(r.NormFloat64())
					d := float64(g[i])
					m[i] = beta1*m[i] + (1-beta1)*d
					v[i] = beta2*v[i] + (1-beta2)*d*d
					mHat := m[i] / (1 - math.Pow(beta1, float64(step)))
					vHat := v[i] / (1 - math.Pow(beta2, float64(step)))
					p[i] -= rate*decay*p[i] + rate*mHat/(math.Sqrt(vHat)+epsilon)
				}
				h := NewAdamHyper(rate, beta1, beta2, epsilon, decay, step)
				Float32().Adam(state[0].s, state[1].s, state[2].s, g, &h)
				float32Generic.Adam(twin[0].s, twin[1].s, twin[2].s, g, &h)
			}
			for i := range n {
				// Ten steps, each with at most two roundings of the parameter.
				if d := math.Abs(float64(state[0].s[i]) - p[i]); !(d <= 20*0x1p-24*(math.Abs(p[i])+10*rate)) {
					t.Fatalf("element %d of %d: %g after ten steps, want %g", i, n, state[0].s[i], p[i])
				}
				for k, name := range []string{"p", "m", "v"} {
					if !same(state[k].s[i], twin[k].s[i]) {
						t.Fatalf("%s[%d] of %d is %g, and %g in plain Go", name, i, n, state[k].s[i], twin[k].s[i])
					}
				}
			}
			for _, s := range state {
				if !s.intact() {
					t.Fatalf("Adam on %d elements wrote outside its operands", n)
				}
			}
		}
	})
}
