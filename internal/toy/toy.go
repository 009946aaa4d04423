// Package toy has the smallest honest models of both kinds. Tests of what surrounds models use them, so that a failure
// there is never the fault of a model.
//
// Both learn, for each class, the mean and the variance of each element of t(x) by maximum likelihood, and treat the
// elements as independent normals. toy-generator is p(x|y) and p(x) = Σ_k p(y=k) p(x|y=k); toy-classifier is the p(y|x)
// that Bayes' rule makes of it.
package toy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

func init() {
	model.Register(model.Entry{
		Name: "toy-generator", Kind: model.Generative, Summary: "independent normals in each class", Paper: "none",
		New:  func() model.Spec { return model.NewRecipe[GeneratorSpec]() },
		Load: func(f *model.File) (model.Model, error) { return load(f) },
	})
	model.Register(model.Entry{
		Name: "toy-classifier", Kind: model.Discriminative, Summary: "Bayes' rule on independent normals", Paper: "none",
		New: func() model.Spec { return model.NewRecipe[ClassifierSpec]() },
		Load: func(f *model.File) (model.Model, error) {
			g, err := load(f)
			if err != nil {
				return nil, err
			}
			return newClassifier(g)
		},
	})
}

// Recipe is what both models have to choose.
type Recipe struct {
	Floor  float64 `json:"floor" default:"0.001" min:"0.000001" max:"10" help:"least variance of an element of t(x)"`
	Epochs int     `json:"epochs" default:"3" min:"1" max:"1000" help:"how often to pretend to look at the data"`
}

// GeneratorSpec is the recipe of toy-generator.
type GeneratorSpec struct{ Recipe }

// ClassifierSpec is the recipe of toy-classifier.
type ClassifierSpec struct{ Recipe }

// Fit implements model.Spec.
func (s *GeneratorSpec) Fit(ctx context.Context, train data.Set, run model.Run) (model.Model, *model.Summary, error) {
	g, summary, err := fit(ctx, "toy-generator", s, s.Recipe, train, run)
	if err != nil {
		return nil, nil, err // not g: a nil *Generator is not a nil Model
	}
	return g, summary, nil
}

// Fit implements model.Spec.
func (s *ClassifierSpec) Fit(ctx context.Context, train data.Set, run model.Run) (model.Model, *model.Summary, error) {
	if !train.Schema().Labelled() {
		return nil, nil, data.ErrNoLabels
	}
	g, summary, err := fit(ctx, "toy-classifier", s, s.Recipe, train, run)
	if err != nil {
		return nil, nil, err
	}
	m, err := newClassifier(g)
	if err != nil {
		return nil, nil, err
	}
	return m, summary, nil
}

// Generator is a fitted toy-generator.
type Generator struct {
	model.Card
	prior          []float64 // (k) probabilities
	mean, variance []float64 // (k, p) of t(x)
}

// fit learns from the whole of train at once. More epochs change nothing but the time that it takes.
func fit(ctx context.Context, name string, spec model.Spec, recipe Recipe, train data.Set, run model.Run) (*Generator, *model.Summary, error) {
	kind := data.Standardise
	if train.Schema().IsImage() {
		kind = data.Symmetric
	}
	t, err := data.FitTransform(ctx, train, kind)
	if err != nil {
		return nil, nil, err
	}
	g := &Generator{Card: model.NewCard(name, spec, train, t, run)}
	k, p := max(1, g.Classes()), t.OutShape().Size()
	g.prior, g.mean, g.variance = make([]float64, k), make([]float64, k*p), make([]float64, k*p)
	epochs := recipe.Epochs
	if run.Epochs > 0 {
		epochs = run.Epochs
	}
	for epoch := range epochs {
		if err := g.moments(ctx, train, recipe.Floor); err != nil {
			return nil, nil, err
		}
		if run.Progress != nil {
			run.Progress(model.Progress{Phase: "training", Epoch: epoch + 1, Epochs: epochs, Step: epoch + 1, Steps: epochs,
				Loss: math.NaN(), ValidationLoss: math.NaN(), Remaining: -1, Done: epoch+1 == epochs})
		}
	}
	return g, &model.Summary{Epochs: epochs, Steps: epochs, TrainLoss: math.NaN(), ValidationLoss: math.NaN(), Stopped: "all epochs done"}, nil
}

// moments sets prior, mean and variance to the maximum-likelihood ones.
func (g *Generator) moments(ctx context.Context, train data.Set, floor float64) error {
	p := g.Transform.OutShape().Size()
	clear(g.prior)
	clear(g.mean)
	clear(g.variance)
	err := data.Each(ctx, train, func(_ int, b data.Batch) error {
		t, err := g.Transformed(b)
		if err != nil {
			return err
		}
		for i := range t.Len() {
			k := 0
			if b.Y != nil {
				k = int(b.Y[i])
			}
			g.prior[k]++
			for j, v := range t.Row(i) {
				g.mean[k*p+j] += float64(v)
				g.variance[k*p+j] += float64(v) * float64(v)
			}
		}
		return ctx.Err()
	})
	for k, n := range g.prior {
		for j := k * p; j < (k+1)*p; j++ {
			g.mean[j] /= max(n, 1)
			g.variance[j] = max(g.variance[j]/max(n, 1)-g.mean[j]*g.mean[j], floor)
		}
		g.prior[k] = n / float64(max(1, train.Len()))
	}
	return err
}

