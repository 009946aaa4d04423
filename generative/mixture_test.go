package generative

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
)

// clusters is n points (x, y) around (0, 0), (40, 0.4) and (80, 0), of standard deviations 10 and 0.1 and correlation 0, 0.8
// and −0.8, and which each belongs to.
func clusters(n int, r *rand.Rand) (values []float32, labels []int32) {
	for i := range n {
		k := i % 3
		a, b := r.NormFloat64(), r.NormFloat64()
		slope := []float64{0, 0.8, -0.8}[k]
		values = append(values, float32(40*float64(k)+10*a),
			float32([]float64{0, 0.4, 0}[k]+0.1*(slope*a+math.Sqrt(1-slope*slope)*b)))
		labels = append(labels, int32(k))
	}
	return values, labels
}

func TestMixtureConformance(t *testing.T) {
	recipe := model.NewRecipe[Mixture]
	t.Run("digits", func(t *testing.T) {
		spec := recipe()
		spec.Components, spec.Iterations = 3, 5
		modeltest.Check(t, modeltest.Subject{Spec: spec, Train: some(digits(t).Train, 4)})
	})
	t.Run("digits without labels", func(t *testing.T) {
		set := withoutLabels(some(digits(t).Train, 4))
		spec := recipe()
		spec.Covariance = DiagonalCovariance
		modeltest.Check(t, modeltest.Subject{Spec: spec, Train: set, Validation: set})
	})
	values, labels := clusters(600, rand.New(rand.NewPCG(1, 2)))
	for _, kind := range []Covariance{FullCovariance, TiedCovariance, DiagonalCovariance, SphericalCovariance} {
		t.Run("table, "+string(kind), func(t *testing.T) {
			spec := recipe()
			spec.Covariance, spec.Components, spec.Start, spec.Restarts = kind, 3, RandomStart, 2
			modeltest.Check(t, modeltest.Subject{Spec: spec, Train: numbers(t, 2, values, nil)})
		})
	}
	t.Run("table with classes", func(t *testing.T) {
		spec := recipe()
		spec.Components, spec.MaxComponents = 0, 3
		modeltest.Check(t, modeltest.Subject{Spec: spec, Train: numbers(t, 2, values, labels, "a", "b", "c")})
	})
}

// mixtureGolden is testdata/mixture.json, made by make_mixture.py.
type mixtureGolden struct {
	Cases []struct {
		File, Kind       string
		K, Most          int
		Tolerance        float64
		Standardised     bool
		StartMeans       [][]float64 `json:"start_means"`
		StartCovariance  []float64   `json:"start_covariance"`
		Iterations       int
		Converged        bool
		Weights          []float64
		Means            [][]float64
		LogLikelihood    float64 `json:"log_likelihood"`
		BIC, AIC         float64
		LogProb          []float64 `json:"log_prob"`
		Responsibilities [][]float64
	}
}

