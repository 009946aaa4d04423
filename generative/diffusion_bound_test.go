package generative

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// boundMoments is the mean of bounds on the value u of one element, and its standard error.
func boundMoments(t *testing.T, l noiseLadder, u float32, n int, d rowDenoiser, decoder func(x, z []float32) float64) (mean, se float64) {
	t.Helper()
	dst := make([]float64, n)
	x := data.Batch{Shape: data.RowShape(1), X: slices.Repeat([]float32{u}, n)}
	if err := l.bound(dst, x, d, decoder, rand.New(rand.NewPCG(1, 2))); err != nil {
		t.Fatal(err)
	}
	square := 0.0
	for _, v := range dst {
		mean += v / float64(n)
		square += v * v / float64(n)
	}
	return mean, math.Sqrt((square - mean*mean) / float64(n))
}

// TestBoundOfNormal: with the best denoiser of N(centre, width²) the bound is tight, but for what the finite number of levels
// costs.
func TestBoundOfNormal(t *testing.T) {
	rows := &data.Transform{Steps: []data.Step{{Scale: 1}}}
	l := noiseLadder{boundColumn}
	d := func(dst, z, logSigma []float32) error {
		for i := range z {
			if err := gaussDenoiser(dst[i:i+1], z[i:i+1], math.Exp(float64(logSigma[i]))); err != nil {
				return err
			}
		}
		return nil
	}
	for _, x := range []float64{-0.4, 0.3, 1.5} {
		u := (x - gaussCentre) / gaussWidth
		want := -u*u/2 - math.Log(gaussWidth) - math.Log(2*math.Pi)/2
		mean, se := boundMoments(t, l, float32(x), 40_000, d, rowDecoder(rows, l.least))
		if !(mean <= want+4*se && mean >= want-4*se-0.02) {
			t.Errorf("x = %v: the bound is %v ± %v, log p(x) is %v", x, mean, se, want)
		}
	}
}

// TestBoundOfPixels: the same for a pixel of five values, of which the best denoiser is a sum over them. The model's p(x) is not quite
// the data's: from z_0, which is of the data with noise of σ_0, the decoder may read a neighbour.
func TestBoundOfPixels(t *testing.T) {
	const largest = 4
	p := []float64{0.5, 0.02, 0.08, 0.1, 0.3}
	level := func(k int) float64 { return 2*float64(k)/largest - 1 }
	l := noiseLadder{0.1 * 2 / largest} // less than boundPixel, which makes p(x|z_0) and the bound less sharp
	d := func(dst, z, logSigma []float32) error {
		for i := range z {
			top, bottom := 0.0, 0.0
			for k, share := range p {
				e := (float64(z[i]) - level(k)) / math.Exp(float64(logSigma[i]))
				weight := share * math.Exp(-e*e/2)
				top, bottom = top+weight*level(k), bottom+weight
			}
			if dst[i] = float32(top / bottom); bottom == 0 { // far from all: the nearest
				dst[i] = float32(level(int(math.Round(min(max((float64(z[i])+1)/2*largest, 0), largest)))))
			}
		}
		return nil
	}
	decoder := pixelDecoder(largest, l.least)
	for k := range p {
		read := 0.0 // p(x): Σ_j p_j ∫ N(z; level j, σ_0²) p(k|z) dz
		for j, share := range p {
			const steps, edge = 2001, 8.0
			for i := range steps {
				u := -edge + 2*edge*float64(i)/(steps-1)
				z := float32(level(j) + l.least*u)
				read += share * math.Exp(-u*u/2+decoder([]float32{float32(level(k))}, []float32{z})) / math.Sqrt(2*math.Pi) * 2 * edge / (steps - 1)
			}
		}
		mean, se := boundMoments(t, l, float32(level(k)), 40_000, d, decoder)
		if want := math.Log(read); !(mean <= want+4*se && mean >= want-4*se-0.05) {
			t.Errorf("value %d: the bound is %v ± %v, log p(x) is %v", k, mean, se, want)
		}
	}
}

// TestDecodersAddUp: the probabilities of all values of a pixel, or of all levels of a column, add up to 1 wherever z is.
func TestDecodersAddUp(t *testing.T) {
	const largest = 16
	pixel := pixelDecoder(largest, boundPixel*2/largest)
	column := rowDecoder(&data.Transform{Steps: []data.Step{{Levels: []string{"a", "b", "c"}, OneHot: true, Scale: 1}}}, 0.3)
	for _, z := range []float32{-3, -1, -0.97, 0.03, 0.7, 1.2} {
		sum := 0.0
		for k := range largest + 1 {
			sum += math.Exp(pixel([]float32{2*float32(k)/largest - 1}, []float32{z}))
		}
		if !(math.Abs(sum-1) <= 1e-9) {
			t.Errorf("z = %v: the probabilities of pixels add up to %v", z, sum)
		}
		sum = 0
		for k := range 3 {
			x := make([]float32, 3)
			x[k] = 1
			sum += math.Exp(column(x, []float32{z, 0.2, -z}))
		}
		if !(math.Abs(sum-1) <= 1e-9) {
			t.Errorf("z = %v: the probabilities of levels add up to %v", z, sum)
		}
	}
}

// TestBoundInRawUnits: columns in other units have another density, by the logarithm of the scale. The table is otherwise the
// same, and so are network and draws.
func TestBoundInRawUnits(t *testing.T) {
	const scale = 8
	values := correlated(64, rand.New(rand.NewPCG(3, 4)))
	larger := make([]float32, len(values))
	for i, v := range values {
		larger[i] = scale * v
	}
	var bounds [2][]float64
	for i, v := range [][]float32{values, larger} {
		set := numbers(t, 2, v, nil)
		m, _ := fit(t, tinyDiffusion(), set, model.Run{Threads: 1})
		bounds[i] = make([]float64, set.Len())
		if err := m.(model.Bound).LogBound(bounds[i], read(t, set), rand.New(rand.NewPCG(1, 1))); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range bounds[0] {
		if want := v - 2*math.Log(scale); !(math.Abs(bounds[1][i]-want) <= 1e-6*(1+math.Abs(want))) {
			t.Fatalf("row %d: %v in larger units, %v in smaller, expected %v", i, bounds[1][i], v, want)
		}
	}
}
