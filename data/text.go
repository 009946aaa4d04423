package data

import (
	"fmt"
	"strconv"
	"strings"
)

// quoted lists names for a message, the first ten of many.
func quoted(names []string) string {
	const most = 10
	var b strings.Builder
	for i, name := range names {
		if i == most {
			fmt.Fprintf(&b, " … (%d in all)", len(names))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(name))
	}
	return b.String()
}

// abridged quotes a piece of a file on one line, the first letters of a long one.
func abridged(text string) string {
	text = strings.TrimSpace(text)
	if r := []rune(text); len(r) > 60 {
		text = string(r[:59]) + "…"
	}
	return strconv.Quote(text)
}
