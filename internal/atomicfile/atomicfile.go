// Package atomicfile writes files that are either whole or not there: a reader, and whoever looks after a crash, finds the
// old content or the new, never a part.
package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write replaces the file at path by what write writes. The content goes to a temporary file in the same folder, is
// synced to disk, and is renamed over path; then the folder is synced, so that the new name survives a crash too. If
// anything fails, the file that was at path is untouched and nothing new remains. The folder must exist.
func Write(path string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return about(path, err)
	}
	defer func() {
		if err != nil {
			err = about(path, err)
			f.Close() // the first error is the one to report; a second Close does no harm
			os.Remove(f.Name())
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<16)
	if err = write(buffered); err != nil {
		return err
	}
	if err = buffered.Flush(); err != nil {
		return err
	}
	if err = f.Chmod(permissions(path)); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// about is err with path in the place of the name of the temporary file, which nobody has seen.
func about(path string, err error) error {
	var e *fs.PathError
	if errors.As(err, &e) && filepath.Ext(e.Path) == ".tmp" && filepath.Dir(e.Path) == filepath.Dir(path) {
		e.Path = path
	}
	return err
}

// permissions are those of the file that is replaced, or the usual ones for a new file: CreateTemp's are for the owner
// only, which is not what somebody expects of a result.
func permissions(path string) os.FileMode {
	if info, err := os.Stat(path); err == nil {
		return info.Mode().Perm()
	}
	return 0o644
}
