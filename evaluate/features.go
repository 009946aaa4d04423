package evaluate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/data"
)

// points is n points in d dimensions, row-major.
type points struct {
	n, d int
	x    []float64
}

func newPoints(n, d int) points      { return points{n, d, make([]float64, n*d)} }
func (p points) row(i int) []float64 { return p.x[i*p.d : (i+1)*p.d : (i+1)*p.d] }
func (p points) dense() *mat.Dense   { return mat.NewDense(p.n, p.d, p.x) }
func (p points) resample(at []int) points {
	out := newPoints(len(at), p.d)
	for k, i := range at {
		copy(out.row(k), p.row(i))
	}
	return out
}

// features maps raw examples to the space in which samples are compared.
type features struct {
	name  string
	embed func(b data.Batch) (points, error)
}

const (
	components  = 50   // principal components that are kept
	maxElements = 1024 // larger pictures are averaged over squares of pixels before the components are taken
)

// Space is a feature space in which real and generated examples are compared, such as a network's. Measures in different spaces do
// not compare, and so its name, with a version, stands beside each.
type Space struct {
	Name string
	Size int // d, the number of features
	// Embed sets row i of dst, row-major (n, Size), to the features of x_i, which is in raw units.
	Embed func(dst []float32, x data.Batch) error
	// AsPublished leaves the features as Embed gives them, for a space that other programs share. In others they are shifted to mean 0
	// and divided by one number, so that their average variance is 1, over the real examples: distances are then in proportion to how much
	// real examples differ.
	AsPublished bool
	// IsInception says that the features are those of Inception-v3, as published, in which the Fréchet distance is called FID.
	IsInception bool
}

// place maps the two halves of the real examples and the generated ones to a space, by default that of fitFeatures.
func place(
	ctx context.Context, space *Space, schema *data.Schema, reference, other, generated data.Batch,
) (name string, placed [3]points, err error) {
	f := &features{}
	if space != nil {
		f.name, f.embed = space.Name, func(b data.Batch) (points, error) { return space.embed(ctx, b) }
	} else {
		both := data.Batch{Shape: reference.Shape, X: slices.Concat(reference.X, other.X), Y: slices.Concat(reference.Y, other.Y)}
		if f, err = fitFeatures(ctx, schema, both); err != nil {
			return "", placed, err
		}
	}
	for i, b := range []data.Batch{reference, other, generated} {
		if placed[i], err = f.embed(b); err != nil {
			return "", placed, err
		}
	}
	if space != nil && !space.AsPublished {
		standardise(placed[:2], placed[:])
	}
	return f.name, placed, nil
}

// embed maps a batch to the space in parts, so that it can be interrupted.
func (s *Space) embed(ctx context.Context, b data.Batch) (points, error) {
	const chunk = 256
	p := newPoints(b.Len(), s.Size)
	part := make([]float32, min(chunk, b.Len())*s.Size)
	for first := 0; first < b.Len(); first += chunk {
		if err := ctx.Err(); err != nil {
			return points{}, err
		}
		last := min(first+chunk, b.Len())
		dst := part[:(last-first)*s.Size]
		if err := s.Embed(dst, data.Batch{Shape: b.Shape, X: b.Slice(first, last).X}); err != nil {
			return points{}, err
		}
		for i, v := range dst {
			if v-v != 0 { // NaN and the infinities
				return points{}, fmt.Errorf("feature %d of example %d is %v in %s, expected a finite number",
					i%s.Size, first+i/s.Size, v, s.Name)
			}
			p.x[first*s.Size+i] = float64(v)
		}
	}
	return p, nil
}

// standardise shifts all points by the mean of the real ones, and divides them by the root of the real ones' average variance.
func standardise(real, all []points) {
	n, d := 0, real[0].d
	mean := make([]float64, d)
	for _, p := range real {
		n += p.n
		for i := range p.n {
			for j, v := range p.row(i) {
				mean[j] += v
			}
		}
	}
	for j := range mean {
		mean[j] /= float64(n)
	}
	variance := 0.0
	for _, p := range real {
		for i := range p.n {
			variance += squaredDistance(p.row(i), mean)
		}
	}
	scale := math.Sqrt(variance / float64(n-1) / float64(d))
	if scale == 0 { // all real examples have the same features
		scale = 1
	}
	for _, p := range all {
		for i := range p.n {
			row := p.row(i)
			for j := range row {
				row[j] = (row[j] - mean[j]) / scale
			}
		}
	}
}

