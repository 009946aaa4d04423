package evaluate

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// nearestMean is the recipe of a classifier that decides for the class whose mean is nearest.
type nearestMean struct{}

func (nearestMean) Fit(ctx context.Context, set data.Set, _ model.Run) (model.Model, *model.Summary, error) {
	b, err := data.ReadAll(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	m := &means{shape: b.Shape, of: make([][]float64, len(set.Schema().Classes))}
	count := make([]float64, len(m.of))
	for k := range m.of {
		m.of[k] = make([]float64, b.Shape.Size())
	}
	for i, y := range b.Y {
		count[y]++
		for j, v := range b.Row(i) {
			m.of[y][j] += float64(v)
		}
	}
	for k := range m.of {
		for j := range m.of[k] {
			m.of[k][j] /= count[k]
		}
	}
	return m, &model.Summary{}, nil
}

type means struct {
	shape data.Shape
	of    [][]float64
}

func (m *means) Shape() data.Shape    { return m.shape }
func (m *means) Save(io.Writer) error { return nil }
func (m *means) Classes() int         { return len(m.of) }

func (m *means) LogPosterior(dst []float64, x data.Batch) error {
	k := m.Classes()
	for i := range x.Len() {
		total := 0.0
		for c, centre := range m.of {
			d := 0.0
			for j, v := range x.Row(i) {
				d += (float64(v) - centre[j]) * (float64(v) - centre[j])
			}
			dst[i*k+c] = -d / 2
			total += math.Exp(-d / 2)
		}
		for c := range m.of {
			dst[i*k+c] -= math.Log(total)
		}
	}
	return nil
}

// densityRecipe fits no classifier.
type densityRecipe struct{}

func (densityRecipe) Fit(context.Context, data.Set, model.Run) (model.Model, *model.Summary, error) {
	return blobs{}, &model.Summary{}, nil
}

func TestClassificationScore(t *testing.T) {
	ctx, train, test := context.Background(), twoBlobs(t, 300), twoBlobs(t, 500)
	score := func(g model.CondSampler) *ClassifierScore {
		s, err := ClassificationScore(ctx, g, train, test, "nearest mean", nearestMean{}, model.Run{}, 200, 1)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	right, wrong := score(blobs{}), score(mislabelled{})
	// The best accuracy is that of the nearer of two normals 4 apart, Φ(2) = 0.977.
	best := 0.5 * math.Erfc(-2/math.Sqrt2)
	near(t, "learned from the true distribution", right.Accuracy.Generated.Value, best, 4*math.Sqrt(best*(1-best)/500))
	near(t, "learned from real examples", right.Accuracy.Floor.Value, best, 4*math.Sqrt(best*(1-best)/500))
	near(t, "learned from wrong labels", wrong.Accuracy.Generated.Value, 1-best, 4*math.Sqrt(best*(1-best)/500))
	if right.N != 200 || right.Accuracy.Generated.N != 500 || wrong.Accuracy.Floor != right.Accuracy.Floor {
		t.Errorf("%+v and %+v: expected 200 examples learned from, 500 tested, and one floor", right, wrong)
	}
	if all, err := ClassificationScore(ctx, blobs{}, train, test, "nearest mean", nearestMean{}, model.Run{}, 0, 1); err != nil || all.N != 300 {
		t.Errorf("learned from %+v, error %v; expected all 300", all, err)
	}
	text, err := json.Marshal(right)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"classification_accuracy_score":`, `"floor":{`, `"score_trained_on":200`, `"least_n":{`} {
		if !strings.Contains(string(text), key) {
			t.Errorf("JSON has no %s: %s", key, text)
		}
	}
}

// unconditional is a model fitted without labels, which has the method all the same.
type unconditional struct{ blobs }

func (unconditional) Classes() int { return 0 }

func TestClassificationScoreErrors(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		g      model.CondSampler
		recipe model.Spec
		n      int
		want   string
	}{
		{"no classes", context.Background(), unconditional{}, nearestMean{}, 0, "the model has none"},
		{"negative", context.Background(), blobs{}, nearestMean{}, -1, "-1 examples"},
		{"no classifier", context.Background(), blobs{}, densityRecipe{}, 0, "is no classifier"},
		{"not a number", context.Background(), exploded{}, nearestMean{}, 0, "NaN as element 1 of example 1"},
		{"cancelled", cancelled, blobs{}, nearestMean{}, 0, context.Canceled.Error()},
	} {
		_, err := ClassificationScore(c.ctx, c.g, twoBlobs(t, 40), twoBlobs(t, 40), "a recipe", c.recipe, model.Run{}, c.n, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected one with %q", c.name, err, c.want)
		}
	}
}

func TestGeneratedPicturesAreWholePixels(t *testing.T) {
	schema := &data.Schema{Shape: data.Shape{Height: 1, Width: 5, Channels: 1}, MaxValue: 16}
	set, err := setOf(schema, []float32{-3, 0.4, 0.6, 15.7, 40}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := data.ReadAll(context.Background(), set)
	if err != nil {
		t.Fatal(err)
	}
	for j, want := range []float32{0, 0, 1, 16, 16} {
		if b.X[j] != want {
			t.Errorf("pixel %d is %v, expected %v", j, b.X[j], want)
		}
	}
}
