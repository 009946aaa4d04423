// Package model says what a fitted model is, what a recipe for one is, and how a model becomes a file and back.
//
// A model is discriminative, p(y|x), or generative, p(x) or p(x|y). What it can do is the set of interfaces it has, each
// of one or two methods:
//
//	Classifier    log p(y|x)                     Sampler       x ~ p(x)
//	Density       log p(x), exact                CondSampler   x ~ p(x|y)
//	Bound         a bound on log p(x)            CondDensity   log p(x|y), exact
//	DrawnDensity  log p(b), b drawn from x       CondBound     a bound on log p(x|y)
//	Estimator     an estimate of log p(x)        CondDrawnDensity  log p(b|y), b drawn from x
//	Encoder       x -> latent                    CondEstimator an estimate of log p(x|y)
//	Decoder       latent -> x                    Tunable       sampling options
//	Featurer      x -> features                  LatentLikelihood  log p(x|z) and its gradient by z
//	LatentSampler z ~ p(z), where not N(0, I)
//
// Units. A model takes x and gives x in the raw units of the data: pixels 0..Schema.MaxValue, table values, a categorical
// value as the code of its level. It owns the data.Transform that it learned behind. Log-probabilities are float64 nats,
// and densities are per raw unit of x. Batches are row-major (n, p).
//
// A fitted model is immutable and safe for concurrent use. Randomness is always passed in; nil is ErrNoRand.
package model

import (
	"errors"
	"io"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
)

// Model is a fitted model.
type Model interface {
	// Shape is that of the examples x, in raw units.
	Shape() data.Shape
	// Save writes the model as one file, which Load reads. Equal models write equal bytes.
	Save(w io.Writer) error
}

// Classifier is a discriminative model, p(y|x).
type Classifier interface {
	Model
	// Classes is K, the number of classes.
	Classes() int
	// LogPosterior sets dst[i*K+k] to log p(y=k|x_i) in nats, at most 0; the exponentials of a row sum to 1.
	// len(dst) must be x.Len()*K.
	LogPosterior(dst []float64, x data.Batch) error
}

// Sampler is a generative model that can be drawn from. A GAN is only this.
type Sampler interface {
	Model
	// Sample fills dst.X with dst.Len() independent draws x ~ p(x). dst.Y is left alone.
	Sample(dst data.Batch, r *rand.Rand) error
}

// Density is a generative model whose log p(x) is exact.
type Density interface {
	Model
	// LogProb sets dst[i] to log p(x_i) in nats, -Inf where p is 0. len(dst) must be x.Len().
	LogProb(dst []float64, x data.Batch) error
}

// Bound is a generative model that bounds log p(x) from below, such as a variational autoencoder.
type Bound interface {
	Model
	// LogBound sets dst[i] to a random number in nats whose mean over r is at most log p(x_i).
	LogBound(dst []float64, x data.Batch, r *rand.Rand) error
}

// ImportanceBound is a Bound that becomes tighter with more draws (Burda, Grosse and Salakhutdinov, Importance Weighted
// Autoencoders, 2016, equation 8).
type ImportanceBound interface {
	Bound
	// LogImportanceBound sets dst[i] to log (1/k) Σ_j p(x_i, z_j)/q(z_j|x_i) with k draws z_j ~ q(z|x_i), in nats. Its
	// mean grows with k towards log p(x_i); k = 1 is LogBound.
	LogImportanceBound(dst []float64, x data.Batch, k int, r *rand.Rand) error
}

// CondSampler draws from p(x|y). The same type may learn with and without labels: where it learned without, Classes is 0,
// and it is a Sampler at most. The same holds for CondDensity and CondBound.
type CondSampler interface {
	Model
	// Classes is K, the number of classes, 0 where the model learned without labels.
	Classes() int
	// SampleGiven fills row i of dst.X with a draw x ~ p(x|y[i]). len(y) must be dst.Len().
	SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error
}

// CondDensity has an exact log p(x|y).
type CondDensity interface {
	Model
	// Classes is K, the number of classes.
	Classes() int
	// LogProbGiven sets dst[i] to log p(x_i|y[i]) in nats.
	LogProbGiven(dst []float64, x data.Batch, y []int32) error
}

// CondBound bounds log p(x|y) from below.
type CondBound interface {
	Model
	// Classes is K, the number of classes.
	Classes() int
	// LogBoundGiven sets dst[i] to a random number in nats whose mean over r is at most log p(x_i|y[i]).
	LogBoundGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error
}

// CondImportanceBound is a CondBound that becomes tighter with more draws.
type CondImportanceBound interface {
	CondBound
	// LogImportanceBoundGiven sets dst[i] to log (1/k) Σ_j p(x_i, z_j|y[i])/q(z_j|x_i, y[i]) with k draws, in nats.
	LogImportanceBoundGiven(dst []float64, x data.Batch, y []int32, k int, r *rand.Rand) error
}

