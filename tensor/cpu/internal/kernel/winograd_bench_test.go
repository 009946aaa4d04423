package kernel

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// filteredShapes are the layers of small networks that go by minimal filtering.
var filteredShapes = []struct {
	name string
	ConvGeometry
}{
	{"3x3x16-16,28x28", square(16, 16, 28, 3, 28, 1, 1)},
	{"3x3x32-32,28x28", square(32, 32, 28, 3, 28, 1, 1)},
	{"3x3x32-64,14x14", square(32, 64, 14, 3, 14, 1, 1)},
	{"3x3x64-64,14x14", square(64, 64, 14, 3, 14, 1, 1)},
	{"3x3x128-128,7x7", square(128, 128, 7, 3, 7, 1, 1)},
	{"4x4s2x64-128,14x14", square(64, 128, 14, 4, 7, 2, 1)},
}

// BenchmarkFiltered compares minimal filtering with the direct sums, both in the operations of the latter. Other work
// on the machine disturbs it less as it reports the fastest run.
func BenchmarkFiltered(b *testing.B) {
	b.Run("float32", benchmarkFiltered[float32])
	b.Run("float64", benchmarkFiltered[float64])
}

func benchmarkFiltered[T float](b *testing.B) {
	for _, l := range levels()[1:] {
		for _, s := range filteredShapes {
			g := s.ConvGeometry
			g.N = 128
			c := newConvCase[T](g, 1)
			for _, v := range []*[]T{&c.x, &c.w, &c.y} { // on cache lines, as an arena has them
				*v = append(reserve([]T(nil), len(*v))[:0], *v...)
			}
			flops := 2 * float64(len(c.y)) * float64(g.CI*g.taps())
			var ws Workspace
			partials := reserve[T](nil, ConvWParts*len(c.w))
			restore := Use(l)
			filteredY, filteredX, filteredW := PlanConvY[T](&g), PlanConvX[T](&g), PlanConvW[T](&g)
			directY, directX, directW := directConv[T](&g)
			restore()
			images := func(p *ConvPlan[T], in, out []T) func() {
				packed := reserve[T](nil, p.Packed())
				return func() {
					repack(&ws, p, c.w, packed)
					p.Images(&ws, 0, g.N, packed, in, out)
				}
			}
			weights := func(p *ConvWPlan[T]) func() {
				return func() {
					for i := range ConvWParts {
						p.Part(&ws, i, c.x, c.y, partials[i*len(c.w):][:len(c.w)])
					}
					ConvWSum(partials, c.w, 0, len(c.w))
				}
			}
			for _, way := range []struct {
				name             string
				filtered, direct func()
			}{
				{"Y", images(filteredY, c.x, c.y), images(directY, c.x, c.y)},
				{"X", images(filteredX, c.y, c.x), images(directX, c.y, c.x)},
				{"W", weights(filteredW), weights(directW)},
			} {
				b.Run(fmt.Sprintf("%v/%s/%s", l, s.name, way.name), func(b *testing.B) {
					filtered, direct := math.Inf(1), math.Inf(1)
					for b.Loop() {
						start := time.Now()
						way.filtered()
						middle := time.Now()
						way.direct()
						filtered, direct = min(filtered, middle.Sub(start).Seconds()), min(direct, time.Since(middle).Seconds())
					}
					b.ReportMetric(flops/filtered*1e-9, "filtered-GFLOP/s")
					b.ReportMetric(flops/direct*1e-9, "direct-GFLOP/s")
				})
			}
		}
	}
}
