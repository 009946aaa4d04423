package generative

import (
	"math"
	"math/rand/v2"
	"strings"

	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// tinyVAE is a recipe that fits in a fraction of a second.
func tinyVAE() *VAE {
	r := model.NewRecipe[VAE]()
	r.Hidden, r.Latent, r.Epochs, r.Batch = []int{16, 12}, 3, 2, 32
	return r
}

var nan = float32(math.NaN())

func TestVAEConformance(t *testing.T) {
	pictures := some(digits(t).Train, 8)
	r := rand.New(rand.NewPCG(1, 2))
	table := numbers(t, 2, correlated(100, r), nil)
	values, labels := make([]float32, 0, 3*60), make([]int32, 60)
	for i := range labels {
		labels[i] = int32(i % 2)
		values = append(values, float32(r.IntN(3)), float32(r.IntN(90)), float32(r.NormFloat64()))
	}
	values[4], values[6], values[17] = nan, nan, nan // missing, in examples that the suite does not ask about
	mixed, err := data.NewTable(&data.Schema{Shape: data.RowShape(3), Classes: []string{"a", "b"}, Label: "class", Columns: []data.Column{
		{Name: "colour", Kind: data.Categorical, Levels: []string{"red", "green", "blue"}},
		{Name: "age", Kind: data.Integer}, {Name: "height", Kind: data.Numeric}}}, values, labels)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		output Output
		set    data.Set
	}{
		{"bernoulli", Auto, pictures},
		{"bernoulli without labels", Bernoulli, withoutLabels(pictures)},
		{"normal", Normal, pictures},
		{"logistic", Logistic, pictures},
		{"logistic without labels", Logistic, withoutLabels(pictures)},
		{"table", Auto, table},
		{"table of all kinds of column, with classes", Normal, mixed},
	} {
		t.Run(c.name, func(t *testing.T) {
			recipe := tinyVAE()
			recipe.Output = c.output
			modeltest.Check(t, modeltest.Subject{Spec: recipe, Train: c.set, Validation: c.set})
		})
	}
}

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

