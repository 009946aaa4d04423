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
	source, err := os.ReadFile("elem_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	evex := regexp.MustCompile(`\b(Z\d+|[XY](1[6-9]|2\d|3[01])|K[0-7]|V\w+(I8X16|32X4|64X2|64X4))\b`)
	functions := strings.Split(string(source), "\nTEXT ·")[1:]
	if len(functions) < 100 {
		t.Fatalf("elem_amd64.s has %d functions", len(functions))
	}
	for _, f := range functions {
		name, body, _ := strings.Cut(f, "(SB)")
		if found := evex.FindString(body); found != "" && strings.HasSuffix(name, "AVX2") {
			t.Errorf("%s uses %s", name, found)
		}
		if strings.Count(body, "RET") != strings.Count(body, "VZEROUPPER") {
			t.Errorf("%s returns without VZEROUPPER", name)
		}
	}
}
