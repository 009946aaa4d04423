package generative

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// augmented runs a function of pictures and noise, [n, h, w, c], on random pictures without zeros.
func augmented(t *testing.T, n, h, w, c int, f func(x *tensor.Node, noise *nn.Noise) *tensor.Node) (x, y []float32) {
	t.Helper()
	prog, err := tensor.Build(func(g *tensor.Graph) {
		noise := &nn.Noise{Key: g.Input("key", tensor.Uint32, 2)}
		g.Output("y", f(g.Input("x", tensor.Float32, n, h, w, c), noise))
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := reference.New().Compile(prog, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	x = e.Input("x").F32
	for i := range x {
		x[i] = 0.1 + r.Float32()
	}
	copy(e.Input("key").U32, []uint32{3, 4})
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x, e.Output("y").F32
}

// TestTranslate: every picture is moved by one of the allowed shifts, zeros come in, and every shift occurs.
func TestTranslate(t *testing.T) {
	const n, h, w, c = 200, 8, 12, 2
	x, y := augmented(t, n, h, w, c, translate)
	found := map[[2]int]int{}
	for i := range n {
		at := func(p []float32, row, column, channel int) float32 {
			if row < 0 || row >= h || column < 0 || column >= w {
				return 0
			}
			return p[((i*h+row)*w+column)*c+channel]
		}
		matches := func(dy, dx int) bool {
			for k := range h * w * c {
				row, column, channel := k/c/w, k/c%w, k%c
				if at(y, row, column, channel) != at(x, row+dy, column+dx, channel) {
					return false
				}
			}
			return true
		}
		hits := 0
		for dy := -1; dy <= 1; dy++ { // an eighth of 8
			for dx := -2; dx <= 2; dx++ { // of 12, rounded
				if matches(dy, dx) {
					found[[2]int{dy, dx}]++
					hits++
				}
			}
		}
		if hits != 1 {
			t.Fatalf("picture %d is %d of the allowed translations of its original, expected 1", i, hits)
		}
	}
	if len(found) != 15 {
		t.Errorf("%d of the 15 translations occur in %d pictures: %v", len(found), n, found)
	}
}

// TestCutOut: what is cut is a rectangle of half the sides, or the part of it inside, and nothing else changes.
func TestCutOut(t *testing.T) {
	const n, h, w, c = 200, 8, 7, 2
	x, y := augmented(t, n, h, w, c, cutOut)
	covered := make([]int, h*w)
	for i := range n {
		top, bottom, left, right, count := h, -1, w, -1, 0
		for k := range h * w * c {
			v, original := y[i*h*w*c+k], x[i*h*w*c+k]
			if v == original {
				continue
			}
			row, column := k/c/w, k/c%w
			if v != 0 {
				t.Fatalf("picture %d has %v at %d, %d, expected 0 or %v", i, v, row, column, original)
			}
			count++
			covered[row*w+column]++
			top, bottom, left, right = min(top, row), max(bottom, row), min(left, column), max(right, column)
		}
		height, width := bottom-top+1, right-left+1
		if count != height*width*c || height > 4 || width > 4 || (height < 4 && top > 0 && bottom < h-1) || (width < 4 && left > 0 && right < w-1) {
			t.Fatalf("picture %d: %d elements cut between rows %d to %d and columns %d to %d, expected a rectangle of 4x4 or a part at the edge",
				i, count, top, bottom, left, right)
		}
	}
	for k, times := range covered {
		if times == 0 {
			t.Errorf("place %d, %d is never cut in %d pictures", k/w, k%w, n)
		}
	}
}

// TestStretch: the distances from a picture's mean are all multiplied by the same factor.
func TestStretch(t *testing.T) {
	const n, size = 5, 12
	x, y := augmented(t, n, 2, 2, 3, func(x *tensor.Node, noise *nn.Noise) *tensor.Node {
		return stretch(x, tensor.AddScalar(noise.Uniform(n, 1, 1, 1), 0.5), 1, 2, 3)
	})
	for i := range n {
		mean := 0.0
		for _, v := range x[i*size : (i+1)*size] {
			mean += float64(v) / size
		}
		first := 0.0
		for k := i * size; k < (i+1)*size; k++ {
			factor := (float64(y[k]) - mean) / (float64(x[k]) - mean)
			if k == i*size {
				first = factor
			}
			if !(factor >= 0.5 && factor < 1.5 && math.Abs(factor-first) <= 1e-4) {
				t.Fatalf("picture %d is stretched by %v and %v, expected one factor from 0.5 to 1.5", i, first, factor)
			}
		}
	}
}

// TestDiffAugment: colour and grey pictures stay finite and in the range that brightness and contrast allow, no two are
// changed alike, and the gradient reaches what is not cut out.
func TestDiffAugment(t *testing.T) {
	for _, channels := range []int{1, 3} {
		const n, h, w = 20, 8, 8
		x, y := augmented(t, n, h, w, channels, func(x *tensor.Node, noise *nn.Noise) *tensor.Node {
			out := diffAugment(x, noise)
			return tensor.Concat(0, out, tensor.Gradient(tensor.Sum(out), x)[0])
		})
		out, gradient := y[:len(x)], y[len(x):]
		zeros, reached := 0, 0
		for i, v := range out {
			if !(math.Abs(float64(v)) <= 1.5*1.6+2*1.1) {
				t.Fatalf("%d channels: element %d of %v became %v", channels, i, x[i], v)
			}
			if v == 0 {
				zeros++
			}
			if gradient[i] != 0 {
				reached++
			}
		}
		if zeros < len(out)/32 || zeros > len(out)/2 || reached < len(out)/2 {
			t.Errorf("%d channels: %d of %d elements are cut out, the gradient reaches %d", channels, zeros, len(out), reached)
		}
	}
}
