package data

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// openFolder tells by its content what a folder is: IDX files, train/ and test/, class folders, or pictures.
func openFolder(ctx context.Context, dir string, o Options) (*Source, error) {
	parts, err := findIDX(dir)
	if err != nil {
		return nil, err
	}
	if len(parts) > 0 {
		return openIDX(ctx, dir, parts, nil, o)
	}
	if isDir(filepath.Join(dir, "train")) && isDir(filepath.Join(dir, "test")) {
		return openTrainTest(ctx, dir, o)
	}
	return openPictureFolder(ctx, dir, o)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// openTrainTest reads train/ and then test/ in the terms of train/.
func openTrainTest(ctx context.Context, dir string, o Options) (*Source, error) {
	train, err := openPictureFolder(ctx, filepath.Join(dir, "train"), o)
	if err != nil {
		return nil, err
	}
	if o.Schema == nil {
		o.Schema = train.All.Schema()
		o.Height, o.Width, o.Channels = o.Schema.Height, o.Schema.Width, o.Schema.Channels
	}
	test, err := openPictureFolder(ctx, filepath.Join(dir, "test"), o)
	if err != nil {
		return nil, err
	}
	if a, b := train.All.Schema().Labelled(), test.All.Schema().Labelled(); a != b {
		return nil, fmt.Errorf("%s: one of train/ and test/ has class folders and the other has none, expected both or neither", dir)
	}
	src := &Source{Name: dir, Skipped: train.Skipped + test.Skipped, Notes: append(train.Notes, test.Notes...)}
	return src, src.setParts(train.All, test.All)
}

// openPictureFolder reads a folder of class folders, or of pictures without labels.
func openPictureFolder(ctx context.Context, dir string, o Options) (*Source, error) {
	files, classes, err := listPictures(dir)
	if err != nil {
		return nil, err
	}
	src := &Source{Name: dir}
	s, err := openPictures(ctx, files, classes, src, o)
	if err != nil {
		return nil, err
	}
	for k, name := range classes {
		if !slices.Contains(s.labels, int32(k)) {
			return nil, fmt.Errorf("%s: no picture of class %q can be read; replace them or remove the folder", filepath.Join(dir, name), name)
		}
	}
	adapted, err := adaptPictures(s, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return src, src.setParts(adapted, nil)
}

// openPicture reads one picture as a set of one.
func openPicture(ctx context.Context, path string, o Options) (*Source, error) {
	src := &Source{Name: path}
	o.SkipBad = false // there is nothing left to go on with
	s, err := openPictures(ctx, []pictureFile{{path, -1}}, nil, src, o)
	if err != nil {
		return nil, err
	}
	adapted, err := adaptPictures(s, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return src, src.setParts(adapted, nil)
}

// listPictures lists the pictures of dir, sorted by path. Where dir has folders with pictures in them, at any depth, each
// is a class; else classes is nil. Files and folders whose names begin with a dot or with "__" are passed over.
func listPictures(dir string) (files []pictureFile, classes []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	var loose, folders []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "__"):
		case isDir(path):
			folders = append(folders, e.Name())
		case isPictureFile(e.Name()):
			loose = append(loose, path)
		}
	}
	if len(folders) == 0 {
		if len(loose) == 0 {
			return nil, nil, fmt.Errorf("%s: no pictures, expected %s files, folders of them, or IDX files", dir, strings.Join(pictureExtensions, ", "))
		}
		for _, path := range loose {
			files = append(files, pictureFile{path, -1})
		}
		return files, nil, nil
	}
	if len(loose) > 0 {
		return nil, nil, fmt.Errorf("%s: pictures (such as %s) beside folders (such as %s), expected one or the other; move the pictures into class folders",
			dir, filepath.Base(loose[0]), folders[0])
	}
	sortNames(folders)
	for k, name := range folders {
		class, err := walkPictures(filepath.Join(dir, name))
		if err != nil {
			return nil, nil, err
		}
		if len(class) == 0 {
			return nil, nil, fmt.Errorf("%s: no pictures in the folder of class %q, expected %s files; add some or remove the folder",
				filepath.Join(dir, name), name, strings.Join(pictureExtensions, ", "))
		}
		for _, path := range class {
			files = append(files, pictureFile{path, int32(k)})
		}
	}
	return files, folders, nil
}

// walkPictures lists the pictures of a folder and the folders in it, in lexical order.
func walkPictures(dir string) ([]string, error) {
	var paths []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.IsDir() && isPictureFile(path):
			paths = append(paths, filepath.Join(dir, filepath.FromSlash(path)))
		}
		return nil
	})
	return paths, err
}
