package nn_test

import (
	"math"
	"slices"
	"testing"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

type block struct {
	First nn.Dense
	Norm  *nn.BatchNorm
}

type network struct {
	Hidden      []block
	LogVariance nn.Dense
	Missing     *block // nil: nothing there
	width       int
}

func newNetwork() *network {
	norm := nn.NewBatchNorm(3)
	return &network{
		Hidden:      []block{{First: nn.NewDense(2, 3, nn.HeNormal), Norm: &norm}, {First: nn.NewDense(3, 3, nn.HeNormal)}},
		LogVariance: nn.NewDense(3, 1, nn.GlorotUniform),
		width:       3,
	}
}

func TestCollect(t *testing.T) {
	n := newNetwork()
	ps := nn.Collect(n)
	var names []string
	for _, p := range ps {
		names = append(names, p.Name)
	}
	want := []string{
		"hidden.0.first.weight", "hidden.0.first.bias",
		"hidden.0.norm.scale", "hidden.0.norm.shift", "hidden.0.norm.mean", "hidden.0.norm.variance",
		"hidden.1.first.weight", "hidden.1.first.bias", "log_variance.weight", "log_variance.bias",
	}
	if !slices.Equal(names, want) {
		t.Errorf("names %q, expected %q", names, want)
	}
	if again := nn.Collect(n); !slices.Equal(again, ps) {
		t.Error("collected twice, the parameters differ")
	}
	if got, want := len(ps.Trainable()), len(ps)-2; got != want {
		t.Errorf("%d trainable, expected %d: running statistics are not", got, want)
	}
	if got, want := ps.Count(), 2*3+3+3+3+3*3+3+3+1; got != want {
		t.Errorf("%d numbers, expected %d", got, want)
	}
}

func TestCollectRefuses(t *testing.T) {
	shared := nn.NewDense(2, 2, nn.Zeros)
	if !panics(func() { nn.Collect(&struct{ A, B nn.Dense }{shared, shared}) }) {
		t.Error("one parameter in two places: no panic")
	}
	loose := nn.NewDense(2, 2, nn.Zeros)
	if !panics(func() {
		tensor.Build(func(g *tensor.Graph) { loose.Apply(g.Input("x", tensor.Float32, 1, 2)) })
	}) {
		t.Error("a parameter without a name was used: no panic")
	}
}

// The values of a parameter depend on the seed and its name alone: not on what stands around it.
func TestInitDependsOnSeedAndName(t *testing.T) {
	n := newNetwork()
	all := nn.Collect(n).Init(5)
	alone := nn.Collect(&struct{ LogVariance nn.Dense }{nn.NewDense(3, 1, nn.GlorotUniform)}).Init(5)
	if !slices.Equal(all["log_variance.weight"].F32, alone["log_variance.weight"].F32) {
		t.Error("the same name and seed gave other values")
	}
	other := nn.Collect(n).Init(6)
	if slices.Equal(all["log_variance.weight"].F32, other["log_variance.weight"].F32) {
		t.Error("another seed gave the same values")
	}
	twins := nn.Collect(&struct{ A, B nn.Dense }{nn.NewDense(3, 3, nn.HeNormal), nn.NewDense(3, 3, nn.HeNormal)}).Init(5)
	if slices.Equal(twins["a.weight"].F32, twins["b.weight"].F32) {
		t.Error("two names got the same values")
	}
}

// Mean and standard deviation of the initialisers, within five standard errors; uniform ones also by their limit.
func TestInitialisers(t *testing.T) {
	const fanIn, fanOut, n = 50, 150, 20000
	for _, c := range []struct {
		name  string
		init  nn.Init
		sd    float64
		limit float64
	}{
		{"zeros", nn.Zeros, 0, 0},
		{"normal", nn.Normal(0.02), 0.02, math.Inf(1)},
		{"He normal", nn.HeNormal, math.Sqrt(2. / fanIn), math.Inf(1)},
		{"He uniform", nn.HeUniform, math.Sqrt(2. / fanIn), math.Sqrt(6. / fanIn)},
		{"LeCun normal", nn.LeCunNormal, math.Sqrt(1. / fanIn), math.Inf(1)},
		{"Glorot uniform", nn.GlorotUniform, math.Sqrt(2. / (fanIn + fanOut)), math.Sqrt(6. / (fanIn + fanOut))},
	} {
		p := nn.Params{{Name: c.name, Dims: []int{n}, Init: c.init, FanIn: fanIn, FanOut: fanOut}}
		x := make([]float64, n)
		for i, v := range p.Init(3)[c.name].F32 {
			x[i] = float64(v)
			if !(math.Abs(x[i]) <= c.limit*(1+1e-6)) {
				t.Fatalf("%s: %v is beyond ±%v", c.name, v, c.limit)
			}
		}
		mean, variance := moments(x)
		if !(math.Abs(mean) <= 5*c.sd/math.Sqrt(n)) {
			t.Errorf("%s: mean %v", c.name, mean)
		}
		if sd := math.Sqrt(variance); !(math.Abs(sd-c.sd) <= 5*c.sd/math.Sqrt(2*n)) {
			t.Errorf("%s: standard deviation %v, expected %v", c.name, sd, c.sd)
		}
	}
}
