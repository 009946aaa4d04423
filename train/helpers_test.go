package train_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// table is a set of rows in memory.
func table(columns int, values []float32, classes int, labels []int32) data.Set {
	schema := &data.Schema{Shape: data.RowShape(columns)}
	for j := range columns {
		schema.Columns = append(schema.Columns, data.Column{Name: fmt.Sprint("x", j), Kind: data.Numeric})
	}
	for k := range classes {
		schema.Classes = append(schema.Classes, fmt.Sprint("class ", k))
	}
	s, err := data.NewTable(schema, values, labels)
	if err != nil {
		panic(err)
	}
	return s
}

// constant is n rows of one number.
func constant(n int, x float32) data.Set {
	values := make([]float32, n)
	for i := range values {
		values[i] = x
	}
	return table(1, values, 0, nil)
}

// clouds are n points in four dimensions in three classes, around three corners.
func clouds(n int, seed uint64) data.Set {
	r := rand.New(rand.NewPCG(seed, 1))
	values, labels := make([]float32, 4*n), make([]int32, n)
	for i := range values {
		values[i] = float32(0.7 * r.NormFloat64())
	}
	for i := range labels {
		labels[i] = int32(r.IntN(3))
		values[4*i+int(labels[i])] += 2
	}
	return table(4, values, 3, labels)
}

// classifier is a small network with everything whose state a resumed run must find again: running statistics, dropout,
// and random variation of the examples. onBatch, if not nil, is called as each mini-batch is prepared.
func classifier(onBatch func()) train.Problem {
	net := &struct {
		Hidden nn.Dense
		Norm   nn.BatchNorm
		Out    nn.Dense
	}{nn.NewDense(4, 8, nn.HeNormal), nn.NewBatchNorm(8), nn.NewDense(8, 3, nn.GlorotUniform)}
	params := nn.Collect(net)
	return train.Problem{
		Params: params, Shape: []int{4}, Out: data.RowShape(4), Labelled: true, Identity: "a test",
		Phases: []train.Phase{{Name: "classifier", Params: params, Optimiser: nn.NewAdam(), Loss: func(b *train.Batch) train.Loss {
			h := nn.Dropout(nn.ReLU(net.Norm.Apply(net.Hidden.Apply(b.X), b.Mode)), 0.2, b.Mode)
			logits := net.Out.Apply(h)
			right := tensor.Equal(tensor.ArgMax(logits, 1), b.Y)
			return train.Loss{
				Value:   tensor.Mean(nn.CrossEntropy(logits, b.Y)),
				Metrics: []train.Metric{{Name: "accuracy", Value: tensor.Mean(tensor.Convert(right, tensor.Float32))}},
			}
		}}},
		Prepare: func(dst, raw data.Batch, r train.Rand) error {
			copy(dst.X, raw.X)
			if r == nil {
				return nil
			}
			for i := range dst.X {
				dst.X[i] += float32(0.1 * r.NormFloat64())
			}
			if onBatch != nil {
				onBatch()
			}
			return nil
		},
	}
}

// scalar is the problem of one number p, which begins at start, with a loss of it and of x [n, 1].
func scalar(start float64, optimiser nn.Optimiser, loss func(p, x *tensor.Node) *tensor.Node) train.Problem {
	p := &nn.Param{Name: "p", Init: nn.Constant(float32(start))}
	params := nn.Params{p}
	return train.Problem{
		Params: params, Shape: []int{1}, Out: data.RowShape(1),
		Phases: []train.Phase{{Name: "only", Params: params, Optimiser: optimiser, Loss: func(b *train.Batch) train.Loss {
			return train.Loss{Value: loss(p.Node(b.X.Graph()), b.X)}
		}}},
		Prepare: func(dst, raw data.Batch, _ train.Rand) error { copy(dst.X, raw.X); return nil },
	}
}

// squared is the mean of (p − x)².
func squared(p, x *tensor.Node) *tensor.Node { return tensor.Mean(tensor.Square(tensor.Sub(p, x))) }

// linear is p times the mean of x, whose gradient is that mean wherever p is.
func linear(p, x *tensor.Node) *tensor.Node { return tensor.Mul(p, tensor.Mean(x)) }

func minimise(t *testing.T, p train.Problem, set data.Set, o train.Options, run model.Run) *train.Result {
	t.Helper()
	r, err := train.Minimise(context.Background(), p, set, o, run)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// same reports the first bit in which two results differ, apart from the time that they took.
func same(t *testing.T, got, want *train.Result) {
	t.Helper()
	for _, name := range want.Vars.Names() {
		if got.Vars[name] == nil {
			t.Fatalf("parameter %s is missing", name)
		}
		for i, v := range want.Vars[name].F32 {
			if math.Float32bits(got.Vars[name].F32[i]) != math.Float32bits(v) {
				t.Fatalf("%s[%d] is %v, expected %v", name, i, got.Vars[name].F32[i], v)
			}
		}
	}
	g, w := got.Summary, want.Summary
	g.Seconds, w.Seconds, g.ExamplesPerSecond, w.ExamplesPerSecond = 0, 0, 0, 0
	if fmt.Sprint(g) != fmt.Sprint(w) { // a text, in which NaN equals NaN
		t.Errorf("summary %+v, expected %+v", g, w)
	}
	if fmt.Sprint(got.Metrics) != fmt.Sprint(want.Metrics) {
		t.Errorf("metrics %v, expected %v", got.Metrics, want.Metrics)
	}
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if diff := math.Abs(got - want); !(diff <= tol) {
		t.Errorf("%s is %v, expected %v within %g", what, got, want, tol)
	}
}
