package generative

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
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
			m := &FittedMixture{Card: model.NewCard("mixture", recipe, set, transform, model.Run{}), given: []*mixture{found.mixture}, shift: shift, scale: scale}
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
