package generative

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// RealNVP is the recipe of a normalising flow for tables (Dinh, Sohl-Dickstein and Bengio, Density estimation using Real NVP,
// 2017). A bijection f, a chain of couplings, turns the standardised columns x into z ~ N(0, I), so that
//
//	log p(x) = log N(f(x); 0, I) + log |det ∂f/∂x|
//
// is exact, sampling is x = f⁻¹(z), and what is minimised is the mean of −log p(x) itself. The columns are whitened first: by
// U⁻¹, where UᵀU is their covariance, so that the flow begins as the normal distribution of the data. A coupling moves half of
// the columns by an affine map (RealNVP) or by a spline (Durkan et al., Neural spline flows, 2019) that a network computes
// from the other half. With labels the model is p(x|y): the networks see the class too, and p(x) = Σ_y p(y) p(x|y) with the
// classes' frequencies as p(y).
//
// The density is one of real numbers, per raw unit of each column. Whole numbers have none of their own, and a flow could
// make its density at them as high as it likes; so in training a whole-number column is x + u with u uniform on
// [−½, ½) (Theis, van den Oord and Bethge, A note on the evaluation of generative models, 2016, section 3.1), log p(x) is the
// density of this sum at x, and samples are rounded.
type RealNVP struct {
	Coupling Coupling       `json:"coupling" default:"affine" choices:"affine,spline" help:"how a coupling moves a column; a spline is slower and fits gaps and edges better"`
	Layers   int            `json:"layers" default:"8" min:"1" max:"256" help:"couplings"`
	Hidden   []int          `json:"hidden" default:"128,128" min:"1" max:"65536" help:"units of the hidden layers of a coupling's network"`
	Bins     int            `json:"bins" default:"8" min:"2" max:"128" help:"bins of a spline"`
	Tail     float64        `json:"tail" default:"4" min:"1" max:"100" help:"a spline moves what is nearer to the mean than so many standard deviations"`
	Epochs   int            `json:"epochs" default:"0" min:"0" max:"100000" help:"passes over the data; 0 is 50, or as many as make 3,000 steps"`
	Batch    int            `json:"batch" default:"256" min:"2" max:"65536" help:"examples in a step; at most an eighth of the data"`
	Rate     float64        `json:"rate" default:"0.001" min:"1e-7" max:"10" help:"highest learning rate of Adam"`
	Decay    float64        `json:"decay" default:"0.01" min:"0" max:"10" help:"weight decay (AdamW)"`
	Schedule train.Schedule `json:"schedule" default:"cosine" choices:"constant,cosine,linear" help:"how the learning rate falls"`
	Patience int            `json:"patience" default:"30" min:"0" max:"100000" help:"stop after so many epochs without a better validation loss; 0 never"`
}

// Coupling is how a coupling of a [RealNVP] moves a column.
type Coupling string

// The couplings.
const (
	AffineCoupling Coupling = "affine" // x·e^s + t
	SplineCoupling Coupling = "spline" // a monotone rational-quadratic spline
)

// Fit maximises the likelihood by Adam on mini-batches.
func (r *RealNVP) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	if err := r.takes(set.Schema()); err != nil {
		return nil, nil, err
	}
	transform, err := data.FitTransform(ctx, set, data.Standardise)
	if err != nil {
		return nil, nil, err
	}
	for _, step := range transform.Steps {
		if step.Missing > 0 {
			return nil, nil, fmt.Errorf("realnvp is a density of whole rows, and column %q has %d missing values; fill them in, leave the column out, or use vae", step.Name, step.Missing)
		}
	}
	prior, err := classPrior(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	card := model.NewCard("realnvp", r, set, transform, run)
	widths, whole := wholeNumbers(transform)
	whitening, err := whiten(ctx, set, transform, widths.F32)
	if err != nil {
		return nil, nil, err
	}
	net := r.network(set.Schema().Size(), len(prior), whitening)
	params := nn.Collect(net)
	optimiser := nn.NewAdam()
	optimiser.Decay = r.Decay
	problem, err := train.NewProblem(&card, params)
	if err != nil {
		return nil, nil, err
	}
	problem.Phases = []train.Phase{{Name: "realnvp", Params: params, Optimiser: optimiser, Loss: func(b *train.Batch) train.Loss {
		x := b.X
		if whole > 0 {
			u := tensor.AddScalar(b.Mode.Noise.Uniform(x.Dims()...), -0.5)
			x = tensor.Add(x, tensor.Mul(u, x.Graph().Constant(widths)))
		}
		z, logDet := net.encode(x, b.Y)
		return train.Loss{Value: negativeLogLikelihood(z, logDet, transform.LogDet())}
	}}}
	batch, epochs := pace(set.Len(), r.Batch, cmp.Or(run.Epochs, r.Epochs), 50)
	patience := r.Patience
	if run.Validation == nil || run.Validation.Len() == 0 {
		patience = 0 // nothing to be patient about
	}
	found, err := train.Minimise(ctx, problem, set, train.Options{
		Batch: batch, Epochs: epochs, Rate: r.Rate, Schedule: r.Schedule, Patience: patience,
		WarmUp: min(200, epochs*(set.Len()/batch)/10), Clip: 10}, run)
	if err != nil {
		return nil, nil, err
	}
	if whole > 0 {
		found.Summary.Notes = append(found.Summary.Notes, fmt.Sprintf(
			"%d columns are whole numbers: the losses are those of x + u with u uniform on [-0.5, 0.5), log p(x) is the density of that sum at x, and samples are rounded", whole))
	}
	m, err := newFlow(card, net, found.Vars, prior, run)
	return m, &found.Summary, err
}

