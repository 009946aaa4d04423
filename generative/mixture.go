package generative

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// Mixture is the recipe of a Gaussian mixture,
//
//	p(x) = Σ_k w_k N(x; μ_k, Σ_k),   w_k ≥ 0,   Σ_k w_k = 1,
//
// fitted by the EM algorithm (Dempster, Laird and Rubin, Maximum likelihood from incomplete data via the EM algorithm, 1977;
// McLachlan and Peel, Finite mixture models, 2000): from the responsibilities r_ik, the probability that x_i came from
// component k, to the weights, means and covariances that they make most likely, and back, until the likelihood stands
// still. With labels there is a mixture for each class, p(x|y), and p(x) = Σ_y p(y) p(x|y) with the classes' frequencies.
//
// The likelihood of a mixture has no maximum: a component that shrinks to one example makes it as large as one likes. Floor
// is the least variance of a component in any direction, as a share of the usual one: of each column's own, over all classes,
// in tables; of the mean over all pixels in pictures. Each M step is exact under that condition, so that the likelihood never falls.
type Mixture struct {
	Components    int        `json:"components" default:"10" min:"0" max:"10000" help:"normal distributions in the mixture, of each class; 0 chooses from 1 to max_components by criterion"`
	MaxComponents int        `json:"max_components" default:"15" min:"1" max:"10000" help:"the most components to choose from"`
	Criterion     Criterion  `json:"criterion" default:"bic" choices:"bic,aic" help:"what chooses the number of components: the least BIC or AIC"`
	Covariance    Covariance `json:"covariance" default:"auto" choices:"auto,full,tied,diagonal,spherical" help:"what the covariances may be; auto is full for up to 64 elements where each component has twice as many examples as elements or more, else diagonal"`
	Start         Start      `json:"start" default:"kmeans" choices:"kmeans,random" help:"where EM starts: from k-means clusters, or from random examples"`
	Restarts      int        `json:"restarts" default:"1" min:"1" max:"1000" help:"starts, of which the most likely end is taken"`
	Floor         float64    `json:"floor" default:"0.001" min:"0" max:"1" help:"least variance in any direction, as a share of a column's (tables) or of the mean pixel's (pictures); 0 for none"`
	Tolerance     float64    `json:"tolerance" default:"0.001" min:"0" max:"10" help:"EM ends when an iteration adds less to the mean log-likelihood of an example, nats"`
	Iterations    int        `json:"iterations" default:"100" min:"1" max:"1000000" help:"the most iterations of EM"`
}

// Covariance says what the covariances of a [Mixture] may be.
type Covariance string

// The covariances.
const (
	// AutoCovariance is FullCovariance for up to 64 elements where each component has twice as many examples as elements or more,
	// in the smallest class and on average, and else DiagonalCovariance: with fewer examples a full covariance is of what has been
	// seen and nothing else.
	AutoCovariance Covariance = "auto"
	// FullCovariance gives each component a covariance of its own.
	FullCovariance Covariance = "full"
	// TiedCovariance gives all components of a class one covariance.
	TiedCovariance Covariance = "tied"
	// DiagonalCovariance gives each component a variance for each element.
	DiagonalCovariance Covariance = "diagonal"
	// SphericalCovariance gives each component one variance, in units of the usual one: see [Mixture].
	SphericalCovariance Covariance = "spherical"
)

// Start says where EM starts.
type Start string

// The starts.
const (
	// KMeansStart takes the clusters of Lloyd's algorithm after k-means++.
	KMeansStart Start = "kmeans"
	// RandomStart takes random examples as means, and the covariance of the data.
	RandomStart Start = "random"
)

// Criterion weighs likelihood against the number d of free parameters; less is better.
type Criterion string

// The criteria.
const (
	// BIC is −2 log L + d log n (Schwarz, Estimating the dimension of a model, 1978).
	BIC Criterion = "bic"
	// AIC is −2 log L + 2 d (Akaike, A new look at the statistical model identification, 1974).
	AIC Criterion = "aic"
)

// of is the criterion for n examples of that log-likelihood.
func (c Criterion) of(logLikelihood float64, parameters, n int) float64 {
	if c == AIC {
		return -2*logLikelihood + 2*float64(parameters)
	}
	return -2*logLikelihood + float64(parameters)*math.Log(float64(n))
}

