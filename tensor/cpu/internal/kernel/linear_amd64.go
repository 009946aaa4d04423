package kernel

import "sync"

// linearFunc and linearGradientFunc are described at the generator's functions linear and linearGradient.
type (
	linearFunc         func(rows, n int, x *float32, ldx, ahead int, mean, b *float64, ldb int, h *float64, ldh int)
	linearGradientFunc func(rows int, x *float32, ldx int, mean, r *float64, ldr int, g *float64, ldg int)
)

// linearRoutines are those of a level, for 1, 2, … functions.
type linearRoutines struct {
	columns  int // that gradient takes at once
	forward  []linearFunc
	gradient []linearGradientFunc
}

var (
	linear512 = linearRoutines{16,
		[]linearFunc{linear512x1, linear512x2, linear512x3, linear512x4, linear512x5,
			linear512x6, linear512x7, linear512x8, linear512x9, linear512x10},
		[]linearGradientFunc{linearGradient512x1, linearGradient512x2, linearGradient512x3, linearGradient512x4, linearGradient512x5,
			linearGradient512x6, linearGradient512x7, linearGradient512x8, linearGradient512x9, linearGradient512x10}}
	linear256 = linearRoutines{8,
		[]linearFunc{linear256x1, linear256x2, linear256x3, linear256x4, linear256x5},
		[]linearGradientFunc{linearGradient256x1, linearGradient256x2, linearGradient256x3, linearGradient256x4, linearGradient256x5}}
)

const (
	mostFunctions = 10 // of one routine
	mostColumns   = 16
)

// linearLevel returns the routines of the active level; nil if there are none.
func linearLevel() *linearRoutines {
	switch Active() {
	case AVX512:
		return &linear512
	case AVX2:
		return &linear256
	}
	return nil
}

// linearBlock adds a block of columns, which are whole lanes, for a few rows.
func linearBlock(h []float64, x []float32, mean, b []float64, from, to int) {
	l := linearLevel()
	if l == nil {
		linearBlockGeneric(h, x, mean, b, from, to)
		return
	}
	p := len(mean)
	rows, functions := len(x)/p, len(b)/p
	groups := splitEvenly(0, functions, len(l.forward))
	for g := range groups.count {
		f, count := groups.part(g)
		l.forward[count-1](rows, to-from, &x[from], p, linearRows*p, &mean[from], &b[f*p+from], p, &h[f], functions)
	}
}

// linearTails are columns that do not fill vectors, laid out so that they do, with zeros beside them. On the stack they would make that of
// a new goroutine grow, which takes longer than all else for few rows.
type linearTails struct {
	x    [linearGradientRows * mostColumns]float32
	mean [mostColumns]float64
	b    [mostFunctions * mostColumns]float64
}

var linearTailPool = sync.Pool{New: func() any { return new(linearTails) }}

// take copies columns [from, p) of rows of x, and of mean.
func (t *linearTails) take(x []float32, mean []float64, from, columns int) {
	p := len(mean)
	clear(t.x[:len(x)/p*columns])
	for i := range len(x) / p {
		for j, v := range x[i*p+from : (i+1)*p] {
			t.x[i*columns+j] = v
		}
	}
	clear(t.mean[:])
	copy(t.mean[:], mean[from:])
}

// linearTail adds the columns from the given one on, fewer than 8, for all rows.
func linearTail(h []float64, x []float32, mean, b []float64, from int) {
	l := linearLevel()
	if l == nil {
		linearBlockGeneric(h, x, mean, b, from, len(mean))
		return
	}
	p := len(mean)
	functions := len(b) / p
	tail := linearTailPool.Get().(*linearTails)
	defer linearTailPool.Put(tail)
	groups := splitEvenly(0, functions, len(l.forward))
	for i := 0; i*p < len(x); i += linearGradientRows {
		rows := min(linearGradientRows, len(x)/p-i)
		tail.take(x[i*p:(i+rows)*p], mean, from, 8)
		for g := range groups.count {
			f, count := groups.part(g)
			clear(tail.b[:])
			for k := range count {
				copy(tail.b[8*k:], b[(f+k)*p+from:(f+k+1)*p])
			}
			l.forward[count-1](rows, 8, &tail.x[0], 8, 0, &tail.mean[0], &tail.b[0], 8, &h[i*functions+f], functions)
		}
	}
}

// linearGradientBlock is LinearGradient of at most linearGradientRows rows.
func linearGradientBlock(g []float64, x []float32, mean, r []float64) {
	l := linearLevel()
	if l == nil {
		linearGradientGeneric(g, x, mean, r)
		return
	}
	p := len(mean)
	rows, functions := len(x)/p, len(g)/p
	groups := splitEvenly(0, functions, len(l.gradient))
	whole := p - p%l.columns
	for j := 0; j < whole; j += l.columns {
		for k := range groups.count {
			f, count := groups.part(k)
			l.gradient[count-1](rows, &x[j], p, &mean[j], &r[f], functions, &g[f*p+j], p)
		}
	}
	if whole == p {
		return
	}
	tail := linearTailPool.Get().(*linearTails)
	defer linearTailPool.Put(tail)
	tail.take(x, mean, whole, mostColumns)
	for k := range groups.count {
		f, count := groups.part(k)
		for i := range count {
			copy(tail.b[i*mostColumns:], g[(f+i)*p+whole:(f+i+1)*p])
		}
		l.gradient[count-1](rows, &tail.x[0], mostColumns, &tail.mean[0], &r[f], functions, &tail.b[0], mostColumns)
		for i := range count {
			copy(g[(f+i)*p+whole:(f+i+1)*p], tail.b[i*mostColumns:])
		}
	}
}
