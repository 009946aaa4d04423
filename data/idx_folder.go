package data

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// idxName matches the usual names of IDX picture files: train-images-idx3-ubyte, t10k-images.idx3-ubyte.gz,
// emnist-letters-test-images-idx3-ubyte.gz. Group 1 is the part, empty for a file that is the whole set.
var idxName = regexp.MustCompile(`^(?:.*?[-_.])??(?:(train|t10k|test)[-_.])?(images)[-_.](idx[34])-ubyte(\.gz)?$`)

// idxFiles is one part of an IDX data set.
type idxFiles struct{ pictures, labels string } // labels is empty where there is no such file

// findIDX looks for IDX picture files in a folder, by part: "train", "test" or "". A plain file wins over a compressed one.
func findIDX(dir string) (map[string]idxFiles, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	parts := map[string]idxFiles{}
	for _, e := range entries { // sorted by name, so the plain file comes before its .gz
		m := idxName.FindStringSubmatch(e.Name())
		if m == nil || e.IsDir() {
			continue
		}
		part := m[1]
		if part == "t10k" {
			part = "test"
		}
		path := filepath.Join(dir, e.Name())
		if old, ok := parts[part]; ok {
			if path == old.pictures+".gz" {
				continue
			}
			return nil, fmt.Errorf("%s: %s and %s are both %s pictures, expected one such file; put each set in its own folder",
				dir, filepath.Base(old.pictures), e.Name(), cmp.Or(part, "all"))
		}
		parts[part] = idxFiles{path, idxLabelFile(path)}
	}
	return parts, nil
}

// idxLabelFile is the label file that goes with a picture file by its name, or "" if there is none.
func idxLabelFile(pictures string) string {
	dir, base := filepath.Split(pictures)
	m := idxName.FindStringSubmatchIndex(base)
	if m == nil {
		return ""
	}
	name := base[:m[4]] + "labels" + base[m[5]:m[6]] + "idx1-ubyte"
	for _, ext := range []string{"", ".gz"} {
		if info, err := os.Stat(filepath.Join(dir, name+ext)); err == nil && !info.IsDir() {
			return filepath.Join(dir, name+ext)
		}
	}
	return ""
}

// openIDX makes a Source of the parts that findIDX found. names are the class names by label value, or nil for the values
// themselves.
func openIDX(ctx context.Context, name string, parts map[string]idxFiles, names []string, o Options) (*Source, error) {
	if _, whole := parts[""]; whole && len(parts) > 1 {
		return nil, fmt.Errorf("%s: picture files with and without train or test in their names, expected one or the other", name)
	}
	order := slices.DeleteFunc([]string{"", "train", "test"}, func(p string) bool { _, ok := parts[p]; return !ok })
	var pictures []*idxPictures
	var raw [][]uint8
	for _, part := range order {
		files := parts[part]
		x, err := openIDXPictures(ctx, files.pictures, o.Memory)
		if err != nil {
			return nil, err
		}
		if len(pictures) > 0 && x.shape != pictures[0].shape {
			return nil, fmt.Errorf("%s: pictures of %v, expected %v as in %s", files.pictures, x.shape, pictures[0].shape, pictures[0].blob.name)
		}
		pictures = append(pictures, x)
		if files.labels == "" {
			continue
		}
		y, err := readIDXLabels(ctx, files.labels, o.Memory)
		if err != nil {
			return nil, err
		}
		if len(y) != x.head.dims[0] {
			return nil, fmt.Errorf("%s: %d labels for the %d pictures of %s, expected one each; the files do not belong together",
				files.labels, len(y), x.head.dims[0], filepath.Base(files.pictures))
		}
		raw = append(raw, y)
	}
	if len(raw) > 0 && len(raw) < len(pictures) {
		return nil, fmt.Errorf("%s: one part has a label file and the other has none, expected both or neither", name)
	}
	src := &Source{Name: name}
	if names == nil && o.Schema != nil && len(raw) > 0 && noneNamed(raw, o.Schema) {
		names = o.Schema.Classes
		src.Notes = append(src.Notes, fmt.Sprintf("%s: the labels are taken for the numbers of the model's classes, from 0 for %q", name, names[0]))
	}
	classes, labels, err := idxClasses(raw, names)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	schema := pictureSchema(pictures[0].shape, classes)
	sets := make([]Set, len(pictures))
	for i, x := range pictures {
		var y []int32
		if labels != nil {
			y = labels[i]
		}
		s, err := x.set(schema, y)
		if err != nil {
			return nil, err
		}
		if sets[i], err = adaptPictures(s, o); err != nil {
			return nil, fmt.Errorf("%s: %w", x.blob.name, err)
		}
	}
	if len(sets) == 2 {
		return src, src.setParts(sets[0], sets[1])
	}
	return src, src.setParts(sets[0], nil)
}

// noneNamed reports whether s has classes and no label value is the name of one, so that the values can only be numbers.
func noneNamed(raw [][]uint8, s *Schema) bool {
	for _, part := range raw {
		for _, y := range part {
			if _, ok := s.Class(strconv.Itoa(int(y))); ok {
				return false
			}
		}
	}
	return s.Labelled()
}

// idxClasses numbers the label values of all parts together: the k-th smallest value that occurs is class k, and its name is
// the value, unless names has one for it.
func idxClasses(raw [][]uint8, names []string) (classes []string, labels [][]int32, err error) {
	if raw == nil {
		return nil, nil, nil
	}
	var seen [256]bool
	for _, part := range raw {
		for _, y := range part {
			seen[y] = true
		}
	}
	var class [256]int32
	for v, ok := range seen {
		switch {
		case names != nil && v < len(names):
			class[v] = int32(len(classes))
			classes = append(classes, names[v])
		case names != nil && ok:
			return nil, nil, fmt.Errorf("label %d, expected 0 to %d", v, len(names)-1)
		case ok:
			class[v] = int32(len(classes))
			classes = append(classes, strconv.Itoa(v))
		}
	}
	labels = make([][]int32, len(raw))
	for i, part := range raw {
		labels[i] = make([]int32, len(part))
		for k, y := range part {
			labels[i][k] = class[y]
		}
	}
	return classes, labels, nil
}
