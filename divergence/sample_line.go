package divergence

import (
	"math"
	"slices"
)

// ordered are the points of a sample on the line in ascending order.
type ordered struct {
	x  []float32
	at []uint32 // at[i] is the index of x[i] in the sample
}

// sorter is the memory of sorting.
type sorter struct{ key, spare []uint64 }

// radixBits are sorted by in each pass: 2048 counters fit the first-level cache, and three passes are enough for 32 bits.
const radixBits = 11

// sort fills out with v in order, by passes over the bits of its values, the lowest first, each of which keeps the order of the one before: O(n).
// On a million values it takes a sixth of the time of slices.Sort on the same keys.
func (s *sorter) sort(out *ordered, v []float32) {
	n := len(v)
	s.key, s.spare = slices.Grow(s.key[:0], n)[:n], slices.Grow(s.spare[:0], n)[:n]
	out.x, out.at = slices.Grow(out.x[:0], n)[:n], slices.Grow(out.at[:0], n)[:n]
	const passes = 3
	var count [passes][1 << radixBits]uint32
	for i, x := range v {
		k := orderedBits(x)
		s.key[i] = uint64(k)<<32 | uint64(i)
		for p := range passes {
			count[p][k>>(radixBits*p)&(1<<radixBits-1)]++
		}
	}
	from, to := s.key, s.spare
	for p := range passes {
		start := &count[p]
		sum := uint32(0)
		for b, c := range start {
			start[b], sum = sum, sum+c
		}
		shift := 32 + radixBits*p
		for _, k := range from {
			b := k >> shift & (1<<radixBits - 1)
			to[start[b]] = k
			start[b]++
		}
		from, to = to, from
	}
	for i, k := range from {
		out.x[i], out.at[i] = fromOrderedBits(uint32(k>>32)), uint32(k)
	}
}

// orderedBits are the bits of x, changed so that they are ordered as the floats are.
func orderedBits(x float32) uint32 {
	b := math.Float32bits(x)
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

func fromOrderedBits(k uint32) float32 {
	return math.Float32frombits(k ^ (^uint32(int32(k)>>31) | 1<<31))
}

// potentials are the functions f and g by which a change of a sample changes a transport cost to first order: f at every point of x, g
// at every point of y, each but for a constant. The variance of the cost is Var f(x)/n + Var g(y)/m (del Barrio and Loubes, Central
// limit theorems for empirical transportation cost in general dimension, 2019, theorem 4.1).
type potentials struct{ f, g []float32 }

// lineW1 is the Wasserstein-1 distance of two samples on the line, ∫|F - G| with their distribution functions F and G, which is exact
// and holds for any sizes. f = -g climbs by one where F < G and falls where F > G; it is set in the order of the samples, not of a and b.
func lineW1(a, b ordered, p potentials) float64 {
	n, m := len(a.x), len(b.x)
	total, f := 0.0, 0.0
	last := min(a.x[0], b.x[0])
	for i, j := 0, 0; i < n || j < m; {
		fromA := j == m || i < n && a.x[i] <= b.x[j]
		next := last
		if fromA {
			next = a.x[i]
		} else {
			next = b.x[j]
		}
		// F - G is (i/n - j/m), in whole numbers so that it is 0 where it should be.
		if width, over := float64(next)-float64(last), i*m-j*n; over != 0 && width > 0 {
			total += width * math.Abs(float64(over)) / (float64(n) * float64(m))
			if over > 0 {
				f -= width
			} else {
				f += width
			}
		}
		last = next
		if fromA {
			p.f[a.at[i]] = float32(f)
			i++
		} else {
			p.g[b.at[j]] = float32(-f)
			j++
		}
	}
	return total
}

// lineW2 is the square of the Wasserstein-2 distance of two samples on the line, ∫(F⁻¹(u) - G⁻¹(u))² du, which is exact and holds for
// any sizes. With T the monotone map of x to y, f' = 2 (x - T(x)); f is its integral over the points by the trapezoid rule, and g the
// same with the samples exchanged.
func lineW2(a, b ordered, p potentials) float64 {
	n, m := len(a.x), len(b.x)
	total := 0.0
	inverseNM := 1 / (float64(n) * float64(m))
	// Point i of a holds the part of [0, nm) from i·m to (i+1)·m, point j of b that from j·n to (j+1)·n.
	mapA, mapB := climb{at: a.at, f: p.f}, climb{at: b.at, f: p.g}
	var toA, toB float64 // Σ of overlap · x of the other sample's, of the points at hand
	for i, j, u := 0, 0, 0; i < n; {
		endA, endB := (i+1)*m, (j+1)*n
		end := min(endA, endB)
		xa, xb := float64(a.x[i]), float64(b.x[j])
		w := float64(end - u)
		total += w * (xa - xb) * (xa - xb)
		toA += w * xb
		toB += w * xa
		u = end
		if end == endA {
			mapA.step(i, xa, toA/float64(m))
			toA = 0
			i++
		}
		if end == endB {
			mapB.step(j, xb, toB/float64(n))
			toB = 0
			j++
		}
	}
	return total * inverseNM
}

// climb integrates 2 (x - T(x)) along ascending points.
type climb struct {
	at       []uint32
	f        []float32
	x, slope float64
	value    float64
}

func (c *climb) step(i int, x, mapped float64) {
	slope := x - mapped
	if i > 0 {
		c.value += (x - c.x) * (slope + c.slope)
	}
	c.x, c.slope = x, slope
	c.f[c.at[i]] = float32(c.value)
}
