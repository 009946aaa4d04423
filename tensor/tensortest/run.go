// Package tensortest holds backends of package tensor to what its ops mean, with tensor/reference as the judge: [Ops] tries
// every op by itself at many shapes, [CheckBackend] random programs of many ops.
package tensortest

import (
	"context"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

var _ failer = (*testing.T)(nil)

// run compiles and runs a program once. It returns the outputs, and the variables after the run under "variable NAME".
func run(t failer, b tensor.Backend, p *tensor.Program, inputs, variables map[string]*tensor.Array) map[string]*tensor.Array {
	t.Helper()
	exe, vars := compile(t, b, p, inputs, variables)
	return runAgain(t, b, p, exe, vars)
}

// compile also fills the inputs. The variables are copied.
func compile(t failer, b tensor.Backend, p *tensor.Program, inputs, variables map[string]*tensor.Array) (tensor.Executable, tensor.Vars) {
	t.Helper()
	vars := tensor.Vars{}
	for name, a := range variables {
		vars[name] = a.Clone()
	}
	exe, err := b.Compile(p, vars)
	if err != nil {
		t.Fatalf("%s: compile: %v", b.Name(), err)
	}
	for name, a := range inputs {
		exe.Input(name).CopyFrom(a)
	}
	return exe, vars
}

func runAgain(t failer, b tensor.Backend, p *tensor.Program, exe tensor.Executable, vars tensor.Vars) map[string]*tensor.Array {
	t.Helper()
	if err := exe.Run(context.Background()); err != nil {
		t.Fatalf("%s: run: %v", b.Name(), err)
	}
	out := map[string]*tensor.Array{}
	for _, o := range p.Outputs {
		out[o.Name] = exe.Output(o.Name).Clone()
	}
	for name, a := range vars {
		out["variable "+name] = a.Clone()
	}
	return out
}

// referee is the backend that the others are compared with.
func referee() tensor.Backend { return reference.New() }

// compare reports the first element of got that is further from want than allowed(i), or of another shape. NaN agrees
// with NaN, an infinity with itself.
func compare(t failer, what string, got, want *tensor.Array, allowed func(i int) float64) {
	t.Helper()
	if !got.Shape.Equal(want.Shape) {
		t.Errorf("%s: got %v, want %v", what, got.Shape, want.Shape)
		return
	}
	g, w := numbers(got), numbers(want)
	if len(g) != len(w) {
		t.Errorf("%s: %d elements for %v", what, len(g), got.Shape)
		return
	}
	for i := range w {
		same := g[i] == w[i] || math.IsNaN(g[i]) && math.IsNaN(w[i])
		if !same && !(math.Abs(g[i]-w[i]) <= allowed(i)) {
			t.Errorf("%s: element %d of %v is %v, want %v within %.3g", what, i, got.Shape, g[i], w[i], allowed(i))
			return
		}
	}
}

// numbers are the elements of any array as float64, which represents all of them exactly.
func numbers(a *tensor.Array) []float64 {
	switch a.Shape.DType {
	case tensor.Float32:
		return convert(a.F32)
	case tensor.Float64:
		return a.F64
	case tensor.Int32:
		return convert(a.I32)
	case tensor.Uint32:
		return convert(a.U32)
	}
	out := make([]float64, len(a.Bool))
	for i, b := range a.Bool {
		if b {
			out[i] = 1
		}
	}
	return out
}

func convert[T float32 | int32 | uint32](x []T) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// setNumber stores a number in an array of any type.
func setNumber(a *tensor.Array, i int, v float64) {
	switch a.Shape.DType {
	case tensor.Float32:
		a.F32[i] = float32(v)
	case tensor.Float64:
		a.F64[i] = v
	case tensor.Int32:
		a.I32[i] = int32(v)
	case tensor.Uint32:
		a.U32[i] = uint32(v)
	case tensor.Bool:
		a.Bool[i] = v != 0
	}
}

// ulp is the distance between neighbouring numbers of type d around x, for x of any size. Integers and bools are exact.
func ulp(d tensor.DType, x float64) float64 {
	x = math.Abs(x)
	switch d {
	case tensor.Float32:
		_, e := math.Frexp(max(x, 0x1p-126))
		return math.Ldexp(1, e-24)
	case tensor.Float64:
		_, e := math.Frexp(max(x, 0x1p-1022))
		return math.Ldexp(1, e-53)
	}
	return 0
}

// sortedKeys gives failures a fixed order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
