package nn_test

import (
	"math"
	"testing"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// layer is a layer beside the same function as plain loops in float64.
type layer struct {
	name   string
	module any   // whose parameters it has
	x      []int // dims of its input
	apply  func(x *tensor.Node) *tensor.Node
	plain  func(x []float64, p map[string][]float64) []float64
}

func elementwise(f func(float64) float64) func([]float64, map[string][]float64) []float64 {
	return func(x []float64, _ map[string][]float64) []float64 {
		y := make([]float64, len(x))
		for i, v := range x {
			y[i] = f(v)
		}
		return y
	}
}

func layers() []layer {
	dense := nn.NewDense(12, 3, nn.HeNormal)
	conv := nn.NewConv(2, 3, 3, 2, 1, nn.HeNormal)
	grouped := nn.NewConv(4, 6, 2, 1, 1, nn.HeNormal).Dilated(2).Grouped(2).NoBias()
	transposed := nn.NewConvTransposed(3, 2, 4, 2, 1, nn.HeNormal)
	batch, layerNorm, group := nn.NewBatchNorm(3), nn.NewLayerNorm(5), nn.NewGroupNorm(2, 4)
	training := func(f func(x *tensor.Node, m *nn.Mode) *tensor.Node) func(x *tensor.Node) *tensor.Node {
		return func(x *tensor.Node) *tensor.Node { return f(x, &nn.Mode{Training: true}) }
	}
	return []layer{
		{"dense", &dense, []int{2, 2, 2, 3}, dense.Apply, func(x []float64, p map[string][]float64) []float64 {
			return plainDense(x, p["weight"], p["bias"])
		}},
		{"conv", &conv, []int{2, 5, 4, 2}, conv.Apply, func(x []float64, p map[string][]float64) []float64 {
			return plainConv(x, p["weight"], p["bias"], [4]int{2, 5, 4, 2}, 3, 3, 2, 1, 1, 1)
		}},
		{"conv, dilated, in groups", &grouped, []int{2, 4, 3, 4}, grouped.Apply, func(x []float64, p map[string][]float64) []float64 {
			return plainConv(x, p["weight"], make([]float64, 6), [4]int{2, 4, 3, 4}, 6, 2, 1, 1, 2, 2)
		}},
		{"transposed conv", &transposed, []int{2, 3, 2, 3}, transposed.Apply, func(x []float64, p map[string][]float64) []float64 {
			return plainTransposed(x, p["weight"], p["bias"], [4]int{2, 3, 2, 3}, 2, 4, 2, 1)
		}},
		{"batch norm, training", &batch, []int{2, 2, 3, 3}, training(batch.Apply), func(x []float64, p map[string][]float64) []float64 {
			return plainNorm(x, 3, p["scale"], p["shift"], func(i int) int { return i % 3 })
		}},
		{"batch norm, fitted", &batch, []int{4, 3}, func(x *tensor.Node) *tensor.Node { return batch.Apply(x, &nn.Mode{}) },
			func(x []float64, p map[string][]float64) []float64 {
				y := make([]float64, len(x))
				for i, v := range x {
					c := i % 3
					y[i] = (v-p["mean"][c])/math.Sqrt(p["variance"][c]+1e-5)*p["scale"][c] + p["shift"][c]
				}
				return y
			}},
		{"layer norm", &layerNorm, []int{2, 3, 5}, layerNorm.Apply, func(x []float64, p map[string][]float64) []float64 {
			return plainNorm(x, 5, p["scale"], p["shift"], func(i int) int { return i / 5 })
		}},
		{"group norm", &group, []int{2, 2, 3, 4}, group.Apply, func(x []float64, p map[string][]float64) []float64 {
			return plainNorm(x, 4, p["scale"], p["shift"], func(i int) int { return i/24*2 + i%4/2 })
		}},
		attentionLayer("attention, one head", 1),
		attentionLayer("attention, two heads", 2),
		{"max pool", &struct{}{}, []int{2, 5, 4, 2}, func(x *tensor.Node) *tensor.Node { return nn.MaxPool(x, 2) },
			func(x []float64, _ map[string][]float64) []float64 { return plainPool(x, [4]int{2, 5, 4, 2}, 2, true) }},
		{"average pool", &struct{}{}, []int{2, 4, 6, 1}, func(x *tensor.Node) *tensor.Node { return nn.AveragePool(x, 2) },
			func(x []float64, _ map[string][]float64) []float64 { return plainPool(x, [4]int{2, 4, 6, 1}, 2, false) }},
		{"global average", &struct{}{}, []int{2, 3, 3, 2}, nn.GlobalAverage,
			func(x []float64, _ map[string][]float64) []float64 { return plainPool(x, [4]int{2, 3, 3, 2}, 3, false) }},
		{"up-sample", &struct{}{}, []int{2, 2, 3, 2}, func(x *tensor.Node) *tensor.Node { return nn.UpSample(x, 2) },
			func(x []float64, _ map[string][]float64) []float64 {
				y := make([]float64, 0, 4*len(x))
				for i := range 2 * 4 * 6 { // picture, row, column of the result
					n, row, column := i/24, i/6%4, i%6
					at := ((n*2+row/2)*3 + column/2) * 2
					y = append(y, x[at], x[at+1])
				}
				return y
			}},
		{"sinusoids", &struct{}{}, []int{5}, func(x *tensor.Node) *tensor.Node { return nn.Sinusoids(x, 3, 0.5, 8) },
			func(x []float64, _ map[string][]float64) []float64 {
				var y []float64
				for _, v := range x {
					y = append(y, math.Sin(0.5*v), math.Sin(2*v), math.Sin(8*v), math.Cos(0.5*v), math.Cos(2*v), math.Cos(8*v))
				}
				return y
			}},
		{"ReLU", &struct{}{}, []int{40}, nn.ReLU, elementwise(func(v float64) float64 { return max(v, 0) })},
		{"leaky ReLU", &struct{}{}, []int{40}, func(x *tensor.Node) *tensor.Node { return nn.LeakyReLU(x, 0.2) },
			elementwise(func(v float64) float64 { return max(v, 0.2*v) })},
		{"ELU", &struct{}{}, []int{40}, nn.ELU, elementwise(func(v float64) float64 { return max(v, 0) + math.Exp(min(v, 0)) - 1 })},
		{"SiLU", &struct{}{}, []int{40}, nn.SiLU, elementwise(func(v float64) float64 { return v / (1 + math.Exp(-v)) })},
		{"GELU", &struct{}{}, []int{40}, nn.GELU, elementwise(func(v float64) float64 { return v * 0.5 * math.Erfc(-v/math.Sqrt2) })},
	}
}

// Every layer against plain loops, and the gradient of Σ c·y by its input and parameters against central differences of
// these loops.
func TestLayers(t *testing.T) {
	const tol = 2e-5 // some 50 float32 operations in a row, in gradients of norms divided by a standard deviation of 0.2
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		for _, l := range layers() {
			t.Run(l.name, func(t *testing.T) {
				ps := nn.Collect(l.module)
				vars, plain := ps.Init(1), map[string][]float64{}
				for i, p := range ps {
					plain[p.Name] = normals(size(p.Dims), uint64(i+10))
					if p.Name == "variance" {
						for j, v := range plain[p.Name] {
							plain[p.Name][j] = float64(float32(0.5 + v*v))
						}
					}
					fill(vars[p.Name].F32, plain[p.Name])
				}
				x := normals(size(l.x), 3)
				want := l.plain(x, plain)
				c := normals(len(want), 4)

				learned := ps.Trainable()
				e := compile(t, b, vars, func(g *tensor.Graph) {
					in := g.Input("x", tensor.Float32, l.x...)
					y := l.apply(in)
					g.Output("y", y)
					weights := tensor.Reshape(g.Input("c", tensor.Float32, len(want)), y.Dims()...)
					by := tensor.Gradient(tensor.Sum(tensor.Mul(y, weights)), append(learned.Nodes(g), in)...)
					for i, p := range learned {
						g.Output(p.Name, by[i])
					}
					g.Output("x", by[len(learned)])
				})
				fill(e.Input("x").F32, x)
				fill(e.Input("c").F32, c)
				run(t, e)
				near(t, "y", e.Output("y").F32, want, tol)

				loss := func() float64 {
					total := 0.0
					for i, v := range l.plain(x, plain) {
						total += c[i] * v
					}
					return total
				}
				near(t, "gradient by x", e.Output("x").F32, differences(x, loss), tol)
				for _, p := range learned {
					near(t, "gradient by "+p.Name, e.Output(p.Name).F32, differences(plain[p.Name], loss), tol)
				}
			})
		}
	})
}

