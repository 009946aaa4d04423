//go:build !windows

package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/likely-ml/likely/internal/atomicfile"
)

func TestPermissions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	for _, mode := range []os.FileMode{0o644, 0o600} {
		if mode != 0o644 { // the mode of a new file is the first; later ones are kept
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		if err := atomicfile.Write(path, write("x")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("mode %v (%v), expected %v", info.Mode().Perm(), err, mode)
		}
	}
}
