package data

import (
	"context"
	"image/color"
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
