package dist

import "math"

// tailed is a distribution over the line that also has P(X > x) without cancellation: where the CDF rounds to 1, it does not round
// to 0. It finds quantiles beyond the median as exactly as those before it.
type tailed interface {
	Univariate
	survival(x float64) float64
}

// survival is P(X > x).
func survival(d Univariate, x float64) float64 {
	if t, ok := d.(tailed); ok {
		return t.survival(x)
	}
	return 1 - d.CDF(x)
}

// quantileOutside answers for p = 0, p = 1 and what is no probability; ok is false for the rest.
func quantileOutside(p, low, high float64) (q float64, ok bool) {
	switch {
	case p == 0:
		return low, true
	case p == 1:
		return high, true
	case !(p > 0 && p < 1):
		return math.NaN(), true
	}
	return 0, false
}

// quantileBetween solves CDF(x) = p of a continuous distribution for x in [lo, hi], 0 < p < 1, from a start that may be anything.
// It takes Newton's steps on the logarithm of the smaller tail, in which far tails are no steeper than near ones. Where a step leaves
// the bracket, or is more than half of the last one, it halves the bracket in the order of the floating-point numbers instead.
func quantileBetween(d Univariate, p, lo, hi, start float64) float64 {
	one := make([]float64, 1)
	x := start
	if !(x > lo && x < hi) {
		x = middle(lo, hi)
	}
	// Tails are found by their logarithms, whose rounding error is this, nearly.
	tolerance := 0x1p-52 * (1 - math.Log(min(p, 1-p)))
	last := math.Inf(1) // step taken
	for x != lo && x != hi {
		var excess, tail float64 // log of the tail over what it should be, increasing in x
		if p < 0.5 {
			tail = d.CDF(x)
			excess = math.Log(tail / p)
		} else {
			tail = survival(d, x)
			excess = -math.Log(tail / (1 - p))
		}
		switch {
		case math.Abs(excess) <= tolerance:
			one[0] = math.Nextafter(x, math.Inf(-1))
			if !math.IsInf(d.LogProb(one), -1) {
				return x
			}
			hi, x, last = x, middle(lo, x), math.Inf(1) // the least is at the lower end of this gap in the support
			continue
		case excess < 0:
			lo = x
		default:
			hi = x
		}
		one[0] = x
		move := excess * math.Exp(math.Log(tail)-d.LogProb(one))
		next := x - move
		if lo >= 0 && p < 0.5 {
			next = x * math.Exp(-move/x) // towards 0 a tail goes as a power of x, in which this step is exact
		}
		step := math.Abs(next - x)
		switch {
		case step <= 0x1p-40*math.Abs(x) && next >= lo && next <= hi:
			return next // what remains is of the order of the step's square
		case !(next > lo && next < hi && step <= last/2):
			x, last = middle(lo, hi), math.Inf(1)
		default:
			x, last = next, step
		}
	}
	return x
}

// quantileAmong is the least whole number x in [lo, hi] with CDF(x) >= p, given that there is one.
func quantileAmong(d Univariate, p, lo, hi float64) float64 {
	for lo < hi {
		mid := math.Floor(lo + (hi-lo)/2)
		if d.CDF(mid) >= p {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return hi
}

// quantileDiscrete is the least whole number x with CDF(x) >= p. It searches around start, which may be anything.
func quantileDiscrete(d Univariate, p, low, high, start float64) float64 {
	if q, ok := quantileOutside(p, low, high); ok {
		return q
	}
	step := 1 + math.Floor(math.Sqrt(d.Variance()))
	hi := min(max(math.Floor(start), low), high)
	lo := hi
	for by := step; hi < high && d.CDF(hi) < p; by *= 2 {
		lo = hi + 1
		hi = min(hi+by, high)
	}
	for by := step; lo > low && d.CDF(lo-1) >= p; by *= 2 {
		hi = lo - 1
		lo = max(lo-by, low)
	}
	return quantileAmong(d, p, lo, hi)
}

// middle is the number that halves those between lo and hi, in the order of the floating-point numbers: between 1e-300 and 1 it
// is near 1e-150.
func middle(lo, hi float64) float64 {
	a, b := ordinal(lo), ordinal(hi)
	m := a/2 + b/2 + (a%2+b%2)/2
	if m < 0 {
		return -math.Float64frombits(uint64(-m))
	}
	return math.Float64frombits(uint64(m))
}

// ordinal is the place of v in the order of the floating-point numbers, 0 at 0.
func ordinal(v float64) int64 {
	if v < 0 {
		return -int64(math.Float64bits(-v))
	}
	return int64(math.Float64bits(v))
}
