package dist

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// continuous and discrete are what all distributions over the line, or over whole numbers, have in common.
type (
	continuous struct{}
	discrete   struct{}
)

func (continuous) Dim() int       { return 1 }
func (continuous) Discrete() bool { return false }
func (discrete) Dim() int         { return 1 }
func (discrete) Discrete() bool   { return true }

// fill draws each element of dst.
func fill(dst []float64, r *rand.Rand, draw func(*rand.Rand) float64) error {
	if r == nil {
		return ErrNoRand
	}
	for i := range dst {
		dst[i] = draw(r)
	}
	return nil
}

// checkRows reports what is wrong with a destination of draws of d elements.
func checkRows(dst []float64, d int, r *rand.Rand) error {
	if r == nil {
		return ErrNoRand
	}
	if len(dst)%d != 0 {
		return fmt.Errorf("draws of %d elements do not fill %d numbers; expected a multiple of %d", d, len(dst), d)
	}
	return nil
}

// ParameterError says which parameter of a distribution is not what it must be.
type ParameterError struct {
	Family   string // such as "normal"
	Index    int    // of the parameter, from 0
	Name     string // such as "standard deviation"
	Found    string
	Expected string
}

func (e *ParameterError) Error() string {
	return fmt.Sprintf("%s: %s is %s, expected %s", e.Family, e.Name, e.Found, e.Expected)
}

// parameters is the first error of a family's parameters, which are checked in their order.
func parameters(family string, checked ...*ParameterError) error {
	for i, e := range checked {
		if e != nil {
			e.Family, e.Index = family, i
			return e
		}
	}
	return nil
}

// must is the error of a parameter v that does not hold what is expected.
func must(holds bool, name string, v float64, expected string) *ParameterError {
	if holds {
		return nil
	}
	return &ParameterError{Name: name, Found: number(v), Expected: expected}
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func finite(name string, v float64) *ParameterError {
	return must(isFinite(v), name, v, "a finite number")
}

func positive(name string, v float64) *ParameterError {
	return must(v > 0 && isFinite(v), name, v, "a positive number")
}

// openUniform is uniform over the numbers between 0 and 1, without both.
func openUniform(r *rand.Rand) float64 { return (float64(r.Uint64()>>12) + 0.5) * 0x1p-52 }

// continuity says of which kind a distribution is.
func continuity(d Distribution) string {
	if d.Discrete() {
		return "discrete"
	}
	return "continuous"
}

// number writes v with as many digits as tell it from its neighbours.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// numbers writes a list with commas.
func numbers(v []float64) string {
	var b strings.Builder
	for i, e := range v {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(number(e))
	}
	return b.String()
}

// written is the form of a family whose parameters are numbers.
func written(family string, v ...float64) string { return family + "(" + numbers(v) + ")" }

// checkMarginals reports a part of a mixture or product whose marginals are not known.
func checkMarginals(family string, index int, d Distribution) error {
	_, line := d.(Univariate)
	_, more := d.(Marginals)
	if line || more && d.Dim() > 1 {
		return nil
	}
	return &ParameterError{Family: family, Index: index, Name: fmt.Sprintf("part %d", index+1),
		Found: d.String(), Expected: "a distribution with known marginals"}
}

// marginalOf is the distribution of element i of a distribution that passed checkMarginals.
func marginalOf(d Distribution, i int) Univariate {
	if line, ok := d.(Univariate); ok {
		return line
	}
	return d.(Marginals).Marginal(i)
}
