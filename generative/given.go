// Package generative holds models of p(x), and of p(x|y) where the data has labels: one model, one file.
//
//	gaussian      a multivariate normal distribution: exact log p(x)
//	mixture       a mixture of them, by EM: exact log p(x)
//	ppca          principal components as a distribution: exact log p(x), latents
//	kde           a kernel density estimate: exact log p(x)
//	naivebayes    elements that are independent given the class: exact log p(x|y)
//	lda, qda      normal classes and Bayes' rule: exact log p(x|y), and p(y|x)
//	made          each element given those before, by one masked network: exact log p(x)
//	pixelcnn      each pixel given those before, by convolutions: exact log p(x)
//	realnvp       an invertible network, of table rows: exact log p(x), latents
//	glow          an invertible network, of pictures: a bound on log p(x), latents
//	vae           a variational autoencoder: a bound on log p(x), latents
//	ladder        one with several layers of latents: a bound on log p(x)
//	vqvae         discrete latents with a prior of their own: samples, latents
//	gan           a generative adversarial network: samples only
//	diffusion     noise that is taken away step by step: samples, a bound on log p(x)
//	flowmatching  a velocity from noise to data: samples, an estimate of log p(x)
package generative

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// leastSteps is how many steps a network gets at least where a recipe leaves the number of epochs open: with a hundred
// examples a few dozen epochs teach it nothing.
const leastSteps = 3000

// pace gives a network's training on n examples its batch, at most an eighth of them, and its epochs: those asked for, or
// with 0 the usual ones, and more where they make fewer than leastSteps.
func pace(n, batch, epochs, usual int) (int, int) {
	batch = max(2, min(batch, n/8))
	if epochs == 0 {
		steps := max(1, n/batch)
		epochs = max(usual, (leastSteps+steps-1)/steps)
	}
	return batch, epochs
}

// classPrior is the share of each class in a set, nil without labels.
func classPrior(ctx context.Context, set data.Set) ([]float64, error) {
	if !set.Schema().Labelled() {
		return nil, nil
	}
	y, err := data.Labels(ctx, set)
	if err != nil {
		return nil, err
	}
	prior := make([]float64, len(set.Schema().Classes))
	for _, k := range y {
		prior[k]++
	}
	for k := range prior {
		prior[k] /= float64(max(1, len(y)))
	}
	return prior, nil
}

// priorName is the class frequencies in a model file.
const priorName = "class_prior"

func priorTensor(prior []float64) []model.Tensor {
	if prior == nil {
		return nil
	}
	return []model.Tensor{{Name: priorName, Dims: []int{len(prior)}, Values: prior}}
}

// loadPrior reads the class frequencies back, nil without labels.
func loadPrior(f *model.File) ([]float64, error) {
	if f.Card.Classes() == 0 {
		return nil, nil
	}
	prior, err := model.Values[float64](f, priorName, f.Card.Classes())
	if err != nil {
		return nil, err
	}
	sum := 0.0
	for _, p := range prior {
		sum += p
	}
	if !(slices.Min(prior) >= 0 && math.Abs(sum-1) <= 1e-9) {
		return nil, fmt.Errorf("%w: %s is %v, expected shares that sum to 1", model.ErrDamaged, priorName, prior)
	}
	return prior, nil
}

// drawClasses draws n classes.
func drawClasses(prior []float64, n int, r *rand.Rand) []int32 {
	y := make([]int32, n)
	for i := range y {
		u := r.Float64()
		for k, p := range prior {
			if p > 0 {
				y[i] = int32(k)
			}
			if u -= p; u < 0 {
				break
			}
		}
	}
	return y
}

// normals are n draws of N(0, sd²).
func normals(n int, sd float64, r *rand.Rand) []float32 {
	z := make([]float32, n)
	for i := range z {
		z[i] = float32(sd * r.NormFloat64())
	}
	return z
}

// logMeans adds up exponentials in the log domain: element i of dst becomes log Σ exp(l_i) of all l that it is given.
type logMeans struct {
	dst []float64 // the greatest so far
	sum []float64 // of exp(l − greatest)
}

func newLogMeans(dst []float64) logMeans {
	for i := range dst {
		dst[i] = math.Inf(-1)
	}
	return logMeans{dst, make([]float64, len(dst))}
}

// addLogs adds exp(log + constant) of each element.
func addLogs[T float32 | float64](m logMeans, log []T, constant float64) {
	for i, l := range log {
		x := float64(l) + constant
		if math.IsInf(x, -1) {
			continue
		}
		if x > m.dst[i] {
			m.sum[i] = m.sum[i]*math.Exp(m.dst[i]-x) + 1
			m.dst[i] = x
		} else {
			m.sum[i] += math.Exp(x - m.dst[i])
		}
	}
}

// finish divides by n.
func (m logMeans) finish(n float64) {
	for i := range m.dst {
		m.dst[i] += math.Log(m.sum[i] / n)
	}
}
