package divergence

import (
	"math"
	"slices"
)

// ordered are the points of a sample on the line in ascending order.
type ordered struct {
	x    []float32
	kept []uint64 // ascending: orderedBits of each point whose potentials are kept, above its place among them
}

// sorter is the memory of sorting.
type sorter struct {
	key, spare []uint32
	keptSpare  []uint64
}

// sort puts v in order, which out.x is then, and keeps every 2^shift-th point of v as it was. Sorting values alone moves half of what sorting them
// with their places would.
func (s *sorter) sort(out *ordered, v []float32, shift int) {
	n := len(v)
	s.key, s.spare = slices.Grow(s.key[:0], n)[:n], slices.Grow(s.spare[:0], n)[:n]
	for i, x := range v {
		s.key[i] = orderedBits(x)
	}
	out.kept = out.kept[:0]
	for i := 0; i < n; i += 1 << shift {
		out.kept = append(out.kept, uint64(s.key[i])<<32|uint64(i>>shift))
	}
	out.x = v
	for i, k := range radixSort(s.key, s.spare, 0) {
		v[i] = fromOrderedBits(k)
	}
	s.keptSpare = slices.Grow(s.keptSpare[:0], len(out.kept))[:len(out.kept)]
	if sorted := radixSort(out.kept, s.keptSpare, 32); &sorted[0] != &out.kept[0] {
		out.kept, s.keptSpare = sorted, out.kept
	}
}

// radixBits are sorted by in each pass: 2048 counters fit the first-level cache, and three passes are enough for 32 bits.
const radixBits = 11

// radixSort sorts keys by their 32 bits from shift on, by passes over radixBits each, the lowest first, each of which keeps the order of the one
// before: O(n). What it returns is keys or spare, of the same length; the other is overwritten.
func radixSort[K uint32 | uint64](keys, spare []K, shift int) []K {
	const mask = 1<<radixBits - 1
	var low, middle, high [1 << radixBits]uint32 // how many keys have these bits
	for _, k := range keys {
		bits := uint32(k >> shift)
		low[bits&mask]++
		middle[bits>>radixBits&mask]++
		high[bits>>(2*radixBits)]++
	}
	for pass, start := range []*[1 << radixBits]uint32{&low, &middle, &high} {
		sum := uint32(0)
		for b, c := range start {
			start[b], sum = sum, sum+c
		}
		by := (shift + radixBits*pass) & 63
		for _, k := range keys {
			b := k >> by & mask
			at := start[b]
			start[b] = at + 1
			spare[at] = k
		}
		keys, spare = spare, keys
	}
	return keys
}