// LogProbGiven implements model.CondDensity.
func (g *Generator) LogProbGiven(dst []float64, x data.Batch, y []int32) error {
	if err := g.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	if err := g.CheckClasses(y, x.Len()); err != nil {
		return err
	}
	return g.logProb(dst, x, func(i int) int { return int(y[i]) })
}

func (g *Generator) logProb(dst []float64, x data.Batch, class func(i int) int) error {
	t, err := g.Transformed(x)
	if err != nil {
		return err
	}
	p := t.Shape.Size()
	for i := range dst {
		k, sum := class(i), g.Transform.LogDet()
		for j, v := range t.Row(i) {
			d, s := float64(v)-g.mean[k*p+j], g.variance[k*p+j]
			sum -= (d*d/s + math.Log(2*math.Pi*s)) / 2
		}
		dst[i] = sum
	}
	return nil
}

// LogProb implements model.Density.
func (g *Generator) LogProb(dst []float64, x data.Batch) error {
	if err := g.CheckResults(x, len(dst), 1); err != nil {
		return err
	}
	given := make([]float64, len(dst))
	for i := range dst {
		dst[i] = math.Inf(-1)
	}
	for k, prior := range g.prior {
		if prior == 0 {
			continue
		}
		if err := g.logProb(given, x, func(int) int { return k }); err != nil {
			return err
		}
		for i, l := range given {
			a, b := max(dst[i], l+math.Log(prior)), min(dst[i], l+math.Log(prior))
			dst[i] = a + math.Log1p(math.Exp(b-a))
		}
	}
	return nil
}

// SampleGiven implements model.CondSampler.
func (g *Generator) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	if err := g.checkSample(dst, r); err != nil {
		return err
	}
	if err := g.CheckClasses(y, dst.Len()); err != nil {
		return err
	}
	return g.sample(dst, r, func(i int) int { return int(y[i]) })
}

// Sample implements model.Sampler.
func (g *Generator) Sample(dst data.Batch, r *rand.Rand) error {
	if err := g.checkSample(dst, r); err != nil {
		return err
	}
	return g.sample(dst, r, func(int) int {
		u := r.Float64()
		for k, p := range g.prior {
			if u -= p; u < 0 {
				return k
			}
		}
		return len(g.prior) - 1
	})
}

func (g *Generator) checkSample(dst data.Batch, r *rand.Rand) error {
	if err := g.CheckBatch(dst); err != nil {
		return err
	}
	return model.CheckRand(r)
}

func (g *Generator) sample(dst data.Batch, r *rand.Rand, class func(i int) int) error {
	t := data.NewBatch(g.Transform.OutShape(), dst.Len(), false)
	p := t.Shape.Size()
	for i := range t.Len() {
		k := class(i)
		row := t.Row(i)
		for j := range row {
			row[j] = float32(g.mean[k*p+j] + math.Sqrt(g.variance[k*p+j])*r.NormFloat64())
		}
	}
	return g.Transform.Invert(dst, t)
}

// Save implements model.Model.
func (g *Generator) Save(w io.Writer) error {
	k, p := len(g.prior), g.Transform.OutShape().Size()
	return g.Card.Save(w, []model.Tensor{
		{Name: "prior", Dims: []int{k}, Values: g.prior},
		{Name: "mean", Dims: []int{k, p}, Values: g.mean},
		{Name: "variance", Dims: []int{k, p}, Values: g.variance},
	})
}

func load(f *model.File) (*Generator, error) {
	g := &Generator{Card: f.Card}
	k, p := max(1, g.Classes()), g.Transform.OutShape().Size()
	var errs [3]error
	g.prior, errs[0] = model.Values[float64](f, "prior", k)
	g.mean, errs[1] = model.Values[float64](f, "mean", k, p)
	g.variance, errs[2] = model.Values[float64](f, "variance", k, p)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	for j, v := range g.variance {
		if !(v > 0) {
			return nil, fmt.Errorf("%w: variance %d is %v, expected more than 0", model.ErrDamaged, j, v)
		}
	}
	return g, nil
}

// Classifier is a fitted toy-classifier.
type Classifier struct {
	model.Card
	density *Generator
	bayes   model.Classifier
}

func newClassifier(g *Generator) (*Classifier, error) {
	prior := make([]float64, len(g.prior))
	for k, p := range g.prior {
		prior[k] = math.Log(p)
	}
	bayes, err := model.Bayes(g, prior)
	return &Classifier{g.Card, g, bayes}, err
}

// LogPosterior implements model.Classifier.
func (c *Classifier) LogPosterior(dst []float64, x data.Batch) error {
	if err := c.CheckResults(x, len(dst), c.Classes()); err != nil {
		return err
	}
	return c.bayes.LogPosterior(dst, x)
}

// Save implements model.Model.
func (c *Classifier) Save(w io.Writer) error { return c.density.Save(w) }
