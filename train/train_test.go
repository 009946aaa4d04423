package train_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// Linear regression without noise finds the coefficients that made the data, on either backend.
func TestLinearRegression(t *testing.T) {
	coefficients := []float64{1.5, -2, 0.25}
	r := rand.New(rand.NewPCG(1, 1))
	values := make([]float32, 4*64) // three inputs and the target
	for i := 0; i < len(values); i += 4 {
		for j, c := range coefficients {
			x := float32(r.NormFloat64())
			values[i+j] = x
			values[i+3] += float32(c) * x
		}
	}
	for _, backend := range []string{"cpu", "reference"} {
		t.Run(backend, func(t *testing.T) {
			layer := nn.NewDense(3, 1, nn.Zeros)
			params := nn.Collect(&layer)
			p := train.Problem{
				Params: params, Shape: []int{4}, Out: data.RowShape(4),
				Phases: []train.Phase{{Params: params, Optimiser: nn.SGD{Momentum: 0.9}, Loss: func(b *train.Batch) train.Loss {
					predicted := layer.Apply(tensor.SliceAxis(b.X, 1, 0, 3))
					return train.Loss{Value: tensor.Mean(tensor.Square(tensor.Sub(predicted, tensor.SliceAxis(b.X, 1, 3, 4))))}
				}}},
				Prepare: func(dst, raw data.Batch, _ train.Rand) error { copy(dst.X, raw.X); return nil },
			}
			found := minimise(t, p, table(4, values, 0, nil), train.Options{Batch: 16, Epochs: 60, Rate: 0.02}, model.Run{Backend: backend})
			for j, c := range coefficients {
				near(t, "coefficient", float64(found.Vars["weight"].F32[j]), c, 1e-4)
			}
			near(t, "intercept", float64(found.Vars["bias"].F32[0]), 0, 1e-4)
			if found.Summary.Epochs != 60 || found.Summary.Steps != 240 || found.Summary.Stopped != "all epochs done" {
				t.Errorf("summary %+v", found.Summary)
			}
		})
	}
}

func TestClassifier(t *testing.T) {
	found := minimise(t, classifier(nil), clouds(300, 1), train.Options{Batch: 32, Epochs: 10, Rate: 0.02, Schedule: train.Cosine},
		model.Run{Seed: 1, Validation: clouds(101, 2)})
	if a := found.Metrics["validation_accuracy"]; !(a > 0.85) {
		t.Errorf("validation accuracy %v, expected more than 0.85: classes overlap by 8%%", a)
	}
	if found.Metrics["validation_loss"] != found.Summary.ValidationLoss || found.Metrics["loss"] != found.Summary.TrainLoss {
		t.Errorf("metrics %v and summary %+v differ", found.Metrics, found.Summary)
	}
}

// The number of threads, the recipe's own epochs or the run's, and a set smaller than the batch change nothing they should
// not change.
func TestSameBits(t *testing.T) {
	set, validation := clouds(100, 1), clouds(37, 2)
	o := train.Options{Batch: 16, Epochs: 3, Rate: 0.01, WarmUp: 5, Average: 0.9, Clip: 1}
	one := minimise(t, classifier(nil), set, o, model.Run{Seed: 4, Threads: 1, Validation: validation})
	o.Epochs = 7
	two := minimise(t, classifier(nil), set, o, model.Run{Seed: 4, Threads: 2, Epochs: 3, Validation: validation})
	same(t, two, one)

	o.Batch = 100
	whole := minimise(t, classifier(nil), set, o, model.Run{Seed: 4})
	o.Batch = 1000
	same(t, minimise(t, classifier(nil), set, o, model.Run{Seed: 4}), whole)
}

// The validation loss is the mean over all examples, with the last short batch in its share.
func TestValidationMean(t *testing.T) {
	values := []float32{0, 1, 2, 3, 10}
	p := scalar(0, nn.SGD{}, func(p, x *tensor.Node) *tensor.Node { return tensor.Mean(tensor.Add(x, tensor.Sub(p, p))) })
	found := minimise(t, p, constant(4, 1), train.Options{Batch: 2, Epochs: 1, Rate: 1}, model.Run{Validation: table(1, values, 0, nil)})
	near(t, "validation loss", found.Summary.ValidationLoss, 16./5, 1e-6)
}

