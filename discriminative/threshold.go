package discriminative

import (
	"fmt"
	"math"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// The two classes of a decision, as indices into Schema.Classes.
const (
	B = 0
	A = 1
)

// Threshold turns the probability of class A, out of two, into a decision: at or above it A, below it B. It lies in
// [0, 1]; with 0.5 the decision is for the more probable class.
type Threshold float64

// Decide is A or B, given p(A|x). A probability that is not a number is decided for B.
func (t Threshold) Decide(probability float64) int {
	if probability >= float64(t) {
		return A
	}
	return B
}

// Decide sets dst[i] to the class that a classifier of two classes and a threshold decide for, given x_i. len(dst) must be
// x.Len().
func Decide(dst []int, m model.Classifier, t Threshold, x data.Batch) error {
	if !(t >= 0 && t <= 1) {
		return fmt.Errorf("threshold %v, expected a probability from 0 to 1", float64(t))
	}
	if len(dst) != x.Len() {
		return fmt.Errorf("%w: room for %d decisions, expected %d", model.ErrShape, len(dst), x.Len())
	}
	p, err := ProbabilityOfA(m, x)
	if err != nil {
		return err
	}
	for i := range dst {
		dst[i] = t.Decide(p[i])
	}
	return nil
}

// ProbabilityOfA is p(A|x_i) of a classifier of two classes.
func ProbabilityOfA(m model.Classifier, x data.Batch) ([]float64, error) {
	if k := m.Classes(); k != 2 {
		return nil, fmt.Errorf("a threshold decides between two classes, and the model has %d; expected the most probable class to be taken", k)
	}
	log := make([]float64, 2*x.Len())
	if err := m.LogPosterior(log, x); err != nil {
		return nil, err
	}
	p := make([]float64, x.Len())
	for i := range p {
		p[i] = math.Exp(log[2*i+A])
	}
	return p, nil
}