// LatentLikelihood is a generative model of x by a latent z ~ N(0, I), p(x) = ∫ p(x|z) N(z; 0, I) dz, that shows how log p(x|z) changes
// with z. With that the integral can be bounded far more closely than by draws from an encoder.
type LatentLikelihood interface {
	Model
	// LatentSize is the number of dimensions of z.
	LatentSize() int
	// Observe is x as log p(x|z) takes it; a model of binarised pixels draws these by r.
	Observe(x data.Batch, r *rand.Rand) (data.Batch, error)
	// LogLikelihood sets dst[i] to log p(x_i|z_i) in nats, and row i of gradient, row-major (n, LatentSize) as z is, to its gradient
	// by z_i. x is what Observe returned; y is nil where the model is not conditional, and p(x|z) is p(x|z, y) where it is.
	LogLikelihood(dst []float64, gradient []float32, x data.Batch, z []float32, y []int32) error
}

// Prior is a model that has learned how frequent the classes are.
type Prior interface {
	Model
	// LogPrior is log p(y=k) of each class in nats; nil where the model learned without labels.
	LogPrior() []float64
}

// DrawnDensity is a generative model of something that is drawn from x anew each time, such as binarised pixels. Its
// log-probability of each draw is exact. Reducer says what is drawn.
type DrawnDensity interface {
	Reducer
	// LogProbDrawn sets dst[i] to log p(b_i) in nats, where b_i is drawn from x_i by r.
	LogProbDrawn(dst []float64, x data.Batch, r *rand.Rand) error
}

// CondDrawnDensity has an exact log-probability, given a class, of what is drawn from x.
type CondDrawnDensity interface {
	Reducer
	// Classes is K, the number of classes.
	Classes() int
	// LogProbDrawnGiven sets dst[i] to log p(b_i|y[i]) in nats, where b_i is drawn from x_i by r.
	LogProbDrawnGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error
}

// Estimator is a generative model that can only estimate log p(x), such as a flow that follows a differential equation: with an
// error of the method that is neither 0 nor of a known sign. It is no Density and no Bound.
type Estimator interface {
	Model
	// LogEstimate sets dst[i] to an estimate of log p(x_i) in nats. It is random; whether its mean over r is log p(x_i), but for
	// the error of the method, the model says.
	LogEstimate(dst []float64, x data.Batch, r *rand.Rand) error
}

// CondEstimator estimates log p(x|y).
type CondEstimator interface {
	Model
	// Classes is K, the number of classes.
	Classes() int
	// LogEstimateGiven sets dst[i] to an estimate of log p(x_i|y[i]) in nats.
	LogEstimateGiven(dst []float64, x data.Batch, y []int32, r *rand.Rand) error
}

// Reducer is a model whose likelihood is not of x itself but of something made of it, so that it compares only with
// models of the same.
type Reducer interface {
	Model
	// LikelihoodOf says of what, such as "dynamically binarised pixels"; "" is x itself.
	LikelihoodOf() string
}

// Encoder maps x to its place in a latent space of dimension LatentSize.
type Encoder interface {
	Model
	LatentSize() int
	// Encode fills dst, row-major (n, LatentSize), with the code of each x; y is nil where the model is not conditional.
	Encode(dst []float32, x data.Batch, y []int32) error
}

// Decoder maps a place in a latent space of dimension LatentSize to x.
type Decoder interface {
	Model
	LatentSize() int
	// Decode fills dst.X with the mean x of each code, row-major (n, LatentSize); y is nil where the model is not
	// conditional.
	Decode(dst data.Batch, z []float32, y []int32) error
}

// LatentSampler is a Decoder with a prior over codes of its own. That of every other one is N(0, I).
type LatentSampler interface {
	Decoder
	// StandardLatent reports whether p(z), or p(z|y) for every y, is N(0, I) after all.
	StandardLatent() bool
	// SampleLatent fills z, row-major (n, LatentSize), with n independent draws from p(z), or from p(z|y_i) where the model is
	// conditional; else y is nil. Sampling options do not count.
	SampleLatent(z []float32, y []int32, r *rand.Rand) error
}

// Featurer is a classifier that shows what it sees in x before it decides: the activations of the layer before its logits. They are a
// space in which alike pictures lie near each other, and in which generated pictures are compared with real ones.
type Featurer interface {
	Classifier
	// FeatureSize is d, the number of features.
	FeatureSize() int
	// Features sets row i of dst, row-major (n, d), to the features of x_i. len(dst) must be x.Len()*d.
	Features(dst []float32, x data.Batch) error
}

// Tunable has sampling options, such as a temperature.
type Tunable interface {
	Model
	// Options is a new pointer to a struct with the tags that Field describes, holding the options now in force.
	Options() any
	// Tune returns a copy of the model with other options, of the type that Options returns. The model stays as it is.
	Tune(options any) (Model, error)
}

// What a model answers to arguments it cannot take. Errors returned wrap these and say what was found and expected.
var (
	// ErrNoRand: a nil *rand.Rand was passed.
	ErrNoRand = errors.New("no random numbers: expected a *rand.Rand, got nil")
	// ErrShape: a batch of another shape, or a slice of another length, than the model takes.
	ErrShape = errors.New("wrong shape")
	// ErrClass: a class outside 0..K-1.
	ErrClass = errors.New("no such class")
)
