package kernel

import "unsafe"

// Workspace is the scratch memory of one worker thread: packed panels, padded images, tables of offsets. It grows as
// needed, so that calls with shapes seen before allocate nothing. The zero value is ready. It must not be used by two
// goroutines at once.
type Workspace struct {
	single scratch[float32]
	double scratch[float64]
}

// scratch is the memory for one precision.
type scratch[T float] struct {
	packedA, packedB []T
	turned           []T // a tile to be stored transposed
	offsets          [16]int
	dotRows          [32]int
	conv             convScratch[T]
}

type float interface{ float32 | float64 }

const cacheLine = 64 // bytes

// reserve returns buf with at least n elements, its first on a cache line. The contents are undefined.
func reserve[T any](buf []T, n int) []T {
	if len(buf) >= n {
		return buf
	}
	size := int(unsafe.Sizeof(*new(T)))
	buf = make([]T, n+cacheLine/size)
	first := 0
	if over := int(uintptr(unsafe.Pointer(&buf[0])) % cacheLine); over != 0 {
		first = (cacheLine - over) / size
	}
	return buf[first : first+n]
}
