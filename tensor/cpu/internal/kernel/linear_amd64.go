package kernel

// linearFunc and linearGradientFunc are described at the generator's functions linear and linearGradient.
type (
	linearFunc         func(n int, x *float32, ldx, ahead int, mean, b *float64, ldb int, h *float64, ldh int)
	linearGradientFunc func(rows int, x *float32, ldx int, mean, r *float64, ldr int, g *float64, ldg int)
)

// linearRoutines are those of a level, for 1, 2, … functions.
type linearRoutines struct {
	rows     int // that forward takes at once
	columns  int // that gradient does
	forward  []linearFunc
	gradient []linearGradientFunc
}

var (
	linear512 = linearRoutines{2, 16,
		[]linearFunc{linear512x1, linear512x2, linear512x3, linear512x4, linear512x5,
			linear512x6, linear512x7, linear512x8, linear512x9, linear512x10},
		[]linearGradientFunc{linearGradient512x1, linearGradient512x2, linearGradient512x3, linearGradient512x4, linearGradient512x5,
			linearGradient512x6, linearGradient512x7, linearGradient512x8, linearGradient512x9, linearGradient512x10}}
	linear256 = linearRoutines{1, 8,
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

// linearBlock adds a block of columns, for at most linearRows rows.
func linearBlock(h []float64, x []float32, mean, b []float64, from, to int) {
	l := linearLevel()
	if l == nil {
		linearBlockGeneric(h, x, mean, b, from, to)
		return
	}
	p := len(mean)
	functions := len(b) / p
	groups := splitEvenly(0, functions, len(l.forward))
	for g := range groups.count {
		f, count := groups.part(g)
		if (to-from)%8 == 0 {
			l.functions(count, to-from, h[f:], functions, x[from:], mean[from:], b[f*p+from:], p, len(x)/p)
			continue
		}
		var tail struct { // of 8 columns, zeros where there are none
			x    [linearRows * 8]float32
			mean [8]float64
			b    [mostFunctions * 8]float64
		}
		for i := 0; i*p < len(x); i++ {
			copy(tail.x[8*i:], x[i*p+from:i*p+to])
		}
		copy(tail.mean[:], mean[from:to])
		for k := range count {
			copy(tail.b[8*k:], b[(f+k)*p+from:(f+k)*p+to])
		}
		l.functions(count, 8, h[f:], functions, tail.x[:], tail.mean[:], tail.b[:], 8, len(x)/p)
	}
}

// functions adds n columns of count functions. The rows of x and b are ld elements apart, those of h ldh.
func (l *linearRoutines) functions(count, n int, h []float64, ldh int, x []float32, mean, b []float64, ld, rows int) {
	for i := 0; i < rows; i += l.rows {
		ldx, ldh2 := ld, ldh
		if rows-i < l.rows { // the routine takes the last row for both of its rows
			ldx, ldh2 = 0, 0
		}
		l.forward[count-1](n, &x[i*ld], ldx, linearRows*ld, &mean[0], &b[0], ld, &h[i*ldh], ldh2)
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
	var tail struct { // of whole vectors, zeros where there are no columns
		x    [linearGradientRows * mostColumns]float32
		mean [mostColumns]float64
		g    [mostFunctions * mostColumns]float64
	}
	for i := range rows {
		copy(tail.x[i*mostColumns:], x[i*p+whole:(i+1)*p])
	}
	copy(tail.mean[:], mean[whole:])
	for k := range groups.count {
		f, count := groups.part(k)
		for i := range count {
			copy(tail.g[i*mostColumns:], g[(f+i)*p+whole:(f+i+1)*p])
		}
		l.gradient[count-1](rows, &tail.x[0], mostColumns, &tail.mean[0], &r[f], functions, &tail.g[0], mostColumns)
		for i := range count {
			copy(g[(f+i)*p+whole:(f+i+1)*p], tail.g[i*mostColumns:])
		}
	}
}
