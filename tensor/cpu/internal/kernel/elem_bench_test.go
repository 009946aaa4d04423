package kernel

import (
	"math/rand/v2"
	"testing"
)

// The benchmarks print ns for each element, on operands that fit the level 1 cache unless the name says otherwise.

func benchmark(b *testing.B, name string, elements int, call func()) {
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			call()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(elements), "ns/element")
		b.ReportMetric(0, "ns/op")
	})
}

// atEachLevel runs a benchmark with each set of kernels that this machine has.
func atEachLevel(b *testing.B, body func(b *testing.B)) {
	for l := Detected(); l >= Generic; l-- {
		b.Run(l.String(), func(b *testing.B) {
			defer Use(l)()
			body(b)
		})
	}
}

func normals(n int) []float32 {
	r, x := rand.New(rand.NewPCG(14, 15)), make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func BenchmarkElementwise(b *testing.B) {
	const n = 1024
	atEachLevel(b, func(b *testing.B) {
		k, x, y, z, c := Float32(), normals(n), normals(n), make([]float32, n), make([]bool, n)
		for _, f := range []struct {
			name   string
			kernel Unary
		}{
			{"Neg", k.Neg}, {"Abs", k.Abs}, {"Sign", k.Sign}, {"Sqrt", k.Sqrt}, {"Rsqrt", k.Rsqrt}, {"Floor", k.Floor},
			{"Round", k.Round}, {"Exp", k.Exp}, {"Expm1", k.Expm1}, {"Log", k.Log}, {"Log1p", k.Log1p}, {"Tanh", k.Tanh},
			{"Sigmoid", k.Sigmoid}, {"Softplus", k.Softplus}, {"Erf", k.Erf}, {"Sin", k.Sin}, {"Cos", k.Cos},
		} {
			benchmark(b, f.name, n, func() { f.kernel(z, x) })
		}
		for _, f := range []struct {
			name   string
			kernel Binary
		}{{"Add", k.Add}, {"Sub", k.Sub}, {"Mul", k.Mul}, {"Div", k.Div}, {"Pow", k.Pow}, {"Min", k.Min}, {"Max", k.Max}} {
			benchmark(b, f.name+".VV", n, func() { f.kernel.VV(z, x, y) })
			benchmark(b, f.name+".VS", n, func() { f.kernel.VS(z, x, 1.5) })
		}
		benchmark(b, "Less.VV", n, func() { k.Less.VV(c, x, y) })
		benchmark(b, "Less.VS", n, func() { k.Less.VS(c, x, 0) })
		benchmark(b, "IsFinite", n, func() { k.IsFinite(c, x) })
		benchmark(b, "Select.VV", n, func() { k.Select.VV(z, c, x, y) })
		benchmark(b, "Select.VS", n, func() { k.Select.VS(z, c, x, 0) })
		benchmark(b, "FromBool", n, func() { k.FromBool(z, c) })
		benchmark(b, "Fill", n, func() { k.Fill(z, 1) })
	})
}

// BenchmarkCall is the cost of one call: an addition of 16 elements.
func BenchmarkCall(b *testing.B) {
	k, x := Float32(), make([]float32, 16)
	benchmark(b, "Add of 16", 1, func() { k.Add.VV(x, x, x) })
}

func BenchmarkReduce(b *testing.B) {
	atEachLevel(b, func(b *testing.B) {
		k, x, y := Float32(), normals(1<<20), make([]float32, 1<<12)
		benchmark(b, "RowSum/1x1048576", 1<<20, func() { k.RowSum(y[:1], x, 1, 1<<20) })
		benchmark(b, "RowSum/1x8192", 1<<13, func() { k.RowSum(y[:1], x[:1<<13], 1, 1<<13) })
		benchmark(b, "RowSum/128x10", 1280, func() { k.RowSum(y[:128], x[:1280], 128, 10) })
		benchmark(b, "RowSum/128x512", 128*512, func() { k.RowSum(y[:128], x[:128*512], 128, 512) })
		benchmark(b, "RowMax/1x8192", 1<<13, func() { k.RowMax(y[:1], x[:1<<13], 1, 1<<13) })
		benchmark(b, "RowMax/128x10", 1280, func() { k.RowMax(y[:128], x[:1280], 128, 10) })
		index := make([]int32, 128)
		benchmark(b, "ArgMax/128x10", 1280, func() { k.ArgMax(index, x[:1280], 128, 10) })
		benchmark(b, "ColSum/128x512", 128*512, func() { k.ColSum(y[:512], x, 128, 512) })
		benchmark(b, "ColSum/128x10", 1280, func() { k.ColSum(y[:10], x, 128, 10) })
		benchmark(b, "ColMax/128x512", 128*512, func() { k.ColMax(y[:512], x, 128, 512) })
	})
}

func BenchmarkRandom(b *testing.B) {
	const n = 1024
	atEachLevel(b, func(b *testing.B) {
		words, x, key := make([]uint32, n), make([]float32, n), [2]uint32{1, 2}
		benchmark(b, "Bits", n, func() { Random().Bits(words, key, 3, 4) })
		benchmark(b, "Uniform", n, func() { Random().Uniform(x, key, 3, 4) })
		benchmark(b, "Normal", n, func() { Random().Normal(x, key, 3, 4) })
	})
}
