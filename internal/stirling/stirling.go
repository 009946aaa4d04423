// Package stirling has what logarithms of gamma functions, and differences of logarithms, leave when their large terms have cancelled on
// paper: the rests of Stirling's formula, and the deviance. Differences of log Γ itself lose every digit at large arguments.
package stirling

import "math"

// halfLog2Pi is ½ log 2π.
const halfLog2Pi = 0.91893853320467274178032973640563761986139747363778

// FactorialRest is log Γ(a+1) - a log a + a, which is ½ log(2πa) and the error of Stirling's formula, a >= 0.
func FactorialRest(a float64) float64 {
	switch {
	case a == 0:
		return 0
	case a < 16:
		lgamma, _ := math.Lgamma(a + 1)
		return lgamma - a*math.Log(a) + a
	}
	return halfLog2Pi + math.Log(a)/2 + series(a)
}

// series is Σ_k B_2k / (2k (2k-1) a^(2k-1)); what follows is below 1e-17 from a = 16 on.
func series(a float64) float64 {
	s := 1 / (a * a)
	return (1.0/12 - (1.0/360-(1.0/1260-(1.0/1680-(1.0/1188-(691.0/360360-s/156)*s)*s)*s)*s)*s) / a
}

// Binet is Binet's function log Γ(a) - (a-½) log a + a - ½ log 2π, the error of Stirling's formula, a > 0. It is slower than FactorialRest, and
// exact to some units of its last place.
func Binet(a float64) float64 {
	sum := 0.0
	for ; a < 16; a++ { // J(a) - J(a+1) = (a+½) log(1+1/a) - 1 = v²/3 + v⁴/5 + …,  v = 1/(2a+1)
		if a < 0.5 {
			sum += (a+0.5)*math.Log1p(1/a) - 1
			continue
		}
		v := 1 / (2*a + 1)
		power, part := v*v, 0.0
		for k := 3.0; power > part*0x1p-54; k += 2 {
			part += power / k
			power *= v * v
		}
		sum += part
	}
	return sum + series(a)
}

// DigammaError is ε(a) = log a - 1/(2a) - ψ(a), what is left out where log a - 1/(2a) stands for the digamma function, a > 0.
func DigammaError(a float64) float64 {
	// ψ(a+1) = ψ(a) + 1/a leads from small a to where the series holds.
	shift := 0.0
	b := a
	for ; b < 16; b++ {
		shift += 1 / b
	}
	s := 1 / (b * b) // Σ_k B_2k / (2k a^2k)
	e := (1.0/12 - (1.0/120-(1.0/252-(1.0/240-(1.0/132-(691.0/32760-s/12)*s)*s)*s)*s)*s) * s
	if b == a {
		return e
	}
	return math.Log(a) - 1/(2*a) + shift - (math.Log(b) - 1/(2*b) - e)
}

// Deviance is D(x, m) = x log(x/m) + m - x, which is never negative, for x >= 0 and m > 0; Loader's bd0.
func Deviance(x, m float64) float64 {
	if x == 0 {
		return m
	}
	if d := x - m; math.Abs(d) < 0.1*(x+m) {
		// With v = (x-m)/(x+m): D = (x-m) v + 2x (v³/3 + v⁵/5 + …).
		v := d / (x + m)
		sum, term := d*v, 2*x*v
		for k := 3.0; ; k += 2 {
			term *= v * v
			next := sum + term/k
			if next == sum {
				return next
			}
			sum = next
		}
	}
	ratio := x / m
	if ratio == 0 || math.IsInf(ratio, 1) {
		return x*(math.Log(x)-math.Log(m)) + m - x
	}
	return x*math.Log(ratio) + m - x
}
