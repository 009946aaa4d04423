// Package generative holds models of p(x), and of p(x|y) where the data has labels: one model, one file.
//
//	gaussian   a multivariate normal distribution: exact log p(x)
//	vae        a variational autoencoder: a bound on log p(x)
//	gan        a generative adversarial network: samples only
package generative

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

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
		prior[k] += 1 / float64(len(y))
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

func loadPrior(f *model.File) ([]float64, error) {
	for _, t := range f.Tensors {
		if t.Name == priorName {
			return model.Values[float64](f, priorName, f.Card.Classes())
		}
	}
	return nil, nil
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

func (m logMeans) add(log []float64, constant float64) {
	for i, l := range log {
		x := l + constant
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
