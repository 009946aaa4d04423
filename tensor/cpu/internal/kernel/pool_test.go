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
				value, index := floats(len(got.s), n%5), int32s(len(got.s), n%3)
				alone := floats(len(got.s), n%3)
				Float32().MaxPool(value.s, index.s, x.s, &p)
				Float32().MaxPoolValue(alone.s, x.s, &p)
				if !slices.Equal(index.s, got.s) {
					t.Fatalf("%+v: MaxPool and MaxPoolIndex differ in the index", p)
				}
				for i, at := range got.s {
					if !same(value.s[i], x.s[at]) || !same(alone.s[i], x.s[at]) {
						t.Fatalf("%+v: value %d is %g, without indices %g, want %g", p, i, value.s[i], alone.s[i], x.s[at])
					}
				}
				if !value.intact() || !index.intact() || !alone.intact() {
					t.Fatalf("%+v: wrote outside the results", p)
				}
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

// apart reports whether no two windows of the run share an element.
func (r *PoolRun) apart() bool {
	seen := map[int]bool{}
	for i := range r.Windows {
		for row := range r.Rows {
			for p := range r.Cols * r.Channels {
				at := r.First + i*r.Step + row*r.RowStep + p
				if seen[at] {
					return false
				}
				seen[at] = true
			}
		}
	}
	return true
}

// TestMaxUnpool: a run of windows apart gives the bits of a cleared image and a scatter-add, in the windows and nowhere
// else; one with overlap is refused.
func TestMaxUnpool(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(22, 4))
		overlap := 0
		for n, p := range poolRuns() {
			end := p.First + max(0, p.Windows-1)*p.Step + (p.Rows-1)*p.RowStep + p.Cols*p.Channels
			dst, y, index := floats(end, n%16), floats(p.Windows*p.Channels, n%5), int32s(p.Windows*p.Channels, n%3)
			fillMixed(r, y.s)
			if !p.apart() {
				overlap++
				if !panics(func() { Float32().MaxUnpool(dst.s, y.s, index.s, &p) }) {
					t.Fatalf("%+v: overlap was accepted", p)
				}
				continue
			}
			want := slices.Clone(dst.s) // guards outside the windows
			for i := range index.s {
				row, col := r.IntN(p.Rows), r.IntN(p.Cols)
				index.s[i] = int32(p.First + i/p.Channels*p.Step + row*p.RowStep + col*p.Channels + i%p.Channels)
				if r.IntN(4) == 0 {
					y.s[i] = float32(math.Copysign(0, -1))
				}
			}
			for i := range p.Windows {
				for row := range p.Rows {
					clear(want[p.First+i*p.Step+row*p.RowStep:][:p.Cols*p.Channels])
				}
			}
			scatterAdd(want, y.s, index.s)
			Float32().MaxUnpool(dst.s, y.s, index.s, &p)
			for i, w := range want {
				if !same(dst.s[i], w) {
					t.Fatalf("%+v: element %d is %g, want %g", p, i, dst.s[i], w)
				}
			}
			if !dst.intact() {
				t.Fatalf("%+v: wrote outside the image", p)
			}
		}
		if overlap == 0 {
			t.Error("no run overlaps")
		}
	})
}

// TestMaxUnpoolTiles: windows that tile an image write the whole of it.
func TestMaxUnpoolTiles(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for _, channels := range []int{1, 3, 8, 16, 24, 33} {
			const size, half = 6, 3
			row := size * channels
			x, dst := normals(size*row), floats(size*row, 3)
			var y []float32
			var all []int32
			for oy := range half {
				run := PoolRun{First: 2 * oy * row, Rows: 2, Cols: 2, RowStep: row, Windows: half, Step: 2 * channels, Channels: channels}
				value, index := make([]float32, half*channels), make([]int32, half*channels)
				Float32().MaxPool(value, index, x, &run)
				Float32().MaxUnpool(dst.s, value, index, &run)
				y, all = append(y, value...), append(all, index...)
			}
			want := make([]float32, len(x))
			scatterAdd(want, y, all)
			if !slices.Equal(dst.s, want) { // which no NaN passes
				t.Errorf("%d channels: %v, want %v", channels, dst.s, want)
			}
		}
	})
}

// scatterAdd adds y[i] to dst[index[i]] in order of i.
func scatterAdd(dst, y []float32, index []int32) {
	for i, at := range index {
		dst[at] += y[i]
	}
}

func panics(call func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	call()
	return false
}

func TestPoolingChecksItsOperands(t *testing.T) {
	good := PoolRun{First: 1, Rows: 2, Cols: 2, RowStep: 9, Windows: 2, Step: 4, Channels: 2}
	x := make([]float32, 18) // 1 + 4 + 9 + 4
	bad := []PoolRun{good, good, good, good}
	bad[0].First = -1
	bad[1].First = 2
	bad[2].Rows = 0
	bad[3].Windows = 3
	atEveryLevel(t, func(t *testing.T) {
		k, four, y := Float32(), make([]int32, 4), make([]float32, 4)
		calls := map[string]func(p *PoolRun){
			"MaxPoolIndex": func(p *PoolRun) { k.MaxPoolIndex(four, x, p) },
			"MaxPool":      func(p *PoolRun) { k.MaxPool(y, four, x, p) },
			"MaxPoolValue": func(p *PoolRun) { k.MaxPoolValue(y, x, p) },
			"MaxUnpool":    func(p *PoolRun) { k.MaxUnpool(x, y, four, p) },
		}
		for name, call := range calls {
			call(&good)
			for _, p := range bad {
				if !panics(func() { call(&p) }) {
					t.Errorf("%s: %+v was accepted", name, p)
				}
			}
		}
		if !panics(func() { k.MaxPool(y[:3], four, x, &good) }) || !panics(func() { k.MaxUnpool(x, y[:3], four, &good) }) {
			t.Error("operands of different lengths were accepted")
		}
	})
}

func BenchmarkMaxPool(b *testing.B) {
	atEachLevel(b, func(b *testing.B) {
		for _, c := range []int{1, 3, 32, 64} {
			p := PoolRun{Rows: 2, Cols: 2, RowStep: 28 * c, Windows: 14, Step: 2 * c, Channels: c}
			x, y, index := normals(56*c), make([]float32, 14*c), make([]int32, 14*c)
			k := Float32()
			benchmark(b, fmt.Sprintf("MaxPoolIndex/%d channels", c), len(index), func() { k.MaxPoolIndex(index, x, &p) })
			benchmark(b, fmt.Sprintf("MaxPool/%d channels", c), len(index), func() { k.MaxPool(y, index, x, &p) })
			benchmark(b, fmt.Sprintf("MaxUnpool/%d channels", c), len(index), func() { k.MaxUnpool(x, y, index, &p) })
		}
	})
}