// takes reports why the recipe does not fit data of the schema.
func (r *RealNVP) takes(schema *data.Schema) error {
	if schema.IsImage() {
		return errors.New("realnvp is for tables, and the data are pictures; use glow")
	}
	for _, c := range schema.Columns {
		if c.Kind == data.Categorical {
			return fmt.Errorf("realnvp is a density of numbers, and column %q has categories; leave the column out, or use vae", c.Name)
		}
	}
	if p := schema.Size(); p > maxElements {
		return fmt.Errorf("realnvp begins with the covariance of every two columns, and the table has %d; it takes up to %d: leave columns out, or use vae", p, maxElements)
	}
	if schema.Size() < 2 {
		return errors.New("realnvp moves columns by what other columns say, and the table has one column; use gaussian")
	}
	return nil
}

// wholeNumbers is the width of the noise that a column gets in training, on the scale of the transform: 1 raw unit for
// whole-number columns, of which it tells the number, and 0 for others.
func wholeNumbers(t *data.Transform) (widths *tensor.Array, columns int) {
	widths = tensor.NewArray(tensor.ShapeOf(tensor.Float32, len(t.Steps)))
	for j, step := range t.Steps {
		if step.Round {
			widths.F32[j] = float32(1 / step.Scale)
			columns++
		}
	}
	return widths, columns
}

// leastVariance is the least variance in any direction of the standardised columns that whitening makes 1.
const leastVariance = 1e-4

// whiten is U⁻¹ (p, p), where UᵀU is the covariance of the standardised columns, with the variance width²/12 of their noise.
func whiten(ctx context.Context, set data.Set, transform *data.Transform, widths []float32) ([]float32, error) {
	p := len(widths)
	c, scale := newMoments(p), make([]float64, p)
	visit := func(add func(x []float64)) error {
		return data.Each(ctx, set, func(_ int, b data.Batch) error {
			t := data.NewBatch(transform.OutShape(), b.Len(), false)
			if err := transform.Apply(t, b); err != nil {
				return err
			}
			add(gather(t, natural(t.Len())))
			return ctx.Err()
		})
	}
	if err := visit(c.sum); err != nil {
		return nil, err
	}
	c.finishMean()
	if err := visit(c.scatter); err != nil {
		return nil, err
	}
	c.finishCovariance()
	for j, w := range widths {
		c.covariance[j*p+j] += float64(w) * float64(w) / 12
		scale[j] = 1
	}
	covariance, _, _, err := raiseVariance(c.covariance, scale, p, leastVariance)
	if err != nil {
		return nil, err
	}
	var root mat.Cholesky
	if !root.Factorize(scaled(covariance, scale)) {
		return nil, fmt.Errorf("the covariance of %d columns is singular; leave out columns that others determine", p)
	}
	var u mat.TriDense
	root.UTo(&u)
	if err := u.InverseTri(&u); err != nil {
		return nil, fmt.Errorf("the covariance of %d columns is singular; leave out columns that others determine", p)
	}
	whitening := make([]float32, p*p)
	for i := range whitening {
		whitening[i] = float32(u.At(i/p, i%p))
	}
	return whitening, nil
}

func init() {
	model.Register(model.Entry{
		Name: "realnvp", Kind: model.Generative,
		Summary: "normalising flow for tables, by affine or spline couplings; p(x|y) where there are labels; exact log p(x)",
		Paper:   "Dinh, Sohl-Dickstein and Bengio, Density estimation using Real NVP, ICLR 2017; Durkan et al., Neural spline flows, NeurIPS 2019",
		New:     func() model.Spec { return model.NewRecipe[RealNVP]() },
		Load: func(f *model.File) (model.Model, error) {
			r := f.Card.Recipe.(*RealNVP)
			if err := r.takes(f.Card.Schema); err != nil {
				return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
			}
			prior, err := loadPrior(f)
			if err != nil {
				return nil, err
			}
			net := r.network(f.Card.Schema.Size(), len(prior), nil)
			vars, err := finiteVars(nn.Collect(net), f)
			if err != nil {
				return nil, err
			}
			m, err := newFlow(f.Card, net, vars, prior, f.Run)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", model.ErrDamaged, err)
			}
			return m, nil
		},
	})
}
