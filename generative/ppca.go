package generative

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	_ "github.com/likely-ml/likely/tensor/cpu/gonumblas" // blas64 and mat run on our kernels
)

// PPCA is the recipe of probabilistic principal component analysis (Tipping and Bishop, Probabilistic principal component
// analysis, 1999): a latent z ~ N(0, I) in R^q gives
//
//	x = W z + μ + ε,   ε ~ N(0, σ² I),   so that   p(x) = N(x; μ, C),   C = W Wᵀ + σ² I.
//
// The most likely parameters have a closed form (their equations 7 and 8). With λ_1 ≥ λ_2 ≥ … the eigenvalues of the covariance
// (1/n) and U its first q eigenvectors,
//
//	σ² = (λ_(q+1) + … + λ_p) / (p − q),   W = U (diag(λ_1 … λ_q) − σ² I)^½.
//
// With labels there is one model for each class, p(x|y), or with Tied one W and σ² around a mean for each class, from the covariance
// within classes; p(x) = Σ_y p(y) p(x|y) with the classes' frequencies.
//
// One σ² for all elements makes no sense where these have different units, so the columns of a table are counted in their
// standard deviations unless Standardise is false. Floor is the least σ², as a share of the mean variance of these elements: without
// it the likelihood has no maximum where q directions hold all the variance there is.
type PPCA struct {
	Components  int     `json:"components" default:"32" min:"1" max:"4096" help:"q, the dimensions of z; at most one fewer than x has"`
	Tied        bool    `json:"tied" default:"false" help:"all classes share W and the noise, and differ in their means"`
	Standardise bool    `json:"standardise" default:"true" help:"count the columns of a table in their standard deviations; pictures are left as they are"`
	Floor       float64 `json:"floor" default:"0.0001" min:"0" max:"1" help:"least variance of the noise, as a share of the mean variance of an element; 0 for none"`
}

// ppca is the model of one class, of x in units of scale. Of W = U (Λ − σ² I)^½ it keeps the two factors. A component whose eigenvalue is
// no larger than σ² has a row of zeros in axes and σ² as its eigenvalue: its column of W is 0.
type ppca struct {
	mean       []float64 // (p), in raw units
	axes       []float64 // (q, p), the rows of Uᵀ
	eigenvalue []float64 // (q), at least noise
	noise      float64   // σ²
}

// fitPPCA is the most likely model with a covariance whose eigenvalues and vectors, (q, p), are given: all of them that are
// not 0, the largest first.
func fitPPCA(mean, values, vectors []float64, floor float64) (*ppca, error) {
	p := len(mean)
	q := len(vectors) / p
	m := &ppca{mean: mean, axes: vectors, eigenvalue: make([]float64, q)}
	for _, v := range values[min(q, len(values)):] {
		m.noise += max(v, 0) / float64(p-q)
	}
	// The likelihood falls as σ² grows beyond the mean of the left-out eigenvalues, so the floor is the best where it is above.
	m.noise = max(m.noise, floor)
	if largest := max(values[0], 0); !(m.noise > 1e-14*largest) || m.noise == 0 {
		return nil, fmt.Errorf("%d components hold all the variance, and the likelihood has no maximum; set floor above 0 (now %v), or fewer components", q, floor)
	}
	for i := range q {
		m.eigenvalue[i] = m.noise
		if i < len(values) && values[i] > m.noise {
			m.eigenvalue[i] = values[i]
		} else {
			clear(vectors[i*p : (i+1)*p])
		}
	}
	return m, nil
}

// principal finds the eigenvalues of the covariance (1/n) of the rows of all groups around 0, and the eigenvectors of the q largest.
// Where there are fewer rows than elements it is those of the Gram matrix, Z Zᵀ/n: its eigenvectors v give
// Zᵀ v / ‖Zᵀ v‖, and the eigenvalues are the same but for zeros.
func principal(ctx context.Context, groups []*scaledRows, q int) (values, vectors []float64, err error) {
	n, p := 0, len(groups[0].shift)
	for _, d := range groups {
		n += len(d.index)
	}
	var product []float64 // upper half
	var z blas64.General
	size := p
	if n < p {
		size = n
		z = blas64.General{Rows: n, Cols: p, Stride: p, Data: make([]float64, n*p)}
		at := 0
		for _, d := range groups {
			for i := range d.index {
				d.example(z.Data[at*p:(at+1)*p], i)
				at++
			}
		}
		product = make([]float64, n*n)
		blas64.Syrk(blas.NoTrans, 1, z, 0, blas64.Symmetric{Uplo: blas.Upper, N: n, Stride: n, Data: product})
	} else {
		for _, d := range groups {
			scatter, err := d.scatter(ctx)
			if err != nil {
				return nil, nil, err
			}
			if product == nil {
				product = make([]float64, p*p)
			}
			for i, v := range scatter {
				product[i] += v
			}
		}
	}
	for i := range product {
		product[i] /= float64(n)
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(size, product), true) {
		return nil, nil, fmt.Errorf("the eigenvalues of the %dx%d covariance were not found", size, size)
	}
	ascending := eigen.Values(nil)
	var columns mat.Dense
	eigen.VectorsTo(&columns)
	values, vectors = make([]float64, size), make([]float64, q*p)
	for i := range values {
		values[i] = ascending[size-1-i]
	}
	for i := range min(q, size) {
		axis := vectors[i*p : (i+1)*p]
		column := mat.Col(nil, size-1-i, &columns)
		if n < p {
			blas64.Gemv(blas.Trans, 1, z, blas64.Vector{N: n, Inc: 1, Data: column}, 0, blas64.Vector{N: p, Inc: 1, Data: axis})
		} else {
			copy(axis, column)
		}
		normalise(axis)
	}
	return values, vectors, nil
}

