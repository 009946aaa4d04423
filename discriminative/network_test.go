package discriminative

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/model/modeltest"
	"github.com/likely-ml/likely/train"
)

// smallMLP and smallCNN have everything that the defaults have, and train in a moment.
func smallMLP() *MLP {
	r := model.NewRecipe[MLP]()
	r.Hidden, r.Epochs, r.Batch, r.Patience = []int{24, 16}, 3, 32, 2
	return r
}

func smallCNN() *CNN {
	r := model.NewRecipe[CNN]()
	r.Channels, r.Depth, r.Dense, r.Epochs, r.Batch = []int{4, 8}, 1, []int{16}, 2, 32
	return r
}

func TestMLPConforms(t *testing.T) {
	for name, set := range map[string]data.Set{
		"table": csvTable(t, "wine.csv"), "mixed": mixed(t, false), "pictures": firstDigits(t, 200),
	} {
		t.Run(name, func(t *testing.T) {
			rest, held, err := data.Split(t.Context(), set, 0.2, 1)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.Check(t, modeltest.Subject{Spec: smallMLP(), Train: rest, Validation: held})
		})
	}
}

func TestCNNConforms(t *testing.T) {
	plain, augmented := smallCNN(), smallCNN()
	plain.BatchNorm = false
	augmented.Shift, augmented.Flip = 1, true
	for name, s := range map[string]struct {
		recipe *CNN
		set    data.Set
	}{
		"batch norm": {smallCNN(), firstDigits(t, 160)}, "plain": {plain, firstDigits(t, 160)},
		"augmented": {augmented, firstDigits(t, 160)}, "wide and in colour": {smallCNN(), stripes(t, 7, 11, 3, 100)},
		"tiny": {smallCNN(), stripes(t, 1, 3, 1, 100)},
	} {
		t.Run(name, func(t *testing.T) {
			modeltest.Check(t, modeltest.Subject{Spec: s.recipe, Train: s.set})
		})
	}
}

// stripes is noisy pictures whose rows and columns are brighter on one side: two classes.
func stripes(t *testing.T, height, width, channels, n int) data.Set {
	t.Helper()
	shape := data.Shape{Height: height, Width: width, Channels: channels}
	r := rand.New(rand.NewPCG(1, 4))
	var pixels []uint8
	var labels []int32
	for i := range n {
		for j := range shape.Size() {
			bright := 0
			if left := j/channels%width < width/2; left == (i%2 == 0) {
				bright = 100
			}
			pixels = append(pixels, uint8(bright+r.IntN(100)))
		}
		labels = append(labels, int32(i%2))
	}
	set, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 255, Classes: []string{"left", "right"}}, pixels, labels)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestNetworksLearn: small recipes and few epochs are enough for what is easy.
func TestNetworksLearn(t *testing.T) {
	for name, c := range map[string]struct {
		spec model.Spec
		set  data.Set
		want float64
	}{
		"mlp": {&MLP{Hidden: []int{32}, Epochs: 30, Batch: 16, Rate: 0.01, Schedule: "cosine"}, csvTable(t, "wine.csv"), 0.99},
		"cnn": {&CNN{Channels: []int{4}, Depth: 1, Dense: []int{8}, BatchNorm: true, Epochs: 5, Batch: 16, Rate: 0.01, Schedule: "cosine"},
			stripes(t, 6, 5, 1, 200), 0.99},
	} {
		m, s, err := c.spec.Fit(t.Context(), c.set, model.Run{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := accuracy(t, m.(model.Classifier), c.set); !(got >= c.want) {
			t.Errorf("%s: accuracy %.3f on its training data, expected at least %v (%+v)", name, got, c.want, *s)
		}
	}
}

// TestDigits is the accuracy that the default recipes must reach on the embedded digits.
func TestDigits(t *testing.T) {
	for name, want := range map[string]float64{"mlp": 0.97, "cnn": 0.98} {
		entry, err := model.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := entry.New().Fit(t.Context(), digits(t, "train"), model.Run{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := accuracy(t, m.(model.Classifier), digits(t, "test")); !(got >= want) {
			t.Errorf("%s: accuracy on the digits' test part is %.4f, expected at least %v", name, got, want)
		}
	}
}

// TestPasses: an explicit number of epochs is obeyed, and small data is passed over more often than large.
func TestPasses(t *testing.T) {
	for _, c := range []struct{ epochs, examples, want int }{
		{3, 100, 3}, {0, 60000, 15}, {0, 400 * 128 / 15, 16}, {0, 1280, 40}, {0, 100, 400}, {0, 1, 400},
	} {
		if got := passes(train.Options{Batch: 128, Epochs: c.epochs}, 15, c.examples); got != c.want {
			t.Errorf("%d epochs of %d examples: %d passes, expected %d", c.epochs, c.examples, got, c.want)
		}
	}
}

func TestCNNRefusesTables(t *testing.T) {
	_, _, err := model.NewRecipe[CNN]().Fit(t.Context(), csvTable(t, "iris.csv"), model.Run{})
	if err == nil || !strings.Contains(err.Error(), "use mlp") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a table gave the error %v, expected one line that says to use mlp", err)
	}
}

// TestShiftAndFlip moves a picture by every distance and compares with the place that each pixel must have come from.
func TestShiftAndFlip(t *testing.T) {
	shape := data.Shape{Height: 3, Width: 4, Channels: 2}
	seen := map[[3]int]bool{}
	r := rand.New(rand.NewPCG(1, 5))
	for range 500 {
		x := data.NewBatch(shape, 1, false)
		for j := range x.X {
			x.X[j] = float32(j + 1)
		}
		shiftAndFlip(x, 1, true, r)
		found := 0
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				for flip := range 2 {
					if slices.Equal(x.X, movedPicture(shape, dy, dx, flip == 1)) {
						found++
						seen[[3]int{dy, dx, flip}] = true
					}
				}
			}
		}
		if found != 1 {
			t.Fatalf("the picture became %v, which is %d of the shifts by one pixel with or without a flip, expected 1", x.X, found)
		}
	}
	if len(seen) != 18 {
		t.Errorf("%d of 18 shifts and flips have come up", len(seen))
	}
}

// movedPicture is the picture 1, 2, 3, … moved down and right by dy and dx, mirrored first if flip is set.
func movedPicture(s data.Shape, dy, dx int, flip bool) []float32 {
	out := make([]float32, s.Size())
	for j := range out {
		row, column, channel := j/s.Channels/s.Width, j/s.Channels%s.Width, j%s.Channels
		to := column
		if flip {
			to = s.Width - 1 - column
		}
		if row+dy >= 0 && row+dy < s.Height && to+dx >= 0 && to+dx < s.Width {
			out[((row+dy)*s.Width+to+dx)*s.Channels+channel] = float32(j + 1)
		}
	}
	return out
}
