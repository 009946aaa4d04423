package generative

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
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

// fitPPCA is the most likely model with a covariance whose q largest eigenvalues and their vectors, (q, p), are given, the largest
// first, and the sum of the rest.
func fitPPCA(mean, values, vectors []float64, rest, floor float64) (*ppca, error) {
	p, q := len(mean), len(values)
	m := &ppca{mean: mean, axes: vectors, eigenvalue: make([]float64, q)}
	// The likelihood falls as σ² grows beyond the mean of the left-out eigenvalues, so the floor is the best where it is above.
	m.noise = max(rest/float64(p-q), floor)
	if m.noise == 0 || !(m.noise > 1e-14*values[0]) {
		return nil, fmt.Errorf("%d components hold all the variance, and the likelihood has no maximum; set floor above 0 (now %v), or fewer components", q, floor)
	}
	for i, v := range values {
		if m.eigenvalue[i] = max(v, m.noise); v <= m.noise {
			clear(vectors[i*p : (i+1)*p])
		}
	}
	return m, nil
}

// principal finds the q largest eigenvalues of the covariance (1/n) of the rows of all groups around 0, their vectors, (q, p), and the sum
// of the other eigenvalues. Where there are fewer rows than elements they are those of the Gram matrix, Z Zᵀ/n: its eigenvectors v
// give Zᵀ v / ‖Zᵀ v‖, and the eigenvalues are the same but for zeros.
func principal(ctx context.Context, groups []*scaledRows, q int) (values, vectors []float64, rest float64, err error) {
	n, p := 0, len(groups[0].shift)
	for _, d := range groups {
		n += len(d.index)
	}
	var z blas64.General // the rows, where the Gram matrix is decomposed
	size := min(n, p)
	product := make([]float64, size*size) // upper half
	if n < p {
		z = blas64.General{Rows: n, Cols: p, Stride: p, Data: make([]float64, n*p)}
		at := 0
		for _, d := range groups {
			for i := range d.index {
				d.example(z.Data[at*p:(at+1)*p], i)
				at++
			}
		}
		blas64.Syrk(blas.NoTrans, 1, z, 0, blas64.Symmetric{Uplo: blas.Upper, N: n, Stride: n, Data: product})
	} else {
		for _, d := range groups {
			scatter, err := d.scatter(ctx)
			if err != nil {
				return nil, nil, 0, err
			}
			for i, v := range scatter {
				product[i] += v
			}
		}
	}
	for i := range product {
		product[i] /= float64(n)
	}
	leading, columns, rest, err := leadingEigen(ctx, mat.NewSymDense(size, product), min(q, size))
	if err != nil {
		return nil, nil, 0, err
	}
	values, vectors = make([]float64, q), make([]float64, q*p)
	for i, v := range leading {
		values[i] = v
		axis := vectors[i*p : (i+1)*p]
		column := mat.Col(nil, i, columns)
		if n < p {
			blas64.Gemv(blas.Trans, 1, z, blas64.Vector{N: n, Inc: 1, Data: column}, 0, blas64.Vector{N: p, Inc: 1, Data: axis})
		} else {
			copy(axis, column)
		}
		normalise(axis)
	}
	return values, vectors, rest, nil
}