// differences is the gradient of f by the numbers x that it reads, by central differences.
func differences(x []float64, f func() float64) []float64 {
	const h = 1e-5
	d := make([]float64, len(x))
	for i, v := range x {
		x[i] = v + h
		above := f()
		x[i] = v - h
		below := f()
		x[i] = v
		d[i] = (above - below) / (2 * h)
	}
	return d
}

// A bias that is added after the pool gives the bits of one that is added before.
func TestConvApplyMaxPool(t *testing.T) {
	conv := nn.NewConv(2, 20, 3, 1, 1, nn.HeNormal)
	vars := nn.Collect(&conv).Init(1)
	fill(vars["bias"].F32, normals(20, 2))
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		e := compile(t, b, vars, func(g *tensor.Graph) {
			x := g.Input("x", tensor.Float32, 3, 9, 8, 2)
			g.Output("after", conv.ApplyMaxPool(x, 2))
			g.Output("before", nn.MaxPool(conv.Apply(x), 2))
		})
		fill(e.Input("x").F32, normals(3*9*8*2, 3))
		run(t, e)
		for i, want := range e.Output("before").F32 {
			if got := e.Output("after").F32[i]; got != want {
				t.Fatalf("element %d is %v, and %v with the bias before the pool", i, got, want)
			}
		}
	})
}