// Training pulls p towards 2, validation likes 1 best: the run stops after it has passed 1 and takes the p nearest it.
func TestEarlyStop(t *testing.T) {
	p := scalar(0, nn.SGD{}, squared) // p ← p − 0.2·(p − 2): 0, 0.4, 0.72, 0.976, 1.181, …
	found := minimise(t, p, constant(8, 2), train.Options{Batch: 8, Epochs: 50, Rate: 0.1, Patience: 4}, model.Run{Validation: constant(3, 1)})
	near(t, "p", float64(found.Vars["p"].F32[0]), 0.976, 1e-6)
	near(t, "validation loss", found.Summary.ValidationLoss, 0.024*0.024, 1e-6)
	if found.Summary.Epochs != 7 || !strings.Contains(found.Summary.Stopped, "4 epochs") {
		t.Errorf("stopped after epoch %d, %q; expected 3 and 4 more", found.Summary.Epochs, found.Summary.Stopped)
	}
}

func TestPatienceWithoutValidation(t *testing.T) {
	found := minimise(t, scalar(0, nn.SGD{}, squared), constant(8, 2), train.Options{Batch: 8, Epochs: 6, Rate: 0.1, Patience: 1}, model.Run{})
	if found.Summary.Epochs != 6 || len(found.Summary.Notes) != 1 {
		t.Errorf("summary %+v, expected 6 epochs and a note", found.Summary)
	}
}

func TestAverage(t *testing.T) {
	found := minimise(t, scalar(1, nn.SGD{}, linear), constant(4, 1), train.Options{Batch: 1, Epochs: 5, Rate: 0.5, Average: 0.6}, model.Run{})
	p, average := 1.0, 1.0
	for step := 1; step <= 20; step++ {
		p -= 0.5
		decay := min(0.6, float64(step)/float64(step+9)) // the average forgets its beginning sooner
		average = decay*average + (1-decay)*p
	}
	near(t, "average", float64(found.Vars["p"].F32[0]), average, 1e-5)
}

// The gradient is 1 everywhere, so p goes down by the sum of the rates.
func TestRateOfEachStep(t *testing.T) {
	o := train.Options{Batch: 1, Epochs: 2, Rate: 0.5, Schedule: train.Linear, WarmUp: 2}
	found := minimise(t, scalar(0, nn.SGD{}, linear), constant(4, 1), o, model.Run{})
	near(t, "p", float64(found.Vars["p"].F32[0]), -0.5*(1./2+1+1+5./6+4./6+3./6+2./6+1./6), 1e-6)
}

func TestClip(t *testing.T) {
	found := minimise(t, scalar(0, nn.SGD{}, linear), constant(4, 100), train.Options{Batch: 1, Epochs: 2, Rate: 0.5, Clip: 0.25}, model.Run{})
	near(t, "p", float64(found.Vars["p"].F32[0]), -8*0.5*0.25, 1e-6)
}

// Two phases take turns on one mini-batch: the second may use what the first has built, and sees the first's parameters
// as its step leaves them.
func TestPhases(t *testing.T) {
	a, b := &nn.Param{Name: "a", Init: nn.Zeros}, &nn.Param{Name: "b", Init: nn.Zeros}
	var seen *tensor.Node
	first := func(batch *train.Batch) train.Loss {
		seen = tensor.Add(tensor.Mean(batch.X), tensor.Sum(batch.Mode.Noise.Normal(3)))
		return train.Loss{Value: tensor.Mul(a.Node(seen.Graph()), seen)}
	}
	second := func(batch *train.Batch) train.Loss {
		g := batch.X.Graph()
		return train.Loss{Value: tensor.Mul(b.Node(g), seen), Metrics: []train.Metric{{Name: "a", Value: a.Node(g)}}}
	}
	p := train.Problem{
		Params: nn.Params{a, b}, Shape: []int{1}, Out: data.RowShape(1),
		Phases: []train.Phase{
			{Name: "first", Params: nn.Params{a}, Optimiser: nn.SGD{}, Loss: first},
			{Name: "second", Params: nn.Params{b}, Optimiser: nn.SGD{}, Loss: second},
		},
		Prepare: func(dst, raw data.Batch, _ train.Rand) error { copy(dst.X, raw.X); return nil },
	}
	values := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	found := minimise(t, p, table(1, values, 0, nil), train.Options{Batch: 8, Epochs: 3, Rate: 0.5}, model.Run{Seed: 2})
	if x, y := found.Vars["a"].F32[0], found.Vars["b"].F32[0]; x != y || x == 0 {
		t.Errorf("a = %v and b = %v, expected the same movement", x, y)
	}
	if last := float64(found.Vars["a"].F32[0]); found.Metrics["a"] != last { // an epoch is one step
		t.Errorf("the second phase saw a = %v, and the first had just made it %v", found.Metrics["a"], last)
	}
	if found.Metrics["first"] != found.Summary.TrainLoss {
		t.Errorf("the loss is %v, expected that of the first phase, %v", found.Summary.TrainLoss, found.Metrics["first"])
	}

	p.Phases[1].Params = nn.Params{a}
	if _, err := train.Minimise(context.Background(), p, constant(4, 1), train.Options{Batch: 2, Epochs: 1, Rate: 1}, model.Run{}); err == nil {
		t.Error("two phases train one parameter: no error")
	}
}

