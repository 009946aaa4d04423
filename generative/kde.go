package generative

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// KDE is the recipe of a kernel density estimate (Parzen, On estimation of a probability density function and mode, 1962): a
// bump K of width h, the bandwidth, on each of the n rows c_i,
//
//	p(x) = (1/n) Σ_i K((x − c_i)/h) / h^p
//
// With labels there is one for the rows of each class, p(x|y), with a bandwidth of its own, and p(x) = Σ_y p(y) p(x|y) with the
// classes' frequencies.
//
// x is standardised in tables, and scaled to [0, 1] in pictures: h is in these units. Where Bandwidth is 0, Rule chooses it.
// Scott's and Silverman's rules are right for normal data in few dimensions, σ n^(−1/(p+4)) and σ (n(p+2)/4)^(−1/(p+4)) with
// σ² the mean of the columns' variances (Silverman, Density Estimation, 1986, section 4.3.2; Scott, Multivariate Density
// Estimation, 1992). Likelihood takes the h with the greatest mean of the leave-one-out log-likelihood,
//
//	L(h) = log (1/(n−1)) Σ_{j≠i} K((c_i − c_j)/h) / h^p,
//
// over up to 512 rows i spread over all (Habbema, Hermans and van den Broek, 1974; Duin, 1976). Rows equal to c_i are left
// out with it: otherwise data that repeats itself would have its greatest likelihood at h = 0.
type KDE struct {
	Kernel    Kernel        `json:"kernel" default:"gaussian" choices:"gaussian,tophat,epanechnikov,exponential,linear,cosine" help:"shape of the bump on each row"`
	Bandwidth float64       `json:"bandwidth" default:"0" min:"0" max:"1e6" help:"width of the bumps, in standard deviations of a column (tables) or as a share of the pixel range (pictures); 0 for the rule's"`
	Rule      BandwidthRule `json:"rule" default:"likelihood" choices:"likelihood,scott,silverman" help:"what chooses the bandwidth: the leave-one-out likelihood, or a rule for normal data"`
}

// BandwidthRule chooses the bandwidth of a [KDE].
type BandwidthRule string

const (
	LikelihoodRule BandwidthRule = "likelihood"
	ScottRule      BandwidthRule = "scott"
	SilvermanRule  BandwidthRule = "silverman"
)

// Fit keeps the rows, and chooses the bandwidths.
func (r *KDE) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	start := time.Now()
	schema := set.Schema()
	for _, c := range schema.Columns {
		if c.Kind == data.Categorical {
			return nil, nil, fmt.Errorf("kde is a density of numbers, and column %q has categories; leave the column out, or use naivebayes", c.Name)
		}
	}
	kind := data.Standardise
	if schema.IsImage() {
		kind = data.Unit
	}
	transform, err := data.FitTransform(ctx, set, kind)
	if err != nil {
		return nil, nil, err
	}
	m := &FittedKDE{classed: classed{Card: model.NewCard("kde", r, set, transform, run), threads: run.Threads}}
	if m.prior, err = classPrior(ctx, set); err != nil {
		return nil, nil, err
	}
	m.rows = make([][]float32, m.distributions())
	err = data.Each(ctx, set, func(first int, b data.Batch) error {
		t, err := m.transformed(b)
		if err != nil {
			return fmt.Errorf("from row %d on: %w", first+1, err)
		}
		for i := range t.Len() {
			k := m.class(b.Y, i)
			m.rows[k] = append(m.rows[k], t.Row(i)...)
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, nil, err
	}
	summary := &model.Summary{Epochs: 1, TrainLoss: math.NaN(), ValidationLoss: math.NaN(), Stopped: "rows kept"}
	p := transform.OutShape().Size()
	left, leftOut := 0.0, 0 // sum and number of the leave-one-out log-likelihoods
	for k, rows := range m.rows {
		if len(rows) == 0 {
			return nil, nil, m.inClass(k, errors.New("no example to learn from"))
		}
		tell(run.Progress, "choosing the bandwidth", k, len(m.rows), false)
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		h := r.Bandwidth
		if h == 0 {
			var c choice
			if c, err = r.choose(ctx, rows, p, run.Threads); err != nil {
				return nil, nil, m.inClass(k, err)
			}
			if c.note != "" {
				summary.Notes = append(summary.Notes, m.inClass(k, errors.New(c.note)).Error())
			}
			h, left, leftOut = c.h, left+c.sum, leftOut+c.n
		}
		m.given = append(m.given, newParzen(r.Kernel, h, rows, p))
	}
	if leftOut > 0 {
		summary.TrainLoss = -left/float64(leftOut) - transform.LogDet()
	}
	summary.Notes = append(summary.Notes, m.bandwidths())
	if v := run.Validation; v != nil && v.Len() > 0 {
		if summary.ValidationLoss, err = m.loss(ctx, v); err != nil {
			return nil, nil, err
		}
	}
	summary.Seconds = time.Since(start).Seconds()
	summary.ExamplesPerSecond = float64(set.Len()) / max(summary.Seconds, 1e-9)
	tell(run.Progress, "choosing the bandwidth", len(m.rows), len(m.rows), true)
	return m, summary, nil
}

// bandwidths tells what was chosen.
func (m *FittedKDE) bandwidths() string {
	var h []float64
	for _, e := range m.given {
		h = append(h, e.h)
	}
	least, most := slices.Min(h), slices.Max(h)
	if least == most {
		return fmt.Sprintf("bandwidth %.3g", least)
	}
	return fmt.Sprintf("bandwidths %.3g to %.3g", least, most)
}

// loss is the mean of −log p(x|y), or of −log p(x) without labels, in nats.
func (m *FittedKDE) loss(ctx context.Context, set data.Set) (float64, error) {
	total := 0.0
	err := data.Each(ctx, set, func(_ int, b data.Batch) error {
		log := make([]float64, b.Len())
		if err := m.logProb(log, b, b.Y); err != nil {
			return err
		}
		for _, l := range log {
			total -= l
		}
		return ctx.Err()
	})
	if total /= float64(set.Len()); math.IsInf(total, 0) {
		total = math.NaN() // a row that no compact kernel reaches
	}
	return total, err
}

func init() {
	model.Register(model.Entry{
		Name: "kde", Kind: model.Generative,
		Summary: "kernel density estimate: a bump on each row, of each class where there are labels; exact log p(x)",
		Paper:   "Parzen, On estimation of a probability density function and mode, 1962",
		New:     func() model.Spec { return model.NewRecipe[KDE]() },
		Load:    loadKDE,
	})
}
