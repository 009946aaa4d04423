package builtin

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestDigits compares the first picture with the source's first line, and the file with the checksum in README.md.
func TestDigits(t *testing.T) {
	pixels, digit, err := Digits()
	if err != nil {
		t.Fatal(err)
	}
	if len(digit) != DigitsCount || len(pixels) != DigitsCount*DigitsSide*DigitsSide {
		t.Fatalf("%d digits and %d pixels, expected %d and %d", len(digit), len(pixels), DigitsCount, DigitsCount*DigitsSide*DigitsSide)
	}
	if want := []uint8{0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0}; !slices.Equal(pixels[:16], want) || digit[0] != 0 {
		t.Errorf("first rows %v of a %d, expected %v of a 0", pixels[:16], digit[0], want)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(digitsGzip)
	if !strings.Contains(string(readme), hex.EncodeToString(sum[:])) {
		t.Errorf("README.md does not have the file's SHA-256, %x", sum)
	}
}
