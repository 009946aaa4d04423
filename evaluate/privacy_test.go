package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

var smallPicture = data.Shape{Height: 10, Width: 10, Channels: 1}

// honest draws new pictures of the distribution of the data, and gives members and others the same density.
type honest struct{ blobModel }

func (honest) Shape() data.Shape { return smallPicture }

func (honest) Sample(dst data.Batch, r *rand.Rand) error {
	for i := range dst.Len() {
		drawPicture(dst.Row(i), smallPicture, r)
	}
	return nil
}

func (honest) LogProb(dst []float64, x data.Batch) error {
	for i := range dst {
		dst[i] = -float64(x.Row(i)[44])
	}
	return nil
}

// parrot emits training pictures with noise, and is sure of them alone.
type parrot struct {
	honest
	train data.Batch
	noise float64
}

func (p parrot) Sample(dst data.Batch, r *rand.Rand) error {
	for i := range dst.Len() {
		for j, v := range p.train.Row(r.IntN(p.train.Len())) {
			dst.Row(i)[j] = v + float32(math.Round(p.noise*r.NormFloat64()))
		}
	}
	return nil
}

func (p parrot) LogProb(dst []float64, x data.Batch) error {
	for i := range dst {
		dst[i] = -bruteTwo(x.Row(i), p.train, -1).first
	}
	return nil
}

// planted draws honestly but for its first picture, which is made of training picture 7.
type planted struct {
	honest
	first []float32
	drawn *int
}

func (p planted) Sample(dst data.Batch, r *rand.Rand) error {
	if err := p.honest.Sample(dst, r); err != nil {
		return err
	}
	if *p.drawn == 0 {
		copy(dst.Row(0), p.first)
	}
	*p.drawn += dst.Len()
	return nil
}

