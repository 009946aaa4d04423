package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, nil, "a:test")
	if err := os.Mkdir("digits", 0o755); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string][2]string{
		"digits":       {"digits", ""},
		"digits:train": {"digits", "train"},
		"mnist:all":    {"mnist", "all"},
		"a:test":       {"a:test", ""},
		"a:test:test":  {"a:test", "test"},
		"b:test":       {"b", "test"},
		"digits:half":  {"digits:half", ""},
		`C:\data`:      {`C:\data`, ""},
		`C:\data:test`: {`C:\data`, "test"},
		":train":       {":train", ""},
	} {
		if what, split := Parse(arg); what != want[0] || split != want[1] {
			t.Errorf("%q is %q, %q, expected %q", arg, what, split, want)
		}
	}
}

// TestPathWins: a folder with the name of a known set is read as a folder.
func TestPathWins(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, pngFile(t, 2, 2, plain(color.White)), "digits", "1.png")
	if got := open(t, "digits", Options{}).All.Len(); got != 1 {
		t.Errorf("%d pictures, expected the 1 of the folder", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	ctx := context.Background()
	_, err := Open(ctx, "no-such", Options{})
	wantError(t, err, "no-such", "no such file", "digits, fashion-mnist, mnist")
	_, err = Open(ctx, "digits:half", Options{})
	wantError(t, err, `unknown part "half" of digits`, "train, test or all")
	if !errors.Is(err, ErrPart) {
		t.Errorf("%v is no ErrPart", err)
	}
	_, err = Open(ctx, write(t, nil, t.TempDir(), "t.xlsx"), Options{})
	wantError(t, err, "t.xlsx", "expected a table (.csv")
	for _, o := range []Options{{Height: 8}, {Width: 8}, {Channels: 1}} {
		if _, err = Open(ctx, write(t, []byte("a\n1\n2\n"), t.TempDir(), "t.csv"), o); !errors.Is(err, ErrNoPictures) {
			t.Errorf("a table with %+v: error %v, expected %v", o, err, ErrNoPictures)
		}
	}
	_, err = Get(ctx, "nothing", nil)
	wantError(t, err, "nothing")
	if dir, err := Get(ctx, "digits", nil); dir != "" || err != nil {
		t.Errorf("Get of an embedded set: %q, %v", dir, err)
	}
}

func TestPart(t *testing.T) {
	digits := open(t, "digits", Options{})
	for split, n := range map[string]int{"train": 1438, "test": 359, "all": 1797} {
		if s, err := digits.Part(split); err != nil || s.Len() != n {
			t.Errorf("part %s: %v, expected %d examples", split, err, n)
		}
	}
	_, err := digits.Part("half")
	wantError(t, err, `"half"`)
	table := open(t, write(t, []byte("a\n1\n2\n"), t.TempDir(), "t.csv"), Options{})
	_, err = table.Part("test")
	wantError(t, err, "no test part")
}

func TestDescribe(t *testing.T) {
	src := open(t, write(t, []byte(flowers), t.TempDir(), "flowers.csv"), Options{Label: "kind"})
	info, err := Describe(context.Background(), "flowers", src.All)
	if err != nil {
		t.Fatal(err)
	}
	if info.N != 4 || info.Missing != 3 || !slices.Equal(info.ClassCounts, []int{2, 2}) || info.Columns[0].Min != 4.9 || info.Columns[0].Max != 10 || info.Columns[2].Mean != 0 {
		t.Errorf("info %+v", info)
	}
	raw, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"name", "n", "shape", "classes", "class_counts", "missing"} {
		if !bytes.Contains(raw, []byte(`"`+key+`":`)) {
			t.Errorf("no key %q in %s", key, raw)
		}
	}
	unlabelled := open(t, write(t, pngFile(t, 2, 3, plain(color.White)), t.TempDir(), filepath.Join("x", "a.png")), Options{})
	if info, err = Describe(context.Background(), "one", unlabelled.All); err != nil || !slices.Equal(info.Shape, []int{3, 2, 1}) || info.Classes == nil || info.Missing != 0 {
		t.Errorf("info %+v (%v)", info, err)
	}
}