// leadingEigen is the q largest eigenvalues of a covariance, at least 0, the largest first, their vectors as columns, and the
// sum of the other eigenvalues.
func leadingEigen(ctx context.Context, a *mat.SymDense, q int) (values []float64, vectors *mat.Dense, rest float64, err error) {
	size := a.SymmetricDim()
	if block := 2*q + 16; size >= leastSubspace && 4*block <= size {
		if values, vectors := subspaceEigen(ctx, a, q, block); values != nil {
			rest = mat.Trace(a)
			for _, v := range values {
				rest -= v
			}
			return values, vectors, max(rest, 0), nil
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, 0, err
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(a, true) {
		return nil, nil, 0, fmt.Errorf("the eigenvalues of the %dx%d covariance were not found", size, size)
	}
	ascending := eigen.Values(nil)
	var all mat.Dense
	eigen.VectorsTo(&all)
	vectors = mat.NewDense(size, q, nil)
	for i := range size {
		v := max(ascending[size-1-i], 0)
		if i >= q {
			rest += v
			continue
		}
		values = append(values, v)
		vectors.SetCol(i, mat.Col(nil, size-1-i, &all))
	}
	return values, vectors, rest, nil
}

// leastSubspace is the size from which subspaceEigen is tried: below it, decomposing the whole matrix takes less than a second.
const leastSubspace = 512

// subspaceEigen finds the q largest eigenvalues and their vectors by subspace iteration (Saad, Numerical methods for large eigenvalue
// problems, 2011, algorithm 5.3): a block V of orthonormal columns becomes A V, whose components along the leading vectors grow
// beside the others, and the eigenvectors of Vᵀ A V turn V towards them. It ends when ‖A v − λ v‖ ≤ 1e-12 λ_1 for
// each of the q, which leaves in each λ an error of that squared over the gap to the others. The result is nil where that takes too long, or
// the matrix has too low a rank.
func subspaceEigen(ctx context.Context, a *mat.SymDense, q, block int) ([]float64, *mat.Dense) {
	size := a.SymmetricDim()
	r := rand.New(rand.NewPCG(1, 2)) // any start will do, as long as it is always the same
	v := mat.NewDense(size, block, nil)
	for i := range size {
		for j := range block {
			v.Set(i, j, r.NormFloat64())
		}
	}
	for range 100 {
		if ctx.Err() != nil || !orthonormalise(v) {
			return nil, nil
		}
		var av, small, turned, next mat.Dense
		av.Mul(a, v)
		small.Mul(v.T(), &av)
		ritz := mat.NewSymDense(block, nil)
		for i := range block {
			for j := i; j < block; j++ {
				ritz.SetSym(i, j, (small.At(i, j)+small.At(j, i))/2)
			}
		}
		var eigen mat.EigenSym
		if !eigen.Factorize(ritz, true) {
			return nil, nil
		}
		ascending := eigen.Values(nil)
		var turn mat.Dense
		eigen.VectorsTo(&turn)
		turned.Mul(v, &turn)
		next.Mul(&av, &turn)
		values, vectors := make([]float64, q), mat.NewDense(size, q, nil)
		worst := 0.0
		for i := range q {
			at := block - 1 - i
			values[i] = ascending[at]
			column := mat.Col(nil, at, &turned)
			vectors.SetCol(i, column)
			residual := mat.Col(nil, at, &next)
			floats.AddScaled(residual, -values[i], column)
			worst = max(worst, floats.Norm(residual, 2))
		}
		if worst <= 1e-12*values[0] {
			return values, vectors
		}
		v = &next
	}
	return nil, nil
}

// orthonormalise makes the columns of v orthonormal, by a Cholesky factor of their products after they are made 1 long; twice,
// because the first leaves errors of the condition squared. It fails where they are not independent.
func orthonormalise(v *mat.Dense) bool {
	raw := v.RawMatrix()
	for range 2 {
		product := blas64.Symmetric{Uplo: blas.Upper, N: raw.Cols, Stride: raw.Cols, Data: make([]float64, raw.Cols*raw.Cols)}
		for j := range raw.Cols {
			length := mat.Norm(v.ColView(j), 2)
			if !(length > 0) {
				return false
			}
			blas64.Scal(1/length, blas64.Vector{N: raw.Rows, Inc: raw.Stride, Data: raw.Data[j:]})
		}
		blas64.Syrk(blas.Trans, 1, raw, 0, product)
		var root mat.Cholesky
		if !root.Factorize(mat.NewSymDense(raw.Cols, product.Data)) {
			return false
		}
		var u mat.TriDense
		root.UTo(&u)
		blas64.Trsm(blas.Right, blas.NoTrans, 1, u.RawTriangular(), raw)
	}
	return true
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
	m := &FittedPPCA{classed: classed{Card: model.NewCard("ppca", r, set, transform, run), threads: run.Threads}}
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
	for k, rows := range m.byClass(x.Y, x.Len()) {
		if len(rows) == 0 {
			return nil, 0, m.inClass(k, errors.New("no example to learn from"))
		}
		groups = append(groups, newScaledRows(x, rows, rowMean(x, rows), m.scale, threads))
	}
	q := min(r.Components, m.Schema.Size()-1)
	given = make([]*ppca, len(groups))
	held, all := make([]float64, len(groups)), make([]float64, len(groups))
	fit := func(of []*scaledRows, k int) error {
		values, vectors, rest, err := principal(ctx, of, q)
		if err != nil {
			return err
		}
		held[k] = floats.Sum(values)
		all[k] = held[k] + rest
		given[k], err = fitPPCA(of[0].shift, values, vectors, rest, r.Floor)
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
		threads = groups[0].threads
		for _, d := range groups { // a class keeps to its thread
			d.threads = 1
		}
		shareOut(threads, len(groups), func(_, k int) { errs[k] = m.inClass(k, fit(groups[k:k+1], k)) })
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
