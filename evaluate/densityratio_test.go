package evaluate

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// blobRatio is the recipe of a classifier of normals of the plane with deviation 1: it learns the log-odds of two by the means,
// and exaggerates them by a factor.
type blobRatio struct {
	factor float64
	fits   *int
}

func (s blobRatio) Fit(ctx context.Context, set data.Set, run model.Run) (model.Model, *model.Summary, error) {
	*s.fits++
	b, err := data.ReadAll(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	m := &blobOdds{factor: s.factor}
	var n [2]float64
	for i, y := range b.Y {
		n[y]++
		m.mean[y][0] += float64(b.Row(i)[0])
		m.mean[y][1] += float64(b.Row(i)[1])
	}
	for k := range 2 {
		m.prior[k] = math.Log(n[k])
		m.mean[k][0] /= n[k]
		m.mean[k][1] /= n[k]
	}
	return m, &model.Summary{}, nil
}

type blobOdds struct {
	mean   [2][2]float64
	prior  [2]float64
	factor float64
}

func (*blobOdds) Shape() data.Shape    { return data.RowShape(2) }
func (*blobOdds) Save(io.Writer) error { return nil }
func (*blobOdds) Classes() int         { return 2 }

func (m *blobOdds) LogPosterior(dst []float64, x data.Batch) error {
	for i := range x.Len() {
		var score [2]float64
		for k := range 2 {
			u, v := float64(x.Row(i)[0])-m.mean[k][0], float64(x.Row(i)[1])-m.mean[k][1]
			score[k] = m.prior[k] - (u*u+v*v)/2
		}
		odds := m.factor * (score[0] - score[1])
		dst[2*i], dst[2*i+1] = -softplus(-odds), -softplus(odds)
	}
	return nil
}

// shifted is n draws of N((shift, 0), I), with labels if there are classes.
func shifted(t *testing.T, n int, shift float64, seed uint64, classes ...string) data.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	b := data.NewBatch(data.RowShape(2), n, len(classes) > 0)
	for i := range n {
		b.Row(i)[0], b.Row(i)[1] = float32(shift+r.NormFloat64()), float32(r.NormFloat64())
	}
	set, err := data.NewTable(blobSchema(classes...), b.X, b.Y)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestDensityRatio(t *testing.T) {
	ctx := context.Background()
	// Unequal sizes, labels that must not matter, and log-odds of three times their size that must be put right.
	p, q := shifted(t, 3000, 1, 1), shifted(t, 2000, 0, 2, "left", "right")
	fits := 0
	c, err := DensityRatio(ctx, blobRatio{3, &fits}, p, q, RatioFolds, model.Run{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if fits != RatioFolds {
		t.Errorf("%d classifiers were fitted, expected %d", fits, RatioFolds)
	}
	for name, v := range map[string][3]float64{
		"kl": {c.KL.Value, c.KL.StandardError, 0.5}, "reverse kl": {c.ReverseKL.Value, c.ReverseKL.StandardError, 0.5},
		"dv": {c.KLDonskerVaradhan.Value, c.KLDonskerVaradhan.StandardError, 0.5}, "nwj": {c.KLNWJ.Value, c.KLNWJ.StandardError, 0.5},
		"js": {c.JS.Value, c.JS.StandardError, 0.1114}, "tv": {c.TotalVariation.Value, c.TotalVariation.StandardError, math.Erf(0.5 / math.Sqrt2)},
	} {
		if !(math.Abs(v[0]-v[2]) <= 3*v[1]+0.02) || !(v[1] < 0.05) {
			t.Errorf("%s is %v ± %v, expected %v", name, v[0], v[1], v[2])
		}
	}
	again, err := DensityRatio(ctx, blobRatio{3, &fits}, p, q, RatioFolds, model.Run{Seed: 1})
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("the same seed gives %+v, then %+v, %v", c, again, err)
	}
}

// Every example is judged once, by a classifier that has not seen it: one that knew its own examples would tell equals apart.
func TestDensityRatioOfEquals(t *testing.T) {
	fits := 0
	c, err := DensityRatio(context.Background(), blobRatio{1, &fits}, shifted(t, 1500, 0, 3), shifted(t, 1500, 0, 4), 2, model.Run{Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]float64{"kl": c.KL.Value, "dv": c.KLDonskerVaradhan.Value, "js": c.JS.Value, "tv": c.TotalVariation.Value / 10} {
		if !(math.Abs(v) <= 0.01) {
			t.Errorf("%s of two samples of one distribution is %v, expected 0", name, v)
		}
	}
	n := 0
	for _, part := range deal(17, 4, rand.New(rand.NewPCG(1, 1))) {
		n += len(part)
	}
	if n != 17 {
		t.Errorf("%d of 17 dealt", n)
	}
}

// Platt's line for log-odds of a factor and a shift is their inverse; for separable ones it is finite.
func TestPlatt(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	const n = 20000
	odds := make([]float64, 2*n)
	for i := range n {
		odds[i], odds[n+i] = 4*(r.NormFloat64()+0.5)+2, 4*(r.NormFloat64()-0.5)+2
	}
	isP := func(i int) bool { return i < n }
	var l platt
	l.fit(odds, isP)
	if !(math.Abs(l.slope-0.25) <= 0.01 && math.Abs(l.shift+0.5) <= 0.04) {
		t.Errorf("line %+v, expected 0.25 t - 0.5", l)
	}
	for _, scale := range []float64{0, 1, 1000} {
		for i := range odds {
			if odds[i] = scale; i >= n {
				odds[i] = -scale
			}
		}
		l.fit(odds, isP)
		if !(l.slope-l.slope == 0 && l.shift-l.shift == 0 && l.slope >= 1) {
			t.Errorf("log-odds ±%v: line %+v, expected a finite one", scale, l)
		}
	}
}

func TestDensityRatioRefuses(t *testing.T) {
	ctx, fits := context.Background(), 0
	spec := blobRatio{1, &fits}
	good := shifted(t, 100, 0, 1)
	other := shifted(t, 100, 0, 1, "a", "b")
	wide, err := data.NewTable(&data.Schema{Shape: data.RowShape(1), Columns: []data.Column{{Name: "u", Kind: data.Numeric}}}, make([]float32, 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, call := range map[string]func() error{
		"its shape is 1 column": func() error { _, err := DensityRatio(ctx, spec, good, wide, 2, model.Run{}); return err },
		"of p the log-odds +Inf": func() error {
			_, err := DensityRatio(ctx, blobRatio{math.Inf(1), &fits}, shifted(t, 100, 9, 1), good, 2, model.Run{})
			return err
		},
		"1 folds":              func() error { _, err := DensityRatio(ctx, spec, good, other, 1, model.Run{}); return err },
		"at least 200 of each": func() error { _, err := DensityRatio(ctx, spec, good, other, 20, model.Run{}); return err },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}
