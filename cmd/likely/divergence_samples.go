package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/discriminative"
	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/divergence"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

// sampleKinds are computed where none is asked for and a density is not known, as far as they can be.
var sampleKinds = []divergence.Kind{divergence.KL, divergence.ReverseKL, divergence.JS, divergence.TotalVariation, divergence.SlicedW1, divergence.Energy, divergence.MMD}

const (
	sampleSize      = 10_000 // points of P and of Q where -n does not say how many
	pictureSamples  = 2_000  // the same of pictures
	sliceDirections = 100
	transportPoints = 1_000          // of each for Wasserstein distances in more than one dimension
	mostPairs       = 20_000_000_000 // numbers that all pairs hold; of more, blocks are taken
	pairBlock       = 64             // points of a block: a million took 3 times as long as with 2, and had a seventh of the error
)

// samples are one sample of P and one of Q, and what has been computed of them.
type samples struct {
	x, y       divergence.Points
	schema     *data.Schema
	seed       uint64
	neighbours *divergence.NeighbourDivergences
	alone      error // why there are no neighbours, nil while nobody has looked
	classifier *divergence.ClassifierDivergences
	untold     error // why no classifier tells them apart, nil while none has tried
	sliced     *divergence.Transport
	transport  *divergence.Transport
}

// sample draws once for all methods; n is 0 for the usual number.
func (s *pair) sample(ctx context.Context, n int, seed uint64) (*samples, error) {
	if s.samples != nil {
		return s.samples, nil
	}
	out := &samples{schema: s.p.schema, seed: seed}
	if out.schema == nil {
		out.schema = s.q.schema
	}
	if out.schema == nil { // both are written
		out.schema = &data.Schema{Shape: data.RowShape(s.p.written.Dim())}
		for j := range s.p.written.Dim() {
			out.schema.Columns = append(out.schema.Columns, data.Column{Name: fmt.Sprintf("x%d", j+1), Kind: data.Numeric})
		}
	}
	if n == 0 {
		if n = sampleSize; out.schema.IsImage() {
			n = pictureSamples
		}
	}
	if most := mostSamples(out.schema); int64(n) > most && (s.p.set == nil || s.q.set == nil) {
		return nil, usagef("-n is %d: so many draws do not fit in %s of memory; expected at most %d", n, size(maxSampleBytes), most)
	}
	r := rand.New(rand.NewPCG(seed, math.MaxUint64-1))
	for i, one := range []*side{&s.p, &s.q} {
		points, err := one.points(ctx, n, r)
		if err != nil {
			return nil, err
		}
		if one.set == nil && out.schema.IsImage() { // as picture files would hold them: fractions would tell them from data
			for k, v := range points.X {
				points.X[k] = min(max(float32(math.Round(float64(v))), 0), out.schema.MaxValue)
			}
		}
		if i == 0 {
			out.x = points
		} else {
			out.y = points
		}
	}
	s.samples = out
	return out, nil
}

// rand is randomness of one method's own, so that its result does not depend on what else is asked for.
func (s *samples) rand(use uint64) *rand.Rand {
	return rand.New(rand.NewPCG(s.seed, math.MaxUint64-use))
}

// levels is the name of a column whose numbers are codes, "" if there is none.
func (s *samples) levels() string {
	if j := slices.IndexFunc(s.schema.Columns, func(c data.Column) bool { return c.Kind == data.Categorical }); j >= 0 {
		return s.schema.Columns[j].Name
	}
	return ""
}

// sampled are the kinds that methods of two samples give.
var sampled = map[divergence.Method][]divergence.Kind{
	divergence.FromSamples: {divergence.Wasserstein1, divergence.Wasserstein2, divergence.SlicedW1, divergence.SlicedW2, divergence.Energy, divergence.MMD},
	divergence.Neighbours:  {divergence.KL, divergence.ReverseKL, divergence.JS},
	divergence.Classifier:  {divergence.KL, divergence.ReverseKL, divergence.JS, divergence.TotalVariation},
}

// errNotByMethod: the method gives other kinds.
var errNotByMethod = errors.New("not by this method")

