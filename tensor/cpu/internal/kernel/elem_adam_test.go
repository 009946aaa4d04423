package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// adamHyper is step t of Adam as nn.Adam has it.
func adamHyper(rate, beta1, beta2, epsilon, decay float64, t int) AdamHyper {
	return AdamHyper{
		Beta1: float32(beta1), OneMinusBeta1: float32(1 - beta1),
		Beta2: float32(beta2), OneMinusBeta2: float32(1 - beta2),
		Rate:       float32(rate / (1 - math.Pow(beta1, float64(t)))),
		Correction: float32(1 / math.Sqrt(1-math.Pow(beta2, float64(t)))),
		Epsilon:    float32(epsilon),
		Shrink:     float32(1 - rate*decay),
	}
}

// adamBySteps is a step by one elementwise kernel after another, as a graph of nn.Adam runs it.
func adamBySteps(k *Float32Table, p, m, v, g []float32, h *AdamHyper) (p1, m1, v1 []float32) {
	n := len(p)
	p1, m1, v1 = make([]float32, n), make([]float32, n), make([]float32, n)
	s, u := make([]float32, n), make([]float32, n)
	k.Mul.VS(m1, m, h.Beta1)
	k.Mul.VS(s, g, h.OneMinusBeta1)
	k.Add.VV(m1, m1, s)
	k.Mul.VS(v1, v, h.Beta2)
	k.Mul.VV(s, g, g)
	k.Mul.VS(s, s, h.OneMinusBeta2)
	k.Add.VV(v1, v1, s)
	k.Sqrt(u, v1)
	k.Mul.VS(u, u, h.Correction)
	k.Add.VS(u, u, h.Epsilon)
	k.Mul.SV(s, h.Rate, m1)
	k.Div.VV(s, s, u)
	if h.Shrink == 1 {
		k.Sub.VV(p1, p, s)
	} else {
		k.Mul.VS(p1, p, h.Shrink)
		k.Sub.VV(p1, p1, s)
	}
	return p1, m1, v1
}

// TestAdam: at every level, length and alignment a step has the bits of its separate operations, out of place and in
// place, for NaN, infinities and numbers below the normal range too, and writes nothing else.
func TestAdam(t *testing.T) {
	hypers := []AdamHyper{
		adamHyper(1e-3, 0.9, 0.999, 1e-8, 0, 1),
		adamHyper(1e-3, 0.9, 0.999, 1e-8, 0.01, 1000),
		adamHyper(2e-4, 0.5, 0.999, 0, 0, 3), // 0/0 where the gradient was always 0
	}
	atEveryLevel(t, func(t *testing.T) {
		for _, n := range lengths() {
			r := rand.New(rand.NewPCG(13, uint64(n)))
			h := hypers[n%len(hypers)]
			var in, out [4]fenced[float32] // p, m, v, g
			for i := range in {
				in[i], out[i] = floats(n, (i+n)%9), floats(n, (2*i+n)%7)
				fillMixed(r, in[i].s)
			}
			for i, x := range in[2].s {
				if r.IntN(8) > 0 {
					in[2].s[i] = abs32(x)
				}
			}
			var old [4][]float32
			for i := range in {
				old[i] = append([]float32(nil), in[i].s...)
			}
			var want [3][]float32
			want[0], want[1], want[2] = adamBySteps(&float32Generic, in[0].s, in[1].s, in[2].s, in[3].s, &h)
			check := func(how string, got []fenced[float32]) {
				for k, name := range []string{"p", "m", "v"} {
					for i, w := range want[k] {
						if !same(got[k].s[i], w) {
							t.Fatalf("%s: %s[%d] of %d is %g, want %g, from %g, %g, %g and gradient %g", how, name, i, n,
								got[k].s[i], w, old[0][i], old[1][i], old[2][i], old[3][i])
						}
					}
					if !got[k].intact() {
						t.Fatalf("%s: %d elements of %s: wrote outside", how, n, name)
					}
				}
			}
			Float32().Adam(out[0].s, out[1].s, out[2].s, in[0].s, in[1].s, in[2].s, in[3].s, &h)
			check("out of place", out[:3])
			for i := range in {
				for j, x := range in[i].s {
					if !same(x, old[i][j]) {
						t.Fatalf("operand %d of length %d was changed", i, n)
					}
				}
			}
			Float32().Adam(in[0].s, in[1].s, in[2].s, in[0].s, in[1].s, in[2].s, in[3].s, &h)
			check("in place", in[:3])
		}
	})
}

// TestAdamFormula compares ten steps with the formula in float64.
func TestAdamFormula(t *testing.T) {
	const rate, beta1, beta2, epsilon, decay, n = 1e-3, 0.9, 0.999, 1e-8, 0.01, 100
	r := rand.New(rand.NewPCG(13, 1))
	p32, m32, v32, g := normals(n), make([]float32, n), make([]float32, n), make([]float32, n)
	p, m, v := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, x := range p32 {
		p[i] = float64(x)
	}
	for step := 1; step <= 10; step++ {
		for i := range g {
			g[i] = float32(r.NormFloat64())
			d := float64(g[i])
			m[i] = beta1*m[i] + (1-beta1)*d
			v[i] = beta2*v[i] + (1-beta2)*d*d
			mHat := m[i] / (1 - math.Pow(beta1, float64(step)))
			vHat := v[i] / (1 - math.Pow(beta2, float64(step)))
			p[i] -= rate*decay*p[i] + rate*mHat/(math.Sqrt(vHat)+epsilon)
		}
		h := adamHyper(rate, beta1, beta2, epsilon, decay, step)
		Float32().Adam(p32, m32, v32, p32, m32, v32, g, &h)
	}
	for i := range n {
		// Ten steps, each with at most two roundings of the parameter.
		if d := math.Abs(float64(p32[i]) - p[i]); !(d <= 20*0x1p-24*(math.Abs(p[i])+10*rate)) {
			t.Errorf("element %d: %g after ten steps, want %g", i, p32[i], p[i])
		}
	}
}

func TestAdamChecksItsOperands(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for short := range 7 {
			var s [7][]float32
			for i := range s {
				s[i] = make([]float32, 5)
			}
			s[short] = s[short][:4]
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("operand %d one element short: no panic", short)
					}
				}()
				Float32().Adam(s[0], s[1], s[2], s[3], s[4], s[5], s[6], new(AdamHyper))
			}()
		}
	})
}

func BenchmarkAdam(b *testing.B) {
	atEachLevel(b, func(b *testing.B) {
		k, h := Float32(), adamHyper(1e-3, 0.9, 0.999, 1e-8, 0, 10)
		for _, n := range []int{2048, 1 << 20} {
			p, m, v, g := normals(n), make([]float32, n), make([]float32, n), normals(n)
			benchmark(b, fmt.Sprint(n), n, func() { k.Adam(p, m, v, p, m, v, g, &h) })
		}
	})
}
