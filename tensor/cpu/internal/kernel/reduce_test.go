package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// sizes are around the thresholds of the reductions: lanes, tails, unrolled columns, blocks of columns, parts of rows.
var sizes = []int{0, 1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200, 255, 256, 257, 300, 1000}

func drawMatrix(t *rapid.T) (x []float32, rows, cols, ldx int) {
	rows = rapid.SampledFrom(sizes[:20]).Draw(t, "rows")
	cols = rapid.SampledFrom(sizes).Draw(t, "cols")
	ldx = cols + rapid.IntRange(0, 20).Draw(t, "further columns")
	special := rapid.Bool().Draw(t, "special values")
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	g := floats(rows*ldx, rapid.IntRange(0, 16).Draw(t, "offset"))
	for i := range g.s {
		if g.s[i] = float32(r.NormFloat64()); special && r.IntN(200) == 0 {
			g.s[i] = edges()[r.IntN(len(edges()))]
		}
	}
	return g.s, rows, cols, ldx
}

// packed drops what lies between the rows.
func packed(x []float32, rows, cols, ldx int) []float32 {
	y := make([]float32, 0, rows*cols)
	for i := range rows {
		y = append(y, x[i*ldx:][:cols]...)
	}
	return y
}

// checkSum demands |got - Σv| ≤ depth·2^-24·Σ|v|, the bound of any order of additions of that depth.
func checkSum(t *rapid.T, what string, got float32, v []float32, depth int) {
	var sum, size float64
	for _, x := range v {
		sum += float64(x)
		size += math.Abs(float64(x))
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) || size > math.MaxFloat32 {
		if math.IsNaN(sum) && got == got {
			t.Fatalf("%s = %g, want NaN", what, got)
		}
		return
	}
	if d := math.Abs(float64(got) - sum); !(d <= float64(depth)*0x1p-24*size) {
		t.Fatalf("%s = %g, want %g", what, got, sum)
	}
}

// checkMax demands the maximum of v, or NaN if v has one.
func checkMax(t *rapid.T, what string, got float32, v []float32) {
	want := math.Inf(-1)
	for _, x := range v {
		if x != x {
			want = math.NaN()
		}
		want = math.Max(want, float64(x))
	}
	for _, x := range v {
		if x != x {
			want = math.NaN() // math.Max(NaN, +Inf) is +Inf
		}
	}
	if d := float64(got); d != want && !(math.IsNaN(d) && math.IsNaN(want)) {
		t.Fatalf("%s = %g, want %g", what, got, want)
	}
}

func TestRowReductions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, rows, cols, ldx := drawMatrix(t)
		x = packed(x, rows, cols, ldx)
		sum, top := make([]float32, rows), make([]float32, rows)
		rowSum(sum, x, rows, cols)
		rowMax(top, x, rows, cols)
		for i := range rows {
			row := x[i*cols:][:cols]
			checkSum(t, fmt.Sprintf("sum of row %d of (%d, %d)", i, rows, cols), sum[i], row, cols/lanes+5)
			checkMax(t, fmt.Sprintf("maximum of row %d of (%d, %d)", i, rows, cols), top[i], row)
		}
		for l := Generic; l <= Detected(); l++ {
			got := floats(rows, 3)
			float32Tables[l].RowSum(got.s, x, rows, cols)
			checkSame(t, l, "RowSum", got, sum)
			float32Tables[l].RowMax(got.s, x, rows, cols)
			checkSame(t, l, "RowMax", got, top)
			if rows > 0 && cols > 0 {
				index := make([]int32, rows)
				float32Tables[l].ArgMax(index, x, rows, cols)
				for i, j := range index {
					checkArgMax(t, x[i*cols:][:cols], int(j))
				}
			}
		}
	})
}

func checkSame(t *rapid.T, l Level, what string, got fenced[float32], want []float32) {
	for i := range want {
		if !same(got.s[i], want[i]) {
			t.Fatalf("%s: element %d of %d is %g at level %s, %g in plain Go", what, i, len(want), got.s[i], l, want[i])
		}
	}
	if !got.intact() {
		t.Fatalf("%s at level %s wrote outside its result", what, l)
	}
}

