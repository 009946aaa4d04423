package evaluate

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
)

// speechless gives probabilities that are not numbers.
type speechless struct{ nearestBlob }

func (speechless) LogPosterior(dst []float64, _ data.Batch) error {
	dst[5] = math.NaN()
	return nil
}

// deaf makes the left blob whatever is ordered.
type deaf struct{ blobs }

func (deaf) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	return blobs{}.SampleGiven(dst, make([]int32, len(y)), r)
}

func TestClassifierAgreement(t *testing.T) {
	ctx := context.Background()
	a, err := ClassifierAgreement(ctx, nearestBlob{}, blobs{}, 400, 1)
	if err != nil {
		t.Fatal(err)
	}
	// A blob of deviation 1 reaches beyond the border at distance 2 with probability 0.0228.
	near(t, "agreement", a.All.Value, 1-0.0228, 4*0.0053)
	if a.All.N != 800 || len(a.PerClass) != 2 {
		t.Errorf("%+v", a)
	}
	a, err = ClassifierAgreement(ctx, nearestBlob{}, deaf{}, 400, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !(a.PerClass[0].Value > 0.9) || !(a.PerClass[1].Value < 0.1) {
		t.Errorf("a generator of the left blob only agrees by %v", a.PerClass)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := ClassifierAgreement(cancelled, nearestBlob{}, blobs{}, 400, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	if _, err := ClassifierAgreement(ctx, speechless{}, blobs{}, 5, 1); err == nil || !strings.Contains(err.Error(), "example 2 a probability that is not") {
		t.Errorf("not a number: error %v", err)
	}
	if _, err := ClassifierAgreement(ctx, nearestBlob{}, blobs{}, 0, 1); err == nil {
		t.Error("no examples: no error")
	}
}