// orderedBits are the bits of x, changed so that they are ordered as the floats are.
func orderedBits(x float32) uint32 {
	b := math.Float32bits(x)
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

func fromOrderedBits(k uint32) float32 {
	return math.Float32frombits(k ^ (^uint32(int32(k)>>31) | 1<<31))
}

// potentials are functions f and g by which a change of a sample changes a transport cost to first order: f at points of x, g
// at points of y, each but for a constant. The variance of the cost is Var f(x)/n + Var g(y)/m (del Barrio and Loubes, Central
// limit theorems for empirical transportation cost in general dimension, 2019). A variance is known well from few points: only
// every 2^shift-th of x and of y is kept.
type potentials struct{ f, g []float32 }

// keptPotentials is the least number of points whose potentials are kept, if there are as many: their variance is known to 1%.
const keptPotentials = 1 << 14

// keptShift is the shift for n points.
func keptShift(n int) (shift int) {
	for n>>(shift+1) >= keptPotentials {
		shift++
	}
	return shift
}

func newPotentials(n, m int) potentials {
	kept := func(n int) []float32 { return make([]float32, (n-1)>>keptShift(n)+1) }
	return potentials{kept(n), kept(m)}
}

// variance is Var f(x)/n + Var g(y)/m.
func (p potentials) variance(n, m int) float64 {
	return varianceOf(p.f)/float64(n) + varianceOf(p.g)/float64(m)
}

func varianceOf[T float32 | float64](v []T) float64 {
	mean, ss := 0.0, 0.0
	for _, a := range v {
		mean += float64(a)
	}
	mean /= float64(len(v))
	for _, a := range v {
		ss += (float64(a) - mean) * (float64(a) - mean)
	}
	return ss / float64(len(v)-1)
}

// lineCosts are the Wasserstein-1 distance and the square of the Wasserstein-2 distance of two samples on the line,
//
//	∫ |F⁻¹(u) - G⁻¹(u)| du,   ∫ (F⁻¹(u) - G⁻¹(u))² du   over 0 to 1
//
// with the quantile functions of the samples: exact, for any sizes. With T the monotone map of x to y, the potentials climb by
// f' = sign(x - T(x)) and f' = 2 (x - T(x)); f is the integral of this over the points by the trapezoid rule, and g the same
// with the samples exchanged.
func lineCosts(a, b *ordered, p1, p2 potentials) (w1, squareW2 float64) {
	n, m := len(a.x), len(b.x)
	fromA, fromB := newClimb(a, p1.f, p2.f), newClimb(b, p1.g, p2.g)
	if n == m {
		return pairedCosts(a, b, fromA, fromB)
	}
	// Point i of a holds the part of [0, nm) from i·m to (i+1)·m, point j of b that from j·n to (j+1)·n.
	var toA, toB float64 // Σ of overlap · x of the other sample's, of the points at hand
	endA, endB := m, n
	for i, j, u := 0, 0, 0; i < n; {
		end := min(endA, endB)
		xa, xb := float64(a.x[i]), float64(b.x[j])
		w, d := float64(end-u), xa-xb
		w1 += w * math.Abs(d)
		squareW2 += w * d * d
		toA += w * xb
		toB += w * xa
		u = end
		if end == endA {
			fromA.step(xa, xa-toA/float64(m))
			toA = 0
			i++
			endA += m
		}
		if end == endB {
			fromB.step(xb, xb-toB/float64(n))
			toB = 0
			j++
			endB += n
		}
	}
	all := float64(n) * float64(m)
	return w1 / all, squareW2 / all
}

// pairedCosts are lineCosts of samples of one size: T takes the i-th point to the i-th. The sums of both climbs stay in registers,
// which takes a quarter of the time off.
func pairedCosts(a, b *ordered, fromA, fromB climb) (w1, squareW2 float64) {
	n := len(a.x)
	x0, y0 := fromA.x, fromB.x
	var sign0, d0, f1, f2, g1, g2 float64
	for i, v := range b.x[:n] {
		x, y := float64(a.x[i]), float64(v)
		d := x - y
		sign := halfSign(d)
		w1 += math.Abs(d)
		squareW2 += d * d
		slope1, slope2 := sign+sign0, d+d0
		f1 += (x - x0) * slope1
		f2 += (x - x0) * slope2
		g1 -= (y - y0) * slope1
		g2 -= (y - y0) * slope2
		x0, y0, sign0, d0 = x, y, sign, d
		if x == fromA.next {
			fromA.keep(x, f1, f2)
		}
		if y == fromB.next {
			fromB.keep(y, g1, g2)
		}
	}
	return w1 / float64(n), squareW2 / float64(n)
}

// halfSign is -½, 0 or ½.
func halfSign(d float64) float64 {
	if d == 0 {
		return 0
	}
	return math.Copysign(0.5, d)
}

// climb integrates sign(x - T(x)) and 2 (x - T(x)) along ascending points. The integrals are the same at equal points, so that a kept one is
// known by its value.
type climb struct {
	kept           []uint64 // that are still to come
	next           float64  // the first of them, NaN where there is none
	f1, f2         []float32
	x              float64
	slope1, slope2 float64 // ½ sign(x - T(x)) and x - T(x)
	sum1, sum2     float64
}

func newClimb(o *ordered, f1, f2 []float32) climb {
	c := climb{kept: o.kept, f1: f1, f2: f2, x: float64(o.x[0])}
	c.wait()
	return c
}

// step goes on to x, where x - T(x) is off.
func (c *climb) step(x, off float64) {
	sign := halfSign(off)
	width := x - c.x
	c.sum1 += width * (sign + c.slope1)
	c.sum2 += width * (off + c.slope2)
	c.x, c.slope1, c.slope2 = x, sign, off
	c.keep(x, c.sum1, c.sum2)
}

// keep takes the integrals up to x as the potentials of all kept points there.
func (c *climb) keep(x, sum1, sum2 float64) {
	for x == c.next {
		at := uint32(c.kept[0])
		c.f1[at], c.f2[at] = float32(sum1), float32(sum2)
		c.kept = c.kept[1:]
		c.wait()
	}
}

// wait sets next.
func (c *climb) wait() {
	c.next = math.NaN()
	if len(c.kept) > 0 {
		c.next = float64(fromOrderedBits(uint32(c.kept[0] >> 32)))
	}
}
