package main

import (
	"io"
	"math"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
)

// doubtful is a classifier whose second example has no probabilities.
type doubtful struct{}

func (doubtful) Shape() data.Shape    { return data.RowShape(1) }
func (doubtful) Save(io.Writer) error { return nil }
func (doubtful) Classes() int         { return 2 }
func (doubtful) LogPosterior(dst []float64, _ data.Batch) error {
	copy(dst, []float64{0, math.Inf(-1), math.NaN(), 0})
	return nil
}

// No class is predicted from what is not a number.
func TestPosteriorNaN(t *testing.T) {
	_, err := posterior(doubtful{}, data.NewBatch(data.RowShape(1), 2, false))
	if err == nil || !strings.Contains(err.Error(), "example 2 ") {
		t.Errorf("error %v, expected one about example 2", err)
	}
}
