package nn_test

import (
	"math"
	"testing"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// apply computes f of vectors.
func apply(t *testing.T, b tensor.Backend, f func(x ...*tensor.Node) *tensor.Node, args ...[]float64) []float32 {
	t.Helper()
	names := []string{"a", "b", "c"}
	e := compile(t, b, nil, func(g *tensor.Graph) {
		var in []*tensor.Node
		for i, x := range args {
			in = append(in, g.Input(names[i], tensor.Float32, len(x)))
		}
		g.Output("y", f(in...))
	})
	for i, x := range args {
		fill(e.Input(names[i]).F32, x)
	}
	run(t, e)
	return e.Output("y").F32
}

func TestCrossEntropy(t *testing.T) {
	logits := []float64{1, 2, 3, 1000, 0, -1000, -2, -2, -2, 0, 1000, 0}
	classes := []int32{0, 0, 2, 0}
	want := []float64{math.Log(1 + math.E + math.E*math.E), 0, math.Log(3), 1000}
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		e := compile(t, b, nil, func(g *tensor.Graph) {
			x := g.Input("x", tensor.Float32, 4, 3)
			loss := nn.CrossEntropy(x, g.Input("y", tensor.Int32, 4))
			g.Output("loss", loss)
			g.Output("gradient", tensor.Gradient(tensor.Sum(loss), x)[0])
		})
		fill(e.Input("x").F32, logits)
		copy(e.Input("y").I32, classes)
		run(t, e)
		near(t, "loss", e.Output("loss").F32, want, 1e-6)
		var gradient []float64 // softmax minus one-hot
		for i := range 4 {
			row := logits[3*i : 3*i+3]
			top := max(row[0], row[1], row[2])
			total := 0.0
			for _, v := range row {
				total += math.Exp(v - top)
			}
			for k, v := range row {
				p := math.Exp(v-top) / total
				if int(classes[i]) == k {
					p--
				}
				gradient = append(gradient, p)
			}
		}
		near(t, "gradient", e.Output("gradient").F32, gradient, 1e-6)
	})
}

func TestBernoulli(t *testing.T) {
	logit := []float64{0, 2, -2, 2, 200, -200, 200, 0.5}
	x := []float64{1, 1, 1, 0, 1, 1, 0, 0.25}
	var want []float64
	for i, l := range logit {
		// log σ(l) = −log(1+e^−l), which float64 holds as it stands up to |l| = 700.
		want = append(want, -x[i]*math.Log1p(math.Exp(-l))-(1-x[i])*math.Log1p(math.Exp(l)))
	}
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		got := apply(t, b, func(a ...*tensor.Node) *tensor.Node { return nn.BernoulliLogLikelihood(a[0], a[1]) }, logit, x)
		near(t, "log p", got, want, 1e-6)
	})
}

func TestNormalLogLikelihoodAndKL(t *testing.T) {
	mean, logVariance, x := normals(20, 1), normals(20, 2), normals(20, 3)
	var logp, kl []float64
	for i, m := range mean {
		variance := math.Exp(logVariance[i])
		density := math.Exp(-(x[i]-m)*(x[i]-m)/(2*variance)) / math.Sqrt(2*math.Pi*variance)
		logp = append(logp, math.Log(density))
		kl = append(kl, klByQuadrature(m, math.Sqrt(variance)))
	}
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		got := apply(t, b, func(a ...*tensor.Node) *tensor.Node { return nn.NormalLogLikelihood(a[0], a[1], a[2]) }, mean, logVariance, x)
		near(t, "log p", got, logp, 1e-6)
		got = apply(t, b, func(a ...*tensor.Node) *tensor.Node { return nn.KLStandardNormal(a[0], a[1]) }, mean, logVariance)
		near(t, "KL", got, kl, 1e-6)
		zero := apply(t, b, func(a ...*tensor.Node) *tensor.Node { return nn.KLStandardNormal(a[0], a[1]) }, []float64{0}, []float64{0})
		near(t, "KL of equals", zero, []float64{0}, 0)
	})
}

// klByQuadrature is ∫ q log(q/p) for q = N(m, s²) and p = N(0, 1), by the midpoint rule over ±12 s, whose error for such
// smooth functions is far below 1e-9.
func klByQuadrature(m, s float64) float64 {
	const n = 4000
	total, h := 0.0, 24*s/n
	for i := range n {
		x := m - 12*s + (float64(i)+0.5)*h
		logq := -0.5*(x-m)*(x-m)/(s*s) - math.Log(s)
		total += h * math.Exp(logq) / math.Sqrt(2*math.Pi) * (logq + 0.5*x*x)
	}
	return total
}

// The probabilities of all levels sum to 1, wherever the mean lies and however wide the logistic is, and each is
// σ(upper edge) − σ(lower edge).
func TestDiscretisedLogistic(t *testing.T) {
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		for _, levels := range []int{2, 17, 256} {
			for _, mean := range []float64{-0.5, 0, 0.3125, 1, 1.25} {
				for _, logScale := range []float64{-8, -3, 0, 3} {
					x, means, scales, want := make([]float64, levels), make([]float64, levels), make([]float64, levels), make([]float64, levels)
					for k := range levels {
						x[k], means[k], scales[k] = float64(float32(k)/float32(levels-1)), mean, logScale
						want[k] = logisticBin(k, levels, mean, logScale)
					}
					got := apply(t, b, func(a ...*tensor.Node) *tensor.Node {
						return nn.DiscretisedLogisticLogLikelihood(a[0], a[1], a[2], levels)
					}, means, scales, x)
					total := 0.0
					for _, v := range got {
						total += math.Exp(float64(v))
					}
					// x is rounded to float32, which in units of a scale of e⁻⁸ moves a bin's edge by up to 2⁻²⁴·e⁸ = 2e-4.
					tol := 1e-6 + 2*math.Exp2(-24)*math.Exp(-logScale)
					if !(math.Abs(total-1) <= tol) {
						t.Errorf("%d levels, mean %v, log scale %v: the probabilities sum to %v", levels, mean, logScale, total)
					}
					near(t, "log p", got, want, 4*tol)
				}
			}
		}
	})
}

// logisticBin is log(σ(u) − σ(l)) in float64, from whichever tail loses nothing: σ(u) − σ(l) = σ(−l) − σ(−u).
func logisticBin(k, levels int, mean, logScale float64) float64 {
	edge := func(j float64) float64 { return ((float64(k)+j)/float64(levels-1) - mean) / math.Exp(logScale) }
	u, l := edge(0.5), edge(-0.5)
	if k == levels-1 {
		u = math.Inf(1)
	}
	if k == 0 {
		l = math.Inf(-1)
	}
	if u+l > 0 {
		u, l = -l, -u
	}
	// u ≤ −l: both in the lower tail, where σ(v) = e^v/(1+e^v) is accurate.
	logSigmoid := func(v float64) float64 {
		if v < 0 {
			return v - math.Log1p(math.Exp(v))
		}
		return -math.Log1p(math.Exp(-v))
	}
	top := logSigmoid(u)
	if math.IsInf(l, -1) {
		return top
	}
	return top + math.Log1p(-math.Exp(logSigmoid(l)-top))
}
