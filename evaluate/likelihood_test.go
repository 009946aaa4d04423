package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

// logBlob is log p(x|y) of a blob.
func logBlob(x []float32, y int32) float64 {
	u, v := float64(x[0])-float64(4*y-2), float64(x[1])
	return -(u*u+v*v)/2 - math.Log(2*math.Pi)
}

// blobDensity has the true densities.
type blobDensity struct{ blobModel }

func (blobDensity) LogProb(dst []float64, x data.Batch) error {
	for i := range dst {
		left, right := logBlob(x.Row(i), 0), logBlob(x.Row(i), 1)
		dst[i] = left + softplus(right-left) - math.Ln2
	}
	return nil
}

type blobCondDensity struct{ blobModel }

func (blobCondDensity) Classes() int { return 2 }

func (blobCondDensity) LogProbGiven(dst []float64, x data.Batch, y []int32) error {
	for i := range dst {
		dst[i] = logBlob(x.Row(i), y[i])
	}
	return nil
}

// blobBound falls short of the density by one nat, plus noise, and by 1/k with k draws.
type blobBound struct{ blobModel }

func (b blobBound) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return b.LogImportanceBound(dst, x, 1, r)
}

func (blobBound) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	err := blobDensity{}.LogProb(dst, x)
	for i := range dst {
		dst[i] += 0.1*r.NormFloat64() - 1/float64(k)
	}
	return err
}

// blobDrawn has the true densities of what it draws from x: x itself, but for the random numbers that it takes.
type blobDrawn struct{ blobModel }

func (blobDrawn) LikelihoodOf() string { return "noisy x" }

func (blobDrawn) LogProbDrawn(dst []float64, x data.Batch, r *rand.Rand) error {
	err := blobDensity{}.LogProb(dst, x)
	for i := range dst {
		dst[i] += 1e-3 * r.NormFloat64()
	}
	return err
}

// blobCondDrawn has the densities given the class.
type blobCondDrawn struct{ blobModel }

func (blobCondDrawn) Classes() int         { return 2 }
func (blobCondDrawn) LikelihoodOf() string { return "noisy x" }

func (blobCondDrawn) LogProbDrawnGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	err := blobCondDensity{}.LogProbGiven(dst, x, y)
	for i := range dst {
		dst[i] += 1e-3 * r.NormFloat64()
	}
	return err
}

