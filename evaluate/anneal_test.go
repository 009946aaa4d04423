package evaluate

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
)

// line is x = (z + noise, 2z + noise) with z ~ N(0, 1) and noise of deviation 1/2: x is normal with covariance [[1.25, 2], [2, 4.25]].
type line struct{}

func (line) Shape() data.Shape    { return data.RowShape(2) }
func (line) Save(io.Writer) error { return nil }
func (line) LatentSize() int      { return 1 }

func (line) Observe(x data.Batch, _ *rand.Rand) (data.Batch, error) { return x, nil }

func (line) LogLikelihood(dst []float64, gradient []float32, x data.Batch, z []float32, _ []int32) error {
	const variance = 0.25
	for i := range dst {
		u, v := float64(x.Row(i)[0]-z[i]), float64(x.Row(i)[1]-2*z[i])
		dst[i] = -(u*u+v*v)/(2*variance) - math.Log(2*math.Pi*variance)
		gradient[i] = float32((u + 2*v) / variance)
	}
	return nil
}

// lineLogProb is the exact log-density of line.
func lineLogProb(u, v float64) float64 {
	const det = 1.25*4.25 - 4
	return -(4.25*u*u-4*u*v+1.25*v*v)/(2*det) - math.Log(2*math.Pi) - math.Log(det)/2
}

