package generative

import (
	"context"
	"fmt"
	"math"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// Diffusion is the recipe of a diffusion model (Sohl-Dickstein et al., 2015; Ho, Jain and Abbeel, Denoising diffusion
// probabilistic models, 2020). Noise is added to x, and a network learns to take it away. In the notation of Karras et al.
// (Elucidating the design space of diffusion-based generative models, 2022), which this code has throughout,
//
//	x_σ = x + σε,   ε ~ N(0, I),   D(x_σ; σ) ≈ E[x | x_σ].
//
// To draw, x starts as noise of the greatest σ and follows dx/dσ = (x − D(x; σ))/σ down to σ = 0 (their eq. 1 and 3). A
// process that shrinks x while it adds noise, x_t = α_t x + σ_t ε with α_t² + σ_t² = 1, is the same with σ = σ_t/α_t and
// x_σ = x_t/α_t. What is minimised, over random x, ε and σ, is a weighted mean of |D(x + σε; σ) − x|².
//
// With labels D sees the class, but for a tenth of the examples: see [DiffusionOptions] for guidance. Pictures are
// scaled to [−1, 1], columns of numbers to mean 0 and standard deviation 1; a categorical column is one-hot, and the greatest element
// of a draw is its level.
type Diffusion struct {
	Noise   Noising    `json:"noise" default:"edm" choices:"edm,cosine" help:"distribution of the noise level in training, and the levels of samplers"`
	Predict Prediction `json:"predict" default:"v" choices:"v,eps" help:"what the network gives with noise cosine; edm has its own"`
	GuidedNetwork
}

// Noising is how noise levels are distributed.
type Noising string

// The distributions.
const (
	// NoiseEDM draws log σ from a normal distribution, and the network gives what is left of x beside the best linear guess
	// (Karras et al., 2022, table 1).
	NoiseEDM Noising = "edm"
	// NoiseCosine is the schedule α_t ∝ cos((t + s)/(1 + s)·π/2) with uniform t (Nichol and Dhariwal, Improved denoising diffusion
	// probabilistic models, 2021, eq. 17).
	NoiseCosine Noising = "cosine"
)

// Prediction is what the network gives under [NoiseCosine].
type Prediction string

// The predictions.
const (
	PredictV   Prediction = "v"   // α_t ε − σ_t x (Salimans and Ho, Progressive distillation, 2022, section 4)
	PredictEps Prediction = "eps" // ε
)

// Constants of EDM, of Karras et al., 2022, table 1. Their data has a standard deviation of 0.5, for which the mean of
// log σ was chosen; for other data it moves along.
const (
	edmLogMean = -1.2
	edmLogSD   = 1.2
	edmData    = 0.5
	edmLeast   = 0.005 // of samplers: half a grey level of 256 on [−1, 1]
	edmMost    = 80
	edmRho     = 7
)

// Constants of the cosine schedule: s, and the times between which it is used, where the end would be infinite noise.
const (
	cosineOffset = 0.008
	cosineBegin  = 0.001
	cosineEnd    = 0.999
)

// diffusionProcess says how noisy x becomes and how D is made of the network.
type diffusionProcess struct {
	noising Noising
	predict Prediction
	// spread is σ_data, the root mean square of an element of t(x).
	spread float64
}

// cosineAngle is (t + s)/(1 + s)·π/2.
func cosineAngle(t float64) float64 { return (t + cosineOffset) / (1 + cosineOffset) * math.Pi / 2 }

// cosineLevel is σ = σ_t/α_t of the cosine schedule. With a = cosineAngle(t) and a₀ = cosineAngle(0), α_t² = cos²a/cos²a₀ and
//
//	σ² = 1/α_t² − 1 = sin(a − a₀)·sin(a + a₀)/cos²a
func cosineLevel(t float64) float64 {
	a, first := cosineAngle(t), cosineAngle(0)
	return math.Sqrt(math.Sin(a-first)*math.Sin(a+first)) / math.Cos(a)
}

// levels are the noise levels of a sampler of that many steps, from the greatest down to 0: one more than the steps.
func (p diffusionProcess) levels(steps int) []float64 {
	sigma := make([]float64, steps+1)
	for i := range steps {
		u := float64(i) / float64(max(steps-1, 1))
		if p.noising == NoiseCosine {
			sigma[i] = cosineLevel(cosineEnd + u*(cosineBegin-cosineEnd))
		} else { // Karras et al., 2022, eq. 5
			most, least := math.Pow(edmMost, 1/float64(edmRho)), math.Pow(edmLeast, 1/float64(edmRho))
			sigma[i] = math.Pow(most+u*(least-most), edmRho)
		}
	}
	return sigma
}

// drawLogLevels draws log σ of n examples of a training step.
func (p diffusionProcess) drawLogLevels(noise *nn.Noise, n int) *tensor.Node {
	if p.noising == NoiseEDM {
		mean := edmLogMean + math.Log(p.spread/edmData)
		return tensor.AddScalar(tensor.MulScalar(noise.Normal(n), edmLogSD), mean)
	}
	first, begin := cosineAngle(0), cosineAngle(cosineBegin)
	a := tensor.AddScalar(tensor.MulScalar(noise.Uniform(n), cosineAngle(cosineEnd)-begin), begin)
	sines := tensor.Mul(tensor.Sin(tensor.AddScalar(a, -first)), tensor.Sin(tensor.AddScalar(a, first)))
	return tensor.Sub(tensor.MulScalar(tensor.Log(sines), 0.5), tensor.Log(tensor.Cos(a)))
}

// precondition is how D is made of the network F, and what F should be where x and ε are known (Karras et al., 2022, eq. 7
// and 8). All are numbers of each example.
//
//	D(x; σ) = skip·x + out·F(in·x; ¼ log σ),   F* = (x − skip·(x + σε))/out = clean·x + noise·ε
type precondition struct{ skip, out, in, clean, noise *tensor.Node }

// precondition at log σ, [n], in the shape that combines with x.
//
//	        skip            out             in            clean        noise
//	edm     σ_d²/(σ²+σ_d²)  σσ_d/√(σ²+σ_d²) 1/√(σ²+σ_d²)  σ/(σ_d·√…)   −σ_d/√…
//	v       1/(σ²+1)        −σ/√(σ²+1)      1/√(σ²+1)     −σ/√(σ²+1)   1/√(σ²+1)
//	eps     1               −σ              1/√(σ²+1)     0            1
//
// So v is edm for data of standard deviation 1, up to the sign of F.
func (p diffusionProcess) precondition(logSigma, x *tensor.Node) precondition {
	sigma := perExample(tensor.Exp(logSigma), x)
	one := tensor.OnesLike(sigma)
	spread := 1.0
	if p.noising == NoiseEDM {
		spread = p.spread
	}
	in := tensor.Rsqrt(tensor.AddScalar(tensor.Square(sigma), spread*spread))
	switch {
	case p.noising == NoiseEDM:
		return precondition{
			skip: tensor.MulScalar(tensor.Square(in), spread*spread), out: tensor.MulScalar(tensor.Mul(sigma, in), spread), in: in,
			clean: tensor.MulScalar(tensor.Mul(sigma, in), 1/spread), noise: tensor.MulScalar(in, -spread),
		}
	case p.predict == PredictV:
		out := tensor.Neg(tensor.Mul(sigma, in))
		return precondition{skip: tensor.Square(in), out: out, in: in, clean: out, noise: in}
	default:
		return precondition{skip: one, out: tensor.Neg(sigma), in: in, clean: tensor.ZerosLike(sigma), noise: one}
	}
}

// denoise is D(x; σ) under class y.
func (p diffusionProcess) denoise(net *conditionedNet, x, logSigma, y *tensor.Node) *tensor.Node {
	c := p.precondition(logSigma, x)
	f := net.apply(tensor.Mul(c.in, x), tensor.MulScalar(logSigma, 0.25), y)
	return tensor.Add(tensor.Mul(c.skip, x), tensor.Mul(c.out, f))
}

// loss is the mean square of F − F*, which is Karras et al.'s weighted loss of D (eq. 8), and Ho et al.'s simple loss for eps.
func (p diffusionProcess) loss(net *conditionedNet, x, epsilon, logSigma, y *tensor.Node) *tensor.Node {
	c := p.precondition(logSigma, x)
	noisy := tensor.Add(x, tensor.Mul(perExample(tensor.Exp(logSigma), x), epsilon))
	f := net.apply(tensor.Mul(c.in, noisy), tensor.MulScalar(logSigma, 0.25), y)
	target := tensor.Add(tensor.Mul(c.clean, x), tensor.Mul(c.noise, epsilon))
	return tensor.Mean(tensor.Square(tensor.Sub(f, target)))
}

// Fit minimises the loss by Adam on mini-batches.
func (r *Diffusion) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	transform, err := denoisingTransform(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	spread, err := rootMeanSquare(ctx, set, transform)
	if err != nil {
		return nil, nil, err
	}
	p := diffusionProcess{r.Noise, r.Predict, spread}
	return r.learn(ctx, lesson{
		name: "diffusion", recipe: r, transform: transform,
		loss: func(net *conditionedNet, b *train.Batch, y *tensor.Node) *tensor.Node {
			epsilon := b.Mode.Noise.Normal(b.X.Dims()...)
			return p.loss(net, b.X, epsilon, p.drawLogLevels(b.Mode.Noise, b.X.Dims()[0]), y)
		},
		fitted: func(found *learnedNet) model.Model { return newDenoiser(found, p, run) },
	}, set, run)
}

// rootMeanSquare is that of the elements of t(x), 1 where all are 0.
func rootMeanSquare(ctx context.Context, set data.Set, t *data.Transform) (float64, error) {
	total, count := 0.0, 0
	err := data.Each(ctx, set, func(_ int, raw data.Batch) error {
		b := data.NewBatch(t.OutShape(), raw.Len(), false)
		if err := t.Apply(b, raw); err != nil {
			return err
		}
		for _, v := range b.X {
			total += float64(v) * float64(v)
		}
		count += len(b.X)
		return nil
	})
	if total == 0 {
		return 1, err
	}
	return math.Sqrt(total / float64(count)), err
}

func init() {
	model.Register(model.Entry{
		Name: "diffusion", Kind: model.Generative,
		Summary: "diffusion model with guidance; p(x|y) where there are labels",
		Paper:   "Ho, Jain and Abbeel, Denoising diffusion probabilistic models, NeurIPS 2020; Karras et al., Elucidating the design space of diffusion-based generative models, NeurIPS 2022",
		New:     func() model.Spec { return model.NewRecipe[Diffusion]() },
		Load: func(f *model.File) (model.Model, error) {
			r := f.Card.Recipe.(*Diffusion)
			found, err := r.load(f)
			if err != nil {
				return nil, err
			}
			spread, err := model.Values[float64](f, spreadName)
			if err != nil {
				return nil, err
			}
			if !(spread[0] > 0 && spread[0] <= math.MaxFloat32) {
				return nil, fmt.Errorf("%w: %s is %v, expected a positive number", model.ErrDamaged, spreadName, spread[0])
			}
			return newDenoiser(found, diffusionProcess{r.Noise, r.Predict, spread[0]}, f.Run), nil
		},
	})
}