// A phase that repeats makes that many steps of its optimiser before the next phase, each on the parameters that the one before
// it made, with Adam's correction for the number of its own steps, on either backend.
func TestRepeats(t *testing.T) {
	const repeats, steps, rate = 3, 2, 0.1
	x := []float32{4, -1}
	for _, backend := range []string{"cpu", "reference"} {
		a, b := &nn.Param{Name: "a", Init: nn.Zeros}, &nn.Param{Name: "b", Init: nn.Zeros}
		var turns []int
		p := train.Problem{
			Params: nn.Params{a, b}, Shape: []int{1}, Out: data.RowShape(1),
			Phases: []train.Phase{
				{Name: "first", Params: nn.Params{a}, Optimiser: nn.NewAdam(), Repeats: repeats, Loss: func(batch *train.Batch) train.Loss {
					turns = append(turns, batch.Turn)
					return train.Loss{Value: squared(a.Node(batch.X.Graph()), batch.X)}
				}},
				{Name: "second", Params: nn.Params{b}, Optimiser: nn.SGD{}, Loss: func(batch *train.Batch) train.Loss {
					g := batch.X.Graph()
					return train.Loss{Value: tensor.Mul(b.Node(g), a.Node(g)), Metrics: []train.Metric{{Name: "a", Value: a.Node(g)}}}
				}},
			},
			Prepare: func(dst, raw data.Batch, _ train.Rand) error { copy(dst.X, raw.X); return nil },
		}
		found := minimise(t, p, table(1, x, 0, nil), train.Options{Batch: 2, Epochs: steps, Rate: rate}, model.Run{Backend: backend})
		if !slices.Equal(turns, []int{0, 1, 2}) {
			t.Errorf("the turns are %v, expected 0, 1, 2", turns)
		}
		want, m, v, sum := 0.0, 0.0, 0.0, 0.0
		for i := range repeats * steps {
			gradient := 2 * (want - 1.5)
			m, v = 0.9*m+0.1*gradient, 0.999*v+0.001*gradient*gradient
			n := float64(i + 1)
			want -= rate * (m / (1 - math.Pow(0.9, n))) / (math.Sqrt(v/(1-math.Pow(0.999, n))) + 1e-8)
			if (i+1)%repeats == 0 {
				sum += want
			}
		}
		near(t, "a", float64(found.Vars["a"].F32[0]), want, 1e-5)
		near(t, "what the second phase saw", found.Metrics["a"], want, 1e-5)
		near(t, "b", float64(found.Vars["b"].F32[0]), -rate*sum, 1e-5)
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	good := train.Options{Batch: 2, Epochs: 1, Rate: 1}
	for _, spoil := range []func(o *train.Options){
		func(o *train.Options) { o.Batch = 0 },
		func(o *train.Options) { o.Epochs = 0 },
		func(o *train.Options) { o.Rate = 0 },
		func(o *train.Options) { o.WarmUp = -1 },
		func(o *train.Options) { o.Average = 1 },
		func(o *train.Options) { o.Clip = -1 },
		func(o *train.Options) { o.Patience = -1 },
		func(o *train.Options) { o.Schedule = "steep" },
	} {
		o := good
		spoil(&o)
		_, err := train.Minimise(context.Background(), scalar(0, nn.SGD{}, squared), constant(4, 1), o, model.Run{})
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("options %+v: error %v, expected one line", o, err)
		}
	}
	if _, err := train.Minimise(context.Background(), scalar(0, nn.SGD{}, squared), constant(0, 1), good, model.Run{}); err == nil {
		t.Error("an empty set: no error")
	}
	if _, err := train.Minimise(context.Background(), scalar(0, nn.SGD{}, squared), constant(4, 1), good, model.Run{Backend: "abacus"}); err == nil {
		t.Error("an unknown backend: no error")
	}
}

