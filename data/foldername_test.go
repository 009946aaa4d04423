package data

import (
	"context"
	"image/color"
	"slices"
	"testing"
)

func TestFolderName(t *testing.T) {
	for class, want := range map[string]string{
		"T-shirt/top": "T-shirt_top", "..": "_..", "a:b": "a_b", "tab\t": "tab_", "kühe 牛": "kühe 牛",
	} {
		if got := FolderName(class); got != want {
			t.Errorf("FolderName(%q) = %q, expected %q", class, got, want)
		}
	}
}

// TestClassesOfFolders reads folders that are named after classes that no folder can be called.
func TestClassesOfFolders(t *testing.T) {
	grey := pngFile(t, 2, 2, plain(color.Gray{9}))
	dir := t.TempDir()
	write(t, grey, dir, "T-shirt_top", "1.png")
	write(t, grey, dir, "Bag", "1.png")
	schema := &Schema{Shape: Shape{2, 2, 1}, Classes: []string{"Bag", "Coat", "T-shirt/top"}, MaxValue: 255}
	b := all(t, open(t, dir, Options{Schema: schema}).All)
	if len(b.Y) != 2 || b.Y[0]+b.Y[1] != 2 || b.Y[0]*b.Y[1] != 0 {
		t.Errorf("classes %v, expected 0 and 2", b.Y)
	}
	schema.Classes = []string{"Bag", "T-shirt/top", "T-shirt:top"}
	_, err := Open(context.Background(), dir, Options{Schema: schema})
	wantError(t, err, `class "T-shirt_top" is unknown`)
}

// Classes are found under their names and under those of their folders, whichever of the two the data and the model have.
func TestClassMap(t *testing.T) {
	for _, c := range []struct {
		from, to []string
		want     []int32
	}{
		{[]string{"b", "a"}, []string{"a", "b"}, []int32{1, 0}},
		{[]string{"T-shirt_top"}, []string{"Bag", "T-shirt/top"}, []int32{1}},
		{[]string{"T-shirt/top"}, []string{"Bag", "T-shirt_top"}, []int32{1}},
		{[]string{"a/b", "a_b"}, []string{"a_b", "a/b"}, []int32{1, 0}}, // by name first
		{[]string{"a:b"}, []string{"a_b", "a/b"}, nil},                  // it could be either
		{[]string{"a:b", "a/b"}, []string{"a_b"}, nil},                  // both could
		{[]string{"c"}, []string{"a", "b"}, nil},
	} {
		got, err := classMap(c.from, c.to)
		if (err == nil) != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("classes %q of a model of %q are %v (%v), expected %v", c.from, c.to, got, err, c.want)
		}
	}
}