// checkArgMax demands that row[j] is the first NaN, or, in a row without NaN, that all before it are less and none is
// greater.
func checkArgMax(t *rapid.T, row []float32, j int) {
	top := row[j]
	for i, v := range row {
		if i < j && v != v || top == top && (v != v || v > top || i < j && v == top) {
			t.Fatalf("ArgMax chose element %d, %g, but element %d is %g", j, top, i, v)
		}
	}
}

func TestColumnReductions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, rows, cols, ldx := drawMatrix(t)
		sum, top := make([]float32, cols), make([]float32, cols)
		float32Generic.ColSum(sum, x, rows, ldx)
		float32Generic.ColMax(top, x, rows, ldx)
		column := make([]float32, rows)
		for j := range cols {
			for i := range rows {
				column[i] = x[i*ldx+j]
			}
			checkSum(t, fmt.Sprintf("sum of column %d of (%d, %d)", j, rows, cols), sum[j], column, rows/ColParts+4)
			checkMax(t, fmt.Sprintf("maximum of column %d of (%d, %d)", j, rows, cols), top[j], column)
		}
		split := rapid.IntRange(0, cols).Draw(t, "split")
		for l := Generic; l <= Detected(); l++ {
			got := floats(cols, 3)
			for _, part := range [][2]int{{0, split}, {split, cols}} {
				if rows > 0 {
					float32Tables[l].ColSum(got.s[part[0]:part[1]], x[part[0]:], rows, ldx)
				} else {
					float32Tables[l].ColSum(got.s[part[0]:part[1]], nil, rows, ldx)
				}
			}
			checkSame(t, l, "ColSum", got, sum)
			float32Tables[l].ColMax(got.s, x, rows, ldx)
			checkSame(t, l, "ColMax", got, top)
			parts := floats(ColParts*cols, 5)
			inParts := func(what string, neutral float32, on, whole func(dst, x []float32, rows, ldx int), want []float32) {
				for i := range ColParts {
					from, to := ColPart(rows, i)
					part := parts.s[i*cols : (i+1)*cols]
					fill(part, neutral)
					between := from + (to-from)/3 // a part may come in pieces
					on(part, x[from*ldx:], between-from, ldx)
					on(part, x[between*ldx:], to-between, ldx)
				}
				whole(got.s, parts.s, ColParts, cols)
				checkSame(t, l, what, got, want)
				checkSame(t, l, what, parts, parts.s)
			}
			inParts("ColSum in parts", 0, float32Tables[l].ColSumOn, float32Tables[l].ColSum, sum)
			inParts("ColMax in parts", -inf32, float32Tables[l].ColMaxOn, float32Tables[l].ColMax, top)
		}
	})
}

// TestRowSumOrder shows the order that reduce.go defines, on a row where any other order gives another sum.
func TestRowSumOrder(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		x := make([]float32, 34)
		x[0], x[16], x[32] = 0x1p24, 1, -0x1p24 // lane 0: the 1 is lost
		x[1], x[9], x[17] = 1, 0x1p24, 1        // lanes 1 and 9: 1+1 joins 2^24 whole
		var y [1]float32
		Float32().RowSum(y[:], x, 1, len(x))
		if y[0] != 0x1p24+2 {
			t.Errorf("the sum is %g, want %g", y[0], float32(0x1p24+2))
		}
	})
}

// TestColSumOrder does the same for columns: of 16 rows each part has two, and the 1 beside 2^24 is lost, but the part
// with 1+1 is not.
func TestColSumOrder(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		x := make([]float32, 16*3)
		x[0*3+1], x[1*3+1], x[2*3+1], x[3*3+1] = 0x1p24, 1, 1, 1
		var y [3]float32
		Float32().ColSum(y[:], x, 16, 3)
		if want := [3]float32{0, 0x1p24 + 2, 0}; y != want {
			t.Errorf("the sums are %g, want %g", y, want)
		}
	})
}
