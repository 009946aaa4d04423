package gonumblas

// Where the kernels are faster than gonum's code: figures of gonum's time over ours, float32/float64, on one thread of an
// AMD EPYC with AVX-512, November 2026, from
//
//	go test -run '^$' -bench Calibrate -benchtime 1x -cpu 1 ./tensor/cpu/gonumblas
//
// The same sizes hold for every type, level and number of threads, so that the bits of a result depend on none of these.
// Plain Go kernels are slower than gonum's assembly, and a program that runs on them pays for that.

// worthThread is how many multiplications a thread must get. With half of it, the product of 128³ in float64 on two threads
// took 56 µs, on one 47; with this, 160³ took 87 µs in place of 108.
const worthThread = 1 << 21

// stripRows are the rows of a symmetric product that are computed at a time. The update of (784, 784) by 100 terms took 0.83
// ms with 64, 1.05 with 48, 0.95 with 96, 1.01 with 128.
const stripRows = 64

// smallTriangle is the most unknowns that gonum solves for at a time. With 16 in place of 8, Dtrsm with 8 right-hand sides is
// at 1.1 to 1.5 of gonum's speed, not at 1.6 to 2.5, and with 64 not faster.
const smallTriangle = 8

// fast: with B as it is, 8x8x16 is at 3.1/2.5, 4x64x4 at 1.2/1.8, 1x32x32 at 1.7/2.2, 64x64x1 at 1.8/1.8, 64x64x64 at
// 12/7.7; but 2x16x16 at 0.9/1.4. With B transposed and A not, gonum computes dot products that need no packing: 8x8x8 is at
// 1.8/1.3, 16x4x16 at 1.1/1.0, 64x64x64 at 9.7/6.5; but 4x4x64 at 0.5/0.7, 64x2x64 at 1.0/0.8. With both transposed its
// stride is bad: 2x32x32 is at 4.3/1.4, 64x64x64 at 37/14; but 1x64x64 at 3.7/0.9.
func (p *product[T]) fast() bool {
	work := p.m * p.n * p.k
	switch {
	case !p.tb:
		return work >= 1024
	case p.ta:
		return work >= 1024 && p.m >= 2
	}
	return work >= 512 && p.m >= 4 && p.n >= 4 && p.m*p.n >= 64
}

// fast: 8x256 is at 1.3, 4x1024 at 2.0, 64x32 at 1.4, 256x8 at 1.4, 1024x1024 at 1.8; but 16x64 at 1.0, 2x1024 at 1.2 or
// less. In float64 1024x4 is at 0.3, 256x256 at 0.8, 1024x1024 at 0.5, so Dgemv stays gonum's, and so does a matrix that is not
// transposed, for which gonum computes dot products.
func (p *matrixVector) fast() bool { return p.m >= 4 && p.m*p.n >= 2048 }

// fast: with A as it is, n=24 is at 1.6/1.1 or more for every k, n=64 at 3.6/2.7; but n=16, k=4 at 1.2/0.6. With A transposed,
// n=24, k=8 is at 1.3/1.3, n=256, k=256 at 8.1/6.0; but n=24, k=4 at 0.7/0.8, n=128, k=2 at 0.8/1.0.
func (p *rankUpdate[T]) fast() bool { return p.n >= 24 && (!p.ta || p.k >= 8) }

// fast looks at the triangle alone, so that a solution does not depend on how many there are beside it. At order 24 one
// right-hand side is at 1.1 (left) and 0.4 (right), 8 at 1.2 and 1.8 or more, 256 at 1.6 and 4.5 or more; at order 256 one is
// at 3.8 to 6.5 and 0.3 to 0.7, 256 at 6 and 4.3 to 6.4.
func (p *triangular[T]) fast() bool { return p.order() >= 24 }
