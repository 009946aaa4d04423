package stirling

import (
	"math"
	"testing"
)

// The values are by mpmath 1.2.1 with 40 digits.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		name            string
		got, want, near float64
	}{
		{"rest at 1.0e-6", FactorialRest(1e-06), 1.4238295715529373e-05, 1e-11},
		{"rest at 0.3", FactorialRest(0.3), 0.5530170317899203, 1e-14},
		{"rest at 15.5", FactorialRest(15.5), 2.2947341442002, 1e-14},
		{"rest at 16.0", FactorialRest(16.0), 2.310440550244173, 1e-14},
		{"rest at 1.0e+9", FactorialRest(1000000000.0), 11.280571451761212, 1e-14},
		{"ε at 1.0e-6", DigammaError(1e-06), 499986.76170346205, 1e-12},
		{"ε at 0.3", DigammaError(0.3), 0.6318847512075304, 1e-12},
		{"ε at 15.5", DigammaError(15.5), 0.0003467168187064717, 1e-12},
		{"ε at 16.0", DigammaError(16.0), 0.0003253939123208693, 1e-15},
		{"ε at 1.0e+9", DigammaError(1000000000.0), 8.333333333333334e-20, 1e-15},
		{"D(3.0, 4.0)", Deviance(3.0, 4.0), 0.1369537826446572, 2e-15},
		{"D(1.0, 1.0e-9)", Deviance(1.0, 1e-09), 19.72326583794641, 2e-15},
		{"D(1.0e-9, 1.0)", Deviance(1e-09, 1.0), 0.9999999782767341, 2e-15},
		{"D(1000000000.0, 999999999.0)", Deviance(1000000000.0, 999999999.0), 5.000000003333333e-10, 2e-15},
		{"D(1.0, 1.00000000093)", Deviance(1.0, 1.0000000009313226), 4.3368086872493727e-19, 2e-15},
		{"D(1.0e+200, 1.0e-200)", Deviance(1e+200, 1e-200), 9.200340371976183e+202, 2e-15},
		{"D(1.0e-200, 1.0e+200)", Deviance(1e-200, 1e+200), 1e+200, 2e-15},
		{"D(0, 3)", Deviance(0, 3), 3, 0},
	} {
		if !(math.Abs(c.got-c.want) <= c.near*math.Abs(c.want)) {
			t.Errorf("%s is %v, expected %v", c.name, c.got, c.want)
		}
	}
}