// fromSamples computes a kind from two samples. best says that nobody asked for the method, so that only a fit one is to be taken.
func (a *app) fromSamples(ctx context.Context, both *pair, k divergence.Kind, method divergence.Method, best bool, f divergenceFlags, o divergence.Params) ([]found, error) {
	if !slices.Contains(sampled[method], k) {
		return nil, fmt.Errorf("%w: %s gives %s", errNotByMethod, method, kindNames(sampled[method]))
	}
	if method == divergence.FromSamples && k != divergence.MMD {
		for _, one := range []side{both.p, both.q} {
			if err := light(one); err != nil {
				return nil, err
			}
		}
	}
	s, err := both.sample(ctx, f.n, a.seed)
	if err != nil {
		return nil, err
	}
	about := measure.Lower(string(k), k.Unit())
	one := func(m measure.Measure, warnings ...string) []found {
		return []found{{kind: k, method: method, Measure: m, warnings: warnings}}
	}
	if column := s.levels(); column != "" && method != divergence.Classifier {
		return nil, fmt.Errorf("column %q is of levels, which have no distance; expected numbers, or --method classifier", column)
	}
	switch method {
	case divergence.Neighbours:
		switch {
		case best && f.classifier != "":
			return nil, errors.New("a classifier was asked for")
		case best && s.schema.IsImage():
			return nil, errors.New("pixels have no density; expected --method classifier")
		}
		if s.neighbours == nil && s.alone == nil {
			a.note("looking for the nearest neighbours of %s of P and %s of Q", count(s.x.Len()), count(s.y.Len()))
			s.neighbours, s.alone = divergence.SampleNeighbours(ctx, s.x, s.y, divergence.DefaultNeighbours, s.rand(2))
		}
		if s.alone != nil {
			return nil, s.alone
		}
		value := map[divergence.Kind]measure.Approximation{
			divergence.KL: s.neighbours.KL, divergence.ReverseKL: s.neighbours.ReverseKL, divergence.JS: s.neighbours.JS,
		}[k]
		return one(value.As(about), s.neighbours.Warnings...), nil
	case divergence.Classifier:
		return a.byClassifier(ctx, s, k, f.classifier)
	}
	switch k {
	case divergence.Energy, divergence.MMD:
		var v measure.Estimate
		n := s.x.Len() + s.y.Len()
		block := float64(n)*float64(n)*float64(s.x.D) > mostPairs
		if k == divergence.Energy && s.x.D == 1 {
			block = false // no pairs are needed
		}
		if block {
			a.note("%s: %s points in blocks of %d", k, count(n), pairBlock)
		}
		switch {
		case k == divergence.Energy && block:
			v, err = divergence.SampleEnergyBlocks(ctx, s.x, s.y, pairBlock, s.rand(3))
		case k == divergence.Energy:
			v, err = divergence.SampleEnergy(ctx, s.x, s.y)
		case block:
			v, err = divergence.SampleMMDBlocks(ctx, s.x, s.y, o.Bandwidth, pairBlock, s.rand(4))
		default:
			v, err = divergence.SampleMMD(ctx, s.x, s.y, o.Bandwidth)
		}
		return one(v.As(about)), err
	case divergence.SlicedW1, divergence.SlicedW2:
		if s.sliced == nil {
			v, err := divergence.SampleSliced(ctx, s.x, s.y, sliceDirections, s.rand(5))
			if err != nil {
				return nil, err
			}
			s.sliced = &v
		}
		if k == divergence.SlicedW1 {
			return one(s.sliced.W1.As(about), upwards), nil
		}
		return one(s.sliced.W2.As(about), upwards), nil
	case divergence.Wasserstein1, divergence.Wasserstein2:
		if s.transport == nil {
			x, y := s.x, s.y
			if n := s.transported(); n > 0 { // drawn or read in random order
				x.X, y.X = x.X[:n*x.D], y.X[:n*y.D]
			}
			v, err := divergence.SampleWasserstein(ctx, x, y)
			if err != nil {
				return nil, err
			}
			s.transport = &v
		}
		if k == divergence.Wasserstein1 {
			return one(s.transport.W1.As(about), upwards), nil
		}
		return one(s.transport.W2.As(about), upwards), nil
	}
	return nil, fmt.Errorf("%w: %s", errNotByMethod, k)
}

