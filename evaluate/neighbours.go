package evaluate

import (
	"context"
	"math"

	"github.com/likely-ml/likely/measure"
)

const (
	manifoldNeighbours = 3 // k of precision and recall
	densityNeighbours  = 5 // k of density and coverage
)

// neighbours compares a real and a generated sample by balls that reach from each point to its k-th nearest neighbour
// in its own sample; the union of the balls stands for the support of the distribution.
//
//	precision  share of generated points in some real ball (k = 3): are they realistic?
//	recall     share of real points in some generated ball (k = 3): is everything covered?
//	density    number of real balls (k = 5) that a generated point lies in, over k, averaged: can exceed 1
//	coverage   share of real balls (k = 5) that hold a generated point
//
// Balls include their surface. (T. Kynkäänniemi et al., NeurIPS 2019; M. F. Naeem et al., ICML 2020.) The standard
// errors are those of a mean over the points counted, given the balls: they leave out that another sample would have
// other balls.
func neighbours(ctx context.Context, real, generated points) (precision, recall, density, coverage measure.Estimate, err error) {
	realRadius, err := radii(ctx, real, manifoldNeighbours, densityNeighbours)
	if err != nil {
		return
	}
	generatedRadius, err := radii(ctx, generated, manifoldNeighbours)
	if err != nil {
		return
	}

	realistic := make([]bool, generated.n)
	balls := make([]float64, generated.n)
	err = eachRow(ctx, generated.n, func(j int) {
		count := 0
		for i := range real.n {
			d := squaredDistance(real.row(i), generated.row(j))
			realistic[j] = realistic[j] || d <= realRadius[0][i]
			count += indicator(d <= realRadius[1][i])
		}
		balls[j] = float64(count) / densityNeighbours
	})
	if err != nil {
		return
	}
	within := make([]bool, real.n)
	covered := make([]bool, real.n)
	err = eachRow(ctx, real.n, func(i int) {
		for j := range generated.n {
			d := squaredDistance(real.row(i), generated.row(j))
			within[i] = within[i] || d <= generatedRadius[0][j]
			covered[i] = covered[i] || d <= realRadius[1][i]
		}
	})
	return shareOf(realistic), shareOf(within), mean(balls), shareOf(covered), err
}

func shareOf(v []bool) measure.Estimate {
	hits := 0
	for _, b := range v {
		hits += indicator(b)
	}
	return share(hits, len(v))
}

// radii gives for each k, in ascending order, the squared distance of every point to its k-th nearest other point.
func radii(ctx context.Context, p points, ks ...int) ([][]float64, error) {
	out := make([][]float64, len(ks))
	for a := range out {
		out[a] = make([]float64, p.n)
	}
	deepest := ks[len(ks)-1]
	err := eachRow(ctx, p.n, func(i int) {
		nearest := make([]float64, deepest) // ascending
		for k := range nearest {
			nearest[k] = math.Inf(1)
		}
		for j := range p.n {
			if j == i {
				continue
			}
			d := squaredDistance(p.row(i), p.row(j))
			if d >= nearest[deepest-1] {
				continue
			}
			k := deepest - 1
			for ; k > 0 && nearest[k-1] > d; k-- {
				nearest[k] = nearest[k-1]
			}
			nearest[k] = d
		}
		for a, k := range ks {
			out[a][i] = nearest[k-1]
		}
	})
	return out, err
}

func squaredDistance(a, b []float64) float64 {
	sum := 0.0
	for j, v := range a {
		d := v - b[j]
		sum += d * d
	}
	return sum
}