// fitFeatures makes the feature space of real examples. For pictures these are the leading principal components of
// the pixels; for table rows the standardised columns, with categorical ones as one 0/1 element per level.
func fitFeatures(ctx context.Context, schema *data.Schema, real data.Batch) (*features, error) {
	if schema.IsImage() {
		return fitComponents(real)
	}
	set, err := data.NewTable(schema, real.X, real.Y)
	if err != nil {
		return nil, err
	}
	t, err := data.FitTransform(ctx, set, data.Standardise)
	if err != nil {
		return nil, err
	}
	return &features{"standardised columns of the real data v1", func(b data.Batch) (points, error) {
		out := data.NewBatch(t.Out, b.Len(), false)
		if err := t.Apply(out, data.Batch{Shape: b.Shape, X: b.X}); err != nil {
			return points{}, err
		}
		p := newPoints(b.Len(), t.Out.Size())
		for i, v := range out.X {
			p.x[i] = float64(v)
		}
		return p, nil
	}}, nil
}

// fitComponents finds the components V of the covariance of the real pixels, S = V diag(lambda) V^T, and maps a picture
// x to
//
//	(V_1..V_d)^T (x - mean) / s,   s^2 = (lambda_1 + .. + lambda_d)/d,   d = min(50, p, n-1)
//
// One common factor s, not one for each component, keeps the components in proportion to their variance; it makes the
// average variance of the real data 1 whatever the units of the pixels.
func fitComponents(real data.Batch) (*features, error) {
	pooled, factor := pool(real)
	n, p := pooled.n, pooled.d
	d := min(components, p, n-1)

	mean, covariance := gaussian(pooled)
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return nil, fmt.Errorf("the principal components of %d pictures of %v could not be found", n, real.Shape)
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors) // in ascending order of their eigenvalues
	basis := vectors.Slice(0, p, p-d, p).(*mat.Dense)
	variance := 0.0
	for _, lambda := range eigen.Values(nil)[p-d:] {
		variance += max(lambda, 0)
	}
	scale := math.Sqrt(variance / float64(d))
	if scale == 0 { // all real pictures are the same
		scale = 1
	}

	name := fmt.Sprintf("pca-%d of the real data v1", d)
	if factor > 1 {
		name = fmt.Sprintf("pca-%d of the real data averaged over %dx%d pixels v1", d, factor, factor)
	}
	return &features{name, func(b data.Batch) (points, error) {
		pooled, _ := pool(b)
		for i := range pooled.n {
			for j := range pooled.row(i) {
				pooled.row(i)[j] = (pooled.row(i)[j] - mean[j]) / scale
			}
		}
		out := newPoints(b.Len(), d)
		out.dense().Mul(pooled.dense(), basis)
		return out, nil
	}}, nil
}

// pool averages pictures over squares of factor x factor pixels, the smallest factor that leaves at most maxElements
// elements. Squares at the right and lower edge hold what is left.
func pool(b data.Batch) (pooled points, factor int) {
	s := b.Shape
	factor = 1
	small := s
	for small.Size() > maxElements && (small.Height > 1 || small.Width > 1) {
		factor++
		small.Height, small.Width = (s.Height+factor-1)/factor, (s.Width+factor-1)/factor
	}
	pooled = newPoints(b.Len(), small.Size())
	count := make([]float64, small.Size())
	for i := range b.Len() {
		row, x := pooled.row(i), b.Row(i)
		clear(count)
		for r := range s.Height {
			for c := range s.Width {
				for k := range s.Channels {
					j := ((r/factor)*small.Width+c/factor)*s.Channels + k
					row[j] += float64(x[(r*s.Width+c)*s.Channels+k])
					count[j]++
				}
			}
		}
		for j := range row {
			row[j] /= count[j]
		}
	}
	return pooled, factor
}

func columnMeans(p points) []float64 {
	mean := make([]float64, p.d)
	for i := range p.n {
		for j, v := range p.row(i) {
			mean[j] += v
		}
	}
	for j := range mean {
		mean[j] /= float64(p.n)
	}
	return mean
}