// transported is how many points of each sample Wasserstein distances are of, 0 where they are of all.
func (s *samples) transported() int {
	if s.x.D == 1 {
		return 0
	}
	return min(transportPoints, s.x.Len(), s.y.Len())
}

// light reports a written distribution of whose distances samples give no error, as they have no variance.
func light(s side) error {
	if m, ok := s.written.(dist.Marginals); ok {
		for i := range m.Dim() {
			if v := m.Marginal(i).Variance(); v-v != 0 { // NaN and infinity
				return fmt.Errorf("%s is without a finite variance, so that a mean distance of draws has no known error", s.name)
			}
		}
	}
	return nil
}

// upwards warns of Wasserstein distances.
const upwards = "Wasserstein distances of samples are too large: those of two samples of one distribution are not 0"

// byClassifier tells P from Q by a classifier, and gives what follows.
func (a *app) byClassifier(ctx context.Context, s *samples, k divergence.Kind, name string) ([]found, error) {
	if s.classifier == nil && s.untold == nil {
		spec, err := a.tellApart(s.schema, &name)
		if err != nil {
			return nil, err
		}
		schema := *s.schema
		schema.Classes, schema.Label = nil, ""
		p, err := data.NewTable(&schema, s.x.X, nil)
		if err != nil {
			return nil, err
		}
		q, err := data.NewTable(&schema, s.y.X, nil)
		if err != nil {
			return nil, err
		}
		a.note("telling %s of P from %s of Q by %d classifiers, %s", count(p.Len()), count(q.Len()), evaluate.RatioFolds, name)
		s.classifier, s.untold = evaluate.DensityRatio(ctx, spec, p, q, evaluate.RatioFolds, a.compute())
	}
	if s.untold != nil {
		return nil, s.untold
	}
	c := s.classifier
	about := measure.Lower(string(k), k.Unit())
	number := func(m measure.Measure, bound, estimator string) found {
		return found{kind: k, method: divergence.Classifier, Measure: m, bound: bound, estimator: estimator, warnings: c.Warnings}
	}
	const lower = "lower"
	switch k {
	case divergence.KL:
		return []found{number(c.KL.As(about), "", "log_odds"),
			number(c.KLDonskerVaradhan.As(about), lower, "donsker_varadhan"), number(c.KLNWJ.As(about), lower, "nwj")}, nil
	case divergence.ReverseKL:
		return []found{number(c.ReverseKL.As(about), "", "log_odds"),
			number(c.ReverseKLDonskerVaradhan.As(about), lower, "donsker_varadhan"), number(c.ReverseKLNWJ.As(about), lower, "nwj")}, nil
	case divergence.JS:
		return []found{number(c.JS.As(about), lower, "log_loss")}, nil
	}
	return []found{number(c.TotalVariation.As(about), lower, "accuracy")}, nil
}

// tellApart is the recipe of the classifier of the given name, with its defaults; of "", a small and quick one that fits the
// data, whose name it sets.
func (a *app) tellApart(schema *data.Schema, name *string) (model.Spec, error) {
	if *name != "" {
		e, err := lookupTeller(*name)
		if err != nil {
			return nil, err
		}
		return e.New(), nil
	}
	if *name = "mlp"; schema.IsImage() {
		*name = "cnn"
		spec := model.NewRecipe[discriminative.CNN]()
		spec.Channels, spec.Depth, spec.Dense, spec.Patience = []int{16, 32}, 1, []int{64}, 2
		return spec, nil
	}
	spec := model.NewRecipe[discriminative.MLP]()
	spec.Hidden, spec.Dropout, spec.Rate, spec.Patience = []int{64, 64}, 0, 0.003, 2
	return spec, nil
}

// lookupTeller finds the model of --classifier.
func lookupTeller(name string) (model.Entry, error) {
	e, err := model.Lookup(name)
	switch {
	case err != nil:
		return e, usagef("--classifier: %w", err)
	case e.Kind != model.Discriminative:
		return e, usagef("--classifier is %s, which is generative; expected a discriminative model", name)
	}
	return e, nil
}

// kindNames are the names of kinds with commas between.
func kindNames(kinds []divergence.Kind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}
