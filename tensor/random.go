package tensor

// Random numbers are Threefry 2x32-20 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011): block b of
// a stream is the cipher of the counter (b, stream) under a key of two words, and its two words are values 2b and 2b+1. A
// value depends on key, stream and position alone, so it is the same on every backend at any number of threads.

// RandomBits is uniform Uint32. The key is an input or other node Uint32[2]; each call takes the next stream of the
// graph. Attr, here and for the two below: the stream, a uint32.
func RandomBits(key *Node, dims ...int) *Node { return random(OpRandomBits, key, Uint32, dims) }

// RandomUniform is uniform on [0, 1) in steps of 2⁻²⁴: the top 24 bits of [RandomBits].
func RandomUniform(key *Node, d DType, dims ...int) *Node {
	return random(OpRandomUniform, key, d, dims)
}

// RandomNormal is standard normal by Box and Muller: with u = (top 24 bits of value 2b, plus 1)·2⁻²⁴ and the angle
// a = 2π·(value 2b+1)·2⁻³², elements 2b and 2b+1 are √(−2 log u) cos a and √(−2 log u) sin a.
func RandomNormal(key *Node, d DType, dims ...int) *Node {
	return random(OpRandomNormal, key, d, dims)
}

func random(op Op, key *Node, d DType, dims []int) *Node {
	if !key.shape.Equal(Shape{Uint32, []int{2}}) {
		fail("%s: the key must be uint32[2], got %v", op, key.shape)
	}
	if op != OpRandomBits && !d.IsFloat() {
		fail("%s: no %v", op, d)
	}
	g := key.graph
	g.streams++
	return g.add(op, checked(op.String(), d, dims), g.streams-1, key)
}
