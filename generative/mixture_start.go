package generative

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// start makes the mixture that EM starts from: k components, or fewer where there are fewer different examples.
func (d *scaledRows) start(ctx context.Context, how Start, kind Covariance, k int, floor float64, r *rand.Rand) (*mixture, error) {
	centres, err := d.seeds(ctx, how, k, r)
	if err != nil {
		return nil, err
	}
	whole, err := d.oneComponent(ctx, kind, floor)
	if err != nil {
		return nil, err
	}
	p := len(d.shift)
	k = len(centres) / p
	m := &mixture{kind: kind, p: p, mean: centres, weight: slices.Repeat([]float64{1 / float64(k)}, k)}
	m.covariance = slices.Repeat(whole.covariance, covarianceLength(kind, k, p)/len(whole.covariance))
	if how == RandomStart {
		return m, m.prepare(d.threads)
	}
	label, err := d.lloyd(ctx, centres)
	if err != nil {
		return nil, err
	}
	return d.fromLabels(ctx, m, label, floor)
}

// fromLabels is the M step of m where each example belongs to the component that label says.
func (d *scaledRows) fromLabels(ctx context.Context, m *mixture, label []int32, floor float64) (*mixture, error) {
	var total []float64
	if m.kind == TiedCovariance {
		var err error
		if total, err = d.scatter(ctx); err != nil {
			return nil, err
		}
	}
	sums, err := d.pass(ctx, m, label)
	if err != nil {
		return nil, err
	}
	return m.maximisation(sums, total, floor, d.threads)
}

// oneComponent is the mixture of one component, the normal distribution of greatest likelihood.
func (d *scaledRows) oneComponent(ctx context.Context, kind Covariance, floor float64) (*mixture, error) {
	p := len(d.shift)
	m := &mixture{kind: kind, p: p, weight: []float64{1}, mean: make([]float64, p),
		covariance: make([]float64, covarianceLength(kind, 1, p))}
	return d.fromLabels(ctx, m, make([]int32, len(d.index)), floor)
}

// seeds chooses k different examples, (k, p): all with equal chances, or by k-means++ (Arthur and Vassilvitskii, 2007), each
// with chances as the squared distance to the nearest one before it. Where no other example is left, there are fewer.
func (d *scaledRows) seeds(ctx context.Context, how Start, k int, r *rand.Rand) ([]float64, error) {
	p, n := len(d.shift), len(d.index)
	centres := make([]float64, 0, k*p)
	nearest := slices.Repeat([]float64{math.Inf(1)}, n)
	chosen := r.IntN(n)
	for {
		at := len(centres)
		centre := centres[at : at+p : at+p]
		centres = centres[:at+p]
		d.example(centre, chosen)
		if len(centres) == k*p {
			return centres, nil
		}
		err := d.each(ctx, d.parts(1), 1, func(b *rowBlock, _, from, n int) {
			for i := range n {
				nearest[from+i] = min(nearest[from+i], squaredDistance(b.z[i*p:(i+1)*p], centre))
			}
		})
		if err != nil {
			return nil, err
		}
		chance := func(i int) float64 {
			if how == RandomStart {
				return min(1, math.Ceil(nearest[i])) // 1, and 0 for what has been chosen
			}
			return nearest[i]
		}
		total := 0.0
		for i := range nearest {
			total += chance(i)
		}
		if total == 0 {
			return centres, nil
		}
		u := total * r.Float64()
		for i := range nearest {
			if c := chance(i); c > 0 {
				chosen = i
				if u -= c; u < 0 {
					break
				}
			}
		}
	}
}

// lloydRounds is the most rounds of Lloyd's algorithm. EM goes on from wherever they end.
const lloydRounds = 30

// lloyd moves the centres, (k, p), to the means of the examples that are nearest to them, until no example changes its
// centre or for lloydRounds (Lloyd, Least squares quantization in PCM, 1982), and says which centre is nearest to each. A
// centre that is nearest to none moves to the example that is farthest from its own.
func (d *scaledRows) lloyd(ctx context.Context, centres []float64) ([]int32, error) {
	p, n := len(d.shift), len(d.index)
	k := len(centres) / p
	label, distance := make([]int32, n), make([]float64, n)
	for round := range lloydRounds {
		parts := d.parts(k * p)
		changed := make([]bool, parts)
		sums := make([]mixtureSums, parts)
		for i := range sums {
			sums[i] = mixtureSums{share: make([]float64, k), first: make([]float64, k*p)}
		}
		norms := make([]float64, k) // −½ ‖c‖²
		for c := range norms {
			centre := blas64.Vector{N: p, Inc: 1, Data: centres[c*p:]}
			norms[c] = -blas64.Dot(centre, centre) / 2
		}
		err := d.each(ctx, parts, k, func(b *rowBlock, part, from, n int) {
			// ½ ‖z−c‖² = ½ ‖z‖² − (zᵀc − ½ ‖c‖²)
			for i := range n {
				copy(b.log[i*k:(i+1)*k], norms)
			}
			blas64.Gemm(blas.NoTrans, blas.Trans, 1, blas64.General{Rows: n, Cols: p, Stride: p, Data: b.z},
				blas64.General{Rows: k, Cols: p, Stride: p, Data: centres}, 1, blas64.General{Rows: n, Cols: k, Stride: k, Data: b.log})
			for i := range n {
				row, z := b.log[i*k:(i+1)*k], b.z[i*p:(i+1)*p]
				best := 0
				for c, l := range row {
					if l > row[best] {
						best = c
					}
				}
				if round == 0 || label[from+i] != int32(best) {
					label[from+i], changed[part] = int32(best), true
				}
				distance[from+i] = squaredDistance(z, centres[best*p:])
				sums[part].share[best]++
				first := sums[part].first[best*p:]
				for j, v := range z {
					first[j] += v
				}
			}
		})
		if err != nil {
			return nil, err
		}
		if !slices.Contains(changed, true) {
			break
		}
		for i := range sums[1:] {
			sums[0].merge(&sums[i+1])
		}
		for c, count := range sums[0].share {
			centre := centres[c*p : (c+1)*p]
			if count == 0 {
				far := slices.Index(distance, slices.Max(distance))
				d.example(centre, far)
				distance[far] = 0
				continue
			}
			for j := range centre {
				centre[j] = sums[0].first[c*p+j] / count
			}
		}
	}
	return label, nil
}
