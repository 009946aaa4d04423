package generative

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// NaiveBayes is the recipe of naive Bayes: within a class the elements of x are independent,
//
//	p(x|y) = Π_j p(x_j|y),   p(x) = Σ_y p(y) p(x|y)
//
// with the classes' frequencies as p(y); without labels there is one class. (Maron, Automatic indexing: an experimental inquiry,
// 1961; the kinds are those of McCallum and Nigam, A comparison of event models for naive Bayes text classification, 1998.) Kind
// says what p(x_j|y) is. n_y is the number of examples of class y, α is Alpha (Lidstone's smoothing; 1 is Laplace's):
//
//	gaussian      N(x_j; μ_jy, σ²_jy + ε), with ε = Smoothing times the greatest variance of a column
//	bernoulli     b_j = [x_j > MaxValue/2] of pictures, of 0/1 columns x_j itself; p(b_j=1|y) = (Σ b_j + α)/(n_y + 2α)
//	categorical   p(x_j=l|y) = (number of l in class y + α)/(n_y + α·levels)
//	multinomial   counts: p(x|y, N) = N!/Π x_j! Π θ_jy^x_j with N = Σ x_j, θ_jy = (Σ x_j + α)/(Σ_j Σ x_j + α p)
//	auto          pictures: bernoulli. Tables: categorical for columns with categories, gaussian for all others
//
// A value that is missing from a table leaves its factor out, in the fit and after: what remains is the exact density of the
// values that are there. Multinomial takes no missing values: N would be missing too.
//
// Naive Bayes is a density and not a [model.Classifier]: [model.Bayes] makes one of it, with any prior over the classes, such as
// [FittedNaiveBayes.LogPrior].
type NaiveBayes struct {
	Kind      EventModel `json:"kind" default:"auto" choices:"auto,gaussian,bernoulli,multinomial,categorical" help:"distribution of an element: auto is bernoulli for pictures, gaussian for numbers, categorical for categories"`
	Alpha     float64    `json:"alpha" default:"1" min:"1e-10" max:"1e6" help:"what is added to each count of levels, bits and multinomial counts"`
	Smoothing float64    `json:"smoothing" default:"1e-9" min:"0" max:"1" help:"what is added to each variance, as a share of the greatest variance of a column"`
}

// EventModel is what [NaiveBayes] takes an element of x for.
type EventModel string

const (
	AutoEvents        EventModel = "auto"
	GaussianEvents    EventModel = "gaussian"
	BernoulliEvents   EventModel = "bernoulli"
	MultinomialEvents EventModel = "multinomial"
	CategoricalEvents EventModel = "categorical"
)

// Fit counts, in one pass over the data.
func (r *NaiveBayes) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	start := time.Now()
	kinds, err := r.kinds(set.Schema())
	if err != nil {
		return nil, nil, err
	}
	transform, err := data.FitTransform(ctx, set, data.Raw)
	if err != nil {
		return nil, nil, err
	}
	m := &FittedNaiveBayes{classed: classed{Card: model.NewCard("naivebayes", r, set, transform, run), threads: run.Threads}, kinds: kinds}
	if m.prior, err = classPrior(ctx, set); err != nil {
		return nil, nil, err
	}
	tallies, err := m.tally(ctx, set, run.Progress)
	if err != nil {
		return nil, nil, err
	}
	extra := r.Smoothing * m.greatestVariance(tallies)
	for k, c := range tallies {
		d, err := m.estimate(c, r.Alpha, extra)
		if err != nil {
			return nil, nil, m.inClass(k, err)
		}
		m.given = append(m.given, d)
	}
	summary := &model.Summary{Epochs: 1, ValidationLoss: math.NaN(), Stopped: "exact solution"}
	if summary.TrainLoss, err = m.loss(ctx, set); err != nil {
		return nil, nil, err
	}
	if v := run.Validation; v != nil && v.Len() > 0 {
		if summary.ValidationLoss, err = m.loss(ctx, v); err != nil {
			return nil, nil, err
		}
	}
	missing := 0
	for _, s := range transform.Steps {
		missing += s.Missing
	}
	if missing > 0 {
		summary.Notes = append(summary.Notes, fmt.Sprintf("%d values are missing, and their factors were left out", missing))
	}
	summary.Seconds = time.Since(start).Seconds()
	summary.ExamplesPerSecond = float64(set.Len()) / max(summary.Seconds, 1e-9)
	tell(run.Progress, "counting", set.Len(), set.Len(), true)
	return m, summary, nil
}

