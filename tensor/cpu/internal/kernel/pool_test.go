package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func int32s(n, offset int) fenced[int32] {
	const guard = -77
	return newFenced(n, offset, guard, func(x int32) bool { return x == guard })
}

// poolRuns are windows side by side, apart and overlapping, of every number of channels around the vectors.
func poolRuns() []PoolRun {
	var runs []PoolRun
	for c := 1; c <= 35; c++ {
		height, width := 1+c%3, 1+c/3%3
		row := 20 * c // elements of x in a row
		runs = append(runs,
			PoolRun{First: 0, Rows: height, Cols: width, RowStep: row, Windows: 5, Step: width * c, Channels: c},
			PoolRun{First: 2 * c, Rows: width, Cols: height, RowStep: row, Windows: 4, Step: c, Channels: c},
			PoolRun{First: c, Rows: 2, Cols: 2, RowStep: row, Windows: c % 2, Step: 3 * c, Channels: c},
		)
	}
	return append(runs,
		PoolRun{First: 0, Rows: 2, Cols: 2, RowStep: 10 * 64, Windows: 5, Step: 128, Channels: 64},
		PoolRun{First: 100, Rows: 3, Cols: 3, RowStep: 900, Windows: 4, Step: 200, Channels: 100})
}

// firstGreatest is the first position of v that holds a NaN, or else the maximum.
func firstGreatest(v []float64) int {
	if i := slices.IndexFunc(v, math.IsNaN); i >= 0 {
		return i
	}
	return slices.Index(v, slices.Max(v))
}

func TestMaxPoolIndex(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(21, 4))
		for n, p := range poolRuns() {
			for _, kind := range []string{"ordinary", "special", "ties"} {
				end := p.First + max(0, p.Windows-1)*p.Step + (p.Rows-1)*p.RowStep + p.Cols*p.Channels
				x, got := floats(end, n%16), int32s(p.Windows*p.Channels, n%7)
				wide := make([]float64, end)
				for i := range x.s {
					switch x.s[i] = float32(r.NormFloat64()); {
					case kind == "special" && r.IntN(3) > 0:
						x.s[i] = edges()[r.IntN(len(edges()))]
					case kind == "ties":
						x.s[i] = float32(r.IntN(2))
					}
					wide[i] = float64(x.s[i])
				}
				got64 := make([]int32, len(got.s))
				Float32().MaxPoolIndex(got.s, x.s, &p)
				MaxPoolIndex64(got64, wide, &p)
				for i, at := range got.s {
					var places []int
					var values []float64
					for row := range p.Rows {
						for col := range p.Cols {
							place := p.First + i/p.Channels*p.Step + row*p.RowStep + col*p.Channels + i%p.Channels
							places, values = append(places, place), append(values, wide[place])
						}
					}
					if want := places[firstGreatest(values)]; int(at) != want || int(got64[i]) != want {
						t.Fatalf("%+v: result %d is %d, for float64 %d, want %d: %v at %v", p, i, at, got64[i], want, values, places)
					}
				}
				if !got.intact() {
					t.Fatalf("%+v: wrote outside the results", p)
				}
			}
		}
	})
}

func TestMaxPoolIndexChecksItsOperands(t *testing.T) {
	good := PoolRun{First: 1, Rows: 2, Cols: 2, RowStep: 9, Windows: 2, Step: 4, Channels: 2}
	x := make([]float32, 18) // 1 + 4 + 9 + 4
	Float32().MaxPoolIndex(make([]int32, 4), x, &good)
	bad := []PoolRun{good, good, good, good}
	bad[0].First = -1
	bad[1].First = 2
	bad[2].Rows = 0
	bad[3].Windows = 3
	for _, p := range bad {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was accepted", p)
				}
			}()
			Float32().MaxPoolIndex(make([]int32, 4), x, &p)
		}()
	}
}

func BenchmarkMaxPoolIndex(b *testing.B) {
	atEachLevel(b, func(b *testing.B) {
		for _, c := range []int{1, 3, 32, 64} {
			p := PoolRun{Rows: 2, Cols: 2, RowStep: 28 * c, Windows: 14, Step: 2 * c, Channels: c}
			x, index := normals(56*c), make([]int32, 14*c)
			benchmark(b, fmt.Sprintf("%d channels", c), len(index), func() { Float32().MaxPoolIndex(index, x, &p) })
		}
	})
}
