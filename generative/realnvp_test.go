package generative

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// tinyRealNVP is a recipe that fits in a fraction of a second.
func tinyRealNVP(c Coupling) *RealNVP {
	r := model.NewRecipe[RealNVP]()
	r.Coupling, r.Layers, r.Hidden, r.Epochs, r.Batch = c, 4, []int{16}, 2, 32
	return r
}

func TestRealNVPConformance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values, labels := correlated(300, r), make([]int32, 300)
	plain := numbers(t, 2, values, nil)
	for i := range labels {
		labels[i] = int32(i % 3)
		values[2*i] += 30 * float32(labels[i])
	}
	classes := numbers(t, 2, values, labels, "a", "b", "c")
	three := numbers(t, 3, correlated(150, r), nil)
	for _, c := range []Coupling{AffineCoupling, SplineCoupling} {
		t.Run(string(c), func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: tinyRealNVP(c), Train: plain, Validation: plain})
		})
		t.Run(string(c)+" with classes", func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: tinyRealNVP(c), Train: classes})
		})
		t.Run(string(c)+" of three columns", func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: tinyRealNVP(c), Train: three})
		})
	}
}

// shakenFlow is the network of a recipe of p columns with random parameters.
func shakenFlow(c Coupling, p, classes int) (*flow, tensor.Vars) {
	r := tinyRealNVP(c)
	net := r.network(p, classes, identity(p))
	return net, shaken(nn.Collect(net), 0.1)
}

// identity is the identity matrix (p, p).
func identity(p int) []float32 {
	m := make([]float32, p*p)
	for j := range p {
		m[j*p+j] = 1
	}
	return m
}

// TestRealNVPLogDet compares with the Jacobian, with and without classes, for even and odd numbers of columns.
func TestRealNVPLogDet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, c := range []Coupling{AffineCoupling, SplineCoupling} {
		for _, p := range []int{2, 5, 8} {
			net, vars := shakenFlow(c, p, 3)
			e := exact(t, vars, func(g *tensor.Graph) {
				z, logDet := net.encode(exactInput(g, "x", 1, p), g.Input("y", tensor.Int32, 1))
				exactOutput(g, "z", z)
				exactOutput(g, "log_det", logDet)
			})
			for class := range 3 {
				e.Input("y").I32[0] = int32(class)
				for j := range p {
					e.Input("x").F64[j] = 2 * r.NormFloat64()
				}
				checkLogDet(t, e, "x")
			}
		}
	}
}

// TestHalves: two layers in a row exchange their halves, neither of which has less than a third of the columns, and any two columns are in different
// halves of some layer.
func TestHalves(t *testing.T) {
	for _, p := range []int{2, 3, 4, 5, 7, 8, 30, 33} {
		apart := make([]bool, p*p)
		for i := range 12 {
			stay, moved := halves(p, i)
			if min(len(stay), len(moved)) < p/3 {
				t.Fatalf("%d columns: in layer %d %d stay and %d move", p, i, len(stay), len(moved))
			}
			if all := slices.Concat(stay, moved); !slices.Equal(slices.Sorted(slices.Values(all)), natural(p)) {
				t.Fatalf("%d columns: layer %d has the columns %v", p, i, all)
			}
			if a, b := halves(p, i^1); !slices.Equal(a, moved) || !slices.Equal(b, stay) {
				t.Fatalf("%d columns: layers %d and %d do not exchange their halves", p, i, i^1)
			}
			for _, a := range stay {
				for _, b := range moved {
					apart[a*p+b], apart[b*p+a] = true, true
				}
			}
		}
		for k, ok := range apart {
			if !ok && k/p != k%p {
				t.Fatalf("%d columns: %d and %d are always in the same half", p, k/p, k%p)
			}
		}
	}
}

