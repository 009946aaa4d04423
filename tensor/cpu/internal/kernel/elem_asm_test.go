package kernel

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestAVX2AssemblyIsAVX2 reads the generated assembly: a function for AVX2 may use neither mask registers nor the
// vector registers and widths of AVX-512, and every function must end in VZEROUPPER.
func TestAVX2AssemblyIsAVX2(t *testing.T) {
	evex := regexp.MustCompile(`\b(Z\d+|[XY](1[6-9]|2\d|3[01])|K[0-7]|V\w+(I8X16|32X4|64X2|64X4))\b`)
	for _, file := range []struct {
		name, avx2 string // avx2 is in the names of its functions
		atLeast    int
	}{{"elem_amd64.s", "AVX2", 100}, {"micro_amd64.s", "256", 100}} {
		source, err := os.ReadFile(file.name)
		if err != nil {
			t.Fatal(err)
		}
		functions := strings.Split(string(source), "\nTEXT ·")[1:]
		if len(functions) < file.atLeast {
			t.Errorf("%s has %d functions", file.name, len(functions))
		}
		checked := 0
		for _, f := range functions {
			name, body, _ := strings.Cut(f, "(SB)")
			if strings.Contains(name, file.avx2) {
				checked++
				if found := evex.FindString(body); found != "" {
					t.Errorf("%s uses %s", name, found)
				}
			}
			if strings.Count(body, "RET") != strings.Count(body, "VZEROUPPER") {
				t.Errorf("%s returns without VZEROUPPER", name)
			}
		}
		if checked < 20 {
			t.Errorf("%s has %d functions for AVX2", file.name, checked)
		}
	}
}
