package report

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

// luminance is the relative luminance of a colour, as the Web Content Accessibility Guidelines 2.2 define it.
func luminance(c [3]float64) float64 {
	weight, sum := [3]float64{0.2126, 0.7152, 0.0722}, 0.0
	for k, v := range c {
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight[k] * v
	}
	return sum
}

func contrast(a, b [3]float64) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Text can be read in light, in dark and on paper: its contrast is at least 4.5, and that of lines 3 (WCAG 2.2, 1.4.3 and 1.4.11).
func TestContrast(t *testing.T) {
	if got := contrast([3]float64{}, [3]float64{1, 1, 1}); math.Abs(got-21) > 1e-12 {
		t.Errorf("black on white has a contrast of %v, expected 21", got)
	}
	mix := regexp.MustCompile(`var\(--(wrong|accent)\) (?:calc|min)\(var\(--share\) \* \.(\d+)(?:, (\d+)%)?\), var\(--panel\)`).FindAllStringSubmatch(pageHTML, -1)
	roots := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(pageHTML, -1)
	if len(roots) != 3 || len(mix) != 2 {
		t.Fatalf("%d sets of colours and %d cells that mix them, expected 3 and 2", len(roots), len(mix))
	}
	for i, root := range roots {
		colours := map[string][3]float64{}
		for _, c := range regexp.MustCompile(`--([a-z0-9-]+): #([0-9a-f]+)`).FindAllStringSubmatch(root[1], -1) {
			hex := c[2]
			if len(hex) == 3 {
				hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
			}
			n, err := strconv.ParseUint(hex, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			colours[c[1]] = [3]float64{float64(n>>16) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}
		}
		check := func(what string, a, b [3]float64, least float64) {
			if got := contrast(a, b); !(got >= least) {
				t.Errorf("%s in set %d of colours has a contrast of %.2f, expected at least %v", what, i, got, least)
			}
		}
		for _, text := range []string{"ink", "quiet", "accent"} {
			check(text, colours[text], colours["page"], 4.5)
		}
		check("quiet on a panel", colours["quiet"], colours["panel"], 4.5)
		for k := range seriesColours {
			name := "line-" + strconv.Itoa(k+1)
			check(name, colours[name], colours["page"], 3)
		}
		for _, m := range mix { // the deepest cell of the table of decisions
			share, _ := strconv.ParseFloat("0."+m[2], 64)
			if m[3] != "" {
				most, _ := strconv.ParseFloat(m[3], 64)
				share = min(share, most/100)
			}
			var cell [3]float64
			for c := range cell {
				cell[c] = share*colours[m[1]][c] + (1-share)*colours["panel"][c]
			}
			check("a cell of "+m[1], colours["ink"], cell, 4.5)
		}
	}
}