func TestConvSmallerThanKernel(t *testing.T) {
	conv := nn.NewConv(1, 1, 4, 2, 0, nn.Zeros)
	nn.Collect(&conv)
	_, err := tensor.Build(func(g *tensor.Graph) { g.Output("y", conv.Apply(g.Input("x", tensor.Float32, 1, 3, 3, 1))) })
	if err == nil {
		t.Error("a kernel of 4 on a picture of 3: no error")
	}
}

func TestEmbedding(t *testing.T) {
	table := nn.NewEmbedding(4, 3, nn.Normal(1))
	vars := nn.Collect(&table).Init(1)
	rows := vars["table"].F32
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		e := compile(t, b, vars, func(g *tensor.Graph) { g.Output("y", table.Apply(g.Input("i", tensor.Int32, 2))) })
		copy(e.Input("i").I32, []int32{3, 1})
		run(t, e)
		var want []float64
		for _, v := range append(append([]float32{}, rows[9:12]...), rows[3:6]...) {
			want = append(want, float64(v))
		}
		near(t, "y", e.Output("y").F32, want, 0)
	})
}

func TestDropout(t *testing.T) {
	const n, rate = 10000, 0.3
	onBackends(t, func(t *testing.T, b tensor.Backend) {
		e := compile(t, b, nil, func(g *tensor.Graph) {
			ones := g.Full(tensor.ShapeOf(tensor.Float32, n), 1)
			noise := noise(g)
			g.Output("training", nn.Dropout(ones, rate, &nn.Mode{Training: true, Noise: noise}))
			g.Output("fitted", nn.Dropout(ones, rate, &nn.Mode{Noise: noise}))
		})
		key(e, 1, 2)
		run(t, e)
		kept := 0
		for i, v := range e.Output("training").F32 {
			if v != 0 {
				kept++
				if v != float32(1/(1-rate)) {
					t.Fatalf("element %d is %v, expected 0 or 1/(1-rate)", i, v)
				}
			}
			if e.Output("fitted").F32[i] != 1 {
				t.Fatal("dropout outside training")
			}
		}
		// Binomial: five standard deviations.
		if d := math.Abs(float64(kept) - (1-rate)*n); !(d < 5*math.Sqrt(n*rate*(1-rate))) {
			t.Errorf("%d of %d kept at rate %v", kept, n, rate)
		}
	})
}
