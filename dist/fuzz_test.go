package dist_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/likely-ml/likely/dist"
)

// FuzzParse: no text panics; what parses is written and read again as the same; and no log-probability, of a draw or
// elsewhere, and no quantile or entropy is NaN.
func FuzzParse(f *testing.F) {
	for _, text := range everything {
		f.Add(text)
	}
	for _, family := range dist.Families() {
		f.Add(family.Example)
	}
	f.Add("normal(1/3, 1e-300)")
	f.Add("student(1e-6,-1e308,1e308)")
	f.Add("beta(1e-6,1e9)")
	f.Add("discrete_uniform(3,1)")
	f.Add("mixture(-0.5:normal(0,-1), 1.5:product(normal(0,1), poisson(0)))")
	f.Add("gamma(1e9,1e-300)")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := dist.Parse(text)
		if err != nil {
			return
		}
		again, err := dist.Parse(d.String())
		if err != nil || !reflect.DeepEqual(d, again) {
			t.Fatalf("%s is read back as %v, %v", d, again, err)
		}
		x := make([]float64, d.Dim())
		for _, v := range []float64{math.Inf(-1), -1e300, -1, 0, 1e-310, 0.5, 1, 3, 1e9, 1e300, math.Inf(1)} {
			for i := range x {
				x[i] = v
			}
			if p := d.LogProb(x); math.IsNaN(p) {
				t.Errorf("%s: log p(%v, …) is NaN", d, v)
			}
		}
		if err := d.Sample(x, rand.New(rand.NewPCG(1, 1))); err != nil {
			t.Error(err)
		}
		if p := d.LogProb(x); math.IsNaN(p) {
			t.Errorf("%s: log p of the draw %v is NaN", d, x)
		}
		if e, ok := d.(dist.Entropic); ok && math.IsNaN(e.Entropy()) {
			t.Errorf("%s: the entropy is NaN", d)
		}
		for i := range d.Dim() {
			for _, p := range []float64{0, 1e-9, 0.5, 1} {
				if q := element(d, i).Quantile(p); math.IsNaN(q) {
					t.Errorf("%s: Quantile(%v) of element %d is NaN", d, p, i)
				}
			}
		}
	})
}