// TestVAEBounds compares a fitted model's bounds with log p(x) by numerical integration over z: the mean of the first is
// below, and the importance-weighted one is close to it with many draws.
func TestVAEBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	pixels, labels := make([]uint8, 64*4), make([]int32, 64)
	for i := range labels {
		labels[i] = int32(r.IntN(2))
		for j := range 4 { // 0 or 3 most often, so that binarisation is certain for those
			pixels[4*i+j] = uint8(3 * min(1, r.IntN(3)/(1+int(labels[i]))))
		}
	}
	shape := data.Shape{Height: 2, Width: 2, Channels: 1}
	pictures, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 3}, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	labelled, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 3, Classes: []string{"a", "b"}}, pixels, labels)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		output Output
		set    data.Set
		epochs int // until q is near enough to the true posterior for weights to vary little
	}{
		{"bernoulli", Bernoulli, pictures, 20},
		{"logistic", Logistic, pictures, 20},
		{"normal pictures", Normal, pictures, 20},
		{"normal table", Normal, numbers(t, 2, correlated(64, r), nil), 100},
		{"given the class", Logistic, labelled, 20},
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

// TestKLStandardNormal compares the analytic KL divergence with numerical integration in one dimension.
func TestKLStandardNormal(t *testing.T) {
	for _, c := range []struct{ mean, logVariance float64 }{{0, 0}, {1.5, 0}, {-0.5, -3}, {2, 1}} {
		sd := math.Exp(c.logVariance / 2)
		want := 0.0
		const steps, edge = 20001, 12.0
		for i := range steps {
			u := -edge + 2*edge*float64(i)/(steps-1) // in standard deviations of q
			x := c.mean + sd*u
			logQ := -u*u/2 - math.Log(sd)
			want += math.Exp(-u*u/2) / math.Sqrt(2*math.Pi) * (logQ + x*x/2) * 2 * edge / (steps - 1)
		}
		prog, err := tensor.Build(func(g *tensor.Graph) {
			g.Output("kl", nn.KLStandardNormal(g.Scalar(tensor.Float32, c.mean), g.Scalar(tensor.Float32, c.logVariance)))
		})
		if err != nil {
			t.Fatal(err)
		}
		e, err := reference.New().Compile(prog, tensor.Vars{})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := float64(e.Output("kl").F32[0]); !(math.Abs(got-want) <= 1e-6*(1+want)) {
			t.Errorf("KL(N(%v, e^%v) || N(0, 1)) is %v, expected %v", c.mean, c.logVariance, got, want)
		}
	}
}

// TestVAECategories learns a table with a column that decides another, and expects that samples keep the tie and the
// frequencies.
func TestVAECategories(t *testing.T) {
	const n = 600
	r := rand.New(rand.NewPCG(15, 16))
	values := make([]float32, 0, 2*n)
	for range n {
		level := 0
		if r.Float64() < 0.3 {
			level = 1
		}
		values = append(values, float32(level), float32(50*float64(level)+3*r.NormFloat64()))
	}
	schema := &data.Schema{Shape: data.RowShape(2), Columns: []data.Column{
		{Name: "kind", Kind: data.Categorical, Levels: []string{"few", "many"}}, {Name: "count", Kind: data.Numeric}}}
	set, err := data.NewTable(schema, values, nil)
	if err != nil {
		t.Fatal(err)
	}
	recipe := tinyVAE()
	recipe.Epochs, recipe.Rate = 100, 0.005
	m, _ := fit(t, recipe, set, model.Run{})
	samples := data.NewBatch(schema.Shape, 2000, false)
	if err := m.(model.Sampler).Sample(samples, r); err != nil {
		t.Fatal(err)
	}
	many, tied := 0, 0
	for i := range samples.Len() {
		row := samples.Row(i)
		if row[0] == 1 {
			many++
		}
		if (row[0] == 1) == (row[1] > 25) {
			tied++
		}
	}
	if share := float64(many) / 2000; !(math.Abs(share-0.3) <= 0.1) {
		t.Errorf("%v of the samples are of the level that is 0.3 of the data", share)
	}
	if share := float64(tied) / 2000; !(share >= 0.95) {
		t.Errorf("%v of the samples have a number that goes with their level, expected at least 0.95", share)
	}
	// p(x) is a density of the number and a probability of the level: over both levels it integrates to 1. The bound, whose
	// exponential with many draws is close to p(x), must do so too.
	grid := data.NewBatch(schema.Shape, 2*400, false)
	const low, step = -100, 0.75
	for i := range grid.Len() {
		grid.Row(i)[0], grid.Row(i)[1] = float32(i%2), float32(low+step*float64(i/2))
	}
	log := make([]float64, grid.Len())
	if err := m.(model.ImportanceBound).LogImportanceBound(log, grid, 500, r); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, l := range log {
		sum += step * math.Exp(l)
	}
	if !(math.Abs(sum-1) <= 0.05) {
		t.Errorf("p(x) sums and integrates to %v, expected 1", sum)
	}
}

// TestVAEFreeBitsAndBeta: with free bits no dimension is worth giving up, and a large beta gives up all.
func TestVAEFreeBitsAndBeta(t *testing.T) {
	set := withoutLabels(some(digits(t).Train, 4))
	divergence := func(change func(r *VAE)) float64 {
		recipe := tinyVAE()
		recipe.Epochs, recipe.Rate = 20, 0.003
		change(recipe)
		m, _ := fit(t, recipe, set, model.Run{})
		a := m.(*Autoencoder)
		code := make([]float32, set.Len()*recipe.Latent)
		if err := a.Encode(code, read(t, set), nil); err != nil {
			t.Fatal(err)
		}
		squares := 0.0 // of the means of q: they are what tells one x from another
		for _, z := range code {
			squares += float64(z) * float64(z) / float64(len(code))
		}
		return squares
	}
	free := divergence(func(r *VAE) { r.FreeBits = 2 })
	plain := divergence(func(r *VAE) {})
	tight := divergence(func(r *VAE) { r.Beta = 50 })
	if !(free > plain && plain > tight && tight < 0.01) {
		t.Errorf("codes have mean squares %v with free bits, %v without, %v with beta 50, expected them to fall to about 0", free, plain, tight)
	}
}

func TestVAEErrors(t *testing.T) {
	table := numbers(t, 2, correlated(20, rand.New(rand.NewPCG(1, 1))), nil)
	for _, output := range []Output{Bernoulli, Logistic} {
		recipe := tinyVAE()
		recipe.Output = output
		if _, _, err := recipe.Fit(t.Context(), table, model.Run{}); err == nil || !strings.Contains(err.Error(), "use normal") {
			t.Errorf("fit of %s to a table returned the error %v", output, err)
		}
	}
	m, _ := fit(t, tinyVAE(), table, model.Run{})
	if _, err := m.(model.Tunable).Tune(&Draw{Temperature: 11}); err == nil || !strings.Contains(err.Error(), "temperature") {
		t.Errorf("a temperature of 11 returned the error %v", err)
	}
}

// TestVAENoise: with noise a Bernoulli decoder draws coins, and without it shows their probabilities.
func TestVAENoise(t *testing.T) {
	set := withoutLabels(some(digits(t).Train, 8))
	m, _ := fit(t, tinyVAE(), set, model.Run{})
	noisy, err := m.(model.Tunable).Tune(&Draw{Temperature: 1, Noise: true})
	if err != nil {
		t.Fatal(err)
	}
	between := func(m model.Model) (n int) {
		b := data.NewBatch(set.Schema().Shape, 10, false)
		if err := m.(model.Sampler).Sample(b, rand.New(rand.NewPCG(1, 1))); err != nil {
			t.Fatal(err)
		}
		for _, v := range b.X {
			if v > 0 && v < set.Schema().MaxValue {
				n++
			}
		}
		return n
	}
	if plain, coins := between(m), between(noisy); plain == 0 || coins != 0 {
		t.Errorf("%d pixels between black and white without noise, expected some; %d with noise, expected none", plain, coins)
	}
}