// TestRealNVPInverse fits, and goes from z to x and back: from draws of z and from what data become. In the gaps of the toys,
// where p(x) is next to nothing, the map is steep and float32 numbers tell less: all but one in 500 must come back within 1e-4,
// and those within 1e-2. (TestSplineInverse has the tails and the edges of bins.)
func TestRealNVPInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, c := range []Coupling{AffineCoupling, SplineCoupling} {
		for _, toy := range toys {
			recipe := tinyFlow(c, 4)
			recipe.Rate = 0.002
			m, _ := fit(t, recipe, numbers(t, 2, toy.points(500, r), nil), model.Run{Threads: 1, Epochs: 20})
			f := m.(*Flow)
			const n = 4000
			z, again, x := normals(2*n, 1, r), make([]float32, 2*n), data.NewBatch(data.RowShape(2), n, false)
			expectSame := func() {
				t.Helper()
				if err := errors.Join(f.Decode(x, z, nil), f.Encode(again, x, nil)); err != nil {
					t.Fatal(err)
				}
				off := 0
				for k, v := range z {
					d := math.Abs(float64(again[k] - v))
					if !(d <= 1e-2) {
						t.Errorf("%s couplings, %s: z = %v became x = %v and back %v", c, toy.name, v, x.X[k], again[k])
					}
					if d > 1e-4 {
						off++
					}
				}
				if off > len(z)/500 {
					t.Errorf("%s couplings, %s: %d of %d numbers came back with an error above 1e-4", c, toy.name, off, len(z))
				}
			}
			expectSame()
			copy(x.X, toy.points(n, r))
			if err := f.Encode(z, x, nil); err != nil {
				t.Fatal(err)
			}
			expectSame()
		}
	}
}

// TestRealNVPOutliers: log p of rows beyond all reason is finite and falls; that of an infinite one is -Inf.
func TestRealNVPOutliers(t *testing.T) {
	for _, c := range []Coupling{AffineCoupling, SplineCoupling} {
		m, _ := fit(t, tinyRealNVP(c), numbers(t, 2, correlated(300, rand.New(rand.NewPCG(1, 2))), nil), model.Run{})
		far := data.Batch{Shape: data.RowShape(2), X: []float32{100, -5, 1e6, -5, -1e12, 1e12, 1e20, -1e30, float32(math.Inf(1)), 0}}
		log := make([]float64, far.Len())
		if err := m.(model.Density).LogProb(log, far); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if !(log[i+1] < log[i]) || math.IsInf(log[i+1], 0) {
				t.Errorf("%s couplings: log p is %v, then %v farther out, expected it to fall and be finite", c, log[i], log[i+1])
			}
		}
		if !math.IsInf(log[4], -1) {
			t.Errorf("%s couplings: log p of an infinite row is %v, expected -Inf", c, log[4])
		}
	}
}

// TestRealNVPWholeNumbers learns a column of whole numbers beside one that follows it. Samples are whole, and the probability
// of a number is the integral of p over the unit around it.
func TestRealNVPWholeNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	values := make([]float32, 0, 2*2000)
	for range 2000 {
		k := r.IntN(3)
		values = append(values, float32(k), float32(10*float64(2*k%3)+r.NormFloat64()))
	}
	set, err := data.NewTable(&data.Schema{Shape: data.RowShape(2), Columns: []data.Column{
		{Name: "k", Kind: data.Integer}, {Name: "v", Kind: data.Numeric}}}, values, nil)
	if err != nil {
		t.Fatal(err)
	}
	recipe := tinyFlow(SplineCoupling, 4)
	m, summary := fit(t, recipe, set, model.Run{})
	if len(summary.Notes) != 1 || !strings.Contains(summary.Notes[0], "1 columns are whole numbers") {
		t.Errorf("notes %q, expected one on whole numbers", summary.Notes)
	}
	b := data.NewBatch(data.RowShape(2), 3000, false)
	if err := m.(model.Sampler).Sample(b, r); err != nil {
		t.Fatal(err)
	}
	tied := 0
	for i := range b.Len() {
		k, v := float64(b.Row(i)[0]), float64(b.Row(i)[1])
		if k == math.Trunc(k) && k >= 0 && math.Abs(v-10*float64(2*int(k)%3)) < 4 {
			tied++
		}
	}
	if !(tied >= 2700) {
		t.Errorf("%d of 3000 samples have a whole number and what goes with it, expected at least 2700", tied)
	}
	// ∫ p over k in [0.5, 1.5) and all v is P(k = 1), a third.
	const cells = 200
	grid := data.NewBatch(data.RowShape(2), cells*cells, false)
	for i := range grid.Len() {
		grid.Row(i)[0] = float32(0.5 + (float64(i%cells)+0.5)/cells)
		grid.Row(i)[1] = float32(-20 + 60*(float64(i/cells)+0.5)/cells)
	}
	log := make([]float64, grid.Len())
	if err := m.(model.Density).LogProb(log, grid); err != nil {
		t.Fatal(err)
	}
	share := 0.0
	for _, l := range log {
		share += math.Exp(l) * 60 / cells / cells
	}
	if !(math.Abs(share-1.0/3) <= 0.04) {
		t.Errorf("p integrates to %v over the unit around 1, which is a third of the data", share)
	}
}

