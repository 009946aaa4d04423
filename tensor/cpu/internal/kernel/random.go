package kernel

// Random numbers are a pure function of (key, stream, position): value number p of a stream is the same whichever call
// makes it, at every level. A stream has 2^32 values, after which it repeats.
//
// The bits are Threefry 2x32 with 20 rounds: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011. Values 2i and 2i+1 are the two words of the block with key (key[0], key[1]) and counter
// (i, stream).

// RandomTable is the set of generators of one level. Each writes values position, position+1, … of a stream to dst.
type RandomTable struct {
	// These write a multiple of randomGroup values, the first of which is value 2·block.
	bits    func(dst []uint32, key [2]uint32, stream, block uint32)
	uniform func(dst []float32, key [2]uint32, stream, block uint32)
	normal  func(dst []float32, key [2]uint32, stream, block uint32)
}

// Random returns the generators of the active level.
func Random() *RandomTable { return randomTables[Active()] }

const (
	randomGroup = 32   // values are made together: 16 blocks of two
	normalPart  = 1024 // values at a time go through the two passes of the assembly's normal
)

// Bits writes uniformly distributed 32-bit words.
func (t *RandomTable) Bits(dst []uint32, key [2]uint32, stream, position uint32) {
	inGroups(dst, key, stream, position, t.bits, bitsAt)
}

// Uniform writes float32 values uniform on the grid {0, 1, …, 2^24-1}·2^-24 of [0, 1): the upper 24 bits of the words
// that Bits writes.
func (t *RandomTable) Uniform(dst []float32, key [2]uint32, stream, position uint32) {
	inGroups(dst, key, stream, position, t.uniform, uniformAt)
}

// Normal writes standard normal values by the method of Box and Muller (1958). Of the words (a, b) of a block, the
// radius is √(-2 ln u) with u = (⌊a/2^8⌋+1)·2^-24 in (0, 1], the angle is 2π·b/2^32, and the values are radius·cos and
// radius·sin. They are finite, and at most √(48 ln 2) < 5.77 in size.
func (t *RandomTable) Normal(dst []float32, key [2]uint32, stream, position uint32) {
	inGroups(dst, key, stream, position, t.normal, normalAt)
}

// inGroups fills dst from a generator of whole groups, which start at even positions. The last group may overlap the
// one before it, which it repeats; what groups cannot reach is made one value at a time.
func inGroups[T uint32 | float32](dst []T, key [2]uint32, stream, position uint32,
	group func(dst []T, key [2]uint32, stream, block uint32), one func(key [2]uint32, stream, position uint32) T) {
	if left := 1<<32 - int64(position); int64(len(dst)) > left { // the stream repeats
		inGroups(dst[left:], key, stream, 0, group, one)
		dst = dst[:left]
	}
	if position%2 == 1 && len(dst) > 0 {
		dst[0] = one(key, stream, position)
		dst = dst[1:]
		position++
	}
	if n := len(dst); n%2 == 1 {
		dst[n-1] = one(key, stream, position+uint32(n-1))
		dst = dst[:n-1]
	}
	n := len(dst) / randomGroup * randomGroup
	switch rest := len(dst) - n; {
	case n == 0:
		for i := range dst {
			dst[i] = one(key, stream, position+uint32(i))
		}
		return
	case rest > 0:
		from := len(dst) - randomGroup
		group(dst[from:], key, stream, (position+uint32(from))/2)
	}
	group(dst[:n], key, stream, position/2)
}

// schedule is what the assembly reads: the key schedule, the words that the second word takes after each four rounds,
// and the two words of the first counter plus their keys, second word first.
type schedule [10]uint32

func newSchedule(key [2]uint32, stream, block uint32) schedule {
	k0, k1, k2 := key[0], key[1], threefryParity^key[0]^key[1]
	return schedule{k0, k1, k2, k2 + 1, k0 + 2, k1 + 3, k2 + 4, k0 + 5, stream + k1, block + k0}
}

// threefryParity makes the third word of the key schedule.
const threefryParity = 0x1bd11bda

// threefry returns the two words of the block with the given key and counter.
func threefry(key, counter [2]uint32) (x0, x1 uint32) {
	keys := [3]uint32{key[0], key[1], threefryParity ^ key[0] ^ key[1]}
	rotations := [8]uint{13, 15, 26, 6, 17, 29, 16, 24}
	x0, x1 = counter[0]+keys[0], counter[1]+keys[1]
	for round := range 20 {
		r := rotations[round%8]
		x0 += x1
		x1 = (x1<<r | x1>>(32-r)) ^ x0
		if round%4 == 3 {
			s := round/4 + 1
			x0 += keys[s%3]
			x1 += keys[(s+1)%3] + uint32(s)
		}
	}
	return x0, x1
}
