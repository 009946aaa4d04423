package atomicfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/likely-ml/likely/internal/atomicfile"
)

func write(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWriteReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	for _, text := range []string{"first", "the second, longer", ""} {
		if err := atomicfile.Write(path, write(text)); err != nil {
			t.Fatal(err)
		}
		if got := content(t, path); got != text {
			t.Errorf("content %q, expected %q", got, text)
		}
	}
}

func TestFailureLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model")
	if err := atomicfile.Write(path, write("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := atomicfile.Write(path, func(w io.Writer) error {
		if err := write("half of the new")(w); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v, expected %v", err, broken)
	}
	if got := content(t, path); got != "old" {
		t.Errorf("content %q, expected the old one", got)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("folder holds %v (%v), expected the file alone", entries, err)
	}
}

func TestMissingFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "model")
	err := atomicfile.Write(path, write("x"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("error %v, expected that the folder does not exist", err)
	}
	if want := "open " + path + ": "; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %q, expected %q and the cause: the temporary file has a name that nobody knows", err, want)
	}
}