// TestMixtureEqualsSklearn: from the same start, scikit-learn's EM and ours go the same way, and end where the same iteration adds less
// than the tolerance.
func TestMixtureEqualsSklearn(t *testing.T) {
	text, err := os.ReadFile("testdata/mixture.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden mixtureGolden
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	for _, want := range golden.Cases {
		name := "after some iterations"
		if want.Converged {
			name = "converged"
		}
		t.Run(want.File+", "+want.Kind+", "+name, func(t *testing.T) {
			set := tableOf(t, want.File, want.Standardised)
			p := set.Schema().Size()
			x := read(t, set)
			shift, scale := usualScale(x, false)
			if want.Standardised { // spherical: one variance in the units of x
				for j := range scale {
					scale[j] = 1
				}
			}
			d := newScaledRows(x, seq(x.Len()), shift, scale, 2)
			start := &mixture{kind: Covariance(want.Kind), p: p, weight: slices.Repeat([]float64{1 / float64(want.K)}, want.K),
				mean: slices.Concat(want.StartMeans...), covariance: slices.Clone(want.StartCovariance)}
			for i := range start.mean {
				start.mean[i] = (start.mean[i] - shift[i%p]) / scale[i%p]
			}
			for i := range start.covariance {
				switch start.kind {
				case FullCovariance, TiedCovariance:
					start.covariance[i] /= scale[i/p%p] * scale[i%p]
				case DiagonalCovariance:
					start.covariance[i] /= scale[i%p] * scale[i%p]
				}
			}
			if err := start.prepare(1); err != nil {
				t.Fatal(err)
			}
			found, err := d.improve(t.Context(), start, emRules{tolerance: want.Tolerance, iterations: want.Most, tell: func(int, float64) {}})
			if err != nil {
				t.Fatal(err)
			}
			// Near the end an iteration moves the mean log-likelihood by so little that rounding decides on the last one.
			if late := found.iterations - want.Iterations; found.converged != want.Converged || max(late, -late) > 1 {
				t.Errorf("%d iterations, converged %v, expected %d, %v", found.iterations, found.converged, want.Iterations, want.Converged)
			}
			recipe := model.NewRecipe[Mixture]()
			recipe.Covariance = start.kind
			transform, err := data.FitTransform(t.Context(), set, data.Raw)
			if err != nil {
				t.Fatal(err)
			}
			m := &FittedMixture{classed: classed{Card: model.NewCard("mixture", recipe, set, transform, model.Run{})}, given: []*mixture{found.mixture}, shift: shift, scale: scale}
			const limit = 1e-6
			near := func(what string, got, want float64) {
				t.Helper()
				if !(math.Abs(got-want) <= limit*max(1, math.Abs(want))) {
					t.Errorf("%s is %v, expected %v", what, got, want)
				}
			}
			near("log-likelihood", found.logLikelihood+m.logDet()*float64(x.Len()), want.LogLikelihood)
			for criterion, want := range map[Criterion]float64{BIC: want.BIC, AIC: want.AIC} {
				got, err := m.Criterion(criterion, x, nil)
				if err != nil {
					t.Fatal(err)
				}
				near(string(criterion), got, want)
			}
			for c, weight := range want.Weights {
				near("weight", found.weight[c], weight)
				for j, mean := range want.Means[c] {
					near("mean", shift[j]+scale[j]*found.mean[c*p+j], mean)
				}
			}
			log, share := make([]float64, x.Len()), make([]float64, x.Len()*want.K)
			if err := m.LogProb(log, x); err != nil {
				t.Fatal(err)
			}
			if err := m.LogResponsibilities(share, x, nil); err != nil {
				t.Fatal(err)
			}
			for i, l := range want.LogProb {
				near("log p", log[7*i], l)
				for c, r := range want.Responsibilities[i] {
					near("responsibility", math.Exp(share[7*i*want.K+c]), r)
				}
			}
		})
	}
}

// tableOf is the columns of a CSV file but the last, rounded to float32; divided by their standard deviations if so wished.
func tableOf(t *testing.T, path string, standardised bool) data.Set {
	t.Helper()
	rows := readCSV(t, "testdata/"+path)
	p := len(rows[0])
	x := slices.Concat(rows...)
	sd := slices.Repeat([]float64{1}, p)
	if standardised {
		c := newMoments(p)
		c.sum(x)
		c.finishMean()
		c.scatter(slices.Clone(x))
		c.finishCovariance()
		for j := range sd {
			sd[j] = math.Sqrt(c.covariance[j*p+j])
		}
	}
	values := make([]float32, len(x))
	for i, v := range x {
		values[i] = float32(v / sd[i%p])
	}
	return numbers(t, p, values, nil)
}

// TestMixtureIsTheFormula sums up the densities of components that are written down.
func TestMixtureIsTheFormula(t *testing.T) {
	set := some(digits(t).Train, 3)
	x := read(t, set)
	p := set.Schema().Size()
	for _, kind := range []Covariance{FullCovariance, TiedCovariance, DiagonalCovariance, SphericalCovariance} {
		spec := model.NewRecipe[Mixture]()
		spec.Covariance, spec.Components, spec.Iterations, spec.Floor = kind, 2, 3, 0.05
		fitted, _ := fit(t, spec, set, model.Run{})
		m := fitted.(*FittedMixture)
		log := make([]float64, x.Len())
		if err := m.LogProbGiven(log, x, x.Y); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < x.Len(); i += 41 {
			given := m.given[x.Y[i]]
			sum := 0.0
			for c, w := range given.weight {
				d, err := newNormal(m.rawComponent(given, c))
				if err != nil {
					t.Fatal(err)
				}
				one := make([]float64, 1)
				d.logProb(one, gather(x, []int{i}))
				sum += w * math.Exp(one[0]+float64(p)) // p nats, so that no exponential is 0
			}
			if want := math.Log(sum) - float64(p); !(math.Abs(log[i]-want) <= 1e-9*math.Abs(want)) {
				t.Errorf("%s: log p of example %d is %v, expected %v", kind, i, log[i], want)
			}
		}
	}
}

// rawComponent is the mean and covariance of a component in the units of x.
func (m *FittedMixture) rawComponent(given *mixture, c int) (mean, covariance []float64) {
	p := given.p
	mean, covariance = make([]float64, p), make([]float64, p*p)
	for i := range p {
		mean[i] = m.shift[i] + m.scale[i]*given.mean[c*p+i]
		for j := range p {
			v := 0.0
			switch given.kind {
			case FullCovariance:
				v = given.covariance[(c*p+i)*p+j]
			case TiedCovariance:
				v = given.covariance[i*p+j]
			case DiagonalCovariance:
				if i == j {
					v = given.covariance[c*p+i]
				}
			case SphericalCovariance:
				if i == j {
					v = given.covariance[c]
				}
			}
			covariance[i*p+j] = v * m.scale[i] * m.scale[j]
		}
	}
	return mean, covariance
}

// TestEMNeverLowersTheLikelihood, with a floor that binds and without, from bad starts. A mean of log-likelihoods near −10 is
// rounded by some 1e-15.
func TestEMNeverLowersTheLikelihood(t *testing.T) {
	values, _ := clusters(300, rand.New(rand.NewPCG(1, 2)))
	sets := map[string]data.Set{"table": numbers(t, 2, values, nil), "digits": withoutLabels(some(digits(t).Train, 8))}
	for name, set := range sets {
		x := read(t, set)
		shift, scale := usualScale(x, set.Schema().IsImage())
		for _, kind := range []Covariance{FullCovariance, TiedCovariance, DiagonalCovariance, SphericalCovariance} {
			for _, how := range []Start{KMeansStart, RandomStart} {
				const floor = 0.05
				d := newScaledRows(x, seq(x.Len()), shift, scale, 1)
				start, err := d.start(t.Context(), how, kind, 5, floor, rand.New(rand.NewPCG(3, 4)))
				if err != nil {
					t.Fatal(err)
				}
				before := math.Inf(-1)
				found, err := d.improve(t.Context(), start, emRules{floor: floor, iterations: 40, tell: func(i int, mean float64) {
					if !(mean >= before-1e-12) {
						t.Errorf("%s, %s, %s: iteration %d has the log-likelihood %v after %v", name, kind, how, i, mean, before)
					}
					before = mean
				}})
				if err != nil {
					t.Fatal(err)
				}
				if mean := found.logLikelihood / float64(x.Len()); !(mean >= before-1e-12) {
					t.Errorf("%s, %s, %s: the end has the log-likelihood %v after %v", name, kind, how, mean, before)
				}
			}
		}
	}
}

// TestMixtureAffine: columns in other units and with other origins change neither the responsibilities nor, but for the units,
// the likelihood. The factors are powers of two, so that nothing is rounded.
func TestMixtureAffine(t *testing.T) {
	values, _ := clusters(300, rand.New(rand.NewPCG(1, 2)))
	other := slices.Clone(values)
	for i := range other {
		values[i] = float32(math.Round(float64(values[i])*1024) / 1024) // and room for the origin
		other[i] = values[i]*[]float32{4, 0.125}[i%2] - []float32{64, 8}[i%2]
	}
	for _, kind := range []Covariance{FullCovariance, TiedCovariance, DiagonalCovariance, SphericalCovariance} {
		var shares, logs [2][]float64
		for at, values := range [][]float32{values, other} {
			set := numbers(t, 2, values, nil)
			spec := model.NewRecipe[Mixture]()
			spec.Components, spec.Covariance = 3, kind
			fitted, _ := fit(t, spec, set, model.Run{})
			m, x := fitted.(*FittedMixture), read(t, set)
			shares[at], logs[at] = make([]float64, 3*x.Len()), make([]float64, x.Len())
			if err := m.LogResponsibilities(shares[at], x, nil); err != nil {
				t.Fatal(err)
			}
			if err := m.LogProb(logs[at], x); err != nil {
				t.Fatal(err)
			}
		}
		for i, share := range shares[0] {
			if got := math.Exp(shares[1][i]); !(math.Abs(got-math.Exp(share)) <= 1e-9) {
				t.Fatalf("%s: a responsibility is %v in other units, %v before", kind, got, math.Exp(share))
			}
		}
		for i, l := range logs[0] {
			if want := l - math.Log(4) - math.Log(0.125); !(math.Abs(logs[1][i]-want) <= 1e-9) {
				t.Fatalf("%s: log p is %v in other units, expected %v", kind, logs[1][i], want)
			}
		}
	}
}

// TestMixtureThreads: a set of many parts gives the same file and log p at any number of threads, and another order of its rows
// the same likelihood from the same start.
func TestMixtureThreads(t *testing.T) {
	values, _ := clusters(9000, rand.New(rand.NewPCG(1, 2)))
	set := numbers(t, 2, values, nil)
	for _, kind := range []Covariance{FullCovariance, TiedCovariance, DiagonalCovariance, SphericalCovariance} {
		spec := model.NewRecipe[Mixture]()
		spec.Components, spec.Covariance, spec.Iterations = 4, kind, 6
		var files [3]bytes.Buffer
		var logs [3][]float64
		for i, threads := range []int{1, 2, 7} {
			m, _ := fit(t, spec, set, model.Run{Threads: threads})
			logs[i] = make([]float64, set.Len())
			if err := m.(model.Density).LogProb(logs[i], read(t, set)); err != nil {
				t.Fatal(err)
			}
			if err := m.Save(&files[i]); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(files[i].Bytes(), files[0].Bytes()) || !slices.Equal(logs[i], logs[0]) {
				t.Errorf("%s: the file or log p of %d threads is not that of 1", kind, threads)
			}
		}
		x := read(t, set)
		turned := slices.Clone(seq(x.Len()))
		slices.Reverse(turned)
		shift, scale := usualScale(x, false)
		start, err := newScaledRows(x, turned, shift, scale, 1).start(t.Context(), KMeansStart, kind, 3, 0.001, rand.New(rand.NewPCG(3, 4)))
		if err != nil {
			t.Fatal(err)
		}
		var ends [2]emResult
		for i, rows := range [][]int{seq(x.Len()), turned} {
			ends[i], err = newScaledRows(x, rows, shift, scale, 1).improve(t.Context(), start, emRules{floor: 0.001, iterations: 10, tell: func(int, float64) {}})
			if err != nil {
				t.Fatal(err)
			}
		}
		if a, b := ends[0].logLikelihood, ends[1].logLikelihood; !(math.Abs(a-b) <= 1e-9*math.Abs(a)) {
			t.Errorf("%s: the rows have the log-likelihood %v, in another order %v", kind, a, b)
		}
	}
}

// TestMixtureFarAway: as far away as float32 goes, log p is a number and the responsibilities are shares.
func TestMixtureFarAway(t *testing.T) {
	values, labels := clusters(300, rand.New(rand.NewPCG(1, 2)))
	far := []float32{1e6, -1e6, 1e20, 0, -1e30, 1e38, math.MaxFloat32, -math.MaxFloat32, 1e-45, 0}
	for _, kind := range []Covariance{FullCovariance, TiedCovariance, DiagonalCovariance, SphericalCovariance} {
		spec := model.NewRecipe[Mixture]()
		spec.Components, spec.Covariance = 3, kind
		fitted, _ := fit(t, spec, numbers(t, 2, values, labels, "a", "b", "c"), model.Run{})
		m := fitted.(*FittedMixture)
		x := data.Batch{Shape: data.RowShape(2), X: far}
		y := []int32{0, 1, 2, 0, 1}
		share, log := make([]float64, 3*x.Len()), make([]float64, x.Len())
		if err := m.LogResponsibilities(share, x, y); err != nil {
			t.Fatal(err)
		}
		if err := m.LogProb(log, x); err != nil {
			t.Fatal(err)
		}
		for i := range x.Len() {
			sum := 0.0
			for _, l := range share[3*i : 3*i+3] {
				sum += math.Exp(l)
			}
			if !(math.Abs(sum-1) <= 1e-9) || !(log[i] < 0 && log[i] >= -math.MaxFloat64) {
				t.Errorf("%s: at %v the responsibilities sum to %v, and log p is %v", kind, x.Row(i), sum, log[i])
			}
		}
		x.X = []float32{1, float32(math.Inf(1))}
		if err := m.LogProb(log[:1], x); err == nil || !strings.Contains(err.Error(), "expected a finite number") {
			t.Errorf("%s: log p at infinity gave the error %v", kind, err)
		}
	}
}

// TestMixtureDegenerate: components on a point, on a line and with nothing keep the least variance, and there are no more of
// them than different examples.
func TestMixtureDegenerate(t *testing.T) {
	var values []float32
	for i := range 40 {
		values = append(values, 1, 1) // a point
		values = append(values, float32(100+i), float32(2*i))
	}
	for _, kind := range []Covariance{FullCovariance, TiedCovariance, DiagonalCovariance, SphericalCovariance} {
		spec := model.NewRecipe[Mixture]()
		spec.Components, spec.Covariance = 30, kind
		fitted, _ := fit(t, spec, numbers(t, 2, values, nil), model.Run{})
		for _, v := range fitted.(*FittedMixture).given[0].covariance {
			if math.IsNaN(v) || kind != FullCovariance && kind != TiedCovariance && !(v >= spec.Floor) {
				t.Errorf("%s: a variance is %v, expected at least %v", kind, v, spec.Floor)
			}
		}
		set := numbers(t, 2, []float32{1, 1, 2, 2, 1, 1, 2, 2}, nil)
		fitted, summary := fit(t, spec, set, model.Run{})
		if got := fitted.(*FittedMixture).Components(); got != 2 || len(summary.Notes) < 2 {
			t.Errorf("%s: %d components for 2 different examples, notes %q", kind, got, summary.Notes)
		}
	}
	// A component that no example has a share in stays where it is.
	x := read(t, numbers(t, 1, []float32{0, 1, 2, 3}, nil))
	d := newScaledRows(x, seq(4), []float64{0}, []float64{1}, 1)
	for _, kind := range []Covariance{FullCovariance, TiedCovariance, DiagonalCovariance, SphericalCovariance} {
		start := &mixture{kind: kind, p: 1, weight: []float64{0.5, 0.5}, mean: []float64{1, 1e6}, covariance: []float64{1, 1}}
		if kind == TiedCovariance {
			start.covariance = start.covariance[:1]
		}
		if err := start.prepare(1); err != nil {
			t.Fatal(err)
		}
		found, err := d.improve(t.Context(), start, emRules{iterations: 2, tell: func(int, float64) {}})
		if err != nil {
			t.Fatal(err)
		}
		if found.weight[1] != 0 || found.mean[1] != 1e6 || !(math.Abs(found.mean[0]-1.5) <= 1e-12) || math.IsNaN(found.logLikelihood) {
			t.Errorf("%s: weights %v, means %v, log-likelihood %v", kind, found.weight, found.mean, found.logLikelihood)
		}
	}
}

// TestMixtureChooses finds the three clusters by BIC, and no fewer components by AIC, which charges less for them.
func TestMixtureChooses(t *testing.T) {
	values, _ := clusters(900, rand.New(rand.NewPCG(1, 2)))
	set := numbers(t, 2, values, nil)
	spec := model.NewRecipe[Mixture]()
	spec.Components, spec.MaxComponents, spec.Restarts = 0, 6, 3
	fitted, summary := fit(t, spec, set, model.Run{})
	m := fitted.(*FittedMixture)
	if m.Components() != 3 {
		t.Errorf("BIC chose %d components, expected 3; notes %q", m.Components(), summary.Notes)
	}
	if d := m.Parameters(); d != 2+6+9 {
		t.Errorf("%d parameters, expected 17", d)
	}
	spec.Criterion = AIC
	fitted, _ = fit(t, spec, set, model.Run{})
	if got := fitted.(*FittedMixture).Components(); got < 3 {
		t.Errorf("AIC chose %d components, expected 3 or more", got)
	}
}

func TestMixtureErrors(t *testing.T) {
	values := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	categories, err := data.NewTable(&data.Schema{Shape: data.RowShape(1),
		Columns: []data.Column{{Name: "colour", Kind: data.Categorical, Levels: []string{"red", "blue"}}}}, []float32{0, 1, 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want, set string
		data            data.Set
	}{
		{"categories", `column "colour" has categories`, "floor=0", categories},
		{"missing", `column "x1": the value is missing`, "floor=0", numbers(t, 2, []float32{1, 2, 3, nan}, nil)},
		{"infinite", "expected a finite number", "floor=0", numbers(t, 2, []float32{1, 2, 3, float32(math.Inf(1))}, nil)},
		{"too wide", "set covariance=diagonal", "covariance=full", numbers(t, 4097, make([]float32, 4097), nil)},
		{"on a line", "set floor above 0", "floor=0", numbers(t, 2, values, nil)},
		{"empty class", `class "b": no example`, "floor=0.1", numbers(t, 1, values, make([]int32, 8), "a", "b")},
	} {
		t.Run(c.name, func(t *testing.T) {
			recipe := model.NewRecipe[Mixture]()
			if err := model.Set(recipe, c.set); err != nil {
				t.Fatal(err)
			}
			m, _, err := recipe.Fit(t.Context(), c.data, model.Run{})
			if err == nil || m != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("fit returned %v and the error %v, expected one with %q", m, err, c.want)
			}
		})
	}
	if _, _, err := (&Mixture{Components: -1}).Fit(t.Context(), numbers(t, 2, values, nil), model.Run{}); err == nil {
		t.Error("a recipe of −1 components gave no error")
	}
}

// TestMixtureDamaged changes a tensor of a good file at a time.
func TestMixtureDamaged(t *testing.T) {
	values, labels := clusters(90, rand.New(rand.NewPCG(1, 2)))
	for _, kind := range []Covariance{FullCovariance, TiedCovariance, DiagonalCovariance, SphericalCovariance} {
		spec := model.NewRecipe[Mixture]()
		spec.Components, spec.Covariance = 2, kind
		damage(t, spec, numbers(t, 2, values, labels, "a", "b", "c"), loadMixture, map[string]func(v any){
			"shift":      func(v any) { v.([]float64)[0] = math.NaN() },
			"scale":      func(v any) { v.([]float64)[1] = 0 },
			"components": func(v any) { v.([]int32)[1] = -1 },
			"weight":     func(v any) { v.([]float64)[0] += 0.1 },
			"mean":       func(v any) { v.([]float64)[3] = math.Inf(1) },
			"covariance": func(v any) { v.([]float64)[0] = -1 },
		})
	}
}

func TestPPCADamaged(t *testing.T) {
	values, labels := clusters(90, rand.New(rand.NewPCG(1, 2)))
	for _, tied := range []bool{false, true} {
		damage(t, &PPCA{Components: 1, Tied: tied, Floor: 0.001}, numbers(t, 2, values, labels, "a", "b", "c"), loadPPCA, map[string]func(v any){
			"scale":      func(v any) { v.([]float64)[1] = -1 },
			"mean":       func(v any) { v.([]float64)[3] = math.NaN() },
			"noise":      func(v any) { v.([]float64)[0] = 0 },
			"eigenvalue": func(v any) { v.([]float64)[0] = 1e-9 },
			"axes":       func(v any) { v.([]float64)[0] += 0.1 },
		})
	}
}

// damage fits a model, and demands model.ErrDamaged of its loader for each change to a tensor, for a tensor that is missing and
// for one of other dims.
func damage(t *testing.T, spec model.Spec, set data.Set, load func(*model.File) (model.Model, error), changes map[string]func(v any)) {
	t.Helper()
	fitted, _ := fit(t, spec, set, model.Run{})
	var file bytes.Buffer
	if err := fitted.Save(&file); err != nil {
		t.Fatal(err)
	}
	for name, change := range changes {
		for what, do := range map[string]func(f *model.File, i int){
			"another value": func(f *model.File, i int) { change(f.Tensors[i].Values) },
			"no tensor":     func(f *model.File, i int) { f.Tensors = slices.Delete(f.Tensors, i, i+1) },
			"other dims":    func(f *model.File, i int) { f.Tensors[i].Dims = append([]int{1}, f.Tensors[i].Dims...) },
		} {
			_, f, err := model.Run{}.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
			if err != nil {
				t.Fatal(err)
			}
			do(f, slices.IndexFunc(f.Tensors, func(t model.Tensor) bool { return t.Name == name }))
			if m, err := load(f); !errors.Is(err, model.ErrDamaged) || m != nil {
				t.Errorf("%T, %s of %s: the loader returned the model %v and the error %v, expected %v", spec, what, name, m, err, model.ErrDamaged)
			}
		}
	}
}
