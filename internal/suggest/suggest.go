// Package suggest finds what somebody probably meant by a name that does not exist.
package suggest

import "strings"

// Nearest returns the name that is closest to what was typed, and whether it is close enough to be worth a suggestion: at
// most a third of the letters differ, and at most 2 in a short name. Case does not count. Of equally near names the first
// is taken.
func Nearest(typed string, names []string) (string, bool) {
	best, nearest := -1, ""
	for _, name := range names {
		d := distance(strings.ToLower(typed), strings.ToLower(name))
		if d <= max(min(2, len(name)-1), len(name)/3) && (best < 0 || d < best) {
			best, nearest = d, name
		}
	}
	return nearest, best >= 0
}

// Hint is `; did you mean "name"?` for the nearest name, or empty where none is near. It ends an error message.
func Hint(typed string, names []string) string {
	if name, ok := Nearest(typed, names); ok {
		return "; did you mean \"" + name + "\"?"
	}
	return ""
}

// distance is the least number of letters to insert, delete, replace or swap with their neighbour to turn a into b
// (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i, c := range s {
		before, last, row = last, row, before
		row[0] = i + 1
		for j, d := range t {
			replaced := last[j]
			if c != d {
				replaced++
			}
			row[j+1] = min(replaced, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && c == t[j-1] && s[i-1] == d {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(t)]
}
