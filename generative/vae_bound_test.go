package generative

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// posterior is a small fitted VAE with one latent dimension and, for its own computation of log p(x|z) at any z, its decoder.
type posterior struct {
	*Autoencoder
	t *testing.T
}

// logMarginal is log p(x) = log ∫ N(z; 0, 1) p(x|z) dz in nats, by a sum over a grid of z in float64. x is a row of t(x).
func (m posterior) logMarginal(x []float32, y []int32) float64 {
	const steps, edge = 4001, 8.0
	const h = 2 * edge / (steps - 1)
	z, classes := make([]float32, steps), make([]int32, steps)
	for i := range z {
		z[i] = float32(-edge + h*float64(i))
		if y != nil {
			classes[i] = y[0]
		}
	}
	out, err := m.decode(z, classes, steps)
	if err != nil {
		m.t.Fatal(err)
	}
	top, sum := math.Inf(-1), 0.0
	for i, v := range z {
		l := m.logGiven(out.Row(i), x) - float64(v)*float64(v)/2 - math.Log(2*math.Pi)/2 + math.Log(h)
		if math.IsInf(l, -1) {
			continue
		}
		if l > top {
			top, sum = l, sum*math.Exp(top-l)+1
		} else {
			sum += math.Exp(l - top)
		}
	}
	return top + math.Log(sum)
}

// logGiven is log p(x|z) in nats, of raw x, written out for each output.
func (m posterior) logGiven(out, x []float32) float64 {
	sum := 0.0
	for j, v := range x {
		mean, x := float64(out[j]), float64(v)
		switch m.net.output {
		case Bernoulli: // x is 0 or 1, mean the probability of 1
			sum += math.Log(x*mean + (1-x)*(1-mean))
		case Normal:
			variance := math.Exp(float64(m.vars["spread"].F32[j]))
			sum -= (x-mean)*(x-mean)/(2*variance) + math.Log(2*math.Pi*variance)/2 + math.Log(m.scale(j))
		case Logistic:
			scale, half := math.Exp(float64(m.vars["spread"].F32[j])), 0.5/float64(m.net.levels-1)
			low, high := (x-half-mean)/scale, (x+half-mean)/scale
			if x == 0 {
				low = math.Inf(-1)
			}
			if x == 1 {
				high = math.Inf(1)
			}
			if low > 0 { // the same area on the side where differences keep their digits
				low, high = -high, -low
			}
			sum += math.Log(1/(1+math.Exp(-high)) - 1/(1+math.Exp(-low)))
		}
	}
	return sum
}

// scale is how many raw units one unit of element j of t(x) is.
func (m posterior) scale(j int) float64 {
	steps := m.Transform.Steps
	return steps[min(j, len(steps)-1)].Scale
}

// TestVAEBounds compares a fitted model's bounds with log p(x) by numerical integration over z.
func TestVAEBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	black, grey, labels := make([]uint8, 64*4), make([]uint8, 64*4), make([]int32, 64)
	for i := range labels {
		labels[i] = int32(r.IntN(2))
		bright := r.IntN(3)
		for j := range 4 {
			black[4*i+j] = uint8(3 * min(1, r.IntN(3)/(1+int(labels[i])))) // 0 or 3: a coin that shows one side only
			grey[4*i+j] = uint8(min(3, bright+r.IntN(2)+int(labels[i])))
		}
	}
	shape := data.Shape{Height: 2, Width: 2, Channels: 1}
	pictures := func(pixels []uint8, labels []int32, classes ...string) data.Set {
		set, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 3, Classes: classes}, pixels, labels)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	for _, c := range []struct {
		name   string
		output Output
		set    data.Set
		epochs int // until q is near enough to the true posterior for weights to vary little
	}{
		{"bernoulli", Bernoulli, pictures(black, nil), 20},
		{"logistic", Logistic, pictures(grey, nil), 20},
		{"normal pictures", Normal, pictures(grey, nil), 20},
		{"normal table", Normal, numbers(t, 2, correlated(64, r), nil), 100},
		{"given the class", Logistic, pictures(grey, labels, "a", "b"), 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			recipe := tinyVAE()
			recipe.Latent, recipe.Output, recipe.Beta, recipe.Epochs, recipe.Rate = 1, c.output, 2, c.epochs, 0.01
			fitted, _ := fit(t, recipe, c.set, model.Run{})
			x := read(t, some(c.set, 8))
			n := x.Len()
			exact := make([]float64, n)
			bound := func(dst []float64, k int, r *rand.Rand) error {
				return fitted.(model.ImportanceBound).LogImportanceBound(dst, x, k, r)
			}
			one := func(dst []float64, r *rand.Rand) error { return fitted.(model.Bound).LogBound(dst, x, r) }
			if given, ok := fitted.(*CondAutoencoder); ok {
				m := posterior{&given.Autoencoder, t}
				for i := range n {
					row := transformed(t, m, x).Row(i)
					exact[i] = m.logMarginal(row, x.Y[i:i+1])
				}
				compareBounds(t, exact, func(dst []float64, r *rand.Rand) error {
					return given.LogBoundGiven(dst, x, x.Y, r)
				}, func(dst []float64, k int, r *rand.Rand) error {
					return given.LogImportanceBoundGiven(dst, x, x.Y, k, r)
				})
				for i := range n { // p(x) = Σ_y p(y) p(x|y)
					sum := 0.0
					for y, p := range given.prior {
						sum += p * math.Exp(m.logMarginal(transformed(t, m, x).Row(i), []int32{int32(y)}))
					}
					exact[i] = math.Log(sum)
				}
			} else {
				m := posterior{fitted.(*Autoencoder), t}
				for i := range n {
					exact[i] = m.logMarginal(transformed(t, m, x).Row(i), nil)
				}
			}
			compareBounds(t, exact, one, bound)
		})
	}
}

func transformed(t *testing.T, m posterior, x data.Batch) data.Batch {
	t.Helper()
	out, err := m.Transformed(x)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// compareBounds holds two things against log p(x): a bound lies below it on average, and the exponential of the
// importance-weighted one with any number of draws is p(x) on average. Four and five standard errors are allowed; the latter
// must be small enough for the comparison to say something.
func compareBounds(t *testing.T, exact []float64, one func([]float64, *rand.Rand) error, many func([]float64, int, *rand.Rand) error) {
	t.Helper()
	const draws = 400
	r := rand.New(rand.NewPCG(13, 14))
	log := make([]float64, len(exact))
	bounds, ratios := make([][]float64, len(exact)), make([][]float64, len(exact))
	for range draws {
		if err := one(log, r); err != nil {
			t.Fatal(err)
		}
		for i, l := range log {
			bounds[i] = append(bounds[i], l)
		}
		if err := many(log, 8, r); err != nil {
			t.Fatal(err)
		}
		for i, l := range log {
			ratios[i] = append(ratios[i], math.Exp(l-exact[i]))
		}
	}
	for i := range exact {
		if mean, se := meanError(bounds[i]); !(mean <= exact[i]+4*se+1e-4) {
			t.Errorf("example %d: the bound is %v on average (standard error %v), above log p(x) = %v", i, mean, se, exact[i])
		}
		if mean, se := meanError(ratios[i]); !(math.Abs(mean-1) <= 5*se+1e-4 && se <= 0.05) {
			t.Errorf("example %d: exp of the importance-weighted bound is %v of p(x) on average (standard error %v), expected 1", i, mean, se)
		}
	}
}

// meanError is the mean of x and its standard error.
func meanError(x []float64) (mean, se float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		se += (v - mean) * (v - mean) / (n * (n - 1))
	}
	return mean, math.Sqrt(se)
}
