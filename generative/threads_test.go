package generative

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// TestThreads: samples and log-probabilities have the same bits at any number of threads, in batches that are long enough to
// be shared out.
func TestThreads(t *testing.T) {
	set := digits(t).Train
	x := read(t, some(set, 3))
	for name, spec := range map[string]model.Spec{"gaussian": model.NewRecipe[Gaussian](), "vae": tinyVAE(), "gan": tinyGAN(),
		"kde": model.NewRecipe[KDE](), "naivebayes": model.NewRecipe[NaiveBayes](), "lda": model.NewRecipe[LDA](), "mixture": model.NewRecipe[Mixture](), "ppca": model.NewRecipe[PPCA]()} {
		t.Run(name, func(t *testing.T) {
			fitted, _ := fit(t, spec, set, model.Run{Threads: 1})
			var file bytes.Buffer
			if err := fitted.Save(&file); err != nil {
				t.Fatal(err)
			}
			answers := func(threads int) (samples []float32, log []float64) {
				m, _, err := model.Run{Threads: threads}.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
				if err != nil {
					t.Fatal(err)
				}
				b := data.NewBatch(x.Shape, x.Len(), false)
				if err := m.(model.CondSampler).SampleGiven(b, x.Y, rand.New(rand.NewPCG(1, 2))); err != nil {
					t.Fatal(err)
				}
				log = make([]float64, x.Len())
				switch m := m.(type) {
				case model.Density:
					err = m.LogProb(log, x)
				case model.Bound:
					err = m.LogBound(log, x, rand.New(rand.NewPCG(3, 4)))
				}
				if err != nil {
					t.Fatal(err)
				}
				return b.X, log
			}
			samples, log := answers(1)
			for _, threads := range []int{2, 7} {
				s, l := answers(threads)
				if !slices.Equal(s, samples) {
					t.Errorf("samples differ between 1 and %d threads", threads)
				}
				if !slices.Equal(l, log) {
					t.Errorf("log-probabilities differ between 1 and %d threads", threads)
				}
			}
		})
	}
}
