package evaluate

import "errors"

var (
	// ErrNoLikelihood is returned by Likelihood for a model that can only be sampled, such as a GAN.
	ErrNoLikelihood = errors.New("the model has no likelihood: it can only be sampled, expected one with a density or a bound of it")
	// ErrNoSamples is returned by Samples for a model that cannot be sampled.
	ErrNoSamples = errors.New("the model cannot be sampled")
	// ErrNotComparable is returned by Privacy where the real examples say nothing: they are too few, or all the same.
	ErrNotComparable = errors.New("nothing to tell copies by")

	errEmpty = errors.New("the data has no examples, expected at least one")
)
