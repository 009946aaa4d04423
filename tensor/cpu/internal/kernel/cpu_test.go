package kernel

import (
	"strings"
	"testing"
)

func TestChooseLevel(t *testing.T) {
	for _, c := range []struct {
		setting string
		have    Level
		want    Level
		note    string // part of it
	}{
		{"", AVX512, AVX512, ""},
		{"", Generic, Generic, ""},
		{"avx2", AVX512, AVX2, ""},
		{"generic", AVX512, Generic, ""},
		{"avx512", AVX512, AVX512, ""},
		{"avx512", AVX2, AVX2, "this machine lacks it; using avx2"},
		{"sse", AVX2, AVX2, `"sse" is none of generic, avx2, avx512; using avx2`},
	} {
		got, note := chooseLevel(c.setting, c.have)
		if got != c.want || !strings.Contains(note, c.note) || (note == "") != (c.note == "") {
			t.Errorf("chooseLevel(%q, %v) = %v, %q; want %v, %q", c.setting, c.have, got, note, c.want, c.note)
		}
	}
}

func TestUse(t *testing.T) {
	before := Active()
	for _, l := range levels() {
		restore := Use(l)
		if Active() != l {
			t.Errorf("Use(%v): active is %v", l, Active())
		}
		restore()
	}
	if Active() != before {
		t.Errorf("restored to %v, was %v", Active(), before)
	}
	defer Use(AVX512)()
	if Active() > Detected() {
		t.Errorf("active is %v, detected %v", Active(), Detected())
	}
}
