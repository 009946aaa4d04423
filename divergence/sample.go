package divergence

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/likely-ml/likely/measure"
)

// Points is a sample of n points in D dimensions, row-major: element j of point i is X[i*D+j]. The points are taken to be
// independent draws of one distribution.
type Points struct {
	D int
	X []float32
}

// Len is n, the number of points.
func (p Points) Len() int {
	if p.D < 1 {
		return 0
	}
	return len(p.X) / p.D
}

// Row is point i, as a slice into X.
func (p Points) Row(i int) []float32 { return p.X[i*p.D : (i+1)*p.D : (i+1)*p.D] }

// at is the points with the given indices, in their order.
func (p Points) at(index []int) Points {
	out := Points{p.D, make([]float32, len(index)*p.D)}
	for k, i := range index {
		copy(out.Row(k), p.Row(i))
	}
	return out
}

// ErrPoints: samples of different dimensions, with too few points, or with values that are not finite. Errors returned wrap it
// and say more.
var ErrPoints = errors.New("unfit samples")

// checkPoints reports what is wrong with the samples x of p and y of q, each of which must have at least so many points.
func checkPoints(x, y Points, least int) error {
	if x.D < 1 || x.D != y.D {
		return fmt.Errorf("%w: p has %d dimensions and q %d, expected the same number, at least 1", ErrPoints, x.D, y.D)
	}
	for _, s := range []struct {
		name string
		Points
	}{{"p", x}, {"q", y}} {
		if len(s.X)%s.D != 0 {
			return fmt.Errorf("%w: the sample of %s has %d values, expected a multiple of %d", ErrPoints, s.name, len(s.X), s.D)
		}
		if s.Len() < least {
			return fmt.Errorf("%w: %d points of %s, expected at least %d", ErrPoints, s.Len(), s.name, least)
		}
		for i, v := range s.X {
			if v-v != 0 { // NaN and the infinities
				return fmt.Errorf("%w: element %d of point %d of %s is %v, expected a finite number", ErrPoints, i%s.D, i/s.D, s.name, v)
			}
		}
	}
	return nil
}

// centre is the mean of some 4,096 points of each sample. Distances do not change when it is taken off, and lose less to rounding, for which it need
// not be the mean of all.
func centre(x, y Points) []float64 {
	mean, taken := make([]float64, x.D), 0.0
	for _, s := range []Points{x, y} {
		for i := 0; i < s.Len(); i += 1 + s.Len()/4096 {
			taken++
			for j, v := range s.Row(i) {
				mean[j] += float64(v)
			}
		}
	}
	for j := range mean {
		mean[j] /= taken
	}
	return mean
}

// eachPart calls do for 0 <= part < parts on all processors, in no particular order, until ctx is cancelled. worker, below
// workers(parts), is not shared by two calls at the same time. do writes what belongs to part alone, so that results do not
// depend on the order.
func eachPart(ctx context.Context, parts int, do func(worker, part int)) error {
	var next atomic.Int64
	var running sync.WaitGroup
	for worker := range workers(parts) {
		running.Go(func() {
			for ctx.Err() == nil {
				part := int(next.Add(1)) - 1
				if part >= parts {
					return
				}
				do(worker, part)
			}
		})
	}
	running.Wait()
	return ctx.Err()
}

// workers is how many goroutines share so many parts.
func workers(parts int) int { return min(parts, runtime.GOMAXPROCS(0)) }

// moments are the mean and the sample variance, with divisor n-1, of v.
func moments(v []float64) (mean, variance float64) {
	for _, a := range v {
		mean += a
	}
	mean /= float64(len(v))
	for _, a := range v {
		variance += (a - mean) * (a - mean)
	}
	return mean, variance / float64(len(v)-1)
}

// approximate makes an Approximation of a value and its variance.
func approximate(value, variance float64, n int) measure.Approximation {
	return measure.Approximation{Value: value, StandardError: math.Sqrt(variance), N: n}
}

// squaredDistance is |a-b|².
func squaredDistance(a, b []float32) float64 {
	sum := 0.0
	b = b[:len(a)]
	for j, v := range a {
		d := float64(v) - float64(b[j])
		sum += d * d
	}
	return sum
}
