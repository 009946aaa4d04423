package discriminative

import (
	"math"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

func TestThreshold(t *testing.T) {
	for _, c := range []struct {
		p, threshold float64
		want         int
	}{
		{0.5, 0.5, A}, {math.Nextafter(0.5, 0), 0.5, B}, {0, 0, A}, {1, 1, A}, {0.99, 1, B}, {math.NaN(), 0, B},
	} {
		if got := Threshold(c.threshold).Decide(c.p); got != c.want {
			t.Errorf("threshold %v decides %d for probability %v, expected %d", c.threshold, got, c.p, c.want)
		}
	}
}

func TestDecide(t *testing.T) {
	set := csvTable(t, "breast_cancer.csv")
	m, _ := fitLogistic(t, model.NewRecipe[Logistic](), set, model.Run{Epochs: 20})
	x, err := data.ReadAll(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ProbabilityOfA(m, x)
	if err != nil {
		t.Fatal(err)
	}
	countA := func(th Threshold) (n int) {
		dst := make([]int, x.Len())
		if err := Decide(dst, m, th, x); err != nil {
			t.Fatal(err)
		}
		for i, class := range dst {
			if (class == A) != (p[i] >= float64(th)) {
				t.Errorf("threshold %v: example %d with p(A|x) = %v is decided for %d", th, i, p[i], class)
			}
			n += class
		}
		return n
	}
	if few, more, all := countA(0.9), countA(0.5), countA(0); !(0 < few && few < more && more < all && all == x.Len()) {
		t.Errorf("%d, %d and %d decisions for A at 0.9, 0.5 and 0, expected more and more, and at last all of %d", few, more, all, x.Len())
	}
	dst := make([]int, x.Len())
	for _, th := range []Threshold{-0.1, 1.1, Threshold(math.NaN())} {
		if Decide(dst, m, th, x) == nil {
			t.Errorf("threshold %v was accepted", th)
		}
	}
	if Decide(dst[1:], m, 0.5, x) == nil {
		t.Error("room for one decision too few was accepted")
	}
	three, _ := fitLogistic(t, model.NewRecipe[Logistic](), csvTable(t, "iris.csv"), model.Run{Epochs: 2})
	if _, err := ProbabilityOfA(three, data.NewBatch(three.Shape(), 1, false)); err == nil {
		t.Error("a model of three classes has a probability of A")
	}
}
