package modeltest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/toy"
	"github.com/likely-ml/likely/model"
)

// table has two classes of normal rows, one on each side of the origin.
func table(t *testing.T, labelled bool) data.Set {
	schema := &data.Schema{Shape: data.RowShape(2), Columns: []data.Column{{Name: "a", Kind: data.Numeric}, {Name: "b", Kind: data.Numeric}}}
	var values []float32
	var labels []int32
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 200 {
		y := int32(i % 2)
		values = append(values, float32(2*y-1)+float32(r.NormFloat64()), float32(10*r.NormFloat64()))
		labels = append(labels, y)
	}
	if labelled {
		schema.Classes, schema.Label = []string{"left", "right"}, "side"
	} else {
		labels = nil
	}
	set, err := data.NewTable(schema, values, labels)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// pictures are of 2 classes: bright above, or bright below.
func pictures(t *testing.T) data.Set {
	shape := data.Shape{Height: 2, Width: 3, Channels: 1}
	var pixels []uint8
	var labels []int32
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		for j := range shape.Size() {
			bright := 200 * uint8((j/3+i)%2)
			pixels = append(pixels, bright+uint8(r.IntN(50)))
		}
		labels = append(labels, int32(i%2))
	}
	set, err := data.NewPixels(&data.Schema{Shape: shape, Classes: []string{"above", "below"}, MaxValue: 255}, pixels, labels)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestHonestModelsPass(t *testing.T) {
	sets := map[string]data.Set{"table": table(t, true), "pictures": pictures(t)}
	for name, set := range sets {
		t.Run("generator/"+name, func(t *testing.T) {
			Check(t, Subject{Spec: model.NewRecipe[toy.GeneratorSpec](), Train: set})
		})
		t.Run("classifier/"+name, func(t *testing.T) {
			Check(t, Subject{Spec: model.NewRecipe[toy.ClassifierSpec](), Train: set})
		})
	}
	t.Run("generator/unlabelled", func(t *testing.T) {
		Check(t, Subject{Spec: model.NewRecipe[toy.GeneratorSpec](), Train: table(t, false)})
	})
}

func TestEveryCheckFindsItsDefect(t *testing.T) {
	found := map[string]bool{}
	for _, d := range defects {
		trial, err := newTrial(t.Context(), Subject{Spec: model.NewRecipe[toy.GeneratorSpec](), Train: table(t, true)})
		if err != nil {
			t.Fatal(err)
		}
		d.inject(trial)
		for _, c := range checks {
			if c.name != d.check {
				continue
			}
			found[c.name] = true
			if c.applies != nil && !c.applies(trial) {
				t.Errorf("%s: check %s does not apply to a model with this defect", d.what, d.check)
			} else if err := c.run(trial); err == nil {
				t.Errorf("%s: check %s found nothing", d.what, d.check)
			} else if strings.Contains(err.Error(), "\n\n") {
				t.Errorf("%s: check %s gave an unreadable error: %q", d.what, d.check, err)
			}
		}
	}
	for _, c := range checks {
		if !found[c.name] {
			t.Errorf("no defect tests the check %s", c.name)
		}
	}
}

func TestSubjectIsChecked(t *testing.T) {
	if _, err := newTrial(t.Context(), Subject{}); err == nil {
		t.Error("a subject without recipe and data was accepted")
	}
}

// defect is one way for a model to be wrong.
type defect struct {
	check, what string
	inject      func(*trial)
}

// bent is an honest model that answers some questions otherwise. A nil function leaves a method as it is.
type bent struct {
	*toy.Generator
	logProb      func(m *toy.Generator, dst []float64, x data.Batch) error
	logProbGiven func(m *toy.Generator, dst []float64, x data.Batch, y []int32) error
	sample       func(m *toy.Generator, dst data.Batch, r *rand.Rand) error
}

func (b *bent) LogProb(dst []float64, x data.Batch) error {
	if b.logProb == nil {
		return b.Generator.LogProb(dst, x)
	}
	return b.logProb(b.Generator, dst, x)
}

func (b *bent) LogProbGiven(dst []float64, x data.Batch, y []int32) error {
	if b.logProbGiven == nil {
		return b.Generator.LogProbGiven(dst, x, y)
	}
	return b.logProbGiven(b.Generator, dst, x, y)
}

func (b *bent) Sample(dst data.Batch, r *rand.Rand) error {
	if b.sample == nil {
		return b.Generator.Sample(dst, r)
	}
	return b.sample(b.Generator, dst, r)
}

// lost estimates what is not a number.
type lost struct{ *toy.Generator }

func (*lost) LogEstimate(dst []float64, _ data.Batch, _ *rand.Rand) error {
	for i := range dst {
		dst[i] = math.NaN()
	}
	return nil
}

// lostGiven does so given the class.
type lostGiven struct{ *toy.Generator }

func (*lostGiven) LogEstimateGiven(dst []float64, _ data.Batch, _ []int32, _ *rand.Rand) error {
	for i := range dst {
		dst[i] = math.NaN()
	}
	return nil
}

func bend(b bent) func(*trial) {
	return func(t *trial) {
		b.Generator = t.model.(*toy.Generator)
		t.model = &b
	}
}

// bentSpec is an honest recipe whose fit is changed.
type bentSpec struct {
	*toy.GeneratorSpec
	fit func(s toy.GeneratorSpec, ctx context.Context, train data.Set, run model.Run) (model.Model, *model.Summary, error)
}

func (b bentSpec) Fit(ctx context.Context, train data.Set, run model.Run) (model.Model, *model.Summary, error) {
	return b.fit(*b.GeneratorSpec, ctx, train, run)
}

func bendSpec(fit func(s toy.GeneratorSpec, ctx context.Context, train data.Set, run model.Run) (model.Model, *model.Summary, error)) func(*trial) {
	return func(t *trial) { t.Spec = bentSpec{t.Spec.(*toy.GeneratorSpec), fit} }
}

// deaf fits without listening to its context.
var deaf = bendSpec(func(s toy.GeneratorSpec, ctx context.Context, train data.Set, run model.Run) (model.Model, *model.Summary, error) {
	return s.Fit(context.WithoutCancel(ctx), train, run)
})

var asked, inside atomic.Int64

var defects = []defect{
	{"registered", "a name that nobody registered", func(t *trial) {
		g := *t.model.(*toy.Generator)
		g.Name = "nobody"
		t.file, _ = save(&g)
	}},
	{"registered", "another recipe than the registered one", func(t *trial) { t.Spec = &toy.ClassifierSpec{} }},
	{"summary", "no summary", func(t *trial) { t.summary = nil }},
	{"summary", "an infinite loss", func(t *trial) { t.summary.TrainLoss = math.Inf(1) }},
	{"summary", "a changed recipe", func(t *trial) { t.Spec.(*toy.GeneratorSpec).Floor *= 2 }},
	{"same_seed_same_file", "a fit that depends on the number of threads",
		bendSpec(func(s toy.GeneratorSpec, ctx context.Context, train data.Set, run model.Run) (model.Model, *model.Summary, error) {
			s.Floor = float64(run.Threads)
			return s.Fit(ctx, train, run)
		})},
	{"cancelled_before", "a deaf fit", deaf},
	{"cancelled_during", "a deaf fit", deaf},
	{"save_and_load", "an answer that is not in the file", bend(bent{logProb: plus(1)})},
	{"save_and_load", "a truncated file", func(t *trial) { t.file = t.file[:len(t.file)-8] }},
	{"repeatable", "an answer that depends on how often it was asked",
		bend(bent{logProb: func(m *toy.Generator, dst []float64, x data.Batch) error {
			err := m.LogProb(dst, x)
			dst[0] += float64(asked.Add(1))
			return err
		}})},
	{"repeatable", "a batch that is changed",
		bend(bent{logProb: func(m *toy.Generator, dst []float64, x data.Batch) error {
			err := m.LogProb(dst, x)
			x.X[0]++
			return err
		}})},
	{"concurrent", "an answer that depends on who else asks",
		bend(bent{logProb: func(m *toy.Generator, dst []float64, x data.Batch) error {
			err := m.LogProb(dst, x)
			others := inside.Add(1) - 1
			time.Sleep(10 * time.Millisecond)
			inside.Add(-1)
			dst[0] += float64(others)
			return err
		}})},
	{"one_at_a_time", "batch statistics",
		bend(bent{logProb: func(m *toy.Generator, dst []float64, x data.Batch) error {
			err := m.LogProb(dst, x)
			mean, _ := meanError(dst)
			for i := range dst {
				dst[i] -= mean
			}
			return err
		}})},
	{"empty_batch", "an empty batch is refused",
		bend(bent{sample: func(m *toy.Generator, dst data.Batch, r *rand.Rand) error {
			if dst.Len() == 0 {
				return errors.New("nothing to do")
			}
			return m.Sample(dst, r)
		}})},
	{"wrong_shape", "too much room is accepted",
		bend(bent{logProb: func(m *toy.Generator, dst []float64, x data.Batch) error {
			return m.LogProb(dst[:min(len(dst), x.Len())], x)
		}})},
	{"wrong_shape", "another error",
		bend(bent{logProb: func(m *toy.Generator, dst []float64, x data.Batch) error {
			if err := m.LogProb(dst, x); err != nil {
				return fmt.Errorf("bad batch: %v", err)
			}
			return nil
		}})},
	{"wrong_class", "an unknown class is taken for the first",
		bend(bent{logProbGiven: func(m *toy.Generator, dst []float64, x data.Batch, y []int32) error {
			known := make([]int32, len(y))
			for i, k := range y {
				if k == 1 {
					known[i] = 1
				}
			}
			return m.LogProbGiven(dst, x, known)
		}})},
	{"nil_rand", "a source of its own",
		bend(bent{sample: func(m *toy.Generator, dst data.Batch, r *rand.Rand) error {
			if r == nil {
				r = random(9)
			}
			return m.Sample(dst, r)
		}})},
	{"nil_rand", "a draw from x by a source of its own", func(t *trial) { t.model = &drawing{t.model.(*toy.Generator)} }},
	{"wrong_class", "a draw from x given an unknown class", func(t *trial) { t.model = &drawingGiven{t.model.(*toy.Generator)} }},
	{"posterior", "probabilities that sum to more than 1", func(t *trial) { t.model = &boaster{t.model.(*toy.Generator)} }},
	{"log_probability", "NaN", bend(bent{logProb: func(_ *toy.Generator, dst []float64, _ data.Batch) error {
		dst[3] = math.NaN()
		return nil
	}})},
	{"log_probability", "an estimate that is NaN", func(t *trial) { t.model = &lost{t.model.(*toy.Generator)} }},
	{"log_probability", "an estimate given the class that is NaN", func(t *trial) { t.model = &lostGiven{t.model.(*toy.Generator)} }},
	{"log_probability", "nothing is possible", bend(bent{logProb: plus(math.Inf(-1))})},
	{"importance_bound", "a bound that falls with more draws", func(t *trial) { t.model = &loose{t.model.(*toy.Generator)} }},
	{"importance_bound", "a bound given the class that falls with more draws",
		func(t *trial) { t.model = &looseGiven{t.model.(*toy.Generator)} }},
	{"sample_range", "unfilled samples", bend(bent{sample: func(*toy.Generator, data.Batch, *rand.Rand) error { return nil }})},
	{"sample_range", "always the same samples",
		bend(bent{sample: func(m *toy.Generator, dst data.Batch, _ *rand.Rand) error { return m.Sample(dst, random(9)) }})},
	{"sample_density", "a density that integrates to 1.3", bend(bent{logProb: plus(math.Log(1.3))})},
	{"sample_density", "the log-determinant with the wrong sign",
		bend(bent{logProb: func(m *toy.Generator, dst []float64, x data.Batch) error {
			return plus(-2*m.Transform.LogDet())(m, dst, x)
		}})},
	{"sample_density", "samples that are too narrow",
		bend(bent{sample: func(m *toy.Generator, dst data.Batch, r *rand.Rand) error {
			err := m.Sample(dst, r)
			for i := range dst.X {
				dst.X[i] *= 0.8
			}
			return err
		}})},
	{"decoder", "a decoder that takes any length", func(t *trial) { t.model = &decoder{t.model.(*toy.Generator)} }},
	{"latent_sampler", "a prior that always draws the same", func(t *trial) { t.model = &latentSampler{decoder{t.model.(*toy.Generator)}} }},
	{"tunable", "tuning changes more than it says", func(t *trial) { t.model = &tuned{t.model.(*toy.Generator)} }},
}

// plus adds a number to every log p(x).
func plus(c float64) func(*toy.Generator, []float64, data.Batch) error {
	return func(m *toy.Generator, dst []float64, x data.Batch) error {
		err := m.LogProb(dst, x)
		for i := range dst {
			dst[i] += c
		}
		return err
	}
}

// boaster is a classifier that is sure of every class.
type boaster struct{ *toy.Generator }

func (b *boaster) LogPosterior(dst []float64, x data.Batch) error {
	clear(dst)
	return nil
}

// loose has a bound that gets worse with more draws.
type loose struct{ *toy.Generator }

func (l *loose) LogBound(dst []float64, x data.Batch, r *rand.Rand) error {
	return l.LogImportanceBound(dst, x, 1, r)
}

func (l *loose) LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error {
	for i := range dst {
		dst[i] = -float64(k) - r.Float64()
	}
	return nil
}

// looseGiven has such a bound of log p(x|y).
type looseGiven struct{ *toy.Generator }

func (l *looseGiven) LogBoundGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error {
	return l.LogImportanceBoundGiven(dst, x, y, 1, r)
}

func (l *looseGiven) LogImportanceBoundGiven(dst []float64, x data.Batch, _ []int32, k int, r *rand.Rand) error {
	return (&loose{l.Generator}).LogImportanceBound(dst, x, k, r)
}

// drawing draws from x whether it is given random numbers or not.
type drawing struct{ *toy.Generator }

func (*drawing) LikelihoodOf() string { return "noisy x" }

func (d *drawing) LogProbDrawn(dst []float64, x data.Batch, _ *rand.Rand) error {
	return d.LogProb(dst, x)
}

// drawingGiven takes any class.
type drawingGiven struct{ *toy.Generator }

func (*drawingGiven) LikelihoodOf() string { return "noisy x" }

func (d *drawingGiven) LogProbDrawnGiven(dst []float64, x data.Batch, _ []int32, _ *rand.Rand) error {
	return d.LogProb(dst, x)
}

// decoder decodes codes of any length.
type decoder struct{ *toy.Generator }

func (d *decoder) LatentSize() int                             { return 2 }
func (d *decoder) Decode(data.Batch, []float32, []int32) error { return nil }

// latentSampler draws codes without the random numbers.
type latentSampler struct{ decoder }

func (l *latentSampler) StandardLatent() bool { return false }
func (l *latentSampler) SampleLatent(z []float32, y []int32, r *rand.Rand) error {
	clear(z)
	return nil
}

// tuned is another model after Tune.
type tuned struct{ *toy.Generator }

func (m *tuned) Options() any { return &toy.Recipe{Floor: 1, Epochs: 1} }

func (m *tuned) Tune(options any) (model.Model, error) {
	if _, ok := options.(*toy.Recipe); !ok {
		return nil, fmt.Errorf("options of type %T, expected %T", options, m.Options())
	}
	return &bent{Generator: m.Generator, logProb: plus(1)}, nil
}
