package divergence

import (
	"context"
	"fmt"
	"math"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/measure"
)

// masses are the log-probabilities of two distributions at the same successive whole numbers.
type masses struct{ lp, lq []float64 }

// mostMasses bounds how many whole numbers a sum goes over.
const mostMasses = 10_000_000

// finiteMasses lists all masses of two distributions over finitely many whole numbers. It reports false where there are more.
func finiteMasses(p, q dist.Univariate) (masses, bool) {
	low, high := min(p.Quantile(0), q.Quantile(0)), max(p.Quantile(1), q.Quantile(1))
	if !(high-low < mostMasses) {
		return masses{}, false
	}
	var m masses
	x := make([]float64, 1)
	for x[0] = low; x[0] <= high; x[0]++ {
		m.lp, m.lq = append(m.lp, p.LogProb(x)), append(m.lq, q.LogProb(x))
	}
	return m, true
}

// sum is what finish makes a divergence of the masses of; false where the kind has no sum, or a long one.
func (m masses) sum(k Kind, o Params) (sum float64, finish func(float64) float64, ok bool) {
	if f, ok := integrandOf(k, o); ok {
		for i, lp := range m.lp {
			sum += f.term(lp, m.lq[i])
		}
		return sum, f.finish, true
	}
	switch k {
	case Wasserstein1, Energy: // F - G is constant from each number to the next
		difference := 0.0
		for i, lp := range m.lp {
			difference += math.Exp(lp) - math.Exp(m.lq[i])
			if k == Energy {
				sum += 2 * difference * difference
			} else {
				sum += math.Abs(difference)
			}
		}
		return sum, same, true
	case Wasserstein2:
		return m.squaredTransport(), root, true
	case MMD:
		sum, ok = m.discrepancy(o.Bandwidth)
		return sum, same, ok
	}
	return 0, nil, false
}

// affinity is log Σ p^α q^(1-α), relative to its greatest term, so that nothing overflows; infinite where the sum is.
func (m masses) affinity(alpha float64) float64 {
	most := math.Inf(-1)
	terms := make([]float64, 0, len(m.lp))
	for i, lp := range m.lp {
		switch lq := m.lq[i]; {
		case math.IsInf(lp, -1) || math.IsInf(lq, -1) && alpha < 1:
		case math.IsInf(lq, -1):
			return math.Inf(1)
		default:
			terms = append(terms, alpha*lp+(1-alpha)*lq)
			most = max(most, terms[len(terms)-1])
		}
	}
	if len(terms) == 0 {
		return math.Inf(-1)
	}
	sum := 0.0
	for _, v := range terms {
		sum += math.Exp(v - most)
	}
	return most + math.Log(sum)
}

// squaredTransport is the mean squared distance when mass moves in order, which is the least on a line.
func (m masses) squaredTransport() float64 {
	sum := 0.0
	j, left := 0, math.Exp(m.lq[0])
	for i, lp := range m.lp {
		for mass := math.Exp(lp); mass > 0 && j < len(m.lq); {
			moved := min(mass, left)
			sum += moved * float64(i-j) * float64(i-j)
			mass, left = mass-moved, left-moved
			if left <= 0 {
				if j++; j < len(m.lq) {
					left = math.Exp(m.lq[j])
				}
			}
		}
	}
	return sum
}

// discrepancy is Σ_ij d_i d_j exp(-(i-j)²/(2h²)) with d = p - q.
func (m masses) discrepancy(h float64) (float64, bool) {
	n := len(m.lp)
	far := int(min(float64(n-1), 40*h)) // further the kernel is 0 in float64
	if float64(n)*float64(far+1) > 1e9 {
		return 0, false
	}
	d := make([]float64, n)
	for i := range d {
		d[i] = math.Exp(m.lp[i]) - math.Exp(m.lq[i])
	}
	sum := 0.0
	for t := 0; t <= far; t++ {
		products := 0.0
		for i := range n - t {
			products += d[i] * d[i+t]
		}
		if t > 0 {
			products *= 2
		}
		sum += products * math.Exp(-float64(t)*float64(t)/(2*h*h))
	}
	return sum, true
}

