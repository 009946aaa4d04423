package main

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// A spherical path of two codes on a circle goes round at an even pace; elsewhere it ends at the codes themselves.
func TestSlerp(t *testing.T) {
	near := func(what string, got []float32, want ...float64) {
		t.Helper()
		for i, v := range got {
			if diff := math.Abs(float64(v) - want[i]); !(diff <= 1e-6) {
				t.Errorf("%s is %v, expected %v", what, got, want)
				return
			}
		}
	}
	a, b := []float32{2, 0, 0}, []float32{0, 2, 0}
	for _, s := range []float64{0, 0.25, 0.5, 1} {
		near("a quarter turn", slerp(a, b, s), 2*math.Cos(s*math.Pi/2), 2*math.Sin(s*math.Pi/2), 0)
	}
	c := []float32{-1, 0.5, 3}
	near("the beginning", slerp(c, b, 0), -1, 0.5, 3)
	near("the end", slerp(c, b, 1), 0, 2, 0)
	// No circle leads through the same, opposite or no directions: a straight line does.
	near("the same direction", slerp(a, []float32{4, 0, 0}, 0.5), 3, 0, 0)
	near("opposite directions", slerp(a, []float32{-2, 0, 0}, 0.25), 1, 0, 0)
	near("no direction", slerp(a, []float32{0, 0, 0}, 0.5), 1, 0, 0)
	near("linear", lerp(a, b, 0.5), 1, 1, 0)
}

// farPrior is a latent space in which every code is about (10, -4), and x is the code.
type farPrior struct{ model.Model }

func (farPrior) LatentSize() int      { return 2 }
func (farPrior) StandardLatent() bool { return false }

func (farPrior) SampleLatent(z []float32, y []int32, r *rand.Rand) error {
	for i := range z {
		z[i] = []float32{10, -4}[i%2] + float32(r.NormFloat64())/4
	}
	return nil
}

func (farPrior) Decode(dst data.Batch, z []float32, y []int32) error {
	copy(dst.X, z)
	return nil
}

// Random places are draws of the model's prior, and a traversal goes through its middle.
func TestLatentPrior(t *testing.T) {
	schema := &data.Schema{Shape: data.RowShape(2), Columns: []data.Column{{Name: "a", Kind: data.Numeric}, {Name: "b", Kind: data.Numeric}}}
	l, err := (&app{}).openLatent(farPrior{}, "far.safetensors", &model.File{Card: model.Card{Name: "far", Schema: schema}}, sampleFlags{})
	if err != nil {
		t.Fatal(err)
	}
	near := func(what string, got []float32, a, b, tolerance float64) {
		t.Helper()
		if !(math.Abs(float64(got[0])-a) <= tolerance && math.Abs(float64(got[1])-b) <= tolerance) {
			t.Errorf("%s is %v, expected about (%v, %v)", what, got, a, b)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	stops, err := l.stops(t.Context(), sampleFlags{latentFlags: latentFlags{interpolate: "random,random"}}, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stops {
		near("a random place", s.z, 10, -4, 1.25)
	}
	e, err := l.traversal(t.Context(), sampleFlags{latentFlags: latentFlags{traverse: true, steps: 3}}, r)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]float64{{9.25, -4}, {10, -4}, {10.75, -4}, {10, -4.75}, {10, -4}, {10, -3.25}} {
		near("a place of the traversal", e.batch.Row(i), want[0], want[1], 0.07) // 2000 draws: 4 standard errors of mean + 3 sd
	}
	if z := e.before[1].cell(3); !strings.HasPrefix(z, "-4.7") && !strings.HasPrefix(z, "-4.8") {
		t.Errorf("the column z is %s, expected about -4.75", z)
	}
	ends, _, err := l.ends(t.Context(), nil, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ends {
		near("an end of the report", p.z, 10, -4, 1.25)
	}
}
