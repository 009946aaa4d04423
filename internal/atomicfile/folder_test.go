package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/likely-ml/likely/internal/atomicfile"
)

func TestFolder(t *testing.T) {
	around := t.TempDir()
	path := filepath.Join(around, "set")
	fill := func(dir string) error {
		if err := os.Mkdir(filepath.Join(dir, "a"), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "a", "x"), []byte("text"), 0o644)
	}
	broken := errors.New("no more")
	err := atomicfile.Folder(path, func(dir string) error { return errors.Join(fill(dir), broken) })
	if left, _ := os.ReadDir(around); !errors.Is(err, broken) || len(left) > 0 {
		t.Errorf("error %v and %v left of a folder that failed, expected %v and nothing", err, left, broken)
	}
	if err := atomicfile.Folder(path, fill); err != nil {
		t.Fatal(err)
	}
	if got := content(t, filepath.Join(path, "a", "x")); got != "text" {
		t.Errorf("content %q, expected %q", got, "text")
	}
	err = atomicfile.Folder(path, func(string) error { t.Error("a folder that exists is filled"); return nil })
	if err == nil {
		t.Error("no error where the folder exists")
	}
	if left, _ := os.ReadDir(around); len(left) != 1 {
		t.Errorf("%v in the folder, expected the new one alone", left)
	}
}
