package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Folder makes the folder at path with what fill puts into it. fill works in a temporary folder beside it, whose files are
// synced to disk before it is renamed to path. If anything fails, nothing new remains. The folder must not exist: what is in it
// could not be told from what is new. The folder around it must.
func Folder(path string, fill func(dir string) error) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fmt.Errorf("%s: it exists already; choose another name, or remove it", path)
		}
		return err
	}
	around := filepath.Dir(path)
	dir, err := os.MkdirTemp(around, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir) // the first error is the one to report
		}
	}()
	if err = os.Chmod(dir, 0o755); err != nil { // MkdirTemp's is for the owner only
		return err
	}
	if err = fill(dir); err != nil {
		return err
	}
	if err = syncAll(dir); err != nil {
		return err
	}
	if err = os.Rename(dir, path); err != nil {
		return err
	}
	return syncDir(around)
}

// syncers is how many files are synced at a time: a disk takes many of them together in little more time than one.
const syncers = 32

// syncAll syncs what is in dir, and dir.
func syncAll(dir string) error {
	paths := make(chan string)
	failed := make(chan error, syncers)
	var workers sync.WaitGroup
	for range syncers {
		workers.Go(func() {
			var first error
			for path := range paths {
				if err := syncFile(path); first == nil {
					first = err
				}
			}
			failed <- first
		})
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return syncDir(path)
		}
		paths <- path
		return nil
	})
	close(paths)
	workers.Wait()
	close(failed)
	for first := range failed {
		err = errors.Join(err, first)
	}
	return err
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
