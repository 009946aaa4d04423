package data

import (
	"math"
	"strconv"
	"strings"
)

// isMissing reports whether a trimmed field stands for no value: empty, NA, NaN (in any case) or ?.
func isMissing(field string) bool {
	switch len(field) {
	case 0:
		return true
	case 1:
		return field == "?"
	case 2, 3:
		return strings.EqualFold(field, "na") || strings.EqualFold(field, "nan")
	}
	return false
}

// number reads a decimal number such as -12, 3.5 or 1e-3. whole reports whether it was written as an integer. Infinity
// and numbers beyond the range of float32 come back infinite, with ok set, so that the caller can say where they stand.
func number(field string) (v float64, whole, ok bool) {
	digits := false
	whole = true
	for i := range len(field) {
		switch c := field[i]; {
		case c >= '0' && c <= '9':
			digits = true
		case c == '+' || c == '-':
		case c == '.' || c == 'e' || c == 'E':
			whole = false
		default:
			return infinity(field)
		}
	}
	if !digits {
		return 0, false, false
	}
	v, err := strconv.ParseFloat(field, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, false, false
	}
	if math.Abs(v) > math.MaxFloat32 {
		return math.Inf(int(math.Copysign(1, v))), false, true
	}
	return v, whole, true
}

// infinity reads the usual spellings of infinity, with a sign or without.
func infinity(field string) (v float64, whole, ok bool) {
	sign := 1
	name := field
	if name[0] == '-' || name[0] == '+' {
		if name[0] == '-' {
			sign = -1
		}
		name = name[1:]
	}
	if strings.EqualFold(name, "inf") || strings.EqualFold(name, "infinity") {
		return math.Inf(sign), false, true
	}
	return 0, false, false
}

// numberText is a number as a class or level is written: 3, 0.5. bits says whether it was a float32 or a float64.
func numberText(v float64, bits int) string {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, bits)
}