// sum computes a divergence of two distributions over whole numbers. It goes outwards from their medians until what is left is small
// on either side: left is less than a geometric series that goes on from the last two terms, as long as the quotient of
// successive terms does not grow, which it does in no distribution of package dist beyond all its modes.
func sum(ctx context.Context, k Kind, p, q Density, o Params) (measure.Integral, error) {
	u, v, ok := lines(p, q)
	if !ok {
		return measure.Integral{}, fmt.Errorf("%w of %s over whole numbers: expected written distributions of one element", ErrNoIntegral, k)
	}
	f, ofDensities := integrandOf(k, o)
	if !ofDensities && k != MMD {
		if value, err, settled := byMoments(k, u, v); settled {
			return measure.Integral{Value: value}, err
		}
	}
	low, high := min(u.Quantile(0), v.Quantile(0)), max(u.Quantile(1), v.Quantile(1))
	from := math.Floor(min(u.Quantile(0.5), v.Quantile(0.5)))
	to := max(u.Quantile(1-1e-12), v.Quantile(1-1e-12))
	bottom := min(u.Quantile(1e-12), v.Quantile(1e-12))
	// weigh is what a mass at a distance from the start may add: itself and its term, or its part in a transport.
	weigh := func(lp, lq, distance float64) float64 {
		w := math.Exp(lp) + math.Exp(lq)
		switch {
		case ofDensities:
			return w + f.term(lp, lq)
		case k == Wasserstein2:
			return 2 * w * distance * distance
		}
		return w * max(distance, 1)
	}
	x := make([]float64, 1)
	// walk goes from a start by steps of ±1 to an end, and returns the masses that it met and a bound on what is left.
	walk := func(start, step, end, least float64) (lp, lq []float64, left float64, err error) {
		last := 0.0
		for x[0] = start; (end-x[0])*step >= 0; x[0] += step {
			if len(lp)%65536 == 0 && ctx.Err() != nil {
				return nil, nil, 0, ctx.Err()
			}
			if len(lp) == mostMasses {
				return nil, nil, 0, fmt.Errorf("%s: the sum is too long: %w", k, ErrNotConverged)
			}
			a, b := u.LogProb(x), v.LogProb(x)
			lp, lq = append(lp, a), append(lq, b)
			w := weigh(a, b, math.Abs(x[0]-from))
			if math.IsInf(w, 1) {
				if math.IsInf(b, -1) || math.IsInf(a, -1) {
					return lp, lq, 0, nil // the sum is infinite, whatever comes
				}
				return nil, nil, 0, fmt.Errorf("%s: %w", k, ErrNotConverged)
			}
			if (x[0]-least)*step > 0 && w < last {
				if left = w * w / (last - w); left <= 1e-17 {
					return lp, lq, left, nil
				}
			}
			last = w
		}
		return lp, lq, 0, nil
	}
	upP, upQ, above, err := walk(from, 1, high, to)
	if err != nil {
		return measure.Integral{}, err
	}
	downP, downQ, below, err := walk(from-1, -1, low, bottom)
	if err != nil {
		return measure.Integral{}, err
	}
	var m masses
	for i := range downP {
		m.lp, m.lq = append(m.lp, downP[len(downP)-1-i]), append(m.lq, downQ[len(downP)-1-i])
	}
	m.lp, m.lq = append(m.lp, upP...), append(m.lq, upQ...)
	value, finish, ok := m.sum(k, o)
	if !ok {
		return measure.Integral{}, fmt.Errorf("%w of %s over whole numbers", ErrNoIntegral, k)
	}
	// What the masses are wrong by shows in their sums. It changes F - G over all numbers that follow.
	wrong := above + below + math.Abs(mass(m.lp)-1) + math.Abs(mass(m.lq)-1) + rounding
	if ofDensities {
		overlap := false
		for i, lp := range m.lp {
			wrong += logRounding * f.sway(lp, m.lq[i], f.term(lp, m.lq[i]))
			overlap = overlap || !math.IsInf(lp, -1) && !math.IsInf(m.lq[i], -1)
		}
		return f.settled(k, value, wrong+rounding*value, overlap)
	}
	switch n := float64(len(m.lp)); k {
	case Wasserstein1, Energy:
		wrong *= n
	case Wasserstein2:
		wrong *= n * n
	}
	return integrand{finish: finish}.integral(value, wrong), nil
}

// mass is Σ exp(v).
func mass(v []float64) float64 {
	sum := 0.0
	for _, l := range v {
		sum += math.Exp(l)
	}
	return sum
}
