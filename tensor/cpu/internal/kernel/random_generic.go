package kernel

import "math"

// randomGeneric is the plain Go twin of the generators.
var randomGeneric = RandomTable{bits: randomBits, uniform: randomUniform, normal: randomNormal}

func randomBits(dst []uint32, key [2]uint32, stream, block uint32) {
	for i := 0; i < len(dst); i += 2 {
		dst[i], dst[i+1] = threefry(key, [2]uint32{block, stream})
		block++
	}
}

func randomUniform(dst []float32, key [2]uint32, stream, block uint32) {
	for i := 0; i < len(dst); i += 2 {
		a, b := threefry(key, [2]uint32{block, stream})
		dst[i], dst[i+1] = unitInterval(a), unitInterval(b)
		block++
	}
}

func randomNormal(dst []float32, key [2]uint32, stream, block uint32) {
	for i := 0; i < len(dst); i += 2 {
		dst[i], dst[i+1] = boxMuller(threefry(key, [2]uint32{block, stream}))
		block++
	}
}

// bitsAt, uniformAt and normalAt return the value at one position.

func bitsAt(key [2]uint32, stream, position uint32) uint32 {
	a, b := threefry(key, [2]uint32{position / 2, stream})
	if position%2 == 1 {
		return b
	}
	return a
}

func uniformAt(key [2]uint32, stream, position uint32) float32 {
	return unitInterval(bitsAt(key, stream, position))
}

func normalAt(key [2]uint32, stream, position uint32) float32 {
	a, b := boxMuller(threefry(key, [2]uint32{position / 2, stream}))
	if position%2 == 1 {
		return b
	}
	return a
}

func unitInterval(a uint32) float32 { return float32(a>>8) * 0x1p-24 }

// angleUnit turns a fraction of a circle, as an integer over 2^32, into radians.
const angleUnit = math.Pi * 0x1p-31

// boxMuller turns two uniform words into two independent standard normal values; see RandomTable.Normal. The nearest
// quarter turn q is taken off the angle as an integer.
func boxMuller(a, b uint32) (z0, z1 float32) {
	e, f := splitLog(float32(a>>8+1) * 0x1p-24)
	radius := sqrt32(-2 * joinLog(e, f, 0))

	q := (b + 1<<29) >> 30
	x := float32(float32(int32(b-q<<30)) * angleUnit)
	s, c := quarterSinCos(q, x)
	return radius * c, radius * s
}