func TestRealNVPErrors(t *testing.T) {
	categories, err := data.NewTable(&data.Schema{Shape: data.RowShape(1),
		Columns: []data.Column{{Name: "colour", Kind: data.Categorical, Levels: []string{"red", "blue"}}}}, []float32{0, 1, 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		set  data.Set
	}{
		{"use glow", some(digits(t).Train, 8)},
		{`column "colour" has categories`, categories},
		{"has one column", numbers(t, 1, make([]float32, 20), nil)},
		{`column "x1" has 1 missing values`, numbers(t, 2, []float32{1, 2, 3, nan}, nil)},
	} {
		m, _, err := tinyRealNVP(AffineCoupling).Fit(t.Context(), c.set, model.Run{})
		if err == nil || m != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("fit returned %v and the error %v, expected one with %q", m, err, c.want)
		}
	}
	m, _ := fit(t, tinyRealNVP(AffineCoupling), numbers(t, 2, correlated(40, rand.New(rand.NewPCG(1, 2))), nil), model.Run{})
	err = m.(model.Density).LogProb(make([]float64, 1), data.Batch{Shape: data.RowShape(2), X: []float32{1, nan}})
	if err == nil || !strings.Contains(err.Error(), `example 1 of the batch: realnvp: column "x1": the value is missing`) {
		t.Errorf("log p of a row with a missing value returned the error %v", err)
	}
}

// TestFlowDamage: a parameter that is not a number, or missing, is found on loading.
func TestFlowDamage(t *testing.T) {
	table := numbers(t, 2, correlated(40, rand.New(rand.NewPCG(1, 2))), nil)
	for name, c := range map[string]struct {
		spec model.Spec
		set  data.Set
	}{
		"couplings.1.out.bias":          {tinyRealNVP(SplineCoupling), table},
		"levels.0.steps.0.log_diagonal": {tinyGlow(), withoutLabels(some(digits(t).Train, 16))},
	} {
		m, _ := fit(t, c.spec, c.set, model.Run{})
		var file bytes.Buffer
		if err := m.Save(&file); err != nil {
			t.Fatal(err)
		}
		_, f, err := model.Run{}.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil {
			t.Fatal(err)
		}
		entry, err := model.Lookup(f.Card.Name)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(f.Tensors, func(v model.Tensor) bool { return v.Name == name })
		values := f.Tensors[i].Values.([]float32)
		values[0] = nan
		if _, err := entry.Load(f); !errors.Is(err, model.ErrDamaged) || !strings.Contains(err.Error(), name) {
			t.Errorf("loading a NaN in %s returned the error %v", name, err)
		}
		values[0] = 0
		f.Tensors = slices.Delete(f.Tensors, i, i+1)
		if _, err := entry.Load(f); !errors.Is(err, model.ErrDamaged) {
			t.Errorf("loading without %s returned the error %v", name, err)
		}
	}
}