// broken is a set that cannot be read to its end.
type broken struct{ data.Set }

var errBroken = errors.New("the disk is gone")

func (broken) Read(context.Context, data.Batch, []int) error { return errBroken }

func TestUnreadableData(t *testing.T) {
	o := train.Options{Batch: 2, Epochs: 1, Rate: 1}
	for _, run := range []struct{ set, validation data.Set }{{broken{constant(8, 1)}, nil}, {constant(8, 1), broken{constant(8, 1)}}} {
		if _, err := train.Minimise(context.Background(), scalar(0, nn.SGD{}, squared), run.set, o, model.Run{Validation: run.validation}); !errors.Is(err, errBroken) {
			t.Errorf("error %v, expected %v", err, errBroken)
		}
	}
}

func TestProgress(t *testing.T) {
	var told []model.Progress
	begun := time.Now()
	minimise(t, classifier(nil), clouds(300, 1), train.Options{Batch: 4, Epochs: 4, Rate: 0.01},
		model.Run{Validation: clouds(10, 2), Progress: func(p model.Progress) { told = append(told, p) }})
	if most := 5 + int(time.Since(begun)/(100*time.Millisecond)); len(told) < 4 || len(told) > most {
		t.Fatalf("told %d times, expected 4 to %d, the ends of the epochs and ten a second", len(told), most)
	}
	if first := told[0]; first.Step != 1 || first.ExamplesPerSecond != 0 || first.Remaining >= 0 {
		t.Errorf("the first is %+v, expected no speed and no remaining time after a single step", first)
	}
	last := told[len(told)-1]
	if !last.Done || last.Step != 300 || last.Steps != 300 || last.Epoch != 4 || last.Epochs != 4 ||
		!(last.Loss > 0) || !(last.ValidationLoss > 0) || !(last.ExamplesPerSecond > 0) || last.Remaining != 0 {
		t.Errorf("the last is %+v", last)
	}
	for _, p := range told[:len(told)-1] {
		if p.Done {
			t.Error("done before the end")
		}
	}
}

// Nothing of a run stays behind, however it ends.
func TestNoGoroutineStays(t *testing.T) {
	before := runtime.NumGoroutine()
	for i := range 5 {
		ctx, cancel := context.WithCancel(context.Background())
		batches := 0
		p := classifier(func() {
			if batches++; batches == 3*i+1 {
				cancel()
			}
		})
		if _, err := train.Minimise(ctx, p, clouds(100, 1), train.Options{Batch: 16, Epochs: 10, Rate: 0.01}, model.Run{}); !errors.Is(err, train.ErrInterrupted) || !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, expected interrupted", err)
		}
	}
	// A run that fails in the middle of an epoch, while the next mini-batches are being prepared.
	var preparing atomic.Int32
	p := scalar(-1, nn.SGD{}, func(p, _ *tensor.Node) *tensor.Node { return tensor.Log(p) })
	prepare := p.Prepare
	p.Prepare = func(dst, raw data.Batch, r train.Rand) error {
		preparing.Add(1)
		defer preparing.Add(-1)
		time.Sleep(5 * time.Millisecond)
		return prepare(dst, raw, r)
	}
	if _, err := train.Minimise(context.Background(), p, constant(100, 1), train.Options{Batch: 1, Epochs: 1, Rate: 1}, model.Run{}); !errors.Is(err, train.ErrNotFinite) {
		t.Errorf("error %v, expected that the loss is not finite", err)
	}
	if preparing.Load() != 0 {
		t.Error("examples are still being prepared")
	}
	// Worker threads end by themselves after some microseconds without work.
	for wait := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Since(wait) > 5*time.Second {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
