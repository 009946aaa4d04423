package evaluate

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
)

// mislabelled draws the other blob than the one that is ordered.
type mislabelled struct{ blobs }

func (mislabelled) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	for i, class := range y {
		drawBlob(dst.Row(i), 1-int(class), r)
	}
	return nil
}

func TestClassFrechetSeesWrongLabels(t *testing.T) {
	ctx, set := context.Background(), twoBlobs(t, 800)
	right, err := Samples(ctx, blobs{}, set, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := Samples(ctx, mislabelled{}, set, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !(wrong.Frechet.Generated.Value <= 5*wrong.Frechet.Floor.Value) {
		t.Errorf("Fréchet distance %+v: expected near the floor, since the mixture is right", wrong.Frechet)
	}
	if !(wrong.ByClass.Mean.Generated.Value >= 50*wrong.ByClass.Mean.Floor.Value) {
		t.Errorf("within classes %+v: expected far above the floor", wrong.ByClass.Mean)
	}
	if m := right.ByClass.Mean; !(math.Abs(m.Generated.Value-m.Floor.Value) <= 4*math.Hypot(m.Generated.StandardError, m.Floor.StandardError)) {
		t.Errorf("within classes of the true distribution %+v: expected the floor", m)
	}
}

func TestClassFrechetIsTheMeanOfClasses(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(6, 0))
	const d = 3
	counts := []int{20, 3, 9} // the second class has no more examples than features
	var y []int32
	for k, n := range counts {
		for range n {
			y = append(y, int32(k))
		}
	}
	reference := labelledPoints{normals(r, len(y), d, 0, 1), y}
	other := labelledPoints{normals(r, len(y), d, 0, 2), y}
	generated := normals(r, len(y), d, 1, 1)
	c, err := classFrechet(ctx, 3, reference, other, generated, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.Counted != 2 || c.PerClass[1].Enough || c.PerClass[1].Generated != 3 {
		t.Fatalf("%d classes counted, the second %+v", c.Counted, c.PerClass[1])
	}
	part := func(p points, from, to int) points { return points{to - from, d, p.x[from*d : to*d]} }
	var want, variance float64
	for _, span := range []struct{ class, from, to int }{{0, 0, 20}, {2, 23, 32}} {
		v, err := frechet(part(reference.points, span.from, span.to), part(generated, span.from, span.to))
		if err != nil {
			t.Fatal(err)
		}
		want += v / 2
		se := c.PerClass[span.class].Distance.Generated.StandardError
		variance += se * se
	}
	near(t, "mean over classes", c.Mean.Generated.Value, want, 1e-13*want)
	near(t, "its error", c.Mean.Generated.StandardError, math.Sqrt(variance)/2, 1e-13)
	if c.Mean.Generated.N != 9 {
		t.Errorf("n is %d, expected that of the smallest class that counts, 9", c.Mean.Generated.N)
	}
	text, err := json.Marshal(c.PerClass[1])
	if err != nil || string(text) != `{"floor":null,"frechet":null,"generated":3,"real":3,"standard_error":null}` {
		t.Errorf("a class without a distance is %s, error %v", text, err)
	}
}
