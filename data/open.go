package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/likely-ml/likely/internal/suggest"
)

// tableNames are how the names of tables end, for messages.
const tableNames = ".csv, .tsv, .arff, .npy, .parquet"

// Open opens what as a data set: a known name, or a path. A path that exists wins over a name. A path is a folder of class
// folders of pictures, a flat folder of pictures, a folder with train/ and test/ of either kind, a folder of IDX files or
// one such file, one picture, or a table: CSV, Parquet (.parquet), ARFF (.arff) or an array of numpy (.npy). Compressed (.gz)
// IDX files and tables are read as they are.
func Open(ctx context.Context, what string, o Options) (*Source, error) {
	o, err := o.normal()
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(what)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		k, ok := knownByName(what)
		if !ok {
			return nil, unknownName(what)
		}
		if err := wantsPictures(what, o); err != nil {
			return nil, err
		}
		return openKnown(ctx, k, o)
	}
	base := filepath.Base(what)
	if read := tableReaders[strings.ToLower(filepath.Ext(strings.TrimSuffix(base, ".gz")))]; read != nil && !info.IsDir() {
		if err := wantsTable(what, o); err != nil {
			return nil, err
		}
		return read(ctx, what, o)
	}
	if !info.IsDir() && !isPictureFile(base) && !idxName.MatchString(base) {
		return nil, fmt.Errorf("%s: unknown kind of file, expected a table (%s), a picture (%s) or IDX pictures (…-images-idx3-ubyte)",
			what, tableNames, strings.Join(pictureExtensions, ", "))
	}
	if err := wantsPictures(what, o); err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return openFolder(ctx, what, o)
	case isPictureFile(base):
		return openPicture(ctx, what, o)
	}
	return openIDX(ctx, what, map[string]idxFiles{"": {what, idxLabelFile(what)}}, nil, o)
}

// tableReaders open tables, by the extensions of their names.
var tableReaders = map[string]func(context.Context, string, Options) (*Source, error){
	".csv": openCSV, ".tsv": openCSV, ".txt": openCSV, ".arff": openARFF, ".npy": openNPY, ".parquet": openParquet,
}

// ErrNoPictures: Options of pictures, a height, width or number of channels, were given for a table.
var ErrNoPictures = errors.New("a table, whose rows have no height, width or channels to choose")

// wantsTable reports what in o is meant for pictures, where what holds a table. A schema of pictures is for the reader to refuse.
func wantsTable(what string, o Options) error {
	if o.Schema != nil && o.Schema.IsImage() || o.Height == 0 && o.Channels == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", what, ErrNoPictures)
}

// wantsPictures reports what in o is meant for a table, where what holds pictures.
func wantsPictures(what string, o Options) error {
	if o.Schema != nil && !o.Schema.IsImage() {
		return fmt.Errorf("%s: no table, but the model expects one with %v; give a table (%s)", what, o.Schema.Shape, tableNames)
	}
	if len(o.Ignore) > 0 {
		return fmt.Errorf("%s: no table, so it has no column %q to ignore", what, o.Ignore[0])
	}
	if o.Label != "" {
		return fmt.Errorf("%s: no table, so it has no label column %q; the class of a picture is its folder or its IDX label", what, o.Label)
	}
	return nil
}

// unknownName says what could have been meant by something that is neither a path nor a name.
func unknownName(what string) error {
	names := make([]string, len(knownSets))
	for i, k := range knownSets {
		names[i] = k.Name
	}
	if what == "" {
		return fmt.Errorf("the name of the data is empty, expected a path or one of %s", strings.Join(names, ", "))
	}
	if i := strings.LastIndexByte(what, ':'); i > 0 {
		if _, ok := knownByName(what[:i]); ok || isFile(what[:i]) || isDir(what[:i]) {
			return unknownPart(what[i+1:], what[:i])
		}
	}
	hint := suggest.Hint(what, names)
	if hint == "" {
		hint = "; expected a path or one of " + strings.Join(names, ", ")
	}
	return fmt.Errorf("%s: no such file or folder, and no known data set%s", what, hint)
}
