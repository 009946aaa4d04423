// Package builtin embeds the data set that the program brings with it, so that everything can be tried without a network.
// README.md in this folder says where it comes from and under what licence.
package builtin

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"sync"
)

//go:embed digits.csv.gz
var digitsGzip []byte

const (
	DigitsCount = 1797 // pictures
	DigitsSide  = 8    // pixels: each picture is 8x8, grey
	DigitsMax   = 16   // pixels are whole numbers from 0 to 16
)

// Digits returns the optical recognition of handwritten digits test set (E. Alpaydin, C. Kaynak, 1998): the pixels of
// DigitsCount pictures, row-major, from 0 (paper) to DigitsMax (ink), and the digit that each shows. The order is that of
// the source. The caller must not change the slices.
func Digits() (pixels []uint8, digit []int32, err error) {
	d := digits()
	return d.pixels, d.digit, d.err
}

type digitSet struct {
	pixels []uint8
	digit  []int32
	err    error
}

var digits = sync.OnceValue(func() (d digitSet) {
	z, err := gzip.NewReader(bytes.NewReader(digitsGzip))
	if err != nil {
		return digitSet{err: fmt.Errorf("embedded digits: %w", err)}
	}
	const p = DigitsSide * DigitsSide
	r := csv.NewReader(z)
	r.FieldsPerRecord = p + 1 // the pixels, then the digit
	rows, err := r.ReadAll()
	if err != nil {
		return digitSet{err: fmt.Errorf("embedded digits: %w", err)}
	}
	for i, row := range rows {
		for j, field := range row {
			v, err := strconv.ParseUint(field, 10, 8)
			if err != nil || v > DigitsMax || j == p && v > 9 {
				return digitSet{err: fmt.Errorf("embedded digits: row %d, column %d: %q", i+1, j+1, field)}
			}
			if j == p {
				d.digit = append(d.digit, int32(v))
			} else {
				d.pixels = append(d.pixels, uint8(v))
			}
		}
	}
	return d
})