// TestLikelihoodOfADraw: what is drawn from x has an exact likelihood, which says of what it is and depends on the seed.
func TestLikelihoodOfADraw(t *testing.T) {
	ctx, set := context.Background(), twoBlobs(t, 900)
	measured := func(m model.Model, seed uint64) *CodeLength {
		l, err := Likelihood(ctx, m, set, seed)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	plain := measured(blobDensity{}, 1)
	drawn := measured(blobDrawn{}, 1)
	if drawn.Bound != nil || drawn.Of != "noisy x" || drawn.Given || drawn.NatsPerExample().Kind != measure.KindEstimate {
		t.Errorf("a density of draws is reported as %+v", drawn)
	}
	near(t, "nats per example", drawn.Exact.Value, plain.Exact.Value, 5e-3/30)
	if again, other := measured(blobDrawn{}, 1), measured(blobDrawn{}, 2); *again.Exact != *drawn.Exact || *other.Exact == *drawn.Exact {
		t.Errorf("the same seed gives %v, then %v; another %v", drawn.Exact, again.Exact, other.Exact)
	}
	given := measured(blobCondDrawn{}, 1)
	if !given.Given || given.Bound != nil {
		t.Errorf("a density of draws given the class is reported as %+v", given)
	}
	near(t, "nats per example given the class", given.Exact.Value, measured(blobCondDensity{}, 1).Exact.Value, 5e-3/30)
	text, err := json.Marshal(drawn)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	if keys["is_bound"] != false || keys["likelihood_of"] != "noisy x" {
		t.Errorf("JSON is %s", text)
	}
	unlabelled, err := data.NewTable(blobSchema(), []float32{0, 0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Likelihood(ctx, blobCondDrawn{}, unlabelled, 1); !errors.Is(err, data.ErrNoLabels) {
		t.Errorf("no labels: error %v", err)
	}
}

func TestLikelihoodOfADensity(t *testing.T) {
	set := twoBlobs(t, 900)
	l, err := Likelihood(context.Background(), blobDensity{}, set, 1)
	if err != nil {
		t.Fatal(err)
	}
	// The blobs hardly overlap, so that the entropy is nearly that of a Gaussian in the plane plus log 2.
	m := l.NatsPerExample()
	if m.Kind != measure.KindEstimate || l.Bound != nil || m.N != 900 {
		t.Errorf("measure %+v of a density", m)
	}
	near(t, "nats per example", m.Value, 1+math.Log(2*math.Pi)+math.Ln2, 4*m.StandardError+0.06)
	near(t, "standard error", m.StandardError, 1/math.Sqrt(900), 0.004) // log p of a Gaussian in the plane has variance 1

	given, err := Likelihood(context.Background(), blobCondDensity{}, set, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !given.Given || !(given.Exact.Value < l.Exact.Value-0.5) {
		t.Errorf("knowing the label gives %v nats, not knowing it %v: expected log 2 less", given.Exact.Value, l.Exact.Value)
	}
}

func TestLikelihoodOfABound(t *testing.T) {
	set := twoBlobs(t, 900)
	exact, err := Likelihood(context.Background(), blobDensity{}, set, 1)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Likelihood(context.Background(), blobBound{}, set, 1)
	if err != nil {
		t.Fatal(err)
	}
	if l.Exact != nil || l.NatsPerExample().Kind != measure.KindBound || !l.Bound.Upper {
		t.Errorf("a bound is reported as %+v", l.NatsPerExample())
	}
	near(t, "gap of the bound", l.Bound.Value-exact.Exact.Value, 1, 5*0.1/30)
	near(t, "gap of the importance-weighted bound", l.Importance.Value-exact.Exact.Value, 1.0/ImportanceDraws, 5*0.1/30)

	again, err := Likelihood(context.Background(), blobBound{}, set, 1)
	if err != nil || *again.Bound != *l.Bound {
		t.Errorf("the same seed gives %v, then %v, error %v", l.Bound, again.Bound, err)
	}
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	if keys["is_bound"] != true || keys["is_estimate"] != false || keys["bits_per_dim"] != nil || keys["importance_draws"] != 64.0 || keys["standard_error"] == nil {
		t.Errorf("JSON is %s", text)
	}
}

// blobEstimate has the true densities but for noise, and for an error of its method.
type blobEstimate struct{ blobModel }

func (blobEstimate) LogEstimate(dst []float64, x data.Batch, r *rand.Rand) error {
	err := blobDensity{}.LogProb(dst, x)
	for i := range dst {
		dst[i] += 0.5 + 0.1*r.NormFloat64()
	}
	return err
}

// blobCondEstimate has those given the class.
type blobCondEstimate struct{ blobModel }

func (blobCondEstimate) Classes() int { return 2 }

func (blobCondEstimate) LogEstimateGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	err := blobCondDensity{}.LogProbGiven(dst, x, y)
	for i := range dst {
		dst[i] += 0.5 + 0.1*r.NormFloat64()
	}
	return err
}

// TestLikelihoodByEstimates: estimates are neither exact nor a bound, and have names of their own; of a large set a part is measured.
func TestLikelihoodByEstimates(t *testing.T) {
	ctx, set := context.Background(), twoBlobs(t, 2*EstimateExamples)
	for _, c := range []struct {
		model, exact model.Model
		given        bool
	}{{blobEstimate{}, blobDensity{}, false}, {blobCondEstimate{}, blobCondDensity{}, true}} {
		l, err := Likelihood(ctx, c.model, set, 1)
		if err != nil {
			t.Fatal(err)
		}
		exact, err := Likelihood(ctx, c.exact, set, 1)
		if err != nil {
			t.Fatal(err)
		}
		m := l.NatsPerExample()
		if m.Kind != measure.KindApproximation || m.Name != "estimate_nats_per_example" || m.N != EstimateExamples || l.N != m.N ||
			l.Exact != nil || l.Bound != nil || l.Given != c.given {
			t.Errorf("an estimate is reported as %+v of %+v", m, l)
		}
		near(t, "nats per example", m.Value, exact.Exact.Value-0.5, 4*m.StandardError)
		again, err := Likelihood(ctx, c.model, set, 1)
		if err != nil || *again.Estimate != *l.Estimate {
			t.Errorf("the same seed gives %v, then %v, error %v", l.Estimate, again.Estimate, err)
		}
		text, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]any
		if err := json.Unmarshal(text, &keys); err != nil {
			t.Fatal(err)
		}
		_, claimed := keys["nats_per_example"]
		if bits, has := keys["estimate_bits_per_dim"]; claimed || bits != nil || !has || keys["estimate_nats_per_example"] != m.Value ||
			keys["standard_error"] != m.StandardError || keys["is_bound"] != false || keys["is_estimate"] != true {
			t.Errorf("JSON is %s", text)
		}
	}
	unlabelled, err := data.NewTable(blobSchema(), []float32{0, 0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Likelihood(ctx, blobCondEstimate{}, unlabelled, 1); !errors.Is(err, data.ErrNoLabels) {
		t.Errorf("no labels: error %v", err)
	}
}

// fairCoin is pictures of 2x2 pixels, each of two equally dense values: exactly one bit per pixel.
type fairCoin struct{ blobModel }

func (fairCoin) LogProb(dst []float64, x data.Batch) error {
	for i := range dst {
		dst[i] = 4 * math.Log(0.5)
	}
	return nil
}

func TestBitsPerDimension(t *testing.T) {
	schema := &data.Schema{Shape: data.Shape{Height: 2, Width: 2, Channels: 1}, MaxValue: 1}
	set, err := data.NewPixels(schema, []uint8{0, 1, 1, 0, 1, 1, 1, 0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Likelihood(context.Background(), fairCoin{}, set, 1)
	if err != nil {
		t.Fatal(err)
	}
	measures := l.Measures()
	if len(measures) != 2 || measures[1].Name != "bits_per_dim" {
		t.Fatalf("measures %+v", measures)
	}
	near(t, "bits per dimension", measures[1].Value, 1, 1e-15)
}

func TestLikelihoodErrors(t *testing.T) {
	ctx := context.Background()
	set := twoBlobs(t, 10)
	if _, err := Likelihood(ctx, blobs{}, set, 1); !errors.Is(err, ErrNoLikelihood) {
		t.Errorf("a sampler: error %v", err)
	}
	if _, err := Likelihood(ctx, blobDensity{}, data.Subset(set, nil), 1); !errors.Is(err, errEmpty) {
		t.Errorf("no examples: error %v", err)
	}
	unlabelled, err := data.NewTable(blobSchema(), []float32{0, 0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Likelihood(ctx, blobCondDensity{}, unlabelled, 1); !errors.Is(err, data.ErrNoLabels) {
		t.Errorf("no labels: error %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Likelihood(cancelled, blobDensity{}, set, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}