// kinds is what each element of x is taken for.
func (r *NaiveBayes) kinds(schema *data.Schema) ([]EventModel, error) {
	kinds := make([]EventModel, schema.Size())
	if schema.IsImage() {
		kind := r.Kind
		switch kind {
		case AutoEvents:
			kind = BernoulliEvents
		case CategoricalEvents:
			return nil, errors.New("kind categorical is for columns with categories, and the data is pictures; expected auto, gaussian, bernoulli or multinomial")
		}
		for j := range kinds {
			kinds[j] = kind
		}
		return kinds, nil
	}
	for j, c := range schema.Columns {
		categories := c.Kind == data.Categorical
		switch kinds[j] = r.Kind; {
		case r.Kind == AutoEvents && categories:
			kinds[j] = CategoricalEvents
		case r.Kind == AutoEvents:
			kinds[j] = GaussianEvents
		case categories && r.Kind != CategoricalEvents:
			return nil, fmt.Errorf("kind %s is for numbers, and column %q has categories; leave the column out, or set kind=auto", r.Kind, c.Name)
		case !categories && r.Kind == CategoricalEvents:
			return nil, fmt.Errorf("kind categorical is for columns with categories, and column %q is %s; set kind=auto", c.Name, c.Kind)
		}
	}
	return kinds, nil
}

// tally is what is counted of the examples of a class, for each element: how many values there are; their mean and the sum
// of squared differences from it; how many there are of each level.
type tally struct {
	examples        int
	n, mean, square []float64   // (p)
	levels          [][]float64 // (p), each as long as m.levels(j)
}

// tally counts each class. Means and squares are Welford's (Technometrics 4, 1962).
func (m *FittedNaiveBayes) tally(ctx context.Context, set data.Set, progress func(model.Progress)) ([]*tally, error) {
	p := m.Schema.Size()
	all := make([]*tally, m.distributions())
	for k := range all {
		all[k] = &tally{n: make([]float64, p), mean: make([]float64, p), square: make([]float64, p), levels: make([][]float64, p)}
		for j := range p {
			all[k].levels[j] = make([]float64, m.levels(j))
		}
	}
	totals := map[int64]int64{}
	err := data.Each(ctx, set, func(first int, b data.Batch) error {
		for i := range b.Len() {
			c := all[m.class(b.Y, i)]
			c.examples++
			total := 0.0
			for j, v := range b.Row(i) {
				e, missing, err := m.event(j, v)
				if err != nil {
					return fmt.Errorf("row %d, %w", first+i+1, err)
				}
				if missing {
					continue
				}
				c.n[j]++
				if len(c.levels[j]) > 0 {
					c.levels[j][int(e)]++
					continue
				}
				d := e - c.mean[j]
				c.mean[j] += d / c.n[j]
				c.square[j] += d * (e - c.mean[j])
				total += e
			}
			if m.multinomial() {
				totals[int64(total)]++
			}
		}
		tell(progress, "counting", first+b.Len(), set.Len(), false)
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	for k, c := range all {
		if c.examples == 0 {
			return nil, m.inClass(k, errors.New("no example to learn from"))
		}
	}
	for _, total := range slices.Sorted(maps.Keys(totals)) {
		m.totals, m.totalCounts = append(m.totals, total), append(m.totalCounts, totals[total])
	}
	return all, nil
}

// greatestVariance is that of a gaussian element over all classes.
func (m *FittedNaiveBayes) greatestVariance(classes []*tally) float64 {
	greatest := 0.0
	for j, kind := range m.kinds {
		if kind != GaussianEvents {
			continue
		}
		n, mean, square := 0.0, 0.0, 0.0
		for _, c := range classes {
			n += c.n[j]
			mean += c.n[j] * c.mean[j]
		}
		mean /= max(n, 1)
		for _, c := range classes {
			d := c.mean[j] - mean
			square += c.square[j] + c.n[j]*d*d
		}
		greatest = max(greatest, square/max(n, 1))
	}
	return greatest
}

// estimate makes the distribution of a class of what was counted.
func (m *FittedNaiveBayes) estimate(c *tally, alpha, extra float64) (*independent, error) {
	p := len(m.kinds)
	d := &independent{}
	all := 0.0 // of the counts
	for j := range p {
		all += c.n[j] * c.mean[j]
	}
	for j, kind := range m.kinds {
		switch kind {
		case GaussianEvents:
			variance := c.square[j]/c.n[j] + extra
			if !(variance > 0) {
				return nil, fmt.Errorf("%s has no two different values, and a normal distribution needs some variance; leave it out, or set smoothing above 0", m.element(j))
			}
			d.addNumber(c.mean[j], variance)
		case MultinomialEvents:
			d.logShare = append(d.logShare, math.Log((c.n[j]*c.mean[j]+alpha)/(all+alpha*float64(p))))
		default:
			for _, n := range c.levels[j] {
				d.logShare = append(d.logShare, math.Log((n+alpha)/(c.n[j]+alpha*float64(len(c.levels[j])))))
			}
		}
	}
	return d, nil
}

func init() {
	model.Register(model.Entry{
		Name: "naivebayes", Kind: model.Generative,
		Summary: "independent elements, of each class where there are labels: normal, 0/1, categories or counts; exact log p(x)",
		Paper:   "Maron, Automatic indexing: an experimental inquiry, 1961",
		New:     func() model.Spec { return model.NewRecipe[NaiveBayes]() },
		Load:    loadNaiveBayes,
	})
}