func measured(t *testing.T, m model.Model, train, held data.Set, n int, seed uint64) *PrivacyReport {
	t.Helper()
	p, err := Privacy(t.Context(), m, train, held, PrivacyOptions{N: n, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParrotIsFound(t *testing.T) {
	train, b := pictures(t, smallPicture, 400, 1)
	held, _ := pictures(t, smallPicture, 200, 2)
	p := measured(t, parrot{train: b}, train, held, 2000, 1)
	if p.Outcome() != CopiesFound || p.Copies.Generated != (CopyCount{2000, 2000, 0}) || !(p.Copies.P < 1e-9) {
		t.Errorf("outcome %v, copies %+v", p.Outcome(), p.Copies.Generated)
	}
	for _, a := range p.Attacks {
		if !(a.AUC.Value >= 0.95) || !(a.Interval[0] > 0.9) || !(a.Caught[0].TPR.Value >= 0.9) || !(a.Advantage.Value >= 0.9) {
			t.Errorf("%s: AUC %+v, caught %+v, advantage %+v: expected near certainty", a.Name, a.AUC, a.Caught[0], a.Advantage)
		}
	}
	for _, c := range p.Spaces {
		if !(c.P < 1e-9) || !(c.ToTrainP < 1e-9) || !(c.Generated.NNDR50 == 0) || !(c.Nearer[0].Share.Value == 1) {
			t.Errorf("%+v", c)
		}
	}
	// Blurred beyond a near copy it leaves signs all the same.
	p = measured(t, parrot{train: b, noise: 30}, train, held, 1000, 1)
	if p.Outcome() != SignsOfMemorising || !strings.Contains(p.Verdict(), "Signs of memorising: training examples can be told") {
		t.Errorf("outcome %v, copies %+v: %s", p.Outcome(), p.Copies.Generated, p.Verdict())
	}
}

// A single copy among a thousand, exact, moved, mirrored or with slight noise, is counted, and first of the closest pairs.
func TestPlantedCopyIsFound(t *testing.T) {
	train, b := pictures(t, smallPicture, 400, 1)
	held, _ := pictures(t, smallPicture, 200, 2)
	r := rand.New(rand.NewPCG(4, 0))
	noisy := slices.Clone(b.Row(7))
	for j := range noisy {
		noisy[j] += float32(math.Round(2 * r.NormFloat64()))
	}
	moved := func(m Move) []float32 {
		x := make([]float32, smallPicture.Size())
		m.Apply(x, b.Row(7), smallPicture)
		return x
	}
	for _, c := range []struct {
		name        string
		x           []float32
		exact, near int
		move        Move
	}{
		{"exact", b.Row(7), 1, 0, Move{}},
		{"noisy", noisy, 0, 1, Move{}},
		{"moved diagonally", moved(Move{-1, 1, false}), 1, 0, Move{1, -1, false}},
		{"mirrored and moved", moved(Move{0, 1, true}), 1, 0, Move{0, 1, true}},
	} {
		p := measured(t, planted{first: c.x, drawn: new(int)}, train, held, 1000, 3)
		if got := p.Copies.Generated; got != (CopyCount{1000, c.exact, c.near}) {
			t.Errorf("%s: %+v, expected one copy", c.name, got)
		}
		first := p.Copies.Closest[0]
		if first.Generated != 0 || first.Training != 7 || !first.Copy || first.Repeated || first.Move != c.move {
			t.Errorf("%s: the closest pair is %d, %d, moved %+v, copy %v", c.name, first.Generated, first.Training, first.Move, first.Copy)
		}
		if !slices.Equal(first.X, c.x) || !slices.Equal(first.Original, b.Row(7)) || p.Copies.Closest[1].Copy {
			t.Errorf("%s: the pairs hold other pictures", c.name)
		}
		if p.Outcome() != CopiesFound || !strings.HasPrefix(p.Verdict(), "Copies were found: 1 of 1000") {
			t.Errorf("%s: %v: %s", c.name, p.Outcome(), p.Verdict())
		}
	}
}

// An honest model is acquitted, whatever the seed: of 10 rounds a test of level 0.01 fails one with probability 0.1, two with 0.004.
func TestHonestModelIsAcquitted(t *testing.T) {
	const rounds = 10
	accused, outside, intervals := 0, 0, 0
	for i := range uint64(rounds) {
		train, _ := pictures(t, smallPicture, 300, 100+i)
		held, _ := pictures(t, smallPicture, 150, 200+i)
		p := measured(t, honest{}, train, held, 300, i)
		accused += indicator(p.Outcome() != NoSign)
		for _, a := range p.Attacks {
			intervals++
			outside += indicator(a.Interval[0] > 0.5 || a.Interval[1] < 0.5)
		}
		for _, c := range p.Spaces {
			intervals++
			outside += indicator(c.Interval[0] > 0.5 || c.Interval[1] < 0.5)
		}
	}
	if accused > 1 {
		t.Errorf("%d of %d honest models are accused", accused, rounds)
	}
	// 50 intervals of 95%, some of which move together, miss 2.5 times on average.
	if outside > 9 {
		t.Errorf("%d of %d intervals miss 0.5", outside, intervals)
	}
}

// What the training data repeats, another picture of it does not blame on the model.
func TestRepeatedOriginals(t *testing.T) {
	_, b := pictures(t, smallPicture, 400, 1)
	for i := 200; i < 400; i++ { // half of the data comes twice
		copy(b.Row(i), b.Row(i-200))
	}
	pixels := make([]uint8, len(b.X))
	for i, v := range b.X {
		pixels[i] = uint8(v)
	}
	train, err := data.NewPixels(&data.Schema{Shape: smallPicture, MaxValue: 255}, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	held, _ := pictures(t, smallPicture, 200, 2)
	p := measured(t, planted{first: b.Row(7), drawn: new(int)}, train, held, 1000, 3)
	c := p.Copies
	if c.Generated.Exact != 1 || c.Repeated != 1 || !c.Closest[0].Repeated || c.Members != (CopyCount{400, 400, 0}) || c.Threshold != 0 {
		t.Errorf("%+v, repeated %d, members %+v", c.Generated, c.Repeated, c.Members)
	}
	if p.Outcome() != NoSign || !strings.Contains(p.Verdict(), "1 of 1000 generated examples lie as near to a training example as a copy would, and so do 400 of 600 real ones") {
		t.Errorf("%v: %s", p.Outcome(), p.Verdict())
	}
}

// mixedTable has a numeric column, one that never changes, a category and a column with missing values.
func mixedTable(t *testing.T, n int, seed uint64) data.Set {
	t.Helper()
	schema := &data.Schema{Shape: data.RowShape(4), Columns: []data.Column{
		{Name: "height", Kind: data.Numeric}, {Name: "planet", Kind: data.Integer},
		{Name: "colour", Kind: data.Categorical, Levels: []string{"red", "green", "blue"}}, {Name: "weight", Kind: data.Numeric},
	}}
	b := data.NewBatch(schema.Shape, n, false)
	if err := (mixed{}).Sample(b, rand.New(rand.NewPCG(seed, 0))); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if i%9 == 0 {
			b.Row(i)[3] = float32(math.NaN())
		}
	}
	set, err := data.NewTable(schema, b.X, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

type mixed struct{ blobModel }

func (mixed) Shape() data.Shape { return data.RowShape(4) }

func (mixed) Sample(dst data.Batch, r *rand.Rand) error {
	for i := range dst.Len() {
		x := dst.Row(i)
		x[0], x[1], x[2], x[3] = float32(170+10*r.NormFloat64()), 3, float32(r.IntN(3)), float32(70+1e4*r.NormFloat64())
	}
	return nil
}

func TestPrivacyOfTables(t *testing.T) {
	train, held := mixedTable(t, 500, 1), mixedTable(t, 200, 2)
	p := measured(t, mixed{}, train, held, 500, 1)
	near(t, "level of three tests of copies, one of distances, one attack", p.level(), significance/5, 0)
	if p.Outcome() != NoSign || len(p.Spaces) != 1 || p.Spaces[0].Name != "columns" || p.Copies.Moved {
		t.Errorf("%v, %+v", p.Outcome(), p.Spaces)
	}
	if len(p.Attacks) != 1 || p.Attacks[0].Name != "distance_columns" {
		t.Errorf("attacks %+v: expected that by distance alone", p.Attacks)
	}
	// The copies of rows are found, in what was made before, and one with another category is none.
	made := data.NewBatch(data.RowShape(4), 100, false)
	if err := (mixed{}).Sample(made, rand.New(rand.NewPCG(5, 0))); err != nil {
		t.Fatal(err)
	}
	if err := train.Read(t.Context(), made.Slice(0, 3), []int{1, 2, 4}); err != nil {
		t.Fatal(err)
	}
	made.Row(2)[2] = float32((int(made.Row(2)[2]) + 1) % 3)
	generated, err := data.NewTable(train.Schema(), made.X, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err = Privacy(t.Context(), mixed{}, train, held, PrivacyOptions{Generated: generated})
	if err != nil {
		t.Fatal(err)
	}
	if c := p.Copies; c.Generated.N != 100 || c.Generated.Exact != 2 || c.Closest[0].Training != 1 || c.Closest[1].Training != 2 ||
		c.Closest[0].Generated != 0 || c.Closest[1].Generated != 1 {
		t.Errorf("%+v, closest %+v", c.Generated, c.Closest[:2])
	}
	if p.Outcome() != CopiesFound {
		t.Errorf("outcome %v, %+v, of real ones %+v", p.Outcome(), p.Copies.Generated, p.Copies.real())
	}
}

// crammer is a classifier that is surer of the examples it has learned.
type crammer struct {
	nearestBlob
	train data.Batch
}

func (c crammer) LogPosterior(dst []float64, x data.Batch) error {
	for i := range x.Len() {
		loss := 1.0
		if f := bruteTwo(x.Row(i), c.train, -1); f.first == 0 {
			loss = 0.01
		}
		dst[2*i], dst[2*i+1] = -loss, -loss
	}
	return nil
}

func TestPrivacyOfClassifiers(t *testing.T) {
	all := twoBlobs(t, 900)
	index := rand.New(rand.NewPCG(1, 1)).Perm(900)
	train, held := data.Subset(all, index[:500]), data.Subset(all, index[500:])
	p := measured(t, nearestBlob{}, train, held, 0, 1)
	if p.Outcome() != NoSign || p.Copies != nil || len(p.Spaces) != 0 || len(p.Attacks) != 1 {
		t.Errorf("%v: %+v", p.Outcome(), p)
	}
	b, err := data.ReadAll(t.Context(), train)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "level of the only test of a classifier", p.level(), significance, 0)
	p = measured(t, crammer{train: b}, train, held, 0, 1)
	if p.Outcome() != SignsOfMemorising || p.Attacks[0].AUC.Value != 1 || strings.Contains(p.Verdict(), "copy") {
		t.Errorf("%v, %+v: %s", p.Outcome(), p.Attacks[0].AUC, p.Verdict())
	}
}

func TestPrivacyDoesNotDependOnThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	train, b := pictures(t, smallPicture, 300, 1)
	held, _ := pictures(t, smallPicture, 100, 2)
	one := measured(t, parrot{train: b, noise: 9}, train, held, 300, 7)
	runtime.GOMAXPROCS(3)
	if three := measured(t, parrot{train: b, noise: 9}, train, held, 300, 7); !reflect.DeepEqual(one, three) {
		t.Error("1 thread and 3 threads differ")
	}
	if other := measured(t, parrot{train: b, noise: 9}, train, held, 300, 8); reflect.DeepEqual(one, other) {
		t.Error("another seed gives the same")
	}
}

func TestPrivacyJSON(t *testing.T) {
	train, b := pictures(t, smallPicture, 60, 1)
	held, _ := pictures(t, smallPicture, 30, 2)
	p := measured(t, parrot{train: b, noise: 3}, train, held, 40, 1)
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		`"outcome":"`, `"verdict":"`, `"level":`, `"train":60`, `"held_out":30`, `"copies":{"closest":[{"copy":`, `"threshold":`,
		`"generated":{"n":40,"exact":`, `"distances":[{"closer_to_train":`, `"dcr_50":`, `"nndr_5":`, `"smirnov_p_value":`,
		`"membership":[{"advantage":`, `"name":"loss"`, `"name":"distance_features"`, `"true_positive_rate":null`,
	} {
		if !strings.Contains(string(text), key) {
			t.Errorf("JSON has no %s: %s", key, text)
		}
	}
	for _, m := range p.Measures() {
		if math.IsNaN(m.Value) || math.IsNaN(m.StandardError) {
			t.Errorf("%+v is not a number", m)
		}
	}
	if n := len(p.Measures()); n != 2+2+6 {
		t.Errorf("%d measures", n)
	}
}

func TestPrivacyErrors(t *testing.T) {
	train, b := pictures(t, smallPicture, 60, 1)
	held, _ := pictures(t, smallPicture, 30, 2)
	few := data.Subset(train, []int{1, 2, 3})
	same := data.Subset(train, make([]int, 40))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name        string
		ctx         context.Context
		m           model.Model
		train, held data.Set
		o           PrivacyOptions
		want        string
	}{
		{"few held out", t.Context(), honest{}, train, few, PrivacyOptions{}, "3 held-out examples to compare with, expected at least 20"},
		{"few to train", t.Context(), honest{}, few, held, PrivacyOptions{}, "3 training examples to compare with, expected at least 20"},
		{"few generated", t.Context(), honest{}, train, held, PrivacyOptions{N: 10}, "10 generated examples to look at, expected at least 20"},
		{"few made before", t.Context(), honest{}, train, held, PrivacyOptions{Generated: few}, "3 generated examples to look at"},
		{"all alike", t.Context(), honest{}, same, held, PrivacyOptions{}, "are all the same"},
		{"another shape", t.Context(), blobs{}, train, held, PrivacyOptions{}, "the model is of 2 columns and the training data of 10x10x1"},
		{"negative", t.Context(), honest{}, train, held, PrivacyOptions{N: -1}, "-1 examples"},
		{"no labels", t.Context(), nearestBlob{}, plainBlobs(t), plainBlobs(t), PrivacyOptions{}, data.ErrNoLabels.Error()},
		{"cancelled", cancelled, parrot{train: b}, train, held, PrivacyOptions{}, context.Canceled.Error()},
	} {
		_, err := Privacy(c.ctx, c.m, c.train, c.held, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected one with %q", c.name, err, c.want)
		}
	}
	table := mixedTable(t, 60, 1)
	far := data.NewBatch(data.RowShape(4), 40, false)
	if err := (mixed{}).Sample(far, rand.New(rand.NewPCG(5, 0))); err != nil {
		t.Fatal(err)
	}
	far.Row(7)[0] = float32(math.Inf(1))
	generated, err := data.NewTable(table.Schema(), far.X, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Privacy(t.Context(), mixed{}, table, mixedTable(t, 30, 2), PrivacyOptions{Generated: generated})
	if err == nil || !strings.Contains(err.Error(), "generated example 7 is at no distance") {
		t.Errorf("an infinite value: error %v", err)
	}
	_, err = Privacy(t.Context(), mixed{}, table, generated, PrivacyOptions{})
	if !errors.Is(err, ErrNotComparable) {
		t.Errorf("an infinite value held out: error %v", err)
	}
	if _, err := newMovedIndexOf(t, train, b).nearest(cancelled, b, nil, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("moved, cancelled: error %v", err)
	}
}

// plainBlobs are rows of the blobs without labels.
func plainBlobs(t *testing.T) data.Set {
	t.Helper()
	b := data.NewBatch(data.RowShape(2), 40, false)
	if err := (blobs{}).Sample(b, rand.New(rand.NewPCG(1, 0))); err != nil {
		t.Fatal(err)
	}
	set, err := data.NewTable(blobSchema(), b.X, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func newMovedIndexOf(t *testing.T, set data.Set, b data.Batch) *movedIndex {
	t.Helper()
	x := newMovedIndex(b.Shape)
	if err := x.fit(b); err != nil {
		t.Fatal(err)
	}
	x.add(b)
	x.sort(set)
	return x
}
