package model

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/likely-ml/likely/data"
)

// Bayes makes a classifier of a class-conditional density, by Bayes' rule:
//
//	p(y=k|x) = p(x|y=k) p(y=k) / Σ_j p(x|y=j) p(y=j)
//
// logPrior holds log p(y=k) in nats, up to a constant; nil stands for those that the model has learned, see [Prior], or else for
// equally probable classes. Where every p(x|y=k) is 0
// the posterior is not defined, and the prior is returned.
func Bayes(m CondDensity, logPrior []float64) (Classifier, error) {
	k := m.Classes()
	if p, ok := m.(Prior); ok && logPrior == nil {
		logPrior = p.LogPrior()
	}
	if logPrior == nil {
		logPrior = make([]float64, k)
	}
	if len(logPrior) != k || k == 0 {
		return nil, fmt.Errorf("%w: %d prior probabilities, expected one for each of %d classes", ErrShape, len(logPrior), k)
	}
	prior := slices.Clone(logPrior)
	if !normalise(prior) {
		return nil, fmt.Errorf("log prior %v, expected finite numbers or -Inf, at least one finite", logPrior)
	}
	return &bayes{m, prior}, nil
}

type bayes struct {
	given    CondDensity
	logPrior []float64 // normalised
}

func (b *bayes) Shape() data.Shape { return b.given.Shape() }
func (b *bayes) Classes() int      { return len(b.logPrior) }

// Save is an error: there is nothing to save but the density and the prior.
func (b *bayes) Save(io.Writer) error {
	return errors.New("a classifier made by Bayes' rule has no file; save the density that it is made of")
}

func (b *bayes) LogPosterior(dst []float64, x data.Batch) error {
	n, k := x.Len(), b.Classes()
	if len(dst) != n*k {
		return fmt.Errorf("%w: room for %d results, expected %d, %d for each of %d examples", ErrShape, len(dst), n*k, k, n)
	}
	y, given := make([]int32, n), make([]float64, n)
	for c := range k {
		for i := range y {
			y[i] = int32(c)
		}
		if err := b.given.LogProbGiven(given, x, y); err != nil {
			return err
		}
		for i, l := range given {
			dst[i*k+c] = l + b.logPrior[c]
		}
	}
	for i := range n {
		row := dst[i*k : (i+1)*k]
		if normalise(row) {
			continue
		}
		if slices.Max(row) != math.Inf(-1) {
			return fmt.Errorf("example %d has class-conditional log-densities %v, expected numbers below +Inf", i, row)
		}
		copy(row, b.logPrior)
	}
	return nil
}

// normalise subtracts log Σ exp from each log-probability, so that the exponentials sum to 1. It fails where they are all
// -Inf or one is NaN or +Inf.
func normalise(logs []float64) bool {
	top := slices.Max(logs) // NaN if any is
	if math.IsNaN(top) || math.IsInf(top, 0) {
		return false
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	whole := top + math.Log(sum)
	for i := range logs {
		logs[i] -= whole
	}
	return true
}