// maxCovariances bounds the numbers that the covariances of all classes take: 1 GB.
const maxCovariances = 1 << 27

// Fit reads the examples into memory and runs EM for each class. Run.Epochs stands for Iterations.
func (r *Mixture) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	began := time.Now()
	if err := r.check(set.Schema()); err != nil {
		return nil, nil, err
	}
	transform, err := data.FitTransform(ctx, set, data.Raw)
	if err != nil {
		return nil, nil, err
	}
	m := &FittedMixture{classed: classed{Card: model.NewCard("mixture", r, set, transform, run), threads: run.Threads}}
	if m.prior, err = classPrior(ctx, set); err != nil {
		return nil, nil, err
	}
	x, err := readRaw(ctx, set, transform)
	if err != nil {
		return nil, nil, err
	}
	m.shift, m.scale = usualScale(x, m.Schema.IsImage())
	classes := m.byClass(x.Y, x.Len())
	least := x.Len()
	for k, rows := range classes {
		if least = min(least, len(rows)); least == 0 {
			return nil, nil, m.inClass(k, errors.New("no example to learn from"))
		}
	}
	kind, err := r.covariance(m.Schema.Size(), least, len(classes))
	if err != nil {
		return nil, nil, err
	}
	summary := &model.Summary{ValidationLoss: math.NaN(), Stopped: "converged"}
	for k, rows := range classes {
		fit := mixtureFit{
			recipe: r, data: newScaledRows(x, rows, m.shift, m.scale, run.Threads), kind: kind,
			iterations: cmp.Or(run.Epochs, r.Iterations), progress: run.Progress,
			random: rand.New(rand.NewPCG(run.Seed, uint64(k))),
		}
		if m.prior != nil {
			fit.phase = fmt.Sprintf("class %d of %d, ", k+1, m.Classes())
		}
		found, err := fit.best(ctx)
		if err != nil {
			return nil, nil, m.inClass(k, err)
		}
		m.given = append(m.given, found.mixture)
		summary.TrainLoss -= found.logLikelihood / float64(set.Len())
		summary.Epochs = max(summary.Epochs, found.iterations)
		summary.Steps += found.iterations
		if !found.converged {
			summary.Stopped = "all iterations done"
		}
	}
	summary.TrainLoss -= m.logDet()
	summary.Notes = m.notes(r, -summary.TrainLoss*float64(set.Len()), set.Len())
	if v := run.Validation; v != nil && v.Len() > 0 {
		if summary.ValidationLoss, err = m.loss(ctx, v); err != nil {
			return nil, nil, err
		}
	}
	summary.Seconds = time.Since(began).Seconds()
	summary.ExamplesPerSecond = float64(set.Len()) * float64(summary.Epochs) / max(summary.Seconds, 1e-9)
	tell(run.Progress, "estimating", set.Len(), set.Len(), true)
	return m, summary, nil
}

// check refuses data and recipes that make no sense.
func (r *Mixture) check(s *data.Schema) error {
	if err := model.Validate(r); err != nil {
		return fmt.Errorf("mixture: %w", err)
	}
	for _, c := range s.Columns {
		if c.Kind == data.Categorical {
			return fmt.Errorf("mixture is a density of numbers, and column %q has categories; leave the column out, or use vae", c.Name)
		}
	}
	return nil
}

// covariance is what the covariances of p elements are, with n examples in the smallest class.
func (r *Mixture) covariance(p, n, classes int) (Covariance, error) {
	kind := r.Covariance
	if kind == AutoCovariance {
		kind = DiagonalCovariance
		if p <= 64 && n >= 2*p*max(1, r.Components) {
			kind = FullCovariance
		}
	}
	k := cmp.Or(r.Components, r.MaxComponents)
	if dense := kind == FullCovariance || kind == TiedCovariance; dense && (p > maxElements || covarianceLength(kind, k, p) > maxCovariances/classes) {
		return "", fmt.Errorf("mixture with %s covariances of %d elements, %d components and %d classes takes more than 1 GB; set covariance=diagonal, or make the pictures smaller",
			kind, p, k, classes)
	}
	return kind, nil
}