// normalise makes v one long, with its largest element positive, so that an eigenvector has one sign.
func normalise(v []float64) {
	length, largest := 0.0, 0.0
	for _, x := range v {
		length += x * x
		if math.Abs(x) > math.Abs(largest) {
			largest = x
		}
	}
	if length == 0 {
		return
	}
	length = math.Copysign(math.Sqrt(length), largest)
	for j := range v {
		v[j] /= length
	}
}

// Fit reads the examples into memory and decomposes one covariance for each class, or one for all.
func (r *PPCA) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	began := time.Now()
	if err := r.check(set); err != nil {
		return nil, nil, err
	}
	transform, err := data.FitTransform(ctx, set, data.Raw)
	if err != nil {
		return nil, nil, err
	}
	m := &FittedPPCA{Card: model.NewCard("ppca", r, set, transform, run), threads: run.Threads}
	if m.prior, err = classPrior(ctx, set); err != nil {
		return nil, nil, err
	}
	x, err := readRaw(ctx, set, transform)
	if err != nil {
		return nil, nil, err
	}
	tell(run.Progress, "decomposing", 0, set.Len(), false)
	_, m.scale = usualScale(x, m.Schema.IsImage() || !r.Standardise)
	var explained float64
	if m.given, explained, err = r.classes(ctx, m, x, run.Threads); err != nil {
		return nil, nil, err
	}
	summary := &model.Summary{Epochs: 1, ValidationLoss: math.NaN(), Stopped: "exact solution",
		Notes: []string{fmt.Sprintf("%d components hold %.3g%% of the variance", m.LatentSize(), 100*explained)}}
	if summary.TrainLoss, err = m.loss(ctx, set); err != nil {
		return nil, nil, err
	}
	if v := run.Validation; v != nil && v.Len() > 0 {
		if summary.ValidationLoss, err = m.loss(ctx, v); err != nil {
			return nil, nil, err
		}
	}
	summary.Seconds = time.Since(began).Seconds()
	summary.ExamplesPerSecond = float64(set.Len()) / max(summary.Seconds, 1e-9)
	tell(run.Progress, "decomposing", set.Len(), set.Len(), true)
	return m, summary, nil
}

// check refuses data and recipes that make no sense.
func (r *PPCA) check(set data.Set) error {
	if err := model.Validate(r); err != nil {
		return fmt.Errorf("ppca: %w", err)
	}
	s := set.Schema()
	for _, c := range s.Columns {
		if c.Kind == data.Categorical {
			return fmt.Errorf("ppca is a density of numbers, and column %q has categories; leave the column out, or use vae", c.Name)
		}
	}
	switch p := s.Size(); {
	case p < 2:
		return errors.New("ppca needs at least 2 elements, and x has 1; use gaussian or mixture")
	case p > maxElements && set.Len() > maxElements:
		return fmt.Errorf("ppca decomposes a covariance of all elements or all examples, and x has %d elements and %d examples; it takes up to %d of one of them: make the pictures smaller, or use vae",
			p, set.Len(), maxElements)
	}
	return nil
}

// classes fits the model of each class side by side, and says which share of the variance their components hold.
func (r *PPCA) classes(ctx context.Context, m *FittedPPCA, x data.Batch, threads int) (given []*ppca, explained float64, err error) {
	var groups []*scaledRows
	for k, rows := range rowsOfClasses(x.Y, x.Len(), m.Classes()) {
		if len(rows) == 0 {
			return nil, 0, classError(&m.Card, k, errors.New("no example to learn from"))
		}
		groups = append(groups, newScaledRows(x, rows, rowMean(x, rows), m.scale, threads))
	}
	q := min(r.Components, m.Schema.Size()-1)
	given = make([]*ppca, len(groups))
	held, all := make([]float64, len(groups)), make([]float64, len(groups))
	fit := func(of []*scaledRows, k int) error {
		values, vectors, err := principal(ctx, of, q)
		if err != nil {
			return err
		}
		for i, v := range values {
			all[k] += v
			if i < q {
				held[k] += v
			}
		}
		given[k], err = fitPPCA(of[0].shift, values, vectors, r.Floor)
		return err
	}
	if r.Tied || len(groups) == 1 {
		if err := fit(groups, 0); err != nil {
			return nil, 0, err
		}
		for k := range given[1:] {
			shared := *given[0]
			shared.mean = groups[k+1].shift
			given[k+1] = &shared
		}
	} else {
		errs := make([]error, len(groups))
		shareOut(groups[0].threads, len(groups), func(_, k int) { errs[k] = classError(&m.Card, k, fit(groups[k:k+1], k)) })
		if err := firstOf(errs); err != nil {
			return nil, 0, err
		}
	}
	var some, total float64
	for k, v := range all {
		some, total = some+held[k]*float64(len(groups[k].index)), total+v*float64(len(groups[k].index))
	}
	return given, some / max(total, math.SmallestNonzeroFloat64), nil
}

// rowMean is the mean of some rows of x.
func rowMean(x data.Batch, rows []int) []float64 {
	mean := make([]float64, x.Shape.Size())
	for _, i := range rows {
		for j, v := range x.Row(i) {
			mean[j] += float64(v) / float64(len(rows))
		}
	}
	return mean
}

func init() {
	model.Register(model.Entry{
		Name: "ppca", Kind: model.Generative,
		Summary: "probabilistic principal components, for each class where there are labels; exact log p(x), encoder and decoder",
		Paper:   "Tipping and Bishop, Probabilistic principal component analysis, 1999",
		New:     func() model.Spec { return model.NewRecipe[PPCA]() },
		Load:    loadPPCA,
	})
}
