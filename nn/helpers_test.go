package nn_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/reference"
)

// foreign are backends that only some builds have.
var foreign = func(*testing.T) []tensor.Backend { return nil }

// onBackends runs one test body under every backend.
func onBackends(t *testing.T, body func(t *testing.T, b tensor.Backend)) {
	for _, b := range append([]tensor.Backend{reference.New(), cpu.New(2)}, foreign(t)...) {
		t.Run(b.Name(), func(t *testing.T) { body(t, b) })
	}
}

// compile builds a program over vars and makes it executable.
func compile(t *testing.T, b tensor.Backend, vars tensor.Vars, build func(g *tensor.Graph)) tensor.Executable {
	t.Helper()
	prog, err := tensor.Build(build)
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Compile(prog, vars)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// run computes a program once.
func run(t *testing.T, e tensor.Executable) {
	t.Helper()
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// normals are n standard normal numbers that float32 holds exactly.
func normals(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 7))
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(r.NormFloat64()))
	}
	return x
}

func size(dims []int) int { return tensor.ShapeOf(tensor.Float32, dims...).Size() }

func fill(dst []float32, src []float64) {
	for i, v := range src {
		dst[i] = float32(v)
	}
}

// near reports numbers that differ by more than tol·max(1, |want|). NaN differs from everything.
func near(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, expected %d", what, len(got), len(want))
	}
	for i, w := range want {
		if diff := math.Abs(float64(got[i]) - w); !(diff <= tol*max(1, math.Abs(w))) {
			t.Fatalf("%s[%d] = %v, expected %v (tolerance %g)", what, i, got[i], w, tol)
		}
	}
}

// panics reports whether f panics.
func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return
}

// key sets the key of a graph's noise.
func key(e tensor.Executable, a, b uint32) { copy(e.Input("key").U32, []uint32{a, b}) }

// noise declares the key of a graph.
func noise(g *tensor.Graph) *nn.Noise { return &nn.Noise{Key: g.Input("key", tensor.Uint32, 2)} }
