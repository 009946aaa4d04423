package reference

import (
	"math"
	"math/bits"

	"github.com/likely-ml/likely/tensor"
)

// threefry is Threefry 2x32-20: Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3 (SC 2011),
// section 4.2 and table 1. Twenty rounds of addition, rotation and exclusive or; before the first and after every
// fourth a word of the key is added to each word, and the number of the injection to the second.
func threefry(counter, key [2]uint32) [2]uint32 {
	const parity = 0x1BD11BDA
	rotations := [8]int{13, 15, 26, 6, 17, 29, 16, 24}
	schedule := [3]uint32{key[0], key[1], parity ^ key[0] ^ key[1]}
	x0, x1 := counter[0]+schedule[0], counter[1]+schedule[1]
	for round := range 20 {
		x0 += x1
		x1 = bits.RotateLeft32(x1, rotations[round%8]) ^ x0
		if round%4 == 3 {
			injection := round/4 + 1
			x0 += schedule[injection%3]
			x1 += schedule[(injection+1)%3] + uint32(injection)
		}
	}
	return [2]uint32{x0, x1}
}

// draws fills n by value(i, block), where block is the pair of words that holds element i.
func draws(n *tensor.Node, in [][]float64, value func(i int, block [2]uint32) float64) []float64 {
	key := [2]uint32{uint32(in[0][0]), uint32(in[0][1])}
	stream := n.Attr().(uint32)
	out := make([]float64, n.Shape().Size())
	for i := range out {
		out[i] = value(i, threefry([2]uint32{uint32(i / 2), stream}, key))
	}
	return out
}

func randomBits(n *tensor.Node, in [][]float64) []float64 {
	return draws(n, in, func(i int, block [2]uint32) float64 { return float64(block[i%2]) })
}

func randomUniform(n *tensor.Node, in [][]float64) []float64 {
	return draws(n, in, func(i int, block [2]uint32) float64 { return float64(block[i%2]>>8) / (1 << 24) })
}

// randomNormal is the transform of Box and Muller (1958).
func randomNormal(n *tensor.Node, in [][]float64) []float64 {
	return draws(n, in, func(i int, block [2]uint32) float64 {
		u, angle := float64(block[0]>>8+1)/(1<<24), 2*math.Pi*float64(block[1])/(1<<32)
		radius := math.Sqrt(-2 * math.Log(u))
		if i%2 == 0 {
			return radius * math.Cos(angle)
		}
		return radius * math.Sin(angle)
	})
}