func lineSet(t *testing.T, n int) data.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(8, 0))
	x := make([]float32, 2*n)
	for i := range n {
		z := r.NormFloat64()
		x[2*i], x[2*i+1] = float32(z+r.NormFloat64()/2), float32(2*z+r.NormFloat64()/2)
	}
	set, err := data.NewTable(blobSchema(), x, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestAnnealedWeightsAreUnbiased holds the mean of the weights against p(x), which it is for any number of steps.
func TestAnnealedWeightsAreUnbiased(t *testing.T) {
	const n = 20000
	for _, steps := range []int{1, 3, 20} {
		x := data.Batch{Shape: data.RowShape(2), X: []float32{0.7, 1.1}}
		c := newChains(line{}, x, nil, n, rand.New(rand.NewPCG(9, uint64(steps))))
		log, err := c.run(context.Background(), annealSchedule(steps), func(int, float64) float64 { return 0.2 })
		if err != nil {
			t.Fatal(err)
		}
		w := make([]float64, n)
		for i, l := range log {
			w[i] = math.Exp(l - lineLogProb(0.7, 1.1))
		}
		m := mean(w)
		near(t, "mean weight over p(x)", m.Value, 1, 4*m.StandardError)
	}
}

func TestAnnealReachesTheDensity(t *testing.T) {
	ctx, set := context.Background(), lineSet(t, 60)
	b, err := data.ReadAll(ctx, set)
	if err != nil {
		t.Fatal(err)
	}
	exact := 0.0
	for i := range b.Len() {
		exact -= lineLogProb(float64(b.Row(i)[0]), float64(b.Row(i)[1])) / float64(b.Len())
	}
	few, err := Anneal(ctx, line{}, set, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	many, err := Anneal(ctx, line{}, set, 300, 1)
	if err != nil {
		t.Fatal(err)
	}
	// The bound lies above by half the variance of log w over K, in the limit of many steps.
	if gap := many.Bound.Value - exact; !(gap >= -0.01 && gap <= 0.02) {
		t.Errorf("300 steps give %v, %v above the exact %v", many.Bound.Value, gap, exact)
	}
	if gap := few.Bound.Value - exact; !(gap >= 0.1) {
		t.Errorf("3 steps give %v, %v above the exact %v: expected a loose bound", few.Bound.Value, gap, exact)
	}
	if !(math.Abs(many.Acceptance-aimedAcceptance) <= 0.1) || !many.Bound.Upper || many.Bound.N != 60 {
		t.Errorf("%+v: expected an upper bound of 60 examples, %v of steps accepted", many, aimedAcceptance)
	}
	again, err := Anneal(ctx, line{}, set, 300, 1)
	if err != nil {
		t.Fatal(err)
	}
	if *again != *many { // neither has a Gain, which is a pointer
		t.Errorf("the same seed gives %+v and %+v", *many, *again)
	}
}

// weighted is line with an importance-weighted bound that is 3 nats below log p(x).
type weighted struct{ line }

func (weighted) LogBound([]float64, data.Batch, *rand.Rand) error { return nil }

func (weighted) LogImportanceBound(dst []float64, x data.Batch, _ int, _ *rand.Rand) error {
	for i := range dst {
		dst[i] = lineLogProb(float64(x.Row(i)[0]), float64(x.Row(i)[1])) - 3
	}
	return nil
}

func TestAnnealGain(t *testing.T) {
	a, err := Anneal(context.Background(), weighted{}, lineSet(t, 60), 300, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "gain", a.Gain.Value, 3, 0.02) // the looseness of the annealed bound
}

// labelledLine is line about (9, 9) where the label is 1.
type labelledLine struct{ line }

func (labelledLine) Classes() int { return 2 }

func (labelledLine) LogLikelihood(dst []float64, gradient []float32, x data.Batch, z []float32, y []int32) error {
	moved := data.NewBatch(x.Shape, x.Len(), false)
	for i, class := range y {
		for j, v := range x.Row(i) {
			moved.Row(i)[j] = v - 9*float32(class)
		}
	}
	return line{}.LogLikelihood(dst, gradient, moved, z, nil)
}

// A conditional model is annealed given the true label of each example.
func TestAnnealGivenTheLabel(t *testing.T) {
	ctx, plain := context.Background(), lineSet(t, 60)
	b, err := data.ReadAll(ctx, plain)
	if err != nil {
		t.Fatal(err)
	}
	b.Y = make([]int32, b.Len())
	for i := range b.Y {
		if b.Y[i] = int32(i % 2); b.Y[i] == 1 {
			b.Row(i)[0] += 9
			b.Row(i)[1] += 9
		}
	}
	set, err := data.NewTable(blobSchema("here", "there"), b.X, b.Y)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Anneal(ctx, line{}, plain, 100, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Anneal(ctx, labelledLine{}, set, 100, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "bound given the label", got.Bound.Value, want.Bound.Value, 1e-3) // x + 9 - 9 in float32, and a chain that it turns elsewhere
	if !got.Given || want.Given {
		t.Errorf("given label: %v, and %v of the model without classes", got.Given, want.Given)
	}
	if _, err := Anneal(ctx, labelledLine{}, plain, 10, 1); !errors.Is(err, data.ErrNoLabels) {
		t.Errorf("no labels: error %v", err)
	}
}

func TestAnnealSchedule(t *testing.T) {
	beta := annealSchedule(50)
	if beta[0] != 0 || beta[50] != 1 || len(beta) != 51 {
		t.Fatalf("%d temperatures from %v to %v, expected 51 from 0 to 1", len(beta), beta[0], beta[50])
	}
	for i := 1; i <= 50; i++ {
		if !(beta[i] > beta[i-1]) {
			t.Errorf("beta %d is %v after %v", i, beta[i], beta[i-1])
		}
		near(t, "symmetry", beta[i]+beta[50-i], 1, 1e-14)
	}
}

// runaway has a gradient so steep that every path leaves the finite numbers.
type runaway struct{ line }

func (runaway) LogLikelihood(dst []float64, gradient []float32, _ data.Batch, z []float32, _ []int32) error {
	for i := range dst {
		dst[i], gradient[i] = -math.Abs(float64(z[i])), float32(1e30*float64(z[i]))
	}
	return nil
}

// unsure gives a log-likelihood that is not a number.
type unsure struct{ line }

func (unsure) LogLikelihood(dst []float64, _ []float32, _ data.Batch, _ []float32, _ []int32) error {
	dst[0] = math.NaN()
	return nil
}

func TestAnnealErrors(t *testing.T) {
	ctx, set := context.Background(), lineSet(t, 10)
	if _, err := Anneal(ctx, blobs{}, set, 10, 1); !errors.Is(err, ErrNoAnnealing) {
		t.Errorf("a model without a latent: error %v", err)
	}
	if _, err := Anneal(ctx, line{}, set, 0, 1); err == nil || !strings.Contains(err.Error(), "0 annealing steps") {
		t.Errorf("no steps: error %v", err)
	}
	if _, err := Anneal(ctx, unsure{}, set, 5, 1); err == nil || !strings.Contains(err.Error(), "not a number") {
		t.Errorf("not a number: error %v", err)
	}
	a, err := Anneal(ctx, runaway{}, set, 5, 1)
	if err != nil || a.Acceptance != 0 {
		t.Errorf("paths that run away: %+v, error %v; expected all to be rejected", a, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Anneal(cancelled, line{}, set, 5, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}
