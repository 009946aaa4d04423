package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
)

// Every workload runs, and what it computes is finite.
func TestWorkloads(t *testing.T) {
	for _, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			j, err := w.compile(cpu.New(2))
			if err != nil {
				t.Fatal(err)
			}
			if err := j.run(); err != nil {
				t.Fatal(err)
			}
			for _, o := range j.program.Outputs {
				for k, v := range j.executable.Output(o.Name).F32 {
					if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
						t.Fatalf("%s[%d] is %v", o.Name, k, v)
					}
				}
			}
			if !(j.flops() > 0) {
				t.Error("no flops")
			}
		})
	}
}

// Steps lower the loss of the batch that they repeat.
func TestTrainingLearns(t *testing.T) {
	for _, name := range []string{"unet", "realnvp"} {
		w, err := workloadNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		j, err := w.compile(cpu.New(2))
		if err != nil {
			t.Fatal(err)
		}
		var losses []float32
		for range 4 {
			if err := j.run(); err != nil {
				t.Fatal(err)
			}
			losses = append(losses, j.executable.Output("loss").F32[0])
		}
		if !(losses[3] < losses[0]) {
			t.Errorf("%s: losses %v", name, losses)
		}
	}
}

func TestFlops(t *testing.T) {
	conv := tensor.ConvGeometry{N: 2, Groups: 1, CI: 3, CO: 5, Axes: [2]tensor.ConvAxis{
		{In: 8, Kernel: 3, Out: 4, Stride: 2, Dilation: 1, Pad: 1}, {In: 6, Kernel: 2, Out: 5, Stride: 1, Dilation: 1}}}
	for _, c := range []struct {
		name string
		make func(g *tensor.Graph) *tensor.Node
		want float64
	}{
		{"two products of 4x5 by 5x6", func(g *tensor.Graph) *tensor.Node {
			return tensor.MatMul(g.Input("a", tensor.Float32, 2, 4, 5), g.Input("b", tensor.Float32, 2, 5, 6))
		}, 2 * 2 * 4 * 5 * 6},
		{"product by the transpose", func(g *tensor.Graph) *tensor.Node {
			return tensor.MatMulT(g.Input("a", tensor.Float32, 5, 4), g.Input("b", tensor.Float32, 6, 5), true, true)
		}, 2 * 4 * 5 * 6},
		{"convolution and its gradients", func(g *tensor.Graph) *tensor.Node {
			x, w := g.Input("x", tensor.Float32, conv.XDims()...), g.Input("w", tensor.Float32, conv.WDims()...)
			loss := tensor.Sum(tensor.Square(tensor.ConvY(conv, x, w)))
			by := tensor.Gradient(loss, x, w)
			return tensor.Add(tensor.Sum(by[0]), tensor.Sum(by[1]))
		}, 3 * 2 * (2 * 3 * 5) * (4 * 3) * (5 * 2)},
		{"no products", func(g *tensor.Graph) *tensor.Node { return tensor.Exp(g.Input("a", tensor.Float32, 9)) }, 0},
	} {
		p, err := tensor.Build(func(g *tensor.Graph) { g.Output("y", c.make(g)) })
		if err != nil {
			t.Fatal(err)
		}
		if got := flops(p); got != c.want {
			t.Errorf("%s: %v flops, expected %v", c.name, got, c.want)
		}
	}
}

// One dense layer, forward and by weight, counted by hand: the input needs no gradient.
func TestFlopsOfSoftmax(t *testing.T) {
	w := workloads[0]
	j, err := w.compile(cpu.New(1))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := j.flops(), 2.0*2*128*784*10; got != want {
		t.Errorf("%v flops, expected %v", got, want)
	}
}

// The child speaks as contestant expects.
func TestChild(t *testing.T) {
	var out bytes.Buffer
	if err := runChild("softmax", 1, strings.NewReader("0 softmax\n0.001 softmax\n"), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, expected a greeting, two timings, memory: %q", len(lines), lines)
	}
	var hello greeting
	var first timing
	if err := json.Unmarshal([]byte(lines[0]), &hello); err != nil || hello.Flops == 0 {
		t.Errorf("greeting %s: %v", lines[0], err)
	}
	if err := json.Unmarshal([]byte(lines[1]), &first); err != nil || !(first.Median > 0) {
		t.Errorf("timing %s: %v", lines[1], err)
	}
	if err := runChild("softmax", 1, strings.NewReader("1 other\n"), &out); err == nil {
		t.Error("a job that is not there: no error")
	}
}

func TestGivenHoldsEverything(t *testing.T) {
	j, err := workloads[0].compile(cpu.New(1))
	if err != nil {
		t.Fatal(err)
	}
	header, data, _ := bytes.Cut(j.given(), []byte("\n"))
	want := `{"parameters":[{"name":"out.weight","dtype":"float32","dims":[784,10]},{"name":"out.bias","dtype":"float32","dims":[10]}],` +
		`"inputs":[{"name":"x","dtype":"float32","dims":[128,784]},{"name":"y","dtype":"int32","dims":[128]}]}`
	if string(header) != want {
		t.Errorf("header %s, expected %s", header, want)
	}
	if got, want := len(data), 4*(784*10+10+128*784+128); got != want {
		t.Errorf("%d bytes, expected %d", got, want)
	}
}

func TestGEMMJobs(t *testing.T) {
	j, err := compileGEMM(cpu.New(1), gemmShape{m: 2, k: 3, n: 4, transA: true, transB: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.run(); err != nil {
		t.Fatal(err)
	}
	e := j.executable
	a, b, y := e.Input("a"), e.Input("b"), e.Output("y")
	for row := range 2 {
		for column := range 4 {
			want := 0.0
			for i := range 3 {
				want += float64(a.F32[i*2+row]) * float64(b.F32[column*3+i])
			}
			if got := float64(y.F32[row*4+column]); !(math.Abs(got-want) < 1e-6) {
				t.Errorf("element %d %d is %v, expected %v", row, column, got, want)
			}
		}
	}
	if got, want := (gemmShape{m: 2, k: 3, n: 4, transB: true}).job(), "2x3x4nt"; got != want {
		t.Errorf("job %q, expected %q", got, want)
	}
}

// BenchmarkWorkload times one run of each workload.
func BenchmarkWorkload(b *testing.B) {
	for _, w := range workloads {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", w.name, threads), func(b *testing.B) {
				j, err := w.compile(cpu.New(threads))
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := j.run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