// notes are what a person should know. logLikelihood is that of all n examples.
func (m *FittedMixture) notes(r *Mixture, logLikelihood float64, n int) []string {
	fewest, most, empty := math.MaxInt, 0, 0
	for _, given := range m.given {
		fewest, most = min(fewest, given.components()), max(most, given.components())
		for _, w := range given.weight {
			if w == 0 {
				empty++
			}
		}
	}
	parameters := m.Parameters()
	notes := []string{fmt.Sprintf("%d components with %s covariances, %d parameters: BIC %.6g, AIC %.6g",
		most, m.given[0].kind, parameters, BIC.of(logLikelihood, parameters, n), AIC.of(logLikelihood, parameters, n))}
	switch {
	case r.Components == 0 && fewest < most:
		notes[0] = fmt.Sprintf("%d to %s, by %s of each class", fewest, notes[0], r.Criterion)
	case r.Components == 0:
		notes[0] += ", by " + string(r.Criterion)
	case fewest < r.Components:
		notes = append(notes, fmt.Sprintf("there are only %d components where there are no more different examples", fewest))
	}
	if r.Components > 0 && 2*parameters > n*m.Schema.Size() {
		notes = append(notes, fmt.Sprintf("the data holds only %d numbers; components=0 chooses fewer components where the criterion prefers them", n*m.Schema.Size()))
	}
	if empty > 0 {
		notes = append(notes, fmt.Sprintf("%d components lost all their examples and have weight 0; use fewer components", empty))
	}
	return notes
}

// mixtureFit fits the mixture of one class.
type mixtureFit struct {
	recipe     *Mixture
	data       *scaledRows
	kind       Covariance
	iterations int
	random     *rand.Rand
	progress   func(model.Progress)
	phase      string // what comes before the name of what is being done
}

// best fits the components that the recipe asks for, or the best number of them.
func (f *mixtureFit) best(ctx context.Context) (emResult, error) {
	if k := f.recipe.Components; k > 0 {
		return f.restarts(ctx, min(k, len(f.data.index)))
	}
	var best emResult
	least := math.Inf(1)
	for k := range min(f.recipe.MaxComponents, len(f.data.index)) {
		found, err := f.restarts(ctx, k+1)
		if err != nil {
			return emResult{}, err
		}
		score := f.recipe.Criterion.of(found.logLikelihood, found.parameters(), len(f.data.index))
		if score < least {
			best, least = found, score
		}
	}
	return best, nil
}

// restarts is the most likely of several ends of EM with k components.
func (f *mixtureFit) restarts(ctx context.Context, k int) (emResult, error) {
	var best emResult
	for restart := range f.recipe.Restarts {
		start, err := f.data.start(ctx, f.recipe.Start, f.kind, k, f.recipe.Floor, f.random)
		if err != nil {
			return emResult{}, f.explain(ctx, err)
		}
		found, err := f.data.improve(ctx, start, emRules{
			floor: f.recipe.Floor, tolerance: f.recipe.Tolerance, iterations: f.iterations,
			tell: func(iteration int, meanLog float64) { f.tell(k, restart, iteration, meanLog) },
		})
		if err != nil {
			return emResult{}, f.explain(ctx, err)
		}
		if restart == 0 || found.logLikelihood > best.logLikelihood {
			best = found
		}
	}
	return best, nil
}

// explain tells what to do about a singular covariance.
func (f *mixtureFit) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: the likelihood has no maximum; set floor above 0 (now %v)", err, f.recipe.Floor)
}

func (f *mixtureFit) tell(k, restart, iteration int, meanLog float64) {
	if f.progress == nil {
		return
	}
	f.progress(model.Progress{
		Phase: fmt.Sprintf("%s%d components, start %d", f.phase, k, restart+1),
		Epoch: iteration, Epochs: f.iterations, Step: iteration, Steps: f.iterations,
		Loss: -meanLog, ValidationLoss: math.NaN(), Remaining: -1,
	})
}

func init() {
	model.Register(model.Entry{
		Name: "mixture", Kind: model.Generative,
		Summary: "mixture of normal distributions, one for each class where there are labels; exact log p(x)",
		Paper:   "Dempster, Laird and Rubin, Maximum likelihood from incomplete data via the EM algorithm, 1977",
		New:     func() model.Spec { return model.NewRecipe[Mixture]() },
		Load:    loadMixture,
	})
}
