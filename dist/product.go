package dist

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Product is the distribution of independent parts x = (x_1, … x_K), each from a distribution of its own,
//
//	log p(x) = Σ_k log p_k(x_k).
//
// One whose factors all have an entropy is an EntropicProduct.
type Product struct {
	factors []Distribution
	dim     int
}

// EntropicProduct is a Product whose entropy has a closed form.
type EntropicProduct struct{ Product }

// NewProduct takes two factors or more, all continuous or all discrete, and all with known marginals. It is an *EntropicProduct
// where each factor is Entropic, else a *Product.
func NewProduct(factors ...Distribution) (Marginals, error) {
	if len(factors) < 2 {
		return nil, &ParameterError{Family: "product", Name: "number of factors", Found: strconv.Itoa(len(factors)), Expected: "2 or more"}
	}
	d, entropic := Product{factors: slices.Clone(factors)}, true
	for i, f := range factors {
		if f.Discrete() != factors[0].Discrete() {
			return nil, &ParameterError{Family: "product", Index: i, Name: fmt.Sprintf("factor %d", i+1),
				Found: continuity(f), Expected: continuity(factors[0]) + ", as the first factor is"}
		}
		if err := checkMarginals("product", i, f); err != nil {
			return nil, err
		}
		if _, ok := f.(Entropic); !ok {
			entropic = false
		}
		d.dim += f.Dim()
	}
	if entropic {
		return &EntropicProduct{d}, nil
	}
	return &d, nil
}

// Factors are p_1, … p_K.
func (d *Product) Factors() []Distribution { return slices.Clone(d.factors) }

func (d *Product) Dim() int       { return d.dim }
func (d *Product) Discrete() bool { return d.factors[0].Discrete() }

func (d *Product) LogProb(x []float64) float64 {
	sum, outside := 0.0, false
	for _, f := range d.factors {
		v := f.LogProb(x[:f.Dim()])
		x = x[f.Dim():]
		if math.IsInf(v, -1) { // a density of 0 stays 0 beside an infinite one
			outside = true
			continue
		}
		sum += v
	}
	if outside && !math.IsNaN(sum) {
		return math.Inf(-1)
	}
	return sum
}

func (d *Product) Sample(dst []float64, r *rand.Rand) error {
	if err := checkRows(dst, d.dim, r); err != nil {
		return err
	}
	for row := range slices.Chunk(dst, d.dim) {
		for _, f := range d.factors {
			if err := f.Sample(row[:f.Dim()], r); err != nil {
				return err
			}
			row = row[f.Dim():]
		}
	}
	return nil
}

// Marginal is that of the factor which element i belongs to.
func (d *Product) Marginal(i int) Univariate {
	k := 0
	for ; i >= d.factors[k].Dim(); k++ {
		i -= d.factors[k].Dim()
	}
	return marginalOf(d.factors[k], i)
}

func (d *Product) String() string {
	parts := make([]string, len(d.factors))
	for k, f := range d.factors {
		parts[k] = f.String()
	}
	return "product(" + strings.Join(parts, ", ") + ")"
}

// Entropy is the sum of the factors' entropies.
func (d *EntropicProduct) Entropy() float64 {
	sum := 0.0
	for _, f := range d.factors {
		sum += f.(Entropic).Entropy()
	}
	return sum
}
