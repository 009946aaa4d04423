package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkOut is checkFile of --out.
func checkOut(path string) error { return checkFile("--out", path) }

// checkFile reports why no file can be written at path, the value of a flag. It comes before the work: nobody should lose
// hours of training to a folder that is not there. An empty path is fine.
func checkFile(flag, path string) error {
	if path == "" {
		return nil
	}
	// The file is written beside its place and moved there, which would put an end to a link, such as /dev/stdout, or a device.
	switch info, err := os.Lstat(path); {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s %s: a folder, expected the name of a file", flag, path)
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s %s: a link, expected the name of a file; name what it points to", flag, path)
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s %s: a device, expected the name of a file", flag, path)
	}
	dir := filepath.Dir(path)
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s %s: there is no folder %s; make it, or choose another name", flag, path, dir)
	case err != nil:
		return fmt.Errorf("%s %s: %w", flag, path, err)
	case !info.IsDir():
		return fmt.Errorf("%s %s: %s is a file, expected a folder", flag, path, dir)
	}
	// Whether a file can be made there only shows by making one.
	f, err := os.CreateTemp(dir, ".likely.*.tmp")
	if err != nil {
		return fmt.Errorf("%s %s: cannot write in folder %s (%w); choose another", flag, path, dir, cause(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// checkOutFolder reports why dir, the value of a flag, cannot be a folder. One that is not there yet will be made.
func checkOutFolder(flag, dir string) error {
	for at := dir; ; at = filepath.Dir(at) {
		switch info, err := os.Stat(at); {
		case err == nil && !info.IsDir():
			return fmt.Errorf("%s %s: %s is a file, expected a folder", flag, dir, at)
		case err == nil:
			return nil
		case filepath.Dir(at) == at:
			return fmt.Errorf("%s %s: %w", flag, dir, cause(err))
		}
	}
}

// cause is what the system said, without the name of the file, which may be one that the reader has never seen.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
